//! Denied by policy (3) and waiting for another person (4): every reason, what would change it, and a plan that stays.

use chrono::TimeDelta;
use gonogo::adapters::clock::SystemClock;
use gonogo::model::time::rfc3339;
use gonogo::ports::clock::Clock as _;

use super::place::{Pair, Room, people};
use super::shape;

fn protected(pair: &Pair, pool: &str, roles: &[&str], protection: &str) -> Room {
    let environment = format!("hold_time = \"1s\"\nprotection = {{ {protection} }}");
    Room { people: people(roles), environment, ..pair.room(pool) }
}

#[test]
fn a_forward_deed_that_needs_approval_waits_and_yes_does_not_stand_for_it() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let rules = "approvals = 1, approver_roles = [\"captain\"], actor_roles = [\"captain\"], typed_confirmation = true";
    let place = protected(&pair, &pool, &["captain"], rules).place();
    let said = place.run(&["shift", "checkout@prod", "20", "--yes", "--json"]).exits(4);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["verdict"], &deed["requester"]), (&"waiting".into(), &"second-person".into(), &"ana".into()));
    assert!(deed["reasons"][0]["fix"].as_str().unwrap().contains("cy"), "{deed}");
    assert_eq!(deed["facts"].as_object().unwrap().values().filter(|at| !at.is_null()).count(), 0);
    let plan = deed["plan"].as_str().unwrap();
    assert!(said.err.contains(plan), "{said:?}");
    let status = place.json(0, &["status"]);
    shape::status(&status);
    let waiting = &status["waiting"][0];
    assert_eq!((&waiting["id"], &waiting["plan"]), (&deed["plan"], &deed["plan"]));
    assert_eq!(
        (&waiting["kind"], &waiting["target"], &waiting["verb"], &waiting["requester"]),
        (&"plan".into(), &"checkout@prod".into(), &"shift".into(), &"ana".into())
    );
    assert_eq!((&waiting["needs"], &waiting["given"]), (&1.into(), &0.into()));
    assert_eq!(status["services"][0]["environments"][0]["state"], "waiting");
    assert_eq!((pair.weight(&pool), place.kinds()), (0, vec!["signers".to_owned()]));
    // Asked again by its ID it waits still; a dry run and explain say the same.
    place.run(&["shift", "checkout@prod", "20", "--if-plan", &plan[..8], "--yes"]).exits(4);
    place.run(&["shift", "checkout@prod", "20", "--dry-run"]).exits(4);
    let told = place.json(4, &["explain", "shift", "checkout@prod", "20"]);
    assert_eq!((&told["verdict"], &told["may_approve"]), (&"second-person".into(), &serde_json::json!(["cy"])));
    let drawn = place.json(0, &["plan", "shift", "checkout@prod", "20"]);
    shape::plan(&drawn);
    assert_eq!(drawn["verdict"], "second-person");
    // A plan that is only stored is a draft; the one that waits was assessed, and so would be what is explained.
    let again = place.json(4, &["shift", "checkout@prod", "20", "--if-plan", &plan[..8], "--dry-run"]);
    shape::plan(&again);
    assert_eq!((&drawn["state"], &again["state"], &told["state"]), (&"draft".into(), &"assessed".into(), &"assessed".into()));
    let tomorrow = rfc3339(&(SystemClock.now().wall + TimeDelta::days(1)));
    let booked = place.json(0, &["plan", "shift", "checkout@prod", "20", "--at", &tomorrow]);
    shape::plan(&booked);
    assert_eq!((&booked["state"], &booked["verdict"]), (&"scheduled".into(), &"second-person".into()));
    let queue = place.json(0, &["show", "changes"])["queue"].clone();
    let listed: Vec<&str> = queue.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(listed, ["assessed", "scheduled"], "{queue}");
    // The way back needs nobody.
    place.run(&["hold", "checkout@prod"]).exits(0);
    place.run(&["shift", "checkout@prod", "0"]).exits(0);
}

