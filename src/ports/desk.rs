//! The port to desks: where people keep changes with a number.

use super::notify::NotifyError;
use super::pending::Pending;
use crate::model::change::ChangeType;
use crate::model::name::PlanId;
use crate::model::text::Text;

/// How far a change is, in the order in which it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Made.
    New,
    /// Being assessed.
    Assess,
    /// Waits for the desk's own approvals.
    Authorize,
    /// May begin.
    Scheduled,
    /// Being carried out.
    Implement,
    /// Being looked at afterwards.
    Review,
    /// Over.
    Closed,
    /// Will not be.
    Canceled,
}

impl Stage {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Assess => "Assess",
            Self::Authorize => "Authorize",
            Self::Scheduled => "Scheduled",
            Self::Implement => "Implement",
            Self::Review => "Review",
            Self::Closed => "Closed",
            Self::Canceled => "Canceled",
        }
    }
}

/// A change as the desk has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its identity there.
    pub id: String,
    /// Its number, as people call it.
    pub number: Text,
    /// How far it is.
    pub stage: Stage,
}

/// What a change is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The plan, by which the change is found again.
    pub plan: PlanId,
    /// The type.
    pub kind: ChangeType,
    /// One line.
    pub short: String,
    /// The whole.
    pub description: String,
    /// Why.
    pub justification: String,
    /// How it is done.
    pub implementation: String,
    /// The way back.
    pub backout: String,
    /// From when.
    pub begins: chrono::DateTime<chrono::Utc>,
    /// Until when.
    pub ends: chrono::DateTime<chrono::Utc>,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As wished.
    Successful,
    /// As wished, but not seen to stay so.
    WithIssues,
    /// Otherwise.
    Unsuccessful,
}

/// How a change is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// By the plan that it was made for.
    Plan(PlanId),
    /// By its number.
    Number(&'a str),
}

/// A desk. Nothing is tried again by it; the contract suite is `tests/it/outbox/desk.rs`.
pub trait Desk: Send + Sync {
    /// Finds a change. None: it is surely not there.
    fn find<'a>(&'a self, by: By<'a>) -> Pending<'a, Result<Option<Change>, NotifyError>>;

    /// Makes a change. After an error it may be there all the same: it is looked for before it is made again.
    fn open<'a>(&'a self, draft: &'a Draft) -> Pending<'a, Result<Change, NotifyError>>;

    /// Writes words beside a change.
    fn note<'a>(&'a self, id: &'a str, words: &'a str) -> Pending<'a, Result<(), NotifyError>>;

    /// Brings a change so far, through every stage between as the desk allows; one that is there or further stays. With an ending where
    /// it is closed.
    fn advance<'a>(&'a self, id: &'a str, to: Stage, ending: Option<(Ending, &'a str)>) -> Pending<'a, Result<Change, NotifyError>>;
}
