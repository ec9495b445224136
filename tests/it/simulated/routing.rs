//! The simulated router keeps the contract of the port to routers.

use gonogo::adapters::simulated::Injection;
use gonogo::model::error::{PortErrorKind, SendError};
use gonogo::model::plan::StepEffect;
use gonogo::model::slot::Slot;
use gonogo::model::traffic::ServerState;

use super::{Train, effect, now, target, weights};

const POOL: &str = "be_checkout_prod";

fn not_done(result: Result<(), SendError>) -> PortErrorKind {
    match result.unwrap_err() {
        SendError::NotDone(error) => error.kind,
        SendError::Unknown(error) => panic!("unknown: {error}"),
    }
}

fn unknown(result: Result<(), SendError>) -> PortErrorKind {
    match result.unwrap_err() {
        SendError::Unknown(error) => error.kind,
        SendError::NotDone(error) => panic!("not done: {error}"),
    }
}

fn unmoved(train: &Train) {
    let now = train.weights_now(POOL);
    assert_eq!((now["a1"], now["b1"]), (100, 0));
}

#[test]
fn weights_that_are_not_as_expected_are_a_conflict_and_stay() {
    let train = Train::new("calm");
    let result = train.shift("1", POOL, &[("a1", 80), ("b1", 20)], Some(weights(&[("a1", 90), ("b1", 10)])));
    assert_eq!(not_done(result), PortErrorKind::Conflict);
    unmoved(&train);
}

#[test]
fn a_pool_or_server_that_is_not_there_is_told() {
    let train = Train::new("calm");
    assert_eq!(not_done(train.shift("1", "be_nothing", &[("a1", 1)], None)), PortErrorKind::NotFound);
    assert_eq!(not_done(train.shift("2", POOL, &[("z9", 1)], None)), PortErrorKind::NotFound);
    let pools = ["be_nothing".parse().unwrap(), POOL.parse().unwrap()];
    let reading = now(train.traffic.read(&pools)).unwrap();
    assert_eq!((reading.missing.len(), reading.pools.len()), (1, 1));
    unmoved(&train);
}

#[test]
fn a_slot_without_a_server_up_gains_nothing() {
    let train = Train::new("calm");
    assert!(train.world.set_server(&target("checkout@prod"), &"b1".parse().unwrap(), ServerState::Down));
    assert_eq!(not_done(train.shift("1", POOL, &[("a1", 80), ("b1", 20)], None)), PortErrorKind::Refused);
    unmoved(&train);
}

#[test]
fn never_all_weights_0_and_never_above_the_greatest() {
    let train = Train::new("calm");
    assert_eq!(not_done(train.shift("1", POOL, &[("a1", 0)], None)), PortErrorKind::Refused);
    assert_eq!(not_done(train.shift("2", POOL, &[("b1", 257)], None)), PortErrorKind::Refused);
    unmoved(&train);
}

#[test]
fn another_effect_is_unsupported() {
    let train = Train::new("calm");
    let what = StepEffect::Cancel { backend: "edge".parse().unwrap(), builder: "checkout".to_owned(), run: 1 };
    assert_eq!(not_done(now(train.traffic.set_weights(&effect("1", what, None)))), PortErrorKind::Unsupported);
}

#[test]
fn the_router_splits_exactly_by_its_weights() {
    let train = Train::new("calm");
    train.shift("1", POOL, &[("a1", 170), ("b1", 30)], None).unwrap();
    let before = Slot::BOTH.map(|slot| train.world.counted(&target("checkout@prod"), slot).unwrap().0);
    train.pass(60);
    let after = Slot::BOTH.map(|slot| train.world.counted(&target("checkout@prod"), slot).unwrap().0);
    let (stable, canary) = (after[0] - before[0], after[1] - before[1]);
    let wished = (stable + canary) as f64 * 0.15;
    assert!((canary as f64 - wished).abs() <= 1.0, "{canary} of {}", stable + canary);
}

#[test]
fn a_lost_answer_hides_an_effect_and_a_lost_order_hides_none() {
    let train = Train::new("calm");
    let edge = "edge".parse().unwrap();
    train.world.inject(&edge, Injection::LoseNextWrite);
    train.world.inject(&edge, Injection::DropAnswerOfNextWrite);
    assert_eq!(unknown(train.shift("1", POOL, &[("a1", 80), ("b1", 20)], None)), PortErrorKind::TimedOut);
    unmoved(&train);
    assert_eq!(unknown(train.shift("2", POOL, &[("a1", 80), ("b1", 20)], None)), PortErrorKind::TimedOut);
    assert_eq!(train.weights_now(POOL)["b1"], 20);
}

#[test]
fn a_refused_write_changes_nothing_and_the_next_one_works() {
    let train = Train::new("calm");
    train.world.inject(&"edge".parse().unwrap(), Injection::RefuseNextWrite);
    assert_eq!(not_done(train.shift("1", POOL, &[("a1", 80), ("b1", 20)], None)), PortErrorKind::Refused);
    unmoved(&train);
    train.shift("2", POOL, &[("a1", 80), ("b1", 20)], None).unwrap();
}

#[test]
fn half_way_means_raised_and_not_lowered() {
    let train = Train::new("calm");
    train.world.inject(&"edge".parse().unwrap(), Injection::BreakNextWriteHalfWay);
    assert_eq!(unknown(train.shift("1", POOL, &[("a1", 80), ("b1", 20)], None)), PortErrorKind::TimedOut);
    let now = train.weights_now(POOL);
    assert_eq!((now["a1"], now["b1"]), (100, 20));
}

#[test]
fn a_foreign_hand_is_a_conflict_of_unknown_outcome() {
    let train = Train::new("calm");
    train.world.inject(&"edge".parse().unwrap(), Injection::ForeignHandAfterNextWrite(weights(&[("b1", 55)])));
    assert_eq!(unknown(train.shift("1", POOL, &[("a1", 80), ("b1", 20)], None)), PortErrorKind::Conflict);
    assert_eq!(train.weights_now(POOL)["b1"], 55);
}

#[test]
fn a_reload_is_another_process_with_counters_from_0() {
    let train = Train::new("bad-canary");
    let before = train.pool(POOL);
    train.world.reload_router();
    let after = train.pool(POOL);
    assert_ne!(before.process, after.process);
    assert_eq!(after.pools.values().flat_map(|pool| &pool.servers).map(|server| server.requests.unwrap()).sum::<u64>(), 0);
    unmoved(&train);
}

#[test]
fn nobody_else_moves_a_pool_that_the_operator_has_moved() {
    let train = Train::new("bad-canary");
    train.pass(3);
    train.shift("1", POOL, &[("a1", 100), ("b1", 0)], None).unwrap();
    train.pass(60);
    unmoved(&train);
}

#[test]
fn the_commands_by_hand_raise_before_they_lower() {
    let train = Train::new("calm");
    let what =
        StepEffect::Weights { backend: "edge".parse().unwrap(), pool: POOL.parse().unwrap(), weights: weights(&[("a1", 100), ("b1", 0)]) };
    assert_eq!(train.traffic.commands(&what), ["set server be_checkout_prod/a1 weight 100", "set server be_checkout_prod/b1 weight 0"]);
}
