//! Plans of a target whose slots are workloads: a rollout brings the version on trial up before anybody gets it, and the old one down at
//! its end, where nobody gets that any more.

use super::{Draft, PlanError, Scene, beside, cost, of_workload, run};
use crate::model::capability::Capability;
use crate::model::intent::{Direction, Verb};
use crate::model::name::BackendName;
use crate::model::part::Part;
use crate::model::plan::{Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::share::{Percent, Share};
use crate::model::slot::Slot;
use crate::model::spec::{Spec, SpecStep};
use crate::model::workload::{WorkloadChange, WorkloadEntry, WorkloadForm, WorkloadSeen, counted};

/// That a rollout of such a target is told its version, one that can be an image's.
///
/// # Errors
/// It is not.
pub(super) fn asked(scene: &Scene<'_>) -> Result<(), PlanError> {
    if scene.deploy.workloads.is_some() { of_workload::version(scene).map(drop) } else { Ok(()) }
}

/// Completes the plan that starts a rollout: its first step brings the version on trial up, its end the old one down.
pub(super) fn starts(scene: &Scene<'_>, trial: Slot, spec: &mut Spec, draft: &mut Draft) {
    let (Some(of), Some(version)) = (scene.deploy.workloads.as_deref(), scene.intent.args.version.as_ref()) else { return };
    // What the first share needs is there once the first step was made.
    let later = |must: &Precondition| {
        matches!(must, Precondition::ServerUp { slot, .. } if *slot == trial)
            || matches!(must, Precondition::Version { .. } | Precondition::InstancesReady { .. })
    };
    draft.preconditions.retain(|must| !later(must));
    draft.brings = Some((version.clone(), None));
    draft.digest = None;
    let (new, old) = (of.of(trial), of.of(trial.other()));
    of_workload::reads(scene, new, draft);
    of_workload::is_there(scene, old, draft);
    taken(scene, trial, draft);
    let (Some(seen), Some(stable)) = (of_workload::seen(scene, new), of_workload::seen(scene, old)) else { return };
    let image = new.image_of(version.as_str());
    draft.impossible.extend(of_workload::unfit(new, seen));
    if stable.images.get(&old.container) == Some(&image) {
        let text = format!("{} wishes {image} already, and it is the stable one", old.workload);
        draft.impossible.push(Reason::new("no-change", &text, "nothing to roll out"));
    }
    let replicas = of.replicas.unwrap_or(stable.replicas.wished);
    if replicas == 0 {
        let text = format!("{} has no instance, so it is not known how many {} is to have", old.workload, new.workload);
        draft.impossible.push(Reason::new("no-instance", &text, "write `replicas` into `workloads` of its deploy table"));
    }
    let wish = WorkloadForm { images: [(new.container.clone(), image)].into(), replicas: Some(replicas), ..WorkloadForm::default() };
    let up = of_workload::effect(new, &seen.uid, &of_workload::standing(seen, &wish), &wish);
    draft.preconditions.extend(stands(&up));
    spec.steps.insert(0, SpecStep { effects: vec![up], pace_s: None, paused: false, percent: Percent::NONE });
    spec.ends =
        of.after.filter(|after| *after < stable.replicas.wished).map(|after| brought_down(old, stable, after)).into_iter().collect();
    for (entry, seen) in [(new, seen), (old, stable)] {
        let minded = seen.autoscaler.as_ref().map(|name| {
            format!("; HorizontalPodAutoscaler {name} sets how many instances it has: gonogo only brings it up from none and down to none")
        });
        let words = format!("{}{}", seen.told(), minded.unwrap_or_default());
        draft.evidence.push(of_workload::told(scene, entry, &words, false));
    }
    draft.now = format!("{}; {}", draft.now, of_workload::now(scene, new));
}

/// The old workload with so many instances, while it runs what it runs now.
fn brought_down(old: &WorkloadEntry, seen: &WorkloadSeen, after: u32) -> StepEffect {
    let images = seen.images.get(&old.container).map(|image| (old.container.clone(), image.clone())).into_iter().collect();
    let wish = WorkloadForm { images, replicas: Some(after), ..WorkloadForm::default() };
    of_workload::effect(old, &seen.uid, &of_workload::standing(seen, &wish), &wish)
}

/// That a workload stands as an effect was planned on.
fn stands(effect: &StepEffect) -> Option<Precondition> {
    let (backend, change) = effect.workload()?;
    Some(Precondition::WorkloadAs {
        backend: backend.clone(),
        workload: change.workload.clone(),
        uid: change.uid.clone(),
        form: change.from.clone(),
    })
}

/// That somebody gets what stands in the slot on trial, so that it may not be replaced.
fn taken(scene: &Scene<'_>, trial: Slot, draft: &mut Draft) {
    let share = scene.world.target(&scene.intent.target).and_then(|view| view.wished()).map(Share::nearest);
    if share.is_none_or(|share| share == Percent::NONE) && !beside::is_reached(scene, trial) {
        return;
    }
    let text = format!("{} gets traffic, and what it gets would be replaced", cost::name_of(scene, trial));
    let fix = format!("gonogo abort {} takes the traffic from it first", scene.intent.target);
    draft.impossible.push(Reason::new("traffic", &text, &fix));
}

/// The step of the rollout under way that a deed makes, where that brings a workload up.
pub(super) fn step<'a>(scene: &Scene<'a>) -> Option<&'a SpecStep> {
    scene.deploy.workloads.as_ref()?;
    let course = of_workload::course(scene)?;
    let step = match (scene.intent.verb, scene.intent.args.of.as_deref().map(|of| of.part)) {
        (Verb::Shift, Some(Part::Step { step })) => course.spec.step(step)?,
        (Verb::Promote, None) => course.spec.after(course.step)?.1,
        _ => return None,
    };
    step.scales().then_some(step)
}

