//! `gonogo silence` and `gonogo unsilence` at a real Alertmanager: who is called afterwards, what is told of it, and what is refused.
#![expect(clippy::disallowed_methods, reason = "alerts are sent with real times to a real Alertmanager")]

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use super::place::{Pair, Place, people};
use super::shape;
use crate::servers::alertmanager::Alertmanager;
use crate::servers::support::{exchange, get, wait_for};

/// A place over an Alertmanager of its own, at which two alerts of checkout fire.
fn firing(roles: &[&str], hold_time: &str) -> (Alertmanager, Place) {
    firing_behind(roles, hold_time, Alertmanager::url)
}

/// The same, where gonogo asks this address for it.
pub fn firing_behind(roles: &[&str], hold_time: &str, url: impl FnOnce(&Alertmanager) -> String) -> (Alertmanager, Place) {
    let alerts = Alertmanager::start();
    let (from, to) = (Utc::now() - TimeDelta::seconds(30), Utc::now() + TimeDelta::hours(1));
    let fires: Vec<Value> = [("Errors", "checkout"), ("Slow", "checkout"), ("Errors", "ledger")]
        .iter()
        .map(|(name, service)| {
            serde_json::json!({
                "labels": {"alertname": name, "service": service, "severity": "page"},
                "annotations": {"summary": "it fails"},
                "startsAt": from.to_rfc3339(),
                "endsAt": to.to_rfc3339(),
            })
        })
        .collect();
    alerts.post("/api/v2/alerts", &Value::from(fires).to_string());
    let mut room = Pair::shared().room(&Pair::pool());
    room.people = people(roles);
    room.environment = format!("hold_time = \"{hold_time}\"\neffective_within = \"20s\"\nprotection = {{ actor_roles = [\"captain\"] }}");
    room.more = format!(
        "[[backend]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurl = \"{}\"\nevery = \"200ms\"\nstale_after = \"20s\"\n",
        url(&alerts)
    );
    let text = room
        .text()
        .replace("team = \"payments\"", "team = \"payments\"\nalerts = { backend = \"alerts\", match = { service = \"$service\" } }");
    (alerts, Place::with(&text))
}

/// What the Alertmanager itself says of its alerts: name and service, and whether it is silenced.
pub fn silenced(alerts: &Alertmanager) -> Vec<(String, bool)> {
    let answer = get(alerts.port, "/api/v2/alerts").unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(&body[body.find('[').unwrap()..=body.rfind(']').unwrap()]).unwrap();
    let mut all: Vec<_> = body
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| {
            let label = |name: &str| alert["labels"][name].as_str().unwrap().to_owned();
            let quiet = !alert["status"]["silencedBy"].as_array().unwrap().is_empty();
            (format!("{}/{}", label("alertname"), label("service")), quiet)
        })
        .collect();
    all.sort();
    all
}

fn one(name: &str, quiet: bool) -> (String, bool) {
    (name.to_owned(), quiet)
}

#[test]
fn an_alert_is_silenced_for_its_target_alone_and_calls_again() {
    let (alerts, place) = firing(&["captain"], "1s");
    let wish = ["silence", "checkout@prod", "--alert", "Errors", "--for", "2h", "--reason", "the fix is under way"];
    let plan = place.json(0, &["plan", "silence", "checkout@prod", "Errors", "2h", "--reason", "the fix is under way"]);
    assert!(plan["commands"][0].as_str().unwrap().contains("silence add"), "{plan}");
    let deed = place.json(0, &[&wish[..], &["--yes", "--wait", "held"]].concat());
    shape::deed(&deed);
    assert_eq!(deed["state"], "held", "{deed}");
    assert_eq!(silenced(&alerts), [one("Errors/checkout", true), one("Errors/ledger", false), one("Slow/checkout", false)]);
    let listed = get(alerts.port, "/api/v2/silences").unwrap();
    assert!(listed.contains("the fix is under way [gonogo ") && listed.contains("\"createdBy\":\"ana\""), "{listed}");
    // It is not hidden: everybody sees that it fires, that it is silenced, by whom and why.
    let status = place.json(0, &["status"]);
    let seen: Vec<_> = status["alerts"].as_array().unwrap().iter().map(|alert| (&alert["name"], &alert["silenced"])).collect();
    assert!(seen.contains(&(&"Errors".into(), &true.into())) && seen.contains(&(&"Slow".into(), &false.into())), "{status}");
    let glass = place.run(&["render", "incident", "--target", "checkout@prod", "--size", "120x40"]).exits(0);
    assert!(glass.out.contains("SILENCED until ") && glass.out.contains("by ana (the fix is under way)"), "{}", glass.out);
    let board = place.run(&["render", "board", "--size", "120x40"]).exits(0);
    assert!(board.out.contains("1 shelved"), "{}", board.out);

    place.run(&["unsilence", "checkout@prod", "--alert", "Errors", "--yes"]).exits(0);
    assert_eq!(silenced(&alerts), [one("Errors/checkout", false), one("Errors/ledger", false), one("Slow/checkout", false)]);
    let again = place.json(3, &["unsilence", "checkout@prod", "--alert", "Errors", "--yes"]);
    assert_eq!(again["reasons"][0]["rule"], "not-silenced", "{again}");
    let intents = place.kinds().iter().filter(|kind| *kind == "intent").count();
    assert_eq!(intents, 2, "{:?}", place.kinds());
}

#[test]
fn a_silence_that_another_hand_ends_is_told() {
    let (alerts, place) = firing(&["captain"], "30s");
    let args = ["silence", "checkout@prod", "--alert", "Errors", "--for", "1h", "--reason", "known", "--yes", "--wait", "held", "--json"];
    let watched = place.start(&args);
    wait_for("it to be effective", Duration::from_secs(30), || (place.newest()? == "effective").then_some(()));
    let listed = get(alerts.port, "/api/v2/silences").unwrap();
    let id = listed.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let request = format!("DELETE /api/v2/silence/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    exchange(alerts.port, &request).unwrap();
    let said = watched.end().exits(1);
    assert_eq!(said.json()["state"], "slipped", "{said:?}");
    assert!(said.err.contains("the silence of Errors was ended by another hand"), "{said:?}");
}

#[test]
fn who_has_no_role_silences_nothing_and_what_is_no_silence_is_said() {
    let (alerts, place) = firing(&["reader"], "1s");
    let refused = place.json(3, &["silence", "checkout@prod", "--alert", "Errors", "--for", "2h", "--reason", "x", "--yes"]);
    assert_eq!(refused["reasons"][0]["rule"], "role", "{refused}");
    assert!(silenced(&alerts).iter().all(|(_, quiet)| !quiet));
    for (args, why) in [
        (["--alert", "Errors", "--for", "9h", "--reason", "x"], "a silence lasts from 1m to 8h"),
        (["--alert", "Errors", "--for", "2h", "--reason", ""], "a silence needs a reason"),
        (["--alert", "Eror", "--for", "2h", "--reason", "x"], "no alert `Eror` of checkout@prod; of it fires: Errors, Slow"),
        (["--alert", "Errors", "--for", "soon", "--reason", "x"], "`soon` is no time; expected 1m to 8h"),
    ] {
        let said = place.run(&[&["silence", "checkout@prod"][..], &args[..]].concat()).exits(2);
        assert!(said.err.contains(why), "{said:?}");
    }
}
