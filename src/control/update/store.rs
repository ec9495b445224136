//! The store as another process may have left it: states of targets, deeds, plans that wait, entries.

use std::sync::Arc;

use super::Room;
use crate::control::engine::{self, Machine};
use crate::control::event::StorePicture;
use crate::control::task::Task;
use crate::model::deed::DeedState;
use crate::model::rollout::TargetState;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ports::ledger::{LedgerError, OpenDeed};

impl Room {
    pub(super) fn on_store(&mut self, now: &Moment, result: Result<Box<StorePicture>, LedgerError>) -> Vec<Task> {
        let picture = match result {
            Ok(picture) => *picture,
            Err(error) => {
                let trouble = Text::clean(&error.to_string());
                if self.world.ledger.trouble.as_ref() != Some(&trouble) {
                    self.world.ledger.trouble = Some(trouble);
                    self.touch(now);
                }
                return Vec::new();
            }
        };
        // It could be read again: what stood in the way is over, unless it stood there from the beginning.
        self.world.ledger.trouble.clone_from(&self.record_trouble);
        let mut held = Vec::new();
        let goes_on = |state: &&TargetState| state.rollout.as_ref().is_some_and(|rollout| rollout.course.is_some());
        let walked = picture.states.iter().filter(goes_on).map(|state| state.target.clone()).collect();
        for state in picture.states {
            let Some(view) = self.world.targets.get(&state.target).filter(|view| view.state != state).cloned() else { continue };
            let mut view = (*view).clone();
            // The roles turned round: what was measured for one track belongs to the other until it is read again.
            if view.state.stable != state.stable {
                view.signals.clear();
                view.charts.clear();
            }
            let target = state.target.clone();
            view.state = state;
            self.fit_versions(now, &mut view);
            held.extend(self.watch_hold(now, &view));
            self.world.targets.insert_mut(target, Arc::new(view));
        }
        self.settle(walked);
        self.world.waiting = Arc::new(picture.waiting);
        self.asking.look_now();
        self.diary.stale = true;
        self.world.past = Arc::new(picture.past);
        self.world.reviews = Arc::new(picture.reviews);
        held.extend(self.on_grants(now, picture.grants));
        self.world.ledger.entries = Arc::new(picture.entries);
        self.world.ledger.size = picture.size;
        self.world.ledger.witnesses = picture.witnesses;
        if self.world.rules.standing != picture.rules {
            self.world.rules.standing = picture.rules;
            self.world.compare_rules(now);
        }
        self.world.ledger.receivers = picture.receivers;
        self.world.ledger.desk_changes = Arc::new(picture.desk_changes);
        let seen_before = std::mem::replace(&mut self.world.ledger.read, true);
        let mut tasks = held;
        // Newest first in the picture, newest last in the timeline.
        for deed in picture.recent.into_iter().rev() {
            match self.machines.get_mut(&deed.plan) {
                Some(machine) if deed.state == DeedState::Superseded && machine.is_watching() => {
                    machine.superseded();
                    tasks.extend(self.picture(now, deed.plan));
                }
                Some(_) => {}
                None => {
                    let before = self.world.deeds.get(&deed.plan).map(|before| (before.state, before.facts));
                    if seen_before && before != Some((deed.state, deed.facts)) {
                        // The process that carries it out writes the journal; here it is only shown.
                        for mut task in self.tell(now, &deed) {
                            if let Task::Journal { elsewhere, .. } = &mut task {
                                *elsewhere = true;
                            }
                            tasks.push(task);
                        }
                    }
                    self.world.deeds.insert_mut(deed.plan, Arc::new(deed));
                }
            }
        }
        for open in picture.open {
            tasks.extend(self.on_open_deed(now, &open));
        }
        self.forget_old();
        self.touch(now);
        tasks
    }

    /// A deed that is not final: a living neighbour's is shown, a dead one's is taken over.
    fn on_open_deed(&mut self, now: &Moment, open: &OpenDeed) -> Vec<Task> {
        let plan = open.deed.plan;
        // What this process carried out it knows better than the store does: also that an UNKNOWN was looked up to its end.
        if self.machines.get(&plan).is_some_and(|machine| open.ours || !machine.is_over()) {
            return Vec::new();
        }
        // What this process itself has carried out is known better here than in the store.
        if open.ours && self.machines.contains_key(&plan) {
            return Vec::new();
        }
        let mut deed = open.deed.clone();
        if open.owner_alive || !self.tends {
            deed.elsewhere = !open.ours;
            self.world.deeds.insert_mut(plan, Arc::new(deed));
            return Vec::new();
        }
        // An unknown outcome whose look-up is over waits for a person, not for another process.
        if deed.is_settled {
            self.world.deeds.insert_mut(plan, Arc::new(deed));
            return Vec::new();
        }
        deed.words = engine::taken_over(open);
        deed.elsewhere = false;
        self.machines.insert(plan, Machine::adopting(&self.world, open, now));
        self.world.deeds.insert_mut(plan, Arc::new(deed));
        vec![Task::Adopt { plan }]
    }
}
