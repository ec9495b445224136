//! Runs on the real Buildbot by keys, and a rollback that has to deploy first.

use serde_json::json;

use super::estate::{Builds, Estate};
use super::{LONG, SIZE, done, load};
use crate::servers::buildbot::Buildbot;
use crate::servers::support::wait_for;

#[test]
fn a_run_is_started_followed_cancelled_and_repeated_by_keys() {
    let estate = Estate::built_by(0, Builds { pipeline: "lane-13", deploy: "lane-16", gate: "by-keys", steps: "20, 50, 100" });
    let buildbot = Buildbot::shared();
    let room = estate.room(SIZE);
    room.sees("2.4.1", LONG).press("2").sees("lane-13", LONG);
    room.press("S").sees("START checkout@prod", LONG).press("<ret>");
    done(&room);
    room.press("<esc>").sees_not("PLAN", LONG).sees("running", LONG).sees("test", LONG);
    room.press("l").sees("tick", LONG).press("<esc>").sees_not("tick", LONG);
    room.press("C").sees("CANCEL checkout@prod", LONG).press("<ret>").sees("says cancelled", LONG);
    done(&room);
    room.press("<esc>").sees_not("PLAN", LONG).sees("cancelled", LONG);
    room.press("r").sees("RETRY checkout@prod", LONG).press("<ret>");
    done(&room);
    room.press("<esc>").sees_not("PLAN", LONG).sees("running", LONG);
    buildbot.open("by-keys");
    room.sees("passed", LONG);
    let builds = buildbot.get("builders/lane-13/builds?property=*");
    let builds = builds["builds"].as_array().unwrap();
    assert_eq!(builds.len(), 2, "one started, one repeated: {builds:#?}");
    let start = estate.entries().into_iter().find(|entry| entry["verb"] == "start").unwrap();
    let key = builds[0]["properties"]["gonogo_key"][0].as_str().unwrap().to_owned();
    assert!(key.starts_with(start["deed"].as_str().unwrap()), "{key} in {start}");
    for verb in ["start", "cancel", "retry"] {
        assert_eq!(estate.deeds(verb), [["intent", "sending", "accepted", "effective"]], "{verb}");
    }
    room.press("q").exit_code(LONG);
}

#[test]
fn a_rollback_deploys_the_last_proven_version_where_another_took_its_slot() {
    let estate = Estate::start(0);
    let load = load(&estate);
    let buildbot = Buildbot::shared();
    let room = estate.room(SIZE);
    room.sees("2.4.1", LONG);
    let remembered = || estate.json(&["show", "rollout", "checkout@prod", "--json"]);
    wait_for("2.4.1 to be proven", LONG, || (!remembered()["remembered"]["proven"].as_array().unwrap().is_empty()).then_some(()));
    for _ in 0..4 {
        assert_eq!(estate.json(&["promote", "checkout@prod", "--json"])["state"], "effective");
    }
    // The next version is deployed into the slot that serves nobody.
    estate.v1.set_version("2.6.0");
    wait_for("2.6.0 to be seen", LONG, || remembered()["versions"].to_string().contains("2.6.0").then_some(()));
    let plan = estate.json(&["plan", "rollback", "checkout@prod", "--json"]);
    assert_eq!(plan["order"]["effects"].as_array().unwrap().len(), 2, "{plan:#}");
    let verb = estate.begin(&["rollback", "checkout@prod", "--json"]);
    let key = wait_for("the deployment", LONG, || {
        let files = std::fs::read_dir(buildbot.deploys()).unwrap().flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        let deed = estate.entries().into_iter().rev().find(|entry| entry["verb"] == "rollback")?["deed"].as_str()?.to_owned();
        texts.filter(|text| text.contains(&deed)).find(|text| text.contains("slot=v1\nversion=2.4.1"))
    });
    estate.v1.set_version("2.4.1");
    let said = verb.wait_with_output().unwrap();
    assert!(said.status.success(), "{key}\n{}\n{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert_eq!((estate.weight("v1"), estate.weight("v2")), (100, 0));
    let rollback = estate.deeds("rollback");
    assert_eq!(rollback[0].iter().filter(|kind| *kind == "sending").count(), 2, "{rollback:?}");
    wait_for("2.4.1 to be the stable version again", LONG, || {
        let status = estate.json(&["status", "--json"]);
        (status["services"][0]["environments"][0]["version"] == "2.4.1" && status["rollouts"] == json!([])).then_some(())
    });
    room.sees("2.4.1", LONG);
    let tally = load.stop();
    assert_eq!((tally.broken, tally.refused), (0, 0), "{tally:?}");
}

#[test]
fn a_rollback_in_the_middle_stops_the_deploy_run_that_still_runs() {
    let estate = Estate::built_by(20, Builds { pipeline: "lane-14", deploy: "lane-15", gate: "never", steps: "20, 50, 100" });
    let _load = load(&estate);
    let buildbot = Buildbot::shared();
    let builder = buildbot.get("builders/lane-15")["builders"][0]["builderid"].clone();
    let asked =
        json!({"builderid": builder, "gate": "never", "environment": "prod", "slot": "v2", "version": "2.5.0", "gonogo_key": "by hand"});
    assert_eq!(buildbot.call("forceschedulers/force", "force", &asked).0, 200);
    let running = || buildbot.get("builders/lane-15/builds")["builds"][0].clone();
    wait_for("the run", LONG, || (running()["complete"] == false && running()["started_at"].is_number()).then_some(()));
    let room = estate.room(SIZE);
    room.sees("2.5.0 20 %", LONG).press("2").sees("lane-15", LONG).sees("running", LONG).press("3").sees("steps", LONG);
    room.press("R").sees("ROLLBACK checkout@prod", LONG).sees("stop", LONG).press("<ret>");
    done(&room);
    room.sees("says cancelled", LONG);
    assert_eq!((estate.weight("v2"), running()["complete"].clone(), running()["results"].clone()), (0, true.into(), 6.into()));
    assert!(estate.deeds("rollback")[0].contains(&"effective".to_owned()));
    room.press("<esc>").sees_not("PLAN", LONG).press("q").exit_code(LONG);
}
