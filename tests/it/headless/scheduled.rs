//! Scheduled changes from the command line: planned for a time, refused before it, carried out in it, listed over restarts, with conflicts.

use gonogo::adapters::clock::SystemClock;
use gonogo::ports::clock::Clock as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::place::{Pair, Place, Room, people, texts};
use super::shape;
use crate::servers::support::wait_for;

fn now() -> DateTime<Utc> {
    SystemClock.now().wall
}

fn in_(span: TimeDelta) -> (DateTime<Utc>, String) {
    let at = now() + span;
    let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap();
    (at, at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

fn queue(place: &Place) -> Vec<Value> {
    place.json(0, &["show", "changes"])["queue"].as_array().unwrap().clone()
}

#[test]
fn a_scheduled_shift_is_listed_refused_before_its_time_and_carried_out_in_it() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let (begin, text) = in_(TimeDelta::seconds(12));
    let said = place.run(&["shift", "checkout@prod", "20", "--at", &text, "--json"]).exits(0);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["verdict"]), (&"scheduled".into(), &"scheduled".into()));
    assert_eq!(texts(&deed["reasons"], "rule"), ["too-early"]);
    let plan = deed["plan"].as_str().unwrap().to_owned();
    // Every verb is a process of its own: it is in the store.
    let listed = queue(&place);
    let end = (begin + TimeDelta::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert_eq!((&listed[0]["plan"], &listed[0]["state"]), (&plan.as_str().into(), &"approved".into()));
    assert_eq!(listed[0]["scheduled"], serde_json::json!({ "begin": text, "end": end, "train": null }));
    let early = place.json(3, &["execute", &plan]);
    assert_eq!((&early["state"], texts(&early["reasons"], "rule")), (&"denied".into(), vec!["too-early".to_owned()]));
    assert!(early["reasons"][0]["text"].as_str().unwrap().contains(&begin.format("%H:%M:%SZ").to_string()), "{early}");
    assert_eq!(pair.weight(&pool), 0);
    wait_for("its time to come", Duration::from_secs(30), || (now() > begin + TimeDelta::seconds(1)).then_some(()));
    place.run(&["execute", &plan]).exits(0);
    assert!(pair.weight(&pool) > 0);
    let told = place.json(0, &["show", "changes"]);
    assert!(told["queue"].as_array().unwrap().is_empty(), "{told}");
    assert_eq!(told["ended"][0]["plan"].as_str(), Some(plan.as_str()));
    let state = told["ended"][0]["state"].as_str().unwrap();
    assert!(["implementing", "closed"].contains(&state), "{told}");
    let kinds: Vec<String> = place.kinds().into_iter().filter(|kind| kind != "signers").collect();
    assert_eq!(kinds.get(..3).unwrap_or_default(), ["denied", "intent", "sending"], "{kinds:?}");
}

#[test]
fn what_cannot_be_scheduled_is_a_usage_error_and_a_frozen_time_is_refused_with_the_next_free_one() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let day = |days: i64| (now() + TimeDelta::days(days)).format("%Y-%m-%dT00:00Z").to_string();
    let frozen = format!("[[freeze]]\nname = \"sale\"\nreason = \"nobody is here\"\nbegin = \"{}\"\nend = \"{}\"\n", day(2), day(4));
    let place = Room { more: frozen, ..pair.room(&pool) }.place();
    let tomorrow = in_(TimeDelta::days(1)).1;
    for wrong in [
        &["hold", "checkout@prod", "--at", &tomorrow][..],
        &["abort", "checkout@prod", "--at", &tomorrow],
        &["shift", "checkout@prod", "0", "--at", &tomorrow],
        &["shift", "checkout@prod", "20", "--at", "2020-01-01T00:00Z"],
        &["shift", "checkout@prod", "20", "--at", "tomorrow"],
        &["shift", "checkout@prod", "20", "--train", "express"],
        &["shift", "checkout@prod", "20", "--at", &tomorrow, "--train", "express"],
        &["break-glass", "shift", "checkout@prod", "20", "--at", &tomorrow, "--reason", "it burns brightly"],
    ] {
        place.run(wrong).exits(2);
    }
    let denied = place.json(3, &["shift", "checkout@prod", "20", "--at", &day(3)]);
    assert_eq!(texts(&denied["reasons"], "rule"), ["freeze"]);
    let reason = &denied["reasons"][0];
    assert!(reason["text"].as_str().unwrap().contains("frozen by sale"), "{reason}");
    assert!(reason["fix"].as_str().unwrap().contains(&format!("the next free time: {} 00:00Z", &day(4)[..10])), "{reason}");
    assert!(queue(&place).is_empty());
    // `plan` stores it too, and lists what may go at its time alone.
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20", "--at", &day(3)]);
    assert_eq!((&plan["verdict"], queue(&place).len()), (&"deny".into(), 0));
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20", "--at", &tomorrow]);
    assert_eq!((&plan["verdict"], &plan["order"]["begins"]), (&"scheduled".into(), &tomorrow.as_str().into()));
    assert_eq!(queue(&place)[0]["plan"], plan["plan"]);
    // To look ahead schedules nothing.
    assert_eq!(place.json(3, &["explain", "shift", "checkout@prod", "20", "--at", &day(3)])["reasons"][0]["rule"], "freeze");
    assert_eq!(queue(&place).len(), 1);
    assert_eq!(pair.weight(&pool), 0);
    place.run(&["withdraw", plan["plan"].as_str().unwrap()]).exits(0);
    let told = place.json(0, &["show", "changes"]);
    assert_eq!((&told["queue"], &told["ended"][0]["state"]), (&serde_json::json!([]), &"withdrawn".into()));
}

