//! The room over a bad line: 300 ms there and back, 64 kbit/s, 2 % of the packets lost. Keys stay in order, nothing old is shown after
//! something new, and the screen is of use.
#![expect(clippy::disallowed_methods, reason = "over a line things take real time")]

use std::time::{Duration, Instant};

use crate::pty::{Line, Manners, SOON, Term};

fn over(seed: u64, args: &[&str]) -> Term {
    let manners = Manners { line: Some(Line::satellite(seed)), ..Manners::GOOD };
    let term = Term::start_with(args, (120, 40), &[], manners);
    term.sees("SIMULATED", SOON).sees("checkout", SOON);
    term
}

/// The row on which the cursor stands, by the name of its service.
fn marked(screen: &str) -> Option<String> {
    screen.lines().find_map(|line| line.strip_prefix('▌')?.split_whitespace().next().map(str::to_owned))
}

#[test]
fn keys_stay_in_order_and_the_screen_is_never_older_than_one_that_was_shown() {
    let term = over(1, &["demo", "calm", "--speed", "0"]);
    term.until("for every source to be read", SOON, |screen| screen.contains("prom 0s"));
    // As a hand does it: down the list and a filter typed behind it, with no wait between.
    let begun = Instant::now();
    for _ in 0..5 {
        term.send(b"j");
    }
    term.send(b"/").types("ledger").send(b"\r");
    term.sees("found by `ledger`", SOON);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(marked(&term.screen()).as_deref(), Some("ledger"), "{}", term.screen());
}

#[test]
fn screens_that_are_gone_through_quickly_do_not_queue_on_the_line() {
    let term = over(2, &["demo", "bad-canary", "--speed", "0"]);
    term.until("for every source to be read", SOON, |screen| screen.contains("prom 0s"));
    // Twenty whole screens are 100 kB: twelve seconds of this line, were each of them sent.
    for _ in 0..10 {
        term.send(b"0");
        std::thread::sleep(Duration::from_millis(40));
        term.send(b"1");
        std::thread::sleep(Duration::from_millis(40));
    }
    let before = term.raw().len();
    let begun = Instant::now();
    term.send(b"6").sees("needs you", SOON).sees("no plan waits", SOON);
    let (took, bytes) = (begun.elapsed(), term.raw().len() - before);
    assert!(took < Duration::from_secs(6), "the newest screen came after {took:?}, behind {bytes} bytes");
}

#[test]
fn a_deed_over_a_bad_line_is_armed_by_its_answered_frame_and_done_once() {
    let term = over(3, &["demo", "bad-canary", "--speed", "0"]);
    term.until("for every source to be read", SOON, |screen| screen.contains("prom 0s"));
    term.send(b"h").send(b"\r").send(b"\r").sees("dropped", SOON);
    term.until("for the round trip", SOON, |screen| {
        screen.lines().next().is_some_and(|line| line.contains("line 0.") || line.contains("line 1."))
    });
    crate::servers::support::wait_for("the deed", SOON, || {
        term.press("<ret>");
        let screen = term.screen();
        (screen.contains("EFFECTIVE") || screen.contains("HELD")).then_some(())
    });
    term.press("<esc>").sees("services 12", SOON).press("0").sees(" effective ", SOON);
    assert_eq!(term.screen().matches(" intent ").count(), 1, "{}", term.screen());
}
