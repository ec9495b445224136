//! Roles: who may act on a target, and who may approve.

use crate::model::name::{RoleName, Target};
use crate::model::operator::{Actor, Grant, Person};

/// Whether a grant holds for a target.
fn covers(grant: &Grant, target: &Target) -> bool {
    let here = grant.environments.is_empty() || grant.environments.contains(&target.environment);
    here && (grant.services.is_empty() || grant.services.contains(&target.service))
}

/// Whether a person holds one of `roles` for a target; an empty list asks for no role.
pub fn holds(person: &Person, roles: &[RoleName], target: &Target) -> bool {
    roles.is_empty() || person.roles.iter().any(|grant| roles.contains(&grant.role) && covers(grant, target))
}

/// Whether an actor may act where one of `roles` is asked for.
///
/// An unverified actor (nobody is configured) has every role; a stranger among configured people has none, not even where no role is asked for.
pub fn may_act(actor: &Actor, people: &[Person], roles: &[RoleName], target: &Target) -> bool {
    match actor {
        Actor::Unverified(_) => true,
        Actor::Stranger(_) => false,
        Actor::Person(name) => people.iter().any(|person| &person.name == name && holds(person, roles, target)),
    }
}

/// The names of those who hold one of `roles` and are of one of `teams` and may approve a plan of `requester`: never the requester.
pub fn approvers(people: &[Person], roles: &[RoleName], teams: &[String], target: &Target, requester: &Actor) -> Vec<String> {
    let of_team = |person: &Person| teams.is_empty() || person.teams.iter().any(|team| teams.contains(team));
    people
        .iter()
        .filter(|person| of_team(person))
        .filter(|person| holds(person, roles, target) && !matches!(requester, Actor::Person(name) if name == &person.name))
        .map(|person| person.name.to_string())
        .collect()
}
