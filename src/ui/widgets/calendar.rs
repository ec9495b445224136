//! A calendar of days in cells: its ruler, the mark of now, and one line for each thing that opens, freezes, leaves or waits.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};

use crate::analysis::span::{join, without};
use crate::model::timetable::Span;
use crate::policy::calendar::{Agenda, Ahead, Belief, Kind, Line};
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// Cells a day, from wide to narrow: each divides a day into whole hours.
const CELLS: [usize; 6] = [24, 12, 8, 6, 4, 3];

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A window is open for all of it.
    Open,
    /// A window is open for a part of it.
    Partly,
    /// A freeze holds in it.
    Frozen,
    /// A freeze holds, and an exception lets one target through.
    Exempt,
    /// Nobody knows.
    Unknown,
    /// A train leaves.
    Leaves,
    /// A plan waits for this time.
    Planned,
    /// Two things are in each other's way.
    Clash,
}

/// The meaning of each glyph, for the legend.
const LEGEND: [(Cell, &str); 8] = [
    (Cell::Open, "open"),
    (Cell::Partly, "part"),
    (Cell::Frozen, "frozen"),
    (Cell::Exempt, "exception"),
    (Cell::Leaves, "train"),
    (Cell::Planned, "plan"),
    (Cell::Clash, "conflict"),
    (Cell::Unknown, "unknown"),
];

/// A calendar in cells.
#[derive(Debug)]
pub struct Grid<'a, 's> {
    scene: &'a Scene<'s>,
    ahead: &'a Ahead,
    label: usize,
    per_day: usize,
    times: Vec<Span>,
}

impl<'a, 's> Grid<'a, 's> {
    /// A calendar of that width, whose labels need so many cells at most.
    pub fn new(scene: &'a Scene<'s>, ahead: &'a Ahead, width: usize, longest: usize) -> Self {
        let days = ahead.days.len().max(1);
        let room = width.saturating_sub(longest.min(width / 4) + 3);
        let per_day = CELLS.into_iter().find(|cells| cells * days <= room).unwrap_or(2);
        let label = width.saturating_sub(per_day * days + 3).min(longest);
        let cell = |day: Span, n: usize| {
            let at = |n: usize| {
                let part = i64::try_from(n).unwrap_or(0) * (day.end - day.begin).num_seconds() / i64::try_from(per_day).unwrap_or(1);
                day.begin.checked_add_signed(TimeDelta::seconds(part)).unwrap_or(day.end)
            };
            Span { begin: at(n), end: at(n + 1) }
        };
        let times = ahead.days.iter().flat_map(|day| (0..per_day).map(|n| cell(day.span, n)).collect::<Vec<_>>()).collect();
        Self { scene, ahead, label, per_day, times }
    }

    /// The days.
    pub fn ruler(&self, chosen: Option<NaiveDate>) -> Row {
        let mut row = self.begun("");
        for day in &self.ahead.days {
            let (letters, gap) = match self.per_day {
                8.. => (3, " "),
                6.. => (2, " "),
                _ => (1, ""),
            };
            let weekday: String = day.date.format("%a").to_string().chars().take(letters).collect();
            let name = format!("{weekday}{gap}{:02}", day.date.day());
            let role = if chosen == Some(day.date) { Role::Key } else { Role::Quiet };
            row.add(role, format!("{name:<width$}", width = self.per_day));
        }
        row
    }

    /// Where now is, which day is chosen, and where the clock is set.
    pub fn marks(&self, chosen: Option<NaiveDate>) -> Row {
        let scene = self.scene;
        let mut row = self.begun("now");
        for (place, day) in self.ahead.days.iter().enumerate() {
            let mut text = vec![(Role::Plain, " ".to_owned()); self.per_day];
            if day.jump != 0 {
                let word = format!("{:+}h", day.jump / 3600);
                let word = if day.jump % 3600 == 0 { word } else { format!("{:+}m", day.jump / 60) };
                for (cell, letter) in text.iter_mut().rev().zip(word.chars().rev()) {
                    *cell = (Role::Strong, letter.to_string());
                }
            }
            if chosen == Some(day.date)
                && let Some(first) = text.first_mut()
            {
                *first = (Role::Key, scene.glyph(Mark::Cursor).to_owned());
            }
            let times = self.times.iter().skip(place * self.per_day).take(self.per_day);
            for (cell, time) in text.iter_mut().zip(times) {
                if time.holds(scene.now.wall) {
                    *cell = (Role::Strong, scene.glyph(Mark::Bar).to_owned());
                }
            }
            for (role, text) in text {
                row.add(role, text);
            }
        }
        row
    }

    /// One line: what is so in each cell's time.
    pub fn line(&self, label: &str, says: impl Fn(Span) -> Cell) -> Row {
        let mut row = self.begun(label);
        for (place, time) in self.times.iter().enumerate() {
            let cell = says(*time);
            let begins_day = place % self.per_day == 0;
            match cell {
                Cell::Empty if begins_day => row.add(Role::Rule, self.scene.glyph(Mark::Day)),
                Cell::Empty => row.add(Role::Plain, " "),
                Cell::Open | Cell::Partly | Cell::Frozen | Cell::Exempt | Cell::Unknown | Cell::Leaves | Cell::Planned | Cell::Clash => {
                    let (role, glyph) = self.ink(cell);
                    row.add(role, glyph)
                }
            };
        }
        row
    }

