//! Ranks of two samples together: Mann and Whitney's U, its level, and the statistic of a shift.

use super::normal;

/// What two samples of one order say of the first of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranks {
    /// The ranks of the first sample, tied values sharing the mean of theirs.
    sum: f64,
    /// t³ - t over the tied values.
    ties: f64,
    first: f64,
    second: f64,
}

/// A level of significance with its statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significance {
    /// U of the first sample: how often its values are above those of the second, ties counted as a half.
    pub u: f64,
    /// The two-sided level.
    pub p: f64,
}

/// Sorts a sample.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// The length of a sample as a number.
#[expect(clippy::cast_precision_loss, reason = "samples are shorter than 2^52")]
pub fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

impl Ranks {
    /// Of two sorted samples, `shift` taken away from every value of the first. One pass, because a shift keeps their order.
    pub fn of(first: &[f64], second: &[f64], shift: f64) -> Self {
        let mut ranks = Self { sum: 0.0, ties: 0.0, first: count(first), second: count(second) };
        let mut ours = first.iter().map(|value| value - shift).peekable();
        let mut theirs = second.iter().copied().peekable();
        let mut below = 0.0;
        loop {
            let value = match (ours.peek(), theirs.peek()) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(value), None) | (None, Some(value)) => *value,
                (None, None) => break,
            };
            let (mut mine, mut tied) = (0.0, 0.0);
            while ours.next_if(|next| *next <= value).is_some() {
                mine += 1.0;
            }
            while theirs.next_if(|next| *next <= value).is_some() {
                tied += 1.0;
            }
            tied += mine;
            if tied < 1.0 {
                break;
            }
            ranks.sum += mine * (below + f64::midpoint(tied, 1.0));
            ranks.ties += tied * tied * tied - tied;
            below += tied;
        }
        ranks
    }

    /// U of the first sample.
    pub fn u(&self) -> f64 {
        self.sum - self.first * (self.first + 1.0) / 2.0
    }

    /// How likely a value of the first sample is above one of the second, ties counted as a half.
    pub fn common_language(&self) -> f64 {
        (2.0 * self.sum - self.first * (self.first + 1.0)) / (2.0 * self.second * self.first)
    }

    /// The standard deviation of U if there were no difference, corrected for ties.
    fn deviation(&self) -> f64 {
        let all = self.first + self.second;
        ((self.first * self.second / 12.0) * ((all + 1.0) - self.ties / (all * (all - 1.0)))).sqrt()
    }

    /// How far U is from what it would be without a difference.
    fn excess(&self) -> f64 {
        self.u() - self.first * self.second / 2.0
    }

    /// In standard deviations, a half nearer to zero (correction for continuity). None when all values are the same.
    pub fn z(&self) -> Option<f64> {
        let excess = self.excess();
        let correction = if excess > 0.0 {
            0.5
        } else if excess < 0.0 {
            -0.5
        } else {
            0.0
        };
        let deviation = self.deviation();
        (deviation > 0.0).then(|| (excess - correction) / deviation)
    }

    /// U and its two-sided asymptotic level, corrected for ties and continuity; 1 when all values are the same.
    pub fn significance(&self) -> Significance {
        let deviation = self.deviation();
        let z = if deviation > 0.0 { (self.excess().abs() - 0.5) / deviation } else { f64::NEG_INFINITY };
        Significance { u: self.u(), p: (2.0 * normal::above(z)).clamp(0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: every pair looked at.
    fn pairs(first: &[f64], second: &[f64]) -> f64 {
        let against = |a: &f64| {
            second
                .iter()
                .map(|b| {
                    if a > b {
                        1.0
                    } else if a < b {
                        0.0
                    } else {
                        0.5
                    }
                })
                .sum::<f64>()
        };
        first.iter().map(against).sum()
    }

    fn sample() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec((-8_i32..8).prop_map(|value| f64::from(value) / 2.0), 1..30)
    }

    proptest! {
        #[test]
        fn u_counts_pairs(a in sample(), b in sample(), shift in -4_i32..4) {
            let shift = f64::from(shift) / 2.0;
            let ranks = Ranks::of(&sorted(&a), &sorted(&b), shift);
            let moved: Vec<f64> = a.iter().map(|value| value - shift).collect();
            prop_assert!((ranks.u() - pairs(&moved, &b)).abs() < 1e-9);
            prop_assert!((ranks.common_language() * count(&a) * count(&b) - ranks.u()).abs() < 1e-9);
        }

        #[test]
        fn the_two_samples_are_treated_alike(a in sample(), b in sample()) {
            let (a, b) = (sorted(&a), sorted(&b));
            let (one, other) = (Ranks::of(&a, &b, 0.0).significance(), Ranks::of(&b, &a, 0.0).significance());
            prop_assert!((one.p - other.p).abs() < 1e-12);
            prop_assert!((one.u + other.u - count(&a) * count(&b)).abs() < 1e-9);
        }
    }

    #[test]
    fn all_the_same_is_no_difference() {
        let found = Ranks::of(&[2.0, 2.0], &[2.0], 0.0);
        assert_eq!(found.z(), None);
        assert_eq!(found.significance(), Significance { u: 1.0, p: 1.0 });
    }

    #[test]
    fn values_too_far_apart_for_a_difference_end_all_the_same() {
        let _ = Ranks::of(&[f64::MAX], &[f64::MIN], f64::INFINITY);
        let _ = Ranks::of(&[f64::INFINITY], &[0.0], f64::INFINITY);
    }
}
