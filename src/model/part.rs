//! The parts of a rollout that goes on by itself: each is one deed.

use serde::{Deserialize, Serialize};

use super::name::PlanId;

/// Which part of a rollout a deed is; each is begun once at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "kebab-case")]
pub enum Part {
    /// A step, by its number from 0.
    Step {
        /// The number.
        step: u32,
    },
    /// The automatic way back.
    WayBack,
    /// The end after the bake time: the version on trial becomes the stable one.
    End,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step { step } => write!(f, "step {}", step.saturating_add(1)),
            Self::WayBack => f.write_str("way back"),
            Self::End => f.write_str("end"),
        }
    }
}

/// That a deed is a part of a rollout: member `of` of its Order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    /// Which part.
    #[serde(flatten)]
    pub part: Part,
    /// The plan that started the rollout.
    pub rollout: PlanId,
}
