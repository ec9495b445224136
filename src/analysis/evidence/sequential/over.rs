//! Whether a rate is over a limit by itself, and whether it is over another's: bets that may be looked at after every increment, for what must be seen soon.

use serde::{Deserialize, Serialize};

use super::wealth::log_mean_exp;

/// What is staked on one more bad event, for each that is expected at the limit or of the baseline.
const STAKES: [f64; 6] = [0.25, 0.7, 2.0, 6.0, 18.0, 54.0];
/// The part of the wealth that one bad event of the baseline may cost.
const MOST: f64 = 0.95;
/// The greatest gain of one increment (its logarithm, a factor of twenty): a burst within one interval is no proof by itself.
const GREATEST: f64 = 3.0;
/// After so many increments another process begins beside the first.
const RENEWED: u64 = 20;
/// So many of those are kept.
const KEPT: usize = 6;
/// The part of the level that the first process has; the others share the rest.
const FIRST: f64 = 0.5;

/// Increments so far, from several beginnings.
///
/// Alone, an increment of n events multiplies the wealth against "the rate is at most L" by (1 + s)^bad exp(-s n L), whose mean is at most
/// exp(s n (p - L)): at most 1 while the rate, given what was before, is at most L, however it moves below that. Compared, it
/// multiplies the wealth against "the canary's rate is at most the baseline's" as in [`super::counts`], without a margin. Neither is
/// tempered for dependence: the limit is a promise about the rate itself, and both must speak before a canary beside its baseline goes back.
/// No increment multiplies wealth by more than 20: less wealth is a supermartingale still, and the burst of a rate that swings from one
/// interval to the next, of which it is none, is no proof by itself (`trial/LEVEL.md`: of equals in bursts 1.3 % were past a limit without this,
/// none with it).
/// The first process has half of the level, the k-th after it half times 6 / (pi k)^2, so that harm that comes late is not outweighed by
/// what was good before.
///
/// Source: as in [`super::counts`]; the mixture over beginnings as in J. Shin, A. Ramdas, A. Rinaldo, "E-detectors" (2024).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Over {
    /// The limit; none where the process compares.
    limit: Option<f64>,
    taken: u64,
    begun: Vec<(u64, [f64; STAKES.len()])>,
}

impl Over {
    /// Nothing yet, against a limit. None unless it lies above 0 and below 1.
    pub fn limit(limit: f64) -> Option<Self> {
        (limit > 0.0 && limit < 1.0).then(|| Self { limit: Some(limit), ..Self::baseline() })
    }

    /// Nothing yet, against a baseline in the same intervals.
    pub fn baseline() -> Self {
        Self { limit: None, taken: 0, begun: vec![(0, [0.0; STAKES.len()])] }
    }

    /// Takes (bad, total) of the canary in one interval, and of the baseline, which is only looked at where it is compared with.
    pub fn take(&mut self, canary: (f64, f64), baseline: (f64, f64)) {
        let limit = self.limit;
        let fit = |(bad, total): (f64, f64)| total > 0.0 && total.is_finite() && bad >= 0.0 && bad <= total;
        if !fit(canary) || limit.is_none() && !fit(baseline) {
            return;
        }
        for (_, wealth) in &mut self.begun {
            for (won, stake) in wealth.iter_mut().zip(STAKES) {
                let gain = if let Some(limit) = limit {
                    canary.0 * stake.ln_1p() - stake * canary.1 * limit
                } else {
                    let ratio = canary.1 / baseline.1;
                    let stake = stake.min(MOST / ratio);
                    canary.0 * stake.ln_1p() + baseline.0 * (-stake * ratio).ln_1p()
                };
                *won += gain.min(GREATEST);
            }
        }
        self.taken += 1;
        if self.taken.is_multiple_of(RENEWED) {
            self.begun.push((self.taken / RENEWED, [0.0; STAKES.len()]));
            if self.begun.len() > KEPT + 1 {
                self.begun.remove(1);
            }
        }
    }

    /// Whether it is over, at a level.
    pub fn is_over(&self, alpha: f64) -> bool {
        self.begun.iter().any(|(k, wealth)| log_mean_exp(wealth.iter().copied()) >= -(alpha * share(*k)).ln())
    }
}

