//! What a rollout does: its steps as absolute effects, and the rules of its automatic way back. Part of the Order of the plan that starts it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::effect::StepEffect;
use super::name::{ObjectiveName, PlanId};
use super::probe::StepCheck;
use super::share::Percent;
use super::slot::Slot;
use super::strategy::{Strategy, Trigger};
use super::testers::Testers;
use super::text::Text;
use super::ticket::Ticket;
use super::together::Together;
use super::workload::{WorkloadChange, WorkloadForm};

/// One step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecStep {
    /// The effects that set the share, absolute, one a router, in their order.
    pub effects: Vec<StepEffect>,
    /// How long it lasts at least, in seconds, where it is one of a ramp: it goes on then unless judged worse; none: as the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace_s: Option<u64>,
    /// Whether a person must send it there.
    pub paused: bool,
    /// The share of the version on trial afterwards.
    pub percent: Percent,
}

impl SpecStep {
    /// Whether it brings a workload up or down and gives nobody another version.
    pub fn scales(&self) -> bool {
        self.percent == Percent::NONE && self.effects.iter().any(|effect| effect.workload().is_some())
    }
}

/// What a rollout does. Everything in it is a whole number or a text, as the Order wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// How long a reason to go back lasts before it fires, in seconds.
    pub after_s: u64,
    /// What a way back sets, where instances of a workload are replaced; none between two slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<WorkloadForm>,
    /// How long it is watched at its last step, in seconds.
    pub bake_s: u64,
    /// The objectives whose burn sends it back, each with its digest as it was agreed to; empty without that rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub budgets: BTreeMap<ObjectiveName, String>,
    /// What must be so before it begins, goes on and ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<StepCheck>,
    /// How long a step may last, in seconds.
    pub deadline_s: u64,
    /// What its end sets at most: the old version's workload brought down, where it is not kept as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<StepEffect>,
    /// Whether judgement must pass before each step.
    pub judged: bool,
    /// How many of a hundred requests are copied to the version on trial before its first share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Percent>,
    /// Its steps, rising to 100 %.
    pub steps: Vec<SpecStep>,
    /// How it moves.
    pub strategy: Strategy,
    /// Whose requests go to the version on trial from its first step on, where the routers are prepared for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testers: Option<Testers>,
    /// With which others it moves; none: alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
    /// The slot whose share rises.
    pub trial: Slot,
    /// How long a step lasts at least, in seconds.
    pub wait_s: u64,
    /// What sends it back by itself; empty: nothing does.
    pub way_back: Vec<Trigger>,
}

impl Spec {
    /// The step after one; none after the last.
    pub fn after(&self, step: Option<u32>) -> Option<(u32, &SpecStep)> {
        let next = step.map_or(0, |step| step.saturating_add(1));
        Some((next, self.steps.get(usize::try_from(next).ok()?)?))
    }

    /// A step by its number from 0.
    pub fn step(&self, step: u32) -> Option<&SpecStep> {
        self.steps.get(usize::try_from(step).ok()?)
    }

    /// How long a step lasts at least, in seconds.
    pub fn lasts_s(&self, step: u32) -> u64 {
        self.step(step).and_then(|step| step.pace_s).unwrap_or(self.wait_s)
    }

    /// The step that leads to a share. None leads to no share by that alone: before the first share there are testers, or copies.
    pub fn at_share(&self, percent: Percent) -> Option<u32> {
        if percent == Percent::NONE {
            return None;
        }
        let step = self.steps.iter().position(|step| step.percent == percent)?;
        u32::try_from(step).ok()
    }

    /// The step that brings a workload up or down before anybody gets another version; none where none does.
    pub fn scaling(&self) -> Option<u32> {
        u32::try_from(self.steps.iter().position(SpecStep::scales)?).ok()
    }

    /// The step of testers and copies before the first share; none where there is none.
    pub fn unshared(&self) -> Option<u32> {
        let before = |step: &SpecStep| step.percent == Percent::NONE && !step.scales();
        u32::try_from(self.steps.iter().position(before)?).ok()
    }

    /// What was set last of a workload by the time of a step: by it, or by one before.
    pub fn set_by(&self, step: u32) -> Option<&WorkloadChange> {
        let until = self.steps.iter().take(usize::try_from(step).ok()?.saturating_add(1));
        until.rev().flat_map(|step| &step.effects).find_map(StepEffect::workload).map(|(_, change)| change)
    }

    /// Whether a step is the last one.
    pub fn is_last(&self, step: u32) -> bool {
        usize::try_from(step).is_ok_and(|step| step + 1 >= self.steps.len())
    }
}

/// Why a rollout does not go on by itself until a person moves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    pub at: DateTime<Utc>,
    /// The deed after which it stopped.
    pub deed: PlanId,
    /// Why, in words.
    pub words: Text,
    /// Whether its own way back did not come about, so that nothing more is tried by itself.
    pub stranded: bool,
}

/// A rollout that is walked: what it does, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// What it does.
    pub spec: Spec,
    /// In whose name it goes on.
    pub by: super::operator::Actor,
    /// The ticket of the plan that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// The step that was reached last; none before the first.
    pub step: Option<u32>,
    /// When it was reached, or the rollout begun.
    pub since: DateTime<Utc>,
    /// When all instances of that step were first seen to be new; none before, and where traffic moves between two slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled: Option<DateTime<Utc>>,
    /// The deed of the automatic way back, once it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<PlanId>,
    /// Why it does not go on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The version on trial is the stable one.
    Promoted,
    /// It went back by itself.
    WentBack,
    /// A person took it back.
    Aborted,
}

/// The last rollout that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The plan that started it, when it was started as one.
    pub plan: Option<PlanId>,
    /// How.
    pub how: Ending,
    /// When.
    pub at: DateTime<Utc>,
    /// The version it led from.
    pub from: Option<Text>,
    /// The version it led to.
    pub to: Option<Text>,
    /// Which start of a set it was one of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}
