//! Checks a merged configuration rule by rule and turns it into model types.

mod backend;
mod circle;
mod claim;
mod cluster;
mod desk;
mod discovery;
mod environment;
mod flags;
mod gates;
mod handoff;
mod health;
mod judge;
mod known;
mod oscal;
mod person;
mod probe;
mod rollout;
mod room;
mod self_service;
mod service;
mod set;
mod shape;
mod slo;
mod slo_files;
mod steps;
mod times;
mod timetable;
mod traffic;
mod webhook;
mod workload;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::file::Fields;
use super::node::{Node, Table, Value};
use super::problem::{At, Findings};
use super::settings::{
    BackendSettings, CalendarSettings, DeskSettings, LedgerSettings, LogSettings, MetricsSettings, OscalSettings, StoreSettings,
    WebhookSettings,
};
use crate::model::catalog::{Backend, Catalog, Environment};
use crate::model::judging::JudgeRules;
use crate::model::operator::Person;
use crate::model::rules::RuleSet;
use known::Known;
pub(super) use shape::schema;

/// The keys of a file.
pub(super) const ROOT: &[&str] = &[
    "room",
    "store",
    "metrics",
    "log",
    "ledger",
    "person",
    "backend",
    "webhook",
    "environment",
    "service",
    "window",
    "freeze",
    "exception",
    "train",
    "judge",
    "oscal",
    "slo",
    "set",
    "discovery",
    "link",
    "slo_files",
];

/// The configuration without the files that it came from.
pub(super) struct Checked {
    pub(super) catalog: Catalog,
    pub(super) backends: Vec<BackendSettings>,
    pub(super) calendars: Vec<CalendarSettings>,
    pub(super) webhooks: Vec<WebhookSettings>,
    pub(super) desks: Vec<DeskSettings>,
    pub(super) store: StoreSettings,
    pub(super) metrics: Option<MetricsSettings>,
    /// Where the log lies, when that is said, and the rest of it.
    pub(super) log: (Option<PathBuf>, LogSettings),
    pub(super) ledger: LedgerSettings,
    pub(super) oscal: OscalSettings,
    pub(super) judge: JudgeRules,
}

/// Checks everything. What it returns is whole only when `found` has no problem afterwards.
pub(super) fn check(table: Table<'_>, at: At, found: &mut Findings) -> Checked {
    let root = Fields::root(&table, at, ROOT, found);
    let tables = |key: &'static str, found: &mut Findings| root.list(key, &format!("[[{key}]] tables"), found);
    let (people, backends) = (tables("person", found), tables("backend", found));
    let (environments, services) = (tables("environment", found), tables("service", found));
    let (desks, backends): (Vec<&Node<'_>>, Vec<&Node<'_>>) = backends.iter().partition(|node| text_of(node, "kind") == Some(known::DESK));
    let known = Known::of(&backends, environments, services);

    let room = room::room(&root, found);
    let (store, ledger) = (room::store(&root, found), room::ledger(&root, found));
    let (metrics, log) = (health::metrics(&root, found), health::log(&root, found));
    let backends: Vec<(Backend, BackendSettings)> = backends.into_iter().filter_map(|node| backend::backend(node, found)).collect();
    let webhooks = webhook::webhooks(tables("webhook", found), &known, found);
    let desks: Vec<DeskSettings> = desks.into_iter().filter_map(|node| desk::desk(node, &known, found)).collect();
    desk::refuse_twins(&desks, &webhooks, tables("webhook", found), found);
    let people = person::people(people, &known, found);
    let environments = environment::environments(environments, &people, &known, found);
    let checked: Vec<_> = services.iter().filter_map(|node| service::service(node, &known, found)).collect();
    service::warn_of_shared_servers(services, found);
    circle::refuse(services, found);

    let around =
        timetable::Around { known: &known, people: &people, services: &checked, environments: &environments, timezone: &room.timezone };
    let (timetable, feeds) = timetable::timetable(&root, &around, found);

    let around = slo::Around { known: &known, services: &checked, environments: &environments };
    let mut objectives = slo::slos(tables("slo", found), &around, found);
    let files = root.list("slo_files", "a list of files", found);
    objectives.extend(slo_files::objectives(files, &around, found));
    let objectives = slo::in_order(objectives, found);

    let sets = set::sets(tables("set", found), &checked, found);
    let discoveries = discovery::discoveries(tables("discovery", found), &known, &checked, found);
    let handoffs = handoff::handoffs(tables("link", found), found);
    let (oscal, judge) = (oscal::oscal(&root, found), judge::judge(&root, found));
    // Of ten thousand services it is tens of megabytes. The system's allocator gives back what is at the end of a thread's memory as long as
    // no larger piece than the services was freed before.
    drop(table);
    let services: BTreeMap<_, _> = checked.into_iter().map(|service| (service.name.clone(), service)).collect();
    let rules_digest = RuleSet::of_parts(&people, &environments, &timetable, &services).digest();
    let catalog = Catalog {
        room,
        people,
        backends: backends.iter().map(|(backend, _)| (backend.name.clone(), backend.clone())).collect::<BTreeMap<_, _>>(),
        environments,
        services,
        timetable,
        objectives,
        sets,
        discoveries,
        handoffs,
        simulated: false,
        rules_digest,
    };
    let backends = backends.into_iter().map(|(_, settings)| settings).collect();
    Checked { catalog, backends, calendars: feeds.settings(), webhooks, desks, store, metrics, log, ledger, oscal, judge }
}

/// Checks `[judge]` alone: what else stands in the file is of no importance to it.
pub(super) fn check_judge(table: &Table, at: At, found: &mut Findings) -> JudgeRules {
    judge::judge(&Fields::part(table, at), found)
}

/// What a named table is called in messages: by its word and its name, or `a backend` where it has none.
fn label(word: &str, node: &Node) -> String {
    match text_of(node, "name") {
        Some(name) => format!("the {word} `{name}`"),
        None => format!("a {word}"),
    }
}

/// A string of a table, without any note when it is none.
fn text_of<'a>(node: &'a Node<'a>, key: &str) -> Option<&'a str> {
    let Value::Table(table) = &node.value else { return None };
    match &table.get(key)?.value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
    }
}

/// A list of a table, without any note when it is none.
fn list_of<'a>(node: &'a Node<'a>, key: &str) -> &'a [Node<'a>] {
    let Value::Table(table) = &node.value else { return &[] };
    match table.get(key).map(|node| &node.value) {
        Some(Value::List(items)) => items,
        Some(Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::Table(_)) | None => &[],
    }
}

/// How many people could approve in an environment.
fn approvers(people: &[Person], environment: &Environment) -> usize {
    let roles = &environment.protection.approver_roles;
    let may = |person: &&Person| {
        roles.is_empty()
            || person.roles.iter().any(|grant| {
                roles.contains(&grant.role) && (grant.environments.is_empty() || grant.environments.contains(&environment.name))
            })
    };
    people.iter().filter(may).count()
}
