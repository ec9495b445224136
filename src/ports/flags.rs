//! The port to services that keep feature flags.

use super::pending::Pending;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, SendError};
use crate::model::flag::{FlagReading, FlagRef};
use crate::model::plan::StepEffect;

/// A flag service. It is proven in `tests/it/headless/flags.rs`.
pub trait Flags: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Reads flags, each in its environment. A flag that is not there, or archived, is told as missing; it is no error of the others.
    fn read<'a>(&'a self, flags: &'a [FlagRef]) -> Pending<'a, Result<FlagReading, PortError>>;

    /// Carries out a `Flag` effect.
    ///
    /// 1. Reads the flag: unless everything that decides who gets it is as the effect says it was, it is `NotDone` with kind
    ///    `Conflict`, and nothing is written.
    /// 2. Sets the percentage before it turns the flag on, so that nobody gets it who should not; a flag that is to be off is turned off
    ///    and nothing else.
    /// 3. Reads back: only what reads as wished is done. What cannot be read back, or reads otherwise, is `Unknown`.
    ///
    /// Any other [`StepEffect`] is `NotDone` with kind `Unsupported`.
    fn set<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>>;

    /// The calls by which a person could do the same by hand.
    fn commands(&self, effect: &StepEffect) -> Vec<String>;
}
