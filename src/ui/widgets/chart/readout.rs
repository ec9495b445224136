//! What a crosshair says in words: the moment, both values with their intervals and counts, and the mark that lies nearest.

use chrono::DateTime;

use crate::analysis::proportion;
use crate::control::chart::{Point, Side};
use crate::model::slot::Track;

use crate::ui::row::{Row, fit};
use crate::ui::scene::Scene;
use crate::ui::signal;
use crate::ui::theme::Role;
use crate::ui::words;

use super::{Event, Sheet, time};

/// The words of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readout {
    /// The moment.
    pub at: String,
    /// The stable and the other version: its name, its value, and how surely that is so.
    pub sides: [(String, String, String); 2],
    /// The nearest mark; none where nothing is marked.
    pub mark: Option<String>,
}

impl Readout {
    /// The words of a point.
    pub fn of(scene: &Scene<'_>, sheet: &Sheet<'_>, point: &Point) -> Self {
        let side = |track: Track| {
            let (value, surely) = values(point.side(track), &sheet.signal.unit);
            (named(sheet, track, point.at_ms), value, surely)
        };
        let nearest = sheet.events.iter().min_by_key(|event| event.at_ms.abs_diff(point.at_ms));
        Self {
            at: time(scene, point.at_ms),
            sides: [side(Track::Stable), side(Track::Canary)],
            mark: nearest.map(|event| marked(scene, event, point.at_ms)),
        }
    }

    /// In one row or in two, from the longest form that fits.
    pub(super) fn rows(&self, height: usize, width: usize) -> Vec<Row> {
        let [(old, old_value, old_surely), (new, new_value, new_surely)] = &self.sides;
        let short = |name: &str| name.split(' ').next().unwrap_or(name).to_owned();
        let (old_short, new_short) = (short(old), short(new));
        let surely = |words: &str| if words.is_empty() { String::new() } else { format!(" {words}") };
        let counted = |words: &str| surely(words.split(" (").next().unwrap_or_default());
        let values = [
            format!("{old} {old_value}{}   {new} {new_value}{}", surely(old_surely), surely(new_surely)),
            format!("{old_short} {old_value}{}   {new_short} {new_value}{}", surely(old_surely), surely(new_surely)),
            format!("{old_short} {old_value}{}   {new_short} {new_value}{}", counted(old_surely), counted(new_surely)),
            format!("{old_short} {old_value}  {new_short} {new_value}"),
        ];
        let mark = self.mark.clone().unwrap_or_else(|| "no mark".to_owned());
        let room = width.saturating_sub(self.at.len() + 4);
        let row = |words: String| Row::of(Role::Plain, " ").put(Role::Key, self.at.clone()).put(Role::Plain, format!("  {words}"));
        if height >= 2 {
            let mark = Row::of(Role::Quiet, format!("{}{mark}", " ".repeat(self.at.len() + 3)));
            return vec![row(fit(&values, room)), mark];
        }
        let letter = mark.chars().next().filter(|_| self.mark.is_some()).map(|letter| format!("   {letter}")).unwrap_or_default();
        let both = values.iter().map(|values| format!("{values}   {mark}"));
        let forms: Vec<String> = both.chain(values.iter().map(|values| format!("{values}{letter}"))).collect();
        vec![row(fit(&forms, room))]
    }
}

/// A version as it is called at that moment: one that was first seen later is named by its part alone.
fn named(sheet: &Sheet<'_>, track: Track, at_ms: i64) -> String {
    let seen = sheet.view.version(track.slot(sheet.view.state.stable));
    match seen.filter(|seen| seen.since.timestamp_millis() <= at_ms) {
        Some(_) => signal::named(sheet.view, track),
        None => track.word().to_owned(),
    }
}

/// A value, and how surely it is so: `2.1 %` and `27 of 1,281 (1.4 to 3.1)`.
fn values(side: Side, unit: &str) -> (String, String) {
    let Some(value) = side.value else { return ("no data".to_owned(), String::new()) };
    let surely = match (side.of, unit) {
        (None, _) => String::new(),
        (Some(of), "ratio") => {
            let bad = (value * of).round();
            let counts = format!("{} of {}", signal::whole(bad), signal::whole(of));
            match proportion::wilson(bad, of) {
                Some(found) => format!("{counts} ({:.1} to {:.1})", found.low * 100.0, found.high * 100.0),
                None => counts,
            }
        }
        (Some(of), _) => format!("of {}", signal::whole(of)),
    };
    (words::value(value, unit), surely)
}

/// A mark, with how far it lies from a moment: `A CheckoutErrors fires 14:01:50, 30s later`.
pub fn marked(scene: &Scene<'_>, event: &Event, at_ms: i64) -> String {
    let apart = event.at_ms.abs_diff(at_ms) / 1_000;
    let away = match apart {
        0 => "at this moment".to_owned(),
        apart if event.at_ms > at_ms => format!("{} later", words::span(apart)),
        apart => format!("{} before", words::span(apart)),
    };
    let at = DateTime::from_timestamp_millis(event.at_ms).map(|at| scene.zone.time(&at)).unwrap_or_default();
    format!("{} {} {at}, {away}", event.letter, event.words)
}
