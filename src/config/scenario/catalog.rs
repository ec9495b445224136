//! The catalog of a scenario: the same nouns that a configuration file would give, with simulated backends.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::model::catalog::{
    AlertMatch, Assurance, Backend, BackendKind, Catalog, Deploy, Environment, PipelineRef, Protection, Repository, Room, Service, Signal,
    SignalKind, Strategy, TrafficEntry, VersionSource,
};
use crate::model::gate::Gates;
use crate::model::name::{BackendName, EnvironmentName, NameError, PoolName, ServerName, ServiceName, SignalName};
use crate::model::operator::{Grant, Person};
use crate::model::signal::Better;
use crate::model::slot::Slot;
use crate::model::strategy::RolloutRules;
use crate::model::timetable::Timetable;

use super::release::{ScenarioCheck, ScenarioSet};
use super::{ALERTS, CI, METRICS, Scenario, ScenarioPerson, ScenarioProtection, ScenarioService, TRAFFIC};

/// The pool behind which a service stands in one environment.
///
/// # Errors
/// When the two names together are longer than a name may be.
pub fn pool_name(service: &ServiceName, environment: &EnvironmentName) -> Result<PoolName, NameError> {
    PoolName::new(&format!("be_{service}_{environment}"))
}

/// The servers of one slot: `a1`, `a2`, .. in the first, `b1`, `b2`, .. in the second.
///
/// # Errors
/// None that a number could cause.
pub fn server_names(service: &ScenarioService, slot: Slot) -> Result<Vec<ServerName>, NameError> {
    let letter = match slot {
        Slot::First => 'a',
        Slot::Second => 'b',
    };
    (1..=service.servers).map(|n| ServerName::new(&format!("{letter}{n}"))).collect()
}

impl Scenario {
    /// Everything that is configured in this scenario; the drill's operator is whoever is logged in as `os_user`.
    ///
    /// # Errors
    /// When names put together are too long.
    pub fn catalog(&self, os_user: &str) -> Result<Catalog, NameError> {
        let mut backends = BTreeMap::new();
        let kinds = [
            (METRICS, BackendKind::Prometheus),
            (ALERTS, BackendKind::Alertmanager),
            (TRAFFIC, BackendKind::Haproxy),
            (CI, BackendKind::Buildbot),
        ];
        for (name, kind) in kinds {
            let name = BackendName::new(name)?;
            backends.insert(name.clone(), self.backend(name, kind));
        }
        let mut environments: Vec<Environment> = self
            .environment
            .iter()
            .map(|environment| Environment {
                gates: Gates::default(),
                scheduling: crate::model::catalog::Scheduling::default(),
                name: environment.name.clone(),
                order: environment.order,
                hold_time: environment.hold_time,
                effective_within: environment.effective_within,
                min_requests: environment.min_requests,
                assurance: Assurance::T0,
                protection: protection(&environment.protection),
                self_service: Vec::new(),
            })
            .collect();
        environments.sort_by_key(|environment| environment.order);
        let people: Vec<Person> = self.person.iter().map(|known| person(known, os_user)).collect();
        let services: BTreeMap<ServiceName, Service> = self
            .service
            .iter()
            .map(|known| self.full_service(known).map(|service| (service.name.clone(), service)))
            .collect::<Result<_, _>>()?;
        let own: Vec<_> = services.values().flat_map(|service| service.deploy.values().map(|deploy| &deploy.protection)).collect();
        let rules = serde_json::to_vec(&(&environments, &people, own)).unwrap_or_default();
        let rules_digest = Sha256::digest(rules).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        let room = Room {
            name: "shop".to_owned(),
            timezone: "UTC".to_owned(),
            theme: "default".to_owned(),
            keymap: "default".to_owned(),
            bell: false,
            notify: false,
            title: false,
            mouse: false,
            read_only: false,
        };
        let timetable = Timetable::default();
        let objectives = super::objectives::objectives(self)?;
        Ok(Catalog {
            room,
            people,
            backends,
            environments,
            services,
            timetable,
            objectives,
            sets: self.set.iter().map(ScenarioSet::set).collect(),
            handoffs: Vec::new(),
            discoveries: super::discovery::discoveries(self)?,
            simulated: true,
            rules_digest,
        })
    }

    fn backend(&self, name: BackendName, kind: BackendKind) -> Backend {
        Backend {
            name,
            kind,
            address: "simulated".to_owned(),
            every: self.every,
            stale_after: (self.every * 3).max(std::time::Duration::from_secs(5)),
            lookup_within: std::time::Duration::from_secs(30),
            insecure: false,
        }
    }

