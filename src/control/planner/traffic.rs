//! Plans that move traffic: shift, promote, abort, rollback.

use chrono::{DateTime, Utc};

use super::beside::{self, To};
use super::{Draft, PlanError, Scene, cost, run, slots, step_flags};
use crate::analysis::weights;
use crate::model::both::LeftOut;
use crate::model::capability::Capability;
use crate::model::catalog::TrafficEntry;
use crate::model::intent::Direction;
use crate::model::name::ServerName;
use crate::model::plan::{Evidence, Precondition, Reach, StepEffect};
use crate::model::reason::Reason;
use crate::model::rollout::Proven;
use crate::model::share::{Percent, Share};
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::model::traffic::Weights;

fn stable(scene: &Scene<'_>) -> Slot {
    scene.world.target(&scene.intent.target).map_or(Slot::First, |view| view.state.stable)
}

/// The present share of the slot on trial by the routers' set weights.
fn present(scene: &Scene<'_>) -> Option<Share> {
    scene.world.target(&scene.intent.target)?.wished()
}

/// The share of the slot that is not stable becomes N per cent.
pub(super) fn shift(scene: &Scene<'_>) -> Result<Draft, PlanError> {
    let percent = scene
        .intent
        .args
        .percent
        .ok_or_else(|| PlanError::Arguments(Text::clean("a shift needs a share: gonogo shift TARGET PERCENT, 0 to 100")))?;
    // A step of a rollout is exactly what its Order has; a person's shift to nothing leaves nobody there.
    let to = if scene.intent.args.of.is_some() { To::step(percent) } else { To::share(percent) };
    let mut draft = go_to(scene, to);
    let undo = present(scene).map(Share::nearest);
    draft.undo = undo.filter(|before| *before != percent).map(|before| format!("shift {} {before}", scene.intent.target));
    Ok(draft)
}

/// Everything that a move to a share of the slot on trial needs.
pub(super) fn to_share(scene: &Scene<'_>, percent: Percent) -> Draft {
    go_to(scene, To::share(percent))
}

/// Everything that a move to a share of the slot on trial needs, or to the step before the first one.
pub(super) fn go_to(scene: &Scene<'_>, to: To) -> Draft {
    let percent = to.percent;
    let trial = stable(scene).other();
    let view = scene.world.target(&scene.intent.target);
    let now = view.map(|view| {
        view.traffic
            .iter()
            .filter_map(|entry| entry.second_set)
            .map(|share| view.of_canary(share))
            .fold((1.0_f64, 0.0_f64), |(least, most), share| (least.min(share.percent() / 100.0), most.max(share.percent() / 100.0)))
    });
    let wished = percent.share().fraction();
    // It lowers when no router's share would rise by it. With no reading at all, only 0 is surely the way back.
    let lowers = match now {
        Some((least, most)) if least <= most => wished <= least + 1e-9,
        _ => percent == Percent::NONE,
    };
    let lowers = lowers && (percent != Percent::NONE || !to.on_trial);
    let version = view.and_then(|view| view.version(trial));
    let mut draft = Draft {
        direction: Some(if lowers { Direction::Back } else { Direction::Forward }),
        percent: Some(percent),
        slot: Some(trial),
        digest: version.and_then(|seen| seen.digest.clone()),
        now: cost::shares(scene),
        after: cost::split_words(scene, f64::from(percent.get()))
            + &beside::told(scene, &cost::name_of(scene, trial), &cost::name_of(scene, trial.other()), to),
        evidence: cost::evidence(scene),
        costs: cost::of_traffic(scene, percent),
        ..Draft::default()
    };
    if scene.deploy.traffic.is_empty() {
        draft.impossible.push(Reason::new(
            "unsupported",
            &format!("{} has no traffic entry", scene.intent.target),
            "add traffic = [{ backend, pool, stable, canary }] to its deploy table",
        ));
        return draft;
    }
    draft.preconditions.push(Precondition::Stable { slot: trial.other() });
    // Not of the way back, which is never harder.
    if let (false, Some(seen)) = (lowers, version) {
        draft.preconditions.push(Precondition::Version { slot: trial, version: seen.version.clone(), digest: seen.digest.clone() });
    }
    let (mut reached, mut silent): (Vec<_>, Vec<_>) =
        scene.deploy.traffic.iter().partition(|entry| !lowers || scene.world.freshness(&entry.backend, scene.now).is_fresh());
    // Where none answers there is nothing to go back on: what is missing is said of each.
    if reached.is_empty() {
        reached.append(&mut silent);
    }
    for entry in reached {
        add_entry(scene, entry, trial, percent, &mut draft);
        beside::add(scene, entry, trial, to, lowers, &mut draft);
    }
    for entry in silent {
        left_out(scene, entry, &mut draft);
    }
    if !lowers {
        slots::ready(scene, trial, &mut draft);
    }
    step_flags::add(scene, to, lowers, &mut draft);
    draft
}

