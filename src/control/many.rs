//! One verb on many targets: which of them it means, in what order, and why it leaves the others out.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::map::Map;
use super::world::World;
use crate::model::intent::Verb;
use crate::model::name::{EnvironmentName, Target};
use crate::model::selection::Selection;
use crate::model::time::Moment;

/// What a verb means of many targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meant {
    /// Those that it is done to, in the order in which it is.
    pub targets: Vec<Target>,
    /// Those that it is not done to, and why.
    pub left: Vec<(Target, String)>,
}

/// Why a verb is of one target alone; none when it takes many.
///
/// What stops and what goes back may be asked for in one go. What goes forward is planned for one: each has its own evidence, and what
/// moves together is a set.
pub fn against(verb: Verb) -> Option<&'static str> {
    match verb {
        Verb::Hold | Verb::Resume | Verb::Abort | Verb::Rollback => None,
        Verb::Rollout | Verb::Promote => Some("what goes forward together is a set: `gonogo rollout start NAME`"),
        Verb::Shift | Verb::Start | Verb::Flag | Verb::Drain | Verb::Ready | Verb::Silence | Verb::Unsilence | Verb::Note => {
            Some("each target has a plan of its own")
        }
        Verb::Retry | Verb::Cancel | Verb::Approve | Verb::Reject => Some("it answers for one run or plan"),
    }
}

/// The targets that an expression selects, by environment and name.
pub fn selected(world: &World, selection: &Selection) -> Vec<Target> {
    let team = |target: &Target| world.catalog.services.get(&target.service).and_then(|service| service.team.clone());
    world.targets.keys().filter(|target| selection.selects(target, team(target).as_deref())).cloned().collect()
}

/// Whether a verb means any of these targets.
pub fn means_any<'a>(world: &World, verb: Verb, mut targets: impl Iterator<Item = &'a Target>) -> bool {
    against(verb).is_none() && targets.any(|target| already(world, verb, target).is_none())
}

/// What a verb means of these targets: not those that are so already. What stops begins in production; what goes back begins with the users.
pub fn meant(world: &World, verb: Verb, targets: Vec<Target>, now: &Moment) -> Meant {
    let mut meant = Meant::default();
    for target in targets {
        match already(world, verb, &target) {
            Some(why) => meant.left.push((target, why)),
            None => meant.targets.push(target),
        }
    }
    let production = |target: &Target| Reverse(world.catalog.environment(&target.environment).map_or(0, |environment| environment.order));
    meant.targets.sort_by_key(production);
    if matches!(verb, Verb::Abort | Verb::Rollback) {
        users_first(world, &mut meant.targets, now);
    }
    meant
}

fn already(world: &World, verb: Verb, target: &Target) -> Option<String> {
    let state = &world.target(target)?.state;
    match verb {
        Verb::Hold => state.hold.as_ref().map(|hold| format!("held already by {} since {}", hold.by, hold.since.format("%H:%M:%SZ"))),
        Verb::Resume => {
            let stopped = state.rollout.as_ref().and_then(|rollout| rollout.course.as_ref()?.stopped.as_ref());
            (state.hold.is_none() && stopped.is_none()).then(|| "not held".to_owned())
        }
        Verb::Abort | Verb::Rollback => state.rollout.is_none().then(|| "no rollout is under way".to_owned()),
        Verb::Shift
        | Verb::Promote
        | Verb::Rollout
        | Verb::Start
        | Verb::Retry
        | Verb::Cancel
        | Verb::Approve
        | Verb::Reject
        | Verb::Note
        | Verb::Flag
        | Verb::Drain
        | Verb::Ready
        | Verb::Silence
        | Verb::Unsilence => None,
    }
}

/// Users before those that they use, within each environment: nobody is left calling a version that is gone.
fn users_first(world: &World, targets: &mut [Target], now: &Moment) {
    let environments: BTreeSet<EnvironmentName> = targets.iter().map(|target| target.environment.clone()).collect();
    let maps: Vec<Map> = environments.iter().map(|environment| Map::of(world, environment, now)).collect();
    let production = |target: &Target| world.catalog.environment(&target.environment).map_or(0, |environment| environment.order);
    let place = |target: &Target| maps.iter().find(|map| map.environment == target.environment).and_then(|map| map.place(&target.service));
    targets.sort_by_key(|target| (Reverse(production(target)), target.environment.clone(), Reverse(place(target))));
}
