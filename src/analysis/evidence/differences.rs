//! The sorted matrix of pairwise differences of two samples: any of them by its rank, without ever holding them all.

/// How many differences a pivot is chosen from.
const SPREAD: usize = 64;
/// By how many of them it is chosen to one side of where the rank is expected, so that two pivots enclose it.
const ASIDE: usize = 3;

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
    ///
    /// Rows and columns of the matrix are sorted, so that one walk along a staircase counts what lies below a pivot: memory for n + m
    /// numbers, expected time O((n + m) log(n m)). Nothing is drawn: the same samples take the same steps.
    ///
    /// Source: the selection of J. F. Monahan, "Algorithm 616: fast computation of the Hodges-Lehmann location estimator", ACM
    /// Transactions on Mathematical Software 10 (1984) 265-270 (partition of a sorted matrix of pairs), for differences of two samples.
    pub fn nth(&self, rank: usize) -> Option<f64> {
        if rank >= self.count() {
            return None;
        }
        let mut left = vec![0_usize; self.minuends.len()];
        let mut right = vec![self.subtrahends.len(); self.minuends.len()];
        let few = self.minuends.len() + self.subtrahends.len();
        let mut over = false;
        loop {
            let open: usize = left.iter().zip(&right).map(|(from, to)| to.saturating_sub(*from)).sum();
            if open <= few {
                return self.among(&left, &right, rank);
            }
            let pivot = self.pivot(&left, &right, open, rank.checked_sub(left.iter().sum())?, over)?;
            over = !over;
            let under = self.staircase(|difference| difference < pivot);
            let upto = self.staircase(|difference| difference <= pivot);
            if rank < under.iter().sum() {
                right.iter_mut().zip(under).for_each(|(to, new)| *to = new.min(*to));
            } else if rank >= upto.iter().sum() {
                left.iter_mut().zip(upto).for_each(|(from, new)| *from = new.max(*from));
            } else {
                return Some(pivot);
            }
        }
    }

    /// How many of each row, from its least on, hold to `under`, which holds for all up to some difference.
    fn staircase(&self, under: impl Fn(f64) -> bool) -> Vec<usize> {
        let mut to = self.subtrahends.as_slice();
        let steps = self.minuends.iter().map(|minuend| {
            while let Some((last, rest)) = to.split_last() {
                if under(minuend - last) {
                    break;
                }
                to = rest;
            }
            to.len()
        });
        steps.collect()
    }

    /// A difference that is open: of some spread evenly over all that are, one a little under or over where the rank lies among them.
    fn pivot(&self, left: &[usize], right: &[usize], open: usize, rank: usize, over: bool) -> Option<f64> {
        let stride = open / SPREAD + 1;
        let mut some = Vec::with_capacity(SPREAD);
        let mut next = stride / 2;
        for ((minuend, from), to) in self.minuends.iter().zip(left).zip(right) {
            let here = to.saturating_sub(*from);
            while next < here {
                some.push(minuend - self.subtrahends.get(from + next)?);
                next += stride;
            }
            next -= here;
        }
        let near = rank / stride;
        let at = if over { near + ASIDE } else { near.saturating_sub(ASIDE) };
        let at = at.min(some.len().checked_sub(1)?);
        Some(*some.select_nth_unstable_by(at, f64::total_cmp).1)
    }

    fn among(&self, left: &[usize], right: &[usize], rank: usize) -> Option<f64> {
        let rows = self.minuends.iter().zip(left.iter().zip(right));
        let open = rows.flat_map(|(minuend, (from, to))| {
            self.subtrahends.get(*from..*to).unwrap_or_default().iter().map(move |subtrahend| minuend - subtrahend)
        });
        let mut open: Vec<f64> = open.collect();
        let rank = rank.checked_sub(left.iter().sum())?;
        (rank < open.len()).then(|| *open.select_nth_unstable_by(rank, f64::total_cmp).1)
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
            for (rank, wanted) in all(&one, &other).into_iter().enumerate().step_by(7) {
                prop_assert!((differences.nth(rank).unwrap() - wanted).abs() < f64::EPSILON);
            }
        }
    }
}
