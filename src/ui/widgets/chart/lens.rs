//! What is looked at of a chart: which measure, how much of its time, and the moment under the crosshair.

use std::sync::Arc;

use crate::control::chart::Point;
use crate::control::world::{SignalView, TargetView};
use crate::model::name::{SignalName, Target};

use crate::ui::widgets::estate;

/// The spans of time that one can look at, in milliseconds; beyond the longest that is kept, everything is.
const SPANS: [i64; 7] = [30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 3_600_000];

/// A piece of time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// Whether its end goes along with what is measured.
    pub live: bool,
    /// Whether it is everything that is kept.
    pub whole: bool,
}

/// What an operator looks at of the charts of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lens {
    of: Option<Target>,
    open: bool,
    measure: Option<SignalName>,
    span: Option<i64>,
    end: Option<i64>,
    cross: Option<i64>,
}

impl Lens {
    /// The lens of a target: what was looked at of another one is forgotten.
    #[must_use]
    pub fn on(&self, target: &Target) -> Self {
        if self.of.as_ref() == Some(target) { self.clone() } else { Self { of: Some(target.clone()), ..Self::default() } }
    }

    /// Whether one measure has the screen for itself.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Gives one measure the screen.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// The moment under the crosshair.
    pub fn cross(&self) -> Option<i64> {
        self.cross
    }

    /// One step back: from the crosshair, from a closer look, from the chart alone; whether there was one.
    pub fn close(&mut self) -> bool {
        if self.cross.is_some() || self.span.is_some() {
            self.live();
            return true;
        }
        std::mem::take(&mut self.open)
    }

    /// Back to all of the time, to its newest end, without a crosshair.
    pub fn live(&mut self) {
        (self.span, self.end, self.cross) = (None, None, None);
    }

    /// The measure that is looked at: the chosen one, else the one that matters most now.
    pub fn signal<'v>(&self, view: &'v TargetView) -> Option<&'v SignalView> {
        let chosen = self.measure.as_ref().and_then(|name| view.signals.iter().find(|signal| &signal.name == name));
        chosen.map(Arc::as_ref).or_else(|| estate::leading(view))
    }

    /// To another measure of the target.
    pub fn turn(&mut self, view: &TargetView, by: isize) {
        let here = self.signal(view).and_then(|here| view.signals.iter().position(|signal| signal.name == here.name));
        let there = here.unwrap_or(0).saturating_add_signed(by).min(view.signals.len().saturating_sub(1));
        self.measure = view.signals.get(there).map(|signal| signal.name.clone());
    }

    /// The time that is shown, of what is kept from `first` to `newest`.
    pub fn window(&self, first: i64, newest: i64) -> Window {
        let all = newest - first;
        match self.span.filter(|span| *span < all) {
            None => Window { from: first, to: newest, live: true, whole: true },
            Some(span) => {
                let to = self.end.map_or(newest, |end| end.clamp(first + span, newest));
                Window { from: to - span, to, live: self.end.is_none(), whole: false }
            }
        }
    }

    /// Closer (`by` below 0) or farther, around the crosshair where there is one; whether that was possible.
    pub fn zoom(&mut self, by: isize, first: i64, newest: i64) -> bool {
        let window = self.window(first, newest);
        let now = window.to - window.from;
        let span = if by < 0 { SPANS.iter().rev().find(|span| **span < now) } else { SPANS.iter().find(|span| **span > now) };
        match span.copied() {
            None if by < 0 || window.whole => return false,
            None => (self.span, self.end) = (None, None),
            Some(span) if by > 0 && window.whole && span > now => return false,
            Some(span) => {
                self.span = Some(span);
                self.end = match self.cross {
                    Some(cross) => Some((cross + span / 2).min(newest)),
                    None => self.end,
                };
            }
        }
        true
    }

    /// Moves the crosshair by so many columns, of which the window has `columns`; the first step puts it on the newest point shown.
    pub fn step(&mut self, points: &[Point], by: isize, columns: usize) {
        let (Some(first), Some(newest)) = (points.first().map(|point| point.at_ms), points.last().map(|point| point.at_ms)) else { return };
        let window = self.window(first, newest);
        let shown = points.iter().filter(|point| (window.from..=window.to).contains(&point.at_ms)).count();
        let stride = isize::try_from(shown.div_ceil(columns.max(1)).max(1)).unwrap_or(1);
        let there = match self.cross {
            None => points.iter().rposition(|point| point.at_ms <= window.to),
            Some(cross) => {
                let here = nearest(points, cross);
                Some(here.saturating_add_signed(by.saturating_mul(stride)).min(points.len().saturating_sub(1)))
            }
        };
        if let Some(point) = there.and_then(|there| points.get(there)) {
            self.put(point.at_ms, first, newest);
        }
    }

    /// Puts the crosshair on a moment, and brings it into the window.
    pub fn put(&mut self, at: i64, first: i64, newest: i64) {
        let window = self.window(first, newest);
        self.cross = Some(at);
        if window.whole {
            return;
        }
        let span = window.to - window.from;
        self.end = Some(if at < window.from {
            at + span
        } else if at > window.to {
            at
        } else {
            window.to
        });
    }
}

