//! The captains' page: its screens are what the room shows. That its commands are commands is tested beside the command line.

use super::calendar::{doubtful, timetable, with};
use super::changes::room;
use super::pack::shop;
use super::*;

const PAGE: &str = include_str!("../CAPTAINS.md");

/// The screens of the page as the room shows them.
fn screens() -> [(&'static str, String); 4] {
    let shown = |world: &World, keys: &str| {
        let mut desk = room(world.clone(), (100, 30));
        desk.press(keys);
        let text = desk.text();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
    };
    let table = with(timetable(), "UTC");
    [
        ("queue", shown(&table, "6")),
        ("calendar", shown(&table, "6 c <right> <right>")),
        ("doubtful", shown(&doubtful(None), "6 c")),
        ("pack", shown(&shop(), "6 b")),
    ]
}

#[test]
fn the_screens_of_the_page_are_what_the_room_shows() {
    let mut page = PAGE.to_owned();
    for (name, text) in screens() {
        let mark = format!("<!-- screen: {name} -->\n```text\n");
        let (before, rest) = page.split_once(&mark).unwrap();
        let (_, after) = rest.split_once("```\n").unwrap();
        page = format!("{before}{mark}{text}```\n{after}");
    }
    if std::env::var_os("CAPTURE").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ui/CAPTAINS.md"), &page).unwrap();
    } else {
        assert!(
            page == PAGE,
            "the captains' page shows screens of earlier: CAPTURE=1 cargo test --lib captains, then look at the difference"
        );
    }
}
