//! The scrubber: from when to when the past is kept, where one stands in it, and what the event at hand is.

use chrono::{DateTime, Utc};

use crate::model::scrub::Scrub;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// The narrowest and the widest bar.
const BAR: (usize, usize) = (16, 80);

/// Its row.
pub fn row(scene: &Scene<'_>, scrub: &Scrub, width: usize) -> Row {
    let mut row = Row::new();
    row.add(Role::Plain, " ").add(Role::Quiet, end(scene, scrub, &scrub.from)).add(Role::Plain, " ");
    bar(scene, scrub, (width / 3).clamp(BAR.0, BAR.1), &mut row);
    row.add(Role::Plain, " ").add(Role::Quiet, end(scene, scrub, &scrub.to)).add(Role::Plain, "  ");
    let speed = if scrub.plays { format!("{}x plays", scrub.speed) } else { format!("{}x stands", scrub.speed) };
    row.add(if scrub.plays { Role::Moving } else { Role::Plain }, speed).add(Role::Plain, "  ");
    if let Some(since) = scrub.known_since.filter(|_| width >= 120) {
        row.add(Role::Quiet, format!("followed since {}  ", scene.zone.minute(&since, &scrub.at.wall)));
    }
    row.add(Role::Strong, scrub.says.to_string());
    row
}

/// The time at an end, with its day where the bar is longer than one.
fn end(scene: &Scene<'_>, scrub: &Scrub, at: &DateTime<Utc>) -> String {
    if (scrub.to - scrub.from).num_hours() < 24 { scene.zone.time(at) } else { scene.zone.stamp(at) }
}

fn bar(scene: &Scene<'_>, scrub: &Scrub, cells: usize, row: &mut Row) {
    let mut marks: Vec<Option<bool>> = vec![None; cells];
    for mark in scrub.marks.iter() {
        // An alert is seen where a deed stands in the same cell.
        if let Some(cell) = marks.get_mut(scrub.cell(&mark.at, cells)) {
            *cell = Some(mark.is_deed && cell.unwrap_or(true));
        }
    }
    let here = scrub.cell(&scrub.at.wall, cells);
    for (cell, mark) in marks.into_iter().enumerate() {
        match mark {
            _ if cell == here => row.add(Role::Banner, if scene.theme.unicode { "●" } else { "O" }),
            Some(true) => row.add(Role::Moving, scene.glyph(Mark::Moving)),
            Some(false) => row.add(Role::Abnormal, scene.glyph(Mark::Abnormal)),
            None => row.add(Role::Rule, scene.glyph(Mark::Rule)),
        };
    }
}

/// The row of keys while one is in the past.
pub fn keys(scene: &Scene<'_>, scrub: &Scrub) -> Row {
    use crate::control::replay::traveller::Way;
    use crate::ui::command::Command;
    let key = |command| scene.keymap.shown(command);
    let both = |back, on| format!("{} {}", key(back), key(on));
    let mut row = Row::new();
    row.add(Role::Plain, " ");
    let mut offer = |keys: String, label: &str| {
        row.add(Role::Key, keys).add(Role::Plain, format!(" {label}  "));
    };
    offer(both(Command::Event(Way::Back), Command::Event(Way::On)), "event");
    offer(both(Command::Mark(Way::Back), Command::Mark(Way::On)), "deed, alert");
    offer(key(Command::Play), if scrub.plays { "stand" } else { "play" });
    offer(both(Command::Speed(Way::Back), Command::Speed(Way::On)), "speed");
    offer(key(Command::Moment), "time");
    if scrub.has_now {
        offer(key(Command::Past), "now");
    } else {
        offer(key(Command::Quit), "quit");
    }
    row.end(Role::Key, format!("  {}", key(Command::Help))).end(Role::Plain, " all keys ");
    row
}
