//! Which strategy is advised for a target, as the world stands: the facts that [`crate::policy::advice`] asks for. Pure.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::control::asks::WINDOW_S;
use crate::control::world::{SignalState, SignalView, TargetView, World};
use crate::model::catalog::{Deploy, Service, Signal, SignalKind};
use crate::model::deed::{Deed, DeedState};
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::spec::Ending;
use crate::model::time::Moment;
use crate::model::trial::MeasureRules;
use crate::model::workload::WorkloadKind;
use crate::policy::advice::{Advice, Back, Facts, Measured, advise};
use crate::policy::risk;

/// How far back failures count.
const LATELY: TimeDelta = TimeDelta::days(30);

/// The advice for a target, and what it is made of; none where the target is not configured.
pub fn advice(world: &World, target: &Target, now: &Moment) -> Option<(Facts, Advice)> {
    let facts = facts(world, target, now)?;
    let advice = advise(&facts);
    Some((facts, advice))
}

fn facts(world: &World, target: &Target, now: &Moment) -> Option<Facts> {
    let (service, deploy, view) = (world.catalog.services.get(&target.service)?, world.catalog.deploy(target)?, world.target(target)?);
    let alerts = service.alerts.as_ref().is_some_and(|alerts| world.freshness(&alerts.backend, now).is_fresh());
    let rules = &deploy.rollout;
    let keeps_state = deploy.workload.as_ref().is_some_and(|entry| entry.workload.kind == WorkloadKind::StatefulSet);
    Some(Facts {
        slots: !deploy.traffic.is_empty(),
        instances: instances(world, deploy, now),
        stateful: service.stateful.or(keeps_state.then_some(true)),
        rate: rate(world, view, now),
        measures: service.signals.iter().filter_map(|signal| measured(world, view, signal, now)).collect(),
        alpha: service.judge.alpha,
        power: service.judge.power,
        objectives: world.objectives_of(target).filter(|view| view.objective.pages()).count(),
        alerts,
        steps: deploy.steps.clone(),
        wait_s: rules.wait.as_secs(),
        deadline_s: rules.deadline.as_secs(),
        bake_s: rules.bake.as_secs(),
        back: back(world, view, now),
        risk: Some(risk_of(world, service, view, now).points()),
    })
}

/// How many instances the orchestrator of a target should keep, by a fresh reading.
fn instances(world: &World, deploy: &Deploy, now: &Moment) -> Option<u32> {
    let entry = deploy.workload.as_ref().filter(|entry| world.freshness(&entry.backend, now).is_fresh())?;
    Some(world.workloads(&entry.backend)?.value.as_ref()?.get(&entry.workload)?.replicas.wished)
}

fn fresh<'a>(world: &World, view: &'a TargetView, now: &Moment) -> impl Iterator<Item = &'a SignalView> {
    view.signals.iter().map(Arc::as_ref).filter(|signal| world.freshness(&signal.backend, now).is_fresh())
}

/// Requests a second: the least that a measure of events counted in its window, for that is what is judged by; else what routers count.
fn rate(world: &World, view: &TargetView, now: &Moment) -> Option<f64> {
    let of = |signal: &SignalView| {
        let sides = [signal.stable.total, signal.canary.total].into_iter().flatten().reduce(|one, other| one + other);
        signal.whole.total.or(sides).map(|total| total / f64::from(WINDOW_S))
    };
    let counted = fresh(world, view, now).filter_map(of).min_by(f64::total_cmp);
    let routers = view.traffic.iter().filter(|entry| world.freshness(&entry.backend, now).is_fresh());
    counted.or_else(|| routers.filter_map(|entry| entry.rate).min_by(f64::total_cmp))
}

/// A measure of events that decides. Of a quantile within its limit no more is known than that at most the rest is beyond it.
fn measured(world: &World, view: &TargetView, signal: &Signal, now: &Moment) -> Option<Measured> {
    let rules = MeasureRules::of(signal, signal.margin, signal.weight);
    let seen = fresh(world, view, now).find(|one| one.name == signal.name && one.stable.value.is_some());
    let (usual, limit) = match &signal.kind {
        SignalKind::Ratio { .. } => (seen.and_then(|one| one.stable.value), signal.limit),
        SignalKind::Histogram { quantile, .. } => {
            let beyond = 1.0 - quantile;
            let within = seen.filter(|one| !matches!(one.state, SignalState::Past | SignalState::Worse));
            (within.map(|_| beyond), signal.limit.map(|_| beyond))
        }
        SignalKind::Value { .. } => return None,
    };
    (rules.weight > 0.0).then(|| Measured { name: signal.name.to_string(), usual, margin: rules.margin, limit })
}

/// How going back went, by what is remembered of the target and the deeds that are known here.
fn back(world: &World, view: &TargetView, now: &Moment) -> Back {
    let proven = view.state.way_back.as_ref().map(|proof| proof.at);
    let went_wrong = |deed: &&Deed| {
        let is_back = matches!(deed.verb, Verb::Abort | Verb::Rollback) && deed.target == view.target;
        let since = deed.facts.intended.is_some_and(|at| proven.is_none_or(|proven| at > proven));
        is_back && since && matches!(deed.state, DeedState::Failed | DeedState::Slipped | DeedState::Unknown)
    };
    let failed = world.deeds.values().map(|deed| &**deed).filter(went_wrong).count();
    Back { proven_days: proven.map(|at| now.wall.signed_duration_since(at).num_days()), failed }
}

/// The risk of bringing a version to all of the traffic.
fn risk_of(world: &World, service: &Service, view: &TargetView, now: &Moment) -> risk::Risk {
    let lately = now.wall.checked_sub_signed(LATELY).unwrap_or(now.wall);
    let failed = |deed: &&Deed| {
        let since = deed.facts.intended.is_some_and(|at| at >= lately);
        deed.target.service == service.name && since && matches!(deed.state, DeedState::Failed | DeedState::Slipped)
    };
    let went_back = view.state.last.as_ref().is_some_and(|last| last.how != Ending::Promoted && last.at >= lately);
    risk::risk(&risk::Facts {
        moved: Some(100),
        undo: true,
        proven: view.state.way_back.as_ref().map(|proof| now.wall.signed_duration_since(proof.at)),
        tier: service.tier,
        dependants: world.catalog.services.values().filter(|other| other.depends_on.contains(&service.name)).count(),
        failures: world.deeds.values().map(|deed| &**deed).filter(failed).count() + usize::from(went_back),
        conflicts: 0,
    })
}
