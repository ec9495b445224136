//! Which rules a plan is judged by: the room's own, and while changed ones are not accepted, the older ones too.

use std::sync::Arc;

use crate::control::planner;
use crate::control::world::{RulesView, World};
use crate::model::catalog::Catalog;
use crate::model::intent::Direction;
use crate::model::name::{PersonName, Target};
use crate::model::operator::Actor;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::rules::{Naming, RuleSet, RuleStanding};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::policy::calendar::Calendars;
use crate::policy::rules::{self, AskName};

/// The older rules as a plan of a target is judged by them beside the newer ones.
#[derive(Debug, Clone, PartialEq)]
pub struct ByOlder {
    /// Their digest.
    pub digest: String,
    /// The digest of both, which the Order bears.
    pub in_force: String,
    /// The room's catalog with them in it.
    pub catalog: Arc<Catalog>,
    /// Their windows and freezes.
    pub spans: Arc<Calendars>,
    /// Whether they say anything else for the target.
    pub differs: bool,
    /// The plan as it looks by them; none where they say the same, and for what is said about a plan.
    pub plan: Option<Box<Plan>>,
    /// Why nothing may be done by this person as long as they are not settled.
    pub against: Vec<Reason>,
}

/// The world as it would be by the accepted rules, while others wait to be accepted.
pub fn older(world: &World) -> Option<World> {
    let older = world.rules.older.as_ref()?;
    let (catalog, calendars) = (older.catalog.clone(), older.calendars.clone());
    Some(World { catalog, calendars, rules: RulesView::default(), ..world.clone() })
}

/// How a plan is judged by the older rules; none while no others wait.
pub fn by_older(world: &World, plan: &Plan, now: &Moment) -> Option<ByOlder> {
    let by = by_older_on(world, plan.target())?;
    if !by.differs {
        return Some(by);
    }
    let mut against = if plan.intent.requester == world.actor { by.against } else { Vec::new() };
    against.extend(measured(world, plan));
    let plan = older(world).map(|older| Box::new(planner::recheck(&older, plan, now)));
    Some(ByOlder { plan, against, ..by })
}

/// How what is said about a plan of a target is judged by the older rules; none while no others wait.
pub fn by_older_on(world: &World, target: &Target) -> Option<ByOlder> {
    let older = world.rules.older.as_ref()?;
    let differs = older.rules.digest_for(target) != world.catalog.rules_for(target);
    let is_known = !differs || is_same_person(world, &older.rules);
    Some(ByOlder {
        digest: older.digest.clone(),
        in_force: world.rules_in_force(target),
        catalog: older.catalog.clone(),
        spans: older.calendars.spans.clone(),
        differs,
        plan: None,
        against: if is_known { Vec::new() } else { vec![rules::stranger(&world.actor)] },
    })
}

/// What the checks of the service read was changed: by the older rules nobody can say what they would find.
fn measured(world: &World, plan: &Plan) -> Option<Reason> {
    let older = world.rules.older.as_ref()?;
    let target = plan.target();
    let checks = older.rules.gates(&target.environment).is_some_and(|gates| !gates.checks.is_empty());
    let same = older.rules.services.get(&target.service) == older.newer.services.get(&target.service);
    if plan.direction != Direction::Forward || !checks || same {
        return None;
    }
    let text = format!("what the checks of {} read was changed, and that is not accepted", target.service);
    Some(Reason::new("rules-changed", &text, "a policy-owner accepts it: gonogo policy accept"))
}

/// Whether the accepted rules take whoever is at the keys for the same person.
pub fn is_same_person(world: &World, older: &RuleSet) -> bool {
    world.rules.presented.as_ref().is_none_or(|presented| presented.actor(&older.people) == world.actor)
}

/// The persons who alone could have written the configuration.
pub fn authors(world: &World) -> Vec<PersonName> {
    let Some(older) = &world.rules.older else { return Vec::new() };
    let of = |user: &String| {
        let mut owners = older.rules.people.iter().filter(|person| person.os_user.as_ref() == Some(user));
        owners.next().filter(|_| owners.next().is_none()).map(|person| person.name.clone())
    };
    world.rules.writers.iter().filter_map(of).collect()
}

/// Who could accept the changed rules; empty when none wait.
pub fn acceptors(world: &World) -> Vec<String> {
    let Some(older) = &world.rules.older else { return Vec::new() };
    rules::acceptors(&older.rules, &older.newer, &world.rules.standing, &authors(world))
}

/// What `world.actor` says when putting a name under the changed rules.
pub fn naming(world: &World, words: Text) -> Naming {
    let standing = &world.rules.standing;
    let (digest, from) = (standing.current.clone(), standing.accepted.clone().unwrap_or_default());
    Naming { person: world.actor.to_string(), digest, from, words }
}

/// Everything but the store that says whether a name may be put under changed rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    actor: Actor,
    is_same_person: bool,
    authors: Vec<PersonName>,
    newer: Arc<RuleSet>,
    read_only: bool,
}

impl Asking {
    /// As the world stands.
    pub fn of(world: &World) -> Self {
        let older = world.rules.older.as_ref();
        Self {
            actor: world.actor.clone(),
            is_same_person: older.is_none_or(|older| is_same_person(world, &older.rules)),
            authors: authors(world),
            newer: Arc::new(older.map_or_else(|| RuleSet::of(&world.catalog), |older| older.newer.clone())),
            read_only: world.read_only,
        }
    }

    /// Whether the rules are accepted by this name, else one stands for them.
    ///
    /// # Errors
    /// The reasons why not.
    pub fn may(&self, stands: &RuleStanding, is_own_key: Option<bool>) -> Result<bool, Vec<Reason>> {
        let Self { actor, is_same_person, authors, newer, read_only } = self;
        rules::may_name(&AskName {
            stands,
            current: newer,
            actor,
            is_same_person: *is_same_person,
            authors,
            is_own_key,
            read_only: *read_only,
        })
    }
}
