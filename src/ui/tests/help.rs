//! What a newcomer reads: help that has all that works on its first page, keys that do something here, and figures that say over how long.

use std::sync::Arc;

use super::*;
use crate::model::name::Target;
use crate::model::text::Text;
use crate::ui::line::End;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn new(size: (u16, u16), target: Option<Target>) -> Session {
    let (theme, keymap, nonce) = (Theme::standard(), Keymap::default(), Box::new(|| "n".to_owned()));
    Session::new(SessionOptions { theme, keymap, size, nonce, screen: Screen::Board, target })
}

/// The body of the glass, without its frame.
fn body(desk: &Desk) -> String {
    let text = desk.text();
    let rows: Vec<&str> = text.lines().collect();
    rows[2..rows.len() - 2].join("\n")
}

#[test]
fn everything_that_works_here_stands_on_the_first_page_of_help() {
    for world in [fixture::world(), fixture::held(), fixture::watched(DeedState::Effective)] {
        for screen in ["1", "2", "3", "4", "5", "6", "0"] {
            let mut tall = at(world.clone(), Theme::standard(), (120, 150));
            tall.press(&format!("{screen} ?"));
            let all = body(&tall);
            let works = all.lines().skip(1).take_while(|row| !row.starts_with('─')).filter(|row| !row.starts_with("  "));
            let works: Vec<String> = works.map(|row| row.chars().skip(14).take(12).collect::<String>().trim().to_owned()).collect();
            assert!(works.len() > 20, "screen {screen}:\n{all}");
            let mut desk = at(world.clone(), Theme::standard(), (80, 24));
            desk.press(&format!("{screen} ?"));
            let page = body(&desk);
            for word in &works {
                assert!(page.contains(word.as_str()), "`{word}` works on screen {screen} and is not on the first page:\n{page}");
            }
            assert!(!page.contains("not now"), "{page}");
        }
    }
}

#[test]
fn help_says_where_one_is_and_goes_on_with_what_the_keys_do() {
    let mut desk = standard();
    desk.press("?").sees("Up Down the rest: rows 1 to 20 of ");
    desk.sees("what they do");
    desk.sees("moves this forward until resumed");
    desk.press("<pagedown>").sees("the rest: rows 19 to 38 of ");
    desk.press("G");
    let text = desk.text();
    let last = text.lines().last().unwrap().trim();
    let (shown, all) = last.split_once("rows ").unwrap().1.split_once(" of ").unwrap();
    assert!(shown.ends_with(&format!(" to {all}")), "{last}");
}

#[test]
fn help_as_it_looks() {
    for size in SIZES {
        let mut desk = at(fixture::world(), Theme::standard(), size);
        desk.press("?");
        insta::assert_snapshot!(format!("help-{}x{}", size.0, size.1), desk.text());
    }
}

/// The shop in which the ledger has no rollout; in its other slot stands this version.
fn ledger(other: &str) -> (World, Target) {
    let (mut world, target) = (fixture::world(), "ledger@prod".parse::<Target>().unwrap());
    let mut view = (**world.target(&target).unwrap()).clone();
    view.traffic = world.target(&fixture::checkout()).unwrap().traffic.clone();
    view.traffic.iter_mut().for_each(|entry| entry.second_set = crate::model::share::Share::of(0, 100));
    let mut seen = view.version(view.state.stable).unwrap().clone();
    seen.version = Text::clean(other);
    view.versions[1] = Some(seen);
    world.targets.insert_mut(target.clone(), Arc::new(view));
    (world, target)
}

fn keys_of(desk: &Desk) -> String {
    desk.text().lines().last().unwrap().to_owned()
}

