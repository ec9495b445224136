//! Exit 5: weights of another hand, facts that went stale, another deed under way; and 130 when Ctrl-C comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::place::{Load, Pair, Place, Room};
use crate::pty::Term;
use crate::servers::fault::Fault;
use crate::servers::runtime_proxy::{Proxy, Treat};
use crate::servers::support::wait_for;

/// A router whose traffic never follows: a shift there is accepted and waits to be effective.
fn pinned(pair: &Pair, within: &str) -> (Place, Load) {
    let pool = Pair::pinned();
    let environment = format!("effective_within = \"{within}\"\nmin_requests = 10");
    let place = Room { environment, ..pair.room(&pool) }.place();
    (place, Load::on(pair, &pool))
}

fn accepted(place: &Place) {
    wait_for("the deed to be accepted", Duration::from_secs(30), || (place.newest()? == "accepted").then_some(()));
}

#[test]
fn weights_that_changed_since_it_was_planned_stop_a_stored_plan() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"])["plan"].as_str().unwrap().to_owned();
    pair.haproxy.ask(&format!("set server {pool}/v2 weight 3"));
    let deed = place.json(5, &["shift", "checkout@prod", "20", "--if-plan", &plan]);
    assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"changed".into()));
    assert!(deed["reasons"][0]["text"].as_str().unwrap().contains("v2 0 is now 3"), "{deed}");
    assert_eq!(pair.weight(&pool), 3);
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
}

#[test]
fn a_hold_between_plan_and_run_denies() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "20"])["plan"].as_str().unwrap().to_owned();
    place.run(&["hold", "checkout@prod"]).exits(0);
    assert_eq!(place.json(3, &["shift", "checkout@prod", "20", "--if-plan", &plan])["reasons"][0]["rule"], "hold");
}

#[test]
fn a_router_that_falls_silent_after_one_reading_is_stale() {
    let pair = Pair::shared();
    let lines = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&lines);
    let proxy = Proxy::start(pair.haproxy.admin_port, move |_| match seen.fetch_add(1, Ordering::SeqCst) {
        0 => Treat::Forward,
        _ => Treat::Reset,
    });
    let gonogo::config::settings::Address::Tcp(address) = proxy.address() else { panic!("no TCP address") };
    let place = Room { socket: format!("tcp://{address}"), ..pair.room(&Pair::pool()) }.place();
    let deed = place.json(5, &["shift", "checkout@prod", "20"]);
    assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"stale".into()));
    assert!(proxy.writes().is_empty());
}

