//! The simulated past of an objective: quiet months with hours of trouble, and the canary's errors where they are now.

use std::sync::Arc;

use gonogo::analysis::burn::history::History;
use gonogo::analysis::zone::Zone;
use gonogo::config::scenario::Scenario;
use gonogo::control::objectives;
use gonogo::control::world::Measured;
use gonogo::model::objective::{ObjectiveKey, Stretch};
use gonogo::ports::clock::Clock as _;

use super::{Train, now, target};

/// What the room would make of the objective of a target now.
fn measured(train: &Train, named: &str) -> Measured {
    let catalog = Scenario::named(Scenario::DEFAULT).unwrap().catalog("ana").unwrap();
    let target = target(named);
    let objective = catalog.objectives.iter().find(|one| one.service == target.service).unwrap();
    let key = ObjectiveKey { target, name: objective.name.clone() };
    let asked = train.clock.now();
    let now_s = asked.wall.timestamp();
    let read = |stretch: Stretch| Arc::new(now(train.metrics.history(&objectives::ask(objective, &key, stretch))).unwrap());
    let mut history = History::default();
    history.take(&read(objectives::coarse(objective, &Zone::UTC, now_s)));
    let fine = read(objectives::fine(now_s, 60));
    history.take(&fine);
    objectives::measured(objective, &history, &Zone::UTC, asked, &fine).unwrap()
}

#[test]
fn a_bad_canary_burns_the_budget_that_its_quiet_past_left() {
    let train = Train::new(Scenario::DEFAULT);
    let before = measured(&train, "checkout@prod");
    let left = before.budget.left().unwrap();
    assert!((0.05..0.95).contains(&left) && before.budget.coverage > 0.99, "{:?}", before.budget);
    assert!(before.burns[0].rate.unwrap() < 2.0, "{:?}", before.burns[0]);
    train.pass(360);
    let after = measured(&train, "checkout@prod");
    assert!(after.burns[0].rate.unwrap() > 4.0, "five per cent of all requests fail: {:?}", after.burns[0]);
    assert!(after.budget.left().unwrap() < left, "{:?}", after.budget);
    assert_eq!(measured(&train, "checkout@prod"), after, "the same question has the same answer");
}