/// A router that a way back does not wait for: it is never harder than the way forward, and goes back where it can.
fn left_out(scene: &Scene<'_>, entry: &TrafficEntry, draft: &mut Draft) {
    let (seen, seen_at) = last_seen(scene, entry).map_or((None, None), |(seen, at)| (Some(seen), Some(rfc3339(&at))));
    let left = LeftOut { backend: entry.backend.clone(), pool: entry.pool.clone(), seen, seen_at };
    let source = scene.world.sources.get(&entry.backend);
    let why = source.and_then(|source| source.trouble()).map_or_else(|| "no fresh reading".to_owned(), ToString::to_string);
    let text = format!("NOT REACHED: {} stays as it is ({why}); {}; order it again when it answers", entry.backend, left.told());
    let age = source.and_then(|source| source.age(scene.now)).map(|age| age.as_secs());
    draft.evidence.push(Evidence { text: Text::clean(&text), source: entry.backend.to_string(), age_s: age, warns: true });
    draft.after = format!("{}, but {} stays as it is", draft.after, entry.backend);
    draft.left.push(left);
}

/// The weights that were seen at a router last: by this process, or by the newest deed that was seen to set some there.
fn last_seen(scene: &Scene<'_>, entry: &TrafficEntry) -> Option<(Weights, DateTime<Utc>)> {
    let servers = || Slot::BOTH.iter().flat_map(|slot| entry.servers(*slot));
    let fact = scene.world.traffic(&entry.backend);
    let read = fact.and_then(|fact| {
        let pool = fact.value.as_ref()?.pools.get(&entry.pool)?;
        let weights = servers().filter_map(|name| pool.server(name)).map(|server| (server.name.clone(), server.weight)).collect();
        Some((weights, fact.seen?.wall))
    });
    let deeds = scene.world.newest_deeds().into_iter().flat_map(|deed| deed.steps.iter().rev());
    let set = deeds.filter_map(|step| match &step.effect {
        StepEffect::Weights { backend, pool, weights } if *backend == entry.backend && *pool == entry.pool => {
            Some((weights.clone(), step.facts.effective?))
        }
        StepEffect::Weights { .. }
        | StepEffect::Start { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Retry { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Workload { .. }
        | StepEffect::Cancel { .. } => None,
    });
    read.or_else(|| set.max_by_key(|(_, at)| *at))
}

/// Adds one router's effect and preconditions.
fn add_entry(scene: &Scene<'_>, entry: &TrafficEntry, trial: Slot, percent: Percent, draft: &mut Draft) {
    run::needs(scene, &entry.backend, Capability::Shift, draft);
    draft.preconditions.push(Precondition::Fresh { backend: entry.backend.clone() });
    let Some(reading) = scene.world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref()) else { return };
    let Some(pool) = reading.pools.get(&entry.pool) else {
        let text = format!("{} has no pool {}", entry.backend, entry.pool);
        draft.impossible.push(Reason::new("missing", &text, "compare the pool's name with the router's"));
        return;
    };
    let missing: Vec<_> = Slot::BOTH
        .iter()
        .flat_map(|slot| entry.servers(*slot))
        .filter(|name| pool.server(name).is_none())
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        let text = format!("{} of {} has no server {}", entry.pool, entry.backend, missing.join(", "));
        draft.impossible.push(Reason::new("missing", &text, "compare the servers' names with the router's"));
        return;
    }
    let before: Weights = Slot::BOTH
        .iter()
        .flat_map(|slot| entry.servers(*slot))
        .filter_map(|name| pool.server(name))
        .map(|server| (server.name.clone(), server.weight))
        .collect();
    draft.preconditions.push(Precondition::WeightsUnchanged {
        backend: entry.backend.clone(),
        pool: entry.pool.clone(),
        weights: before.clone(),
    });
    match weights::reach(pool, entry.servers(trial), entry.servers(trial.other()), percent) {
        Err(reason) => draft.impossible.push(reason),
        Ok(weighed) => {
            draft.reach.push(Reach { wished: percent, reached: weighed.share });
            for slot in Slot::BOTH {
                let servers = entry.servers(slot);
                if gains(servers, &before, &weighed.weights) {
                    draft.preconditions.push(Precondition::ServerUp {
                        backend: entry.backend.clone(),
                        pool: entry.pool.clone(),
                        slot,
                        servers: servers.to_vec(),
                    });
                }
            }
            draft.effects.push(StepEffect::Weights { backend: entry.backend.clone(), pool: entry.pool.clone(), weights: weighed.weights });
        }
    }
}

