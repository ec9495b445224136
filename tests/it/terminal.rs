//! The room in a real terminal: given back whole in every way out, whole at any size, deaf to floods, mute about what others wrote.

use std::time::Duration;

use rustix::process::Signal;

use crate::pty::{Home, SOON, Term};

/// The simulated train in a terminal, drawn and read.
fn room(env: &[(&str, &str)]) -> Term {
    let term = Term::start(&["demo", "calm", "--speed", "0"], (120, 40), env);
    read(&term);
    term
}

/// Waits until every source was read.
fn read(term: &Term) {
    term.sees("SIMULATED", SOON).sees("checkout", SOON);
    term.until("for every source to be read", SOON, |screen| !screen.contains("loading") && screen.contains("prom 0s"));
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

#[test]
fn q_gives_the_terminal_back() {
    let term = room(&[]);
    assert_eq!(term.press("q").exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn ctrl_c_gives_the_terminal_back_even_from_a_dialog() {
    let term = room(&[]);
    term.press("/").sees("find", SOON).press("<c-c>");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn a_request_to_end_gives_the_terminal_back() {
    let term = room(&[]);
    term.signal(Signal::TERM).exit_code(SOON);
    term.gave_the_terminal_back();
}

#[test]
fn a_hang_up_gives_the_terminal_back() {
    let term = room(&[]);
    term.signal(Signal::HUP).exit_code(SOON);
    term.gave_the_terminal_back();
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let term = Term::start(&["demo", "calm"], (120, 40), &[("GONOGO_TEST_PANIC_MS", "300")]);
    assert_eq!(term.exit_code(SOON), 1);
    term.gave_the_terminal_back();
    let raw = term.raw();
    let left = raw.windows(8).rposition(|bytes| bytes == b"\x1b[?1049l").expect("the alternate screen was left");
    let told = String::from_utf8_lossy(&raw).find("a fault that a test asked for").expect("the panic was told");
    assert!(left < told, "the panic was told on the alternate screen, where nobody reads it");
    assert_eq!(count(&raw, b"\x1b[?1049h"), 1);
}

#[test]
fn what_is_copied_goes_out_whole_behind_a_frame() {
    let term = Term::start(&["demo", "bad-canary"], (120, 40), &[]);
    read(&term);
    term.press("/").types("checkout").press("<ret>").press("R").sees("Ctrl-Y", SOON).press("<c-y>");
    term.until_raw("for the commands to be copied", SOON, |raw| {
        let text = String::from_utf8_lossy(raw);
        let copied = text.split_once("\u{1b}]52;c;").and_then(|(_, behind)| behind.split_once("\u{1b}\\"));
        copied.is_some_and(|(copied, _)| {
            copied.len() > 16 && copied.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
        })
    });
    term.press("<esc>").press("q").exit_code(SOON);
}

#[test]
fn a_panic_of_a_verb_writes_no_sequence_of_a_terminal_that_it_never_took() {
    let term = Term::start(&["demo", "no-such-scenario"], (120, 40), &[]);
    assert_eq!(term.exit_code(SOON), 2);
    assert_eq!(count(&term.raw(), b"\x1b[?1049"), 0);
}

#[test]
fn suspended_it_gives_the_terminal_back_and_continued_it_takes_it_again() {
    // A shell with job control is its parent, as on every desk.
    let script =
        format!("set -m; {} demo calm --speed 0; echo \"stopped $?\"; read go; fg; echo \"ended $?\"", env!("CARGO_BIN_EXE_gonogo"));
    let term = Term::run(&Home::new(), "bash", &["-c", &script], (120, 40), &[]);
    read(&term);
    term.press("<c-z>").sees("stopped 148", SOON);
    term.gave_the_terminal_back();
    let before = count(&term.raw(), b"\x1b[?1049h");
    term.press("<ret>");
    term.until_raw("for the terminal to be taken again", SOON, |raw| count(raw, b"\x1b[?1049h") > before);
    term.sees("SIMULATED", SOON).sees("checkout", SOON);
    term.press("q").sees("ended 0", SOON);
    term.exit_code(SOON);
    term.gave_the_terminal_back();
}

#[test]
fn a_storm_of_sizes_ends_in_a_whole_screen() {
    let term = room(&[]);
    for turn in 0..60_u16 {
        for size in [(1, 1), (80, 24), (2 + turn, 1), (1, 40), (200, 60), (79, 23)] {
            term.resize(size);
        }
    }
    term.resize((1000, 1000)).sees("checkout", SOON);
    term.resize((1, 1)).resize((120, 40));
    term.press("<c-l>");
    term.until("for the whole screen", SOON, |screen| {
        screen.lines().next().is_some_and(|line| line.contains("SIMULATED")) && screen.contains("deed: none under way")
    });
    assert!(term.line(39).contains("all keys"), "{}", term.screen());
    term.press("q");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn a_terminal_of_one_cell_can_be_left() {
    let term = Term::start(&["demo", "calm"], (1, 1), &[]);
    term.until_raw("for the first frame", SOON, |raw| count(raw, b"\x1b[2J") > 0);
    term.press("q");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn a_pasted_megabyte_does_nothing_and_keys_work_after_it() {
    let term = room(&[]);
    // Every line of it would be a roll back that is confirmed.
    term.paste(&"R\ry\r".repeat(250_000)).sees("nothing was done", SOON);
    term.press("?").sees("works here and now", SOON).press("<esc>").sees_not("works here and now", SOON);
    term.press("q");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn a_pasted_megabyte_in_a_field_is_cut_and_keys_work_after_it() {
    let term = room(&[]);
    term.press("/").paste(&"x\r\n\u{1b}[31m\u{7}".repeat(100_000)).sees("services 0 of 12", SOON);
    term.press("<esc>").sees_not("Enter keeps it", SOON).press("<c-c>");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

#[test]
fn a_dumb_terminal_is_refused_with_what_works_in_it() {
    for env in [("TERM", "dumb"), ("TERM", "")] {
        let term = Term::start(&["demo", "calm"], (120, 40), &[env]);
        assert_eq!(term.exit_code(SOON), 2, "{env:?}");
        assert!(term.screen().contains("gonogo status"), "{}", term.screen());
        assert_eq!(count(&term.raw(), b"\x1b"), 0);
    }
}

#[test]
fn without_colour_no_colour_is_written() {
    let coloured = |env: &[(&str, &str)]| {
        let term = room(env);
        let raw = String::from_utf8_lossy(&term.raw()).into_owned();
        // Every selection of a look: none of its numbers may be that of a colour.
        let looks = raw.split("\x1b[").filter_map(|part| part.split_once('m')).map(|(codes, _)| codes);
        let looks = looks.filter(|codes| codes.chars().all(|c| c.is_ascii_digit() || c == ';'));
        looks
            .flat_map(|codes| codes.split(';'))
            .filter_map(|code| code.parse::<u8>().ok())
            .any(|code| matches!(code, 30..=38 | 40..=48 | 90..=107))
    };
    assert!(coloured(&[]), "the default theme has colours; else this test sees nothing");
    assert!(!coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn the_same_key_pressed_twice_executes_one_deed() {
    let term = room(&[]);
    // Hold, a reason, and far too many times Enter in one write.
    term.press("h").sees("hold", SOON).sees("reason", SOON);
    term.types("twice\r\r\r\r\r\r");
    term.until("for the deed", SOON, |screen| screen.contains("INTENDED") || screen.contains("HELD") || screen.contains("EFFECTIVE"));
    term.press("<esc>").sees("services 12", SOON).press("0").sees(" effective ", SOON);
    let intended = term.screen().matches(" intent ").count();
    assert_eq!(intended, 1, "one key, one deed:\n{}", term.screen());
}

#[test]
fn it_works_inside_tmux() {
    let home = Home::new();
    let socket = home.path().join("tmux");
    let socket = socket.to_str().expect("a path");
    let tmux = |args: &[&str]| {
        let mut command = std::process::Command::new("tmux");
        command.env_clear().envs(home.environment()).args(["-S", socket, "-f", "/dev/null"]).args(args);
        let out = command.output().expect("tmux is there; tests/servers installs it");
        assert!(out.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let room = format!("{} demo calm --speed 0; echo \"left $?\"; cat", env!("CARGO_BIN_EXE_gonogo"));
    tmux(&["new-session", "-d", "-x", "120", "-y", "40", &room]);
    let sees = |what: &str| {
        crate::servers::support::wait_for(what, SOON, || tmux(&["capture-pane", "-p"]).contains(what).then_some(()));
    };
    sees("SIMULATED");
    sees("prom 0s");
    tmux(&["send-keys", "?"]);
    sees("works here and now");
    tmux(&["send-keys", "Escape"]);
    // tmux holds a lone Escape back until it is sure that no sequence follows.
    crate::servers::support::wait_for("help to close", SOON, || {
        (!tmux(&["capture-pane", "-p"]).contains("works here and now")).then_some(())
    });
    tmux(&["resize-window", "-x", "80", "-y", "24"]);
    sees("deed: none under way");
    tmux(&["send-keys", "q"]);
    sees("left 0");
    assert!(!tmux(&["capture-pane", "-p"]).contains("SIMULATED"), "the room is left on the screen");
    tmux(&["kill-server"]);
}

#[test]
fn a_key_is_noticed_at_once_also_the_second_and_third() {
    let term = room(&[]);
    let mut slowest = Duration::ZERO;
    for turn in 0..6 {
        let (key, there) = if turn % 2 == 0 { ("?", true) } else { ("<esc>", false) };
        let before = waited();
        term.press(key).until("for the answer", SOON, |screen| screen.contains("works here and now") == there);
        slowest = slowest.max(waited().saturating_sub(before));
    }
    // The room wakes by itself within a second; a key that waits for that was not noticed.
    assert!(slowest < Duration::from_millis(600), "a key waited for {slowest:?}");
}

/// The monotonic clock.
fn waited() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap())
}

#[test]
fn the_room_shows_before_anything_was_read_and_writes_nothing_at_rest() {
    let term = room(&[]);
    let first = String::from_utf8_lossy(&term.raw()).into_owned();
    let first = first.split("\x1b[?2026l").next().unwrap_or_default().to_owned();
    assert!(first.contains("SIMULATED") && first.contains("loading"), "the first frame waited for the backends: {first:?}");
    // Ages stand still with the clock: after the last reading nothing moves.
    let quiet = Duration::from_millis(1500);
    let mut before = term.raw().len();
    crate::servers::support::wait_for("one and a half seconds of silence", SOON, || {
        #[expect(clippy::disallowed_methods, reason = "silence can only be heard in real time")]
        std::thread::sleep(quiet);
        let now = term.raw().len();
        let silent = now == before;
        before = now;
        silent.then_some(())
    });
}

#[test]
fn the_first_run_shows_around_once_and_a_demo_whenever_it_is_asked_for() {
    let home = Home::new();
    let first = Term::start_in(&home, &[], (120, 40), &[]);
    first.sees("tour, step 1 of 5", SOON).press("<ret>").sees("tour, step 2 of 5", SOON);
    assert_eq!(first.press("q").exit_code(SOON), 0);
    let second = Term::start_in(&home, &[], (120, 40), &[]);
    read(&second);
    assert!(!second.screen().contains("tour, step"), "{}", second.screen());
    second.press("q").exit_code(SOON);
    let asked = Term::start_in(&home, &["demo", "--tour"], (80, 24), &[]);
    asked.sees("tour, step 1 of 5", SOON).press("q").exit_code(SOON);
}

#[test]
fn an_alert_of_the_simulated_train_is_silenced_by_key_and_calls_again() {
    let term = Term::start(&["demo", "bad-canary", "--speed", "10"], (120, 40), &[]);
    term.sees("alert CheckoutErrors", SOON).press("5").sees("alerts 1", SOON).press("M").sees("time, why:", SOON);
    term.types("CheckoutErrors 2h the fix is under way").press("<ret>").sees("Enter RUN silence", SOON);
    // In prod the target is typed as well.
    term.press("<tab>").types("checkout@prod").press("<ret>").sees("DONE: in effect", SOON);
    term.press("<esc>").sees("SILENCED", SOON).sees("the fix is under way", SOON);
    term.press("N").sees("unsilence of checkout@prod (CheckoutErrors):", SOON).types("CheckoutErrors").press("<ret>");
    term.sees("Enter RUN unsilence", SOON).press("<tab>").types("checkout@prod").press("<ret>").sees("DONE: in effect", SOON);
    term.press("<esc>").sees("alerts 1", SOON).sees_not("SILENCED", SOON);
    assert_eq!(term.press("q").exit_code(SOON), 0);
}
