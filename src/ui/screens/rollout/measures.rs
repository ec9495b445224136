//! The measures of a rollout: as its trial judges them, with bounds, samples and time left, and a line of why; else as the signals stand.

use std::collections::BTreeSet;

use crate::analysis::trial::{Harm, MeasureStanding, Outcome};
use crate::control::world::{SignalState, SignalView, TargetView, begun_anew};
use crate::model::share::Percent;
use crate::model::slot::Track;

use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::signal;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::sparkline::sparkline;
use crate::ui::words;

/// The cells of a mark with its gaps.
const MARK: usize = 3;
/// The cells of one course of values.
const COURSE: usize = 16;

/// The table of measures, one row each; with `why`, the sentence of each under it.
pub fn rows(scene: &Scene<'_>, view: &TargetView, width: usize, why: bool) -> Vec<Row> {
    let standing = scene.world.ahead.get(&view.target).and_then(|ahead| ahead.trial.as_deref());
    let of = |signal: &SignalView| standing.and_then(|trial| trial.measures.iter().find(|measure| measure.name == signal.name));
    let score = standing.map(|trial| format!(" score {} ", crate::analysis::trial::written(&trial.score))).unwrap_or_default();
    let mut rule = Row::rule(scene.theme, &fit(&headings(view), width.saturating_sub(cells(&score) + 4)));
    if !score.is_empty() {
        rule.end(Role::Quiet, score);
    }
    let mut rows = vec![rule];
    rows.extend(anew(scene, view, width));
    if view.signals.is_empty() {
        return rows;
    }
    let idle = view.wished().is_some_and(|share| share.nearest() == Percent::NONE);
    let lines: Vec<Line<'_>> = view.signals.iter().map(|signal| Line { scene, view, signal, judged: of(signal), idle }).collect();
    let table = Table::of(&lines, width);
    rows.push(table.heading());
    for (n, line) in lines.iter().enumerate() {
        rows.push(table.row(n));
        if let (true, Some(judged)) = (why, line.judged) {
            rows.extend(sentence(judged, width));
        }
    }
    rows
}

/// Whose figures they are, and over how long they are counted, from long to short.
fn headings(view: &TargetView) -> Vec<String> {
    let backends: BTreeSet<&str> = view.signals.iter().map(|signal| signal.backend.as_str()).collect();
    let mut windows: Vec<(String, Vec<&str>)> = Vec::new();
    for signal in &view.signals {
        let window = signal::window(signal);
        match windows.iter_mut().find(|(known, _)| *known == window) {
            Some((_, names)) => names.push(signal.name.as_str()),
            None => windows.push((window, vec![signal.name.as_str()])),
        }
    }
    let by = backends.into_iter().collect::<Vec<_>>().join(" and ");
    let short = if by.is_empty() { "measure".to_owned() } else { format!("measure by {by}") };
    let long = match windows.as_slice() {
        [] => short.clone(),
        [(window, _)] => format!("{short} {window}"),
        more => {
            let told: Vec<String> = more.iter().map(|(window, names)| format!("{} {window}", names.join(", "))).collect();
            format!("{short}: {}", told.join("; "))
        }
    };
    vec![long, short, "measure".to_owned()]
}

/// Since when it is judged, where that is less than since the rollout began.
fn anew(scene: &Scene<'_>, view: &TargetView, width: usize) -> Option<Row> {
    let anew = scene.world.ahead.get(&view.target)?.anew.as_ref()?;
    Some(Row::of(
        Role::Waits,
        fit(&[format!("   {}", begun_anew(anew)), format!("   judged since {}, begun anew", anew.at.format("%H:%M:%SZ"))], width),
    ))
}

/// Why each measure is judged so, for a screen on which the table alone had room.
pub fn reasons(scene: &Scene<'_>, view: &TargetView, width: usize) -> Vec<Row> {
    let Some(trial) = scene.world.ahead.get(&view.target).and_then(|ahead| ahead.trial.as_deref()) else { return Vec::new() };
    let mut rows = vec![Row::rule(scene.theme, "why")];
    rows.extend(trial.measures.iter().flat_map(|judged| sentence(judged, width)));
    rows
}

