//! One side of a measure that is counted: what was seen of it since the last pair was made, and up to when.

use serde::{Deserialize, Serialize};

use super::follow::{Counter, Grown, Origins, step_ms};
use crate::model::signal::Series;

/// So many usual steps without a sample are a gap ..
const GAP_STEPS: i64 = 5;
/// .. and no less than this is.
const GAP_MS: i64 = 60_000;
/// A series that is so many steps behind is gone.
const GONE_STEPS: i64 = 2;
/// The step between two samples where none is known.
const STEP_MS: i64 = 30_000;

/// Events of a side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// The bad ones.
    pub bad: f64,
    /// All.
    pub total: f64,
}

/// One side of a measure that is counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    begun: bool,
    origins: Origins,
    part: Counter,
    whole: Counter,
    open: Counted,
    step_ms: Option<i64>,
    /// The newest sample when the last pair was made.
    closed_ms: Option<i64>,
    /// How often counters began again at 0.
    pub resets: u32,
}

impl Side {
    /// Takes an answer: counters whose sum, each times its share, is a part of the events, and that of all. `turned`: bad are those that
    /// are not in the part.
    /// True where there is a gap: then what was seen since the last pair is not known in whole, and both sides begin a new pair.
    pub fn take<'a>(
        &mut self,
        parts: impl Iterator<Item = (f64, impl Iterator<Item = &'a Series>)>,
        whole: impl Iterator<Item = &'a Series> + Clone,
        turned: bool,
    ) -> bool {
        self.step_ms = step_ms(whole.clone()).or(self.step_ms);
        let gap_ms = self.step().saturating_mul(GAP_STEPS).max(GAP_MS);
        self.origins.take(whole.clone(), self.begun, gap_ms);
        let all = self.whole.take(whole, i64::MAX, self.begun, &self.origins, gap_ms);
        let until_ms = self.whole.newest_ms().unwrap_or(i64::MIN);
        let mut some = Grown::default();
        for (share, part) in parts {
            let grown = self.part.take(part, until_ms, self.begun, &self.origins, gap_ms);
            some.events += share * grown.events;
            some.gap |= grown.gap;
        }
        if !self.begun {
            self.closed_ms = self.whole.newest_ms();
            self.begun = self.closed_ms.is_some();
        }
        self.resets += u32::from(all.resets > 0);
        self.open.total += all.events;
        self.open.bad += if turned { all.events - some.events } else { some.events };
        all.gap || some.gap
    }

    fn step(&self) -> i64 {
        self.step_ms.unwrap_or(STEP_MS)
    }

    /// The time of the newest sample, in milliseconds since 1970.
    pub fn newest_ms(&self) -> Option<i64> {
        self.whole.newest_ms()
    }

    /// Whether nothing happened since the last pair.
    pub fn is_idle(&self) -> bool {
        self.open.total <= 0.0
    }

    /// Whether all that lives was counted anew since the last pair, and something happened.
    pub fn is_ripe(&self) -> bool {
        let within = self.step().saturating_mul(GONE_STEPS);
        let upto = self.whole.upto_ms(within);
        self.open.total > 0.0 && upto.zip(self.closed_ms).is_some_and(|(upto, closed)| upto > closed)
    }

    /// How long it is since the last pair was made, in milliseconds.
    pub fn span_ms(&self) -> i64 {
        self.newest_ms().zip(self.closed_ms).map_or(0, |(newest, closed)| newest.saturating_sub(closed))
    }

    /// What was seen since the last pair; a new one begins. Where more bad ones than all were seen by now, those too many are left to it.
    pub fn close(&mut self) -> Counted {
        self.closed_ms = self.newest_ms();
        let bad = self.open.bad.clamp(0.0, self.open.total);
        let closed = Counted { bad, total: self.open.total };
        self.open = Counted { bad: (self.open.bad - bad).max(0.0), total: 0.0 };
        closed
    }

    /// Forgets what was seen since the last pair.
    pub fn drop_open(&mut self) {
        self.close();
        self.open = Counted::default();
    }
}
