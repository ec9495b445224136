//! A target that is a workload: what its plans hold and refuse, and how it looks while its instances are replaced.

use std::sync::Arc;

use super::*;
use crate::control::planner::{self, PlanError};
use crate::control::world::{Ahead, Source, SourceFact, VersionSeen};
use crate::model::capability::Capability;
use crate::model::catalog::{Backend, BackendKind};
use crate::model::intent::{Arguments, Direction, Intent};
use crate::model::name::PlanId;
use crate::model::operator::Actor;
use crate::model::part::{Part, PartOf};
use crate::model::plan::{Plan, Precondition, StepEffect};
use crate::model::reading::Fact;
use crate::model::rollout::Rollout;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::spec::Course;
use crate::model::strategy::{RolloutRules, Strategy, Trigger};
use crate::model::text::Text;
use crate::model::walk::{Failed, Walk};
use crate::model::workload::{Progress, Replicas, WorkloadEntry, WorkloadForm, WorkloadKind, WorkloadName, WorkloadReading, WorkloadSeen};
use crate::policy::rollout::{Next, Rolled, Says};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn entry(kind: WorkloadKind) -> WorkloadEntry {
    WorkloadEntry {
        backend: fixture::name("k8s"),
        workload: WorkloadName { kind, namespace: "shop".to_owned(), name: "checkout".to_owned() },
        container: "main".to_owned(),
        image: "registry/checkout:$version".to_owned(),
    }
}

fn seen(kind: WorkloadKind, version: &str) -> WorkloadSeen {
    WorkloadSeen {
        name: entry(kind).workload,
        uid: "u1".to_owned(),
        images: [("main".to_owned(), format!("registry/checkout:{version}")), ("side".to_owned(), "mesh:9".to_owned())].into(),
        partition: (kind == WorkloadKind::StatefulSet).then_some(0),
        paused: false,
        strategy: Text::clean("RollingUpdate"),
        replicas: Replicas { wished: 5, present: 5, updated: 5, ready: 5, available: 5 },
        progress: Progress::Done,
        walk: None,
        autoscaler: None,
    }
}

/// The cluster of these tests.
pub(super) fn cluster() -> Backend {
    Backend {
        name: fixture::name("k8s"),
        kind: BackendKind::Kubernetes,
        address: "kubeconfig /k".to_owned(),
        every: Duration::from_secs(5),
        stale_after: Duration::from_secs(15),
        lookup_within: Duration::from_mins(1),
        insecure: false,
    }
}

/// The cluster as a source that told of these workloads two seconds ago.
pub(super) fn told(world: &mut World, workloads: Vec<WorkloadSeen>) {
    let (backend, at) = (cluster(), fixture::before(2));
    let reading = Arc::new(WorkloadReading { workloads, missing: Vec::new() });
    let fact = SourceFact::Workloads(Fact { value: Some(reading), seen: Some(at), tried: Some(at), seq: 1, ..Fact::default() });
    let source = Source { fact, capabilities: &[Capability::ReadWorkloads, Capability::Replace], ..Source::new(&backend) };
    world.sources.insert(backend.name, Arc::new(source));
}

/// The shop whose checkout is a workload, as it was read two seconds ago.
fn shop(seen: WorkloadSeen, steps: &[u8]) -> World {
    let mut world = fixture::world();
    let (target, kind) = (fixture::checkout(), seen.name.kind);
    let mut catalog = (*world.catalog).clone();
    catalog.backends.insert(cluster().name, cluster());
    let deploy = catalog.services.get_mut(&target.service).unwrap().deploy.get_mut(&target.environment).unwrap();
    deploy.strategy = Strategy::Rolling;
    deploy.steps = steps.iter().filter_map(|step| Percent::new(*step)).collect();
    deploy.traffic.clear();
    (deploy.version, deploy.deploy) = (None, None);
    deploy.workload = Some(Box::new(entry(kind)));
    deploy.rollout = RolloutRules { judged: false, way_back: vec![Trigger::Stuck], ..RolloutRules::default() };
    world.catalog = Arc::new(catalog);
    told(&mut world, vec![seen.clone()]);
    let mut view = crate::control::world::TargetView::new(target.clone());
    view.versions[0] = Some(VersionSeen { version: Text::clean("2.4.1"), digest: None, since: fixture::at("13:00:00") });
    view.workload = Some(Arc::new(seen));
    world.targets.insert_mut(target, Arc::new(view));
    world
}

