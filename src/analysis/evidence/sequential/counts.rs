//! Counts of a canary against those of its baseline in the same intervals, as errors of requests: bets on the difference of the rates.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::serial::{self, Kind, Scales};
use super::wealth::log_mean_exp;
use super::{Bets, Look, Side, Standing, enough, more, standing};

/// What the wealth against the canary bets per error of the canary; less where the canary has most of the traffic.
const AGAINST: [f64; 9] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8];
/// What the wealth for it stakes per error of the canary.
const FOR_IT: [f64; 8] = [0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9];
/// The part of the wealth that one error of the baseline may cost.
const MOST: f64 = 0.95;
/// Scales whose number of independent readings is itself uncertain, as the autocorrelation it comes from is.
const FINE: usize = 3;
/// The part of their independent readings that is trusted as degrees of freedom, of what may hang together. Found by simulation.
const TRUSTED: f64 = 0.3;
/// The same of coarser scales.
const TRUSTED_COARSE: f64 = 0.6;

/// Pairs of counts so far: (bad, total) of the canary and of the baseline for each interval, intervals that do not overlap.
///
/// Harm is the canary's rate less the baseline's, in bad of total (0.01 is one more error in a hundred requests).
///
/// Method: with n and m requests in an interval, r = n/m, and a stake s that is fixed before, an interval multiplies wealth against
/// "the harm is at most M" by (1 + s)^(bad of the canary) (1 - r s)^(bad of the baseline) exp(-s n M), and wealth against "at least M"
/// by the same with -s. For independent requests with rates p and q its mean is (1 + s p)^n (1 - r s q)^m exp(-s n M), at most
/// exp(s n (p - q - M)) as 1 + x is at most e^x: at most 1 while the hypothesis holds, whatever q is and however it moves. Equal parts
/// of the first wealth go to each stake. So the chance of one false verdict at any look is at most the level, for Bernoulli and for
/// Poisson counts. Bursts and rates that lean on their past break this: then wealth counts for less. The variance of canary less r
/// times baseline is compared with that of independent requests on several scales of time, taken up by its autocorrelation (its upper
/// bound on the finest scale), and wealth is that of a Student law with the independent readings found. It is the least over the scales
/// and never more than without. Dependence is looked for in two ways, each with half of the wealth: in what is left when harm adds the
/// same to every rate, and in what is left when it multiplies every rate (the canary's part of the errors of both, given their number:
/// a swing of both rates falls out of it). Without harm the two are one; with harm, that which fits sees no dependence. That part rests on simulation, not on a theorem; see the tables in [`super`].
///
/// Source: test martingales by betting and their mixture, I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by
/// betting", JRSS B 86 (2024); counts whose rate moves in time, M. Lindon, A. Malek, "Anytime-valid inference for multinomial
/// count data" (2022, arXiv 2011.03567); the factor above is this module's own, its proof is the line above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    margin: f64,
    pairs: u64,
    against: [Stake; AGAINST.len()],
    for_it: [Stake; FOR_IT.len()],
    /// Of canary less what the baseline's rate leads to expect: a harm that adds the same to every rate is no dependence there.
    scales: Scales,
    /// Of canary against its part of the errors of both: a harm that multiplies every rate is none there, however the rates swing.
    parts: Scales,
}

/// What one stake has won (in logarithms), and what each unit of margin takes off that or adds to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Stake {
    won: f64,
    per_margin: f64,
}

impl Counts {
    /// Nothing yet, for a rate that may be worse by up to `margin`, in bad of total. None unless it lies between -1 and 1.
    pub fn new(margin: f64) -> Option<Self> {
        (margin > -1.0 && margin < 1.0).then(|| Self {
            margin,
            pairs: 0,
            against: Default::default(),
            for_it: Default::default(),
            scales: Scales::default(),
            parts: Scales::default(),
        })
    }

