//! Rollouts that go on by themselves: on only with evidence, back only with evidence, each part begun once, whoever dies or meddles.

use std::sync::Arc;
use std::time::Duration;

use gonogo::adapters::simulated::Injection;
use gonogo::control::world::told;
use gonogo::model::burn_rule::{BurnRule, Severity};
use gonogo::model::deed::{DeedState, EntryKind};
use gonogo::model::error::PortErrorKind;
use gonogo::model::intent::Verb;
use gonogo::model::outbox::NoticeKind;
use gonogo::model::part::Part;
use gonogo::model::slot::Slot;
use gonogo::model::spec::Ending;
use gonogo::model::strategy::Trigger;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::ledger::Ledger as _;
use gonogo::ports::outbox::Outbox as _;

use super::{Room, Stage, prod, weights};

/// The small story with so many requests that a twentieth of them tells something within a minute.
fn busy(seed: u64) -> Stage {
    Stage::new(&super::SMALL.replace("requests = 60.0", "requests = 2400.0"), seed)
}

/// The same, and 2.0.0 fails from a fifth of the traffic on.
fn bad(seed: u64) -> Stage {
    Stage::new(&format!("{}{BAD}", super::SMALL.replace("requests = 60.0", "requests = 2400.0")), seed)
}

/// 2.0.0 fails from a fifth of the traffic on.
pub(super) const BAD: &str = r#"
[[version]]
service = "shop"
version = "2.0.0"
environments = ["prod"]
errors = 0.25
from_percent = 20
"#;

pub(super) async fn started(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    let id = room.order_until(Verb::Rollout, DeedState::Effective).await;
    assert_eq!(room.kinds(id).await, ["intent", "effective"]);
    room
}

/// What comes next, as one word.
fn next(room: &Room) -> &'static str {
    room.world().ahead.get(&prod()).map_or("nothing", |ahead| told(&ahead.next).0)
}

pub(super) fn words(room: &Room) -> String {
    room.world().ahead.get(&prod()).map_or_else(String::new, |ahead| told(&ahead.next).1)
}

pub(super) fn share(room: &Room) -> u8 {
    room.world().target(&prod()).unwrap().wished().unwrap().nearest().get()
}

/// Prometheus cannot be reached for a while.
async fn starve(stage: &Stage, room: &mut Room, seconds: u64) {
    for _ in 0..seconds {
        stage.inject("prom", Injection::FailNextRead(PortErrorKind::Unreachable));
        room.seconds(1).await;
    }
}

/// Deeds of rules: which part, and their state, the oldest first.
pub(super) fn parts(room: &Room) -> Vec<(String, DeedState)> {
    let mut parts: Vec<_> = room.world().newest_deeds().into_iter().filter(|deed| deed.requester.starts_with("rule of plan ")).collect();
    parts.reverse();
    parts.into_iter().map(|deed| (deed.verb.word().to_owned(), deed.state)).collect()
}

