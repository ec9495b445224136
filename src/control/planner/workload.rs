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
        Verb::Note | Verb::Flag | Verb::Drain | Verb::Ready | Verb::Start | Verb::Cancel | Verb::Approve | Verb::Reject => return Ok(None),
    }))
}

fn seen<'a>(scene: &Scene<'a>, entry: &WorkloadEntry) -> Option<&'a WorkloadSeen> {
    scene.world.workloads(&entry.backend)?.value.as_ref()?.get(&entry.workload)
}

fn course<'a>(scene: &Scene<'a>) -> Option<&'a Course> {
    scene.world.target(&scene.intent.target)?.state.rollout.as_ref()?.course.as_deref()
}

fn stable(scene: &Scene<'_>) -> Slot {
    scene.world.target(&scene.intent.target).map_or(Slot::First, |view| view.state.stable)
}

/// How it stands, in words.
fn now(scene: &Scene<'_>, entry: &WorkloadEntry) -> String {
    match seen(scene, entry) {
        None => format!("{} not known", entry.workload),
        Some(seen) => {
            let image = seen.images.get(&entry.container).map_or("no such container", String::as_str);
            format!("{}: {} {image}; {}", entry.workload, entry.container, seen.told())
        }
    }
}

/// What every plan that changes the workload has.
fn draft(scene: &Scene<'_>, entry: &WorkloadEntry, direction: Direction) -> Draft {
    let mut draft = Draft {
        direction: Some(direction),
        slot: Some(stable(scene).other()),
        now: now(scene, entry),
        evidence: cost::evidence(scene),
        costs: cost::of_workload(scene, entry.workload.kind),
        ..Draft::default()
    };
    run::needs(scene, &entry.backend, Capability::Replace, &mut draft);
    draft.evidence.extend(seen(scene, entry).map(|seen| told(scene, entry, &seen.told(), !seen.is_done())));
    draft.preconditions.push(Precondition::Stable { slot: stable(scene) });
    draft.preconditions.push(Precondition::Fresh { backend: entry.backend.clone() });
    let reading = scene.world.workloads(&entry.backend).and_then(|fact| fact.value.as_ref());
    if reading.is_some_and(|reading| reading.get(&entry.workload).is_none()) {
        let text = format!("{} has no {}", entry.backend, entry.workload);
        draft.impossible.push(Reason::new("missing", &text, "compare `workload` in its deploy table with the cluster"));
    } else if reading.is_none() {
        let text = format!("{} was not read yet, so it is not known what {} is", entry.backend, entry.workload);
        draft.impossible.push(Reason::new("unreachable", &text, "wait until it is read"));
    }
    draft
}

/// What is seen of the workload, as evidence.
fn told(scene: &Scene<'_>, entry: &WorkloadEntry, words: &str, warns: bool) -> Evidence {
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

fn effect(entry: &WorkloadEntry, uid: &str, from: &WorkloadForm, wish: &WorkloadForm) -> StepEffect {
    let change = WorkloadChange { workload: entry.workload.clone(), uid: uid.to_owned(), from: from.clone(), wish: wish.clone() };
    StepEffect::Workload { backend: entry.backend.clone(), change: Box::new(change) }
}

/// As the workload stands, so far as a wish would change it.
fn standing(seen: &WorkloadSeen, wish: &WorkloadForm) -> WorkloadForm {
    let images = seen.images.iter().filter(|(container, _)| wish.images.contains_key(*container));
    WorkloadForm {
        images: images.map(|(container, image)| (container.clone(), image.clone())).collect(),
        partition: wish.partition.and(seen.partition),
        ..WorkloadForm::default()
    }
}

/// Starts the rollout of a version: the exact images of every step, and those to go back to, are in the Order.
fn start(scene: &Scene<'_>, entry: &WorkloadEntry) -> Result<Draft, PlanError> {
    let target = &scene.intent.target;
    let usage = |text: &str| Err(PlanError::Arguments(Text::clean(text)));
    let Some(version) = &scene.intent.args.version else {
        return usage(&format!("a rollout of {target} needs the version that it brings: gonogo rollout start {target} --version VERSION"));
    };
    if !is_tag(version.as_str()) {
        return usage(&format!(
            "`{}` is no version of an image: at most 128 letters, digits, `_`, `.` and `-`",
            Text::clean_within(version.as_str(), 40)
        ));
    }
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
    let before = standing(seen, &first);
    let mut from = before.clone();
    let mut steps = Vec::new();
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
    draft.after = format!("{} {image}: {}; a way back sets {back}{}", entry.workload, rollout::told(&spec, None), rollout::alone(scene));
    draft.rollout = Some(spec);
    Ok(draft)
}

/// The letters of an image's tag.
fn is_tag(version: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !version.is_empty() && version.len() <= 128 && version.chars().all(plain) && !version.starts_with(['.', '-'])
}

/// Why its instances cannot be replaced now.
fn against(strategy: Strategy, entry: &WorkloadEntry, seen: &WorkloadSeen, image: &str) -> Vec<Reason> {
    let mut against = Vec::new();
    let name = &entry.workload;
    let mut say = |rule: &str, text: String, fix: &str| against.push(Reason::new(rule, &text, fix));
    match seen.images.get(&entry.container) {
        None => {
            let all: Vec<_> = seen.images.keys().map(String::as_str).collect();
            say("missing", format!("{name} has no container {}; it has {}", entry.container, all.join(", ")), "mend `container`");
        }
        Some(now) if now == image => say("no-change", format!("{name} already wishes {image}"), "nothing to roll out"),
        Some(_) => {}
    }
    match (strategy, seen.strategy.as_str()) {
        (_, "OnDelete") => say(
            "unsupported",
            format!("{name} replaces an instance only when somebody deletes it (OnDelete)"),
            "set its updateStrategy to RollingUpdate there",
        ),
        (_, "workloadRef") => say(
            "unsupported",
            format!("{name} takes its template from another object (spec.workloadRef), which gonogo does not change"),
            "give the Rollout a template of its own",
        ),
        (_, "targetRef") => say(
            "unsupported",
            format!("{name} has a target that is no Deployment (spec.targetRef), which gonogo does not change"),
            "give the Canary a Deployment as its target",
        ),
        (Strategy::Recreate, "Recreate") => {}
        (Strategy::Recreate, other) => say(
            "unsupported",
            format!("{name} is to be recreated, and its own strategy is {other}"),
            "set spec.strategy.type: Recreate there, or strategy = \"rolling\" here",
        ),
        (_, "Recreate") => say(
            "unsupported",
            format!("{name} is to be replaced batch by batch, and its own strategy is Recreate"),
            "set spec.strategy.type: RollingUpdate there, or strategy = \"recreate\" here",
        ),
        _ => {}
    }
    if seen.paused {
        say("paused", format!("{name} is paused by another hand"), "end its pause there, then plan again");
    }
    if let Some(first) = seen.partition.filter(|first| *first > 0) {
        say("partition", format!("{name} has the partition {first}: only ordinals from it on would be replaced"), "set it to 0 there");
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
    draft.after = format!("{}; its own rule replaces the instances", told.join("; "));
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
