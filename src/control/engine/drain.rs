//! Servers of a deed: seen as set, seen as before, or neither; only readings decide.

use super::confirm::{is_up, newest};
use super::{Machine, number};
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::traffic::{Server, ServerState, TrafficReading};

impl Machine {
    /// Looks whether a server reads as it was set.
    pub(super) fn confirm_drain(
        &mut self,
        world: &World,
        now: &Moment,
        step: usize,
        since: &Moment,
        until: Boot,
        looked: Boot,
    ) -> Vec<Task> {
        let Some(effect) = self.plan.order.step(step).cloned() else { return Vec::new() };
        if let Some(server) = read_since(world, &effect, since)
            && is_as_set(&effect, &server)
        {
            return self.seen_effective(now, step, &format!("reads back as set: {}", told(&server)));
        }
        if is_up(world, effect.backend(), until, looked, now) {
            let words = format!("accepted, but not seen within {} s", self.effective_within.as_secs());
            return self.not_effective(world, since, step, &words);
        }
        self.mark_end(until, now);
        Vec::new()
    }

    /// Looks what became of a server whose answer was lost; none: nothing tells yet.
    pub(super) fn look_up_drain(&mut self, world: &World, effect: &StepEffect, step: usize, since: &Moment) -> Option<Vec<Task>> {
        let StepEffect::Drain { was, .. } = effect else { return None };
        let server = read_since(world, effect, since)?;
        if is_as_set(effect, &server) {
            self.deed.state = DeedState::Sent;
            let words = "the answer was lost; a later reading shows the server as set";
            return Some(self.record(EntryKind::Accepted, Some(number(step)), words, false, None));
        }
        if server.state.by_word() == *was {
            let words = "a later reading shows that it did not happen; order it again if it is still wished";
            return Some(self.record(EntryKind::NotBegun, Some(number(step)), words, true, None));
        }
        self.deed.words = Text::clean(&format!("{} is {}: neither as before nor as wished", server.name, server.state.words()));
        None
    }
}

fn told(server: &Server) -> String {
    format!("{} is {}, {} requests under way", server.name, server.state.words(), server.current)
}

/// What a server was read as, by a reading that was asked for since.
pub(super) fn read_since(world: &World, effect: &StepEffect, since: &Moment) -> Option<Server> {
    let StepEffect::Drain { backend, pool, server, .. } = effect else { return None };
    let (reading, seen) = newest(world, backend)?;
    (seen.boot > since.boot).then(|| reading.server(pool, server).cloned()).flatten()
}

fn is_as_set(effect: &StepEffect, server: &Server) -> bool {
    let StepEffect::Drain { drains, .. } = effect else { return false };
    server.state.by_word() == if *drains { ServerState::Draining } else { ServerState::Up }
}

/// How a server stands that no longer stands as an effect set it; none when it does.
pub(super) fn slipped(reading: &TrafficReading, effect: &StepEffect) -> Option<String> {
    let StepEffect::Drain { pool, server, .. } = effect else { return None };
    match reading.server(pool, server) {
        None => Some(format!("is no longer in {pool}")),
        Some(server) if is_as_set(effect, server) => None,
        Some(server) => Some(format!("is {}", server.state.words())),
    }
}
