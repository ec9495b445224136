//! An intent: what an operator asked for, before anything is planned.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change::ChangeType;
use super::flag::FlagWish;
use super::name::Target;
use super::operator::Actor;
use super::part::PartOf;
use super::pipeline::RunId;
use super::share::Percent;
use super::silence::SilenceWish;
use super::text::Text;
use super::ticket::Ticket;
use super::together::SetRun;
use super::traffic::ServerRef;

/// A deed's verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Nothing moves this rollout forward until resumed.
    Hold,
    /// The hold ends.
    Resume,
    /// The share of the slot that is not stable becomes this.
    Shift,
    /// The next step.
    Promote,
    /// The new version's share becomes 0 and the rollout ends.
    Abort,
    /// Back to the last proven version.
    Rollback,
    /// Runs the pipeline.
    Start,
    /// Runs a run again.
    Retry,
    /// Stops a run.
    Cancel,
    /// Opens the gates of a target at which a run waits.
    Approve,
    /// Closes them, which ends the run.
    Reject,
    /// Writes a line into the timeline and the ledger.
    Note,
    /// Starts a rollout that goes from step to step by itself.
    Rollout,
    /// Turns a feature flag on or off, or sets its percentage.
    Flag,
    /// A server finishes what it has and takes nothing new.
    Drain,
    /// A server that drains, or is in maintenance, takes requests again.
    Ready,
    /// An alert calls nobody for a while.
    Silence,
    /// An alert calls again.
    Unsilence,
}

impl Verb {
    /// Every verb, in the order of CONTRACTS.md, "Command line".
    pub const ALL: [Self; 18] = [
        Self::Approve,
        Self::Reject,
        Self::Hold,
        Self::Resume,
        Self::Promote,
        Self::Abort,
        Self::Rollback,
        Self::Shift,
        Self::Retry,
        Self::Cancel,
        Self::Start,
        Self::Note,
        Self::Rollout,
        Self::Flag,
        Self::Drain,
        Self::Ready,
        Self::Silence,
        Self::Unsilence,
    ];

    /// The word on the command line, in JSON and in the Order.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Shift => "shift",
            Self::Promote => "promote",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
            Self::Start => "start",
            Self::Retry => "retry",
            Self::Cancel => "cancel",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Note => "note",
            Self::Rollout => "rollout",
            Self::Flag => "flag",
            Self::Drain => "drain",
            Self::Ready => "ready",
            Self::Silence => "silence",
            Self::Unsilence => "unsilence",
        }
    }
}

impl Verb {
    /// Whether it is done to a run.
    pub fn is_of_a_run(self) -> bool {
        match self {
            Self::Retry | Self::Cancel | Self::Approve | Self::Reject => true,
            Self::Hold
            | Self::Resume
            | Self::Shift
            | Self::Promote
            | Self::Abort
            | Self::Rollback
            | Self::Start
            | Self::Note
            | Self::Flag
            | Self::Drain
            | Self::Ready
            | Self::Silence
            | Self::Unsilence
            | Self::Rollout => false,
        }
    }
}

impl std::str::FromStr for Verb {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|verb| verb.word() == word).ok_or_else(|| {
            format!("`{}` is no verb; expected one of {}", Text::clean_within(word, 40), Self::ALL.map(Self::word).join(", "))
        })
    }
}

/// Which way a deed moves production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards the new version, or a new run: approvals, typed text, refused under hold.
    Forward,
    /// Towards the proven version: never harder than forward, Enter alone.
    Back,
    /// Resume: forward for roles and text, but allowed under hold.
    Release,
    /// Hold and note: stand still.
    Still,
}

/// What the verb is applied to beside its target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Arguments {
    /// The share of a shift.
    pub percent: Option<Percent>,
    /// The run of a retry, cancel, approve or reject.
    pub run: Option<RunId>,
    /// Whether a retry repeats only what went wrong, and what depends on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed_only: bool,
    /// Whether a promotion skips all further steps that an orchestrator would walk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// The text of a note.
    pub text: Option<Text>,
    /// The flag that is set, and to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<Box<FlagWish>>,
    /// The server that is drained or made ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Box<ServerRef>>,
    /// The alert that is silenced, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Box<SilenceWish>>,
    /// The type of change that was asked for: only a stricter one than the rules say.
    #[serde(default)]
    pub change: Option<ChangeType>,
    /// The time box within which the glass is broken; none: it is not.
    #[serde(default)]
    pub break_glass: Option<Duration>,
    /// The ticket under which the change is known elsewhere.
    #[serde(default)]
    pub ticket: Option<Ticket>,
    /// When it is to be carried out; none: now, or with a train.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// The train with whose next departure it is to be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<String>,
    /// The part of a rollout that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Box<PartOf>>,
    /// The version that a rollout brings, where it replaces the instances of a workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// The start of a set that a rollout is one of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Box<SetRun>>,
}

/// What an operator asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The verb.
    pub verb: Verb,
    /// The target.
    pub target: Target,
    /// What else it needs.
    pub args: Arguments,
    /// Who asks.
    pub requester: Actor,
    /// Why; may be empty.
    pub reason: Text,
}
