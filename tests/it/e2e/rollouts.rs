//! Rollouts that go on by themselves over a real HAProxy, judged by what a real Prometheus measured.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::estate::Estate;
use crate::servers::named::request_with;
use crate::servers::service::{Load, Tally};
use crate::servers::support::wait_for;

/// A whole rollout, on a slow machine.
const WHOLE: Duration = Duration::from_mins(4);

fn people(estate: &Estate) -> Load {
    Load::start(estate.front, 300, 400_000, Duration::from_mins(9))
}

fn started(estate: &Estate) -> Child {
    let started = estate.json(&["rollout", "start", "checkout@prod", "--yes", "--reason", "2.5.0 is due", "--json"]);
    assert_eq!((&started["verb"], &started["state"]), (&Value::from("rollout"), &Value::from("effective")), "{started}");
    estate.begin(&["rollout", "watch", "checkout@prod", "--json"])
}

fn status(estate: &Estate) -> Value {
    estate.json(&["rollout", "status", "checkout@prod", "--json"])["rollouts"][0].clone()
}

fn exit_of(mut watch: Child) -> i32 {
    // A pipe that nobody empties holds up who writes into it.
    let mut said = watch.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut said).unwrap_or_default());
    let exit = wait_for("the rollout to be over", WHOLE, || watch.try_wait().unwrap()).code().unwrap();
    assert!(!reader.join().unwrap().is_empty());
    exit
}

/// The share of the people that a rollout harmed, to be read with --nocapture.
fn harmed(what: &str, tally: &Tally) {
    #[expect(clippy::cast_precision_loss, reason = "counts of one test")]
    let share = tally.refused as f64 / tally.sent as f64 * 100.0;
    let _ = writeln!(std::io::stdout(), "{what}: {} of {} requests failed, {share:.2} %", tally.refused, tally.sent);
}

#[test]
fn a_good_version_takes_everything_by_itself_over_a_kill_and_nobody_notices() {
    // A ramp in the middle: two shares of it, each for two seconds.
    let estate = Estate::by_steps(0, "20, { to = 50, by = 10, every = \"2s\" }, 100");
    let people = people(&estate);
    let mut watch = started(&estate);
    // Killed between raising and lowering it would rightly wait for a person.
    wait_for("the first step", WHOLE, || (status(&estate)["steps"][0]["state"] == "here").then_some(()));
    // Whoever conducts it next goes on where it was.
    watch.kill().unwrap();
    watch.wait().unwrap();
    let watch = estate.begin(&["rollout", "watch", "checkout@prod", "--json"]);
    assert_eq!(exit_of(watch), 0);
    assert_eq!((estate.weight("v1"), status(&estate)["last"]["how"].as_str()), (0, Some("promoted")), "{}", status(&estate));
    assert_eq!(estate.deeds("shift").len(), 5);
    let tally = people.stop();
    harmed("good version", &tally);
    assert_eq!((tally.refused, tally.broken), (0, 0), "{tally:?}");
    assert_eq!(estate.json(&["ledger", "verify", "--json"])["intact"], true);
}

#[test]
fn a_version_with_errors_goes_back_by_itself_once_and_harms_few() {
    let estate = Estate::start(0);
    let people = people(&estate);
    estate.v2.set_error_rate(0.3);
    assert_eq!(exit_of(started(&estate)), 1);
    let after = status(&estate);
    assert_eq!((estate.weight("v2"), after["last"]["how"].as_str()), (0, Some("went-back")), "{after}");
    let backs = estate.deeds("abort");
    assert_eq!(backs.len(), 1, "{backs:?}");
    assert_eq!(backs[0].get(..3), Some(&["intent", "sending", "accepted"].map(str::to_owned)[..]), "{backs:?}");
    let by: Vec<_> =
        estate.entries().into_iter().filter(|entry| entry["verb"] == "abort").map(|entry| entry["requester"].clone()).collect();
    assert!(by.iter().all(|by| by.as_str().unwrap().starts_with("rule of plan ")), "{by:?}");
    let tally = people.stop();
    harmed("errors from the first request on", &tally);
    assert!(tally.refused * 5 < tally.sent && tally.broken == 0, "{tally:?}");
}

