//! The running judgement of a rollout as the store keeps it, so that it outlives the process that conducts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{PlanId, Target};
use super::text::Text;

/// A running judgement, as whoever conducts the rollout wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTrial {
    /// The target.
    pub target: Target,
    /// The plan that started the rollout.
    pub rollout: PlanId,
    /// The judge that made it: what it keeps, and how it goes on with that.
    pub judge: String,
    /// The digest of the rules that it goes by.
    pub rules: String,
    /// When it was written down.
    pub at: DateTime<Utc>,
    /// How many intervals were compared, over all measures.
    pub pairs: u64,
    /// The judgement itself, as JSON that only that judge reads.
    pub trial: String,
}

/// A judgement that began while its rollout was under way, though there was one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anew {
    /// When.
    pub at: DateTime<Utc>,
    /// Why what was kept is not gone on with.
    pub why: Text,
}
