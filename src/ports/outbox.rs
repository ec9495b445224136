//! The port to the outbox: what is to be told to receivers, written with the entries that cause it, and how far each receiver got.

use chrono::{DateTime, Utc};

use super::ledger::LedgerError;
use super::pending::Pending;
use crate::model::name::{BackendName, PlanId};
use crate::model::outbox::{DeskChange, Line, Notice, Progress};
use crate::model::text::Text;

/// What lies before a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Before {
    /// Failed tries of the next one.
    pub tries: u32,
    /// Not before then is it tried.
    pub again_at: Option<DateTime<Utc>>,
    /// The next lines in their order: first what was set aside and is wanted again.
    pub lines: Vec<Line>,
}

/// The outbox. What is in it was committed together with what it tells of.
///
/// Each method is one transaction. A receiver's lines leave by one process at a time: who holds its lease.
pub trait Outbox: Send + Sync {
    /// Makes receivers known. What is recorded from then on waits for them; what was before is not told.
    fn know<'a>(&'a self, receivers: &'a [BackendName]) -> Pending<'a, Result<(), LedgerError>>;

    /// Takes or renews the right to deliver to a receiver, for 30 s by a clock that counts on in sleep. False: another living process
    /// has it. Who has it may use it for 20 s at least.
    fn lease<'a>(&'a self, receiver: &'a BackendName) -> Pending<'a, Result<bool, LedgerError>>;

    /// Whether another living process delivers to a receiver now.
    fn is_elsewhere<'a>(&'a self, receiver: &'a BackendName) -> Pending<'a, Result<bool, LedgerError>>;

    /// What lies before a receiver, at most `most` lines.
    fn before<'a>(&'a self, receiver: &'a BackendName, most: u32) -> Pending<'a, Result<Before, LedgerError>>;

    /// One notice in full; none when it was dropped meanwhile.
    fn notice(&self, seq: u64) -> Pending<'_, Result<Option<Notice>, LedgerError>>;

    /// The receiver has it, or wants nothing up to it.
    fn passed<'a>(&'a self, receiver: &'a BackendName, line: &'a Line, delivered: bool) -> Pending<'a, Result<(), LedgerError>>;

    /// It could not be delivered and is to be tried again, not before `again_at`.
    fn failed<'a>(&'a self, receiver: &'a BackendName, why: &'a Text, again_at: DateTime<Utc>) -> Pending<'a, Result<(), LedgerError>>;

    /// The receiver refused it: it is set aside with the reason, and the next one's turn comes.
    fn park<'a>(&'a self, receiver: &'a BackendName, line: &'a Line, why: &'a Text) -> Pending<'a, Result<(), LedgerError>>;

    /// How far every known receiver got, by name.
    fn progress(&self) -> Pending<'_, Result<Vec<Progress>, LedgerError>>;

    /// Wants what was set aside tried again: one line, or all of a receiver; tells how many.
    fn again<'a>(&'a self, receiver: &'a BackendName, seq: Option<u64>) -> Pending<'a, Result<u64, LedgerError>>;

    /// Gives up what was set aside: who gave it up, and why, is kept; tells how many.
    fn give_up<'a>(
        &'a self,
        receiver: &'a BackendName,
        seq: Option<u64>,
        by: &'a str,
        why: &'a Text,
    ) -> Pending<'a, Result<u64, LedgerError>>;

    /// Forgets a receiver with all that waits for it; tells whether it was known.
    fn forget<'a>(&'a self, receiver: &'a BackendName) -> Pending<'a, Result<bool, LedgerError>>;

    /// Records what only time brought, once each: the end of a time box, a review that is overdue.
    fn tick(&self) -> Pending<'_, Result<(), LedgerError>>;

    /// Remembers the change that goes with a plan.
    fn remember_change_at_desk<'a>(&'a self, ticket: &'a DeskChange) -> Pending<'a, Result<(), LedgerError>>;

    /// The changes that go with plans, the newest first.
    fn desk_changes(&self, most: u32) -> Pending<'_, Result<Vec<DeskChange>, LedgerError>>;

    /// The change that goes with one plan at a desk.
    fn desk_change<'a>(&'a self, plan: PlanId, desk: &'a BackendName) -> Pending<'a, Result<Option<DeskChange>, LedgerError>>;

    /// A number that grows with every commit of any process, cheap to read.
    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>>;
}
