//! A signal's course: the newest points, packed, in blocks that worlds share, so that one more point copies little.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::slot::Track;

/// Points in a full block.
const BLOCK: usize = 30;
/// Full blocks that are kept: with the newest points 240 at most.
const BLOCKS: usize = 7;

/// Points are of one picture with the newest when they are not further from it than this many milliseconds, which is twelve days.
const FAR_MS: u64 = (i32::MAX / 2) as u64;

/// One side of a point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Side {
    /// Its value; none where nothing was measured.
    pub value: Option<f64>,
    /// The events that the value was measured on, where they are counted.
    pub of: Option<f64>,
}

/// One point of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// In the stable slot.
    pub stable: Side,
    /// In the other slot.
    pub canary: Side,
}

impl Point {
    /// The side of a track.
    pub fn side(&self, track: Track) -> Side {
        match track {
            Track::Stable => self.stable,
            Track::Canary => self.canary,
        }
    }
}

/// A point as it is kept: a picture needs no more than single precision, and a value that is not there is no number.
#[derive(Debug, Clone, Copy)]
struct Packed {
    at_ms: i64,
    values: [f32; 4],
}

/// A full block of points, by columns: of ten thousand services most have nothing on trial and many count nothing, and what was never
/// measured takes no room.
#[derive(Debug)]
struct Block {
    first_ms: i64,
    /// Since the first, in milliseconds.
    after: [i32; BLOCK],
    columns: [Option<Box<[f32; BLOCK]>>; 4],
}

/// The newest points of one signal, oldest first, at most 240.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    full: VecDeque<Arc<Block>>,
    newest: Vec<Packed>,
}

impl PartialEq for Chart {
    fn eq(&self, other: &Self) -> bool {
        self.points().eq(other.points())
    }
}

impl Chart {
    /// Adds a point; the oldest ones go in its place.
    pub fn push(&mut self, point: Point) {
        self.newest.push(Packed { at_ms: point.at_ms, values: pack(&point) });
        if self.newest.len() < BLOCK {
            return;
        }
        if let Some(block) = Block::of(&self.newest) {
            self.full.push_back(Arc::new(block));
            self.newest.clear();
        } else {
            // Weeks lie between them, or the clock was set: those before are no part of one picture with what comes.
            self.full.clear();
            self.newest.retain(|before| before.at_ms.abs_diff(point.at_ms) <= FAR_MS);
        }
        if self.full.len() > BLOCKS {
            self.full.pop_front();
        }
    }

    /// The points, oldest first.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.full.iter().flat_map(|block| block.points()).chain(self.newest.iter().copied()).map(unpack)
    }
}

impl Block {
    /// A block of as many points; none where they lie weeks apart.
    fn of(points: &[Packed]) -> Option<Self> {
        let first_ms = points.first()?.at_ms;
        let mut after = [0; BLOCK];
        for (place, point) in after.iter_mut().zip(points) {
            *place = i32::try_from(point.at_ms.checked_sub(first_ms)?).ok()?;
        }
        let column = |which: usize| {
            let of = |point: &Packed| point.values.get(which).copied().unwrap_or(f32::NAN);
            points.iter().any(|point| !of(point).is_nan()).then(|| {
                let mut column = Box::new([f32::NAN; BLOCK]);
                column.iter_mut().zip(points).for_each(|(place, point)| *place = of(point));
                column
            })
        };
        Some(Self { first_ms, after, columns: [0, 1, 2, 3].map(column) })
    }

    fn points(&self) -> impl Iterator<Item = Packed> {
        self.after.iter().enumerate().map(|(row, after)| Packed {
            at_ms: self.first_ms.saturating_add(i64::from(*after)),
            values: self.columns.each_ref().map(|column| column.as_ref().and_then(|column| column.get(row)).copied().unwrap_or(f32::NAN)),
        })
    }
}

impl FromIterator<Point> for Chart {
    fn from_iter<I: IntoIterator<Item = Point>>(points: I) -> Self {
        let mut chart = Self::default();
        points.into_iter().for_each(|point| chart.push(point));
        chart
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a picture needs no more than single precision")]
fn pack(point: &Point) -> [f32; 4] {
    let Point { stable, canary, .. } = point;
    [stable.value, stable.of, canary.value, canary.of].map(|value| value.map_or(f32::NAN, |value| value as f32))
}

fn unpack(packed: Packed) -> Point {
    let [value, of, trial, of_trial] = packed.values.map(|value| (!value.is_nan()).then(|| f64::from(value)));
    Point { at_ms: packed.at_ms, stable: Side { value, of }, canary: Side { value: trial, of: of_trial } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(n: i32) -> Point {
        let stable = Side { value: Some(f64::from(n)), of: Some(f64::from(n + 1)) };
        Point { at_ms: i64::from(n), stable, canary: Side { value: (n % 2 == 0).then_some(0.5), of: None } }
    }

    #[test]
    fn what_was_put_in_comes_out_in_its_order() {
        let chart: Chart = (0..100).map(point).collect();
        assert!(chart.points().eq((0..100).map(point)));
    }

    #[test]
    fn the_newest_240_stay() {
        let chart: Chart = (0..1000).map(point).collect();
        let points: Vec<_> = chart.points().collect();
        assert!((210..=240).contains(&points.len()), "{}", points.len());
        assert_eq!(points.last(), Some(&point(999)));
        assert!(points.windows(2).all(|pair| pair[0].at_ms + 1 == pair[1].at_ms));
    }

    #[test]
    fn what_was_never_measured_takes_no_room() {
        let nothing = |n: i32| Point { canary: Side::default(), ..point(n) };
        let chart: Chart = (0..i32::try_from(BLOCK).unwrap()).map(nothing).collect();
        let kept: Vec<bool> = chart.full[0].columns.iter().map(Option::is_some).collect();
        assert_eq!(kept, [true, true, false, false]);
        assert!(chart.points().eq((0..i32::try_from(BLOCK).unwrap()).map(nothing)));
    }

    #[test]
    fn after_a_clock_that_was_set_by_years_the_old_points_are_gone_and_nothing_else() {
        let at = |n: i32, at_ms: i64| Point { at_ms, ..point(n) };
        for far in [-4_000_000_000_000, 4_000_000_000_000, i64::MAX] {
            let mut chart: Chart = (0..40).map(point).collect();
            (40..100).for_each(|n| chart.push(at(n, far.saturating_add(i64::from(n)))));
            assert_eq!(chart.points().last(), Some(at(99, far.saturating_add(99))), "{far}");
            assert_eq!(chart.points().count(), 60, "{far}");
        }
    }

    #[test]
    fn one_more_point_shares_what_is_full() {
        let before: Chart = (0..70).map(point).collect();
        let mut after = before.clone();
        after.push(point(70));
        assert!(before.full.iter().zip(&after.full).all(|(one, other)| Arc::ptr_eq(one, other)));
        assert_eq!(before.points().count(), 70);
    }
}
