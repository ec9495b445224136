//! A target whose slots are workloads: what its plans hold and refuse, what its end brings down, and how it looks while one comes up.

use std::sync::Arc;

use super::workloads::{cluster, told};
use super::*;
use crate::control::planner;
use crate::control::world::{Ahead, Source, SourceFact, VersionSeen};
use crate::model::authorship::Span;
use crate::model::capability::Capability;
use crate::model::catalog::{Backend, BackendKind, Repository};
use crate::model::intent::{Arguments, Direction, Intent};
use crate::model::name::{PlanId, ServerName};
use crate::model::operator::Actor;
use crate::model::part::{Part, PartOf};
use crate::model::plan::{Plan, Precondition, StepEffect};
use crate::model::reading::Fact;
use crate::model::rollout::{Proven, Rollout};
use crate::model::share::{Percent, Share};
use crate::model::slot::Slot;
use crate::model::spec::{Course, Spec};
use crate::model::strategy::Strategy;
use crate::model::text::Text;
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState, TrafficReading};
use crate::model::workload::{
    Progress, Replicas, SlotWorkloads, WorkloadChange, WorkloadEntry, WorkloadForm, WorkloadKind, WorkloadName, WorkloadSeen,
};
use crate::policy::rollout::{Next, Says};

fn entry(name: &str) -> WorkloadEntry {
    WorkloadEntry {
        backend: fixture::name("k8s"),
        workload: WorkloadName { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: name.to_owned() },
        container: "main".to_owned(),
        image: "registry/web:$version".to_owned(),
    }
}

fn seen(name: &str, version: &str, wished: u32) -> WorkloadSeen {
    WorkloadSeen {
        name: entry(name).workload,
        uid: name.to_owned(),
        images: [("main".to_owned(), format!("registry/web:{version}")), ("side".to_owned(), "mesh:9".to_owned())].into(),
        partition: None,
        paused: false,
        strategy: Text::clean("RollingUpdate"),
        replicas: Replicas { wished, present: wished, updated: wished, ready: wished, available: wished },
        progress: Progress::Done,
        walk: None,
        autoscaler: None,
    }
}

/// Blue serves 2.4.1 with four instances; green ran 2.3.0 and has none.
fn idle() -> [WorkloadSeen; 2] {
    [seen("web-blue", "2.4.1", 4), seen("web-green", "2.3.0", 0)]
}

/// The shop whose checkout stands in two workloads, green getting so many per cent, as it was read two seconds ago.
fn shop(workloads: [WorkloadSeen; 2], share: u32) -> World {
    let mut world = fixture::world();
    let target = fixture::checkout();
    let mut catalog = (*world.catalog).clone();
    catalog.backends.insert(cluster().name, cluster());
    let deploy = catalog.services.get_mut(&target.service).unwrap().deploy.get_mut(&target.environment).unwrap();
    deploy.strategy = Strategy::BlueGreen;
    deploy.steps = vec![Percent::ALL];
    (deploy.version, deploy.deploy) = (None, None);
    deploy.workloads =
        Some(Box::new(SlotWorkloads { first: entry("web-blue"), second: entry("web-green"), replicas: None, after: Some(0) }));
    (deploy.rollout.judged, deploy.rollout.way_back) = (false, Vec::new());
    world.catalog = Arc::new(catalog);
    let version = |seen: &WorkloadSeen| {
        let image = seen.images.get("main").and_then(|image| entry("").version_of(image).map(str::to_owned)).unwrap_or_default();
        Some(VersionSeen { version: Text::clean(&image), digest: None, since: fixture::at("13:00:00") })
    };
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    view.versions = [version(&workloads[0]), version(&workloads[1])];
    (view.traffic[0].second_set, view.traffic[0].second_measured) = (Share::of(u64::from(share), 100), None);
    view.state.rollout = None;
    (view.signals, view.alerts) = (Vec::new(), Vec::new());
    world.targets.insert_mut(target, Arc::new(view));
    told(&mut world, workloads.into());
    router(&mut world, share, 2);
    world
}

fn read<T>(value: T) -> Fact<T> {
    let at = fixture::before(2);
    Fact { value: Some(Arc::new(value)), seen: Some(at), tried: Some(at), seq: 1, ..Fact::default() }
}

