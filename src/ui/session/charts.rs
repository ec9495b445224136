//! How a session looks at charts: crosshair, zoom, marks, measures.

use crate::control::chart::Point;
use crate::control::world::{TargetView, World};

use super::super::screen::Screen;
use super::super::screens::rollout;
use super::super::widgets::chart::{self, Lens};
use super::{Over, Session};

impl Session {
    /// The lens of the marked target; what was looked at of another one is forgotten.
    pub(super) fn lens(&self) -> Lens {
        self.target().map(|target| self.lens.on(&target)).unwrap_or_default()
    }

    /// Whether one measure has the screen for itself, and the keys of lists are its own.
    pub(super) fn is_charting(&self) -> bool {
        self.screen == Screen::Rollout && matches!(self.over, Over::Nothing) && self.lens().is_open()
    }

    /// Does something to the lens, given the points that it looks at; none when there are none.
    fn on_chart<T>(&mut self, world: &World, does: impl FnOnce(&mut Lens, &TargetView, &[Point]) -> T) -> Option<T> {
        let mut lens = self.lens();
        let target = self.target()?;
        let view = world.target(&target)?;
        let points: Vec<Point> = view.chart(&lens.signal(view)?.name)?.points().collect();
        let done = does(&mut lens, view, &points);
        self.lens = lens;
        Some(done)
    }

    /// Gives a measure the screen.
    pub(super) fn open_chart(&mut self) {
        let mut lens = self.lens();
        lens.open();
        self.lens = lens;
        self.scroll = 0;
    }

    /// Moves the crosshair by so many columns.
    pub(super) fn cross(&mut self, world: &World, by: isize) {
        let width = usize::from(self.size.0);
        self.on_chart(world, |lens, view, points| {
            let columns = lens.signal(view).map_or(width, |signal| chart::columns(signal, width));
            lens.step(points, by, columns);
        });
    }

    /// To the next mark, or to the one before.
    pub(super) fn next_mark(&mut self, world: &World, by: isize) {
        self.on_chart(world, |lens, view, points| {
            let (Some(first), Some(newest)) = (points.first().map(|point| point.at_ms), points.last().map(|point| point.at_ms)) else {
                return;
            };
            let marks: Vec<i64> = rollout::marks(world, view).into_iter().map(|mark| mark.at_ms).collect();
            let mut near: Vec<i64> = marks
                .into_iter()
                .filter(|at| (first..=newest).contains(at))
                .filter_map(|at| points.get(chart::nearest(points, at)).map(|point| point.at_ms))
                .collect();
            near.dedup();
            // Without a crosshair it begins at the newest one, and goes round at both ends.
            let there = match (lens.cross(), by < 0) {
                (None, _) => near.last(),
                (Some(at), true) => near.iter().rev().find(|mark| **mark < at).or_else(|| near.last()),
                (Some(at), false) => near.iter().find(|mark| **mark > at).or_else(|| near.first()),
            };
            if let Some(at) = there {
                lens.put(*at, first, newest);
            }
        });
    }

    /// Closer or farther; whether that was possible.
    pub(super) fn zoom(&mut self, world: &World, by: isize) -> bool {
        let zoomed = self.on_chart(world, |lens, _, points| match (points.first(), points.last()) {
            (Some(first), Some(last)) => lens.zoom(by, first.at_ms, last.at_ms),
            _ => false,
        });
        zoomed.unwrap_or(false)
    }

    /// Back to the newest end.
    pub(super) fn go_live(&mut self) {
        let mut lens = self.lens();
        lens.live();
        self.lens = lens;
    }

    /// To another measure.
    pub(super) fn turn_measure(&mut self, world: &World, by: isize) {
        let mut lens = self.lens();
        if let Some(view) = self.target().and_then(|target| world.target(&target)) {
            lens.turn(view, by);
            self.lens = lens;
        }
    }
}
