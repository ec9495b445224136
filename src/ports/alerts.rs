//! The port to alerting systems.

use super::pending::Pending;
use crate::model::alert::AlertReading;
use crate::model::capability::Capability;
use crate::model::error::PortError;

/// An alerting system. The contract suite is `tests/it/contract/alerts.rs`.
pub trait Alerts: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Reads alerts, groups and silences.
    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>>;
}
