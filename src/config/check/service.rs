//! `[[service]]`: what it is built from, whom it calls, its pipeline, its deployments and its signals.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::file::{Fields, OneOf};
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::placeholder;
use super::super::problem::{At, Findings};
use super::known::Known;
use super::{flags, judge, label, list_of, rollout, steps, text_of, traffic, workload};
use crate::model::catalog::{
    AlertMatch, BackendKind, Deploy, PipelineRef, Repository, Service, Signal, SignalKind, Strategy, VersionSource,
};
use crate::model::name::{BackendName, ServiceName, SignalName};
use crate::model::share::Percent;
use crate::model::signal::Better;

pub(super) const KEYS: &[&str] =
    &["name", "team", "tier", "repository", "depends_on", "alerts", "pipeline", "deploy", "signal", "judge", "stateful"];
pub(super) const REPOSITORY: &[&str] = &["backend", "name", "paths", "tag"];
/// A tag is named by its version, and by nothing else.
const IN_TAG: &[&str] = &["version"];
pub(super) const ALERTS: &[&str] = &["backend", "match"];
pub(super) const PIPELINE: &[&str] = &["backend", "builder", "workflow", "scheduler", "ref", "properties"];
pub(super) const DEPLOY: &[&str] = &[
    "strategy",
    "steps",
    "traffic",
    "testers",
    "mirror",
    "flags",
    "version",
    "deploy",
    "github_environment",
    "rollout",
    "workload",
    "workloads",
    "batches",
];
pub(super) const VERSION: &[&str] = &["backend", "query", "label", "digest"];
pub(super) const SIGNAL: &[&str] =
    &["name", "kind", "backend", "bad", "total", "buckets", "quantile", "query", "better", "limit", "unit", "critical", "margin", "weight"];
/// The branch or tag from which a workflow is started when the configuration names none.
const REF: &str = "main";
/// An alert belongs to no slot, so only these can be filled in.
const IN_MATCH: &[&str] = &["service", "environment"];

/// One service.
pub(super) fn service(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<Service> {
    let what = label("service", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(ServiceName::new, found);
    let team = fields.text("team", found).map(str::to_owned);
    let tier = fields.count("tier", 1, 9, found).and_then(|tier| u32::try_from(tier).ok());
    let repository = fields.get("repository").and_then(|node| repository(node, known, found));
    let mut depends_on: Vec<ServiceName> = Vec::new();
    for (at, text) in fields.texts("depends_on", found) {
        let Some(other) = known.service(at, text, found) else { continue };
        if depends_on.contains(&other) {
            found.problem(at, &format!("`{text}` stands twice"), "each service once");
        }
        depends_on.push(other);
    }
    let alerts = fields.get("alerts").and_then(|node| alerts(node, text_of_name(&fields), known, found));
    let builds_from = repository.as_ref();
    let pipeline = fields.get("pipeline").and_then(|node| pipeline(node, "`pipeline`", builds_from, known, found));
    let mut deploys = BTreeMap::new();
    for (key, node) in fields.table("deploy", found) {
        let environment = known.environment(key.at, &key.name, found);
        let deploy = deploy(node, &key.name, repository.as_ref(), known, found);
        deploys.extend(environment.zip(deploy.map(Box::new)));
    }
    let signals = fields.list("signal", "[[service.signal]] tables", found);
    let mut signals: Vec<_> = signals.iter().filter_map(|node| signal(node, known, found)).collect();
    signals.shrink_to_fit();
    let judge = judge::of_service(&fields, found);
    let stateful = fields.flag("stateful", found);
    Some(Service { name: name?, team, tier, repository, depends_on, alerts, pipeline, deploy: deploys, signals, judge, stateful })
}

fn text_of_name<'a>(fields: &Fields<'a>) -> &'a str {
    match fields.get("name").map(|node| &node.value) {
        Some(Value::Text(name)) => name,
        Some(Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_)) | None => "",
    }
}

