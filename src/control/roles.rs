//! Roles that whoever is at the keys may take for a while: what is offered, what would lift a denial, and which ones run.

use std::time::Duration;

use crate::control::gate;
use crate::control::world::{Heard, World};
use crate::model::name::RoleName;
use crate::model::operator::{Actor, Person};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::self_service::{GrantState, OnGrant, Place, Saying, SelfGrant};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy::allowance;
use crate::policy::grant::holders;
use crate::policy::role::{Act, holds, rule_for};
use crate::ports::ledger::LedgerError;

/// A role that whoever is at the keys may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The role.
    pub role: RoleName,
    /// Where.
    pub place: Place,
    /// The longest time without a pause.
    pub at_most: Duration,
    /// The pause after which the time begins anew.
    pub pause: Duration,
    /// How much of it is left now, in whole minutes; zero when a pause comes first.
    pub left: Duration,
    /// How many others who hold it must agree before it counts.
    pub approvals: u32,
    /// Those others, in a sentence.
    pub holders: String,
}

fn person(world: &World) -> Option<&Person> {
    let Actor::Person(name) = &world.actor else { return None };
    world.catalog.people.iter().find(|person| &person.name == name)
}

fn offer(world: &World, person: &Person, role: &RoleName, place: &Place, now: &Moment) -> Option<Offer> {
    let environment = world.catalog.environment(&place.environment)?;
    let rule = rule_for(&environment.self_service, person, role, place)?;
    if holds(person, std::slice::from_ref(role), place) {
        return None;
    }
    Some(Offer {
        role: role.clone(),
        place: place.clone(),
        at_most: rule.at_most,
        pause: rule.pause,
        left: allowance::left(rule, person, &environment.name, &world.grants, &now.wall),
        approvals: rule.approvals,
        holders: holders(&world.catalog.people, role, place),
    })
}

/// What whoever is at the keys may take, in the order of the configuration; nothing that is held by configuration.
pub fn offers(world: &World, now: &Moment) -> Vec<Offer> {
    let Some(person) = person(world) else { return Vec::new() };
    let mut offers: Vec<Offer> = Vec::new();
    for environment in &world.catalog.environments {
        for rule in &environment.self_service {
            let of = |service| Place { environment: environment.name.clone(), service };
            let places: Vec<Place> =
                if rule.services.is_empty() { vec![of(None)] } else { rule.services.iter().cloned().map(Some).map(of).collect() };
            for found in places.iter().filter_map(|place| offer(world, person, &rule.role, place, now)) {
                if !offers.iter().any(|known| known.role == found.role && known.place == found.place) {
                    offers.push(found);
                }
            }
        }
    }
    offers
}

/// The role that whoever is at the keys could take to lift the denial of a plan; none when a role is not what it lacks, when none is
/// offered, or when it was asked for already and others must still agree.
pub fn lifting(world: &World, plan: &Plan, verdict: &Verdict, now: &Moment) -> Option<Offer> {
    let denied = matches!(verdict, Verdict::Deny(_)) && plan.order.break_glass.is_none();
    let (person, target) = (person(world).filter(|_| denied && plan.intent.requester == world.actor)?, plan.target());
    let roles = &world.catalog.guard(target)?.protection.actor_roles;
    if gate::roles(world, target, now.wall).may(&world.actor, Act::Act, roles, target) {
        return None;
    }
    let asked = |grant: &&SelfGrant| grant.person == person.name && roles.contains(&grant.role) && grant.place.covers(target);
    if running(world, now).into_iter().filter(asked).any(|grant| grant.state(&now.wall) == GrantState::Asked) {
        return None;
    }
    let offers = roles.iter().filter_map(|role| offer(world, person, role, &target.into(), now));
    offers.filter(|offer| !offer.left.is_zero()).max_by_key(|offer| std::cmp::Reverse(offer.approvals))
}

/// The grants that run or wait for the agreement of others, the first to end first.
pub fn running<'a>(world: &'a World, now: &Moment) -> Vec<&'a SelfGrant> {
    let runs = |grant: &&SelfGrant| matches!(grant.state(&now.wall), GrantState::Asked | GrantState::Granted);
    let mut all: Vec<&SelfGrant> = world.grants.iter().filter(runs).collect();
    all.sort_by(|one, other| (one.until, &one.id).cmp(&(other.until, &other.id)));
    all
}

/// Whether anybody has a role for a while, or whoever is at the keys could take one.
pub fn are_of_use(world: &World, now: &Moment) -> bool {
    !running(world, now).is_empty() || !offers(world, now).is_empty()
}

/// The reasons for which the store refused what was said; none when it did not refuse it by policy.
pub fn refused(heard: &Heard) -> Option<&[Reason]> {
    if let Err(LedgerError::Refused(reasons)) = &heard.result { Some(reasons) } else { None }
}

/// What whoever is at the keys says of a grant: agrees to it, or takes it back.
pub fn said_of(world: &World, grant: &SelfGrant, agrees: bool, words: Text) -> Saying {
    let on = OnGrant { grant: grant.id.clone(), person: world.actor.to_string(), words };
    if agrees { Saying::Agree(on) } else { Saying::Revoke(on) }
}
