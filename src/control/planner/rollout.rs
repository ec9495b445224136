//! The plan that starts a rollout which goes on by itself: all its steps as absolute effects, and what sends it back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::beside::{self, To};
use super::{Draft, Scene, cost, slots, step_flags, traffic};
use crate::analysis::weights;
use crate::config::{duration, placeholder};
use crate::model::catalog::Deploy;
use crate::model::intent::Direction;
use crate::model::name::ObjectiveName;
use crate::model::plan::{Precondition, StepEffect};
use crate::model::probe::{Probe, StepCheck};
use crate::model::reason::Reason;
use crate::model::share::{Percent, Share};
use crate::model::slot::Slot;
use crate::model::spec::{Spec, SpecStep};
use crate::model::strategy::Trigger;
use crate::model::text::Text;
use crate::model::together::{OnFailure, Together};
use crate::model::workload::{WorkloadChange, counted};

/// Everything that the rollout will do is in the Order; what stands in its way is in the plan.
pub(super) fn start(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let view = scene.world.target(target);
    let trial = view.map_or(Slot::Second, |view| view.canary_slot());
    let now = view.and_then(|view| view.wished()).map(Share::nearest);
    // From nothing on, a step of nothing is the one for testers and copies.
    let is_ahead = |step: &Percent| now.is_none_or(|now| *step > now || now == Percent::NONE);
    let first = scene.deploy.steps.iter().copied().find(is_ahead).unwrap_or(Percent::ALL);
    // What the first step needs is what the start needs.
    let mut draft = traffic::go_to(scene, To::step(first));
    draft.direction = Some(Direction::Forward);
    draft.effects.clear();
    draft.reach.clear();
    draft.percent = now;
    draft.undo = Some(format!("abort {target}"));
    let (mut spec, against) = spec(scene, trial);
    draft.impossible.extend(against);
    slots::starts(scene, trial, &mut spec, &mut draft);
    draft.impossible.extend(in_the_way(scene, now));
    if spec.judged {
        let eyes = scene.service.signals.iter().map(|signal| &signal.backend);
        for backend in eyes {
            let must = Precondition::Fresh { backend: backend.clone() };
            if !draft.preconditions.contains(&must) {
                draft.preconditions.push(must);
            }
        }
    }
    step_flags::needed(scene, &spec, &mut draft);
    let name = scene.intent.args.version.as_ref().map_or_else(|| cost::name_of(scene, trial), ToString::to_string);
    draft.after = format!("{name}: {}{}", told(&spec, now), alone(scene));
    draft.costs = cost::of_traffic(scene, Percent::ALL);
    draft.rollout = Some(spec);
    draft
}

/// What the rollout does, as the configuration and the routers say now.
fn spec(scene: &Scene<'_>, trial: Slot) -> (Spec, Vec<Reason>) {
    let Deploy { steps, rollout: rules, .. } = scene.deploy;
    let mut against = Vec::new();
    let mut of_share = |percent: Percent| -> Vec<StepEffect> {
        let mut effects = Vec::new();
        for entry in &scene.deploy.traffic {
            let reading = scene.world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref());
            let Some(pool) = reading.and_then(|reading| reading.pools.get(&entry.pool)) else { continue };
            match weights::reach(pool, entry.servers(trial), entry.servers(trial.other()), percent) {
                Ok(weighed) => {
                    effects.push(StepEffect::Weights {
                        backend: entry.backend.clone(),
                        pool: entry.pool.clone(),
                        weights: weighed.weights,
                    });
                }
                Err(reason) if against.contains(&reason) => {}
                Err(reason) => against.push(reason),
            }
            let (beside, reasons) = beside::effects(scene, entry, trial, percent);
            effects.extend(beside);
            for reason in reasons {
                if !against.contains(&reason) {
                    against.push(reason);
                }
            }
        }
        let (flags, reasons) = step_flags::of_step(scene, percent);
        effects.extend(flags);
        against.extend(reasons);
        effects
    };
    let step = |percent: &Percent| SpecStep {
        effects: of_share(*percent),
        pace_s: rules.paces.get(percent).map(Duration::as_secs),
        paused: rules.pause_before.contains(percent),
        percent: *percent,
    };
    let steps: Vec<SpecStep> = steps.iter().map(step).collect();
    let (spec, unfilled) = spec_of(scene, trial, steps, scene.intent.args.version.as_ref());
    against.extend(unfilled);
    (spec, against)
}

