//! A chart of one signal: the old and the new version by different marks, with the limit, in braille, block or plain characters as the theme says.

mod canvas;
mod lens;
mod readout;

use chrono::DateTime;

use crate::config::theme::Charts;
use crate::control::chart::Point;
use crate::control::world::{SignalView, TargetView};
use crate::model::slot::Track;

use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use canvas::{Canvas, Ink};
pub use lens::{Lens, Window, nearest};
pub use readout::{Readout, marked};

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

/// What a chart is drawn of.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// The target.
    pub view: &'a TargetView,
    /// What is measured.
    pub signal: &'a SignalView,
    /// Its points, oldest first.
    pub points: &'a [Point],
    /// What happened meanwhile.
    pub events: &'a [Event],
    /// What is looked at.
    pub lens: &'a Lens,
}

/// The cells left of a chart.
pub fn gutter(signal: &SignalView) -> usize {
    signal.limit.map_or(0, |limit| cells(&format!("limit {}", words::limit(limit, &signal.unit)))).max(8) + 1
}

/// The columns of a chart in a row of `width` cells.
pub fn columns(signal: &SignalView, width: usize) -> usize {
    width.saturating_sub(gutter(signal) + 1)
}

/// Where the newest end of a chart lies: at its newest point while the source answers, else at the present, so that its silence is seen.
pub fn newest(scene: &Scene<'_>, sheet: &Sheet<'_>) -> i64 {
    let last = sheet.points.last().map_or(0, |point| point.at_ms);
    let now = scene.now.wall.timestamp_millis();
    if now - last <= longest_step(scene, sheet) {
        return last;
    }
    let steps = 10_000;
    scene.changes_in(std::time::Duration::from_millis(u64::try_from(steps - now.rem_euclid(steps)).unwrap_or(1_000)));
    now - now.rem_euclid(steps)
}

/// The longest time between two points that belong together: what lies farther apart was not measured in between.
fn longest_step(scene: &Scene<'_>, sheet: &Sheet<'_>) -> i64 {
    let mut steps: Vec<i64> = sheet.points.windows(2).filter_map(|pair| Some(pair.last()?.at_ms - pair.first()?.at_ms)).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0);
    let stale = scene.world.sources.get(&sheet.signal.backend).map_or(0, |source| source.backend.stale_after.as_millis());
    (usual * 5 / 2).max(i64::try_from(stale).unwrap_or(i64::MAX))
}

