//! Looks for a changed workload in later readings: forward it is effective once its orchestrator took the wish up, and the rollout waits
//! for the instances; a way back is effective only when the old ones stand again.

use std::sync::Arc;
use std::time::Duration;

use super::confirm::is_up;
use super::{Machine, number};
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::intent::Direction;
use crate::model::name::BackendName;
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::workload::{Progress, WorkloadChange, WorkloadReading, WorkloadSeen};

/// How long a way back must stand still before it counts as stuck: its controller's word is of the version that it leaves.
const STUCK_FOR: Duration = Duration::from_mins(1);

impl Machine {
    /// Whether a step waits until instances are replaced: a way back.
    pub(super) fn waits_for_instances(&self, step: usize) -> bool {
        self.plan.direction == Direction::Back && matches!(self.plan.order.step(step), Some(StepEffect::Workload { .. }))
    }

    /// Looks whether an accepted change of a workload is effective by now.
    pub(super) fn confirm_workload(
        &mut self,
        world: &World,
        now: &Moment,
        (step, since, until, looked): (usize, &Moment, Boot, Boot),
        backend: &BackendName,
        change: &WorkloadChange,
    ) -> Vec<Task> {
        let late = is_up(world, backend, until, looked, now);
        let seen = seen_since(world, backend, change, since);
        if let Some(seen) = &seen {
            if seen.uid != change.uid || !seen.is_as(&change.wish) {
                let words = format!("accepted, but another hand changed {}: it is not as set any more", change.workload);
                return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
            }
            let told = seen.told();
            let back = self.waits_for_instances(step);
            let stuck = matches!(seen.progress, Progress::Stuck(_) | Progress::ByHand(_)) && now.since(since) >= STUCK_FOR;
            if back && stuck {
                let words = format!("set back, but its instances do not come: {told}");
                return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
            }
            let taken_up = seen.progress != Progress::Unseen;
            if if back { seen.is_done() } else { taken_up } {
                return self.seen_effective(now, step, &format!("{} reads as set; {told}", change.workload));
            }
            self.deed.words = Text::clean(&format!("set; {told}"));
        }
        if late {
            let told = seen.map_or_else(|| format!("{backend} was not read since"), |seen| seen.told());
            let words = format!("accepted, but not effective within {} s: {told}", now.since(since).as_secs());
            return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
        }
        self.mark_end(until, now);
        Vec::new()
    }

    /// What became of a change whose answer was lost; none while nothing new was read of it.
    pub(super) fn look_up_workload(
        &mut self,
        world: &World,
        step: usize,
        since: &Moment,
        backend: &BackendName,
        change: &WorkloadChange,
    ) -> Option<Vec<Task>> {
        let seen = seen_since(world, backend, change, since)?;
        let same = seen.uid == change.uid;
        if same && seen.is_as(&change.wish) {
            self.deed.state = DeedState::Sent;
            let words = "the answer was lost; a later reading shows it as set";
            return Some(self.record(EntryKind::Accepted, Some(number(step)), words, false, None));
        }
        if same && seen.is_as(&change.from) {
            let words = "a later reading shows that it did not happen; order it again if it is still wished";
            return Some(self.record(EntryKind::NotBegun, Some(number(step)), words, true, None));
        }
        self.deed.words = Text::clean(&format!("{} is neither as before nor as wished", change.workload));
        None
    }
}

/// The newest good reading of an orchestrator and when it was asked for.
pub(super) fn newest(world: &World, backend: &BackendName) -> Option<(Arc<WorkloadReading>, Moment)> {
    let fact = world.workloads(backend)?;
    Some((fact.value.clone()?, fact.seen?))
}

/// Whether a workload is the object that was changed, and stands as wished.
pub(super) fn reads_as(reading: &WorkloadReading, change: &WorkloadChange) -> bool {
    reading.get(&change.workload).is_some_and(|seen| seen.uid == change.uid && seen.is_as(&change.wish))
}

fn seen_since(world: &World, backend: &BackendName, change: &WorkloadChange, since: &Moment) -> Option<WorkloadSeen> {
    let (reading, at) = newest(world, backend)?;
    reading.get(&change.workload).filter(|_| at.boot > since.boot).cloned()
}
