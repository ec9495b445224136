//! The engine: one machine a deed, from confirmed to held. Pure: events and readings in, tasks out.

mod confirm;
mod recover;
mod watch;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::control::event::Event;
use crate::control::gate;
use crate::control::planner;
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::catalog::Environment;
use crate::model::deed::{Deed, DeedState, DeedStep, EntryKind, Facts};
use crate::model::error::SendError;
use crate::model::name::{BackendName, PlanId};
use crate::model::plan::{Plan, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::traffic::Weights;
use crate::model::verdict::Verdict;
use crate::ports::ledger::{LedgerError, Outcome};

pub use confirm::Baseline;

/// How long preconditions may take to be read anew.
const REREAD_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer to an effect is awaited; it ends before the lease.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(8);
/// How often a CI system is asked for what an effect made.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a deploy run of a rollback may take.
const DEPLOY_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Where a machine stands.
#[derive(Debug, Clone)]
enum Phase {
    /// Preconditions are read anew.
    Rereading { since: Moment, until: Boot },
    /// `begin` is under way.
    Beginning,
    /// Dead owner: the store is asked for the deed.
    Adopting,
    /// `sending` and the backend's answer are awaited.
    Sending,
    /// An outcome is being recorded; then goes on with what is named.
    Recording { kind: EntryKind },
    /// Accepted: looks for the effect in later readings.
    Confirming { step: usize, since: Moment, until: Boot, baseline: Option<Baseline>, looked: Boot },
    /// UNKNOWN: looks for what happened.
    LookingUp { step: usize, since: Moment, until: Boot, looked: Boot },
    /// Effective: watched for the hold time.
    Watching { due: Boot, last: Boot },
    /// Nothing more will come of it here.
    Ended,
}

/// Why a deed was refused before or at its beginning, for exit codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Policy denied.
    Denied(Vec<Reason>),
    /// It waits for other persons.
    Waits(Vec<Reason>),
    /// The ledger refused or failed.
    Ledger(LedgerError),
}

/// One deed on its way.
#[derive(Debug, Clone)]
pub struct Machine {
    plan: Plan,
    deed: Deed,
    phase: Phase,
    refusal: Option<Refusal>,
    hold_time: Duration,
    effective_within: Duration,
    lookup_within: Duration,
    min_requests: u64,
    renewed: Boot,
    ours: bool,
}

impl Machine {
    /// A machine for a confirmed plan; its preconditions are read anew first.
    pub fn confirmed(world: &World, plan: Plan, now: &Moment) -> Self {
        let deed = fresh_deed(&plan);
        let until = now.boot.plus(REREAD_WITHIN);
        Self::new(world, plan, deed, Phase::Rereading { since: *now, until }, now)
    }

    fn new(world: &World, plan: Plan, deed: Deed, phase: Phase, now: &Moment) -> Self {
        let environment = world.catalog.environment(&plan.target().environment);
        let lookup = plan
            .order
            .effects
            .iter()
            .filter_map(|effect| world.sources.get(effect.backend()))
            .map(|source| source.backend.lookup_within)
            .max();
        let of = |read: fn(&Environment) -> Duration, otherwise| environment.map_or(Duration::from_secs(otherwise), read);
        Self {
            hold_time: of(|environment| environment.hold_time, 300),
            effective_within: of(|environment| environment.effective_within, 30),
            lookup_within: lookup.unwrap_or(Duration::from_secs(60)),
            min_requests: environment.map_or(50, |environment| environment.min_requests),
            renewed: now.boot,
            ours: true,
            refusal: None,
            plan,
            deed,
            phase,
        }
    }

