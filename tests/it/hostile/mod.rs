//! Every kind of backend that puts hostile text into everything that it says, answers and faults: the room and the
//! command line write no byte of it that a terminal obeys, hide none of it, and show what is honest of it.

mod clusters;
mod desks;
mod rooms;
mod services;
mod stand_in;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::Signal;

use self::rooms::Room;
use self::stand_in::{Says, StandIn};
use crate::headless::place::{Place, Said, os_user};
use crate::pty::grammar::{self, Also, is_hidden};
use crate::pty::{SOON, Term};
use crate::servers::support::wait_for;
use crate::stream::EVERYWHERE;

const LONG: Duration = Duration::from_secs(30);
/// After so many looks a key that went to something else is pressed again.
const AGAIN: u32 = 100;
const SIZE: (u16, u16) = (160, 50);
/// What is written when the terminal is given back.
const GIVEN_BACK: &[u8] = b"\x1b[?1049l";
/// How the beginning of an attack is shown.
const SHOWN: &str = "␛]0;owned␇";
/// A place over the stand-ins.
fn place(room: &Room, stand_in: &StandIn) -> Place {
    let place = Place::bare();
    let flags = place.write("flags.json", services::FLAGS);
    let token = place.write("token", "a-token-of-the-tests");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text =
        room.config.replace("FLAGS", &flags.display().to_string()).replace("HTTP", &stand_in.http).replace("SOCKET", &stand_in.socket);
    let text = text.replace("ROUTER", &stand_in.router).replace("USER", os_user());
    place.configure(&text.replace("TOKEN", &token.display().to_string()).replace("FILE", &place.path("shop.yml").display().to_string()));
    place.run(&["config", "check"]).exits(0);
    place
}

/// No character of it moves, hides or reorders others, or is one that terminals obey.
#[track_caller]
fn harmless(what: &str, text: &str) {
    if let Some(at) = text.find(|c| c != '\n' && is_hidden(c)) {
        let around: String = text[at..].chars().take(60).collect();
        let before: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what}: {around:?} after {before:?}");
    }
}

/// Goes to a screen, out of whatever came up meanwhile: a plan that was asked for before, and left before it was there.
fn goes_to(term: &Term, key: &str, word: &str) {
    let mut looks = 0;
    wait_for(&format!("the screen of {key}"), LONG, || {
        if term.line(0).contains(word) {
            return Some(());
        }
        // A busy machine takes its time to draw it: pressed again at once, the Escape would leave it each time.
        if looks % AGAIN == 0 {
            term.press("<esc>").press(key);
        }
        looks += 1;
        None
    });
    // Its frame is whole once nothing more is written.
    term.press("");
}

/// Ends the room; a plan that comes up late takes the key, and is left.
fn leaves(term: &Term) {
    let mut looks = 0;
    wait_for("the end", LONG, || {
        if term.raw().windows(GIVEN_BACK.len()).any(|bytes| bytes == GIVEN_BACK) {
            return Some(());
        }
        if looks % AGAIN == 0 {
            if looks > 0 {
                term.press("<esc>");
            }
            term.press("q");
        }
        looks += 1;
        None
    });
}

/// Goes everywhere for each service, and gives every screen that was seen on the way.
fn seen_everywhere(room: &Room, place: &Place) -> String {
    let file = place.path("config/gonogo/gonogo.toml");
    let term = Term::start_in(place.home(), &["--config", file.to_str().unwrap()], SIZE, &[]);
    term.sees("checkout", LONG);
    term.until("for every backend to have been asked", LONG, |screen| !screen.contains("loading") && screen.contains("web"));
    let mut screens = String::new();
    let mut take = |term: &Term| {
        let screen = term.screen();
        harmless("a cell", &screen);
        screens.push_str(&screen);
        screens.push('\n');
    };
    for service in 0..room.targets.len() {
        term.press("1 g").press(&"j ".repeat(service));
        for (key, word) in [("2", "pipeline"), ("3", "rollout"), ("5", "incident"), ("1", "proof")] {
            goes_to(&term, key, word);
            take(&term);
        }
        for keys in EVERYWHERE {
            term.press(keys);
            take(&term);
        }
    }
    for (row, col) in (0..SIZE.1).flat_map(|row| (0..SIZE.0).map(move |col| (row, col))) {
        harmless("a cell", &term.cell(row, col).text);
    }
    goes_to(&term, "1", "proof");
    leaves(&term);
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
    let read = grammar::read(&term.raw(), Also::default()).unwrap_or_else(|why| panic!("{why}\n{}", term.screen()));
    assert!(read.printed > 5_000 && read.sequences > 500, "{read:?}");
    screens
}