    fn ink(&self, cell: Cell) -> (Role, &'static str) {
        let glyph = |mark| self.scene.glyph(mark);
        match cell {
            Cell::Empty => (Role::Plain, " "),
            Cell::Open => (Role::Plain, glyph(Mark::Open)),
            Cell::Partly => (Role::Plain, glyph(Mark::Partly)),
            Cell::Frozen => (Role::Plain, glyph(Mark::Frozen)),
            Cell::Exempt => (Role::Strong, "e"),
            Cell::Unknown => (Role::Stale, glyph(Mark::Unknown)),
            Cell::Leaves => (Role::Plain, "T"),
            Cell::Planned => (Role::Waits, "P"),
            Cell::Clash => (Role::Watched, glyph(Mark::Abnormal)),
        }
    }

    /// What the glyphs mean.
    pub fn legend(&self) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        for (cell, word) in LEGEND {
            let (role, glyph) = self.ink(cell);
            row.add(role, glyph).add(Role::Quiet, format!(" {word}  "));
        }
        row
    }

    fn begun(&self, label: &str) -> Row {
        let mut row = Row::new();
        let label = if cells(label) > self.label {
            let kept: String = label.chars().take(self.label.saturating_sub(1)).collect();
            format!("{kept}{}", self.scene.glyph(Mark::Cut))
        } else {
            label.to_owned()
        };
        row.at(1).add(Role::Quiet, label).at(self.label + 2);
        row
    }
}

/// How much of a time lies in spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    None,
    Some,
    All,
}

fn share(spans: &[Span], of: Span) -> Share {
    if spans.iter().any(|span| span.begin <= of.begin && of.end <= span.end) {
        Share::All
    } else if spans.iter().any(|span| span.meets(&of)) {
        Share::Some
    } else {
        Share::None
    }
}

/// What windows say of a time, less the freezes for everybody: what cannot be believed is never open.
pub fn windows<'l>(agenda: &'l Agenda, of: &[&'l Line], scene: &Scene<'_>) -> impl Fn(Span) -> Cell + use<'l> {
    let believed = |line: &&&Line| !matches!(line.belief(scene.now), Belief::Not(_));
    let doubtful = of.iter().any(|line| !believed(&line));
    let configured = join(of.iter().filter(believed).flat_map(|line| line.spans.iter().copied()).collect());
    let frozen = agenda.freezes.iter().filter(|freeze| freeze.is_for_all()).flat_map(|freeze| freeze.spans.iter().copied());
    let frozen = join(frozen.collect());
    let left = without(&configured, &frozen);
    // Where no window is configured at all, it is always open, but for freezes.
    let always = agenda.windows.is_empty();
    let unknown_freeze = agenda.in_doubt(scene.now).is_some();
    move |time| {
        let shut = share(&frozen, time);
        let (open, may) = if always { (Share::All, without(&[time], &frozen)) } else { (share(&configured, time), left.clone()) };
        match (open, share(&may, time)) {
            (Share::None, _) if doubtful => Cell::Unknown,
            (Share::None, _) => Cell::Empty,
            (Share::Some | Share::All, Share::None) if shut != Share::None => Cell::Frozen,
            (Share::Some | Share::All, _) if unknown_freeze => Cell::Unknown,
            (Share::Some | Share::All, Share::All) => Cell::Open,
            (Share::Some | Share::All, Share::Some | Share::None) => Cell::Partly,
        }
    }
}

/// What freezes say of a time: where nobody knows, it is never free.
pub fn freezes<'l>(of: &[&'l Line], scene: &Scene<'_>) -> impl Fn(Span) -> Cell + use<'l> {
    let unknown = of.iter().any(|line| line.belief(scene.now).doubt().is_some());
    let lines = of.to_vec();
    move |time| {
        let holds = lines.iter().filter(|line| share(&line.spans, time) != Share::None);
        let mut holds = holds.peekable();
        if holds.peek().is_none() {
            return if unknown { Cell::Unknown } else { Cell::Empty };
        }
        let exempt = |line: &&Line| line.exceptions.iter().any(|one| one.span.is_some_and(|day| day.meets(&time)));
        if holds.all(exempt) { Cell::Exempt } else { Cell::Frozen }
    }
}

/// What a line says of a time.
pub fn of_line<'l>(agenda: &'l Agenda, line: &'l Line, scene: &Scene<'_>) -> Box<dyn Fn(Span) -> Cell + 'l> {
    match line.kind {
        Kind::Window => Box::new(windows(agenda, &[line], scene)),
        Kind::Freeze => Box::new(freezes(&[line], scene)),
    }
}

/// Whether an instant lies in a time.
pub fn at(moments: Vec<(DateTime<Utc>, Cell)>) -> impl Fn(Span) -> Cell {
    move |time| {
        let here = moments.iter().filter(|(at, _)| time.holds(*at)).map(|(_, cell)| *cell);
        here.reduce(|one, other| if one == Cell::Clash { one } else { other }).unwrap_or(Cell::Empty)
    }
}

/// Spans as bars; what is in each other's way is marked.
pub fn bars(bars: Vec<Span>, clashes: Vec<Span>) -> impl Fn(Span) -> Cell {
    move |time| match (share(&clashes, time), share(&bars, time)) {
        (Share::Some | Share::All, _) => Cell::Clash,
        (Share::None, Share::Some | Share::All) => Cell::Planned,
        (Share::None, Share::None) => Cell::Empty,
    }
}
