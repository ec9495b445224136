//! Scenarios: what a simulated release train is made of, read from TOML with line numbers, complete enough to run without a server.

pub mod catalog;
mod check;
mod discovery;
mod fault;
mod objectives;
pub mod release;
mod span;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::model::name::{EnvironmentName, PersonName, RoleName, ServerName, ServiceName, Target};
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::traffic::ServerState;

pub use self::fault::{Fault, FaultKind};
use self::release::{ScenarioCheck, ScenarioSet, ScenarioStart};

/// The monitoring system of every scenario.
pub const METRICS: &str = "prom";
/// The alerting system of every scenario.
pub const ALERTS: &str = "alerts";
/// The router of every scenario.
pub const TRAFFIC: &str = "edge";
/// The CI system of every scenario.
pub const CI: &str = "ci";

const BUILT_IN: [(&str, &str); 5] = [
    ("calm", include_str!("../../fixtures/scenarios/calm.toml")),
    ("bad-canary", include_str!("../../fixtures/scenarios/bad-canary.toml")),
    ("broken-backend", include_str!("../../fixtures/scenarios/broken-backend.toml")),
    ("slow-leak", include_str!("../../fixtures/scenarios/slow-leak.toml")),
    ("two-teams", include_str!("../../fixtures/scenarios/two-teams.toml")),
];

/// Why a scenario was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct ScenarioError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// A simulated release train.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// One sentence for the list of drills.
    pub title: String,
    /// A built-in scenario from which people, environments, alerts and silences are taken where this one has none, and each service that
    /// this one does not describe by itself.
    #[serde(default)]
    pub based_on: Option<String>,
    /// The time for which the world has run before anyone looks.
    #[serde(default = "span::warm_up", deserialize_with = "span::long")]
    pub warm_up: Duration,
    /// The time between two scrapes of the monitoring system.
    #[serde(default = "span::scrape", deserialize_with = "span::long")]
    pub scrape: Duration,
    /// How long the monitoring system keeps samples.
    #[serde(default = "span::history", deserialize_with = "span::long")]
    pub history: Duration,
    /// The time between two polls of each backend.
    #[serde(default = "span::every", deserialize_with = "span::long")]
    pub every: Duration,
    /// Runs that the CI system carries out at once.
    #[serde(default = "span::workers")]
    pub workers: usize,
    /// People.
    #[serde(default)]
    pub person: Vec<ScenarioPerson>,
    /// Environments.
    #[serde(default)]
    pub environment: Vec<ScenarioEnvironment>,
    /// Services.
    #[serde(default)]
    pub service: Vec<ScenarioService>,
    /// Versions that behave otherwise than their service.
    #[serde(default)]
    pub version: Vec<Behaviour>,
    /// Alerting rules.
    #[serde(default)]
    pub alert: Vec<AlertRule>,
    /// Silences.
    #[serde(default)]
    pub silence: Vec<ScenarioSilence>,
    /// What happens by itself.
    #[serde(default)]
    pub event: Vec<Event>,
    /// What breaks.
    #[serde(default)]
    pub fault: Vec<Fault>,
    /// Sets of rollouts.
    #[serde(default)]
    pub set: Vec<ScenarioSet>,
    /// Checks of rollouts.
    #[serde(default)]
    pub check: Vec<ScenarioCheck>,
    /// Rollouts that people of the story start.
    #[serde(default)]
    pub start: Vec<ScenarioStart>,
}

/// A person of the drill.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioPerson {
    /// The name.
    pub name: PersonName,
    /// Whether this is the person at the keys.
    #[serde(default)]
    pub operator: bool,
    /// Teams; people push to the services of their teams.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<ScenarioGrant>,
}

/// A role and where it holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioGrant {
    /// The role.
    pub role: RoleName,
    /// Environments; empty means everywhere.
    #[serde(default)]
    pub environments: Vec<EnvironmentName>,
    /// Services; empty means all.
    #[serde(default)]
    pub services: Vec<ServiceName>,
}

/// What protects an environment, or one service in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioProtection {
    /// Approvals of others that a forward deed needs.
    pub approvals: u32,
    /// Roles that may approve.
    pub approver_roles: Vec<RoleName>,
    /// Roles that may act.
    pub actor_roles: Vec<RoleName>,
    /// Whether a forward deed asks for the target in full.
    pub typed_confirmation: bool,
    /// Approvals that the way back needs.
    pub way_back_approvals: u32,
}