/// What the router says, so many seconds ago.
fn router(world: &mut World, share: u32, ago: i64) {
    let server = |name: &str, weight| Server {
        name: fixture::name(name),
        weight,
        effective_weight: weight,
        initial_weight: weight,
        greatest_weight: 256,
        state: ServerState::Up,
        requests: Some(0),
        errors: Some(0),
        current: 0,
    };
    let pool = Pool {
        name: fixture::name("be_checkout"),
        servers: vec![server("v1", 100 - share), server("v2", share)],
        copies: false,
        ways: None,
    };
    let process = RouterProcess { version: Text::clean("3.2"), pid: Some(1), started: None, start_mark: 1 };
    let reading = TrafficReading { process, pools: [(pool.name.clone(), pool)].into(), missing: Vec::new() };
    let configured = world.catalog.backends.get(&fixture::name("edge")).unwrap().clone();
    let fact = Fact { seen: Some(fixture::before(ago)), ..read(reading) };
    let source =
        Source { fact: SourceFact::Traffic(fact), capabilities: &[Capability::ReadTraffic, Capability::Shift], ..Source::new(&configured) };
    world.sources.insert(configured.name, Arc::new(source));
}

fn plan(world: &World, verb: Verb, args: Arguments) -> Plan {
    let requester = Actor::Person(fixture::name("ana"));
    planner::plan(world, Intent { verb, target: fixture::checkout(), args, requester, reason: Text::empty() }, &fixture::now(), "1")
        .unwrap()
}

fn to(version: &str) -> Arguments {
    Arguments { version: Some(Text::clean(version)), ..Arguments::default() }
}

fn share(percent: u8) -> Arguments {
    Arguments { percent: Percent::new(percent), ..Arguments::default() }
}

/// As the rules of the rollout order it.
fn of(part: Part, percent: Option<u8>) -> Arguments {
    let of = Some(Box::new(PartOf { part, rollout: PlanId([0x7c; 32]) }));
    Arguments { of, percent: percent.and_then(Percent::new), ..Arguments::default() }
}

fn spec() -> Spec {
    plan(&shop(idle(), 0), Verb::Rollout, to("2.5.0")).order.rollout.unwrap()
}

/// The same shop while a rollout of 2.5.0 stands at this step.
fn walking(workloads: [WorkloadSeen; 2], share: u32, step: Option<u32>) -> World {
    let mut world = shop(workloads, share);
    let target = fixture::checkout();
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    let version = |text: &str| Some(Text::clean(text));
    view.state.rollout = Some(Box::new(Rollout {
        begun: fixture::at("13:58:00"),
        by: "ana".to_owned(),
        plan: Some(PlanId([0x7c; 32])),
        from: version("2.4.1"),
        to: version("2.5.0"),
        course: Some(Box::new(Course {
            spec: spec(),
            by: Actor::Person(fixture::name("ana")),
            ticket: None,
            step,
            since: fixture::at("13:59:02"),
            rolled: None,
            way_back: None,
            stopped: None,
        })),
    }));
    world.targets.insert_mut(target, Arc::new(view));
    world
}

fn up() -> [WorkloadSeen; 2] {
    [seen("web-blue", "2.4.1", 4), seen("web-green", "2.5.0", 4)]
}

fn coming() -> [WorkloadSeen; 2] {
    let mut of = up();
    of[1].replicas = Replicas { wished: 4, present: 4, updated: 4, ready: 2, available: 2 };
    of[1].progress = Progress::Moving(Text::clean("2 of 4 new ones are available"));
    of
}

fn change(effect: &StepEffect) -> &WorkloadChange {
    effect.workload().unwrap_or_else(|| panic!("{effect:?}")).1
}

fn rules_of(plan: &Plan) -> Vec<&str> {
    let broken = plan.preconditions.iter().filter_map(|checked| checked.broken.as_ref());
    plan.impossible.iter().chain(broken).map(|reason| reason.rule.as_str()).collect()
}

fn form(version: &str, replicas: u32) -> WorkloadForm {
    WorkloadForm {
        images: [("main".to_owned(), format!("registry/web:{version}"))].into(),
        replicas: Some(replicas),
        ..WorkloadForm::default()
    }
}

