//! Who is here: rooms that are open on one store see who sits before the others, and what an agent that is silent does to them.

use std::path::Path;
use std::time::Duration;

use super::keys::run;
use super::place::{Pair, Place, Room, os_user, texts};
use crate::pty::{SOON, Term};
use crate::servers::agent::{Agent, Fake, bytes_of, listing, make_key};

const PROTECTED: &str = "hold_time = \"1s\"\nprotection = { approvals = 1, approver_roles = [\"captain\"] }";

fn person(name: &str, key: &str) -> String {
    format!("[[person]]\nname = \"{name}\"\nos_user = \"{}\"\nkeys = [\"{key}\"]\nroles = [{{ role = \"captain\" }}]\n", os_user())
}

fn room(place: &Place, socket: &Path, size: (u16, u16)) -> Term {
    Term::start_in(place.home(), &[], size, &[("SSH_AUTH_SOCK", socket.to_str().unwrap())])
}

#[test]
fn who_may_agree_and_sits_before_a_room_is_told_until_that_room_is_gone() {
    let pair = Pair::shared();
    let (anas, cys) = (Agent::start(), Agent::start());
    let (ana, cy) = (anas.add("ana", &["-t", "ed25519"]), cys.add("cy", &["-t", "ed25519"]));
    let place =
        Room { people: person("ana", &ana) + &person("cy", &cy), environment: PROTECTED.to_owned(), ..pair.room(&Pair::pool()) }.place();
    let asks = ["explain", "shift", "checkout@prod", "20", "--json"];
    // Nobody sits before a room, and a verb does not count as one.
    let told = run(&place, &anas.socket(), &asks).exits(4).json();
    assert_eq!((&told["may_approve"], &told["here"]), (&serde_json::json!(["cy"]), &serde_json::json!([])), "{told}");
    let entries = place.kinds().len();

    let hers = room(&place, &anas.socket(), (120, 40));
    hers.sees("checkout", SOON).sees("ana, captain", SOON).sees_not(" here ", SOON);
    let his = room(&place, &cys.socket(), (80, 24));
    his.sees("2 here", SOON);
    hers.sees("2 here", SOON);
    hers.press("s 2 0 <ret>").sees("cy may, cy is here", SOON).press("<ret>").sees("WAITS for another person", SOON).press("<esc>");
    hers.press("6").sees("could agree: cy, who is here now", SOON);
    let said = run(&place, &anas.socket(), &["shift", "checkout@prod", "5"]).exits(4);
    assert!(said.err.contains("here:  cy is here"), "{said:?}");
    let told = run(&place, &anas.socket(), &asks).exits(4).json();
    assert_eq!(told["here"], serde_json::json!(["cy"]), "{told}");
    let queue = run(&place, &anas.socket(), &["show", "changes", "--json"]).exits(0).json();
    assert_eq!(queue["queue"][0]["could"][0]["here"], true, "{queue}");
    // Whoever dies is not here any more, with nothing written by anybody.
    his.kill();
    hers.sees("could agree: cy, not here", SOON).sees_not("2 here", SOON);
    let told = run(&place, &anas.socket(), &asks).exits(4).json();
    assert_eq!(told["here"], serde_json::json!([]), "{told}");
    assert_eq!(place.kinds().len(), entries, "nothing of it stands in the ledger: {:?}", place.kinds());
    hers.press("q");
}

/// The first frame waits for nothing: not for an agent that never answers, nor for one that answers late.
#[test]
fn an_agent_that_is_silent_delays_no_frame_and_lets_nobody_act() {
    let pair = Pair::shared();
    let keys = tempfile::tempdir().unwrap();
    let ana = make_key(keys.path(), "ana", &["-t", "ed25519"]);
    let place = Room { people: person("ana", &ana), environment: "hold_time = \"1s\"".to_owned(), ..pair.room(&Pair::pool()) }.place();
    let silent = Fake::start(|_| None);
    let room = room(&place, &silent.socket(), (120, 40));
    room.sees("who? asking the agent", Duration::from_secs(3));
    room.sees("checkout", SOON).press("h").sees("it is not known yet who is at the keys: asking the agent", SOON);
    assert!(place.newest().is_none_or(|kind| kind == "signers"));
    // It stays silent past its deadline: the account is ana's alone.
    room.sees("ana, captain", Duration::from_secs(20)).press("h").sees("HOLD checkout@prod", SOON).press("<esc> q");
}

/// An agent that has to be asked for a touch: what is waited for is said, and the answer comes as an event.
#[test]
fn an_agent_that_lists_and_then_waits_is_said_and_whom_it_names_is_nobody_meanwhile() {
    let pair = Pair::shared();
    let keys = tempfile::tempdir().unwrap();
    let (ana, cy) = (make_key(keys.path(), "ana", &["-t", "ed25519"]), make_key(keys.path(), "cy", &["-t", "ed25519"]));
    let people = person("ana", &ana) + &person("cy", &cy);
    let place = Room { people, environment: "hold_time = \"1s\"".to_owned(), ..pair.room(&Pair::pool()) }.place();
    let listed = listing(&[bytes_of(&ana)]);
    let waits = Fake::start(move |question| (question == [11]).then(|| listed.clone()));
    let room = room(&place, &waits.socket(), (80, 24));
    room.sees("who? asking the agent", SOON).sees("checkout", SOON);
    room.press("h").sees("it is not known yet", SOON).sees_not("ana, captain", SOON);
    assert_eq!(texts(&place.json(0, &["status"])["services"], "name"), ["checkout"]);
    assert!(!place.kinds().iter().any(|kind| kind == "intent" || kind == "denied"), "{:?}", place.kinds());
    room.press("q");
}