/// An environment of the drill.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioEnvironment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its place on the way to production.
    pub order: u32,
    /// Its share of each service's requests, 1 for production.
    #[serde(default = "span::one")]
    pub traffic: f64,
    /// How long an effect is watched after it took.
    #[serde(deserialize_with = "span::long")]
    pub hold_time: Duration,
    /// How long an accepted effect may take to be seen.
    #[serde(deserialize_with = "span::long")]
    pub effective_within: Duration,
    /// Requests before a measured split is believed.
    pub min_requests: u64,
    /// What protects it.
    #[serde(default)]
    pub protection: ScenarioProtection,
}

/// A service of the drill.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioService {
    /// Its name.
    pub name: ServiceName,
    /// The team that owns it.
    pub team: String,
    /// Its tier, 1 the most important.
    pub tier: u32,
    /// Services that it calls.
    #[serde(default)]
    pub depends_on: Vec<ServiceName>,
    /// Where it runs; empty means everywhere.
    #[serde(default)]
    pub environments: Vec<EnvironmentName>,
    /// Requests a second in production.
    pub requests: f64,
    /// The share of requests that fail on a good day.
    #[serde(default = "span::errors")]
    pub errors: f64,
    /// The median latency without load.
    #[serde(deserialize_with = "span::long")]
    pub latency: Duration,
    /// The share of a dependency's failures that become its own.
    #[serde(default = "span::coupling")]
    pub coupling: f64,
    /// Servers in each of the two slots.
    #[serde(default = "span::servers")]
    pub servers: u32,
    /// The version that runs everywhere at the beginning.
    pub version: String,
    /// The steps of a rollout.
    #[serde(default = "span::steps")]
    pub steps: Vec<Percent>,
    /// Pushes an hour.
    #[serde(default = "span::pushes")]
    pub pushes: f64,
    /// Whether it keeps state; none: not said.
    #[serde(default)]
    pub stateful: Option<bool>,
    /// How long a build takes.
    #[serde(default = "span::build", deserialize_with = "span::long")]
    pub build: Duration,
    /// The share of builds that fail.
    #[serde(default = "span::failing")]
    pub failing: f64,
    /// Protection of its own, by environment.
    #[serde(default)]
    pub protection: BTreeMap<EnvironmentName, ScenarioProtection>,
}

/// How a version behaves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// The service.
    pub service: ServiceName,
    /// The version.
    pub version: String,
    /// Where it shows; empty means everywhere.
    #[serde(default)]
    pub environments: Vec<EnvironmentName>,
    /// The share of its requests that fail once it is fully exposed.
    #[serde(default)]
    pub errors: f64,
    /// The share of traffic from which it fails, in per cent.
    #[serde(default)]
    pub from_percent: u8,
    /// The time at that share until it fails fully.
    #[serde(default, deserialize_with = "span::long")]
    pub ramp: Duration,
    /// The factor of its latency once it is fully exposed.
    #[serde(default = "span::one")]
    pub latency: f64,
    /// The factor of the load that its requests are, once it is fully exposed.
    #[serde(default = "span::one")]
    pub load: f64,
}

/// What an alerting rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The share of requests that fail.
    Errors,
    /// The 99th percentile of the latency in seconds.
    Latency,
    /// The load of the busiest server, 1 is all that it can do.
    Saturation,
}

/// An alerting rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Its name; `$Service` stands for the service in camel case.
    pub name: String,
    /// Services; empty means all.
    #[serde(default)]
    pub services: Vec<ServiceName>,
    /// The environment.
    pub environment: EnvironmentName,
    /// What it looks at.
    pub measure: Measure,
    /// The value above which it is true.
    pub above: f64,
    /// The time over which it is averaged.
    #[serde(deserialize_with = "span::long")]
    pub over: Duration,
    /// How long it must be true before it fires.
    #[serde(rename = "for", deserialize_with = "span::long")]
    pub for_time: Duration,
    /// The label `severity`.
    pub severity: String,
    /// The annotation `summary`, with `$service` and `$environment`.
    pub summary: String,
}

/// A silence that is there from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSilence {
    /// The target whose alerts it mutes.
    pub target: Target,
    /// Who made it.
    pub by: PersonName,
    /// Why.
    pub comment: String,
    /// When it ends, counted from the beginning.
    #[serde(deserialize_with = "span::long")]
    pub ends: Duration,
}