#[test]
fn a_role_that_is_missing_denies() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = protected(&pair, &pool, &["reader"], "actor_roles = [\"captain\", \"on-call\"]").place();
    for verb in
        [&["shift", "checkout@prod", "20"][..], &["hold", "checkout@prod"], &["note", "checkout@prod", "text"], &["abort", "checkout@prod"]]
    {
        let deed = place.json(3, verb);
        shape::deed(&deed);
        assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"role".into()));
        assert!(deed["reasons"][0]["fix"].as_str().unwrap().contains("captain or on-call"), "{deed}");
    }
    assert_eq!(pair.weight(&pool), 0);
    let told = place.json(3, &["explain", "shift", "checkout@prod", "20"]);
    shape::keys(&told, "schema verb target requester state verdict reasons needs given here may_approve");
    assert_eq!((&told["state"], &told["verdict"]), (&"draft".into(), &"deny".into()));
    let told = place.json(0, &["explain", "shift", "checkout@prod", "20", "--as", "cy"]);
    assert_eq!((&told["state"], &told["verdict"]), (&"approved".into(), &"permit".into()));
    assert!(place.run(&["explain", "shift", "checkout@prod", "20"]).exits(3).out.contains("NO GO"));
    assert!(place.run(&["explain", "shift", "checkout@prod", "20", "--as", "cy"]).exits(0).out.contains("GO"));
    // Nothing was done, each denial is on record, and asking left no trace.
    assert_eq!(place.kinds(), ["signers", "denied", "denied", "denied", "denied"]);
}

#[test]
fn a_system_user_whom_nobody_configured_may_only_look() {
    let pair = Pair::shared();
    let people = "[[person]]\nname = \"cy\"\nos_user = \"nobody-else\"\nroles = [{ role = \"captain\" }]\n".to_owned();
    let place = Room { people, ..pair.room(&Pair::pool()) }.place();
    assert_eq!(place.json(0, &["whoami"])["known"], "stranger");
    assert_eq!(place.json(3, &["hold", "checkout@prod"])["reasons"][0]["rule"], "role");
    place.run(&["status"]).exits(0);
}

#[test]
fn every_reason_is_told_at_once() {
    let pair = Pair::shared();
    let place = protected(&pair, &Pair::pool(), &["reader"], "actor_roles = [\"captain\"]").place();
    let deed = place.json(3, &["shift", "checkout@prod", "20", "--read-only"]);
    let rules = super::place::texts(&deed["reasons"], "rule");
    assert_eq!(rules, ["read-only", "role"]);
}

#[test]
fn a_requester_neither_approves_nor_rejects_and_may_withdraw() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = protected(&pair, &pool, &["captain"], "approvals = 1, approver_roles = [\"captain\"]").place();
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]).exits(4);
    let plan = said.json()["plan"].as_str().unwrap().to_owned();
    assert!(said.err.contains(&format!("gonogo approve checkout@prod --plan {}", &plan[..8])), "{said:?}");
    for (decision, digits) in [("approve", Some(&plan[..8])), ("reject", None)] {
        let mut words = vec![decision, "checkout@prod"];
        words.extend(digits.into_iter().flat_map(|digits| ["--plan", digits]));
        let told = place.json(3, &words);
        shape::keys(&told, "schema plan verb target requester decision person recorded needs given expires reasons");
        assert_eq!(
            (&told["decision"], &told["person"], &told["reasons"][0]["rule"]),
            (&decision.into(), &"ana".into(), &"own-plan".into())
        );
        assert_eq!((&told["plan"], &told["needs"], &told["given"]), (&plan.as_str().into(), &1.into(), &0.into()));
        assert!(told["recorded"].is_null());
    }
    place.run(&["execute", &plan[..8]]).exits(4);
    place.run(&["execute", &plan[..8], "--dry-run"]).exits(4);
    place.run(&["approve", "checkout@prod", "--plan", "ffffffff"]).exits(5);
    let told = place.json(0, &["withdraw", &plan[..12], "--reason", "not today"]);
    assert!(told["recorded"].is_string(), "{told}");
    for verb in [&["execute", &plan][..], &["withdraw", &plan], &["shift", "checkout@prod", "20", "--if-plan", &plan]] {
        assert!(place.run(verb).exits(5).err.contains("withdrawn by ana"), "{verb:?}");
    }
    place.run(&["approve", "checkout@prod"]).exits(10);
    // Two rulings on her own plan, its execution before anybody agreed, and two of it after it was taken back.
    assert_eq!(place.kinds(), ["signers", "denied", "denied", "denied", "withdrawal", "denied", "denied"]);
    assert_eq!(pair.weight(&pool), 0);
}
