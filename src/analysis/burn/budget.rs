//! The error budget of a period: what was spent, what is left, and when it will be gone.

use std::time::Duration;

use super::history::{History, seconds};
use super::rate::duration;
use crate::model::objective::{Objective, Period};

/// Points of a burn-down.
pub const POINTS: usize = 60;

/// A budget at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// The beginning of the period, in seconds since 1970.
    pub from_s: i64,
    /// The end of the period.
    pub to_s: i64,
    /// Bad events so far, or bad seconds.
    pub bad: f64,
    /// All events so far, or seconds that were looked at.
    pub total: f64,
    /// The share of the period so far of which anything is known.
    pub coverage: f64,
    /// The share of the whole period's budget that is known to be spent; none where nothing was counted. It may be over 1.
    pub spent: Option<f64>,
    /// The same, if what was not measured was like what was.
    pub spent_if_alike: Option<f64>,
    /// The bad events, or seconds, that the whole period may have; none where nothing was counted.
    pub whole: Option<f64>,
    /// What was left at even times from the beginning until now, none where nothing is known yet; [`POINTS`] points.
    pub burn_down: Vec<Option<f64>>,
}

impl Budget {
    /// The budget at a time within the period that begins and ends then.
    ///
    /// The whole period's budget is `allowed` of all its events, their number taken from the rate of those that were counted: what was
    /// spent in parts of the period adds up to what was spent in all of it.
    pub fn at(objective: &Objective, history: &History, (from_s, to_s): (i64, i64), at_s: i64) -> Self {
        let sum = history.between(from_s, at_s);
        let length = seconds(to_s.saturating_sub(from_s));
        let expected = if sum.covered_s > 0.0 { sum.total / sum.covered_s * length } else { 0.0 };
        let whole = expected * objective.allowed();
        let share = |bad: f64| (whole > 0.0).then(|| bad / whole);
        let spent = share(sum.bad);
        let coverage = sum.coverage();
        let steps = i64::try_from(POINTS).unwrap_or(1);
        let burn_down = (1..=steps)
            .map(|point| {
                let until = from_s + (at_s - from_s).max(0) * point / steps;
                let part = history.between(from_s, until);
                (part.covered_s > 0.0).then(|| share(part.bad).map(|spent| 1.0 - spent)).flatten()
            })
            .collect();
        let spent_if_alike = spent.filter(|_| coverage > 0.0).map(|spent| spent / coverage);
        Self {
            from_s,
            to_s,
            bad: sum.bad,
            total: sum.total,
            coverage,
            spent,
            spent_if_alike,
            whole: (whole > 0.0).then_some(whole),
            burn_down,
        }
    }

    /// The share of the whole period's budget that was spent in a part of it; none where nothing of the part was measured.
    pub fn spent_between(&self, history: &History, from_s: i64, to_s: i64) -> Option<f64> {
        let part = history.between(from_s, to_s);
        self.whole.filter(|_| part.covered_s > 0.0).map(|whole| part.bad / whole)
    }

    /// The share that is left at most; negative when more than all was spent.
    pub fn left(&self) -> Option<f64> {
        self.spent.map(|spent| 1.0 - spent)
    }
}

/// When a budget will be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// It is gone.
    Gone,
    /// At this rate in so long.
    In(Duration),
    /// At this rate not within the period.
    Lasts,
    /// Nobody knows.
    Unknown,
}

/// When the budget will be gone if it goes on burning so. What falls out of a rolling period gives nothing back here: at a burn of 1 or
/// less it lasts.
pub fn outlook(budget: &Budget, period: Period, burn: Option<f64>, at_s: i64) -> Outlook {
    let (Some(left), Some(burn)) = (budget.left(), burn) else { return Outlook::Unknown };
    if left <= 0.0 {
        return Outlook::Gone;
    }
    let length = duration(budget.from_s, budget.to_s);
    let span = left * length.as_secs_f64() / burn;
    let lasts = match period {
        Period::Rolling(_) => burn <= 1.0,
        Period::Month | Period::Quarter => span >= duration(at_s, budget.to_s).as_secs_f64(),
    };
    if lasts || !span.is_finite() { Outlook::Lasts } else { Outlook::In(Duration::from_secs_f64(span)) }
}