/// P8: whoever agrees to a rollout sees what is brought up before anybody gets it, and what its end brings down.
#[test]
fn p8_the_order_brings_the_new_version_up_first_and_the_old_one_down_at_its_end() {
    let made = plan(&shop(idle(), 0), Verb::Rollout, to("2.5.0"));
    assert_eq!((made.direction, rules_of(&made)), (Direction::Forward, vec![]));
    let spec = made.order.rollout.as_ref().unwrap();
    assert_eq!(spec.steps.iter().map(|step| step.percent.get()).collect::<Vec<_>>(), [0, 100]);
    let first = change(&spec.steps[0].effects[0]);
    assert_eq!((first.workload.name.as_str(), &first.from, &first.wish), ("web-green", &form("2.3.0", 0), &form("2.5.0", 4)));
    assert!(spec.steps[1].effects.iter().all(|effect| effect.workload().is_none()));
    let [end] = spec.ends.as_slice() else { panic!("{spec:?}") };
    assert_eq!(
        (change(end).workload.name.as_str(), &change(end).from, &change(end).wish),
        ("web-blue", &form("2.4.1", 4), &form("2.4.1", 0))
    );
    assert_eq!(
        (made.released.from.version.clone(), made.released.to.version.clone()),
        (Some(Text::clean("2.4.1")), Some(Text::clean("2.5.0")))
    );
    for words in ["web-green to 4 instances, 100 % by itself", "then it is the stable version and web-blue to no instance"] {
        assert!(made.after.as_str().contains(words), "{}", made.after);
    }
    // An old Order without such a member is what it was.
    let between_slots = plan(&fixture::world(), Verb::Shift, share(50));
    assert!(!String::from_utf8(between_slots.order.canonical().unwrap()).unwrap().contains("\"ends\":["));
    let mut desk = at(shop(idle(), 0), Theme::standard(), (200, 60));
    desk.session = Session::new(SessionOptions {
        theme: Theme::standard(),
        keymap: Keymap::default(),
        size: (200, 60),
        nonce: Box::new(|| "1".to_owned()),
        screen: Screen::Board,
        target: Some(fixture::checkout()),
    })
    .governed(planner::plan, yes);
    desk.press("o").sees("version: ");
    desk.press("2 . 5 . 0 <ret>").sees("ROLLOUT checkout@prod ");
    desk.sees("web-green to image of main registry/web:2.5.0, 4 instances");
    desk.sees("web-blue to image of main registry/web:2.4.1, no instance, unless it gets traffic");
}

#[test]
fn nothing_is_brought_up_where_somebody_gets_what_stands_there() {
    assert_eq!(rules_of(&plan(&shop(up(), 20), Verb::Rollout, to("2.6.0"))), ["traffic", "no-step"]);
    assert_eq!(rules_of(&plan(&shop(idle(), 0), Verb::Rollout, to("2.4.1"))), ["no-change"]);
    let step = |share| plan(&walking(idle(), share, None), Verb::Shift, of(Part::Step { step: 0 }, Some(0)));
    let made = step(0);
    assert_eq!((rules_of(&made), made.direction, made.order.effects.len()), (vec![], Direction::Forward, 1));
    let weights = [("v2".parse::<ServerName>().unwrap(), 0)].into();
    let looked = |checked: &crate::model::plan::Checked| matches!(&checked.must, Precondition::WeightsUnchanged { weights: now, .. } if *now == weights);
    assert!(made.preconditions.iter().any(looked), "right before it is sent the router is looked at again");
    assert_eq!(rules_of(&step(20)), ["traffic"]);
    // A person sends it on in the same way.
    assert_eq!(plan(&walking(idle(), 0, None), Verb::Promote, Arguments::default()).order.effects, made.order.effects);
}

#[test]
fn traffic_goes_to_no_slot_without_an_instance_and_comes_back_whatever_stands_there() {
    // Of a slot that is down, whoever asks.
    let shift = plan(&shop(idle(), 0), Verb::Shift, share(20));
    assert_eq!(rules_of(&shift), ["no-instance"]);
    let fix = shift.preconditions.iter().find_map(|checked| checked.broken.as_ref()).unwrap().fix.to_string();
    assert!(fix.contains("gonogo rollout start checkout@prod --version"), "{fix}");
    let step = |workloads| plan(&walking(workloads, 0, Some(0)), Verb::Shift, of(Part::Step { step: 1 }, Some(100)));
    assert_eq!(rules_of(&step(up())), Vec::<&str>::new());
    // What was brought up is what gets it.
    let mut theirs = up();
    theirs[1] = seen("web-green", "hotfix", 4);
    assert_eq!(rules_of(&step(theirs)), ["changed"]);
    // The way back asks for nothing, leaves it standing, and says so.
    let mut broken = up();
    broken[1].replicas.ready = 0;
    let back = plan(&walking(broken, 100, Some(1)), Verb::Abort, Arguments::default());
    assert_eq!((rules_of(&back), back.direction), (vec![], Direction::Back));
    assert!(back.order.effects.iter().all(|effect| effect.workload().is_none()));
    assert!(back.after.as_str().contains("web-green keeps its 4 instances"), "{}", back.after);
}

/// After its end the old version is down: a rollback to it is refused with what brings it up, and goes at once where it was left.
#[test]
fn a_rollback_goes_to_no_version_that_is_down() {
    let back = |blue: u32| {
        let mut world = shop([seen("web-blue", "2.4.1", blue), seen("web-green", "2.5.0", 4)], 100);
        let target = fixture::checkout();
        let mut view = (**world.targets.get(&target).unwrap()).clone();
        view.state.stable = Slot::Second;
        let proven = |version: &str, slot| Proven { version: Text::clean(version), digest: None, slot, at: fixture::at("13:00:00") };
        view.state.proven = vec![proven("2.5.0", Slot::Second), proven("2.4.1", Slot::First)];
        world.targets.insert_mut(target, Arc::new(view));
        plan(&world, Verb::Rollback, Arguments::default())
    };
    assert_eq!((rules_of(&back(0)), rules_of(&back(4))), (vec!["no-instance"], vec![]));
    assert_eq!((back(4).direction, back(4).order.ends), (Direction::Back, Some(Slot::First)));
}

