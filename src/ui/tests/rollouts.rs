//! A rollout that goes on by itself, on the glass: what comes next and when stands first, what was agreed to stands in its plan.

use std::sync::Arc;

use super::budget::{self, burning};
use super::*;
use crate::analysis::trial::process::Ground;
use crate::analysis::trial::{Counted, Harm, MeasureStanding, More, Outcome, Score, TrialStanding};
use crate::control::planner;
use crate::control::world::Ahead;
use crate::model::deed::DeedState;
use crate::model::intent::{Arguments, Intent};
use crate::model::kept::Anew;
use crate::model::name::PlanId;
use crate::model::operator::Actor;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::spec::{Course, Ended, Ending, Spec, SpecStep};
use crate::model::strategy::{Strategy, Trigger};
use crate::model::text::Text;
use crate::model::timeline::{Happening, HappeningKind};
use crate::policy::rollout::{Next, Says};

/// The trial of that rollout: errors convict it, latency is not settled.
fn trial() -> TrialStanding {
    let counted = |bad, total| Some(Counted { bad, total });
    let errors = MeasureStanding {
        name: fixture::name("errors"),
        outcome: Outcome::Fail,
        lack: None,
        ground: Some(Ground::Usual),
        harm: Some(Harm { estimate: 0.017, low: Some(0.009), high: Some(0.025) }),
        margin: 0.005,
        past_limit: None,
        canary: counted(27.0, 1281.0),
        baseline: counted(21.0, 5255.0),
        bound: None,
        pairs: 52,
        more: None,
        critical: true,
        weight: 40.0,
        resets: [0, 0],
        gaps: 0,
        reason: "errors worse: 27 of 1,281, old 21 of 5,255; harm 1.7 points (0.9 to 2.5), over the margin of 0.5 points, 52 intervals"
            .to_owned(),
    };
    let latency = MeasureStanding {
        name: fixture::name("latency"),
        outcome: Outcome::Early,
        ground: None,
        harm: Some(Harm { estimate: -0.0004, low: None, high: Some(0.0131) }),
        canary: counted(11.0, 1281.0),
        baseline: counted(48.0, 5255.0),
        bound: Some(300.0),
        more: Some(More { intervals: 8, seconds: 120 }),
        critical: false,
        weight: 30.0,
        reason:
            "latency too early to tell: 11 of 1,281 over 300 ms, old 48 of 5,255; harm 0.0 points (1.3 or less), margin 0.5 points, 52 \
                 intervals; 8 more intervals, about 2 min"
                .to_owned(),
        ..errors.clone()
    };
    let score = Score { passed: 0.0, of: 70.0, without: 0.0 };
    let reason = format!("{} (critical); score 0 of 70", errors.reason);
    TrialStanding { outcome: Outcome::Fail, score, reason, measures: vec![errors, latency] }
}

/// The room while checkout's canary is judged, its budget burns, its share moved in steps, and somebody held it.
pub(super) fn judged() -> World {
    let words = trial().reason;
    let mut world = room(Next::BackAt { at: fixture::at("14:04:04"), since: fixture::at("14:02:04"), trigger: Trigger::Judge, words });
    let ahead = Arc::make_mut(&mut world.ahead).get_mut(&fixture::checkout()).unwrap();
    (ahead.trial, ahead.says) = (Some(Arc::new(trial())), Says::Fail);
    for (name, view) in [("availability", burning()), ("latency-p99", budget::view(20, |_| Some(0.000_4)))] {
        let mut view = view;
        view.key.name = fixture::name(name);
        world.objectives.insert_mut(view.key.clone(), Arc::new(view));
    }
    let line = |time, kind, text: &str, source: &str, deed| Happening {
        at: fixture::at(time),
        kind,
        target: Some(fixture::checkout()),
        text: Text::clean(text),
        source: source.to_owned(),
        deed,
        links: Vec::new(),
    };
    let timeline = Arc::make_mut(&mut world.timeline);
    timeline.push_back(line("13:49:02", HappeningKind::Change, "5 to 10 % by rule of plan 7c7c7c7c, ana", "traffic", None));
    timeline.push_back(line("13:59:02", HappeningKind::Change, "10 to 20 % by rule of plan 7c7c7c7c, ana", "traffic", None));
    timeline.push_back(line("14:02:51", HappeningKind::Deed, "hold EFFECTIVE", "cy", Some((Verb::Hold, DeedState::Effective))));
    world
}

