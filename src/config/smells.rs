//! What is allowed in a configuration and yet seldom meant: each with what it leads to and what to do.

use std::collections::BTreeSet;

use super::settings::Config;
use crate::model::catalog::{BackendKind, Catalog, Deploy, Environment, Service};
use crate::model::name::BackendName;
use crate::model::probe::Probe;
use crate::model::strategy::Strategy;

/// Names that production has.
const PRODUCTION: [&str; 4] = ["prod", "production", "live", "prd"];

/// Something doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smell {
    /// Of what.
    pub about: String,
    /// What it is, and what it leads to.
    pub told: String,
    /// What to do, in one sentence.
    pub fix: String,
}

fn smell(about: impl Into<String>, told: impl Into<String>, fix: impl Into<String>) -> Smell {
    Smell { about: about.into(), told: told.into(), fix: fix.into() }
}

/// Everything doubtful that the configuration alone shows.
pub fn smells(config: &Config) -> Vec<Smell> {
    let catalog = &config.catalog;
    let mut found: Vec<Smell> = Vec::new();
    found.extend(catalog.environments.iter().flat_map(|environment| of_environment(catalog, environment)));
    found.extend(catalog.services.values().flat_map(|service| of_service(catalog, service)));
    let used = used(catalog);
    for backend in catalog.backends.values().filter(|backend| !used.contains(&backend.name)) {
        let told = "no service, objective or discovery names it, so it is polled for nothing";
        found.push(smell(format!("backend {}", backend.name), told, "name it in a service, or take it out"));
    }
    found
}

fn of_environment(catalog: &Catalog, environment: &Environment) -> Vec<Smell> {
    let about = || format!("environment {}", environment.name);
    let (protection, mut found) = (&environment.protection, Vec::new());
    let open = protection.approvals == 0 && !protection.typed_confirmation && protection.actor_roles.is_empty();
    if open && PRODUCTION.contains(&environment.name.as_str()) {
        let told = "it is called like production, and anybody may change it with one key";
        found.push(smell(about(), told, "give it `protection`, at least `typed_confirmation = true`"));
    }
    let could = |roles: &[crate::model::name::RoleName]| {
        let holds = |grant: &crate::model::operator::Grant| {
            roles.contains(&grant.role) && (grant.environments.is_empty() || grant.environments.contains(&environment.name))
        };
        catalog.people.iter().filter(|person| roles.is_empty() || person.roles.iter().any(holds)).count()
    };
    let (approvers, needed) = (could(&protection.approver_roles), usize::try_from(protection.approvals).unwrap_or(usize::MAX));
    // Fewer than are needed is a warning of `config check` already.
    if needed > 0 && approvers == needed {
        let told = format!("it needs {needed} approvals of others, and {approvers} people may give one: none of them can ask for anything");
        found.push(smell(about(), told, "let one more person approve, or ask for one approval less"));
    }
    let slow = catalog.services.values().filter_map(|service| service.deploy.get(&environment.name)).flat_map(|deploy| &deploy.traffic);
    let slow = slow.filter_map(|entry| catalog.backends.get(&entry.backend)).find(|backend| environment.effective_within < backend.every);
    if let Some(backend) = slow {
        let told = format!("`effective_within` is over before {} is asked again, so that no effect is seen in time", backend.name);
        found.push(smell(about(), told, format!("a longer `effective_within`, or a shorter `every` of {}", backend.name)));
    }
    found
}

fn of_service(catalog: &Catalog, service: &Service) -> Vec<Smell> {
    let about = || format!("service {}", service.name);
    let mut found = Vec::new();
    let used = catalog.services.values().any(|other| other.depends_on.contains(&service.name));
    if service.deploy.is_empty() && service.pipeline.is_none() && !used {
        let told = "it has neither a pipeline nor a deployment, and no other depends on it: nothing of it is ever shown";
        found.push(smell(about(), told, "write `pipeline` or `[service.deploy.ENVIRONMENT]`, or take it out"));
    }
    for (environment, deploy) in &service.deploy {
        let about = || format!("{}@{environment}", service.name);
        if deploy.traffic.is_empty() && deploy.workload.is_none() && deploy.deploy.is_none() && service.pipeline.is_none() {
            let told = "nothing moves its traffic, sets its workload or runs its pipeline, so no deed is possible";
            found.push(smell(about(), told, "write `traffic`, `workload`, `deploy`, or the service's `pipeline`"));
        }
        if deploy.strategy == Strategy::Canary && !deploy.traffic.is_empty() && deploy.rollout.judged && service.signals.is_empty() {
            let told = "it is a canary without signals: nothing tells a bad version from a good one";
            found.push(smell(about(), told, "write a `[[service.signal]]`, or `rollout = { judged = false }` if that is meant"));
        }
    }
    for signal in service.signals.iter().filter(|signal| signal.limit.is_none()) {
        let told = "it has no limit, so that it is compared with the old version and with nothing else";
        found.push(smell(format!("signal {} of {}", signal.name, service.name), told, "write `limit`"));
    }
    found
}

/// The backends that anything names.
fn used(catalog: &Catalog) -> BTreeSet<BackendName> {
    let mut used = BTreeSet::new();
    for target in catalog.targets() {
        used.extend(catalog.backends_of(&target));
        used.extend(catalog.flag_services(&target));
    }
    let asked = |deploy: &Deploy| -> Vec<BackendName> {
        let checks = deploy.rollout.checks.iter().filter_map(|check| match &check.probe {
            Probe::Query { backend, .. } => Some(backend.clone()),
            Probe::Http { .. } | Probe::Command { .. } => None,
        });
        checks.collect()
    };
    for service in catalog.services.values() {
        used.extend(service.alerts.iter().map(|alerts| alerts.backend.clone()));
        used.extend(service.pipeline.iter().map(|pipeline| pipeline.backend.clone()));
        used.extend(service.signals.iter().map(|signal| signal.backend.clone()));
        used.extend(service.deploy.values().flat_map(|deploy| asked(deploy)));
        if let Some(repository) = &service.repository {
            let github = catalog.backends.values().filter(|backend| backend.kind == BackendKind::Github);
            used.extend(
                github
                    .filter(|backend| repository.backend.as_ref().is_none_or(|name| *name == backend.name))
                    .map(|backend| backend.name.clone()),
            );
        }
    }
    used.extend(catalog.objectives.iter().map(|objective| objective.backend.clone()));
    used.extend(catalog.discoveries.iter().map(|discovery| discovery.backend.clone()));
    used
}
