//! How far an orchestrator has come with the step of a rollout that was reached last, as the world stands. Pure.

use crate::control::world::World;
use crate::model::name::Target;
use crate::model::plan::StepEffect;
use crate::model::spec::Course;
use crate::model::time::Moment;
use crate::model::workload::{Progress, WorkloadChange, WorkloadEntry, WorkloadForm, WorkloadSeen};
use crate::policy::rollout::Stands;

/// The workload of a target as it was read last, and when.
pub fn seen<'a>(world: &'a World, target: &Target) -> Option<(&'a WorkloadSeen, Moment)> {
    let entry = world.catalog.deploy(target)?.workload.as_ref()?;
    let fact = world.workloads(&entry.backend)?;
    Some((fact.value.as_ref()?.get(&entry.workload)?, fact.seen?))
}

/// The change that brought the step which was reached last; before the first, the one to come.
fn change(course: &Course) -> Option<&WorkloadChange> {
    let step = course.spec.step(course.step.unwrap_or(0))?;
    step.effects.iter().find_map(StepEffect::workload).map(|(_, change)| change)
}

/// Whether the workload stands as the step that was reached last set it.
pub fn stands(world: &World, entry: &WorkloadEntry, course: &Course, now: &Moment) -> Stands {
    let fresh = world.freshness(&entry.backend, now);
    if !fresh.is_fresh() {
        return Stands::NotKnown(format!("{} is {}", entry.backend, fresh.word()));
    }
    let Some(change) = change(course) else { return Stands::NotKnown("its steps change no workload".to_owned()) };
    let reading = world.workloads(&entry.backend).and_then(|fact| fact.value.as_ref());
    let seen = reading.and_then(|reading| reading.get(&change.workload));
    let form = if course.step.is_some() { &change.wish } else { &change.from };
    if seen.is_some_and(|seen| seen.uid == change.uid && seen.is_as(form)) {
        return Stands::AtStep;
    }
    Stands::Elsewhere(elsewhere(seen, change, form))
}

/// What a workload that does not stand at a form of a change is instead.
pub fn elsewhere(seen: Option<&WorkloadSeen>, change: &WorkloadChange, form: &WorkloadForm) -> String {
    let Some(seen) = seen else { return format!("{} is gone", change.workload) };
    if seen.uid != change.uid {
        return format!("{} is another object of that name by now; nothing of it is overwritten", change.workload);
    }
    let mut stands: Vec<String> = form.images.keys().filter_map(|name| Some(format!("{name} {}", seen.images.get(name)?))).collect();
    stands.extend(form.partition.and(seen.partition).map(|first| format!("partition {first}")));
    stands.extend(form.paused.map(|_| if seen.paused { "paused" } else { "not paused" }.to_owned()));
    format!("another hand changed {}: it stands at {}, not at {form}; nothing is overwritten", change.workload, stands.join(", "))
}

/// How far the orchestrator has come, by the newest reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Come {
    /// All instances of the step are new.
    Done,
    /// It goes on.
    Moving(String),
    /// Another hand paused it.
    Paused(String),
    /// It stands at a step of its own until a person sends it on.
    Waits(String),
    /// It gets no further.
    Stuck(String),
}

/// How far it has come with the step that was reached last; none before the first step, where no instances are replaced, and where it
/// does not stand at that step or is not known.
pub fn come(world: &World, target: &Target, course: &Course, now: &Moment) -> Option<(Come, Moment)> {
    let entry = world.catalog.deploy(target)?.workload.as_ref()?;
    course.step?;
    if stands(world, entry, course, now) != Stands::AtStep {
        return None;
    }
    let (seen, at) = seen(world, target)?;
    let told = seen.told();
    let come = match &seen.progress {
        _ if seen.is_done() => Come::Done,
        Progress::Paused(_) => Come::Paused(told),
        Progress::Waits(_) => Come::Waits(told),
        Progress::Stuck(_) => Come::Stuck(told),
        Progress::Unseen | Progress::Moving(_) | Progress::ByHand(_) | Progress::Done => Come::Moving(told),
    };
    Some((come, at))
}