/// Brings the version on trial up, while nobody gets what stands there.
pub(super) fn brings_up(scene: &Scene<'_>, step: &SpecStep) -> Draft {
    let trial = of_workload::stable(scene).other();
    let Some(of) = scene.deploy.workloads.as_deref() else { return Draft::default() };
    let entry = of.of(trial);
    let mut draft = of_workload::draft(scene, entry, Direction::Forward);
    draft.percent = Some(Percent::NONE);
    draft.undo = Some(format!("abort {}", scene.intent.target));
    for router in &scene.deploy.traffic {
        draft.preconditions.push(Precondition::Fresh { backend: router.backend.clone() });
        let reading = scene.world.traffic(&router.backend).and_then(|fact| fact.value.as_ref());
        for pool in router.pools().filter_map(|name| reading?.pools.get(name)) {
            let servers = router.servers(trial).iter().filter_map(|name| pool.server(name));
            let weights = servers.map(|server| (server.name.clone(), server.weight)).collect();
            draft.preconditions.push(Precondition::WeightsUnchanged { backend: router.backend.clone(), pool: pool.name.clone(), weights });
        }
    }
    taken(scene, trial, &mut draft);
    let told: Vec<String> = step.effects.iter().map(|effect| super::words(effect).to_string()).collect();
    draft.after = format!("{}; nobody gets it yet", told.join("; "));
    for effect in &step.effects {
        draft.preconditions.extend(stands(effect));
        draft.effects.push(effect.clone());
    }
    draft
}

/// What a move of traffic to the slot on trial needs of its workload: an instance, and in a step of a rollout what that brought up.
pub(super) fn ready(scene: &Scene<'_>, trial: Slot, draft: &mut Draft) {
    let Some(of) = scene.deploy.workloads.as_deref() else { return };
    let (backend, workload) = (of.backend().clone(), of.of(trial).workload.clone());
    let fresh = Precondition::Fresh { backend: backend.clone() };
    if !draft.preconditions.contains(&fresh) {
        draft.preconditions.push(fresh);
    }
    draft.preconditions.push(Precondition::InstancesReady { backend: backend.clone(), workload });
    let by_rule = scene.intent.args.of.is_some();
    let brought = of_workload::course(scene).filter(|_| by_rule).and_then(|course| course.spec.set_by(course.step?));
    draft.preconditions.extend(brought.map(|change| Precondition::WorkloadAs {
        backend,
        workload: change.workload.clone(),
        uid: change.uid.clone(),
        form: change.wish.clone(),
    }));
}

