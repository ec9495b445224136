//! The one world: what every source said last, what is remembered, what is under way. Cheap to clone, never changed in place.

mod ahead;
mod diary;
mod ledger;
mod link;
mod objective;
mod readings;
mod rules;
mod signal;
mod unread;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

pub use self::ahead::{Ahead, CheckView, begun_anew, said, told};
pub use self::diary::{Clash, Diary, TrainView};
pub use self::ledger::{Heard, LedgerView, Ruled};
pub(crate) use self::link::discoveries;
pub use self::link::{Discoveries, DiscoveryView};
pub use self::objective::{Measured, ObjectiveState, ObjectiveView};
pub use self::rules::{Named, Older, RulesView};
pub use self::signal::{Measure, SignalState, SignalView};
pub(crate) use self::unread::{sources, targets};
use crate::control::calendar::CalendarView;
use crate::control::chart::Chart;
use crate::model::alert::{Alert, AlertReading};
use crate::model::approval::{Approval, Waiting};
use crate::model::authorship::Span;
use crate::model::capability::Capability;
use crate::model::catalog::{Backend, BackendKind, Catalog};
use crate::model::course::PastChange;
use crate::model::deed::Deed;
use crate::model::flag::FlagReading;
use crate::model::name::{BackendName, PlanId, PoolName, ServiceName, SignalName, Target};
use crate::model::objective::ObjectiveKey;
use crate::model::operator::Actor;
use crate::model::origin::Range;
use crate::model::pipeline::{LogPart, RunReading};
use crate::model::plan::StepEffect;
use crate::model::presence::Presence;
use crate::model::reading::{Fact, Freshness};
use crate::model::review::Review;
use crate::model::rollout::TargetState;
use crate::model::scrub::Scrub;
use crate::model::self_service::SelfGrant;
use crate::model::share::Share;
use crate::model::signal::SignalReading;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::Happening;
use crate::model::traffic::TrafficReading;
use crate::model::workload::{WorkloadReading, WorkloadSeen};
pub use crate::ports::ledger::EntryRow;

/// What a source said last, by its kind.
#[derive(Debug, Clone)]
pub enum SourceFact {
    /// A router.
    Traffic(Fact<TrafficReading>),
    /// A monitoring system.
    Metrics(Fact<SignalReading>),
    /// An alerting system.
    Alerts(Fact<AlertReading>),
    /// A CI system.
    Ci(Fact<RunReading>),
    /// An orchestrator.
    Workloads(Fact<WorkloadReading>),
    /// A flag service.
    Flags(Fact<FlagReading>),
    /// A kind that this version cannot speak to.
    Unsupported,
}

/// Tells the calls by which a person could do an effect by hand; it can do nothing itself.
#[derive(Clone)]
pub struct ByHand(Arc<Commands>);

/// What an adapter knows of its own commands.
type Commands = dyn Fn(&StepEffect) -> Vec<String> + Send + Sync;

impl ByHand {
    /// Wraps an adapter's knowledge of its own commands.
    pub fn new(commands: impl Fn(&StepEffect) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(commands))
    }

    /// The calls, in order.
    pub fn commands(&self, effect: &StepEffect) -> Vec<String> {
        (self.0)(effect)
    }
}

impl std::fmt::Debug for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByHand(..)")
    }
}

/// One backend as the room sees it.
#[derive(Debug, Clone)]
pub struct Source {
    /// What is configured.
    pub backend: Arc<Backend>,
    /// What it can do.
    pub capabilities: &'static [Capability],
    /// How a person would do by hand what it can do.
    pub by_hand: ByHand,
    /// What it said last.
    pub fact: SourceFact,
    /// How far its clock is from ours, positive when it is ahead, in milliseconds; none when it tells no time.
    pub skew_ms: Option<i64>,
    /// When it was first reached, none when it never was.
    pub reached: Option<DateTime<Utc>>,
}

macro_rules! over_fact {
    ($source:expr, $fact:ident => $body:expr, $otherwise:expr) => {
        match &$source.fact {
            SourceFact::Traffic($fact) => $body,
            SourceFact::Metrics($fact) => $body,
            SourceFact::Alerts($fact) => $body,
            SourceFact::Ci($fact) => $body,
            SourceFact::Workloads($fact) => $body,
            SourceFact::Flags($fact) => $body,
            SourceFact::Unsupported => $otherwise,
        }
    };
}

impl Source {
    /// How it stands at `now`.
    pub fn freshness(&self, now: &Moment) -> Freshness {
        over_fact!(self, fact => fact.freshness(now, self.backend.stale_after), Freshness::Never)
    }

