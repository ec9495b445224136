//! The mouse on the glass: what its wheel moves, what a press marks, and that it orders nothing wherever it is pressed.

use std::collections::HashSet;
use std::mem::discriminant;
use std::sync::Arc;

use super::super::input::Mouse;
use super::super::session::Over;
use super::*;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

fn with_mouse(mut world: World) -> World {
    Arc::make_mut(&mut world.catalog).room.mouse = true;
    world
}

fn desk(world: World, size: (u16, u16)) -> Desk {
    at(with_mouse(world), Theme::ascii(), size)
}

impl Desk {
    /// Does something with the mouse and does not look.
    fn mouse(&mut self, mouse: Mouse) -> &mut Self {
        self.acts.extend(self.session.on(Input::Mouse(mouse), &self.world, &self.now));
        self
    }

    /// Presses a cell, and draws.
    fn click(&mut self, column: u16, row: u16) -> &mut Self {
        self.mouse(Mouse::Press { column, row }).look();
        self
    }

    /// Where these words stand first.
    fn place(&self, words: &str) -> (u16, u16) {
        let text = self.text();
        let found = text.lines().enumerate().find_map(|(row, line)| Some((line.find(words)?, row)));
        let (column, row) = found.unwrap_or_else(|| panic!("`{words}` is not on the glass:\n{text}"));
        (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
    }

    /// Presses the first of these words.
    fn point(&mut self, words: &str) -> &mut Self {
        let (column, row) = self.place(words);
        self.click(column, row)
    }

    fn wheel(&mut self, mouse: Mouse) -> &mut Self {
        self.mouse(mouse).look();
        self
    }

    fn standing(&self) -> String {
        self.session.target().unwrap().to_string()
    }
}

#[test]
fn on_the_board_a_press_marks_and_a_second_one_looks() {
    for size in SIZES {
        let mut desk = desk(fixture::world(), size);
        desk.point("mail  ");
        assert_eq!((desk.standing().as_str(), desk.session.screen()), ("mail@prod", Screen::Board));
        desk.sees("*   mail");
        desk.wheel(Mouse::WheelUp);
        assert_eq!(desk.standing(), "checkout@prod");
        desk.wheel(Mouse::WheelDown).wheel(Mouse::WheelDown);
        assert_eq!(desk.standing(), "search@prod");
        // What needs a person is marked by either of its rows.
        let (column, row) = desk.place("checkout@prod");
        desk.click(column, row + 1);
        assert_eq!((desk.standing().as_str(), desk.session.screen()), ("checkout@prod", Screen::Board));
        desk.click(column, row);
        assert_eq!(desk.session.screen(), Screen::Rollout);
        desk.press("<esc>").point("ledger  ").point("ledger  ");
        assert_eq!((desk.standing().as_str(), desk.session.screen()), ("ledger@prod", Screen::Rollout));
    }
}

#[test]
fn a_service_stays_in_the_environment_that_was_chosen_for_it() {
    let mut desk = desk(fixture::world(), (120, 40));
    desk.press("<left>");
    let chosen = desk.standing();
    assert!(chosen.starts_with("checkout@") && chosen != "checkout@prod", "{chosen}");
    desk.point("checkout  ");
    assert_eq!((desk.standing(), desk.session.screen()), (chosen, Screen::Rollout));
}

#[test]
fn a_press_beside_the_rows_does_nothing() {
    for size in SIZES {
        let mut desk = desk(fixture::world(), size);
        let before = desk.text();
        let last = size.1 - 1;
        for (column, row) in [(1, 0), (8, 1), (5, last), (30, last), (5, last - 1), (1000, 9), (5, 1000), (u16::MAX, u16::MAX)] {
            desk.click(column, row);
        }
        for words in ["needs you 1", "services 5", "service   state", "next by itself", "gonogo moves nothing", "s shift", "h hold"] {
            desk.point(words);
        }
        assert_eq!((desk.text(), desk.acts), (before, Vec::new()));
    }
}

#[test]
fn a_press_means_what_was_drawn_last_and_nothing_after_a_key() {
    let mut desk = desk(fixture::world(), (80, 24));
    let (column, row) = desk.place("mail  ");
    desk.blind("6").mouse(Mouse::Press { column, row });
    assert_eq!((desk.standing().as_str(), desk.session.screen()), ("checkout@prod", Screen::Changes));
    desk.look();
    desk.press("<esc>").mouse(Mouse::WheelDown).mouse(Mouse::Press { column, row });
    assert_eq!(desk.standing(), "mail@prod", "the wheel alone moved");
    desk.look();
    // Another world that was not drawn yet: the row is the one that was seen, and what is gone is not marked.
    let (column, row) = desk.place("search  ");
    Arc::make_mut(&mut desk.world.catalog).services.remove(&fixture::name("search"));
    desk.world.targets = desk.world.targets.remove(&"search@prod".parse().unwrap());
    desk.world.generation += 1;
    desk.mouse(Mouse::Press { column, row });
    assert_eq!(desk.standing(), "mail@prod");
    // Two presses in one go are one that marks and one that looks.
    desk.look();
    let (column, row) = desk.place("ledger  ");
    desk.mouse(Mouse::Press { column, row }).mouse(Mouse::Press { column, row }).mouse(Mouse::Press { column, row });
    assert_eq!((desk.standing().as_str(), desk.session.screen()), ("ledger@prod", Screen::Rollout));
}

#[test]
fn below_the_smallest_size_nothing_can_be_pressed() {
    let mut desk = desk(fixture::world(), (80, 24));
    let (column, row) = desk.place("mail  ");
    desk.session.on(Input::Resize(60, 20), &desk.world, &desk.now);
    desk.look();
    desk.click(column, row);
    assert_eq!(desk.standing(), "checkout@prod");
}

#[test]
fn on_the_map_services_and_teams_are_marked() {
    for size in SIZES {
        let mut desk = desk(super::map::shop(5), size);
        desk.press("4").point("b ledger");
        assert_eq!((desk.standing().as_str(), desk.session.screen()), ("ledger@prod", Screen::Map));
        desk.wheel(Mouse::WheelDown);
        assert_eq!(desk.standing(), "search@prod");
        desk.wheel(Mouse::WheelUp);
        assert_eq!(desk.standing(), "mail@prod");
        desk.point("a mail");
        assert_eq!(desk.session.screen(), Screen::Rollout);
        let mut many = super::mouse::desk(super::map::estate(60), size);
        many.press("4").point("team-3").sees("team-9");
        many.point("team-3");
        assert!(!many.text().contains("team-9 "), "{}", many.text());
        many.sees("service-003");
    }
}

#[test]
fn on_the_screen_of_changes_a_plan_is_marked_by_its_rows_and_opened() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut world = super::changes::shop("cy", 1);
        for (share, nonce) in [(50, "m"), (60, "n"), (70, "o")] {
            let plan = super::changes::plan_of(&world, "ana", share, nonce);
            super::changes::waits(&mut world, &plan, &[]);
        }
        let mut desk = super::changes::room(with_mouse(world), size);
        desk.press("6");
        let marked = |desk: &Desk| desk.session.changes.marked(&desk.world, &desk.now).unwrap().plan.id;
        let row_of_mark = |desk: &Desk| desk.text().lines().position(|line| line.starts_with('*')).unwrap();
        let (first, row) = (marked(&desk), u16::try_from(row_of_mark(&desk)).unwrap());
        desk.click(5, row + 2);
        let second = marked(&desk);
        assert_ne!(first, second);
        assert_eq!(row_of_mark(&desk), usize::from(row + 2));
        if size.0 == 200 {
            desk.click(150, row);
            assert_eq!(marked(&desk), second, "the calendar stands there");
        }
        desk.sees("plans that wait 3");
        desk.click(5, row + 3);
        assert!(!desk.text().contains("plans that wait"), "{}", desk.text());
        desk.click(5, row).click(5, row + 2);
        assert_eq!(marked(&desk), second, "the plan alone has no rows to mark");
        desk.press("<esc>").wheel(Mouse::WheelDown);
        assert!(![first, second].contains(&marked(&desk)));
        assert!(desk.executed().is_empty() && !desk.acts.iter().any(|act| matches!(act, Act::Rule(_))));
    }
}