/// What a way back leaves standing, and what brings it down.
pub(super) fn left_standing(scene: &Scene<'_>, trial: Slot, draft: &mut Draft) {
    let Some(entry) = scene.deploy.workloads.as_deref().map(|of| of.of(trial)) else { return };
    let Some(seen) = of_workload::seen(scene, entry).filter(|seen| seen.replicas.wished > 0) else { return };
    let wish = WorkloadForm { replicas: Some(0), ..WorkloadForm::default() };
    let by_hand = super::by_hand(scene.world, &of_workload::effect(entry, &seen.uid, &of_workload::standing(seen, &wish), &wish));
    let how = if by_hand.is_empty() { String::new() } else { format!(", or by hand: {}", by_hand.join("; ")) };
    let many = counted(seen.replicas.wished);
    draft.after = format!("{}; {} keeps its {many}", draft.after, entry.workload.name);
    let words = format!("it keeps its {many} without traffic; the next rollout replaces them{how}");
    draft.evidence.push(of_workload::told(scene, entry, &words, false));
}

/// What the end of a rollout brings down. What gets traffic by what the routers say now, or is not known not to, is left as it is.
pub(super) fn ends(scene: &Scene<'_>, draft: &mut Draft) {
    let (Some(of), Some(course)) = (scene.deploy.workloads.as_deref(), of_workload::course(scene)) else { return };
    let entry = of.of(course.spec.trial.other());
    for effect in &course.spec.ends {
        let Some((backend, change)) = effect.workload() else { continue };
        if let Some(why) = left(scene, course.spec.trial.other(), backend, change) {
            draft.after = format!("{}; {} is left as it is", draft.after, change.workload.name);
            draft.evidence.push(of_workload::told(scene, entry, &format!("LEFT AS IT IS, not brought to {}: {why}", change.wish), true));
            continue;
        }
        run::needs(scene, backend, Capability::Replace, draft);
        let routers = scene.deploy.traffic.iter().map(|router| &router.backend);
        let fresh = routers.chain([backend]).map(|backend| Precondition::Fresh { backend: backend.clone() });
        for must in fresh.chain(stands(effect)).collect::<Vec<_>>() {
            if !draft.preconditions.contains(&must) {
                draft.preconditions.push(must);
            }
        }
        let many = change.wish.replicas.map(counted).unwrap_or_default();
        draft.after = format!("{}; {} goes to {many}", draft.after, change.workload.name);
        draft.effects.push(effect.clone());
    }
}

/// Why the old version is not brought down.
fn left(scene: &Scene<'_>, old: Slot, backend: &BackendName, change: &WorkloadChange) -> Option<String> {
    let stale = |backend: &BackendName| {
        let freshness = scene.world.freshness(backend, scene.now);
        (!freshness.is_fresh()).then(|| format!("{backend} is {}", freshness.word()))
    };
    let gets = || {
        scene.deploy.traffic.iter().find_map(|router| {
            let reading = scene.world.traffic(&router.backend).and_then(|fact| fact.value.as_ref());
            stale(&router.backend).or_else(|| {
                router.pools().find_map(|name| {
                    let Some(pool) = reading.and_then(|reading| reading.pools.get(name)) else {
                        return Some(format!("what {} gives to it is not known", router.backend));
                    };
                    let given = router.servers(old).iter().filter_map(|name| pool.server(name)).find(|server| server.weight > 0)?;
                    Some(format!("{} gives traffic to {}, weight {} in {name}", router.backend, given.name, given.weight))
                })
            })
        })
    };
    let reading = scene.world.workloads(backend).and_then(|fact| fact.value.as_ref());
    let seen = reading.and_then(|reading| reading.get(&change.workload));
    let same = seen.is_some_and(|seen| seen.uid == change.uid && (seen.is_as(&change.from) || seen.is_as(&change.wish)));
    stale(backend).or_else(gets).or_else(|| (!same).then(|| crate::control::rolling::elsewhere(seen, change, &change.from)))
}
