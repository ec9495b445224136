//! The deeds on a real router: what is printed, how far is waited, what the ledger then says.

use serde_json::Value;

use super::place::{Load, Pair, Room, people, texts};
use super::shape;

#[test]
fn a_shift_is_effective_and_its_json_has_every_key() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let load = Load::on(&pair, &pool);
    let deed = place.json(0, &["shift", "checkout@prod", "20", "--reason", "a first share"]);
    drop(load);
    shape::deed(&deed);
    assert_eq!(
        (&deed["verb"], &deed["target"], &deed["state"], &deed["verdict"], &deed["simulated"]),
        (&"shift".into(), &"checkout@prod".into(), &"effective".into(), &"permit".into(), &false.into())
    );
    for fact in ["intended", "sent", "accepted", "effective"] {
        shape::time(&deed["facts"][fact]);
    }
    assert!(deed["facts"]["held"].is_null());
    shape::time(&deed["held_due"]);
    assert_eq!(deed["steps"][0]["backend"], "edge");
    assert!(pair.weight(&pool) > 0);
    assert_eq!(place.kinds(), ["signers", "intent", "sending", "accepted", "effective"]);
    let status = place.json(0, &["status"]);
    let rollout = &status["rollouts"][0];
    assert_eq!(
        (&rollout["service"], &rollout["environment"], &rollout["weight_wished"]),
        (&"checkout".into(), &"prod".into(), &20.0.into())
    );
    assert_eq!((&rollout["from"], &rollout["to"]), (&"2.4.1".into(), &"2.5.0".into()));
}

#[test]
fn words_go_to_standard_output_without_json_and_to_standard_error_with_it() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let said = place.run(&["shift", "checkout@prod", "5"]).exits(0);
    assert!(said.out.contains("shift checkout@prod: EFFECTIVE") && said.err.is_empty(), "{said:?}");
    let said = place.run(&["shift", "checkout@prod", "0", "--json"]).exits(0);
    shape::deed(&said.json());
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
    assert!(said.err.contains("EFFECTIVE"), "{said:?}");
}

#[test]
fn each_degree_of_waiting_ends_where_it_says() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let deed = place.json(0, &["shift", "checkout@prod", "5", "--wait", "accepted"]);
    assert!(["accepted", "effective"].contains(&deed["state"].as_str().unwrap()), "{deed}");
    // A later process settles what the first one left at accepted.
    let place = pair.room(&Pair::pool()).place();
    let deed = place.json(0, &["shift", "checkout@prod", "5", "--wait", "held"]);
    assert_eq!(deed["state"], "held");
    shape::time(&deed["facts"]["held"]);
    assert_eq!(place.kinds().last().unwrap(), "held");
    // What has nothing to hold is done at once.
    let deed = place.json(0, &["note", "checkout@prod", "text", "--wait", "held"]);
    assert_eq!(deed["state"], "effective");
    assert!(deed["held_due"].is_null());
}

#[test]
fn what_slips_back_while_watched_is_exit_1() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = Room { environment: "hold_time = \"30s\"".to_owned(), ..pair.room(&pool) }.place();
    let running = place.start(&["shift", "checkout@prod", "20", "--wait", "held", "--json"]);
    crate::servers::support::wait_for("it to be effective", std::time::Duration::from_secs(30), || {
        (place.newest()? == "effective").then_some(())
    });
    pair.haproxy.ask(&format!("set server {pool}/v2 weight 0"));
    let deed = running.end().exits(1).json();
    assert_eq!(deed["state"], "slipped");
    assert_eq!(place.kinds().last().unwrap(), "slipped");
}

#[test]
fn a_rollout_goes_step_by_step_to_its_end() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    for share in [5.0, 20.0, 50.0, 100.0] {
        let deed = place.json(0, &["promote", "checkout@prod"]);
        assert_eq!(deed["state"], "effective", "{deed}");
        assert_eq!(place.json(0, &["status"])["rollouts"][0]["weight_wished"], share);
    }
    assert_eq!(pair.haproxy.ask(&format!("get weight {pool}/v1")).split_whitespace().next(), Some("0"));
    place.json(0, &["promote", "checkout@prod"]);
    let status = place.json(0, &["status"]);
    assert_eq!(status["rollouts"], Value::Array(Vec::new()), "the last promote ends the rollout: {status}");
    assert_eq!(status["services"][0]["environments"][0]["version"], "2.5.0", "its slot is the stable one now");
}

#[test]
fn abort_and_rollback_take_the_new_version_to_nothing() {
    let pair = Pair::shared();
    for verb in ["abort", "rollback"] {
        let pool = Pair::pool();
        let place = pair.room(&pool).place();
        place.run(&["shift", "checkout@prod", "50"]).exits(0);
        let deed = place.json(0, &[verb, "checkout@prod"]);
        assert_eq!((&deed["verb"], &deed["state"]), (&verb.into(), &"effective".into()));
        assert_eq!(pair.weight(&pool), 0);
        assert_eq!(place.json(0, &["status"])["rollouts"], Value::Array(Vec::new()), "{verb} ends the rollout");
    }
}