#[test]
fn in_the_ledger_an_entry_is_marked_and_opened() {
    for size in SIZES {
        let mut desk = desk(super::ledger::world(40), size);
        desk.press("0");
        let marked = |desk: &Desk| desk.session.ledger.marked(&desk.world).unwrap().n;
        let (column, row) = desk.place(" 35 ");
        desk.click(column, row);
        assert_eq!(marked(&desk), 35);
        desk.wheel(Mouse::WheelUp);
        assert_eq!(marked(&desk), 38);
        desk.wheel(Mouse::WheelDown).point(" 35 ");
        let opened = desk.text();
        let by_key = desk.press("<esc> <ret>").text();
        assert_eq!(opened, by_key);
        desk.click(column, row - 2);
        assert_eq!((marked(&desk), desk.text()), (35, by_key), "the entry alone has no rows to mark");
    }
}

#[test]
fn on_the_pipeline_runs_and_steps_are_marked() {
    for size in SIZES {
        let mut desk = desk(super::pipeline::world(), size);
        desk.press("2").sees("steps of ci/4417");
        desk.point("ci/4410").sees("steps of ci/4410");
        desk.sees("build failed 2m10");
        desk.point("git + 10s").sees("git passed 10s");
        desk.point("build x").sees("build failed 2m10");
        desk.wheel(Mouse::WheelUp).sees("steps of ci/4417");
        desk.sees("deploy running");
        desk.point("ci/4417");
        assert!(matches!(desk.session.over, Over::Detail), "{}", desk.text());
        desk.press("<esc>").point("deploy >");
        assert!(matches!(desk.session.over, Over::Detail), "{}", desk.text());
    }
}

