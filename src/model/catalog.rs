//! The catalog: everything that is configured, as nouns; the shape of the organisation's release estate.
// long because: it lists everything that is configured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::flag::FlagEntry;
use super::gate::Gates;
use super::handoff::HandOff;
use super::judging::ServiceJudge;
use super::link::Discovery;
use super::name::{BackendName, EnvironmentName, PoolName, RoleName, ServerName, ServiceName, SignalName, Target};
use super::objective::Objective;
use super::operator::Person;
use super::selection::Selection;
use super::self_service::SelfService;
use super::share::Percent;
use super::signal::Better;
use super::slot::Slot;
use super::strategy::RolloutRules;
pub use super::strategy::Strategy;
use super::testers::Testers;
use super::timetable::Timetable;
use super::together::RolloutSet;
use super::workload::{SlotWorkloads, WorkloadEntry};

/// What a backend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// Prometheus, or what answers like it.
    Prometheus,
    /// Alertmanager v2.
    Alertmanager,
    /// HAProxy's runtime API.
    Haproxy,
    /// Envoy's administration interface.
    Envoy,
    /// Traefik's API, with the file of its file provider.
    Traefik,
    /// Caddy's administration interface.
    Caddy,
    /// Routes of the Kubernetes Gateway API.
    #[serde(rename = "gateway-api")]
    GatewayApi,
    /// Istio's virtual services.
    Istio,
    /// The workloads of a Kubernetes cluster.
    Kubernetes,
    /// Buildbot's data API.
    Buildbot,
    /// GitHub: its Actions, deployments and commits.
    Github,
    /// Unleash's administration API.
    Unleash,
    /// The flagd of `OpenFeature`: read by OFREP, changed in the file that it watches.
    Flagd,
}

impl BackendKind {
    /// Every kind, in the order in which documents list them.
    pub const ALL: [Self; 13] = [
        Self::Prometheus,
        Self::Alertmanager,
        Self::Haproxy,
        Self::Envoy,
        Self::Traefik,
        Self::Caddy,
        Self::GatewayApi,
        Self::Istio,
        Self::Kubernetes,
        Self::Buildbot,
        Self::Github,
        Self::Unleash,
        Self::Flagd,
    ];

    /// The kinds that split traffic.
    pub const ROUTERS: [Self; 6] = [Self::Haproxy, Self::Envoy, Self::Traefik, Self::Caddy, Self::GatewayApi, Self::Istio];

    /// Whether routers of this kind can be had to copy requests.
    pub fn mirrors(self) -> bool {
        matches!(self, Self::Envoy | Self::Traefik)
    }

    /// The kinds that keep feature flags.
    pub const FLAGS: [Self; 2] = [Self::Unleash, Self::Flagd];

    /// Whether it is reached through the API of a Kubernetes cluster.
    pub fn in_cluster(self) -> bool {
        matches!(self, Self::GatewayApi | Self::Istio | Self::Kubernetes)
    }

    /// The word in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::GatewayApi => "gateway-api",
            Self::Istio => "istio",
            Self::Kubernetes => "kubernetes",
            Self::Buildbot => "buildbot",
            Self::Github => "github",
            Self::Unleash => "unleash",
            Self::Flagd => "flagd",
        }
    }
}

/// A backend as far as the room needs to know it: no address that could hold a secret, no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Its name.
    pub name: BackendName,
    /// What it is.
    pub kind: BackendKind,
    /// Its address without user, password, query.
    pub address: String,
    /// Time between two polls.
    pub every: Duration,
    /// The greatest age of a fact that counts as fresh.
    pub stale_after: Duration,
    /// How long an effect of unknown outcome is looked for.
    pub lookup_within: Duration,
    /// Whether it is spoken to in plain text over a network.
    pub insecure: bool,
}

/// What protects an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Protection {
    /// Approvals of other persons that a forward deed needs.
    pub approvals: u32,
    /// Roles that may approve; empty means any.
    pub approver_roles: Vec<RoleName>,
    /// Roles that may act; empty means any.
    pub actor_roles: Vec<RoleName>,
    /// Whether a forward deed asks for the target in full.
    pub typed_confirmation: bool,
    /// Approvals that the way back needs.
    pub way_back_approvals: u32,
    /// Further groups that must agree to a normal change.
    pub also: Vec<ApprovalGroup>,
    /// How long an approval counts; none: as long as its plan.
    pub approvals_expire: Option<Duration>,
    /// Roles that may break the glass; none: those that may act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass_roles: Option<Vec<RoleName>>,
    /// How long after break glass its review is due; none: [`super::review::REVIEW_WITHIN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_within: Option<Duration>,
}

