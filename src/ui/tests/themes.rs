//! Every screen at three sizes in four themes: its text and the role of each cell are kept, and every theme shows just these roles.

use std::collections::{BTreeMap, HashSet};

use ratatui::buffer::Cell;
use ratatui::style::{Color, Style};

use super::*;
use crate::config::theme::Charts;
use crate::ui::dress;
use crate::ui::theme::Role;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const THEMES: [&str; 4] = ["default", "light", "high-contrast", "colour-blind"];

/// The roles: the word of a theme's file, and the letter in the snapshots, in which what is plain has none.
const ROLES: [(Role, &str, char); 13] = [
    (Role::Plain, "normal", ' '),
    (Role::Quiet, "dim", 'q'),
    (Role::Strong, "title", 's'),
    (Role::Rule, "line", 'r'),
    (Role::Abnormal, "abnormal", 'A'),
    (Role::Watched, "watched", 'W'),
    (Role::Waits, "waits", 'N'),
    (Role::Moving, "moving", 'M'),
    (Role::Stale, "stale", 'z'),
    (Role::Key, "key", 'k'),
    (Role::Field, "input", 'f'),
    (Role::Caret, "cursor", 'c'),
    (Role::Banner, "banner", 'B'),
];

/// The first ink by which the roles are told apart in a theme that shows nothing else.
const FIRST: u8 = 100;

/// A theme in which every role has an ink of its own.
fn told_apart(charts: Charts) -> Theme {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("themes")).unwrap();
    let charts = match charts {
        Charts::Braille => "braille",
        Charts::Block => "block",
        Charts::Ascii => "ascii",
    };
    let roles = (FIRST..).zip(ROLES).map(|(ink, (_, word, _))| format!("{word} = {{ foreground = {ink} }}\n"));
    let text = format!("glyphs = \"unicode\"\ncharts = \"{charts}\"\n\n[roles]\n{}", roles.collect::<String>());
    std::fs::write(directory.path().join("themes/told.toml"), text).unwrap();
    let around = crate::config::Surroundings { config_dir: directory.path().to_owned(), ..Default::default() };
    let (theme, _) = dress::dress("told", "default", &around).unwrap();
    theme
}

/// The role of a cell in that theme; none where nothing was drawn.
fn role(cell: &Cell) -> Option<(Role, char)> {
    let Color::Indexed(ink) = cell.fg else { return None };
    ROLES.get(usize::from(ink.checked_sub(FIRST)?)).map(|(role, _, letter)| (*role, *letter))
}

/// A screen by its name: the world, and the keys that lead there from the board.
fn screens() -> Vec<(&'static str, World, &'static str)> {
    let waits = || super::calendar::with(super::calendar::timetable(), "UTC");
    vec![
        ("board", fixture::world(), ""),
        ("pipeline", fixture::world(), "2"),
        ("rollout", fixture::world(), "3"),
        ("chart", fixture::world(), "3 z <tab>"),
        ("map", super::map::shop(5), "4"),
        ("neighbours", super::map::shop(5), "4 g"),
        ("incident", fixture::world(), "5"),
        ("changes", waits(), "6"),
        ("calendar", waits(), "6 c"),
        ("ledger", super::ledger::world(30), "0"),
        ("plan", fixture::world(), "s 0 <ret>"),
        ("help", fixture::world(), "?"),
        ("palette", fixture::world(), ": r o l l"),
        ("past", fixture::world(), ""),
        ("lost", fixture::lost_prom(), ""),
    ]
}

