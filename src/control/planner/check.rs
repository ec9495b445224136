//! Preconditions looked at in the world: when a plan is made, and again on fresh readings before it is carried out.

use super::checks;
use super::drain;
use super::flag;
use crate::control::authors;
use crate::control::gated;
use crate::control::world::World;
use crate::model::authorship::Authorship;
use crate::model::gate::CheckKind;
use crate::model::intent::Direction;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::Run;
use crate::model::plan::{Checked, Plan, Precondition, StepEffect};
use crate::model::reading::Freshness;
use crate::model::reason::Reason;
use crate::model::run_gate::{AskedBy, GateRef, RunGate};
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::traffic::{ServerState, Weights};
use crate::model::workload::{WorkloadForm, WorkloadName, counted};

/// The plan with every precondition and check looked at again, and its type of change derived anew.
#[must_use]
pub fn recheck(world: &World, plan: &Plan, now: &Moment) -> Plan {
    let must = plan.preconditions.iter().map(|checked| own_step(world, plan, &checked.must).unwrap_or_else(|| checked.must.clone()));
    let preconditions = must.map(|must| check(world, plan.target(), must, now)).collect();
    let typed = checks::typed(world, &plan.intent, plan.direction, plan.order.percent, plan.undo.is_some(), now);
    let checks = if checks::are_asked(&plan.intent, plan.direction) {
        checks::checks(world, plan.target(), (&plan.order.effects, plan.intent.args.version.as_ref()), now)
    } else {
        Vec::new()
    };
    let authors = authors::of_plan(world, plan, now).map(|(authors, _)| authors);
    Plan { preconditions, checks, typed: Some(typed), authors, asked_by: asked_by(world, plan), ..plan.clone() }
}

/// What a way to nothing is to find instead, where a step of gonogo's own moved the pool since it was planned: it goes back to the same
/// place from there, so nobody has to ask again while a rollout goes on. What another hand set stays a reason to refuse.
fn own_step(world: &World, plan: &Plan, must: &Precondition) -> Option<Precondition> {
    let Precondition::WeightsUnchanged { backend, pool, weights } = must else { return None };
    let reading = world.traffic(backend).and_then(|fact| fact.value.as_ref())?;
    let to_nothing = plan.direction == Direction::Back && plan.order.percent == Some(Percent::NONE);
    if !to_nothing || reading.stands_at(pool, weights) {
        return None;
    }
    let steps = world.deeds.values().filter(|deed| &deed.target == plan.target()).flat_map(|deed| &deed.steps);
    let set = steps.filter_map(|step| {
        let StepEffect::Weights { backend: at, pool: of, weights } = &step.effect else { return None };
        (at == backend && of == pool).then_some((step.facts.sent?, weights))
    });
    let (_, newest) = set.max_by_key(|(sent, _)| *sent)?;
    let found = || Precondition::WeightsUnchanged { backend: backend.clone(), pool: pool.clone(), weights: newest.clone() };
    (reading.stands_at(pool, newest) && newest.keys().eq(weights.keys())).then(found)
}

/// The plan with its authors not known where they were not read since a moment: right before a deed begins what was read before does
/// not count, however young it is.
#[must_use]
pub fn told_since(world: &World, mut plan: Plan, since: &Moment, now: &Moment) -> Plan {
    let Some((authors, age)) = authors::of_plan(world, &plan, now) else { return plan };
    let fact = authors.span().and_then(|span| world.ranges.get(span));
    let is_told = fact.is_none_or(|fact| fact.seen.is_some_and(|seen| seen.boot >= since.boot));
    if is_told {
        return plan;
    }
    let why = fact.and_then(|fact| fact.trouble.as_ref()).map_or_else(|| "no answer came in time".to_owned(), ToString::to_string);
    let unread = Authorship::not_read(
        authors.span().cloned(),
        &format!("it could not be read anew: {why}"),
        "wait until it answers, then order it again",
    );
    if let Some(guard) = world.catalog.guard(plan.target()) {
        let found = checks::authors(Some(&unread), age, guard.gates, &world.catalog.people);
        for check in plan.checks.iter_mut().filter(|check| check.kind == CheckKind::Authors) {
            *check = found.clone().into_check(check.kind, check.counts);
        }
    }
    plan.authors = Some(unread);
    plan
}

