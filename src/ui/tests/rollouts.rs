//! A rollout that goes on by itself, on the glass: what comes next and when stands first, what was agreed to stands in its plan.

use std::sync::Arc;

use super::*;
use crate::control::planner;
use crate::control::world::Ahead;
use crate::model::intent::{Arguments, Intent};
use crate::model::name::PlanId;
use crate::model::operator::Actor;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::spec::{Course, Ended, Ending, Spec, SpecStep};
use crate::model::strategy::{Strategy, Trigger};
use crate::model::text::Text;
use crate::policy::rollout::{Next, Says};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn spec() -> Spec {
    let step = |percent| SpecStep { effects: Vec::new(), paused: percent == 50, percent: Percent::new(percent).unwrap() };
    Spec {
        after_s: 120,
        bake_s: 1800,
        budgets: std::collections::BTreeMap::new(),
        deadline_s: 3600,
        judged: true,
        steps: [5, 10, 20, 50, 80, 100].map(step).to_vec(),
        strategy: Strategy::Canary,
        checks: Vec::new(),
        together: None,
        trial: Slot::Second,
        wait_s: 600,
        way_back: vec![Trigger::Judge, Trigger::Limit],
    }
}

/// The room while checkout's rollout is at 20 % and does this next.
fn room(next: Next) -> World {
    let mut world = fixture::world();
    let target = fixture::checkout();
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    let rollout = view.state.rollout.as_mut().unwrap();
    rollout.course = Some(Box::new(Course {
        spec: spec(),
        by: Actor::Person(fixture::name("ana")),
        ticket: None,
        step: Some(2),
        since: fixture::at("13:59:02"),
        way_back: None,
        stopped: None,
    }));
    world.targets.insert_mut(target.clone(), Arc::new(view));
    let says =
        Says::Early("too early to tell: 1 of 3 measures not settled, errors: 8 more intervals, about 2 min; score 2 of 3".to_owned());
    Arc::make_mut(&mut world.ahead).insert(target, Ahead { plan: PlanId([0x7c; 32]), next, says, trial: None, checks: Arc::from([]) });
    world
}

#[test]
fn rollouts_as_they_look() {
    let words = || "errors WORSE: 27 of 1,281 (old: 21 of 5,255), +1.7 points (1.0 to 2.7), limit 1.0 %".to_owned();
    let back = Next::BackAt { at: fixture::at("14:04:04"), since: fixture::at("14:02:04"), trigger: Trigger::Limit, words: words() };
    let holds = Next::Holds("would go to 50 %, but prom is unreachable, so nothing is seen of errors".to_owned());
    let person = Next::Person("its way back failed: edge refused it; nothing more is tried by itself".to_owned());
    for (name, next) in [("back", back), ("holds", holds), ("person", person)] {
        for size in SIZES {
            let mut desk = at(room(next.clone()), Theme::standard(), size);
            insta::assert_snapshot!(format!("rollouts-{name}-board-{}x{}", size.0, size.1), desk.text());
            desk.press("3");
            insta::assert_snapshot!(format!("rollouts-{name}-{}x{}", size.0, size.1), desk.text());
        }
    }
}

#[test]
fn a_rollout_that_went_back_by_itself_is_told_when_it_is_over() {
    let mut world = fixture::world();
    let target = fixture::checkout();
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    view.state.rollout = None;
    let version = |text| Some(Text::clean(text));
    view.state.last = Some(Box::new(Ended {
        plan: Some(PlanId([0x7c; 32])),
        how: Ending::WentBack,
        at: fixture::at("14:02:10"),
        from: version("2.4.1"),
        to: version("2.5.0"),
        set: None,
    }));
    world.targets.insert_mut(target, Arc::new(view));
    let mut desk = at(world, Theme::standard(), (80, 24));
    desk.press("3").sees("2.5.0 went back by itself at 14:02");
}

/// P8: whoever agrees to a rollout sees every weight that it will set.
#[test]
fn p8_the_plan_of_a_rollout_shows_every_weight_of_every_step() {
    let world = fixture::world();
    let target = fixture::checkout();
    let intent = Intent {
        verb: Verb::Rollout,
        target,
        args: Arguments::default(),
        requester: Actor::Person(fixture::name("ana")),
        reason: Text::empty(),
    };
    let plan = planner::plan(&world, intent, &fixture::now(), "1").unwrap();
    let steps = plan.order.rollout.as_ref().unwrap().steps.clone();
    assert!(!steps.is_empty() && steps.iter().all(|step| !step.effects.is_empty()), "{steps:?}");
    let mut desk = at(world, Theme::standard(), (200, 60));
    desk.session = Session::new(SessionOptions {
        theme: Theme::standard(),
        keymap: Keymap::default(),
        size: (200, 60),
        nonce: Box::new(|| "1".to_owned()),
        screen: Screen::Board,
        target: None,
    })
    .governed(planner::plan, yes);
    desk.press("o").sees("ROLLOUT checkout@prod ");
    for step in &steps {
        let planner_words = planner::words(&step.effects[0]).to_string();
        let weights = planner_words.split(" to ").nth(1).unwrap();
        desk.sees(weights);
    }
}
