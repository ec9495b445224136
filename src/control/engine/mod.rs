//! The engine: one machine a deed, from confirmed to held. Pure: events and readings in, tasks out.

mod as_read;
mod both;
mod confirm;
mod decide;
mod drain;
mod flag;
mod record;
mod recover;
mod refused;
mod reread;
mod send;
mod shown;
mod silence;
mod watch;
mod workload;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::control::authors;
use crate::control::event::Event;
use crate::control::gate;
use crate::control::planner;
use crate::control::task::Task;
use crate::control::world::World;
use crate::model::authorship::Span;
use crate::model::catalog::Environment;
use crate::model::deed::{Deed, DeedState, DeedStep, Facts};
use crate::model::intent::Direction;
use crate::model::name::BackendName;
use crate::model::plan::{Plan, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::verdict::Verdict;
use crate::ports::ledger::{LedgerError, Outcome};
use crate::ports::signer::{SignError, Signed};

pub use confirm::Baseline;
pub use recover::taken_over;
pub use refused::{reason_of, reasons_of};

/// How long preconditions may take to be read anew.
const REREAD_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer to an effect is awaited; it ends before the lease.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(8);
/// How often a CI system is asked for what an effect made.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often an outcome that could not be written is tried again.
const RECORD_EVERY: Duration = Duration::from_secs(1);
/// How often a way back or a hold looks whether a step of another deed is through.
const QUEUE_EVERY: Duration = Duration::from_millis(500);
/// How long it waits for that: an answer, and its record.
const QUEUED_WITHIN: Duration = Duration::from_secs(12);
/// How long a deploy run of a rollback may take.
const DEPLOY_WITHIN: Duration = Duration::from_hours(1);

/// Where a machine stands.
#[derive(Debug, Clone)]
enum Phase {
    /// The requester's own key is to sign it, or was asked to.
    Signing { keys: Vec<String>, asked: bool },
    /// Preconditions are read anew.
    Rereading { since: Moment, until: Boot },
    /// `begin` is under way.
    Beginning,
    /// Back, or a hold, while a step of another deed is on its way: it is tried again once that may be through.
    Queued { again: Boot },
    /// Dead owner: the store is asked for the deed.
    Adopting,
    /// `sending` and the backend's answer are awaited.
    Sending,
    /// An outcome is being recorded; then goes on with what is named.
    Recording { outcome: Box<Outcome> },
    /// An outcome could not be written; it is tried again, since nobody else knows it.
    Unrecorded { outcome: Box<Outcome>, again: Boot },
    /// Accepted: looks for the effect in later readings.
    Confirming { step: usize, since: Moment, until: Boot, baseline: Option<Baseline>, looked: Boot },
    /// UNKNOWN: looks for what happened.
    LookingUp { step: usize, since: Moment, until: Boot, looked: Boot },
    /// Effective: watched for the hold time.
    Watching { due: Boot, last: Boot },
    /// Nothing more will come of it here.
    Ended,
}

/// One deed on its way.
#[derive(Debug, Clone)]
pub struct Machine {
    plan: Plan,
    deed: Deed,
    phase: Phase,
    hold_time: Duration,
    effective_within: Duration,
    lookup_within: Duration,
    min_requests: u64,
    renewed: Boot,
    ours: bool,
    /// Its first process died: it is settled as far as it came and never sent on.
    adopted: bool,
    /// A step that takes back was sent a second time, since an observation showed that it had not happened.
    again: bool,
    /// The newest outcome could not be written at first.
    unwritten: bool,
    /// Until when it waits for a step of another deed; none while it waits for none.
    queued_until: Option<Boot>,
    /// The requester's own signatures; none: the process signs.
    signed: Vec<Signed>,
    /// What is to be read anew of who made it.
    span: Option<Span>,
}

impl Machine {
    /// A machine for a confirmed plan; its preconditions are read anew first, and before that it is signed where a person must sign.
    pub fn confirmed(world: &World, mut plan: Plan, now: &Moment) -> Self {
        let mut deed = fresh_deed(&plan);
        let verdict = gate::judge(world, &planner::recheck(world, &plan, now), now);
        if let Verdict::Permit(permit) = &verdict {
            permit.waived().clone_into(&mut plan.waived);
        }
        // What would be refused anyhow is not worth a touch of the key.
        // What a rollout does by itself was signed with the plan that started it.
        let keys = gate::signing_keys(world, plan.target()).filter(|_| plan.order.of.is_none());
        let phase = match keys.filter(|_| matches!(verdict, Verdict::Permit(_))) {
            Some(keys) => {
                deed.words = Text::clean("waits for your SSH agent to sign it");
                Phase::Signing { keys, asked: false }
            }
            None => Phase::Rereading { since: *now, until: now.boot.plus(REREAD_WITHIN) },
        };
        Self::new(world, plan, deed, phase, now)
    }

    fn ask_to_sign(&mut self, keys: Vec<String>, asked: bool) -> Vec<Task> {
        if asked {
            return Vec::new();
        }
        self.phase = Phase::Signing { keys: keys.clone(), asked: true };
        vec![Task::Sign { plan: Box::new(self.plan.clone()), keys }]
    }

    fn on_signed(&mut self, now: &Moment, result: &Result<Vec<Signed>, SignError>) -> Vec<Task> {
        if !matches!(self.phase, Phase::Signing { .. }) {
            return Vec::new();
        }
        match result {
            Ok(signed) => {
                self.signed.clone_from(signed);
                self.deed.words = Text::clean("reading its sources anew");
                self.phase = Phase::Rereading { since: *now, until: now.boot.plus(REREAD_WITHIN) };
                Vec::new()
            }
            Err(error) => {
                let fix = "`gonogo whoami` says which keys the agent holds; then order it again";
                let reasons = vec![Reason::new("assurance", &error.to_string(), fix)];
                self.end(DeedState::Denied, &words_of(&reasons));
                self.deed.reasons.clone_from(&reasons);
                vec![Task::Deny { plan: Box::new(self.plan.clone()), reasons }]
            }
        }
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
            lookup_within: lookup.unwrap_or(Duration::from_mins(1)),
            min_requests: environment.map_or(50, |environment| environment.min_requests),
            renewed: now.boot,
            ours: true,
            adopted: false,
            again: false,
            unwritten: false,
            queued_until: None,
            signed: Vec::new(),
            span: authors::of_plan(world, &plan, now).and_then(|(authors, _)| authors.span().cloned()),
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

    /// Whether nothing more will come of it in this process.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Whether it is between confirmed and effective, so that its backends are read quicker.
    pub fn is_hasty(&self) -> bool {
        !matches!(self.phase, Phase::Watching { .. } | Phase::Unrecorded { .. } | Phase::Ended)
    }

    /// Whether only its hold watch is left.
    pub fn is_watching(&self) -> bool {
        matches!(self.phase, Phase::Watching { .. })
    }

    /// Whether everything was sent and accepted and its effect alone is awaited.
    pub fn only_awaits_effect(&self) -> bool {
        matches!(self.phase, Phase::Confirming { .. }) && self.is_sent_whole()
    }

    /// Whether all its steps were accepted, and nothing is taken back.
    pub(super) fn is_sent_whole(&self) -> bool {
        let is_whole = self.deed.steps.len() == self.plan.order.effects.len();
        is_whole && self.deed.steps.iter().all(|step| step.facts.accepted.is_some())
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
            Phase::Confirming { step, until, looked, .. } | Phase::LookingUp { step, until, looked, .. } => {
                let routed = matches!(
                    self.plan.order.step(*step),
                    Some(
                        StepEffect::Weights { .. }
                            | StepEffect::Workload { .. }
                            | StepEffect::Flag { .. }
                            | StepEffect::Drain { .. }
                            | StepEffect::Silence { .. }
                    )
                );
                let next = match (*looked == Boot(0), routed) {
                    (true, _) => *until,
                    (false, true) => looked.plus(REREAD_WITHIN),
                    (false, false) => looked.plus(LOOK_EVERY),
                };
                Some(next.min(self.renewed.plus(RENEW_EVERY)))
            }
            Phase::Sending => Some(self.renewed.plus(RENEW_EVERY)),
            Phase::Unrecorded { again, .. } | Phase::Queued { again } => Some(*again),
            Phase::Watching { due, .. } => Some(*due),
            Phase::Signing { .. } | Phase::Beginning | Phase::Adopting | Phase::Recording { .. } | Phase::Ended => None,
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
            Event::Signed { result, .. } => self.on_signed(now, result),
            Event::Noted { result, .. } => {
                if let Err(error) = result {
                    // A plan that could not be stored waits for nobody.
                    self.deed.state = DeedState::Denied;
                    self.deed.reasons = vec![reason_of(error)];
                    self.deed.words = Text::clean(&error.to_string());
                }
                self.deed.is_settled = true;
                Vec::new()
            }
            Event::Polled { .. }
            | Event::CalendarRead { .. }
            | Event::AuthorsRead { .. }
            | Event::ObjectiveRead { .. }
            | Event::Probed { .. }
            | Event::AuthorsWanted { .. }
            | Event::LogRead { .. }
            | Event::StoreRead { .. }
            | Event::JournalRead { .. }
            | Event::JournalWritten { .. }
            | Event::Verified { .. }
            | Event::Confirmed { .. }
            | Event::Refused { .. }
            | Event::Rule { .. }
            | Event::RulingSigned { .. }
            | Event::Ruled { .. }
            | Event::NameRules { .. }
            | Event::NamingSigned { .. }
            | Event::RulesNamed { .. }
            | Event::Speak { .. }
            | Event::SayingSigned { .. }
            | Event::Spoke { .. }
            | Event::Here { .. }
            | Event::Recognised { .. }
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
            Phase::Signing { keys, asked } => self.ask_to_sign(keys, asked),
            Phase::Rereading { since, until } => self.reread(world, now, &since, until),
            Phase::Confirming { step, since, until, baseline, looked } => self.confirm(world, now, step, &since, until, baseline, looked),
            Phase::LookingUp { step, since, until, looked } => self.look_up(world, now, step, &since, until, looked),
            Phase::Watching { due, last } => self.watch(world, now, due, last),
            Phase::Unrecorded { outcome, again } => self.record_again(now, outcome, again),
            Phase::Queued { again } if now.boot >= again => {
                self.phase = Phase::Rereading { since: *now, until: now.boot.plus(REREAD_WITHIN) };
                Vec::new()
            }
            Phase::Beginning | Phase::Queued { .. } | Phase::Adopting | Phase::Sending | Phase::Recording { .. } | Phase::Ended => {
                Vec::new()
            }
        });
        tasks
    }

    fn renew(&mut self, now: &Moment) -> Vec<Task> {
        let under_way = matches!(
            self.phase,
            Phase::Sending | Phase::Confirming { .. } | Phase::LookingUp { .. } | Phase::Recording { .. } | Phase::Unrecorded { .. }
        );
        if !under_way || now.boot < self.renewed.plus(RENEW_EVERY) || !self.ours {
            return Vec::new();
        }
        self.renewed = now.boot;
        vec![Task::Renew { plan: self.plan.id }]
    }

    fn on_began(&mut self, now: &Moment, result: &Result<DateTime<Utc>, LedgerError>) -> Vec<Task> {
        match result {
            Err(error @ LedgerError::Busy { .. }) if self.may_queue(now) => {
                self.deed.words = Text::clean(&format!("waits: {error}"));
                self.phase = Phase::Queued { again: now.boot.plus(QUEUE_EVERY) };
                Vec::new()
            }
            Err(error) => {
                self.end(DeedState::Denied, &error.to_string());
                self.deed.reasons = reasons_of(error);
                // What the ledger refuses of the plan itself is a refusal like any other; what policy refuses it has recorded.
                if matches!(error, LedgerError::Spent(_) | LedgerError::Expired(_) | LedgerError::Denied(_)) {
                    return vec![Task::Deny { plan: Box::new(self.plan.clone()), reasons: self.deed.reasons.clone() }];
                }
                self.deed.is_settled = true;
                Vec::new()
            }
            Ok(at) => {
                self.deed.facts.intended = Some(*at);
                self.deed.state = DeedState::Intended;
                self.deed.words = Text::clean("recorded; nothing sent yet");
                self.renewed = now.boot;
                if self.plan.order.effects.is_empty() {
                    self.deed.facts.effective = Some(*at);
                    let words = self.plan.order.text.as_ref().map_or_else(|| "recorded".to_owned(), ToString::to_string);
                    self.end(DeedState::Effective, &words);
                    return Vec::new();
                }
                self.send(0)
            }
        }
    }

    /// Whether it waits for a step of another deed rather than being refused: what goes back or holds is not to be asked for twice.
    fn may_queue(&mut self, now: &Moment) -> bool {
        let until = *self.queued_until.get_or_insert(now.boot.plus(QUEUED_WITHIN));
        matches!(self.plan.direction, Direction::Back | Direction::Still) && now.boot < until
    }

    /// Whether an effect of the deed could be undone by another hand, so that it is watched.
    pub(crate) fn can_slip(&self) -> bool {
        self.plan.order.effects.iter().any(|effect| {
            matches!(
                effect,
                StepEffect::Weights { .. }
                    | StepEffect::Workload { .. }
                    | StepEffect::Flag { .. }
                    | StepEffect::Drain { .. }
                    | StepEffect::Silence { .. }
            )
        })
    }

    /// Whether a step waits until its run is over and good: the deploy of a rollback.
    fn waits_for_run(&self, step: usize) -> bool {
        self.plan.intent.verb == crate::model::intent::Verb::Rollback
            && matches!(self.plan.order.effects.get(step), Some(StepEffect::Start { .. }))
    }

    fn is_last(&self, step: usize) -> bool {
        step + 1 == self.plan.order.effects.len()
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
        if self.is_watching() || self.only_awaits_effect() {
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
        ticket: plan.order.ticket.clone(),
        state: DeedState::Intended,
        facts: Facts::default(),
        held_due: None,
        steps: plan.order.effects.iter().map(step).collect(),
        words: Text::clean("reading its sources anew"),
        reasons: Vec::new(),
        is_settled: false,
        elsewhere: false,
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
        | Precondition::FlagUnchanged { backend, .. }
        | Precondition::ServerStands { backend, .. }
        | Precondition::RunState { backend, .. }
        | Precondition::AtGates { backend, .. }
        | Precondition::MayAnswer { backend, .. }
        | Precondition::WorkloadAs { backend, .. }
        | Precondition::InstancesReady { backend, .. }
        | Precondition::Fresh { backend } => Some(backend),
        Precondition::NotHeld | Precondition::Stable { .. } | Precondition::Version { .. } => None,
    }
}