/// Whether servers get a greater share of the requests: their weights may fall while it rises.
fn gains(servers: &[ServerName], before: &Weights, after: &Weights) -> bool {
    let of = |weights: &Weights| servers.iter().filter_map(|name| weights.get(name)).map(|weight| u64::from(*weight)).sum::<u64>();
    let all = |weights: &Weights| weights.values().map(|weight| u64::from(*weight)).sum::<u64>();
    of(after) * all(before).max(1) > of(before) * all(after)
}

/// The next step; after the last, the new version is the stable one.
pub(super) fn promote(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let Some(now) = present(scene).map(Share::nearest) else {
        let mut draft = to_share(scene, Percent::ALL);
        draft.direction = Some(Direction::Forward);
        draft.effects.clear();
        if draft.impossible.is_empty() {
            draft.impossible.push(Reason::new(
                "unreachable",
                "the present share is not known, so neither is the next step",
                "wait until the router is read",
            ));
        }
        return draft;
    };
    let next = if beside::is_ahead(scene, stable(scene).other(), now) { Some(Percent::NONE) } else { None };
    if let Some(next) = next.or_else(|| scene.deploy.steps.iter().copied().find(|step| *step > now)) {
        let mut draft = go_to(scene, To::step(next));
        draft.direction = Some(Direction::Forward);
        draft.undo = Some(format!("shift {target} {now}"));
        return draft;
    }
    let trial = stable(scene).other();
    let mut draft = to_share(scene, Percent::ALL);
    draft.direction = Some(Direction::Forward);
    draft.effects.clear();
    draft.reach.clear();
    draft.ends = Some(trial);
    draft.after = format!("the rollout ends; {} is the stable version", cost::name_of(scene, trial));
    draft.undo = Some(format!("rollback {target}"));
    slots::ends(scene, &mut draft);
    draft
}

/// The new version's share becomes 0 and the rollout ends.
pub(super) fn abort(scene: &Scene<'_>) -> Draft {
    let mut draft = to_share(scene, Percent::NONE);
    draft.direction = Some(Direction::Back);
    // It is over once every router is back.
    draft.ends = Some(stable(scene)).filter(|_| draft.left.is_empty());
    let ends = if draft.left.is_empty() { "the rollout ends" } else { "the rollout stays open until it is back there too" };
    draft.after = format!("{}; {ends}; what was deployed stays deployed", draft.after);
    slots::left_standing(scene, stable(scene).other(), &mut draft);
    draft.undo = present(scene)
        .map(Share::nearest)
        .filter(|share| *share != Percent::NONE)
        .map(|share| format!("shift {} {share}", scene.intent.target));
    if !under_way(scene) {
        draft.impossible.push(Reason::new(
            "no-rollout",
            &format!("no rollout of {} is under way", scene.intent.target),
            "nothing to abort",
        ));
    }
    draft
}

/// Whether a rollout is remembered or seen.
fn under_way(scene: &Scene<'_>) -> bool {
    let Some(view) = scene.world.target(&scene.intent.target) else { return false };
    // Where the share cannot be read the way back is not refused for want of a rollout; freshness decides.
    let shared = view.wished().is_none_or(|share| share.fraction() > 0.0);
    view.state.rollout.is_some() || shared || beside::is_reached(scene, stable(scene).other())
}

