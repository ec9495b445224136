//! Values of a canary against those of its baseline in the same intervals: bets on which of the pair is worse.

use serde::{Deserialize, Serialize};

use super::super::{Worse, real};
use super::serial::{self, Scales};
use super::wealth::coin;
use super::{Bets, Look, Side, Standing, enough, more, standing};

/// Pairs of values so far: one of the canary and one of the baseline for each interval, intervals that do not overlap.
///
/// Harm is the median of the differences, canary less baseline (turned where lower is worse), in the unit of the values. What moves both
/// sides together falls out of the difference.
///
/// Method: against "the median harm is at most M", each pair is a toss that shows heads when its harm is over M, with a chance of at
/// most a half; [`coin`] bets on heads. Against "at least M" likewise. The bounds are the values of M that the bets rule out, and so
/// order statistics of the differences. While each pair's median given the past is the hypothesis's (independent pairs of any
/// distribution, bursts of variance, common drift) this is a test supermartingale: the chance of one false verdict at any look is at
/// most the level. Where the differences lean on each other it is not: then a toss counts for less, by the autocorrelation of the
/// differences' ranks among those before (its upper bound, see `serial`). That part rests on simulation, not on a theorem; see the
/// tables in [`super`].
///
/// Source: confidence sequences for quantiles by bets on exceedance, S. R. Howard, A. Ramdas, "Sequential estimation of quantiles with
/// applications to A/B testing and best-arm identification", Bernoulli 28 (2022) 1704-1728; the chance of a false verdict, J. Ville,
/// "Étude critique de la notion de collectif" (1939), as used there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Values {
    worse: Worse,
    margin: f64,
    /// Ascending.
    harms: Vec<f64>,
    ranks: Scales,
}

impl Values {
    /// Nothing yet, for a measure that may be worse by up to `margin`, in the unit of the values. None unless it is finite.
    pub fn new(worse: Worse, margin: f64) -> Option<Self> {
        margin.is_finite().then(|| Self { worse, margin, harms: Vec::new(), ranks: Scales::default() })
    }

    /// Takes the pair of one interval. A pair with a value that is missing or not finite is none: false, and nothing changes.
    pub fn take(&mut self, canary: f64, baseline: f64) -> bool {
        let harm = self.worse.harm(canary - baseline);
        if !(canary.is_finite() && baseline.is_finite() && harm.is_finite()) {
            return false;
        }
        let at = self.harms.partition_point(|other| *other < harm);
        let ties = self.harms.partition_point(|other| *other <= harm) - at;
        self.harms.insert(at, harm);
        let rank = real(at) + real(ties) / 2.0 + 0.5;
        self.ranks.take(rank / real(self.harms.len()) - 0.5, 1.0, serial::OF_A_RANK);
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

    /// All that is known at a level. Costs a few microseconds; [`Values::standing`] costs less.
    pub fn look(&self, alpha: f64) -> Look {
        let bets = self.at(alpha);
        let bound = enough(alpha).and_then(|enough| bets.least_heads(enough));
        let high = bound.and_then(|heads| self.harms.get(heads.checked_sub(1)?)).copied().unwrap_or(f64::INFINITY);
        let low = bound.and_then(|heads| self.harms.get(self.harms.len().checked_sub(heads)?)).copied().unwrap_or(f64::NEG_INFINITY);
        Look {
            standing: self.standing(alpha),
            pairs: u64::try_from(self.harms.len()).unwrap_or(u64::MAX),
            low,
            high,
            against: bets.wealth(Side::Harm, self.margin, 1.0, f64::NEG_INFINITY),
            for_it: bets.wealth(Side::Safety, self.margin, 1.0, f64::NEG_INFINITY),
            more: more(&bets, self.margin, alpha),
        }
    }

    /// The harm as it was seen: the median of the differences. None without pairs.
    pub fn estimate(&self) -> Option<f64> {
        let count = self.harms.len();
        let (lower, upper) = (self.harms.get(count.checked_sub(1)? / 2)?, self.harms.get(count / 2)?);
        Some(lower / 2.0 + upper / 2.0)
    }

    fn at(&self, alpha: f64) -> AtLevel<'_> {
        AtLevel { values: self, alpha }
    }
}

struct AtLevel<'a> {
    values: &'a Values,
    alpha: f64,
}

impl AtLevel<'_> {
    fn of_heads(&self, heads: f64, stretch: f64, wanted: f64) -> f64 {
        if self.pairs() < serial::FEWEST {
            return 0.0;
        }
        let temper = || 1.0 / self.values.ranks.inflation(stretch, serial::caution(self.alpha));
        coin(heads * stretch, self.pairs() * stretch, 0.5, wanted, temper)
    }

    /// The least number of heads that is enough.
    fn least_heads(&self, enough: f64) -> Option<usize> {
        let tosses = self.values.harms.len();
        let (mut low, mut high) = (0, tosses + 1);
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if self.of_heads(real(middle), 1.0, enough) >= enough {
                high = middle;
            } else {
                low = middle;
            }
        }
        (high <= tosses).then_some(high)
    }
}

