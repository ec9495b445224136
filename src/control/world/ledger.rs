//! The ledger as the room sees it, and what this process said about plans.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::approval::Ruling;
use crate::model::name::PlanId;
use crate::model::outbox::{DeskChange, Progress};
use crate::model::self_service::{Saying, Spoken};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ports::ledger::{EntryRow, LedgerError};

/// The ledger as the room sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LedgerView {
    /// Why it cannot be written; deeds are refused meanwhile.
    pub trouble: Option<Text>,
    /// Whether break glass can be recorded in a second place meanwhile.
    pub has_second_place: bool,
    /// Whether it was read at all.
    pub read: bool,
    /// The newest entries, oldest first, at most 500.
    pub entries: Arc<Vec<EntryRow>>,
    /// All entries.
    pub size: u64,
    /// What is wrong with second places of checkpoints; it stops no deed.
    pub witnesses: Vec<Text>,
    /// Receivers of notices whose trouble a person should look at.
    pub receivers: Vec<Progress>,
    /// The changes at desks that go with plans, the newest first.
    pub desk_changes: Arc<Vec<DeskChange>>,
    /// What the last verification said, and when.
    pub verified: Option<(DateTime<Utc>, crate::ports::ledger::Verification)>,
    /// Why the last verification came to no verdict, and when; none when it came to one.
    pub unverified: Option<(DateTime<Utc>, Text)>,
    /// The installation, part of every Order.
    pub installation: String,
}

impl LedgerView {
    /// Now by the ledger's time, which never runs backwards: later than the clock's where an entry came from a clock that was ahead.
    pub fn time(&self, now: &Moment) -> DateTime<Utc> {
        self.entries.last().map_or(now.wall, |entry| entry.at.max(now.wall))
    }

    /// The changes at desks that go with a plan.
    pub fn desk_changes_of(&self, plan: PlanId) -> impl Iterator<Item = &DeskChange> {
        self.desk_changes.iter().filter(move |ticket| ticket.plan == plan)
    }
}

/// What an operator said about a stored plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// What was said.
    pub ruling: Ruling,
    /// When it was recorded, or why it was refused.
    pub result: Result<DateTime<Utc>, LedgerError>,
    /// When this process learned of it.
    pub at: DateTime<Utc>,
}

/// What an operator said beside plans, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What was said.
    pub saying: Saying,
    /// What it made of its subject, or why it was refused.
    pub result: Result<Spoken, LedgerError>,
    /// When this process learned of it.
    pub at: DateTime<Utc>,
}
