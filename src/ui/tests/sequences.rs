//! Keys that are typed one after the other: what is said of them, what leaves them, what drops them, and that each leads where it says.

use super::past::then;
use super::*;
use crate::config::Surroundings;
use crate::model::text::Text;
use crate::ui::command::TABLE;
use crate::ui::dress::dress;
use crate::ui::input::Mouse;
use crate::ui::keymap::{Keys, Meaning};
use crate::ui::sequence::{Begun, Typed};

/// A machine with a keymap of this text over the default one.
fn machine(text: &str) -> (tempfile::TempDir, Surroundings) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("keymaps")).unwrap();
    std::fs::write(directory.path().join("keymaps/mine.toml"), format!("base = \"default\"\n{text}")).unwrap();
    let around = Surroundings { config_dir: directory.path().to_owned(), ..Surroundings::default() };
    (directory, around)
}

fn mine(text: &str) -> Keymap {
    let (_kept, around) = machine(text);
    dress("default", "mine", &around).unwrap().1
}

fn named(name: &str) -> Keymap {
    dress("default", name, &Surroundings::default()).unwrap().1
}

fn desk(keymap: Keymap) -> Desk {
    desk_of(fixture::world(), keymap, (80, 24))
}

fn desk_of(world: World, keymap: Keymap, size: (u16, u16)) -> Desk {
    let mut desk = at(world, Theme::standard(), size);
    desk.session.dress(Theme::standard(), keymap);
    desk.look();
    desk
}

fn stands_on(desk: &Desk) -> String {
    desk.session.target().unwrap().to_string()
}

/// A screen, a deed, a way out and a move on keys that begin alike.
const ALIKE: &str = "[global]\nfirst = [\"home\", \"y g\"]\nlast = \"y G\"\nincident = \"y i\"\nrollback = \"y R\"\nback = [\"esc\", \"y b\"]\npast = \"y t\"\n";

#[test]
fn two_keys_give_a_command_and_between_them_it_is_said_what_may_follow() {
    let mut desk = desk(named("vim"));
    desk.press("j j");
    let there = stands_on(&desk);
    desk.press("g").sees("g-  g first");
    desk.sees("Esc leaves");
    assert_eq!(stands_on(&desk), there, "nothing is done yet");
    desk.press("g");
    assert_eq!(stands_on(&desk), "checkout@prod");
    assert!(!desk.text().contains("g-") && desk.text().contains("deed: none under way"), "{}", desk.text());
    desk.press("G");
    assert_ne!(stands_on(&desk), there);
    desk.press("Z Z");
    assert_eq!(desk.acts.pop(), Some(Act::Quit));
}

#[test]
fn no_time_ends_it() {
    let mut desk = desk(named("vim"));
    desk.press("j g");
    desk.now = desk.now.plus(Duration::from_hours(1));
    desk.press("g");
    assert_eq!(stands_on(&desk), "checkout@prod");
}

#[test]
fn escape_leaves_it_and_nothing_else() {
    let mut desk = desk(named("vim"));
    desk.press("3 g <esc>");
    assert_eq!(desk.session.screen(), Screen::Rollout);
    assert!(!desk.text().contains("g-") && !desk.text().contains("bound to nothing"), "{}", desk.text());
    desk.press("<esc>");
    assert_eq!(desk.session.screen(), Screen::Board);
}

#[test]
fn a_key_that_goes_on_nowhere_does_nothing_at_all_and_says_so() {
    // Each of them means something alone: to the ledger, a deed, a move, deeper, text that is typed, the next pane.
    for key in ["0", "R", "h", "s", "j", "<ret>", "n", ":", "?", "<tab>", "q", "u", "t", "x"] {
        let mut desk = desk(mine(ALIKE));
        desk.press("j");
        let there = stands_on(&desk);
        let wrong = if key == "R" {
            "A"
        } else if key == "t" {
            "l"
        } else {
            key
        };
        desk.press("y").press(wrong);
        let shown = wrong.parse::<Chord>().unwrap().shown();
        desk.sees(&format!("y {shown} is bound to nothing; ? shows all keys"));
        assert_eq!((stands_on(&desk), desk.session.screen(), desk.acts.len()), (there, Screen::Board, 0), "{wrong}");
        assert!(!desk.text().contains("PLAN"), "{}", desk.text());
        // What was begun is over: the next key is one of its own.
        desk.press("0");
        assert_eq!(desk.session.screen(), Screen::Ledger);
    }
}

#[test]
fn a_deed_at_the_end_of_a_sequence_opens_its_plan_and_no_more() {
    let mut desk = desk(mine(ALIKE));
    desk.press("y").sees("y-  R roll back  b back  t past  i incident  g first  G last");
    desk.press("R").sees("PLAN");
    assert!(desk.executed().is_empty());
    desk.press("<ret>");
    assert_eq!(desk.executed().len(), 1);
}

