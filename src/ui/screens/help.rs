//! Help: the keys that work here and now, and why the others do not; made from the live keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::intent::Verb;
use crate::ui::command::TABLE;
use crate::ui::offer::{self, Standpoint, hindrance};
use crate::ui::row::{Row, wrap};
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

/// The rows of help.
pub fn rows(scene: &Scene<'_>, at: &Standpoint<'_>, width: usize) -> Vec<Row> {
    let here = at.target.map_or_else(|| "nothing is marked".to_owned(), ToString::to_string);
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for entry in TABLE {
        let keys: Vec<String> = scene.keymap.keys(entry.command).iter().map(crate::ui::input::Chord::shown).collect();
        let mut row = Row::new();
        row.at(1).add(Role::Key, if keys.is_empty() { "no key".to_owned() } else { keys.join(" ") }).at(14);
        let word = entry.command.verb().map_or(entry.label, Verb::word);
        match hindrance(entry, at) {
            None => {
                row.add(Role::Strong, word);
                whole(row, Role::Plain, entry.does, width, &mut can);
            }
            Some(why) => {
                row.add(Role::Quiet, word);
                whole(row, Role::Plain, &format!("not now: {why} ({})", entry.does), width, &mut cannot);
            }
        }
    }
    let mut rows = vec![Row::rule(scene.theme, &format!("works here and now: {} screen, {here}", at.screen.word()))];
    rows.extend(offer::against_all_deeds(at.world).map(|why| Row::of(Role::Watched, format!(" {why}"))));
    rows.append(&mut can);
    rows.push(Row::rule(scene.theme, "on a plan, wherever it was opened"));
    for (key, word, does) in super::plan::keys::ALL {
        let mut row = Row::new();
        row.at(1).add(Role::Key, key).at(14).add(Role::Strong, word);
        whole(row, Role::Plain, does, width, &mut rows);
    }
    if scene.world.catalog.room.mouse {
        rows.push(Row::rule(scene.theme, "the mouse is on"));
        for (what, word, does) in MOUSE {
            let mut row = Row::new();
            row.at(1).add(Role::Key, what).at(14).add(Role::Strong, word);
            whole(row, Role::Plain, does, width, &mut rows);
        }
    }
    rows.push(Row::rule(scene.theme, "does not work here and now, and why"));
    rows.append(&mut cannot);
    rows
}

/// Adds a text in full to a row, over as many rows as it needs.
fn whole(first: Row, role: Role, text: &str, width: usize, rows: &mut Vec<Row>) {
    let mut row = first;
    for line in wrap(text, width.saturating_sub(27)) {
        row.at(26).add(role, line);
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
