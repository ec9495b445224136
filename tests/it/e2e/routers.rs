//! Bad versions and bad days on Envoy, on Traefik, and on a service that stands behind HAProxy and Envoy: real routers, a real Prometheus,
//! 300 requests a second. Each prints the share of requests that were harmed, beside that of fixed steps without judgement.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::fleet::{Fleet, Front, WHOLE, exit_of, print};
use crate::servers::between::{Between, Pass};
use crate::servers::fault::answer;
use crate::servers::service::Service;
use crate::servers::support::wait_for;

fn envoy(latency: bool) -> Fleet {
    Fleet::start(|v1, v2| vec![Front::envoy(v1, v2)], |_| None, latency)
}

fn traefik() -> Fleet {
    Fleet::start(|v1, v2| vec![Front::traefik(v1, v2)], |_| None, false)
}

/// HAProxy at the edge, then Envoy inside, whose API stands behind `decide`.
fn split(decide: impl Fn(&str) -> Pass + Send + Sync + 'static) -> Fleet {
    let keep = |fronts: &[Front]| Some(Between::start(fronts[1].api(), decide).url());
    Fleet::start(|v1, v2| vec![Front::haproxy(v1, v2), Front::envoy(v1, v2)], keep, false)
}

/// Fails from a share on.
fn fails_from(least: u32) -> impl Fn(&Service, u32) + Copy {
    move |v2, share| v2.set_error_rate(if share >= least { 0.3 } else { 0.0 })
}

fn went_back(fleet: &Fleet) {
    let status = fleet.status();
    assert_eq!(status["last"]["how"], "went-back", "{status}");
    assert!(fleet.shares().iter().all(|share| *share == 0), "{:?}", fleet.shares());
}

#[test]
fn errors_on_an_envoy_from_the_first_request_go_back_by_themselves() {
    let fleet = envoy(false);
    let people = fleet.people();
    assert_eq!(exit_of(fleet.rollout(), &fleet, fails_from(0)), 1);
    let judged = people.stop(false);
    went_back(&fleet);
    let fixed = fleet.fixed(false, fails_from(0));
    print("envoy, errors from the first request", &judged, Some(&fixed));
    assert!(judged.percent() < fixed.percent() / 2.0, "{judged:?} {fixed:?}");
}

#[test]
fn latency_alone_on_an_envoy_goes_back_by_itself() {
    let fleet = envoy(true);
    let slow = |v2: &Service, _| v2.set_latency(Duration::from_millis(600));
    let people = fleet.people();
    assert_eq!(exit_of(fleet.rollout(), &fleet, slow), 1);
    let judged = people.stop(true);
    went_back(&fleet);
    let fixed = fleet.fixed(true, slow);
    print("envoy, latency only (served slowly)", &judged, Some(&fixed));
    assert!(judged.percent() < fixed.percent() / 2.0, "{judged:?} {fixed:?}");
}

#[test]
fn another_hand_at_an_envoy_stops_the_rollout_for_a_person() {
    let fleet = envoy(false).patient();
    let people = fleet.people();
    let watch = fleet.rollout();
    wait_for("the first step", WHOLE, || (fleet.status()["steps"][0]["state"] == "here").then_some(()));
    fleet.fronts[0].set(33);
    let words = fleet.until_next("person");
    assert!(words.contains("another hand"), "{words}");
    assert_eq!((fleet.shares(), fleet.sendings("shift")), (vec![33], 1), "neither on nor back");
    fleet.json(&["rollout", "abort", "checkout@prod", "--yes"]);
    assert_eq!((exit_of(watch, &fleet, |_, _| {}), fleet.shares()), (1, vec![0]));
    let judged = people.stop(false);
    print("envoy, another hand changes a weight", &judged, None);
    assert_eq!(judged.refused, 0);
}

#[test]
fn what_fails_only_at_half_on_a_traefik_goes_back_from_there() {
    let fleet = traefik();
    let people = fleet.people();
    assert_eq!(exit_of(fleet.rollout(), &fleet, fails_from(50)), 1);
    let judged = people.stop(false);
    went_back(&fleet);
    let fixed = fleet.fixed(false, fails_from(50));
    print("traefik, fails only at 50 %", &judged, Some(&fixed));
    assert!(judged.percent() < fixed.percent() / 2.0, "{judged:?} {fixed:?}");
}

#[test]
fn what_fails_only_after_promotion_on_a_traefik_goes_back_while_it_bakes() {
    let fleet = traefik();
    let people = fleet.people();
    assert_eq!(exit_of(fleet.rollout(), &fleet, fails_from(100)), 1);
    let judged = people.stop(false);
    went_back(&fleet);
    let fixed = fleet.fixed(false, fails_from(100));
    print("traefik, fails only after promotion", &judged, Some(&fixed));
}

#[test]
fn a_traefik_that_refuses_stops_the_rollout_and_harms_nobody() {
    let fleet = traefik().patient();
    let people = fleet.people();
    let watch = fleet.rollout();
    wait_for("the first step", WHOLE, || (fleet.status()["steps"][0]["state"] == "here").then_some(()));
    let Front::Traefik(router) = &fleet.fronts[0] else { panic!("it is a Traefik") };
    let file = std::fs::File::open(crate::servers::traefik::file(router)).unwrap();
    file.lock().unwrap();
    let words = fleet.until_next("person");
    assert!(words.contains("its step 2 failed"), "{words}");
    assert_eq!(fleet.shares(), [20], "it stands where it stood");
    file.unlock().unwrap();
    fleet.json(&["rollout", "abort", "checkout@prod", "--yes"]);
    assert_eq!((exit_of(watch, &fleet, |_, _| {}), fleet.shares()), (1, vec![0]));
    let judged = people.stop(false);
    print("traefik, refuses a step", &judged, None);
    assert_eq!(judged.refused, 0);
}