#[test]
fn between_the_keys_of_a_deed_its_target_stays_although_another_service_comes_first() {
    let mut desk = desk(mine(ALIKE));
    assert_eq!(stands_on(&desk), "checkout@prod");
    desk.press("y");
    // The harm has gone to another service.
    desk.world = fixture::elsewhere();
    let newcomer = desk_of(desk.world.clone(), Keymap::default(), (80, 24));
    assert_eq!(stands_on(&newcomer), "mail@prod");
    desk.look();
    desk.press("<esc>");
    assert_eq!(stands_on(&desk), "checkout@prod");
}

#[test]
fn a_key_that_means_nothing_decides_no_target() {
    let mut desk = desk(mine(ALIKE));
    desk.press("^").sees("^ is bound to nothing");
    desk.world = fixture::elsewhere();
    desk.look();
    assert_eq!(stands_on(&desk), "mail@prod");
}

#[test]
fn ctrl_c_ends_the_session_wherever_one_is_in_a_sequence() {
    for keys in ["C-x C-c", "C-x C-x C-c", "C-c"] {
        let mut desk = desk(named("emacs"));
        desk.press(keys);
        assert_eq!(desk.acts, [Act::Quit], "{keys}");
    }
    let mut desk = desk(named("emacs"));
    desk.press("3 C-x").sees("Ctrl-X-  k back  o next pane  Ctrl-C quit");
    desk.press("k");
    assert_eq!(desk.session.screen(), Screen::Board);
}

#[test]
fn a_screen_that_a_mouse_opens_begins_without_it() {
    let mut world = fixture::world();
    std::sync::Arc::make_mut(&mut world.catalog).room.mouse = true;
    let mut desk = desk_of(world, mine(ALIKE), (80, 24));
    desk.press("y");
    let row = desk.text().lines().position(|line| line.contains("checkout@prod")).unwrap();
    let press = Input::Mouse(Mouse::Press { column: 4, row: u16::try_from(row).unwrap() });
    desk.session.on(press.clone(), &desk.world, &desk.now);
    desk.look();
    assert!(!desk.text().contains("y-"), "{}", desk.text());
    desk.press("y").look();
    desk.session.on(press, &desk.world, &desk.now);
    desk.look();
    desk.press("G").sees(" G is bound to nothing");
}

#[test]
fn pasted_text_drops_it_and_a_new_size_does_not() {
    let mut desk = desk(mine(ALIKE));
    desk.press("y");
    desk.session.on(Input::Paste("g".to_owned()), &desk.world, &desk.now);
    desk.look();
    desk.sees("pasted text is no key");
    desk.press("G").sees(" G is bound to nothing");
    desk.press("y");
    desk.session.on(Input::Resize(100, 30), &desk.world, &desk.now);
    desk.glass = Glass::new(100, 30);
    desk.look();
    desk.sees("y-  R roll back");
    desk.press("i");
    assert_eq!(desk.session.screen(), Screen::Incident);
}

#[test]
fn what_is_begun_in_the_now_is_not_gone_on_with_in_the_past_nor_after_it() {
    let mut desk = desk(mine(ALIKE));
    desk.press("y t y").sees("y-");
    desk.session.show_past(then(true));
    desk.look();
    assert!(!desk.text().contains("y-"), "{}", desk.text());
    desk.press("i").sees("PAST");
    assert!(!desk.text().contains("incident"), "{}", desk.text());
    desk.session.leave_past();
    desk.look();
    assert!(!desk.text().contains("y-"), "{}", desk.text());
    desk.press("i");
    assert_eq!(desk.session.screen(), Screen::Board);
}

#[test]
fn the_past_is_left_by_a_sequence_and_only_by_a_whole_one() {
    let mut desk = desk(mine(ALIKE));
    desk.session.show_past(then(true));
    desk.press("y").sees("y-");
    // Time goes on in the past, and what was begun stays.
    desk.session.show_past(then(true));
    desk.press("<esc>").sees("PAST");
    assert!(desk.acts.is_empty(), "{:?}", desk.acts);
    desk.press("y b");
    assert_eq!(desk.acts, [Act::Past(super::super::session::Journey::Leave)]);
}

#[test]
fn while_the_past_is_read_a_whole_sequence_is_dropped() {
    let mut desk = desk(mine(ALIKE));
    desk.press("y t").acts.clear();
    desk.press("y i").sees("still reading the journal, y i was dropped; Esc stays in the now");
    desk.press("y x").sees("still reading the journal, y x was dropped; Esc stays in the now");
    assert!(desk.acts.is_empty() && desk.session.screen() == Screen::Board, "{:?}", desk.acts);
    desk.press("y b").sees("this is now");
}