#[tokio::test]
async fn a_good_version_goes_from_step_to_step_is_watched_and_becomes_the_stable_one() {
    let stage = busy(61);
    let mut room = started(&stage).await;
    let mut shares = vec![share(&room)];
    while room.world().target(&prod()).unwrap().state.last.is_none() && room.clock.elapsed().as_secs() < 3000 {
        room.seconds(1).await;
        if shares.last() != Some(&share(&room)) && room.world().target(&prod()).unwrap().state.rollout.is_some() {
            shares.push(share(&room));
        }
    }
    assert_eq!(shares, [0, 5, 20, 50, 100], "{}", room.story());
    let view = room.world().target(&prod()).unwrap().clone();
    assert_eq!((view.state.stable, view.state.rollout.is_none()), (Slot::Second, true), "{} {}", words(&room), room.story());
    assert_eq!(view.state.last.as_ref().map(|last| last.how), Some(Ending::Promoted));
    let verbs: Vec<_> = parts(&room).into_iter().map(|(verb, _)| verb).collect();
    assert_eq!(verbs, ["shift", "shift", "shift", "shift", "promote"]);
    assert!(room.tap.sent().values().all(|times| *times == 1));
    assert!(room.store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn p13_a_bad_version_goes_back_by_itself_once_with_its_evidence_recorded_first() {
    let stage = bad(62);
    let mut room = started(&stage).await;
    room.until("it goes back", 900, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    assert_eq!(share(&room), 0);
    let last = room.world().target(&prod()).unwrap().state.last.clone().unwrap();
    assert_eq!(last.how, Ending::WentBack);
    let back = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Abort).unwrap().clone();
    assert!(back.requester.starts_with("rule of plan ") && back.requester.ends_with(", ana"), "{}", back.requester);
    assert!(back.reason.as_str().contains("errors"), "{}", back.reason);
    let entries = room.entries().await;
    let of_back: Vec<_> = entries.iter().filter(|entry| entry.deed == Some(back.plan)).map(|entry| entry.kind).collect();
    assert_eq!(of_back.get(..3), Some(&[EntryKind::Intent, EntryKind::Sending, EntryKind::Accepted][..]));
    room.seconds(300).await;
    let backs = entries_of(&room, "abort").await;
    assert_eq!((backs, share(&room)), (1, 0), "at most once: {}", room.story());
}

pub(super) async fn entries_of(room: &Room, verb: &str) -> usize {
    room.entries().await.iter().filter(|entry| entry.kind == EntryKind::Intent && entry.verb.as_deref() == Some(verb)).count()
}

#[tokio::test]
async fn p13_without_data_it_neither_goes_on_nor_back_and_says_so() {
    let stage = busy(63);
    let mut room = started(&stage).await;
    room.until("5 %", 60, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 5).await;
    starve(&stage, &mut room, 240).await;
    assert_eq!((share(&room), next(&room)), (5, "holds"), "{}", words(&room));
    assert!(words(&room).contains("prom is"), "{}", words(&room));
    let told = room.lines(HappeningKind::Alarm);
    assert!(told.iter().any(|line| line.starts_with("rollout holds: would go to 20 %, but prom is")), "{told:?}");
}

#[tokio::test]
async fn p13_harm_that_was_seen_before_the_data_vanished_fires_nothing() {
    let stage = bad(64);
    let mut room = started(&stage).await;
    room.until("harm is seen", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
    starve(&stage, &mut room, 120).await;
    assert_eq!((share(&room), next(&room), entries_of(&room, "abort").await), (20, "holds", 0), "{}", words(&room));
    assert!(words(&room).starts_with("would go back, but prom is"), "{}", words(&room));
}

#[tokio::test]
async fn a_hold_stops_it_and_does_not_stop_its_way_back() {
    let stage = bad(65);
    let mut room = started(&stage).await;
    room.until("20 %", 900, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 20).await;
    room.order_until(Verb::Hold, DeedState::Effective).await;
    room.until("it goes back", 120, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    assert_eq!((share(&room), entries_of(&room, "abort").await), (0, 1));
}

#[tokio::test]
async fn another_hand_at_the_weights_makes_it_wait_for_a_person() {
    let stage = busy(66);
    let mut room = started(&stage).await;
    room.until("5 %", 60, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 5).await;
    room.seconds(5).await;
    stage.by_hand(&[("a1", 30), ("b1", 70)]);
    room.seconds(120).await;
    assert_eq!((share(&room), next(&room)), (70, "person"), "{}", room.story());
    assert!(words(&room).contains("slipped") && words(&room).contains("another hand"), "{}", words(&room));
}

#[tokio::test]
async fn a_way_back_that_does_not_come_about_is_not_tried_again_by_itself() {
    let stage = bad(67);
    let mut room = started(&stage).await;
    let audit = "audit".parse().unwrap();
    room.store.know(&[audit]).await.unwrap();
    room.until("harm is seen", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
    stage.inject("edge", Injection::RefuseNextWrite);
    room.seconds(120).await;
    assert_eq!((share(&room), next(&room), entries_of(&room, "abort").await), (20, "person", 1), "{}", room.story());
    assert!(words(&room).contains("its way back failed") && words(&room).contains("nothing more is tried by itself"), "{}", words(&room));
    assert_eq!(pages(&room).await, ["failed"], "a person is called, once");
    let alarms = room.lines(HappeningKind::Alarm);
    assert!(alarms.iter().any(|line| line.contains("its way back failed")), "and the incident's timeline says so: {alarms:?}");
    room.order_until(Verb::Abort, DeedState::Effective).await;
    assert_eq!(share(&room), 0, "a person still can");
}

/// What called a person: the state of each.
pub(super) async fn pages(room: &Room) -> Vec<String> {
    let mut pages = Vec::new();
    for line in room.store.before(&"audit".parse().unwrap(), 999).await.unwrap().lines {
        if line.kind == Some(NoticeKind::WayBackFailed) {
            pages.push(room.store.notice(line.seq).await.unwrap().unwrap().state.unwrap());
        }
    }
    pages
}

/// With two rooms on one store, one of which dies while the way back is under way, a person is called once.
#[tokio::test]
async fn a_way_back_that_is_unknown_calls_a_person_once_over_a_kill_and_with_two_rooms() {
    for kill in [0, 2, 4, 6, 8] {
        let stage = bad(83);
        let mut one = started(&stage).await;
        one.store.know(&["audit".parse().unwrap()]).await.unwrap();
        let mut other = stage.open_as("bo").await;
        one.until("harm is seen", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
        stage.inject("edge", Injection::BreakNextWriteHalfWay);
        one.until("it begins", 120, |world| world.newest_deeds().iter().any(|deed| deed.verb == Verb::Abort)).await;
        one.tap.kill_at(1 + kill);
        one.pass_or_die(std::time::Duration::from_mins(1)).await;
        drop(one);
        let mut again = stage.open().await;
        for _ in 0..240 {
            again.pass(std::time::Duration::from_millis(500)).await;
            other.give(gonogo::control::event::Event::Woke);
            other.pass(std::time::Duration::from_millis(1)).await;
        }
        assert_eq!(next(&again), "person", "kill {kill}: {}", again.story());
        assert_eq!(pages(&again).await.len(), 1, "kill {kill}: {:?} {}", pages(&again).await, again.story());
    }
}

#[tokio::test]
async fn a_step_that_was_refused_stops_it_until_a_person_lets_it_try_again() {
    let stage = busy(68);
    let mut room = started(&stage).await;
    room.until("5 %", 60, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 5).await;
    stage.inject("edge", Injection::RefuseNextWrite);
    room.until("it stops", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "person")).await;
    assert_eq!((share(&room), next(&room)), (5, "person"), "{}", room.story());
    assert!(words(&room).starts_with("its step 2 failed"), "{}", words(&room));
    room.order_until(Verb::Resume, DeedState::Effective).await;
    room.until("20 %", 900, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 20).await;
}

#[tokio::test]
async fn killed_between_any_two_tasks_it_goes_on_where_it_was_or_back_once_and_never_twice() {
    for (fails, seed) in [(false, 70), (true, 71)] {
        for kill in 0..12 {
            // Until enough was seen of a good one it waits longer than the scenario's deadline: this is about who dies, not about that.
            let patient = |stage: Stage| stage.ruled(|rules| rules.deadline = Duration::from_hours(1));
            let stage = if fails { bad(seed) } else { patient(busy(seed)) };
            let mut room = started(&stage).await;
            room.until("5 %", 60, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 5).await;
            room.tap.kill_at(150 + kill * 13);
            let died = room.pass_or_die(std::time::Duration::from_secs(200)).await;
            let before = room.tap.sent();
            drop(room);
            let mut room = stage.open().await;
            room.until("over", 3000, |world| {
                world.target(&prod()).unwrap().state.last.is_some()
                    || world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "person")
            })
            .await;
            let what = format!("bad {fails}, kill {kill}, died {died}: {} {}", words(&room), room.story());
            let last = room.world().target(&prod()).unwrap().state.last.clone();
            if fails {
                assert!(last.as_ref().is_some_and(|last| last.how == Ending::WentBack), "{what}");
                assert_eq!(share(&room), 0, "{what}");
            } else {
                assert!(last.as_ref().is_some_and(|last| last.how == Ending::Promoted), "{what}");
            }
            assert!(before.values().chain(room.tap.sent().values()).all(|times| *times == 1), "{what}");
            assert!(before.keys().all(|key| !room.tap.sent().contains_key(key)), "sent twice: {what}");
            assert!(room.store.verify().await.unwrap().intact, "{what}");
        }
    }
}

#[tokio::test]
async fn two_rooms_on_one_store_do_each_part_once() {
    let stage = bad(72);
    let mut one = started(&stage).await;
    let mut other = stage.open_as("bo").await;
    for _ in 0..1200 {
        one.pass(std::time::Duration::from_millis(500)).await;
        other.give(gonogo::control::event::Event::Woke);
        other.pass(std::time::Duration::from_millis(1)).await;
    }
    let intents: Vec<_> = one
        .entries()
        .await
        .iter()
        .filter(|entry| entry.kind == EntryKind::Intent && entry.requester.as_deref().is_some_and(|by| by.starts_with("rule of plan")))
        .map(|entry| entry.verb.clone().unwrap_or_default())
        .collect();
    assert_eq!(intents, ["shift", "shift", "abort"]);
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
}

/// P4: what broke off between raising and lowering is neither repeated nor gone on from.
#[tokio::test]
async fn p4_a_step_or_a_way_back_that_broke_off_half_way_waits_for_a_person() {
    let stage = busy(76);
    let mut room = stage.open().await;
    room.seconds(11).await;
    stage.inject("edge", Injection::BreakNextWriteHalfWay);
    room.order_until(Verb::Rollout, DeedState::Effective).await;
    room.seconds(120).await;
    assert_eq!(next(&room), "person", "{}", room.story());
    assert!(words(&room).starts_with("its step 1 unknown: not settled"), "{}", words(&room));
    assert!(room.tap.sent().values().all(|times| *times == 1) && room.tap.sent().len() == 1, "{:?}", room.tap.sent());
    let stage = bad(77);
    let mut room = started(&stage).await;
    room.until("harm is seen", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
    stage.inject("edge", Injection::BreakNextWriteHalfWay);
    room.seconds(120).await;
    assert_eq!((next(&room), entries_of(&room, "abort").await), ("person", 1), "{}", room.story());
    assert!(
        words(&room).starts_with("its way back unknown") && words(&room).ends_with("nothing more is tried by itself"),
        "{}",
        words(&room)
    );
}

/// P13: what an exporter said last is no older than it is because Prometheus still tells it.
#[tokio::test]
async fn p13_samples_that_stand_still_while_prometheus_answers_fire_nothing() {
    let began = {
        let stage = bad(73);
        let mut room = started(&stage).await;
        room.until("harm is seen", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
        room.clock.elapsed().as_secs()
    };
    let late =
        format!("[[fault]]\nbackend = \"prom\"\nfrom = \"{}s\"\nto = \"{}s\"\nkind = \"late\"\nby = \"900s\"\n", began + 1, began + 800);
    let stage = Stage::new(&format!("{}{BAD}{late}", super::SMALL.replace("requests = 60.0", "requests = 2400.0")), 73);
    let mut room = started(&stage).await;
    room.until("harm is seen", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
    room.seconds(200).await;
    assert_eq!((share(&room), entries_of(&room, "abort").await), (20, 0), "{}", words(&room));
    assert!(room.world().sources[&super::backend("prom")].trouble().is_none(), "it answered all the time");
}

/// P27: a wall clock that somebody sets neither shortens what is waited for nor fires anything.
#[tokio::test]
async fn p27_a_wall_clock_that_is_set_an_hour_ahead_ends_no_watch_and_fires_nothing() {
    let stage = busy(74);
    let mut room = started(&stage).await;
    room.until("it is watched", 2000, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "bakes")).await;
    room.seconds(10).await;
    room.clock.set_wall(3600);
    room.seconds(60).await;
    assert_eq!(next(&room), "bakes", "{}", words(&room));
    room.until("its two minutes are over", 120, |world| world.target(&prod()).unwrap().state.last.is_some()).await;
    assert_eq!(room.world().target(&prod()).unwrap().state.last.as_ref().map(|last| last.how), Some(Ending::Promoted));
}

/// What fires when a hundredth of the service's requests fail for a while.
const ALERT: &str = r#"
[[alert]]
name = "$ServiceErrors"
environment = "prod"
measure = "errors"
above = 0.01
over = "15s"
for = "5s"
severity = "page"
summary = "$service fails in $environment"
"#;

/// A stage on which an alert is all that sends a rollout back.
fn alerted(versions: &str, seed: u64) -> Stage {
    let mut stage = Stage::new(&format!("{}{versions}{ALERT}", super::SMALL.replace("requests = 60.0", "requests = 2400.0")), seed);
    let catalog = std::sync::Arc::make_mut(&mut stage.catalog);
    for deploy in catalog.services.values_mut().flat_map(|service| service.deploy.values_mut()) {
        deploy.rollout.way_back = vec![Trigger::Alert];
        deploy.rollout.after = std::time::Duration::from_secs(10);
    }
    stage
}

#[tokio::test]
async fn an_alert_that_fires_while_the_rollout_runs_sends_it_back_once() {
    let stage = alerted(BAD, 80);
    let mut room = started(&stage).await;
    room.until("it goes back", 900, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    let back = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Abort).unwrap().clone();
    assert!(back.reason.as_str().starts_with("alert: alert ShopErrors fires"), "{}", back.reason);
    room.seconds(300).await;
    assert_eq!((share(&room), entries_of(&room, "abort").await), (0, 1), "{}", room.story());
    assert_eq!(room.world().target(&prod()).unwrap().state.last.as_ref().map(|last| last.how), Some(Ending::WentBack));
}

/// P13: what Alertmanager said last, before it was lost, fires nothing; nor does what it does not say.
#[tokio::test]
async fn p13_an_alertmanager_that_is_lost_fires_nothing_until_it_answers_again() {
    for word in ["20 %", "it is seen"] {
        let there = |world: &gonogo::control::world::World| match word {
            "20 %" => world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 20,
            _ => world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at"),
        };
        let stage = alerted(BAD, 81);
        let mut room = started(&stage).await;
        room.until(word, 900, there).await;
        let from = room.clock.elapsed().as_secs() + 1;
        drop(room);
        let lost = format!("{BAD}[[fault]]\nbackend = \"alerts\"\nfrom = \"{from}s\"\nto = \"{}s\"\nkind = \"refused\"\n", from + 180);
        let stage = alerted(&lost, 81);
        let mut room = started(&stage).await;
        room.until(word, 900, there).await;
        room.seconds(170).await;
        assert_eq!((share(&room), entries_of(&room, "abort").await), (20, 0), "{word}: {} {}", words(&room), room.story());
        assert!(!room.world().freshness(&super::backend("alerts"), &room.now()).is_fresh(), "it is lost");
        room.until("it goes back", 300, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
        assert_eq!((share(&room), entries_of(&room, "abort").await), (0, 1), "{word}: {}", room.story());
    }
}

#[tokio::test]
async fn an_alert_that_fired_before_the_rollout_began_is_no_harm_of_it() {
    let both = "\n[[version]]\nservice = \"shop\"\nversion = \"VERSION\"\nenvironments = [\"prod\"]\nerrors = 0.04\n";
    let stage = alerted(&format!("{}{}", both.replace("VERSION", "1.0.0"), both.replace("VERSION", "2.0.0")), 82);
    let mut room = stage.open().await;
    let fires = |world: &gonogo::control::world::World| !world.target(&prod()).unwrap().alerts.is_empty();
    room.until("the alert", 120, fires).await;
    room.order_until(Verb::Rollout, DeedState::Effective).await;
    for _ in 0..2400 {
        room.seconds(1).await;
        assert!(fires(room.world()), "it fires all the time");
        if share(&room) >= 20 {
            break;
        }
    }
    assert_eq!((share(&room), entries_of(&room, "abort").await), (20, 0), "it went on: {} {}", words(&room), room.story());
}

/// P26: what goes on by itself needs its record; the second place is for a person's own deeds.
#[tokio::test]
async fn p26_no_rollout_begins_while_the_record_cannot_be_written() {
    let stage = busy(75);
    let mut room = stage.open().await;
    room.seconds(11).await;
    room.tap.refuse(super::tap::Refuse::Everything);
    let id = room.order(Verb::Rollout);
    room.seconds(60).await;
    assert_eq!((room.deed(id).facts.intended, share(&room), next(&room)), (None, 0, "nothing"), "{}", room.story());
}

#[test]
fn a_part_is_named_as_a_person_counts() {
    assert_eq!([Part::Step { step: 0 }, Part::WayBack, Part::End].map(|part| part.to_string()), ["step 1", "way back", "end"]);
}

/// The backstop: nothing but the burn of the service's own objective sends it back, and only what burns since the rollout began.
#[tokio::test]
async fn a_budget_that_burns_since_the_rollout_began_sends_it_back_once() {
    let minutes = Duration::from_mins;
    let mut stage = bad(78).ruled(|rules| {
        rules.way_back = vec![Trigger::Budget];
        rules.judged = false;
        rules.wait = minutes(3);
    });
    let rule = BurnRule { severity: Severity::Page, long: minutes(5), short: minutes(1), burn: 10.0 };
    Arc::make_mut(&mut stage.catalog).objectives[0].rules = vec![rule];
    let mut room = started(&stage).await;
    room.until("the budget is seen to burn", 1200, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at"))
        .await;
    assert!(words(&room).contains("by rule budget") && words(&room).contains("objective availability burns"), "{}", words(&room));
    room.until("it goes back", 600, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    let last = room.world().target(&prod()).unwrap().state.last.clone().unwrap();
    assert_eq!((last.how, share(&room), entries_of(&room, "abort").await), (Ending::WentBack, 0, 1), "{}", room.story());
    // It burns on in the windows, and that is no harm of the next one.
    let id = room.order_until(Verb::Rollout, DeedState::Effective).await;
    let now = room.now();
    assert!(room.world().objectives_of(&prod()).any(|one| one.firing(&now).is_some()), "the rule still fires");
    room.seconds(20).await;
    let ahead = room.world().ahead.get(&prod()).cloned();
    assert!(ahead.is_some_and(|ahead| ahead.plan == id && told(&ahead.next).0 == "step-at"), "{}", words(&room));
}
