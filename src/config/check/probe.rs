//! `checks` of a rollout: what must be so before it begins, before each step, and before it ends.

use std::time::Duration;

use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::placeholder;
use super::super::problem::Findings;
use super::known::Known;
use crate::model::catalog::BackendKind;
use crate::model::name::CheckName;
use crate::model::probe::{Probe, StepCheck, When};

pub(super) const CHECK: &[&str] =
    &["name", "when", "within", "every", "http", "status", "contains", "command", "backend", "query", "at_most", "at_least"];
/// Placeholders of addresses and programs: what is filled in when the rollout is planned.
const IN_WORDS: &[&str] = &["service", "environment", "version", "digest"];
const IN_QUERY: &[&str] = &["service", "environment", "slot", "track", "version"];
const WITHIN: Duration = Duration::from_secs(10);
const EVERY: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_mins(10);

/// The checks in the order of the file.
pub(super) fn checks(nodes: &[Node], known: &Known<'_>, found: &mut Findings) -> Vec<StepCheck> {
    let mut checks: Vec<StepCheck> = Vec::new();
    for node in nodes {
        let Some(check) = check(node, known, found) else { continue };
        if checks.iter().any(|one| one.name == check.name) {
            found.problem(node.at, &format!("two checks are named `{}`", check.name), "a name of its own");
        }
        checks.push(check);
    }
    checks
}

fn check(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<StepCheck> {
    let what = super::label("check", node);
    let fields = Fields::open(node, &what, CHECK, found)?;
    let name = fields.name(CheckName::new, found);
    let words = "one of before, each, after";
    let when = fields.required("when", words, found).and_then(|node| {
        let text = node.text("when", found)?;
        let when = When::ALL.into_iter().find(|when| when.word() == text);
        if when.is_none() {
            found.problem(node.at, &format!("`{text}` is no time of a check"), &instead(text, When::ALL.map(When::word)));
        }
        when
    });
    let span = |key: &str, otherwise: Duration, found: &mut Findings| {
        let span = fields.duration(key, Duration::from_secs(1), found).unwrap_or(otherwise);
        if let Some(node) = fields.get(key).filter(|_| span > LONGEST) {
            found.problem(node.at, &format!("`{key}` is longer than 10m"), "at most 10m");
        }
        span.as_secs()
    };
    let (within_s, every_s) = (span("within", WITHIN, found), span("every", EVERY, found));
    let probe = probe(node, &fields, &what, known, found);
    Some(StepCheck { every_s, name: name?, probe: probe?, when: when?, within_s })
}

fn probe(node: &Node, fields: &Fields<'_>, what: &str, known: &Known<'_>, found: &mut Findings) -> Option<Probe> {
    let asked: Vec<&str> = ["http", "command", "query"].into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [asks] = asked.as_slice() else {
        let told = if asked.is_empty() { "asks nothing".to_owned() } else { format!("has {}", asked.join(" and ")) };
        found.problem(node.at, &format!("{what} {told}"), "one of http, command, query");
        return None;
    };
    let foreign: &[(&str, &[&str])] =
        &[("http", &["status", "contains"]), ("command", &[]), ("query", &["backend", "at_most", "at_least"])];
    for (of, keys) in foreign.iter().filter(|(of, _)| of != asks) {
        for node in keys.iter().filter_map(|key| fields.get(key)) {
            found.problem(node.at, &format!("{what} asks by {asks}, and this key belongs to {of}"), &format!("{asks} alone, without it"));
        }
    }
    match *asks {
        "http" => http(fields, found),
        "command" => {
            let words: Vec<String> = fields
                .texts("command", found)
                .into_iter()
                .map(|(at, text)| {
                    if let Some((name, right)) = placeholder::unknown(text, IN_WORDS) {
                        found.problem(at, &format!("`command` has {name}, which is not known there"), &right);
                    }
                    text.to_owned()
                })
                .collect();
            if words.first().is_none_or(String::is_empty) {
                let at = fields.get("command").map_or(node.at, |node| node.at);
                found.problem(at, "`command` names no program", "a program and its arguments, such as [\"/opt/check\", \"$version\"]");
                return None;
            }
            Some(Probe::Command { words })
        }
        _ => query(node, fields, what, known, found),
    }
}

fn http(fields: &Fields<'_>, found: &mut Findings) -> Option<Probe> {
    let node = fields.get("http")?;
    let url = node.text("http", found)?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if host.is_none_or(|host| host.is_empty() || host.contains('@')) {
        found.problem(node.at, "`http` is no address that can be asked", "http:// or https:// and a host, without a user");
    }
    if let Some((name, right)) = placeholder::unknown(url, IN_WORDS) {
        found.problem(node.at, &format!("`http` has {name}, which is not known there"), &right);
    }
    let status = fields.count("status", 100, 599, found).and_then(|status| u16::try_from(status).ok());
    let contains = fields.text("contains", found).map(str::to_owned);
    Some(Probe::Http { url: url.to_owned(), status, contains })
}

fn query(node: &Node, fields: &Fields<'_>, what: &str, known: &Known<'_>, found: &mut Findings) -> Option<Probe> {
    let query = fields.required_text("query", "a query", found)?;
    let at = fields.get("query").map_or(node.at, |node| node.at);
    if let Some((name, right)) = placeholder::unknown(query, IN_QUERY) {
        found.problem(at, &format!("`query` has {name}, which is not known there"), &right);
    }
    let backend = known.backend(fields, &[BackendKind::Prometheus], found);
    let bounds: Vec<(bool, &Node<'_>)> =
        [(true, "at_most"), (false, "at_least")].into_iter().filter_map(|(most, key)| Some((most, fields.get(key)?))).collect();
    let [(at_most, bound)] = bounds.as_slice() else {
        found.problem(
            node.at,
            &format!("{what} has {} of at_most and at_least", if bounds.is_empty() { "none" } else { "both" }),
            "one of them",
        );
        return None;
    };
    let number = match &bound.value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) if number.is_finite() => Some(number.to_string()),
        Value::Float(_) | Value::Text(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
            found.problem(bound.at, &format!("the bound is {}", bound.value.kind()), "a number");
            None
        }
    };
    Some(Probe::Query { backend: backend?.0, query: query.to_owned(), at_most: *at_most, bound: number? })
}
