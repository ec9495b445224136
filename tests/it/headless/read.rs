//! `gonogo read`: sentences for a screen reader, of a story and of a real room, and what is announced of it.
#![expect(clippy::disallowed_methods, reason = "a test waits in real time, for a condition, with a deadline")]

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::place::{Pair, Place};

#[test]
fn a_story_is_read_in_sentences_without_a_terminal() {
    let place = Place::bare();
    for screen in ["board", "pipeline", "rollout", "map", "incident", "changes", "ledger"] {
        let said = place.run(&["read", screen, "--scenario", "bad-canary", "--at", "300s"]).exits(0);
        assert!(said.out.starts_with("Room "), "{said:?}");
        assert!(said.out.contains("SIMULATED"), "{said:?}");
        for line in said.out.lines() {
            assert!(line.ends_with('.'), "{line:?}");
            assert!(!line.contains(['─', '│', '▲', '\u{1b}']) && !line.contains("  "), "{line:?}");
        }
    }
    let said = place.run(&["read", "nowhere"]).exits(2);
    assert!(said.err.contains("there is no screen `nowhere`"), "{said:?}");
}

#[test]
fn what_another_room_does_is_announced_once_and_nothing_else() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["read", "rollout", "--target", "checkout@prod", "--follow"]);
    let mut child = command.spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let mut heard = Vec::new();
    let mut until = |words: &str| {
        let end = Instant::now() + Duration::from_secs(30);
        while !heard.iter().any(|line: &String| line.contains(words)) {
            let left = end.saturating_duration_since(Instant::now());
            heard.push(told.recv_timeout(left).unwrap_or_else(|_| panic!("`{words}` was not announced: {heard:?}")));
        }
        heard.clone()
    };
    until("Nothing happens by itself.");
    place.run(&["hold", "checkout@prod", "--reason", "lunch", "--yes"]).exits(0);
    until("Held by ");
    place.run(&["resume", "checkout@prod", "--yes"]).exits(0);
    let all = until("No longer: Held by ");
    let count = |words: &str| all.iter().filter(|line| line.starts_with(words)).count();
    assert_eq!((count("Room "), count("Source edge is fresh"), count("Held by ")), (1, 1, 1), "{all:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}
