//! The advisory board's pack: every change of a period with its risk, its way back, what is in its way and what went wrong lately.
//!
//! [`pack`] gathers it from the world and from entries of the ledger, without I/O and without a clock; [`sheet`] lays it out for people.
//! The same world, entries, period and moment give the same pack.

mod gather;
pub mod sheet;

pub use gather::{pack, risk_of};

use chrono::{DateTime, Utc};

use crate::model::approval::Approval;
use crate::model::change::ChangeType;
use crate::model::deed::EntryKind;
use crate::model::gate::Check;
use crate::model::name::{EnvironmentName, PlanId, Target};
use crate::model::reason::Reason;
use crate::model::review::Review;
use crate::model::text::Text;
use crate::model::timetable::Span;
use crate::policy::risk::Risk;

/// A change that waits or is scheduled.
#[derive(Debug, Clone, PartialEq)]
pub struct Coming {
    /// Its plan.
    pub plan: PlanId,
    /// What is asked for: `shift to 20 %`.
    pub what: String,
    /// Its target.
    pub target: Target,
    /// The team that owns the service.
    pub team: Option<String>,
    /// Its type.
    pub kind: ChangeType,
    /// The written rule that made it so.
    pub because: Option<Text>,
    /// Its state in one word.
    pub state: &'static str,
    /// Why it cannot go, or what it waits for; the first to fix first.
    pub blocked: Vec<Reason>,
    /// Who asks.
    pub requester: String,
    /// Why.
    pub reason: Text,
    /// When it was planned.
    pub made: DateTime<Utc>,
    /// When it may be carried out.
    pub time: Span,
    /// Whether that time is booked; else it waits, and ends with that time.
    pub booked: bool,
    /// Now, in words.
    pub now: Text,
    /// Afterwards, in words.
    pub after: Text,
    /// Its risk.
    pub risk: Risk,
    /// The command that undoes it.
    pub undo: Option<String>,
    /// When a way back on its target was last seen to work.
    pub proven: Option<DateTime<Utc>>,
    /// What is in its way at its time: freezes, windows, other changes.
    pub conflicts: Vec<String>,
    /// Deeds of the same service that failed, slipped or were taken back, the newest first.
    pub failures: Vec<Failure>,
    /// Who is asked to agree: how many, and who may.
    pub asked: Vec<String>,
    /// Who has agreed.
    pub given: Vec<Approval>,
    /// The digest of the evidence.
    pub evidence: Option<String>,
    /// The checks of its gate.
    pub checks: Vec<Check>,
}

/// A deed that did not go well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: DateTime<Utc>,
    /// What happened: failed, slipped, or the way back that was taken.
    pub how: String,
    /// Its target.
    pub target: String,
    /// Who asked.
    pub by: String,
    /// In the ledger's words.
    pub words: Text,
}

/// A deed of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// Its plan.
    pub plan: PlanId,
    /// What was done.
    pub verb: String,
    /// Its target.
    pub target: String,
    /// Who asked.
    pub by: String,
    /// What became of it: the newest entry about it.
    pub outcome: EntryKind,
    /// In that entry's words.
    pub words: Text,
    /// Who agreed to it.
    pub agreed: Vec<String>,
}

/// A window or a freeze of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Where.
    pub environment: EnvironmentName,
    /// Its name.
    pub name: String,
    /// When.
    pub span: Span,
    /// Why it was set, for a freeze.
    pub reason: String,
}

/// The pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// The room.
    pub room: String,
    /// Whether it is simulated.
    pub simulated: bool,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// Of which time it tells.
    pub period: Span,
    /// What waits or is scheduled, by its time.
    pub coming: Vec<Coming>,
    /// What was carried out, the oldest first.
    pub done: Vec<Done>,
    /// Freezes of the period.
    pub freezes: Vec<Times>,
    /// Calendars that cannot be believed, each with why.
    pub not_believed: Vec<String>,
    /// Until when windows and freezes are known.
    pub known_until: DateTime<Utc>,
    /// Break glass and emergencies of the period.
    pub glass: Vec<Review>,
    /// Reviews that are overdue, whenever their deed was.
    pub overdue: Vec<Review>,
    /// The time of the oldest entry that was looked at; none: there is no entry.
    pub entries_from: Option<DateTime<Utc>>,
    /// Whether older entries exist that were not looked at.
    pub older_entries: bool,
}
