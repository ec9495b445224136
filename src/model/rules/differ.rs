//! What differs between two sets of rules, part by part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::text::Text;

/// One thing that differs between two rule sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What it is.
    pub what: Kind,
    /// Its name.
    pub name: String,
    /// How it differs.
    pub how: How,
    /// What is in it that differs, as `protection.approvals: 1 -> 0`; empty for what is new or gone, and where only a digest is kept.
    pub details: Vec<Text>,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person.
    Person,
    /// An environment.
    Environment,
    /// A window.
    Window,
    /// A freeze.
    Freeze,
    /// An exception from a freeze.
    Exception,
    /// A train.
    Train,
    /// What the checks of a service read.
    Service,
}

impl Kind {
    /// The word in JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Environment => "environment",
            Self::Window => "window",
            Self::Freeze => "freeze",
            Self::Exception => "exception",
            Self::Train => "train",
            Self::Service => "service",
        }
    }
}

/// How a rule differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
}

impl How {
    /// The word in JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// The rules of one kind that differ, by name.
pub(super) fn differ<T: PartialEq + Serialize>(what: Kind, old: &[T], new: &[T], name: impl Fn(&T) -> String) -> Vec<Difference> {
    let mut all: BTreeMap<String, [Vec<&T>; 2]> = BTreeMap::new();
    for rule in old {
        let [before, _] = all.entry(name(rule)).or_default();
        before.push(rule);
    }
    for rule in new {
        let [_, after] = all.entry(name(rule)).or_default();
        after.push(rule);
    }
    let one = |(name, [before, after]): (String, [Vec<&T>; 2])| {
        let how = match (before.as_slice(), after.as_slice()) {
            ([_, ..], []) => How::Removed,
            ([], [_, ..]) => How::Added,
            (before, after) if before == after => return None,
            (_, _) => How::Changed,
        };
        let mut details = Vec::new();
        if let ([before], [after]) = (before.as_slice(), after.as_slice()) {
            let value = |rule: &T| serde_json::to_value(rule).unwrap_or_default();
            parts("", &value(before), &value(after), &mut details);
        }
        Some(Difference { what, name, how, details })
    };
    all.into_iter().filter_map(one).collect()
}

/// Parts of a rule that are told apart, at most.
const DETAILS: usize = 20;

/// Tells where two values differ.
fn parts(path: &str, old: &Value, new: &Value, told: &mut Vec<Text>) {
    if old == new || told.len() >= DETAILS {
        return;
    }
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let part = |all: &serde_json::Map<String, Value>| all.get(name).cloned().unwrap_or_default();
                parts(&path, &part(before), &part(after), told);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let mut tell = |sign: &str, value: &Value| told.push(Text::clean_within(&format!("{path}: {sign} {value}"), 200));
            before.iter().filter(|value| !after.contains(value)).for_each(|value| tell("without", value));
            after.iter().filter(|value| !before.contains(value)).for_each(|value| tell("with", value));
        }
        (_, _) => told.push(Text::clean_within(&format!("{path}: {old} -> {new}"), 200)),
    }
}