fn drawn(name: &str, world: &World, keys: &str, theme: Theme, size: (u16, u16)) -> Buffer {
    let mut desk = at(world.clone(), theme, size);
    if name == "past" {
        desk.session.show_past(super::past::then(true));
        desk.look();
    }
    for key in keys.split(' ').filter(|key| !key.is_empty()) {
        desk.press(key);
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    desk.session.draw(&desk.world, &desk.now, &mut buffer);
    buffer
}

/// The text of each row with the letter of every role that is not plain: `[s gonogo shop]`; a long rule by its length.
fn marked(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width)) {
        let mut line = String::new();
        let runs = row.chunk_by(|a, b| role(a).map(|(_, letter)| letter) == role(b).map(|(_, letter)| letter));
        for run in runs {
            let text: String = run.iter().map(Cell::symbol).collect();
            let dashes = text.chars().filter(|c| *c == '─').count();
            let text = match text.chars().next() {
                Some('─') if dashes > 4 && dashes == run.len() => format!("─×{dashes}"),
                Some(' ') if run.len() > 4 && text.trim().is_empty() && role(&run[0]).is_some_and(|(role, _)| role == Role::Field) => {
                    format!(" ×{}", run.len())
                }
                Some(_) | None => text,
            };
            match role(&run[0]) {
                Some((_, letter)) if letter != ' ' && (matches!(letter, 'f' | 'c') || !text.trim().is_empty()) => {
                    line.push_str(&format!("[{letter} {text}]"));
                }
                _ => line.push_str(&text),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    // Rows without anything at the end of the body are counted, not shown.
    let mut shown = String::new();
    let mut empty = 0;
    for line in out.lines() {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        match empty {
            0 => shown.push_str(&format!("{line}\n")),
            1 => shown.push_str("(empty)\n"),
            _ => {}
        }
    }
    shown
}

#[test]
fn every_screen_says_the_same_in_the_same_roles_in_every_theme() {
    for (name, world, keys) in screens() {
        let mut kept = String::new();
        for size in SIZES {
            kept.push_str(&format!("{}x{}\n{}\n", size.0, size.1, marked(&drawn(name, &world, keys, told_apart(Charts::Braille), size))));
            for word in THEMES {
                let theme = Theme::builtin(word).unwrap();
                let roles = drawn(name, &world, keys, told_apart(theme.charts()), size);
                let shown = drawn(name, &world, keys, theme.clone(), size);
                let (ink, ground) = theme.ground().unwrap_or((Color::Reset, Color::Reset));
                for (at, (told, cell)) in roles.content.iter().zip(&shown.content).enumerate() {
                    let (x, y) = (at % usize::from(size.0), at / usize::from(size.0));
                    let of = || format!("{name} {}x{} in {word}, column {x} of row {y}", size.0, size.1);
                    assert_eq!(told.symbol(), cell.symbol(), "{}: another text", of());
                    let wished = theme.style(role(told).map_or(Role::Plain, |(role, _)| role));
                    // The cursor stands in its field.
                    let caret = role(told).is_some_and(|(role, _)| role == Role::Caret);
                    let field = if caret { theme.style(Role::Field).add_modifier } else { ratatui::style::Modifier::empty() };
                    let wished = (wished.fg.unwrap_or(ink), wished.bg.unwrap_or(ground), wished.add_modifier | field);
                    let reset = |colour, own| if colour == Color::Reset { own } else { colour };
                    let wished = (reset(wished.0, ink), reset(wished.1, ground), wished.2);
                    // A space at an end of words has no line beneath it.
                    let line = if cell.symbol() == " " { ratatui::style::Modifier::UNDERLINED } else { ratatui::style::Modifier::empty() };
                    let (wished, found) = ((wished.0, wished.1, wished.2 - line), (cell.fg, cell.bg, cell.modifier - line));
                    assert_eq!(found, wished, "{}: `{}` has not the look of its role", of(), cell.symbol());
                }
            }
        }
        insta::assert_snapshot!(format!("screen-{name}"), kept);
    }
}

#[test]
fn each_theme_shows_each_role_as_it_is_kept_and_no_two_that_mean_something_else_alike() {
    let mut kept = String::new();
    for word in THEMES {
        let theme = Theme::builtin(word).unwrap();
        kept.push_str(&format!("{word}, charts {:?}\n", theme.charts()));
        let mut looks: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (role, word, _) in ROLES {
            let Style { fg, bg, add_modifier, .. } = theme.style(role);
            let colour = |colour: Option<Color>| match colour {
                None | Some(Color::Reset) => "own".to_owned(),
                Some(Color::Indexed(index)) => index.to_string(),
                Some(Color::Rgb(red, green, blue)) => format!("#{red:02x}{green:02x}{blue:02x}"),
                Some(other) => format!("{other:?}"),
            };
            let modifiers: Vec<String> = add_modifier.iter_names().map(|(name, _)| name.to_lowercase()).collect();
            let look = format!("{} on {} {}", colour(fg), colour(bg), modifiers.join(" ")).trim_end().to_owned();
            kept.push_str(&format!("  {word:<9} {look}\n"));
            looks.entry(look).or_default().push(word);
        }
        // Beside these words of one meaning each for the eye, no look is used twice.
        let may = [vec!["dim", "stale"], vec!["title", "key"]];
        let alike: Vec<_> = looks.into_values().filter(|words| words.len() > 1 && !may.contains(words)).collect();
        assert!(alike.is_empty(), "{word} shows these alike: {alike:?}");
    }
    insta::assert_snapshot!("themes-roles", kept);
}

#[test]
fn every_role_stands_on_some_screen() {
    let mut seen: HashSet<Role> = HashSet::new();
    for (name, world, keys) in screens() {
        let buffer = drawn(name, &world, keys, told_apart(Charts::Braille), (120, 40));
        seen.extend(buffer.content.iter().filter_map(role).map(|(role, _)| role));
    }
    // In a demo and in a field.
    let mut demo = fixture::watched(DeedState::Effective);
    demo.catalog = std::sync::Arc::new(crate::model::catalog::Catalog { simulated: true, ..(*demo.catalog).clone() });
    for (world, keys) in [(demo, ""), (fixture::watched(DeedState::Effective), "")] {
        seen.extend(drawn("", &world, keys, told_apart(Charts::Braille), (120, 40)).content.iter().filter_map(role).map(|(role, _)| role));
    }
    let missing: Vec<Role> = Role::ALL.into_iter().filter(|role| !seen.contains(role)).collect();
    assert!(missing.is_empty(), "no screen of these tests shows {missing:?}");
}
