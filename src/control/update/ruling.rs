//! Rulings: what operators say about stored plans, on its way to the ledger and back.

use std::sync::Arc;

use super::Room;
use crate::control::gate;
use crate::control::rules;
use crate::control::task::Task;
use crate::control::world::Ruled;
use crate::model::approval::{Decision, Ruling};
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::ports::ledger::LedgerError;
use crate::ports::signer::{SignError, Signed};

/// Rulings that the world keeps.
const RULINGS: usize = 20;

impl Room {
    pub(super) fn on_rule(&mut self, ruling: Ruling) -> Vec<Task> {
        match gate::signing_keys(&self.world, &ruling.target) {
            Some(keys) => vec![Task::SignRuling { ruling, keys }],
            None => vec![self.rule(ruling, None)],
        }
    }

    fn rule(&self, ruling: Ruling, signed: Option<Signed>) -> Task {
        let (actor, catalog) = (self.world.actor.clone(), self.world.catalog.clone());
        let older = rules::by_older_on(&self.world, &ruling.target).map(Box::new);
        Task::Rule { ruling, actor, signed, catalog, read_only: self.world.read_only, older }
    }

    pub(super) fn on_ruling_signed(&mut self, now: &Moment, ruling: Ruling, result: Result<Signed, SignError>) -> Vec<Task> {
        match result {
            Ok(signed) => vec![self.rule(ruling, Some(signed))],
            // What cannot be signed is asked of the ledger all the same: there it is refused, and the attempt recorded.
            Err(error) => {
                let (target, person) = (ruling.target.clone(), ruling.person.clone());
                let mut tasks = self.say(now, HappeningKind::Deed, Some(target), &error.to_string(), &person);
                tasks.push(self.rule(ruling, None));
                tasks
            }
        }
    }

    pub(super) fn on_ruled(
        &mut self,
        now: &Moment,
        ruling: Ruling,
        result: Result<chrono::DateTime<chrono::Utc>, LedgerError>,
    ) -> Vec<Task> {
        let target = ruling.target.clone();
        let what = match ruling.decision {
            Decision::Approve => "approval",
            Decision::Reject => "rejection",
            Decision::Withdraw => "withdrawal",
        };
        let words = if ruling.words.is_empty() { String::new() } else { format!(": {}", ruling.words) };
        let text = match &result {
            Ok(_) => format!("{what} of plan {}{words}", ruling.plan.short()),
            Err(error) => format!("{what} of plan {} not taken: {error}", ruling.plan.short()),
        };
        let person = ruling.person.clone();
        let mut ruled = (*self.world.ruled).clone();
        ruled.push_back(Ruled { ruling, result, at: now.wall });
        while ruled.len() > RULINGS {
            ruled.pop_front();
        }
        self.world.ruled = Arc::new(ruled);
        // What was written is read back at once.
        self.store_due = Boot(0);
        self.touch(now);
        self.say(now, HappeningKind::Deed, Some(target), &text, &person)
    }
}
