//! Looks for an accepted effect in later readings: effective is what was seen, never what was answered.

use std::sync::Arc;
use std::time::Duration;

use super::{LOOK_EVERY, Machine, Phase, REREAD_WITHIN, number};
use crate::analysis::split::{self, Seen, Split};
use crate::control::task::Task;
use crate::control::world::{Source, World};
use crate::model::both::LeftOut;
use crate::model::catalog::TrafficEntry;
use crate::model::deed::EntryKind;
use crate::model::error::PortError;
use crate::model::intent::Verb;
use crate::model::name::{BackendName, PoolName};
use crate::model::pipeline::{Run, RunState};
use crate::model::plan::StepEffect;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::traffic::{TrafficReading, Weights};
use crate::ports::ci::Found;

/// Two reads that lie closer together say nothing when no request came between them.
const QUIET_FOR: Duration = Duration::from_secs(2);

/// The first reading after the weights were seen as wished: what the measured split is counted from.
#[derive(Debug, Clone)]
pub struct Baseline {
    reading: Arc<TrafficReading>,
    seen: Moment,
    newest: Moment,
}

/// What a look at a weights step found.
enum Sight {
    /// Nothing new.
    Wait,
    /// A new baseline.
    Base(Baseline),
    /// Effective, in these words.
    Effective(String),
}

impl Machine {
    /// Looks whether an accepted step is effective by now.
    #[expect(clippy::too_many_arguments, reason = "the fields of one phase")]
    pub(super) fn confirm(
        &mut self,
        world: &World,
        now: &Moment,
        step: usize,
        since: &Moment,
        until: Boot,
        baseline: Option<Baseline>,
        looked: Boot,
    ) -> Vec<Task> {
        let Some(effect) = self.plan.order.step(step).cloned() else { return Vec::new() };
        match &effect {
            StepEffect::Weights { backend, pool, weights } => {
                let late = is_up(world, backend, until, looked, now);
                match self.sight(world, step, since, baseline.as_ref(), late) {
                    Sight::Effective(words) => return self.seen_effective(now, step, &words),
                    Sight::Base(baseline) => {
                        self.phase = Phase::Confirming { step, since: *since, until, baseline: Some(baseline), looked }
                    }
                    Sight::Wait => {}
                }
                if late {
                    let words = format!(
                        "accepted, but not effective within {} s: {}",
                        self.effective_within.as_secs(),
                        Self::shortfall(world, backend, pool, weights, baseline.as_ref())
                    );
                    return self.not_effective(world, since, step, &words);
                }
                self.mark_end(until, now);
                Vec::new()
            }
            StepEffect::Workload { backend, change } => self.confirm_workload(world, now, (step, since, until, looked), backend, change),
            StepEffect::Flag { .. } | StepEffect::Drain { .. } | StepEffect::Silence { .. } => {
                self.confirm_shown(world, now, step, since, until, looked)
            }
            StepEffect::Start { .. }
            | StepEffect::Retry { .. }
            | StepEffect::Repeat { .. }
            | StepEffect::Answer { .. }
            | StepEffect::Cancel { .. } => {
                if looked != Boot(0) && now.boot < looked.plus(LOOK_EVERY) {
                    return Vec::new();
                }
                // Time is up only after a look at its end: the machine may have slept in between.
                if looked >= until {
                    let words = format!("accepted, but not seen within {} s", now.boot.since(since.boot).as_secs());
                    return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
                }
                self.phase = Phase::Confirming { step, since: *since, until, baseline, looked: now.boot };
                vec![self.look_task(step, effect)]
            }
        }
    }

    /// Remembers when the end of a wait for a router was noticed.
    pub(super) fn mark_end(&mut self, until: Boot, now: &Moment) {
        if let Phase::Confirming { looked, .. } | Phase::LookingUp { looked, .. } = &mut self.phase
            && now.boot >= until
            && *looked == Boot(0)
        {
            *looked = now.boot;
        }
    }

