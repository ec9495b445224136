//! `[[window]]`, `[[freeze]]`, `[[exception]]` and `[[train]]`: when what may begin, what may not, and who goes together.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;

use super::super::feeds::Feeds;
use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::problem::{At, Findings};
use super::known::Known;
use super::times::{self, Kind};
use super::{label, text_of};
use crate::model::catalog::{Environment, Service};
use crate::model::change::ChangeType;
use crate::model::name::{EnvironmentName, PlanId, ServiceName, Target};
use crate::model::operator::Person;
use crate::model::timetable::{Excepted, Exception, Freeze, Running, Scope, Timetable, Train, WayBack, Window};

pub(super) const SCOPE: [&str; 4] = ["environments", "services", "teams", "types"];
pub(super) const FREEZE: [&str; 3] = ["reason", "way_back", "running"];
pub(super) const EXCEPTION: &[&str] = &["freeze", "plan", "target", "date", "by", "reason"];
pub(super) const TRAIN: &[&str] = &["name", "environment", "services", "window", "departs", "cut_off"];

/// What the tables of the timetable are checked against.
pub(super) struct Around<'a> {
    pub(super) known: &'a Known<'a>,
    pub(super) people: &'a [Person],
    /// The services that are right, with their teams and deployments.
    pub(super) services: &'a [Service],
    pub(super) environments: &'a [Environment],
    /// The zone of the room, which is meant where a table names none.
    pub(super) timezone: &'a str,
}

/// The whole timetable, with the addresses of its calendars.
pub(super) fn timetable(root: &Fields<'_>, around: &Around<'_>, found: &mut Findings) -> (Timetable, Feeds) {
    let tables = |key: &'static str, found: &mut Findings| root.list(key, &format!("[[{key}]] tables"), found);
    let (windows, freezes) = (tables("window", found), tables("freeze", found));
    let mut feeds = Feeds::default();
    let mut table = Timetable {
        windows: windows.iter().filter_map(|node| window(node, around, &mut feeds, found)).collect(),
        freezes: freezes.iter().filter_map(|node| freeze(node, around, &mut feeds, found)).collect(),
        ..Timetable::default()
    };
    warn_of_shut_out(&table.windows, windows.first().map(|node| node.at), around, found);
    let names = |nodes: &'_ [Node]| -> Vec<String> { nodes.iter().filter_map(|node| text_of(node, "name")).map(str::to_owned).collect() };
    let (windows, freezes) = (names(windows), names(freezes));
    table.exceptions = tables("exception", found).iter().filter_map(|node| exception(node, &freezes, around, found)).collect();
    let trains = tables("train", found).iter().filter_map(|node| train(node, (&windows, &table.windows), around, found));
    table.trains = trains.collect();
    table.feeds = feeds.nouns();
    (table, feeds)
}

fn window(node: &Node, around: &Around<'_>, feeds: &mut Feeds, found: &mut Findings) -> Option<Window> {
    let what = label("window", node);
    let keys: Vec<&str> = ["name", "timezone"].into_iter().chain(SCOPE).chain(times::KEYS).collect();
    let fields = Fields::open(node, &what, &keys, found)?;
    let name = name(&fields, found);
    let scope = scope(&fields, around, found);
    let timezone = times::zone(&fields, around.timezone, found);
    let times = times::times(&fields, Kind::Window, feeds, found);
    Some(Window { name: name?, scope, timezone, times: times? })
}

fn freeze(node: &Node, around: &Around<'_>, feeds: &mut Feeds, found: &mut Findings) -> Option<Freeze> {
    let what = label("freeze", node);
    let keys: Vec<&str> = ["name", "timezone", "unreadable"].into_iter().chain(SCOPE).chain(FREEZE).chain(times::KEYS).collect();
    let fields = Fields::open(node, &what, &keys, found)?;
    let name = name(&fields, found);
    let scope = scope(&fields, around, found);
    let timezone = times::zone(&fields, around.timezone, found);
    let times = times::times(&fields, Kind::Freeze, feeds, found);
    let reason = fields.required_text("reason", "`reason = \"..\"`, which is told to whoever is stopped", found);
    let way_back = fields.choice("way_back", &[("exempt", WayBack::Exempt), ("frozen", WayBack::Frozen)], found);
    let running = fields.choice("running", &[("finish", Running::Finish), ("hold", Running::Hold)], found);
    Some(Freeze { name: name?, scope, timezone, times: times?, reason: reason?.to_owned(), way_back, running })
}

