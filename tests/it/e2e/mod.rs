//! The whole on real servers, through the full-screen app in a terminal: a canary gets worse, is held, and is taken back.

mod estate;
mod fleet;
mod kills;
mod pairs;
mod rollouts;
mod routers;
mod runs;
mod slips;

use std::time::Duration;

use self::estate::Estate;
use crate::pty::Term;
use crate::servers::buildbot::Buildbot;
use crate::servers::service::Load;
use crate::servers::support::wait_for;

/// Long enough for a slow machine, short enough to notice what never comes.
const LONG: Duration = Duration::from_mins(1);
const SIZE: (u16, u16) = (120, 40);

fn load(estate: &Estate) -> Load {
    Load::start(estate.front, 60, 100_000, Duration::from_mins(3))
}

/// Waits until the deed of the open plan is effective.
fn done(room: &Term) {
    room.until("the deed to be effective", LONG, |screen| {
        screen.lines().any(|line| line.starts_with(" deed   ") && line.contains("EFFECTIVE"))
    });
}

#[test]
fn a_canary_gets_worse_is_held_and_its_traffic_is_taken_back_by_measurement() {
    let estate = Estate::start(20);
    let load = load(&estate);
    let room = estate.room(SIZE);
    room.sees("checkout", LONG).sees("2.4.1 80", LONG).sees("2.5.0 20 %", LONG);
    estate.v2.set_error_rate(0.3);
    room.sees("WORSE", LONG);
    room.press("5").sees("CheckoutErrors", LONG);
    // Hold: the plan opens, Enter alone runs it; a forward move is refused on the glass from then on.
    room.press("h").sees("PLAN", LONG).press("<ret>").sees("EFFECTIVE", LONG).press("<esc>");
    room.sees_not("PLAN", LONG).sees("H resume", LONG).press("p").sees("held by", LONG);
    room.press("s").sees("per cent", LONG).press("0 <ret>").sees("PLAN", LONG).sees("SHIFT checkout@prod TO 0 %", LONG);
    room.types("errors").press("<ret>").sees("EFFECTIVE", LONG).sees("measured 0.0 % of", LONG);
    assert_eq!((estate.weight("v1"), estate.weight("v2")), (100, 0));
    let served = estate.v2.served();
    let before = load.tally().sent;
    wait_for("two hundred more requests", LONG, || (load.tally().sent > before + 200).then_some(()));
    assert_eq!(estate.v2.served(), served, "no request reaches the canary after EFFECTIVE");
    room.until("the hold time to be over", LONG, |screen| {
        screen.contains("HELD 0") || screen.contains("HELD 1") || screen.contains("HELD 2")
    });
    room.press("<esc>").sees_not("PLAN", LONG);
    // The incident's timeline tells the story, the ledger proves it.
    room.press("5").sees("alert CheckoutErrors", LONG).sees("hold", LONG).sees("shift", LONG);
    let kinds = estate.kinds();
    for kind in ["signers", "intent", "hold", "sending", "accepted", "effective"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind} is missing in {kinds:?}");
    }
    assert_eq!(estate.json(&["ledger", "verify", "--json"])["intact"], true);
    let tally = load.stop();
    assert_eq!(tally.broken, 0, "no request failed because of the shift: {tally:?}");
    room.press("q").exit_code(LONG);
    room.gave_the_terminal_back();
}

#[test]
fn a_version_that_takes_everything_is_taken_back_without_a_failed_request() {
    let estate = Estate::start(100);
    let load = load(&estate);
    let room = estate.room((80, 24));
    room.sees("2.5.0 100 %", LONG);
    room.press("s").sees("per cent", LONG).press("0 <ret>").sees("TO 0 %", LONG).press("<ret>");
    room.sees("EFFECTIVE", LONG);
    wait_for("all weight at v1", LONG, || (estate.weight("v2") == 0).then_some(()));
    let served = estate.v2.served();
    let before = load.tally().sent;
    wait_for("two hundred more requests", LONG, || (load.tally().sent > before + 200).then_some(()));
    assert_eq!(estate.v2.served(), served);
    let tally = load.stop();
    assert_eq!((tally.broken, tally.refused), (0, 0), "{tally:?}");
}

