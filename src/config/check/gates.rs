//! The gates of an `[[environment]]`: checks and how they count, the model of standard changes, the rule for emergencies.

use std::time::Duration;

use super::super::file::{Fields, named};
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use crate::model::catalog::ApprovalGroup;
use crate::model::gate::{AuthorRule, CheckKind, Counts, EmergencyRule, Gates, StandardModel, Unmapped};
use crate::model::intent::Verb;
use crate::model::name::RoleName;
use crate::model::operator::Person;
use crate::model::share::Percent;

/// The keys that this file reads of an environment.
pub(super) const KEYS: [&str; 7] = ["check", "soak_time", "way_back_proven_within", "standard", "emergency", "authors", "require_ticket"];
pub(super) const AUTHORS: &[&str] = &["unmapped", "outsiders"];
pub(super) const STANDARD: &[&str] = &["verbs", "max_percent", "way_back_proven_within", "approvals"];
pub(super) const EMERGENCY: &[&str] = &["severities", "approvals", "approver_roles", "review_within"];
pub(super) const GROUP: &[&str] = &["roles", "teams", "approvals"];
const MOST_APPROVALS: u64 = 100;
/// Verbs that go forward; the way back needs no model.
const FORWARD: [Verb; 4] = [Verb::Shift, Verb::Promote, Verb::Start, Verb::Retry];

/// The gates of an environment.
pub(super) fn gates(fields: &Fields<'_>, people: &[Person], found: &mut Findings) -> Gates {
    let minute = Duration::from_mins(1);
    let gates = Gates {
        checks: checks(fields, found),
        soak_time: fields.duration("soak_time", minute, found),
        way_back_proven_within: fields.duration("way_back_proven_within", minute, found),
        standard: fields.get("standard").and_then(|node| standard(node, found)),
        emergency: fields.get("emergency").and_then(|node| emergency(node, found)),
        authors: fields.get("authors").and_then(|node| authors(node, people, found)).unwrap_or_default(),
        require_ticket: fields.flag("require_ticket", found).unwrap_or(false),
    };
    for (kind, set, key) in [
        (CheckKind::Soak, gates.soak_time.is_some(), "soak_time"),
        (CheckKind::WayBack, gates.way_back_proven_within.is_some(), "way_back_proven_within"),
    ] {
        if let (Some(node), false, true) = (fields.get("check"), set, gates.checks.iter().any(|(known, _)| *known == kind)) {
            found.problem(node.at, &format!("the check `{}` has no `{key}`", kind.word()), &format!("`{key} = \"..\"` beside `check`"));
        }
    }
    gates
}

fn checks(fields: &Fields<'_>, found: &mut Findings) -> Vec<(CheckKind, Counts)> {
    let mut checks = Vec::new();
    for (key, node) in fields.table("check", found) {
        let Some(kind) = CheckKind::ALL.into_iter().find(|kind| kind.word() == key.name) else {
            found.problem(key.at, &format!("no check is called `{}`", key.name), &instead(&key.name, CheckKind::ALL.map(CheckKind::word)));
            continue;
        };
        let Some(text) = node.text(&key.name, found) else { continue };
        match text {
            "require" => checks.push((kind, Counts::Require)),
            "warn" => checks.push((kind, Counts::Warn)),
            other => found.problem(node.at, &format!("a check counts as `{other}`"), &instead(other, ["require", "warn"])),
        }
    }
    checks.sort_by_key(|(kind, _)| CheckKind::ALL.iter().position(|known| known == kind));
    checks
}

fn standard(node: &Node, found: &mut Findings) -> Option<StandardModel> {
    let fields = Fields::open(node, "`standard`", STANDARD, found)?;
    let mut verbs = Vec::new();
    for (at, text) in fields.texts("verbs", found) {
        match FORWARD.into_iter().find(|verb| verb.word() == text) {
            Some(verb) => verbs.push(verb),
            None => found.problem(at, &format!("`{text}` is no verb that goes forward"), &instead(text, FORWARD.map(Verb::word))),
        }
    }
    if verbs.is_empty() && fields.get("verbs").is_none() {
        found.problem(node.at, "`standard` has no `verbs`", "`verbs = [\"shift\", ..]`: what is pre-approved");
    }
    Some(StandardModel {
        verbs,
        max_percent: fields.count("max_percent", 0, 100, found).and_then(|percent| Percent::new(u8::try_from(percent).ok()?)),
        way_back_proven_within: fields.duration("way_back_proven_within", Duration::from_mins(1), found),
        approvals: approvals(&fields, 0, found),
    })
}

fn emergency(node: &Node, found: &mut Findings) -> Option<EmergencyRule> {
    let fields = Fields::open(node, "`emergency`", EMERGENCY, found)?;
    let severities: Vec<String> = fields.texts("severities", found).into_iter().map(|(_, text)| text.to_owned()).collect();
    Some(EmergencyRule {
        severities: if severities.is_empty() { vec!["critical".to_owned()] } else { severities },
        approvals: approvals(&fields, 1, found),
        approver_roles: roles(&fields, "approver_roles", found),
        review_within: fields.duration("review_within", Duration::from_mins(1), found).unwrap_or(Duration::from_hours(72)),
    })
}

/// How authors are told. An outsider who is a configured person would be an author that nobody sees.
fn authors(node: &Node, people: &[Person], found: &mut Findings) -> Option<AuthorRule> {
    let fields = Fields::open(node, "`authors`", AUTHORS, found)?;
    let unmapped = fields.choice("unmapped", &[("refuse", Unmapped::Refuse), ("warn", Unmapped::Warn)], found);
    let mut outsiders = Vec::new();
    for (at, text) in fields.texts("outsiders", found) {
        if let Some(person) = people.iter().find(|person| person.is_known_as(text)) {
            let what = format!("`{text}` is no outsider: it is {}'s", person.name);
            found.problem(at, &what, "accounts and addresses of which no configured person is the owner");
            continue;
        }
        outsiders.push(text.to_lowercase());
    }
    Some(AuthorRule { unmapped, outsiders })
}

/// The further groups of a protection.
pub(super) fn groups(fields: &Fields<'_>, found: &mut Findings) -> Vec<ApprovalGroup> {
    let Some(node) = fields.get("also") else { return Vec::new() };
    let Value::List(items) = &node.value else {
        found.problem(
            node.at,
            &format!("`also` is {}", node.value.kind()),
            "a list of tables such as { roles = [\"advisory-board\"], approvals = 1 }",
        );
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| {
            let fields = Fields::open(item, "a group of `also`", GROUP, found)?;
            let teams = fields.texts("teams", found).into_iter().map(|(_, text)| text.to_owned()).collect();
            let group = ApprovalGroup { roles: roles(&fields, "roles", found), teams, approvals: approvals(&fields, 1, found) };
            if group.roles.is_empty() && group.teams.is_empty() {
                found.problem(item.at, "a group of `also` has neither `roles` nor `teams`", "at least one of them");
            }
            Some(group)
        })
        .collect()
}

fn approvals(fields: &Fields<'_>, otherwise: u32, found: &mut Findings) -> u32 {
    fields.count("approvals", 0, MOST_APPROVALS, found).and_then(|count| u32::try_from(count).ok()).unwrap_or(otherwise)
}

fn roles(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Vec<RoleName> {
    fields.texts(key, found).into_iter().filter_map(|(at, text)| named(at, key, text, RoleName::new, found)).collect()
}
