//! Effects of which a reading tells all, flags, servers of a router and silences: seen as set, seen as before, or neither; only readings decide.

use super::as_read::AsRead;
use super::confirm::is_up;
use super::{Machine, drain, flag, number, silence};
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};

/// What the newest reading that was asked for since shows of an effect; none where there is none, or for other effects.
pub(super) fn since(world: &World, effect: &StepEffect, since: &Moment) -> Option<AsRead> {
    flag::shown(world, effect, since).or_else(|| drain::shown(world, effect, since)).or_else(|| silence::shown(world, effect, since))
}

impl Machine {
    /// Looks whether it reads as it was set.
    pub(super) fn confirm_shown(
        &mut self,
        world: &World,
        now: &Moment,
        step: usize,
        asked: &Moment,
        until: Boot,
        looked: Boot,
    ) -> Vec<Task> {
        let Some(effect) = self.plan.order.step(step).cloned() else { return Vec::new() };
        if let Some(shown) = since(world, &effect, asked).filter(|shown| shown.as_set) {
            return self.seen_effective(now, step, &format!("reads back as set: {}{}", shown.stands, shown.then));
        }
        if is_up(world, effect.backend(), until, looked, now) {
            let words = format!("accepted, but not seen within {} s", self.effective_within.as_secs());
            return self.not_effective(world, asked, step, &words);
        }
        self.mark_end(until, now);
        Vec::new()
    }

    /// Looks what became of it where the answer was lost; none: nothing tells yet.
    pub(super) fn look_up_shown(&mut self, world: &World, effect: &StepEffect, step: usize, asked: &Moment) -> Option<Vec<Task>> {
        let shown = since(world, effect, asked)?;
        if shown.as_set {
            self.deed.state = DeedState::Sent;
            let words = format!("the answer was lost; a later reading shows the {} as set", shown.what);
            return Some(self.record(EntryKind::Accepted, Some(number(step)), &words, false, None));
        }
        if shown.as_before {
            let words = "a later reading shows that it did not happen; order it again if it is still wished";
            return Some(self.record(EntryKind::NotBegun, Some(number(step)), words, true, None));
        }
        self.deed.words = Text::clean(&format!("{}: neither as before nor as wished", shown.stands));
        None
    }
}
