//! Plans that move a rollout of Argo Rollouts along its own steps: past the one under way, past all of them, and anew after it was aborted;
//! and why nobody but Flagger moves a canary along its analysis.

use super::{Draft, Scene, add, course, draft, effect, no_rollout, standing};
use crate::model::intent::Direction;
use crate::model::plan::StepEffect;
use crate::model::reason::Reason;
use crate::model::spec::Course;
use crate::model::walk::Walk;
use crate::model::workload::{WorkloadEntry, WorkloadForm, WorkloadKind, WorkloadSeen};

/// Whether its own steps are not behind it yet.
pub(super) fn is_on_its_way(seen: &WorkloadSeen) -> bool {
    seen.walk.as_ref().is_some_and(|walk| !walk.full)
}

/// What the last step of a rollout sets.
fn set_last(course: &Course) -> Option<&WorkloadForm> {
    course.spec.steps.iter().rev().flat_map(|step| &step.effects).find_map(StepEffect::workload).map(|(_, change)| &change.wish)
}

/// Past the step under way, or past all of them. Its images are what the rollout set, or nothing is written.
pub(super) fn on(scene: &Scene<'_>, entry: &WorkloadEntry, (course, seen): (&Course, &WorkloadSeen), draft: &mut Draft) {
    let Some(walk) = &seen.walk else { return };
    let target = &scene.intent.target;
    draft.undo = Some(format!("abort {target}"));
    let Some(set) = set_last(course) else { return };
    let images = WorkloadForm { images: set.images.clone(), ..WorkloadForm::default() };
    let mut against = |rule: &str, text: String, fix: &str| draft.impossible.push(Reason::new(rule, &text, fix));
    if course.step.is_none() {
        against("moving", format!("{} was not set yet", entry.workload), "wait until the rollout has begun with it");
    } else if walk.aborted {
        let fix = format!("gonogo retry {target} begins it anew; gonogo abort {target} takes it back");
        against("aborted", format!("{} was aborted, so it walks no steps: {}", entry.workload, seen.told()), &fix);
    } else if !seen.is_as(&images) {
        let text = format!("another hand changed {}: it is not at {images}", entry.workload);
        against("changed", text, "look at who changed it; gonogo abort takes it back all the same");
    } else if !scene.intent.args.full && walk.reached() >= walk.steps {
        let text = format!("{} is past all of its steps and not done: {}", entry.workload, seen.told());
        against("moving", text, &format!("wait until it is; gonogo abort {target} takes it back"));
    } else if !scene.intent.args.full && seen.strategy.as_str() == "BlueGreen" && !walk.pauses() {
        let text = format!("{} does not wait before its switch: {}", entry.workload, seen.told());
        against("moving", text, &format!("wait; gonogo promote {target} --full switches as soon as the new instances are there"));
    }
    if seen.paused {
        against("paused", format!("{} is paused by another hand", entry.workload), "end its pause there, then plan again");
    }
    let (from, wish) = if scene.intent.args.full {
        draft.after = format!(
            "{} goes to all of its instances at once: every further pause, analysis and step of its own is skipped",
            entry.workload
        );
        (images.clone(), WorkloadForm { full: Some(true), ..images })
    } else {
        let past = walk.reached().saturating_add(1);
        let told = walk.told().unwrap_or_default();
        draft.after = format!("{} goes past {told}; its own rule walks the others", entry.workload);
        let at = |step| WorkloadForm { step: Some(step), ..images.clone() };
        (at(walk.reached()), at(past))
    };
    add(draft, effect(entry, &seen.uid, &from, &wish));
}

/// What its orchestrator aborted, or another hand, begins anew with its first step; none where nothing is aborted: a retry is of a run then.
pub(super) fn retry(scene: &Scene<'_>, entry: &WorkloadEntry) -> Option<Draft> {
    let of_run = scene.intent.args.run.is_some() || scene.intent.args.failed_only || entry.workload.kind != WorkloadKind::Rollout;
    let seen = super::seen(scene, entry).filter(|_| !of_run)?;
    let _aborted = seen.walk.as_ref().filter(|walk| walk.aborted)?;
    let mut draft = draft(scene, entry, Direction::Forward);
    draft.undo = Some(format!("abort {}", scene.intent.target));
    let Some(course) = course(scene) else {
        draft.impossible.push(no_rollout(scene));
        return Some(draft);
    };
    let set = set_last(course)?;
    let at = |aborted| WorkloadForm { images: set.images.clone(), aborted: Some(aborted), ..WorkloadForm::default() };
    let images = standing(seen, set);
    if images.images != set.images {
        let text = format!("another hand changed {}: it stands at {images}, not at what this rollout set", entry.workload);
        draft.impossible.push(Reason::new("changed", &text, "look at who changed it; gonogo abort takes it back all the same"));
    }
    draft.after = format!("{} begins anew with its first step", entry.workload);
    add(&mut draft, effect(entry, &seen.uid, &at(true), &at(false)));
    Some(draft)
}

/// Why nobody but Flagger sends a canary on, and what does it in place of a promotion.
pub(super) fn by_flagger_alone(scene: &Scene<'_>, seen: &WorkloadSeen) -> Reason {
    let target = &scene.intent.target;
    let text = format!("Flagger alone promotes {}: {}", seen.name, seen.told());
    let gated = seen.walk.as_ref().is_some_and(Walk::pauses);
    let fix = if gated {
        format!("open the gate that its webhook asks (spec.analysis.webhooks); gonogo abort {target} takes it back")
    } else {
        format!(
            "wait for its analysis; spec.skipAnalysis there promotes without one, and every later version too until it is taken away; \
             gonogo abort {target} takes it back"
        )
    };
    Reason::new("unsupported", &text, &fix)
}

/// What a way back of a canary means there, and whether that is a warning; none where it stands as it was already.
pub(super) fn canary_back(seen: &WorkloadSeen, stands: bool) -> Option<(&'static str, bool)> {
    let walk = seen.walk.as_ref().filter(|_| seen.name.kind == WorkloadKind::Canary && !stands)?;
    let promoting = walk.phase.as_ref().is_some_and(|phase| matches!(phase.as_str(), "Promoting" | "Finalising"));
    Some(if walk.full || promoting {
        (
            "Flagger has promoted it, so the old version is new to it: it goes through the whole analysis before its primary runs it again",
            true,
        )
    } else {
        ("its weights stay as they are until Flagger ends its analysis; the instances behind them become those of the old version", false)
    })
}