#[test]
fn a_share_is_offered_where_a_version_waits_for_one_and_help_says_why_not_elsewhere() {
    for size in SIZES {
        let (world, target) = ledger("1.9.2");
        let mut desk = at(world, Theme::standard(), size);
        desk.session = new(size, Some(target)).governed(fixture::plan, yes);
        desk.look();
        assert!(keys_of(&desk).contains("ledger@prod") && keys_of(&desk).contains("h hold"), "{}", desk.text());
        assert!(!keys_of(&desk).contains("s shift") && !keys_of(&desk).contains("p promote"), "{}", desk.text());
        desk.press("5");
        assert!(!desk.text().contains("sets the share of the new version"), "nor is it what to do about an incident\n{}", desk.text());
        desk.press("1 ?");
        let told = (0..6).any(|_| {
            let told = desk
                .text()
                .replace('\n', " ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains("not offered: no rollout is under way");
            desk.press("<pagedown>");
            told
        });
        assert!(told, "help does not say why\n{}", desk.text());
        // Nobody who knows better is stopped.
        desk.press("<esc> s").sees("shift ledger@prod (1.9.2 now 0 %) to per cent");
        desk.press("<esc>");
        desk.world = ledger("2.0.0").0;
        desk.look();
        assert!(keys_of(&desk).contains("s shift"), "{}", desk.text());
    }
}

#[test]
fn the_board_says_over_how_long_errors_are_counted() {
    for (seconds, span) in [(120, "2m"), (300, "5m")] {
        let mut world = fixture::world();
        let targets: Vec<Target> = world.targets.keys().cloned().collect();
        for target in targets {
            let mut view = (**world.target(&target).unwrap()).clone();
            view.signals.iter_mut().map(Arc::make_mut).for_each(|signal| signal.window_s = Some(seconds));
            world.targets.insert_mut(target, Arc::new(view));
        }
        for size in SIZES {
            let desk = at(world.clone(), Theme::standard(), size);
            desk.sees(&format!("signal in {span}, limit"));
            let need = desk.text().lines().find(|row| row.contains("checkout@prod")).unwrap().to_owned();
            assert!(need.contains(&format!(" in {span}")) && need.contains("limit 1 %"), "{need}");
            let mut desk = desk;
            desk.press("3").sees(&format!("measure by prom in {span}"));
            desk.sees(&format!("27 of 1,281 in {span}"));
            desk.sees("at the router");
            desk.sees("router edge be_checkout");
        }
    }
}

#[test]
fn a_newest_value_is_not_said_to_be_counted_over_a_time() {
    let mut world = fixture::world();
    let mut view = (**world.target(&fixture::checkout()).unwrap()).clone();
    Arc::make_mut(&mut view.signals[1]).window_s = None;
    world.targets.insert_mut(fixture::checkout(), Arc::new(view));
    let mut desk = at(world, Theme::standard(), (120, 40));
    desk.press("3").sees("measure by prom: errors in 2m; latency now");
}

#[test]
fn a_line_that_nobody_measures_is_said_in_words_and_help_says_why() {
    for (size, words) in [((80, 24), "line unknown"), ((120, 40), "line not measured"), ((200, 60), "line not measured")] {
        let mut desk = at(fixture::world(), Theme::standard(), size);
        desk.session = new(size, None).over_line_to(End::Multiplexer);
        desk.look();
        assert!(desk.text().lines().next().unwrap().contains(words), "{}", desk.text());
        desk.press("? G").sees("answers in your terminal's");
    }
}

#[test]
fn a_simulated_room_says_so_and_leaves_room_for_what_is_looked_at() {
    for size in SIZES {
        let mut world = fixture::world();
        Arc::make_mut(&mut world.catalog).simulated = true;
        let mut desk = at(world, Theme::standard(), size);
        desk.session = new(size, None).over_line_to(End::Multiplexer).governed(fixture::plan, yes);
        desk.look();
        let top = |desk: &Desk| desk.text().lines().next().unwrap().to_owned();
        assert!(top(&desk).starts_with(" SIMULATED ") && top(&desk).contains("ana, release captain"), "{}", top(&desk));
        desk.press("R");
        assert!(top(&desk).contains("PLAN") && top(&desk).contains("checkout@prod"), "{}", top(&desk));
        assert_eq!(top(&desk).trim_end().ends_with(" SIMULATED"), size.0 > 80, "at both ends where there is room: {}", top(&desk));
    }
}
