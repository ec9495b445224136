//! Events: everything that enters the world. The stream is the recording; replayed, it gives the same screens.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::alert::AlertReading;
use crate::model::approval::{Ruling, Waiting};
use crate::model::authorship::Span;
use crate::model::deed::EntryKind;
use crate::model::error::{PortError, SendError};
use crate::model::flag::FlagReading;
use crate::model::ical::CalendarReading;
use crate::model::kept::KeptTrial;
use crate::model::link::LinkReading;
use crate::model::name::{BackendName, CheckName, PlanId, Target};
use crate::model::objective::{HistoryReading, ObjectiveKey, Stretch};
use crate::model::operator::{Actor, Presented};
use crate::model::origin::Range;
use crate::model::pipeline::{LogPart, RunReading};
use crate::model::plan::Plan;
use crate::model::presence::Presence;
use crate::model::probe::ProbeAnswer;
use crate::model::reason::Reason;
use crate::model::rollout::TargetState;
use crate::model::rules::{Naming, RuleStanding};
use crate::model::self_service::{Saying, SelfGrant, Spoken};
use crate::model::signal::SignalReading;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timeline::Happening;
use crate::model::traffic::TrafficReading;
use crate::model::workload::WorkloadReading;
use crate::ports::ci::Found;
use crate::ports::ledger::{EntryRow, LedgerError, OpenDeed, Verification};
use crate::ports::signer::{SignError, Signed};

/// What one poll brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// From a router.
    Traffic(Arc<TrafficReading>),
    /// From a monitoring system.
    Signals(Arc<SignalReading>),
    /// From an alerting system.
    Alerts(Arc<AlertReading>),
    /// From a CI system.
    Runs(Arc<RunReading>),
    /// From an orchestrator.
    Workloads(Arc<WorkloadReading>),
    /// From a flag service.
    Flags(Arc<FlagReading>),
    /// From a discovery.
    Links(Arc<LinkReading>),
}

