//! A rollout: the state that the store remembers of a target's two slots and the way between them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{PlanId, Target};
use super::part::Part;
use super::share::Percent;
use super::slot::Slot;
use super::spec::{Course, Ended, Stopped};
use super::text::Text;

/// A hold on a target: nothing that goes through gonogo moves it forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who holds.
    pub by: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: Text,
    /// The deed that set it.
    pub deed: PlanId,
    /// The share of the slot that is not stable when the hold began; a later rise is an alarm.
    pub share: Option<Percent>,
}

/// A rollout under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// When the other slot was first seen above 0.
    pub begun: DateTime<Utc>,
    /// Who began it: a person, or `unknown` when it was found running.
    pub by: String,
    /// The plan that began it.
    pub plan: Option<PlanId>,
    /// The version of the stable slot when it began, when known.
    pub from: Option<Text>,
    /// The version of the other slot, when known.
    pub to: Option<Text>,
    /// What it does by itself and how far it has come; none where a person moves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Box<Course>>,
}

/// A version that served as the stable one for its hold time: the way back leads to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The version.
    pub version: Text,
    /// Its digest, when known.
    pub digest: Option<Text>,
    /// The slot in which it was proven.
    pub slot: Slot,
    /// Last seen as the stable one.
    pub at: DateTime<Utc>,
}

/// A way back that was seen to have taken effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// When it was seen.
    pub at: DateTime<Utc>,
    /// The deed.
    pub deed: PlanId,
}

/// What the store remembers of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetState {
    /// The target.
    pub target: Target,
    /// The slot that is the stable one.
    pub stable: Slot,
    /// The rollout under way.
    pub rollout: Option<Box<Rollout>>,
    /// The hold.
    pub hold: Option<Hold>,
    /// Proven versions, the newest first, at most 20.
    pub proven: Vec<Proven>,
    /// The last way back that was seen to have taken effect: when, and which deed.
    #[serde(default)]
    pub way_back: Option<WayBack>,
    /// How many rollouts have ended: what is written of one that begins must know of them all.
    #[serde(default)]
    pub ended: u64,
    /// The last rollout that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Box<Ended>>,
}

impl TargetState {
    /// A target of which nothing is remembered.
    pub fn new(target: Target) -> Self {
        Self { target, stable: Slot::First, rollout: None, hold: None, proven: Vec::new(), way_back: None, ended: 0, last: None }
    }
}

/// A change of what is remembered, made in the same transaction as the ledger entry that causes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateChange {
    /// A rollout begins; without effect when another one is remembered or ended since its observer read the state.
    Begin {
        /// The target.
        target: Target,
        /// The rollouts that had ended as its observer knew.
        ended: u64,
        /// The rollout.
        rollout: Rollout,
    },
    /// A rollout is started that goes on by itself; one that a person moved becomes this one.
    Start {
        /// The target.
        target: Target,
        /// The rollout.
        rollout: Box<Rollout>,
    },
    /// A part of a rollout begins.
    Take {
        /// The target.
        target: Target,
        /// The plan that started the rollout.
        rollout: PlanId,
        /// Which part.
        part: Part,
        /// The deed.
        deed: PlanId,
    },
    /// A part of a rollout surely did not begin after all, so that it may begin anew.
    Release {
        /// The target.
        target: Target,
        /// The plan that started the rollout.
        rollout: PlanId,
        /// The deed that did not.
        deed: PlanId,
    },
    /// A share was reached: by a step of the rollout under way, or by a person.
    Reach {
        /// The target.
        target: Target,
        /// The share of the slot on trial.
        percent: Percent,
        /// It is the step before the first share: testers, or copies of requests.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unshared: bool,
        /// It is the step that brings a workload up or down.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        scaled: bool,
        /// Why it does not go on by itself from there; none: it goes on.
        stopped: Option<Stopped>,
        /// When.
        at: DateTime<Utc>,
    },
    /// All instances of a step are new.
    Rolled {
        /// The target.
        target: Target,
        /// The plan that started the rollout.
        rollout: PlanId,
        /// The step.
        step: u32,
        /// When it was seen.
        at: DateTime<Utc>,
    },
    /// A rollout does not go on by itself.
    Stop {
        /// The target.
        target: Target,
        /// The plan that started the rollout.
        rollout: PlanId,
        /// Why.
        stopped: Stopped,
    },
    /// The rollout ends and `stable` is the stable slot from now on.
    End {
        /// The target.
        target: Target,
        /// The stable slot.
        stable: Slot,
        /// When; none in changes of an older gonogo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
    /// A hold is set.
    Hold {
        /// The target.
        target: Target,
        /// The hold.
        hold: Hold,
    },
    /// The hold is lifted.
    Resume {
        /// The target.
        target: Target,
    },
    /// A way back took effect.
    WayBack {
        /// The target.
        target: Target,
        /// Which, and when.
        way_back: WayBack,
    },
    /// A version is proven.
    Prove {
        /// The target.
        target: Target,
        /// The version.
        proven: Proven,
    },
}
