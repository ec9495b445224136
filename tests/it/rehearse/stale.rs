//! Old facts: they look old at once, bear no deed, never go backwards, and a watch over a gap is none.

use std::time::Duration;

use gonogo::control::event::{Event, Reading};
use gonogo::model::deed::DeedState;
use gonogo::model::error::PortErrorKind;
use gonogo::model::intent::Verb;
use gonogo::model::reading::Freshness;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::ledger::Ledger as _;

use super::{Room, Stage, backend, prod, weights};

async fn ready(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    room
}

/// A fault of one backend.
fn fault(of: &str, from: u32, to: u32, kind: &str) -> String {
    format!("[[fault]]\nbackend = \"{of}\"\nfrom = \"{from}s\"\nto = \"{to}s\"\nkind = \"{kind}\"\n")
}

#[tokio::test]
async fn p15_a_fact_looks_stale_at_its_allowed_age_and_fresh_within_one_poll_of_the_return() {
    let stage = Stage::small_with(&fault("edge", 20, 60, "black-hole"), 51);
    let mut room = stage.open().await;
    let edge = backend("edge");
    let mut lost = None;
    for _ in 0..90 {
        room.seconds(1).await;
        let (now, fresh) = (room.now(), room.world().freshness(&edge, &room.now()));
        let age = room.world().sources[&edge].age(&now).unwrap();
        assert_eq!(fresh.is_fresh(), age <= Duration::from_secs(15), "{age:?}");
        if !fresh.is_fresh() {
            lost = Some(room.clock.elapsed().as_secs());
            assert_eq!(fresh, Freshness::Unreachable);
        }
    }
    assert!((59..=66).contains(&lost.unwrap()), "fresh again within one poll of its return, not at {lost:?}");
    let told = room.lines(HappeningKind::Source);
    assert!(told.iter().any(|line| line.starts_with("edge lost")) && told.iter().any(|line| line == "edge is back"), "{told:?}");
}

#[tokio::test]
async fn p15_a_deed_planned_on_a_stale_fact_is_refused_with_the_reason() {
    let stage = Stage::small_with(&fault("edge", 20, 120, "refused"), 52);
    let mut room = stage.open().await;
    room.seconds(40).await;
    let plan = room.plan_shift(20);
    let broken: Vec<_> = plan.preconditions.iter().filter_map(|checked| checked.broken.clone()).collect();
    assert_eq!(broken[0].rule, "stale");
    let shift = room.confirm(plan);
    room.seconds(12).await;
    assert_eq!(room.state(shift), DeedState::Denied);
    assert!(!room.rules(shift).is_empty() && room.rules(shift).iter().all(|rule| rule == "stale"), "{}", room.story());
    assert!(room.tap.sent().is_empty());
}

#[tokio::test]
async fn p15_a_source_that_dies_between_plan_and_confirmation_refuses_the_deed_although_its_fact_is_young() {
    let stage = Stage::small_with(&fault("edge", 12, 120, "refused"), 53);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    assert!(plan.preconditions.iter().all(|checked| checked.holds));
    room.seconds(1).await;
    let shift = room.confirm(plan);
    room.seconds(12).await;
    assert_eq!(room.state(shift), DeedState::Denied);
    assert!(!room.rules(shift).is_empty() && room.rules(shift).iter().all(|rule| rule == "stale"), "{}", room.story());
}

#[tokio::test]
async fn p15_after_a_sleep_every_fact_is_stale_until_it_is_read_again() {
    let stage = Stage::small(54);
    let mut room = ready(&stage).await;
    stage.clock.advance_to(stage.clock.elapsed() + Duration::from_mins(10));
    for name in ["edge", "prom", "alerts", "ci"] {
        assert!(!room.world().freshness(&backend(name), &room.now()).is_fresh(), "{name}");
    }
    let plan = room.plan_shift(20);
    assert!(plan.preconditions.iter().any(|checked| checked.broken.as_ref().is_some_and(|why| why.rule == "stale")));
    room.give(Event::Slept { span: Duration::from_mins(10) });
    room.pass(Duration::from_millis(10)).await;
    for name in ["edge", "prom", "alerts", "ci"] {
        assert!(room.world().freshness(&backend(name), &room.now()).is_fresh(), "{name} is read at once");
    }
}