fn plan(world: &World, verb: Verb, args: Arguments) -> Result<Plan, PlanError> {
    let requester = Actor::Person(fixture::name("ana"));
    planner::plan(world, Intent { verb, target: fixture::checkout(), args, requester, reason: Text::empty() }, &fixture::now(), "1")
}

fn to(version: &str) -> Arguments {
    Arguments { version: Some(Text::clean(version)), ..Arguments::default() }
}

fn rules_of(plan: &Plan) -> Vec<&str> {
    plan.impossible.iter().map(|reason| reason.rule.as_str()).collect()
}

/// The shop while a rollout of 2.5.0 stands at this step.
fn rolling(kind: WorkloadKind, steps: &[u8], step: Option<u32>, now: WorkloadSeen, next: Next) -> World {
    let before = shop(seen(kind, "2.4.1"), steps);
    let spec = plan(&before, Verb::Rollout, to("2.5.0")).unwrap().order.rollout.unwrap();
    let mut world = shop(now, steps);
    let target = fixture::checkout();
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    let version = |text: &str| Some(Text::clean(text));
    view.versions[1] = Some(VersionSeen { version: Text::clean("2.5.0"), digest: None, since: fixture::at("13:59:02") });
    view.state.rollout = Some(Box::new(Rollout {
        begun: fixture::at("13:58:00"),
        by: "ana".to_owned(),
        plan: Some(PlanId([0x7c; 32])),
        from: version("2.4.1"),
        to: version("2.5.0"),
        course: Some(Box::new(Course {
            spec,
            by: Actor::Person(fixture::name("ana")),
            ticket: None,
            step,
            since: fixture::at("13:59:02"),
            rolled: None,
            way_back: None,
            stopped: None,
        })),
    }));
    world.targets.insert_mut(target.clone(), Arc::new(view));
    let says = Says::Nothing("nothing was compared yet".to_owned());
    Arc::make_mut(&mut world.ahead)
        .insert(target, Ahead { plan: PlanId([0x7c; 32]), next, says, trial: None, anew: None, checks: Arc::from([]) });
    world
}

fn half_way() -> WorkloadSeen {
    WorkloadSeen {
        replicas: Replicas { wished: 5, present: 6, updated: 2, ready: 5, available: 5 },
        progress: Progress::Moving(Text::clean("2 of 5 are new")),
        ..seen(WorkloadKind::Deployment, "2.5.0")
    }
}

fn forms(effect: &StepEffect) -> (&WorkloadForm, &WorkloadForm) {
    let StepEffect::Workload { change, .. } = effect else { panic!("{effect:?}") };
    (&change.from, &change.wish)
}

/// P8: whoever agrees to a rollout sees every image and partition that it will set, and what a way back sets.
#[test]
fn p8_the_order_holds_every_image_and_partition_and_what_it_goes_back_to() {
    let world = shop(seen(WorkloadKind::StatefulSet, "2.4.1"), &[30, 60, 100]);
    let made = plan(&world, Verb::Rollout, to("2.5.0")).unwrap();
    assert_eq!((made.direction, rules_of(&made)), (Direction::Forward, vec![]));
    let spec = made.order.rollout.as_ref().unwrap();
    let set: Vec<_> = spec.steps.iter().map(|step| forms(&step.effects[0])).collect();
    let image = |form: &WorkloadForm| form.images["main"].clone();
    assert_eq!(set.iter().map(|(_, wish)| wish.partition).collect::<Vec<_>>(), [Some(3), Some(2), Some(0)]);
    assert!(set.iter().all(|(_, wish)| image(wish) == "registry/checkout:2.5.0" && wish.images.len() == 1));
    // Each stands on the one before it, the first on what was read.
    assert_eq!(image(set[0].0), "registry/checkout:2.4.1");
    assert!(set.windows(2).all(|pair| pair[1].0 == pair[0].1));
    let back = spec.back.as_ref().unwrap();
    assert_eq!((image(back).as_str(), back.partition), ("registry/checkout:2.4.1", Some(0)));
    assert!(made.preconditions.iter().any(|checked| matches!(&checked.must, Precondition::WorkloadAs { uid, .. } if uid == "u1")));
    assert_eq!(made.released.to.version, Some(Text::clean("2.5.0")));
    let mut desk = at(world, Theme::standard(), (200, 60));
    desk.session = Session::new(SessionOptions {
        theme: Theme::standard(),
        keymap: Keymap::default(),
        size: (200, 60),
        nonce: Box::new(|| "1".to_owned()),
        screen: Screen::Board,
        target: Some(fixture::checkout()),
    })
    .governed(planner::plan, yes);
    // The version is asked for, as nothing of it stands anywhere yet.
    desk.press("o").sees("version: ");
    desk.press("2 . 5 . 0 <ret>").sees("ROLLOUT checkout@prod ");
    for words in ["ordinals from 3 on replaced", "ordinals from 2 on replaced", "registry/checkout:2.4.1"] {
        desk.sees(words);
    }
}

