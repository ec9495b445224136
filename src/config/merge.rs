//! Puts layers over each other: a higher layer replaces keys, and tables that are known by the same name merge.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Key, Node, Table, Value};
use super::problem::Findings;

/// Lists of tables that merge, each with the keys that say which of them is meant. The first of these must be there.
pub(super) const LISTS: &[(&str, &[&str])] = &[
    ("person", NAME),
    ("backend", NAME),
    ("webhook", NAME),
    ("environment", NAME),
    ("service", NAME),
    ("window", NAME),
    ("freeze", NAME),
    ("exception", &["freeze", "plan", "target", "date"]),
    ("train", NAME),
    ("set", NAME),
    ("discovery", NAME),
    ("link", NAME),
    // Within other tables.
    ("signal", NAME),
    ("flags", NAME),
    ("metric", NAME),
];
const NAME: &[&str] = &["name"];

/// Lists to which a higher layer adds: a name in them is one only together with its service.
const ADDED: &[&str] = &["slo", "slo_files"];

/// Tables whose keys are looked at one by one; any other table is replaced as a whole, so that the parts of a
/// reference never come from two layers.
const OPEN: &[&str] = &["room", "store", "metrics", "log", "ledger", "judge", "oscal"];

/// Notes two tables of one name in the same list, in one file.
pub(super) fn refuse_twins(table: &Table, found: &mut Findings) {
    for (key, node) in &table.0 {
        let Value::List(items) = &node.value else { continue };
        let Some(NAME) = keys_of(&key.name) else { continue };
        let mut names = Vec::with_capacity(items.len());
        for item in items {
            if let Value::Table(inner) = &item.value {
                refuse_twins(inner, found);
            }
            names.extend(name_of(item));
        }
        // Those of one name stay in the order of the file.
        names.sort_by_key(|(name, _)| *name);
        for twins in names.chunk_by(|(name, _), (next, _)| name == next) {
            let [(name, first), others @ ..] = twins else { continue };
            for (_, other) in others {
                let line = found.place(first.at).line;
                found.problem(other.at, &format!("two {}s are named `{name}`, the first on line {line}", key.name), "a name of its own");
            }
        }
    }
}

/// The keys by which a table of a list is known, where the list merges.
fn keys_of(list: &str) -> Option<&'static [&'static str]> {
    LISTS.iter().find(|(word, _)| *word == list).map(|(_, keys)| *keys)
}

fn name_of<'a>(item: &'a Node<'a>) -> Option<(&'a str, &'a Node<'a>)> {
    let Value::Table(table) = &item.value else { return None };
    let node = table.get("name")?;
    match &node.value {
        Value::Text(name) => Some((name, node)),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
    }
}

/// Which table it is: what it has at each of these keys.
fn identity<'a>(item: &'a Node<'a>, keys: &[&str]) -> Option<Vec<Option<&'a str>>> {
    let Value::Table(table) = &item.value else { return None };
    let text = |key: &&str| match &table.get(key)?.value {
        Value::Text(text) => Some(text.as_ref()),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
    };
    let identity: Vec<_> = keys.iter().map(text).collect();
    identity.first()?.is_some().then_some(identity)
}

/// The tables of a list, each with its name where it would merge with one of a lower layer.
pub(super) fn met<'a>(list: &str, over: &'a [Node<'a>], under: &'a [Node<'a>]) -> Vec<(&'a Node<'a>, Option<&'a str>)> {
    let keys = keys_of(list).unwrap_or_default();
    let known: BTreeSet<_> = under.iter().filter_map(|item| identity(item, keys)).collect();
    let name = |item: &'a Node<'a>| identity(item, keys).filter(|own| known.contains(own)).and_then(|own| own.first().copied().flatten());
    over.iter().map(|item| (item, name(item))).collect()
}

/// Puts `over` over `base`.
pub(super) fn merge<'t>(base: &mut Table<'t>, over: Table<'t>) {
    for (key, node) in over.0 {
        let Some((_, under)) = base.0.iter_mut().find(|(other, _)| other.name == key.name) else {
            base.0.push((key, node));
            continue;
        };
        match (&mut under.value, node.value, keys_of(&key.name)) {
            (Value::List(under), Value::List(over), _) if ADDED.contains(&key.name.as_ref()) => under.extend(over),
            (Value::List(under), Value::List(over), Some(keys)) => merge_list(under, over, keys),
            (Value::Table(under), Value::Table(over), _) if OPEN.contains(&key.name.as_ref()) => merge(under, over),
            (Value::Table(under), Value::Table(over), _) if key.name == "deploy" => merge_deploy(under, over),
            (_, value, _) => *under = Node { at: node.at, value },
        }
    }
}

fn merge_list<'t>(base: &mut Vec<Node<'t>>, over: Vec<Node<'t>>, keys: &[&str]) {
    let places: BTreeMap<Vec<Option<String>>, usize> =
        base.iter().enumerate().filter_map(|(place, under)| Some((owned(identity(under, keys)?), place))).collect();
    for item in over {
        let place = identity(&item, keys).and_then(|identity| places.get(&owned(identity)));
        let under = place.and_then(|place| base.get_mut(*place));
        match (under.map(|under| &mut under.value), item) {
            (Some(Value::Table(under)), Node { value: Value::Table(over), .. }) => merge(under, over),
            (_, item) => base.push(item),
        }
    }
}

fn owned(identity: Vec<Option<&str>>) -> Vec<Option<String>> {
    identity.into_iter().map(|text| text.map(str::to_owned)).collect()
}

/// Deployments merge by environment, and then key by key.
fn merge_deploy<'t>(base: &mut Table<'t>, over: Table<'t>) {
    for (key, node) in over.0 {
        match (base.0.iter_mut().find(|(other, _)| other.name == key.name).map(|(_, under)| under), node) {
            (Some(Node { value: Value::Table(under), .. }), Node { value: Value::Table(over), .. }) => merge(under, over),
            (Some(under), node) => *under = node,
            (None, node) => base.0.push((Key { at: key.at, name: key.name }, node)),
        }
    }
}
