//! What every plan about a workload knows of it and needs: how it stands, what changes it, and why that cannot be.

use super::{Draft, PlanError, Scene, cost, run};
use crate::model::capability::Capability;
use crate::model::intent::Direction;
use crate::model::plan::{Evidence, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::slot::Slot;
use crate::model::spec::Course;
use crate::model::text::Text;
use crate::model::workload::{WorkloadChange, WorkloadEntry, WorkloadForm, WorkloadSeen};

/// A workload as it was read last.
pub(super) fn seen<'a>(scene: &Scene<'a>, entry: &WorkloadEntry) -> Option<&'a WorkloadSeen> {
    scene.world.workloads(&entry.backend)?.value.as_ref()?.get(&entry.workload)
}

/// The rollout under way of the target that a plan is about.
pub(super) fn course<'a>(scene: &Scene<'a>) -> Option<&'a Course> {
    scene.world.target(&scene.intent.target)?.state.rollout.as_ref()?.course.as_deref()
}

/// The stable slot of that target.
pub(super) fn stable(scene: &Scene<'_>) -> Slot {
    scene.world.target(&scene.intent.target).map_or(Slot::First, |view| view.state.stable)
}

/// How it stands, in words.
pub(super) fn now(scene: &Scene<'_>, entry: &WorkloadEntry) -> String {
    match seen(scene, entry) {
        None => format!("{} not known", entry.workload),
        Some(seen) => {
            let image = seen.images.get(&entry.container).map_or("no such container", String::as_str);
            format!("{}: {} {image}; {}", entry.workload, entry.container, seen.told())
        }
    }
}

/// What every plan that changes the workload has.
pub(super) fn draft(scene: &Scene<'_>, entry: &WorkloadEntry, direction: Direction) -> Draft {
    let mut draft = Draft {
        direction: Some(direction),
        slot: Some(stable(scene).other()),
        now: now(scene, entry),
        evidence: cost::evidence(scene),
        costs: cost::of_workload(scene, entry.workload.kind),
        ..Draft::default()
    };
    draft.evidence.extend(seen(scene, entry).map(|seen| told(scene, entry, &seen.told(), !seen.is_done())));
    draft.preconditions.push(Precondition::Stable { slot: stable(scene) });
    reads(scene, entry, &mut draft);
    draft
}

/// What every plan that changes a workload needs of its orchestrator.
pub(super) fn reads(scene: &Scene<'_>, entry: &WorkloadEntry, draft: &mut Draft) {
    run::needs(scene, &entry.backend, Capability::Replace, draft);
    let fresh = Precondition::Fresh { backend: entry.backend.clone() };
    if !draft.preconditions.contains(&fresh) {
        draft.preconditions.push(fresh);
    }
    is_there(scene, entry, draft);
}

/// Says that a workload is not there, or was not read.
pub(super) fn is_there(scene: &Scene<'_>, entry: &WorkloadEntry, draft: &mut Draft) {
    let reading = scene.world.workloads(&entry.backend).and_then(|fact| fact.value.as_ref());
    if reading.is_some_and(|reading| reading.get(&entry.workload).is_none()) {
        let text = format!("{} has no {}", entry.backend, entry.workload);
        draft.impossible.push(Reason::new("missing", &text, "compare its name in the deploy table with the cluster"));
    } else if reading.is_none() {
        let text = format!("{} was not read yet, so it is not known what {} is", entry.backend, entry.workload);
        draft.impossible.push(Reason::new("unreachable", &text, "wait until it is read"));
    }
}

/// What is seen of the workload, as evidence.
pub(super) fn told(scene: &Scene<'_>, entry: &WorkloadEntry, words: &str, warns: bool) -> Evidence {
    let age = scene.world.sources.get(&entry.backend).and_then(|source| source.age(scene.now));
    let text = Text::clean(&format!("{}: {words}", entry.workload));
    Evidence { text, source: entry.backend.to_string(), age_s: age.map(|age| age.as_secs()), warns }
}

/// What brings a workload from one form to another.
pub(super) fn effect(entry: &WorkloadEntry, uid: &str, from: &WorkloadForm, wish: &WorkloadForm) -> StepEffect {
    let change = WorkloadChange { workload: entry.workload.clone(), uid: uid.to_owned(), from: from.clone(), wish: wish.clone() };
    StepEffect::Workload { backend: entry.backend.clone(), change: Box::new(change) }
}

/// As the workload stands, so far as a wish would change it.
pub(super) fn standing(seen: &WorkloadSeen, wish: &WorkloadForm) -> WorkloadForm {
    let images = seen.images.iter().filter(|(container, _)| wish.images.contains_key(*container));
    WorkloadForm {
        images: images.map(|(container, image)| (container.clone(), image.clone())).collect(),
        partition: wish.partition.and(seen.partition),
        replicas: wish.replicas.map(|_| seen.replicas.wished),
        ..WorkloadForm::default()
    }
}

/// The version that a rollout brings: one that can be an image's.
///
/// # Errors
/// None was said, or it can be none.
pub(super) fn version<'a>(scene: &Scene<'a>) -> Result<&'a Text, PlanError> {
    let target = &scene.intent.target;
    let usage = |text: &str| Err(PlanError::Arguments(Text::clean(text)));
    let Some(version) = &scene.intent.args.version else {
        return usage(&format!("a rollout of {target} needs the version that it brings: gonogo rollout start {target} --version VERSION"));
    };
    if !is_tag(version.as_str()) {
        let typed = Text::clean_within(version.as_str(), 40);
        return usage(&format!("`{typed}` is no version of an image: at most 128 letters, digits, `_`, `.` and `-`"));
    }
    Ok(version)
}

/// The letters of an image's tag.
fn is_tag(version: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !version.is_empty() && version.len() <= 128 && version.chars().all(plain) && !version.starts_with(['.', '-'])
}

/// Why the instances of a workload cannot be replaced at all as it stands.
pub(super) fn unfit(entry: &WorkloadEntry, seen: &WorkloadSeen) -> Vec<Reason> {
    let mut against = Vec::new();
    let name = &entry.workload;
    let mut say = |rule: &str, text: String, fix: &str| against.push(Reason::new(rule, &text, fix));
    if !seen.images.contains_key(&entry.container) {
        let all: Vec<_> = seen.images.keys().map(String::as_str).collect();
        say("missing", format!("{name} has no container {}; it has {}", entry.container, all.join(", ")), "mend `container`");
    }
    match seen.strategy.as_str() {
        "OnDelete" => say(
            "unsupported",
            format!("{name} replaces an instance only when somebody deletes it (OnDelete)"),
            "set its updateStrategy to RollingUpdate there",
        ),
        "workloadRef" => say(
            "unsupported",
            format!("{name} takes its template from another object (spec.workloadRef), which gonogo does not change"),
            "give the Rollout a template of its own",
        ),
        "targetRef" => say(
            "unsupported",
            format!("{name} has a target that is no Deployment (spec.targetRef), which gonogo does not change"),
            "give the Canary a Deployment as its target",
        ),
        _ => {}
    }
    if seen.paused {
        say("paused", format!("{name} is paused by another hand"), "end its pause there, then plan again");
    }
    if let Some(first) = seen.partition.filter(|first| *first > 0) {
        say("partition", format!("{name} has the partition {first}: only ordinals from it on would be replaced"), "set it to 0 there");
    }
    against
}
