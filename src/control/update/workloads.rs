//! Workloads: what a reading of an orchestrator says of the targets, and how long it takes over a step of a rollout.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Room;
use crate::control::rolling::{self, Come};
use crate::control::task::Task;
use crate::control::world::{TargetView, VersionSeen};
use crate::model::name::{BackendName, Target};
use crate::model::rollout::StateChange;
use crate::model::slot::Slot;
use crate::model::spec::Course;
use crate::model::strategy::Trigger;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::model::walk::Walk;
use crate::model::workload::{SlotWorkloads, WorkloadKind, WorkloadReading};
use crate::policy::rollout::{Harm, Rolled};

/// How long one orchestrator takes over the step that was reached last, as seen here.
#[derive(Debug, Clone, Default)]
pub(super) struct Rolling {
    /// When the step was reached.
    step: Option<DateTime<Utc>>,
    /// Since when it is under way without a hold, at that step of its own.
    moving: Option<Boot>,
    /// The step of its own.
    own: Option<u32>,
    /// When all of the step was first seen to be new.
    done: Option<DateTime<Utc>>,
}

/// What follows from it.
#[derive(Debug, Default)]
pub(super) struct HasRolled {
    /// How far it has come.
    pub(super) stands: Rolled,
    /// That it gets no further.
    pub(super) harm: Option<Harm>,
    /// What is to be remembered of it.
    pub(super) told: Option<StateChange>,
}

impl Rolling {
    /// Notes whether its deadline runs: one of each step that the orchestrator walks by itself, and none while it pauses by itself or
    /// a person holds it.
    fn moves(&mut self, now: Boot, held: bool, own: Option<&Walk>) {
        let at = own.map(|own| own.step);
        if self.own != at {
            (self.own, self.moving) = (at, None);
        }
        if held || own.is_some_and(Walk::pauses) {
            self.moving = None;
        } else {
            self.moving.get_or_insert(now);
        }
    }
}

impl Room {
    /// Derives the view of every target whose workload was read.
    pub(super) fn derive_workloads(&mut self, now: &Moment, backend: &BackendName, reading: &Arc<WorkloadReading>) -> Vec<Task> {
        let mut tasks = Vec::new();
        for target in self.targets_of(backend) {
            let catalog = self.world.catalog.clone();
            let deploy = catalog.deploy(&target);
            if let Some(of) = deploy.and_then(|deploy| deploy.workloads.as_ref()).filter(|of| of.backend() == backend) {
                tasks.extend(self.derive_slots(now, &target, of, reading));
            }
            let entry = deploy.and_then(|deploy| deploy.workload.as_ref()).filter(|entry| &entry.backend == backend);
            let (Some(entry), Some(old)) = (entry, self.world.targets.get(&target).cloned()) else { continue };
            let mut view = (*old).clone();
            let seen = reading.get(&entry.workload);
            if view.workload.as_deref() != seen {
                view.workload = seen.cloned().map(Arc::new);
            }
            self.fit_versions(now, &mut view);
            let wished = |view: &TargetView| view.workload.as_ref().and_then(|seen| seen.images.get(&entry.container).cloned());
            let (was, is) = (wished(&old), wished(&view));
            if let (Some(was), Some(is)) = (&was, &is)
                && was != is
            {
                view.since = Some(now.wall);
                let text = format!("{}: image of {} from {was} to {is}", entry.workload, entry.container);
                tasks.extend(self.say(now, HappeningKind::Change, Some(target.clone()), &text, backend.as_str()));
            }
            let rests = view.state.rollout.is_none() && view.workload.as_ref().is_some_and(|seen| seen.is_done());
            let proven = (rests && self.tends && self.world.ledger.read && self.world.under_way(&target).is_none())
                .then(|| self.prove(now, &view))
                .flatten();
            if !rests {
                self.steady.remove(&target);
            }
            tasks.extend(proven.map(|change| Task::Remember { changes: vec![change] }));
            self.world.targets.insert_mut(target, Arc::new(view));
        }
        tasks
    }