/// What a rollout of these steps does by the rules of its target, and what of its checks cannot be filled in. `version`: the one that it
/// brings, where none is read of the slot on trial.
pub(super) fn spec_of(scene: &Scene<'_>, trial: Slot, steps: Vec<SpecStep>, version: Option<&Text>) -> (Spec, Vec<Reason>) {
    let Deploy { strategy, rollout: rules, .. } = scene.deploy;
    let returns = together(scene).filter(|of| of.on_failure == OnFailure::Return).map(|_| Trigger::Together);
    let (checks, unfilled) = checks(scene, trial, version);
    let spec = Spec {
        after_s: rules.after.as_secs(),
        back: None,
        bake_s: rules.bake.as_secs(),
        budgets: budgets(scene),
        checks,
        deadline_s: rules.deadline.as_secs(),
        ends: Vec::new(),
        judged: rules.judged,
        mirror: scene.deploy.mirror,
        steps,
        strategy: *strategy,
        testers: scene.deploy.testers.as_deref().cloned(),
        together: together(scene),
        trial,
        wait_s: rules.wait.as_secs(),
        way_back: rules.way_back.iter().copied().chain(returns).collect(),
    };
    (spec, unfilled)
}

/// The checks with what their addresses and programs name filled in; only plain values stand there, for a version comes from outside.
fn checks(scene: &Scene<'_>, trial: Slot, brings: Option<&Text>) -> (Vec<StepCheck>, Vec<Reason>) {
    let target = &scene.intent.target;
    let seen = scene.world.target(target).and_then(|view| view.version(trial));
    let mut against = Vec::new();
    let mut filled = |check: &StepCheck, template: &str| {
        let missing = std::cell::RefCell::new(None);
        let text = placeholder::fill(template, |name| {
            let value = match name {
                "service" => Some(target.service.as_str()),
                "environment" => Some(target.environment.as_str()),
                "version" => brings.or(seen.map(|seen| &seen.version)).map(Text::as_str),
                "digest" => seen.and_then(|seen| seen.digest.as_ref()).map(Text::as_str),
                _ => None,
            };
            let plain = |text: &&str| !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-+:".contains(c));
            let value = value.filter(plain);
            if value.is_none() {
                *missing.borrow_mut() = Some(name.to_owned());
            }
            value
        });
        if let Some(name) = missing.into_inner() {
            let text = format!("check {} names ${name}, which is not known, or no plain text, of what is on trial", check.name);
            against.push(Reason::new("check", &text, "wait until the version is read, or take it out of the check"));
        }
        text
    };
    let checks = scene.deploy.rollout.checks.iter().map(|check| {
        let probe = match &check.probe {
            Probe::Http { url, status, contains } => Probe::Http { url: filled(check, url), status: *status, contains: contains.clone() },
            Probe::Command { words } => Probe::Command { words: words.iter().map(|word| filled(check, word)).collect() },
            query @ Probe::Query { .. } => query.clone(),
        };
        StepCheck { probe, ..check.clone() }
    });
    let checks = checks.collect();
    (checks, against)
}

/// The set that it is started with.
fn together(scene: &Scene<'_>) -> Option<Together> {
    let run = scene.intent.args.set.as_deref()?;
    let set = scene.world.catalog.sets.iter().find(|set| set.name == run.set)?;
    let with = set.targets.iter().filter(|target| **target != scene.intent.target).cloned().collect();
    Some(Together { nonce: run.nonce.clone(), on_failure: set.on_failure, set: set.name.clone(), with })
}

