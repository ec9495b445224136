//! How things stand, derived from the world: the same answers for the board, the screens and `status --json`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::world::{SignalState, TargetView, World};
use super::{gate, gated};
use crate::model::catalog::{Deploy, Service, TrafficEntry};
use crate::model::deed::{Deed, DeedState};
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::RunState;
use crate::model::reading::Freshness;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::time::Moment;
use crate::model::workload::{Progress, SlotWorkloads, WorkloadSeen};
use crate::policy::rollout::Next;

/// The state of a service in an environment, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A signal past its limit or an alert fires.
    Abnormal,
    /// A deed failed or slipped, or its outcome is not known.
    Failed,
    /// A plan waits for a person, or a run at a gate.
    Waiting,
    /// What it is read from is stale, unreachable or was never read.
    Unknown,
    /// A hold is set.
    Held,
    /// A deed or a run is under way.
    Moving,
    /// Two versions share the traffic and nothing moves.
    Split,
    /// Nothing to say.
    Quiet,
}

impl Standing {
    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Abnormal => "abnormal",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Moving => "moving",
            Self::Split => "split",
            Self::Quiet => "quiet",
        }
    }
}

/// What is configured of a target: looked for once, since of ten thousand targets each search compares a dozen names.
#[derive(Debug, Clone, Copy, Default)]
struct Configured<'a> {
    service: Option<&'a Service>,
    deploy: Option<&'a Deploy>,
}

impl<'a> Configured<'a> {
    fn of(world: &'a World, target: &Target) -> Self {
        Self::within(world.catalog.services.get(&target.service), target)
    }

    fn within(service: Option<&'a Service>, target: &Target) -> Self {
        Self { service, deploy: service.and_then(|service| service.deploy.get(&target.environment)).map(Box::as_ref) }
    }

    /// The backends that a target is mainly read from: its routers, else its version source, else its signals.
    fn main_sources(self) -> impl Iterator<Item = &'a BackendName> {
        let routers: &[TrafficEntry] = self.deploy.map_or(&[], |deploy| &deploy.traffic);
        let is_routed = !routers.is_empty() || self.deploy.is_some_and(|deploy| deploy.all_workloads().next().is_some());
        let version = self.deploy.filter(|_| !is_routed).and_then(|deploy| deploy.version.as_ref());
        let others = self.service.filter(|_| !is_routed && version.is_none() && self.deploy.is_some());
        let workloads = self.deploy.into_iter().flat_map(Deploy::all_workloads).map(|entry| &entry.backend);
        let signals = others.into_iter().flat_map(|service| &service.signals).map(|signal| &signal.backend);
        let routers = routers.iter().map(|entry| &entry.backend);
        routers.chain(workloads).chain(version.map(|version| &version.backend)).chain(signals)
    }

    fn freshness(self, world: &World, now: &Moment) -> Freshness {
        self.main_sources().map(|backend| world.freshness(backend, now)).max().unwrap_or(Freshness::Never)
    }

    /// Whether it has a pipeline whose runs could wait at its gates, or deploy to it.
    fn is_built(self) -> bool {
        self.service.is_some_and(|service| service.pipeline.is_some()) || self.deploy.is_some_and(|deploy| deploy.deploy.is_some())
    }
}

/// The freshness of what a target is mainly read from, the worst of it.
pub fn freshness(world: &World, view: &TargetView, now: &Moment) -> Freshness {
    Configured::of(world, &view.target).freshness(world, now)
}

/// How a target stands.
pub fn standing(world: &World, view: &TargetView, now: &Moment) -> Standing {
    let mine = world.deeds.values().filter(|deed| deed.target == view.target);
    let waits = world.waiting_at(now).any(|one| one.plan.target() == &view.target && gate::asks_now(world, one, now));
    stands(world, (view, Configured::of(world, &view.target)), now, mine, waits)
}

/// How all targets stand, by target.
pub fn standings<'w>(world: &'w World, now: &Moment) -> Vec<(&'w Target, Standing)> {
    let mut deeds: BTreeMap<&Target, Vec<&Arc<Deed>>> = BTreeMap::new();
    for deed in world.deeds.values() {
        deeds.entry(&deed.target).or_default().push(deed);
    }
    let waiting: BTreeSet<_> = world.waiting_at(now).filter(|one| gate::asks_now(world, one, now)).map(|one| one.plan.target()).collect();
    // Both are in the order of their names: one walk through the services finds those of all targets.
    let mut services = world.catalog.services.iter().peekable();
    let one = |(target, view): (&'w Target, &Arc<TargetView>)| {
        while services.next_if(|(name, _)| **name < target.service).is_some() {}
        let service = services.peek().filter(|(name, _)| **name == target.service).map(|(_, service)| *service);
        let mine = deeds.get(target).into_iter().flatten().copied();
        (target, stands(world, (view, Configured::within(service, target)), now, mine, waiting.contains(target)))
    };
    world.targets.iter().map(one).collect()
}

