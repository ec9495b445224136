//! A signal's course: the newest points, packed, in blocks that worlds share, so that one more point copies little.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::slot::Track;

/// Points in a full block.
const BLOCK: usize = 30;
/// Full blocks that are kept: with the newest points 240 at most.
const BLOCKS: usize = 7;

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
    stable: [f32; 2],
    canary: [f32; 2],
}

/// Two values that are not there are the same.
impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        let bits = |packed: &Self| (packed.at_ms, packed.stable.map(f32::to_bits), packed.canary.map(f32::to_bits));
        bits(self) == bits(other)
    }
}

/// The newest points of one signal, oldest first, at most 240.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    full: VecDeque<Arc<[Packed; BLOCK]>>,
    newest: Vec<Packed>,
}

impl Chart {
    /// Adds a point; the oldest ones go in its place.
    pub fn push(&mut self, point: Point) {
        self.newest.push(Packed { at_ms: point.at_ms, stable: pack(point.stable), canary: pack(point.canary) });
        if let Ok(block) = <[Packed; BLOCK]>::try_from(self.newest.as_slice()) {
            self.newest.clear();
            self.full.push_back(Arc::new(block));
            if self.full.len() > BLOCKS {
                self.full.pop_front();
            }
        }
    }

    /// The points, oldest first.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let all = self.full.iter().flat_map(|block| block.iter()).chain(&self.newest);
        all.map(|packed| Point { at_ms: packed.at_ms, stable: unpack(packed.stable), canary: unpack(packed.canary) })
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
fn pack(side: Side) -> [f32; 2] {
    [side.value, side.of].map(|value| value.map_or(f32::NAN, |value| value as f32))
}

fn unpack(packed: [f32; 2]) -> Side {
    let [value, of] = packed.map(|value| (!value.is_nan()).then(|| f64::from(value)));
    Side { value, of }
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
    fn one_more_point_shares_what_is_full() {
        let before: Chart = (0..70).map(point).collect();
        let mut after = before.clone();
        after.push(point(70));
        assert!(before.full.iter().zip(&after.full).all(|(one, other)| Arc::ptr_eq(one, other)));
        assert_eq!(before.points().count(), 70);
    }
}
