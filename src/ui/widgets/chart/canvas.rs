//! What a chart is inked on: dots that become braille, blocks or plain characters, the old and the new version apart by their marks.

use crate::config::theme::Charts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Old,
    New,
    Both,
}

/// The block characters by which of their quarters are inked: upper left 1, upper right 2, lower left 4, lower right 8.
const QUARTERS: [char; 16] = [' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█'];

pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    dots: Vec<Option<Ink>>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, dots: vec![None; width * height] }
    }

    fn dot(&mut self, x: usize, y: usize, ink: Ink) {
        if let Some(dot) = self.dots.get_mut(y * self.width + x) {
            *dot = Some(if dot.is_none_or(|before| before == ink) { ink } else { Ink::Both });
        }
    }

    pub(super) fn line(&mut self, (from_x, from_y): (usize, usize), (to_x, to_y): (usize, usize), ink: Ink) {
        let steps = from_x.abs_diff(to_x).max(from_y.abs_diff(to_y)).max(1);
        for done in 0..=steps {
            let between = |from: usize, to: usize| (from * (steps - done) + to * done) / steps;
            self.dot(between(from_x, to_x), between(from_y, to_y), ink);
        }
    }

    fn at(&self, x: usize, y: usize) -> Option<Ink> {
        self.dots.get(y * self.width + x).copied().flatten()
    }

    /// One cell and what it shows. Of the old version braille inks only every other dot, so that it looks dotted; blocks shade it.
    pub(super) fn cell(&self, column: usize, line: usize, charts: Charts) -> (char, Option<Ink>) {
        match charts {
            Charts::Braille => {
                let places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
                let (bits, seen) =
                    self.bits(places.map(|(dx, dy)| (column * 2 + dx, line * 4 + dy)), |ink, x| ink != Ink::Old || x % 2 == 0);
                (u32::try_from(bits).ok().and_then(|bits| char::from_u32(0x2800 + bits)).unwrap_or(' '), seen.filter(|_| bits > 0))
            }
            Charts::Block => {
                let places = [(0, 0), (1, 0), (0, 1), (1, 1)];
                let (bits, seen) = self.bits(places.map(|(dx, dy)| (column * 2 + dx, line * 2 + dy)), |ink, _| ink != Ink::Old);
                let shade = if seen == Some(Ink::Old) { '░' } else { ' ' };
                (QUARTERS.get(bits).copied().filter(|_| bits > 0).unwrap_or(shade), seen)
            }
            Charts::Ascii => match self.at(column, line) {
                None => (' ', None),
                Some(Ink::Old) => ('b', Some(Ink::Old)),
                Some(Ink::New) => ('c', Some(Ink::New)),
                Some(Ink::Both) => ('*', Some(Ink::Both)),
            },
        }
    }

    /// The bits of the dots that are inked, by their places, and the ink that leads in them: the new version's where there is any.
    fn bits<const N: usize>(&self, places: [(usize, usize); N], inked: impl Fn(Ink, usize) -> bool) -> (usize, Option<Ink>) {
        let dots = places.into_iter().enumerate().filter_map(|(bit, (x, y))| self.at(x, y).map(|ink| (bit, x, ink)));
        dots.fold((0, None), |(bits, seen), (bit, x, ink)| {
            let bits = if inked(ink, x) { bits | 1 << bit } else { bits };
            (bits, if ink == Ink::Old { seen.or(Some(ink)) } else { Some(Ink::New) })
        })
    }
}
