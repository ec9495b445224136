//! `demo --headless`: the same seed and orders give the same recording, byte for byte.

use super::place::{Place, texts};
use super::shape;

const ORDERS: &str = concat!(
    "{\"at_s\":10,\"verb\":\"hold\",\"target\":\"checkout@prod\",\"reason\":\"errors rise\"}\n",
    "\n",
    "{\"at_s\":20,\"verb\":\"shift\",\"target\":\"checkout@prod\",\"args\":{\"percent\":0},\"by\":\"ana\",\"reason\":\"back to the old one\"}\n",
    "{\"at_s\":40,\"verb\":\"note\",\"target\":\"checkout@prod\",\"args\":{\"text\":\"looking into it\"}}\n",
);

fn play(place: &Place, seed: &str, until: &str, record: &str) -> (Vec<u8>, String) {
    let orders = place.write("orders.jsonl", ORDERS);
    let file = place.path(record);
    let args = [
        "demo",
        "bad-canary",
        "--seed",
        seed,
        "--headless",
        "--until",
        until,
        "--orders",
        orders.to_str().unwrap(),
        "--record",
        file.to_str().unwrap(),
    ];
    let said = place.run(&args).exits(0);
    (std::fs::read(file).unwrap(), said.out)
}

#[test]
fn the_same_seed_and_orders_give_the_same_recording_and_another_seed_another() {
    let (one, out) = play(&Place::bare(), "1", "50s", "one.jsonl");
    let (two, again) = play(&Place::bare(), "1", "50s", "two.jsonl");
    assert!(one == two && out == again, "the same seed and orders told two stories");
    let (other, _) = play(&Place::bare(), "2", "10s", "three.jsonl");
    assert!(other.len() > 1000 && !one.starts_with(&other), "another seed told the same story");
    assert!(one.starts_with(&play(&Place::bare(), "1", "5s", "four.jsonl").0), "a shorter run is the beginning of a longer one");
    let text = String::from_utf8(one).unwrap();
    assert!(text.len() < 3_000_000, "equal readings fold: {} bytes", text.len());
    assert!(text.lines().count() > 50, "{} lines", text.lines().count());
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["schema"], 1);
        shape::time(&event["at"]);
        assert!(event["event"].is_string(), "{line}");
    }
    assert!(text.contains("back to the old one") && text.contains("looking into it"), "reasons and texts are in the recording");
    let deeds: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    deeds.iter().for_each(shape::deed);
    let deeds = serde_json::Value::from(deeds);
    assert_eq!(texts(&deeds, "verb"), ["hold", "shift", "note"]);
    assert!(deeds.as_array().unwrap().iter().all(|deed| deed["simulated"] == true));
    assert_eq!(deeds[1]["requester"], "ana");
    assert!(["effective", "held"].contains(&deeds[1]["state"].as_str().unwrap()), "{deeds}");
}

#[test]
fn a_bad_line_of_orders_is_exit_2_with_file_and_line() {
    let place = Place::bare();
    let good = "{\"at_s\":1,\"verb\":\"hold\",\"target\":\"checkout@prod\"}\n";
    for bad in [
        "nonsense",
        "{\"at_s\":1}",
        "{\"at_s\":-1,\"verb\":\"hold\",\"target\":\"checkout@prod\"}",
        "{\"at_s\":1,\"verb\":\"teleport\",\"target\":\"checkout@prod\"}",
        "{\"at_s\":1,\"verb\":\"hold\",\"target\":\"checkout\"}",
        "{\"at_s\":1,\"verb\":\"hold\",\"target\":\"checkout@prod\",\"colour\":\"red\"}",
        "{\"at_s\":1,\"verb\":\"shift\",\"target\":\"checkout@prod\",\"args\":{\"percent\":101}}",
        "{\"at_s\":1,\"verb\":\"shift\",\"target\":\"checkout@prod\"}",
        "{\"at_s\":1,\"verb\":\"hold\",\"target\":\"checkout@prod\",\"by\":\"Not A Name\"}",
        "{\"at_s\":1,\"verb\":\"hold\",\"target\":\"nothing@prod\"}",
        "{\"at_s\":1,\"verb\":\"hold\",\"target\":\"checkout@prod\",\"by\":\"nobody\"}",
    ] {
        place.write("orders.jsonl", &format!("{good}{bad}\n"));
        let said = place.run(&["demo", "calm", "--headless", "--until", "5s", "--orders", "orders.jsonl"]).exits(2);
        assert!(said.err.contains("orders.jsonl:2: "), "{bad}: {said:?}");
    }
    let said = place.run(&["demo", "calm", "--headless", "--until", "5s", "--orders", "no/such.jsonl"]).exits(2);
    assert!(said.err.contains("no/such.jsonl"), "{said:?}");
}

#[test]
fn a_story_leaves_nothing_in_the_users_store() {
    let place = Place::bare();
    play(&place, "1", "5s", "one.jsonl");
    assert!(!place.store().exists(), "the demo wrote into the user's store");
}

/// Scheduled in the story's own time: refused before its booking, carried out in it, and the same again.
#[test]
fn a_scheduled_change_of_a_story_waits_for_its_time_and_is_told_alike_twice() {
    let place = Place::bare();
    let start = "\"verb\":\"start\",\"target\":\"checkout@prod\"";
    let orders = [
        format!("{{\"at_s\":10,{start},\"args\":{{\"begins_s\":30}}}}"),
        format!("{{\"at_s\":20,{start},\"execute\":true}}"),
        format!("{{\"at_s\":31,{start},\"execute\":true}}"),
    ];
    place.write("orders.jsonl", &orders.join("\n"));
    let play = |record: &str| {
        let args = ["demo", "bad-canary", "--headless", "--until", "60s", "--orders", "orders.jsonl", "--record", record];
        let said = place.run(&args).exits(0);
        (std::fs::read_to_string(place.path(record)).unwrap(), said.out)
    };
    let (one, out) = play("one.jsonl");
    assert!(play("two.jsonl") == (one.clone(), out.clone()), "the same seed and orders told two stories");
    let deed: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert!(["effective", "held"].contains(&deed["state"].as_str().unwrap()), "{deed}");
    let places =
        ["start SCHEDULED", "start DENIED", "start EFFECTIVE"].map(|words| one.find(words).unwrap_or_else(|| panic!("no {words}: {out}")));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_variables_say_holds_for_a_simulated_room_too_and_flags_go_before_it() {
    let place = Place::bare();
    let drawn = |set: &[(&str, &str)], args: &[&str]| {
        let mut command =
            place.command(env!("CARGO_BIN_EXE_gonogo"), &[&["render", "board", "--size", "120x40", "--format", "ansi"], args].concat());
        command.envs(set.iter().copied());
        Place::started(&mut command).end().exits(0).out
    };
    let plain = drawn(&[], &[]);
    let light = drawn(&[("GONOGO_THEME", "light")], &[]);
    assert!(light != plain && light == drawn(&[], &["--theme", "light"]));
    assert_eq!(drawn(&[("GONOGO_THEME", "ascii")], &["--theme", "light"]), light);
    assert!(drawn(&[("GONOGO_READ_ONLY", "1")], &[]).contains("READ ONLY"));
    assert_eq!(drawn(&[("GONOGO_READ_ONLY", "no")], &[]), plain);
}
