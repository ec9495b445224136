//! The port to the journal: observed facts that changed, append only.

use super::pending::Pending;
use crate::model::kept::KeptTrial;
use crate::model::long_text::LongText;
use crate::model::scrub::Mark;
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

/// Where reading may begin: the line of a room's opening, or one from which everything is whole again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// The number of the line.
    pub id: i64,
    /// Its time, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether the room had begun before.
    pub again: bool,
}

/// What one room saw from its opening to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The room.
    pub room: String,
    /// Where reading may begin, the oldest first; never empty.
    pub beginnings: Vec<Beginning>,
    /// Its last line.
    pub last: i64,
    /// The time of it, in milliseconds since 1970.
    pub until_ms: i64,
}

/// A line to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The family of the event, by which it is found again.
    pub family: &'static str,
    /// Whether reading may begin with it although its room had begun before.
    pub again: bool,
    /// The JSON object, without a newline.
    pub json: LongText,
}

/// A line as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its number: later ones are larger.
    pub id: i64,
    /// The line.
    pub json: String,
}

/// A happening that one jumps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// The number of its line.
    pub id: i64,
    /// What and when.
    pub mark: Mark,
}

/// The journal. Losing it loses history, never a deed.
pub trait Journal: Send + Sync {
    /// Appends lines. Equal readings are folded by the caller.
    fn append<'a>(&'a self, lines: &'a [Line]) -> Pending<'a, Result<(), JournalError>>;

    /// The newest happenings, oldest first, at most `most`.
    fn happenings(&self, most: u32) -> Pending<'_, Result<Vec<Happening>, JournalError>>;

    /// Keeps a running judgement, the last one of its target. One that has seen more of the same rollout by the same rules and judge stays,
    /// unless this one stands `over` it: what was there could not be gone on with.
    fn keep_trial<'a>(&'a self, kept: &'a KeptTrial, over: bool) -> Pending<'a, Result<(), JournalError>>;

    /// The running judgements that were kept.
    fn kept_trials(&self) -> Pending<'_, Result<Vec<KeptTrial>, JournalError>>;

    /// Drops what is older than `days` days, then the oldest until the journal is under `bytes`; tells how many events went.
    fn compact(&self, days: u32, bytes: u64) -> Pending<'_, Result<u64, JournalError>>;

    /// What rooms saw, each from where reading may begin; the oldest first.
    fn stretches(&self) -> Pending<'_, Result<Vec<Stretch>, JournalError>>;

    /// The lines of a room after the one of that number and up to another, at most `most`, the oldest first.
    fn lines<'a>(&'a self, room: &'a str, after: i64, upto: i64, most: u32) -> Pending<'a, Result<Vec<Written>, JournalError>>;

    /// The lines of a room before the one of that number, at most `most`, the newest first.
    fn lines_before<'a>(&'a self, room: &'a str, before: i64, most: u32) -> Pending<'a, Result<Vec<Written>, JournalError>>;

    /// The newest line of a room, happenings left out, that was written at that time or before.
    fn line_at<'a>(&'a self, room: &'a str, at_ms: i64) -> Pending<'a, Result<Option<i64>, JournalError>>;

    /// The deeds and alerts of a room, the oldest first.
    fn marks<'a>(&'a self, room: &'a str) -> Pending<'a, Result<Vec<Marked>, JournalError>>;
}
