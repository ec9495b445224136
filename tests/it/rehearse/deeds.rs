//! Every deed from confirmed to held: its facts in order, its ledger entries in order, what was measured, what the backend shows.

use gonogo::model::deed::{DeedState, Facts};
use gonogo::model::intent::{Arguments, Direction, Verb};
use gonogo::model::pipeline::RunState;
use gonogo::model::slot::Slot;
use gonogo::ports::ledger::Ledger as _;

use super::{Room, Stage, prod, weights};

const WHOLE: [&str; 5] = ["intent", "sending", "accepted", "effective", "held"];

/// A room that has read everything twice.
async fn ready(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    room
}

/// Intended, sent, accepted, effective, held: each no earlier than the one before.
fn in_order(facts: &Facts) {
    let all = [facts.intended, facts.sent, facts.accepted, facts.effective, facts.held];
    let known: Vec<_> = all.into_iter().map(|fact| fact.expect("every fact is known")).collect();
    assert!(known.is_sorted(), "{facts:?}");
}

#[tokio::test]
async fn a_shift_up_and_down_goes_from_intended_to_held() {
    let stage = Stage::small(1);
    let mut room = ready(&stage).await;
    let up = room.shift_until(20, DeedState::Effective).await;
    assert_eq!(stage.weights(), weights(&[("a1", 80), ("b1", 20)]));
    let seen = room.deed(up).steps[0].seen.clone().unwrap();
    let measured = ["measured 19.", "measured 20.", "measured 21."];
    assert!(
        seen.as_str().starts_with("weights read back as set; measured ") && measured.iter().any(|part| seen.as_str().contains(part)),
        "{seen}"
    );
    assert_eq!(room.deed(up).facts.held, None);
    let effective = room.deed(up).facts.effective.unwrap();
    room.reach(up, DeedState::Held).await;
    let deed = room.deed(up);
    in_order(&deed.facts);
    assert!((deed.facts.held.unwrap() - effective).num_seconds() >= 20, "{:?}", deed.facts);
    assert_eq!(room.kinds(up).await, WHOLE);

    let down = room.shift_until(0, DeedState::Held).await;
    assert_eq!(stage.weights()[&"b1".parse().unwrap()], 0);
    in_order(&room.deed(down).facts);
    assert_eq!(room.kinds(down).await, WHOLE);
    assert!(room.deed(down).steps[0].seen.as_ref().unwrap().as_str().contains("measured 0.0 %"), "{:?}", room.deed(down).steps[0].seen);
    let state = room.world().target(&prod()).unwrap().state.clone();
    assert!(state.rollout.is_some(), "a rollout at 0 stays, before its first step");
    assert!(room.store.verify().await.unwrap().intact);
    let before = stage.world.counted(&prod(), Slot::Second).unwrap();
    room.seconds(30).await;
    assert_eq!(stage.world.counted(&prod(), Slot::Second).unwrap(), before, "at 0 no new request");
}