#[test]
fn other_keys_drop_what_was_begun_with_the_old_ones() {
    let mut desk = desk(mine(ALIKE));
    desk.press("y");
    desk.session.dress(Theme::standard(), named("vim"));
    desk.session.say(&Text::clean("the changed looks and keys are taken over"));
    desk.look();
    desk.sees("the changed looks and keys are taken over");
    desk.press("i");
    assert!(!desk.text().contains("y i"), "{}", desk.text());
}

#[test]
fn changed_looks_and_keys_hold_in_the_past_at_once_and_it_is_said_there() {
    let mut desk = desk(named("default"));
    desk.session.show_past(then(true));
    desk.press("j j");
    let there = desk.text();
    desk.session.dress(Theme::ascii(), named("emacs"));
    desk.session.say(&Text::clean("the changed looks and keys are taken over"));
    desk.look();
    desk.sees("the changed looks and keys are taken over");
    desk.sees("PAST");
    assert!(desk.text().is_ascii() && !there.is_ascii(), "{}", desk.text());
    desk.press("ctrl-p");
    let moved = desk.text();
    desk.press("ctrl-n");
    assert_ne!(desk.text(), moved, "the new keys move the cursor");
    desk.session.warn(&Text::clean("the looks stay as they are"));
    desk.look();
    desk.sees("the looks stay as they are");
}

#[test]
fn what_is_said_meanwhile_is_read_afterwards() {
    let mut desk = desk(named("vim"));
    desk.press("j g");
    desk.session.warn(&Text::clean("the looks stay as they are"));
    desk.look();
    desk.sees("g-  g first");
    desk.press("g").sees("the looks stay as they are");
    desk.press("j");
    assert!(!desk.text().contains("stay as they are"), "{}", desk.text());
}

#[test]
fn keys_typed_ahead_of_a_sheet_are_dropped_whole() {
    let mut world = fixture::world();
    world.grants = std::sync::Arc::new(vec![super::roles::grant(0, &[]), super::roles::grant(0, &[])]);
    let keys = "[global]\nreject = \"y x\"\nback = [\"esc\", \"y b\"]\n";
    let mut desk = desk_of(world, mine(keys), (120, 40));
    // The list of roles was not seen when the first key came, so the second one is the first that counts.
    desk.blind("T").blind("y").look();
    desk.sees("1 key typed before this was seen: dropped");
    desk.press("x").sees(" x means nothing here");
    desk.press("y").sees("y-  x reject  b back");
    desk.press("<esc>").sees("ROLES for a while");
    desk.press("y 0").sees("y 0 means nothing here");
    desk.press("y x").sees("TAKE BACK");
    desk.press("<esc> y b");
    assert!(!desk.text().contains("ROLES for a while"), "{}", desk.text());
}

#[test]
fn the_tour_takes_no_key_of_a_sequence() {
    let mut desk = desk(Keymap::default());
    let options = SessionOptions {
        theme: Theme::standard(),
        keymap: mine("[global]\nincident = \"y space\"\n"),
        size: (80, 24),
        nonce: Box::new(|| "n".to_owned()),
        screen: Screen::Board,
        target: None,
    };
    desk.session = Session::new(options).governed(fixture::plan, yes).touring();
    desk.press("y <space>");
    assert_eq!(desk.session.screen(), Screen::Incident);
    desk.sees("tour, step 1 of 5");
    desk.press("y <backspace>").sees("y Backspace is bound to nothing");
}

#[test]
fn help_the_palette_and_the_row_of_keys_show_sequences_as_they_are_typed() {
    for size in [(80, 24), (120, 40)] {
        let mut desk = desk_of(fixture::world(), mine(&format!("{ALIKE}help = \"y ?\"\n")), size);
        desk.sees("y R roll back");
        desk.sees("y ? all keys");
        desk.press("y ?").sees("y R ");
        for _ in 0..12 {
            if desk.text().contains("Home or y g") {
                break;
            }
            desk.press("<pagedown>");
        }
        desk.sees("Home or y g");
        desk.press("<esc> : r o l l").sees(" y R");
    }
}

#[test]
fn on_a_small_glass_it_is_said_as_well_and_what_has_no_room_is_counted() {
    let letters = "abcdefghijklmnopqrstuvwxyz";
    let screens = ["board", "pipeline", "rollout", "map", "incident", "changes", "ledger", "calendar", "board-pack", "links", "source"];
    let more = ["redraw", "suspend", "update", "logs", "verify", "past", "moment", "oldest", "newest", "play", "slower", "faster"];
    let lines: Vec<String> =
        screens.iter().chain(&more).zip(letters.chars()).map(|(command, key)| format!("{command} = \"y {key}\"")).collect();
    let lines = lines.join("\n");
    let mut desk = desk_of(fixture::world(), mine(&format!("[global]\n{lines}")), (40, 20));
    desk.press("y").sees("y-  ");
    desk.sees("Esc leaves");
    desk.sees(" more");
    let keymap = mine(&format!("[global]\n{lines}"));
    let mut wide = desk_of(fixture::world(), keymap, (80, 24));
    wide.press("y");
    for (command, key) in screens.iter().zip(letters.chars()) {
        let label = crate::ui::command::Command::named(command).unwrap().entry().unwrap().label;
        wide.sees(&format!("{key} {label}"));
    }
    assert!(!wide.text().contains(" more"), "{}", wide.text());
    insta::assert_snapshot!("begun-80x24", wide.text());
}