/// What guards a target: its protection, and the gates and the tier of assurance of its environment.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    /// The target's protection.
    pub protection: &'a Protection,
    /// What must be true before a change goes forward.
    pub gates: &'a Gates,
    /// Who signs.
    pub assurance: Assurance,
    /// Roles that people may take for a while.
    pub self_service: &'a [SelfService],
}

/// A group of persons who must agree beside the first one: another team, the advisory board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalGroup {
    /// Roles, one of which is asked for; empty means any.
    pub roles: Vec<RoleName>,
    /// Teams, of one of which the person must be; empty means any.
    pub teams: Vec<String>,
    /// How many of them.
    pub approvals: u32,
}

/// Who signs the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Assurance {
    /// The process.
    #[default]
    T0,
    /// The operator's SSH agent.
    T1,
    /// Two operators' agents, and a second place.
    T2,
}

/// What becomes of a change whose booking is in the way of another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// It is told, and may go.
    #[default]
    Warn,
    /// The one that was planned later may not go.
    Refuse,
}

/// How changes are scheduled in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    /// How long a booking lasts: as long a scheduled plan may be begun, and is looked for in conflicts.
    pub booking: Duration,
    /// What becomes of conflicts.
    pub conflicts: OnConflict,
}

impl Scheduling {
    /// Whether nothing about it was configured.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Scheduling {
    fn default() -> Self {
        Self { booking: Duration::from_hours(1), conflicts: OnConflict::default() }
    }
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its place on the way to production, rising.
    pub order: u32,
    /// How long an effect is watched after it took.
    pub hold_time: Duration,
    /// How long an accepted effect may take to be seen.
    pub effective_within: Duration,
    /// Requests before a measured split is believed.
    pub min_requests: u64,
    /// Who signs.
    pub assurance: Assurance,
    /// What protects it.
    pub protection: Protection,
    /// What must be true before a change goes forward there.
    pub gates: Gates,
    /// How changes are scheduled there.
    #[serde(default, skip_serializing_if = "Scheduling::is_usual")]
    pub scheduling: Scheduling,
    /// Roles that people may take for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_service: Vec<SelfService>,
}

/// One router entry behind which a service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficEntry {
    /// The router.
    pub backend: BackendName,
    /// Its pool.
    pub pool: PoolName,
    /// Servers of the slot that was stable when it was first configured.
    pub first: Vec<ServerName>,
    /// Servers of the other slot.
    pub second: Vec<ServerName>,
    /// The pool with the same servers to which this router gives the requests of testers; none where it knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testers: Option<PoolName>,
    /// The pool whose servers get copies of requests from this router, their answers being thrown away; none where it makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<PoolName>,
}

impl TrafficEntry {
    /// The servers of a slot.
    pub fn servers(&self, slot: Slot) -> &[ServerName] {
        match slot {
            Slot::First => &self.first,
            Slot::Second => &self.second,
        }
    }

    /// Its pools: the one whose weights are the shares, and those beside it.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        std::iter::once(&self.pool).chain(&self.testers).chain(&self.mirror)
    }
}

/// Where the running version is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionSource {
    /// The monitoring system.
    pub backend: BackendName,
    /// The query, with placeholders; the same text is kept once.
    pub query: Arc<str>,
    /// The label that holds the version.
    pub label: String,
    /// The label that holds the digest.
    pub digest: Option<String>,
}

/// A pipeline at a CI backend: what a run of it is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineRef {
    /// The CI backend.
    pub backend: BackendName,
    /// The builder.
    pub builder: String,
    /// The force scheduler; none: runs cannot be started.
    pub scheduler: Option<String>,
    /// Properties of a started run, with placeholders in the values.
    pub properties: BTreeMap<String, String>,
}

/// How a service is deployed in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    /// How it moves.
    pub strategy: Strategy,
    /// The steps of a rollout, rising.
    pub steps: Vec<Percent>,
    /// The routers.
    pub traffic: Vec<TrafficEntry>,
    /// Who reaches the version on trial while a rollout is under way, whatever its share is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testers: Option<Box<Testers>>,
    /// How many of a hundred requests the version on trial gets copies of, before its first share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Percent>,
    /// The workload that it is, where its instances are replaced; none where traffic moves between two slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Box<WorkloadEntry>>,
    /// The workloads whose instances its slots are; none where gonogo does not bring them up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workloads: Option<Box<SlotWorkloads>>,
    /// Its feature flags, in order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagEntry>,
    /// Where the running version is read.
    pub version: Option<VersionSource>,
    /// What deploys a version into a slot.
    pub deploy: Option<PipelineRef>,
    /// The name of this environment at GitHub.
    pub github_environment: Option<String>,
    /// What protects this service here, in place of the environment's own protection.
    #[serde(default)]
    pub protection: Option<Box<Protection>>,
    /// How its rollouts move.
    #[serde(default)]
    pub rollout: RolloutRules,
}

