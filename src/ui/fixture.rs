//! Hand-built worlds for the tests of the glass: one shop, one moment, one bad canary.
// long because: one story that every screen's snapshots share is easier to keep true in one place.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::control::chart::{Chart, Point, Side};
use crate::control::world::{EntryTraffic, Measure, SignalState, SignalView, SourceFact, TargetView, VersionSeen, World};
use crate::model::alert::{Alert, AlertReading};
use crate::model::capability::Capability;
use crate::model::catalog::{
    Assurance, Backend, BackendKind, Catalog, Deploy, Environment, PipelineRef, Protection, Room, Service, Signal, SignalKind, Strategy,
    TrafficEntry, VersionSource,
};
use crate::model::deed::{Deed, DeedState, DeedStep, Facts};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::intent::{Direction, Intent, Verb};
use crate::model::judging::ServiceJudge;
use crate::model::name::{EnvironmentName, PlanId, PoolName, Target};
use crate::model::operator::{Actor, Grant, Person};
use crate::model::pipeline::{Builder, LogRef, Run, RunId, RunReading, RunState, RunStep};
use crate::model::plan::{Checked, Cost, Evidence, Order, OrderTarget, Plan, Precondition, StepEffect};
use crate::model::reading::Fact;
use crate::model::rollout::{Hold, Proven, Rollout};
use crate::model::share::{Percent, Share};
use crate::model::signal::{Better, SignalReading};
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::{Happening, HappeningKind};
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState, TrafficReading};

/// Parses a name that is known to be right.
pub fn name<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

/// Friday 14:03:22 UTC, an hour after boot.
pub fn now() -> Moment {
    Moment { wall: at("14:03:22"), boot: Boot(3_600_000) }
}

/// A time of that day.
pub fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

/// This many seconds before now.
pub fn before(seconds: i64) -> Moment {
    let now = now();
    Moment { wall: now.wall - TimeDelta::seconds(seconds), boot: Boot(now.boot.0 - u64::try_from(seconds).unwrap() * 1000) }
}

fn backend(named: &str, kind: BackendKind, every: u64) -> Backend {
    Backend {
        name: name(named),
        kind,
        address: format!("http://{named}.example"),
        every: Duration::from_secs(every),
        stale_after: Duration::from_secs(every * 3),
        lookup_within: Duration::from_mins(1),
        insecure: false,
    }
}

fn environment(named: &str, order: u32, protection: Protection) -> Environment {
    Environment {
        gates: crate::model::gate::Gates::default(),
        scheduling: crate::model::catalog::Scheduling::default(),
        name: name(named),
        order,
        hold_time: Duration::from_mins(5),
        effective_within: Duration::from_secs(30),
        min_requests: 50,
        assurance: Assurance::T0,
        protection,
        self_service: Vec::new(),
    }
}

fn deploy(service: &str) -> Deploy {
    Deploy {
        flags: Vec::new(),
        strategy: Strategy::Canary,
        steps: [5, 10, 20, 50, 80, 100].into_iter().filter_map(Percent::new).collect(),
        traffic: vec![TrafficEntry {
            backend: name("edge"),
            pool: name(&format!("be_{service}")),
            first: vec![name("v1")],
            second: vec![name("v2")],
            testers: None,
            mirror: None,
        }],
        testers: None,
        mirror: None,
        workload: None,
        workloads: None,
        version: Some(VersionSource { backend: name("prom"), query: "app_info".into(), label: "version".to_owned(), digest: None }),
        deploy: Some(PipelineRef {
            backend: name("ci"),
            builder: format!("{service}-deploy"),
            scheduler: Some("force".to_owned()),
            properties: BTreeMap::new(),
        }),
        github_environment: None,
        protection: None,
        rollout: crate::model::strategy::RolloutRules::default(),
    }
}

