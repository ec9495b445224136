//! What each rollout does next, as the world stands: the facts that policy asks for, and the deed that follows from its answer. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::trial::{Outcome, TrialStanding};
use crate::control::derive;
use crate::control::objectives;
use crate::control::planner::{self, PlanError};
use crate::control::rolling;
use crate::control::silences;
use crate::control::world::{CheckView, ObjectiveView, SignalState, SignalView, TargetView, World};
use crate::model::alert::Alert;
use crate::model::burn_rule::{Severity, factor};
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::operator::Actor;
use crate::model::part::{Part, PartOf};
use crate::model::plan::{Plan, StepEffect};
use crate::model::reading::Freshness;
use crate::model::share::Percent;
use crate::model::spec::{Course, Ended, Ending, SpecStep};
use crate::model::strategy::Trigger;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::trial::MeasureRules;
use crate::policy::rollout::{Harm, Next, Other, OtherAt, Says, Stands};

/// How the routers stand to the step that was reached last.
pub fn stands(world: &World, view: &TargetView, course: &Course, now: &Moment) -> Stands {
    let Some(deploy) = world.catalog.deploy(&view.target) else { return Stands::NotKnown(format!("{} is not configured", view.target)) };
    if let Some(entry) = &deploy.workload {
        return rolling::stands(world, &entry.backend, course, now);
    }
    if let Some(of) = &deploy.workloads {
        match rolling::stands(world, of.backend(), course, now) {
            Stands::AtStep => {}
            other @ (Stands::Elsewhere(_) | Stands::NotKnown(_)) => return other,
        }
    }
    for entry in &deploy.traffic {
        let fresh = world.freshness(&entry.backend, now);
        if !fresh.is_fresh() {
            return Stands::NotKnown(format!("{} is {}", entry.backend, fresh.word()));
        }
    }
    let Some(step) = course.step.and_then(|step| course.spec.step(step)).filter(|step| !step.scales()) else {
        return match view.wished() {
            Some(share) if share.nearest() == Percent::NONE => Stands::AtStep,
            Some(share) => Stands::Elsewhere(format!("it stands at {} %, which is none of its steps", share.nearest())),
            None => Stands::NotKnown("its share is not known".to_owned()),
        };
    };
    for effect in &step.effects {
        let StepEffect::Weights { backend, pool, weights } = effect else { continue };
        let reading = world.traffic(backend).and_then(|fact| fact.value.as_ref());
        if !reading.is_some_and(|reading| reading.stands_at(pool, weights)) {
            return Stands::Elsewhere(format!("another hand changed the weights of {pool}: not those of {} % any more", step.percent));
        }
    }
    Stands::AtStep
}

/// A reason to go back, of those that are armed, that is seen now, since just now. When it was seen is the time of the newest sample
/// that shows it: what an exporter said last, before it died, gets no older by being asked for again.
pub fn harm(world: &World, view: &TargetView, course: &Course, trial: Option<&TrialStanding>, now: &Moment) -> Option<Harm> {
    let armed = |trigger| course.spec.way_back.contains(&trigger);
    let of = |trigger, signal: &SignalView, words: &str| {
        signal.canary.newest.map(|seen| Harm { trigger, since: seen, seen, words: words.to_owned() })
    };
    let seen: Vec<_> = view.signals.iter().map(Arc::as_ref).filter(|signal| is_seen(world, signal, now)).collect();
    let judged = || {
        let failing = trial.filter(|trial| trial.outcome == Outcome::Fail)?;
        let measures = failing.measures.iter().filter(|measure| measure.outcome == Outcome::Fail && measure.weight > 0.0);
        measures.into_iter().find_map(|measure| {
            let signal = seen.iter().find(|signal| signal.name == measure.name)?;
            of(Trigger::Judge, signal, &measure.reason)
        })
    };
    let alone = course.step.is_some_and(|step| course.spec.is_last(step));
    // What the last two minutes show is looked at again and again, so the trial must say so too: at all looks together.
    let proven = |signal: &SignalView| {
        let measure = trial.and_then(|trial| trial.measures.iter().find(|measure| measure.name == signal.name));
        measure.and_then(|measure| measure.past_limit).is_none_or(|past| if alone { past.alone } else { past.alone && past.beside })
    };
    let past = |signal: &&&SignalView| {
        signal.critical && (signal.state == SignalState::Worse || alone && signal.state == SignalState::Past) && proven(signal)
    };
    let limited = || seen.iter().find(past).and_then(|signal| of(Trigger::Limit, signal, signal.sentence.as_str()));
    let judged = armed(Trigger::Judge).then(judged).flatten();
    let limited = judged.or_else(|| armed(Trigger::Limit).then(limited).flatten());
    let alerted = limited.or_else(|| armed(Trigger::Alert).then(|| alerted(world, view, now)).flatten());
    alerted.or_else(|| armed(Trigger::Budget).then(|| burning(world, view, course, now)).flatten())
}