#[test]
fn what_cannot_be_replaced_is_refused_with_words() {
    let of = |change: fn(&mut WorkloadSeen)| {
        let mut now = seen(WorkloadKind::Deployment, "2.4.1");
        change(&mut now);
        let world = shop(now, &[100]);
        plan(&world, Verb::Rollout, to("2.5.0")).unwrap()
    };
    assert_eq!(rules_of(&of(|now| now.paused = true)), ["paused"]);
    assert_eq!(rules_of(&of(|now| now.strategy = Text::clean("Recreate"))), ["unsupported"]);
    assert_eq!(rules_of(&of(|now| now.progress = Progress::Moving(Text::clean("1 of 5 are new")))), ["moving"]);
    assert_eq!(rules_of(&of(|now| drop(now.images.remove("main")))), ["missing"]);
    assert_eq!(rules_of(&of(|now| drop(now.images.insert("main".to_owned(), "registry/checkout:2.5.0".to_owned())))), ["no-change"]);
    let world = shop(seen(WorkloadKind::Deployment, "2.4.1"), &[100]);
    assert!(
        matches!(plan(&world, Verb::Rollout, Arguments::default()), Err(PlanError::Arguments(text)) if text.as_str().contains("--version"))
    );
    assert!(matches!(plan(&world, Verb::Rollout, to("2.5 --privileged")), Err(PlanError::Arguments(_))));
    for (verb, rule) in
        [(Verb::Shift, "unsupported"), (Verb::Promote, "no-rollout"), (Verb::Abort, "no-rollout"), (Verb::Rollback, "no-rollout")]
    {
        let args = Arguments { percent: Percent::new(20), ..Arguments::default() };
        assert_eq!(rules_of(&plan(&world, verb, args).unwrap()), [rule], "{verb:?}");
    }
    // Between two slots the version is what was deployed there.
    assert!(matches!(plan(&fixture::world(), Verb::Rollout, to("2.5.0")), Err(PlanError::Arguments(_))));
}

#[test]
fn an_automatic_way_back_overwrites_no_other_hand_and_a_person_is_told() {
    let back = |now: WorkloadSeen, by_rule: bool| {
        let world = rolling(WorkloadKind::Deployment, &[100], Some(0), now, Next::Rolls(String::new()));
        let of = by_rule.then(|| Box::new(PartOf { part: Part::WayBack, rollout: PlanId([0x7c; 32]) }));
        plan(&world, Verb::Abort, Arguments { of, ..Arguments::default() }).unwrap()
    };
    let ours = back(half_way(), true);
    assert_eq!((rules_of(&ours), ours.order.ends, ours.direction), (vec![], Some(Slot::First), Direction::Back));
    let (from, wish) = forms(&ours.order.effects[0]);
    assert_eq!((from.images["main"].as_str(), wish.images["main"].as_str()), ("registry/checkout:2.5.0", "registry/checkout:2.4.1"));
    assert_eq!(wish.paused, Some(false), "a way back is never held up by a pause");
    let theirs = || seen(WorkloadKind::Deployment, "hotfix");
    assert_eq!(rules_of(&back(theirs(), true)), ["changed"]);
    let by_hand = back(theirs(), false);
    assert!(by_hand.impossible.is_empty() && by_hand.evidence.iter().any(|one| one.warns && one.text.as_str().contains("overwritten")));
}

/// A rollout of Argo Rollouts at one of its four steps.
fn walked(step: u32, pauses: &[&str]) -> WorkloadSeen {
    let told =
        "step 2 of 4 (pause); weight 20 %; CanaryPauseStep since 2026-11-21T13:59:40Z; 1 of 5 are new; analysis checkout-5 Successful";
    WorkloadSeen {
        replicas: Replicas { wished: 5, present: 6, updated: 1, ready: 6, available: 6 },
        strategy: Text::clean("Canary"),
        progress: if pauses.is_empty() { Progress::Moving(Text::clean(told)) } else { Progress::Waits(Text::clean(told)) },
        walk: Some(Walk {
            step,
            steps: 4,
            weight: Some(20),
            pauses: pauses.iter().map(|reason| Text::clean(reason)).collect(),
            released: false,
            aborted: false,
            full: false,
            analyses: Vec::new(),
            phase: None,
            failed: None,
        }),
        ..seen(WorkloadKind::Rollout, "2.5.0")
    }
}