/// Something that happens by itself, `at` seconds after the beginning (before it when negative).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// Someone sets the share of the second slot, unless the operator has set weights there before.
    Shift {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
        /// Where.
        target: Target,
        /// The share.
        percent: Percent,
    },
    /// Someone has a version deployed into a slot by the deploy pipeline.
    Deploy {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
        /// Who.
        by: PersonName,
        /// Where.
        target: Target,
        /// The slot.
        slot: Slot,
        /// The version.
        version: String,
    },
    /// Someone pushes a commit.
    Push {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
        /// Who.
        by: PersonName,
        /// The service.
        service: ServiceName,
        /// The commit's subject.
        message: String,
        /// The environment at whose gate its build waits before it publishes; none: it waits at none.
        #[serde(default)]
        gate: Option<EnvironmentName>,
    },
    /// The traffic of a target becomes this many times its usual.
    Load {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
        /// Where.
        target: Target,
        /// The factor.
        factor: f64,
    },
    /// This share of a target's requests fails in addition, whatever the version.
    Errors {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
        /// Where.
        target: Target,
        /// The share.
        ratio: f64,
    },
    /// A server changes its state.
    Server {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
        /// Where.
        target: Target,
        /// The server.
        server: ServerName,
        /// Its new state.
        state: ServerState,
    },
    /// The router is reloaded: a new process, counters from 0, weights as configured.
    Reload {
        /// When.
        #[serde(deserialize_with = "span::signed")]
        at: i64,
    },
}

impl Event {
    /// When it happens, in seconds after the beginning.
    pub fn at(&self) -> i64 {
        match self {
            Self::Shift { at, .. }
            | Self::Deploy { at, .. }
            | Self::Push { at, .. }
            | Self::Load { at, .. }
            | Self::Errors { at, .. }
            | Self::Server { at, .. }
            | Self::Reload { at } => *at,
        }
    }
}

impl Scenario {
    /// The built-in scenarios in the order in which documents list them.
    pub const NAMES: [&'static str; 5] = ["calm", "bad-canary", "broken-backend", "slow-leak", "two-teams"];

    /// The scenario that plays when none is named.
    pub const DEFAULT: &'static str = "bad-canary";

    /// A built-in scenario.
    ///
    /// # Errors
    /// When there is none of that name, with the names that there are.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        let Some((_, source)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let name = crate::model::text::Text::clean_within(name, 40);
            let what = format!("there is no scenario `{name}`; expected one of {}", Self::NAMES.join(", "));
            return Err(ScenarioError { line: 1, column: 1, what });
        };
        Self::parse(source)
    }

    /// Reads a scenario and checks that everything it names is there.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column.
    pub fn parse(source: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(source).map_err(|error| check::located(source, &error))?;
        if let Some(base) = scenario.based_on.take() {
            let known = BUILT_IN.iter().find(|(name, _)| *name == base && *name != scenario.name);
            let (_, base) = known.ok_or_else(|| check::at_key(source, "based_on", "expected the name of another built-in scenario"))?;
            let base: Self = toml::from_str(base).map_err(|error| check::located(base, &error))?;
            scenario.inherit(base);
        }
        check::everything(source, &scenario)?;
        scenario.event.sort_by_key(Event::at);
        scenario.start.sort_by_key(|start| start.at);
        Ok(scenario)
    }

    /// The service of that name.
    pub fn service(&self, name: &ServiceName) -> Option<&ScenarioService> {
        self.service.iter().find(|service| &service.name == name)
    }

    /// How a version behaves in an environment, when otherwise than its service.
    pub fn behaviour(&self, target: &Target, version: &str) -> Option<&Behaviour> {
        let here = |known: &Behaviour| known.environments.is_empty() || known.environments.contains(&target.environment);
        self.version.iter().find(|known| known.service == target.service && known.version == version && here(known))
    }

    fn inherit(&mut self, base: Self) {
        fn fill<T>(own: &mut Vec<T>, base: Vec<T>) {
            if own.is_empty() {
                *own = base;
            }
        }
        fill(&mut self.person, base.person);
        fill(&mut self.environment, base.environment);
        for service in base.service {
            if self.service(&service.name).is_none() {
                self.service.push(service);
            }
        }
        fill(&mut self.alert, base.alert);
        fill(&mut self.silence, base.silence);
    }
}

#[cfg(test)]
mod tests;
