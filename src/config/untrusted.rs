//! What a project file may not do until a person has trusted it: reach outside, write elsewhere, or widen what the files below it permit.

use std::path::Path;

use super::merge::{LISTS, met};
use super::node::{Node, Table, Value};
use super::problem::{At, Findings};

/// Notes everything in an untrusted project file that only a trusted one may do. `below` is what the files under it say together.
pub(super) fn refuse(table: &Table, below: &Table, path: &Path, found: &mut Findings) {
    let mut told = Told { right: format!("`gonogo config trust {}` by a person who has read it", path.display()), found };
    refuse_tables(table, "backend", "a backend", &mut told);
    refuse_tables(table, "webhook", "a webhook", &mut told);
    refuse_tables(table, "exception", "an exception", &mut told);
    refuse_calendars(table, &mut told);
    refuse_checks(table, &mut told);
    refuse_keys(table, &mut told);
    refuse_judge(table, &mut told);
    refuse_more(table, below, &mut told);
    refuse_changes(table, below, &mut told);
    refuse_deeds(table, below, &mut told);
}

/// Where refusals go, and what would be right.
struct Told<'a> {
    right: String,
    found: &'a mut Findings,
}

impl Told<'_> {
    fn refuse(&mut self, at: At, does: &str) {
        self.found.problem(at, &format!("a project file that is not trusted {does}"), &self.right);
    }
}

fn items<'a>(table: &'a Table<'a>, word: &str) -> &'a [Node<'a>] {
    match table.get(word) {
        Some(Node { value: Value::List(items), .. }) => items,
        Some(_) | None => &[],
    }
}

fn inner<'a>(node: &'a Node<'a>, word: &str) -> Option<&'a Node<'a>> {
    match &node.value {
        Value::Table(table) => table.get(word),
        Value::List(_) | Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date => None,
    }
}

/// It could send a token to an address of its own, run a command, or let a change through a freeze.
fn refuse_tables(table: &Table, word: &str, what: &str, told: &mut Told<'_>) {
    let Some((key, _)) = table.entry(word) else { return };
    let items = items(table, word);
    if items.is_empty() {
        told.refuse(key.at, &format!("defines {what}"));
    }
    for item in items {
        told.refuse(item.at, &format!("defines {what}"));
        let Value::Table(inner) = &item.value else { continue };
        for secret in ["token", "password", "secret"] {
            if let Some((key, _)) = inner.entry(secret) {
                told.refuse(key.at, "defines a secret");
            }
        }
    }
}

/// It could send requests to an address of its own, or have a freeze read from a file of its own.
fn refuse_calendars(table: &Table, told: &mut Told<'_>) {
    for item in ["window", "freeze"].into_iter().flat_map(|word| items(table, word)) {
        let Value::Table(inner) = &item.value else { continue };
        if let Some((key, _)) = inner.entry("calendar") {
            told.refuse(key.at, "names a calendar");
        }
    }
}

/// It could run a program, or ask an address of its own.
fn refuse_checks(table: &Table, told: &mut Told<'_>) {
    for service in items(table, "service") {
        let Some(Node { value: Value::Table(deploys), .. }) = inner(service, "deploy") else { continue };
        for (_, deploy) in &deploys.0 {
            if let Some(checks) = inner(deploy, "rollout").and_then(|rollout| inner(rollout, "checks")) {
                told.refuse(checks.at, "defines checks");
            }
        }
    }
}

/// It could have any file of the user's replaced or written on, lead to another record, in which no hold stands, or have history deleted.
fn refuse_keys(table: &Table, told: &mut Told<'_>) {
    let keys = [
        ("metrics", "file", "where metrics are written"),
        ("log", "file", "where the log is written"),
        ("store", "path", "where the record lies"),
        ("store", "journal_days", "how much of the journal is kept"),
        ("store", "journal_bytes", "how much of the journal is kept"),
        ("ledger", "witness", "where checkpoints are written"),
        ("ledger", "break_glass", "where the glass is broken"),
    ];
    for (word, key, what) in keys {
        let Some(Node { value: Value::Table(inner), .. }) = table.get(word) else { continue };
        if let Some((key, _)) = inner.entry(key) {
            told.refuse(key.at, &format!("says {what}"));
        }
    }
}

/// It could let a version pass that the user's rules would not.
fn refuse_judge(table: &Table, told: &mut Told<'_>) {
    if let Some((key, _)) = table.entry("judge") {
        told.refuse(key.at, "says how versions are judged");
    }
}

/// One more person could approve, one more window could let a change begin, and in one more environment the user's routers could be moved
/// without the protections that the user gave to those there are. Where there is none yet, they only narrow what is permitted.
fn refuse_more(table: &Table, below: &Table, told: &mut Told<'_>) {
    for (word, one) in [("person", "a person"), ("window", "a window"), ("environment", "an environment")] {
        if items(below, word).is_empty() {
            continue;
        }
        for (item, _) in met(word, items(table, word), items(below, word)).into_iter().filter(|(_, name)| name.is_none()) {
            told.refuse(item.at, &format!("adds {one} to those of the user's file"));
        }
    }
}

/// It could take away a protection, a freeze or a limit, send a share of traffic elsewhere, or move more under a name than people know.
fn refuse_changes(table: &Table, below: &Table, told: &mut Told<'_>) {
    for (word, _) in LISTS.iter().filter(|(word, _)| !["backend", "webhook", "exception"].contains(word)) {
        for (item, name) in met(word, items(table, word), items(below, word)) {
            if let Some(name) = name
                && !is_of_figures(word, item)
            {
                told.refuse(item.at, &format!("changes the {word} `{name}` of the user's file"));
            }
        }
    }
}

/// Whether a table says no more of an environment than how long is waited in it, and for how many requests.
fn is_of_figures(word: &str, item: &Node) -> bool {
    let figures = ["name", "hold_time", "effective_within", "min_requests"];
    let Value::Table(table) = &item.value else { return false };
    word == "environment" && table.0.iter().all(|(key, _)| figures.contains(&key.name.as_ref()))
}

/// It could make deeds possible where the user wants to look only.
fn refuse_deeds(table: &Table, below: &Table, told: &mut Told<'_>) {
    let said = |table: &Table| match table.get("room").and_then(|room| inner(room, "read_only")) {
        Some(Node { at, value: Value::Flag(flag) }) => Some((*at, *flag)),
        Some(_) | None => None,
    };
    if let (Some((at, false)), Some((_, true))) = (said(table), said(below)) {
        told.refuse(at, "makes deeds possible, which the user's file does not");
    }
}
