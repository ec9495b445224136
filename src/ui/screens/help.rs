//! Help: the keys that work here and now on one page, then what they do, and why the others do not; made from the live keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::intent::Verb;
use crate::ui::command::{Command, Entry, TABLE};
use crate::ui::offer::{self, Hindrance, Standpoint, hindrance};
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::Role;

/// What a mouse does where it is on.
const MOUSE: [(&str, &str, &str); 3] = [
    ("wheel", "moves", "as Up and Down do, three rows a notch; on a plan it scrolls"),
    (
        "press",
        "marks",
        "the row of a list; on the marked row it goes deeper. It orders nothing: in the palette and on a plan that is for keys",
    ),
    ("Shift", "selects", "hold it and the mouse is the terminal's own again, to select and copy text"),
];

/// The cells before the word of a key, and before what it does.
const WORD: usize = 14;
const DOES: usize = 26;
/// The cells between columns of keys.
const GAP: usize = 3;

/// The rows of help. What works here and now stands first: with what it does where all of it has room, else deeds so and the others by
/// their names alone, else all by their names.
pub fn rows(scene: &Scene<'_>, at: &Standpoint<'_>, (width, height): (usize, usize)) -> Vec<Row> {
    let here = at.target.map_or_else(|| "nothing is marked".to_owned(), ToString::to_string);
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for entry in TABLE {
        match (hindrance(entry, at), offer::idle(entry, at)) {
            (None, None) => can.push(entry),
            (Some(why), _) => cannot.push((entry, format!("not now: {why} ({})", entry.does))),
            (None, Some(why)) => cannot.push((entry, idle(&why, entry))),
        }
    }
    let mut rows = vec![Row::rule(scene.theme, &format!("works here and now: {} screen, {here}", at.screen.word()))];
    rows.extend(offer::against_all_deeds(at.world).map(|why| Row::of(Role::Watched, format!(" {why}"))));
    let room = height.saturating_sub(rows.len());
    let (deeds, others): (Vec<&Entry>, Vec<&Entry>) = can.iter().copied().partition(|entry| matches!(entry.command, Command::Deed(_)));
    let full = |entries: &[&Entry]| entries.iter().flat_map(|entry| told(scene, entry, entry.does, width)).collect::<Vec<_>>();
    let forms = [
        (full(&can), &[][..]),
        ([full(&deeds), in_columns(scene, &others, width)].concat(), others.as_slice()),
        (in_columns(scene, &can, width), can.as_slice()),
    ];
    let fits = forms.iter().position(|(first, _)| first.len() <= room).unwrap_or(forms.len() - 1);
    if let Some((first, short)) = forms.into_iter().nth(fits) {
        rows.extend(first);
        if !short.is_empty() {
            rows.push(Row::rule(scene.theme, "what they do"));
            rows.extend(full(short));
        }
    }
    rows.push(Row::rule(scene.theme, "on a plan, wherever it was opened"));
    for (key, word, does) in super::plan::keys::ALL {
        whole(named(key, word, Role::Strong), does, width, &mut rows);
    }
    rows.push(Row::rule(scene.theme, "does not work here and now, or is not offered, and why"));
    for (entry, why) in cannot {
        rows.extend(told_as(scene, entry, Role::Quiet, &why, width));
    }
    if let (Some(line), Some(why)) = (scene.line.words(true), scene.line.why()) {
        rows.push(Row::rule(scene.theme, "at the top of each screen"));
        let mut row = Row::new();
        row.at(1).add(Role::Strong, line);
        whole(row, why, width, &mut rows);
    }
    if scene.world.catalog.room.mouse {
        rows.push(Row::rule(scene.theme, "the mouse is on"));
        for (what, word, does) in MOUSE {
            whole(named(what, word, Role::Strong), does, width, &mut rows);
        }
    }
    rows
}

fn idle(why: &Hindrance, entry: &Entry) -> String {
    format!("not offered: {why}; the key plans it all the same ({})", entry.does)
}

fn word(entry: &Entry) -> &'static str {
    entry.command.verb().map_or(entry.label, Verb::word)
}

/// A command with what it does.
fn told(scene: &Scene<'_>, entry: &Entry, does: &str, width: usize) -> Vec<Row> {
    told_as(scene, entry, Role::Strong, does, width)
}

fn told_as(scene: &Scene<'_>, entry: &Entry, role: Role, text: &str, width: usize) -> Vec<Row> {
    let keys = scene.keymap.all_shown(entry.command);
    let keys = if keys.is_empty() { "no key".to_owned() } else { keys };
    let mut rows = Vec::new();
    whole(named(&keys, word(entry), role), text, width, &mut rows);
    rows
}

fn named(keys: &str, word: &str, role: Role) -> Row {
    let mut row = Row::new();
    row.at(1).add(Role::Key, keys).at(WORD).add(role, word);
    row
}

/// Keys with their names alone, down one column and then the next, in as many columns as have room.
fn in_columns(scene: &Scene<'_>, entries: &[&Entry], width: usize) -> Vec<Row> {
    let all: Vec<(String, &str)> = entries.iter().map(|entry| (scene.keymap.shown(entry.command), word(entry))).collect();
    let laid = |count: usize| {
        let height = all.len().div_ceil(count).max(1);
        (height, all.chunks(height).map(widest).collect::<Vec<_>>())
    };
    let (height, widths) = (2..=6).rev().map(laid).find(|(_, widths)| taken(widths) <= width).unwrap_or_else(|| laid(1));
    let mut rows = vec![Row::new(); height.min(all.len())];
    for (n, (key, word)) in all.iter().enumerate() {
        let (column, y) = (n / height, n % height);
        let Some((row, [wide, _])) = rows.get_mut(y).zip(widths.get(column)) else { continue };
        let left = 1 + widths.get(..column).map(taken).unwrap_or_default();
        row.at(left).add(Role::Key, key.clone()).at(left + wide + 1).add(Role::Strong, *word);
    }
    rows
}

/// The cells of the widest key of a column, and of its widest name.
fn widest(column: &[(String, &str)]) -> [usize; 2] {
    let key = column.iter().map(|(key, _)| cells(key)).max().unwrap_or(0);
    [key, column.iter().map(|(_, word)| cells(word)).max().unwrap_or(0)]
}

/// The cells that columns take.
fn taken(widths: &[[usize; 2]]) -> usize {
    widths.iter().map(|[key, word]| key + 1 + word + GAP).sum()
}

/// Adds a text in full to a row, over as many rows as it needs.
fn whole(first: Row, text: &str, width: usize, rows: &mut Vec<Row>) {
    let mut row = first;
    // Keys that are long push the text on.
    let left = DOES.max(row.width() + 1);
    for line in wrap(text, width.saturating_sub(left + 1)) {
        row.at(left).add(Role::Plain, line);
        rows.push(std::mem::take(&mut row));
    }
}

/// Draws rows from `scroll` on and gives the furthest scroll.
pub fn draw(scene: &Scene<'_>, rows: &[Row], scroll: usize, buffer: &mut Buffer, area: Rect) -> usize {
    let height = usize::from(area.height);
    let most = rows.len().saturating_sub(height);
    for (y, row) in (0..area.height).zip(rows.iter().skip(scroll.min(most))) {
        row.draw(buffer, area, y, scene.theme);
    }
    most
}