fn sentence(judged: &MeasureStanding, width: usize) -> Vec<Row> {
    let lines = wrap(&judged.reason, width.saturating_sub(6)).into_iter();
    lines.map(|line| Row::of(Role::Quiet, format!("     {line}"))).collect()
}

/// One measure and what is known of it.
struct Line<'a> {
    scene: &'a Scene<'a>,
    view: &'a TargetView,
    signal: &'a SignalView,
    judged: Option<&'a MeasureStanding>,
    idle: bool,
}

/// A column: its heading from long to short, its cells, and when it falls away: the highest first, 0 never.
struct Column {
    heading: Vec<String>,
    cells: Vec<(Role, String)>,
    falls: u8,
    room: usize,
}

impl Column {
    fn of<'a>(lines: &[Line<'a>], falls: u8, heading: Vec<String>, cell: impl Fn(&Line<'a>) -> (Role, String)) -> Self {
        let found: Vec<_> = lines.iter().map(cell).collect();
        let least = heading.last().map_or(0, |shortest| cells(shortest));
        let room = found.iter().map(|(_, text)| cells(text)).max().unwrap_or(0).max(least);
        Self { heading, cells: found, falls, room }
    }
}

/// The columns that fit.
struct Table {
    /// The mark of each measure, which stands before its name.
    marks: Vec<(Role, String)>,
    columns: Vec<Column>,
    gap: usize,
}

impl Table {
    fn of(lines: &[Line<'_>], width: usize) -> Self {
        let judged = lines.iter().any(|line| line.judged.is_some());
        let plain = |forms: &[&str]| forms.iter().map(|&form| form.to_owned()).collect::<Vec<_>>();
        let named = |track| lines.first().map(|line| versions(line, track)).unwrap_or_default();
        let mut columns = vec![
            Column::of(lines, 0, Vec::new(), Line::name),
            Column::of(lines, 0, named(Track::Stable), |line| line.value(Track::Stable)),
            Column::of(lines, 0, named(Track::Canary), |line| line.value(Track::Canary)),
        ];
        if judged {
            columns.push(Column::of(lines, 0, plain(&["worse by (bounds)", "worse by"]), Line::harm));
            columns.push(Column::of(lines, 1, plain(&["margin", "may"]), Line::margin));
        } else {
            columns.push(Column::of(lines, 0, plain(&["difference"]), Line::difference));
        }
        columns.push(Column::of(lines, 0, plain(&["limit"]), Line::limit));
        columns.push(Column::of(lines, 0, plain(&[if judged { "judged" } else { "state" }]), Line::state));
        if judged {
            columns.push(Column::of(lines, 0, plain(&["left"]), Line::left));
            columns.push(Column::of(lines, 2, plain(&["samples", "n"]), Line::samples));
            columns.push(Column::of(lines, 3, plain(&["old course", "old"]), |line| line.course(Track::Stable)));
            columns.push(Column::of(lines, 3, plain(&["new course", "new"]), |line| line.course(Track::Canary)));
        }
        let total = |columns: &[Column], gap: usize| MARK + columns.iter().map(|column| column.room + gap).sum::<usize>();
        while total(&columns, 1) > width {
            let Some(falls) = columns.iter().map(|column| column.falls).max().filter(|falls| *falls > 0) else { break };
            columns.retain(|column| column.falls != falls);
        }
        // Longer headings first, then wider gaps; both versions are named in the same form.
        let wanted = |column: &Column| column.heading.first().map_or(0, |longest| cells(longest)).max(column.room);
        for (first, last) in [(1, 3), (3, columns.len())] {
            let of = columns.get(first..last).unwrap_or_default();
            let more: usize = of.iter().map(|column| wanted(column) - column.room).sum();
            if total(&columns, 1) + more <= width {
                columns.get_mut(first..last).unwrap_or_default().iter_mut().for_each(|column| column.room = wanted(column));
            }
        }
        let gap = (1..=4).rev().find(|gap| total(&columns, *gap) <= width).unwrap_or(1);
        Self { marks: lines.iter().map(Line::mark).collect(), columns, gap }
    }

    fn heading(&self) -> Row {
        let mut row = Row::new();
        let mut at = MARK;
        for column in &self.columns {
            let text = fit(&column.heading, column.room + self.gap - 1);
            if !text.is_empty() {
                row.at(at).add(Role::Quiet, text);
            }
            at += column.room + self.gap;
        }
        row
    }

    fn row(&self, n: usize) -> Row {
        let (role, mark) = self.marks.get(n).cloned().unwrap_or((Role::Plain, String::new()));
        let mut row = Row::of(role, mark);
        let mut at = MARK;
        for column in &self.columns {
            if let Some((role, text)) = column.cells.get(n).filter(|(_, text)| !text.is_empty()) {
                if row.width() < at {
                    row.at(at);
                }
                row.add(*role, text.clone());
            }
            at += column.room + self.gap;
        }
        row
    }
}

/// A version and its track, the version alone, the track alone.
fn versions(line: &Line<'_>, track: Track) -> Vec<String> {
    let version = line.view.version(track.slot(line.view.state.stable)).map(|seen| seen.version.to_string());
    [Some(signal::named(line.view, track)), version, Some(track.word().to_owned())].into_iter().flatten().collect()
}

impl Line<'_> {
    fn fresh(&self) -> bool {
        self.scene.freshness(&self.signal.backend).is_fresh()
    }

