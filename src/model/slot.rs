//! Slots: the two sets of servers between which a rollout moves traffic, and the roles they play.

use serde::{Deserialize, Serialize};

/// One of the two slots of a deployment, named by its place in the configuration and never by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The servers listed under `stable` in the configuration.
    First,
    /// The servers listed under `canary` in the configuration.
    Second,
}

impl Slot {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// The role that a slot plays now. It changes only by the last promote of a rollout, or by a rollback that deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    /// The proven version.
    Stable,
    /// The version on trial.
    Canary,
}

impl Track {
    /// The value of `$track` in queries.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
        }
    }

    /// The slot that plays this role while `stable` is the stable one.
    pub fn slot(self, stable: Slot) -> Slot {
        match self {
            Self::Stable => stable,
            Self::Canary => stable.other(),
        }
    }

    /// The role of `slot` while `stable` is the stable one.
    pub fn of(slot: Slot, stable: Slot) -> Self {
        if slot == stable { Self::Stable } else { Self::Canary }
    }
}
