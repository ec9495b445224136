//! Plans of a target that is a workload: its instances are replaced, there are no two slots to move traffic between.

mod walk;

use super::of_workload::{course, draft, effect, now, seen, stable, standing, told, unfit, version};
use super::{Draft, PlanError, Scene, cost, rollout, still};
use crate::model::intent::{Direction, Verb};
use crate::model::part::Part;
use crate::model::plan::{Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::share::Percent;
use crate::model::spec::SpecStep;
use crate::model::strategy::Strategy;
use crate::model::text::Text;
use crate::model::workload::{self, WorkloadEntry, WorkloadForm, WorkloadKind, WorkloadSeen};

/// The plan of a verb; none for a verb that is the same for every target.
///
/// # Errors
/// An argument is missing or of the wrong kind.
pub(super) fn plan(scene: &Scene<'_>, entry: &WorkloadEntry) -> Result<Option<Draft>, PlanError> {
    if scene.intent.args.full && !matches!(entry.workload.kind, WorkloadKind::Rollout | WorkloadKind::Canary) {
        let text = format!("{} has no steps of its own that could be skipped; leave --full out", entry.workload);
        return Err(PlanError::Arguments(Text::clean(&text)));
    }
    Ok(Some(match scene.intent.verb {
        Verb::Rollout => start(scene, entry)?,
        Verb::Shift if scene.intent.args.of.is_some() => step(scene, entry),
        Verb::Shift => no_shift(scene),
        Verb::Promote => promote(scene, entry),
        Verb::Abort => abort(scene, entry),
        Verb::Rollback if course(scene).is_some() => abort(scene, entry),
        Verb::Rollback => no_rollback(scene),
        Verb::Hold => hold(scene, entry),
        Verb::Resume => resume(scene, entry),
        Verb::Retry => match walk::retry(scene, entry) {
            Some(draft) => draft,
            None => return Ok(None),
        },
        Verb::Note
        | Verb::Flag
        | Verb::Drain
        | Verb::Ready
        | Verb::Silence
        | Verb::Unsilence
        | Verb::Start
        | Verb::Cancel
        | Verb::Approve
        | Verb::Reject => return Ok(None),
    }))
}

/// Adds an effect with what must stand there.
fn add(draft: &mut Draft, effect: StepEffect) {
    if let StepEffect::Workload { backend, change } = &effect {
        draft.preconditions.push(Precondition::WorkloadAs {
            backend: backend.clone(),
            workload: change.workload.clone(),
            uid: change.uid.clone(),
            form: change.from.clone(),
        });
    }
    draft.effects.push(effect);
}

/// Starts the rollout of a version: the exact images of every step, and those to go back to, are in the Order.
fn start(scene: &Scene<'_>, entry: &WorkloadEntry) -> Result<Draft, PlanError> {
    let target = &scene.intent.target;
    let version = version(scene)?;
    let mut draft = draft(scene, entry, Direction::Forward);
    draft.percent = Some(Percent::NONE);
    draft.undo = Some(format!("abort {target}"));
    draft.brings = Some((version.clone(), None));
    if let Some(rollout) = scene.world.target(target).and_then(|view| view.state.rollout.as_ref()) {
        let plan = rollout.plan.map(|plan| format!(", plan {}", plan.short())).unwrap_or_default();
        let text = format!("a rollout of {target} goes on already, started by {}{plan}", rollout.by);
        let fix = format!("gonogo abort {target} ends it; gonogo promote {target} sends it on");
        draft.impossible.push(Reason::new("rollout-under-way", &text, &fix));
    }
    let Some(seen) = seen(scene, entry) else {
        "not known".clone_into(&mut draft.after);
        return Ok(draft);
    };
    let image = entry.image_of(version.as_str());
    draft.impossible.extend(against(scene.deploy.strategy, entry, seen, &image));
    let images = [(entry.container.clone(), image.clone())].into();
    let ordinals = entry.workload.kind == WorkloadKind::StatefulSet;
    let first = WorkloadForm { images, partition: ordinals.then_some(0), ..WorkloadForm::default() };
    // Where its own rule is not to end all of them first, gonogo does: down to none, then up with the new image.
    let many = by_scale(scene.deploy.strategy, seen).then_some(seen.replicas.wished);
    let first = WorkloadForm { replicas: many, ..first };
    let before = standing(seen, &first);
    let mut from = before.clone();
    let mut steps = Vec::new();
    if many.is_some() {
        let none = WorkloadForm { replicas: Some(0), ..before.clone() };
        steps.push(SpecStep { effects: vec![effect(entry, &seen.uid, &from, &none)], pace_s: None, paused: false, percent: Percent::NONE });
        from = none;
    }
    for percent in &scene.deploy.steps {
        let partition = ordinals.then(|| workload::partition(seen.replicas.wished, percent.get()));
        let wish = WorkloadForm { partition, ..first.clone() };
        let paused = scene.deploy.rollout.pause_before.contains(percent);
        steps.push(SpecStep { effects: vec![effect(entry, &seen.uid, &from, &wish)], pace_s: None, paused, percent: *percent });
        from = wish;
    }
    let back = WorkloadForm {
        paused: entry.workload.kind.can_pause().then_some(false),
        partition: ordinals.then_some(0),
        // Gone back to, no step is walked again.
        full: (entry.workload.kind == WorkloadKind::Rollout).then_some(true),
        ..before.clone()
    };
    draft.preconditions.push(Precondition::WorkloadAs {
        backend: entry.backend.clone(),
        workload: entry.workload.clone(),
        uid: seen.uid.clone(),
        form: before,
    });
    let (mut spec, unfilled) = rollout::spec_of(scene, stable(scene).other(), steps, Some(version));
    spec.back = Some(back.clone());
    draft.impossible.extend(unfilled);
    draft.impossible.extend(rollout::no_objective(scene));
    let told = rollout::told(&spec, None);
    draft.after = format!("{} {image}: {told}; a way back sets {back}{}", entry.workload, rollout::alone(scene));
    if many.is_some() {
        draft.after.push_str("; NOBODY IS SERVED from its last old instance to its first new one");
    }
    draft.rollout = Some(spec);
    Ok(draft)
}

/// Whether all instances are ended by their number, since the workload's own rule would keep some while others are new.
fn by_scale(strategy: Strategy, seen: &WorkloadSeen) -> bool {
    strategy == Strategy::Recreate && seen.strategy.as_str() != "Recreate"
}

/// Why its instances cannot be replaced now.
fn against(strategy: Strategy, entry: &WorkloadEntry, seen: &WorkloadSeen, image: &str) -> Vec<Reason> {
    let mut against = unfit(entry, seen);
    let name = &entry.workload;
    let mut say = |rule: &str, text: String, fix: &str| against.push(Reason::new(rule, &text, fix));
    if seen.images.get(&entry.container).is_some_and(|now| now == image) {
        say("no-change", format!("{name} already wishes {image}"), "nothing to roll out");
    }
    if strategy != Strategy::Recreate && seen.strategy.as_str() == "Recreate" {
        say(
            "unsupported",
            format!("{name} is to be replaced batch by batch, and its own strategy is Recreate"),
            "set spec.strategy.type: RollingUpdate there, or strategy = \"recreate\" here",
        );
    }
    if strategy == Strategy::Recreate && seen.replicas.wished == 0 {
        say("no-instance", format!("{name} has no instance"), "nothing to recreate; scale it up first");
    }
    if !seen.is_done() {
        say("moving", format!("{name} is still on its way: {}", seen.told()), "wait until it is done, or mend what holds it");
    }
    against
}

/// The step that the rules of the rollout order: exactly what was agreed to.
fn step(scene: &Scene<'_>, entry: &WorkloadEntry) -> Draft {
    let mut draft = draft(scene, entry, Direction::Forward);
    let number = scene.intent.args.of.as_deref().and_then(|of| match of.part {
        Part::Step { step } => Some(step),
        Part::WayBack | Part::End => None,
    });
    match number.and_then(|number| course(scene)?.spec.step(number)) {
        Some(step) => to_step(scene, entry, step, &mut draft),
        None => draft.impossible.push(no_rollout(scene)),
    }
    draft
}

fn to_step(scene: &Scene<'_>, entry: &WorkloadEntry, step: &SpecStep, draft: &mut Draft) {
    draft.percent = Some(step.percent);
    draft.undo = Some(format!("abort {}", scene.intent.target));
    let told: Vec<String> = step.effects.iter().map(|effect| super::words(effect).to_string()).collect();
    let then = if step.scales() { "no instance takes requests from then on" } else { "its own rule replaces the instances" };
    draft.after = format!("{}; {then}", told.join("; "));
    for effect in &step.effects {
        add(draft, effect.clone());
    }
    let uid =
        step.effects.iter().find_map(|effect| if let StepEffect::Workload { change, .. } = effect { Some(&change.uid) } else { None });
    if seen(scene, entry).is_some_and(|seen| Some(&seen.uid) != uid) {
        let text = format!("{} is another object than the rollout began with", entry.workload);
        draft.impossible.push(Reason::new("changed", &text, &format!("gonogo abort {}, then start it anew", scene.intent.target)));
    }
}

fn no_rollout(scene: &Scene<'_>) -> Reason {
    let target = &scene.intent.target;
    let fix = format!("gonogo rollout start {target} --version VERSION starts one");
    Reason::new("no-rollout", &format!("no rollout of {target} is under way"), &fix)
}

/// The next batch; after the last, the new version is the stable one.
fn promote(scene: &Scene<'_>, entry: &WorkloadEntry) -> Draft {
    let mut draft = draft(scene, entry, Direction::Forward);
    let Some(course) = course(scene) else {
        draft.impossible.push(no_rollout(scene));
        return draft;
    };
    if let Some((_, next)) = course.spec.after(course.step) {
        to_step(scene, entry, next, &mut draft);
        return draft;
    }
    if let Some(seen) = seen(scene, entry).filter(|seen| walk::is_on_its_way(seen)) {
        if entry.workload.kind == WorkloadKind::Canary {
            draft.impossible.push(walk::by_flagger_alone(scene, seen));
            return draft;
        }
        walk::on(scene, entry, (course, seen), &mut draft);
        return draft;
    }
    draft.percent = Some(Percent::ALL);
    draft.ends = Some(course.spec.trial);
    draft.after = format!("the rollout ends; {} is the stable version", cost::name_of(scene, course.spec.trial));
    if let Some(seen) = seen(scene, entry).filter(|seen| !seen.is_done()) {
        let text = format!("{} is not done: {}", entry.workload, seen.told());
        draft.impossible.push(Reason::new(
            "moving",
            &text,
            &format!("wait until it is; gonogo abort {} takes it back", scene.intent.target),
        ));
    }
    draft
}

/// The images that stood there before, at once with the partition that lets all of them be replaced.
fn abort(scene: &Scene<'_>, entry: &WorkloadEntry) -> Draft {
    let mut draft = draft(scene, entry, Direction::Back);
    draft.percent = Some(Percent::NONE);
    let Some((course, back)) = course(scene).and_then(|course| Some((course, course.spec.back.as_ref()?))) else {
        draft.impossible.push(no_rollout(scene));
        return draft;
    };
    draft.ends = Some(course.spec.trial.other());
    draft.after = format!("{} to {back}; its own rule replaces the instances, and the rollout ends", entry.workload);
    let Some(seen) = seen(scene, entry) else { return draft };
    let from = standing(seen, back);
    draft.evidence.extend(walk::canary_back(seen, &from == back).map(|(words, warns)| told(scene, entry, words, warns)));
    // By itself only what the rollout set is taken back; a person sees what else stands there, and decides.
    let mut changes = course.spec.steps.iter().flat_map(|step| &step.effects).filter_map(StepEffect::workload);
    let ours = changes.any(|(_, change)| change.uid == seen.uid && (from == change.wish || from == change.from));
    if !ours {
        let text = format!("another hand changed {}: it stands at {from}, which this rollout did not set", entry.workload);
        if scene.intent.args.of.is_some() {
            draft.impossible.push(Reason::new("changed", &text, "look at who changed it; gonogo abort takes it back all the same"));
        } else {
            draft.evidence.push(told(
                scene,
                entry,
                &format!("it stands at {from}, which this rollout did not set; it is overwritten"),
                true,
            ));
        }
    }
    add(&mut draft, effect(entry, &seen.uid, &from, back));
    draft
}

fn no_shift(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let text = format!("{target} is a workload whose instances are replaced; there are no two slots to shift traffic between");
    let reason = Reason::new("unsupported", &text, &format!("gonogo rollout start {target} --version VERSION"));
    Draft { direction: Some(Direction::Forward), now: "one workload".to_owned(), impossible: vec![reason], ..Draft::default() }
}

fn no_rollback(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let view = scene.world.target(target);
    let running = view.and_then(|view| view.version(view.state.stable)).map(|seen| &seen.version);
    let proven = view.and_then(|view| view.state.proven.iter().find(|proven| Some(&proven.version) != running));
    let version = proven.map_or_else(|| "VERSION".to_owned(), |proven| proven.version.to_string());
    let text = format!("no rollout of {target} is under way, so nothing is to be taken back");
    let reason =
        Reason::new("no-rollout", &text, &format!("gonogo rollout start {target} --version {version} rolls an earlier version out"));
    Draft { direction: Some(Direction::Back), now: "one workload".to_owned(), impossible: vec![reason], ..Draft::default() }
}

/// What a hold or its end sets of the workload, so that its orchestrator stands still, too.
fn pausing(scene: &Scene<'_>, entry: &WorkloadEntry, paused: bool, draft: &mut Draft) {
    let under_way = course(scene).is_some();
    let Some(seen) = seen(scene, entry).filter(|_| under_way && draft.impossible.is_empty()) else { return };
    match (entry.workload.kind, paused) {
        (WorkloadKind::Deployment | WorkloadKind::Rollout | WorkloadKind::Canary, paused) if seen.paused != paused => {
            let wish = WorkloadForm { paused: Some(paused), ..WorkloadForm::default() };
            draft.effects.push(effect(entry, &seen.uid, &WorkloadForm::default(), &wish));
            let does = match (entry.workload.kind, paused) {
                (_, false) => "goes on",
                (WorkloadKind::Canary, true) => {
                    "is suspended: its weights stay as they are, and Flagger neither goes on with it nor takes it back by itself"
                }
                (_, true) => "is paused",
            };
            draft.after = format!("{}; {} {does}", draft.after, entry.workload);
        }
        (WorkloadKind::Deployment | WorkloadKind::Rollout | WorkloadKind::Canary, _)
        | (WorkloadKind::StatefulSet | WorkloadKind::DaemonSet, false) => {}
        (WorkloadKind::StatefulSet, true) => {
            draft.after = format!("{}; the batch under way goes to its end, no other follows", draft.after);
        }
        (WorkloadKind::DaemonSet, true) => {
            draft.after = format!("{}; a DaemonSet cannot be paused: what is under way there goes to its end", draft.after);
        }
    }
}

fn hold(scene: &Scene<'_>, entry: &WorkloadEntry) -> Draft {
    let after = "nothing that goes through gonogo moves it forward until resumed; the way back stays open".to_owned();
    let mut draft = Draft { now: now(scene, entry), after, ..still::hold(scene) };
    pausing(scene, entry, true, &mut draft);
    draft
}

fn resume(scene: &Scene<'_>, entry: &WorkloadEntry) -> Draft {
    let mut draft = Draft { now: now(scene, entry), after: "forward moves may go again".to_owned(), ..still::resume(scene) };
    pausing(scene, entry, false, &mut draft);
    draft
}