/// Who asked for the run whose gates a plan opens, as it is read now; as it was planned where the run is not read.
fn asked_by(world: &World, plan: &Plan) -> Option<AskedBy> {
    let planned = plan.asked_by.clone()?;
    let run = plan.order.targets.first().and_then(|target| target.run.as_deref()).and_then(|run| run.parse().ok());
    let run = run.and_then(|run| gated::run(world, plan.target(), &run));
    Some(run.map_or(planned, |(_, run)| gated::asked_by(world, run)))
}

/// Looks at one precondition.
pub(super) fn check(world: &World, target: &Target, must: Precondition, now: &Moment) -> Checked {
    let (text, broken) = match &must {
        Precondition::Fresh { backend } => (format!("{backend} is fresh"), fresh(world, backend, now)),
        Precondition::WeightsUnchanged { backend, pool, weights } => {
            (format!("weights of {pool} are as planned on: {}", shown(weights)), weights_unchanged(world, backend, pool, weights))
        }
        Precondition::ServerUp { backend, pool, servers, .. } => {
            let names: Vec<_> = servers.iter().map(ToString::to_string).collect();
            let up = world
                .traffic(backend)
                .and_then(|fact| fact.value.as_ref())
                .and_then(|reading| reading.pools.get(pool))
                .is_some_and(|pool| servers.iter().filter_map(|name| pool.server(name)).any(|server| server.state == ServerState::Up));
            let broken = (!up).then(|| {
                Reason::new("no-server-up", &format!("no server of {} in {pool} is up", names.join(", ")), "bring one up, then plan again")
            });
            (format!("a server of {} in {pool} is up", names.join(", ")), broken)
        }
        Precondition::FlagUnchanged { backend, flag, was } => {
            (format!("{} is as planned on: {}", flag.name, was.words()), flag::changed(world, backend, flag, was))
        }
        Precondition::ServerStands { backend, pool, server, was, others } => {
            let others_take = if *others { "; another server takes requests" } else { "" };
            let broken = drain::changed(world, backend, pool, server, *was, *others);
            (format!("{server} of {pool} is as planned on: {}{others_take}", was.said()), broken)
        }
        Precondition::RunState { backend, builder, run, over } => {
            let found = found(world, backend, builder, *run);
            let wanted = if *over { "over" } else { "under way" };
            let broken = match found {
                None => Some(Reason::new(
                    "changed",
                    &format!("run {backend}/{run} of {builder} is not there"),
                    "look at the pipeline, then plan again",
                )),
                Some(found) if found.state.is_over() == *over => None,
                Some(found) => Some(Reason::new(
                    "changed",
                    &format!("run {backend}/{run} is {}", found.state.word()),
                    "look at the pipeline, then plan again",
                )),
            };
            (format!("run {backend}/{run} is {wanted}"), broken)
        }
        Precondition::AtGates { backend, builder, run, attempt, revision, gates } => {
            let broken = not_at_gates(found(world, backend, builder, *run), (backend, *run), *attempt, revision, gates);
            let text = format!("run {backend}/{run}, attempt {attempt} of {}, waits at {}", short(revision), named(gates));
            (text, broken)
        }
        Precondition::MayAnswer { backend, builder, run, gates } => {
            let broken = may_not_answer(found(world, backend, builder, *run), backend, gates);
            (format!("{backend} takes our answer at {}", named(gates)), broken)
        }
        Precondition::WorkloadAs { backend, workload, uid, form } => {
            (format!("{workload} is as planned on: {form}"), workload_unchanged(world, backend, (workload, uid), form))
        }
        Precondition::InstancesReady { backend, workload } => {
            (format!("{workload} has an instance that takes requests"), not_ready(world, target, backend, workload))
        }
        Precondition::NotHeld => {
            let hold = world.target(target).and_then(|view| view.state.hold.as_ref());
            (
                "no hold is set".to_owned(),
                hold.map(|hold| Reason::new("hold", &format!("{target} is held by {}", hold.by), &format!("gonogo resume {target}"))),
            )
        }
        Precondition::Version { slot, version, digest } => {
            let seen = world.target(target).and_then(|view| view.version(*slot));
            // What is not told does not stop it: that is the part of signals and checks.
            let other = seen.filter(|seen| match (&seen.digest, digest) {
                (Some(now), Some(planned)) => now != planned,
                (Some(_) | None, _) => seen.version != *version,
            });
            let broken = other.map(|seen| {
                let text = format!("what is on trial is another build since it was planned: {version} is now {}", seen.version);
                Reason::new("changed", &text, "plan again; approvals were for the other one")
            });
            (format!("what is on trial is {version}, as planned on"), broken)
        }
        Precondition::Stable { slot } => {
            let now_stable = world.target(target).map(|view| view.state.stable);
            let broken = (now_stable != Some(*slot))
                .then(|| Reason::new("changed", "the slots changed their roles since it was planned", "plan again"));
            ("the stable slot is as planned on".to_owned(), broken)
        }
    };
    Checked { must, text: Text::clean(&text), holds: broken.is_none(), broken }
}

