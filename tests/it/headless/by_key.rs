//! What verbs do, done by key in a real terminal: a change is scheduled from its plan; a role is taken, agreed to and taken back.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use gonogo::adapters::clock::SystemClock;
use gonogo::ports::clock::Clock as _;

use super::keys::run;
use super::place::{Pair, Place, Room, os_user, texts};
use crate::pty::{SOON, Term};
use crate::servers::agent::Agent;

#[test]
fn a_plan_that_is_scheduled_by_key_waits_in_the_store_as_one_that_a_verb_scheduled() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let at = SystemClock.now().wall + TimeDelta::hours(2);
    let (typed, day) = (at.format("%H:%M").to_string(), at.format("%Y-%m-%d %H:%M").to_string());
    let begins: DateTime<Utc> = format!("{}Z", at.format("%Y-%m-%dT%H:%M:00")).parse().unwrap();

    let room = Term::start_in(place.home(), &[], (80, 24), &[]);
    room.sees("checkout", SOON).sees("2.4.1", SOON).press("s 2 0 <ret>").sees("Ctrl-T schedule", SOON);
    room.press("<c-t>").sees("when is it to be carried out", SOON).types("25:00").press("<ret>").sees("is no time", SOON);
    room.press("<c-a> <c-k>").types(&typed).press("<ret>").sees("Enter SCHEDULE shift checkout@prod", SOON);
    room.sees("waits for its time", SOON).press("<ret>").sees("SCHEDULED", SOON).press("<esc>");
    room.press("6").sees("waits for its time; then execute", SOON).press("q");
    assert_eq!(room.exit_code(SOON), 0);

    // The same by the verb, in the same words.
    let said = place.run(&["shift", "checkout@prod", "50", "--at", &day, "--json"]).exits(0).json();
    assert_eq!(said["state"], "scheduled", "{said}");
    let queue = place.json(0, &["show", "changes"])["queue"].as_array().unwrap().clone();
    let begin: Vec<DateTime<Utc>> = queue.iter().map(|one| one["scheduled"]["begin"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(begin, [begins, begins], "{queue:?}");
    assert_eq!(pair.weight(&pool), 0, "nothing begins by itself");
    let plan = queue[0]["plan"].as_str().unwrap();
    assert_eq!(texts(&place.json(3, &["execute", plan])["reasons"], "rule"), ["too-early"]);
}

fn room(place: &Place, agent: &Agent) -> Term {
    Term::start_in(place.home(), &[], (120, 40), &[("SSH_AUTH_SOCK", agent.socket().to_str().unwrap())])
}

fn grants(place: &Place, socket: &Path) -> Vec<String> {
    texts(&run(place, socket, &["grants", "--json"]).exits(0).json()["grants"], "state")
}

#[test]
fn a_role_is_taken_from_a_denial_agreed_to_and_taken_back_by_key() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let (anas, bos) = (Agent::start(), Agent::start());
    let person = |agent: &Agent, name: &str, more: &str| {
        let (key, user) = (agent.add(name, &["-t", "ed25519"]), os_user());
        format!("[[person]]\nname = \"{name}\"\nos_user = \"{user}\"\nkeys = [\"{key}\"]\n{more}\n")
    };
    let people = person(&anas, "ana", "roles = [{ role = \"captain\" }]") + &person(&bos, "bo", "teams = [\"payments\"]");
    let environment = "hold_time = \"1s\"\nprotection = { actor_roles = [\"captain\"] }\n\
                       self_service = [{ role = \"captain\", teams = [\"payments\"], at_most = \"4h\", approvals = 1 }]";
    let place = Room { environment: environment.to_owned(), people, ..pair.room(&pool) }.place();

    let his = room(&place, &bos);
    his.sees("checkout", SOON).sees("2.4.1", SOON).sees("bo", SOON).press("s 2 0 <ret>").sees("bo may not act on checkout@prod", SOON);
    his.press("<c-g>").sees("TAKE captain of checkout@prod", SOON).types("stands in for ana tonight").press("<ret>");
    his.sees("RECORDED", SOON).sees("it counts once 1 of these agree: ana", SOON).press("<esc>").sees("needs the agreement of 1", SOON);
    assert_eq!(grants(&place, &bos.socket()), ["asked"]);

    let hers = room(&place, &anas);
    hers.sees("checkout", SOON).sees("ana, captain", SOON).press("6").sees("bo asks to be captain of checkout@prod", SOON);
    hers.press("T").sees("ROLES for a while", SOON).press("a").sees("Enter AGREE", SOON).press("<ret>").sees("RECORDED", SOON);
    assert_eq!(grants(&place, &bos.socket()), ["granted"]);
    his.sees("Enter RUN shift checkout@prod", SOON).press("<ret>").sees("in effect", SOON);
    assert_eq!(pair.weight(&pool), 20);

    hers.press("<esc>")
        .sees("ROLES for a while", SOON)
        .sees("bo is captain of checkout@prod until", SOON)
        .press("x")
        .sees("Enter TAKE it BACK", SOON);
    hers.types("ana is back").press("<ret>").sees("bo is captain of checkout@prod no longer", SOON).press("<esc> <esc> q");
    assert_eq!(grants(&place, &bos.socket()), ["revoked"]);
    his.press("<esc>").press("s 5 0 <ret>").sees("was taken back by ana", SOON).press("<esc> q");
    assert_eq!(pair.weight(&pool), 20);
    place.run(&["ledger", "verify"]).exits(0);
}
