//! A room and verbs of the command line on one store: each sees what the other does, and at most one deed is under way on a target.

use std::time::Duration;

use super::estate::Estate;
use super::{LONG, SIZE, load};

const TWO: Duration = Duration::from_secs(2);
/// A change is named once the store was asked twice who made it.
const SHORT: Duration = Duration::from_secs(5);

#[test]
fn what_the_command_line_does_is_in_the_room_within_two_seconds() {
    let estate = Estate::start(20);
    let _load = load(&estate);
    let room = estate.room(SIZE);
    room.sees("2.5.0 20 %", LONG).press("5").sees("timeline", LONG);
    let noted = estate.json(&["note", "checkout@prod", "looking into it", "--json"]);
    assert_eq!(noted["state"], "effective");
    room.sees("looking into it", TWO);
    let held = estate.json(&["hold", "checkout@prod", "--reason", "wait for the database", "--json"]);
    assert_eq!(held["state"], "effective");
    room.sees("wait for the database", TWO).sees("HELD by", TWO);
    // While the verb still waits for EFFECTIVE the room already shows its deed.
    let mut verb = estate.begin(&["shift", "checkout@prod", "0", "--reason", "errors", "--json"]);
    room.until("the deed of the other process", LONG, |screen| {
        screen.lines().any(|line| line.contains("shift checkout@prod") && line.contains("in another process"))
    });
    room.press("1").sees("2.4.1", LONG);
    assert!(verb.wait().unwrap().success());
    room.sees_not("2.5.0 20 %", TWO)
        .press("5")
        .until("the shift in the timeline", SHORT, |screen| screen.contains("shift EFFECTIVE") && screen.contains("20 to 0 %"));
    let told = room.screen();
    assert!(told.contains("20 to 0 % by os:") && !told.contains("by another hand"), "{told}");
    let resumed = estate.json(&["resume", "checkout@prod", "--json"]);
    assert_eq!(resumed["state"], "effective");
    room.sees_not("HELD by", TWO);
    room.press("q").exit_code(LONG);
}

#[test]
fn of_two_shifts_ordered_at_once_one_is_done_and_the_other_says_why_not() {
    let estate = Estate::start(20);
    let _load = load(&estate);
    let verbs = ["50", "30"].map(|share| estate.begin(&["shift", "checkout@prod", share, "--json"]));
    let said = verbs.map(|verb| verb.wait_with_output().unwrap());
    let mut codes = said.each_ref().map(|said| said.status.code().unwrap());
    let text: Vec<_> = said.iter().map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).collect();
    let winner = codes.iter().position(|code| *code == 0).unwrap_or_else(|| panic!("{codes:?} {text:#?}"));
    assert_eq!(estate.weight("v2"), [50, 30][winner], "{text:#?}");
    codes.sort_unstable();
    assert_eq!(codes, [0, 5], "{text:#?}");
    let refused: serde_json::Value = serde_json::from_str(&text[1 - winner]).unwrap();
    assert!(!refused["reasons"].as_array().unwrap().is_empty(), "{refused}");
}
