//! Puts layers over each other: a higher layer replaces keys, and tables of one name merge.

use std::collections::BTreeMap;

use super::node::{Key, Node, Table, Value};
use super::problem::Findings;

/// Lists of tables that merge by `name`.
const NAMED: &[&str] =
    &["person", "backend", "webhook", "environment", "service", "signal", "window", "freeze", "train", "discovery", "link"];

/// Lists to which a higher layer adds: a name in them is one only together with its service.
const ADDED: &[&str] = &["slo", "slo_files"];

/// Tables whose keys are looked at one by one; any other table is replaced as a whole, so that the parts of a
/// reference never come from two layers.
const OPEN: &[&str] = &["room", "store", "metrics", "log", "ledger", "judge", "oscal"];

/// Notes two tables of one name in the same list, in one file.
pub(super) fn refuse_twins(table: &Table, found: &mut Findings) {
    for (key, node) in &table.0 {
        let Value::List(items) = &node.value else { continue };
        if !NAMED.contains(&key.name.as_str()) {
            continue;
        }
        let mut seen: BTreeMap<&str, &Node> = BTreeMap::new();
        for item in items {
            if let Value::Table(inner) = &item.value {
                refuse_twins(inner, found);
            }
            let Some((name, at)) = name_of(item) else { continue };
            if let Some(first) = seen.get(name) {
                let line = found.place(first.at).line;
                found.problem(at.at, &format!("two {}s are named `{name}`, the first on line {line}", key.name), "a name of its own");
            } else {
                seen.insert(name, at);
            }
        }
    }
}

fn name_of(item: &Node) -> Option<(&str, &Node)> {
    let Value::Table(table) = &item.value else { return None };
    let node = table.get("name")?;
    match &node.value {
        Value::Text(name) => Some((name, node)),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
    }
}

/// Puts `over` over `base`.
pub(super) fn merge(base: &mut Table, over: Table) {
    for (key, node) in over.0 {
        let Some((_, under)) = base.0.iter_mut().find(|(other, _)| other.name == key.name) else {
            base.0.push((key, node));
            continue;
        };
        match (&mut under.value, node.value) {
            (Value::List(under), Value::List(over)) if ADDED.contains(&key.name.as_str()) => under.extend(over),
            (Value::List(under), Value::List(over)) if NAMED.contains(&key.name.as_str()) => merge_named(under, over),
            (Value::Table(under), Value::Table(over)) if OPEN.contains(&key.name.as_str()) => merge(under, over),
            (Value::Table(under), Value::Table(over)) if key.name == "deploy" => merge_deploy(under, over),
            (_, value) => *under = Node { at: node.at, value },
        }
    }
}

fn merge_named(base: &mut Vec<Node>, over: Vec<Node>) {
    let places: BTreeMap<String, usize> =
        base.iter().enumerate().filter_map(|(place, under)| Some((name_of(under)?.0.to_owned(), place))).collect();
    for item in over {
        let under = name_of(&item).and_then(|(name, _)| places.get(name)).and_then(|place| base.get_mut(*place));
        match (under.map(|under| &mut under.value), item) {
            (Some(Value::Table(under)), Node { value: Value::Table(over), .. }) => merge(under, over),
            (_, item) => base.push(item),
        }
    }
}

/// Deployments merge by environment, and then key by key.
fn merge_deploy(base: &mut Table, over: Table) {
    for (key, node) in over.0 {
        match (base.0.iter_mut().find(|(other, _)| other.name == key.name).map(|(_, under)| under), node) {
            (Some(Node { value: Value::Table(under), .. }), Node { value: Value::Table(over), .. }) => merge(under, over),
            (Some(under), node) => *under = node,
            (None, node) => base.0.push((Key { at: key.at, name: key.name }, node)),
        }
    }
}