    fn full_service(&self, known: &ScenarioService) -> Result<Service, NameError> {
        let mut deploy = BTreeMap::new();
        let everywhere = known.environments.is_empty();
        for environment in self.environment.iter().filter(|environment| everywhere || known.environments.contains(&environment.name)) {
            let mut full = full_deploy(known, &environment.name)?;
            let here = |check: &&ScenarioCheck| check.target.service == known.name && check.target.environment == environment.name;
            full.rollout.checks = self.check.iter().filter(here).map(ScenarioCheck::check).collect();
            deploy.insert(environment.name.clone(), Box::new(full));
        }
        Ok(Service {
            name: known.name.clone(),
            team: Some(known.team.clone()),
            tier: Some(known.tier),
            repository: Some(Repository {
                backend: None,
                name: "acme/shop".to_owned(),
                paths: vec![format!("services/{}/**", known.name)],
                tag: None,
            }),
            depends_on: known.depends_on.clone(),
            alerts: Some(AlertMatch {
                backend: BackendName::new(ALERTS)?,
                labels: BTreeMap::from([
                    ("service".to_owned(), known.name.to_string()),
                    ("environment".to_owned(), "$environment".to_owned()),
                ]),
            }),
            pipeline: Some(pipeline(known.name.to_string(), &[])?),
            deploy,
            signals: signals(known)?,
            judge: crate::model::judging::ServiceJudge::default(),
            stateful: known.stateful,
        })
    }
}

fn full_deploy(known: &ScenarioService, environment: &EnvironmentName) -> Result<Deploy, NameError> {
    Ok(Deploy {
        strategy: Strategy::Canary,
        steps: known.steps.clone(),
        traffic: vec![TrafficEntry {
            backend: BackendName::new(TRAFFIC)?,
            pool: pool_name(&known.name, environment)?,
            first: server_names(known, Slot::First)?,
            second: server_names(known, Slot::Second)?,
            testers: None,
            mirror: None,
        }],
        testers: None,
        mirror: None,
        workload: None,
        workloads: None,
        flags: Vec::new(),
        version: Some(VersionSource {
            backend: BackendName::new(METRICS)?,
            query: "app_info{service=\"$service\",environment=\"$environment\",slot=\"$slot\"}".into(),
            label: "version".to_owned(),
            digest: Some("digest".to_owned()),
        }),
        deploy: Some(pipeline(
            format!("{}-deploy", known.name),
            &[("environment", "$environment"), ("slot", "$slot"), ("version", "$version")],
        )?),
        github_environment: None,
        protection: known.protection.get(environment).map(protection).map(Box::new),
        rollout: RolloutRules {
            wait: Duration::from_secs(30),
            deadline: Duration::from_mins(15),
            bake: Duration::from_mins(2),
            ..RolloutRules::default()
        },
    })
}

fn pipeline(builder: String, properties: &[(&str, &str)]) -> Result<PipelineRef, NameError> {
    let mut all: BTreeMap<String, String> = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.insert("gonogo_key".to_owned(), "$key".to_owned());
    Ok(PipelineRef { backend: BackendName::new(CI)?, builder, scheduler: Some("force".to_owned()), properties: all })
}

fn signals(known: &ScenarioService) -> Result<Vec<Signal>, NameError> {
    let backend = BackendName::new(METRICS)?;
    let slot = "service=\"$service\",environment=\"$environment\",slot=\"$slot\"";
    let ratio = SignalKind::Ratio {
        bad: format!("http_requests_total{{{slot},code=~\"5..\"}}").into(),
        total: format!("http_requests_total{{{slot}}}").into(),
    };
    let buckets = SignalKind::Histogram { buckets: format!("http_request_duration_seconds_bucket{{{slot}}}").into(), quantile: 0.99 };
    let value = SignalKind::Value { query: "saturation{service=\"$service\",environment=\"$environment\"}".into() };
    let signal = |name: &str, kind, limit, unit: &str, critical| {
        Ok::<_, NameError>(Signal {
            name: SignalName::new(name)?,
            kind,
            backend: backend.clone(),
            better: Better::Lower,
            limit: Some(limit),
            unit: unit.to_owned(),
            critical,
            margin: None,
            weight: None,
        })
    };
    Ok(vec![
        signal("errors", ratio, 0.01, "", true)?,
        signal("latency", buckets, (known.latency.as_secs_f64() * 12.0).max(0.1), "s", false)?,
        signal("saturation", value, 0.85, "", false)?,
    ])
}

fn protection(known: &ScenarioProtection) -> Protection {
    Protection {
        approvals: known.approvals,
        approver_roles: known.approver_roles.clone(),
        actor_roles: known.actor_roles.clone(),
        typed_confirmation: known.typed_confirmation,
        way_back_approvals: known.way_back_approvals,
        ..Protection::default()
    }
}

fn person(known: &ScenarioPerson, os_user: &str) -> Person {
    Person {
        name: known.name.clone(),
        os_user: known.operator.then(|| os_user.to_owned()),
        keys: Vec::new(),
        emails: vec![format!("{}@shop.example", known.name)],
        logins: Vec::new(),
        bots: Vec::new(),
        teams: known.teams.clone(),
        roles: known
            .roles
            .iter()
            .map(|grant| Grant { role: grant.role.clone(), environments: grant.environments.clone(), services: grant.services.clone() })
            .collect(),
    }
}
