//! The port to alerting systems.

use super::pending::Pending;
use crate::model::alert::AlertReading;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::plan::StepEffect;

/// An alerting system. The contract suite is `tests/it/contract/alerts.rs`.
pub trait Alerts: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Reads alerts, groups and silences.
    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>>;

    /// Carries out a `Silence` effect: an alert is silenced until its end, or silences of it are over.
    ///
    /// 1. Reads the silences: what is as wished already is not written again.
    /// 2. Writes. A silence carries the effect's key in its comment. Once a byte of a write has left and no answer came, it is `Unknown`.
    ///
    /// Any other effect, and all of them without [`Capability::Silence`], is `NotDone` with kind `Unsupported`.
    fn silence<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let why = "this alerting system silences nothing";
        let error = PortError::new(PortErrorKind::Unsupported, effect.what().backend(), "silence an alert", why);
        Box::pin(std::future::ready(Err(SendError::NotDone(error))))
    }

    /// The calls by which a person could do the same by hand.
    fn commands(&self, _: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}
