//! `flags` of a deploy table: the feature flags of a service in one environment.

use std::collections::BTreeSet;

use super::super::file::Fields;
use super::super::node::Node;
use super::super::problem::Findings;
use super::known::Known;
use crate::model::catalog::BackendKind;
use crate::model::flag::{FlagEntry, FlagRef};

pub(super) const KEYS: &[&str] = &["backend", "name", "project", "environment"];
/// The project in which Unleash keeps flags when none is named.
const PROJECT: &str = "default";
const FORM: &str = "a list such as [{ backend = \"..\", name = \"new-checkout\" }]";
/// The longest name that is taken; Unleash takes 100 characters.
const LONGEST: usize = 100;

/// The flags of one deploy table, in order of their names. `here`: the environment's own name, under which Unleash knows it unless it says otherwise.
pub(super) fn flags(deploy: &Fields<'_>, here: &str, known: &Known<'_>, found: &mut Findings) -> Vec<FlagEntry> {
    let mut names = BTreeSet::new();
    let mut entries = Vec::new();
    for node in deploy.list("flags", FORM, found) {
        let Some(entry) = flag(node, here, known, found) else { continue };
        if names.insert(entry.flag.name.clone()) {
            entries.push(entry);
        } else {
            found.problem(node.at, &format!("the flag `{}` stands twice", entry.flag.name), "each flag once in an environment");
        }
    }
    entries.sort_by(|one, other| one.flag.name.cmp(&other.flag.name));
    entries
}

fn flag(node: &Node, here: &str, known: &Known<'_>, found: &mut Findings) -> Option<FlagEntry> {
    let fields = Fields::open(node, "`flags`", KEYS, found)?;
    let backend = known.backend(&fields, &BackendKind::FLAGS, found);
    let name = fields.required("name", "the flag's name at its backend", found).and_then(|node| plain("name", node, found));
    let mut place = |key: &'static str, usual: &str| match fields.get(key) {
        Some(node) => plain(key, node, found),
        None => Some(usual.to_owned()),
    };
    let (project, environment) = (place("project", PROJECT), place("environment", here));
    let (backend, kind) = backend?;
    if kind == Some(BackendKind::Flagd) {
        for key in ["project", "environment"] {
            if let Some(node) = fields.get(key) {
                found.problem(node.at, &format!("`{key}` has no use at a flagd"), "no such key here: each flagd is one environment");
            }
        }
        return Some(FlagEntry { backend, flag: FlagRef { name: name?, project: String::new(), environment: String::new() } });
    }
    Some(FlagEntry { backend, flag: FlagRef { name: name?, project: project?, environment: environment? } })
}

/// A name as flag services take it: it stands in addresses, on command lines and on screens.
fn plain(key: &str, node: &Node, found: &mut Findings) -> Option<String> {
    let text = node.text(key, found)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if text.is_empty() || text.len() > LONGEST || matches!(text, "." | "..") || !text.chars().all(fits) {
        found.problem(
            node.at,
            &format!("`{key}` is no name of a flag service"),
            &format!("letters, digits, `-`, `_`, `.` and `~`, at most {LONGEST}"),
        );
        return None;
    }
    Some(text.to_owned())
}