#[test]
fn the_wheel_does_what_three_keys_do() {
    for (keys, key) in [("3", "j"), ("5", "j"), ("?", "j"), ("i", "j"), (":", "<down>"), ("R", "<down>"), ("2 l", "j"), ("0 <ret>", "j")] {
        for size in SIZES {
            let (mut by_wheel, mut by_keys) = (desk(super::ledger::world(40), size), desk(super::ledger::world(40), size));
            by_wheel.press(keys).wheel(Mouse::WheelDown);
            by_keys.press(keys).press(key).press(key).press(key);
            assert_eq!(by_wheel.text(), by_keys.text(), "{keys}");
        }
    }
    let mut help = desk(fixture::world(), (80, 24));
    let top = help.press("?").text();
    help.wheel(Mouse::WheelDown);
    assert_ne!(help.text(), top);
    help.wheel(Mouse::WheelUp).wheel(Mouse::WheelUp);
    assert_eq!(help.text(), top);
    // Where Up and Down turn to another measure, a notch is one.
    let (mut by_wheel, mut by_keys) = (desk(fixture::world(), (120, 40)), desk(fixture::world(), (120, 40)));
    assert_eq!(by_wheel.press("3 z").wheel(Mouse::WheelDown).text(), by_keys.press("3 z j").text());
}

/// How to get to everything that there is to press.
const STATES: [&str; 24] = [
    "g",
    "2",
    "2 l",
    "3",
    "3 z",
    "4",
    "4 m",
    "5",
    "6",
    "6 <ret>",
    "6 c",
    "6 B",
    "0",
    "0 <ret>",
    "?",
    "i",
    "/",
    ": h o l d",
    ": e x e c u t e",
    "R",
    "s",
    "s 5 0 <ret>",
    "s 5 0 <ret> o k C-t",
    "6 a",
];
const MORE: [&str; 4] = ["L", "T", "space j space h", "n"];

/// A room in which everything can be begun: plans wait, one of which its requester may execute, and another which the one at the keys may
/// agree to.
fn busy(size: (u16, u16)) -> Desk {
    let mut world = super::changes::shop("cy", 1);
    for (by, share, agreed) in [("cy", 50, &["ana"][..]), ("ana", 60, &[])] {
        let plan = super::changes::plan_of(&world, by, share, by);
        super::changes::waits(&mut world, &plan, agreed);
    }
    world.ledger.entries = super::ledger::world(40).ledger.entries;
    for backend in Arc::make_mut(&mut world.catalog).backends.values_mut() {
        backend.address = "http://127.0.0.1:9090".to_owned();
    }
    super::changes::room(with_mouse(world), size)
}

#[test]
fn wherever_it_is_pressed_and_turned_nothing_begins_and_over_a_sheet_nothing_changes() {
    let harmless = |act: &Act| matches!(act, Act::Look { .. } | Act::FollowLog { .. } | Act::Unfollow);
    let (mut pressed, mut seen) = (0, HashSet::new());
    for size in SIZES {
        for keys in STATES.iter().chain(&MORE) {
            let fresh = || {
                let mut desk = busy(size);
                desk.press(keys).acts.clear();
                desk
            };
            let mut desk = fresh();
            let (first, before) = (desk.text(), discriminant(&desk.session.over));
            seen.insert(before);
            let has_rows = matches!(desk.session.over, Over::Nothing | Over::Palette(_));
            for row in (0..size.1).step_by(usize::from(size.1 / 20)) {
                for column in [1, row * 7 % size.0].into_iter().skip(usize::from(!has_rows)) {
                    let screen = desk.session.screen();
                    for _ in 0..2 {
                        desk.mouse(Mouse::Press { column, row });
                        if has_rows {
                            desk.look();
                        }
                    }
                    pressed += 1;
                    let goes_deeper = before == discriminant(&Over::Nothing) && matches!(desk.session.over, Over::Detail);
                    assert!(discriminant(&desk.session.over) == before || goes_deeper, "{keys}, {column} {row}:\n{}", desk.text());
                    assert!(desk.acts.iter().all(harmless), "{keys}, {column} {row}: {:?}", desk.acts);
                    if goes_deeper || desk.session.screen() != screen {
                        desk = fresh();
                    }
                }
                assert!(has_rows || desk.text() == first, "{keys}, {row}:\n{}", desk.text());
            }
            let is_typed = matches!(desk.session.over, Over::Prompt(_) | Over::Schedule(..));
            let before = discriminant(&desk.session.over);
            for way in [Mouse::WheelDown, Mouse::WheelDown, Mouse::WheelUp] {
                desk.wheel(way);
                assert!(!is_typed || desk.text() == first, "{keys}:\n{}", desk.text());
            }
            assert!(discriminant(&desk.session.over) == before && desk.acts.iter().all(harmless), "{keys}: {:?}", desk.acts);
        }
    }
    assert_eq!(seen.len(), 11, "something that lies over a screen was not pressed");
    assert!(pressed > 1_500, "{pressed}");
}

