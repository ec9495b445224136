//! `[[person]]`: who people are, by which keys and accounts they are known, and which roles they hold.

use super::super::file::{Fields, named};
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::super::sshkey;
use super::claim::Claims;
use super::known::Known;
use super::label;
use crate::model::name::{PersonName, RoleName};
use crate::model::operator::{Grant, Person, without_comment};
use crate::model::rules::POLICY_OWNER;

pub(super) const KEYS: &[&str] = &["name", "os_user", "keys", "emails", "logins", "bots", "teams", "roles"];
pub(super) const ROLE: &[&str] = &["role", "environments", "services"];

/// All people.
pub(super) fn people(nodes: &[Node], known: &Known<'_>, found: &mut Findings) -> Vec<Person> {
    let mut claims = Claims::default();
    let people: Vec<_> =
        nodes.iter().enumerate().filter_map(|(nth, node)| Some((node, person(nth, node, known, &mut claims, found)?))).collect();
    claims.warn_of_shared_users(found);
    let owns = |(_, person): &&(&Node<'_>, Person)| person.roles.iter().any(|grant| grant.role.as_str() == POLICY_OWNER);
    let owners: Vec<_> = people.iter().filter(owns).collect();
    if let [(node, only)] = owners.as_slice() {
        let what = format!("{} is the only policy-owner, so nobody can accept rules that {} changed", only.name, only.name);
        found.warning(node.at, &what, "two persons or more with the role policy-owner");
    }
    people.into_iter().map(|(_, person)| person).collect()
}

fn person(nth: usize, node: &Node, known: &Known<'_>, claims: &mut Claims, found: &mut Findings) -> Option<Person> {
    let what = label("person", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.required("name", "`name = \"..\"`", found).and_then(|node| name(node, found));
    let mut keys = Vec::new();
    for (at, key) in fields.texts("keys", found) {
        if let Err(why) = sshkey::read(key) {
            found.problem(at, &format!("the key {why}"), "a line such as \"ssh-ed25519 AAAAC3Nza..\"");
            continue;
        }
        claims.key(at, without_comment(key), found);
        keys.push(key.to_owned());
    }
    let os_user = fields.text("os_user", found);
    if let (Some(user), Some(node)) = (os_user, fields.get("os_user")) {
        claims.user(node.at, user, !keys.is_empty());
    }
    let mut emails = Vec::new();
    for (at, email) in fields.texts("emails", found) {
        claims.email(nth, at, email, found);
        emails.push(email.to_owned());
    }
    let mut logins = Vec::new();
    for (kind, node) in fields.table("logins", found) {
        let Some(login) = node.text(&kind.name, found) else { continue };
        claims.account(nth, node.at, Some(&kind.name), login, found);
        logins.push((kind.name.to_string(), login.to_owned()));
    }
    let mut bots = Vec::new();
    for (at, bot) in fields.texts("bots", found) {
        claims.account(nth, at, None, bot, found);
        bots.push(bot.to_owned());
    }
    let teams = fields.texts("teams", found).into_iter().map(|(_, team)| team.to_owned()).collect();
    let form = "a list such as [{ role = \"release-captain\", environments = [\"prod\"] }]";
    let roles = fields.list("roles", form, found).iter().filter_map(|node| grant(node, known, found)).collect();
    Some(Person { name: name?, os_user: os_user.map(str::to_owned), keys, emails, logins, bots, teams, roles })
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