/// That it is started without the others of its set.
pub(super) fn alone(scene: &Scene<'_>) -> String {
    let target = &scene.intent.target;
    let set = scene.world.catalog.sets.iter().find(|set| scene.intent.args.set.is_none() && set.targets.contains(target));
    set.map_or_else(String::new, |set| format!("; alone, without the others of its set: `gonogo rollout start {}` starts all", set.name))
}

/// The objectives whose burn would send it back, each as it is now.
fn budgets(scene: &Scene<'_>) -> BTreeMap<ObjectiveName, String> {
    let armed = scene.deploy.rollout.way_back.contains(&Trigger::Budget);
    let all = scene.world.objectives_of(&scene.intent.target).filter(|view| armed && view.objective.pages());
    all.map(|view| (view.key.name.clone(), view.objective.digest())).collect()
}

/// Why none can be started now.
fn in_the_way(scene: &Scene<'_>, now: Option<Percent>) -> Vec<Reason> {
    let target = &scene.intent.target;
    let mut against = Vec::new();
    let under_way = scene.world.target(target).and_then(|view| view.state.rollout.as_ref());
    if let Some(rollout) = under_way.filter(|rollout| rollout.course.is_some()) {
        let plan = rollout.plan.map(|plan| format!(", plan {}", plan.short())).unwrap_or_default();
        let text = format!("a rollout of {target} goes on already, started by {}{plan}", rollout.by);
        against.push(Reason::new(
            "rollout-under-way",
            &text,
            &format!("gonogo abort {target} ends it; gonogo promote {target} sends it on"),
        ));
    }
    if let Some(now) = now.filter(|now| *now != Percent::NONE && !scene.deploy.steps.contains(now)) {
        let text = format!("{target} stands at {now} %, which is none of its steps");
        against.push(Reason::new("no-step", &text, &format!("gonogo shift {target} 0, or to one of its steps, then start it")));
    }
    if scene.deploy.rollout.judged && scene.service.signals.is_empty() {
        against.push(Reason::new(
            "no-evidence",
            &format!("{} has no signal, so nothing could judge the new version", target.service),
            "configure [[service.signal]], or rollout = { judged = false } in its deploy table to go by time alone",
        ));
    }
    against.extend(no_objective(scene));
    for backend in scene.deploy.traffic.iter().map(|entry| &entry.backend) {
        if scene.world.traffic(backend).and_then(|fact| fact.value.as_ref()).is_none() {
            let text = format!("{backend} was not read yet, so the weights of the steps are not known");
            against.push(Reason::new("unreachable", &text, "wait until it is read"));
        }
    }
    against
}

/// That its error budget is to send it back and has no objective.
pub(super) fn no_objective(scene: &Scene<'_>) -> Option<Reason> {
    let target = &scene.intent.target;
    (scene.deploy.rollout.way_back.contains(&Trigger::Budget) && budgets(scene).is_empty()).then(|| {
        Reason::new(
            "no-objective",
            &format!("{target} is to go back by its error budget, and no objective of it has a rule of severity page"),
            "configure [[slo]] for it, or take `budget` out of way_back in its deploy table",
        )
    })
}