#[test]
fn metrics_that_vanish_hold_a_bad_version_at_its_share_and_a_prometheus_that_dies_does() {
    let mut fleet = traefik();
    let people = fleet.people();
    let watch = fleet.rollout();
    wait_for("the first step", WHOLE, || (fleet.status()["steps"][0]["state"] == "here").then_some(()));
    fleet.v2.set_silent(true);
    fleet.v2.set_error_rate(0.3);
    let words = fleet.until_next("holds");
    assert!(words.starts_with("would go to 50 %, but"), "{words}");
    fleet.prometheus = None;
    let words = fleet.until_next("holds");
    assert!(words.starts_with("would go to 50 %, but"), "{words}");
    assert_eq!((fleet.shares(), fleet.sendings("shift"), fleet.sendings("abort")), (vec![20], 1, 0), "neither on nor back on no data");
    fleet.json(&["rollout", "abort", "checkout@prod", "--yes"]);
    assert_eq!((exit_of(watch, &fleet, |_, _| {}), fleet.shares()), (1, vec![0]));
    let judged = people.stop(false);
    let fixed = fleet.fixed(false, fails_from(0));
    print("traefik, metrics of a bad version vanish, then Prometheus dies", &judged, Some(&fixed));
    assert!(judged.percent() < fixed.percent(), "{judged:?} {fixed:?}");
}

/// Killed when the edge was moved and the request to Envoy was about to leave: the next one takes the edge back, and never goes on.
#[test]
fn gonogo_killed_between_haproxy_and_envoy_leaves_none_of_them_moved() {
    let victim = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&victim);
    let fleet = split(move |request| {
        let pid = seen.load(Ordering::SeqCst);
        if request.starts_with("POST /runtime_modify") && pid != 0 {
            kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
            seen.store(0, Ordering::SeqCst);
            return Pass::Cut;
        }
        Pass::On
    });
    let people = fleet.people();
    let mut watch = fleet.rollout();
    victim.store(watch.id(), Ordering::SeqCst);
    wait_for("it to be killed", WHOLE, || watch.try_wait().unwrap());
    assert_eq!((fleet.shares(), victim.load(Ordering::SeqCst)), (vec![20, 0], 0), "killed between the two");
    let watch = fleet.watch();
    fleet.until_told("taken back: edge at v1 100, v2 0 again, mesh not moved");
    assert_eq!(fleet.shares(), [0, 0], "both or none");
    // A person sends it on, and it arrives at both.
    fleet.json(&["rollout", "resume", "checkout@prod", "--yes"]);
    assert_eq!((exit_of(watch, &fleet, |_, _| {}), fleet.shares()), (0, vec![100, 100]), "{}", fleet.status());
    let judged = people.stop(false);
    assert_eq!(judged.refused, 0, "{judged:?}");
    print("haproxy then envoy, gonogo killed between them", &judged, None);
    assert_eq!(fleet.json(&["ledger", "verify"])["intact"], true);
}

#[test]
fn an_envoy_that_refuses_sends_the_haproxy_before_it_back() {
    let fleet = split(|request| if request.starts_with("POST ") { Pass::Say(answer("403 Forbidden", "", "not today")) } else { Pass::On });
    fleet.v2.set_error_rate(0.3);
    let people = fleet.people();
    let watch = fleet.rollout();
    fleet.until_told("taken back: edge at v1 100, v2 0 again, mesh not moved");
    assert_eq!(fleet.shares(), [0, 0]);
    fleet.json(&["rollout", "abort", "checkout@prod", "--yes"]);
    exit_of(watch, &fleet, |_, _| {});
    let judged = people.stop(false);
    let fixed = fleet.fixed(false, fails_from(0));
    print("haproxy then envoy, envoy refuses a bad version", &judged, Some(&fixed));
    assert!(judged.percent() < fixed.percent() / 2.0, "{judged:?} {fixed:?}");
}

/// The automatic way back of a bad version while one of its routers does not answer.
#[test]
fn p14_a_bad_version_goes_back_by_itself_at_the_router_that_answers() {
    let (dead, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
    let (seen, mark) = (Arc::clone(&dead), Arc::clone(&sent));
    let fleet = split(move |_| {
        if seen.load(Ordering::SeqCst) {
            let _ = mark.set(());
            return Pass::Cut;
        }
        Pass::On
    });
    let people = fleet.people();
    let watch = fleet.rollout();
    wait_for("the first step", WHOLE, || (fleet.status()["steps"][0]["state"] == "here").then_some(()));
    dead.store(true, Ordering::SeqCst);
    fleet.v2.set_error_rate(0.3);
    wait_for("the edge to be back", WHOLE, || (fleet.fronts[0].share() == 0).then_some(()));
    fleet.until_told("not reached: mesh stands at v1 80, v2 20 as last seen");
    assert_eq!((fleet.shares(), fleet.sendings("abort")), (vec![0, 20], 1));
    // When it answers a person sends the rest.
    dead.store(false, Ordering::SeqCst);
    fleet.json(&["rollout", "abort", "checkout@prod", "--yes"]);
    assert_eq!((exit_of(watch, &fleet, |_, _| {}), fleet.shares()), (1, vec![0, 0]));
    let judged = people.stop(false);
    let fixed = fleet.fixed(false, fails_from(0));
    print("haproxy then envoy, errors while envoy's API is dead", &judged, Some(&fixed));
}
