//! A chart of one signal: the old and the new version by different marks, with the limit, in braille or plain characters.

use crate::control::chart::Point;
use crate::control::world::SignalView;

use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::Role;
use crate::ui::words;

/// The rows of a chart of `height` rows, its time axis included; none when there is nothing to draw.
pub fn rows(scene: &Scene<'_>, signal: &SignalView, points: &[Point], width: usize, height: usize) -> Vec<Row> {
    let gutter = 9;
    let columns = width.saturating_sub(gutter + 1);
    let lines = height.saturating_sub(2);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if lines < 2 || columns < 10 || points.len() < 2 {
        return Vec::new();
    }
    let values = points.iter().flat_map(|point| [point.stable, point.canary]).flatten();
    let most = values.chain(signal.limit).fold(0.0_f64, f64::max) * 1.1;
    let most = if most > 0.0 { most } else { 1.0 };
    let braille = scene.theme.unicode;
    let (fine_x, fine_y) = if braille { (2, 4) } else { (1, 1) };
    let mut canvas = Canvas::new(columns * fine_x, lines * fine_y);
    let span = (last.at_ms - first.at_ms).max(1);
    // The new version lies over the old one where both run together; a hole in the data stays a hole.
    for ink in [Ink::Old, Ink::New] {
        let mut before = None;
        for point in points {
            let x = scaled(to_f64(point.at_ms - first.at_ms) / to_f64(span), canvas.width);
            let value = if ink == Ink::Old { point.stable } else { point.canary };
            let here = value.map(|value| (x, scaled(1.0 - value / most, canvas.height)));
            if let Some(here) = here {
                canvas.line(before.unwrap_or(here), here, ink);
            }
            before = here;
        }
    }
    let limit = signal.limit.map(|limit| scaled(1.0 - limit / most, lines));
    let mut rule = Row::rule(scene.theme, &format!("{}, last {} min", signal.name, span / 60_000));
    let (old, new) = if braille { ("dotted old", "solid new") } else { ("b old", "c new") };
    rule.end(
        Role::Quiet,
        format!(" {old}   {new}   limit {} ", signal.limit.map_or_else(|| "none".to_owned(), |limit| words::value(limit, &signal.unit))),
    );
    let mut rows = vec![rule];
    for line in 0..lines {
        let mut row = Row::new();
        let value = most * (1.0 - (to_f64(i64::try_from(line).unwrap_or(0)) + 0.5) / to_f64(i64::try_from(lines).unwrap_or(1)));
        let label = if line % 2 == 0 { words::value(value, &signal.unit) } else { String::new() };
        row.add(Role::Quiet, format!("{label:>gutter$}"));
        for column in 0..columns {
            let (text, ink) = canvas.cell(column, line, braille);
            match (ink, limit == Some(line)) {
                (None, true) => row.add(Role::Watched, if column % 2 == 0 { scene.glyph(crate::ui::theme::Mark::Rule) } else { " " }),
                (None, false) => row.add(Role::Plain, " "),
                (Some(Ink::Old), _) => row.add(Role::Quiet, text.to_string()),
                (Some(Ink::New), _) => row.add(Role::Strong, text.to_string()),
            };
        }
        rows.push(row);
    }
    let time = |ms| chrono::DateTime::from_timestamp_millis(ms).map(|at| scene.zone.time(&at)).unwrap_or_default();
    let mut axis = Row::new();
    axis.at(gutter).add(Role::Quiet, time(first.at_ms)).at(gutter + columns / 2).add(Role::Quiet, time(first.at_ms + span / 2));
    axis.end(Role::Quiet, format!("{} ", time(last.at_ms)));
    rows.push(axis);
    rows
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Old,
    New,
}

struct Canvas {
    width: usize,
    height: usize,
    dots: Vec<Option<Ink>>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, dots: vec![None; width * height] }
    }

    fn dot(&mut self, x: usize, y: usize, ink: Ink) {
        if let Some(dot) = self.dots.get_mut(y * self.width + x) {
            *dot = Some(ink);
        }
    }

    fn line(&mut self, (from_x, from_y): (usize, usize), (to_x, to_y): (usize, usize), ink: Ink) {
        let steps = from_x.abs_diff(to_x).max(from_y.abs_diff(to_y)).max(1);
        for done in 0..=steps {
            let between = |from: usize, to: usize| (from * (steps - done) + to * done) / steps;
            self.dot(between(from_x, to_x), between(from_y, to_y), ink);
        }
    }

    fn at(&self, x: usize, y: usize) -> Option<Ink> {
        self.dots.get(y * self.width + x).copied().flatten()
    }

    /// One cell: with braille eight dots, of the old version only every other one so that it looks dotted.
    fn cell(&self, column: usize, line: usize, braille: bool) -> (char, Option<Ink>) {
        if !braille {
            let ink = self.at(column, line);
            return (if ink == Some(Ink::New) { 'c' } else { 'b' }, ink);
        }
        let mut bits = 0_u32;
        let mut seen = None;
        for (bit, (dx, dy)) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)].into_iter().enumerate() {
            if let Some(ink) = self.at(column * 2 + dx, line * 4 + dy) {
                if ink == Ink::New || dx == 0 {
                    bits |= 1 << bit;
                }
                seen = if ink == Ink::New { Some(ink) } else { seen.or(Some(ink)) };
            }
        }
        (char::from_u32(0x2800 + bits).unwrap_or(' '), seen.filter(|_| bits > 0))
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds and rows stay far below 2^52")]
fn to_f64(n: i64) -> f64 {
    n as f64
}

/// A place on an axis of `size` dots for a fraction of it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the fraction is held between 0 and 1"
)]
fn scaled(fraction: f64, size: usize) -> usize {
    ((fraction.clamp(0.0, 1.0) * size as f64) as usize).min(size.saturating_sub(1))
}