/// An alert that began after the rollout did and that nobody silenced at the alerting system itself: a deed that silences stops no way back.
fn alerted(world: &World, view: &TargetView, now: &Moment) -> Option<Harm> {
    let begun = view.state.rollout.as_ref()?.begun;
    let backend = &world.catalog.services.get(&view.target.service)?.alerts.as_ref()?.backend;
    if !world.freshness(backend, now).is_fresh() {
        return None;
    }
    let counts = |alert: &&std::sync::Arc<Alert>| alert.since >= begun && silences::counts(world, backend, alert);
    let alert = view.alerts.iter().find(counts)?;
    // By the machine's clock, which no hand sets.
    let seen = world.opened.wall + world.sources.get(backend)?.seen()?.boot.since(world.opened.boot);
    Some(Harm { trigger: Trigger::Alert, since: seen, seen, words: format!("alert {} fires", alert.name) })
}

/// A burn rule that calls a person at once and began to fire after the rollout began, of an objective that is still the one that was
/// agreed to. Its times are those of the samples: the end of the first stretch that fired, and of the newest.
fn burning(world: &World, view: &TargetView, course: &Course, now: &Moment) -> Option<Harm> {
    let begun = view.state.rollout.as_ref()?.begun;
    let agreed = |one: &ObjectiveView| course.spec.budgets.get(&one.key.name) == Some(&one.objective.digest());
    world.objectives_of(&view.target).find_map(|one| {
        // Its digest is wanted only where a rule fires.
        let (state, since_s) = one.firing(now).filter(|(state, _)| state.rule.severity == Severity::Page && agreed(one))?;
        let (since, seen) = (objectives::time(since_s), objectives::time(one.measured.as_ref()?.until_s));
        let words = format!("objective {} burns its budget {} times too fast", one.key.name, factor(state.short.rate.unwrap_or(0.0)));
        (since >= begun).then_some(Harm { trigger: Trigger::Budget, since, seen, words })
    })
}

/// What is past its limit, beyond doubt and by fresh data, of the version that is stable, in words: after a way back this is what takes
/// the traffic again.
pub fn unwell(world: &World, target: &Target, now: &Moment) -> Option<String> {
    let (view, service) = (world.target(target)?, world.catalog.services.get(&target.service)?);
    let past = service.signals.iter().filter(|signal| signal.critical && world.freshness(&signal.backend, now).is_fresh());
    past.into_iter().find_map(|signal| {
        let stands = view.signals.iter().find(|view| view.name == signal.name)?;
        derive::signals::past_alone(signal, &stands.stable)
    })
}

/// Whether a signal's data is there and fresh.
fn is_seen(world: &World, signal: &SignalView, now: &Moment) -> bool {
    world.freshness(&signal.backend, now).is_fresh() && signal.canary.value.is_some()
}

/// Whether a signal decides something: one that weighs nothing is only shown.
fn decides(world: &World, view: &TargetView, signal: &SignalView) -> bool {
    let service = world.catalog.services.get(&view.target.service);
    let configured = service.and_then(|service| service.signals.iter().find(|one| one.name == signal.name));
    configured
        .is_some_and(|configured| configured.critical || MeasureRules::of(configured, configured.margin, configured.weight).weight > 0.0)
}

/// What cannot be seen now of what is judged, in words.
pub fn unseen(world: &World, view: &TargetView, now: &Moment) -> Option<String> {
    // There is nothing to compare the instances of a workload with, so nothing of them is judged.
    if view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_ref()).is_some_and(|course| course.spec.back.is_some()) {
        return None;
    }
    let decide = |signal: &&SignalView| decides(world, view, signal);
    let stale = view.signals.iter().map(Arc::as_ref).filter(decide).find_map(|signal| match world.freshness(&signal.backend, now) {
        Freshness::Fresh => None,
        other @ (Freshness::Stale | Freshness::Unreachable | Freshness::Unauthorised | Freshness::Never) => {
            Some(format!("{} is {}, so nothing is seen of {}", signal.backend, other.word(), signal.name))
        }
    });
    let empty = || {
        let signal = view.signals.iter().map(Arc::as_ref).filter(decide).find(|signal| signal.canary.value.is_none())?;
        let why = signal.canary.missing.as_ref().map_or("no data", |why| why.as_str());
        Some(format!("{} of the new version: {why}", signal.name))
    };
    stale.or_else(empty)
}

/// What the evidence says of the version on trial.
pub fn says(trial: Option<&TrialStanding>) -> Says {
    let Some(trial) = trial else { return Says::Nothing("nothing was compared yet".to_owned()) };
    match trial.outcome {
        Outcome::Pass => Says::Pass,
        Outcome::Fail => Says::Fail,
        Outcome::Early => Says::Early(trial.reason.clone()),
        Outcome::Nodata => Says::Nothing(trial.reason.clone()),
    }
}