fn service(named: &str, environments: &[&str]) -> Service {
    Service {
        name: name(named),
        team: Some("payments".to_owned()),
        tier: Some(1),
        repository: None,
        depends_on: Vec::new(),
        alerts: None,
        pipeline: Some(PipelineRef {
            backend: name("ci"),
            builder: named.to_owned(),
            scheduler: Some("force".to_owned()),
            properties: BTreeMap::new(),
        }),
        deploy: environments.iter().map(|environment| (name::<EnvironmentName>(environment), Box::new(deploy(named)))).collect(),
        signals: vec![Signal {
            name: name("errors"),
            kind: SignalKind::Value { query: "errors".into() },
            backend: name("prom"),
            better: Better::Lower,
            limit: Some(0.01),
            unit: "ratio".to_owned(),
            critical: true,
            margin: None,
            weight: None,
        }],
        judge: ServiceJudge::default(),
        stateful: None,
    }
}

/// The shop's catalog.
pub fn catalog() -> Catalog {
    let protected = Protection { approvals: 2, typed_confirmation: true, ..Protection::default() };
    let services = [
        ("checkout", &["staging", "prod"][..]),
        ("inventory", &["staging"]),
        ("ledger", &["staging", "prod"]),
        ("mail", &["staging", "prod"]),
        ("search", &["prod"]),
    ];
    Catalog {
        room: Room {
            name: "shop".to_owned(),
            timezone: "UTC".to_owned(),
            theme: "default".to_owned(),
            keymap: "default".to_owned(),
            bell: false,
            notify: false,
            title: false,
            mouse: false,
            read_only: false,
        },
        people: vec![Person {
            name: name("ana"),
            os_user: Some("ana".to_owned()),
            keys: Vec::new(),
            emails: Vec::new(),
            logins: Vec::new(),
            bots: Vec::new(),
            teams: Vec::new(),
            roles: vec![Grant { role: name("release-captain"), environments: Vec::new(), services: Vec::new() }],
        }],
        backends: [
            backend("prom", BackendKind::Prometheus, 5),
            backend("alerts", BackendKind::Alertmanager, 5),
            backend("edge", BackendKind::Haproxy, 1),
            backend("ci", BackendKind::Buildbot, 5),
        ]
        .into_iter()
        .map(|backend| (backend.name.clone(), backend))
        .collect(),
        environments: vec![environment("staging", 2, Protection::default()), environment("prod", 3, protected)],
        services: services.into_iter().map(|(named, environments)| (name(named), service(named, environments))).collect(),
        simulated: false,
        timetable: crate::model::timetable::Timetable::default(),
        objectives: Vec::new(),
        sets: Vec::new(),
        discoveries: Vec::new(),
        handoffs: Vec::new(),
        rules_digest: "0".repeat(64),
    }
}

