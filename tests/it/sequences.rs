//! Keys typed one after the other, in a real terminal with the keymaps of vim and Emacs.

use crate::pty::{SOON, Term};

/// The simulated train with a keymap, drawn and read.
fn room(keymap: &str) -> Term {
    let term = Term::start(&["demo", "calm", "--speed", "0", "--keymap", keymap], (120, 40), &[]);
    term.sees("SIMULATED", SOON).sees("checkout", SOON);
    term.until("for every source to be read", SOON, |screen| !screen.contains("loading") && screen.contains("prom 0s"));
    term
}

/// The row with the cursor of the list.
fn marked(screen: &str) -> Option<String> {
    screen.lines().find(|line| line.starts_with('▌')).map(|line| line.chars().take(16).collect())
}

#[test]
fn vims_keys_go_to_both_ends_and_out() {
    let term = room("vim");
    let top = marked(&term.screen()).expect("a row is marked");
    term.press("G");
    term.until("for the cursor at the end", SOON, |screen| marked(screen).is_some_and(|row| row != top));
    let end = marked(&term.screen());
    term.press("g").sees("g-  g first", SOON).sees("Esc leaves", SOON);
    assert_eq!(marked(&term.screen()), end, "half a sequence did something");
    term.press("0").sees("g 0 is bound to nothing", SOON);
    assert!(term.line(0).contains("gonogo"), "a mistyped key went to another screen:\n{}", term.screen());
    term.press("g g");
    term.until("for the cursor at the top", SOON, |screen| marked(screen).is_some_and(|row| row == top) && !screen.contains("g-"));
    // An Escape that leaves a sequence is the key alone, and nothing else is left by it.
    term.press("3").sees("rollout", SOON).press("g").sees("g-  g first", SOON).press("<esc>");
    term.until("for the beginning to be left", SOON, |screen| !screen.contains("g-"));
    assert!(term.screen().contains("rollout"), "{}", term.screen());
    assert_eq!(term.press("Z Z").exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn emacss_keys_close_and_leave() {
    let term = room("emacs");
    term.press("3").sees("rollout", SOON).press("<c-x>").sees("Ctrl-X-  k back  o next pane  Ctrl-C quit", SOON).press("k");
    term.until("for the board", SOON, |screen| screen.contains("needs you"));
    term.press("<c-x>").sees("Ctrl-X-", SOON);
    assert_eq!(term.press("<c-c>").exit_code(SOON), 0);
    term.gave_the_terminal_back();
}
