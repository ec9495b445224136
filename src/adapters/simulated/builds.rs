//! The CI system inside the world: builders with queues, a few workers, runs with steps that pass, fail or are stopped.

use std::collections::{BTreeMap, VecDeque};

use super::number::{Dice, seconds, whole};
use crate::model::pipeline::RunState;

/// Runs that a builder remembers.
const REMEMBERED: usize = 60;

/// Steps of a build with their parts of its duration.
const BUILD: [(&str, f64); 5] = [("checkout", 0.1), ("compile", 0.3), ("test", 0.4), ("package", 0.1), ("publish", 0.1)];

/// Steps of a deploy run with their seconds.
const DEPLOY: [(&str, i64); 3] = [("fetch", 3), ("replace", 4), ("health", 4)];

/// The name under which the CI system asks for runs by itself.
pub(super) const BY_ITSELF: &str = "ci";

/// What a builder does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Builds a service from a commit.
    Build,
    /// Deploys a version into a slot.
    Deploy,
}

/// A run that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) asked: i64,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) revision: String,
    pub(super) branch: String,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) retry_of: Option<u64>,
    /// The environment at whose gate it waits before its last step.
    pub(super) gate: Option<String>,
}

impl Request {
    fn property(&self, name: &str) -> &str {
        self.properties.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// A step of a run, decided when the run begins.
#[derive(Debug, Clone)]
pub(super) struct SimStep {
    pub(super) name: &'static str,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) fails: bool,
}

/// A run that has begun.
#[derive(Debug, Clone)]
pub(super) struct SimRun {
    pub(super) number: u64,
    pub(super) count: u64,
    pub(super) request: Request,
    pub(super) started: i64,
    pub(super) ends: i64,
    pub(super) outcome: RunState,
    pub(super) steps: Vec<SimStep>,
    /// Its gate, with the step behind it, until it was answered; then the answer.
    pub(super) gate: Option<SimGate>,
}

/// A gate before the last step of a run.
#[derive(Debug, Clone)]
pub(super) struct SimGate {
    /// The environment whose gate it is.
    pub(super) environment: String,
    /// The step behind it.
    pub(super) step: &'static str,
    length: i64,
    /// The key of what answered, and whether it opened.
    pub(super) answer: Option<(String, bool)>,
}

impl SimRun {
    /// The gate at which it waits at a tick.
    pub(super) fn waits_at(&self, tick: i64) -> Option<&SimGate> {
        let came = self.steps.last().is_none_or(|step| tick >= step.to);
        self.gate.as_ref().filter(|gate| gate.answer.is_none() && came && tick < self.ends)
    }

    /// Its state at a tick.
    pub(super) fn state(&self, tick: i64) -> RunState {
        if tick < self.ends { RunState::Running } else { self.outcome }
    }
}

/// One builder.
#[derive(Debug, Clone)]
pub(super) struct SimBuilder {
    pub(super) id: u64,
    pub(super) work: Work,
    pub(super) service: String,
    duration: i64,
    failing: f64,
    count: u64,
    pub(super) runs: VecDeque<SimRun>,
    pub(super) queue: VecDeque<Request>,
}

/// What a run does to the rest of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    /// The servers of a slot are being replaced.
    Replacing { service: String, environment: String, slot: String },
    /// A version runs in a slot now.
    Replaced { service: String, environment: String, slot: String, version: String },
    /// A version was built.
    Built { service: String, version: String },
    /// A version passed its checks after the CI system deployed it by itself.
    Healthy { service: String, environment: String, version: String },
}

/// The CI system.
#[derive(Debug, Clone)]
pub(super) struct Builds {
    seed: u64,
    workers: usize,
    next_run: u64,
    next_request: u64,
    pub(super) builders: BTreeMap<String, SimBuilder>,
}

impl Builds {
    pub(super) fn new(seed: u64, workers: usize) -> Self {
        Self { seed, workers, next_run: 4001, next_request: 9001, builders: BTreeMap::new() }
    }