/// P8: past one step, past all, or anew: from where it stands and to what is told, and nothing else.
#[test]
fn p8_a_rollout_of_argo_is_moved_along_its_own_steps_from_where_it_was_planned() {
    let world = |now| rolling(WorkloadKind::Rollout, &[100], Some(0), now, Next::Person(String::new()));
    let full = || Arguments { full: true, ..Arguments::default() };
    let at = walked(1, &["CanaryPauseStep"]);
    let course = world(at.clone()).target(&fixture::checkout()).unwrap().state.rollout.clone().unwrap().course.unwrap();
    let back = course.spec.back.unwrap();
    assert_eq!((back.images["main"].as_str(), back.paused, back.full), ("registry/checkout:2.4.1", Some(false), Some(true)));
    let on = plan(&world(at.clone()), Verb::Promote, Arguments::default()).unwrap();
    let (from, wish) = forms(&on.order.effects[0]);
    assert_eq!((from.step, wish.step, wish.full, wish.images["main"].as_str()), (Some(1), Some(2), None, "registry/checkout:2.5.0"));
    assert_eq!((rules_of(&on), on.order.ends, on.order.percent), (vec![], None, None));
    let all = plan(&world(at.clone()), Verb::Promote, full()).unwrap();
    assert_eq!((rules_of(&all), forms(&all.order.effects[0]).1.full, all.order.ends), (vec![], Some(true), None));
    // Given up there, it is begun anew by a retry alone.
    let mut given_up = walked(0, &[]);
    given_up.walk.as_mut().unwrap().aborted = true;
    assert_eq!(rules_of(&plan(&world(given_up.clone()), Verb::Promote, full()).unwrap()), ["aborted"]);
    let again = plan(&world(given_up), Verb::Retry, Arguments::default()).unwrap();
    let (from, wish) = forms(&again.order.effects[0]);
    assert_eq!((rules_of(&again), from.aborted, wish.aborted, again.direction), (vec![], Some(true), Some(false), Direction::Forward));
    // Another hand's image is promoted by nobody.
    let theirs = WorkloadSeen { images: seen(WorkloadKind::Rollout, "hotfix").images, ..at };
    assert_eq!(rules_of(&plan(&world(theirs), Verb::Promote, Arguments::default()).unwrap()), ["changed"]);
    // What walks no steps has none to skip.
    let deployment = rolling(WorkloadKind::Deployment, &[100], Some(0), half_way(), Next::Rolls(String::new()));
    for world in [deployment, fixture::world()] {
        assert!(matches!(plan(&world, Verb::Promote, full()), Err(PlanError::Arguments(text)) if text.as_str().contains("--full")));
    }
}

/// A canary of Flagger at the second of its five weights, or promoted.
fn analysed(phase: &str, full: bool) -> WorkloadSeen {
    let told = format!("{phase}: step 2 of 5; weight 20 %; failed checks 1 of 3; 1 of 5 are new");
    WorkloadSeen {
        replicas: Replicas { wished: 5, present: 6, updated: if full { 5 } else { 1 }, ready: 6, available: 6 },
        strategy: Text::clean("canary"),
        progress: if full { Progress::Done } else { Progress::Moving(Text::clean(&told)) },
        walk: Some(Walk {
            step: 1,
            steps: 5,
            weight: Some(20),
            pauses: Vec::new(),
            released: false,
            aborted: false,
            full,
            analyses: Vec::new(),
            phase: Some(Text::clean(phase)),
            failed: Some(Failed { checks: 1, most: 3 }),
        }),
        ..seen(WorkloadKind::Canary, "2.5.0")
    }
}