impl Bets for AtLevel<'_> {
    fn pairs(&self) -> f64 {
        real(self.values.harms.len())
    }

    fn wealth(&self, side: Side, margin: f64, stretch: f64, wanted: f64) -> f64 {
        let harms = &self.values.harms;
        let heads = match side {
            Side::Harm => harms.len() - harms.partition_point(|harm| *harm <= margin),
            Side::Safety => harms.partition_point(|harm| *harm < margin),
        };
        self.of_heads(real(heads), stretch, wanted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(pairs: &[(f64, f64)], worse: Worse, margin: f64) -> Values {
        let mut values = Values::new(worse, margin).unwrap();
        for (canary, baseline) in pairs {
            assert!(values.take(*canary, *baseline));
        }
        values
    }

    #[test]
    fn no_evidence_is_never_a_pass() {
        let mut values = Values::new(Worse::Higher, 1e9).unwrap();
        let look = values.look(0.05);
        assert_eq!((look.standing, look.pairs, look.more), (Standing::Early, 0, None));
        assert_eq!((look.low, look.high), (f64::NEG_INFINITY, f64::INFINITY));
        for (canary, baseline) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (f64::NEG_INFINITY, f64::NEG_INFINITY), (f64::MAX, f64::MIN)] {
            assert!(!values.take(canary, baseline));
        }
        assert_eq!(values.look(0.05), look, "what is no pair changes nothing");
        assert!(values.take(1.0, 1.0));
        assert_eq!(values.standing(0.5), Standing::Early, "one pair is no evidence");
        for alpha in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(taken(&[(9.0, 1.0); 50], Worse::Higher, 0.0).standing(alpha), Standing::Early, "{alpha} is no level");
        }
        assert!(Values::new(Worse::Higher, f64::NAN).is_none() && Values::new(Worse::Lower, f64::INFINITY).is_none());
    }

    #[test]
    fn what_is_always_the_same_passes_under_a_margin_and_never_at_none() {
        let same = |margin: f64| taken(&[(5.0, 5.0); 60], Worse::Higher, margin).look(0.05);
        assert_eq!(same(0.1).standing, Standing::Pass);
        let none = same(0.0);
        assert_eq!((none.standing, none.low, none.high, none.more), (Standing::Early, 0.0, 0.0, None));
    }

    #[test]
    fn it_says_how_many_more() {
        let some: Vec<(f64, f64)> = (0..12).map(|n| (10.0 + f64::from(n * 5 % 7), 9.5 + f64::from(n * 5 % 7) * 0.9)).collect();
        let look = taken(&some, Worse::Higher, 0.0).look(0.001);
        let more = look.more.expect("all are worse: it will be decided");
        assert!(look.standing == Standing::Early && (5..100).contains(&more), "{look:?}");
        let again: Vec<(f64, f64)> = (0..12 + more + 3).map(|n| some[usize::try_from(n % 12).unwrap()]).collect();
        assert_eq!(taken(&again, Worse::Higher, 0.0).standing(0.001), Standing::Fail);
    }

    fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let value = || (-99_i32..99).prop_map(|n| f64::from(n) / 4.0);
        proptest::collection::vec((value(), value()), 1..80)
    }

    proptest! {
        #[test]
        fn turned_scaled_and_swapped_it_says_the_same(pairs in pairs(), margin in -9_i32..9) {
            let margin = f64::from(margin);
            let look = taken(&pairs, Worse::Higher, margin).look(0.05);
            prop_assert!(look.low <= look.high && !look.against.is_nan() && !look.for_it.is_nan());
            prop_assert_eq!(look.standing == Standing::Fail, look.low > margin);
            prop_assert_eq!(look.standing == Standing::Pass, look.high < margin);
            let turned: Vec<(f64, f64)> = pairs.iter().map(|(canary, baseline)| (-canary, -baseline)).collect();
            prop_assert_eq!(taken(&turned, Worse::Lower, margin).look(0.05), look);
            let scaled: Vec<(f64, f64)> = pairs.iter().map(|(canary, baseline)| (canary * 1024.0, baseline * 1024.0)).collect();
            let scaled = taken(&scaled, Worse::Higher, margin * 1024.0).look(0.05);
            prop_assert_eq!((scaled.standing, scaled.low, scaled.high), (look.standing, look.low * 1024.0, look.high * 1024.0));
            let swapped: Vec<(f64, f64)> = pairs.iter().map(|(canary, baseline)| (*baseline, *canary)).collect();
            let swapped = taken(&swapped, Worse::Higher, -margin).look(0.05);
            prop_assert!((swapped.against - look.for_it).abs() < 1e-9 && (swapped.for_it - look.against).abs() < 1e-9);
            prop_assert_eq!((swapped.low, swapped.high), (-look.high, -look.low));
        }

        #[test]
        fn a_greater_margin_never_speaks_against(pairs in pairs(), margin in -9_i32..9, more in 0_i32..9) {
            let (less, more) = (f64::from(margin), f64::from(margin + more));
            let (strict, lax) = (taken(&pairs, Worse::Higher, less).look(0.05), taken(&pairs, Worse::Higher, more).look(0.05));
            prop_assert!(lax.against <= strict.against && lax.for_it >= strict.for_it);
        }

        #[test]
        fn a_stricter_level_decides_no_sooner(pairs in pairs(), margin in -9_i32..9) {
            let values = taken(&pairs, Worse::Higher, f64::from(margin));
            let (lax, strict) = (values.look(0.1), values.look(0.01));
            prop_assert!(strict.low <= lax.low && lax.high <= strict.high);
            prop_assert!(strict.standing == Standing::Early || strict.standing == lax.standing);
        }
    }
}