    pub(super) fn look_task(&self, step: usize, effect: StepEffect) -> Task {
        let after = match &effect {
            StepEffect::Retry { run, .. } => Some(*run),
            StepEffect::Start { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. }
            | StepEffect::Repeat { .. }
            | StepEffect::Answer { .. }
            | StepEffect::Cancel { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Weights { .. } => None,
        };
        Task::Look { plan: self.plan.id, step: number(step), effect, after }
    }

    pub(super) fn seen_effective(&mut self, now: &Moment, step: usize, words: &str) -> Vec<Task> {
        if let Some(one) = self.deed.steps.get_mut(step) {
            one.seen = Some(Text::clean(words));
        }
        if self.is_last(step) && !self.fell_short() {
            // The store keeps the end of the watch in wall time; the machine itself counts on the boot clock.
            let held_due = self.can_slip().then(|| now.plus(self.hold_time).wall);
            let left: Vec<_> = self.plan.order.left.iter().map(LeftOut::told).collect();
            if left.is_empty() {
                return self.record(EntryKind::Effective, None, words, true, held_due);
            }
            let words = format!("{words}; NOT REACHED: {}; {} when it answers sends the rest", left.join(", "), self.press());
            self.record(EntryKind::Effective, None, &words, true, held_due)
        } else {
            self.record(EntryKind::Effective, Some(number(step)), words, false, None)
        }
    }

    fn sight(&self, world: &World, step: usize, since: &Moment, baseline: Option<&Baseline>, late: bool) -> Sight {
        let Some(StepEffect::Weights { backend, pool, weights }) = self.plan.order.step(step) else { return Sight::Wait };
        let Some((reading, seen)) = newest(world, backend) else { return Sight::Wait };
        if seen.boot <= since.boot || !reading.stands_at(pool, weights) {
            return Sight::Wait;
        }
        // What is taken back is not measured first: it is no time to wait for requests.
        if self.plan.order.is_back(step) {
            return Sight::Effective("weights read back as they were before".to_owned());
        }
        let Some(baseline) = baseline else {
            if late {
                return Sight::Effective("weights read back as set; by configuration, not measured: no time was left".to_owned());
            }
            return Sight::Base(Baseline { reading, seen, newest: seen });
        };
        // One reading alone measures nothing; the same one again only counts when time is up.
        if seen.boot <= baseline.seen.boot || (seen.boot <= baseline.newest.boot && !late) {
            return Sight::Wait;
        }
        let Some((entry, trial)) = self.entry(world, backend, pool) else { return Sight::Effective("weights read back as set".to_owned()) };
        let wished = self.plan.order.percent.unwrap_or(Percent::NONE);
        let measured = split::measure(&baseline.reading, &reading, pool, entry.servers(trial), entry.servers(trial.other()));
        let Split::Measured(measured) = measured else { return Sight::Base(Baseline { reading, seen, newest: seen }) };
        let Some(share) = measured.share else {
            if seen.since(&baseline.seen) < QUIET_FOR && !late {
                return Sight::Base(Baseline { newest: seen, ..baseline.clone() });
            }
            let why = if measured.counted { "no request came" } else { "the router counts no requests" };
            return Sight::Effective(format!("weights read back as set; by configuration, not measured: {why}"));
        };
        match split::is_effective(wished.share(), &measured, self.min_requests) {
            Seen::Effective => {
                Sight::Effective(format!("weights read back as set; measured {:.1} % of {} requests", share.percent(), measured.requests))
            }
            Seen::NotMeasured { requests } if late => Sight::Effective(format!(
                "weights read back as set; by configuration, not measured: {requests} requests, {} needed",
                self.min_requests
            )),
            Seen::NotMeasured { .. } => Sight::Base(Baseline { newest: seen, ..baseline.clone() }),
            // What was under way when the weights changed may still be counted: count anew from here.
            Seen::NotEffective => Sight::Base(Baseline { reading, seen, newest: seen }),
        }
    }

    /// Why a weights step was not seen in time.
    fn shortfall(world: &World, backend: &BackendName, pool: &PoolName, weights: &Weights, baseline: Option<&Baseline>) -> String {
        let Some((reading, _)) = newest(world, backend) else { return format!("{backend} was not read") };
        if !reading.stands_at(pool, weights) {
            return format!("weights of {pool} do not read as set");
        }
        let Some(baseline) = baseline else { return format!("{backend} was not read since") };
        format!("the measured split of {pool} stayed off the wished one, counted from {}", baseline.seen.wall.format("%H:%M:%SZ"))
    }

    /// The configured entry of a router's pool, and the slot on trial by the Order.
    pub(super) fn entry<'a>(&self, world: &'a World, backend: &BackendName, pool: &PoolName) -> Option<(&'a TrafficEntry, Slot)> {
        let deploy = world.catalog.deploy(self.plan.target())?;
        let entry = deploy.traffic.iter().find(|entry| &entry.backend == backend && &entry.pool == pool)?;
        let trial = self.plan.order.targets.first().and_then(|target| target.slot)?;
        Some((entry, trial))
    }