    /// How it stands: what the trial says where there is one, and a limit that is passed.
    fn looks(&self) -> (Mark, Role, &'static str) {
        if !self.fresh() {
            return (Mark::Unknown, Role::Quiet, "STALE");
        }
        let of_signal = match self.signal.state {
            SignalState::Within => (Mark::None, Role::Plain, "within"),
            SignalState::Past => (Mark::Abnormal, Role::Abnormal, "PAST"),
            SignalState::Worse => (Mark::Abnormal, Role::Abnormal, "WORSE"),
            SignalState::NoData => (Mark::Unknown, Role::Quiet, "NO DATA"),
        };
        let Some(judged) = self.judged else { return of_signal };
        match (judged.outcome, judged.weight > 0.0, self.signal.state) {
            (Outcome::Fail, true, _) => (Mark::Abnormal, Role::Abnormal, "WORSE"),
            (_, _, SignalState::Past | SignalState::Worse) | (Outcome::Early, false, _) => of_signal,
            (Outcome::Fail, false, _) => (Mark::Abnormal, Role::Watched, "worse"),
            (Outcome::Pass, ..) => (Mark::Proven, Role::Plain, "no worse"),
            (Outcome::Early, ..) => (Mark::None, Role::Plain, "early"),
            (Outcome::Nodata, ..) => (Mark::Unknown, Role::Quiet, "NO DATA"),
        }
    }

    fn mark(&self) -> (Role, String) {
        let (mark, role, _) = self.looks();
        (role, format!(" {} ", self.scene.glyph(mark)))
    }

    fn name(&self) -> (Role, String) {
        (Role::Plain, self.signal.name.to_string())
    }

    fn value(&self, track: Track) -> (Role, String) {
        let measure = if track == Track::Stable { &self.signal.stable } else { &self.signal.canary };
        let (_, role, _) = self.looks();
        let role = if track == Track::Canary || !self.fresh() { role } else { Role::Plain };
        (role, measure.value.map_or_else(|| "-".to_owned(), |value| words::value(value, &self.signal.unit)))
    }

    /// By how much the canary is worse, with its bounds; why nothing is known, where nothing is.
    fn harm(&self) -> (Role, String) {
        let Some((judged, harm)) = self.judged.and_then(|judged| Some((judged, judged.harm?))) else { return self.difference() };
        (if self.fresh() { Role::Plain } else { Role::Stale }, bounds(&harm, judged, &self.signal.unit))
    }

    fn difference(&self) -> (Role, String) {
        if let Some((middle, low, high)) = self.signal.difference {
            (Role::Plain, format!("{:+.1} ({:.1} to {:.1})", middle * 100.0, low * 100.0, high * 100.0))
        } else if self.idle {
            (Role::Quiet, "nothing on trial".to_owned())
        } else {
            (Role::Quiet, self.signal.canary.missing.as_ref().map(ToString::to_string).unwrap_or_default())
        }
    }

    fn margin(&self) -> (Role, String) {
        let Some(judged) = self.judged else { return (Role::Plain, String::new()) };
        if judged.weight <= 0.0 {
            return (Role::Quiet, "shown".to_owned());
        }
        let (factor, unit) = scale(judged, &self.signal.unit);
        (Role::Plain, format!("{} {unit}", number(judged.margin * factor, judged.margin * factor)).trim_end().to_owned())
    }

