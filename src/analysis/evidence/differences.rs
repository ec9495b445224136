//! The sorted matrix of pairwise differences of two samples: any of them by its rank, without ever holding them all.

/// How many differences pivots are chosen from.
const SPREAD: usize = 1024;
/// By how many of them each is chosen to one side of where the rank is expected, so that two enclose it.
const ASIDE: usize = 16;

/// Two samples, and the differences of each of the one from each of the other.
#[derive(Debug, Clone)]
pub struct Differences {
    /// Ascending.
    minuends: Vec<f64>,
    /// Descending, so that each row of differences ascends.
    subtrahends: Vec<f64>,
}

impl Differences {
    /// All of `minuends` less all of `subtrahends`. None when a side is empty or holds a value that is not finite.
    pub fn of(minuends: &[f64], subtrahends: &[f64]) -> Option<Self> {
        let fit = |side: &[f64]| !side.is_empty() && side.iter().all(|value| value.is_finite());
        if !(fit(minuends) && fit(subtrahends)) {
            return None;
        }
        let (mut minuends, mut subtrahends) = (minuends.to_vec(), subtrahends.to_vec());
        minuends.sort_unstable_by(f64::total_cmp);
        subtrahends.sort_unstable_by(|one, other| other.total_cmp(one));
        Some(Self { minuends, subtrahends })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.minuends.len() * self.subtrahends.len()
    }

    /// The difference at a rank, counted from 0 at the least. None beyond the greatest.
    pub fn nth(&self, rank: usize) -> Option<f64> {
        self.nth_and_next(rank).map(|(nth, _)| nth)
    }

    /// The difference at a rank, counted from 0 at the least, and the one after it, where there is one. None beyond the greatest.
    ///
    /// Rows and columns of the matrix are sorted, so that one walk along a staircase counts what lies below a pivot: memory for n + m
    /// numbers, expected time O((n + m) log(n m)). Nothing is drawn: the same samples take the same steps. The two pivots of a round lie
    /// close to where the rank is expected among differences that are spread evenly over all that are open, one at each side of it.
    ///
    /// Source: the selection of J. F. Monahan, "Algorithm 616: fast computation of the Hodges-Lehmann location estimator", ACM
    /// Transactions on Mathematical Software 10 (1984) 265-270 (partition of a sorted matrix of pairs), for differences of two samples.
    pub fn nth_and_next(&self, rank: usize) -> Option<(f64, Option<f64>)> {
        if rank >= self.count() {
            return None;
        }
        let mut left = vec![0_usize; self.minuends.len()];
        let mut right = vec![self.subtrahends.len(); self.minuends.len()];
        let mut walked = vec![0_usize; self.minuends.len()];
        let few = self.minuends.len() + self.subtrahends.len();
        let (mut before, mut upto) = (0, self.count());
        while upto - before > few {
            for pivot in self.pivots(&left, &right, upto - before, rank - before)? {
                self.staircase(&mut walked, |difference| difference < pivot);
                let under: usize = walked.iter().sum();
                if rank < under {
                    std::mem::swap(&mut right, &mut walked);
                    upto = under;
                    continue;
                }
                let mut within = under;
                if under == before {
                    // Nothing that is open lies under it: ties, or the least that is left.
                    self.staircase(&mut walked, |difference| difference <= pivot);
                    within = walked.iter().sum();
                    if rank < within {
                        return Some((pivot, if rank + 1 < within { Some(pivot) } else { self.least(&walked) }));
                    }
                }
                std::mem::swap(&mut left, &mut walked);
                before = within;
                // The other pivot lies under this one.
                break;
            }
        }
        self.among(&left, &right, rank - before)
    }

    /// How many of each row, from its least on, hold to `under`, which holds for all up to some difference.
    fn staircase(&self, steps: &mut [usize], under: impl Fn(f64) -> bool) {
        let mut to = self.subtrahends.as_slice();
        for (step, minuend) in steps.iter_mut().zip(&self.minuends) {
            while let Some((last, rest)) = to.split_last() {
                if under(minuend - last) {
                    break;
                }
                to = rest;
            }
            *step = to.len();
        }
    }

