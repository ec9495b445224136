//! A router that cannot do what is asked: a server that it does not have, a share that its weights cannot reach, a socket that forbids.

use gonogo::config::settings::Address;

use super::place::{Pair, Place, Room};
use super::shape;
use crate::servers::haproxy::{Haproxy, Line, PoolLines};

#[test]
fn a_server_that_the_router_does_not_have_refuses_the_shift_and_is_named() {
    let pair = Pair::shared();
    let text = pair.room(&Pair::pool()).text();
    let place = Place::with(&text.replace("canary = [\"v2\"]", "canary = [\"nobody\"]"));
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]).exits(3);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"missing".into()));
    assert!(deed["reasons"][0]["text"].as_str().unwrap().contains("has no server nobody"), "{deed}");
    assert!(place.run(&["doctor"]).exits(0).out.contains("lacks nobody"));
    assert_eq!(place.json(0, &["status"])["backends"][1]["state"], "fresh", "its other facts are read");
    assert_eq!(place.kinds().last().unwrap(), "denied");
}

#[test]
fn a_share_that_its_weights_cannot_reach_is_refused_with_the_nearest() {
    let pair = Pair::shared();
    let names: Vec<&'static str> = (0..40).map(|n| -> &'static str { Box::leak(format!("c{n}").into_boxed_str()) }).collect();
    let lines = std::iter::once(Line::new("v1", 100)).chain(names.iter().map(|name| Line::new(name, 0))).collect();
    let haproxy = Haproxy::start(&[PoolLines { name: "wide", balance: "roundrobin", servers: lines }]);
    let Address::Unix(socket) = haproxy.unix() else { panic!("no UNIX socket") };
    let room = Room { socket: socket.display().to_string(), ..pair.room("wide") };
    let all: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let place = Place::with(&room.text().replace("canary = [\"v2\"]", &format!("canary = [{}]", all.join(", "))));
    let said = place.run(&["shift", "checkout@prod", "1", "--json"]).exits(3);
    let deed = said.json();
    let text = deed["reasons"][0]["text"].as_str().unwrap();
    // 40 servers of the least weight beside one of the greatest.
    assert!(text.contains("13.5 %"), "the nearest share is named: {deed}");
    assert_eq!(haproxy.ask("get weight wide/c0").split_whitespace().next(), Some("0"));
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
}

#[test]
fn a_socket_that_only_lets_look_is_a_failed_deed_that_says_who_must_give_what() {
    let pair = Pair::shared();
    let haproxy = Haproxy::checkout();
    let Address::Unix(socket) = haproxy.operator() else { panic!("no UNIX socket") };
    let place = Room { socket: socket.display().to_string(), ..pair.room("be_checkout") }.place();
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]).exits(1);
    let deed = said.json();
    assert_eq!(deed["state"], "failed");
    let error = deed["steps"][0]["error"].as_str().unwrap();
    assert!(error.contains("Permission denied"), "{deed}");
    assert!(said.err.contains("give this user the right to write to the socket, and the socket `level admin`"), "{said:?}");
    assert_eq!(place.kinds().last().unwrap(), "failed");
    assert_eq!(place.json(0, &["status"])["backends"][1]["state"], "fresh", "looking goes on");
}
