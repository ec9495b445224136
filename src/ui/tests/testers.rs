//! Testers and copies beside the shares: what plans hold, refuse and leave out, and how they look.

use std::sync::Arc;

use super::*;
use crate::control::planner;
use crate::control::world::{Ahead, SourceFact};
use crate::model::capability::Capability;
use crate::model::intent::{Arguments, Direction, Intent};
use crate::model::name::PlanId;
use crate::model::operator::Actor;
use crate::model::part::{Part, PartOf};
use crate::model::plan::{Plan, Precondition, StepEffect};
use crate::model::rollout::Rollout;
use crate::model::share::{Percent, Share};
use crate::model::spec::Course;
use crate::model::testers::{Bears, Testers, header};
use crate::model::text::Text;
use crate::model::traffic::Pool;
use crate::policy::rollout::{Next, Says};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const STARTED: PlanId = PlanId([0x7c; 32]);

/// What a pool stands at.
type Stand = (&'static str, u32, u32);

/// The shop whose checkout has testers and copies, its pools standing like this.
fn shop(stands: &[Stand]) -> World {
    let mut world = fixture::world();
    let target = fixture::checkout();
    let mut catalog = (*world.catalog).clone();
    let deploy = catalog.services.get_mut(&target.service).unwrap().deploy.get_mut(&target.environment).unwrap();
    deploy.steps = [0, 20, 100].into_iter().filter_map(Percent::new).collect();
    deploy.testers = Some(Box::new(Testers { bears: Bears::Header, name: "x-canary".to_owned(), value: "yes".to_owned() }));
    deploy.mirror = Percent::new(50);
    (deploy.traffic[0].testers, deploy.traffic[0].mirror) = (Some(fixture::name("be_testers")), Some(fixture::name("copied")));
    world.catalog = Arc::new(catalog);
    let mut source = (**world.sources.get(&fixture::name::<crate::model::name::BackendName>("edge")).unwrap()).clone();
    source.capabilities = &[Capability::ReadTraffic, Capability::Shift, Capability::Mirror];
    let SourceFact::Traffic(fact) = &mut source.fact else { panic!("no router") };
    let mut reading = (**fact.value.as_ref().unwrap()).clone();
    let like = reading.pools.values().next().unwrap().clone();
    reading.pools = stands
        .iter()
        .map(|(name, one, two)| {
            let mut pool = Pool { name: fixture::name(name), copies: *name == "copied", ..like.clone() };
            (pool.servers[0].weight, pool.servers[1].weight) = (*one, *two);
            (pool.name.clone(), pool)
        })
        .collect();
    let share = reading.pools.get(&fixture::name::<crate::model::name::PoolName>("be_checkout")).map_or(0, |pool| pool.servers[1].weight);
    fact.value = Some(Arc::new(reading));
    world.sources.insert(fixture::name("edge"), Arc::new(source));
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    view.traffic[0].second_set = Share::of(u64::from(share), 100);
    view.state.rollout = None;
    world.targets.insert_mut(target, Arc::new(view));
    world
}

/// Nobody is at the version on trial.
const IDLE: [Stand; 3] = [("be_checkout", 100, 0), ("be_testers", 100, 0), ("copied", 0, 0)];
/// Testers and copies are.
const FIRST: [Stand; 3] = [("be_checkout", 100, 0), ("be_testers", 0, 100), ("copied", 0, 50)];

fn plan(world: &World, verb: Verb, args: Arguments) -> Plan {
    let requester = Actor::Person(fixture::name("ana"));
    let intent = Intent { verb, target: fixture::checkout(), args, requester, reason: Text::empty() };
    planner::plan(world, intent, &fixture::now(), "1").unwrap()
}

fn to(percent: u8) -> Arguments {
    Arguments { percent: Percent::new(percent), ..Arguments::default() }
}

fn set(effects: &[StepEffect]) -> Vec<String> {
    effects.iter().map(|effect| planner::words(effect).to_string()).collect()
}

/// The shop while a rollout stands at its first step.
fn under_way(stands: &[Stand], next: Next) -> World {
    let spec = plan(&shop(&IDLE), Verb::Rollout, Arguments::default()).order.rollout.unwrap();
    let mut world = shop(stands);
    let target = fixture::checkout();
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    view.state.rollout = Some(Box::new(Rollout {
        begun: fixture::at("13:58:00"),
        by: "ana".to_owned(),
        plan: Some(STARTED),
        from: None,
        to: None,
        course: Some(Box::new(Course {
            spec,
            by: Actor::Person(fixture::name("ana")),
            ticket: None,
            step: Some(0),
            since: fixture::at("13:59:02"),
            rolled: None,
            way_back: None,
            stopped: None,
        })),
    }));
    world.targets.insert_mut(target.clone(), Arc::new(view));
    let says = Says::Nothing("nothing was compared yet".to_owned());
    Arc::make_mut(&mut world.ahead).insert(target, Ahead { plan: STARTED, next, says, trial: None, anew: None, checks: Arc::from([]) });
    world
}

/// P8: whoever agrees to a rollout sees whom it brings to the new version before its first share, and by what weights.
#[test]
fn p8_the_order_says_who_the_testers_are_and_holds_every_weight_beside_the_shares() {
    let plan = plan(&shop(&IDLE), Verb::Rollout, Arguments::default());
    assert_eq!(plan.impossible, []);
    let spec = plan.order.rollout.as_ref().unwrap();
    let told = serde_json::to_value(spec).unwrap();
    assert_eq!((&told["testers"]["name"], &told["testers"]["value"], &told["mirror"]), (&"x-canary".into(), &"yes".into(), &50.into()));
    let steps: Vec<Vec<String>> = spec.steps.iter().map(|step| set(&step.effects)).collect();
    let testers = "edge: weights of be_testers to v1 0, v2 100";
    assert_eq!(steps[0], ["edge: weights of be_checkout to v1 100, v2 0", testers, "edge: weights of copied to v1 0, v2 50"]);
    assert_eq!(steps[1], ["edge: weights of be_checkout to v1 80, v2 20", testers, "edge: weights of copied to v1 0, v2 0"]);
    assert_eq!(steps[2], ["edge: weights of be_checkout to v1 0, v2 100", testers, "edge: weights of copied to v1 0, v2 0"]);
    assert!(
        plan.after.as_str().contains("0 % but testers (header x-canary=yes) and copies of 50 % of the requests, 20 %, 100 %"),
        "{}",
        plan.after
    );
    // An Order without them is what it was before there were any.
    let bare = planner::plan(&fixture::world(), plan.intent.clone(), &fixture::now(), "1").unwrap();
    let bare = String::from_utf8(bare.order.canonical().unwrap()).unwrap();
    assert!(!bare.contains("testers") && !bare.contains("mirror"), "{bare}");
}

#[test]
fn each_step_is_exactly_what_was_agreed_to_and_a_person_goes_the_same_way() {
    let world = under_way(&IDLE, Next::Person(String::new()));
    let spec = plan(&shop(&IDLE), Verb::Rollout, Arguments::default()).order.rollout.unwrap();
    let of = |step, percent| Arguments { of: Some(Box::new(PartOf { part: Part::Step { step }, rollout: STARTED })), ..to(percent) };
    let first = plan(&world, Verb::Shift, of(0, 0));
    assert_eq!((&first.order.effects, first.direction), (&spec.steps[0].effects, Direction::Forward), "testers go forward");
    assert_eq!(first.order.back.len(), 2, "and are taken back with the rest when a later one is refused");
    let second = plan(&under_way(&FIRST, Next::Person(String::new())), Verb::Shift, of(1, 20));
    assert_eq!(second.order.effects, spec.steps[1].effects);
    // By hand: first what lies before the first share, then that.
    assert_eq!(plan(&world, Verb::Promote, Arguments::default()).order.effects, spec.steps[0].effects);
    assert_eq!(plan(&shop(&FIRST), Verb::Promote, Arguments::default()).order.effects, spec.steps[1].effects);
}

#[test]
fn p14_a_way_back_takes_testers_and_copies_along_and_is_not_kept_by_what_is_missing() {
    let back = [
        "edge: weights of be_checkout to v1 100, v2 0",
        "edge: weights of be_testers to v1 100, v2 0",
        "edge: weights of copied to v1 0, v2 0",
    ];
    let world = under_way(&FIRST, Next::Person(String::new()));
    for (verb, args) in [(Verb::Abort, Arguments::default()), (Verb::Shift, to(0))] {
        let plan = plan(&world, verb, args);
        assert_eq!((set(&plan.order.effects), plan.direction), (back.map(str::to_owned).to_vec(), Direction::Back));
        assert!(plan.after.as_str().contains("testers (header x-canary=yes) go to 2.4.1; no request is copied"), "{}", plan.after);
    }
    // Found without a rollout: somebody promoted to the step before the first share by hand.
    assert_eq!(plan(&shop(&FIRST), Verb::Abort, Arguments::default()).impossible, []);
    assert_eq!(plan(&shop(&IDLE), Verb::Abort, Arguments::default()).impossible.len(), 1);
    let plan = plan(&under_way(&FIRST[..1], Next::Person(String::new())), Verb::Abort, Arguments::default());
    assert_eq!((plan.impossible, set(&plan.order.effects)), (Vec::new(), vec![back[0].to_owned()]));
    let left: Vec<_> = plan.evidence.iter().filter(|row| row.text.as_str().starts_with("LEFT OUT")).map(|row| row.text.as_str()).collect();
    assert_eq!(left, ["LEFT OUT: edge has no pool be_testers; it is not moved", "LEFT OUT: edge has no pool copied; it is not moved"]);
}

#[test]
fn what_the_routers_cannot_do_or_would_do_to_others_is_refused_when_planned() {
    let refused = |world: &World| {
        let plan = plan(world, Verb::Rollout, Arguments::default());
        plan.impossible.iter().map(|reason| reason.text.to_string()).collect::<Vec<_>>().join("; ")
    };
    assert!(refused(&shop(&IDLE[..2])).contains("edge has no pool copied"));
    assert!(refused(&shop(&[IDLE[0], IDLE[1], ("copied", 0, 0)])).is_empty());
    let with = |change: &dyn Fn(&mut Pool)| {
        let mut world = shop(&IDLE);
        let name = fixture::name("edge");
        let mut source = (**world.sources.get(&name).unwrap()).clone();
        let SourceFact::Traffic(fact) = &mut source.fact else { panic!("no router") };
        let mut reading = (**fact.value.as_ref().unwrap()).clone();
        reading.pools.values_mut().for_each(change);
        fact.value = Some(Arc::new(reading));
        world.sources.insert(name, Arc::new(source));
        refused(&world)
    };
    assert!(with(&|pool| pool.copies = false).contains("the servers of copied at edge get requests, not copies of them"));
    assert_eq!(with(&|pool| pool.ways = Some(vec![vec![header("x-canary", "yes")]])), "");
    assert!(
        with(&|pool| pool.ways = Some(vec![Vec::new()]))
            .contains("edge gives be_testers every request, and testers are header x-canary=yes")
    );
    let mut blunt = shop(&IDLE);
    let mut source = (**blunt.sources.get(&fixture::name::<crate::model::name::BackendName>("edge")).unwrap()).clone();
    source.capabilities = &[Capability::ReadTraffic, Capability::Shift];
    blunt.sources.insert(fixture::name("edge"), Arc::new(source));
    assert!(refused(&blunt).contains("edge cannot do that"));
}

#[test]
fn another_hand_at_the_testers_route_breaks_the_plan() {
    let made = plan(&shop(&IDLE), Verb::Promote, Arguments::default());
    let now = planner::recheck(&shop(&[IDLE[0], ("be_testers", 50, 50), IDLE[2]]), &made, &fixture::now());
    let broken: Vec<_> = now.preconditions.iter().filter(|checked| !checked.holds).collect();
    assert!(
        matches!(&broken[..], [one] if matches!(&one.must, Precondition::WeightsUnchanged { pool, .. } if pool.as_str() == "be_testers")),
        "{broken:?}"
    );
}

#[test]
fn the_first_step_as_it_looks() {
    for size in SIZES {
        let next = Next::Holds("would go to 20 %, but errors of the new version: no data".to_owned());
        let mut desk = at(under_way(&FIRST, next), Theme::standard(), size);
        desk.press("3").sees("header x-canary=yes");
        insta::assert_snapshot!(format!("testers-first-{}x{}", size.0, size.1), desk.text());
    }
}