#[test]
fn a_hold_forbids_forward_moves_alone_until_it_is_resumed() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
    let deed = place.json(0, &["hold", "checkout@prod", "--reason", "errors rise"]);
    shape::deed(&deed);
    assert_eq!(deed["state"], "effective");
    let status = place.json(0, &["status"]);
    assert_eq!((&status["services"][0]["environments"][0]["state"], &status["rollouts"][0]["state"]), (&"held".into(), &"held".into()));
    let said = place.run(&["shift", "checkout@prod", "50", "--json"]).exits(3);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["verdict"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"deny".into(), &"hold".into()));
    assert!(deed["reasons"][0]["text"].as_str().unwrap().contains("errors rise"));
    assert_eq!(deed["reasons"][0]["fix"], "gonogo resume checkout@prod");
    assert!(said.err.contains("by hand") && said.err.contains(&format!("set server {pool}/v2 weight")), "{said:?}");
    assert!(place.kinds().contains(&"denied".to_owned()));
    place.run(&["promote", "checkout@prod"]).exits(3);
    place.run(&["shift", "checkout@prod", "10"]).exits(0);
    place.run(&["resume", "checkout@prod"]).exits(0);
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
    assert_ne!(place.json(0, &["status"])["rollouts"][0]["state"], "held");
}

#[test]
fn a_dry_run_does_nothing_and_records_nothing() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    place.run(&["note", "checkout@prod", "before"]).exits(0);
    let before = place.kinds();
    let plan = place.json(0, &["shift", "checkout@prod", "50", "--dry-run"]);
    shape::plan(&plan);
    assert_eq!(plan["verdict"], "permit");
    assert!(place.run(&["hold", "checkout@prod", "--dry-run"]).exits(0).out.contains("PLAN"));
    assert_eq!((place.kinds(), pair.weight(&pool)), (before, 0));
    // It is not stored either.
    place.run(&["shift", "checkout@prod", "50", "--if-plan", plan["plan"].as_str().unwrap()]).exits(5);
}

#[test]
fn reasons_and_notes_are_in_the_ledger_of_an_unverified_user_too() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    place.run(&["shift", "checkout@prod", "5", "--reason", "because \u{1b}[31mof it"]).exits(0);
    place.run(&["note", "checkout@prod", "two", "words"]).exits(0);
    let said = place.run(&["ledger", "list"]).exits(0);
    assert!(said.out.contains("two words"), "{said:?}");
    assert!(!said.out.contains('\u{1b}'), "{said:?}");
    let entries = place.json(0, &["ledger", "list"]);
    shape::entries(&entries);
    assert_eq!(
        texts(&entries["entries"], "kind"),
        ["signers", "policy", "intent", "sending", "accepted", "effective", "intent", "note", "effective"]
    );
    let intent = &entries["entries"][2];
    assert_eq!((&intent["verb"], &intent["target"]), (&"shift".into(), &"checkout@prod".into()));
    assert!(intent["requester"].as_str().unwrap().starts_with("os:"), "{intent}");
    assert!(intent["signer"].as_str().unwrap().starts_with("process:"), "{intent}");
    assert!(place.run(&["ledger", "list"]).out.contains("because"), "the reason is in the ledger");
}

#[test]
fn where_the_name_must_be_typed_yes_stands_for_it() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let environment = "hold_time = \"1s\"\nprotection = { typed_confirmation = true }".to_owned();
    let place = Room { environment, ..pair.room(&pool) }.place();
    let said = place.run(&["shift", "checkout@prod", "20"]).exits(2);
    assert!(said.err.contains("--yes") && pair.weight(&pool) == 0, "{said:?}");
    place.run(&["shift", "checkout@prod", "20", "--yes"]).exits(0);
    // Hold and the way back ask for nothing; resume is forward for the text.
    place.run(&["hold", "checkout@prod"]).exits(0);
    place.run(&["shift", "checkout@prod", "0"]).exits(0);
    place.run(&["resume", "checkout@prod"]).exits(2);
    place.run(&["resume", "checkout@prod", "--yes"]).exits(0);
}

#[test]
fn a_person_is_the_requester_and_every_verb_of_a_pipeline_says_why_it_cannot() {
    let pair = Pair::shared();
    let place = Room { people: people(&["captain"]), ..pair.room(&Pair::pool()) }.place();
    assert_eq!(place.json(0, &["note", "checkout@prod", "text"])["requester"], "ana");
    for verb in ["start", "retry", "cancel"] {
        let said = place.run(&[verb, "checkout@prod"]);
        assert!([2, 3].contains(&said.code.unwrap()) && !said.err.is_empty(), "{said:?}");
    }
    place.run(&["cancel", "checkout@prod", "--run", "ci/1"]);
}
