//! The simulated CI system: it starts, repeats, stops and finds runs as Buildbot does, with logs that grow.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builds::{Request, SimBuilder, SimGate, SimRun, SimStep};
use super::log;
use super::state::State;
use super::world::{Course, SimulatedWorld};
use crate::model::capability::Capability;
use crate::model::deed::{Effect, EffectKey};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::BackendName;
use crate::model::pipeline::{Builder, LogPart, LogRef, QueuedRun, Run, RunId, RunReading, RunState, RunStep};
use crate::model::plan::StepEffect;
use crate::model::run_gate::{RunGate, WAITS};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::ci::{Ci, Found, RunReceipt};

/// The one scheduler by which people start runs.
const SCHEDULER: &str = "force";

/// Runs of each builder in a reading.
const SHOWN: usize = 20;

/// Logs are numbered by run and step.
const STEPS_A_RUN: u64 = 8;

/// The CI system of a simulated world.
pub struct BuildSystem {
    world: Arc<SimulatedWorld>,
    name: BackendName,
}

impl BuildSystem {
    /// The CI system under the name that the catalog gives it.
    pub fn new(world: &Arc<SimulatedWorld>, name: BackendName) -> Self {
        Self { world: Arc::clone(world), name }
    }

    fn read_now(&self, builders: &[String], detail: &[u64]) -> Result<RunReading, PortError> {
        let doing = "read runs";
        self.world.read(&self.name, doing, |state, partial| {
            if partial {
                return Err(PortError::new(PortErrorKind::Malformed, &self.name, doing, "the answer ended early"));
            }
            let mut reading = RunReading { builders: BTreeMap::new(), missing: Vec::new(), backend_clock: Some(state.now()) };
            for name in builders {
                match state.builds.builders.get(name) {
                    Some(builder) => drop(reading.builders.insert(name.clone(), self.builder(state, name, builder, detail))),
                    None => reading.missing.push(Text::clean(name)),
                }
            }
            Ok(reading)
        })
    }

    fn builder(&self, state: &State, name: &str, builder: &SimBuilder, detail: &[u64]) -> Builder {
        let runs = builder.runs.iter().rev().take(SHOWN);
        let with_steps = |run: &SimRun| detail.contains(&run.number) || state.tick < run.ends;
        Builder {
            name: Text::clean(name),
            id: builder.id,
            runs: runs.map(|run| self.run(state, name, run, with_steps(run))).collect(),
            queued: builder
                .queue
                .iter()
                .map(|request| QueuedRun {
                    request: request.id,
                    builder: Text::clean(name),
                    asked: Some(state.wall(request.asked)),
                    reason: Text::clean(&request.reason),
                    properties: properties(request),
                })
                .collect(),
        }
    }

    fn run(&self, state: &State, builder: &str, run: &SimRun, steps: bool) -> Run {
        let now = run.state(state.tick);
        Run {
            id: RunId { backend: self.name.clone(), number: run.number },
            number: run.count,
            builder: Text::clean(builder),
            state: now,
            words: Text::clean(&words(state, run)),
            reason: Text::clean(&run.request.reason),
            revision: Text::clean(&run.request.revision),
            branch: Text::clean(&run.request.branch),
            by: Text::clean(&run.request.by),
            // Accounts are told by address here; only who waits at a gate is asked for them.
            asked_by: run.gate.iter().map(|_| Text::clean(&format!("{}@shop.example", run.request.by))).collect(),
            asked: Some(state.wall(run.request.asked)),
            started: Some(state.wall(run.started)),
            ended: now.is_over().then(|| state.wall(run.ends)),
            properties: properties(&run.request),
            retry_of: run.request.retry_of,
            attempt: None,
            gates: run.waits_at(state.tick).into_iter().map(|gate| waits(state, run, gate)).collect(),
            steps: if steps { all_steps(state, run) } else { Vec::new() },
        }
    }

    fn log_now(&self, log: u64, first: u64, limit: u32) -> Result<LogPart, PortError> {
        let doing = "read a log";
        self.world.read(&self.name, doing, |state, _| {
            let missing = || PortError::new(PortErrorKind::NotFound, &self.name, doing, &format!("no log {log}"));
            let (builder, run) = state.builds.run(log / STEPS_A_RUN).ok_or_else(missing)?;
            let place = usize::try_from(log % STEPS_A_RUN).unwrap_or(usize::MAX);
            let step = run.steps.get(place).ok_or_else(missing)?;
            let (total, complete) = lines(state, run, step);
            let last = total.min(first.saturating_add(u64::from(limit)));
            let failing = |number: u64| step.fails && complete && number + 1 == total && run.outcome == RunState::Failed;
            let about = builder.trim_end_matches("-deploy");
            let lines = (first..last).map(|number| Text::clean(&log::line(step.name, number, about, failing(number))));
            Ok(LogPart { first, lines: lines.collect(), total, complete })
        })
    }

