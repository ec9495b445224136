//! Increases of raw counters between their own samples, resets included.

use crate::model::signal::{Sample, Series};

/// What a set of counter series grew by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Increase {
    /// The sum of all growths; never negative.
    pub total: f64,
    /// The time of the newest sample, in milliseconds since 1970.
    pub newest_ms: i64,
    /// The longest time that one series spans, in seconds.
    pub seconds: f64,
}

/// The increase of one series: the sum of its rises; a fall is a reset, after which the counter began again at 0.
///
/// None with fewer than two samples: one sample says nothing about growth.
pub fn of_series(samples: &[Sample]) -> Option<Increase> {
    let (first, last) = (samples.first()?, samples.last()?);
    if samples.len() < 2 {
        return None;
    }
    let total = samples
        .iter()
        .zip(samples.iter().skip(1))
        .map(|(before, after)| if after.value >= before.value { after.value - before.value } else { after.value })
        .sum::<f64>();
    #[expect(clippy::cast_precision_loss, reason = "a window of milliseconds stays far below 2^52")]
    let seconds = last.at_ms.saturating_sub(first.at_ms) as f64 / 1000.0;
    (total.is_finite() && total >= 0.0).then_some(Increase { total, newest_ms: last.at_ms, seconds })
}

/// The increase over all series that have two samples. None when there is none: no data is not zero.
pub fn of_all(series: &[Series]) -> Option<Increase> {
    series.iter().filter_map(|series| of_series(&series.samples)).reduce(|sum, next| Increase {
        total: sum.total + next.total,
        newest_ms: sum.newest_ms.max(next.newest_ms),
        seconds: sum.seconds.max(next.seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples(values: &[f64]) -> Vec<Sample> {
        (0_i64..).zip(values).map(|(n, value)| Sample { at_ms: n * 1000, value: *value }).collect()
    }

    #[test]
    fn a_reset_counts_from_zero() {
        assert_eq!(of_series(&samples(&[10.0, 15.0, 3.0, 4.0])).map(|increase| increase.total), Some(9.0));
    }

    #[test]
    fn one_sample_is_no_evidence() {
        assert_eq!(of_series(&samples(&[10.0])), None);
        assert_eq!(of_all(&[]), None);
    }

    proptest! {
        #[test]
        fn without_a_reset_it_is_last_minus_first(steps in prop::collection::vec(0_u32..1000, 2..50)) {
            let mut sum = 0.0;
            let values: Vec<f64> = steps.iter().map(|step| { sum += f64::from(*step); sum }).collect();
            let increase = of_series(&samples(&values)).unwrap();
            prop_assert!((increase.total - (values[values.len() - 1] - values[0])).abs() < 1e-9);
        }

        #[test]
        fn it_is_never_negative(values in prop::collection::vec(0.0_f64..1e9, 2..50)) {
            prop_assert!(of_series(&samples(&values)).unwrap().total >= 0.0);
        }
    }
}
