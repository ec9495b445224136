//! Exit codes: what a script may decide by (CONTRACTS.md, "Exit codes").

use crate::model::reason::Reason;
use crate::ports::ledger::LedgerError;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed; slipped back under `--wait held`.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// Denied by policy.
    Denied = 3,
    /// Waits for another person.
    Waits = 4,
    /// Stale, changed since planned, or another deed is under way on the target.
    Stale = 5,
    /// A backend cannot be reached.
    Unreachable = 6,
    /// The outcome is unknown.
    Unknown = 7,
    /// The configuration was refused or is absent.
    Configuration = 8,
    /// The record cannot be written.
    Record = 9,
    /// The target is unknown or ambiguous.
    Target = 10,
    /// The ledger is not intact, or there is none.
    Ledger = 11,
    /// Accepted, but not effective in time.
    NotInTime = 12,
    /// `canary judge`: marginal.
    Marginal = 20,
    /// `canary judge`: fail.
    Worse = 21,
    /// `canary judge`: too early to tell, or no data.
    NoEvidence = 22,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// Every exit.
    pub const ALL: [Self; 17] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Denied,
        Self::Waits,
        Self::Stale,
        Self::Unreachable,
        Self::Unknown,
        Self::Configuration,
        Self::Record,
        Self::Target,
        Self::Ledger,
        Self::NotInTime,
        Self::Marginal,
        Self::Worse,
        Self::NoEvidence,
        Self::Interrupted,
    ];

    /// What it says.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed; slipped back under `--wait held`",
            Self::Usage => "the command line was wrong",
            Self::Denied => "denied by policy",
            Self::Waits => "waits for another person",
            Self::Stale => "stale, changed since planned, or another deed is under way on the target",
            Self::Unreachable => "a backend cannot be reached",
            Self::Unknown => "the outcome is unknown",
            Self::Configuration => "the configuration was refused or is absent",
            Self::Record => "the record cannot be written",
            Self::Target => "the target is unknown or ambiguous",
            Self::Ledger => "the ledger is not intact, or there is none",
            Self::NotInTime => "accepted, but not effective in time",
            Self::Marginal => "a canary is judged: marginal",
            Self::Worse => "a canary is judged: fail",
            Self::NoEvidence => "a canary is judged: too early to tell, or no data",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit of a refusal: its first reason decides.
    pub fn of_reasons(reasons: &[Reason]) -> Self {
        match reasons.first().map(|reason| reason.rule.as_str()) {
            Some("stale" | "changed" | "busy" | "expired" | "spent" | "rules") => Self::Stale,
            Some("unreachable") => Self::Unreachable,
            Some("record") => Self::Record,
            Some("ledger") => Self::Ledger,
            Some("approvals") => Self::Waits,
            Some(_) | None => Self::Denied,
        }
    }

    /// The exit of a failure of the ledger itself.
    pub fn of_ledger(error: &LedgerError) -> Self {
        match error {
            LedgerError::Unwritable(_) => Self::Record,
            LedgerError::Broken(_) => Self::Ledger,
            LedgerError::NoPlan(_)
            | LedgerError::Ambiguous(_)
            | LedgerError::NoGrant(_)
            | LedgerError::Expired(_)
            | LedgerError::Spent(_)
            | LedgerError::Busy { .. }
            | LedgerError::LostLease(_)
            | LedgerError::AlreadySent(_) => Self::Stale,
            LedgerError::HeldBy { .. } | LedgerError::Denied(_) => Self::Denied,
            LedgerError::Refused(reasons) => Self::of_reasons(reasons),
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
