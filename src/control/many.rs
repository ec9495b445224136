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

/// What can be asked for of many targets in one go: what stops, and what goes back.
///
/// What brings a new version forward is planned for one: each has its own evidence, and what moves together is a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManyVerb {
    /// Nothing moves them forward.
    Hold,
    /// They may go forward again.
    Resume,
    /// Their rollouts end.
    Abort,
    /// They go back.
    Rollback,
}

impl ManyVerb {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Resume, Self::Abort, Self::Rollback];

    /// The verb, as it is asked for of one target.
    pub fn verb(self) -> Verb {
        match self {
            Self::Hold => Verb::Hold,
            Self::Resume => Verb::Resume,
            Self::Abort => Verb::Abort,
            Self::Rollback => Verb::Rollback,
        }
    }

    /// The same of many targets.
    ///
    /// # Errors
    /// Why that verb is of one target alone.
    pub fn of(verb: Verb) -> Result<Self, &'static str> {
        let found = Self::ALL.into_iter().find(|many| many.verb() == verb);
        found.ok_or(if matches!(verb, Verb::Rollout | Verb::Promote) {
            "what goes forward together is a set: `gonogo rollout start NAME`"
        } else if verb.is_of_a_run() {
            "it answers for one run or plan"
        } else {
            "each target has a plan of its own"
        })
    }

    /// Whether it lets them go forward: then all of them or none.
    pub fn goes_forward(self) -> bool {
        self == Self::Resume
    }
}

/// The targets that an expression selects, by environment and name.
pub fn selected(world: &World, selection: &Selection) -> Vec<Target> {
    world.targets.keys().filter(|target| world.catalog.selects(selection, target)).cloned().collect()
}

/// Whether a verb means any of these targets.
pub fn means_any<'a>(world: &World, verb: ManyVerb, mut targets: impl Iterator<Item = &'a Target>) -> bool {
    targets.any(|target| already(world, verb, target).is_none())
}

/// What a verb means of these targets: not those that are so already. What stops begins in production; what goes back begins with the users.
pub fn meant(world: &World, verb: ManyVerb, targets: Vec<Target>, now: &Moment) -> Meant {
    let mut meant = Meant::default();
    for target in targets {
        match already(world, verb, &target) {
            Some(why) => meant.left.push((target, why)),
            None => meant.targets.push(target),
        }
    }
    let production = |target: &Target| Reverse(world.catalog.environment(&target.environment).map_or(0, |environment| environment.order));
    meant.targets.sort_by_key(production);
    if matches!(verb, ManyVerb::Abort | ManyVerb::Rollback) {
        users_first(world, &mut meant.targets, now);
    }
    meant
}

fn already(world: &World, verb: ManyVerb, target: &Target) -> Option<String> {
    let state = &world.target(target)?.state;
    match verb {
        ManyVerb::Hold => state.hold.as_ref().map(|hold| format!("held already by {} since {}", hold.by, hold.since.format("%H:%M:%SZ"))),
        ManyVerb::Resume => {
            let stopped = state.rollout.as_ref().and_then(|rollout| rollout.course.as_ref()?.stopped.as_ref());
            (state.hold.is_none() && stopped.is_none()).then(|| "not held".to_owned())
        }
        ManyVerb::Abort | ManyVerb::Rollback => state.rollout.is_none().then(|| "no rollout is under way".to_owned()),
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