/// The place of the point that lies nearest to a moment.
pub fn nearest(points: &[Point], at: i64) -> usize {
    let places = points.iter().enumerate();
    places.min_by_key(|(_, point)| point.at_ms.abs_diff(at)).map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::chart::Side;

    fn points() -> Vec<Point> {
        (0..241).map(|n| Point { at_ms: n * 5_000, stable: Side::default(), canary: Side::default() }).collect()
    }

    fn span(lens: &Lens) -> (i64, i64, bool) {
        let window = lens.window(0, 1_200_000);
        (window.from, window.to, window.live)
    }

    #[test]
    fn zooming_keeps_the_newest_end_and_comes_back_to_all() {
        let mut lens = Lens::default();
        assert!(!lens.zoom(1, 0, 1_200_000), "there is no more than all of it");
        assert!(lens.zoom(-1, 0, 1_200_000));
        assert_eq!(span(&lens), (600_000, 1_200_000, true));
        while lens.zoom(-1, 0, 1_200_000) {}
        assert_eq!(span(&lens), (1_170_000, 1_200_000, true));
        while lens.zoom(1, 0, 1_200_000) {}
        assert_eq!(span(&lens), (0, 1_200_000, true));
    }

    #[test]
    fn zooming_is_around_the_crosshair_and_then_stands() {
        let mut lens = Lens::default();
        lens.put(300_000, 0, 1_200_000);
        lens.zoom(-1, 0, 1_200_000);
        lens.zoom(-1, 0, 1_200_000);
        assert_eq!(span(&lens), (150_000, 450_000, false));
        assert_eq!(lens.window(0, 2_000_000).to, 450_000, "what is measured meanwhile moves nothing");
        lens.live();
        assert_eq!((span(&lens), lens.cross()), ((0, 1_200_000, true), None));
    }

    #[test]
    fn the_crosshair_goes_by_columns_and_takes_the_window_along() {
        let (mut lens, points) = (Lens::default(), points());
        lens.step(&points, -1, 60);
        assert_eq!(lens.cross(), Some(1_200_000), "it begins at the newest point");
        lens.step(&points, -1, 60);
        assert_eq!(lens.cross(), Some(1_175_000), "five points lie in a column");
        lens.zoom(-1, 0, 1_200_000);
        while lens.zoom(-1, 0, 1_200_000) {}
        lens.step(&points, -1, 60);
        assert_eq!(lens.cross(), Some(1_170_000), "one point in a column or less: one point");
        for _ in 0..20 {
            lens.step(&points, -1, 60);
        }
        assert_eq!((lens.cross(), span(&lens).0), (Some(1_070_000), 1_070_000));
        lens.step(&points, isize::MAX, 60);
        assert_eq!((lens.cross(), span(&lens).1), (Some(1_200_000), 1_200_000));
    }
}
