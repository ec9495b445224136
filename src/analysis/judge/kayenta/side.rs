//! One side of a metric, made ready: missing values and outliers treated as the rules say.

use crate::analysis::judge::ranks::{count, sorted};
use crate::analysis::judge::{Measured, Point};
use crate::model::judging::{MetricRules, Missing, Outliers};

/// Beyond this the difference of two values may be none.
const LARGEST: f64 = f64::MAX / 4.0;

/// A side that is ready to be compared.
pub(super) struct Side {
    /// In the order of time.
    pub(super) values: Vec<f64>,
    /// In their own order.
    pub(super) sorted: Vec<f64>,
    /// Whether anything was measured.
    pub(super) measured: bool,
}

impl Side {
    /// Makes a side ready: what is missing first, then the outliers of what is left.
    pub(super) fn of(points: &[Point], rules: &MetricRules) -> Self {
        let numbers: Vec<Option<f64>> = points.iter().map(|point| point.value.and_then(Measured::number)).collect();
        let measured = numbers.iter().any(Option::is_some);
        let mut values: Vec<f64> = match rules.missing {
            Missing::Remove => numbers.into_iter().flatten().collect(),
            Missing::Replace => numbers.into_iter().map(Option::unwrap_or_default).collect(),
        };
        match rules.outliers {
            Outliers::Keep => {}
            Outliers::Remove => {
                let (low, high) = fences(&sorted(&values), rules.outlier_factor);
                values.retain(|value| !(*value > high || *value < low));
            }
        }
        Self { sorted: sorted(&values), values, measured }
    }

    /// Nothing is left to compare.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The one value that all of them have.
    pub(super) fn constant(&self) -> Option<f64> {
        let (first, last) = (*self.sorted.first()?, *self.sorted.last()?);
        (first >= last).then_some(first)
    }

    /// Every value can be subtracted from every other.
    pub(super) fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.abs() <= LARGEST)
    }

    /// The mean in two passes, the second of which takes back what the first lost by rounding.
    pub(super) fn mean(&self) -> f64 {
        let many = count(&self.values);
        let rough = self.values.iter().sum::<f64>() / many;
        rough + self.values.iter().map(|value| value - rough).sum::<f64>() / many
    }
}

/// Between which values there are no outliers: so many interquartile ranges beyond the quartiles, but never inside the 1st and the
/// 99th percentile.
fn fences(sorted: &[f64], factor: f64) -> (f64, f64) {
    let [first, quarter, three_quarters, last] = [0.01, 0.25, 0.75, 0.99].map(|share| percentile(sorted, share));
    let range = three_quarters - quarter;
    (first.min(quarter - factor * range), last.max(three_quarters + factor * range))
}