impl Deploy {
    /// Every workload that it names: the one that it is, or those of its slots.
    pub fn all_workloads(&self) -> impl Iterator<Item = &WorkloadEntry> {
        self.workload.as_deref().into_iter().chain(self.workloads.iter().flat_map(|of| [&of.first, &of.second]))
    }

    /// Whether a rollout of it is told which version it brings, since it sets the image itself.
    pub fn takes_version(&self) -> bool {
        self.workload.is_some() || self.workloads.is_some()
    }

    /// Every server that it knows by name, as an operator types it.
    pub fn servers(&self) -> Vec<String> {
        let entries = self.traffic.iter();
        entries.flat_map(|entry| Slot::BOTH.into_iter().flat_map(|slot| entry.servers(slot)).map(|name| self.named(entry, name))).collect()
    }

    /// A server as an operator types it: with its router where several have one of that name.
    pub fn named(&self, entry: &TrafficEntry, server: &ServerName) -> String {
        let has = |entry: &&TrafficEntry| Slot::BOTH.into_iter().any(|slot| entry.servers(slot).contains(server));
        if self.traffic.iter().filter(has).count() > 1 { format!("{}/{server}", entry.backend) } else { server.to_string() }
    }
}

/// How a signal is measured. Of thousands of services many have the same queries: each text is kept once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// Bad events of all events, from raw counters.
    Ratio {
        /// The counter of bad events.
        bad: Arc<str>,
        /// The counter of all events.
        total: Arc<str>,
    },
    /// A quantile of a histogram, from raw buckets.
    Histogram {
        /// The buckets.
        buckets: Arc<str>,
        /// The quantile, 0 to 1.
        quantile: f64,
    },
    /// A plain value.
    Value {
        /// The query.
        query: Arc<str>,
    },
}

/// A signal of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name.
    pub name: SignalName,
    /// How it is measured.
    pub kind: SignalKind,
    /// Where.
    pub backend: BackendName,
    /// Which way is good.
    pub better: Better,
    /// The limit, in the signal's own unit (a ratio for `ratio`).
    pub limit: Option<f64>,
    /// The unit, for screens.
    pub unit: String,
    /// Whether it alone decides.
    pub critical: bool,
    /// What a canary may be worse by, in the signal's own unit (a share for ratios and histograms); none: from the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// What it weighs in the score of a canary; none: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// Where a service's alerts are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertMatch {
    /// The alerting system.
    pub backend: BackendName,
    /// Labels that must be equal, with placeholders already filled in except `$environment`.
    pub labels: BTreeMap<String, String>,
}

/// The repository that a service is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Where it lies.
    pub backend: Option<BackendName>,
    /// Its name there.
    pub name: String,
    /// Paths of this service within it.
    pub paths: Vec<String>,
    /// The tag of a version, with `$version`; none: the version itself names the tag or commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// The team that owns it.
    pub team: Option<String>,
    /// Its tier, 1 the most important.
    pub tier: Option<u32>,
    /// What it is built from.
    pub repository: Option<Repository>,
    /// Services that it calls.
    pub depends_on: Vec<ServiceName>,
    /// Its alerts.
    pub alerts: Option<AlertMatch>,
    /// What builds it.
    pub pipeline: Option<PipelineRef>,
    /// How it is deployed, by environment.
    // A node of a map has room for eleven values; most services have few environments.
    pub deploy: BTreeMap<EnvironmentName, Box<Deploy>>,
    /// Its signals.
    pub signals: Vec<Signal>,
    /// How its canaries are judged.
    #[serde(default)]
    pub judge: ServiceJudge,
    /// Whether it keeps state that two versions of it would write to side by side; none: not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stateful: Option<bool>,
}