    /// Two differences that are open, a little over and a little under where the rank lies among them.
    fn pivots(&self, left: &[usize], right: &[usize], open: usize, rank: usize) -> Option<[f64; 2]> {
        let stride = open / SPREAD + 1;
        let mut some = Vec::with_capacity(SPREAD + 1);
        let mut next = stride / 2;
        for ((minuend, from), to) in self.minuends.iter().zip(left).zip(right) {
            let here = to.saturating_sub(*from);
            while next < here {
                some.push(minuend - self.subtrahends.get(from + next)?);
                next += stride;
            }
            next -= here;
        }
        let (near, last) = (rank / stride, some.len().checked_sub(1)?);
        let high = (near + ASIDE).min(last);
        let (below, over, _) = some.select_nth_unstable_by(high, f64::total_cmp);
        let over = *over;
        let low = near.saturating_sub(ASIDE);
        let under = if low < high { *below.select_nth_unstable_by(low, f64::total_cmp).1 } else { over };
        Some([over, under])
    }

    /// The least difference beyond so many of each row.
    fn least(&self, beyond: &[usize]) -> Option<f64> {
        let next = self.minuends.iter().zip(beyond).filter_map(|(minuend, at)| Some(minuend - self.subtrahends.get(*at)?));
        next.min_by(f64::total_cmp)
    }

    fn among(&self, left: &[usize], right: &[usize], rank: usize) -> Option<(f64, Option<f64>)> {
        let rows = self.minuends.iter().zip(left.iter().zip(right));
        let open = rows.flat_map(|(minuend, (from, to))| {
            self.subtrahends.get(*from..*to).unwrap_or_default().iter().map(move |subtrahend| minuend - subtrahend)
        });
        let mut open: Vec<f64> = open.collect();
        if rank >= open.len() {
            return None;
        }
        let (_, nth, beyond) = open.select_nth_unstable_by(rank, f64::total_cmp);
        Some((*nth, beyond.iter().copied().min_by(f64::total_cmp).or_else(|| self.least(right))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(one: &[f64], other: &[f64]) -> Vec<f64> {
        let mut all: Vec<f64> = one.iter().flat_map(|x| other.iter().map(move |y| x - y)).collect();
        all.sort_unstable_by(f64::total_cmp);
        all
    }

    #[test]
    fn what_is_empty_or_not_finite_has_no_differences() {
        assert!(Differences::of(&[], &[1.0]).is_none() && Differences::of(&[1.0], &[]).is_none());
        assert!(Differences::of(&[f64::NAN], &[1.0]).is_none() && Differences::of(&[1.0], &[f64::INFINITY]).is_none());
        assert_eq!(Differences::of(&[3.0], &[1.0]).unwrap().nth(1), None);
    }

    proptest! {
        #[test]
        fn every_rank_is_that_of_the_sorted_differences(
            one in proptest::collection::vec(-50_i32..50, 1..40),
            other in proptest::collection::vec(-50_i32..50, 1..40),
            part in 1_u32..9,
        ) {
            let scale = f64::from(part) / 7.0;
            let one: Vec<f64> = one.into_iter().map(|x| f64::from(x) * scale).collect();
            let other: Vec<f64> = other.into_iter().map(|x| f64::from(x) * scale).collect();
            let differences = Differences::of(&one, &other).unwrap();
            let all = all(&one, &other);
            for (rank, wanted) in all.iter().enumerate().step_by(7) {
                let (nth, next) = differences.nth_and_next(rank).unwrap();
                prop_assert_eq!((nth.to_bits(), next.map(f64::to_bits)), (wanted.to_bits(), all.get(rank + 1).map(|next| next.to_bits())));
            }
        }

        /// Large enough for several rounds of pivots, with ties and without.
        #[test]
        fn every_rank_of_many_is_that_of_the_sorted_differences(
            one in proptest::collection::vec(-1e3_f64..1e3, 90..160),
            other in proptest::collection::vec(-1e3_f64..1e3, 90..160),
            grain in prop::sample::select(vec![0.0, 0.25, 100.0, 1500.0]),
            rank in 0.0_f64..1.0,
        ) {
            let grained = |side: Vec<f64>| side.into_iter().map(|x| if grain > 0.0 { (x / grain).round() * grain + 0.0 } else { x }).collect::<Vec<f64>>();
            let (one, other) = (grained(one), grained(other));
            let (differences, all) = (Differences::of(&one, &other).unwrap(), all(&one, &other));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "some thousands")]
            let rank = (rank * all.len() as f64) as usize;
            for rank in [0, rank, all.len() - 1] {
                let (nth, next) = differences.nth_and_next(rank).unwrap();
                prop_assert_eq!((nth.to_bits(), next.map(f64::to_bits)), (all[rank].to_bits(), all.get(rank + 1).map(|next| next.to_bits())));
            }
        }
    }
}