/// What the store holds, as read after one of its commits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StorePicture {
    /// What is remembered of targets.
    pub states: Vec<TargetState>,
    /// Deeds whose state is not final.
    pub open: Vec<OpenDeed>,
    /// The newest deeds.
    pub recent: Vec<crate::model::deed::Deed>,
    /// Plans that wait for other persons.
    pub waiting: Vec<Waiting>,
    /// Plans that wait no more, of the last days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<crate::model::course::PastChange>,
    /// Break glass that is open, reviews that are owed, and the newest that are over.
    #[serde(default)]
    pub reviews: Vec<crate::model::review::Review>,
    /// Roles that people took for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<SelfGrant>,
    /// The newest entries, oldest first.
    pub entries: Vec<EntryRow>,
    /// All entries.
    pub size: u64,
    /// How the rules of this process stand to those that were accepted.
    #[serde(default)]
    pub rules: RuleStanding,
    /// What is wrong with second places of checkpoints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Text>,
    /// Receivers of notices whose trouble a person should look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receivers: Vec<crate::model::outbox::Progress>,
    /// The changes at desks that go with plans, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub desk_changes: Vec<crate::model::outbox::DeskChange>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A poll came back.
    Polled {
        /// The backend.
        backend: BackendName,
        /// The number of the poll; older ones than the newest are dropped.
        seq: u64,
        /// When it was asked.
        asked: Moment,
        /// What it brought.
        result: Result<Reading, PortError>,
    },
    /// A calendar was read.
    CalendarRead {
        /// Its name.
        calendar: BackendName,
        /// When it was asked.
        asked: Moment,
        /// What it brought.
        result: Result<Arc<CalendarReading>, PortError>,
    },
    /// It was read who made what lies between two versions.
    AuthorsRead {
        /// The versions.
        span: Span,
        /// When it was asked.
        asked: Moment,
        /// What it brought.
        result: Result<Arc<Range>, PortError>,
    },
    /// The history of an objective was read.
    ObjectiveRead {
        /// Of which.
        key: ObjectiveKey,
        /// Which stretches were asked for.
        stretch: Stretch,
        /// When it was asked.
        asked: Moment,
        /// What it brought.
        result: Result<Arc<HistoryReading>, PortError>,
    },
    /// A check of a rollout was made.
    Probed {
        /// The target.
        target: Target,
        /// The plan that started the rollout.
        rollout: PlanId,
        /// Which check.
        name: CheckName,
        /// When it was asked.
        asked: Moment,
        /// What was answered.
        answer: ProbeAnswer,
    },
    /// Somebody waits for what lies between two versions to be read anew.
    AuthorsWanted {
        /// The versions.
        span: Span,
    },
    /// A part of a log came back.
    LogRead {
        /// The CI backend.
        backend: BackendName,
        /// The log.
        log: u64,
        /// What it brought.
        result: Result<LogPart, PortError>,
    },
    /// The store was read.
    StoreRead {
        /// What it holds.
        result: Result<Box<StorePicture>, LedgerError>,
    },
    /// The journal was read at the start.
    JournalRead {
        /// What it remembers.
        happenings: Vec<Happening>,
        /// The running judgements that were kept, or why they are not known.
        #[serde(default = "none_kept")]
        trials: Result<Vec<KeptTrial>, Text>,
    },
    /// The journal could not be written, or can be again.
    JournalWritten {
        /// Why not; none when it can be again.
        trouble: Option<Text>,
    },
    /// The ledger was verified.
    Verified {
        /// What was found.
        result: Result<Verification, LedgerError>,
    },
    /// An operator confirmed a plan.
    Confirmed {
        /// The plan.
        plan: Box<Plan>,
    },
    /// An operator tried to order a plan that was denied before his eyes.
    Refused {
        /// The plan.
        plan: Box<Plan>,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// The point of no return was passed, or not.
    Began {
        /// The plan.
        plan: PlanId,
        /// When the intent was committed.
        result: Result<DateTime<Utc>, LedgerError>,
    },
    /// `sending` was recorded, or not.
    Sending {
        /// The plan.
        plan: PlanId,
        /// The step.
        step: u32,
        /// When it was committed.
        result: Result<DateTime<Utc>, LedgerError>,
    },
    /// A backend answered an effect, or did not.
    Answered {
        /// The plan.
        plan: PlanId,
        /// The step.
        step: u32,
        /// What it said.
        result: Result<(), SendError>,
    },
    /// An outcome was recorded, or not.
    Recorded {
        /// The plan.
        plan: PlanId,
        /// The step; none for the whole deed.
        step: Option<u32>,
        /// The kind of entry.
        kind: EntryKind,
        /// When it was committed.
        result: Result<DateTime<Utc>, LedgerError>,
    },
    /// What an effect made was looked for.
    Looked {
        /// The plan.
        plan: PlanId,
        /// The step.
        step: u32,
        /// What was found.
        result: Result<Option<Found>, PortError>,
    },
    /// A deed whose owner died was taken over, or not.
    Adopted {
        /// The plan.
        plan: PlanId,
        /// Whether it is ours now.
        ours: bool,
    },
    /// A plan was stored to wait for other persons, or a denial was recorded.
    Noted {
        /// The plan.
        plan: PlanId,
        /// Whether it could be written.
        result: Result<(), LedgerError>,
    },
    /// An operator says something about a stored plan.
    Rule {
        /// What.
        ruling: Ruling,
    },
    /// What an operator said was signed by the operator's own key, or not.
    RulingSigned {
        /// What.
        ruling: Ruling,
        /// The signature.
        result: Result<Signed, SignError>,
    },
    /// The requester's own key signed a plan, or not.
    Signed {
        /// The plan.
        plan: PlanId,
        /// The signatures, in the order of what is recorded.
        result: Result<Vec<Signed>, SignError>,
    },
    /// What an operator said was recorded, or refused.
    Ruled {
        /// What.
        ruling: Ruling,
        /// When it was committed.
        result: Result<DateTime<Utc>, LedgerError>,
    },
    /// An operator puts a name under changed rules.
    NameRules {
        /// What is said.
        naming: Naming,
    },
    /// What an operator said about changed rules was signed by the operator's own key, or not.
    NamingSigned {
        /// What was said.
        naming: Naming,
        /// The signature.
        result: Result<Signed, SignError>,
    },
    /// What an operator said about changed rules was recorded, or refused.
    RulesNamed {
        /// What was said.
        naming: Naming,
        /// How the rules stand now.
        result: Result<RuleStanding, LedgerError>,
    },
    /// Other rooms were opened or closed, or somebody else came to the keys of one.
    Here {
        /// The rooms that are open, the oldest first.
        here: Vec<Presence>,
    },
    /// It became known who is at the keys, or what is waited for until it is.
    Recognised {
        /// Who; none: not known yet.
        actor: Option<Actor>,
        /// What was shown, by which the person is found among other people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        presented: Option<Arc<Presented>>,
        /// What is waited for, or why it is nobody; empty when there is nothing to say.
        words: Text,
    },
    /// An operator says something beside plans.
    Speak {
        /// What.
        saying: Saying,
    },
    /// It was signed by the operator's own key, or not.
    SayingSigned {
        /// What.
        saying: Saying,
        /// The signature.
        result: Result<Signed, SignError>,
    },
    /// It was recorded, or refused.
    Spoke {
        /// What.
        saying: Saying,
        /// What it made of its subject.
        result: Result<Box<Spoken>, LedgerError>,
    },
    /// A session looks at a target: its sources are polled quicker.
    Looking {
        /// The target; none: at none in particular.
        target: Option<Target>,
        /// The run whose steps are wanted.
        run: Option<u64>,
    },
    /// A session follows a log.
    Following {
        /// The CI backend.
        backend: BackendName,
        /// The log.
        log: u64,
        /// Whether it begins or ends.
        on: bool,
    },
    /// An operator asked for a verification of the ledger.
    VerifyAsked,
    /// The machine slept.
    Slept {
        /// How long.
        span: Duration,
    },
    /// The configuration was read again.
    Reloaded {
        /// The new catalog, or why the old one stays.
        result: Result<Arc<crate::model::catalog::Catalog>, Text>,
        /// Who is at the keys by the new one; none leaves it as it was.
        #[serde(default)]
        actor: Option<crate::model::operator::Actor>,
    },
    /// Time passed.
    Woke,
}