    fn limit(&self) -> (Role, String) {
        (Role::Plain, self.signal.limit.map_or_else(|| "-".to_owned(), |limit| words::limit(limit, &self.signal.unit)))
    }

    fn state(&self) -> (Role, String) {
        let (_, role, word) = self.looks();
        (role, word.to_owned())
    }

    /// How long until it is settled.
    fn left(&self) -> (Role, String) {
        let Some(judged) = self.judged else { return (Role::Plain, String::new()) };
        let text = match (judged.outcome, &judged.more) {
            (Outcome::Pass | Outcome::Fail, _) => "settled".to_owned(),
            (_, Some(more)) => format!("~{}", words::span(if more.seconds >= 60 { more.seconds / 60 * 60 } else { more.seconds })),
            (_, None) => "?".to_owned(),
        };
        (Role::Plain, text)
    }

    /// How many intervals were compared, and of how many it is thought to need.
    fn samples(&self) -> (Role, String) {
        let Some(judged) = self.judged else { return (Role::Plain, String::new()) };
        let needs =
            judged.more.map(|more| format!(" of {}", words::count(judged.pairs.saturating_add(more.intervals)))).unwrap_or_default();
        (Role::Plain, format!("{}{needs}", words::count(judged.pairs)))
    }

    /// The course of one side, on one scale with the other.
    fn course(&self, track: Track) -> (Role, String) {
        let Some(points) = self.view.chart(&self.signal.name).map(|points| points.points().collect::<Vec<_>>()) else {
            return (Role::Quiet, String::new());
        };
        let most = points.iter().flat_map(|point| [point.stable.value, point.canary.value]).flatten().fold(0.0_f64, f64::max);
        let of = |value: f64| if most > 0.0 { value.max(0.0) / most } else { 0.0 };
        let scaled: Vec<Option<f64>> = points.iter().map(|point| point.side(track).value.map(of)).collect();
        let role = if track == Track::Stable { Role::Quiet } else { Role::Plain };
        (role, sparkline(&scaled, COURSE.min(scaled.len()), self.scene.theme.charts()))
    }
}

/// What a harm is multiplied by for the eye, and its unit there: shares are told in points.
fn scale<'a>(judged: &MeasureStanding, unit: &'a str) -> (f64, &'a str) {
    if judged.canary.is_some() || unit == "ratio" { (100.0, "pt") } else { (1.0, unit) }
}

fn bounds(harm: &Harm, judged: &MeasureStanding, unit: &str) -> String {
    let (factor, unit) = scale(judged, unit);
    let margin = judged.margin * factor;
    let of = |value: f64| number(value * factor, margin);
    let estimate = of(harm.estimate);
    let sign = if harm.estimate > 0.0 && estimate.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') { "+" } else { "" };
    let interval = match (harm.low, harm.high) {
        (Some(low), Some(high)) => format!(" ({} to {})", of(low), of(high)),
        (Some(low), None) => format!(" ({} or more)", of(low)),
        (None, Some(high)) => format!(" ({} or less)", of(high)),
        (None, None) => " (no bounds yet)".to_owned(),
    };
    let unit = if unit == "pt" { "" } else { unit };
    format!("{sign}{estimate}{interval} {unit}").trim_end().to_owned()
}

/// A number with the decimals that its margin asks for.
fn number(value: f64, margin: f64) -> String {
    let decimals = match margin.abs() {
        margin if margin >= 10.0 || margin <= 0.0 => usize::from(margin <= 0.0),
        margin if margin >= 0.2 => 1,
        margin if margin >= 0.02 => 2,
        _ => 3,
    };
    let written = format!("{value:.decimals$}");
    if written.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) { format!("{:.decimals$}", 0.0) } else { written }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_decimals_that_their_margin_asks_for() {
        for (value, margin, written) in
            [(1.7, 0.5, "1.7"), (-0.01, 0.5, "0.0"), (12.3, 20.0, "12"), (0.034, 0.05, "0.03"), (3.0, 0.0, "3.0")]
        {
            assert_eq!(number(value, margin), written, "{value} by {margin}");
        }
    }
}
