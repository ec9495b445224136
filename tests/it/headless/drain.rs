//! `gonogo drain` and `gonogo ready` at a real HAProxy: who takes requests afterwards, and what is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use gonogo::config::settings::Address;

use super::place::{Pair, Place, Room};
use super::shape;
use crate::servers::haproxy::{Haproxy, Line, PoolLines};
use crate::servers::support::wait_for;

const POOL: &str = "be_two";

/// A router of the test's own, half of whose requests go to each server, and a place over it.
fn halves(hold_time: &str) -> (Haproxy, Place) {
    let lines = vec![Line::new("v1", 100).with("check inter 100ms"), Line::new("v2", 100).with("check inter 100ms")];
    let haproxy = Haproxy::start(&[PoolLines { name: POOL, balance: "roundrobin", servers: lines }]);
    let Address::Unix(socket) = haproxy.unix() else { panic!("no UNIX socket") };
    let environment = format!("hold_time = \"{hold_time}\"\neffective_within = \"20s\"");
    let room = Room { socket: socket.display().to_string(), environment, ..Pair::shared().room(POOL) };
    (haproxy, room.place())
}

#[test]
fn a_server_drains_and_comes_back_and_its_weight_stays() {
    let (haproxy, place) = halves("1s");
    let plan = place.json(0, &["plan", "drain", "checkout@prod", "v2"]);
    assert_eq!(plan["undo"], "ready checkout@prod v2", "{plan}");
    let by_hand = plan["commands"][0].as_str().unwrap();
    assert!(by_hand.contains("set server be_two/v2 state drain"), "{plan}");
    let deed = place.json(0, &["drain", "checkout@prod", "v2", "--wait", "held"]);
    shape::deed(&deed);
    assert_eq!(deed["state"], "held", "{deed}");
    assert_eq!(haproxy.requests(POOL, 20), BTreeMap::from([("v1".to_owned(), 20)]));
    assert!(haproxy.ask("get weight be_two/v2").starts_with("100 "), "the weight stays");
    // The last one that takes requests is not drained, and a share is not shifted to where nobody takes any.
    let last = place.json(3, &["drain", "checkout@prod", "v1"]);
    assert_eq!(last["reasons"][0]["rule"], "last-server", "{last}");
    let said = place.run(&["shift", "checkout@prod", "80"]).exits(3);
    assert!(said.err.contains("no server of v2 in be_two is up"), "{said:?}");
    assert_eq!(haproxy.requests(POOL, 20), BTreeMap::from([("v1".to_owned(), 20)]));
    let again = place.json(3, &["drain", "checkout@prod", "v2"]);
    assert_eq!(again["reasons"][0]["rule"], "already", "{again}");
    place.run(&["ready", "checkout@prod", "v2"]).exits(0);
    let answered = haproxy.requests(POOL, 20);
    assert_eq!(answered.keys().collect::<Vec<_>>(), ["v1", "v2"], "{answered:?}");
    let intents = place.kinds().iter().filter(|kind| *kind == "intent").count();
    assert_eq!(intents, 2, "{:?}", place.kinds());
}

#[test]
fn another_hand_is_never_overwritten_and_is_told_when_it_comes_later() {
    let (haproxy, place) = halves("30s");
    let plan = place.json(0, &["plan", "drain", "checkout@prod", "v2"]);
    haproxy.ask("set server be_two/v2 state maint");
    let said = place.run(&["execute", plan["plan"].as_str().unwrap(), "--yes"]).exits(5);
    assert!(said.err.contains("v2 changed since it was planned: it was in balancing and is in maintenance"), "{said:?}");
    assert!(haproxy.ask("show servers state be_two").contains(" v2 "), "it is there");
    place.run(&["ready", "checkout@prod", "v2"]).exits(0);
    assert_eq!(haproxy.requests(POOL, 10).len(), 2, "ready ends maintenance, too");
    let watched = place.start(&["drain", "checkout@prod", "v2", "--wait", "held", "--json"]);
    wait_for("it to be effective", Duration::from_secs(20), || {
        // The first one was that of `ready`.
        (place.kinds().iter().filter(|kind| *kind == "effective").count() == 2).then_some(())
    });
    haproxy.ask("set server be_two/v2 state ready");
    let said = watched.end().exits(1);
    let deed = said.json();
    assert_eq!(deed["state"], "slipped", "{deed}");
    assert!(said.err.contains("v2 is up, changed by another hand or a reload of edge"), "{said:?}");
}

#[test]
fn what_is_no_server_of_the_target_is_said_with_those_that_are() {
    let (_haproxy, place) = halves("1s");
    let said = place.run(&["drain", "checkout@prod", "v9"]).exits(2);
    assert!(said.err.contains("checkout@prod has no server v9; it has: v1, v2"), "{said:?}");
    place.run(&["drain", "checkout@prod"]).exits(2);
    let said = place.run(&["drain", "checkout@prod", "edge/ "]).exits(2);
    assert!(said.err.contains("is no server"), "{said:?}");
}