    /// A CI system was asked for what an effect made.
    pub(super) fn on_looked(&mut self, now: &Moment, step: u32, result: &Result<Option<Found>, PortError>) -> Vec<Task> {
        let Some(index) = usize::try_from(step).ok() else { return Vec::new() };
        match (&self.phase, result) {
            (Phase::Confirming { step: at, .. }, Ok(Some(found))) if *at == index => self.found_confirming(now, index, found),
            (Phase::LookingUp { step: at, .. }, Ok(Some(found))) if *at == index => self.found_after_unknown(index, found),
            (Phase::LookingUp { .. } | Phase::Confirming { .. }, Err(error)) => {
                self.deed.words = Text::clean(&format!("looking for it: {error}"));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn found_confirming(&mut self, now: &Moment, step: usize, found: &Found) -> Vec<Task> {
        let stops = matches!(self.plan.order.effects.get(step), Some(StepEffect::Cancel { .. }));
        let run = match found {
            Found::Run(run) => run,
            Found::Queued(_) => {
                self.deed.words = Text::clean("queued, not begun");
                return if self.waits_for_run(step) || stops {
                    Vec::new()
                } else {
                    self.seen_effective(now, step, "its request is in the queue")
                };
            }
            Found::Closed { request, why } => {
                let words = format!("request {request} ended without a run and will never run: {why}");
                return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
            }
            Found::Other { why } => {
                let words = format!("accepted, but what is seen is not ours: {why}");
                return self.record(EntryKind::Failed, Some(number(step)), &words, true, None);
            }
        };
        if stops {
            return self.stopped(now, step, run);
        }
        if self.waits_for_run(step) {
            return self.deployed(now, step, run);
        }
        let words = made(self.plan.order.effects.get(step), run);
        self.seen_effective(now, step, &words)
    }

    fn stopped(&mut self, now: &Moment, step: usize, run: &Run) -> Vec<Task> {
        match run.state {
            RunState::Cancelled => self.seen_effective(now, step, &format!("run {} says cancelled", run.id)),
            RunState::Queued | RunState::Running => Vec::new(),
            RunState::Passed | RunState::Warned | RunState::Failed | RunState::Skipped | RunState::Broken | RunState::Retrying => {
                let words = format!("run {} had ended by itself: {}", run.id, run.state.word());
                if self.plan.intent.verb == Verb::Cancel {
                    self.record(EntryKind::Failed, Some(number(step)), &words, true, None)
                } else {
                    self.seen_effective(now, step, &words)
                }
            }
        }
    }

    /// A rollback's deploy run must end well before the next step.
    fn deployed(&mut self, now: &Moment, step: usize, run: &Run) -> Vec<Task> {
        if !run.state.is_over() {
            self.deed.words = Text::clean(&format!("run {} is {}", run.id, run.state.word()));
            return Vec::new();
        }
        if run.state.is_good() {
            return self.seen_effective(now, step, &format!("run {} {}", run.id, run.state.word()));
        }
        self.record(EntryKind::Failed, Some(number(step)), &format!("run {} {}: {}", run.id, run.state.word(), run.words), true, None)
    }
}

/// What a run shows that an effect made.
fn made(effect: Option<&StepEffect>, run: &Run) -> String {
    match effect {
        Some(StepEffect::Retry { .. }) => format!("run {} repeats it", run.id),
        Some(StepEffect::Repeat { .. }) => format!("run {} is in attempt {}", run.id, run.attempt.unwrap_or_default()),
        Some(StepEffect::Answer { gates, opens, .. }) => {
            let gates: Vec<_> = gates.iter().map(|gate| gate.name.as_str()).collect();
            let did = if *opens { "opened" } else { "closed" };
            format!("{} {did} by our answer, run {} is {}", gates.join(" and "), run.id, run.state.word())
        }
        Some(
            StepEffect::Start { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. }
            | StepEffect::Cancel { .. }
            | StepEffect::Weights { .. }
            | StepEffect::Workload { .. },
        )
        | None => {
            format!("run {} bears its key", run.id)
        }
    }
}

/// Whether a wait for a router is over: the time is, and a read that was asked for since came back, or none did for a while. After a sleep
/// of the machine the end of the wait may be long gone before anything could be read.
pub(super) fn is_up(world: &World, backend: &BackendName, until: Boot, looked: Boot, now: &Moment) -> bool {
    let answered = |source: &Arc<Source>| source.seen().is_some_and(|seen| seen.boot >= until) || source.failed_since(until);
    let silent = looked != Boot(0) && now.boot >= looked.plus(REREAD_WITHIN);
    now.boot >= until && (silent || world.sources.get(backend).is_none_or(answered))
}

/// The newest good reading of a router and when it was asked for.
pub(super) fn newest(world: &World, backend: &BackendName) -> Option<(Arc<TrafficReading>, Moment)> {
    let fact = world.traffic(backend)?;
    Some((fact.value.clone()?, fact.seen?))
}
