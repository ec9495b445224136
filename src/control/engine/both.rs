//! A service behind several routers moves at all of them or at none: what moved before a step that surely did not come about is taken
//! back, from the last to the first. A way back goes on at the routers that answer, and says where it did not arrive.

use super::{DEPLOY_WITHIN, Machine, Phase, number};
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::both::shown;
use crate::model::deed::{DeedState, DeedStep, EntryKind, Facts};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::intent::{Direction, Verb};
use crate::model::plan::StepEffect;
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::ports::ledger::Outcome;

use super::confirm::newest;

impl Machine {
    /// A step surely did not come about: it is recorded, and then what was moved before is taken back, or a way back goes on.
    pub(super) fn surely_not(&mut self, step: usize, words: &str, error: Option<PortError>) -> Vec<Task> {
        let goes_on = self.goes_on(step);
        if let Some(one) = self.deed.steps.get_mut(step).filter(|one| goes_on && one.error.is_none()) {
            let told = || PortError::new(PortErrorKind::Refused, one.effect.backend(), "carry out the step", words);
            one.error = Some(SendError::NotDone(error.clone().unwrap_or_else(told)));
        }
        let (kind, step) = (EntryKind::Failed, Some(number(step)));
        self.write(Outcome {
            kind,
            step,
            words: Text::clean(words),
            error,
            changes: Vec::new(),
            releases: !goes_on,
            held_due: None,
            no_help: false,
        })
    }

    /// Whether there is something left to do when a step did not come about.
    pub(super) fn goes_on(&self, step: usize) -> bool {
        self.plan.order.is_back(step) || self.has_moved(step) || self.goes_past(step) || self.fell_short()
    }

    /// Whether steps before this one moved what is to be taken back when it does not come about.
    pub(super) fn has_moved(&self, step: usize) -> bool {
        let back = self.plan.order.taken_back(step);
        !self.plan.order.is_back(step) && self.deed.steps.iter().take(back.len()).any(|one| one.facts.accepted.is_some())
    }

    /// Whether the next step of a way back is taken although this one did not come about: each router is taken back for itself.
    pub(super) fn goes_past(&self, step: usize) -> bool {
        self.plan.direction == Direction::Back
            && self.plan.order.percent == Some(Percent::NONE)
            && matches!(self.plan.order.effects.get(step), Some(StepEffect::Weights { .. }))
            && !self.is_last(step)
            && !self.adopted
    }

    /// Whether a step of a way back did not come about and it went on.
    pub(super) fn fell_short(&self) -> bool {
        let short = |one: &DeedStep| matches!(one.state, DeedState::Failed | DeedState::Unknown);
        self.plan.direction == Direction::Back && self.deed.steps.len() > 1 && self.deed.steps.iter().any(short)
    }

    /// An accepted step was not seen in time. What may stand there is not taken back blindly: only what reads as before surely did not
    /// happen.
    pub(super) fn not_effective(&mut self, world: &World, since: &Moment, step: usize, words: &str) -> Vec<Task> {
        if self.has_moved(step) && !self.reads_as_before(world, since, step) {
            let words = format!("{words}; nothing is taken back blindly: {}; {}", self.stands(), self.press());
            return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
        }
        self.surely_not(step, words, None)
    }

    fn reads_as_before(&self, world: &World, since: &Moment, step: usize) -> bool {
        let Some(StepEffect::Weights { backend, pool, .. }) = self.plan.order.step(step) else { return false };
        let seen = newest(world, backend).filter(|(_, seen)| seen.boot > since.boot);
        matches!((seen, self.expected(step)), (Some((reading, _)), Some(before)) if reading.stands_at(pool, &before))
    }

    /// A failed step is on record: goes on with what follows from it.
    pub(super) fn after_failure(&mut self, now: &Moment, step: usize) -> Vec<Task> {
        if self.plan.order.is_back(step) {
            return self.stranded();
        }
        if self.has_moved(step) {
            let steps = self.plan.order.taken_back(step).iter().map(|effect| taking_back(effect, Facts::default()));
            self.deed.steps.extend(steps.collect::<Vec<_>>());
            return self.take_back(now);
        }
        self.past(step)
    }

    /// The next step of a way back after one that did not come about.
    pub(super) fn past(&mut self, step: usize) -> Vec<Task> {
        if self.is_last(step) { self.finish_short() } else { self.send(step + 1) }
    }

    /// Takes back what is not taken back yet, the last first; observes what was sent already.
    pub(super) fn take_back(&mut self, now: &Moment) -> Vec<Task> {
        let forward = self.plan.order.effects.len();
        let next =
            (forward..self.deed.steps.len()).rev().find(|step| self.deed.steps.get(*step).is_some_and(|one| one.facts.effective.is_none()));
        let Some((step, one)) = next.and_then(|step| Some((step, self.deed.steps.get(step)?))) else {
            let words = format!("{}; taken back: {}", self.why(), self.stands());
            return self.record(EntryKind::Failed, None, &words, true, None);
        };
        match (one.state, one.facts.sent.is_some(), one.facts.accepted.is_some()) {
            (DeedState::Failed, ..) => return self.stranded(),
            (_, true, true) => self.confirm_from(now, step),
            (_, true, false) => {
                self.deed.state = DeedState::Sent;
                self.phase = Phase::LookingUp { step, since: *now, until: now.boot.plus(self.lookup_within), looked: Boot(0) };
            }
            (_, false, _) => return self.send(step),
        }
        Vec::new()
    }