fn name(fields: &Fields<'_>, found: &mut Findings) -> Option<String> {
    fields.name(|text| crate::model::name::check(text).map(|()| text.to_owned()), found)
}

fn scope(fields: &Fields<'_>, around: &Around<'_>, found: &mut Findings) -> Scope {
    let mut scope = Scope::default();
    for (at, text) in filled(fields, "environments", found) {
        scope.environments.extend(around.known.environment(at, text, found));
    }
    for (at, text) in filled(fields, "services", found) {
        scope.services.extend(around.known.service(at, text, found));
    }
    for (at, text) in filled(fields, "teams", found) {
        let teams: BTreeSet<&str> = around.services.iter().filter_map(|service| service.team.as_deref()).collect();
        if teams.contains(text) {
            scope.teams.push(text.to_owned());
        } else {
            found.problem(at, &format!("no service belongs to a team `{text}`"), &instead(text, teams));
        }
    }
    for (at, text) in filled(fields, "types", found) {
        match ChangeType::of(text) {
            Some(kind) => scope.types.push(kind),
            None => {
                found.problem(at, &format!("no type of change is called `{text}`"), &instead(text, ChangeType::ALL.map(ChangeType::word)));
            }
        }
    }
    scope
}

/// A list that is not empty where it is written: in the model an empty one means all, which is not what a file says with it.
fn filled<'a>(fields: &Fields<'a>, key: &str, found: &mut Findings) -> Vec<(At, &'a str)> {
    if fields.get(key).is_some() && fields.list(key, "an array of strings", found).is_empty() {
        if let Some(node) = fields.get(key) {
            found.problem(node.at, &format!("`{key}` is empty, so it means none"), "at least one, or no such key: all");
        }
        return Vec::new();
    }
    fields.texts(key, found)
}

fn exception(node: &Node, freezes: &[String], around: &Around<'_>, found: &mut Findings) -> Option<Exception> {
    let fields = Fields::open(node, "an exception", EXCEPTION, found)?;
    let freeze = fields
        .required("freeze", "`freeze = \"..\"`, the name of one freeze", found)
        .and_then(|node| reference(node, "freeze", freezes, found));
    let lets = lets(&fields, around, found);
    let by = fields.required("by", "`by = \"..\"`, the person who gave it", found).and_then(|node| {
        let text = node.text("by", found)?;
        let person = around.people.iter().find(|person| person.name.as_str() == text);
        if person.is_none() {
            found.problem(
                node.at,
                &format!("no person is named `{text}`"),
                &instead(text, around.people.iter().map(|person| person.name.as_str())),
            );
        }
        person.map(|person| person.name.clone())
    });
    let reason = fields.required_text("reason", "`reason = \"..\"`", found);
    Some(Exception { freeze: freeze?, lets: lets?, by: by?, reason: reason?.to_owned() })
}

fn reference(node: &Node, word: &str, names: &[String], found: &mut Findings) -> Option<String> {
    let text = node.text(word, found)?;
    if names.iter().any(|name| name == text) {
        return Some(text.to_owned());
    }
    found.problem(node.at, &format!("no {word} is named `{text}`"), &instead(text, names.iter().map(String::as_str)));
    None
}

fn lets(fields: &Fields<'_>, around: &Around<'_>, found: &mut Findings) -> Option<Excepted> {
    const ONE: &str = "one of `plan = \"ID\"`, or `target = \"service@environment\"` with `date = \"YYYY-MM-DD\"`";
    match (fields.get("plan"), fields.get("target"), fields.get("date")) {
        (Some(plan), None, None) => {
            let text = plan.text("plan", found)?;
            let id = text.parse::<PlanId>().ok();
            if id.is_none() {
                found.problem(
                    plan.at,
                    &format!("`{text}` is no whole plan"),
                    "its 64 hexadecimal digits, as `gonogo plan --json` prints them",
                );
            }
            id.map(Excepted::Plan)
        }
        (None, Some(target), Some(date)) => {
            let text = target.text("target", found)?;
            let parsed = text.parse::<Target>().ok();
            if parsed.is_none() {
                found.problem(target.at, &format!("`{text}` is no target"), "service@environment");
            }
            let parsed = parsed.filter(|parsed| {
                let service = around.known.service(target.at, parsed.service.as_str(), found).is_some();
                around.known.environment(target.at, parsed.environment.as_str(), found).is_some() && service
            });
            let day = date.text("date", found)?;
            let read = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().filter(|_| day.len() == 10);
            if read.is_none() {
                found.problem(date.at, &format!("`{day}` is no day"), "a day such as \"2026-12-24\"");
            }
            Some(Excepted::Day { target: parsed?, date: read? })
        }
        (Some(plan), _, _) => {
            found.problem(plan.at, "the exception names a plan and a target", ONE);
            None
        }
        (None, Some(_), None) => {
            found.problem(fields.at, "the exception names a target without a day", ONE);
            None
        }
        (None, None, _) => {
            found.problem(fields.at, "the exception lets nothing through", ONE);
            None
        }
    }
}