    /// Adds the two builders of a service.
    pub(super) fn add(&mut self, service: &str, duration: i64, failing: f64) {
        for (name, work) in [(service.to_owned(), Work::Build), (format!("{service}-deploy"), Work::Deploy)] {
            let id = u64::try_from(self.builders.len()).unwrap_or(0) + 1;
            let builder = SimBuilder {
                id,
                work,
                service: service.to_owned(),
                duration,
                failing,
                count: 0,
                runs: VecDeque::new(),
                queue: VecDeque::new(),
            };
            self.builders.insert(name, builder);
        }
    }

    /// Puts a request into a builder's queue; none when there is no such builder.
    pub(super) fn ask(&mut self, builder: &str, request: Request) -> Option<u64> {
        let queue = &mut self.builders.get_mut(builder)?.queue;
        let id = self.next_request;
        self.next_request += 1;
        queue.push_back(Request { id, ..request });
        Some(id)
    }

    /// The run of that number with its builder's name.
    pub(super) fn run(&self, number: u64) -> Option<(&str, &SimRun)> {
        self.builders
            .iter()
            .find_map(|(name, builder)| builder.runs.iter().find(|run| run.number == number).map(|run| (name.as_str(), run)))
    }

    /// Asks for a repetition of a run, with its properties.
    pub(super) fn rebuild(&mut self, number: u64, asked: i64) -> Option<u64> {
        let (builder, run) = self.run(number)?;
        let (builder, old) = (builder.to_owned(), run.request.clone());
        self.ask(&builder, Request { asked, retry_of: Some(number), reason: format!("rebuild of run {number}"), ..old })
    }

    /// Stops a run that is under way; a run that is over stays as it is. None when there is no such run.
    pub(super) fn stop(&mut self, number: u64, tick: i64) -> Option<()> {
        let run = self.builders.values_mut().flat_map(|builder| &mut builder.runs).find(|run| run.number == number)?;
        if tick < run.ends {
            run.ends = tick;
            run.outcome = RunState::Cancelled;
        }
        Some(())
    }

    /// Answers for a run at its gate; none when it does not wait at one.
    pub(super) fn answer(&mut self, number: u64, opens: bool, key: String, tick: i64) -> Option<()> {
        let run = self.builders.values_mut().flat_map(|builder| &mut builder.runs).find(|run| run.number == number)?;
        run.waits_at(tick)?;
        let gate = run.gate.as_mut()?;
        gate.answer = Some((key, opens));
        let (name, to) = (gate.step, tick + gate.length);
        if opens {
            run.steps.push(SimStep { name, from: tick, to, fails: false });
            run.ends = to;
        } else {
            (run.ends, run.outcome) = (tick, RunState::Failed);
        }
        Some(())
    }

    /// What happens at a tick: steps end, and idle builders take what waits, the oldest first. `possible` says whether a deploy
    /// can be done.
    pub(super) fn step(&mut self, tick: i64, possible: impl Fn(&str, &BTreeMap<String, String>) -> bool) -> Vec<Done> {
        let done = self.builders.values().filter_map(|builder| builder.runs.back().map(|run| (builder, run)));
        let done: Vec<Done> = done.flat_map(|(builder, run)| done_by(builder, run, tick)).collect();
        loop {
            let busy = |builder: &SimBuilder| builder.runs.back().is_some_and(|run| tick < run.ends);
            // Who waits at a gate keeps no worker.
            let works = |builder: &SimBuilder| busy(builder) && builder.runs.back().is_none_or(|run| run.waits_at(tick).is_none());
            if self.builders.values().filter(|builder| works(builder)).count() >= self.workers {
                break;
            }
            let idle = self.builders.values_mut().filter(|builder| !busy(builder) && !builder.queue.is_empty());
            let oldest = idle.min_by_key(|builder| builder.queue.front().map(|request| request.id));
            let Some((builder, request)) = oldest.and_then(|builder| builder.queue.pop_front().map(|request| (builder, request))) else {
                break;
            };
            let can = builder.work == Work::Build || possible(&builder.service, &request.properties);
            begin(builder, self.seed, self.next_run, request, tick, can);
            self.next_run += 1;
        }
        done
    }

