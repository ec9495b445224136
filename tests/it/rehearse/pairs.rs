//! Two processes on one store: one deed at a time on a target, a living neighbour is left alone, a sleeping one does not stand in the way back.

use std::time::Duration;

use gonogo::control::event::Event;
use gonogo::model::deed::{DeedState, EntryKind};
use gonogo::model::intent::Verb;
use gonogo::model::name::PlanId;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::ledger::Ledger as _;

use super::tap::Refuse;
use super::{Room, Stage, prod, weights};

/// Lets two rooms run side by side, a tenth of a second each in turn.
async fn both(one: &mut Room, other: &mut Room, seconds: u64) {
    for _ in 0..seconds * 10 {
        one.pass(Duration::from_millis(100)).await;
        other.pass(Duration::ZERO).await;
    }
}

fn reads_20(room: &Room) -> bool {
    room.world().target(&prod()).unwrap().wished().unwrap().nearest().get() == 20
}

async fn two(stage: &Stage) -> (Room, Room) {
    let mut one = stage.open().await;
    let mut other = stage.open_as("bo").await;
    both(&mut one, &mut other, 11).await;
    (one, other)
}

#[tokio::test]
async fn p12_of_two_rooms_that_order_at_once_one_acts_and_the_other_is_told() {
    for seed in 71..75 {
        let stage = Stage::small(seed);
        let (mut one, mut other) = two(&stage).await;
        let (a, b) = (one.shift(20), other.shift(50));
        both(&mut one, &mut other, 10).await;
        assert_eq!(one.deed(a).facts.effective.is_some(), other.deed(b).facts.effective.is_none());
        assert!(matches!(other.rules(b)[0].as_str(), "busy" | "changed"), "{}", other.story());
        assert_eq!(stage.weights(), weights(&[("a1", 80), ("b1", 20)]));
        assert_eq!(one.tap.sent().len() + other.tap.sent().len(), 1);
        assert_eq!(other.world().deeds.get(&a).unwrap().state, DeedState::Effective, "the neighbour's deed is shown");
        assert!(one.store.verify().await.unwrap().intact);
    }
}

#[tokio::test]
async fn p12_a_deed_of_the_neighbour_is_shown_as_elsewhere_and_refuses_a_second_one() {
    let stage = Stage::small(76);
    let (mut one, mut other) = two(&stage).await;
    one.shift_until(20, DeedState::Accepted).await;
    other.pass(Duration::from_millis(1100)).await;
    let seen = other.world().under_way(&prod()).cloned();
    assert!(seen.is_some_and(|deed| deed.elsewhere && deed.requester == "ana"));
    let second = other.shift(50);
    other.seconds(1).await;
    assert_eq!((other.state(second), other.rules(second)[0].as_str()), (DeedState::Denied, "busy"));
}

#[tokio::test]
async fn p24_a_living_neighbours_deed_is_never_seized_however_long_it_stands_still() {
    let stage = Stage::small(77);
    let (mut one, mut other) = two(&stage).await;
    let shift = one.shift_until(20, DeedState::Accepted).await;
    // The first process is stopped, not dead.
    other.seconds(300).await;
    one.give(Event::Slept { span: Duration::from_mins(5) });
    assert_eq!(other.world().deeds.get(&shift).unwrap().state, DeedState::Accepted);
    assert!(other.world().deeds.get(&shift).unwrap().elsewhere);
    assert!(!other.tap.order().iter().any(|line| line.starts_with("adopt")), "{:?}", other.tap.order());
    both(&mut one, &mut other, 60).await;
    assert_eq!(one.state(shift), DeedState::Held, "{}", one.story());
}

#[tokio::test]
async fn p12_a_way_back_takes_the_lease_of_a_sleeping_owner_who_then_sends_nothing_more() {
    let stage = Stage::small(78);
    let (mut one, mut other) = two(&stage).await;
    let shift = one.shift_until(20, DeedState::Accepted).await;
    assert_eq!(stage.weights(), weights(&[("a1", 80), ("b1", 20)]), "its effect arrived before it fell asleep");
    other.seconds(35).await;
    let late = other.order(Verb::Abort);
    other.reach(late, DeedState::Effective).await;
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
    both(&mut one, &mut other, 60).await;
    assert_eq!(one.tap.sent().len(), 1, "the sleeper sent nothing more");
    assert!(matches!(one.state(shift), DeedState::Failed | DeedState::Superseded), "{}", one.story());
    assert_eq!(one.deed(shift).facts.effective, None);
    assert_eq!(other.state(late), DeedState::Held, "{}", other.story());
    assert!(other.store.verify().await.unwrap().intact);
}

