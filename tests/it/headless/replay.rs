//! `gonogo replay` and `render --replay`: the past in a terminal and without one, of a recording and of a store's journal.

use super::place::Place;
use crate::pty::{Home, SOON, Term};

const TOKEN: &str = "s3cr3t-t0k3n-4711";

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

#[test]
fn what_a_large_room_saw_is_kept_small_and_read_as_it_was() {
    let mut config = "[[backend]]\nname = \"away\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\nevery = \"1s\"\n\
                      token = { env = \"GUARD\" }\n[[environment]]\nname = \"prod\"\n"
        .to_owned();
    for n in 0..900 {
        config.push_str(&format!(
            "[[service]]\nname = \"service-{n:03}\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
             version = {{ backend = \"away\", query = 'app_info{{service=\"$service\"}}', label = \"version\" }}\n"
        ));
    }
    let place = Place::with(&config);
    let file = place.path("config/gonogo/gonogo.toml");
    let room = Term::start_in(place.home(), &["--config", file.to_str().unwrap()], (120, 40), &[("GUARD", TOKEN)]);
    room.sees("service-000", SOON).sees("source away lost", SOON).press("q");
    assert_eq!(room.exit_code(SOON), 0);
    place.run(&["replay", "--export", "past.jsonl"]).exits(0);
    let past = std::fs::read_to_string(place.path("past.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = past.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "opened");
    assert_eq!(events[0]["catalog"]["services"].as_object().unwrap().len(), 900);
    assert!(events.iter().any(|event| event["event"] == "polled" && event["result"]["Err"]["kind"] == "unreachable"), "{past:.2000}");
    // Within what is deflated no search of the files would find it.
    assert!(!past.contains(TOKEN), "a secret is in the journal");
    let bytes = |name: &str| std::fs::metadata(place.store().join(name)).map_or(0, |file| file.len());
    let kept = bytes("journal.db") + bytes("journal.db-wal");
    let opened = u64::try_from(past.lines().next().unwrap().len()).unwrap();
    assert!(opened > 400_000 && kept < opened / 2, "{kept} bytes are kept of {opened} and more");
    let board = place.run(&["render", "board", "--replay", "past.jsonl", "--size", "120x40"]).exits(0).out;
    assert!(board.contains("PAST") && board.contains("service-000"), "{board}");
}
