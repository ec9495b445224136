//! Outcomes are recorded first and go on the glass when they are durable.

use chrono::{DateTime, Utc};

use super::{DEPLOY_WITHIN, Machine, Phase, reason_of};
use crate::control::task::Task;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::ports::ledger::{LedgerError, Outcome};

impl Machine {
    /// Records an outcome; the machine goes on when it is durable.
    pub(super) fn record(
        &mut self,
        kind: EntryKind,
        step: Option<u32>,
        words: &str,
        releases: bool,
        held_due: Option<DateTime<Utc>>,
    ) -> Vec<Task> {
        self.phase = Phase::Recording { kind };
        let outcome = Outcome { kind, step, words: Text::clean(words), changes: Vec::new(), releases, held_due };
        self.deed.words = outcome.words.clone();
        vec![Task::Record { plan: self.plan.id, outcome }]
    }

    pub(super) fn on_recorded(
        &mut self,
        now: &Moment,
        kind: EntryKind,
        step: Option<u32>,
        result: &Result<DateTime<Utc>, LedgerError>,
    ) -> Vec<Task> {
        let at = match result {
            Ok(at) => *at,
            Err(error) => {
                // What happened is known here and could not be written: said on the glass, settled by the next start.
                self.deed.words = Text::clean(&format!("{}; {error}", self.deed.words));
                self.deed.reasons = vec![reason_of(error)];
                self.deed.is_settled = true;
                self.phase = Phase::Ended;
                return Vec::new();
            }
        };
        if !matches!(&self.phase, Phase::Recording { kind: awaited, .. } if *awaited == kind) {
            return Vec::new();
        }
        let index = step.and_then(|step| usize::try_from(step).ok());
        match kind {
            EntryKind::Accepted => {
                let step = index.unwrap_or_default();
                if let Some(one) = self.deed.steps.get_mut(step) {
                    one.state = DeedState::Accepted;
                    one.facts.accepted = Some(at);
                }
                if self.deed.steps.iter().all(|one| one.facts.accepted.is_some()) {
                    self.deed.facts.accepted = Some(at);
                    self.deed.state = DeedState::Accepted;
                }
                let within = if self.waits_for_run(step) { DEPLOY_WITHIN } else { self.effective_within };
                self.phase = Phase::Confirming { step, since: *now, until: now.boot.plus(within), baseline: None, looked: Boot(0) };
                Vec::new()
            }
            EntryKind::Effective => match index {
                Some(step) => {
                    self.step_effective(step, at);
                    self.send(step + 1)
                }
                None => self.effective(now, at),
            },
            EntryKind::Unknown => {
                let step = index.unwrap_or_default();
                let settled = self.deed.state == DeedState::Unknown;
                self.deed.state = DeedState::Unknown;
                if let Some(one) = self.deed.steps.get_mut(step) {
                    one.state = DeedState::Unknown;
                }
                if settled {
                    self.deed.is_settled = true;
                    self.phase = Phase::Ended;
                } else {
                    self.phase = Phase::LookingUp { step, since: *now, until: now.boot.plus(self.lookup_within), looked: Boot(0) };
                }
                Vec::new()
            }
            EntryKind::Held => {
                self.deed.facts.held = Some(at);
                for one in &mut self.deed.steps {
                    one.facts.held = Some(at);
                    one.state = DeedState::Held;
                }
                self.over(DeedState::Held)
            }
            EntryKind::Slipped => self.over(DeedState::Slipped),
            EntryKind::Unwatched => self.over(DeedState::Unwatched),
            EntryKind::Superseded => self.over(DeedState::Superseded),
            EntryKind::Failed | EntryKind::NotBegun => {
                if let Some(one) = index.and_then(|step| self.deed.steps.get_mut(step)) {
                    one.state = DeedState::Failed;
                }
                self.over(DeedState::Failed)
            }
            EntryKind::Signers
            | EntryKind::Intent
            | EntryKind::Denied
            | EntryKind::Approval
            | EntryKind::Rejection
            | EntryKind::Withdrawal
            | EntryKind::Sending
            | EntryKind::Hold
            | EntryKind::Resume
            | EntryKind::Note
            | EntryKind::Policy
            | EntryKind::BreakGlass
            | EntryKind::Imported => Vec::new(),
        }
    }

    pub(super) fn step_effective(&mut self, step: usize, at: DateTime<Utc>) {
        if let Some(one) = self.deed.steps.get_mut(step) {
            one.state = DeedState::Effective;
            one.facts.effective = Some(at);
        }
    }

    /// The whole deed is effective: watched for the hold time where there is something that could slip back.
    pub(super) fn effective(&mut self, now: &Moment, at: DateTime<Utc>) -> Vec<Task> {
        for step in 0..self.deed.steps.len() {
            if self.deed.steps.get(step).is_some_and(|one| one.facts.effective.is_none()) {
                self.step_effective(step, at);
            }
        }
        self.deed.facts.effective = Some(at);
        self.deed.state = DeedState::Effective;
        if self.can_slip() {
            let due = now.boot.plus(self.hold_time);
            self.deed.held_due = Some(now.plus(self.hold_time).wall);
            self.phase = Phase::Watching { due, last: now.boot };
        } else {
            self.phase = Phase::Ended;
        }
        Vec::new()
    }
}