#[tokio::test]
async fn p6_a_watch_over_which_the_machine_slept_is_unwatched() {
    let stage = Stage::small(55);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Effective).await;
    stage.clock.advance_to(stage.clock.elapsed() + Duration::from_mins(10));
    room.give(Event::Slept { span: Duration::from_mins(10) });
    room.seconds(2).await;
    assert_eq!(room.state(shift), DeedState::Unwatched);
    assert_eq!(room.deed(shift).facts.held, None);
}

#[tokio::test]
async fn p6_a_gap_in_the_readings_longer_than_allowed_is_unwatched_and_a_shorter_one_is_not() {
    for (from, to, state) in [(20, 44, DeedState::Unwatched), (20, 26, DeedState::Held)] {
        let stage = Stage::small_with(&fault("edge", from, to, "refused"), 56);
        let mut room = ready(&stage).await;
        let shift = room.shift_until(20, DeedState::Effective).await;
        assert!(room.clock.elapsed().as_secs() < 20);
        room.seconds(60).await;
        assert_eq!(room.state(shift), state, "{}", room.story());
    }
}

#[tokio::test]
async fn p6_a_watch_that_no_reading_of_the_next_process_covers_is_unwatched() {
    let stage = Stage::small_with(&fault("edge", 21, 120, "refused"), 57);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Effective).await;
    assert!(room.clock.elapsed().as_secs() < 21);
    stage.clock.advance_to(Duration::from_secs(21));
    drop(room);
    let mut next = stage.open().await;
    next.seconds(60).await;
    assert_eq!(next.state(shift), DeedState::Unwatched, "{}", next.story());
}

#[tokio::test]
async fn p6_a_watch_that_the_next_process_takes_over_at_once_is_held() {
    let stage = Stage::small(58);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Effective).await;
    drop(room);
    let mut next = stage.open().await;
    next.reach(shift, DeedState::Held).await;
    assert_eq!(next.kinds(shift).await, ["intent", "sending", "accepted", "effective", "held"]);
}

#[tokio::test]
async fn p16_an_older_poll_is_dropped_however_late_it_comes() {
    let stage = Stage::small(59);
    let mut room = ready(&stage).await;
    let old = room.events.iter().find_map(|(_, event)| match event {
        Event::Polled { backend: of, result: Ok(Reading::Traffic(_)), .. } if of == &backend("edge") => Some(event.clone()),
        _ => None,
    });
    room.shift_until(20, DeedState::Held).await;
    let before = room.world().target(&prod()).unwrap().wished();
    let seen = room.world().sources[&backend("edge")].seen();
    room.give(old.unwrap());
    room.pass(Duration::from_millis(1)).await;
    assert_eq!(room.world().target(&prod()).unwrap().wished(), before);
    assert_eq!(room.world().sources[&backend("edge")].seen(), seen);
    assert!(room.lines(HappeningKind::Alarm).is_empty());
}

#[tokio::test]
async fn p28_each_backend_may_fail_in_each_way_and_the_room_lives() {
    for name in ["edge", "prom", "alerts", "ci"] {
        for kind in ["refused", "black-hole", "late", "partial"] {
            let stage = Stage::small_with(&fault(name, 15, 70, kind), 60);
            let mut room = ready(&stage).await;
            room.seconds(40).await;
            let note = room.order(Verb::Note);
            room.seconds(1).await;
            assert_eq!(room.state(note), DeedState::Effective, "{name} {kind}");
            room.seconds(60).await;
            room.shift_until(20, DeedState::Effective).await;
            assert_eq!(stage.weights(), weights(&[("a1", 80), ("b1", 20)]));
            assert!(room.store.verify().await.unwrap().intact);
        }
    }
}

#[tokio::test]
async fn p28_a_source_that_forbids_us_says_so_and_the_others_go_on() {
    let stage = Stage::small(61);
    let mut room = ready(&stage).await;
    stage.inject("prom", gonogo::adapters::simulated::Injection::FailNextRead(PortErrorKind::Unauthorised));
    room.seconds(6).await;
    assert!(room.lines(HappeningKind::Source).iter().any(|line| line.starts_with("prom lost")));
    room.seconds(10).await;
    assert!(room.world().freshness(&backend("prom"), &room.now()).is_fresh());
}
