//! The greatest differences between a canary and its baseline: bets on whether the canary is the worse side of them.

use serde::{Deserialize, Serialize};

use super::super::{Worse, real};
use super::serial::{self, Scales};
use super::wealth::coin;
use super::{Bets, Look, Side, Standing, enough, more, standing};

/// A difference is great when this part of those before were less.
const GREAT: f64 = 0.95;
/// Pairs before which none is great.
const LEARNT: usize = 20;

/// The great differences of values so far: a canary that is as its baseline nineteen times and a hundred times slower the twentieth time.
///
/// Harm is a ratio without unit: how many great differences with the canary as the worse side there are for one with the baseline.
/// It is 1 where nothing differs. Differences are taken from `margin`, what the measure may be worse by.
///
/// Method: a pair is a toss when the size of its difference is beyond the 0.95 quantile of those before (from the 21st on) and the
/// pair before was not; heads is a difference for the worse. While each difference is symmetric about the margin given the past and its
/// size, or about less with a density of one peak, the tosses are fair or worse, and [`coin`] bets on heads: always valid as in
/// [`super::values`], with the same caution where differences lean on each other. Where the requests over a threshold can be
/// counted (a histogram), give those to [`super::counts`] instead: it sees the same harm in a few intervals, this one in some hundreds.
///
/// Source: the sign of a symmetric difference is a fair coin given its size (as in the signed rank test of Wilcoxon), so that which differences are bet on may depend on their size; else as in [`super::values`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    worse: Worse,
    margin: f64,
    ratio: f64,
    /// Ascending.
    harms: Vec<f64>,
    /// Ascending.
    sizes: Vec<f64>,
    ranks: Scales,
    tosses: f64,
    heads: f64,
    within: bool,
}

impl Extremes {
    /// Nothing yet. None unless `margin` is finite and `ratio`, the harm that is allowed, is positive and finite.
    pub fn new(worse: Worse, margin: f64, ratio: f64) -> Option<Self> {
        (margin.is_finite() && ratio > 0.0 && ratio.is_finite()).then(|| Self {
            worse,
            margin,
            ratio,
            harms: Vec::new(),
            sizes: Vec::new(),
            ranks: Scales::default(),
            tosses: 0.0,
            heads: 0.0,
            within: true,
        })
    }

    /// Takes the pair of one interval. A pair with a value that is missing or not finite is none: false, and nothing changes.
    pub fn take(&mut self, canary: f64, baseline: f64) -> bool {
        let harm = self.worse.harm(canary - baseline);
        let beyond = harm - self.margin;
        if !(canary.is_finite() && baseline.is_finite() && beyond.is_finite()) {
            return false;
        }
        let size = beyond.abs();
        let great = self.sizes.len() >= LEARNT && self.threshold().is_some_and(|threshold| size > threshold);
        if great && self.within {
            self.tosses += 1.0;
            self.heads += if beyond > 0.0 { 1.0 } else { 0.0 };
        }
        self.within = !great;
        self.sizes.insert(self.sizes.partition_point(|other| *other < size), size);
        let at = self.harms.partition_point(|other| *other < harm);
        self.harms.insert(at, harm);
        self.ranks.take((real(at) + 0.5) / real(self.harms.len()) - 0.5, 1.0, serial::OF_A_RANK);
        true
    }

    /// What follows at a level (0.05 is one false verdict on either side in twenty canaries); divide it by the number of measures.
    pub fn standing(&self, alpha: f64) -> Standing {
        standing(&self.at(alpha), self.ratio, alpha, 1.0)
    }

