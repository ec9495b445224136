//! Tasks: what the update wants done outside, as data. The driver does them; each ends in an event.

use std::sync::Arc;
use std::time::Duration;

use crate::control::rules::{Asking, ByOlder};
use crate::control::saying::ByAccepted;
use crate::model::approval::Ruling;
use crate::model::authorship::Span;
use crate::model::catalog::Catalog;
use crate::model::flag::FlagRef;
use crate::model::kept::KeptTrial;
use crate::model::link::LinkAsk;
use crate::model::name::{BackendName, PlanId, PoolName, Target};
use crate::model::objective::HistoryAsk;
use crate::model::operator::Actor;
use crate::model::plan::{Plan, StepEffect};
use crate::model::presence::Presence;
use crate::model::probe::StepCheck;
use crate::model::reason::Reason;
use crate::model::rollout::StateChange;
use crate::model::rules::Naming;
use crate::model::self_service::Saying;
use crate::model::signal::{Ask, Values};
use crate::model::slot::Slot;
use crate::model::time::Moment;
use crate::model::timeline::Happening;
use crate::model::traffic::Weights;
use crate::model::workload::WorkloadAsk;
use crate::policy::calendar::Calendars;
use crate::ports::ledger::Outcome;
use crate::ports::signer::Signed;

/// What a poll asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// A router's pools.
    Pools(Vec<PoolName>),
    /// A monitoring system's answers.
    Asks(Vec<Ask>),
    /// Alerts.
    Alerts,
    /// Workloads.
    Workloads(Vec<WorkloadAsk>),
    /// Feature flags.
    Flags(Vec<FlagRef>),
    /// Of a monitoring system, who uses whom: the poll is of a discovery.
    Links(BackendName, Box<LinkAsk>),
    /// Builders, and runs whose steps are wanted.
    Builders(Vec<String>, Vec<u64>),
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Polls a backend.
    Poll {
        /// The backend.
        backend: BackendName,
        /// The number of the poll.
        seq: u64,
        /// What to ask.
        query: Query,
        /// After this long the poll has timed out.
        deadline: Duration,
    },
    /// Reads a part of a log.
    ReadLog {
        /// The CI backend.
        backend: BackendName,
        /// The log.
        log: u64,
        /// The first line.
        first: u64,
    },
    /// Reads a calendar.
    ReadCalendar {
        /// Its name.
        calendar: BackendName,
    },
    /// Reads who made what lies between two versions.
    ReadAuthors {
        /// The versions.
        span: Span,
        /// After this long the read has timed out.
        deadline: Duration,
    },
    /// Reads the history of an objective.
    ReadObjective {
        /// Where.
        backend: BackendName,
        /// What is asked.
        ask: Box<HistoryAsk>,
        /// After this long the read has timed out.
        deadline: Duration,
    },
    /// Makes a check of a rollout.
    Probe {
        /// The target.
        target: Target,
        /// The plan that started the rollout.
        rollout: PlanId,
        /// The slot on trial.
        slot: Slot,
        /// The check.
        check: Box<StepCheck>,
        /// What the placeholders of a query stand for.
        values: Values,
    },
    /// Reads the store.
    ReadStore,
    /// Reads the journal's newest lines, and the running judgements that were kept.
    ReadJournal,
    /// Verifies the ledger.
    Verify,
    /// Begins a deed: the point of no return.
    Begin {
        /// The plan, its preconditions looked at anew.
        plan: Box<Plan>,
        /// The rules to judge by.
        catalog: Arc<Catalog>,
        /// Whether deeds are impossible.
        read_only: bool,
        /// The requester's own signatures; none: the process signs.
        signed: Vec<Signed>,
        /// Windows and freezes.
        spans: Arc<Calendars>,
        /// When it was asked for: by it the age of calendars is counted.
        asked: Moment,
        /// The accepted rules, while changed ones wait to be accepted.
        older: Option<Box<ByOlder>>,
    },
    /// Has a plan signed by the requester's own key.
    Sign {
        /// The plan.
        plan: Box<Plan>,
        /// The requester's public keys.
        keys: Vec<String>,
    },
    /// Has what an operator says signed by the operator's own key.
    SignRuling {
        /// What.
        ruling: Ruling,
        /// The operator's public keys.
        keys: Vec<String>,
    },
    /// Records `sending`, then sends the step.
    Send {
        /// The plan.
        plan: PlanId,
        /// The step.
        step: u32,
        /// The weights that must still be there right before the first write.
        expect: Option<Weights>,
        /// The last moment at which an answer is awaited; it ends before the lease.
        deadline: Duration,
    },
    /// Records an outcome.
    Record {
        /// The plan.
        plan: PlanId,
        /// The outcome.
        outcome: Outcome,
    },
    /// Looks for what an effect made.
    Look {
        /// The plan.
        plan: PlanId,
        /// The step.
        step: u32,
        /// The effect.
        effect: StepEffect,
        /// Only what is newer than this run.
        after: Option<u64>,
    },
    /// Takes over a deed whose owner died.
    Adopt {
        /// The plan.
        plan: PlanId,
    },
    /// Renews the lease of a deed under way.
    Renew {
        /// The plan.
        plan: PlanId,
    },
    /// Records a denial.
    Deny {
        /// The plan.
        plan: Box<Plan>,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// Stores a plan that waits for other persons.
    StoreWaiting {
        /// The plan.
        plan: Box<Plan>,
        /// Recorded as a denial first: why approvals that were given do not count, and of a plan that waited already what it lacks. Empty
        /// when it is neither.
        refused: Vec<Reason>,
    },
    /// Records what an operator says about a stored plan.
    Rule {
        /// What.
        ruling: Ruling,
        /// Who says it.
        actor: Actor,
        /// The operator's own signature; none: the process signs.
        signed: Option<Signed>,
        /// The rules to judge by.
        catalog: Arc<Catalog>,
        /// Whether deeds are impossible.
        read_only: bool,
        /// The accepted rules, while changed ones wait to be accepted.
        older: Option<Box<ByOlder>>,
    },
    /// Has what an operator says about changed rules signed by the operator's own key.
    SignNaming {
        /// What is said.
        naming: Naming,
        /// The operator's public keys.
        keys: Vec<String>,
    },
    /// Records that an operator stands for changed rules.
    NameRules {
        /// What is said.
        naming: Naming,
        /// The operator's own signature; none: the process signs.
        signed: Option<Signed>,
        /// By what it is judged.
        by: Box<Asking>,
    },
    /// Has what an operator says beside plans signed by the operator's own key.
    SignSaying {
        /// What.
        saying: Saying,
        /// The operator's public keys.
        keys: Vec<String>,
    },
    /// Records what an operator says beside plans.
    Speak {
        /// What.
        saying: Saying,
        /// Who says it.
        actor: Actor,
        /// The operator's own signature; none: the process signs.
        signed: Option<Signed>,
        /// The rules to judge by.
        catalog: Arc<Catalog>,
        /// Whether deeds are impossible.
        read_only: bool,
        /// The accepted rules, while changed ones wait.
        accepted: Option<Box<ByAccepted>>,
    },
    /// Says to the other processes of the store who is at the keys of this room.
    Appear {
        /// Who, and since when.
        presence: Presence,
    },
    /// Keeps a running judgement over a restart.
    KeepTrial {
        /// What is kept.
        kept: Box<KeptTrial>,
        /// Over whatever was kept before.
        over: bool,
    },
    /// Remembers what no deed of ours caused.
    Remember {
        /// The changes.
        changes: Vec<StateChange>,
    },
    /// Appends lines to the journal.
    Journal {
        /// The lines.
        happenings: Vec<Happening>,
        /// Whether another process caused them and keeps them: here they are only shown.
        elsewhere: bool,
    },
}