#[test]
fn a_version_that_fails_only_once_it_takes_everything_goes_back_while_it_is_watched() {
    let estate = Estate::start(0);
    let people = people(&estate);
    let watch = started(&estate);
    wait_for("all traffic at the new version", WHOLE, || (estate.weight("v1") == 0).then_some(()));
    estate.v2.set_error_rate(0.3);
    assert_eq!(exit_of(watch), 1);
    assert_eq!((estate.weight("v2"), status(&estate)["last"]["how"].as_str()), (0, Some("went-back")));
    harmed("errors only after the last step", &people.stop());
}

/// Requests of testers, one after another, until it is dropped.
struct Testers(Arc<AtomicBool>);

impl Testers {
    fn start(front: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                // A tester sees whatever comes.
                let _ = request_with(&front, "checkout", "X-Canary: yes\r\n");
                std::thread::park_timeout(Duration::from_millis(10));
            }
        });
        Self(over)
    }
}

impl Drop for Testers {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn p13_a_bad_version_is_found_by_testers_alone_and_without_them_nothing_moves() {
    let estate = Estate::start(0);
    estate.configure(|text| {
        text.replace("steps = [20, 50, 100]", "steps = [0, 50, 100]\ntesters = { header = \"x-canary\", value = \"yes\" }")
            .replace("canary = [\"v2\"] }]", "canary = [\"v2\"], testers = \"be_testers\" }]")
    });
    estate.v2.set_error_rate(0.3);
    let people = people(&estate);
    let watch = started(&estate);
    let told = wait_for("it to say that it holds", WHOLE, || {
        let seen = status(&estate);
        (seen["steps"][0]["state"] == "here" && seen["next"]["kind"] == "holds").then(|| seen["next"].clone())
    });
    assert!(told["words"].as_str().unwrap().starts_with("would go to 50 %, but"), "nobody asked the new version: {told}");
    let testers = Testers::start(estate.front);
    assert_eq!(exit_of(watch), 1);
    drop(testers);
    let after = status(&estate);
    assert_eq!((&after["last"]["how"], &after["testers"]["slot"]), (&"went-back".into(), &"stable".into()), "{after}");
    assert_eq!((estate.weight("v2"), estate.deeds("shift").len(), estate.deeds("abort").len()), (0, 1, 1));
    let tally = people.stop();
    harmed("errors that testers alone met", &tally);
    assert_eq!((tally.refused, tally.broken), (0, 0), "{tally:?}");
}

#[test]
fn without_prometheus_it_stands_still_and_says_so_and_a_person_can_take_it_back() {
    let mut estate = Estate::start(0);
    let _people = people(&estate);
    let watch = started(&estate);
    wait_for("the first step", WHOLE, || (estate.weight("v2") > 0).then_some(()));
    estate.prometheus = None;
    let told = wait_for("it to say that it holds", WHOLE, || {
        let next = estate.json(&["rollout", "status", "checkout@prod", "--json", "--settle", "3s"])["rollouts"][0]["next"].clone();
        (next["kind"] == "holds").then_some(next)
    });
    assert!(told["words"].as_str().unwrap().starts_with("would go to 50 %, but"), "{told}");
    for _ in 0..3 {
        let next = estate.json(&["rollout", "status", "checkout@prod", "--json", "--settle", "3s"])["rollouts"][0]["next"].clone();
        assert_eq!((next["kind"].as_str(), estate.weight("v1"), estate.weight("v2")), (Some("holds"), 80, 20), "neither on nor back");
    }
    estate.json(&["rollout", "abort", "checkout@prod", "--yes", "--json"]);
    assert_eq!((exit_of(watch), estate.weight("v2"), estate.deeds("shift").len()), (1, 0, 1));
}