/// The room itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its name.
    pub name: String,
    /// The zone of the clock on line 1, an IANA name.
    pub timezone: String,
    /// The theme's name.
    pub theme: String,
    /// The keymap's name.
    pub keymap: String,
    /// Whether the terminal's bell rings for what needs a person.
    pub bell: bool,
    /// Whether the terminal is asked to show a notice of it on the desktop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify: bool,
    /// Whether the window's title counts it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub title: bool,
    /// Whether a mouse is listened to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mouse: bool,
    /// Whether deeds are impossible.
    pub read_only: bool,
}

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// The room.
    pub room: Room,
    /// People.
    pub people: Vec<Person>,
    /// Backends by name.
    pub backends: BTreeMap<BackendName, Backend>,
    /// Environments in their order.
    pub environments: Vec<Environment>,
    /// Services by name.
    pub services: BTreeMap<ServiceName, Service>,
    /// Windows, freezes, trains.
    #[serde(default)]
    pub timetable: Timetable,
    /// Objectives, in order of service and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Objective>,
    /// Sets of targets whose rollouts move together, in order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<RolloutSet>,
    /// Where it is seen who uses whom, in order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discoveries: Vec<Discovery>,
    /// Where other tools show the same, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handoffs: Vec<HandOff>,
    /// Whether all backends are simulated.
    pub simulated: bool,
    /// SHA-256 in lower-case hexadecimal over the rules and roles that verdicts read.
    pub rules_digest: String,
}

impl Catalog {
    /// Whether an expression selects a target, by its name or the team of its service.
    pub fn selects(&self, selection: &Selection, target: &Target) -> bool {
        selection.selects(target, self.services.get(&target.service).and_then(|service| service.team.as_deref()))
    }

    /// The services that are deployed to an environment.
    pub fn deployed(&self, environment: &EnvironmentName) -> BTreeSet<ServiceName> {
        self.services.values().filter(|service| service.deploy.contains_key(environment)).map(|service| service.name.clone()).collect()
    }

    /// The environment of that name.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.iter().find(|environment| &environment.name == name)
    }

    /// How a target is deployed.
    pub fn deploy(&self, target: &Target) -> Option<&Deploy> {
        self.services.get(&target.service)?.deploy.get(&target.environment).map(AsRef::as_ref)
    }

    /// What protects a target: the deploy's own protection, else its environment's.
    pub fn protection(&self, target: &Target) -> Option<&Protection> {
        let own = self.deploy(target).and_then(|deploy| deploy.protection.as_deref());
        own.or_else(|| self.environment(&target.environment).map(|environment| &environment.protection))
    }

    /// Every backend that says something about a target.
    pub fn backends_of(&self, target: &Target) -> BTreeSet<BackendName> {
        self.named_by(target).cloned().collect()
    }

    /// The flag services of a target. They say nothing of its versions and its traffic, so nothing but flags waits for them.
    pub fn flag_services(&self, target: &Target) -> BTreeSet<BackendName> {
        let flags = self.deploy(target).into_iter().flat_map(|deploy| &deploy.flags);
        flags.map(|entry| entry.backend.clone()).collect()
    }

    /// Whether a backend says something about a target.
    pub fn says(&self, backend: &BackendName, target: &Target) -> bool {
        self.named_by(target).any(|name| name == backend)
    }

    /// The backends that a target's configuration names, some of them more than once.
    fn named_by<'a>(&'a self, target: &Target) -> impl Iterator<Item = &'a BackendName> + use<'a> {
        let service = self.services.get(&target.service);
        let deploy = service.and_then(|service| service.deploy.get(&target.environment));
        let of_service = service.into_iter().flat_map(|service| {
            let alerts = service.alerts.iter().map(|alerts| &alerts.backend);
            let pipeline = service.pipeline.iter().map(|pipeline| &pipeline.backend);
            alerts.chain(pipeline).chain(service.signals.iter().map(|signal| &signal.backend))
        });
        let of_deploy = deploy.into_iter().flat_map(|deploy| {
            let version = deploy.version.iter().map(|version| &version.backend);
            let pipeline = deploy.deploy.iter().map(|pipeline| &pipeline.backend);
            let workload = deploy.all_workloads().map(|entry| &entry.backend);
            deploy.traffic.iter().map(|entry| &entry.backend).chain(version).chain(pipeline).chain(workload)
        });
        of_service.chain(of_deploy)
    }

    /// What guards a target.
    pub fn guard(&self, target: &Target) -> Option<Guard<'_>> {
        let environment = self.environment(&target.environment)?;
        let protection = self.protection(target)?;
        let Environment { gates, assurance, self_service, .. } = environment;
        Some(Guard { protection, gates, assurance: *assurance, self_service })
    }

    /// Every target that is configured: services in order of name, environments in their own order.
    pub fn targets(&self) -> impl Iterator<Item = Target> + '_ {
        self.services.values().flat_map(move |service| {
            self.environments
                .iter()
                .filter(|environment| service.deploy.contains_key(&environment.name))
                .map(|environment| Target::new(service.name.clone(), environment.name.clone()))
        })
    }

    /// The person of that name.
    pub fn person(&self, name: &super::name::PersonName) -> Option<&Person> {
        self.people.iter().find(|person| &person.name == name)
    }
}
