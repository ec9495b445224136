//! Settles what another process left behind, and what an UNKNOWN left open: only by observing.

use std::time::Duration;

use super::confirm::{is_up, newest};
use super::{LOOK_EVERY, Machine, Phase, number, shown};
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::deed::{DeedState, DeedStep, EntryKind};
use crate::model::pipeline::RunState;
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::ports::ci::Found;
use crate::ports::ledger::OpenDeed;

/// What is said of a deed while this process takes it over from one that is gone.
pub fn taken_over(open: &OpenDeed) -> Text {
    // A verb ends once its deed is effective, and leaves the watch to whoever comes next.
    let watched = open.deed.facts.effective.is_some();
    Text::clean(if watched { "its process ended; the watch goes on here" } else { "its process died; settling by observation" })
}

impl Machine {
    /// A machine for a deed whose owner died; the store is asked for it first.
    pub fn adopting(world: &World, open: &OpenDeed, now: &Moment) -> Self {
        let mut deed = open.deed.clone();
        deed.words = taken_over(open);
        deed.elsewhere = false;
        let mut machine = Self::new(world, open.plan.clone(), deed, Phase::Adopting, now);
        machine.ours = false;
        machine.adopted = true;
        machine
    }

    pub(super) fn on_adopted(&mut self, now: &Moment, ours: bool) -> Vec<Task> {
        if !matches!(self.phase, Phase::Adopting) {
            return Vec::new();
        }
        if !ours {
            self.deed.elsewhere = true;
            self.phase = Phase::Ended;
            return Vec::new();
        }
        self.ours = true;
        self.renewed = now.boot;
        if let Some(effective) = self.deed.facts.effective {
            return self.resume_watch(now, effective);
        }
        let forward = self.plan.order.effects.len();
        if self.deed.steps.len() > forward {
            return self.take_back(now);
        }
        // A way back may have gone past a router that did not answer.
        let last = self.deed.steps.iter().rposition(|one| one.facts.sent.is_some());
        let over = |one: &DeedStep| one.facts.effective.is_some() || one.state == DeedState::Failed;
        let step = last.map_or(0, |last| if self.deed.steps.get(last).is_some_and(over) { last + 1 } else { last });
        if step >= forward {
            return self.finish_short();
        }
        let facts = self.deed.steps.get(step).map(|one| (one.facts.sent.is_some(), one.facts.accepted.is_some()));
        match facts {
            Some((true, true)) => {
                self.confirm_from(now, step);
                Vec::new()
            }
            Some((true, false)) => {
                self.deed.state = DeedState::Sent;
                self.phase = Phase::LookingUp { step, since: *now, until: now.boot.plus(self.lookup_within), looked: Boot(0) };
                Vec::new()
            }
            Some((false, _)) | None if step == 0 => self.record(
                EntryKind::NotBegun,
                Some(0),
                "its process died before anything was sent; order it again if it is still wished",
                true,
                None,
            ),
            Some((false, _)) | None => self.not_sent_on(step),
        }
    }

    /// Goes on with the hold watch of a process that ended; what lies between its effective and now is a gap unless it is short.
    fn resume_watch(&mut self, now: &Moment, effective: chrono::DateTime<chrono::Utc>) -> Vec<Task> {
        if !self.can_slip() {
            self.phase = Phase::Ended;
            return Vec::new();
        }
        let gone = (now.wall - effective).to_std().unwrap_or(Duration::ZERO);
        // Before this machine was started nobody here can have watched.
        if gone > now.boot.since(Boot(0)) {
            let words = format!("not watched since {}: the machine was started anew", effective.format("%H:%M:%SZ"));
            return self.record(EntryKind::Unwatched, None, &words, true, None);
        }
        let last = Boot(now.boot.0.saturating_sub(u64::try_from(gone.as_millis()).unwrap_or(u64::MAX)));
        let due = last.plus(self.hold_time);
        self.deed.held_due = Some(effective + chrono::TimeDelta::from_std(self.hold_time).unwrap_or_default());
        self.phase = Phase::Watching { due, last };
        Vec::new()
    }

