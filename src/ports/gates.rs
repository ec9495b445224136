//! The port to the gates of runs.

use super::pending::Pending;
use crate::model::error::PortError;
use crate::model::pipeline::RunGates;

/// A CI system whose runs wait for persons. An answer is sent as an `Answer` effect through [`super::ci::Ci::send`] and looked for
/// through [`super::ci::Ci::find`]. The contract suite is `tests/it/contract/gates.rs`.
pub trait Gates: Send + Sync {
    /// Reads the gates of a run of `builder` anew.
    fn gates<'a>(&'a self, builder: &'a str, run: u64) -> Pending<'a, Result<RunGates, PortError>>;
}