/// How a target stands, its own deeds and whether a plan of it waits being known.
fn stands<'a>(
    world: &World,
    (view, configured): (&TargetView, Configured<'_>),
    now: &Moment,
    deeds: impl Iterator<Item = &'a Arc<Deed>>,
    waits: bool,
) -> Standing {
    let deeds: Vec<_> = deeds.collect();
    if view.alerts.iter().any(|alert| alert.silenced_by.is_empty() && alert.inhibited_by.is_empty())
        || past_limit(world, view, now)
        || stuck(world, view, configured, now)
    {
        return Standing::Abnormal;
    }
    let newest = deeds.iter().max_by_key(|deed| deed.facts.intended);
    if newest.is_some_and(|deed| matches!(deed.state, DeedState::Failed | DeedState::Unknown | DeedState::Slipped)) {
        return Standing::Failed;
    }
    let next = world.ahead.get(&view.target).map(|ahead| &ahead.next);
    if matches!(next, Some(Next::Person(_))) {
        return Standing::Waiting;
    }
    let is_fresh = |at: &gated::AtGate<'_>| world.freshness(&at.run.id.backend, now).is_fresh();
    if waits || (configured.is_built() && gated::waiting(world, &view.target).iter().any(is_fresh)) {
        return Standing::Waiting;
    }
    if !configured.freshness(world, now).is_fresh() || matches!(next, Some(Next::Holds(_))) {
        return Standing::Unknown;
    }
    if view.state.hold.is_some() {
        return Standing::Held;
    }
    let replaced = view.workload.as_ref().is_some_and(|seen| !seen.is_done());
    if replaced || next.is_some() || deeds.iter().any(|deed| deed.state.is_under_way()) || deploying(world, configured) {
        return Standing::Moving;
    }
    match view.wished().map(crate::model::share::Share::nearest) {
        Some(share) if share != Percent::NONE => Standing::Split,
        _ => Standing::Quiet,
    }
}

/// Whether the orchestrator gets no further with it.
fn stuck(world: &World, view: &TargetView, configured: Configured<'_>, now: &Moment) -> bool {
    let is_stuck = |seen: &WorkloadSeen| matches!(seen.progress, Progress::Stuck(_));
    let of_slots = |of: &SlotWorkloads| {
        let reading = world.workloads(of.backend()).and_then(|fact| fact.value.as_ref());
        // What is on trial counts while a rollout is under way.
        let slots = Slot::BOTH.into_iter().filter(|slot| *slot == view.state.stable || view.state.rollout.is_some());
        slots.filter_map(|slot| reading?.get(&of.of(slot).workload)).any(is_stuck)
    };
    let deploy = configured.deploy.and_then(|deploy| deploy.workloads.as_deref());
    let is_stuck = view.workload.as_deref().is_some_and(is_stuck) || deploy.is_some_and(of_slots);
    is_stuck && configured.freshness(world, now).is_fresh()
}

fn past_limit(world: &World, view: &TargetView, now: &Moment) -> bool {
    view.signals
        .iter()
        .any(|signal| matches!(signal.state, SignalState::Past | SignalState::Worse) && world.freshness(&signal.backend, now).is_fresh())
}

/// Whether a run that deploys to the target is under way.
fn deploying(world: &World, configured: Configured<'_>) -> bool {
    let Some(reference) = configured.deploy.and_then(|deploy| deploy.deploy.as_ref()) else { return false };
    let Some(reading) = world.runs(&reference.backend).and_then(|fact| fact.value.as_ref()) else { return false };
    reading.builders.get(&reference.builder).is_some_and(|builder| builder.runs.iter().any(|run| run.state == RunState::Running))
}

/// A row of "needs you": something that a person can do something about.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The target.
    pub target: Target,
    /// Its standing.
    pub standing: Standing,
    /// What is wrong or waits, in one line.
    pub what: String,
    /// What happens if nobody does anything, or what is known of who has it.
    pub otherwise: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Who has it, `nobody` otherwise.
    pub holder: Option<String>,
    /// The key that does something about it and what it does: `("R", "roll back")`.
    pub key: Option<(&'static str, &'static str)>,
}

/// Something that will happen without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByItself {
    /// When, when it can be foretold.
    pub due: Option<DateTime<Utc>>,
    /// What remains until then.
    pub left: Option<Duration>,
    /// The target.
    pub target: Target,
    /// What.
    pub text: String,
}

/// The age of what a target is mainly read from: the oldest of it.
pub fn age(world: &World, view: &TargetView, now: &Moment) -> Option<Duration> {
    Configured::of(world, &view.target).main_sources().filter_map(|backend| world.sources.get(backend)?.age(now)).max()
}

/// What stands in the way of reading a source now, in one line.
pub fn trouble(source: &crate::control::world::Source) -> Option<String> {
    if matches!(source.fact, crate::control::world::SourceFact::Unsupported) {
        return Some(format!("{} is not supported by this version", source.kind().word()));
    }
    source.trouble().map(ToString::to_string)
}