    /// The age of what it said last.
    pub fn age(&self, now: &Moment) -> Option<Duration> {
        over_fact!(self, fact => fact.age(now), None)
    }

    /// When it was last asked with success.
    pub fn seen(&self) -> Option<Moment> {
        over_fact!(self, fact => fact.seen, None)
    }

    /// Why the newest read failed.
    pub fn trouble(&self) -> Option<&crate::model::error::PortError> {
        over_fact!(self, fact => fact.trouble.as_ref(), None)
    }

    /// Whether a read that was asked for at `since` or later failed.
    pub fn failed_since(&self, since: Boot) -> bool {
        let tried = over_fact!(self, fact => fact.tried, None);
        self.trouble().is_some() && tried.is_some_and(|tried| tried.boot >= since)
    }

    /// Reads that failed in a row.
    pub fn failures(&self) -> u32 {
        over_fact!(self, fact => fact.failures, 0)
    }

    /// Its kind.
    pub fn kind(&self) -> BackendKind {
        self.backend.kind
    }
}

/// One router's part of a target's traffic, as read last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryTraffic {
    /// The router.
    pub backend: BackendName,
    /// The pool.
    pub pool: PoolName,
    /// The share that the set weights give the second slot; none when all weights are 0 or the pool is missing.
    pub second_set: Option<Share>,
    /// The measured share of the second slot and the requests that it was measured on, between the two newest reads of one process.
    pub second_measured: Option<(Share, u64)>,
    /// Servers of each slot that take traffic: first, second.
    pub up: [u32; 2],
    /// All configured servers of each slot that the router knows: first, second.
    pub servers: [u32; 2],
    /// Configured servers that the router does not know.
    pub missing: Vec<Text>,
    /// Requests a second of the pool between the two newest reads.
    pub rate: Option<f64>,
}

/// A version as seen in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionSeen {
    /// The version.
    pub version: Text,
    /// Its digest.
    pub digest: Option<Text>,
    /// When it was first seen there.
    pub since: DateTime<Utc>,
}

/// Everything that the room knows of one target, made anew only when a source of it said something new.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetView {
    /// The target.
    pub target: Target,
    /// What the store remembers.
    pub state: TargetState,
    /// Its traffic, one entry a router.
    pub traffic: Vec<EntryTraffic>,
    /// The workload that it is, as read last; none where traffic moves between two slots, and before the first reading.
    pub workload: Option<Arc<WorkloadSeen>>,
    /// What runs in the first and the second slot.
    pub versions: [Option<VersionSeen>; 2],
    /// Its signals.
    pub signals: Vec<Arc<SignalView>>,
    /// Alerts that match it.
    pub alerts: Vec<Arc<Alert>>,
    /// Charts by signal, oldest first, at most 240 points.
    pub charts: Vec<(SignalName, Chart)>,
    /// When its share last changed.
    pub since: Option<DateTime<Utc>>,
}

impl TargetView {
    /// A target of which nothing is known.
    pub fn new(target: Target) -> Self {
        Self {
            state: TargetState::new(target.clone()),
            target,
            traffic: Vec::new(),
            workload: None,
            versions: [None, None],
            signals: Vec::new(),
            alerts: Vec::new(),
            charts: Vec::new(),
            since: None,
        }
    }

    /// The chart of a signal.
    pub fn chart(&self, signal: &SignalName) -> Option<&Chart> {
        self.charts.iter().find(|(name, _)| name == signal).map(|(_, chart)| chart)
    }

    /// Whether a rollout has reached a step: then the version on trial takes requests even where its share is 0, of testers or as copies.
    pub fn is_tried(&self) -> bool {
        self.state.rollout.as_ref().and_then(|rollout| rollout.course.as_ref()).is_some_and(|course| course.step.is_some())
    }

    /// The slot on trial.
    pub fn canary_slot(&self) -> Slot {
        self.state.stable.other()
    }

    /// The version in a slot.
    pub fn version(&self, slot: Slot) -> Option<&VersionSeen> {
        let [first, second] = &self.versions;
        match slot {
            Slot::First => first.as_ref(),
            Slot::Second => second.as_ref(),
        }
    }

    /// The share that the set weights give the slot that is not stable, the largest over its routers; none when no router was read.
    pub fn wished(&self) -> Option<Share> {
        self.traffic.iter().filter_map(|entry| entry.second_set).map(|share| self.of_canary(share)).reduce(|a, b| if a > b { a } else { b })
    }