/// What the command line says of it all, on both outputs.
fn said_everywhere(room: &Room, place: &Place) -> String {
    let mut all = String::new();
    let mut takes: Vec<Vec<&str>> =
        vec![vec!["status"], vec!["status", "--json"], vec!["doctor"], vec!["doctor", "--json"], vec!["flag", "list"]];
    takes.extend(room.takes.iter().map(|args| args.to_vec()));
    for target in room.targets {
        for screen in ["board", "pipeline", "rollout", "incident"] {
            takes.push(vec!["show", screen, target]);
            takes.push(vec!["show", screen, target, "--json"]);
        }
        takes.push(vec!["read", "rollout", "--target", target]);
        takes.push(vec!["plan", "shift", target, "50"]);
        takes.push(vec!["shift", target, "50", "--yes", "--wait", "accepted"]);
        takes.push(vec!["rollout", "status", target]);
    }
    takes.push(vec!["rollout", "start", "web@prod", "--version", "3.0", "--yes", "--wait", "accepted"]);
    takes.push(vec!["ledger", "list"]);
    for args in &takes {
        let Said { code, out, err } = place.run(args);
        assert!(code.is_some() && !err.contains("panicked"), "{args:?}: {code:?} {err}");
        harmless(&format!("{args:?}"), &out);
        harmless(&format!("errors of {args:?}"), &err);
        all.push_str(&format!("{out}\n{err}\n"));
    }
    all
}

/// What a watch prints until it says something of each of these.
fn watched(place: &Place, words: &[&str]) {
    let file = place.path("watched.jsonl");
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["watch", "--jsonl"]);
    let watching = Place::started(command.stdout(std::fs::File::create(&file).unwrap()));
    let text = || std::fs::read_to_string(&file).unwrap();
    wait_for("every backend in the events", LONG, || words.iter().all(|word| text().contains(word)).then_some(()));
    watching.signal(Signal::TERM);
    watching.end().exits(130);
    harmless("watch --jsonl", &text());
    assert!(text().contains(SHOWN), "the attack is not shown");
}

/// Those of the honest words that are nowhere.
fn missing<'a>(text: &str, words: &[&'a str]) -> BTreeSet<&'a str> {
    words.iter().copied().filter(|word| !text.contains(word)).collect()
}

/// What is said where answers can be read.
fn answered(room: &Room) {
    let place = place(room, &StandIn::start(Says::Answers));
    let said = said_everywhere(room, &place);
    assert_eq!(missing(&said, room.honest), BTreeSet::new(), "{said}");
    assert!(said.contains(SHOWN), "{said}");
    watched(&place, room.honest);
    let seen = seen_everywhere(room, &place);
    assert_eq!(missing(&seen, room.on_screens), BTreeSet::new(), "{seen}");
    assert!(seen.contains(SHOWN), "{seen}");
    assert_eq!(missing(&format!("{said}{seen}"), room.read), BTreeSet::new(), "{said}{seen}");
}

fn refused(room: &Room) {
    let place = place(room, &StandIn::start(Says::Faults));
    let said = said_everywhere(room, &place);
    assert_eq!(missing(&said, room.refusals), BTreeSet::new(), "{said}");
    watched(&place, room.refusals);
    let seen = seen_everywhere(room, &place);
    assert_eq!(missing(&seen, room.refusals_on_screens), BTreeSet::new(), "{seen}");
    assert!(seen.contains(SHOWN), "{seen}");
}

#[test]
fn whatever_routers_ci_clusters_and_flag_services_answer_is_shown_and_harms_nothing() {
    answered(&rooms::FIRST);
}

#[test]
fn however_routers_ci_clusters_and_flag_services_refuse_it_is_said_and_harms_nothing() {
    refused(&rooms::FIRST);
}

#[test]
fn whatever_routes_orchestrators_monitoring_and_alerting_answer_is_shown_and_harms_nothing() {
    answered(&rooms::SECOND);
}

#[test]
fn however_routes_orchestrators_monitoring_and_alerting_refuse_it_is_said_and_harms_nothing() {
    refused(&rooms::SECOND);
}

#[test]
fn whatever_desks_calendars_and_receivers_answer_is_shown_and_harms_nothing() {
    answered(&rooms::THIRD);
}

#[test]
fn however_desks_calendars_and_receivers_refuse_it_is_said_and_harms_nothing() {
    refused(&rooms::THIRD);
}

#[test]
fn a_ticket_that_is_looked_for_at_a_hostile_desk_is_answered_without_harm() {
    let found = ["change CHG0040007 at itsm of plan", "change CHG0040007 at board of plan"];
    for (says, words) in [(Says::Answers, &found[..]), (Says::Faults, &["servicenow-says", "stuck-says"])] {
        let place = place(&rooms::THIRD, &StandIn::start(says));
        let mut all = String::new();
        for args in [
            &["plan", "shift", "checkout@prod", "40", "--ticket", "CHG0040007"][..],
            &["shift", "checkout@prod", "40", "--ticket", "CHG0040007", "--yes", "--wait", "accepted"],
            &["shift", "web@guarded", "40", "--ticket", "CHG0040007", "--yes", "--wait", "accepted"],
            &["outbox", "deliver", "--within", "8s"],
            &["outbox", "list"],
            &["read", "board"],
            &["read", "changes"],
            &["show", "changes", "--json"],
            &["ledger", "list"],
            &["changes", "pack", "--out", "-"],
        ] {
            let Said { code, out, err } = place.run(args);
            assert!(code.is_some() && !err.contains("panicked"), "{args:?}: {code:?} {err}");
            harmless(&format!("{args:?}"), &out);
            harmless(&format!("errors of {args:?}"), &err);
            all.push_str(&format!("{out}\n{err}\n"));
        }
        assert_eq!(missing(&all, words), BTreeSet::new(), "{all}");
        assert!(all.contains(SHOWN), "{all}");
    }
}