/// How the other rollouts of the same start of a set stand; `alone` says what each would do next if it were alone.
pub fn others(world: &World, course: &Course, alone: &BTreeMap<Target, Next>) -> Vec<Other> {
    let Some(of) = &course.spec.together else { return Vec::new() };
    let stands = |target: &Target| {
        let Some(view) = world.target(target) else { return OtherAt::NotStarted };
        let under_way = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref());
        let same = under_way.filter(|course| course.spec.together.as_ref().is_some_and(|together| together.nonce == of.nonce));
        if let Some(course) = same {
            let reached = course.step.map_or(0, |step| usize::try_from(step).unwrap_or(usize::MAX).saturating_add(1));
            let next = alone.get(target).cloned().unwrap_or_else(|| Next::Holds("it was not looked at yet".to_owned()));
            return OtherAt::Under { reached, steps: course.spec.steps.len(), next };
        }
        match view.state.last.as_deref().filter(|last| last.set.as_deref() == Some(of.nonce.as_str())) {
            None => OtherAt::NotStarted,
            Some(Ended { how: Ending::Promoted, .. }) => OtherAt::Promoted,
            Some(Ended { how: Ending::WentBack, at, .. }) => OtherAt::Back { at: *at, words: "went back" },
            Some(Ended { how: Ending::Aborted, at, .. }) => OtherAt::Back { at: *at, words: "was taken back" },
        }
    };
    of.with.iter().map(|target| Other { target: target.clone(), at: stands(target) }).collect()
}

/// The deed that a rollout does next by itself, planned; none where it does nothing now.
///
/// # Errors
/// As [`planner::plan`].
pub fn deed(world: &World, view: &TargetView, next: &Next, checks: &[CheckView], now: &Moment) -> Option<Result<Plan, PlanError>> {
    let rollout = view.state.rollout.as_ref()?;
    let (course, plan) = (rollout.course.as_deref()?, rollout.plan?);
    let (verb, percent, part, reason) = match next {
        Next::Step { step, percent } => {
            (Verb::Shift, Some(*percent), Part::Step { step: *step }, on_words(course, *step, *percent) + &held(checks))
        }
        Next::Back { trigger, words } => (Verb::Abort, None, Part::WayBack, format!("{}: {words}", trigger.word())),
        Next::End => (Verb::Promote, None, Part::End, "watched to its end and nothing was found".to_owned() + &held(checks)),
        Next::Moving(_)
        | Next::StepAt { .. }
        | Next::Evidence { .. }
        | Next::Rolls(_)
        | Next::Bakes { .. }
        | Next::BackAt { .. }
        | Next::Holds(_)
        | Next::Checking(_)
        | Next::Together(_)
        | Next::Held(_)
        | Next::Person(_) => return None,
    };
    let args =
        Arguments { percent, of: Some(Box::new(PartOf { part, rollout: plan })), ticket: course.ticket.clone(), ..Arguments::default() };
    let intent = Intent {
        verb,
        target: view.target.clone(),
        args,
        requester: Actor::Rule { plan, of: Box::new(course.by.clone()) },
        reason: Text::clean_within(&reason, 500),
    };
    // Each part is begun once at most, so rollout and part are all that tells two of them apart.
    Some(planner::plan(world, intent, now, &format!("{} {part}", plan.short())))
}

/// The checks that held, with their evidence.
fn held(checks: &[CheckView]) -> String {
    let all: Vec<String> = checks
        .iter()
        .filter(|check| check.counts)
        .filter_map(|check| Some(format!("{} ({})", check.name, check.answer.as_ref()?.1.words)))
        .collect();
    if all.is_empty() { String::new() } else { format!("; checks held: {}", all.join(", ")) }
}

fn on_words(course: &Course, next: u32, percent: Percent) -> String {
    let scales = |step: u32| course.spec.step(step).is_some_and(SpecStep::scales);
    match course.step {
        None if scales(next) => "the rollout begins".to_owned(),
        Some(step) if scales(step) && course.spec.back.is_some() => "no instance of the old version is left".to_owned(),
        Some(step) if scales(step) => "the instances of the new version are ready".to_owned(),
        None => format!("the rollout begins with {percent} %"),
        Some(step) if course.spec.step(step).is_some_and(|step| step.pace_s.is_some()) => {
            format!("a ramp goes on after {} s, and nothing says worse", course.spec.lasts_s(step))
        }
        Some(_) if course.spec.back.is_some() => format!("the batch before is new for at least {} s", course.spec.wait_s),
        Some(_) if course.spec.judged => format!("judged no worse for at least {} s", course.spec.wait_s),
        Some(_) => format!("{} s passed", course.spec.wait_s),
    }
}

/// The same harm as before keeps its beginning.
pub fn lasting(before: Option<&Harm>, seen: Option<Harm>) -> Option<Harm> {
    let seen = seen?;
    let since = before.filter(|before| before.trigger == seen.trigger).map_or(seen.since, |before| before.since);
    Some(Harm { since, ..seen })
}
