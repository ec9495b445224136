//! A set of rollouts over two routers by the command line: started, told, held, taken back and watched as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gonogo::config::settings::Address;
use serde_json::Value;

use super::place::{Load, Pair, Place};
use crate::servers::haproxy::request;
use crate::servers::support::wait_for;
use crate::servers::{envoy, router::Router};

/// `checkout` behind HAProxy and `ledger` behind Envoy, in one set, by time alone: each step lasts as long as `wait` says.
fn place(pair: &Pair, pool: &str, mesh: &Router, wait: &str) -> Place {
    let Address::Unix(socket) = pair.haproxy.unix() else { panic!("no UNIX socket") };
    let backend = |name: &str, rest: &str| {
        format!("[[backend]]\nname = \"{name}\"\n{rest}\nevery = \"200ms\"\nstale_after = \"20s\"\nlookup_within = \"1s\"\n")
    };
    let service = |name: &str, router: &str, pool: &str| {
        format!(
            "[[service]]\nname = \"{name}\"\n[service.deploy.prod]\nstrategy = \"canary\"\nsteps = [20, 100]\n\
             rollout = {{ judged = false, wait = \"{wait}\", bake = \"3s\", way_back = [] }}\n\
             traffic = [{{ backend = \"{router}\", pool = \"{pool}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n"
        )
    };
    Place::with(&format!(
        "{}{}[[environment]]\nname = \"prod\"\nhold_time = \"1s\"\neffective_within = \"20s\"\nprotection = {{ typed_confirmation = true }}\n{}{}\
         [[set]]\nname = \"both\"\ntargets = [\"ledger@prod\", \"checkout@prod\"]\non_failure = \"return\"\n",
        backend("edge", &format!("kind = \"haproxy\"\nsocket = \"{}\"", socket.display())),
        backend("mesh", &format!("kind = \"envoy\"\nurl = \"{}\"", mesh.url())),
        service("checkout", "edge", pool),
        service("ledger", "mesh", envoy::POOL),
    ))
}

/// Runs `work` while requests come to the router.
fn loaded<T>(port: u16, work: impl FnOnce() -> T) -> T {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            let _ = request(port, "checkout");
        }
    });
    let result = work();
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    result
}

fn steps(status: &Value) -> Vec<(String, Value)> {
    status["rollouts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["target"].as_str().unwrap().to_owned(), one["weight_wished"].clone()))
        .collect()
}

#[test]
fn a_set_over_two_routers_starts_holds_goes_on_and_goes_back_as_one() {
    let (pair, mesh) = (Pair::shared(), envoy::start());
    let pool = Pair::pool();
    // So long that nothing but the test moves it on from the first step, however slow the machine.
    let place = place(&pair, &pool, &mesh, "30m");
    // The name is typed once for all of them, and without a terminal stands --yes.
    let untyped = place.run(&["rollout", "start", "both"]).exits(2);
    assert!(untyped.err.contains("set both asks for its name to be typed"), "{}", untyped.err);
    assert_eq!(place.json(0, &["rollout", "status"])["rollouts"], Value::Array(Vec::new()));
    let dry = place.json(0, &["rollout", "start", "both", "--dry-run"]);
    assert_eq!((dry["set"].as_str(), dry["plans"].as_array().map(Vec::len)), (Some("both"), Some(2)), "{dry}");
    let _load = Load::on(&pair, &pool);
    loaded(mesh.port, || {
        let started = place.json(0, &["rollout", "start", "both", "--yes", "--reason", "one release"]);
        let of = |n: usize| (started["deeds"][n]["target"].clone(), started["deeds"][n]["state"].clone());
        assert_eq!((of(0), of(1)), (("ledger@prod".into(), "effective".into()), ("checkout@prod".into(), "effective".into())), "{started}");
        let status = place.json(0, &["rollout", "status", "both"]);
        assert_eq!(status["rollouts"][0]["set"]["name"], "both", "{status}");
        assert_eq!(status["rollouts"][1]["set"], serde_json::json!({ "name": "both", "with": ["checkout@prod"], "on_failure": "return" }));
        assert_eq!(steps(&status), [("checkout@prod".to_owned(), 0.0.into()), ("ledger@prod".to_owned(), 0.0.into())]);
        // Held as one, nothing moves, whoever conducts.
        place.run(&["rollout", "hold", "both", "--reason", "lunch"]).exits(0);
        let watch = place.start(&["rollout", "watch", "both", "--json"]);
        place.run(&["rollout", "resume", "both", "--yes"]).exits(0);
        wait_for("both stand at a fifth, and wait there", Duration::from_mins(1), || {
            let status = place.json(0, &["rollout", "status", "both"]);
            let waits = |one: &Value| one["weight_wished"].as_f64() == Some(20.0) && one["next"]["kind"] == "step-at";
            status["rollouts"].as_array().unwrap().iter().all(waits).then_some(())
        });
        // One is taken back by a person, so the other goes back by the set's rule.
        place.run(&["abort", "ledger@prod", "--reason", "drill"]).exits(0);
        let said = watch.end();
        assert_eq!(said.code, Some(1), "{} {}", said.out, said.err);
        let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.len() > 2 && lines.iter().all(|line| line["schema"] == 1), "{lines:?}");
        let over = place.json(0, &["rollout", "status", "both"]);
        let how = |n: usize| over["rollouts"][n]["last"]["how"].clone();
        assert_eq!((how(0), how(1)), ("went-back".into(), "aborted".into()), "{over}");
        assert_eq!(pair.weight(&pool), 0);
        place.run(&["rollout", "abort", "both"]).exits(1);
    });
}

#[test]
fn a_set_ends_promoted_and_what_is_no_set_is_a_target() {
    let (pair, mesh) = (Pair::shared(), envoy::start());
    let pool = Pair::pool();
    let place = place(&pair, &pool, &mesh, "2s");
    let _load = Load::on(&pair, &pool);
    loaded(mesh.port, || {
        place.run(&["rollout", "start", "both", "--yes"]).exits(0);
        let said = place.run(&["rollout", "watch", "both"]).exits(0).out;
        assert!(said.contains("ledger@prod at 20 %") && said.contains("checkout@prod at 20 %"), "{said}");
        assert!(said.contains("over: promoted"), "{said}");
        // A service that has one environment is a target by its name alone.
        place.run(&["rollout", "start", "ledger", "--dry-run"]).exits(0);
        let nothing = place.run(&["rollout", "start", "bothh"]).exits(10);
        assert!(nothing.err.contains("no target `bothh` is configured"), "{}", nothing.err);
    });
}
