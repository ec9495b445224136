//! How far an orchestrator has come with the step of a rollout that was reached last, as the world stands. Pure.

use crate::control::world::{TargetView, World};
use crate::model::catalog::Deploy;
use crate::model::name::{BackendName, Target};
use crate::model::slot::Track;
use crate::model::spec::Course;
use crate::model::time::Moment;
use crate::model::workload::{Progress, WorkloadChange, WorkloadEntry, WorkloadForm, WorkloadSeen, counted};
use crate::policy::rollout::Stands;

/// The change that brought what stands at the step which was reached last; before the first, the one to come.
fn change(course: &Course) -> Option<&WorkloadChange> {
    course.spec.set_by(course.step.unwrap_or(0))
}

/// Whether the workload stands as the step that was reached last, or one before it, set it.
pub fn stands(world: &World, backend: &BackendName, course: &Course, now: &Moment) -> Stands {
    let fresh = world.freshness(backend, now);
    if !fresh.is_fresh() {
        return Stands::NotKnown(format!("{backend} is {}", fresh.word()));
    }
    let Some(change) = change(course) else { return Stands::NotKnown("its steps change no workload".to_owned()) };
    let reading = world.workloads(backend).and_then(|fact| fact.value.as_ref());
    let seen = reading.and_then(|reading| reading.get(&change.workload));
    let form = if course.step.is_some() { &change.wish } else { &change.from };
    if seen.is_some_and(|seen| seen.uid == change.uid && seen.is_as(form)) {
        return Stands::AtStep;
    }
    Stands::Elsewhere(elsewhere(seen, change, form))
}

/// The workloads whose instances the slots of a target are, the stable one first, each as it was read last.
pub fn slots<'a>(world: &'a World, view: &TargetView) -> Vec<(Track, &'a WorkloadEntry, Option<&'a WorkloadSeen>)> {
    let Some(of) = world.catalog.deploy(&view.target).and_then(|deploy| deploy.workloads.as_deref()) else { return Vec::new() };
    let reading = world.workloads(of.backend()).and_then(|fact| fact.value.as_deref());
    let one = |track: Track| {
        let entry = of.of(track.slot(view.state.stable));
        (track, entry, reading.and_then(|reading| reading.get(&entry.workload)))
    };
    [Track::Stable, Track::Canary].map(one).into()
}

/// How the workload of a slot stands, in words: `web-green (canary): 2 of 4 instances of 2.5.0 ready; 2 of 4 are new`.
pub fn slot(track: Track, entry: &WorkloadEntry, seen: Option<&WorkloadSeen>) -> String {
    let name = format!("{} ({})", entry.workload.name, track.word());
    let Some(seen) = seen else { return format!("{name}: not known") };
    let image = seen.images.get(&entry.container).map_or("no such container", String::as_str);
    let (version, more) =
        (entry.version_of(image).unwrap_or(image), if seen.is_done() { String::new() } else { format!("; {}", seen.told()) });
    match seen.replicas.wished {
        0 => format!("{name}: no instance, {version} last{more}"),
        wished => format!("{name}: {} of {} of {version} ready{more}", seen.replicas.ready, counted(wished)),
    }
}

/// What a change brings a workload to, and how many of its instances take requests by now: `web-green to 4 instances of 2.5.0, 2 ready`.
pub fn brought(deploy: &Deploy, change: &WorkloadChange, seen: Option<&WorkloadSeen>) -> String {
    let entry = deploy.all_workloads().find(|entry| entry.workload == change.workload);
    let image = entry.and_then(|entry| change.wish.images.get(&entry.container));
    let version = entry.zip(image).map(|(entry, image)| entry.version_of(image).unwrap_or(image));
    let many = change.wish.replicas.map_or_else(|| "its instances".to_owned(), counted);
    let of = version.filter(|_| change.wish.replicas != Some(0)).map(|version| format!(" of {version}")).unwrap_or_default();
    let ready = seen.map(|seen| format!(", {} ready", seen.replicas.ready)).unwrap_or_default();
    format!("{} to {many}{of}{ready}", change.workload.name)
}

/// What a workload that does not stand at a form of a change is instead.
pub fn elsewhere(seen: Option<&WorkloadSeen>, change: &WorkloadChange, form: &WorkloadForm) -> String {
    let Some(seen) = seen else { return format!("{} is gone", change.workload) };
    if seen.uid != change.uid {
        return format!("{} is another object of that name by now; nothing of it is overwritten", change.workload);
    }
    let mut stands: Vec<String> = form.images.keys().filter_map(|name| Some(format!("{name} {}", seen.images.get(name)?))).collect();
    stands.extend(form.partition.and(seen.partition).map(|first| format!("partition {first}")));
    stands.extend(form.replicas.map(|_| counted(seen.replicas.wished)));
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
    let deploy = world.catalog.deploy(target)?;
    let backend = &deploy.all_workloads().next()?.backend;
    course.step?;
    if stands(world, backend, course, now) != Stands::AtStep {
        return None;
    }
    let (fact, change) = (world.workloads(backend)?, change(course)?);
    let (seen, at) = (fact.value.as_ref()?.get(&change.workload)?, fact.seen?);
    let told = match deploy.workloads {
        Some(_) => format!("{}; {}", brought(deploy, change, Some(seen)), seen.told()),
        None => seen.told(),
    };
    let come = match &seen.progress {
        _ if seen.is_done() => Come::Done,
        Progress::Paused(_) => Come::Paused(told),
        Progress::Waits(_) => Come::Waits(told),
        Progress::Stuck(_) => Come::Stuck(told),
        Progress::Unseen | Progress::Moving(_) | Progress::ByHand(_) | Progress::Done => Come::Moving(told),
    };
    Some((come, at))
}