    /// The measured share of the slot that is not stable with its requests, over all routers.
    pub fn measured(&self) -> Option<(Share, u64)> {
        let mut requests = 0_u64;
        let mut weighted = 0.0;
        for (share, count) in self.traffic.iter().filter_map(|entry| entry.second_measured) {
            requests = requests.saturating_add(count);
            weighted += self.of_canary(share).fraction() * to_f64(count);
        }
        let share = Share::from_fraction(weighted / to_f64(requests))?;
        Some((share, requests))
    }

    /// Turns the second slot's share into that of the slot on trial.
    pub fn of_canary(&self, second: Share) -> Share {
        match self.canary_slot() {
            Slot::Second => second,
            Slot::First => second.rest(),
        }
    }
}

/// Counts as floating point; they stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn to_f64(count: u64) -> f64 {
    count as f64
}

/// The log that a session follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    /// The CI backend.
    pub backend: BackendName,
    /// The backend's identity of the log.
    pub log: u64,
    /// What is known of it: the newest lines, at most 5,000.
    pub part: LogPart,
    /// Why it could not be read.
    pub trouble: Option<Text>,
}

/// The world at one moment.
#[derive(Debug, Clone)]
pub struct World {
    /// Grows with every change that a screen could show.
    pub generation: u64,
    /// When it last changed.
    pub at: Moment,
    /// When the room was opened.
    pub opened: Moment,
    /// What is configured.
    pub catalog: Arc<Catalog>,
    /// Who is at the keys of this process.
    pub actor: Actor,
    /// What is waited for until it is known who is at the keys; none: it is known. Until then no deed is possible.
    pub asking: Option<Text>,
    /// The rooms of the store that are open and who is at their keys, this one among them; the oldest first.
    pub here: Arc<Vec<Presence>>,
    /// Whether deeds are impossible by configuration or flag.
    pub read_only: bool,
    /// Every configured backend.
    pub sources: BTreeMap<BackendName, Arc<Source>>,
    /// Every configured target.
    pub targets: RedBlackTreeMapSync<Target, Arc<TargetView>>,
    /// What each rollout does next by itself.
    pub ahead: Arc<BTreeMap<Target, Ahead>>,
    /// Every configured objective of every target.
    pub objectives: RedBlackTreeMapSync<ObjectiveKey, Arc<ObjectiveView>>,
    /// Every configured discovery, with the links that it sees or saw.
    pub discoveries: Discoveries,
    /// Deeds: under way, watched, and the newest that ended, at most 100.
    pub deeds: RedBlackTreeMapSync<PlanId, Arc<Deed>>,
    /// Plans that wait for other persons.
    pub waiting: Arc<Vec<Waiting>>,
    /// Plans that wait no more, of the last days; the newest first.
    pub past: Arc<Vec<PastChange>>,
    /// What is scheduled, what of it is in each other's way, and the trains.
    pub diary: Arc<Diary>,
    /// Break glass that is open, reviews that are owed, and the newest that are over; the oldest first.
    pub reviews: Arc<Vec<Review>>,
    /// What this process said about stored plans and what became of it, the oldest first, at most 20.
    pub ruled: Arc<VecDeque<Ruled>>,
    /// What lies between two versions and who made it, as read last.
    pub ranges: Arc<BTreeMap<Span, Fact<Range>>>,
    /// Roles that people took for a while, those that are over lately among them; the oldest first.
    pub grants: Arc<Vec<SelfGrant>>,
    /// What this process said beside plans and what became of it, the oldest first, at most 20.
    pub heard: Arc<VecDeque<Heard>>,
    /// Windows and freezes.
    pub calendars: CalendarView,
    /// The rules, and whether changed ones wait to be accepted.
    pub rules: RulesView,
    /// What happened, oldest first, at most 2,000 lines.
    pub timeline: Arc<VecDeque<Happening>>,
    /// Logs that sessions follow, by CI backend and log.
    pub logs: BTreeMap<(BackendName, u64), Arc<LogView>>,
    /// The ledger.
    pub ledger: LedgerView,
    /// Why the newest configuration file was not taken over, with the file and line.
    pub config_trouble: Option<Text>,
    /// Whether the journal was read: what it remembers is known from then on.
    pub journal_read: bool,
    /// Why the journal cannot be written; history has a hole meanwhile, deeds are none the less possible.
    pub journal_trouble: Option<Text>,
    /// Where in the past it stands, of a world that was folded from a recording or the journal; in such a one no deed is possible.
    pub scrub: Option<Arc<Scrub>>,
    /// How long the machine slept last, and when it woke.
    pub slept: Option<(DateTime<Utc>, Duration)>,
}