#[test]
fn another_deed_under_way_on_the_target_is_exit_5_and_an_interrupt_130() {
    let pair = Pair::shared();
    let (place, _load) = pinned(&pair, "10s");
    let first = place.start(&["shift", "checkout@prod", "50"]);
    accepted(&place);
    // Forward: what goes back would take over.
    let deed = place.json(5, &["shift", "checkout@prod", "80"]);
    assert_eq!((&deed["state"], &deed["reasons"][0]["rule"]), (&"denied".into(), &"busy".into()));
    assert_eq!(place.json(0, &["status"])["services"][0]["environments"][0]["state"], "moving");
    first.interrupt();
    let said = first.end().exits(130);
    assert!(said.err.contains("interrupted; deed ") && said.err.contains("is under way (ACCEPTED)"), "{said:?}");
    assert!(said.err.contains("the next process settles it"), "{said:?}");
    // Its process is gone: the next one settles it by looking, and then does its own.
    let said = place.run(&["shift", "checkout@prod", "0"]).exits(0);
    assert!(said.err.contains("settling shift checkout@prod first"), "{said:?}");
    let kinds = place.kinds();
    assert!(kinds.contains(&"failed".to_owned()), "the interrupted one is settled: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_before_the_order_says_that_nothing_was_done() {
    let silent = Fault::start(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let url = silent.url();
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let place = Room { prometheus: url, ..pair.room(&pool) }.place();
    // It still reads its sources: one of them does not answer.
    let running = place.start(&["shift", "checkout@prod", "20"]);
    let silent = tokio::task::spawn_blocking(move || {
        wait_for("a request", Duration::from_secs(20), || (!silent.requests().is_empty()).then_some(()));
        silent
    });
    let silent = silent.await.unwrap();
    running.interrupt();
    let said = tokio::task::spawn_blocking(move || running.end()).await.unwrap().exits(130);
    assert!(
        said.err.contains("interrupted before shift checkout@prod was ordered: nothing of it was recorded, nothing was sent"),
        "{said:?}"
    );
    assert!(said.out.is_empty(), "{said:?}");
    drop(silent);
    assert!(!place.kinds().contains(&"intent".to_owned()) && pair.weight(&pool) == 0);
}

#[test]
fn an_interrupt_while_the_name_is_asked_for_says_that_nothing_was_done() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let environment = "hold_time = \"1s\"\nprotection = { typed_confirmation = true }".to_owned();
    let place = Room { environment, ..pair.room(&pool) }.place();
    let term = Term::start_in(place.home(), &["shift", "checkout@prod", "20"], (120, 40), &[]);
    term.sees("type checkout@prod to go on", Duration::from_secs(30)).send(b"checkout\x03");
    term.sees("nothing of it was recorded", Duration::from_secs(10));
    assert_eq!(term.exit_code(Duration::from_secs(10)), 130);
    assert!(!place.kinds().contains(&"intent".to_owned()) && pair.weight(&pool) == 0);
}

#[test]
fn an_interrupt_after_the_effect_says_that_the_watch_goes_on() {
    let pair = Pair::shared();
    let place = Room { environment: "hold_time = \"60s\"".to_owned(), ..pair.room(&Pair::pool()) }.place();
    let running = place.start(&["shift", "checkout@prod", "20", "--wait", "held"]);
    wait_for("it to be effective", Duration::from_secs(30), || (place.newest()? == "effective").then_some(()));
    running.interrupt();
    let said = running.end().exits(130);
    assert!(said.err.contains("is EFFECTIVE, its watch goes on in the next process"), "{said:?}");
}

#[test]
fn two_equal_orders_at_once_are_one_deed_and_one_refusal() {
    let pair = Pair::shared();
    let (place, _load) = pinned(&pair, "3s");
    let both = [place.start(&["shift", "checkout@prod", "50", "--json"]), place.start(&["shift", "checkout@prod", "50", "--json"])];
    let mut codes: Vec<_> = both.into_iter().map(|one| one.end().code.unwrap()).collect();
    codes.sort_unstable();
    assert!(codes.contains(&5) || codes == [12, 12], "{codes:?}");
    let kinds = place.kinds();
    let intents = kinds.iter().filter(|kind| *kind == "intent").count();
    assert_eq!(kinds.iter().filter(|kind| *kind == "sending").count(), intents, "{kinds:?}");
    assert_eq!(intents, if codes.contains(&5) { 1 } else { 2 }, "{kinds:?}");
}

#[test]
fn watch_prints_what_happens_until_it_is_interrupted() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let file = place.path("watched.jsonl");
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["watch", "--jsonl"]);
    let watching = Place::started(command.stdout(std::fs::File::create(&file).unwrap()));
    wait_for("watch to see a deed of another process", Duration::from_secs(30), || {
        place.run(&["note", "checkout@prod", "watch this"]).exits(0);
        std::fs::read_to_string(&file).unwrap().contains("watch this").then_some(())
    });
    watching.interrupt();
    watching.end().exits(130);
    for line in std::fs::read_to_string(&file).unwrap().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["schema"], 1);
        super::shape::time(&event["at"]);
        assert!(event["event"].is_string(), "{line}");
    }
}

/// The members of each kind of event.
fn members(lines: &str) -> BTreeMap<String, BTreeSet<String>> {
    let events = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.map(|event| (event["event"].as_str().unwrap().to_owned(), event.as_object().unwrap().keys().cloned().collect())).collect()
}

#[test]
fn watch_prints_the_events_of_a_recording() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let file = place.path("watched.jsonl");
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["watch", "--jsonl"]);
    let watching = Place::started(command.stdout(std::fs::File::create(&file).unwrap()));
    let wanted = ["opened", "polled", "changed", "store-read", "happening"];
    place.run(&["note", "checkout@prod", "watch this"]).exits(0);
    wait_for("every kind of event", Duration::from_secs(30), || {
        place.run(&["note", "checkout@prod", "watch this"]).exits(0);
        let watched = std::fs::read_to_string(&file).unwrap();
        wanted.iter().all(|kind| watched.contains(&format!("\"event\":\"{kind}\""))).then_some(())
    });
    watching.interrupt();
    watching.end().exits(130);
    let watched = members(&std::fs::read_to_string(&file).unwrap());
    place.write("orders.jsonl", "{\"at_s\":5,\"verb\":\"note\",\"target\":\"checkout@prod\",\"args\":{\"text\":\"noted\"}}\n");
    place.run(&["demo", "bad-canary", "--headless", "--until", "20s", "--orders", "orders.jsonl", "--record", "r.jsonl"]).exits(0);
    let recorded = members(&std::fs::read_to_string(place.path("r.jsonl")).unwrap());
    for kind in wanted {
        assert_eq!(watched.get(kind), recorded.get(kind), "{kind}");
        assert!(["schema", "at", "boot"].iter().all(|member| watched[kind].contains(*member)), "{kind}");
    }
}

#[test]
fn watch_ends_quietly_when_its_reader_goes_away() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let program = env!("CARGO_BIN_EXE_gonogo");
    let said =
        Place::started(&mut place.command("bash", &["-c", &format!("{program} watch --jsonl | head -3; exit ${{PIPESTATUS[0]}}")])).end();
    assert_eq!((said.code, said.out.lines().count(), said.err.as_str()), (Some(0), 3, ""), "{said:?}");
}
