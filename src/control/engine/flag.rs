//! Flags of a deed: seen as set, seen as before, or neither; only readings decide.

use std::sync::Arc;

use super::confirm::is_up;
use super::{Machine, number};
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::flag::{FlagMark, FlagReading};
use crate::model::name::BackendName;
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};

impl Machine {
    /// Looks whether a flag reads as it was set.
    pub(super) fn confirm_flag(
        &mut self,
        world: &World,
        now: &Moment,
        step: usize,
        since: &Moment,
        until: Boot,
        looked: Boot,
    ) -> Vec<Task> {
        let Some(effect) = self.plan.order.step(step).cloned() else { return Vec::new() };
        if let Some(mark) = read_since(world, &effect, since)
            && is_as_set(&effect, &mark)
        {
            let words = format!("reads back as set: {}; programs follow when they ask for flags next", mark.words());
            return self.seen_effective(now, step, &words);
        }
        if is_up(world, effect.backend(), until, looked, now) {
            let words = format!("accepted, but not seen within {} s", self.effective_within.as_secs());
            return self.not_effective(world, since, step, &words);
        }
        self.mark_end(until, now);
        Vec::new()
    }

    /// Looks what became of a flag whose answer was lost; none: nothing tells yet.
    pub(super) fn look_up_flag(&mut self, world: &World, effect: &StepEffect, step: usize, since: &Moment) -> Option<Vec<Task>> {
        let StepEffect::Flag { flag, was, .. } = effect else { return None };
        let mark = read_since(world, effect, since)?;
        if is_as_set(effect, &mark) {
            self.deed.state = DeedState::Sent;
            let words = "the answer was lost; a later reading shows the flag as set";
            return Some(self.record(EntryKind::Accepted, Some(number(step)), words, false, None));
        }
        if mark == *was {
            let words = "a later reading shows that it did not happen; order it again if it is still wished";
            return Some(self.record(EntryKind::NotBegun, Some(number(step)), words, true, None));
        }
        self.deed.words = Text::clean(&format!("{} is {}: neither as before nor as wished", flag.name, mark.words()));
        None
    }
}

/// What a flag was read as, by a reading that was asked for since.
pub(super) fn read_since(world: &World, effect: &StepEffect, since: &Moment) -> Option<FlagMark> {
    let StepEffect::Flag { backend, flag, .. } = effect else { return None };
    let (reading, seen) = newest_flags(world, backend)?;
    (seen.boot > since.boot).then(|| reading.state(flag).map(|state| state.mark.clone())).flatten()
}

/// Whether a flag stands as an effect sets it.
pub(super) fn is_as_set(effect: &StepEffect, mark: &FlagMark) -> bool {
    matches!(effect, StepEffect::Flag { on, percent, .. } if mark.is(*on, *percent))
}

/// The newest good reading of a flag service and when it was asked for.
pub(super) fn newest_flags(world: &World, backend: &BackendName) -> Option<(Arc<FlagReading>, Moment)> {
    let fact = world.flags(backend)?;
    Some((fact.value.clone()?, fact.seen?))
}
