//! Changed rules (promise 8): until another policy-owner accepts them the stricter answer of old and new holds.

use serde_json::Value;

use super::keys::run;
use super::place::{Pair, Place, Room, os_user};
use super::shape;
use crate::servers::agent::Agent;

const OWNER: &str = "{ role = \"captain\" }, { role = \"policy-owner\" }";
const CAPTAIN: &str = "{ role = \"captain\" }";

fn person(name: &str, os_user: &str, key: &str, roles: &str) -> String {
    format!("[[person]]\nname = \"{name}\"\nos_user = \"{os_user}\"\nkeys = [\"{key} {name}@laptop\"]\nroles = [{roles}]\n")
}

/// A room whose prod asks for so many approvals by captains.
fn text(pair: &Pair, pool: &str, people: &[String], approvals: u32) -> String {
    let environment = format!(
        "hold_time = \"1s\"\neffective_within = \"20s\"\nprotection = {{ approvals = {approvals}, approver_roles = [\"captain\"] }}"
    );
    Room { people: people.concat(), environment, ..pair.room(pool) }.text()
}

fn rules_of(told: &Value) -> Vec<&str> {
    told["reasons"].as_array().unwrap().iter().filter_map(|reason| reason["rule"].as_str()).collect()
}

/// Entries about rules and denials, by their words.
fn recorded(place: &Place) -> Vec<String> {
    let all = place.json(0, &["ledger", "list"]);
    let about = |entry: &&Value| entry["kind"] == "policy" || entry["kind"] == "denied";
    all["entries"].as_array().unwrap().iter().filter(about).map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn rules_that_their_author_made_laxer_count_only_after_another_policy_owner_accepted_them() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, bos, cys) = (Agent::start(), Agent::start(), Agent::start());
    let add = |agent: &Agent, name| agent.add(name, &["-t", "ed25519"]);
    let people = [
        person("ana", os_user(), &add(&anas, "ana"), OWNER),
        person("bo", os_user(), &add(&bos, "bo"), CAPTAIN),
        person("cy", os_user(), &add(&cys, "cy"), OWNER),
    ];
    let (ana, bo, cy) = (anas.socket(), bos.socket(), cys.socket());
    let place = Place::with(&text(&pair, &pool, &people, 1));
    run(&place, &ana, &["hold", "checkout@prod"]).exits(0);
    run(&place, &ana, &["resume", "checkout@prod"]).exits(0);
    assert_eq!(recorded(&place), ["policy"], "the first rules are an entry");
    let told = run(&place, &ana, &["policy", "show", "--json"]).exits(0).json();
    shape::keys(&told, "schema current accepted waits guarded names may_accept differences error");
    assert_eq!((&told["waits"], &told["guarded"], &told["accepted"]), (&false.into(), &true.into(), &told["current"]));

    // The requester makes the rules laxer: they do not count, and say so.
    place.configure(&text(&pair, &pool, &people, 0));
    let told = run(&place, &ana, &["explain", "shift", "checkout@prod", "20", "--json"]).exits(4).json();
    assert_eq!(rules_of(&told), ["approvals"], "{told}");
    assert!(told["reasons"][0]["fix"].as_str().unwrap().contains("rules that were accepted"), "{told}");
    run(&place, &ana, &["shift", "checkout@prod", "20", "--yes"]).exits(4);
    let told = run(&place, &ana, &["policy", "show", "--json"]).exits(0).json();
    assert_eq!((&told["waits"], &told["may_accept"]), (&true.into(), &serde_json::json!(["ana", "cy"])), "{told}");
    let differs =
        serde_json::json!([{ "what": "environment", "name": "prod", "how": "changed", "details": ["protection.approvals: 1 -> 0"] }]);
    assert_eq!(told["differences"], differs);

    // Nobody accepts alone what nobody stands for; who stands for it accepts it never; who is no policy-owner neither.
    run(&place, &ana, &["policy", "accept"]).exits(4);
    let refused = run(&place, &ana, &["policy", "accept", "--json"]).exits(3);
    assert!(refused.err.contains("stands for these rules and cannot also accept them"), "{refused:?}");
    let refused = run(&place, &bo, &["policy", "accept"]).exits(3);
    assert!(refused.err.contains("has not the role policy-owner"), "{refused:?}");
    run(&place, &ana, &["shift", "checkout@prod", "20", "--yes"]).exits(4);
    assert_eq!(pair.weight(&pool), 0);

    run(&place, &cy, &["policy", "accept", "00000000"]).exits(5);
    let accepted = run(&place, &cy, &["policy", "accept", "--reason", "looked at", "--json"]).exits(0).json();
    assert_eq!((&accepted["waits"], &accepted["accepted"]), (&false.into(), &accepted["current"]));
    run(&place, &ana, &["shift", "checkout@prod", "20", "--yes"]).exits(0);
    assert_ne!(pair.weight(&pool), 0);
    run(&place, &ana, &["shift", "checkout@prod", "0"]).exits(0);
    let refused = run(&place, &cy, &["policy", "accept"]).exits(3);
    assert!(refused.err.contains("are those that were accepted"), "{refused:?}");
    // Baseline, changed, ana's name, two refusals, cy's name, accepted, and the last refusal.
    assert_eq!(recorded(&place), ["policy", "policy", "policy", "denied", "denied", "policy", "policy", "denied"]);
    place.run(&["ledger", "verify"]).exits(0);

    // The same in the other direction: stricter new rules count at once, the way back stays open.
    place.configure(&text(&pair, &pool, &people, 2));
    let told = run(&place, &ana, &["explain", "shift", "checkout@prod", "20", "--json"]).exits(4).json();
    assert!(told["reasons"][0]["text"].as_str().unwrap().contains("needs 2 approvals"), "{told}");
    run(&place, &ana, &["shift", "checkout@prod", "0"]).exits(0);
}