    /// All that is known at a level; `low` and `high` are ratios, from 0 to infinity.
    pub fn look(&self, alpha: f64) -> Look {
        let bets = self.at(alpha);
        let enough = enough(alpha).unwrap_or(f64::INFINITY);
        let odds = |share: f64| share / (1.0 - share);
        let (mut low, mut high) = (0.0, 1.0);
        for step in 1..200 {
            let share = f64::from(step) / 200.0;
            if bets.wealth(Side::Harm, odds(share), 1.0, enough) >= enough {
                low = share;
            }
            if high >= 1.0 && bets.wealth(Side::Safety, odds(share), 1.0, enough) >= enough {
                high = share;
            }
        }
        Look {
            standing: self.standing(alpha),
            pairs: u64::try_from(self.harms.len()).unwrap_or(u64::MAX),
            low: odds(low),
            high: if high < 1.0 { odds(high) } else { f64::INFINITY },
            against: bets.wealth(Side::Harm, self.ratio, 1.0, f64::NEG_INFINITY),
            for_it: bets.wealth(Side::Safety, self.ratio, 1.0, f64::NEG_INFINITY),
            more: more(&bets, self.ratio, alpha),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the number of pairs")]
    fn threshold(&self) -> Option<f64> {
        self.sizes.get((GREAT * real(self.sizes.len())) as usize).copied()
    }

    fn at(&self, alpha: f64) -> AtLevel<'_> {
        AtLevel { extremes: self, alpha }
    }
}

struct AtLevel<'a> {
    extremes: &'a Extremes,
    alpha: f64,
}

impl Bets for AtLevel<'_> {
    fn pairs(&self) -> f64 {
        real(self.extremes.harms.len())
    }

    fn wealth(&self, side: Side, ratio: f64, stretch: f64, wanted: f64) -> f64 {
        let (heads, tosses) = (self.extremes.heads * stretch, self.extremes.tosses * stretch);
        if tosses <= 0.0 {
            return 0.0;
        }
        let temper = || 1.0 / self.extremes.ranks.inflation(stretch, serial::caution(self.alpha));
        match side {
            Side::Harm => coin(heads, tosses, ratio / (1.0 + ratio), wanted, temper),
            Side::Safety => coin(tosses - heads, tosses, 1.0 / (1.0 + ratio), wanted, temper),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(pairs: &[(f64, f64)]) -> Extremes {
        let mut extremes = Extremes::new(Worse::Higher, 0.0, 1.0).unwrap();
        for (canary, baseline) in pairs {
            assert!(extremes.take(*canary, *baseline));
        }
        extremes
    }

    #[test]
    fn no_evidence_is_never_a_pass() {
        let mut extremes = Extremes::new(Worse::Higher, 0.0, 9.0).unwrap();
        let look = extremes.look(0.05);
        assert_eq!((look.standing, look.low, look.high, look.more), (Standing::Early, 0.0, f64::INFINITY, None));
        for (canary, baseline) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (f64::MAX, f64::MIN)] {
            assert!(!extremes.take(canary, baseline));
        }
        assert_eq!(extremes.look(0.05), look, "what is no pair changes nothing");
        assert_eq!(taken(&[(1.0, 1.0); 300]).standing(0.05), Standing::Early, "constant values have no extremes");
        assert!(Extremes::new(Worse::Higher, f64::NAN, 1.0).is_none() && Extremes::new(Worse::Higher, 0.0, 0.0).is_none());
    }

    proptest! {
        #[test]
        fn turned_and_scaled_it_says_the_same(pairs in proptest::collection::vec((-99_i32..99, -99_i32..99), 1..150)) {
            let pairs: Vec<(f64, f64)> = pairs.iter().map(|(canary, baseline)| (f64::from(*canary), f64::from(*baseline))).collect();
            let look = taken(&pairs).look(0.05);
            prop_assert!(look.low <= look.high && !look.against.is_nan() && !look.for_it.is_nan());
            let scaled: Vec<(f64, f64)> = pairs.iter().map(|(canary, baseline)| (canary / 64.0, baseline / 64.0)).collect();
            prop_assert_eq!(taken(&scaled).look(0.05), look);
            let mut turned = Extremes::new(Worse::Lower, 0.0, 1.0).unwrap();
            for (canary, baseline) in &pairs {
                assert!(turned.take(-canary, -baseline));
            }
            prop_assert_eq!(turned.look(0.05), look);
            let swapped: Vec<(f64, f64)> = pairs.iter().map(|(canary, baseline)| (*baseline, *canary)).collect();
            prop_assert!(!(look.standing == Standing::Fail && taken(&swapped).standing(0.05) == Standing::Fail));
        }
    }
}