    fn send_now(&self, effect: &Effect) -> Result<RunReceipt, SendError> {
        let doing = "order a run";
        let fail = |kind, detail: &str| SendError::NotDone(PortError::new(kind, &self.name, doing, detail));
        if effect.what().backend() != &self.name {
            return Err(fail(PortErrorKind::Unsupported, "the effect belongs to another backend"));
        }
        self.world.write(&self.name, doing, |state, _: &Course| match effect.what() {
            StepEffect::Start { builder, scheduler, properties, .. } => {
                if scheduler != SCHEDULER {
                    return Err(fail(PortErrorKind::NotFound, &format!("no scheduler `{scheduler}`; there is `{SCHEDULER}`")));
                }
                let request = state.forced(builder, properties, effect.key());
                let id =
                    state.builds.ask(builder, request).ok_or_else(|| fail(PortErrorKind::NotFound, &format!("no builder `{builder}`")))?;
                Ok(RunReceipt { request: Some(id) })
            }
            StepEffect::Retry { run, .. } => {
                let tick = state.tick;
                match state.builds.run(*run).map(|(_, known)| known.state(tick).is_over()) {
                    None => Err(fail(PortErrorKind::NotFound, &format!("no run {run}"))),
                    Some(false) => Err(fail(PortErrorKind::Conflict, &format!("run {run} is still under way"))),
                    Some(true) => Ok(RunReceipt { request: state.builds.rebuild(*run, tick) }),
                }
            }
            StepEffect::Cancel { run, .. } => {
                let stopped = state.builds.stop(*run, state.tick);
                stopped.map(|()| RunReceipt { request: None }).ok_or_else(|| fail(PortErrorKind::NotFound, &format!("no run {run}")))
            }
            StepEffect::Answer { run, opens, .. } => {
                let answered = state.builds.answer(*run, *opens, effect.key().to_string(), state.tick);
                answered.map(|()| RunReceipt { request: None }).ok_or_else(|| fail(PortErrorKind::Conflict, "it does not wait at a gate"))
            }
            StepEffect::Repeat { .. } => Err(fail(PortErrorKind::Unsupported, "the simulated CI system counts no attempts")),
            StepEffect::Weights { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. } => Err(fail(PortErrorKind::Unsupported, "a CI system sets no weights and no workloads")),
        })
    }

    fn find_now(&self, effect: &StepEffect, key: EffectKey, after: Option<u64>) -> Result<Option<Found>, PortError> {
        let doing = "look for a run";
        self.world.read(&self.name, doing, |state, partial| {
            if partial {
                return Err(PortError::new(PortErrorKind::Malformed, &self.name, doing, "the answer ended early"));
            }
            let newest = |builder: &str, ours: &dyn Fn(&Request) -> bool, later: u64| {
                let known = state.builds.builders.get(builder)?;
                let run = known.runs.iter().rev().find(|run| ours(&run.request) && run.number > later);
                let waits = known.queue.iter().rev().find(|request| ours(request)).map(|request| Found::Queued(request.id));
                waits.or_else(|| run.map(|run| Found::Run(Box::new(self.run(state, builder, run, true)))))
            };
            let key = key.to_string();
            Ok(match effect {
                StepEffect::Start { builder, .. } => {
                    newest(builder, &|request| request.retry_of.is_none() && request.properties.values().any(|value| *value == key), 0)
                }
                StepEffect::Retry { builder, run, .. } => newest(builder, &|request| request.retry_of == Some(*run), after.unwrap_or(0)),
                StepEffect::Cancel { run, .. } => {
                    state.builds.run(*run).map(|(builder, run)| Found::Run(Box::new(self.run(state, builder, run, true))))
                }
                StepEffect::Answer { run, opens, .. } => state.builds.run(*run).and_then(|(builder, run)| {
                    let (by, opened) = run.gate.as_ref()?.answer.as_ref()?;
                    if *by != key {
                        return Some(Found::Other { why: Text::clean("another answer stands there") });
                    }
                    (opened == opens).then(|| Found::Run(Box::new(self.run(state, builder, run, true))))
                }),
                StepEffect::Weights { .. }
                | StepEffect::Flag { .. }
                | StepEffect::Drain { .. }
                | StepEffect::Silence { .. }
                | StepEffect::Repeat { .. }
                | StepEffect::Workload { .. } => None,
            })
        })
    }
}

impl State {
    /// The request that a person at the force scheduler makes; the effect's key stands wherever `$key` was, and in the reason.
    fn forced(&mut self, builder: &str, properties: &BTreeMap<String, String>, key: EffectKey) -> Request {
        let key = key.to_string();
        let reason = format!("gonogo {key}");
        let given = properties.iter().map(|(name, value)| (name.clone(), value.replace("$key", &key)));
        let operator = self.scenario.person.iter().find(|person| person.operator).map(|person| person.name.to_string());
        let by = operator.unwrap_or_default();
        let is_build = self.scenario.service.iter().any(|service| service.name.as_str() == builder);
        let mut request = if is_build {
            self.commit(builder, &by, &reason, self.tick)
        } else {
            let nothing = String::new;
            let (id, asked) = (0, self.tick);
            Request {
                id,
                asked,
                reason,
                by,
                revision: nothing(),
                branch: nothing(),
                properties: BTreeMap::new(),
                retry_of: None,
                gate: None,
            }
        };
        request.properties.extend(given);
        request
    }
}