/// Why a workload is not what a plan was made on; what is not read now is said by its freshness.
fn workload_unchanged(world: &World, backend: &BackendName, (name, uid): (&WorkloadName, &str), form: &WorkloadForm) -> Option<Reason> {
    let reading = world.workloads(backend).and_then(|fact| fact.value.as_ref())?;
    let changed = |text: &str| Some(Reason::new("changed", text, "look at who changed it, then plan again"));
    let Some(seen) = reading.get(name) else { return changed(&format!("{name} is gone")) };
    if seen.uid != uid {
        return changed(&format!("{name} is another object of that name by now"));
    }
    if seen.is_as(form) {
        return None;
    }
    let images: Vec<String> = form.images.keys().filter_map(|name| Some(format!("{name} {}", seen.images.get(name)?))).collect();
    let partition = form.partition.and(seen.partition).map(|first| format!(", partition {first}"));
    let replicas = form.replicas.map(|_| format!(", {}", counted(seen.replicas.wished)));
    let more: String = partition.into_iter().chain(replicas).collect();
    changed(&format!("another hand changed {name}: it stands at {}{more}, planned was {form}", images.join(", ")))
}

/// Why a workload cannot be given traffic; what is not read now is said by its freshness.
fn not_ready(world: &World, target: &Target, backend: &BackendName, name: &WorkloadName) -> Option<Reason> {
    let reading = world.workloads(backend).and_then(|fact| fact.value.as_ref())?;
    let told = match reading.get(name) {
        None => "is gone".to_owned(),
        Some(seen) if seen.replicas.ready > 0 => return None,
        Some(seen) => format!("has no instance that takes requests: {}", seen.told()),
    };
    let fix = format!("gonogo rollout start {target} --version VERSION brings its instances up first");
    Some(Reason::new("no-instance", &format!("{name} {told}"), &fix))
}

fn found<'a>(world: &'a World, backend: &BackendName, builder: &str, run: u64) -> Option<&'a Run> {
    let reading = world.runs(backend).and_then(|fact| fact.value.as_deref())?;
    reading.builders.get(builder)?.runs.iter().find(|one| one.id.number == run)
}

/// Why a run is not the one at its gates that was planned on; none when it is.
fn not_at_gates(
    found: Option<&Run>,
    (backend, number): (&BackendName, u64),
    attempt: u64,
    revision: &str,
    gates: &[GateRef],
) -> Option<Reason> {
    let changed = |text: &str| Some(Reason::new("changed", text, "look at the pipeline, then plan again"));
    let Some(run) = found else { return changed(&format!("run {backend}/{number} is not there")) };
    if run.state.is_over() {
        return changed(&format!("run {} has ended: {}", run.id, run.state.word()));
    }
    let newest = run.attempt.unwrap_or(1);
    if newest != attempt {
        return changed(&format!("attempt {newest} of run {} is the newest by now, planned was attempt {attempt}", run.id));
    }
    if run.revision.as_str() != revision {
        return changed(&format!("run {} builds {}, planned was {}", run.id, short(run.revision.as_str()), short(revision)));
    }
    let mut waits: Vec<GateRef> = run.gates.iter().map(RunGate::named).collect();
    waits.sort();
    let mut planned = gates.to_vec();
    planned.sort();
    if waits == planned {
        return None;
    }
    let now = if waits.is_empty() { "no gate".to_owned() } else { named(&waits) };
    changed(&format!("run {} waits at {now} by now, planned was {}", run.id, named(gates)))
}