#[test]
fn two_teams_at_one_time_are_told_of_each_other_or_the_later_one_is_refused() {
    let pair = Pair::shared();
    let pools = [Pair::pool(), Pair::pool()];
    let cart = format!(
        "[[service]]\nname = \"cart\"\nteam = \"shop\"\ndepends_on = [\"auth\"]\n[service.deploy.prod]\nstrategy = \"canary\"\n\
         traffic = [{{ backend = \"edge\", pool = \"{}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n[[service]]\nname = \"auth\"\n",
        pools[1]
    );
    let with = |environment: &str| {
        let text = Room { more: cart.clone(), environment: environment.to_owned(), ..pair.room(&pools[0]) }.text();
        text.replace("team = \"payments\"\n", "team = \"payments\"\ndepends_on = [\"auth\"]\n")
    };
    let place = Place::with(&with("hold_time = \"1s\""));
    let begin = in_(TimeDelta::hours(20)).1;
    let half = in_(TimeDelta::minutes(20 * 60 + 30)).1;
    let one = place.json(0, &["shift", "checkout@prod", "20", "--at", &begin])["plan"].clone();
    let said = place.run(&["shift", "cart@prod", "20", "--at", &half, "--dry-run"]).exits(0);
    assert!(said.out.contains("in the way from") && said.out.contains("both depend on auth"), "{said:?}");
    let other = place.json(0, &["shift", "cart@prod", "20", "--at", &half])["plan"].clone();
    let listed = queue(&place);
    for (plan, with, target) in [(&one, &other, "cart@prod"), (&other, &one, "checkout@prod")] {
        let of = listed.iter().find(|item| &item["plan"] == plan).unwrap();
        let conflict = &of["conflicts"][0];
        shape::keys(conflict, "with plan text");
        assert_eq!((&conflict["with"], &conflict["plan"]), (&target.into(), with), "{of}");
        for plan in [&one, &other] {
            assert!(conflict["text"].as_str().unwrap().contains(&plan.as_str().unwrap()[..8]), "{conflict}");
        }
    }
    let shown = place.run(&["show", "changes"]).exits(0);
    assert!(shown.out.contains("scheduled") || shown.out.contains("approved"), "{shown:?}");
    // Where they are refused, the one that is booked later is.
    let strict = Place::with(&with("hold_time = \"1s\"\nconflicts = \"refuse\""));
    strict.run(&["shift", "checkout@prod", "20", "--at", &begin]).exits(0);
    let refused = strict.json(3, &["shift", "cart@prod", "20", "--at", &half]);
    assert_eq!(texts(&refused["reasons"], "rule"), ["conflict"]);
    strict.run(&["shift", "cart@prod", "20", "--at", &in_(TimeDelta::hours(22)).1]).exits(0);
    assert_eq!(pools.map(|pool| pair.weight(&pool)), [0, 0]);
}

#[test]
fn a_train_takes_along_who_is_agreed_to_and_says_why_another_stays() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (from, to) = (now() + TimeDelta::hours(2), now() + TimeDelta::hours(3));
    let form = "%Y-%m-%dT%H:%MZ";
    let more = format!(
        "[[window]]\nname = \"evening\"\nbegin = \"{}\"\nend = \"{}\"\n\
         [[train]]\nname = \"express\"\nenvironment = \"prod\"\nservices = [\"checkout\"]\nwindow = \"evening\"\ncut_off = \"30m\"\n",
        from.format(form),
        to.format(form)
    );
    let environment = "hold_time = \"1s\"\nprotection = { approvals = 1 }".to_owned();
    let place = Room { people: people(&["captain"]), environment, more, ..pair.room(&pool) }.place();
    let train = |place: &Place| place.json(0, &["show", "changes"])["trains"][0].clone();
    let empty = train(&place);
    shape::keys(&empty, "name environment departs cut_off shuts departed aboard missed");
    assert!(empty["missed"][0]["reasons"][0]["text"].as_str().unwrap().contains("brings no candidate"), "{empty}");
    let deed = place.json(4, &["shift", "checkout@prod", "20", "--train", "express"]);
    let listed = queue(&place);
    assert_eq!((&listed[0]["state"], &listed[0]["scheduled"]["train"]), (&"scheduled".into(), &"express".into()));
    assert_eq!(listed[0]["scheduled"]["begin"], empty["departs"]);
    let waits = train(&place);
    assert_eq!((&waits["missed"][0]["plan"], &waits["aboard"]), (&deed["plan"], &serde_json::json!([])));
    assert_eq!(waits["missed"][0]["reasons"][0]["rule"], "approvals");
    assert_eq!(pair.weight(&pool), 0);
}
