//! Intervals in which a canary is far worse than its baseline, against those in which it is far better: counted, for a pass.

use serde::{Deserialize, Serialize};

use super::super::{Worse, real};
use super::counts::Counts;
use super::{Look, Standing};

/// By how much more often the canary may be far worse than far better: not by one interval in twenty.
pub const SPARED: f64 = 0.05;
/// This part of the differences before ..
const USUAL: f64 = 0.5;
/// .. times this, beyond the margin, is far.
const FAR: f64 = 8.0;
/// Pairs before which nothing is far.
const LEARNT: usize = 10;

/// Spikes so far. Harm is the share of intervals in which the canary was far worse, less that in which it was far better: 0 where nothing
/// differs, 0.05 of a canary that stands still every twentieth interval.
///
/// [`super::values`] judges the middle of the differences and cannot see those; [`super::extremes`] convicts by them, and needs some hundred
/// pairs to acquit. Here a difference is far when it is beyond the margin by eight times the median of the sizes before it, and one
/// that is far either way is an event of its side in [`Counts`], whose method and caution this has. While each difference is symmetric about
/// at most the margin given the past, both sides have the same share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spikes {
    worse: Worse,
    margin: f64,
    /// Ascending.
    sizes: Vec<f64>,
    counts: Counts,
}

impl Spikes {
    /// Nothing yet, for a measure that may be worse by up to `margin`. None unless it is finite.
    pub fn new(worse: Worse, margin: f64) -> Option<Self> {
        let counts = Counts::new(SPARED)?;
        margin.is_finite().then(|| Self { worse, margin, sizes: Vec::new(), counts })
    }

    /// Takes the pair of one interval. A pair with a value that is missing or not finite is none: false, and nothing changes.
    pub fn take(&mut self, canary: f64, baseline: f64) -> bool {
        let harm = self.worse.harm(canary - baseline);
        if !(canary.is_finite() && baseline.is_finite() && harm.is_finite()) {
            return false;
        }
        if self.sizes.len() >= LEARNT {
            let far = self.margin.max(0.0) + FAR * self.usual();
            let event = |is: bool| (if is { 1.0 } else { 0.0 }, 1.0);
            self.counts.take(event(harm > far), event(-harm > far));
        }
        let size = harm.abs();
        self.sizes.insert(self.sizes.partition_point(|other| *other < size), size);
        true
    }

    /// What follows at a level.
    pub fn standing(&self, alpha: f64) -> Standing {
        self.counts.standing(alpha)
    }

    /// All that is known at a level; `low` and `high` are shares of intervals.
    pub fn look(&self, alpha: f64) -> Look {
        self.counts.look(alpha)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the number of pairs")]
    fn usual(&self) -> f64 {
        self.sizes.get((USUAL * real(self.sizes.len())) as usize).copied().unwrap_or(f64::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(canary: impl Fn(u32) -> f64, pairs: u32) -> Spikes {
        let mut spikes = Spikes::new(Worse::Higher, 1.0).unwrap();
        for n in 0..pairs {
            assert!(spikes.take(canary(n), f64::from(n * 29 % 17) / 17.0));
        }
        spikes
    }

    #[test]
    fn what_stands_still_every_twentieth_interval_does_not_pass_and_what_never_does_passes() {
        let steady = |n: u32| f64::from(n * 31 % 17) / 17.0;
        assert_eq!(taken(steady, 600).standing(0.05), Standing::Pass);
        let spikes = |n: u32| steady(n) * if n % 20 == 7 { 100.0 } else { 1.0 };
        let look = taken(spikes, 600).look(0.05);
        assert!(look.standing == Standing::Early && look.high > SPARED, "{look:?}");
        let often = |n: u32| steady(n) + if n % 5 == 3 { 100.0 } else { 0.0 };
        assert_ne!(taken(often, 300).standing(0.05), Standing::Pass);
    }

    #[test]
    fn no_evidence_is_never_a_pass() {
        let mut spikes = Spikes::new(Worse::Higher, 1.0).unwrap();
        assert_eq!(spikes.standing(0.05), Standing::Early);
        assert!(!spikes.take(f64::NAN, 1.0) && !spikes.take(1.0, f64::INFINITY) && !spikes.take(f64::MAX, f64::MIN));
        assert_eq!(spikes, Spikes::new(Worse::Higher, 1.0).unwrap());
        assert!(Spikes::new(Worse::Higher, f64::NAN).is_none());
    }

    #[test]
    fn another_unit_changes_nothing() {
        let value = |n: u32| if n % 9 == 4 { 40.0 } else { f64::from(n % 3) };
        let (mut one, mut other) = (Spikes::new(Worse::Higher, 1.0).unwrap(), Spikes::new(Worse::Higher, 1024.0).unwrap());
        for n in 0..200 {
            assert!(one.take(value(n), f64::from(n % 2)) && other.take(value(n) * 1024.0, f64::from(n % 2) * 1024.0));
        }
        assert_eq!(one.look(0.05), other.look(0.05));
        let mut turned = Spikes::new(Worse::Lower, 1.0).unwrap();
        for n in 0..200 {
            assert!(turned.take(-value(n), -f64::from(n % 2)));
        }
        assert_eq!(one.look(0.05), turned.look(0.05));
    }
}