#[test]
#[expect(clippy::print_stderr, reason = "shown when it fails")]
fn a_process_killed_in_the_middle_of_a_shift_leaves_nothing_open() {
    let estate = Estate::start(20);
    let load = load(&estate);
    for (percent, after) in [(50, "RUN shift"), (20, "SENT"), (0, "EFFECTIVE")] {
        let room = estate.room(SIZE);
        room.sees("2.4.1", LONG)
            .press("s")
            .sees("per cent", LONG)
            .press(&format!("{} <ret>", percent.to_string().split("").collect::<Vec<_>>().join(" ").trim()));
        room.sees("PLAN", LONG).sees("RUN shift", LONG).press("<ret>");
        if after != "RUN shift" {
            room.sees(after, LONG);
        }
        room.kill();
        // The next start settles it by observing, whatever had happened.
        let next = estate.room(SIZE);
        next.sees("2.4.1", LONG);
        let settled = wait_for("no deed left open", LONG, || {
            let kinds = estate.kinds();
            eprintln!("killed once {after} was seen: {kinds:?}");
            // Killed before the intent was written there is nothing to settle: people and rules are recorded before it.
            let last = kinds.iter().rev().find(|kind| !matches!(kind.as_str(), "signers" | "policy")).cloned().unwrap_or_default();
            matches!(last.as_str(), "held" | "unwatched" | "failed" | "unknown" | "not-begun" | "superseded" | "").then_some(kinds)
        });
        assert!(!settled.contains(&"slipped".to_owned()), "{settled:?}");
        next.press("q").exit_code(LONG);
    }
    let entries = estate.json(&["ledger", "list", "--json"]);
    let mut sent: Vec<_> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "sending")
        .map(|entry| entry["deed"].to_string())
        .collect();
    let all = sent.len();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), all, "no effect was sent twice");
    assert_eq!(estate.json(&["ledger", "verify", "--json"])["intact"], true);
    drop(load);
}

#[test]
fn two_processes_on_one_store_see_each_other() {
    let estate = Estate::start(20);
    let load = load(&estate);
    let room = estate.room(SIZE);
    room.sees("2.5.0 20 %", LONG);
    assert_eq!(estate.json(&["hold", "checkout@prod", "--reason", "from the command line", "--json"])["state"], "effective");
    room.press("3").sees("HELD", Duration::from_secs(10));
    let refused = estate.gonogo(&["promote", "checkout@prod", "--json"]);
    assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
    let deed = estate.json(&["shift", "checkout@prod", "0", "--reason", "errors", "--json"]);
    assert_eq!(deed["state"], "effective");
    assert!(deed["facts"]["effective"].is_string() && deed["held_due"].is_string());
    room.sees("shift", LONG);
    // The room goes on with the watch of the verb that ended.
    wait_for("the watch to end", LONG, || estate.kinds().iter().any(|kind| kind == "held" || kind == "unwatched").then_some(()));
    drop(load);
}

#[test]
fn runs_are_started_cancelled_and_repeated_and_a_rollback_deploys_the_last_proven_version() {
    let estate = Estate::start(0);
    let load = load(&estate);
    let buildbot = Buildbot::shared();
    let started = estate.json(&["start", "checkout@prod", "--json"]);
    assert_eq!(started["state"], "effective", "{started}");
    let running = |estate: &Estate| {
        let shown = estate.json(&["show", "pipeline", "checkout@prod", "--json"]);
        shown["builders"][0]["runs"][0]["state"] == "running"
    };
    wait_for("the run to begin", LONG, || running(&estate).then_some(()));
    let cancelled = estate.json(&["cancel", "checkout@prod", "--json"]);
    assert_eq!(cancelled["state"], "effective", "{cancelled}");
    let repeated = estate.json(&["retry", "checkout@prod", "--json"]);
    assert_eq!(repeated["state"], "effective", "{repeated}");
    buildbot.open("e2e");
    // Up to the end: each promote is one step, the last one makes the new version the stable one.
    let room = estate.room(SIZE);
    room.sees("2.4.1", LONG);
    wait_for("2.4.1 to be proven", LONG, || {
        let shown = estate.json(&["show", "rollout", "checkout@prod", "--json"]);
        (!shown["remembered"]["proven"].as_array().unwrap().is_empty()).then_some(())
    });
    for percent in [20.0, 50.0, 100.0] {
        let deed = estate.json(&["promote", "checkout@prod", "--json"]);
        assert_eq!(deed["state"], "effective", "{deed}");
        let status = estate.json(&["status", "--json"]);
        assert_eq!(status["rollouts"][0]["weight_wished"], percent, "{status}");
    }
    assert_eq!(estate.json(&["promote", "checkout@prod", "--json"])["state"], "effective");
    wait_for("2.5.0 to be the stable version", LONG, || {
        let status = estate.json(&["status", "--json"]);
        (status["services"][0]["environments"][0]["version"] == "2.5.0" && status["rollouts"].as_array().unwrap().is_empty()).then_some(())
    });
    let back = estate.json(&["rollback", "checkout@prod", "--json"]);
    assert_eq!(back["state"], "effective", "{back}");
    assert_eq!((estate.weight("v1"), estate.weight("v2")), (100, 0));
    let tally = load.stop();
    assert_eq!(tally.broken, 0, "{tally:?}");
}