#[test]
fn in_the_palette_a_press_marks_and_keys_choose() {
    for size in SIZES {
        let mut desk = desk(fixture::world(), size);
        desk.press(": r o l l").point("roll out  ").point("roll back  ");
        let row = desk.place("roll back").1;
        assert!(desk.text().lines().nth(usize::from(row)).unwrap().starts_with('*'), "{}", desk.text());
        desk.click(5, row).click(5, row);
        assert!(matches!(desk.session.over, Over::Palette(_)) && desk.acts.is_empty());
        desk.press("<ret>").sees("ROLLBACK");
        assert!(desk.acts.is_empty());
    }
}

#[test]
fn it_arms_no_plan_and_keys_typed_before_it_was_seen_are_dropped_all_the_same() {
    let mut desk = desk(fixture::world(), (80, 24));
    desk.blind("h").mouse(Mouse::Press { column: 5, row: 9 }).mouse(Mouse::WheelDown).blind("<ret>");
    assert!(desk.executed().is_empty());
    desk.look();
    desk.sees("1 key typed before this was seen: dropped");
    // Where a second without keys arms, the mouse neither ends it nor begins it anew.
    let mut desk = desk_without_answers();
    desk.blind("h").look();
    desk.wait(600).mouse(Mouse::WheelDown).blind("x");
    assert!(desk.executed().is_empty());
    desk.look();
    desk.wait(600).mouse(Mouse::Press { column: 5, row: 9 }).wait(500).blind("<ret>");
    assert_eq!(desk.executed().len(), 1);
}

fn desk_without_answers() -> Desk {
    let mut desk = desk(fixture::world(), (80, 24));
    let session = std::mem::replace(&mut desk.session, standard().session);
    desk.session = session.over_line_to(crate::ui::line::End::Multiplexer);
    desk.wait(0);
    desk
}

impl Desk {
    fn wait(&mut self, ms: u64) -> &mut Self {
        self.now = self.now.plus(Duration::from_millis(ms));
        self.session.line_at(self.now.boot);
        self
    }
}

#[test]
fn where_it_is_off_it_does_nothing_and_help_says_nothing_of_it() {
    let mut desk = at(fixture::world(), Theme::ascii(), (80, 24));
    let before = desk.text();
    desk.point("mail  ").point("mail  ").wheel(Mouse::WheelDown);
    assert_eq!((desk.text(), desk.acts), (before, Vec::new()));
    let help = |world: World| {
        let mut desk = at(world, Theme::ascii(), (120, 150));
        desk.press("?").text()
    };
    assert!(!help(fixture::world()).contains("mouse"));
    let text = help(with_mouse(fixture::world()));
    assert!(text.contains("the mouse is on") && text.contains("Shift") && text.contains("select and copy text"), "{text}");
}

#[test]
fn in_the_past_it_moves_as_keys_do_and_the_room_of_now_says_whether_there_is_one() {
    let mut desk = desk(fixture::world(), (80, 24));
    desk.session.show_past(super::past::then(true));
    desk.look();
    desk.point("mail  ").sees("*   mail");
    desk.wheel(Mouse::WheelUp).sees("*!  checkout");
    desk.point("checkout  ").sees("checkout@prod");
    assert!(desk.acts.is_empty(), "{:?}", desk.acts);
    desk.session.leave_past();
    let (column, row) = (4, 10);
    desk.mouse(Mouse::Press { column, row });
    assert_eq!(desk.standing(), "checkout@prod", "the now was not drawn yet");
    desk.look();
    desk.session.show_past(super::past::then(true));
    Arc::make_mut(&mut desk.world.catalog).room.mouse = false;
    let before = desk.text();
    desk.point("mail  ").wheel(Mouse::WheelDown);
    assert_eq!(desk.text(), before);
    // While the past is being read, nothing of now takes anything.
    let mut desk = super::mouse::desk(fixture::world(), (80, 24));
    desk.press("t").point("mail  ").wheel(Mouse::WheelDown);
    assert_eq!(desk.standing(), "checkout@prod");
}