    /// The deed as screens and JSON show it.
    pub fn deed(&self) -> &Deed {
        &self.deed
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Whether nothing more will come of it in this process.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Whether it is between confirmed and effective, so that its backends are read quicker.
    pub fn is_hasty(&self) -> bool {
        !matches!(self.phase, Phase::Watching { .. } | Phase::Ended)
    }

    /// Whether only its hold watch is left.
    pub fn is_watching(&self) -> bool {
        matches!(self.phase, Phase::Watching { .. })
    }

    /// Backends whose newest state it waits for.
    pub fn backends(&self) -> Vec<BackendName> {
        let mut backends: Vec<_> = self.plan.preconditions.iter().filter_map(|checked| backend_of(&checked.must)).cloned().collect();
        backends.extend(self.plan.order.effects.iter().map(|effect| effect.backend().clone()));
        backends.sort();
        backends.dedup();
        backends
    }

    /// The next moment at which it must be looked at even if nothing comes in.
    pub fn wake(&self) -> Option<Boot> {
        match &self.phase {
            Phase::Rereading { until, .. } => Some(*until),
            Phase::Confirming { until, looked, .. } | Phase::LookingUp { until, looked, .. } => {
                Some((*until).min(looked.plus(LOOK_EVERY)).min(self.renewed.plus(RENEW_EVERY)))
            }
            Phase::Sending => Some(self.renewed.plus(RENEW_EVERY)),
            Phase::Watching { due, .. } => Some(*due),
            Phase::Beginning | Phase::Adopting | Phase::Recording { .. } | Phase::Ended => None,
        }
    }

    /// Takes in an event that is about this deed.
    pub fn on(&mut self, now: &Moment, event: &Event) -> Vec<Task> {
        match event {
            Event::Began { result, .. } => self.on_began(now, result),
            Event::Sending { step, result, .. } => self.on_sending(*step, result),
            Event::Answered { step, result, .. } => self.on_answered(*step, result),
            Event::Recorded { kind, step, result, .. } => self.on_recorded(now, *kind, *step, result),
            Event::Looked { step, result, .. } => self.on_looked(now, *step, result),
            Event::Adopted { ours, .. } => self.on_adopted(now, *ours),
            Event::Noted { result, .. } => {
                if let Err(error) = result {
                    self.refusal = Some(Refusal::Ledger(error.clone()));
                    self.deed.words = Text::clean(&error.to_string());
                }
                Vec::new()
            }
            Event::Polled { .. }
            | Event::LogRead { .. }
            | Event::StoreRead { .. }
            | Event::JournalRead { .. }
            | Event::Verified { .. }
            | Event::Confirmed { .. }
            | Event::Looking { .. }
            | Event::Following { .. }
            | Event::VerifyAsked
            | Event::Slept { .. }
            | Event::Reloaded { .. }
            | Event::Woke => Vec::new(),
        }
    }

    /// Looks at the world and the clock; called after every event.
    pub fn look(&mut self, world: &World, now: &Moment) -> Vec<Task> {
        let mut tasks = self.renew(now);
        tasks.extend(match self.phase.clone() {
            Phase::Rereading { since, until } => self.reread(world, now, &since, until),
            Phase::Confirming { step, since, until, baseline, looked } => self.confirm(world, now, step, &since, until, baseline, looked),
            Phase::LookingUp { step, since, until, looked } => self.look_up(world, now, step, &since, until, looked),
            Phase::Watching { due, last } => self.watch(world, now, due, last),
            Phase::Beginning | Phase::Adopting | Phase::Sending | Phase::Recording { .. } | Phase::Ended => Vec::new(),
        });
        tasks
    }

    fn renew(&mut self, now: &Moment) -> Vec<Task> {
        let under_way = matches!(self.phase, Phase::Sending | Phase::Confirming { .. } | Phase::LookingUp { .. } | Phase::Recording { .. });
        if !under_way || now.boot < self.renewed.plus(RENEW_EVERY) || !self.ours {
            return Vec::new();
        }
        self.renewed = now.boot;
        vec![Task::Renew { plan: self.plan.id }]
    }

    fn reread(&mut self, world: &World, now: &Moment, since: &Moment, until: Boot) -> Vec<Task> {
        let asked_anew = |backend: &BackendName| {
            world
                .sources
                .get(backend)
                .is_none_or(|source| source.seen().is_some_and(|seen| seen.boot >= since.boot) || source.failed_since(since.boot))
        };
        let read = self.plan.preconditions.iter().filter_map(|checked| backend_of(&checked.must)).all(asked_anew);
        if !read && now.boot < until {
            return Vec::new();
        }
        let mut plan = planner::recheck(world, &self.plan, now);
        // A source that did not answer anew is not known, however young its last fact is.
        for checked in &mut plan.preconditions {
            let silent = backend_of(&checked.must)
                .and_then(|backend| world.sources.get(backend))
                .filter(|source| source.seen().is_none_or(|seen| seen.boot < since.boot));
            if let (Some(source), true) = (silent, checked.holds) {
                let why = source.trouble().map_or_else(|| "it did not answer in time".to_owned(), ToString::to_string);
                checked.holds = false;
                checked.broken = Some(Reason::new(
                    "stale",
                    &format!("{} could not be read anew: {why}", source.backend.name),
                    "wait until it answers, then plan again",
                ));
            }
        }
        self.plan = plan;
        match gate::judge(world, &self.plan, now) {
            Verdict::Permit(_) => {
                self.phase = Phase::Beginning;
                vec![Task::Begin { plan: Box::new(self.plan.clone()), catalog: world.catalog.clone(), read_only: world.read_only }]
            }
            Verdict::SecondPerson { reasons, .. } => {
                self.end(DeedState::Waiting, &words_of(&reasons));
                self.refusal = Some(Refusal::Waits(reasons));
                vec![Task::StoreWaiting { plan: Box::new(self.plan.clone()) }]
            }
            Verdict::Deny(reasons) => {
                self.end(DeedState::Denied, &words_of(&reasons));
                self.refusal = Some(Refusal::Denied(reasons.clone()));
                vec![Task::Deny { plan: Box::new(self.plan.clone()), reasons }]
            }
        }
    }

    fn on_began(&mut self, now: &Moment, result: &Result<DateTime<Utc>, LedgerError>) -> Vec<Task> {
        match result {
            Err(error) => {
                self.end(DeedState::Denied, &error.to_string());
                self.refusal = Some(Refusal::Ledger(error.clone()));
                Vec::new()
            }
            Ok(at) => {
                self.deed.facts.intended = Some(*at);
                self.deed.state = DeedState::Intended;
                self.renewed = now.boot;
                if self.plan.order.effects.is_empty() {
                    self.deed.facts.effective = Some(*at);
                    self.end(DeedState::Effective, "recorded");
                    return Vec::new();
                }
                self.send(0)
            }
        }
    }

    fn send(&mut self, step: usize) -> Vec<Task> {
        self.phase = Phase::Sending;
        let expect = self.plan.order.effects.get(step).and_then(|effect| self.expected(effect));
        vec![Task::Send { plan: self.plan.id, step: number(step), expect, deadline: ANSWER_WITHIN }]
    }

    /// The weights that the plan was made on.
    fn expected(&self, effect: &StepEffect) -> Option<Weights> {
        let StepEffect::Weights { backend, pool, .. } = effect else { return None };
        self.plan.preconditions.iter().find_map(|checked| match &checked.must {
            Precondition::WeightsUnchanged { backend: at, pool: of, weights } if at == backend && of == pool => Some(weights.clone()),
            Precondition::WeightsUnchanged { .. }
            | Precondition::ServerUp { .. }
            | Precondition::RunState { .. }
            | Precondition::NotHeld
            | Precondition::Fresh { .. }
            | Precondition::Stable { .. } => None,
        })
    }

    fn on_sending(&mut self, step: u32, result: &Result<DateTime<Utc>, LedgerError>) -> Vec<Task> {
        match result {
            Ok(at) => {
                self.deed.facts.sent = self.deed.facts.sent.or(Some(*at));
                self.deed.state = DeedState::Sent;
                if let Some(one) = self.step(step) {
                    one.state = DeedState::Sent;
                    one.facts.sent = Some(*at);
                }
                Vec::new()
            }
            Err(error) => {
                // Nothing left the process: the refusal came before the first byte.
                self.refusal = Some(Refusal::Ledger(error.clone()));
                if let Some(one) = self.step(step) {
                    one.state = DeedState::Failed;
                }
                let lost = matches!(error, LedgerError::LostLease(_));
                let words = format!("stopped before step {}: {error}", step + 1);
                if lost {
                    self.ours = false;
                    self.end(DeedState::Failed, &words);
                    return Vec::new();
                }
                self.record(EntryKind::Failed, None, &words, true, None)
            }
        }
    }

    fn on_answered(&mut self, step: u32, result: &Result<(), SendError>) -> Vec<Task> {
        if !matches!(self.phase, Phase::Sending) {
            return Vec::new();
        }
        match result {
            Ok(()) => self.record(EntryKind::Accepted, Some(step), "the backend accepted it", false, None),
            Err(error @ SendError::NotDone(_)) => {
                if let Some(one) = self.step(step) {
                    one.error = Some(error.clone());
                }
                self.record(EntryKind::Failed, Some(step), &error.to_string(), true, None)
            }
            Err(error @ SendError::Unknown(_)) => {
                if let Some(one) = self.step(step) {
                    one.error = Some(error.clone());
                }
                self.record(EntryKind::Unknown, Some(step), &error.to_string(), false, None)
            }
        }
    }

    /// Records an outcome; the machine goes on when it is durable.
    fn record(&mut self, kind: EntryKind, step: Option<u32>, words: &str, releases: bool, held_due: Option<DateTime<Utc>>) -> Vec<Task> {
        self.phase = Phase::Recording { kind };
        let outcome = Outcome { kind, step, words: Text::clean(words), changes: Vec::new(), releases, held_due };
        self.deed.words = outcome.words.clone();
        vec![Task::Record { plan: self.plan.id, outcome }]
    }

    fn on_recorded(&mut self, now: &Moment, kind: EntryKind, step: Option<u32>, result: &Result<DateTime<Utc>, LedgerError>) -> Vec<Task> {
        let at = match result {
            Ok(at) => *at,
            Err(error) => {
                // What happened is known here and could not be written: said on the glass, settled by the next start.
                self.deed.words = Text::clean(&format!("{}; {error}", self.deed.words));
                self.refusal = Some(Refusal::Ledger(error.clone()));
                self.phase = Phase::Ended;
                return Vec::new();
            }
        };
        if !matches!(&self.phase, Phase::Recording { kind: awaited, .. } if *awaited == kind) {
            return Vec::new();
        }
        let index = step.and_then(|step| usize::try_from(step).ok());
        match kind {
            EntryKind::Accepted => {
                let step = index.unwrap_or_default();
                if let Some(one) = self.deed.steps.get_mut(step) {
                    one.state = DeedState::Accepted;
                    one.facts.accepted = Some(at);
                }
                if self.deed.steps.iter().all(|one| one.facts.accepted.is_some()) {
                    self.deed.facts.accepted = Some(at);
                    self.deed.state = DeedState::Accepted;
                }
                let within = if self.waits_for_run(step) { DEPLOY_WITHIN } else { self.effective_within };
                self.phase = Phase::Confirming { step, since: *now, until: now.boot.plus(within), baseline: None, looked: Boot(0) };
                Vec::new()
            }
            EntryKind::Effective => match index {
                Some(step) => {
                    self.step_effective(step, at);
                    self.send(step + 1)
                }
                None => self.effective(now, at),
            },
            EntryKind::Unknown => {
                let step = index.unwrap_or_default();
                let settled = self.deed.state == DeedState::Unknown;
                self.deed.state = DeedState::Unknown;
                if let Some(one) = self.deed.steps.get_mut(step) {
                    one.state = DeedState::Unknown;
                }
                if settled {
                    self.phase = Phase::Ended;
                } else {
                    self.phase = Phase::LookingUp { step, since: *now, until: now.boot.plus(self.lookup_within), looked: Boot(0) };
                }
                Vec::new()
            }
            EntryKind::Held => {
                self.deed.facts.held = Some(at);
                for one in &mut self.deed.steps {
                    one.facts.held = Some(at);
                    one.state = DeedState::Held;
                }
                self.over(DeedState::Held)
            }
            EntryKind::Slipped => self.over(DeedState::Slipped),
            EntryKind::Unwatched => self.over(DeedState::Unwatched),
            EntryKind::Superseded => self.over(DeedState::Superseded),
            EntryKind::Failed | EntryKind::NotBegun => {
                if let Some(one) = index.and_then(|step| self.deed.steps.get_mut(step)) {
                    one.state = DeedState::Failed;
                }
                self.over(DeedState::Failed)
            }
            EntryKind::Signers
            | EntryKind::Intent
            | EntryKind::Denied
            | EntryKind::Approval
            | EntryKind::Rejection
            | EntryKind::Withdrawal
            | EntryKind::Sending
            | EntryKind::Hold
            | EntryKind::Resume
            | EntryKind::Note
            | EntryKind::Policy
            | EntryKind::BreakGlass
            | EntryKind::Imported => Vec::new(),
        }
    }

    fn step_effective(&mut self, step: usize, at: DateTime<Utc>) {
        if let Some(one) = self.deed.steps.get_mut(step) {
            one.state = DeedState::Effective;
            one.facts.effective = Some(at);
        }
    }

    /// The whole deed is effective: watched for the hold time where there is something that could slip back.
    fn effective(&mut self, now: &Moment, at: DateTime<Utc>) -> Vec<Task> {
        for step in 0..self.deed.steps.len() {
            if self.deed.steps.get(step).is_some_and(|one| one.facts.effective.is_none()) {
                self.step_effective(step, at);
            }
        }
        self.deed.facts.effective = Some(at);
        self.deed.state = DeedState::Effective;
        if self.can_slip() {
            let due = now.boot.plus(self.hold_time);
            self.deed.held_due = Some(now.plus(self.hold_time).wall);
            self.phase = Phase::Watching { due, last: now.boot };
        } else {
            self.phase = Phase::Ended;
        }
        Vec::new()
    }

    /// Whether an effect of the deed could be undone by another hand, so that it is watched.
    pub(crate) fn can_slip(&self) -> bool {
        self.plan.order.effects.iter().any(|effect| matches!(effect, StepEffect::Weights { .. }))
    }

    /// Whether a step waits until its run is over and good: the deploy of a rollback.
    fn waits_for_run(&self, step: usize) -> bool {
        self.plan.intent.verb == crate::model::intent::Verb::Rollback
            && matches!(self.plan.order.effects.get(step), Some(StepEffect::Start { .. }))
    }

    fn is_last(&self, step: usize) -> bool {
        step + 1 >= self.plan.order.effects.len()
    }

    fn step(&mut self, step: u32) -> Option<&mut DeedStep> {
        self.deed.steps.get_mut(usize::try_from(step).ok()?)
    }

    fn end(&mut self, state: DeedState, words: &str) {
        self.deed.words = Text::clean(words);
        let _ = self.over(state);
    }

    fn over(&mut self, state: DeedState) -> Vec<Task> {
        self.deed.state = state;
        self.phase = Phase::Ended;
        Vec::new()
    }

    /// A later deed on the target took over; the store has recorded it.
    pub fn superseded(&mut self) {
        if self.is_watching() {
            self.end(DeedState::Superseded, "a later deed on the target took over");
        }
    }
}

/// The deed of a plan before anything is recorded.
fn fresh_deed(plan: &Plan) -> Deed {
    let step = |effect: &StepEffect| DeedStep {
        effect: effect.clone(),
        words: planner::words(effect),
        state: DeedState::Intended,
        facts: Facts::default(),
        error: None,
        seen: None,
    };
    Deed {
        plan: plan.id,
        verb: plan.intent.verb,
        target: plan.target().clone(),
        requester: plan.intent.requester.to_string(),
        reason: plan.intent.reason.clone(),
        state: DeedState::Intended,
        facts: Facts::default(),
        held_due: None,
        steps: plan.order.effects.iter().map(step).collect(),
        words: Text::clean("reading its sources anew"),
        elsewhere: false,
    }
}

/// The plan that an event is about.
pub fn subject(event: &Event) -> Option<PlanId> {
    match event {
        Event::Began { plan, .. }
        | Event::Sending { plan, .. }
        | Event::Answered { plan, .. }
        | Event::Recorded { plan, .. }
        | Event::Looked { plan, .. }
        | Event::Adopted { plan, .. }
        | Event::Noted { plan, .. } => Some(*plan),
        Event::Polled { .. }
        | Event::LogRead { .. }
        | Event::StoreRead { .. }
        | Event::JournalRead { .. }
        | Event::Verified { .. }
        | Event::Confirmed { .. }
        | Event::Looking { .. }
        | Event::Following { .. }
        | Event::VerifyAsked
        | Event::Slept { .. }
        | Event::Reloaded { .. }
        | Event::Woke => None,
    }
}

fn words_of(reasons: &[Reason]) -> String {
    reasons.first().map_or_else(|| "denied".to_owned(), |reason| reason.text.to_string())
}

fn number(step: usize) -> u32 {
    u32::try_from(step).unwrap_or(u32::MAX)
}

/// The backend that a precondition reads.
fn backend_of(must: &Precondition) -> Option<&BackendName> {
    match must {
        Precondition::WeightsUnchanged { backend, .. }
        | Precondition::ServerUp { backend, .. }
        | Precondition::RunState { backend, .. }
        | Precondition::Fresh { backend } => Some(backend),
        Precondition::NotHeld | Precondition::Stable { .. } => None,
    }
}
