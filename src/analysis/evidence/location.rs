//! By how much one sample lies above another: the exact Hodges-Lehmann estimate and its distribution-free interval.

use super::{differences::Differences, normal, real};

/// Products of sample sizes up to which the Mann-Whitney distribution is counted out.
const COUNTED: usize = 400;

/// The shift of a canary against its baseline, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The median of all differences of a canary's value from a baseline's.
    pub estimate: f64,
    /// The lower bound; minus infinity when the samples are too small for the confidence.
    pub low: f64,
    /// The upper bound; infinity when the samples are too small for the confidence.
    pub high: f64,
}

/// The shift of `canary` (n values) against `baseline` (m values) with a two-sided interval of `confidence` (0.95 is 95 %).
///
/// Assumes independent values; where the two distributions have the same form the interval covers their shift. It is closed and ignores
/// ties, which can only make it cover more often. All three numbers are order statistics of the differences (the estimate the mean of
/// the middle two when their number is even): another unit changes nothing else, swapped sides change the signs.
/// For one look at data that are complete. Looked at again and again it is wrong too often: see [`super::sequential`].
///
/// Source: the estimate, J. L. Hodges, E. L. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34
/// (1963) 598-611; the interval, E. L. Lehmann, "Nonparametric confidence intervals for a shift parameter", ibid. 1507-1512: from the
/// c-th least to the c-th greatest difference, where c is the greatest number with P(U < c) at most half of what confidence leaves,
/// counted up to n m = 400, by the normal distribution with continuity correction beyond.
///
/// None when a side is empty or holds a value that is not finite, or the confidence is not between 0 and 1.
pub fn shift(canary: &[f64], baseline: &[f64], confidence: f64) -> Option<Shift> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let differences = Differences::of(canary, baseline)?;
    let count = differences.count();
    let estimate = if count.is_multiple_of(2) {
        let (lower, upper) = differences.nth_and_next(count / 2 - 1)?;
        lower / 2.0 + upper? / 2.0
    } else {
        differences.nth(count / 2)?
    };
    let Some(outside) = outside(canary.len(), baseline.len(), (1.0 - confidence) / 2.0)?.checked_sub(1) else {
        return Some(Shift { estimate, low: f64::NEG_INFINITY, high: f64::INFINITY });
    };
    Some(Shift { estimate, low: differences.nth(outside)?, high: differences.nth(count.checked_sub(1 + outside)?)? })
}

/// The greatest number c with P(U < c) at most `tail` when nothing differs; U counts the pairs in which the canary's value is greater.
fn outside(n: usize, m: usize, tail: f64) -> Option<usize> {
    let pairs = n * m;
    if pairs <= COUNTED {
        let ways = ways(n, m);
        let all: f64 = ways.iter().sum();
        let mut below = 0.0;
        let within = ways.iter().take_while(|ways| {
            below += **ways;
            below <= tail * all
        });
        return Some(within.count());
    }
    let middle = real(pairs) / 2.0;
    let deviation = (real(pairs) * (real(n) + real(m) + 1.0) / 12.0).sqrt();
    let least = (middle + 0.5 + normal::quantile(tail)? * deviation).floor().max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and half the number of pairs")]
    Some(least as usize)
}