/// The part of the level that the k-th process after the first has.
#[expect(clippy::cast_precision_loss, reason = "intervals stay far below 2^52")]
fn share(k: u64) -> f64 {
    if k == 0 { FIRST } else { (1.0 - FIRST) * 6.0 / (std::f64::consts::PI * k as f64).powi(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(mut over: Over, canary: (f64, f64), baseline: (f64, f64), intervals: u32) -> Over {
        (0..intervals).for_each(|_| over.take(canary, baseline));
        over
    }

    #[test]
    fn one_interval_is_no_proof_however_bad_it_was() {
        let (limit, baseline) = (|| Over::limit(0.01).unwrap(), Over::baseline);
        assert!(!fed(limit(), (900.0, 1000.0), (0.0, 0.0), 1).is_over(0.01) && fed(limit(), (900.0, 1000.0), (0.0, 0.0), 4).is_over(0.01));
        assert!(!fed(baseline(), (900.0, 1000.0), (1.0, 1000.0), 1).is_over(0.01));
        assert!(fed(baseline(), (900.0, 1000.0), (1.0, 1000.0), 4).is_over(0.01));
    }

    #[test]
    fn five_times_the_limit_is_seen_in_some_hundred_requests_and_what_is_at_it_is_not() {
        let limit = || Over::limit(0.01).unwrap();
        assert!(fed(limit(), (5.0, 100.0), (0.0, 0.0), 3).is_over(0.01));
        assert!(!fed(limit(), (3.0, 100.0), (0.0, 0.0), 1).is_over(0.01), "three of a hundred are no proof of more than one in a hundred");
        assert!(!fed(limit(), (10.0, 1000.0), (0.0, 0.0), 500).is_over(0.01));
        assert!(Over::limit(0.0).is_none() && Over::limit(1.0).is_none() && Over::limit(f64::NAN).is_none());
    }

    #[test]
    fn a_baseline_that_is_as_bad_speaks_for_the_canary() {
        assert!(!fed(Over::baseline(), (5.0, 100.0), (95.0, 1900.0), 300).is_over(0.01));
        assert!(fed(Over::baseline(), (5.0, 100.0), (6.0, 1900.0), 3).is_over(0.01));
        assert!(!fed(Over::baseline(), (5.0, 100.0), (0.0, 0.0), 300).is_over(0.01), "nothing to compare with is no evidence");
    }

    #[test]
    fn what_comes_late_is_not_outweighed_by_what_was_good() {
        let good = fed(Over::limit(0.01).unwrap(), (0.0, 1000.0), (0.0, 0.0), 200);
        assert!(fed(good, (30.0, 1000.0), (0.0, 0.0), 25).is_over(0.01));
    }

    #[test]
    fn one_factor_is_a_supermartingale_for_independent_requests() {
        let chance = |n: i32, k: i32, p: f64| {
            let choose: f64 = (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product();
            choose * p.powi(k) * (1.0 - p).powi(n - k)
        };
        for (p, q) in [(0.3, 0.3), (0.02, 0.02), (0.1, 0.4), (0.9, 0.95)] {
            let (mut alone, mut beside) = ([0.0; STAKES.len()], [0.0; STAKES.len()]);
            for (k, l) in (0..=4).flat_map(|k| (0..=9).map(move |l| (k, l))) {
                let (canary, baseline) = ((f64::from(k), 4.0), (f64::from(l), 9.0));
                let chance = chance(4, k, p) * chance(9, l, q);
                let of = |over: Over| fed(over, canary, baseline, 1).begun[0].1;
                alone.iter_mut().zip(of(Over::limit(p).unwrap())).for_each(|(mean, won)| *mean += chance * won.exp());
                beside.iter_mut().zip(of(Over::baseline())).for_each(|(mean, won)| *mean += chance * won.exp());
            }
            assert!(alone.iter().chain(&beside).all(|mean| *mean <= 1.0 + 1e-12), "{p} {q}: {alone:?} {beside:?}");
        }
    }
}
