//! Outcomes are recorded first and go on the glass when they are durable.

use chrono::{DateTime, Utc};

use super::{Machine, Phase, RECORD_EVERY, number, reason_of};
use crate::control::task::Task;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::error::SendError;
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
        // An UNKNOWN that nothing settled keeps the cause that it began with.
        let began = step.filter(|_| kind == EntryKind::Unknown).and_then(|step| self.step(step)?.error.as_ref());
        let error = began.map(|error| error.port().clone());
        self.write(Outcome { kind, step, words: Text::clean(words), error, changes: Vec::new(), releases, held_due, no_help: false })
    }

    /// Records that the sending of a step failed: surely without effect, or nobody knows.
    pub(super) fn record_error(&mut self, step: u32, error: &SendError) -> Vec<Task> {
        if let Some(one) = self.step(step) {
            one.error = Some(error.clone());
        }
        let words = error.to_string();
        let told = Some(error.port().clone());
        match error {
            SendError::NotDone(_) => self.surely_not(usize::try_from(step).unwrap_or(usize::MAX), &words, told),
            SendError::Unknown(_) => self.write(Outcome {
                kind: EntryKind::Unknown,
                step: Some(step),
                words: Text::clean(&words),
                error: told,
                changes: Vec::new(),
                releases: false,
                held_due: None,
                no_help: false,
            }),
        }
    }

    pub(super) fn write(&mut self, outcome: Outcome) -> Vec<Task> {
        self.deed.words = outcome.words.clone();
        self.phase = Phase::Recording { outcome: Box::new(outcome.clone()) };
        vec![Task::Record { plan: self.plan.id, outcome }]
    }

    /// Tries again to record what could not be written.
    pub(super) fn record_again(&mut self, now: &Moment, outcome: Box<Outcome>, again: Boot) -> Vec<Task> {
        if now.boot < again {
            return Vec::new();
        }
        let task = Task::Record { plan: self.plan.id, outcome: (*outcome).clone() };
        self.phase = Phase::Recording { outcome };
        vec![task]
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
                self.not_recorded(now, error);
                return Vec::new();
            }
        };
        let Phase::Recording { outcome } = &self.phase else { return Vec::new() };
        if outcome.kind != kind {
            return Vec::new();
        }
        let releases = outcome.releases;
        if self.unwritten {
            self.deed.words = outcome.words.clone();
            self.deed.reasons.clear();
            self.deed.is_settled = false;
            self.unwritten = false;
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
                self.confirm_from(now, step);
                Vec::new()
            }
            EntryKind::Effective => match index {
                Some(step) => {
                    self.step_effective(step, at);
                    match (self.plan.order.is_back(step), self.is_last(step)) {
                        (true, _) => self.take_back(now),
                        (false, true) => self.finish_short(),
                        (false, false) if self.adopted => self.not_sent_on(step + 1),
                        (false, false) => self.send(step + 1),
                    }
                }
                None => self.effective(now, at),
            },
            EntryKind::Unknown => {
                let settled = self.deed.state == DeedState::Unknown;
                self.deed.state = DeedState::Unknown;
                if let Some(one) = index.and_then(|step| self.deed.steps.get_mut(step)) {
                    one.state = DeedState::Unknown;
                }
                let step = index.unwrap_or_default();
                if settled && !releases {
                    return self.past(step);
                }
                if settled || index.is_none() {
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
                match (index, kind) {
                    (Some(step), EntryKind::NotBegun) if !releases => self.back_again(now, step),
                    (Some(step), _) if !releases => self.after_failure(now, step),
                    _ => self.over(DeedState::Failed),
                }
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

    /// A deed whose process died is settled as far as it came; nothing more is sent of it.
    pub(super) fn not_sent_on(&mut self, step: usize) -> Vec<Task> {
        if self.has_moved(step) {
            return self.surely_not(step, &format!("its process died before step {}", step + 1), None);
        }
        let words = format!("its process died before step {}; the steps before it took effect; order the rest anew", step + 1);
        self.record(EntryKind::Failed, Some(number(step)), &words, true, None)
    }

    /// What happened is known here and could not be written: said on the glass, tried again while it may still be written.
    fn not_recorded(&mut self, now: &Moment, error: &LedgerError) {
        let Phase::Recording { outcome } = &self.phase else { return };
        let outcome = outcome.clone();
        // What was sent whole loses its lease to a way back alone, which does not wait for its effect.
        if matches!(error, LedgerError::LostLease(_)) && self.is_sent_whole() {
            return self.end(DeedState::Superseded, "a later deed on the target took over");
        }
        self.deed.words = Text::clean(&format!("{}; {error}", outcome.words));
        self.deed.reasons = vec![reason_of(error)];
        // For who waits it is over; written later, it goes on.
        self.deed.is_settled = true;
        self.unwritten = true;
        self.phase = match error {
            LedgerError::Unwritable(_) => Phase::Unrecorded { outcome, again: now.boot.plus(RECORD_EVERY) },
            LedgerError::Broken(_)
            | LedgerError::NoPlan(_)
            | LedgerError::Ambiguous(_)
            | LedgerError::NoGrant(_)
            | LedgerError::Expired(_)
            | LedgerError::Spent(_)
            | LedgerError::Busy { .. }
            | LedgerError::LostLease(_)
            | LedgerError::HeldBy { .. }
            | LedgerError::AlreadySent(_)
            | LedgerError::Denied(_)
            | LedgerError::Refused(_) => Phase::Ended,
        };
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
