//! Whether the worst values of a canary are worse than a baseline's, although most are the same.

use super::{Worse, beta, real};

/// The parts of the baseline that may lie beyond a threshold: none, one per cent, one twentieth, one tenth.
const BEYOND: [f64; 4] = [0.0, 0.01, 0.05, 0.1];
/// The part of the baseline beyond the threshold of which the ratio is told.
const TOLD: f64 = 0.05;

/// What the worst values say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// The chance of at least so many canary values beyond the baseline's thresholds while nothing differs: one-sided, for all thresholds.
    pub p: f64,
    /// At the threshold with the least chance; its bounds hold although it was chosen so. Its lower bound shows harm.
    pub sharpest: Beyond,
    /// At the threshold that a twentieth of the baseline lies beyond. Its upper bound excludes harm.
    pub twentieth: Beyond,
}

/// How many values lie beyond a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beyond {
    /// The threshold, a value of the baseline, in the unit of the values.
    pub threshold: f64,
    /// How many of the canary's values lie beyond it.
    pub canary: usize,
    /// How many of the baseline's values lie beyond it.
    pub baseline: usize,
    /// How many times as often the canary's values lie beyond it as the baseline's do, at the least.
    pub low: f64,
    /// The same at the most; it may be infinite.
    pub high: f64,
}

/// Compares the worst values of `canary` (n) with those of `baseline` (m); `confidence` is that of the ratio's two-sided bounds.
///
/// For each threshold, the baseline's order statistic with r of its values beyond it, the number k of canary values beyond it is the
/// exceedance statistic: while nothing differs, P(at least k) is that of at least k canary values among the k + r worst of both, a
/// hypergeometric tail, exact for every continuous distribution and too great, never too small, with ties. `p` is the least of the
/// distinct thresholds times their number (Bonferroni). Only ranks enter: another unit changes nothing, nor does how much worse the
/// worst are. Assumes independent values; for one look at data that are complete, see [`super::sequential::extremes`] otherwise.
///
/// The bounds of the ratio join those of two shares, each with half of what confidence leaves: the canary's beyond the threshold
/// (the exact interval of Clopper and Pearson) and the baseline's, whose share beyond its (r + 1)-th worst value
/// follows a beta distribution with r + 1 and m - r (S. S. Wilks, "Order statistics", sections 3 and 5).
///
/// Source: B. Epstein, "Tables for the distribution of the number of exceedances", Annals of Mathematical Statistics 25 (1954) 762-768;
/// the form with the hypergeometric tail is the same event counted from the worst value on.
///
/// None when a side is empty or holds a value that is not finite, or the confidence is not between 0 and 1.
pub fn compare(canary: &[f64], baseline: &[f64], worse: Worse, confidence: f64) -> Option<Tail> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let found = Sharpest::of(canary, baseline, worse)?;
    let outside = (1.0 - confidence) / 4.0;
    let sharpest = beyond(&found.canary, &found.baseline, found.rank, outside / found.number)?;
    let twentieth = beyond(&found.canary, &found.baseline, rank(TOLD, found.baseline.len()), outside)?;
    let turned = |beyond: Beyond| Beyond { threshold: worse.harm(beyond.threshold), ..beyond };
    Some(Tail { p: found.p, sharpest: turned(sharpest), twentieth: turned(twentieth) })
}

/// The chance alone, as [`compare`] has it, for an eighth of its cost: none of the bounds.
///
/// None when a side is empty or holds a value that is not finite.
pub fn chance_alone(canary: &[f64], baseline: &[f64], worse: Worse) -> Option<f64> {
    Sharpest::of(canary, baseline, worse).map(|found| found.p)
}

/// The threshold with the least chance, and the harm of both sides, the baseline's descending.
struct Sharpest {
    canary: Vec<f64>,
    baseline: Vec<f64>,
    rank: usize,
    number: f64,
    p: f64,
}

