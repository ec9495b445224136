//! What goes wrong outside: unreachable (6), UNKNOWN (7), no record (9), accepted and never effective (12), refused (1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::place::{Load, Pair, Room};
use super::shape;
use crate::servers::runtime_proxy::{Proxy, Treat};
use crate::servers::support::wait_for;

/// A room whose router is reached through a proxy.
fn through(pair: &Pair, pool: &str, proxy: &Proxy) -> Room {
    let gonogo::config::settings::Address::Tcp(address) = proxy.address() else { panic!("no TCP address") };
    Room { socket: format!("tcp://{address}"), edge: "deadline = \"1s\"".to_owned(), ..pair.room(pool) }
}

#[test]
fn a_router_that_nobody_reaches_is_exit_6_for_a_deed_that_needs_it() {
    let pair = Pair::shared();
    let place = Room { socket: "/nonexistent/admin.sock".to_owned(), ..pair.room("be") }.place();
    for verb in
        [&["shift", "checkout@prod", "20"][..], &["promote", "checkout@prod"], &["abort", "checkout@prod"], &["rollback", "checkout@prod"]]
    {
        let said = place.run(&verb.iter().copied().chain(["--json"]).collect::<Vec<_>>()).exits(6);
        let deed = said.json();
        shape::deed(&deed);
        assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"unreachable".into()), "{verb:?}");
    }
    // What needs no router works, and the rest of the room is alive.
    place.run(&["hold", "checkout@prod"]).exits(0);
    place.run(&["note", "checkout@prod", "the router is gone"]).exits(0);
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"]);
    assert_eq!(plan["verdict"], "deny");
    let status = place.json(0, &["status"]);
    shape::status(&status);
    let states = super::place::texts(&status["backends"], "state");
    assert_eq!(
        (super::place::texts(&status["backends"], "name"), states),
        (vec!["edge".into(), "prom".into()], vec!["unreachable".into(), "fresh".into()])
    );
    assert!(status["backends"][0]["error"].as_str().unwrap().contains("edge"), "{status}");
    assert_eq!(status["services"][0]["environments"][0]["version"], "2.4.1", "the other source is heard");
    assert!(place.run(&["doctor"]).exits(0).out.contains("do: "));
}

#[test]
fn a_router_that_reads_and_does_not_let_write_is_a_failed_deed() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let gonogo::config::settings::Address::Unix(operator) = pair.haproxy.operator() else { panic!("no UNIX socket") };
    let place = Room { socket: operator.display().to_string(), ..pair.room(&pool) }.place();
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]);
    let deed = said.json();
    assert!([1, 3].contains(&said.code.unwrap()), "{said:?}");
    shape::deed(&deed);
    assert!(said.err.contains("ermission"), "{said:?}");
    assert_eq!(pair.weight(&pool), 0);
}

#[test]
fn an_answer_that_is_lost_is_settled_by_looking() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let proxy =
        Proxy::start(pair.haproxy.admin_port, |line| if line.contains("set server") { Treat::ForwardReset } else { Treat::Forward });
    let place = through(&pair, &pool, &proxy).place();
    let deed = place.json(0, &["shift", "checkout@prod", "20"]);
    assert_eq!(deed["state"], "effective", "{deed}");
    assert_eq!(pair.weight(&pool), 20);
}

#[test]
fn an_answer_that_nothing_can_settle_is_unknown_and_exit_7() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let gone = Arc::new(AtomicBool::new(false));
    let proxy = Proxy::start(pair.haproxy.admin_port, move |line| {
        if line.contains("set server") {
            gone.store(true, Ordering::SeqCst);
            return Treat::ForwardReset;
        }
        if gone.load(Ordering::SeqCst) { Treat::Reset } else { Treat::Forward }
    });
    let place = through(&pair, &pool, &proxy).place();
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]).exits(7);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!(deed["state"], "unknown");
    assert!(deed["facts"]["accepted"].is_null() && deed["steps"][0]["error"].is_string(), "{deed}");
    assert_eq!(place.kinds().last().unwrap(), "unknown");
    assert_eq!(proxy.writes().len(), 1, "it is not sent again");
    // The room lives on; the router says what happened in the end.
    assert_eq!(place.json(0, &["status"])["services"][0]["name"], "checkout");
}

