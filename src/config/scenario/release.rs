//! What a scenario says of rollouts: sets of them, what they ask before they go on, and who starts which and when.

use std::time::Duration;

use serde::Deserialize;

use super::span;
use crate::model::name::{CheckName, PersonName, SetName, Target};
use crate::model::probe::{Probe, StepCheck, When};
use crate::model::together::{OnFailure, RolloutSet};

/// How long the answer to a check may take.
const WITHIN_S: u64 = 5;

/// Rollouts that move together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSet {
    /// Its name.
    pub name: SetName,
    /// Its targets, in the order in which they are started.
    pub targets: Vec<Target>,
    /// What becomes of the others when one goes back.
    #[serde(default)]
    pub on_failure: OnFailure,
}

impl ScenarioSet {
    /// The set as a configuration has it.
    pub fn set(&self) -> RolloutSet {
        RolloutSet { name: self.name.clone(), targets: self.targets.clone(), on_failure: self.on_failure }
    }
}

/// A check of the rollouts of a target, by an address of the simulated train: `http://SERVICE.ENVIRONMENT/version` answers with the
/// versions that serve there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioCheck {
    /// The target whose rollouts ask it.
    pub target: Target,
    /// Its name.
    pub name: CheckName,
    /// Before what it must hold.
    pub when: When,
    /// The address.
    pub url: String,
    /// What the answer must contain; none: anything.
    #[serde(default)]
    pub contains: Option<String>,
    /// How often it is made while it counts.
    #[serde(deserialize_with = "span::long")]
    pub every: Duration,
}

impl ScenarioCheck {
    /// The check as a configuration has it.
    pub fn check(&self) -> StepCheck {
        let probe = Probe::Http { url: self.url.clone(), status: None, contains: self.contains.clone() };
        StepCheck { every_s: self.every.as_secs(), name: self.name.clone(), probe, when: self.when, within_s: WITHIN_S }
    }
}

/// Someone of the story starts rollouts through gonogo, as a person at other keys would.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioStart {
    /// When, after the beginning.
    #[serde(deserialize_with = "span::long")]
    pub at: Duration,
    /// Who.
    pub by: PersonName,
    /// Where, when it is one target.
    #[serde(default)]
    pub target: Option<Target>,
    /// Which set, when it is one.
    #[serde(default)]
    pub set: Option<SetName>,
    /// Why.
    pub reason: String,
}
