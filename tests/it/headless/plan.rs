//! Plans: what is hashed, how long they stand, whom they are for.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::place::Pair;
use super::shape;

/// RFC 8785 for what an Order may hold: objects by key, whole numbers, short escapes.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<_> = object.iter().collect();
            keys.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let members: Vec<_> = keys.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Number(number) => {
            assert!(number.is_i64() || number.is_u64(), "{number}: integers only");
            number.to_string()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

#[test]
fn a_plan_is_the_hash_of_its_order_and_any_prefix_of_eight_names_it() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"]);
    shape::plan(&plan);
    let order = &plan["order"];
    shape::keys(order, "change_type effects ends expires format installation nonce percent requester rules targets text verb");
    let hash: String = Sha256::digest(canonical(order)).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!(plan["plan"], hash);
    shape::time(&order["expires"]);
    assert_eq!((&order["verb"], &order["percent"]), (&"shift".into(), &20.into()));
    assert_eq!(order["effects"][0]["weights"]["v2"], 20);
    assert!(
        plan["commands"].as_array().unwrap().iter().any(|call| call.as_str().unwrap().contains(&format!("set server {pool}/v2 weight 20")))
    );
    assert!(plan["preconditions"].as_array().unwrap().iter().all(|one| one["holds"] == true));
    // Nothing was done, and it is stored.
    assert_eq!((place.kinds(), pair.weight(&pool)), (vec!["signers".to_owned()], 0));
    let said = place.run(&["plan", "shift", "checkout@prod", "20"]).exits(0);
    assert!(said.out.contains("PLAN ") && said.out.contains("\n  plan   "), "{said:?}");
    for prefix in [&hash[..7], "", "nonsense", &"0".repeat(64), &"f".repeat(8)] {
        let said = place.run(&["shift", "checkout@prod", "20", "--if-plan", prefix]);
        assert!([2, 5].contains(&said.code.unwrap()), "{prefix}: {said:?}");
    }
    let deed = place.json(0, &["shift", "checkout@prod", "20", "--if-plan", &hash[..8]]);
    assert_eq!((&deed["plan"], &deed["deed"], &deed["state"]), (&hash.clone().into(), &hash.clone().into(), &"effective".into()));
    assert_eq!(pair.weight(&pool), 20);
    // It is spent now.
    let said = place.run(&["shift", "checkout@prod", "20", "--if-plan", &hash]).exits(5);
    assert!(!said.err.is_empty(), "{said:?}");
}

#[test]
fn a_stored_plan_of_another_verb_target_or_share_is_usage() {
    let pair = Pair::shared();
    let mut room = pair.room(&Pair::pool());
    room.more = "[[service]]\nname = \"mail\"\n[service.deploy.prod]\nstrategy = \"canary\"\n".to_owned();
    let place = room.place();
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"])["plan"].as_str().unwrap().to_owned();
    for args in [
        &["shift", "checkout@prod", "30"][..],
        &["hold", "checkout@prod"],
        &["promote", "checkout@prod"],
        &["note", "checkout@prod", "text"],
        &["shift", "mail@prod", "20"],
    ] {
        let args: Vec<_> = args.iter().copied().chain(["--if-plan", plan.as_str()]).collect();
        let said = place.run(&args).exits(2);
        assert!(said.err.contains("plan"), "{said:?}");
    }
    let note = place.json(0, &["plan", "note", "checkout@prod", "one", "text"])["plan"].as_str().unwrap().to_owned();
    place.run(&["note", "checkout@prod", "another text", "--if-plan", &note]).exits(2);
    place.run(&["note", "checkout@prod", "one text", "--if-plan", &note]).exits(0);
}

#[test]
fn a_plan_of_changed_rules_or_people_is_no_plan_any_more() {
    let pair = Pair::shared();
    let room = pair.room(&Pair::pool());
    let place = room.place();
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"])["plan"].as_str().unwrap().to_owned();
    let environment = "hold_time = \"1s\"\nprotection = { way_back_approvals = 1 }".to_owned();
    place.configure(&super::place::Room { environment, ..room }.text());
    let deed = place.json(5, &["shift", "checkout@prod", "20", "--if-plan", &plan]);
    assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"rules".into()));
}
