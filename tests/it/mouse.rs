//! The mouse in a real terminal: asked for where it is configured and given back in every way out, and where it is not, not a byte of it.

use std::path::PathBuf;

use rustix::process::{Signal, kill_process};

use crate::pty::grammar::{self, Also};
use crate::pty::{Home, SOON, Term};
use crate::servers::support::wait_for;
use crate::stream::child_of;

const ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const BACK: &[u8] = b"\x1b[?1006l\x1b[?1000l";

fn config(more: &str) -> String {
    let mut text = format!(
        "[room]\nname = \"shop\"\n{more}\n[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/nonexistent/one.sock\"\nevery = \"1s\"\n\
         [[environment]]\nname = \"prod\"\n"
    );
    for service in ["checkout", "inventory", "ledger", "mail", "search"] {
        text.push_str(&format!(
            "[[service]]\nname = \"{service}\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
             traffic = [{{ backend = \"edge\", pool = \"be_{service}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n"
        ));
    }
    text
}

fn place(home: &Home, more: &str) -> PathBuf {
    home.write("gonogo.toml", &config(more))
}

fn room(more: &str, env: &[(&str, &str)]) -> Term {
    let home = Home::new();
    let file = place(&home, more);
    Term::start_in(&home, &["--config", file.to_str().unwrap()], (120, 40), env)
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

fn last(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).rposition(|window| window == part).unwrap_or_else(|| panic!("{part:?} was never written"))
}

/// Fails unless the mouse was asked for within the room's own screen, and every byte is of the grammar.
fn was_taken_and_given_back(term: &Term) {
    term.gave_the_terminal_back();
    let raw = term.raw();
    assert!(last(&raw, b"\x1b[?1049h") < last(&raw, ON), "asked for before the screen was taken");
    assert!(last(&raw, ON) < last(&raw, BACK) && last(&raw, BACK) < last(&raw, b"\x1b[?1049l"), "not given back in the opposite order");
    grammar::read(&raw, Also { mouse: true, ..Also::default() }).unwrap_or_else(|why| panic!("{why}"));
    assert!(grammar::read(&raw, Also::default()).is_err(), "the grammar without a mouse takes one");
}

/// Waits until nothing moves any more on the board: the one source was found lost, and is told of.
fn settled(term: &Term) -> &Term {
    term.sees("needs you 1", SOON).sees("services 5", SOON).sees("checkout@prod:", SOON)
}

/// A report of the mouse at the first of these words.
fn at(term: &Term, button: u8, words: &str) -> String {
    let (row, column) = term.find(words).unwrap_or_else(|| panic!("`{words}` is not there:\n{}", term.screen()));
    format!("\x1b[<{button};{};{}M\x1b[<{button};{};{}m", column + 1, row + 1, column + 1, row + 1)
}

#[test]
fn a_press_marks_a_second_one_looks_and_the_wheel_moves() {
    let term = room("mouse = true", &[]);
    settled(&term);
    term.types(&at(&term, 0, "ledger  ")).sees("ledger@prod:", SOON);
    term.types(&at(&term, 65, "ledger  ")).sees("search@prod:", SOON);
    term.types(&at(&term, 64, "ledger  ")).sees("inventory@prod:", SOON);
    // Both in one write, cut off in the middle of the second.
    let twice = at(&term, 0, "mail  ").repeat(2);
    let (first, rest) = twice.split_at(twice.len() - 16);
    term.types(first).sees("mail@prod:", SOON);
    term.send(rest.as_bytes()).sees("mail@prod  rollout", SOON);
    assert_eq!(term.press("q").exit_code(SOON), 0);
    was_taken_and_given_back(&term);
}

#[test]
fn a_request_to_end_and_a_panic_give_it_back() {
    let term = room("mouse = true", &[]);
    term.sees("services 5", SOON).signal(Signal::TERM).exit_code(SOON);
    was_taken_and_given_back(&term);
    let term = room("mouse = true", &[("GONOGO_TEST_PANIC_MS", "300")]);
    assert_eq!(term.exit_code(SOON), 1);
    term.gave_the_terminal_back();
    let raw = term.raw();
    assert!(last(&raw, ON) < last(&raw, BACK) && last(&raw, BACK) < last(&raw, b"\x1b[?1049l"));
}

#[test]
fn suspended_it_is_given_back_and_killed_and_started_again_too() {
    let home = Home::new();
    place(&home, "mouse = true");
    let term = Term::run(&home, "bash", &["--norc", "--noprofile", "-i"], (120, 40), &[("PS1", "shell> ")]);
    let room = format!("{} --config {}/gonogo.toml\r", env!("CARGO_BIN_EXE_gonogo"), home.path().display());
    term.sees("shell>", SOON).types(&room).sees("services 5", SOON);
    term.press("<c-z>").sees("Stopped", SOON);
    let raw = term.raw();
    assert!(last(&raw, ON) < last(&raw, BACK), "not given back to the shell");
    let before = count(&raw, ON);
    term.types("fg\r").until_raw("for the mouse to be asked for again", SOON, |raw| count(raw, ON) > before);
    term.sees("services 5", SOON);
    let killed = wait_for("the room", SOON, || child_of(term.pid()));
    kill_process(killed, Signal::KILL).unwrap();
    // Its shell speaks on the room's screen.
    term.sees("shell>", SOON).types(&room);
    wait_for("another room", SOON, || child_of(term.pid()).filter(|child| *child != killed));
    term.until("for the second room", SOON, |screen| !screen.contains("shell>") && screen.contains("services 5"));
    term.press("q").sees_not("services 5", SOON);
    let raw = term.raw();
    assert!(last(&raw, ON) < last(&raw, BACK), "not given back after a kill and a new start");
    term.types("exit\r");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn off_it_is_not_asked_for_and_what_it_says_is_dropped() {
    let term = room("", &[]);
    settled(&term);
    term.types(&at(&term, 0, "ledger  ").repeat(2)).types(&at(&term, 65, "ledger  "));
    term.press("j").sees("inventory@prod:", SOON);
    assert!(!term.screen().contains("rollout"), "{}", term.screen());
    assert_eq!(term.press("q").exit_code(SOON), 0);
    term.gave_the_terminal_back();
    grammar::read(&term.raw(), Also::default()).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn a_changed_file_turns_it_on_and_off() {
    let home = Home::new();
    let file = place(&home, "");
    let term = Term::start_in(&home, &["--config", file.to_str().unwrap()], (120, 40), &[]);
    settled(&term);
    assert_eq!(count(&term.raw(), b"\x1b[?1000"), 0);
    place(&home, "mouse = true");
    term.until_raw("for the mouse to be asked for", SOON, |raw| count(raw, ON) == 1);
    term.types(&at(&term, 0, "ledger  ")).sees("ledger@prod:", SOON);
    place(&home, "");
    term.until_raw("for the mouse to be given back", SOON, |raw| count(raw, BACK) == 1);
    term.types(&at(&term, 0, "mail  ")).press("j").sees("mail@prod:", SOON).press("k").sees("ledger@prod:", SOON);
    assert_eq!(term.press("q").exit_code(SOON), 0);
    was_taken_and_given_back(&term);
}