fn properties(request: &Request) -> BTreeMap<String, Text> {
    request.properties.iter().map(|(name, value)| (name.clone(), Text::clean(value))).collect()
}

/// The gate at which a run waits, as the CI system tells it.
fn waits(state: &State, run: &SimRun, gate: &SimGate) -> RunGate {
    let place = state.scenario.environment.iter().position(|known| known.name.as_str() == gate.environment).unwrap_or_default();
    RunGate {
        id: u64::try_from(place).unwrap_or_default() + 1,
        name: Text::clean(&gate.environment),
        may_answer: true,
        reviewers: Vec::new(),
        until: None,
        since: run.steps.last().map(|step| state.wall(step.to)),
    }
}

fn words(state: &State, run: &SimRun) -> String {
    let tick = state.tick;
    if run.waits_at(tick).is_some() {
        return WAITS.to_owned();
    }
    let now = || run.steps.iter().find(|step| tick < step.to).map_or("", |step| step.name);
    match run.state(tick) {
        RunState::Running => format!("running {}", now()),
        RunState::Passed => "build successful".to_owned(),
        RunState::Failed => format!("failed {}", run.steps.last().map_or("", |step| step.name)),
        RunState::Cancelled => "stopped".to_owned(),
        other @ (RunState::Queued | RunState::Warned | RunState::Skipped | RunState::Broken | RunState::Retrying) => {
            other.word().to_owned()
        }
    }
}

/// The steps that have begun.
fn all_steps(state: &State, run: &SimRun) -> Vec<RunStep> {
    let tick = state.tick;
    let begun = run.steps.iter().enumerate().filter(|(_, step)| step.from <= tick && (step.from < run.ends || run.started == run.ends));
    let held = run.waits_at(tick).map(|gate| RunStep {
        number: u32::try_from(run.steps.len()).unwrap_or(u32::MAX),
        name: Text::clean(gate.step),
        state: RunState::Running,
        words: Text::clean(WAITS),
        started: None,
        ended: None,
        logs: Vec::new(),
    });
    begun
        .map(|(n, step)| {
            let cut = step.to > run.ends;
            let over = tick >= step.to.min(run.ends);
            let ended = match (over, cut, step.fails) {
                (false, _, _) => RunState::Running,
                (true, true, _) => RunState::Cancelled,
                (true, false, true) => RunState::Failed,
                (true, false, false) => RunState::Passed,
            };
            let (lines, complete) = lines(state, run, step);
            let number = u32::try_from(n).unwrap_or(u32::MAX);
            RunStep {
                number,
                name: Text::clean(step.name),
                state: ended,
                words: Text::clean(&format!("{} {}", step.name, ended.word())),
                started: Some(state.wall(step.from)),
                ended: over.then(|| state.wall(step.to.min(run.ends))),
                logs: vec![LogRef { id: run.number * STEPS_A_RUN + u64::from(number), name: Text::clean("stdio"), lines, complete }],
            }
        })
        .chain(held)
        .collect()
}

/// The lines that a step's log has now, and whether it will grow no more.
fn lines(state: &State, run: &SimRun, step: &SimStep) -> (u64, bool) {
    let to = step.to.min(run.ends);
    if state.tick < step.from || to < step.from {
        return (0, state.tick >= run.ends);
    }
    let passed = u64::try_from(state.tick.min(to) - step.from).unwrap_or(0);
    (passed * log::RATE + 1, state.tick >= to)
}

/// The requests to Buildbot's data API that would do the same.
fn by_hand(effect: &StepEffect) -> Vec<String> {
    match effect {
        StepEffect::Start { builder, scheduler, properties, .. } => {
            let given: Vec<String> = properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
            vec![format!("POST /api/v2/forceschedulers/{scheduler} force builder={builder} {}", given.join(" "))]
        }
        StepEffect::Retry { run, .. } => vec![format!("POST /api/v2/builds/{run} rebuild")],
        StepEffect::Cancel { run, .. } => vec![format!("POST /api/v2/builds/{run} stop")],
        StepEffect::Weights { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Workload { .. } => Vec::new(),
    }
}

impl Ci for BuildSystem {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadRuns, Capability::Logs, Capability::Start, Capability::Retry, Capability::Cancel, Capability::Answer]
    }

    fn read<'a>(&'a self, builders: &'a [String], detail: &'a [u64]) -> Pending<'a, Result<RunReading, PortError>> {
        Box::pin(async move { self.read_now(builders, detail) })
    }

    fn log(&self, log: u64, first: u64, limit: u32) -> Pending<'_, Result<LogPart, PortError>> {
        Box::pin(async move { self.log_now(log, first, limit) })
    }

    fn send<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<RunReceipt, SendError>> {
        Box::pin(async move { self.send_now(effect) })
    }

    fn find<'a>(&'a self, effect: &'a StepEffect, key: EffectKey, after: Option<u64>) -> Pending<'a, Result<Option<Found>, PortError>> {
        Box::pin(async move { self.find_now(effect, key, after) })
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        by_hand(effect)
    }
}
