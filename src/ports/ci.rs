//! The port to CI systems.

use super::gates::Gates;
use super::pending::Pending;
use super::source::Source;
use crate::model::capability::Capability;
use crate::model::deed::{Effect, EffectKey};
use crate::model::error::{PortError, SendError};
use crate::model::pipeline::{LogPart, Run, RunReading};
use crate::model::plan::StepEffect;
use crate::model::text::Text;

/// What a CI backend said when it accepted an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReceipt {
    /// The backend's identity of the request, when it told one.
    pub request: Option<u64>,
}

/// A CI system. The contract suite is `tests/it/contract/ci.rs`.
pub trait Ci: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Reads builders with their newest runs and queues. Steps are read for runs under way and for those in `detail`
    /// (global run numbers). A builder that does not exist goes to `missing`.
    fn read<'a>(&'a self, builders: &'a [String], detail: &'a [u64]) -> Pending<'a, Result<RunReading, PortError>>;

    /// Reads a part of a log: at most `limit` lines from line `first`.
    fn log(&self, log: u64, first: u64, limit: u32) -> Pending<'_, Result<LogPart, PortError>>;

    /// Carries out a `Start`, `Retry`, `Repeat`, `Answer` or `Cancel` effect, as far as it is able. A start carries `effect.key()` in every property whose value is `$key`,
    /// and in the reason. Never retries by itself. `Unknown` once bytes left and no whole answer came.
    fn send<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<RunReceipt, SendError>>;

    /// Looks for what an effect made: the newest run or queued request that bears its key (start), or is a repetition of its run
    /// that is newer than `after` (retry), a newer attempt of its run (repeat), its run once the answer is recorded there and its gates wait no more (answer;
    /// [`Found::Other`] when another answer stands there in its place), or the run itself (cancel). `None`: it is not there now.
    fn find<'a>(&'a self, effect: &'a StepEffect, key: EffectKey, after: Option<u64>) -> Pending<'a, Result<Option<Found>, PortError>>;

    /// The calls by which a person could do the same by hand.
    fn commands(&self, effect: &StepEffect) -> Vec<String>;

    /// The gates of its runs, where the backend has such.
    fn gates(&self) -> Option<&dyn Gates> {
        None
    }

    /// Where the changes that it builds come from, where the backend keeps them too.
    fn source(&self) -> Option<&dyn Source> {
        None
    }

    /// What the backend said of our access when it last answered: the credential's rights, how many requests are left.
    fn access(&self) -> Option<Text> {
        None
    }
}

/// What an effect made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Found {
    /// It waits in a queue; the backend's identity of the request.
    Queued(u64),
    /// It ended before it ever ran, and never will: cancelled while it waited, or merged into another.
    Closed {
        /// The backend's identity of the request.
        request: u64,
        /// Why, and what to do about it where something can be.
        why: Text,
    },
    /// It did not happen and will not: another hand answered where it would have.
    Other {
        /// Who, and what.
        why: Text,
    },
    /// It runs or ran.
    Run(Box<Run>),
}
