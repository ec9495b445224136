//! Moments on two clocks: the wall's, for people, and the machine's since boot, for ages and deadlines.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since the machine booted, counted on while it sleeps (Linux `CLOCK_BOOTTIME`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boot(pub u64);

impl Boot {
    /// The time from `earlier` to this, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The wall clock, UTC. It may be set back; nothing is measured with it.
    pub wall: DateTime<Utc>,
    /// The clock that ages and deadlines are measured with.
    pub boot: Boot,
}

impl Moment {
    /// The time from `earlier` to this by the machine's clock.
    pub fn since(&self, earlier: &Self) -> Duration {
        self.boot.since(earlier.boot)
    }

    /// This much later on both clocks.
    #[must_use]
    pub fn plus(&self, span: Duration) -> Self {
        let wall = chrono::TimeDelta::from_std(span).ok().and_then(|span| self.wall.checked_add_signed(span)).unwrap_or(self.wall);
        Self { wall, boot: self.boot.plus(span) }
    }
}

/// RFC 3339 in UTC with three decimals and `Z`, as the ledger and all JSON write it.
pub fn rfc3339(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