/// A percentile of a sorted sample, between two values on the line between them (R's type 7); NaN of nothing.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return f64::NAN };
    let place = 1.0 + (count(sorted) - 1.0) * share;
    let below = place.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a sample, from 1 to its length")]
    let index = below as usize;
    match (index.checked_sub(1).and_then(|at| sorted.get(at)), sorted.get(index)) {
        (Some(low), Some(high)) => low + (place - below) * (high - low),
        (Some(_), None) => *most,
        (None, _) => *least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn points(values: &[f64]) -> Vec<Point> {
        let point = |(second, value): (i64, &f64)| Point {
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
            value: Some(Measured::Value(*value)),
        };
        (0..).zip(values).map(point).collect()
    }

    fn side(values: &[f64], missing: Missing, outliers: Outliers) -> Side {
        Side::of(&points(values), &MetricRules { missing, outliers, ..MetricRules::named("m") })
    }

    /// Without the widening to percentiles, as Kayenta's detector is by itself.
    fn outside(values: &[f64], factor: f64) -> Vec<bool> {
        let order = sorted(values);
        let (quarter, three) = (percentile(&order, 0.25), percentile(&order, 0.75));
        let range = three - quarter;
        values.iter().map(|value| *value > three + factor * range || *value < quarter - factor * range).collect()
    }

    #[test]
    fn kayenta_statistic_suite_percentiles() {
        // StatisticSuite.scala: "Basic Percentile", "Basic Percentile Estimate (Linear Interpolation)", "Percentile (NIST Data)",
        // "Percentile Metric Object".
        let halves = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5];
        for (share, expected) in [(0.05, 0.175), (0.5, 1.75), (1.0, 3.5), (0.0, 0.0)] {
            assert!((percentile(&halves, share) - expected).abs() < 1e-12, "{share}");
        }
        let ten: Vec<f64> = (0..10).map(f64::from).collect();
        assert!((percentile(&ten, 0.5) - 4.5).abs() < 1e-12);
        let nist = [95.1772, 95.1567, 95.1937, 95.1959, 95.1442, 95.0610, 95.1591, 95.1195, 95.1772, 95.0925, 95.1990, 95.1682];
        assert!((percentile(&sorted(&nist), 0.9) - 95.19568).abs() < 1e-9);
        assert!((percentile(&[1.0], 1.0) - 1.0).abs() < 1e-12);
        assert!(percentile(&[], 0.5).is_nan());
    }

    #[test]
    fn kayenta_detector_suite_interquartile_range() {
        // DetectorSuite.scala: "IQR Detection", "IQR Detect Two Sided", "IQR Empty Data".
        let found = outside(&[21.0, 23.0, 24.0, 25.0, 50.0, 29.0, 23.0, 21.0], 1.5);
        assert_eq!(found, [false, false, false, false, true, false, false, false]);
        let found = outside(&[1.0, 1.0, 1.0, 5.0, -1.0, -1.0, -1.0, -5.0], 1.5);
        assert_eq!(found, [false, false, false, true, false, false, false, true]);
        assert!(outside(&[], 1.5).is_empty());
    }

    #[test]
    fn kayenta_transform_suite_missing_values() {
        // TransformSuite.scala: "Remove Single NaN", "Remove Multiple NaN", "Replace NANs".
        let left = side(&[0.0, 1.0, f64::NAN, 1.0, 0.0], Missing::Remove, Outliers::Keep);
        assert_eq!(left.values, [0.0, 1.0, 1.0, 0.0]);
        let none = side(&[f64::NAN; 3], Missing::Remove, Outliers::Keep);
        assert!(none.is_empty() && !none.measured);
        let replaced = side(&[f64::NAN, 10.1, 20.2, 30.3, f64::NAN, 40.4], Missing::Replace, Outliers::Keep);
        assert_eq!(replaced.values, [0.0, 10.1, 20.2, 30.3, 0.0, 40.4]);
        let nothing = side(&[f64::NAN; 3], Missing::Replace, Outliers::Keep);
        assert!(!nothing.is_empty() && !nothing.measured);
    }

    #[test]
    fn outliers_go_beyond_the_wider_fence_only() {
        // TransformSuite.scala, "IQR Outlier Removal", whose detector has no percentiles: with them 50 is an outlier of many only.
        let few = side(&[21.0, 23.0, 24.0, 25.0, 50.0, 29.0, 23.0, 21.0], Missing::Remove, Outliers::Remove);
        assert_eq!(few.values, [21.0, 23.0, 24.0, 25.0, 29.0, 23.0, 21.0], "the 99th percentile is below the largest of eight");
        let close = side(&[21.0, 23.0, 24.0, 25.0, 30.0, 29.0, 23.0, 21.0], Missing::Remove, Outliers::Remove);
        assert_eq!(close.values.len(), 8, "three interquartile ranges reach further than the 99th percentile");
        let mut many: Vec<f64> = (0..400).map(|n| f64::from(n % 7)).collect();
        many.extend([50.0; 8]);
        let kept = side(&many, Missing::Remove, Outliers::Remove);
        assert_eq!(kept.values.len(), 408, "two in a hundred are no outliers: the fence is at the 99th percentile");
        assert!(side(&[], Missing::Remove, Outliers::Remove).is_empty());
    }
}