#[test]
fn a_judged_rollout_shows_bounds_margin_samples_time_left_budgets_and_marks() {
    for size in SIZES {
        for theme in [Theme::standard(), Theme::ascii()] {
            let name = theme.name.clone();
            let mut desk = at(judged(), theme, size);
            insta::assert_snapshot!(format!("rollouts-judged-board-{}x{}-{name}", size.0, size.1), desk.text());
            desk.press("3");
            let text = desk.text();
            insta::assert_snapshot!(format!("rollouts-judged-{}x{}-{name}", size.0, size.1), text);
            for word in ["+1.7 (0.9 to 2.5)", "WORSE", "early", "~2m", "1 %", "300 ms", "availability", "fires", "today"] {
                assert!(text.to_lowercase().contains(&word.to_lowercase()), "{word} is not on {size:?}:\n{text}");
            }
        }
    }
}

#[test]
fn a_judgement_that_began_anew_says_since_when_and_why() {
    let begun = "judged since 14:00:10Z, begun anew after a restart: its rules changed";
    for size in SIZES {
        let mut world = judged();
        let mut desk = at(world.clone(), Theme::standard(), size);
        desk.press("3");
        assert!(!desk.text().contains("begun anew"), "{}", desk.text());
        let ahead = Arc::make_mut(&mut world.ahead).get_mut(&fixture::checkout()).unwrap();
        ahead.anew = Some(Anew { at: fixture::at("14:00:10"), why: Text::clean("its rules changed") });
        let mut desk = at(world, Theme::standard(), size);
        desk.press("3");
        assert!(desk.text().contains(begun), "{}", desk.text());
        insta::assert_snapshot!(format!("rollouts-anew-{}x{}", size.0, size.1), desk.text());
    }
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn spec() -> Spec {
    let step = |percent| SpecStep { effects: Vec::new(), pace_s: None, paused: percent == 50, percent: Percent::new(percent).unwrap() };
    Spec {
        after_s: 120,
        back: None,
        bake_s: 1800,
        budgets: std::collections::BTreeMap::new(),
        deadline_s: 3600,
        ends: Vec::new(),
        judged: true,
        steps: [5, 10, 20, 50, 80, 100].map(step).to_vec(),
        strategy: Strategy::Canary,
        mirror: None,
        testers: None,
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
        rolled: None,
        way_back: None,
        stopped: None,
    }));
    world.targets.insert_mut(target.clone(), Arc::new(view));
    let says =
        Says::Early("too early to tell: 1 of 3 measures not settled, errors: 8 more intervals, about 2 min; score 2 of 3".to_owned());
    Arc::make_mut(&mut world.ahead)
        .insert(target, Ahead { plan: PlanId([0x7c; 32]), next, says, trial: None, anew: None, checks: Arc::from([]) });
    world
}

#[test]
fn rollouts_as_they_look() {
    let words = || "errors WORSE: 27 of 1,281 (old: 21 of 5,255), +1.7 points (1.0 to 2.7), limit 1 %".to_owned();
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
fn of_a_ramp_the_screen_shows_where_it_stands() {
    let mut world = room(Next::Step { step: 3, percent: Percent::new(50).unwrap() });
    let catalog = Arc::make_mut(&mut world.catalog);
    let checkout = catalog.services.get_mut(&fixture::checkout().service).unwrap();
    let deploy = checkout.deploy.get_mut(&fixture::checkout().environment).unwrap();
    deploy.rollout.paces = [10, 20, 50].map(|share| (Percent::new(share).unwrap(), std::time::Duration::from_mins(1))).into();
    let mut desk = at(world, Theme::standard(), (80, 24));
    desk.press("3").sees(" 5 ✓  .. 20 ▸  .. 80   100");
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