    /// Writes a run into the past that went as the dice say.
    pub(super) fn remember(&mut self, builder: &str, request: Request, started: i64) {
        let id = self.next_request;
        if let Some(builder) = self.builders.get_mut(builder) {
            begin(builder, self.seed, self.next_run, Request { id, ..request }, started, true);
            self.next_request += 1;
            self.next_run += 1;
        }
    }
}

fn begin(builder: &mut SimBuilder, seed: u64, number: u64, request: Request, tick: i64, can: bool) {
    let mut dice = Dice::of_run(seed, number);
    let stretch = 0.85 + 0.4 * dice.throw();
    let unlucky = dice.throw() < builder.failing;
    let planned: Vec<(&'static str, i64, bool)> = match builder.work {
        Work::Build => BUILD
            .into_iter()
            .map(|(name, part)| {
                let length = whole(seconds(builder.duration) * part * stretch).max(1);
                (name, i64::try_from(length).unwrap_or(1), unlucky && name == "test")
            })
            .collect(),
        Work::Deploy => DEPLOY.into_iter().map(|(name, length)| (name, length, !can && name == "fetch")).collect(),
    };
    let mut steps = Vec::new();
    let mut at = tick;
    let mut outcome = RunState::Passed;
    let last = planned.last().map(|(name, length, _)| (*name, *length));
    let gate = request.gate.clone().zip(last);
    let before = planned.len().saturating_sub(usize::from(gate.is_some()));
    for (name, length, fails) in planned.into_iter().take(before) {
        steps.push(SimStep { name, from: at, to: at + length, fails });
        at += length;
        if fails {
            outcome = RunState::Failed;
            break;
        }
    }
    let gate = gate.filter(|_| outcome == RunState::Passed);
    let gate = gate.map(|(environment, (step, length))| SimGate { environment, step, length, answer: None });
    let ends = if gate.is_some() { i64::MAX } else { at };
    builder.count += 1;
    builder.runs.push_back(SimRun { number, count: builder.count, request, started: tick, ends, outcome, steps, gate });
    if builder.runs.len() > REMEMBERED {
        builder.runs.pop_front();
    }
}

/// What a run does to the world exactly at this tick.
fn done_by(builder: &SimBuilder, run: &SimRun, tick: i64) -> Vec<Done> {
    let stopped = run.outcome == RunState::Cancelled && tick >= run.ends;
    if stopped || tick > run.ends {
        return Vec::new();
    }
    let service = builder.service.clone();
    let version = run.request.property("version").to_owned();
    let environment = run.request.property("environment").to_owned();
    let mut done = Vec::new();
    match builder.work {
        Work::Build => {
            if tick == run.ends && run.outcome == RunState::Passed {
                done.push(Done::Built { service, version });
            }
        }
        Work::Deploy => {
            let slot = run.request.property("slot").to_owned();
            let replace = run.steps.iter().find(|step| step.name == "replace");
            if replace.is_some_and(|step| step.from == tick) {
                done.push(Done::Replacing { service: service.clone(), environment: environment.clone(), slot: slot.clone() });
            }
            if replace.is_some_and(|step| step.to == tick) {
                let (service, environment, version) = (service.clone(), environment.clone(), version.clone());
                done.push(Done::Replaced { service, environment, slot, version });
            }
            if tick == run.ends && run.outcome == RunState::Passed && run.request.by == BY_ITSELF {
                done.push(Done::Healthy { service, environment, version });
            }
        }
    }
    done
}
