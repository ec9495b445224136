//! A fact with its source and its age: what was read last, when, and what stands in the way of reading it now.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{PortError, PortErrorKind};
use super::time::Moment;

/// How a fact or a source stands. A fact that is not fresh is never shown as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Read within the allowed age.
    Fresh,
    /// Older than the allowed age.
    Stale,
    /// Not read in time because the backend cannot be reached or understood.
    Unreachable,
    /// Not read because the backend does not let us.
    Unauthorised,
    /// Never read yet.
    Never,
}

impl Freshness {
    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Unreachable => "unreachable",
            Self::Unauthorised => "unauthorised",
            Self::Never => "never",
        }
    }

    /// Whether a decision may stand on it.
    pub fn is_fresh(self) -> bool {
        self == Self::Fresh
    }
}

/// What one source said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// The last good value, kept when later reads fail.
    pub value: Option<Arc<T>>,
    /// When the last good value was asked for: a value is at most this old.
    pub seen: Option<Moment>,
    /// When the newest read that came back, good or bad, was asked for.
    pub tried: Option<Moment>,
    /// Why the newest read failed; none after a good one.
    pub trouble: Option<PortError>,
    /// The number of reads that failed in a row.
    pub failures: u32,
    /// The sequence number of the newest read that was taken in; older ones are dropped.
    pub seq: u64,
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self { value: None, seen: None, tried: None, trouble: None, failures: 0, seq: 0 }
    }
}

impl<T> Fact<T> {
    /// The age of the value at `now`.
    pub fn age(&self, now: &Moment) -> Option<Duration> {
        self.seen.as_ref().map(|seen| now.since(seen))
    }

    /// How the fact stands at `now`, when `allowed` is its greatest age. A failed read leaves the value fresh until it is too old.
    pub fn freshness(&self, now: &Moment, allowed: Duration) -> Freshness {
        let troubled = match self.trouble.as_ref().map(|error| &error.kind) {
            Some(PortErrorKind::Unauthorised | PortErrorKind::Forbidden) => Some(Freshness::Unauthorised),
            Some(_) => Some(Freshness::Unreachable),
            None => None,
        };
        match self.age(now) {
            None => troubled.unwrap_or(Freshness::Never),
            Some(age) if age <= allowed => Freshness::Fresh,
            Some(_) => troubled.unwrap_or(Freshness::Stale),
        }
    }
}
