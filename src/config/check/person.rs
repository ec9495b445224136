//! `[[person]]`: who people are, by which keys and accounts they are known, and which roles they hold.

use std::collections::BTreeMap;

use super::super::file::{Fields, named};
use super::super::node::{Node, Value};
use super::super::problem::{At, Findings};
use super::known::Known;
use super::{label, sshkey};
use crate::model::name::{PersonName, RoleName};
use crate::model::operator::{Grant, Person};

const KEYS: &[&str] = &["name", "os_user", "keys", "emails", "logins", "bots", "teams", "roles"];
const ROLE: &[&str] = &["role", "environments", "services"];

/// All people.
pub(super) fn people(nodes: &[Node], known: &Known<'_>, found: &mut Findings) -> Vec<Person> {
    let mut users = BTreeMap::new();
    let mut keys = BTreeMap::new();
    nodes.iter().filter_map(|node| person(node, known, &mut users, &mut keys, found)).collect()
}

fn person<'a>(
    node: &'a Node,
    known: &Known<'_>,
    users: &mut BTreeMap<&'a str, At>,
    keys: &mut BTreeMap<&'a str, At>,
    found: &mut Findings,
) -> Option<Person> {
    let what = label("person", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.required("name", "`name = \"..\"`", found).and_then(|node| name(node, found));
    let os_user = node_text(node, "os_user", found);
    if let Some((at, user)) = os_user {
        refuse_second(users, user, at, &format!("`{user}` is the system user of two people"), found);
    }
    let mut own = Vec::new();
    for (at, key) in node_texts(node, "keys", found) {
        if let Some(why) = sshkey::wrong(key) {
            found.problem(at, &format!("the key {why}"), "a line such as \"ssh-ed25519 AAAAC3Nza..\"");
            continue;
        }
        // Its comment does not make it another key.
        let end = key.match_indices(' ').nth(1).map_or(key.len(), |(end, _)| end);
        refuse_second(keys, key.get(..end).unwrap_or(key), at, "the same key stands twice", found);
        own.push(key.to_owned());
    }
    let strings = |key: &str, found: &mut Findings| fields.texts(key, found).into_iter().map(|(_, text)| text.to_owned()).collect();
    let (emails, bots, teams) = (strings("emails", found), strings("bots", found), strings("teams", found));
    let logins = fields
        .table("logins", found)
        .iter()
        .filter_map(|(key, node)| Some((key.name.clone(), node.text(&key.name, found)?.to_owned())))
        .collect();
    let form = "a list such as [{ role = \"release-captain\", environments = [\"prod\"] }]";
    let roles = fields.list("roles", form, found).iter().filter_map(|node| grant(node, known, found)).collect();
    Some(Person { name: name?, os_user: os_user.map(|(_, user)| user.to_owned()), keys: own, emails, logins, bots, teams, roles })
}

/// A string that outlives the fields it is read through.
fn node_text<'a>(node: &'a Node, key: &str, found: &mut Findings) -> Option<(At, &'a str)> {
    let Value::Table(table) = &node.value else { return None };
    let node = table.get(key)?;
    Some((node.at, node.text(key, found)?))
}

fn node_texts<'a>(node: &'a Node, key: &str, found: &mut Findings) -> Vec<(At, &'a str)> {
    let Value::Table(table) = &node.value else { return Vec::new() };
    table.get(key).map(|node| node.texts(key, found)).unwrap_or_default()
}

fn refuse_second<'a>(seen: &mut BTreeMap<&'a str, At>, text: &'a str, at: At, what: &str, found: &mut Findings) {
    if let Some(first) = seen.get(text) {
        let line = found.place(*first).line;
        found.problem(at, &format!("{what}, the first on line {line}"), "each only once");
    } else {
        seen.insert(text, at);
    }
}

fn name(node: &Node, found: &mut Findings) -> Option<PersonName> {
    let text = node.text("name", found)?;
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))) {
        found.problem(node.at, &format!("`{bad}` may not stand in a person's name"), "lower-case letters, digits, `.`, `_`, `-`");
        return None;
    }
    named(node.at, "name", text, PersonName::new, found)
}

fn grant(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<Grant> {
    let fields = Fields::open(node, "a role", ROLE, found)?;
    let role = fields.required("role", "`role = \"..\"`", found).and_then(|node| node.name("role", RoleName::new, found));
    let environments = fields.texts("environments", found);
    let environments: Vec<_> = environments.into_iter().filter_map(|(at, text)| known.environment(at, text, found)).collect();
    let services = fields.texts("services", found);
    let services: Vec<_> = services.into_iter().filter_map(|(at, text)| known.service(at, text, found)).collect();
    for key in ["environments", "services"] {
        // An empty list in the model means everywhere, which is not what an empty list in a file says.
        if let Some(Node { at, value: Value::List(items) }) = fields.get(key)
            && items.is_empty()
        {
            found.problem(*at, &format!("`{key}` is empty, so the role holds nowhere"), "at least one, or no such key: everywhere");
        }
    }
    Some(Grant { role: role?, environments, services })
}
