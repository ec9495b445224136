//! What becomes of a confirmed plan whose sources were read anew: it begins, waits for persons or for its time, or is denied.

use super::{Machine, Phase, words_of};
use crate::control::task::Task;
use crate::control::world::World;
use crate::control::{gate, rules};
use crate::model::deed::DeedState;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;

/// Reasons by which an approval that was given does not count.
const VOID: [&str; 3] = ["author", "authors-unknown", "range-changed"];

impl Machine {
    /// Judges the plan, and does what the verdict says.
    pub(super) fn decide(&mut self, world: &World, now: &Moment) -> Vec<Task> {
        let verdict = gate::judge(world, &self.plan, now);
        // What is scheduled is made of facts of now, so those must hold before it is put aside for its time.
        let broken = self.plan.preconditions.iter().filter_map(|checked| checked.broken.clone()).collect::<Vec<_>>();
        let verdict = match verdict {
            Verdict::SecondPerson { .. } | Verdict::Early(_) if self.plan.order.begins.is_some() && !broken.is_empty() => {
                Verdict::Deny(broken)
            }
            Verdict::Permit(_) | Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_) => verdict,
        };
        // What waits in the store already was to be carried out now: that it may not is on record.
        let is_stored = world.waiting.iter().any(|one| one.plan.id == self.plan.id);
        match verdict {
            Verdict::Early(reason) if is_stored => {
                self.end(DeedState::Denied, reason.text.as_str());
                self.deed.reasons = vec![reason.clone()];
                vec![Task::Deny { plan: Box::new(self.plan.clone()), reasons: vec![reason] }]
            }
            Verdict::Early(reason) => {
                self.end(DeedState::Scheduled, reason.text.as_str());
                self.deed.reasons = vec![reason];
                vec![Task::StoreWaiting { plan: Box::new(self.plan.clone()), refused: Vec::new() }]
            }
            Verdict::Permit(_) => {
                self.phase = Phase::Beginning;
                vec![Task::Begin {
                    plan: Box::new(self.plan.clone()),
                    catalog: world.catalog.clone(),
                    read_only: world.read_only,
                    signed: self.signed.clone(),
                    spans: world.calendars.spans.clone(),
                    asked: *now,
                    older: rules::by_older(world, &self.plan, now).map(Box::new),
                }]
            }
            Verdict::SecondPerson { reasons, .. } => {
                self.end(DeedState::Waiting, &words_of(&reasons));
                let refused = reasons.iter().filter(|reason| is_stored || VOID.contains(&reason.rule.as_str())).cloned().collect();
                self.deed.reasons = reasons;
                vec![Task::StoreWaiting { plan: Box::new(self.plan.clone()), refused }]
            }
            Verdict::Deny(reasons) => {
                self.end(DeedState::Denied, &words_of(&reasons));
                self.deed.reasons.clone_from(&reasons);
                vec![Task::Deny { plan: Box::new(self.plan.clone()), reasons }]
            }
        }
    }
}
