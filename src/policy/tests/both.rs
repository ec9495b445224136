//! What a deed takes back by itself is what its preconditions found, and nothing of a way back.

use super::plan;
use crate::model::intent::{Direction, Verb};
use crate::model::plan::{Checked, Plan, Precondition, StepEffect};
use crate::model::text::Text;
use crate::model::traffic::Weights;
use crate::policy::both::{against, taken_back};
use crate::policy::judge::to_take_back;

fn weights(v1: u32, v2: u32) -> Weights {
    [("v1", v1), ("v2", v2)].into_iter().map(|(name, weight)| (name.parse().unwrap(), weight)).collect()
}

fn at(router: &str, v2: u32) -> StepEffect {
    StepEffect::Weights { backend: router.parse().unwrap(), pool: "checkout".parse().unwrap(), weights: weights(100 - v2, v2) }
}

fn found(router: &str, v2: u32) -> Checked {
    let must = Precondition::WeightsUnchanged {
        backend: router.parse().unwrap(),
        pool: "checkout".parse().unwrap(),
        weights: weights(100 - v2, v2),
    };
    Checked { must, text: Text::empty(), holds: true, broken: None }
}

/// A shift to 20 % over three routers that stand at 5, 6 and 7 %.
fn over_three(direction: Direction) -> Plan {
    let mut plan = plan(Verb::Shift, direction);
    plan.order.effects = ["edge", "mesh", "web"].map(|router| at(router, 20)).to_vec();
    plan.preconditions = vec![found("mesh", 6), found("web", 7), found("edge", 5)];
    plan.order.back = taken_back(direction, &plan.order.effects, &plan.preconditions);
    plan
}

#[test]
fn each_step_but_the_last_is_taken_back_to_what_stood_there() {
    let plan = over_three(Direction::Forward);
    assert_eq!(plan.order.back, [at("edge", 5), at("mesh", 6)]);
    assert_eq!(against(&plan), None);
    assert_eq!(plan.order.taken_back(0), []);
    assert_eq!(plan.order.taken_back(1), [at("edge", 5)]);
    assert_eq!(plan.order.taken_back(2), [at("edge", 5), at("mesh", 6)]);
    assert_eq!((plan.order.step(3), plan.order.step(4), plan.order.step(5)), (Some(&at("edge", 5)), Some(&at("mesh", 6)), None));
}

#[test]
fn p8_an_order_that_would_take_back_to_other_weights_must_not_begin() {
    for change in [vec![], vec![at("edge", 5)], vec![at("edge", 5), at("mesh", 7)], vec![at("mesh", 6), at("edge", 5)]] {
        let mut plan = over_three(Direction::Forward);
        plan.order.back = change;
        assert_eq!(against(&plan).map(|reason| reason.rule), Some("changed".to_owned()), "{:?}", plan.order.back);
    }
}

#[test]
fn p14_a_way_back_is_never_taken_back() {
    let plan = over_three(Direction::Back);
    assert_eq!((plan.order.back.as_slice(), against(&plan)), (&[][..], None));
}

#[test]
fn p24_who_takes_a_deed_over_may_take_back_and_nothing_else() {
    let plan = over_three(Direction::Forward);
    let permit = to_take_back(&plan);
    let covered: Vec<_> = (0..5).map(|step| permit.covers(&plan.order, step)).collect();
    assert_eq!(covered, [false, false, false, true, true]);
}
