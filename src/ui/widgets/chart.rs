//! A chart of one signal: the old and the new version by different marks, with the limit, in braille, block or plain characters as the theme says.

use crate::config::theme::Charts;
use crate::control::chart::Point;
use crate::control::world::SignalView;

use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::Role;
use crate::ui::words;

/// Something that happened while the chart was drawn: a letter under its column, and what it says beside the others below the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its letter.
    pub letter: char,
    /// In a few words.
    pub words: String,
}

/// The rows of a chart of `height` rows, its time axis included; none when there is nothing to draw.
pub fn rows(scene: &Scene<'_>, signal: &SignalView, points: &[Point], events: &[Event], (width, height): (usize, usize)) -> Vec<Row> {
    let limit_words = signal.limit.map(|limit| format!("limit {}", words::value(limit, &signal.unit)));
    let gutter = limit_words.as_deref().map_or(0, cells).max(8) + 1;
    let label_room = gutter - 1;
    let columns = width.saturating_sub(gutter + 1);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    // Two rows for events, where as many are left for the chart itself.
    let events: Vec<&Event> = events.iter().filter(|event| (first.at_ms..=last.at_ms).contains(&event.at_ms)).collect();
    let events = if height >= 7 { events } else { Vec::new() };
    let lines = height.saturating_sub(if events.is_empty() { 2 } else { 4 });
    if lines < 2 || columns < 10 || points.len() < 2 {
        return Vec::new();
    }
    let values = points.iter().flat_map(|point| [point.stable, point.canary]).flatten();
    let most = values.chain(signal.limit).fold(0.0_f64, f64::max) * 1.1;
    let most = if most > 0.0 { most } else { 1.0 };
    let charts = scene.theme.charts();
    let (fine_x, fine_y, legend) = match charts {
        Charts::Braille => (2, 4, "dotted old   solid new"),
        Charts::Block => (2, 2, "shaded old   solid new"),
        Charts::Ascii => (1, 1, "b old   c new   * both"),
    };
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
    let past = if span < 120_000 { format!("{} s", span / 1_000) } else { format!("{} min", span / 60_000) };
    let mut rule = Row::rule(scene.theme, &format!("{}, last {past}", signal.name));
    rule.end(Role::Quiet, format!(" {legend}   {} ", limit_words.as_deref().unwrap_or("no limit")));
    let mut rows = vec![rule];
    for line in 0..lines {
        let mut row = Row::new();
        let value = most * (1.0 - (to_f64(i64::try_from(line).unwrap_or(0)) + 0.5) / to_f64(i64::try_from(lines).unwrap_or(1)));
        match &limit_words {
            Some(words) if limit == Some(line) => row.add(Role::Watched, format!("{words:>label_room$} ")),
            Some(_) | None if line % 2 == 0 => row.add(Role::Quiet, format!("{:>label_room$} ", words::value(value, &signal.unit))),
            Some(_) | None => row.at(gutter),
        };
        for column in 0..columns {
            let (text, ink) = canvas.cell(column, line, charts);
            match (ink, limit == Some(line)) {
                (None, true) => row.add(Role::Watched, if column % 2 == 0 { scene.glyph(crate::ui::theme::Mark::Rule) } else { " " }),
                (None, false) => row.add(Role::Plain, " "),
                (Some(Ink::Old), _) => row.add(Role::Quiet, text.to_string()),
                (Some(Ink::New | Ink::Both), _) => row.add(Role::Strong, text.to_string()),
            };
        }
        rows.push(row);
    }
    if !events.is_empty() {
        let mut letters = vec![' '; columns];
        for event in &events {
            let column = scaled(to_f64(event.at_ms - first.at_ms) / to_f64(span), columns);
            if let Some(place) = letters.get_mut(column) {
                *place = event.letter;
            }
        }
        let mut row = Row::new();
        row.at(gutter).add(Role::Strong, letters.into_iter().collect::<String>());
        rows.push(row);
    }
    let time = |ms| chrono::DateTime::from_timestamp_millis(ms).map(|at| scene.zone.time(&at)).unwrap_or_default();
    let mut axis = Row::new();
    axis.at(gutter).add(Role::Quiet, time(first.at_ms)).at(gutter + columns / 2).add(Role::Quiet, time(first.at_ms + span / 2));
    axis.end(Role::Quiet, format!("{} ", time(last.at_ms)));
    rows.push(axis);
    if !events.is_empty() {
        rows.push(Row::of(Role::Quiet, legend_of(scene, &events, gutter, width)));
    }
    rows
}

/// What the letters say: the newest that fit, in the order of time.
fn legend_of(scene: &Scene<'_>, events: &[&Event], gutter: usize, width: usize) -> String {
    let mut text = String::new();
    for (n, event) in events.iter().rev().enumerate() {
        let time = chrono::DateTime::from_timestamp_millis(event.at_ms).map(|at| scene.zone.time(&at)).unwrap_or_default();
        let one = format!("{} {} {time}", event.letter, event.words);
        let more = if n == 0 { one } else { format!("{one}   {text}") };
        if gutter + cells(&more) + 1 > width && n > 0 {
            break;
        }
        text = more;
    }
    format!("{}{text}", " ".repeat(gutter))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Old,
    New,
    Both,
}

/// The block characters by which of their quarters are inked: upper left 1, upper right 2, lower left 4, lower right 8.
const QUARTERS: [char; 16] = [' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█'];

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
            *dot = Some(if dot.is_none_or(|before| before == ink) { ink } else { Ink::Both });
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

    /// One cell and what it shows. Of the old version braille inks only every other dot, so that it looks dotted; blocks shade it.
    fn cell(&self, column: usize, line: usize, charts: Charts) -> (char, Option<Ink>) {
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