/// Whoever ordered it, and though its owner is awake: what was sent and accepted is taken back before its effect was seen.
#[tokio::test]
async fn p12_a_way_back_does_not_wait_for_the_effect_of_what_was_sent() {
    for (seed, by_other) in [(90, false), (91, true)] {
        // So few requests that the measured share takes its time.
        let stage = Stage::new(&super::SMALL.replace("requests = 60.0", "requests = 4.0"), seed);
        let (mut one, mut other) = two(&stage).await;
        let shift = one.shift_until(20, DeedState::Accepted).await;
        while !(reads_20(&one) && reads_20(&other)) {
            one.pass(Duration::from_millis(50)).await;
            other.pass(Duration::ZERO).await;
        }
        assert_eq!(one.state(shift), DeedState::Accepted, "read, and no requests counted yet: {}", one.story());
        let back = if by_other { other.order(Verb::Abort) } else { one.order(Verb::Abort) };
        both(&mut one, &mut other, 60).await;
        let told = if by_other { &other } else { &one };
        assert_eq!(told.state(back), DeedState::Held, "{}", told.story());
        assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
        for room in [&one, &other] {
            let before = room.deed(shift);
            assert_eq!((before.state, before.facts.effective), (DeedState::Superseded, None), "{}", room.story());
            assert!(room.world().target(&prod()).unwrap().state.rollout.is_none(), "it is over, and stays so");
        }
        assert_eq!(told.kinds(shift).await, ["intent", "sending", "accepted", "superseded"]);
        assert!(told.store.verify().await.unwrap().intact);
    }
}

/// A step on its way is neither overtaken nor a reason to ask twice: what goes back waits for its record, and not for ever.
#[tokio::test]
async fn p12_a_way_back_waits_for_a_step_that_is_on_its_way() {
    for (seed, comes) in [(92, true), (93, false)] {
        let stage = Stage::small(seed);
        let (mut one, mut other) = two(&stage).await;
        one.tap.refuse(Refuse::Record);
        let shift = one.shift(20);
        while !reads_20(&other) {
            one.pass(Duration::from_millis(50)).await;
            other.pass(Duration::ZERO).await;
        }
        assert_eq!(stage.weights(), weights(&[("a1", 80), ("b1", 20)]));
        let back = other.shift(0);
        other.seconds(4).await;
        assert_eq!(other.state(back), DeedState::Intended, "{}", other.story());
        assert!(other.deed(back).words.as_str().starts_with("waits: "), "{}", other.deed(back).words);
        if !comes {
            other.seconds(10).await;
            assert_eq!((other.state(back), other.rules(back)[0].as_str()), (DeedState::Denied, "busy"), "{}", other.story());
            continue;
        }
        one.tap.refuse(Refuse::Nothing);
        both(&mut one, &mut other, 60).await;
        assert!(one.deed(shift).facts.accepted.is_some(), "{}", one.story());
        assert_eq!(other.state(back), DeedState::Held, "{}", other.story());
        assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
        assert!(other.store.verify().await.unwrap().intact);
    }
}

/// What is planned while a rollout goes on is not refused because the rollout went on: only what another hand set is a change.
#[tokio::test]
async fn p14_a_way_to_nothing_that_was_planned_before_a_step_goes_back_from_where_that_step_led() {
    let stage = Stage::small(94);
    let mut room = stage.open().await;
    room.seconds(11).await;
    room.shift_until(20, DeedState::Effective).await;
    let early = room.plan_shift(0);
    let half = room.plan_shift(10);
    room.shift_until(50, DeedState::Effective).await;
    let less = room.confirm(half);
    room.seconds(3).await;
    assert_eq!(room.state(less), DeedState::Denied, "a share is not what it was planned from: {}", room.story());
    assert_eq!(room.rules(less), ["changed"]);
    let back = room.confirm(early);
    room.reach(back, DeedState::Effective).await;
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
    room.shift_until(20, DeedState::Effective).await;
    let early = room.plan_shift(0);
    stage.by_hand(&[("a1", 60), ("b1", 40)]);
    room.seconds(11).await;
    let other = room.confirm(early);
    room.seconds(3).await;
    assert_eq!((room.state(other), room.rules(other)[0].as_str()), (DeedState::Denied, "changed"), "{}", room.story());
    assert_eq!(stage.weights(), weights(&[("a1", 60), ("b1", 40)]));
}