#[test]
fn a_write_that_surely_never_arrived_is_a_failed_deed_of_an_unreachable_router() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let proxy = Proxy::start(pair.haproxy.admin_port, |line| if line.contains("set server") { Treat::Reset } else { Treat::Forward });
    let place = through(&pair, &pool, &proxy).place();
    let deed = place.json(6, &["shift", "checkout@prod", "20"]);
    assert_eq!(deed["state"], "failed");
    assert_eq!((pair.weight(&pool), proxy.writes().len()), (0, 1));
}

#[test]
fn a_router_that_refuses_the_raise_is_a_failed_deed() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let proxy = Proxy::start(pair.haproxy.admin_port, |line| {
        if line.contains("set server") { Treat::Rewrite(line.replace("/v2 weight", "/nobody weight")) } else { Treat::Forward }
    });
    let place = through(&pair, &pool, &proxy).place();
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]).exits(1);
    assert_eq!(said.json()["state"], "failed");
    assert_eq!(place.kinds().last().unwrap(), "failed");
}

#[test]
fn a_foreign_write_in_the_last_moment_is_not_overwritten() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let foreign = format!("set server {pool}/v2 weight 7");
    let armed = Arc::new(AtomicBool::new(false));
    let proxy = Proxy::start(pair.haproxy.admin_port, move |line| {
        if line.contains("set server") && !armed.swap(true, Ordering::SeqCst) {
            return Treat::Rewrite(line.replacen("set server", &format!("{foreign};set server"), 1));
        }
        Treat::Forward
    });
    let place = through(&pair, &pool, &proxy).place();
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]);
    assert!([0, 5].contains(&said.code.unwrap()), "{said:?}");
}

#[test]
fn traffic_that_does_not_follow_is_exit_12() {
    let pair = Pair::shared();
    let pool = Pair::pinned();
    let environment = "effective_within = \"2s\"\nmin_requests = 10".to_owned();
    let place = Room { environment, ..pair.room(&pool) }.place();
    let load = Load::on(&pair, &pool);
    let said = place.run(&["shift", "checkout@prod", "50", "--json"]).exits(12);
    drop(load);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!(deed["state"], "failed");
    shape::time(&deed["facts"]["accepted"]);
    assert!(deed["facts"]["effective"].is_null());
    assert!(said.err.contains("not effective within 2 s"), "{said:?}");
}

#[test]
fn too_little_traffic_is_effective_by_configuration_with_its_count() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let environment = "effective_within = \"2s\"\nmin_requests = 100000000".to_owned();
    let place = Room { environment, ..pair.room(&pool) }.place();
    let load = Load::on(&pair, &pool);
    let said = place.run(&["shift", "checkout@prod", "50"]).exits(0);
    drop(load);
    assert!(said.out.contains("by configuration, not measured: ") && said.out.contains("100000000 needed"), "{said:?}");
    let place = pair.room(&Pair::pool()).place();
    assert!(place.run(&["shift", "checkout@prod", "50"]).exits(0).out.contains("by configuration, not measured"));
}

#[test]
fn a_record_that_cannot_be_written_refuses_every_deed_with_exit_9() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    // A file where the store's directory should be binds root too.
    place.write("data/gonogo", "no directory");
    for verb in
        [&["shift", "checkout@prod", "20"][..], &["hold", "checkout@prod"], &["note", "checkout@prod", "text"], &["abort", "checkout@prod"]]
    {
        let deed = place.json(9, verb);
        shape::deed(&deed);
        assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"record".into()), "{verb:?}");
    }
    assert_eq!(pair.weight(&pool), 0);
    assert!(place.run(&["plan", "shift", "checkout@prod", "20"]).exits(9).err.contains("not stored"));
    shape::status(&place.json(0, &["status"]));
    assert!(place.run(&["doctor"]).exits(0).out.contains("make the store writable"));
    place.run(&["ledger", "list"]).exits(11);
}

#[test]
fn a_ledger_that_goes_away_in_the_middle_of_a_deed_is_exit_9_and_not_a_wait_for_ever() {
    let pair = Pair::shared();
    let pool = Pair::pinned();
    let environment = "effective_within = \"4s\"\nmin_requests = 10".to_owned();
    let place = Room { environment, ..pair.room(&pool) }.place();
    let _load = Load::on(&pair, &pool);
    let running = place.start(&["shift", "checkout@prod", "50", "--json"]);
    wait_for("it to be accepted", Duration::from_secs(30), || (place.newest()? == "accepted").then_some(()));
    std::fs::rename(place.store(), place.path("data/elsewhere")).unwrap();
    let said = running.end();
    assert!([9, 11].contains(&said.code.unwrap()), "{said:?}");
    shape::deed(&said.json());
}