    /// Takes the (bad, total) of both sides in one interval. An interval in which a side had no request, or with a count that is missing,
    /// negative, not finite or greater than its total is none: false, and nothing changes.
    pub fn take(&mut self, canary: (f64, f64), baseline: (f64, f64)) -> bool {
        let fit = |(bad, total): (f64, f64)| total > 0.0 && total.is_finite() && bad >= 0.0 && bad <= total;
        if !(fit(canary) && fit(baseline)) {
            return false;
        }
        let ratio = canary.1 / baseline.1;
        for (stake, share) in self.against.iter_mut().zip(AGAINST) {
            let share = share.min(MOST / ratio);
            stake.won += canary.0 * share.ln_1p() + baseline.0 * (-share * ratio).ln_1p();
            stake.per_margin -= share * canary.1;
        }
        for (stake, share) in self.for_it.iter_mut().zip(FOR_IT) {
            stake.won += canary.0 * (-share).ln_1p() + baseline.0 * (share * ratio).ln_1p();
            stake.per_margin += share * canary.1;
        }
        let variance = canary.0 + ratio * ratio * baseline.0;
        self.scales.take(canary.0 - ratio * baseline.0, canary.1, variance);
        let (part, errors) = (ratio / (ratio + 1.0), canary.0 + baseline.0);
        self.parts.take(canary.0, part * errors, part / (ratio + 1.0) * errors);
        self.pairs += 1;
        true
    }

    /// What follows at a level (0.05 is one false verdict on either side in twenty canaries); divide it by the number of measures.
    pub fn standing(&self, alpha: f64) -> Standing {
        standing(&self.at(alpha), self.margin, alpha, 1.0)
    }

    /// Whether the wealth against the canary has come to `wealth` (its logarithm), at a level.
    pub fn doubts(&self, alpha: f64, wealth: f64) -> bool {
        self.at(alpha).wealth(Side::Harm, self.margin, 1.0, wealth) >= wealth
    }

    /// All that is known at a level. Costs some hundred microseconds; [`Counts::standing`] costs one.
    pub fn look(&self, alpha: f64) -> Look {
        let bets = self.at(alpha);
        let enough = enough(alpha).unwrap_or(f64::INFINITY);
        Look {
            standing: self.standing(alpha),
            pairs: self.pairs,
            low: edge(-1.0, 1.0, |margin| bets.wealth(Side::Harm, margin, 1.0, enough) >= enough),
            high: edge(1.0, -1.0, |margin| bets.wealth(Side::Safety, margin, 1.0, enough) >= enough),
            against: bets.wealth(Side::Harm, self.margin, 1.0, f64::NEG_INFINITY),
            for_it: bets.wealth(Side::Safety, self.margin, 1.0, f64::NEG_INFINITY),
            more: more(&bets, self.margin, alpha),
        }
    }

    /// The harm as it was seen: the errors of the canary beyond what the baseline's rate in the same intervals leads to expect, of all its
    /// requests. None without pairs.
    pub fn estimate(&self) -> Option<f64> {
        self.scales.rate()
    }

    fn at(&self, alpha: f64) -> AtLevel<'_> {
        AtLevel { counts: self, alpha }
    }
}

/// How far from `from` towards `to` something holds that holds up to some point; `from` where it never does.
fn edge(from: f64, to: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut outside) = (from, to);
    for _ in 0..50 {
        let middle = f64::midpoint(inside, outside);
        if holds(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

struct AtLevel<'a> {
    counts: &'a Counts,
    alpha: f64,
}

impl AtLevel<'_> {
    fn tempered(&self, side: Side, margin: f64, weight: f64) -> f64 {
        let stakes = match side {
            Side::Harm => self.counts.against.as_slice(),
            Side::Safety => self.counts.for_it.as_slice(),
        };
        log_mean_exp(stakes.iter().map(|stake| weight * (stake.won + stake.per_margin * margin)))
    }
}

/// Wealth in logarithms as it is worth with a variance known from so many independent readings.
fn student(wealth: f64, readings: f64) -> f64 {
    if wealth <= 0.0 {
        return wealth;
    }
    let freedom = readings.max(1e-9);
    freedom / 2.0 * (2.0 * wealth / freedom).ln_1p()
}

