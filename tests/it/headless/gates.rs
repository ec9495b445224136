//! Types of change and gates on the real router: what is standard goes alone, what is normal waits, what is required stops.

use super::place::{Pair, Place, Room, people};

fn place(pair: &Pair, pool: &str, gates: &str) -> Place {
    let environment = format!(
        "hold_time = \"1s\"\nprotection = {{ approvals = 1, approver_roles = [\"captain\"], actor_roles = [\"captain\"] }}\n{gates}"
    );
    Room { people: people(&["captain"]), environment, ..pair.room(pool) }.place()
}

#[test]
fn a_small_change_whose_way_back_was_seen_to_work_is_standard_and_needs_nobody() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let model = "standard = { verbs = [\"shift\"], max_percent = 20, way_back_proven_within = \"1d\" }";
    let place = place(&pair, &pool, model);
    let told = place.json(0, &["plan", "shift", "checkout@prod", "20"]);
    assert_eq!((&told["order"]["change_type"], &told["verdict"]), (&"normal".into(), &"second-person".into()));
    // The way back goes alone, and having been seen to work it is proven.
    let back = place.json(0, &["plan", "shift", "checkout@prod", "0"]);
    assert_eq!(back["order"]["change_type"], "standard");
    place.run(&["shift", "checkout@prod", "0"]).exits(0);
    let told = place.json(0, &["plan", "shift", "checkout@prod", "20"]);
    assert_eq!((&told["order"]["change_type"], &told["verdict"]), (&"standard".into(), &"permit".into()));
    assert_eq!(place.json(0, &["plan", "shift", "checkout@prod", "21"])["order"]["change_type"], "normal");
    // By hand it may be made stricter, never laxer.
    place.run(&["shift", "checkout@prod", "20", "--change", "normal"]).exits(4);
    let lax = place.json(3, &["shift", "checkout@prod", "50", "--change", "standard"]);
    assert_eq!(lax["reasons"][0]["rule"], "change-type");
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
    assert!(pair.weight(&pool) > 0);
    place.run(&["shift", "checkout@prod", "50"]).exits(4);
}

#[test]
fn a_required_check_without_a_source_is_never_passed_and_never_stops_the_way_back() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let gates = "check = { freshness = \"require\", provenance = \"require\", scan = \"warn\", pipeline = \"require\" }\nstandard = { verbs = [\"shift\"] }";
    let place = place(&pair, &pool, gates);
    let deed = place.json(3, &["shift", "checkout@prod", "20"]);
    let rules = super::place::texts(&deed["reasons"], "rule");
    assert_eq!(rules, ["check-pipeline", "check-provenance"]);
    assert!(deed["reasons"][1]["text"].as_str().unwrap().contains("no source is configured"), "{deed}");
    let told = place.json(3, &["explain", "shift", "checkout@prod", "20"]);
    assert_eq!(told["verdict"], "deny");
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"]);
    let evidence = super::place::texts(&plan["evidence"], "text");
    assert!(evidence[0].starts_with("freshness (holds)"), "{evidence:?}");
    assert!(evidence.iter().any(|text| text.starts_with("scan (no source)")), "{evidence:?}");
    assert_eq!(pair.weight(&pool), 0);
    place.run(&["shift", "checkout@prod", "0"]).exits(0);
    place.run(&["hold", "checkout@prod"]).exits(0);
}
