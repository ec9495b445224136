//! A rollout that sets a flag at one of its steps, through the binary at a real HAProxy and a flagd's file: set with the share, taken back
//! behind it, and left alone where another hand set it meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use gonogo::config::settings::Address;
use serde_json::{Value, json};

use super::place::{Place, Running};
use crate::servers::flagd::Flagd;
use crate::servers::haproxy::{Haproxy, Line, PoolLines};
use crate::servers::support::wait_for;

const SOON: Duration = Duration::from_mins(1);

struct Lab {
    _router: Haproxy,
    flagd: Flagd,
    file: PathBuf,
    place: Place,
}

fn flags(state: &str, on: u32) -> Value {
    let targeting = json!({ "fractional": [["on", on], ["off", 100 - on]] });
    json!({
        "$schema": "https://flagd.dev/schema/v0/flags.json",
        "flags": {
            "new-checkout": { "state": state, "variants": { "on": true, "off": false }, "defaultVariant": "off", "targeting": targeting },
        }
    })
}

impl Lab {
    fn new() -> Self {
        let router = Haproxy::start_with(
            &[PoolLines { name: "be_checkout", balance: "roundrobin", servers: vec![Line::new("v1", 100), Line::new("v2", 0)] }],
            "",
        );
        let Address::Unix(socket) = router.unix() else { panic!("no UNIX socket") };
        let place = Place::bare();
        let file = place.write("flags/flags.json", &flags("DISABLED", 5).to_string());
        let flagd = Flagd::start(&file);
        place.configure(&format!(
            "[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = {:?}\nevery = \"200ms\"\nstale_after = \"20s\"\n\
             [[backend]]\nname = \"local\"\nkind = \"flagd\"\nurl = \"{}\"\nfile = {:?}\nevery = \"200ms\"\nstale_after = \"20s\"\n\
             [[environment]]\nname = \"prod\"\nhold_time = \"1s\"\neffective_within = \"20s\"\n[[service]]\nname = \"checkout\"\n\
             [service.deploy.prod]\nstrategy = \"canary\"\nsteps = [20, 50, 100]\n\
             traffic = [{{ backend = \"edge\", pool = \"be_checkout\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
             flags = [{{ backend = \"local\", name = \"new-checkout\" }}]\n\
             rollout = {{ judged = false, way_back = [], wait = \"1s\", bake = \"1s\", pause_before = [100], flags = [{{ name = \"new-checkout\", at = 50, to = 40 }}] }}\n",
            socket.display().to_string(),
            flagd.url(),
            file.display().to_string()
        ));
        Self { _router: router, flagd, file, place }
    }

    /// The file without the mark that gonogo leaves there.
    fn now(&self) -> Value {
        let mut now: Value = serde_json::from_str(&std::fs::read_to_string(&self.file).unwrap()).unwrap();
        now["flags"]["new-checkout"].as_object_mut().unwrap().remove("metadata");
        now
    }

    fn status(&self) -> Value {
        self.place.json(0, &["rollout", "status", "checkout@prod", "--settle", "2s"])["rollouts"][0].clone()
    }

    /// Starts it, and waits until it stands at 50 % for a person.
    fn at_its_flag(&self) -> Running {
        let plan = self.place.run(&["rollout", "start", "checkout@prod", "--dry-run"]).exits(0).out;
        assert!(plan.contains("20 %, 50 % with new-checkout on at 40 %, 100 %"), "{plan}");
        self.place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(0);
        let watch = self.place.start(&["rollout", "watch", "checkout@prod", "--json"]);
        wait_for("it to wait for a person", SOON, || {
            let status = self.status();
            (status["steps"][1]["state"] == "here" && status["next"]["kind"] == "person").then_some(())
        });
        assert_eq!(self.now(), flags("ENABLED", 40), "set with the share");
        watch
    }
}

#[test]
fn a_flag_is_set_with_its_step_and_stays_when_the_rollout_is_over() {
    let lab = Lab::new();
    let watch = lab.at_its_flag();
    lab.place.run(&["promote", "checkout@prod", "--yes"]).exits(0);
    watch.end().exits(0);
    assert_eq!((lab.status()["last"]["how"].as_str(), lab.now()), (Some("promoted"), flags("ENABLED", 40)));
    assert_eq!(lab.place.json(0, &["ledger", "verify"])["intact"], true);
}

#[test]
fn what_a_rollout_set_of_a_flag_is_taken_back_behind_the_traffic() {
    let lab = Lab::new();
    let watch = lab.at_its_flag();
    let plan = lab.place.run(&["abort", "checkout@prod", "--dry-run"]).exits(0).out;
    assert!(plan.contains("new-checkout is off"), "{plan}");
    let deed = lab.place.json(0, &["abort", "checkout@prod", "--yes"]);
    let effects: Vec<_> = deed["steps"].as_array().unwrap().iter().map(|step| step["backend"].clone()).collect();
    assert_eq!((deed["state"].as_str(), effects), (Some("effective"), vec![json!("edge"), json!("local")]), "{deed}");
    assert_eq!(lab.now(), flags("DISABLED", 40), "off, as before; for how many it would be on decides nothing then");
    assert_eq!(watch.end().code, Some(1));
    assert_eq!(lab.status()["last"]["how"], "aborted");
}

#[test]
fn after_a_way_back_to_nothing_it_goes_up_again_with_its_flag() {
    let lab = Lab::new();
    let watch = lab.at_its_flag();
    lab.place.run(&["shift", "checkout@prod", "0", "--yes"]).exits(0);
    assert_eq!(lab.now(), flags("DISABLED", 40));
    lab.place.run(&["rollout", "resume", "checkout@prod", "--yes"]).exits(0);
    wait_for("it to be there again", SOON, || {
        let status = lab.status();
        (status["steps"][1]["state"] == "here" && status["next"]["kind"] == "person").then_some(())
    });
    assert_eq!(lab.now(), flags("ENABLED", 40));
    drop(watch);
}

/// The traffic goes back whatever becomes of the flag, and the plan says what is left.
#[test]
fn p14_a_flag_service_that_does_not_answer_stops_no_way_back() {
    let lab = Lab::new();
    let _watch = lab.at_its_flag();
    lab.flagd.blind(true);
    let plan = lab.place.run(&["abort", "checkout@prod", "--dry-run"]).exits(0).out;
    assert!(plan.contains("LEFT OUT: new-checkout of local") || plan.contains("new-checkout is off"), "{plan}");
    lab.place.run(&["abort", "checkout@prod", "--yes"]);
    let weights = |status: &Value| status["weight_wished"].as_f64() == Some(0.0);
    wait_for("the traffic to be back", SOON, || weights(&lab.status()).then_some(()));
}

#[test]
fn a_flag_that_another_hand_set_meanwhile_is_left_to_it() {
    let lab = Lab::new();
    let _watch = lab.at_its_flag();
    let theirs = flags("ENABLED", 70);
    std::fs::write(&lab.file, theirs.to_string()).unwrap();
    let plan = lab.place.run(&["abort", "checkout@prod", "--dry-run"]).exits(0).out;
    assert!(plan.contains("LEFT OUT: new-checkout of local is on at 70 %, set by another hand; it was off (5 % when on) before"), "{plan}");
    lab.place.run(&["abort", "checkout@prod", "--yes"]).exits(0);
    assert_eq!((lab.now(), lab.status()["last"]["how"].as_str()), (theirs, Some("aborted")));
}