fn repository(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<Repository> {
    let fields = Fields::open(node, "`repository`", REPOSITORY, found)?;
    let backend = fields.get("backend").and_then(|_| known.backend(&fields, &[BackendKind::Github], found));
    let name = fields.required_text("name", "`name = \"owner/repository\"`", found);
    if let (Some(name), Some(node)) = (name, fields.get("name"))
        && !is_owner_and_name(name)
    {
        found.problem(node.at, &format!("`{name}` is no repository"), "`owner/name`, each of letters, digits, `-`, `_` and `.`");
    }
    let paths = fields.texts("paths", found).into_iter().map(|(_, path)| path.to_owned()).collect();
    let tag = fields.get("tag").and_then(|node| {
        let text = node.text("tag", found)?;
        template(node.at, text, IN_TAG, found);
        if !text.contains("$version") {
            found.problem(node.at, "`tag` names the same tag for every version", "a template such as \"v$version\"");
        }
        Some(text.to_owned())
    });
    Some(Repository { backend: backend.map(|(name, _)| name), name: name?.to_owned(), paths, tag })
}

fn alerts(node: &Node, service: &str, known: &Known<'_>, found: &mut Findings) -> Option<AlertMatch> {
    let fields = Fields::open(node, "`alerts`", ALERTS, found)?;
    let backend = known.backend(&fields, &[BackendKind::Alertmanager], found);
    let mut labels = BTreeMap::new();
    for (key, node) in fields.table("match", found) {
        let Some(text) = node.text(&key.name, found) else { continue };
        template(node.at, text, IN_MATCH, found);
        let text = placeholder::fill(text, |name| (name == "service").then_some(service));
        labels.insert(key.name.to_string(), text);
    }
    if fields.get("match").is_none() {
        labels.insert("service".to_owned(), service.to_owned());
    } else if let Some(Node { at, value: Value::Table(table) }) = fields.get("match")
        && table.0.is_empty()
    {
        found.problem(*at, "`match` is empty, so every alert would be this service's", "at least one label");
    }
    Some(AlertMatch { backend: backend?.0, labels })
}

fn template(at: At, text: &str, allowed: &[&str], found: &mut Findings) {
    if let Some((wrong, right)) = placeholder::unknown(text, allowed) {
        found.problem(at, &format!("unknown placeholder `{wrong}`"), &right);
    }
}

fn pipeline(node: &Node, what: &str, repository: Option<&Repository>, known: &Known<'_>, found: &mut Findings) -> Option<PipelineRef> {
    let fields = Fields::open(node, what, PIPELINE, found)?;
    let backend = known.backend(&fields, &[BackendKind::Buildbot, BackendKind::Github], found);
    let github = backend.as_ref().is_some_and(|(_, kind)| *kind == Some(BackendKind::Github));
    let (right, wrong) =
        if github { (["workflow", "ref"], ["builder", "scheduler"]) } else { (["builder", "scheduler"], ["workflow", "ref"]) };
    let [name, started_by] = right;
    let mut builder = None;
    if let Some((backend, _)) = &backend {
        builder = fields.required_text(name, format_args!("`{name} = \"..\"`"), found).map(str::to_owned);
        for (wrong, right) in wrong.into_iter().zip(right) {
            if let Some(node) = fields.get(wrong) {
                found.problem(node.at, &format!("`{wrong}` has no use at this kind of backend"), &format!("`{right}`"));
            }
        }
        if github {
            builder = builder.and_then(|file| workflow(&fields, &file, backend, repository, found));
        }
    }
    let mut scheduler = fields.text(started_by, found).map(str::to_owned);
    if github && scheduler.is_none() {
        scheduler = Some(REF.to_owned());
    }
    let mut properties = BTreeMap::new();
    for (key, node) in fields.table("properties", found) {
        let Some(text) = node.text(&key.name, found) else { continue };
        template(node.at, text, placeholder::KNOWN, found);
        properties.insert(key.name.to_string(), text.to_owned());
    }
    Some(PipelineRef { backend: backend?.0, builder: builder?, scheduler, properties })
}

/// A workflow by its repository and file, `owner/name/file.yml`: what the adapter knows it by.
fn workflow(
    fields: &Fields<'_>,
    file: &str,
    backend: &BackendName,
    repository: Option<&Repository>,
    found: &mut Findings,
) -> Option<String> {
    let node = fields.get("workflow")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let stem = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml"));
    if !(stem.is_some_and(|stem| !stem.is_empty()) && file.chars().all(plain)) {
        found.problem(node.at, &format!("`{file}` is no workflow"), "the name of a file in .github/workflows, such as \"release.yml\"");
        return None;
    }
    match repository {
        Some(Repository { backend: there, name, .. }) if there.as_ref().is_none_or(|there| there == backend) => {
            Some(format!("{name}/{file}"))
        }
        Some(_) => {
            found.problem(node.at, "the service's repository lies at another backend than this workflow", "the same `backend` in both");
            None
        }
        None => {
            found.problem(
                node.at,
                &format!("`{file}` is a workflow of no repository"),
                &format!("`repository = {{ backend = \"{backend}\", name = \"owner/name\" }}` in the service"),
            );
            None
        }
    }
}

/// Whether a repository is named as GitHub names it.
fn is_owner_and_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 100 && part.chars().all(plain);
    name.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

fn deploy(node: &Node, here: &str, repository: Option<&Repository>, known: &Known<'_>, found: &mut Findings) -> Option<Deploy> {
    let what = format!("`deploy.{here}`");
    let fields = Fields::open(node, &what, DEPLOY, found)?;
    let words = Strategy::ALL.map(Strategy::word);
    let strategy = fields.required("strategy", OneOf(&words), found).and_then(|node| {
        let text = node.text("strategy", found)?;
        let strategy = Strategy::ALL.into_iter().find(|strategy| strategy.word() == text);
        if strategy.is_none() {
            found.problem(node.at, &format!("no strategy is called `{text}`"), &instead(text, words));
        }
        strategy
    });
    let workload = workload::of_deploy(&fields, strategy, known, found);
    let of_workload = strategy.is_some_and(Strategy::is_of_workload);
    let (steps, paces) = if of_workload {
        (workload.as_ref().map_or_else(|| vec![Percent::ALL], |(_, steps)| steps.clone()), BTreeMap::new())
    } else {
        steps::of_slots(&fields, strategy, found)
    };
    // What a workload has no use for was said of it already.
    let (traffic, testers, mirror) = if of_workload { (Vec::new(), None, None) } else { traffic::of_slots(&fields, &steps, known, found) };
    let flags = flags::flags(&fields, here, known, found);
    let workloads = if of_workload { None } else { workload::of_slots(&fields, known, found) };
    let version = fields.get("version").filter(|_| !of_workload && workloads.is_none()).and_then(|node| version(node, known, found));
    let deploy = fields.get("deploy").filter(|_| !of_workload && workloads.is_none());
    let deploy = deploy.and_then(|node| pipeline(node, "`deploy`", repository, known, found));
    let github_environment = fields.text("github_environment", found).map(str::to_owned);
    let rollout = rollout::rules(fields.get("rollout"), (&steps, paces), strategy, &flags, known, found);
    let workload = if of_workload { Some(workload?.0) } else { None };
    let (strategy, protection) = (strategy?, None);
    Some(Deploy {
        strategy,
        steps,
        traffic,
        testers: testers.map(Box::new),
        mirror,
        workload: workload.map(Box::new),
        workloads,
        flags,
        version,
        deploy,
        github_environment,
        protection,
        rollout,
    })
}

fn version(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<VersionSource> {
    let fields = Fields::open(node, "`version`", VERSION, found)?;
    let backend = known.backend(&fields, &[BackendKind::Prometheus], found);
    let query = query(&fields, "query", found);
    let label = fields.text("label", found).unwrap_or("version").to_owned();
    let digest = fields.text("digest", found).map(str::to_owned);
    Some(VersionSource { backend: backend?.0, query: query?, label, digest })
}

fn query(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<Arc<str>> {
    let node = fields.required(key, format_args!("`{key} = '..'`, a query"), found)?;
    let text = node.text(key, found)?;
    template(node.at, text, placeholder::KNOWN, found);
    Some(found.shared(text))
}

fn signal(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<Signal> {
    const KINDS: [&str; 3] = ["ratio", "histogram", "value"];
    const OWN: [&[&str]; 3] = [&["bad", "total"], &["buckets", "quantile"], &["query"]];
    let what = label("signal", node);
    let fields = Fields::open(node, &what, SIGNAL, found)?;
    let name = fields.name(SignalName::new, found);
    let backend = known.backend(&fields, &[BackendKind::Prometheus], found);
    let word = fields.required("kind", "one of ratio, histogram, value", found).and_then(|node| {
        let word = node.text("kind", found)?;
        if !KINDS.contains(&word) {
            found.problem(node.at, &format!("no kind of signal is called `{word}`"), &instead(word, KINDS));
            return None;
        }
        Some(word)
    });
    for (kind, keys) in KINDS.into_iter().zip(OWN) {
        for key in keys.iter().filter(|_| word.is_some_and(|word| word != kind)) {
            if let Some(node) = fields.get(key) {
                let right =
                    KINDS.into_iter().zip(OWN).find(|(kind, _)| word == Some(kind)).map_or(String::new(), |(_, keys)| keys.join(", "));
                found.problem(node.at, &format!("`{key}` belongs to a signal of the kind {kind}"), &right);
            }
        }
    }
    let kind = match word {
        Some("ratio") => {
            let (bad, total) = (query(&fields, "bad", found), query(&fields, "total", found));
            bad.zip(total).map(|(bad, total)| SignalKind::Ratio { bad, total })
        }
        Some("histogram") => {
            let buckets = query(&fields, "buckets", found);
            let quantile = fields.get("quantile").and_then(|node| {
                let quantile = node.number("quantile", found)?;
                if !(0.0..=1.0).contains(&quantile) {
                    found.problem(node.at, &format!("`quantile` is {quantile}"), "a number from 0 to 1, such as 0.99");
                }
                Some(quantile)
            });
            buckets.map(|buckets| SignalKind::Histogram { buckets, quantile: quantile.unwrap_or(0.99) })
        }
        Some(_) => query(&fields, "query", found).map(|query| SignalKind::Value { query }),
        None => None,
    };
    let better = fields.get("better").and_then(|node| match node.text("better", found)? {
        "lower" => Some(Better::Lower),
        "higher" => Some(Better::Higher),
        other => {
            found.problem(node.at, &format!("`better` is `{other}`"), &instead(other, ["lower", "higher"]));
            None
        }
    });
    let limit = fields.get("limit").and_then(|node| node.number("limit", found));
    let unit = fields.text("unit", found).unwrap_or(if word == Some("ratio") { "%" } else { "" }).to_owned();
    let critical = fields.flag("critical", found).unwrap_or(false);
    let (margin, weight) = judge::of_signal(&fields, word != Some("value"), found);
    let better = better.unwrap_or(Better::Lower);
    Some(Signal { name: name?, kind: kind?, backend: backend?.0, better, limit, unit, critical, margin, weight })
}

/// Warns where one server stands behind two targets: a shift of the one would move the other.
pub(super) fn warn_of_shared_servers(services: &[Node], found: &mut Findings) {
    let mut seen: BTreeMap<(&str, &str, &str), (&str, &str)> = BTreeMap::new();
    for service in services {
        let Value::Table(table) = &service.value else { continue };
        let Some(Value::Table(deploys)) = table.get("deploy").map(|node| &node.value) else { continue };
        let name = text_of(service, "name").unwrap_or("?");
        for (environment, deploy) in &deploys.0 {
            let target = (name, environment.name.as_ref());
            for entry in list_of(deploy, "traffic") {
                let (Some(backend), Some(pool)) = (text_of(entry, "backend"), text_of(entry, "pool")) else { continue };
                for server in list_of(entry, "stable").iter().chain(list_of(entry, "canary")) {
                    let Value::Text(text) = &server.value else { continue };
                    match seen.get(&(backend, pool, text.as_ref())) {
                        Some(other) if *other != target => {
                            let (service, environment) = other;
                            found.warning(
                                server.at,
                                &format!("the server `{text}` also stands behind {service}@{environment}"),
                                "each server behind one target",
                            );
                        }
                        Some(_) => {}
                        None => {
                            seen.insert((backend, pool, text), target);
                        }
                    }
                }
            }
        }
    }
}