    /// Waits until an accepted step is seen.
    pub(super) fn confirm_from(&mut self, now: &Moment, step: usize) {
        let within = if self.waits_for_run(step) || self.waits_for_instances(step) { DEPLOY_WITHIN } else { self.effective_within };
        self.phase = Phase::Confirming { step, since: *now, until: now.boot.plus(within), baseline: None, looked: Boot(0) };
    }

    /// What was to be taken back could not be: a person decides.
    fn stranded(&mut self) -> Vec<Task> {
        let words = format!("{}; it could not be taken back: {}; {}", self.why(), self.stands(), self.press());
        self.deed.state = DeedState::Unknown;
        self.record(EntryKind::Unknown, None, &words, true, None)
    }

    /// A later deed has the target: this one takes nothing back any more.
    pub(super) fn overtaken(&mut self) -> Vec<Task> {
        let words = format!("{}; a later deed took over before it was taken back: {}", self.why(), self.stands());
        self.record(EntryKind::Failed, None, &words, true, None)
    }

    /// A way back is over and did not arrive everywhere.
    pub(super) fn finish_short(&mut self) -> Vec<Task> {
        let unknown = self.deed.steps.iter().any(|one| one.state == DeedState::Unknown);
        let kind = if unknown { EntryKind::Unknown } else { EntryKind::Failed };
        if unknown {
            self.deed.state = DeedState::Unknown;
        }
        let words = format!("{}; {}; {} when it answers sends the rest", self.why(), self.stands(), self.press());
        self.record(kind, None, &words, true, None)
    }

    /// Why the first step that fell did.
    fn why(&self) -> String {
        let fell = self.deed.steps.iter().find(|one| matches!(one.state, DeedState::Failed | DeedState::Unknown));
        match fell.and_then(|one| one.error.as_ref()) {
            Some(error) => error.to_string(),
            None => "a step did not come about".to_owned(),
        }
    }

    /// What a person can do about it.
    pub(super) fn press(&self) -> String {
        let (target, verb) = (self.plan.target(), self.plan.intent.verb);
        match (self.plan.direction, &self.plan.undo, self.plan.order.percent) {
            (Direction::Forward, Some(undo), _) => format!("gonogo {undo}"),
            (Direction::Forward, None, _) => format!("gonogo abort {target}"),
            (Direction::Back | Direction::Release | Direction::Still, _, Some(percent)) if verb == Verb::Shift => {
                format!("gonogo shift {target} {percent}")
            }
            (Direction::Back | Direction::Release | Direction::Still, ..) => format!("gonogo {} {target}", verb.word()),
        }
    }

    /// What stands at each router, as far as this deed knows.
    pub(super) fn stands(&self) -> String {
        let forward = self.plan.order.effects.len();
        let told = self.plan.order.effects.iter().enumerate().filter_map(|(step, effect)| {
            let StepEffect::Weights { backend, weights, .. } = effect else { return None };
            let (set, one) = (shown(weights), self.deed.steps.get(step)?);
            let back = self.deed.steps.get(forward + step).and_then(|back| match &back.effect {
                StepEffect::Weights { weights, .. } => Some((back, shown(weights))),
                StepEffect::Start { .. }
                | StepEffect::Flag { .. }
                | StepEffect::Drain { .. }
                | StepEffect::Silence { .. }
                | StepEffect::Retry { .. }
                | StepEffect::Repeat { .. }
                | StepEffect::Answer { .. }
                | StepEffect::Workload { .. }
                | StepEffect::Cancel { .. } => None,
            });
            Some(match back {
                Some((back, before)) if back.facts.effective.is_some() => format!("{backend} at {before} again"),
                Some((back, before)) if matches!(back.state, DeedState::Sent | DeedState::Accepted | DeedState::Unknown) => {
                    format!("{backend} at {set} or at {before}, nobody knows")
                }
                Some((back, _)) if back.state == DeedState::Failed => {
                    let why = back.error.as_ref().map_or_else(String::new, |error| format!(" ({error})"));
                    format!("{backend} was set to {set} and is not taken back{why}")
                }
                Some(_) => format!("{backend} still at {set}"),
                None if one.facts.effective.is_some() => format!("{backend} at {set}"),
                None if one.state == DeedState::Failed && one.facts.accepted.is_some() => {
                    format!("{backend} took {set} and was not seen there")
                }
                None if matches!(one.state, DeedState::Failed | DeedState::Intended) => format!("{backend} not moved"),
                None => format!("{backend} at {set} or as before, nobody knows"),
            })
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

/// A step that takes another one back.
fn taking_back(effect: &StepEffect, facts: Facts) -> DeedStep {
    let words = Text::clean(&format!("take back: {}", crate::control::planner::words(effect)));
    DeedStep { effect: effect.clone(), words, state: DeedState::Intended, facts, error: None, seen: None }
}