    /// Looks what became of an effect whose answer was lost.
    pub(super) fn look_up(&mut self, world: &World, now: &Moment, step: usize, since: &Moment, until: Boot, looked: Boot) -> Vec<Task> {
        let Some(effect) = self.plan.order.step(step).cloned() else { return Vec::new() };
        let mut up = false;
        if let StepEffect::Weights { backend, pool, weights } = &effect {
            up = is_up(world, backend, until, looked, now);
            self.mark_end(until, now);
            if let Some((reading, seen)) = newest(world, backend)
                && seen.boot > since.boot
            {
                if reading.stands_at(pool, weights) {
                    self.deed.state = DeedState::Sent;
                    return self.record(
                        EntryKind::Accepted,
                        Some(number(step)),
                        "the answer was lost; a later reading shows the weights as set",
                        false,
                        None,
                    );
                }
                let before = self.expected(step);
                if before.as_ref().is_some_and(|before| reading.stands_at(pool, before)) {
                    if self.plan.order.is_back(step) && !self.again {
                        return self.send_back_again(step);
                    }
                    if self.goes_on(step) {
                        self.deed.state = DeedState::Sent;
                        return self.surely_not(step, "a later reading shows that it did not happen", None);
                    }
                    return self.record(
                        EntryKind::NotBegun,
                        Some(number(step)),
                        "a later reading shows that it did not happen; order it again if it is still wished",
                        true,
                        None,
                    );
                }
                self.deed.words = Text::clean(&format!("weights of {pool} are neither as before nor as wished"));
            }
        } else if let StepEffect::Workload { backend, change } = &effect {
            up = is_up(world, backend, until, looked, now);
            self.mark_end(until, now);
            if let Some(tasks) = self.look_up_workload(world, step, since, backend, change) {
                return tasks;
            }
        } else if let StepEffect::Flag { backend, .. } | StepEffect::Drain { backend, .. } | StepEffect::Silence { backend, .. } = &effect {
            up = is_up(world, backend, until, looked, now);
            self.mark_end(until, now);
            if let Some(tasks) = self.look_up_shown(world, &effect, step, since) {
                return tasks;
            }
        } else if looked == Boot(0) || now.boot >= looked.plus(LOOK_EVERY) {
            // The last look is at the end of the time or after it: the machine may have slept in between.
            up = looked >= until;
            if !up {
                self.phase = Phase::LookingUp { step, since: *since, until, looked: now.boot };
                return vec![self.look_task(step, effect)];
            }
        }
        if up {
            let many = self.plan.order.effects.len() > 1 && matches!(effect, StepEffect::Weights { .. });
            let stands = if many { format!("; {}; {}", self.stands(), self.press()) } else { String::new() };
            let words = format!(
                "not settled within {} s{}: look at {} and decide; it is not sent again{stands}",
                self.lookup_within.as_secs(),
                reads_now(world, &effect, since).unwrap_or_default(),
                effect.backend()
            );
            self.deed.state = DeedState::Unknown;
            return self.record(EntryKind::Unknown, Some(number(step)), &words, !self.goes_past(step), None);
        }
        Vec::new()
    }

    /// A step that takes back did not happen, as a reading shows: it is absolute and its key is free again, so it is sent once more.
    fn send_back_again(&mut self, step: usize) -> Vec<Task> {
        self.again = true;
        self.deed.state = DeedState::Sent;
        self.record(EntryKind::NotBegun, Some(number(step)), "a later reading shows that it was not taken back yet", false, None)
    }

    /// Sends a step that takes back once more.
    pub(super) fn back_again(&mut self, now: &Moment, step: usize) -> Vec<Task> {
        if let Some(one) = self.deed.steps.get_mut(step) {
            one.state = DeedState::Intended;
            one.facts.sent = None;
            one.error = None;
        }
        self.take_back(now)
    }

    /// After UNKNOWN the CI system shows what the effect made.
    pub(super) fn found_after_unknown(&mut self, step: usize, found: &Found) -> Vec<Task> {
        let stops = matches!(self.plan.order.effects.get(step), Some(StepEffect::Cancel { .. }));
        let words = match found {
            Found::Queued(request) => format!("the answer was lost; request {request} bears its key"),
            // A repetition bears no key: one that never ran may be an earlier one.
            Found::Closed { request, why } if matches!(self.plan.order.effects.get(step), Some(StepEffect::Retry { .. })) => {
                self.deed.words =
                    Text::clean(&format!("request {request} for a repetition ended without a run: {why}; it may be an earlier one"));
                return Vec::new();
            }
            // Another hand came first, and what is not sent yet will be refused: it did not happen by us, and will not.
            Found::Other { why } => {
                let words = format!("it did not happen by us: {why}");
                return self.record(EntryKind::NotBegun, Some(number(step)), &words, true, None);
            }
            Found::Closed { request, .. } => format!("the answer was lost; request {request} bears its key and ended without a run"),
            // A stop leaves no key: only a run that is cancelled shows that it happened, one that still runs is looked at again.
            Found::Run(run) if stops && run.state != RunState::Cancelled => {
                if run.state.is_over() {
                    let words = format!("run {} had ended by itself: {}", run.id, run.state.word());
                    return self.record(EntryKind::NotBegun, Some(number(step)), &words, true, None);
                }
                return Vec::new();
            }
            Found::Run(run) => format!("the answer was lost; run {} shows that it happened", run.id),
        };
        self.deed.state = DeedState::Sent;
        self.record(EntryKind::Accepted, Some(number(step)), &words, false, None)
    }
}

/// What a router was seen to show since of an effect that is neither done nor undone: killed between the raise and the lowering.
fn reads_now(world: &World, effect: &StepEffect, since: &Moment) -> Option<String> {
    if let Some(shown) = shown::since(world, effect, since) {
        return Some(format!(", {}", shown.stands));
    }
    let StepEffect::Weights { backend, pool, weights } = effect else { return None };
    let (reading, _) = newest(world, backend).filter(|(_, seen)| seen.boot > since.boot)?;
    let found = reading.pools.get(pool)?;
    let now: Vec<_> = weights.keys().filter_map(|name| Some(format!("{name} {}", found.server(name)?.weight))).collect();
    Some(format!(", {pool} reads {}", now.join(", ")))
}