/// The rows of a chart of `height` rows, its time axis included; none when there is nothing to draw.
pub fn rows(scene: &Scene<'_>, sheet: &Sheet<'_>, (width, height): (usize, usize)) -> Vec<Row> {
    let Sheet { signal, points, lens, .. } = *sheet;
    let (gutter, columns) = (gutter(signal), columns(signal, width));
    let Some(first) = points.first().filter(|_| points.len() >= 2) else { return Vec::new() };
    let window = lens.window(first.at_ms, newest(scene, sheet));
    let span = (window.to - window.from).max(1);
    let within = |at: i64| (window.from..=window.to).contains(&at);
    // Two rows for events, where as many are left for the chart itself.
    let events: Vec<&Event> = sheet.events.iter().filter(|event| height >= 7 && within(event.at_ms)).collect();
    let cross = lens.cross().and_then(|at| points.get(nearest(points, at)));
    let letters = usize::from(!events.is_empty());
    let below = match cross {
        _ if lens.is_open() => 0,
        Some(_) => 1 + usize::from(height >= 10),
        None => letters,
    };
    let lines = height.saturating_sub(2 + letters + below);
    if lines < 2 || columns < 10 {
        return Vec::new();
    }
    let shown: Vec<&Point> = points.iter().filter(|point| within(point.at_ms)).collect();
    let values = shown.iter().flat_map(|point| [point.stable.value, point.canary.value]).flatten();
    let most = values.chain(signal.limit).fold(0.0_f64, f64::max) * 1.1;
    let most = if most > 0.0 { most } else { 1.0 };
    let charts = scene.theme.charts();
    let column = |at: i64| scaled(to_f64(at - window.from) / to_f64(span), columns);
    let crossed = cross.map(|point| column(point.at_ms));
    let canvas = inked(&shown, (window.from, span), most, longest_step(scene, sheet), blank(charts, columns, lines));
    let limit = signal.limit.map(|limit| scaled(1.0 - limit / most, lines));
    let mut rows = vec![heading(scene, signal, &window)];
    for line in 0..lines {
        let mut row = Row::new();
        let value = most * (1.0 - (to_f64(i64::try_from(line).unwrap_or(0)) + 0.5) / to_f64(i64::try_from(lines).unwrap_or(1)));
        let room = gutter - 1;
        match signal.limit.map(|limit| format!("limit {}", words::limit(limit, &signal.unit))) {
            Some(words) if limit == Some(line) => row.add(Role::Watched, format!("{words:>room$} ")),
            Some(_) | None if line % 2 == 0 => row.add(Role::Quiet, format!("{:>room$} ", words::value(value, &signal.unit))),
            Some(_) | None => row.at(gutter),
        };
        for column in 0..columns {
            let (text, ink) = canvas.cell(column, line, charts);
            match (ink, limit == Some(line)) {
                (None, _) if crossed == Some(column) => row.add(Role::Key, scene.glyph(Mark::Bar)),
                (None, true) => row.add(Role::Watched, if column % 2 == 0 { scene.glyph(Mark::Rule) } else { " " }),
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
            if let Some(place) = letters.get_mut(column(event.at_ms)) {
                *place = event.letter;
            }
        }
        let mut row = Row::new();
        row.at(gutter).add(Role::Strong, letters.into_iter().collect::<String>());
        rows.push(row);
    }
    rows.push(axis(scene, &window, cross.map(|point| (column(point.at_ms), point.at_ms)), gutter, columns));
    match cross {
        Some(_) | None if lens.is_open() => {}
        Some(point) => rows.extend(Readout::of(scene, sheet, point).rows(below, width)),
        None if !events.is_empty() => rows.push(Row::of(Role::Quiet, legend_of(scene, &events, gutter, width))),
        None => {}
    }
    rows
}

/// What is measured, how much of the time is shown, whether it goes along, and what the marks mean.
fn heading(scene: &Scene<'_>, signal: &SignalView, window: &Window) -> Row {
    let span = window.to - window.from;
    let past = if span < 120_000 { format!("{} s", span / 1_000) } else { format!("{} min", span / 60_000) };
    let what = match (window.live, window.whole) {
        (true, _) => format!("{}, last {past}", signal.name),
        (false, _) => format!("{}, {past} to {}, STANDS", signal.name, time(scene, window.to)),
    };
    let limit = signal.limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {}", words::limit(limit, &signal.unit)));
    let mut rule = Row::rule(scene.theme, &what);
    rule.end(Role::Quiet, format!(" {}   {limit} ", legend(scene)));
    rule
}

/// What the marks of the two versions look like.
fn legend(scene: &Scene<'_>) -> &'static str {
    match scene.theme.charts() {
        Charts::Braille => "dotted old   solid new",
        Charts::Block => "shaded old   solid new",
        Charts::Ascii => "b old   c new   * both",
    }
}

fn blank(charts: Charts, columns: usize, lines: usize) -> Canvas {
    let (fine_x, fine_y) = match charts {
        Charts::Braille => (2, 4),
        Charts::Block => (2, 2),
        Charts::Ascii => (1, 1),
    };
    Canvas::new(columns * fine_x, lines * fine_y)
}

/// The points on a canvas. The new version lies over the old one where both run together; what was not measured is a hole, never a line.
fn inked(shown: &[&Point], (from, span): (i64, i64), most: f64, longest_step: i64, mut canvas: Canvas) -> Canvas {
    for (track, ink) in [(Track::Stable, Ink::Old), (Track::Canary, Ink::New)] {
        let mut before: Option<(i64, (usize, usize))> = None;
        for point in shown {
            let x = scaled(to_f64(point.at_ms - from) / to_f64(span), canvas.width);
            let here = point.side(track).value.map(|value| (x, scaled(1.0 - value / most, canvas.height)));
            if let Some(here) = here {
                let joined = before.filter(|(at, _)| point.at_ms - at <= longest_step).map(|(_, there)| there);
                canvas.line(joined.unwrap_or(here), here, ink);
            }
            before = here.map(|here| (point.at_ms, here));
        }
    }
    canvas
}

/// The time of a moment.
fn time(scene: &Scene<'_>, at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).map(|at| scene.zone.time(&at)).unwrap_or_default()
}

/// The axis of time; under a crosshair its moment, and the others where they do not touch it.
fn axis(scene: &Scene<'_>, window: &Window, cross: Option<(usize, i64)>, gutter: usize, columns: usize) -> Row {
    let span = window.to - window.from;
    let mut labels = Vec::new();
    if let Some((column, at)) = cross {
        let text = time(scene, at);
        labels.push((column.saturating_sub(text.len() / 2).min(columns.saturating_sub(text.len())), text, Role::Key));
    }
    let end = time(scene, window.to);
    let plain =
        [(0, time(scene, window.from)), (columns.saturating_sub(end.len()), end), (columns / 2, time(scene, window.from + span / 2))];
    for (column, text) in plain {
        let free = |(there, other, _): &(usize, String, Role)| column > there + other.len() || *there > column + text.len();
        if labels.iter().all(free) {
            labels.push((column, text, Role::Quiet));
        }
    }
    labels.sort_by_key(|(column, ..)| *column);
    let mut row = Row::new();
    for (column, text, role) in labels {
        row.at(gutter + column).add(role, text);
    }
    row
}

/// What the letters say: the newest that fit, in the order of time.
fn legend_of(scene: &Scene<'_>, events: &[&Event], gutter: usize, width: usize) -> String {
    let mut text = String::new();
    for (n, event) in events.iter().rev().enumerate() {
        let one = format!("{} {} {}", event.letter, event.words, time(scene, event.at_ms));
        let more = if n == 0 { one } else { format!("{one}   {text}") };
        if gutter + cells(&more) + 1 > width && n > 0 {
            break;
        }
        text = more;
    }
    format!("{}{text}", " ".repeat(gutter))
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
