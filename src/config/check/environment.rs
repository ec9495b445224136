//! `[[environment]]`: its place on the way to production, how effects are watched there, and what protects it.

use std::time::Duration;

use super::super::file::{Fields, named};
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::problem::Findings;
use super::known::Known;
use super::{approvers, gates, label, self_service};
use crate::model::catalog::{Assurance, Environment, OnConflict, Protection, Scheduling};
use crate::model::name::{EnvironmentName, RoleName};
use crate::model::operator::Person;

pub(super) const KEYS: &[&str] = &[
    "name",
    "order",
    "hold_time",
    "effective_within",
    "min_requests",
    "assurance",
    "protection",
    "booking",
    "conflicts",
    gates::KEYS[0],
    gates::KEYS[1],
    gates::KEYS[2],
    gates::KEYS[3],
    gates::KEYS[4],
    gates::KEYS[5],
    gates::KEYS[6],
    "self_service",
];
pub(super) const PROTECTION: &[&str] = &[
    "approvals",
    "approver_roles",
    "actor_roles",
    "typed_confirmation",
    "way_back_approvals",
    "also",
    "approvals_expire",
    "break_glass",
    "break_glass_roles",
];
pub(super) const BREAK_GLASS: &[&str] = &["review_within"];
const MOST_APPROVALS: u64 = 100;

/// All environments in their order; those without `order` keep the order of the file.
pub(super) fn environments(nodes: &[Node], people: &[Person], known: &Known<'_>, found: &mut Findings) -> Vec<Environment> {
    let mut all: Vec<_> = nodes
        .iter()
        .enumerate()
        .filter_map(|(place, node)| environment(node, u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1), (people, known), found))
        .collect();
    all.sort_by_key(|environment| environment.order);
    all
}

fn environment(node: &Node, place: u32, (people, known): (&[Person], &Known<'_>), found: &mut Findings) -> Option<Environment> {
    let what = label("environment", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(EnvironmentName::new, found);
    let order = fields.count("order", 0, u64::from(u32::MAX), found).and_then(|order| u32::try_from(order).ok()).unwrap_or(place);
    let hold_time = fields.duration("hold_time", Duration::ZERO, found).unwrap_or(Duration::from_mins(5));
    let effective_within = fields.duration("effective_within", Duration::from_secs(1), found).unwrap_or(Duration::from_secs(30));
    let min_requests = fields.count("min_requests", 0, u64::MAX, found).unwrap_or(50);
    let assurance = assurance(&fields, found);
    let protection = fields.get("protection").and_then(|node| protection(node, found)).unwrap_or_default();
    let environment = Environment {
        name: name?,
        order,
        hold_time,
        effective_within,
        min_requests,
        assurance,
        protection,
        gates: gates::gates(&fields, people, found),
        scheduling: scheduling(&fields, found),
        self_service: self_service::rules(&fields, (people, known), found),
    };
    warn_of_roles(&fields, &environment, people, found);
    Some(environment)
}

fn scheduling(fields: &Fields<'_>, found: &mut Findings) -> Scheduling {
    Scheduling {
        booking: fields.duration("booking", Duration::from_mins(1), found).unwrap_or(Scheduling::default().booking),
        conflicts: fields.choice("conflicts", &[("warn", OnConflict::Warn), ("refuse", OnConflict::Refuse)], found),
    }
}

fn assurance(fields: &Fields<'_>, found: &mut Findings) -> Assurance {
    let Some((node, text)) = fields.get("assurance").and_then(|node| Some((node, node.text("assurance", found)?))) else {
        return Assurance::T0;
    };
    match text {
        "T0" => Assurance::T0,
        "T1" => Assurance::T1,
        "T2" => Assurance::T2,
        other => {
            found.problem(node.at, &format!("no assurance is called `{other}`"), &instead(other, ["T0", "T1", "T2"]));
            Assurance::T0
        }
    }
}

fn protection(node: &Node, found: &mut Findings) -> Option<Protection> {
    let fields = Fields::open(node, "`protection`", PROTECTION, found)?;
    let count = |key: &str, found: &mut Findings| {
        fields.count(key, 0, MOST_APPROVALS, found).and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
    };
    let roles = |key: &str, found: &mut Findings| -> Vec<RoleName> {
        let texts = fields.texts(key, found);
        texts.into_iter().filter_map(|(at, text)| named(at, key, text, RoleName::new, found)).collect()
    };
    Some(Protection {
        approvals: count("approvals", found),
        approver_roles: roles("approver_roles", found),
        actor_roles: roles("actor_roles", found),
        typed_confirmation: fields.flag("typed_confirmation", found).unwrap_or(false),
        way_back_approvals: count("way_back_approvals", found),
        also: gates::groups(&fields, found),
        approvals_expire: fields.duration("approvals_expire", Duration::from_mins(1), found),
        break_glass_roles: fields.get("break_glass_roles").map(|_| roles("break_glass_roles", found)),
        review_within: fields.get("break_glass").and_then(|node| {
            let fields = Fields::open(node, "`break_glass`", BREAK_GLASS, found)?;
            fields.duration("review_within", Duration::from_mins(1), found)
        }),
    })
}

/// Warns of approvals that nobody could give, and of roles that nobody holds.
fn warn_of_roles(fields: &Fields<'_>, environment: &Environment, people: &[Person], found: &mut Findings) {
    let Some(node) = fields.get("protection") else { return };
    let needed = environment.protection.approvals.max(environment.protection.way_back_approvals);
    let could = approvers(people, environment);
    if usize::try_from(needed).is_ok_and(|needed| needed > could) {
        let what = format!("{} needs {needed} approvals, and {could} of the configured people could approve", environment.name);
        found.warning(node.at, &what, "no more approvals than people with the role");
    }
    let actors = &environment.protection.actor_roles;
    let holds = |person: &Person| person.roles.iter().any(|grant| actors.contains(&grant.role));
    if !people.is_empty() && !actors.is_empty() && !people.iter().any(holds) {
        found.warning(node.at, &format!("nobody holds a role that may act in {}", environment.name), "a person with one of `actor_roles`");
    }
}
