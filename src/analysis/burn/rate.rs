//! The burn rate over one window, and what it is at least where a part of the window was not measured.

use std::time::Duration;

use super::history::{History, Sum, seconds};
use crate::model::objective::Objective;

/// How fast the budget burnt over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burn {
    /// The window's length.
    pub window: Duration,
    /// What was counted in it.
    pub sum: Sum,
    /// The share of bad events over the share that may be bad: 1 spends the budget in exactly the period. None without an event.
    pub rate: Option<f64>,
}

impl Burn {
    /// The burn over the window that ends at `at_s`.
    pub fn over(objective: &Objective, history: &History, window: Duration, at_s: i64) -> Self {
        let long = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        let sum = history.between(at_s.saturating_sub(long), at_s);
        Self { window, sum, rate: burn(sum.bad, sum.total, objective.allowed()) }
    }

    /// The share of the window of which anything is known.
    pub fn coverage(&self) -> f64 {
        self.sum.coverage()
    }

    /// What it is at least: the part that was not measured is taken as busy as the rest, and wholly good.
    pub fn at_least(&self) -> Option<f64> {
        self.rate.map(|rate| rate * self.coverage())
    }
}

/// The burn rate of `bad` events of `total` where the share `allowed` may be bad.
pub fn burn(bad: f64, total: f64, allowed: f64) -> Option<f64> {
    (total > 0.0 && allowed > 0.0).then(|| bad / total / allowed)
}

/// The share of a period's budget that a burn spends in a time.
pub fn spent(burn: f64, over: Duration, period: Duration) -> f64 {
    burn * over.as_secs_f64() / period.as_secs_f64()
}

/// How long a burn that begins now lasts until a rule's long window is over `factor`, when there was none before: the detection time
/// of the workbook. None when it never is.
pub fn detected_after(burn: f64, factor: f64, long: Duration) -> Option<Duration> {
    (burn > factor).then(|| Duration::from_secs_f64(long.as_secs_f64() * factor / burn))
}

/// The time between two ends as a duration.
pub(super) fn duration(from_s: i64, to_s: i64) -> Duration {
    Duration::from_secs_f64(seconds(to_s.saturating_sub(from_s).max(0)))
}
