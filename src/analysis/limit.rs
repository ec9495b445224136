//! A signal against its own limit: past it, past it beyond the doubt of small numbers, and whether the new version alone is.

use super::proportion;
use crate::model::catalog::{Signal, SignalKind};
use crate::model::signal::Better;

/// What was seen of one side of a signal.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Its value: of a ratio bad of total, of a histogram its quantile.
    pub value: Option<f64>,
    /// Bad events of a ratio.
    pub bad: Option<f64>,
    /// All events of a ratio or a histogram.
    pub total: Option<f64>,
}

/// Whether a value is past the signal's limit; without a limit or a value it is not.
pub fn past(signal: &Signal, value: Option<f64>) -> bool {
    match (signal.limit, value, signal.better) {
        (Some(limit), Some(value), Better::Lower) => value > limit,
        (Some(limit), Some(value), Better::Higher) => value < limit,
        (None, _, _) | (_, None, _) => false,
    }
}

/// Past its limit beyond the doubt of small numbers: for a ratio its whole interval, for a quantile enough events to have one.
pub fn surely_past(signal: &Signal, seen: Seen) -> bool {
    let enough = match &signal.kind {
        SignalKind::Ratio { .. } => {
            let interval = seen.bad.zip(seen.total).and_then(|(bad, total)| proportion::wilson(bad, total));
            return interval.is_some_and(|found| match signal.better {
                Better::Lower => past(signal, Some(found.low)),
                Better::Higher => past(signal, Some(found.high)),
            });
        }
        // The p99 of fewer than a hundred events is the worst of them, not a quantile.
        SignalKind::Histogram { quantile, .. } => seen.total.is_some_and(|events| events * (1.0 - quantile) >= 1.0),
        SignalKind::Value { .. } => true,
    };
    enough && past(signal, seen.value)
}

/// The new version less the old one, of a ratio: estimate, lower and upper bound.
pub fn difference(signal: &Signal, old: Seen, new: Seen) -> Option<(f64, f64, f64)> {
    match (&signal.kind, new.bad.zip(new.total), old.bad.zip(old.total)) {
        (SignalKind::Ratio { .. }, Some(new), Some(old)) => {
            proportion::difference(new, old).map(|found| (found.value, found.low, found.high))
        }
        (SignalKind::Ratio { .. } | SignalKind::Histogram { .. } | SignalKind::Value { .. }, _, _) => None,
    }
}

/// Whether the new version is past the limit, and worse than the old one beyond the interval of doubt.
pub fn worse(signal: &Signal, new: Seen, difference: Option<(f64, f64, f64)>) -> bool {
    let doubtless = difference.is_some_and(|(_, low, high)| match signal.better {
        Better::Lower => low > 0.0,
        Better::Higher => high < 0.0,
    });
    past(signal, new.value) && doubtless
}
