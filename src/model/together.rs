//! Sets: rollouts of several targets that move together, with a barrier between steps.

use serde::{Deserialize, Serialize};

use super::name::{SetName, Target};

/// What becomes of a rollout of a set when another of it goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It stays where it is and waits for a person.
    #[default]
    Hold,
    /// It goes back as well.
    Return,
}

impl OnFailure {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Hold, Self::Return];

    /// The word in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Return => "return",
        }
    }
}

/// A configured set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutSet {
    /// Its name.
    pub name: SetName,
    /// Its targets, in the order in which they are started.
    pub targets: Vec<Target>,
    /// What becomes of the others when one goes back.
    pub on_failure: OnFailure,
}

/// One start of a set, in the intents that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRun {
    /// The set.
    pub set: SetName,
    /// What tells this start from another.
    pub nonce: String,
}

/// That a rollout moves together with others: part of the Order that starts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// What tells this start of the set from another; all of it bear the same.
    pub nonce: String,
    /// What becomes of this one when another goes back.
    pub on_failure: OnFailure,
    /// The set.
    pub set: SetName,
    /// The other targets.
    pub with: Vec<Target>,
}