/// In recordings of an older gonogo.
#[expect(clippy::unnecessary_wraps, reason = "the form of the field")]
fn none_kept() -> Result<Vec<KeptTrial>, Text> {
    Ok(Vec::new())
}

impl Event {
    /// The family of the event, the journal's second column.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Polled { .. }
            | Self::CalendarRead { .. }
            | Self::AuthorsRead { .. }
            | Self::ObjectiveRead { .. }
            | Self::Probed { .. }
            | Self::LogRead { .. } => "reading",
            Self::StoreRead { .. } | Self::JournalRead { .. } | Self::JournalWritten { .. } | Self::Verified { .. } => "store",
            Self::Confirmed { .. }
            | Self::Refused { .. }
            | Self::Began { .. }
            | Self::Sending { .. }
            | Self::Answered { .. }
            | Self::Recorded { .. }
            | Self::Looked { .. }
            | Self::Adopted { .. }
            | Self::Noted { .. }
            | Self::Rule { .. }
            | Self::RulingSigned { .. }
            | Self::Signed { .. }
            | Self::Ruled { .. }
            | Self::NameRules { .. }
            | Self::NamingSigned { .. }
            | Self::RulesNamed { .. }
            | Self::Speak { .. }
            | Self::SayingSigned { .. }
            | Self::Spoke { .. } => "deed",
            Self::Looking { .. }
            | Self::Following { .. }
            | Self::AuthorsWanted { .. }
            | Self::VerifyAsked
            | Self::Here { .. }
            | Self::Recognised { .. } => "session",
            Self::Slept { .. } | Self::Woke => "time",
            Self::Reloaded { .. } => "configuration",
        }
    }

    /// The plan whose deed the event is about, when it is about one.
    pub fn subject(&self) -> Option<PlanId> {
        match self {
            Self::Began { plan, .. }
            | Self::Sending { plan, .. }
            | Self::Answered { plan, .. }
            | Self::Recorded { plan, .. }
            | Self::Looked { plan, .. }
            | Self::Adopted { plan, .. }
            | Self::Signed { plan, .. }
            | Self::Noted { plan, .. } => Some(*plan),
            Self::Polled { .. }
            | Self::CalendarRead { .. }
            | Self::AuthorsRead { .. }
            | Self::ObjectiveRead { .. }
            | Self::Probed { .. }
            | Self::AuthorsWanted { .. }
            | Self::LogRead { .. }
            | Self::StoreRead { .. }
            | Self::JournalRead { .. }
            | Self::JournalWritten { .. }
            | Self::Verified { .. }
            | Self::Confirmed { .. }
            | Self::Refused { .. }
            | Self::Rule { .. }
            | Self::RulingSigned { .. }
            | Self::Ruled { .. }
            | Self::NameRules { .. }
            | Self::NamingSigned { .. }
            | Self::RulesNamed { .. }
            | Self::Speak { .. }
            | Self::SayingSigned { .. }
            | Self::Spoke { .. }
            | Self::Here { .. }
            | Self::Recognised { .. }
            | Self::Looking { .. }
            | Self::Following { .. }
            | Self::VerifyAsked
            | Self::Slept { .. }
            | Self::Reloaded { .. }
            | Self::Woke => None,
        }
    }
}
