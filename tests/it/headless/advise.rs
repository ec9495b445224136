//! `rollout advise` by the command line: what is not known is said and makes it careful; nothing is ordered.

use super::place::Place;
use super::shape;

/// A service behind a router and a monitoring system that cannot be reached; `more` stands in its table.
fn place(more: &str) -> Place {
    Place::with(&format!(
        r#"
[[backend]]
name = "edge"
kind = "haproxy"
socket = "tcp://127.0.0.1:1"

[[backend]]
name = "prom"
kind = "prometheus"
url = "http://127.0.0.1:1"

[[environment]]
name = "prod"

[[service]]
name = "shop"
{more}
[service.deploy.prod]
strategy = "canary"
traffic = [{{ backend = "edge", pool = "shop", stable = ["v1"], canary = ["v2"] }}]
[[service.signal]]
name = "errors"
kind = "ratio"
backend = "prom"
bad = 'bad{{slot="$slot"}}'
total = 'all{{slot="$slot"}}'
limit = 0.01
"#
    ))
}

#[test]
fn what_cannot_be_reached_is_not_known_and_leaves_it_to_a_person() {
    let place = place("");
    let advice = place.json(0, &["rollout", "advise", "shop@prod", "--settle", "2s"]);
    shape::keys(&advice, "schema at target configured advised reasons unknown turns facts");
    shape::keys(&advice["advised"], "strategy first asks words");
    shape::keys(&advice["facts"], "requests_per_hour risk stateful measures objectives alerts way_back_proven_days ways_back_failed");
    assert_eq!((&advice["configured"], &advice["advised"]["strategy"]), (&"canary".into(), &"person".into()), "{advice}");
    assert_eq!(advice["reasons"][0], "what is usual of errors is not known now: a rollout would hold on it");
    assert_eq!((&advice["facts"]["requests_per_hour"], &advice["facts"]["stateful"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let said = place.run(&["rollout", "advise", "shop@prod", "--settle", "2s"]).exits(0).out;
    for words in [
        "shop@prod: not by itself: a person must watch",
        "not known: how many requests it has",
        "not known: whether it keeps state",
        "not known: whether going back works: it was never seen to",
        "not known: what is usual of errors",
    ] {
        assert!(said.contains(words), "`{words}`: {said}");
    }
}

#[test]
fn state_that_is_declared_is_a_reason_and_another_value_is_refused() {
    let advice = place("stateful = true").json(0, &["rollout", "advise", "shop@prod", "--settle", "2s"]);
    assert_eq!(advice["facts"]["stateful"], true);
    assert!(advice["reasons"][0].as_str().unwrap().starts_with("it keeps state, which two versions would write to"), "{advice}");
    let refused = place("stateful = \"yes\"").run(&["rollout", "advise", "shop@prod"]).exits(8);
    assert!(refused.err.contains("stateful"), "{refused:?}");
    place("").run(&["rollout", "advise", "nothing@prod"]).exits(10);
    Place::bare().run(&["rollout", "advise", "shop@prod"]).exits(8);
    Place::bare().run(&["rollout", "advise"]).exits(2);
}