/// Back to the last proven version: abort when a rollout is under way, else deploy what was proven before.
pub(super) fn rollback(scene: &Scene<'_>) -> Draft {
    if under_way(scene) {
        let mut draft = abort(scene);
        stop_deploy(scene, &mut draft);
        return draft;
    }
    let stable = stable(scene);
    let running = scene.world.target(&scene.intent.target).and_then(|view| view.version(stable)).map(|seen| seen.version.clone());
    let Some(proven) = last_proven(scene, running.as_ref()) else {
        return Draft {
            direction: Some(Direction::Back),
            now: cost::shares(scene),
            after: "not known".to_owned(),
            impossible: vec![Reason::new(
                "no-proven-version",
                "no rollout is under way and no earlier version of it is known to have served",
                "deploy the wished version with its pipeline",
            )],
            ..Draft::default()
        };
    };
    redeploy(scene, stable, &proven)
}

fn last_proven(scene: &Scene<'_>, running: Option<&Text>) -> Option<Proven> {
    let view = scene.world.target(&scene.intent.target)?;
    view.state.proven.iter().find(|proven| Some(&proven.version) != running).cloned()
}

/// Deploys a proven version into the slot that is not stable, moves all traffic there and makes it the stable one.
fn redeploy(scene: &Scene<'_>, stable: Slot, proven: &Proven) -> Draft {
    let trial = stable.other();
    let there =
        scene.world.target(&scene.intent.target).and_then(|view| view.version(trial)).is_some_and(|seen| seen.version == proven.version);
    let mut draft = Draft::default();
    let shift = to_share(scene, Percent::ALL);
    if !there {
        match scene.deploy.deploy.as_ref() {
            Some(pipeline) => {
                let slot = scene
                    .deploy
                    .traffic
                    .first()
                    .and_then(|entry| entry.servers(trial).first())
                    .map(ToString::to_string)
                    .unwrap_or_default();
                run::add_start(scene, pipeline, &[("slot", &slot), ("version", proven.version.as_str())], &mut draft);
            }
            None if scene.deploy.workloads.is_some() => draft.impossible.push(Reason::new(
                "no-instance",
                &format!("{} stands in neither slot any more", proven.version),
                &format!("gonogo rollout start {} --version {} brings it up first", scene.intent.target, proven.version),
            )),
            None => draft.impossible.push(Reason::new(
                "unsupported",
                &format!("{} is no longer deployed and nothing is configured that deploys it", proven.version),
                "add deploy = { backend, builder, scheduler, properties } to its deploy table",
            )),
        }
    }
    let mut effects = draft.effects;
    effects.extend(shift.effects);
    let mut preconditions = draft.preconditions;
    preconditions.extend(shift.preconditions);
    let mut impossible = draft.impossible;
    impossible.extend(shift.impossible);
    Draft {
        direction: Some(Direction::Back),
        effects,
        preconditions,
        impossible,
        ends: Some(trial),
        after: format!("{} takes all traffic and is the stable version again", proven.version),
        digest: proven.digest.clone(),
        brings: Some((proven.version.clone(), proven.digest.clone())),
        undo: Some(format!("shift {} 100", scene.intent.target)),
        ..shift
    }
}

/// Stops the deploy run of the version on trial while it is still running.
fn stop_deploy(scene: &Scene<'_>, draft: &mut Draft) {
    let Some(pipeline) = scene.deploy.deploy.as_ref() else { return };
    let Some(reading) = scene.world.runs(&pipeline.backend).and_then(|fact| fact.value.as_ref()) else { return };
    let Some(builder) = reading.builders.get(&pipeline.builder) else { return };
    let environment = scene.intent.target.environment.as_str();
    let deploys_here = |run: &&crate::model::pipeline::Run| {
        !run.state.is_over() && run.properties.get("environment").is_none_or(|value| value.as_str() == environment)
    };
    if let Some(run) = builder.runs.iter().find(deploys_here) {
        draft.run = Some(run.id.to_string());
        draft.effects.push(StepEffect::Cancel { backend: pipeline.backend.clone(), builder: pipeline.builder.clone(), run: run.id.number });
    }
}