impl World {
    /// A world in which nothing has been read.
    pub fn new(catalog: Arc<Catalog>, actor: Actor, read_only: bool, now: Moment) -> Self {
        let (targets, sources) = (targets(&catalog), sources(&catalog));
        let calendars = CalendarView::new(&catalog, &now);
        let discoveries = discoveries(&catalog, &Discoveries::default());
        Self {
            generation: 0,
            at: now,
            opened: now,
            catalog,
            actor,
            asking: None,
            here: Arc::new(Vec::new()),
            read_only,
            sources,
            targets,
            ahead: Arc::new(BTreeMap::new()),
            objectives: RedBlackTreeMapSync::new_sync(),
            discoveries,
            deeds: RedBlackTreeMapSync::new_sync(),
            calendars,
            ranges: Arc::new(BTreeMap::new()),
            rules: RulesView::default(),
            waiting: Arc::new(Vec::new()),
            past: Arc::new(Vec::new()),
            diary: Arc::new(Diary::default()),
            reviews: Arc::new(Vec::new()),
            ruled: Arc::new(VecDeque::new()),
            grants: Arc::new(Vec::new()),
            heard: Arc::new(VecDeque::new()),
            timeline: Arc::new(VecDeque::new()),
            logs: BTreeMap::new(),
            ledger: LedgerView::default(),
            config_trouble: None,
            journal_read: false,
            journal_trouble: None,
            scrub: None,
            slept: None,
        }
    }

    /// A target's view.
    pub fn target(&self, target: &Target) -> Option<&Arc<TargetView>> {
        self.targets.get(target)
    }

    /// The objectives of a target, in order of name.
    pub fn objectives_of<'a>(&'a self, target: &'a Target) -> impl Iterator<Item = &'a Arc<ObjectiveView>> {
        let from = ObjectiveKey::first_of(&target.service, Some(&target.environment));
        self.objectives_from(from).take_while(move |view| &view.key.target == target)
    }

    /// The objectives of a service, in order of environment and name.
    pub fn objectives_of_service<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Arc<ObjectiveView>> {
        self.objectives_from(ObjectiveKey::first_of(service, None)).take_while(move |view| &view.key.target.service == service)
    }

    fn objectives_from(&self, from: Option<ObjectiveKey>) -> impl Iterator<Item = &Arc<ObjectiveView>> {
        from.into_iter().flat_map(|from| self.objectives.range(from..)).map(|(_, view)| view)
    }

    /// Plans that wait for other persons and have not ended at `now`.
    pub fn waiting_at(&self, now: &Moment) -> impl Iterator<Item = &Waiting> {
        let at = now.wall;
        self.waiting.iter().filter(move |waiting| waiting.plan.expires > at)
    }

    /// The approvals of a plan that waits, ended ones included.
    pub fn approvals(&self, plan: PlanId) -> &[Approval] {
        self.waiting.iter().find(|waiting| waiting.plan.id == plan).map_or(&[], |waiting| &waiting.approvals)
    }

    /// How a backend stands at `now`.
    pub fn freshness(&self, backend: &BackendName, now: &Moment) -> Freshness {
        self.sources.get(backend).map_or(Freshness::Never, |source| source.freshness(now))
    }

    /// The deed under way on a target, if any.
    pub fn under_way(&self, target: &Target) -> Option<&Arc<Deed>> {
        self.deeds.values().find(|deed| &deed.target == target && deed.state.is_under_way())
    }

    /// Deeds, the newest first.
    pub fn newest_deeds(&self) -> Vec<&Arc<Deed>> {
        let mut deeds: Vec<_> = self.deeds.values().collect();
        deeds.sort_by_key(|deed| std::cmp::Reverse(deed.facts.intended));
        deeds
    }
}

impl Source {
    /// A source that was never read.
    pub fn new(backend: &Backend) -> Self {
        let fact = match backend.kind {
            BackendKind::Prometheus => SourceFact::Metrics(Fact::default()),
            BackendKind::Alertmanager => SourceFact::Alerts(Fact::default()),
            BackendKind::Haproxy
            | BackendKind::Envoy
            | BackendKind::Traefik
            | BackendKind::Caddy
            | BackendKind::GatewayApi
            | BackendKind::Istio => SourceFact::Traffic(Fact::default()),
            BackendKind::Kubernetes => SourceFact::Workloads(Fact::default()),
            BackendKind::Buildbot | BackendKind::Github => SourceFact::Ci(Fact::default()),
            BackendKind::Unleash | BackendKind::Flagd => SourceFact::Flags(Fact::default()),
        };
        Self {
            backend: Arc::new(backend.clone()),
            capabilities: &[],
            by_hand: ByHand::new(|_| Vec::new()),
            fact,
            skew_ms: None,
            reached: None,
        }
    }
}
