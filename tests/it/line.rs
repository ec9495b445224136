//! The line and the terminal at its end: answers that come late or never, glyphs of another width, colours that are not there.

use std::time::Duration;

use crate::pty::{Home, Manners, SOON, Term};

const CALM: [&str; 4] = ["demo", "calm", "--speed", "0"];

fn with(manners: Manners, env: &[(&str, &str)]) -> Term {
    let term = Term::start_with(&CALM, (120, 40), env, manners);
    term.sees("SIMULATED", SOON).sees("checkout", SOON);
    term.until("for every source to be read", SOON, |screen| !screen.contains("loading") && screen.contains("prom 0s"));
    term
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

/// Presses Enter until the deed began, then counts what the ledger says.
fn run_once(term: &Term) {
    crate::servers::support::wait_for("the deed", SOON, || {
        term.press("<ret>");
        let screen = term.screen();
        (screen.contains("INTENDED") || screen.contains("HELD") || screen.contains("EFFECTIVE")).then_some(())
    });
    term.press("<esc>").sees("services 12", SOON).press("0").sees(" effective ", SOON);
    assert_eq!(term.screen().matches(" intent ").count(), 1, "{}", term.screen());
}

#[test]
fn a_plan_waits_for_the_answer_to_its_frame() {
    let late = Manners { well: Some(Duration::from_millis(2_200)), ..Manners::GOOD };
    let term = with(late, &[]);
    term.press("h").sees("HOLD", SOON).send(b"\r\r").sees("2 keys typed before this was seen: dropped", SOON);
    term.sees("line 2.", SOON);
    run_once(&term);
    assert_eq!(term.press("q").exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn where_the_terminal_never_answers_a_second_without_keys_does() {
    let term = with(Manners { well: None, ..Manners::GOOD }, &[]);
    crate::servers::support::wait_for("the line to be given up", SOON, || {
        term.press("?").sees("works here and now", SOON).press("<esc>").sees_not("works here and now", SOON);
        term.line(0).contains("line not measured").then_some(())
    });
    term.press("h").sees("HOLD", SOON).send(b"\r\r\r").sees("3 keys typed before this was seen: dropped", SOON);
    // Each key begins the second anew; so there must be one without any.
    term.sees_not("not yet: after a second without keys", SOON);
    run_once(&term);
    // It is not asked for ever.
    assert!(count(&term.raw(), b"\x1b[5n") <= 2);
}

#[test]
fn a_multiplexer_is_not_asked() {
    let term = with(Manners::GOOD, &[("TMUX", "/tmp/tmux-0/default,1,0")]);
    assert!(term.line(0).contains("line not measured"), "{}", term.screen());
    assert_eq!(count(&term.raw(), b"\x1b[5n"), 0);
}

#[test]
fn a_terminal_that_answers_at_once_is_asked_little() {
    let term = with(Manners::GOOD, &[]);
    term.press("?").sees("works here and now", SOON).press("<esc>");
    term.until("for the line", SOON, |screen| screen.lines().next().is_some_and(|line| line.contains("line 0.")));
    for _ in 0..10 {
        term.press("j").press("k");
    }
    term.press("0").sees("ledger", SOON);
    assert!(count(&term.raw(), b"\x1b[5n") <= 4, "a question went with each frame");
}

#[test]
fn glyphs_of_another_width_put_the_session_on_ascii() {
    let term = with(Manners { wide: true, ..Manners::GOOD }, &[]);
    term.until("for plain glyphs", SOON, |screen| screen.is_ascii() && screen.contains("checkout"));
    assert!(!with(Manners::GOOD, &[]).screen().is_ascii(), "else this test sees nothing");
}

#[test]
fn a_locale_without_unicode_gets_none() {
    for env in [("LANG", "C"), ("LC_ALL", "en_US.ISO-8859-1")] {
        let term = with(Manners::GOOD, &[env]);
        assert!(term.raw().is_ascii(), "{env:?}");
    }
}

/// The highest of the 256 colours that was selected, and whether any was by red, green and blue.
fn colours(term: &Term) -> (Option<u8>, bool) {
    let raw = String::from_utf8_lossy(&term.raw()).into_owned();
    let looks: Vec<&str> = raw.split("\x1b[").filter_map(|part| part.split_once('m')).map(|(codes, _)| codes).collect();
    let indexed = looks.iter().flat_map(|codes| codes.split("8;5;").skip(1)).filter_map(|rest| rest.split(';').next()?.parse().ok());
    (indexed.max(), looks.iter().any(|codes| codes.contains("8;2;")))
}

#[test]
fn colours_are_those_that_the_terminal_has() {
    let shown = |env: &[(&str, &str)]| {
        let term = Term::start(&["demo", "bad-canary", "--theme", "light"], (80, 24), env);
        term.sees("SIMULATED", SOON).sees("checkout", SOON);
        colours(&term)
    };
    assert!(shown(&[("COLORTERM", "truecolor")]).1);
    let (highest, rgb) = shown(&[]);
    assert!(highest > Some(15) && !rgb, "{highest:?}");
    let (highest, rgb) = shown(&[("TERM", "linux")]);
    assert!(highest.is_some() && highest < Some(16) && !rgb, "{highest:?}");
    assert_eq!(shown(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]), (None, false));
}

#[test]
fn a_changed_theme_and_keymap_are_taken_over_and_a_broken_one_is_told() {
    let home = Home::new();
    let theme = |text: &str| home.write("config/gonogo/themes/mine.toml", text);
    let keymap = |text: &str| home.write("config/gonogo/keymaps/mine.toml", text);
    theme("base = \"default\"\n");
    keymap("base = \"default\"\n");
    let args = ["demo", "calm", "--speed", "0", "--theme", "mine", "--keymap", "mine"];
    let term = Term::start_in(&home, &args, (120, 40), &[]);
    term.sees("SIMULATED", SOON).sees("checkout", SOON);
    keymap("base = \"default\"\n[global]\nhelp = \"f5\"\n");
    term.sees("the changed looks and keys are taken over", SOON).sees("F5 all keys", SOON);
    theme("base = \"default\"\n[roles]\nabnormal = { foreground = \"rde\" }\n");
    term.sees("the looks stay as they are", SOON).sees("mine.toml:3:27", SOON).sees("`rde` is no colour", SOON).sees("F5 all keys", SOON);
    theme("base = \"ascii\"\n");
    term.until("for plain glyphs", SOON, str::is_ascii);
    assert_eq!(term.press("q").exit_code(SOON), 0);
}