impl Bets for AtLevel<'_> {
    #[expect(clippy::cast_precision_loss, reason = "intervals stay far below 2^52")]
    fn pairs(&self) -> f64 {
        self.counts.pairs as f64
    }

    fn wealth(&self, side: Side, margin: f64, stretch: f64, wanted: f64) -> f64 {
        if self.pairs() < serial::FEWEST {
            return 0.0;
        }
        let plain = self.tempered(side, margin, stretch);
        if plain < wanted {
            return plain;
        }
        let heard = |scales: &Scales| {
            let by_scale = scales.heard(stretch, serial::caution(self.alpha), Kind::Events).enumerate().map(|(at, found)| {
                let inflation = found.dispersion * found.serial * found.hidden;
                let trusted = if at < FINE { TRUSTED } else { TRUSTED_COARSE };
                // Where single events make up the variance it is known, not estimated.
                let trusted = trusted + (1.0 - found.excess) * (1.0 - trusted);
                student(self.tempered(side, margin, stretch / inflation), trusted * found.readings)
            });
            by_scale.fold(plain, f64::min)
        };
        // Half of the wealth each, of which the greater is taken.
        heard(&self.counts.scales).max(heard(&self.counts.parts)) - LN_2
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Pair = ((f64, f64), (f64, f64));

    fn taken(pairs: &[Pair], margin: f64) -> Counts {
        let mut counts = Counts::new(margin).unwrap();
        for (canary, baseline) in pairs {
            assert!(counts.take(*canary, *baseline));
        }
        counts
    }

    #[test]
    fn no_evidence_is_never_a_pass() {
        let mut counts = Counts::new(0.9).unwrap();
        let look = counts.look(0.05);
        assert_eq!((look.standing, look.pairs, look.low, look.high, look.more), (Standing::Early, 0, -1.0, 1.0, None));
        let wrong = [(0.0, 0.0), (f64::NAN, 9.0), (1.0, f64::INFINITY), (2.0, 1.0), (-1.0, 5.0), (1.0, f64::NAN)];
        for wrong in wrong {
            assert!(!counts.take(wrong, (0.0, 9.0)) && !counts.take((0.0, 9.0), wrong), "{wrong:?}");
        }
        assert_eq!(counts, Counts::new(0.9).unwrap(), "what is no interval changes nothing");
        assert!(counts.take((0.0, 1e9), (0.0, 1e9)));
        assert_eq!(counts.standing(0.5), Standing::Early, "one interval is no evidence, however many requests it had");
        assert!(Counts::new(1.0).is_none() && Counts::new(f64::NAN).is_none());
        for alpha in [0.0, 1.0, f64::NAN] {
            assert_eq!(taken(&[((9.0, 10.0), (0.0, 10.0)); 50], 0.0).standing(alpha), Standing::Early, "{alpha} is no level");
        }
    }

    #[test]
    fn no_errors_pass_under_a_margin_once_requests_are_enough() {
        let clean = |intervals: usize, margin: f64| taken(&vec![((0.0, 1000.0), (0.0, 1000.0)); intervals], margin).look(0.005);
        let early = clean(5, 0.001);
        assert!(early.standing == Standing::Early && early.more.is_some_and(|more| more < 100), "{early:?}");
        assert_eq!(clean(80, 0.001).standing, Standing::Pass);
        assert_eq!(clean(80, 0.0).standing, Standing::Early, "without a margin equal is not better");
    }

    #[test]
    fn one_factor_is_a_supermartingale_for_independent_requests() {
        // The mean of one interval's factor over all outcomes of two binomials, at the edge of the hypothesis and inside it.
        let chance = |n: i32, k: i32, p: f64| {
            let choose: f64 = (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product();
            choose * p.powi(k) * (1.0 - p).powi(n - k)
        };
        for (p, q, margin) in [(0.3, 0.3, 0.0), (0.5, 0.2, 0.3), (0.9, 0.85, 0.05), (0.1, 0.4, 0.0), (0.02, 0.02, 0.0)] {
            let mut means = [0.0; AGAINST.len()];
            for (k, l) in (0..=4).flat_map(|k| (0..=9).map(move |l| (k, l))) {
                let counts = taken(&[((f64::from(k), 4.0), (f64::from(l), 9.0))], margin);
                for (mean, stake) in means.iter_mut().zip(counts.against) {
                    *mean += chance(4, k, p) * chance(9, l, q) * (stake.won + stake.per_margin * margin).exp();
                }
            }
            assert!(means.iter().all(|mean| *mean <= 1.0 + 1e-12), "{p} {q} {margin}: {means:?}");
        }
    }

    #[test]
    fn a_single_burst_convicts_nobody() {
        let mut pairs = vec![((1.0, 1000.0), (1.0, 1000.0)); 30];
        pairs[17].0 = (900.0, 1000.0);
        assert_eq!(taken(&pairs, 0.0).standing(0.05), Standing::Early);
        let broken = vec![((900.0, 1000.0), (1.0, 1000.0)); 30];
        assert_eq!(taken(&broken, 0.0).standing(0.05), Standing::Fail);
    }

    #[test]
    fn harm_that_multiplies_a_swinging_rate_is_found_soon() {
        // The rate of both swings from 5 to 45 errors in a thousand; the canary has three times as many.
        let swing = |n: i32| (25.0 + 20.0 * (f64::from(n) / 9.0).sin()).round();
        let pairs: Vec<Pair> = (0..120).map(|n| ((3.0 * swing(n), 1000.0), (swing(n), 1000.0))).collect();
        assert_eq!(taken(&pairs, 0.0).standing(0.05), Standing::Fail);
        let equal: Vec<Pair> = pairs.iter().map(|(_, baseline)| (*baseline, *baseline)).collect();
        assert_eq!(taken(&equal, 0.0).standing(0.05), Standing::Early);
    }

    fn pairs() -> impl Strategy<Value = Vec<Pair>> {
        let side = || (1_u32..500, 0_u32..=100).prop_map(|(total, part)| (f64::from(total * part / 100), f64::from(total)));
        proptest::collection::vec((side(), side()), 1..60)
    }

    proptest! {
        #[test]
        fn bounds_and_standing_agree(pairs in pairs(), margin in -50_i32..50) {
            let margin = f64::from(margin) / 100.0;
            let look = taken(&pairs, margin).look(0.05);
            prop_assert!(-1.0 <= look.low && look.low <= look.high && look.high <= 1.0, "{:?}", look);
            prop_assert!(!look.against.is_nan() && !look.for_it.is_nan());
            match look.standing {
                Standing::Fail => prop_assert!(look.low >= margin - 1e-9),
                Standing::Pass => prop_assert!(look.high <= margin + 1e-9),
                Standing::Early => prop_assert!(look.low <= margin + 1e-9 && margin <= look.high + 1e-9),
            }
        }

        #[test]
        fn a_greater_margin_never_speaks_against(pairs in pairs(), margin in -50_i32..50, more in 0_i32..40) {
            let (less, more) = (f64::from(margin) / 100.0, f64::from(margin + more) / 100.0);
            let (strict, lax) = (taken(&pairs, less).look(0.05), taken(&pairs, more).look(0.05));
            prop_assert!(lax.against <= strict.against && lax.for_it >= strict.for_it);
        }

        #[test]
        fn swapped_sides_are_never_both_failed(pairs in pairs()) {
            let swapped: Vec<Pair> = pairs.iter().map(|(canary, baseline)| (*baseline, *canary)).collect();
            let (one, other) = (taken(&pairs, 0.0).standing(0.05), taken(&swapped, 0.0).standing(0.05));
            prop_assert!(!(one == Standing::Fail && other == Standing::Fail));
        }
    }
}