/// In how many arrangements of two samples U is 0, 1, and so on: the coefficients of the Gaussian binomial.
///
/// Source: the counts of Mann and Whitney, by their generating function.
#[expect(clippy::indexing_slicing, reason = "both indices run below the length")]
fn ways(n: usize, m: usize) -> Vec<f64> {
    let mut ways = vec![0.0; n * m + 1];
    ways[0] = 1.0;
    for part in 1..=n {
        for at in (m + part..ways.len()).rev() {
            ways[at] -= ways[at - m - part];
        }
        for at in part..ways.len() {
            ways[at] += ways[at - part];
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_number_of_ways_is_that_of_the_published_table() {
        assert_eq!(ways(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(ways(3, 2), [1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
        // 20 against 20: critical value 127 at 5 % two-sided in every table, so that c is 128.
        assert_eq!(outside(20, 20, 0.025), Some(128));
        assert_eq!(outside(5, 5, 0.025), Some(3));
        assert_eq!(outside(3, 3, 0.025), Some(0));
    }

    #[test]
    fn beyond_the_counts_the_normal_distribution_takes_over_without_a_step() {
        let counted: f64 = 128.0;
        let deviation = (400.0_f64 * 41.0 / 12.0).sqrt();
        let normal = (200.5 + normal::quantile(0.025).unwrap() * deviation).floor();
        assert!((counted - normal).abs() <= 1.0, "{normal}");
    }

    #[test]
    fn three_against_three_know_no_bound_at_95_per_cent() {
        let found = shift(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 0.95).unwrap();
        assert_eq!((found.estimate, found.low, found.high), (0.0, f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(shift(&[], &[1.0], 0.95), None);
        assert_eq!(shift(&[1.0], &[f64::INFINITY], 0.95), None);
        assert_eq!(shift(&[1.0], &[1.0], 1.0), None);
    }

    #[test]
    fn a_unit_changes_no_sign_however_small() {
        let canary: Vec<f64> = (0..60).map(|n| 1.3 + f64::from(n * 37 % 61) / 100.0).collect();
        let baseline: Vec<f64> = (0..60).map(|n| 1.0 + f64::from(n * 23 % 61) / 100.0).collect();
        let plain = shift(&canary, &baseline, 0.98).unwrap();
        assert!(plain.low > 0.0);
        for scale in [1e-300, 1e-5, 1e7, 1e300] {
            let scaled = |side: &[f64]| side.iter().map(|value| value * scale).collect::<Vec<f64>>();
            let found = shift(&scaled(&canary), &scaled(&baseline), 0.98).unwrap();
            assert!(found.low > 0.0 && (found.low / scale / plain.low - 1.0).abs() < 1e-9, "{scale}: {found:?}");
        }
    }

    fn sample(least: usize) -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec((-400_i32..400).prop_map(|n| f64::from(n) / 8.0), least..60)
    }

    proptest! {
        #[test]
        fn swapped_sides_change_the_signs_and_doubled_values_double(canary in sample(1), baseline in sample(1)) {
            let (one, other) = (shift(&canary, &baseline, 0.95).unwrap(), shift(&baseline, &canary, 0.95).unwrap());
            prop_assert_eq!((one.estimate, one.low, one.high), (-other.estimate, -other.high, -other.low));
            prop_assert!(one.low <= one.estimate && one.estimate <= one.high);
            let doubled = |side: &[f64]| side.iter().map(|value| value * 2.0).collect::<Vec<f64>>();
            let twice = shift(&doubled(&canary), &doubled(&baseline), 0.95).unwrap();
            prop_assert_eq!((twice.estimate, twice.low, twice.high), (one.estimate * 2.0, one.low * 2.0, one.high * 2.0));
        }

        #[test]
        fn a_worse_value_never_lowers_the_shift(canary in sample(4), baseline in sample(4), at in 0_usize..4, more in 0_u32..100) {
            let mut worse = canary.clone();
            worse[at] += f64::from(more);
            let (before, after) = (shift(&canary, &baseline, 0.9).unwrap(), shift(&worse, &baseline, 0.9).unwrap());
            prop_assert!(after.estimate >= before.estimate && after.low >= before.low && after.high >= before.high);
        }

        #[test]
        fn more_confidence_is_a_wider_interval(canary in sample(2), baseline in sample(2)) {
            let (less, more) = (shift(&canary, &baseline, 0.8).unwrap(), shift(&canary, &baseline, 0.99).unwrap());
            prop_assert!(more.low <= less.low && less.high <= more.high);
        }
    }
}
