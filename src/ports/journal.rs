//! The port to the journal: observed facts that changed, append only.

use super::pending::Pending;
use crate::model::kept::KeptTrial;
use crate::model::timeline::Happening;

/// Why the journal could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("failed to {doing} the journal: {detail}")]
pub struct JournalError {
    /// What was being done.
    pub doing: &'static str,
    /// What came back.
    pub detail: String,
}

/// What the journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days.
    pub days: u32,
    /// Bytes of its file.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 14, bytes: 1_000_000_000 }
    }
}

/// The journal. Losing it loses history, never a deed.
pub trait Journal: Send + Sync {
    /// Appends events: `(wall time in ms since 1970, family, JSON)`. Equal readings are folded by the caller.
    fn append(&self, events: Vec<(i64, String, String)>) -> Pending<'_, Result<(), JournalError>>;

    /// The newest happenings, oldest first, at most `most`.
    fn happenings(&self, most: u32) -> Pending<'_, Result<Vec<Happening>, JournalError>>;

    /// Keeps a running judgement, the last one of its target. One that has seen more of the same rollout by the same rules and judge stays,
    /// unless this one stands `over` it: what was there could not be gone on with.
    fn keep_trial<'a>(&'a self, kept: &'a KeptTrial, over: bool) -> Pending<'a, Result<(), JournalError>>;

    /// The running judgements that were kept.
    fn kept_trials(&self) -> Pending<'_, Result<Vec<KeptTrial>, JournalError>>;

    /// Drops what is older than `days` days, then the oldest until the journal is under `bytes`; tells how many events went.
    fn compact(&self, days: u32, bytes: u64) -> Pending<'_, Result<u64, JournalError>>;
}