/// P8: what Flagger alone does is refused with what does it there; what it offers is planned with what it means there.
#[test]
fn p8_a_canary_is_promoted_by_flagger_alone_held_by_its_suspension_and_taken_back_by_its_images() {
    let world = |now| rolling(WorkloadKind::Canary, &[100], Some(0), now, Next::Rolls(String::new()));
    let at = analysed("Progressing", false);
    for full in [false, true] {
        let on = plan(&world(at.clone()), Verb::Promote, Arguments { full, ..Arguments::default() }).unwrap();
        assert!(on.order.effects.is_empty() && rules_of(&on) == ["unsupported"], "{on:?}");
        assert!(on.impossible[0].text.as_str().contains("Flagger alone promotes Canary shop/checkout"));
        assert!(on.impossible[0].fix.as_str().contains("spec.skipAnalysis"));
    }
    let hold = plan(&world(at.clone()), Verb::Hold, Arguments::default()).unwrap();
    assert_eq!(forms(&hold.order.effects[0]).1.paused, Some(true));
    assert!(hold.after.as_str().contains("its weights stay as they are"), "{}", hold.after);
    let back = |now| plan(&world(now), Verb::Abort, Arguments::default()).unwrap();
    let told = |plan: &Plan, words: &str, warns| plan.evidence.iter().any(|one| one.warns == warns && one.text.as_str().contains(words));
    let under_way = back(at);
    let (from, wish) = forms(&under_way.order.effects[0]);
    assert_eq!((from.images["main"].as_str(), wish.images["main"].as_str()), ("registry/checkout:2.5.0", "registry/checkout:2.4.1"));
    assert_eq!((wish.paused, wish.full), (Some(false), None));
    assert!(told(&under_way, "until Flagger ends its analysis", false));
    assert!(told(&back(analysed("Succeeded", true)), "goes through the whole analysis", true));
    assert!(told(&back(analysed("Promoting", false)), "goes through the whole analysis", true));
    // Nothing of it is begun anew but by another version.
    assert!(plan(&world(analysed("Failed", false)), Verb::Retry, Arguments::default()).map_or(true, |plan| plan.order.effects.is_empty()));
    let other = WorkloadSeen { strategy: Text::clean("targetRef"), ..seen(WorkloadKind::Canary, "2.4.1") };
    let start =
        plan(&shop(other, &[100]), Verb::Rollout, Arguments { version: Some(Text::clean("2.5.0")), ..Arguments::default() }).unwrap();
    assert_eq!(rules_of(&start), ["unsupported"]);
}

#[test]
fn a_hold_pauses_a_deployment_and_its_end_goes_on() {
    let world = |now| rolling(WorkloadKind::Deployment, &[100], Some(0), now, Next::Rolls(String::new()));
    let hold = plan(&world(half_way()), Verb::Hold, Arguments::default()).unwrap();
    assert_eq!(forms(&hold.order.effects[0]).1.paused, Some(true));
    assert_eq!((hold.direction, hold.order.percent), (Direction::Still, None));
    let ordinals = rolling(WorkloadKind::StatefulSet, &[30, 100], Some(0), seen(WorkloadKind::StatefulSet, "2.5.0"), Next::End);
    let hold = plan(&ordinals, Verb::Hold, Arguments::default()).unwrap();
    assert!(hold.order.effects.is_empty() && hold.after.as_str().contains("no other follows"), "{}", hold.after);
}

#[test]
fn workloads_as_they_look() {
    let stuck = WorkloadSeen {
        progress: Progress::Stuck(Text::clean("it exceeded its progress deadline: ReplicaSet \"checkout-5\" has timed out progressing.")),
        ..half_way()
    };
    let back = Next::BackAt { at: fixture::at("14:03:32"), since: fixture::at("14:03:22"), trigger: Trigger::Stuck, words: stuck.told() };
    let waits = walked(1, &["CanaryPauseStep"]);
    let person = Next::Person(format!("{}; gonogo promote checkout@prod sends it on", waits.told()));
    for (name, now, next) in [
        ("waits", waits, person),
        ("analysed", analysed("Progressing", false), Next::Rolls(analysed("Progressing", false).told())),
        ("rolls", half_way(), Next::Rolls(half_way().told())),
        ("stuck", stuck, back),
        ("bakes", seen(WorkloadKind::Deployment, "2.5.0"), Next::Bakes { until: fixture::at("14:29:02") }),
    ] {
        for size in SIZES {
            let world = rolling(now.name.kind, &[100], Some(0), now.clone(), next.clone());
            let mut desk = at(world, Theme::standard(), size);
            insta::assert_snapshot!(format!("workloads-{name}-board-{}x{}", size.0, size.1), desk.text());
            desk.press("3");
            insta::assert_snapshot!(format!("workloads-{name}-{}x{}", size.0, size.1), desk.text());
        }
    }
    assert_eq!(Rolled::default(), Rolled::No);
}
