//! Flags that a rollout sets at its steps, after the shares, and takes back behind them: what stood there when it was started.

use super::beside::To;
use super::{Draft, Scene, flag, run};
use crate::model::capability::Capability;
use crate::model::plan::{Evidence, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::share::Percent;
use crate::model::spec::Spec;
use crate::model::text::Text;

/// The effects on flags of a step of a rollout that is started now, and what stands against one.
pub(super) fn of_step(scene: &Scene<'_>, percent: Percent) -> (Vec<StepEffect>, Vec<Reason>) {
    let (mut effects, mut against) = (Vec::new(), Vec::new());
    for wish in scene.deploy.rollout.flags.iter().filter(|wish| wish.at == percent) {
        let Some(entry) = scene.deploy.flags.iter().find(|entry| entry.flag.name == wish.name) else { continue };
        let name = entry.title(&scene.intent.target);
        let reading = scene.world.flags(&entry.backend).and_then(|fact| fact.value.as_ref());
        let Some(state) = reading.and_then(|reading| reading.state(&entry.flag)) else {
            let text = format!("{} has not told how {name} stands, and the rollout is to set it", entry.backend);
            against.push(Reason::new("unreachable", &text, "wait until it is read, or compare its name with the flag service's"));
            continue;
        };
        against.extend(flag::refused(&name, wish.to, state));
        effects.push(flag::effect(entry, wish.to, state));
    }
    (effects, against)
}

/// What a rollout that is started now needs of the flag services.
pub(super) fn needed(scene: &Scene<'_>, spec: &Spec, draft: &mut Draft) {
    for (backend, _) in of(spec).filter_map(|(_, effect)| effect.flag()) {
        run::needs(scene, backend, Capability::SetFlags, draft);
        let must = Precondition::Fresh { backend: backend.clone() };
        if !draft.preconditions.contains(&must) {
            draft.preconditions.push(must);
        }
    }
}

/// The flags of all steps, each with the share of its step.
fn of(spec: &Spec) -> impl Iterator<Item = (Percent, &StepEffect)> {
    let all = spec.steps.iter().flat_map(|step| step.effects.iter().map(|effect| (step.percent, effect)));
    all.filter(|(_, effect)| effect.flag().is_some())
}

/// Adds to a move of the shares of a rollout under way what it sets of flags: at a step what was agreed to, exactly; on the way back to
/// nothing what stood there before. What another hand set meanwhile is left to it.
pub(super) fn add(scene: &Scene<'_>, to: To, lowers: bool, draft: &mut Draft) {
    let rollout = scene.world.target(&scene.intent.target).and_then(|view| view.state.rollout.as_ref());
    let Some(spec) = rollout.and_then(|rollout| rollout.course.as_deref()).map(|course| &course.spec) else { return };
    if to.percent == Percent::NONE && !to.on_trial {
        for (_, effect) in of(spec) {
            taken_back(scene, effect, draft);
        }
        return;
    }
    for (_, effect) in of(spec).filter(|(percent, _)| !lowers && *percent == to.percent) {
        let mut effect = effect.clone();
        let StepEffect::Flag { backend, flag, was, .. } = &mut effect else { continue };
        // Off is off: a way back before left the percentage at which it would be on.
        let now = scene.world.flags(backend).and_then(|fact| fact.value.as_ref()?.state(flag)).filter(|now| now.mark.gives_as(was));
        if let Some(now) = now {
            was.clone_from(&now.mark);
        }
        draft.preconditions.push(Precondition::Fresh { backend: backend.clone() });
        draft.preconditions.push(Precondition::FlagUnchanged { backend: backend.clone(), flag: flag.clone(), was: was.clone() });
        draft.effects.push(effect);
    }
}

fn taken_back(scene: &Scene<'_>, effect: &StepEffect, draft: &mut Draft) {
    let StepEffect::Flag { backend, flag, on, percent, was } = effect else { return };
    let age = scene.world.sources.get(backend).and_then(|source| source.age(scene.now)).map(|age| age.as_secs());
    let mut left = |words: String| {
        let text = Text::clean(&format!("LEFT OUT: {} of {backend} {words}", flag.name));
        draft.evidence.push(Evidence { text, source: backend.to_string(), age_s: age, warns: true });
    };
    // Never harder than the way forward: what does not answer is not waited for.
    let reading = scene.world.flags(backend).filter(|_| scene.world.freshness(backend, scene.now).is_fresh());
    let Some(state) = reading.and_then(|fact| fact.value.as_ref()).and_then(|reading| reading.state(flag)) else {
        left(format!("is not known to stand; it was {} before the rollout", was.words()));
        return;
    };
    if state.mark.gives_as(was) {
        return;
    }
    if !state.mark.is(*on, *percent) {
        left(format!("is {}, set by another hand; it was {} before the rollout", state.mark.words(), was.words()));
        return;
    }
    // No precondition: whatever becomes of the flag meanwhile, the traffic goes back. Its service compares how it stood once more.
    let (on, percent) = was.before();
    let (backend, flag, was) = (backend.clone(), flag.clone(), state.mark.clone());
    draft.after = format!("{}; {} is {}", draft.after, flag.name, if on { "as before" } else { "off" });
    draft.effects.push(StepEffect::Flag { backend, flag, on, percent, was });
}

/// The flags of its steps, in words: `50 % with new-checkout on`.
pub(super) fn told(spec: &Spec, percent: Percent) -> String {
    let one = |effect: &StepEffect| {
        let StepEffect::Flag { flag, on, percent, .. } = effect else { return None };
        let share = percent.filter(|_| *on).map(|share| format!(" at {share} %")).unwrap_or_default();
        Some(format!("{} {}{share}", flag.name, if *on { "on" } else { "off" }))
    };
    let all: Vec<String> = of(spec).filter(|(at, _)| *at == percent).filter_map(|(_, effect)| one(effect)).collect();
    if all.is_empty() { String::new() } else { format!(" with {}", all.join(" and ")) }
}
