//! The terminal of the tests proven on small programs, right and wrong, so that a red test is the room's fault and not its own.

use std::time::Duration;

use rustix::process::Signal;

use super::{Home, SOON, Term};

fn shell(script: &str) -> Term {
    Term::run(&Home::new(), "sh", &["-c", script], (80, 24), &[("GREETING", "hello from the room")])
}

#[test]
fn keys_go_in_and_the_screen_comes_out() {
    let term = shell("stty -echo; echo ready; while read line; do echo \"got <$line>\"; [ \"$line\" = quit ] && exit 7; done");
    term.sees("ready", SOON).press("j j s 0 <ret>").sees("got <jjs0>", SOON);
    term.types("two words\r").sees("got <two words>", SOON);
    assert_eq!(term.line(0), "ready");
    assert_eq!(term.find("<jjs0>"), Some((1, 4)));
    assert_eq!(term.find("nothing"), None);
    term.press("quit <ret>");
    assert_eq!(term.exit_code(SOON), 7);
    term.gave_the_terminal_back();
}

#[test]
fn the_environment_is_clean_and_the_home_is_temporary() {
    let term = shell("echo \"$GREETING\"; echo \"cargo=${CARGO:-none}\"; cd; pwd; echo ${XDG_CONFIG_HOME#$HOME/}; read x");
    term.sees("hello from the room", SOON).sees("cargo=none", SOON).sees("config", SOON);
    let home = term.home().path().canonicalize().unwrap();
    term.sees(&home.to_string_lossy(), SOON);
    assert!(term.pid() > 1);
}

#[test]
fn a_home_outlives_its_program() {
    let home = Home::new();
    let config = home.write("config/gonogo/gonogo.toml", "# prepared");
    let read = "echo left > data.txt; cat $XDG_CONFIG_HOME/gonogo/gonogo.toml; read x";
    Term::run(&home, "sh", &["-c", read], (80, 24), &[]).sees("# prepared", SOON).kill();
    Term::run(&home, "sh", &["-c", "cat data.txt; read x"], (80, 24), &[]).sees("left", SOON);
    assert!(config.starts_with(home.path()));
}

#[test]
fn a_cell_has_its_style_and_text_can_go() {
    let term = shell("printf '\\033[1;31mRED\\033[0m plain'; read x; printf '\\033[2J\\033[H\\033[7mafter\\033[m'; read x");
    term.sees("RED plain", SOON);
    let (red, plain) = (term.cell(0, 0), term.cell(0, 4));
    assert_eq!((red.text.as_str(), red.colours.0, red.bold), ("R", vt100::Color::Idx(1), true));
    assert_eq!((plain.text.as_str(), plain.colours.0, plain.bold, plain.inverse), ("p", vt100::Color::Default, false, false));
    term.press("<ret>").sees_not("RED", SOON).sees("after", SOON);
    assert!(term.cell(0, 0).inverse && !term.cell(0, 0).underline);
}

#[test]
fn a_resize_reaches_the_program() {
    let term = shell("trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done");
    term.sees("24 80", SOON).resize((120, 40)).sees("40 120", SOON);
}

#[test]
fn a_paste_is_in_brackets_only_when_asked_for() {
    let term = shell("stty raw -echo; printf 'now'; head -c 3 | od -c; printf '\\033[?2004hbrackets'; head -c 15 | od -An -c; stty sane");
    term.sees("now", SOON).paste("abc").sees("brackets", SOON).paste("abc");
    term.until("for the brackets", SOON, |screen| screen.contains("2   0   0   ~   a   b   c"));
}

#[test]
fn the_terminal_answers_where_its_cursor_is() {
    let term = shell("stty raw -echo; printf 'abc\\033[6n'; head -c 6 | od -An -c; stty sane");
    term.until("for the answer", SOON, |screen| screen.contains("[   1   ;   4   R"));
    term.until_raw("for the question", SOON, |raw| raw.windows(4).any(|bytes| bytes == b"\x1b[6n"));
    assert!(term.raw().starts_with(b"abc"));
}

#[test]
fn signals_end_a_program() {
    let term = shell("trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    term.sees("ready", SOON).signal(Signal::TERM).sees("told", SOON);
    assert_eq!(term.exit_code(SOON), 3);
    let term = shell("echo ready; read x");
    term.sees("ready", SOON).kill();
    assert!(term.ended(SOON).signal().is_some());
}

#[test]
fn gonogo_itself_starts_in_it() {
    let term = Term::start(&["--version"], (80, 24), &[]);
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
#[should_panic(expected = "| only this")]
fn waiting_in_vain_shows_the_screen() {
    let term = shell("echo only this; read x");
    term.sees("only this", SOON).sees("something else", Duration::from_millis(200));
}

#[test]
#[should_panic(expected = "it ended while the test waited to see `more`")]
fn an_early_end_is_told_at_once() {
    shell("echo bye").sees("more", SOON);
}

fn spoilt(sequence: &str) {
    let term = shell(&format!("printf '{sequence}'"));
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
#[should_panic(expected = "[\"the alternate screen\", \"a hidden cursor\"] left on")]
fn a_terminal_left_in_the_alternate_screen_is_told() {
    spoilt("\\033[?1049h\\033[?25l");
}

#[test]
#[should_panic(expected = "[\"bracketed paste\", \"the mouse\", \"focus events\"] left on")]
fn a_terminal_left_with_paste_and_mouse_is_told() {
    spoilt("\\033[?2004h\\033[?1000h\\033[?1004h");
}

#[test]
#[should_panic(expected = "[\"a style\", \"synchronised output\", \"the kitty keyboard\"] left on")]
fn a_terminal_left_with_a_style_is_told() {
    spoilt("\\033[31m\\033[?2026h\\033[>1u");
}

#[test]
#[should_panic(expected = "[\"raw mode\"] left on")]
fn a_terminal_left_raw_is_told() {
    let term = shell("stty raw -echo");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}
