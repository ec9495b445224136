//! SIGKILL at many moments of a shift: the next start settles it by observing, says so, and the router is as the ledger says.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::estate::Estate;
use super::{LONG, SIZE, load};
use crate::pty::Term;
use crate::servers::support::wait_for;

/// When the room is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after Enter.
    After(u64),
    /// Once this stands on the glass.
    Shown(&'static str),
    /// While the router does not answer.
    Unanswered,
}

fn order(room: &Term, percent: u32) {
    let digits = percent.to_string().chars().map(String::from).collect::<Vec<_>>().join(" ");
    room.press("s").sees("per cent", LONG).press(&format!("{digits} <ret>")).sees("RUN shift", LONG).press("<ret>");
}

/// Waits until the deed of the open plan shows a fact.
fn fact(room: &Term, word: &str) {
    room.until(word, LONG, |screen| screen.lines().any(|line| line.starts_with(" deed   ") && line.contains(word)));
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the moment of the kill is what this test varies")]
fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// What became of a deed by its entries.
fn outcome(kinds: &[String]) -> Option<&str> {
    let ends = ["effective", "failed", "not-begun", "unknown", "denied"];
    kinds.iter().rev().map(String::as_str).find(|kind| ends.contains(kind))
}

#[test]
fn whenever_it_is_killed_the_next_start_settles_the_shift_and_the_router_is_as_the_ledger_says() {
    let estate = Estate::start(20);
    let _load = load(&estate);
    let mut share = 20;
    let moments = [
        Moment::After(0),
        Moment::After(120),
        Moment::After(300),
        Moment::Shown("INTENDED"),
        Moment::After(600),
        Moment::Shown("SENT"),
        Moment::Unanswered,
        Moment::Shown("ACCEPTED"),
        Moment::Shown("EFFECTIVE"),
    ];
    let mut seen = Vec::new();
    for (n, moment) in moments.into_iter().enumerate() {
        let wished = [50, 30][n % 2];
        let before = estate.deeds("shift").len();
        let room = estate.room(SIZE);
        room.sees(&format!("2.5.0 {share} %"), LONG);
        match moment {
            Moment::After(ms) => {
                order(&room, wished);
                pause(ms);
            }
            Moment::Shown(word) => {
                order(&room, wished);
                fact(&room, word);
            }
            Moment::Unanswered => {
                room.press("s").sees("per cent", LONG).types(&wished.to_string()).press("<ret>").sees("RUN shift", LONG);
                signal(estate.router.pid(), Signal::STOP);
                room.press("<ret>");
                // It is read anew before anything is recorded: what does not answer is not written to.
                fact(&room, "DENIED");
            }
        }
        room.kill();
        room.ended(LONG);
        signal(estate.router.pid(), Signal::CONT);

        let next = estate.room(SIZE);
        next.sees("2.4.1", LONG).press("5").sees("timeline", LONG);
        let kinds = wait_for(&format!("the shift killed at {moment:?} to be settled"), LONG, || {
            let deeds = estate.deeds("shift");
            // Killed before the intent was written: there is nothing to settle.
            let Some(kinds) = deeds.get(before) else { return Some(Vec::new()) };
            outcome(kinds).is_some().then(|| kinds.clone())
        });
        match outcome(&kinds) {
            None | Some("not-begun" | "denied") => assert_eq!(estate.weight("v2"), share, "{moment:?}: {kinds:?}"),
            Some("effective") => share = wished,
            // Killed between the raise and the lowering: a person looks, and orders anew.
            Some("unknown") => {
                next.sees("be_checkout reads v1", LONG);
                let deed = estate.json(&["shift", "checkout@prod", &wished.to_string(), "--json"]);
                assert_eq!(deed["state"], "effective", "{deed}");
                share = wished;
            }
            other => panic!("{moment:?} ended as {other:?}: {kinds:?}\n{}", next.screen()),
        }
        assert_eq!(estate.weight("v2"), share, "{moment:?}: the router is not as the ledger says: {kinds:?}");
        // A refusal leaves nothing to settle: it is in the ledger, and the line of the killed room may not have reached the journal.
        if !kinds.is_empty() && outcome(&kinds) != Some("denied") {
            let told = match outcome(&kinds) {
                Some("effective") => "shift EFFECTIVE",
                Some("unknown") => "shift UNKNOWN",
                // Not begun: known at once, or shown by a later reading.
                _ => "shift FAILED",
            };
            next.sees(told, LONG);
        }
        assert!(kinds.iter().filter(|kind| *kind == "sending").count() <= 1, "{moment:?}: sent twice: {kinds:?}");
        seen.push(kinds);
        next.press("q").exit_code(LONG);
    }
    assert!(seen.iter().any(|kinds| outcome(kinds) == Some("effective")), "{seen:?}");
    assert_eq!(estate.json(&["ledger", "verify", "--json"])["intact"], true);
    // Nothing is left in the way of the next order.
    let deed = estate.json(&["shift", "checkout@prod", "0", "--json"]);
    assert_eq!((&deed["state"], estate.weight("v2")), (&"effective".into(), 0));
}