impl Sharpest {
    fn of(canary: &[f64], baseline: &[f64], worse: Worse) -> Option<Self> {
        if canary.is_empty() {
            return None;
        }
        let harm = |side: &[f64]| side.iter().map(|value| worse.harm(*value)).collect::<Vec<f64>>();
        let (canary, mut baseline) = (harm(canary), harm(baseline));
        if canary.iter().chain(&baseline).any(|value| !value.is_finite()) {
            return None;
        }
        baseline.sort_unstable_by(|one, other| other.total_cmp(one));
        let mut ranks = BEYOND.map(|part| rank(part, baseline.len())).to_vec();
        ranks.dedup();
        let number = real(ranks.len());
        let mut found: Option<(f64, usize)> = None;
        for rank in ranks {
            let chance = chance(&canary, &baseline, rank)?;
            if found.is_none_or(|(least, _)| chance < least) {
                found = Some((chance, rank));
            }
        }
        let (least, rank) = found?;
        Some(Self { canary, baseline, rank, number, p: (least * number).min(1.0) })
    }
}

/// The upper bound of the share of the canary's values that lie further beyond the worst of the baseline than `margin`, and how many do;
/// one-sided with `confidence`, the exact bound of Clopper and Pearson.
///
/// None when a side is empty or holds a value that is not finite.
pub fn beyond_worst(canary: &[f64], baseline: &[f64], worse: Worse, margin: f64, confidence: f64) -> Option<(usize, f64)> {
    let finite = |side: &[f64]| !side.is_empty() && side.iter().all(|value| value.is_finite());
    if !(finite(canary) && finite(baseline)) {
        return None;
    }
    let worst = baseline.iter().map(|value| worse.harm(*value)).fold(f64::NEG_INFINITY, f64::max);
    let beyond = canary.iter().filter(|value| worse.harm(**value) - worst > margin).count();
    Some((beyond, beta::quantile(confidence, real(beyond) + 1.0, real(canary.len() - beyond))))
}