    /// What runs in the slots of a target whose slots are workloads, by their images.
    fn derive_slots(&mut self, now: &Moment, target: &Target, of: &SlotWorkloads, reading: &WorkloadReading) -> Vec<Task> {
        let Some(old) = self.world.targets.get(target).cloned() else { return Vec::new() };
        let mut view = (*old).clone();
        let mut tasks = Vec::new();
        for (place, slot) in Slot::BOTH.into_iter().enumerate() {
            let entry = of.of(slot);
            let image = reading.get(&entry.workload).and_then(|seen| seen.images.get(&entry.container));
            let version = image.map(|image| Text::clean_within(entry.version_of(image).unwrap_or(image), 200));
            let known = old.version(slot);
            let Some(known) = known.filter(|known| Some(&known.version) == version.as_ref()).cloned() else {
                if let (Some(was), Some(is)) = (known, &version) {
                    let text = format!("{}: version {} to {is}", entry.workload, was.version);
                    tasks.extend(self.say(now, HappeningKind::Change, Some(target.clone()), &text, entry.backend.as_str()));
                }
                if let Some(one) = view.versions.get_mut(place) {
                    *one = version.map(|version| VersionSeen { version, digest: None, since: now.wall });
                }
                continue;
            };
            if let Some(one) = view.versions.get_mut(place) {
                *one = Some(known);
            }
        }
        self.world.targets.insert_mut(target.clone(), Arc::new(view));
        tasks
    }

    /// What runs in the slots of a target that is a workload, by its image and by what is remembered of it.
    pub(super) fn fit_versions(&self, now: &Moment, view: &mut TargetView) {
        let Some(entry) = self.world.catalog.deploy(&view.target).and_then(|deploy| deploy.workload.as_ref()) else { return };
        let image = view.workload.as_ref().and_then(|seen| seen.images.get(&entry.container));
        let version = image.map(|image| Text::clean_within(entry.version_of(image).unwrap_or(image), 200));
        versions(view, version.as_ref(), now);
    }