#[tokio::test]
async fn p24_the_neighbour_settles_the_deed_of_a_room_that_died() {
    let stage = Stage::small(79);
    let (mut one, mut other) = two(&stage).await;
    let shift = one.shift_until(20, DeedState::Accepted).await;
    drop(one);
    other.reach(shift, DeedState::Held).await;
    assert_eq!(other.kinds(shift).await, ["intent", "sending", "accepted", "effective", "held"]);
    assert!(other.tap.sent().is_empty(), "settled by looking alone");
}

/// Nothing is committed when a process dies: who looked at the store while it lived must look at it again by itself.
#[tokio::test]
async fn p24_a_death_after_the_last_look_at_the_store_is_noticed_without_another_commit() {
    let stage = Stage::small(87);
    let (mut one, mut other) = two(&stage).await;
    let shift = one.shift_until(20, DeedState::Accepted).await;
    other.seconds(30).await;
    assert!(other.world().deeds.get(&shift).is_some_and(|deed| deed.elsewhere), "{}", other.story());
    drop(one);
    other.seconds(60).await;
    let state = other.world().deeds.get(&shift).unwrap().state;
    assert!(!state.is_under_way(), "{state:?} {}", other.story());
    assert!(other.tap.order().iter().any(|line| line.starts_with("adopt")), "{:?}", other.tap.order());
}

#[tokio::test]
async fn p12_only_one_of_two_neighbours_settles_it() {
    let stage = Stage::small(80);
    let (mut one, mut other) = two(&stage).await;
    let mut third = stage.open_as("bo").await;
    third.seconds(2).await;
    let shift = one.shift_until(20, DeedState::Accepted).await;
    drop(one);
    both(&mut other, &mut third, 60).await;
    for kind in [EntryKind::Accepted, EntryKind::Effective, EntryKind::Held] {
        assert_eq!(other.count(shift, kind).await, 1, "{kind:?}");
    }
    assert_eq!((other.state(shift), third.state(shift)), (DeedState::Held, DeedState::Held), "{}{}", other.story(), third.story());
}

#[tokio::test]
async fn p6_a_deed_of_the_neighbour_supersedes_our_watch_and_that_is_no_alarm() {
    let stage = Stage::small(81);
    let (mut one, mut other) = two(&stage).await;
    let first = one.shift_until(20, DeedState::Effective).await;
    both(&mut one, &mut other, 6).await;
    let second = other.shift(50);
    both(&mut one, &mut other, 40).await;
    assert_eq!((one.state(first), other.state(second)), (DeedState::Superseded, DeedState::Held), "{}", one.story());
    assert!(one.lines(HappeningKind::Alarm).is_empty(), "{:?}", one.lines(HappeningKind::Alarm));
    assert_eq!(one.count(first, EntryKind::Slipped).await, 0);
}

#[tokio::test]
async fn p7_a_hold_of_the_neighbour_binds_us_at_once() {
    let stage = Stage::small(82);
    let (mut one, mut other) = two(&stage).await;
    let hold = other.order_until(Verb::Hold, DeedState::Effective).await;
    let shift: PlanId = one.shift(20);
    one.seconds(2).await;
    assert_eq!(one.state(shift), DeedState::Denied, "{}", one.story());
    assert!(one.tap.sent().is_empty());
    assert_eq!(one.world().target(&prod()).unwrap().state.hold.as_ref().unwrap().deed, hold);
}

#[tokio::test]
async fn p12_who_settles_a_dead_rooms_deed_keeps_its_lease_for_as_long_as_that_takes() {
    let stage = Stage::small(85);
    let (mut one, mut other) = two(&stage).await;
    stage.inject("ci", gonogo::adapters::simulated::Injection::LoseNextWrite);
    let start = one.order(Verb::Start);
    one.until("it to be sent", 10, |world| world.deeds.get(&start).is_some_and(|deed| deed.facts.sent.is_some())).await;
    drop(one);
    other.seconds(28).await;
    let order = other.tap.order();
    assert!(order.contains(&format!("adopt {start}")), "{order:?}");
    let renewals = order.iter().filter(|line| **line == format!("renew {start}")).count();
    assert!(renewals >= 3, "every 8 s of 28, or a way back could take the lease from under it: {order:?}");
    other.seconds(10).await;
    assert_eq!(other.state(start), DeedState::Unknown, "{}", other.story());
    other.seconds(60).await;
    let after = other.tap.order().iter().filter(|line| **line == format!("renew {start}")).count();
    assert!(after <= renewals + 1, "what is settled needs no lease");
    assert!(other.store.verify().await.unwrap().intact);
}