/// How many values a canary needs so that `beyond` of them exclude a share with a confidence. None over a million.
pub fn enough(beyond: usize, share: f64, confidence: f64) -> Option<usize> {
    // The bound is under the share where more than the confidence lies below the share: one step in place of a search.
    let excludes = |values: usize| values > beyond && beta::below(share, real(beyond) + 1.0, real(values - beyond)) > confidence;
    let (mut low, mut high) = (beyond, beyond.max(1));
    while !excludes(high) {
        low = high;
        high = high.checked_mul(2).filter(|high| *high <= 1_000_000)?;
    }
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if excludes(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// The chance of at least so many beyond the value of a descending baseline at a rank.
fn chance(canary: &[f64], baseline: &[f64], rank: usize) -> Option<f64> {
    let threshold = *baseline.get(rank)?;
    let k = canary.iter().filter(|value| **value > threshold).count();
    Some(at_least(real(k), real(rank), real(canary.len()), real(baseline.len())))
}

/// How many lie beyond the value of a descending baseline at a rank, and the ratio with so much outside each of four bounds.
fn beyond(canary: &[f64], baseline: &[f64], rank: usize, outside: f64) -> Option<Beyond> {
    let threshold = *baseline.get(rank)?;
    let beyond = |side: &[f64]| side.iter().filter(|value| **value > threshold).count();
    let (of_canary, of_baseline) = (beyond(canary), beyond(baseline));
    let (k, r, n, m) = (real(of_canary), real(rank), real(canary.len()), real(baseline.len()));
    let least = beta::quantile(outside, r + 1.0, m - r);
    let low = beta::quantile(outside, k, n - k + 1.0) / beta::quantile(1.0 - outside, r + 1.0, m - r);
    let high = if least > 0.0 { beta::quantile(1.0 - outside, k + 1.0, n - k) / least } else { f64::INFINITY };
    Some(Beyond { threshold, canary: of_canary, baseline: of_baseline, low, high })
}

/// How many of so many values are beyond when a part of them is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of values")]
fn rank(part: f64, of: usize) -> usize {
    (part * real(of)).floor() as usize
}

/// The chance of at least `k` of `n` values among the `k + r` worst of `n + m`.
fn at_least(k: f64, r: f64, n: f64, m: f64) -> f64 {
    let all = beta::ln_choose(n + m, k + r);
    let mut of_baseline = 0.0;
    let mut chance = 0.0;
    while of_baseline <= r {
        chance += (beta::ln_choose(n, k + r - of_baseline) + beta::ln_choose(m, of_baseline) - all).exp();
        of_baseline += 1.0;
    }
    chance.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::location;
    use super::*;

    fn steady(count: u32) -> Vec<f64> {
        (0..count).map(|n| 100.0 + f64::from(n * 7919 % 1009) / 100.0).collect()
    }

    fn twentieth_slow(count: u32) -> Vec<f64> {
        (0..count).map(|n| (100.0 + f64::from(n * 6007 % 1009) / 100.0) * if n % 20 == 7 { 100.0 } else { 1.0 }).collect()
    }

    #[test]
    fn enough_is_the_least_number_whose_bound_excludes_the_share() {
        for confidence in [0.9, 0.975, 0.9995] {
            for (beyond, share) in [(0, 0.05), (1, 0.05), (7, 0.05), (0, 0.3), (40, 0.11)] {
                let found = enough(beyond, share, confidence).unwrap();
                let bound = |values: usize| beta::quantile(confidence, real(beyond) + 1.0, real(values - beyond));
                assert!(bound(found) < share && bound(found - 1) >= share, "{confidence} {beyond} {share}: {found}");
            }
        }
        assert_eq!(enough(0, 1e-9, 0.95), None);
    }

    #[test]
    fn every_twentieth_a_hundred_times_slower_is_seen_here_and_not_in_the_shift() {
        let (canary, baseline) = (twentieth_slow(400), steady(400));
        let shift = location::shift(&canary, &baseline, 0.95).unwrap();
        assert!(shift.low < 0.5, "the location moves by less than half a millisecond in a hundred: {shift:?}");
        let tail = compare(&canary, &baseline, Worse::Higher, 0.95).unwrap();
        assert!(tail.p < 0.001 && tail.sharpest.low > 1.0, "{tail:?}");
        let even = compare(&steady(400), &steady(400), Worse::Higher, 0.95).unwrap();
        assert!(even.p > 0.5 && even.sharpest.low < 1.0 && even.twentieth.high < 3.0, "{even:?}");
        let gain = compare(&canary, &baseline, Worse::Lower, 0.95).unwrap();
        assert!(gain.p > 0.5, "slower is no harm where lower is worse: {gain:?}");
    }

    #[test]
    fn seven_of_ten_are_seen_and_three_of_ten_are_too_few() {
        let slow = |bad: u32| (0..10).map(|n| f64::from(n) + if n < bad { 1000.0 } else { 100.0 }).collect::<Vec<f64>>();
        let seven = compare(&slow(7), &slow(0), Worse::Higher, 0.95).unwrap();
        // C(10, 7) / C(20, 7) for the threshold that no value of the baseline is beyond; two thresholds.
        assert!((seven.p - 2.0 * 120.0 / 77_520.0).abs() < 1e-9, "{seven:?}");
        let three = compare(&slow(3), &slow(0), Worse::Higher, 0.95).unwrap();
        assert!(three.p > 0.05 && three.twentieth.high > 10.0, "not shown, and far from excluded: {three:?}");
    }

    #[test]
    fn the_chance_is_that_of_epsteins_distribution() {
        // P(k values of a second sample of n exceed the s-th largest of a first of n) = C(k+s-1, k) C(2n-k-s, n-k) / C(2n, n).
        let (n, s) = (12.0, 3.0);
        let exactly =
            |k: f64| (beta::ln_choose(k + s - 1.0, k) + beta::ln_choose(2.0 * n - k - s, n - k) - beta::ln_choose(2.0 * n, n)).exp();
        for least in 0..=12 {
            let sum: f64 = (least..=12).map(|k| exactly(f64::from(k))).sum();
            assert!((at_least(f64::from(least), s - 1.0, n, n) - sum).abs() < 1e-10, "{least}");
        }
    }

    #[test]
    fn fifty_nine_values_exclude_a_twentieth() {
        // 0.95 ^ 59 is the first power under 0.05 (the rule of three).
        assert_eq!((enough(0, 0.05, 0.95), enough(1, 0.05, 0.95), enough(4, 0.05, 0.95)), (Some(59), Some(93), Some(181)));
        assert_eq!(enough(5, 0.0, 0.95), None);
        let (beyond, high) = beyond_worst(&[1.0; 59], &[1.0], Worse::Higher, 0.0, 0.95).unwrap();
        assert!(beyond == 0 && (high - (1.0 - 0.05_f64.powf(1.0 / 59.0))).abs() < 1e-9);
        assert_eq!(beyond_worst(&[3.0, 1.0], &[2.0, 0.0], Worse::Higher, 0.5, 0.95).unwrap().0, 1);
        assert_eq!(beyond_worst(&[3.0, 1.0], &[2.0, 0.0], Worse::Higher, 1.0, 0.95).unwrap().0, 0);
        assert_eq!(beyond_worst(&[-3.0, 1.0], &[-2.0, 0.0], Worse::Lower, 0.5, 0.95).unwrap().0, 1);
        assert_eq!(beyond_worst(&[], &[1.0], Worse::Lower, 0.5, 0.95), None);
    }

    #[test]
    fn nothing_says_nothing() {
        assert_eq!(compare(&[], &[1.0], Worse::Higher, 0.95), None);
        assert_eq!(compare(&[1.0], &[], Worse::Higher, 0.95), None);
        assert_eq!(compare(&[f64::INFINITY], &[1.0], Worse::Higher, 0.95), None);
        let single = compare(&[9.0], &[1.0], Worse::Higher, 0.95).unwrap();
        assert!(single.p > 0.49 && single.sharpest.low < 1.0 && single.twentieth.high > 1.0);
        let constant = compare(&[1.0; 50], &[1.0; 50], Worse::Higher, 0.95).unwrap();
        assert!(constant.p > 0.999 && constant.twentieth.canary == 0);
    }

    proptest! {
        #[test]
        fn a_worse_value_never_speaks_for_the_canary(
            values in proptest::collection::vec((-40_i32..40, -40_i32..40), 4..80), at in 0_usize..4, more in 1_i32..90,
        ) {
            let (mut canary, baseline): (Vec<f64>, Vec<f64>) = values.iter().map(|(c, b)| (f64::from(*c), f64::from(*b))).unzip();
            let before = compare(&canary, &baseline, Worse::Higher, 0.95).unwrap();
            canary[at] += f64::from(more);
            let after = compare(&canary, &baseline, Worse::Higher, 0.95).unwrap();
            prop_assert!(after.p <= before.p + 1e-12
                && after.twentieth.low >= before.twentieth.low
                && after.twentieth.high >= before.twentieth.high);
            prop_assert!((0.0..=1.0).contains(&after.p) && after.sharpest.low <= after.sharpest.high);
            let tripled = |side: &[f64]| side.iter().map(|value| value * 3.0).collect::<Vec<f64>>();
            let scaled = compare(&tripled(&canary), &tripled(&baseline), Worse::Higher, 0.95).unwrap();
            prop_assert_eq!((scaled.p, scaled.sharpest.low, scaled.twentieth.high), (after.p, after.sharpest.low, after.twentieth.high));
            let mirrored = |side: &[f64]| side.iter().map(|value| -value).collect::<Vec<f64>>();
            let other = compare(&mirrored(&canary), &mirrored(&baseline), Worse::Lower, 0.95).unwrap();
            prop_assert_eq!((other.p, other.sharpest.low, other.twentieth.high), (after.p, after.sharpest.low, after.twentieth.high));
        }
    }
}