fn train(node: &Node, (names, windows): (&[String], &[Window]), around: &Around<'_>, found: &mut Findings) -> Option<Train> {
    let what = label("train", node);
    let fields = Fields::open(node, &what, TRAIN, found)?;
    let name = name(&fields, found);
    let environment = fields.required("environment", "`environment = \"..\"`, where it goes", found).and_then(|node| {
        let text = node.text("environment", found)?;
        around.known.environment(node.at, text, found)
    });
    let _ = fields.required("services", "`services = [\"..\"]`, who may come along", found);
    let mut services = Vec::new();
    for (at, text) in filled(&fields, "services", found) {
        let Some(service) = around.known.service(at, text, found) else { continue };
        if services.contains(&service) {
            found.problem(at, &format!("`{text}` stands twice"), "each service once");
        }
        services.push(service);
    }
    let window = fields.required("window", "`window = \"..\"`, in which it leaves", found).and_then(|node| {
        let name = reference(node, "window", names, found)?;
        if let (Some(environment), Some(window)) = (&environment, windows.iter().find(|window| window.name == name)) {
            refuse_passengers(node, window, environment, &services, around, found);
        }
        Some(name)
    });
    let departs = fields.get("departs").and_then(|node| times::clock(node, "departs", found));
    let cut_off = fields.duration("cut_off", Duration::ZERO, found).unwrap_or_default();
    Some(Train { name: name?, environment: environment?, services, window: window?, departs, cut_off })
}

/// Notes services of a train that its window never lets depart.
fn refuse_passengers(
    node: &Node,
    window: &Window,
    environment: &EnvironmentName,
    services: &[ServiceName],
    around: &Around<'_>,
    found: &mut Findings,
) {
    for service in services {
        let target = Target::new(service.clone(), environment.clone());
        if !ChangeType::ALL.into_iter().any(|kind| window.scope.covers(&target, around.team(service), kind)) {
            let what = format!("the window `{}` does not admit {target}, so it could never come along", window.name);
            found.problem(node.at, &what, "a window whose environments, services and teams include it");
        }
    }
}

/// Warns of types of change, and of services, that no window of an environment with windows admits: they wait for ever.
fn warn_of_shut_out(windows: &[Window], at: Option<At>, around: &Around<'_>, found: &mut Findings) {
    let Some(at) = at else { return };
    for environment in around.environments {
        let here: Vec<&Scope> =
            windows.iter().map(|window| &window.scope).filter(|scope| scope.in_environment(&environment.name)).collect();
        if here.is_empty() {
            continue;
        }
        for kind in ChangeType::ALL {
            if !here.iter().any(|scope| scope.types.is_empty() || scope.types.contains(&kind)) {
                let what = format!("{} has windows, and none of them admits {} changes", environment.name, kind.word());
                found.warning(at, &what, &format!("a window with types = [\"{}\"], or break glass", kind.word()));
            }
        }
        for service in around.services.iter().filter(|service| service.deploy.contains_key(&environment.name)) {
            let target = Target::new(service.name.clone(), environment.name.clone());
            let admits = |scope: &&Scope| ChangeType::ALL.into_iter().any(|kind| scope.covers(&target, service.team.as_deref(), kind));
            if !here.iter().any(admits) {
                let what = format!("{} has windows, and none of them admits {target}", environment.name);
                found.warning(at, &what, "a window whose services or teams include it");
            }
        }
    }
}

impl Around<'_> {
    fn team(&self, service: &ServiceName) -> Option<&str> {
        self.services.iter().find(|other| &other.name == service)?.team.as_deref()
    }
}
