//! How rollouts of a target are configured to move, and what sends them back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::flag::FlagTo;
use super::probe::StepCheck;
use super::share::Percent;

/// How a deployment moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Step by step between two slots.
    Canary,
    /// At once between two slots.
    BlueGreen,
    /// The instances of a workload are replaced batch by batch, as its orchestrator does it.
    Rolling,
    /// All old instances of a workload end before the first new one begins.
    Recreate,
}

impl Strategy {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Canary, Self::BlueGreen, Self::Rolling, Self::Recreate];

    /// The word in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::BlueGreen => "blue-green",
            Self::Rolling => "rolling",
            Self::Recreate => "recreate",
        }
    }

    /// Whether it replaces the instances of a workload, rather than moving traffic between two slots.
    pub fn is_of_workload(self) -> bool {
        matches!(self, Self::Rolling | Self::Recreate)
    }
}

/// What sends a rollout back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The canary judge fails the version on trial.
    Judge,
    /// A critical signal of the version on trial is past its limit beyond doubt: worse than the stable version, or, once nothing is left
    /// to compare it with, by itself.
    Limit,
    /// An alert that matches the target and began after the rollout did.
    Alert,
    /// A burn rule that calls a person at once fires on an objective of the target, and began to after the rollout did.
    Budget,
    /// A check of the rollout fails since a step was reached.
    Check,
    /// The orchestrator gets no further with a step, or not within the step's deadline.
    Stuck,
    /// Another rollout of its set went back or was taken back. It is armed by the set, not by the target.
    Together,
}

impl Trigger {
    /// Every one that is configured for a target.
    pub const ALL: [Self; 6] = [Self::Judge, Self::Limit, Self::Alert, Self::Budget, Self::Check, Self::Stuck];

    /// Its word in the configuration and the Order.
    pub fn word(self) -> &'static str {
        match self {
            Self::Judge => "judge",
            Self::Limit => "limit",
            Self::Alert => "alert",
            Self::Budget => "budget",
            Self::Check => "check",
            Self::Stuck => "stuck",
            Self::Together => "together",
        }
    }
}

/// A flag that a rollout sets when it comes to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFlag {
    /// The flag, one of the deployment's.
    pub name: String,
    /// The share of the step.
    pub at: Percent,
    /// What it is set to; a way back sets what stood there before.
    pub to: FlagTo,
}

/// How rollouts of a target move, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRules {
    /// How long each step lasts at least.
    pub wait: Duration,
    /// How long each step may last before it counts as stuck.
    pub deadline: Duration,
    /// How long the old version is kept ready after the last step, with the automatic way back armed.
    pub bake: Duration,
    /// The shares of its ramps, and how long each of them lasts: from there it goes on unless judged worse.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paces: BTreeMap<Percent, Duration>,
    /// The flags that it sets at its steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<StepFlag>,
    /// Steps before which a person is waited for.
    pub pause_before: Vec<Percent>,
    /// Whether judgement must pass before each step; else time alone moves it.
    pub judged: bool,
    /// What must be so before it begins, goes on and ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<StepCheck>,
    /// What sends it back by itself; empty: nothing does.
    pub way_back: Vec<Trigger>,
    /// How long a reason to go back must last without a break before it fires.
    pub after: Duration,
}

impl Default for RolloutRules {
    fn default() -> Self {
        Self {
            wait: Duration::from_mins(5),
            deadline: Duration::from_hours(1),
            bake: Duration::from_mins(30),
            paces: BTreeMap::new(),
            flags: Vec::new(),
            pause_before: Vec::new(),
            judged: true,
            checks: Vec::new(),
            way_back: vec![Trigger::Judge, Trigger::Limit],
            after: Duration::from_secs(10),
        }
    }
}
