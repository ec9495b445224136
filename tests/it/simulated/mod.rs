//! The simulated release train: what happens has a cause, and happens the same again.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "a test fails by panicking, and its counts are small and exact"
)]

mod budgets;
mod builds;
mod faults;
mod past;
mod recording;
mod routing;
mod story;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures_util::FutureExt as _;
use gonogo::adapters::simulated::{SimulatedWorld, ports};
use gonogo::config::scenario::Scenario;
use gonogo::model::alert::AlertReading;
use gonogo::model::deed::{Effect, Permit, Recorded};
use gonogo::model::error::{PortError, SendError};
use gonogo::model::intent::Verb;
use gonogo::model::name::{ServerName, Target};
use gonogo::model::pipeline::RunReading;
use gonogo::model::plan::{ORDER_FORMAT, Order, StepEffect};
use gonogo::model::signal::{Ask, Form, SignalReading, Subject};
use gonogo::model::slot::Slot;
use gonogo::model::traffic::{TrafficReading, Weights};
use gonogo::ports::alerts::Alerts;
use gonogo::ports::ci::{Ci, RunReceipt};
use gonogo::ports::clock::VirtualClock;
use gonogo::ports::metrics::Metrics;
use gonogo::ports::traffic::Traffic;
use gonogo::ports::{Pending, Port};

/// A world with its clock and its four ports.
struct Train {
    clock: Arc<VirtualClock>,
    world: Arc<SimulatedWorld>,
    traffic: Arc<dyn Traffic>,
    metrics: Arc<dyn Metrics>,
    alerts: Arc<dyn Alerts>,
    ci: Arc<dyn Ci>,
}

/// Ready futures need no runtime.
fn now<T>(pending: Pending<'_, T>) -> T {
    pending.now_or_never().expect("a simulated port answers at once")
}

fn target(name: &str) -> Target {
    name.parse().unwrap()
}

fn weights(pairs: &[(&str, u32)]) -> Weights {
    pairs.iter().map(|(name, weight)| (ServerName::new(name).unwrap(), *weight)).collect()
}

impl Train {
    fn new(scenario: &str) -> Self {
        Self::with(Scenario::named(scenario).unwrap(), 7)
    }

    fn with(scenario: Scenario, seed: u64) -> Self {
        let wall = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let clock = Arc::new(VirtualClock::new(wall));
        let world = SimulatedWorld::new(scenario, seed, Arc::<VirtualClock>::clone(&clock)).unwrap();
        let (mut traffic, mut metrics, mut alerts, mut ci) = (None, None, None, None);
        for port in ports(&world).unwrap().into_values() {
            match port {
                Port::Traffic(port) => traffic = Some(port),
                Port::Metrics(port) => metrics = Some(port),
                Port::Alerts(port) => alerts = Some(port),
                Port::Flags(_) => {}
                Port::Ci(port) => ci = Some(port),
                Port::Orchestrator(_) => panic!("the train has no orchestrator"),
            }
        }
        Self { clock, world, traffic: traffic.unwrap(), metrics: metrics.unwrap(), alerts: alerts.unwrap(), ci: ci.unwrap() }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn pool(&self, name: &str) -> TrafficReading {
        now(self.traffic.read(&[name.parse().unwrap()])).unwrap()
    }

    fn weights_now(&self, pool: &str) -> BTreeMap<String, u32> {
        let reading = self.pool(pool);
        let servers = reading.pools.values().flat_map(|pool| &pool.servers);
        servers.map(|server| (server.name.to_string(), server.weight)).collect()
    }

    fn alerts(&self) -> AlertReading {
        now(self.alerts.read()).unwrap()
    }

    fn firing(&self) -> Vec<String> {
        self.alerts().alerts.iter().map(|alert| alert.name.to_string()).collect()
    }

    fn signals(&self, asks: &[Ask]) -> Result<SignalReading, PortError> {
        now(self.metrics.read(asks))
    }

    fn runs(&self, builder: &str) -> RunReading {
        now(self.ci.read(&[builder.to_owned()], &[])).unwrap()
    }

    fn shift(&self, nonce: &str, pool: &str, to: &[(&str, u32)], expect: Option<Weights>) -> Result<(), SendError> {
        let what = StepEffect::Weights { backend: "edge".parse().unwrap(), pool: pool.parse().unwrap(), weights: weights(to) };
        now(self.traffic.set_weights(&effect(nonce, what, expect)))
    }

    fn order(&self, effect: &Effect) -> Result<RunReceipt, SendError> {
        now(self.ci.send(effect))
    }
}

/// An effect as the engine would have it.
fn effect(nonce: &str, what: StepEffect, expect: Option<Weights>) -> Effect {
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: gonogo::model::change::ChangeType::Normal,
        effects: vec![what],
        ends: None,
        expires: "2030-01-01T00:00:00.000Z".to_owned(),
        format: ORDER_FORMAT,
        installation: "drill".to_owned(),
        nonce: nonce.to_owned(),
        of: None,
        rollout: None,
        percent: None,
        requester: "ana".to_owned(),
        rules: String::new(),
        targets: Vec::new(),
        text: None,
        ticket: None,
        verb: Verb::Shift,
    };
    let plan = order.id().unwrap();
    Effect::join(&Permit::grant(plan), Recorded::attest(plan, 0, 1), &order, expect).unwrap()
}

fn ask(target: &str, slot: Option<Slot>, subject: Subject, form: Form) -> Ask {
    Ask {
        target: target.parse().unwrap(),
        slot,
        subject,
        template: "m{service=\"$service\",slot=\"$slot\"}".into(),
        values: [("service".into(), "checkout".into()), ("slot".into(), "b1".into())].into(),
        form,
    }
}

fn total() -> Subject {
    Subject::Total("errors".parse().unwrap())
}

fn bad() -> Subject {
    Subject::Bad("errors".parse().unwrap())
}

fn buckets() -> Subject {
    Subject::Buckets("latency".parse().unwrap())
}

fn value() -> Subject {
    Subject::Value("saturation".parse().unwrap())
}

/// The sum of the newest samples.
fn newest(reading: &SignalReading) -> f64 {
    let series = reading.answers.iter().flat_map(|answer| answer.series.as_ref().unwrap());
    series.filter_map(|series| series.samples.last()).map(|sample| sample.value).sum()
}
