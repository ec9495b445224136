//! How many samples see an effect with a wished chance.

use super::normal;

/// How many values a two-sample Wilcoxon (Mann-Whitney) test needs on both sides together, one-sided at `alpha`, to see with chance
/// `power` that a canary's value is worse than a baseline's with chance `worse` (0.5 is no effect), when `share` of them are the canary's.
///
/// Source: G. E. Noether, "Sample size determination for some common nonparametric tests", JASA 82 (1987) 645-647, the formula for the
/// two-sample Wilcoxon test: (z of alpha + z of power)^2 / (12 c (1 - c) (p - 1/2)^2).
///
/// None unless all are between 0 and 1, and `worse` above a half.
pub fn values(worse: f64, share: f64, alpha: f64, power: f64) -> Option<u64> {
    if !(worse > 0.5 && worse <= 1.0 && share > 0.0 && share < 1.0) {
        return None;
    }
    let quantiles = normal::quantile(1.0 - alpha)? + normal::quantile(power)?;
    whole(quantiles.max(0.0).powi(2) / (12.0 * share * (1.0 - share) * (worse - 0.5).powi(2)))
}

/// How many pairs of intervals the bets of [`super::sequential::values`] need at `alpha` to fail with chance `power` a canary that is the
/// worse of an independent pair with chance `worse`. A guide, not a bound: dependence and the caution about it ask for more.
///
/// Source: the expected logarithm of the wealth of the best bet per toss is the Kullback-Leibler divergence from a fair coin
/// (the growth rate of J. L. Kelly); the wealth's logarithm is
/// taken as normal about it, and a mixture of ten stakes costs at most the logarithm of ten.
///
/// None unless all are between 0 and 1, and `worse` above a half.
pub fn pairs(worse: f64, alpha: f64, power: f64) -> Option<u64> {
    if !(worse > 0.5 && worse <= 1.0) {
        return None;
    }
    let (heads, tails) = ((2.0 * worse).ln(), if worse < 1.0 { (2.0 * (1.0 - worse)).ln() } else { 0.0 });
    let growth = worse * heads + (1.0 - worse) * tails;
    let variance = worse * (1.0 - worse) * (heads - tails).powi(2);
    until(growth, variance, 10.0, alpha, power)
}

/// How many requests the canary needs for the bets of [`super::sequential::counts`] to fail it at `alpha` with chance `power` when its
/// rate is `canary`, the baseline's `baseline` (both in bad of total), and `ratio` requests go to it for one to the baseline. A guide,
/// as [`pairs`]: for independent requests and no margin.
///
/// Source: as [`pairs`], with the divergence of two Poisson counts from equal rates.
///
/// None unless the rates are between 0 and 1, `canary` is above `baseline`, and `ratio` is positive and finite.
pub fn requests(canary: f64, baseline: f64, ratio: f64, alpha: f64, power: f64) -> Option<u64> {
    if !(baseline >= 0.0 && canary > baseline && canary <= 1.0 && ratio > 0.0 && ratio.is_finite()) {
        return None;
    }
    let common = (canary * ratio + baseline) / (ratio + 1.0);
    let (hit, miss) = ((canary / common).ln(), if baseline > 0.0 { (baseline / common).ln() } else { 0.0 });
    let growth = canary * hit + baseline / ratio * miss;
    let variance = canary * hit * hit + baseline / ratio * miss * miss;
    until(growth, variance, 9.0, alpha, power)
}

/// The least number of steps after which a sum with so much growth and variance a step is enough with chance `power`.
fn until(growth: f64, variance: f64, stakes: f64, alpha: f64, power: f64) -> Option<u64> {
    if !(alpha > 0.0 && alpha < 1.0 && growth > 0.0) {
        return None;
    }
    let enough = stakes.ln() - alpha.ln();
    let slack = normal::quantile(power)? * variance.sqrt();
    // n growth - slack sqrt(n) = enough, solved for sqrt(n).
    let root = (slack + (slack * slack + 4.0 * growth * enough).sqrt()) / (2.0 * growth);
    whole(root * root)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number, bounded before")]
fn whole(number: f64) -> Option<u64> {
    (number.is_finite() && number < 1e15).then(|| number.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn noethers_formula_by_hand() {
        // (1.6449 + 1.2816)^2 / (12 / 4 * 0.04) = 8.5643 / 0.12 = 71.4.
        assert_eq!(values(0.7, 0.5, 0.05, 0.9), Some(72));
        assert_eq!(values(0.5, 0.5, 0.05, 0.9), None);
        assert_eq!(values(0.7, 0.0, 0.05, 0.9), None);
        assert_eq!(values(0.7, 0.5, 1.5, 0.9), None);
        assert_eq!(values(f64::NAN, 0.5, 0.05, 0.9), None);
    }

    #[test]
    fn a_canary_that_is_always_worse_needs_the_level_in_bits() {
        // ln(10) + ln(20) = 5.3 nats, 0.693 a pair.
        assert_eq!(pairs(1.0, 0.05, 0.9), Some(8));
        assert_eq!(requests(0.01, 0.01, 1.0, 0.05, 0.9), None);
        assert_eq!(requests(0.02, 0.01, f64::INFINITY, 0.05, 0.9), None);
    }

    proptest! {
        #[test]
        fn less_effect_less_level_and_more_power_need_more(worse in 0.55_f64..0.95, alpha in 0.001_f64..0.2, power in 0.5_f64..0.95) {
            prop_assert!(pairs(worse + 0.04, alpha, power) <= pairs(worse, alpha, power));
            prop_assert!(pairs(worse, alpha, power) <= pairs(worse, alpha / 2.0, power));
            prop_assert!(pairs(worse, alpha, power) <= pairs(worse, alpha, power + 0.04));
            prop_assert!(values(worse + 0.04, 0.3, alpha, power) <= values(worse, 0.3, alpha, power));
            prop_assert!(values(worse, 0.5, alpha, power) <= values(worse, 0.05, alpha, power));
            let rate = worse / 10.0;
            prop_assert!(requests(rate * 2.0, rate, 0.05, alpha, power) <= requests(rate * 1.5, rate, 0.05, alpha, power));
            prop_assert!(requests(rate * 2.0, rate, 0.05, alpha, power) <= requests(rate * 2.0, rate, 1.0, alpha, power));
        }
    }
}
