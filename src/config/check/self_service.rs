//! `self_service` of an `[[environment]]`: which roles people may take there for a while, who, and for how long.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::duration;
use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::known::Known;
use crate::model::name::RoleName;
use crate::model::operator::Person;
use crate::model::self_service::{LONGEST, NEVER, SHORTEST, SelfService, USUAL_PAUSE};

pub(super) const KEYS: &[&str] = &["role", "teams", "services", "at_most", "pause", "approvals"];
const FORM: &str = "a list of tables such as { role = \"on-call\", teams = [\"payments\"], at_most = \"4h\" }";
const MOST_APPROVALS: u64 = 100;

/// The rules of an environment.
pub(super) fn rules(fields: &Fields<'_>, (people, known): (&[Person], &Known<'_>), found: &mut Findings) -> Vec<SelfService> {
    let mut rules: Vec<SelfService> = Vec::new();
    for node in fields.list("self_service", FORM, found) {
        let Some(rule) = rule(node, (people, known), found) else { continue };
        if rules.iter().any(|other| (&other.role, &other.teams, &other.services) == (&rule.role, &rule.teams, &rule.services)) {
            found.problem(
                node.at,
                &format!("`self_service` says twice who may take `{}`", rule.role),
                "one rule for the same people and services",
            );
        }
        rules.push(rule);
    }
    rules
}

fn rule(node: &Node, (people, known): (&[Person], &Known<'_>), found: &mut Findings) -> Option<SelfService> {
    let fields = Fields::open(node, "a rule of `self_service`", KEYS, found)?;
    let role = fields.required("role", "`role = \"..\"`: what may be taken", found);
    let role = role.and_then(|node| Some((node.at, node.name("role", RoleName::new, found)?)));
    if let Some((at, role)) = &role
        && role.as_str() == NEVER
    {
        found.problem(*at, &format!("`{NEVER}` can never be taken: who accepts changed rules is written down by others"), "another role");
    }
    let teams: BTreeSet<&str> = people.iter().flat_map(|person| person.teams.iter().map(String::as_str)).collect();
    let mut of = Vec::new();
    for (at, team) in fields.texts("teams", found) {
        if !people.is_empty() && !teams.contains(team) {
            found.problem(at, &format!("no person is of the team `{team}`"), &instead(team, teams.iter().copied()));
        }
        of.push(team.to_owned());
    }
    let services = fields.texts("services", found);
    let services: Vec<_> = services.into_iter().filter_map(|(at, text)| known.service(at, text, found)).collect();
    for (key, nothing, right) in [
        ("teams", "so nobody may take it", "at least one, or no such key: any configured person"),
        ("services", "so it may be taken for nothing", "at least one, or no such key: all"),
    ] {
        // An empty list in the model means all, which is not what an empty list in a file says.
        if let Some(Node { at, value: Value::List(items) }) = fields.get(key)
            && items.is_empty()
        {
            found.problem(*at, &format!("`{key}` is empty, {nothing}"), right);
        }
    }
    fields.required("at_most", "`at_most = \"4h\"`: how long it may be had without a pause", found);
    let at_most = span(&fields, "at_most", found);
    let pause = span(&fields, "pause", found).unwrap_or(USUAL_PAUSE);
    let approvals = fields.count("approvals", 0, MOST_APPROVALS, found).and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    let (_, role) = role?;
    let holders = people.iter().filter(|person| person.roles.iter().any(|held| held.role == role)).count();
    if !people.is_empty() && usize::try_from(approvals).is_ok_and(|needs| needs > holders) {
        let what = format!("to take `{role}` needs {approvals} who hold it to agree, and {holders} of the configured people do");
        found.warning(node.at, &what, "no more approvals than people with the role");
    }
    Some(SelfService { role, teams: of, services, at_most: at_most?, pause, approvals })
}

fn span(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<Duration> {
    let span = fields.duration(key, SHORTEST, found)?;
    if span > LONGEST {
        let at = fields.get(key).map_or(fields.at, |node| node.at);
        found.problem(at, &format!("`{key}` is too long: {}", duration::write(span)), &format!("at most {}", duration::write(LONGEST)));
    }
    Some(span)
}
