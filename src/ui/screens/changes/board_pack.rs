//! The advisory board's pack as a page: the same content as the file, and the command that writes it.

use crate::control::pack::pack;
use crate::control::pack::sheet::{Block, sheet};
use crate::model::time::rfc3339;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::theme::{Mark, Role};

/// The pack of the two weeks of the calendar.
pub fn rows(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let period = scene.world.calendars.ahead.span;
    let pack = pack(scene.world, &scene.world.ledger.entries, period, scene.now);
    let mut page = Page { scene, width, rows: Vec::new() };
    for block in sheet(&pack) {
        piece(&mut page, &block);
        if matches!(block, Block::Title(_)) {
            let (from, to) = (rfc3339(&period.begin), rfc3339(&period.end));
            page.say(
                Role::Quiet,
                "as a file",
                Role::Plain,
                &format!("gonogo changes pack --from {from} --to {to} --format html --out pack.html"),
            );
        }
    }
    page.rows
}

fn piece(page: &mut Page<'_, '_>, block: &Block) {
    match block {
        Block::Title(text) | Block::Section(text) => page.rows.push(Row::rule(page.scene.theme, text)),
        Block::Change(text) => {
            page.rows.push(Row::new());
            page.mark(Mark::Waits, Role::Strong, text);
        }
        Block::Say(text) => page.text(3, Role::Plain, text),
        Block::Fields(fields) => {
            for (name, value) in fields {
                page.say(Role::Quiet, name, Role::Plain, value);
            }
        }
        Block::List(name, items) => {
            page.text(1, Role::Quiet, name);
            for item in items {
                page.text(3, Role::Plain, item);
            }
        }
        // Columns would not fit on a small glass: one line a row, its cells apart.
        Block::Table(name, heads, rows) => {
            page.text(1, Role::Quiet, &format!("{name}: {}", heads.join(", ")));
            for row in rows {
                let cells: Vec<&str> = row.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
                page.text(3, Role::Plain, &cells.join(", "));
            }
        }
    }
}