#[test]
fn where_one_person_alone_could_have_written_the_file_another_accepts_it_with_one_word() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, cys) = (Agent::start(), Agent::start());
    let add = |agent: &Agent, name| agent.add(name, &["-t", "ed25519"]);
    let people = [person("ana", os_user(), &add(&anas, "ana"), OWNER), person("cy", "cy-elsewhere", &add(&cys, "cy"), OWNER)];
    let place = Place::with(&text(&pair, &pool, &people, 1));
    run(&place, &anas.socket(), &["hold", "checkout@prod"]).exits(0);
    place.configure(&text(&pair, &pool, &people, 0));
    let refused = run(&place, &anas.socket(), &["policy", "accept"]).exits(3);
    assert!(refused.err.contains("ana stands for these rules"), "{refused:?}");
    run(&place, &cys.socket(), &["policy", "accept"]).exits(0);
}

#[test]
fn a_name_that_was_given_to_another_key_is_nobodys_until_that_is_accepted() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, cys) = (Agent::start(), Agent::start());
    let add = |agent: &Agent, name| agent.add(name, &["-t", "ed25519"]);
    let (hers, his) = (add(&anas, "ana"), add(&cys, "cy"));
    let people = |ana: &str, cy: &str| [person("ana", "ana-elsewhere", ana, CAPTAIN), person("cy", "cy-elsewhere", cy, OWNER)];
    let place = Place::with(&text(&pair, &pool, &people(&hers, &his), 1));
    run(&place, &anas.socket(), &["note", "checkout@prod", "begun"]).exits(0);
    let waits = run(&place, &anas.socket(), &["shift", "checkout@prod", "20", "--yes", "--json"]).exits(4).json();
    let plan = waits["plan"].as_str().unwrap();

    // Ana lets her own key be cy's.
    let swapped = people("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvH0DkPwSfNWnR3bTqkdzPfo9CxQ4oFPVDTmFXIYaF", &hers);
    place.configure(&text(&pair, &pool, &swapped, 1));
    let who = run(&place, &anas.socket(), &["whoami", "--json"]).exits(0).json();
    assert_eq!(who["name"], "cy");
    let refused = run(&place, &anas.socket(), &["approve", "checkout@prod", "--plan", plan]).exits(5);
    assert!(refused.err.contains("the rules or roles changed since it was planned"), "{refused:?}");
    assert!(refused.err.contains("the rules changed who cy is"), "{refused:?}");
    let denied = run(&place, &anas.socket(), &["shift", "checkout@prod", "20", "--yes", "--json"]).exits(3).json();
    assert!(rules_of(&denied).contains(&"identity"), "{denied}");
    let refused = run(&place, &anas.socket(), &["policy", "accept"]).exits(3);
    assert!(refused.err.contains("the rules changed who cy is"), "{refused:?}");
    assert_eq!(pair.weight(&pool), 0);
}