/// What typing keys from the first to the last means, and that each before the last one begins something.
fn led(keys: &Keys, chords: &[Chord]) -> Result<Meaning, String> {
    let mut begun = Begun::default();
    for (n, chord) in chords.iter().enumerate() {
        let typed = begun.take(*chord, keys).1;
        match typed {
            Typed::Means(meaning) if n + 1 == chords.len() => return Ok(meaning),
            Typed::Means(Meaning::Begins) => {}
            other @ (Typed::Leaves | Typed::Means(_)) => return Err(format!("{other:?} after {} keys", n + 1)),
        }
    }
    Err("no key".to_owned())
}

/// Bindings of chords and sequences of few keys, so that many are in each other's way.
fn bindings() -> impl Strategy<Value = Vec<(usize, usize, Vec<usize>)>> {
    proptest::collection::vec((0..4_usize, 0..TABLE.len(), proptest::collection::vec(0..5_usize, 1..4)), 1..7)
}

/// The text of a keymap, one table a context.
fn text_of(bindings: &[(usize, usize, Vec<usize>)]) -> String {
    let contexts = ["global", "global", "map", "rollout"];
    let chords = ["y", "Y", "ctrl-x", "g", "alt-q"];
    let mut tables = std::collections::BTreeMap::<_, std::collections::BTreeMap<_, _>>::new();
    for (context, command, keys) in bindings {
        let keys = keys.iter().map(|key| chords[*key]).collect::<Vec<_>>().join(" ");
        tables.entry(contexts[*context]).or_default().insert(TABLE[*command].id, keys);
    }
    let mut text = Vec::new();
    for (context, of) in tables {
        text.push(format!("[{context}]"));
        text.extend(of.into_iter().map(|(id, keys)| format!("{id} = \"{keys}\"")));
    }
    text.join("\n")
}

#[test]
fn in_every_keymap_that_is_accepted_each_command_is_reached_by_its_shown_keys() {
    let (accepted, with_sequences) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() });
    let ran = runner.run(&bindings(), |bindings| {
        let (_kept, around) = machine(&text_of(&bindings));
        let Ok((_, keymap)) = dress("default", "mine", &around) else { return Ok(()) };
        accepted.set(accepted.get() + 1);
        for (screen, entry) in Screen::ALL.into_iter().flat_map(|screen| TABLE.iter().map(move |entry| (screen, entry))) {
            let keys = keymap.on(screen);
            for shown in keys.keys(entry.command) {
                with_sequences.set(with_sequences.get() + usize::from(shown.chords().len() > 1));
                let led = led(keys, shown.chords());
                prop_assert_eq!(led, Ok(Meaning::Command(entry.command)), "{} on {}: {}", entry.id, screen.word(), shown.shown());
                prop_assert!(keys.all_shown(entry.command).contains(&shown.shown()));
            }
        }
        Ok(())
    });
    ran.unwrap();
    let (accepted, with_sequences) = (accepted.get(), with_sequences.get());
    assert!(accepted > 40 && with_sequences > 200, "{accepted} keymaps with {with_sequences} sequences are no proof");
}

proptest! {
    #[test]
    fn whatever_is_typed_a_key_counts_once_and_after_a_beginning_never_alone(typed in proptest::collection::vec(0..9_usize, 1..40)) {
        let chords: Vec<Chord> = ["y", "g", "G", "i", "R", "b", "t", "j", "<esc>"].iter().map(|key| key.parse().unwrap()).collect();
        let keymap = mine(ALIKE);
        let keys = keymap.on(Screen::Board);
        let (mut begun, mut before) = (Begun::default(), Vec::new());
        for chord in typed.iter().map(|n| chords[*n]) {
            let (all, typed) = begun.take(chord, keys);
            before.push(chord);
            prop_assert_eq!(all.chords(), &before[..]);
            if let Typed::Means(Meaning::Command(command)) = typed {
                prop_assert!(keys.keys(command).contains(&all));
            }
            if begun.is_one() {
                prop_assert_eq!(typed, Typed::Means(Meaning::Begins));
            } else {
                before.clear();
            }
        }
    }
}