    /// How far a rollout's orchestrator has come with the step that was reached last, and whether it gets no further. `at`: the time by
    /// which its steps are counted.
    pub(super) fn rolled(&mut self, now: &Moment, view: &TargetView, course: &Course, at: DateTime<Utc>) -> HasRolled {
        let come = rolling::come(&self.world, &view.target, course, now);
        let opened = self.world.opened;
        let held = view.state.hold.is_some();
        let walk = self.rolling_at(&view.target);
        if walk.step != Some(course.since) {
            *walk = Rolling { step: Some(course.since), ..Rolling::default() };
        }
        let Some((come, seen)) = come else { return HasRolled::default() };
        // By the machine's clock, which no hand sets.
        let seen = opened.wall + seen.boot.since(opened.boot);
        let harm = |words: String| Some(Harm { trigger: Trigger::Stuck, since: seen, seen, words });
        if come == Come::Done {
            walk.moving = None;
            let first = walk.done.is_none();
            let done = *walk.done.get_or_insert(at);
            // Bake time and the wait before the next batch count from here, also in the process that comes after this one.
            let tells = first && self.conducts && !self.world.read_only && course.rolled.is_none();
            let rollout = view.state.rollout.as_ref().and_then(|rollout| rollout.plan).filter(|_| tells);
            let told = rollout.zip(course.step).map(|(rollout, step)| StateChange::Rolled {
                target: view.target.clone(),
                rollout,
                step,
                at: now.wall,
            });
            return HasRolled { stands: Rolled::Done(course.rolled.unwrap_or(done)), harm: None, told };
        }
        walk.done = None;
        walk.moves(now.boot, held, view.workload.as_ref().and_then(|seen| seen.walk.as_ref()));
        let within = Duration::from_secs(course.spec.deadline_s);
        let due = walk.moving.map(|since| since.plus(within));
        match come {
            Come::Done => HasRolled::default(),
            Come::Paused(words) if held => HasRolled { stands: Rolled::Moving(words), ..HasRolled::default() },
            Come::Paused(words) => {
                let words = format!("another hand paused it: {words}; end its pause there, or gonogo abort {}", view.target);
                HasRolled { stands: Rolled::Stuck(words), ..HasRolled::default() }
            }
            Come::Waits(words) => {
                let canary = view.workload.as_ref().is_some_and(|seen| seen.name.kind == WorkloadKind::Canary);
                let on = if canary {
                    "the gate that its webhook asks lets it go on".to_owned()
                } else {
                    format!("gonogo promote {} sends it on", view.target)
                };
                let words = format!("{words}; {on}, gonogo abort {} takes it back", view.target);
                HasRolled { stands: Rolled::Stuck(words), ..HasRolled::default() }
            }
            Come::Stuck(words) => HasRolled {
                stands: Rolled::Stuck(format!("{words}; no rule sends it back; should its instances come, it goes on by itself")),
                harm: harm(words),
                told: None,
            },
            Come::Moving(words) if due.is_some_and(|due| now.boot >= due) => {
                let words = format!("not done within its deadline of {}: {words}", crate::config::duration::write(within));
                HasRolled {
                    stands: Rolled::Stuck(format!("{words}; no rule sends it back; should its instances come, it goes on by itself")),
                    harm: harm(words),
                    told: None,
                }
            }
            Come::Moving(words) => {
                self.rollouts_due(due);
                HasRolled { stands: Rolled::Moving(words), ..HasRolled::default() }
            }
        }
    }
}

/// What runs, as the image says: the stable version; while a rollout is under way, the one that it leads from and the one that it leads to.
fn versions(view: &mut TargetView, version: Option<&Text>, now: &Moment) {
    let (stable, trial) = (view.state.stable, view.canary_slot());
    let rollout = view.state.rollout.as_ref().map(|rollout| (rollout.from.clone(), rollout.to.clone()));
    let of = match rollout {
        Some((from, to)) => [(stable, from.or_else(|| version.cloned())), (trial, to)],
        None => [(stable, version.cloned()), (trial, None)],
    };
    for (slot, version) in of {
        let known = view.version(slot).filter(|known| Some(&known.version) == version.as_ref()).cloned();
        let seen = known.or_else(|| version.map(|version| VersionSeen { version, digest: None, since: now.wall }));
        let [first, second] = &mut view.versions;
        match slot {
            crate::model::slot::Slot::First => *first = seen,
            crate::model::slot::Slot::Second => *second = seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_of_each_step_of_its_own_and_does_not_run_at_a_pause() {
        let own = |step, pauses: &[&str]| Walk {
            step,
            steps: 3,
            weight: None,
            pauses: pauses.iter().map(|reason| Text::clean(reason)).collect(),
            released: false,
            aborted: false,
            full: false,
            analyses: Vec::new(),
            phase: None,
            failed: None,
        };
        let mut rolling = Rolling::default();
        let mut at = |now, held, own: Option<&Walk>| {
            rolling.moves(Boot(now), held, own);
            rolling.moving
        };
        assert_eq!(at(1, false, Some(&own(0, &[]))), Some(Boot(1)));
        assert_eq!(at(2, false, Some(&own(0, &[]))), Some(Boot(1)));
        assert_eq!(at(3, false, Some(&own(1, &["CanaryPauseStep"]))), None);
        assert_eq!(at(9, false, Some(&own(2, &[]))), Some(Boot(9)));
        assert_eq!(at(10, true, Some(&own(2, &[]))), None);
        assert_eq!((at(11, false, None), at(12, false, None)), (Some(Boot(11)), Some(Boot(11))));
    }
}