/// What gets traffic is never brought down, nor what is not known to get none.
#[test]
fn the_end_brings_the_old_version_down_only_where_no_router_gives_it_traffic() {
    let end = |world: &World| plan(world, Verb::Promote, of(Part::End, None));
    let down = end(&walking(up(), 100, Some(1)));
    assert_eq!((rules_of(&down), &down.order.effects, down.order.ends), (vec![], &spec().ends, Some(Slot::Second)));
    let left = |world: &World, why: &str| {
        let made = end(world);
        let told =
            made.evidence.iter().any(|one| one.warns && one.text.as_str().contains("LEFT AS IT IS") && one.text.as_str().contains(why));
        assert!(made.order.effects.is_empty() && told, "{why}: {:?}", made.evidence);
        assert_eq!(made.order.ends, Some(Slot::Second), "the rollout ends all the same");
    };
    // A router that says so now, though it was read as moved before; one that does not answer; another hand.
    let mut world = walking(up(), 100, Some(1));
    router(&mut world, 80, 2);
    left(&world, "edge gives traffic to v1, weight 20");
    let mut world = walking(up(), 100, Some(1));
    router(&mut world, 100, 600);
    left(&world, "edge is stale");
    let mut theirs = up();
    theirs[0] = seen("web-blue", "hotfix", 4);
    left(&walking(theirs, 100, Some(1)), "another hand");
}

#[test]
fn where_an_autoscaler_minds_it_any_number_stands_for_another_but_none() {
    let mut one = seen("web-green", "2.5.0", 6);
    assert!(!one.is_as(&form("2.5.0", 4)));
    one.autoscaler = Some(Text::clean("green"));
    assert!(one.is_as(&form("2.5.0", 4)) && !one.is_as(&form("2.5.0", 0)) && !one.is_as(&form("2.4.1", 6)));
    one.replicas.wished = 0;
    assert!(!one.is_as(&form("2.5.0", 4)) && one.is_as(&form("2.5.0", 0)));
}

/// P9: whoever made what lies between the version that runs and the one that is brought, not the one that stood in the other slot.
#[test]
fn p9_the_authors_of_a_rollout_are_of_the_version_that_it_brings() {
    let mut world = shop(idle(), 0);
    let mut catalog = (*world.catalog).clone();
    let backend = Backend { name: fixture::name("github"), kind: BackendKind::Github, ..catalog.backends[&fixture::name("ci")].clone() };
    catalog.backends.insert(backend.name.clone(), backend.clone());
    let service = catalog.services.get_mut(&fixture::checkout().service).unwrap();
    service.pipeline = None;
    service.repository = Some(Repository {
        backend: Some(backend.name.clone()),
        name: "acme/shop".to_owned(),
        paths: Vec::new(),
        tag: Some("v$version".to_owned()),
    });
    world.sources.insert(backend.name.clone(), Arc::new(Source::new(&backend)));
    world.catalog = Arc::new(catalog);
    let made = plan(&world, Verb::Rollout, to("2.5.0"));
    let wanted = Span { backend: backend.name, repository: "acme/shop".to_owned(), from: "v2.4.1".to_owned(), to: "v2.5.0".to_owned() };
    assert_eq!(made.authors.unwrap().span(), Some(&wanted));
}

#[test]
fn slots_as_they_look_while_one_comes_up() {
    let words = "web-green to 4 instances of 2.5.0, 2 ready; 2 of 4 new ones are available".to_owned();
    for (name, workloads, share, step, next) in
        [("up", coming(), 0, Some(0), Next::Rolls(words)), ("bakes", up(), 100, Some(1), Next::Bakes { until: fixture::at("14:29:02") })]
    {
        for size in [(80, 24), (120, 40), (200, 60)] {
            let mut world = walking(workloads.clone(), share, step);
            let says = Says::Nothing("nothing was compared yet".to_owned());
            let ahead = Ahead { plan: PlanId([0x7c; 32]), next: next.clone(), says, trial: None, anew: None, checks: Arc::from([]) };
            Arc::make_mut(&mut world.ahead).insert(fixture::checkout(), ahead);
            let mut desk = at(world, Theme::standard(), size);
            insta::assert_snapshot!(format!("slots-{name}-board-{}x{}", size.0, size.1), desk.text());
            desk.press("3");
            insta::assert_snapshot!(format!("slots-{name}-{}x{}", size.0, size.1), desk.text());
        }
    }
}
