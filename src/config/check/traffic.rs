//! `traffic`, `testers` and `mirror` of a deploy table: the routers that two slots stand behind, and who reaches the new version before
//! its first share.

use std::collections::BTreeMap;

use super::super::file::{Fields, named};
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::known::Known;
use crate::model::catalog::{BackendKind, TrafficEntry};
use crate::model::name::{PoolName, ServerName};
use crate::model::share::Percent;
use crate::model::testers::{Bears, Testers};

pub(super) const TRAFFIC: &[&str] = &["backend", "pool", "stable", "canary", "testers", "mirror"];
pub(super) const TESTERS: &[&str] = &["header", "cookie", "value"];
const FORM: &str = "{ header = \"x-canary\", value = \"yes\" } or { cookie = \"canary\", value = \"yes\" }";

/// The routers, who the testers are, and how many of a hundred requests are copied before the first share.
pub(super) fn of_slots(
    fields: &Fields<'_>,
    steps: &[Percent],
    known: &Known<'_>,
    found: &mut Findings,
) -> (Vec<TrafficEntry>, Option<Testers>, Option<Percent>) {
    let form = "a list such as [{ backend = \"..\", pool = \"..\", stable = [\"..\"], canary = [\"..\"] }]";
    let nodes = fields.list("traffic", form, found);
    let entries = nodes.iter().filter_map(|node| entry(node, known, found)).collect();
    let testers = fields.get("testers").and_then(|node| testers(node, found));
    let mirror = fields.get("mirror").and_then(|node| mirror(node, found));
    let before = steps.first() == Some(&Percent::NONE);
    for (key, wanted, says) in [("testers", testers.is_some(), FORM), ("mirror", mirror.is_some(), "true, or per cent")] {
        let pools: Vec<&Node<'_>> = nodes.iter().filter_map(|node| member(node, key)).collect();
        match (fields.get(key).filter(|_| wanted), pools.as_slice()) {
            (Some(node), []) => {
                let text = format!("no entry of `traffic` names a pool for `{key}`, so no router would do it");
                found.problem(node.at, &text, &format!("`{key} = \"POOL\"` in an entry, as the router is prepared for it"));
            }
            (None, [pool, ..]) if fields.get(key).is_none() => {
                let text = format!("a pool is named for `{key}`, and the deploy table does not say `{key}`");
                found.problem(pool.at, &text, &format!("`{key} = {says}` in the deploy table"));
            }
            (Some(_), [_, second, ..]) if key == "mirror" => {
                found.problem(second.at, "two routers would each make a copy of the same request", "`mirror` in one entry");
            }
            (Some(_) | None, _) => {}
        }
    }
    if let (true, None, None, Some(node)) = (before, fields.get("testers"), fields.get("mirror"), fields.get("steps")) {
        found.problem(
            node.at,
            "at a first step of 0 nobody would reach the new version",
            "`testers` or `mirror` with it, or another first step",
        );
    }
    if let (false, true, Some(node)) = (before, mirror.is_some(), fields.get("mirror")) {
        found.problem(node.at, "requests are copied before the first share, and `steps` does not begin with 0", "`steps = [0, ..]`");
    }
    (entries, testers, mirror)
}

fn member<'a>(node: &'a Node<'a>, key: &str) -> Option<&'a Node<'a>> {
    match &node.value {
        Value::Table(table) => table.get(key),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) => None,
    }
}

fn testers(node: &Node, found: &mut Findings) -> Option<Testers> {
    let fields = Fields::open(node, "`testers`", TESTERS, found)?;
    let (bears, key) = match (fields.get("header"), fields.get("cookie")) {
        (Some(_), None) => (Bears::Header, "header"),
        (None, Some(_)) => (Bears::Cookie, "cookie"),
        (Some(_), Some(_)) | (None, None) => {
            found.problem(node.at, "`testers` are known by one header or one cookie", FORM);
            return None;
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut word = |key: &str| {
        let text = fields.required_text(key, format_args!("`{key} = \"..\"`"), found)?;
        if text.is_empty() || text.len() > 100 || !text.chars().all(plain) {
            let at = fields.get(key).map_or(node.at, |node| node.at);
            found.problem(at, &format!("`{key}` cannot be `{text}`"), "letters, digits, `-`, `_` and `.`");
            return None;
        }
        Some(text.to_owned())
    };
    let (name, value) = (word(key), word("value"));
    Some(Testers { bears, name: name?, value: value? })
}

fn mirror(node: &Node, found: &mut Findings) -> Option<Percent> {
    match &node.value {
        Value::Flag(on) => on.then_some(Percent::ALL),
        Value::Integer(_) => node.count("mirror", 1, 100, found).and_then(|count| u8::try_from(count).ok()).and_then(Percent::new),
        Value::Text(_) | Value::Float(_) | Value::Date | Value::List(_) | Value::Table(_) => {
            found.problem(
                node.at,
                &format!("`mirror` is {}", node.value.kind()),
                "true, or how many of a hundred requests are copied, 1 to 100",
            );
            None
        }
    }
}

fn entry(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<TrafficEntry> {
    let fields = Fields::open(node, "`traffic`", TRAFFIC, found)?;
    let backend = known.backend(&fields, &BackendKind::ROUTERS, found);
    let pool = fields.required("pool", "the name of a pool, as its kind of router names it", found);
    let pool = pool.and_then(|node| node.name("pool", PoolName::new, found));
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut slot = |key: &'static str, found: &mut Findings| {
        let node = fields.required(key, "a list of servers", found)?;
        let texts = node.texts(key, found);
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            found.problem(node.at, &format!("the slot `{key}` is empty"), "at least one server");
        }
        let mut servers = Vec::new();
        for (at, text) in texts {
            match seen.insert(text.to_owned(), key) {
                Some(other) if other == key => {
                    found.problem(at, &format!("the server `{text}` stands twice in `{key}`"), "each server once");
                }
                Some(other) => {
                    found.problem(at, &format!("the server `{text}` is in both slots, `{other}` and `{key}`"), "each server in one slot");
                }
                None => {}
            }
            servers.extend(named(at, key, text, ServerName::new, found));
        }
        Some(servers)
    };
    let (first, second) = (slot("stable", found), slot("canary", found));
    let beside = |key: &'static str, found: &mut Findings| {
        let node = fields.get(key)?;
        let name = node.name(key, PoolName::new, found)?;
        if pool.as_ref() == Some(&name) {
            found.problem(
                node.at,
                &format!("`{key}` is the pool whose weights are the shares"),
                "a pool of its own, with the same servers",
            );
        }
        Some(name)
    };
    let (testers, mirror) = (beside("testers", found), beside("mirror", found));
    if let Some(node) = fields.get("mirror") {
        if let Some((_, Some(kind))) = backend.as_ref().filter(|(_, kind)| kind.is_some_and(|kind| !kind.mirrors())) {
            let able: Vec<_> = BackendKind::ROUTERS.into_iter().filter(|kind| kind.mirrors()).map(BackendKind::word).collect();
            let right = format!("no `mirror` here, or at a backend of the kind {}", able.join(", "));
            found.problem(node.at, &format!("gonogo has no copies of requests made by a router of the kind {}", kind.word()), &right);
        }
        if [&first, &second].into_iter().flatten().any(|servers| servers.len() > 1) {
            found.problem(node.at, "each server of a slot would get a copy of the same request", "one server in each slot, or no `mirror`");
        }
    }
    Some(TrafficEntry { backend: backend?.0, pool: pool?, first: first?, second: second?, testers, mirror })
}
