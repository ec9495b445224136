//! Plans of a target that is a workload: its instances are replaced, there are no two slots to move traffic between.

mod walk;

use super::{Draft, PlanError, Scene, cost, rollout, run, still};
use crate::model::capability::Capability;
use crate::model::intent::{Direction, Verb};
use crate::model::part::Part;
use crate::model::plan::{Evidence, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::spec::{Course, SpecStep};
use crate::model::strategy::Strategy;
use crate::model::text::Text;
use crate::model::workload::{self, WorkloadChange, WorkloadEntry, WorkloadForm, WorkloadKind, WorkloadSeen};

/// The plan of a verb; none for a verb that is the same for every target.
///
/// # Errors
/// An argument is missing or of the wrong kind.
pub(super) fn plan(scene: &Scene<'_>, entry: &WorkloadEntry) -> Result<Option<Draft>, PlanError> {
    if scene.intent.args.full && entry.workload.kind != WorkloadKind::Rollout {
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
        Verb::Note | Verb::Flag | Verb::Drain | Verb::Ready | Verb::Start | Verb::Cancel | Verb::Approve | Verb::Reject => return Ok(None),
    }))
}

pub(super) fn seen<'a>(scene: &Scene<'a>, entry: &WorkloadEntry) -> Option<&'a WorkloadSeen> {
    scene.world.workloads(&entry.backend)?.value.as_ref()?.get(&entry.workload)
}

pub(super) fn course<'a>(scene: &Scene<'a>) -> Option<&'a Course> {
    scene.world.target(&scene.intent.target)?.state.rollout.as_ref()?.course.as_deref()
}

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
        (WorkloadKind::Deployment | WorkloadKind::Rollout, paused) if seen.paused != paused => {
            let wish = WorkloadForm { paused: Some(paused), ..WorkloadForm::default() };
            draft.effects.push(effect(entry, &seen.uid, &WorkloadForm::default(), &wish));
            let does = if paused { "is paused" } else { "goes on" };
            draft.after = format!("{}; {} {does}", draft.after, entry.workload);
        }
        (WorkloadKind::Deployment | WorkloadKind::Rollout, _) | (WorkloadKind::StatefulSet | WorkloadKind::DaemonSet, false) => {}
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