/// What will happen by itself, in words.
pub(super) fn told(spec: &Spec, now: Option<Percent>) -> String {
    let seconds = std::time::Duration::from_secs;
    let mut steps: Vec<String> = Vec::new();
    let mut pace = None;
    for step in spec.steps.iter().filter(|step| now.is_none_or(|now| step.percent > now || now == Percent::NONE)) {
        if step.scales() {
            steps.extend(step.effects.iter().filter_map(StepEffect::workload).map(|(_, change)| scaled(change)));
            continue;
        }
        let whom = if step.percent == Percent::NONE { before_the_first(spec) } else { format!("{} %", step.percent) };
        let whom = format!("{whom}{}", step_flags::told(spec, step.percent));
        let person = if step.paused { " when a person says so" } else { "" };
        match pace {
            // Those of a ramp in between are told by its pace, unless a person is waited for.
            Some(_) if step.pace_s.is_some() && !step.paused => {}
            Some(every) => steps.push(format!("{whom}{person} by a ramp of {} a step", duration::write(seconds(every)))),
            None => steps.push(format!("{whom}{person}")),
        }
        pace = step.pace_s;
    }
    let checks: Vec<_> = spec.checks.iter().map(|check| format!("{} {}", check.when.word(), check.name)).collect();
    let checks = if checks.is_empty() { String::new() } else { format!(", checked: {}", checks.join(", ")) };
    let judged = match (spec.judged, spec.strategy.is_of_workload()) {
        (true, _) => ", on only while judged no worse",
        (false, false) => ", on by time alone",
        (false, true) => " once its instances are replaced, on by time",
    };
    let together = spec.together.as_ref().map_or_else(String::new, |of| {
        let with: Vec<_> = of.with.iter().map(ToString::to_string).collect();
        format!("; from step to step together with {}", with.join(", "))
    });
    let back = if spec.way_back.is_empty() {
        "nothing sends it back by itself".to_owned()
    } else {
        let on: Vec<_> = spec.way_back.iter().map(|trigger| trigger.word()).collect();
        format!("back by itself on {} after {}", on.join(" or "), duration::write(seconds(spec.after_s)))
    };
    let down: Vec<_> = spec.ends.iter().filter_map(StepEffect::workload).map(|(_, change)| scaled(change)).collect();
    let down = if down.is_empty() { String::new() } else { format!(" and {}", down.join(", ")) };
    format!(
        "{} by itself, each at least {}{judged}{checks}; watched {} at the end, then it is the stable version{down}{together}; {back}",
        steps.join(", "),
        duration::write(seconds(spec.wait_s)),
        duration::write(seconds(spec.bake_s)),
    )
}

/// `web-green to 4 instances`.
fn scaled(change: &WorkloadChange) -> String {
    let many = change.wish.replicas.map_or_else(|| change.wish.to_string(), counted);
    format!("{} to {many}", change.workload.name)
}

/// Who reaches the version on trial at the step before its first share.
fn before_the_first(spec: &Spec) -> String {
    let testers = spec.testers.as_ref().map(|testers| format!("testers ({testers})"));
    let copies = spec.mirror.map(|percent| format!("copies of {percent} % of the requests"));
    let both: Vec<_> = testers.into_iter().chain(copies).collect();
    format!("0 % but {}", both.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_steps_waits_and_what_sends_it_back() {
        let step = |percent, paused| SpecStep { effects: Vec::new(), pace_s: None, paused, percent: Percent::new(percent).unwrap() };
        let spec = Spec {
            after_s: 10,
            back: None,
            bake_s: 1800,
            budgets: BTreeMap::new(),
            checks: Vec::new(),
            deadline_s: 3600,
            ends: Vec::new(),
            judged: true,
            steps: vec![step(5, false), step(50, true), step(100, false)],
            strategy: crate::model::catalog::Strategy::Canary,
            mirror: None,
            testers: None,
            together: None,
            trial: Slot::Second,
            wait_s: 300,
            way_back: vec![Trigger::Judge, Trigger::Limit],
        };
        assert_eq!(
            told(&spec, None),
            "5 %, 50 % when a person says so, 100 % by itself, each at least 5m, on only while judged no worse; watched 30m at the end, \
             then it is the stable version; back by itself on judge or limit after 10s"
        );
        let ramp = |percent, pace_s| SpecStep { pace_s, ..step(percent, false) };
        let steps = vec![step(5, false), ramp(10, Some(60)), ramp(15, Some(60)), step(20, false), step(100, true)];
        let words = told(&Spec { steps, ..spec }, None);
        assert!(words.starts_with("5 %, 10 %, 20 % by a ramp of 1m a step, 100 % when a person says so by itself"), "{words}");
    }
}