/// Why the backend would not take our answer; none when it would, or when the run does not wait there, which is said elsewhere.
fn may_not_answer(found: Option<&Run>, backend: &BackendName, gates: &[GateRef]) -> Option<Reason> {
    let gate = found?.gates.iter().find(|waits| !waits.may_answer && gates.iter().any(|gate| gate.id == waits.id))?;
    let reviewers: Vec<&str> = gate.reviewers.iter().map(Text::as_str).collect();
    let who = if reviewers.is_empty() { "nobody by name".to_owned() } else { reviewers.join(", ") };
    Some(Reason::new(
        "not-a-reviewer",
        &format!("{backend} takes no answer at {} from the account of our token; it takes one from {who}", gate.name),
        &format!("make that account a reviewer of {} there, or answer there by hand", gate.name),
    ))
}

fn named(gates: &[GateRef]) -> String {
    gates.iter().map(|gate| gate.name.as_str()).collect::<Vec<_>>().join(" and ")
}

/// A commit in 8 digits; anything else whole.
fn short(revision: &str) -> &str {
    let commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    revision.get(..8).filter(|_| commit).unwrap_or(revision)
}

fn shown(weights: &Weights) -> String {
    weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect::<Vec<_>>().join(", ")
}

fn fresh(world: &World, backend: &BackendName, now: &Moment) -> Option<Reason> {
    let Some(source) = world.sources.get(backend) else {
        return Some(Reason::new("unreachable", &format!("{backend} is not configured"), "configure it"));
    };
    let age = source.age(now).map_or_else(|| "never read".to_owned(), |age| format!("last read {} s ago", age.as_secs()));
    let trouble = source.trouble();
    let detail = trouble.map(|error| format!("; {error}")).unwrap_or_default();
    let fix = trouble.map_or("wait for a fresh reading, then plan again", crate::model::error::PortError::remedy);
    match source.freshness(now) {
        Freshness::Fresh => None,
        Freshness::Stale => Some(Reason::new("stale", &format!("{backend} is stale: {age}{detail}"), fix)),
        // A source that was read once is stale, whatever stands in the way now; one that never answered is unreachable.
        Freshness::Unreachable | Freshness::Unauthorised | Freshness::Never if source.seen().is_some() => {
            Some(Reason::new("stale", &format!("{backend} is stale: {age}{detail}"), fix))
        }
        Freshness::Unreachable | Freshness::Unauthorised | Freshness::Never => {
            Some(Reason::new("unreachable", &format!("{backend} was {age}{detail}"), fix))
        }
    }
}

fn weights_unchanged(world: &World, backend: &BackendName, pool: &crate::model::name::PoolName, weights: &Weights) -> Option<Reason> {
    let reading = world.traffic(backend).and_then(|fact| fact.value.as_ref())?;
    let Some(found) = reading.pools.get(pool) else {
        return Some(Reason::new("changed", &format!("{backend} has no pool {pool}"), "compare the configuration with the router's"));
    };
    let differs: Vec<_> = weights
        .iter()
        .filter_map(|(name, weight)| match found.server(name) {
            None => Some(format!("{name} is gone")),
            Some(server) if server.weight != *weight => Some(format!("{name} {weight} is now {}", server.weight)),
            Some(_) => None,
        })
        .collect();
    (!differs.is_empty()).then(|| {
        Reason::new(
            "changed",
            &format!("weights of {pool} changed since it was planned: {}", differs.join(", ")),
            "look at who changed them, then plan again",
        )
    })
}
