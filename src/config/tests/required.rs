//! What the schema says must be there, and what the check misses: the same, for every table.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Machine, fs};
use crate::config::schema::schema;

/// One configuration with every table.
const WHOLE: &str = include_str!("whole.toml");

/// Keys without which the check refuses a file and the schema does not, for it does not see what another table says.
const UNSEEN: &[&str] = &[
    // Steps that begin with 0, and a pool that a router has for testers.
    ".service.deploy.testers",
    ".service.deploy.traffic.testers",
    // What a rollout sets with its steps.
    ".service.deploy.flags",
    // A pipeline at GitHub.
    ".service.repository",
    // The targets of a set, and of objectives that name no environment.
    ".service.deploy",
];

/// Whether a value has everything that a schema requires of it.
fn has_all(schema: &Value, value: &Value) -> bool {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let has = |key: &Value| key.as_str().is_some_and(|key| value.get(key).is_some());
    let is_type = match schema.get("type").and_then(Value::as_str) {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some(_) => value.is_number(),
        None => true,
    };
    let known = schema.get("properties").and_then(Value::as_object);
    let of_key = |(key, value): (&String, &Value)| match (known.and_then(|known| known.get(key)), schema.get("additionalProperties")) {
        (None, Some(Value::Bool(open))) => *open,
        (Some(schema), _) | (None, Some(schema)) => has_all(schema, value),
        (None, None) => true,
    };
    let holds = |part: &Value| has_all(part, value);
    let together = schema.get("dependentRequired").and_then(Value::as_object).into_iter().flatten();
    is_type
        && list("required").all(has)
        && value.as_object().into_iter().flatten().all(of_key)
        && value.as_array().into_iter().flatten().all(|item| schema.get("items").is_none_or(|schema| has_all(schema, item)))
        && list("allOf").all(holds)
        && (schema.get("anyOf").is_none() || list("anyOf").any(holds))
        && (schema.get("enum").is_none() || list("enum").any(|word| word == value))
        && (!schema.get("if").is_some_and(holds) || schema.get("then").is_none_or(holds))
        && together.filter(|(key, _)| value.get(key.as_str()).is_some()).all(|(_, needed)| needed.as_array().into_iter().flatten().all(has))
}

/// Every table of a schema by its path.
fn tables(schema: &Value, path: &str, all: &mut BTreeSet<String>) {
    let inner = ["items", "additionalProperties"].into_iter().filter_map(|part| schema.get(part));
    let either = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    inner.chain(either).for_each(|inner| tables(inner, path, all));
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    all.insert(path.to_owned());
    properties.iter().for_each(|(key, inner)| tables(inner, &format!("{path}.{key}"), all));
}

/// Every key of the tables of a value: the path of the schema, and the pointer to it.
fn keys(schema: &Value, value: &Value, (path, pointer): (&str, &str), all: &mut Vec<(String, String)>) {
    if let Some(either) = schema.get("anyOf").and_then(Value::as_array)
        && let Some(schema) = either.iter().find(|schema| has_all(schema, value))
        && schema.get("properties").or(schema.get("items")).is_some()
    {
        return keys(schema, value, (path, pointer), all);
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        keys(&schema["items"], item, (path, &format!("{pointer}/{n}")), all);
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/{key}");
        if let Some(schema) = schema.get("properties").and_then(|properties| properties.get(key)) {
            let path = format!("{path}.{key}");
            keys(schema, inner, (&path, &pointer), all);
            all.push((path, pointer));
        } else {
            keys(&schema["additionalProperties"], inner, (path, &pointer), all);
        }
    }
}

fn without(whole: &Value, pointer: &str) -> Value {
    let mut value = whole.clone();
    let (table, key) = pointer.rsplit_once('/').expect("a pointer");
    value.pointer_mut(table).and_then(Value::as_object_mut).expect("a table").remove(key);
    value
}

#[test]
fn what_the_schema_requires_is_what_the_check_misses() {
    let machine = Machine::new();
    fs::write(machine.around.config_dir.join("sloth.yml"), fs::read(super::fixture("slo/sloth.yml")).expect("read")).expect("written");
    let problems = |value: &Value| {
        fs::write(machine.around.config_dir.join("gonogo.toml"), toml::to_string(value).expect("TOML")).expect("written");
        machine.load().err().map(|problems| problems.to_string())
    };
    let (schema, whole) = (schema(), toml::from_str::<Value>(WHOLE).expect("TOML"));
    assert_eq!(problems(&whole), None);
    assert!(has_all(&schema, &whole));
    let mut all = Vec::new();
    keys(&schema, &whole, ("", ""), &mut all);
    // A table is looked at by its keys.
    let seen: BTreeSet<String> = all.iter().filter_map(|(path, _)| Some(path.rsplit_once('.')?.0.to_owned())).collect();
    let mut known = BTreeSet::new();
    tables(&schema, "", &mut known);
    assert_eq!(known.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new(), "tests/whole.toml lacks tables");
    let (mut differ, mut unseen) = (Vec::new(), BTreeSet::new());
    for (path, pointer) in all.iter().filter(|(path, _)| path.matches('.').count() > 1) {
        let value = without(&whole, pointer);
        let (told, required) = (problems(&value), !has_all(&schema, &value));
        if told.is_some() && !required && UNSEEN.contains(&path.as_str()) {
            unseen.insert(path.as_str());
        } else if told.is_some() != required {
            differ.push(format!("{pointer}: the schema says {required}, the check {told:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!(unseen, UNSEEN.iter().copied().collect());
}