#[tokio::test]
async fn promote_goes_through_all_steps_turns_the_roles_and_the_next_rollout_goes_the_other_way() {
    let stage = Stage::small(2);
    let mut room = ready(&stage).await;
    for share in [5, 20, 50, 100] {
        let step = room.order_until(Verb::Promote, DeedState::Effective).await;
        assert_eq!(room.deed(step).steps.len(), 1);
        let now = stage.weights();
        let (first, second) = (now[&"a1".parse().unwrap()], now[&"b1".parse().unwrap()]);
        assert_eq!(100 * second / (first + second), share);
    }
    room.seconds(6).await;
    let state = room.world().target(&prod()).unwrap().state.clone();
    assert_eq!((state.stable, state.rollout.is_some()), (Slot::First, true), "all traffic is not yet the end");
    let last = room.order_until(Verb::Promote, DeedState::Effective).await;
    assert_eq!(room.kinds(last).await, ["intent", "effective"]);
    room.seconds(1).await;
    let state = room.world().target(&prod()).unwrap().state.clone();
    assert_eq!((state.stable, state.rollout), (Slot::Second, None));

    room.seconds(30).await;
    let back = room.plan_shift(10);
    assert_eq!(back.direction, Direction::Forward, "the other slot is on trial now");
    let other = room.confirm(back);
    room.reach(other, DeedState::Held).await;
    assert_eq!(stage.weights()[&"a1".parse().unwrap()] * 9, stage.weights()[&"b1".parse().unwrap()]);
    assert!(room.store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn abort_brings_the_share_to_0_and_ends_the_rollout() {
    let stage = Stage::small(3);
    let mut room = ready(&stage).await;
    room.shift_until(20, DeedState::Effective).await;
    room.seconds(2).await;
    assert!(room.world().target(&prod()).unwrap().state.rollout.is_some());
    let abort = room.order_until(Verb::Abort, DeedState::Held).await;
    assert_eq!(room.kinds(abort).await, WHOLE);
    assert_eq!(stage.weights()[&"b1".parse().unwrap()], 0);
    let state = room.world().target(&prod()).unwrap().state.clone();
    assert_eq!((state.stable, state.rollout), (Slot::First, None));
    let again = room.order(Verb::Abort);
    room.seconds(1).await;
    assert_eq!(room.rules(again), ["no-rollout"]);
}

#[tokio::test]
async fn rollback_of_a_rollout_aborts_it_and_stops_its_deploy_run() {
    let deploy =
        "[[event]]\nkind = \"deploy\"\nat = \"16s\"\nby = \"bo\"\ntarget = \"shop@prod\"\nslot = \"second\"\nversion = \"2.0.1\"\n";
    let stage = Stage::small_with(deploy, 4);
    let mut room = ready(&stage).await;
    room.shift_until(20, DeedState::Effective).await;
    room.until("a deploy runs", 30, |world| {
        let reading = world.runs(&super::backend("ci")).and_then(|fact| fact.value.clone());
        reading.is_some_and(|reading| reading.builders["shop-deploy"].runs[0].state == RunState::Running)
    })
    .await;
    let back = room.order_until(Verb::Rollback, DeedState::Held).await;
    let kinds = room.kinds(back).await;
    assert_eq!(kinds, ["intent", "sending", "accepted", "effective", "sending", "accepted", "effective", "held"]);
    assert_eq!(stage.weights()[&"b1".parse().unwrap()], 0);
    assert_eq!(stage.runs().builders["shop-deploy"].runs[0].state, RunState::Cancelled);
    in_order(&room.deed(back).facts);
}

#[tokio::test]
async fn rollback_after_the_end_deploys_the_proven_version_again_and_makes_it_the_stable_one() {
    let stage = Stage::small_with(REDEPLOY, 5);
    let mut room = ready(&stage).await;
    room.seconds(25).await;
    assert_eq!(room.world().target(&prod()).unwrap().state.proven[0].version.as_str(), "1.0.0");
    for _ in 0..4 {
        room.order_until(Verb::Promote, DeedState::Effective).await;
    }
    room.order_until(Verb::Promote, DeedState::Effective).await;
    room.until("3.0.0 is seen in the first slot", 120, |world| {
        world.target(&prod()).unwrap().version(Slot::First).is_some_and(|seen| seen.version.as_str() == "3.0.0")
    })
    .await;
    let plan = room.plan(Verb::Rollback);
    assert_eq!(plan.order.effects.len(), 2, "{:?}", plan.impossible);
    let back = room.confirm(plan);
    room.reach(back, DeedState::Held).await;
    let kinds = room.kinds(back).await;
    assert_eq!(kinds, ["intent", "sending", "accepted", "effective", "sending", "accepted", "effective", "held"]);
    assert_eq!(stage.weights()[&"b1".parse().unwrap()], 0);
    assert_eq!(stage.with_key(back, 0), 1);
    room.seconds(10).await;
    let view = room.world().target(&prod()).unwrap().clone();
    assert_eq!(view.state.stable, Slot::First);
    assert_eq!(view.version(Slot::First).unwrap().version.as_str(), "1.0.0");
}

/// Somebody deploys 3.0.0 into the first slot long after 2.0.0 became the stable version.
const REDEPLOY: &str =
    "[[event]]\nkind = \"deploy\"\nat = \"80s\"\nby = \"bo\"\ntarget = \"shop@prod\"\nslot = \"first\"\nversion = \"3.0.0\"\n";

#[tokio::test]
async fn hold_forbids_forward_moves_only_and_resume_frees_them() {
    let stage = Stage::small(6);
    let mut room = ready(&stage).await;
    room.shift_until(20, DeedState::Held).await;
    let hold = room.order_until(Verb::Hold, DeedState::Effective).await;
    assert_eq!(room.kinds(hold).await, ["intent", "hold", "effective"]);
    room.seconds(1).await;
    let forward = room.shift(50);
    room.seconds(1).await;
    assert_eq!((room.state(forward), room.rules(forward)), (DeedState::Denied, vec!["hold".to_owned()]));
    assert_eq!(room.kinds(forward).await, ["denied"]);
    room.shift_until(5, DeedState::Effective).await;
    let resume = room.order_until(Verb::Resume, DeedState::Effective).await;
    assert_eq!(room.kinds(resume).await, ["intent", "resume", "effective"]);
    room.seconds(1).await;
    room.shift_until(50, DeedState::Effective).await;
    let note = room.order_until(Verb::Note, DeedState::Effective).await;
    assert_eq!(room.kinds(note).await, ["intent", "note", "effective"]);
    assert!(room.store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn start_retry_and_cancel_make_one_run_each() {
    let stage = Stage::small(7);
    let mut room = ready(&stage).await;
    let start = room.order_until(Verb::Start, DeedState::Effective).await;
    assert_eq!(room.kinds(start).await, ["intent", "sending", "accepted", "effective"]);
    assert_eq!(stage.with_key(start, 0), 1);

    room.seconds(6).await;
    let cancel = room.order_until(Verb::Cancel, DeedState::Effective).await;
    assert_eq!(room.kinds(cancel).await, ["intent", "sending", "accepted", "effective"]);
    let run = stage.runs().builders["shop"].runs[0].clone();
    assert_eq!(run.state, RunState::Cancelled);

    room.seconds(6).await;
    let args = Arguments { run: Some(run.id.clone()), ..Arguments::default() };
    let plan = room.plan_with(prod(), Verb::Retry, args);
    let retry = room.confirm(plan);
    room.reach(retry, DeedState::Effective).await;
    assert_eq!(room.kinds(retry).await, ["intent", "sending", "accepted", "effective"]);
    room.seconds(60).await;
    assert_eq!((stage.with_key(start, 0), stage.repetitions(run.id.number)), (1, 1));
}

#[tokio::test]
async fn the_store_tells_the_same_of_a_finished_deed_as_the_room() {
    let stage = Stage::small(8);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Held).await;
    let told = room.deed(shift);
    let stored = room.store.deed(&shift.to_string()).await.unwrap();
    assert_eq!((stored.state, stored.facts), (told.state, told.facts));
    assert_eq!(stored.steps[0].state, told.steps[0].state);
    assert_eq!(stored.steps[0].facts.effective, told.steps[0].facts.effective);
    assert_eq!(stored.steps[0].seen, told.steps[0].seen);
}

#[tokio::test]
async fn p8_another_build_on_trial_since_it_was_planned_refuses_the_way_forward_and_not_the_way_back() {
    let deploy =
        "[[event]]\nkind = \"deploy\"\nat = \"13s\"\nby = \"bo\"\ntarget = \"shop@prod\"\nslot = \"second\"\nversion = \"2.0.1\"\n";
    let stage = Stage::small_with(deploy, 49);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    room.until("the other build", 60, |world| {
        let view = world.target(&prod()).unwrap();
        view.version(view.canary_slot()).is_some_and(|seen| seen.version.as_str() == "2.0.1")
    })
    .await;
    room.seconds(6).await;
    let shift = room.confirm(plan);
    room.seconds(8).await;
    assert_eq!((room.state(shift), room.rules(shift)), (DeedState::Denied, vec!["changed".to_owned()]), "{}", room.story());
    assert!(room.tap.sent().is_empty());
    room.shift_until(0, DeedState::Effective).await;
}
