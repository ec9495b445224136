//! Sends a step: `sending` is recorded before the first byte leaves, the answer is recorded after.

use chrono::{DateTime, Utc};

use super::{ANSWER_WITHIN, Machine, Phase, number, reason_of};
use crate::control::task::Task;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::error::SendError;
use crate::model::plan::{Plan, StepEffect};
use crate::model::text::Text;
use crate::model::traffic::Weights;
use crate::ports::ledger::LedgerError;

impl Machine {
    pub(super) fn send(&mut self, step: usize) -> Vec<Task> {
        self.phase = Phase::Sending;
        let expect = self.expected(step);
        vec![Task::Send { plan: self.plan.id, step: number(step), expect, deadline: ANSWER_WITHIN }]
    }

    /// The weights that must stand where a step sets some: those that the plan was made on, or those that the step set which is taken back.
    pub(super) fn expected(&self, step: usize) -> Option<Weights> {
        if let Some(StepEffect::Weights { weights, .. }) =
            step.checked_sub(self.plan.order.effects.len()).and_then(|taken| self.plan.order.effects.get(taken))
        {
            return Some(weights.clone());
        }
        let StepEffect::Weights { backend, pool, .. } = self.plan.order.step(step)? else { return None };
        Plan::weights_found(&self.plan.preconditions, backend, pool)
    }

    pub(super) fn on_sending(&mut self, step: u32, result: &Result<DateTime<Utc>, LedgerError>) -> Vec<Task> {
        match result {
            Ok(at) => {
                self.deed.facts.sent = self.deed.facts.sent.or(Some(*at));
                self.deed.state = DeedState::Sent;
                self.deed.words = self.step(step).map_or_else(Text::empty, |one| one.words.clone());
                if let Some(one) = self.step(step) {
                    one.state = DeedState::Sent;
                    one.facts.sent = Some(*at);
                }
                Vec::new()
            }
            Err(error) => {
                // Nothing left the process: the refusal came before the first byte.
                self.deed.reasons = vec![reason_of(error)];
                if let Some(one) = self.step(step) {
                    one.state = DeedState::Failed;
                }
                let index = usize::try_from(step).unwrap_or(usize::MAX);
                if self.plan.order.is_back(index) && matches!(error, LedgerError::LostLease(_) | LedgerError::NoPlan(_)) {
                    return self.overtaken();
                }
                let lost = matches!(error, LedgerError::LostLease(_));
                let words = format!("stopped before step {}: {error}", step + 1);
                if lost {
                    self.ours = false;
                    self.end(DeedState::Failed, &words);
                    return Vec::new();
                }
                if self.goes_on(index) {
                    return self.surely_not(index, &words, None);
                }
                self.record(EntryKind::Failed, None, &words, true, None)
            }
        }
    }

    pub(super) fn on_answered(&mut self, step: u32, result: &Result<(), SendError>) -> Vec<Task> {
        if !matches!(self.phase, Phase::Sending) {
            return Vec::new();
        }
        match result {
            Ok(()) => self.record(EntryKind::Accepted, Some(step), "the backend accepted it", false, None),
            Err(error) => self.record_error(step, error),
        }
    }
}