fn seen<T>(value: T, seconds: i64) -> Fact<T> {
    Fact { value: Some(Arc::new(value)), seen: Some(before(seconds)), trouble: None, failures: 0, seq: 1, tried: Some(before(seconds)) }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a version may be missing")]
fn version(text: &str, since: &str) -> Option<VersionSeen> {
    Some(VersionSeen { version: Text::clean(text), digest: None, since: at(since) })
}

fn traffic(service: &str, share: u64) -> Vec<EntryTraffic> {
    vec![EntryTraffic {
        backend: name("edge"),
        pool: name(&format!("be_{service}")),
        second_set: Share::of(share, 100),
        second_measured: Share::of(share * 10, 1000).map(|share| (share, 312)),
        up: [1, 1],
        servers: [1, 1],
        missing: Vec::new(),
        rate: Some(31.2),
    }]
}

fn measure(value: f64, bad: f64, total: f64) -> Measure {
    Measure { value: Some(value), bad: Some(bad), total: Some(total), missing: None, newest: Some(at("14:03:20")) }
}

fn errors(stable: f64, canary: f64, state: SignalState, sentence: &str) -> SignalView {
    SignalView {
        name: name("errors"),
        backend: name("prom"),
        better: Better::Lower,
        limit: Some(0.01),
        unit: "ratio".to_owned(),
        critical: true,
        stable: measure(stable, 21.0, 5255.0),
        canary: measure(canary, 27.0, 1281.0),
        whole: measure((stable * 4.0 + canary) / 5.0, 48.0, 6536.0),
        difference: Some((canary - stable, 0.009, 0.025)),
        state,
        sentence: Text::clean(sentence),
        queries: vec![Text::clean("http_requests_total{service=\"checkout\"}[2m]")],
        window_s: Some(120),
    }
}

fn target(service: &str, environment: &str) -> Target {
    Target::new(name(service), name(environment))
}

/// The one that the stories are about.
pub fn checkout() -> Target {
    target("checkout", "prod")
}

fn bad_canary() -> TargetView {
    let mut view = TargetView::new(checkout());
    view.traffic = traffic("checkout", 20);
    view.versions = [version("2.4.1", "09:00:00"), version("2.5.0", "13:41:00")];
    view.signals = vec![
        Arc::new(errors(0.004, 0.021, SignalState::Worse, "errors 2.1 %, limit 1: 27 of 1,281 (old 21 of 5,255)")),
        Arc::new(SignalView {
            name: name("latency"),
            unit: "ms".to_owned(),
            limit: Some(300.0),
            critical: false,
            stable: Measure { value: Some(210.0), ..measure(0.0, 0.0, 0.0) },
            canary: Measure { value: None, missing: Some(Text::clean("needs two samples")), ..measure(0.0, 0.0, 0.0) },
            difference: None,
            sentence: Text::clean("latency has no data for the new version"),
            ..errors(0.0, 0.0, SignalState::NoData, "")
        }),
    ];
    view.state.rollout = Some(Box::new(Rollout {
        begun: at("13:41:00"),
        by: "ana".to_owned(),
        plan: Some(PlanId([0x7c; 32])),
        from: Some(Text::clean("2.4.1")),
        to: Some(Text::clean("2.5.0")),
        course: None,
    }));
    view.state.proven = vec![Proven { version: Text::clean("2.4.1"), digest: None, slot: Slot::First, at: at("13:40:00") }];
    view.since = Some(at("13:59:02"));
    view.alerts = vec![Arc::new(alert())];
    let points: Chart = (0..120_i32)
        .map(|n| {
            let late = f64::from((n - 90).max(0)) / 30.0;
            Point {
                at_ms: at("13:44:00").timestamp_millis() + i64::from(n) * 10_000,
                stable: Side { value: Some(0.004), of: Some(5_250.0) },
                canary: Side { value: (n > 60).then_some(0.004 + 0.017 * late), of: (n > 60).then_some(1_280.0) },
            }
        })
        .collect();
    view.charts = vec![(name("errors"), points)];
    view
}

fn alert() -> Alert {
    Alert {
        fingerprint: Text::clean("f1"),
        name: Text::clean("CheckoutErrors"),
        severity: Text::clean("page"),
        labels: vec![(Text::clean("service"), Text::clean("checkout"))],
        annotations: vec![(Text::clean("summary"), Text::clean("checkout fails"))],
        since: at("14:01:50"),
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        source_url: Text::empty(),
    }
}

fn quiet(of: Target, running: &str) -> TargetView {
    let mut view = TargetView::new(of);
    view.traffic = traffic(view.target.service.as_str(), 0);
    view.versions = [version(running, "09:00:00"), None];
    view.signals = vec![Arc::new(errors(0.001, 0.001, SignalState::Within, "errors 0.1 %, limit 1"))];
    view.since = Some(at("05:00:00"));
    view
}

fn happenings() -> VecDeque<Happening> {
    let line = |time, kind, text: &str, source: &str| Happening {
        at: at(time),
        kind,
        target: Some(checkout()),
        text: Text::clean(text),
        source: source.to_owned(),
        deed: None,
        links: Vec::new(),
    };
    let deed = |time, verb, state, text: &str, source: &str| Happening {
        deed: Some((verb, state)),
        ..line(time, HappeningKind::Deed, text, source)
    };
    VecDeque::from([
        line("13:41:00", HappeningKind::Change, "rollout of 2.5.0 begins", "edge"),
        deed("13:59:01", Verb::Shift, DeedState::Intended, "shift INTENDED: be_checkout v2 to 20, because \"all green at 10\"", "ana"),
        deed("13:59:02", Verb::Shift, DeedState::Effective, "shift EFFECTIVE: measured 20 of 100 requests", "ana"),
        deed("13:59:40", Verb::Promote, DeedState::Denied, "promote DENIED: bo is no release captain in prod", "bo"),
        deed("14:00:02", Verb::Start, DeedState::Unknown, "start UNKNOWN: no answer came within 10 s", "ana"),
        deed("14:00:40", Verb::Start, DeedState::Failed, "start FAILED: the run did not begin", "ana"),
        line("14:01:50", HappeningKind::Alert, "CheckoutErrors fires", "alerts"),
    ])
}

fn run(number: u64, state: RunState) -> Run {
    let step = |n, named: &str, state, from, to: Option<&str>| RunStep {
        number: n,
        name: Text::clean(named),
        state,
        words: Text::empty(),
        started: Some(at(from)),
        ended: to.map(at),
        logs: vec![LogRef { id: 900 + u64::from(n), name: Text::clean("stdio"), lines: 120, complete: to.is_some() }],
    };
    Run {
        id: RunId { backend: name("ci"), number },
        number: number - 4400,
        builder: Text::clean("checkout-deploy"),
        state,
        words: Text::clean("building"),
        reason: Text::clean("deploy 2.5.0"),
        revision: Text::clean("a1b2c3d4"),
        branch: Text::clean("main"),
        by: Text::clean("ana"),
        asked_by: Vec::new(),
        asked: Some(at("14:00:00")),
        started: Some(at("14:00:05")),
        ended: None,
        properties: BTreeMap::new(),
        retry_of: None,
        attempt: None,
        gates: Vec::new(),
        steps: vec![
            step(0, "git", RunState::Passed, "14:00:05", Some("14:00:15")),
            step(1, "build", RunState::Passed, "14:00:15", Some("14:02:25")),
            step(2, "deploy", RunState::Running, "14:02:25", None),
        ],
    }
}

/// The shop with a bad canary at 20 %.
pub fn world() -> World {
    let mut world = World::new(Arc::new(catalog()), Actor::Person(name("ana")), false, before(600));
    world.generation = 1;
    for view in [
        bad_canary(),
        quiet(target("checkout", "staging"), "2.5.0"),
        quiet(target("inventory", "staging"), "7.0.1"),
        quiet(target("ledger", "prod"), "1.9.2"),
        quiet(target("ledger", "staging"), "1.9.3"),
        quiet(target("mail", "prod"), "2.1.9"),
        quiet(target("mail", "staging"), "2.1.9"),
        quiet(target("search", "prod"), "3.1.4"),
    ] {
        world.targets.insert_mut(view.target.clone(), Arc::new(view));
    }
    let process = RouterProcess { version: Text::clean("2.6.12"), pid: Some(7), started: None, start_mark: 1 };
    set(
        &mut world,
        "edge",
        SourceFact::Traffic(seen(TrafficReading { process, pools: pools(), missing: Vec::new() }, 1)),
        &[Capability::ReadTraffic, Capability::Shift],
    );
    let reading =
        SignalReading { answers: Vec::new(), warnings: Vec::new(), rules: Vec::new(), targets_up: 4, targets: 4, backend_clock: None };
    set(&mut world, "prom", SourceFact::Metrics(seen(reading, 3)), &[Capability::ReadSignals]);
    let reading = AlertReading { alerts: vec![alert()], groups: Vec::new(), silences: Vec::new(), backend_clock: None };
    set(&mut world, "alerts", SourceFact::Alerts(seen(reading, 2)), &[Capability::ReadAlerts]);
    let builder = Builder {
        name: Text::clean("checkout-deploy"),
        id: 3,
        runs: vec![run(4417, RunState::Running), run(4409, RunState::Passed)],
        queued: Vec::new(),
    };
    let reading =
        RunReading { builders: BTreeMap::from([("checkout-deploy".to_owned(), builder)]), missing: Vec::new(), backend_clock: None };
    set(
        &mut world,
        "ci",
        SourceFact::Ci(seen(reading, 4)),
        &[Capability::ReadRuns, Capability::Logs, Capability::Start, Capability::Retry, Capability::Cancel],
    );
    world.timeline = Arc::new(happenings());
    world.ledger.read = true;
    world.ledger.installation = "shop".to_owned();
    world
}

fn set(world: &mut World, named: &str, fact: SourceFact, capabilities: &'static [Capability]) {
    let mut source = (**world.sources.get(&name(named)).unwrap()).clone();
    (source.fact, source.capabilities, source.reached) = (fact, capabilities, Some(at("13:00:00")));
    world.sources.insert(name(named), Arc::new(source));
}

/// The same shop; prom was read last 40 s ago and refuses since.
pub fn lost_prom() -> World {
    let mut world = world();
    let reading =
        SignalReading { answers: Vec::new(), warnings: Vec::new(), rules: Vec::new(), targets_up: 4, targets: 4, backend_clock: None };
    let trouble = PortError::new(PortErrorKind::Unreachable, &name("prom"), "read signals", "connection refused");
    set(&mut world, "prom", SourceFact::Metrics(Fact { trouble: Some(trouble), failures: 8, ..seen(reading, 40) }), &[]);
    world.generation = 2;
    world
}

/// The same shop, held by cy.
pub fn held() -> World {
    let mut world = world();
    let mut view = bad_canary();
    view.state.hold = Some(Hold {
        by: "cy".to_owned(),
        since: at("14:02:51"),
        reason: Text::clean("errors"),
        deed: PlanId([3; 32]),
        share: Percent::new(20),
    });
    world.targets.insert_mut(checkout(), Arc::new(view));
    world.generation = 3;
    world
}

/// The same shop with a shift back that is watched.
pub fn watched(state: DeedState) -> World {
    let mut world = world();
    let intent = Intent {
        verb: Verb::Shift,
        target: checkout(),
        args: crate::model::intent::Arguments::default(),
        requester: Actor::Person(name("ana")),
        reason: Text::clean("errors after 20 %"),
    };
    let plan = plan(&world, intent, &now(), "n").unwrap();
    let facts = Facts {
        intended: Some(at("14:03:10")),
        sent: Some(at("14:03:10")),
        accepted: Some(at("14:03:10") + TimeDelta::milliseconds(12)),
        effective: (state == DeedState::Effective).then(|| at("14:03:12")),
        held: None,
    };
    let step = DeedStep {
        effect: plan.order.effects.first().unwrap().clone(),
        words: Text::clean("be_checkout: v1 to 100, then v2 to 0"),
        state,
        facts,
        error: None,
        seen: Some(Text::clean("measured 0 of 214 requests")),
    };
    let deed = Deed {
        plan: plan.id,
        verb: Verb::Shift,
        target: checkout(),
        requester: "ana".to_owned(),
        reason: Text::clean("errors after 20 %"),
        ticket: None,
        state,
        facts,
        held_due: Some(at("14:08:12")),
        steps: vec![step],
        words: Text::empty(),
        reasons: Vec::new(),
        is_settled: false,
        elsewhere: false,
    };
    world.deeds.insert_mut(plan.id, Arc::new(deed));
    world.generation = 4;
    world
}

/// The pool of checkout@prod as the router tells it: 80 to 20.
fn pools() -> BTreeMap<PoolName, Pool> {
    let server = |name: &str, weight| Server {
        name: name.parse().unwrap(),
        weight,
        effective_weight: weight,
        initial_weight: weight,
        greatest_weight: 256,
        state: ServerState::Up,
        requests: Some(5000),
        errors: Some(20),
        current: 1,
    };
    let name: PoolName = "be_checkout".parse().unwrap();
    BTreeMap::from([(name.clone(), Pool { name, servers: vec![server("v1", 80), server("v2", 20)], copies: false, ways: None })])
}

/// A plan as the planner would draw it up.
pub fn plan(_world: &World, intent: Intent, now: &Moment, nonce: &str) -> Result<Plan, crate::control::planner::PlanError> {
    let weights = BTreeMap::from([(name("v1"), 100), (name("v2"), 0)]);
    let rising = intent.args.percent.is_some_and(|percent| percent.get() > 20);
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: intent.args.break_glass.map(|_| "2026-11-20T14:08:12.000Z".to_owned()),
        change_type: crate::model::change::ChangeType::Normal,
        effects: vec![StepEffect::Weights { backend: name("edge"), pool: name("be_checkout"), weights: weights.clone() }],
        ends: None,
        expires: "2026-11-20T14:08:12.000Z".to_owned(),
        format: 1,
        installation: "shop".to_owned(),
        nonce: nonce.to_owned(),
        of: None,
        rollout: None,
        percent: intent.args.percent,
        requester: intent.requester.to_string(),
        rules: "0".repeat(64),
        targets: vec![OrderTarget {
            service: "checkout".to_owned(),
            environment: "prod".to_owned(),
            slot: Some(Slot::Second),
            digest: None,
            run: None,
            attempt: None,
        }],
        text: None,
        ticket: intent.args.ticket.clone(),
        verb: intent.verb,
    };
    let cost = |named: &str, text: Option<&str>| Cost { name: named.to_owned(), text: text.map(Text::clean) };
    Ok(Plan {
        checks: Vec::new(),
        typed: None,
        authors: None,
        id: order.id().unwrap(),
        direction: if rising { Direction::Forward } else { Direction::Back },
        intent,
        order,
        made: now.wall,
        expires: at("14:08:12"),
        preconditions: vec![Checked {
            must: Precondition::WeightsUnchanged { backend: name("edge"), pool: name("be_checkout"), weights },
            text: Text::clean("the weights of be_checkout are as they were"),
            holds: true,
            broken: None,
        }],
        released: crate::model::released::Released::default(),
        evidence: vec![Evidence {
            text: Text::clean("errors 2.1 %, limit 1: 27 of 1,281"),
            source: "prom".to_owned(),
            age_s: Some(3),
            warns: true,
        }],
        now: Text::clean("2.4.1 80 %, 2.5.0 20 %"),
        after: Text::clean("2.4.1 100 %, 2.5.0 0 %"),
        costs: vec![
            cost("if I do nothing", Some("nothing happens by itself")),
            cost("takes", Some("about 2 s, measured 9 days ago")),
            cost("users", Some("nobody is cut off: requests on 2.5.0 finish")),
            cost("load", None),
            cost("undo", Some("shift checkout@prod 20: a forward move, 2 approvals")),
        ],
        reach: Vec::new(),
        undo: Some("shift checkout@prod 20".to_owned()),
        commands: vec!["echo 'set server be_checkout/v2 weight 0' | socat - /run/haproxy/admin.sock".to_owned()],
        impossible: Vec::new(),
        asked_by: None,
        waived: Vec::new(),
    })
}

/// The same shop after the harm has gone from checkout to mail.
pub fn elsewhere() -> World {
    let mut world = world();
    let mut view = quiet(checkout(), "2.5.0");
    view.state.proven = bad_canary().state.proven;
    world.targets.insert_mut(view.target.clone(), Arc::new(view));
    let mut mail = quiet(target("mail", "prod"), "2.1.9");
    mail.signals = vec![Arc::new(errors(0.02, 0.02, SignalState::Past, "errors 2 %, limit 1"))];
    world.targets.insert_mut(mail.target.clone(), Arc::new(mail));
    world.generation = 9;
    world
}
