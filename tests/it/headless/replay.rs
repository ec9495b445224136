//! `gonogo replay` and `render --replay`: the past in a terminal and without one, of a recording and of a store's journal.

use super::place::Place;
use crate::pty::{Home, SOON, Term};

fn record(place: &Place, until: &str) -> std::path::PathBuf {
    let file = place.path("story.jsonl");
    place.run(&["demo", "bad-canary", "--headless", "--until", until, "--record", file.to_str().unwrap()]).exits(0);
    file
}

#[test]
fn a_past_screen_is_printed_as_it_was_without_any_configuration() {
    let place = Place::bare();
    record(&place, "150s");
    let of = |at: &[&str], screen: &str| {
        let args = [&["render", screen, "--target", "checkout@prod", "--size", "120x40"], at].concat();
        place.run(&args).exits(0).out
    };
    for screen in ["rollout", "board"] {
        let live = of(&["--scenario", "bad-canary", "--at", "100s"], screen);
        let then = of(&["--replay", "story.jsonl", "--at", "100s"], screen);
        assert!(then.lines().next().unwrap().contains("PAST 14:01:40Z"), "{then}");
        // Between the first two lines and the last two everything stands as it stood, but for the key that is bound to nothing there.
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let body =
            |text: &str| text.lines().skip(2).take(36).map(|line| words(&line.replace("it   R roll back", "it"))).collect::<Vec<_>>();
        assert_eq!(body(&then), body(&live), "{screen}");
    }
    for at in ["2026-01-02T14:01:40Z", "14:01:40Z", "-50s"] {
        // The last event lies shortly before the end of the story.
        let then = of(&["--replay", "story.jsonl", "--at", at], "board");
        assert!(then.contains("PAST 14:01:40Z") || at == "-50s" && then.contains("PAST 14:01:39Z"), "{at}: {then}");
    }
    assert!(of(&["--replay", "story.jsonl"], "board").contains("PAST 14:02:"), "the end without a moment");
}

#[test]
fn a_recording_that_is_none_is_exit_2_with_its_line() {
    let place = Place::bare();
    let text = std::fs::read_to_string(record(&place, "10s")).unwrap();
    let newer = text.replacen("\"schema\":1", "\"schema\":2", 1);
    for (wrong, says) in [
        ("", "wrong.jsonl: line 1: nothing is in it"),
        ("\u{1b}[2Jnonsense\n", "wrong.jsonl: line 1: "),
        (&text[..text.len() - 9], "it is cut off"),
        (&newer, "line 1: failed to read a line of the recording: it has schema 2, this gonogo reads 1"),
    ] {
        place.write("wrong.jsonl", wrong);
        for args in [&["replay", "wrong.jsonl"][..], &["render", "board", "--replay", "wrong.jsonl"]] {
            let said = place.run(args).exits(2);
            assert!(said.err.contains(says) && !said.err.contains('\u{1b}'), "{says}: {said:?}");
        }
    }
    place.run(&["render", "board", "--replay", "nowhere.jsonl"]).exits(2);
    place.run(&["render", "board", "--scenario", "calm", "--at=-10s"]).exits(2);
}

#[test]
fn a_colleague_opens_a_recording_without_any_configuration() {
    let (place, home) = (Place::bare(), Home::new());
    std::fs::copy(record(&place, "150s"), home.path().join("story.jsonl")).unwrap();
    let room = Term::start_in(&home, &["replay", "story.jsonl", "--at", "14:01:40Z"], (120, 40), &[]);
    room.sees("PAST 14:01:40Z", SOON).sees("checkout", SOON);
    room.press("R").sees("this is the past, 14:01:40Z: what was done stays; a recording is only looked at", SOON);
    room.press("(").sees("PAST 14:00:00Z", SOON).press("|").sees("1x plays", SOON).sees("PAST 14:00:01Z", SOON);
    room.press(")").sees("PAST 14:02:", SOON).press("q");
    assert_eq!(room.exit_code(SOON), 0);
    room.gave_the_terminal_back();
}

#[test]
fn the_room_goes_to_the_past_and_comes_back_and_no_deed_is_done_there() {
    let room = Term::start(&["demo", "bad-canary", "--speed", "4"], (120, 40), &[]);
    // The story moves on meanwhile: what the keys are about is chosen by name.
    room.sees("checkout@prod", SOON).press("/").types("checkout").press("<ret>").sees("found by `checkout`", SOON);
    room.press(",").sees("it works in the past alone; go there first", SOON);
    room.press("t").sees("PAST ", SOON).sees("1x stands", SOON);
    room.press(", ,").press("R").sees("no roll back checkout@prod: this is the past,", SOON).sees_not("PLAN", SOON);
    room.press("3").sees("rollout", SOON).sees("PAST ", SOON).press("<esc>").sees_not("PAST", SOON).sees("R roll back", SOON);
    room.press("R").sees("PLAN", SOON).press("<esc>").sees_not("PLAN", SOON).press("q");
    assert_eq!(room.exit_code(SOON), 0);
    room.gave_the_terminal_back();
}
