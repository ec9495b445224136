//! The port to monitoring systems.

use super::pending::Pending;
use crate::model::capability::Capability;
use crate::model::error::PortError;
use crate::model::link::{LinkAsk, LinkReading};
use crate::model::objective::{HistoryAsk, HistoryReading};
use crate::model::signal::{Ask, SignalReading};

/// A monitoring system. The contract suite is `tests/it/contract/metrics.rs`.
pub trait Metrics: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Answers all questions, equal templates folded into few queries. One bad question fails alone, in its own answer;
    /// the whole fails only when the backend cannot be spoken to. Also reads rules with their health and scrape targets.
    fn read<'a>(&'a self, asks: &'a [Ask]) -> Pending<'a, Result<SignalReading, PortError>>;

    /// Counts what an objective is measured by, stretch by stretch, in a few queries however long the time is: bounded by
    /// [`MOST_STRETCHES`]. A stretch of which nothing is known is none, never zero.
    fn history<'a>(&'a self, ask: &'a HistoryAsk) -> Pending<'a, Result<HistoryReading, PortError>>;

    /// Who uses whom by the counters of a kind of telemetry, in one query: what flowed over each link within the time that is asked
    /// for. A link over which nothing flowed is none.
    fn links<'a>(&'a self, ask: &'a LinkAsk) -> Pending<'a, Result<LinkReading, PortError>>;
}

/// The most stretches of one question: a quarter at a minute each.
pub const MOST_STRETCHES: usize = 140_000;
