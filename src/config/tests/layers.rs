//! Layers over each other: what merges, what is added, and what a project file may not change before it is trusted.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Machine, fs};
use crate::config::merge::LISTS;
use crate::config::schema::schema;
use crate::model::timetable::Excepted;
use crate::model::together::OnFailure;

const USER: &str = r#"
[room]
read_only = true
[[backend]]
name = "flagd"
kind = "flagd"
url = "http://127.0.0.1:5"
file = "flags.json"
[[backend]]
name = "edge"
kind = "haproxy"
socket = "/run/x"
[[person]]
name = "ana"
[[environment]]
name = "prod"
protection = { approvals = 0, typed_confirmation = true }
[[service]]
name = "a"
[service.deploy.prod]
strategy = "canary"
flags = [{ backend = "flagd", name = "one" }]
[[service]]
name = "b"
deploy.prod = { strategy = "canary" }
[[window]]
name = "office"
from = "10:00"
to = "16:00"
[[freeze]]
name = "sale"
reason = "the sale"
from = "10:00"
to = "12:00"
[[exception]]
freeze = "sale"
target = "a@prod"
date = "2026-12-24"
by = "ana"
reason = "the bug"
[[train]]
name = "express"
environment = "prod"
services = ["a"]
window = "office"
[[judge.metric]]
name = "latency"
[[set]]
name = "pair"
targets = ["a@prod", "b@prod"]
[[link]]
name = "wiki"
url = "https://wiki"
"#;

/// The last key of every list of tables that have a name.
fn named<'a>(schema: &'a Value, key: &'a str, all: &mut BTreeSet<&'a str>) {
    for inner in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        named(inner, key, all);
    }
    named_of(schema.get("additionalProperties"), key, all);
    if let Some(items) = schema.get("items") {
        let either = items.get("anyOf").and_then(Value::as_array).into_iter().flatten().chain([items]);
        if either.into_iter().any(|item| item.get("properties").is_some_and(|properties| properties.get("name").is_some())) {
            all.insert(key);
        }
        named(items, key, all);
    }
    // Replaced as a whole, as every table is that is no part of a reference's neighbourhood.
    for (key, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten().filter(|(key, _)| *key != "rollout") {
        named(inner, key, all);
    }
}

fn named_of<'a>(schema: Option<&'a Value>, key: &'a str, all: &mut BTreeSet<&'a str>) {
    if let Some(schema) = schema {
        named(schema, key, all);
    }
}

#[test]
fn every_list_of_named_tables_merges() {
    let schema = schema();
    let mut all = BTreeSet::new();
    named(&schema, "", &mut all);
    // An objective has its name only together with its service, so those of another file are added.
    assert!(all.remove("slo") && all.len() > 12, "{all:?}");
    let merged: BTreeSet<&str> = LISTS.iter().map(|(list, _)| *list).filter(|list| *list != "exception").collect();
    assert_eq!(all, merged);
}

