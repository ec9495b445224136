//! The limit of one measure: whether the new version is past it, by itself and beside the old one, at all looks together.

use serde::{Deserialize, Serialize};

use super::side::{Counted, Side};
use crate::analysis::evidence::sequential::over::Over;
use crate::model::signal::{Better, Series};
use crate::model::trial::{MeasureKind, MeasureRules};

/// What is known of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastLimit {
    /// The new version's own rate is over it.
    pub alone: bool,
    /// And it is worse than the old version's in the same intervals.
    pub beside: bool,
}

/// What is bet on the limit of one measure. The new version is followed by itself too: after the last step there is no pair any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    canary: Side,
    alone: Over,
    beside: Over,
}

impl Beyond {
    /// Nothing yet. None without a limit, and for values, which are not counted.
    pub fn of(rules: &MeasureRules) -> Option<Self> {
        let share = match (rules.kind, rules.better) {
            (MeasureKind::Ratio, Better::Lower) => rules.limit?,
            (MeasureKind::Ratio, Better::Higher) => 1.0 - rules.limit?,
            // More than this part lie over the limit where the quantile does.
            (MeasureKind::Histogram { quantile }, Better::Lower) => rules.limit.map(|_| 1.0 - quantile)?,
            (MeasureKind::Histogram { .. }, Better::Higher) | (MeasureKind::Value { .. }, _) => return None,
        };
        Some(Self { canary: Side::default(), alone: Over::limit(share)?, beside: Over::baseline() })
    }

    /// Takes an answer about the new version, as [`Side::take`].
    pub fn take<'a>(
        &mut self,
        parts: impl Iterator<Item = (f64, impl Iterator<Item = &'a Series>)>,
        whole: impl Iterator<Item = &'a Series> + Clone,
        turned: bool,
    ) {
        if self.canary.take(parts, whole, turned) {
            self.canary.drop_open();
        } else if self.canary.is_ripe() {
            let Counted { bad, total } = self.canary.close();
            self.alone.take((bad, total), (0.0, 0.0));
        }
    }

    /// Takes the pair of one interval.
    pub fn pair(&mut self, canary: Counted, baseline: Counted) {
        self.beside.take((canary.bad, canary.total), (baseline.bad, baseline.total));
    }

    /// What is known at a level.
    pub fn past(&self, alpha: f64) -> PastLimit {
        PastLimit { alone: self.alone.is_over(alpha), beside: self.beside.is_over(alpha) }
    }
}