#[test]
fn what_a_higher_layer_adds_drops_nothing_and_what_it_names_it_changes() {
    let project = r#"
        [[service]]
        name = "a"
        [service.deploy.prod]
        flags = [{ backend = "flagd", name = "two" }]
        [[exception]]
        freeze = "sale"
        target = "a@prod"
        date = "2026-12-24"
        reason = "the other bug"
        [[exception]]
        freeze = "sale"
        target = "a@prod"
        date = "2026-12-25"
        by = "ana"
        reason = "and the day after"
        [[set]]
        name = "other"
        targets = ["b@prod", "a@prod"]
        [[set]]
        name = "pair"
        on_failure = "return"
        [[judge.metric]]
        name = "saturation"
        [[judge.metric]]
        name = "latency"
        muted = true
    "#;
    let config = Machine::new().user(USER).project(project).trusted().load().unwrap_or_else(|problems| panic!("{problems}")).config;
    let catalog = &config.catalog;
    let sets: Vec<_> = catalog.sets.iter().map(|set| (set.name.as_str(), set.targets[0].to_string(), set.on_failure)).collect();
    assert_eq!(sets, [("other", "b@prod".to_owned(), OnFailure::Hold), ("pair", "a@prod".to_owned(), OnFailure::Return)]);
    let exceptions: Vec<_> = catalog.timetable.exceptions.iter().map(|one| (one.reason.as_str(), one.by.as_str())).collect();
    assert_eq!(exceptions, [("the other bug", "ana"), ("and the day after", "ana")]);
    assert!(matches!(&catalog.timetable.exceptions[0].lets, Excepted::Day { date, .. } if date.to_string() == "2026-12-24"));
    let metrics: Vec<_> = config.judge.metrics.iter().map(|metric| (metric.name.as_str(), metric.muted)).collect();
    assert_eq!(metrics, [("latency", true), ("saturation", false)]);
    let flags = &catalog.deploy(&"a@prod".parse().expect("a target")).expect("deployed").flags;
    assert_eq!(flags.iter().map(|flag| flag.flag.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn a_project_file_that_is_not_trusted_widens_nothing() {
    let not_trusted = |project: &str| {
        let machine = Machine::new().user(USER).project(project);
        let problems = machine.problems();
        assert!(
            problems.iter().all(|one| one.ends_with("`gonogo config trust project/gonogo.toml` by a person who has read it")),
            "{problems:?}"
        );
        let told = problems.iter().map(|one| one.split("; expected").next().unwrap_or_default());
        told.map(|one| one.replace("project/gonogo.toml:", "").replace("a project file that is not trusted ", "")).collect::<Vec<_>>()
    };
    let exception = "[[exception]]\nfreeze = \"sale\"\ntarget = \"b@prod\"\ndate = \"2026-12-24\"\nby = \"ana\"\nreason = \"r\"\n";
    for (project, told) in [
        (exception, "1:1: defines an exception"),
        ("[[environment]]\nname = \"prod\"\nprotection = { approvals = 0 }\n", "1:1: changes the environment `prod` of the user's file"),
        ("[[freeze]]\nname = \"sale\"\nfrom = \"11:58\"\n", "1:1: changes the freeze `sale` of the user's file"),
        ("[[service]]\nname = \"b\"\nteam = \"x\"\n", "1:1: changes the service `b` of the user's file"),
        ("[[service]]\nname = \"b\"\ndepends_on = []\n", "1:1: changes the service `b` of the user's file"),
        ("[[environment]]\nname = \"prod\"\nsoak_time = \"1m\"\n", "1:1: changes the environment `prod` of the user's file"),
        ("[[set]]\nname = \"pair\"\ntargets = [\"b@prod\", \"a@prod\"]\n", "1:1: changes the set `pair` of the user's file"),
        ("[[train]]\nname = \"express\"\ncut_off = \"1s\"\n", "1:1: changes the train `express` of the user's file"),
        ("[[link]]\nname = \"wiki\"\nurl = \"https://elsewhere\"\n", "1:1: changes the link `wiki` of the user's file"),
        ("[[person]]\nname = \"ana\"\nteams = [\"x\"]\n", "1:1: changes the person `ana` of the user's file"),
        ("[[person]]\nname = \"cy\"\n", "1:1: adds a person to those of the user's file"),
        ("[[window]]\nname = \"office\"\nto = \"24:00\"\n", "1:1: changes the window `office` of the user's file"),
        ("[[window]]\nname = \"night\"\nfrom = \"22:00\"\nto = \"04:00\"\n", "1:1: adds a window to those of the user's file"),
        ("[[environment]]\nname = \"playground\"\n", "1:1: adds an environment to those of the user's file"),
        ("[store]\njournal_days = 1\n", "2:1: says how much of the journal is kept"),
        ("[store]\njournal_bytes = 1000000\n", "2:1: says how much of the journal is kept"),
        ("[[judge.metric]]\nname = \"latency\"\nmuted = true\n", "1:3: says how versions are judged"),
        ("[judge]\npass = 99.0\n", "1:2: says how versions are judged"),
        ("[room]\nread_only = false\n", "2:13: makes deeds possible, which the user's file does not"),
    ] {
        assert_eq!(not_trusted(project), [told]);
        Machine::new().user(USER).project(project).trusted().load().unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn what_only_narrows_or_is_new_needs_no_trust() {
    let new = "[room]\nname = \"x\"\nread_only = true\n[[service]]\nname = \"c\"\ndeploy.prod = { strategy = \"canary\" }\n[[freeze]]\nname = \"eve\"\n\
               reason = \"r\"\nfrom = \"10:00\"\nto = \"11:00\"\n[[set]]\nname = \"other\"\ntargets = [\"c@prod\", \"b@prod\"]\n";
    let catalog = Machine::new().user(USER).project(new).load().unwrap_or_else(|problems| panic!("{problems}")).config.catalog;
    assert_eq!((catalog.services.len(), catalog.timetable.freezes.len(), catalog.sets.len()), (3, 2, 2));
    // The first people and windows take rights from the system user, and times from a day that was open.
    let first = "[[person]]\nname = \"ana\"\n[[window]]\nname = \"office\"\nfrom = \"10:00\"\nto = \"11:00\"\n";
    let machine = Machine::new().user("[[environment]]\nname = \"prod\"\n").project(first);
    assert!(machine.load().is_ok());
    // Ten thousand services are compared with ten thousand.
    let services = (0..10_000).map(|n| format!("[[service]]\nname = \"s{n}\"\n")).collect::<Vec<_>>().concat();
    let machine = Machine::new().user(&services).project(&services.replace("\"s", "\"t"));
    assert_eq!(machine.load().map(|loaded| loaded.config.catalog.services.len()).ok(), Some(20_000));
    let figures = "[[environment]]\nname = \"prod\"\nmin_requests = 9\nhold_time = \"1m\"\neffective_within = \"1m\"\n";
    assert!(Machine::new().user(USER).project(figures).load().is_ok());
    fs::write(machine.around.working_dir.join("gonogo.toml"), &services).expect("written");
    assert_eq!(machine.problems().len(), 100);
}

#[test]
fn whoever_has_the_name_of_another_is_told_where_the_first_one_stands() {
    let services =
        ["b", "a", "b", "c", "b"].map(|name| format!("[[service]]\nname = \"{name}\"\ndeploy.prod = {{ strategy = \"none\" }}\n"));
    let signals = "[[service.signal]]\nname = \"x\"\nkind = \"value\"\nbackend = \"m\"\nquery = \"q\"\n".repeat(2);
    let backend = "[[backend]]\nname = \"m\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9\"\n";
    let machine = Machine::new().user(&format!("[[environment]]\nname = \"prod\"\n{}{signals}{backend}", services.concat()));
    let twins: Vec<_> = machine.problems().into_iter().filter(|problem| problem.contains("are named")).collect();
    assert_eq!(
        twins,
        [
            "config/gonogo.toml:10:8: two services are named `b`, the first on line 4; expected a name of its own",
            "config/gonogo.toml:16:8: two services are named `b`, the first on line 4; expected a name of its own",
            "config/gonogo.toml:24:8: two signals are named `x`, the first on line 19; expected a name of its own",
        ]
    );
}
