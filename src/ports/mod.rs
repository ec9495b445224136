//! Traits to the outside: every backend, clock and store can be replaced by another, by the simulated release train, or by a recording.

pub mod alerts;
pub mod broken;
pub mod calendar;
pub mod ci;
pub mod clock;
pub mod desk;
pub mod flags;
pub mod gates;
pub mod journal;
pub mod ledger;
pub mod metrics;
pub mod notify;
pub mod orchestrator;
pub mod outbox;
pub mod pending;
pub mod probe;
pub mod signer;
pub mod source;
pub mod traffic;

use std::sync::Arc;

use crate::model::capability::Capability;
use crate::model::name::BackendName;

pub use pending::Pending;

/// One configured backend as the room holds it: the port that its kind offers.
#[derive(Clone)]
pub enum Port {
    /// A router.
    Traffic(Arc<dyn traffic::Traffic>),
    /// A monitoring system.
    Metrics(Arc<dyn metrics::Metrics>),
    /// An alerting system.
    Alerts(Arc<dyn alerts::Alerts>),
    /// A CI system.
    Ci(Arc<dyn ci::Ci>),
    /// An orchestrator.
    Orchestrator(Arc<dyn orchestrator::Orchestrator>),
    /// A flag service.
    Flags(Arc<dyn flags::Flags>),
}

impl Port {
    /// What it can do.
    pub fn capabilities(&self) -> &'static [Capability] {
        match self {
            Self::Traffic(port) => port.capabilities(),
            Self::Metrics(port) => port.capabilities(),
            Self::Alerts(port) => port.capabilities(),
            Self::Ci(port) => port.capabilities(),
            Self::Orchestrator(port) => port.capabilities(),
            Self::Flags(port) => port.capabilities(),
        }
    }
}

/// All configured backends by name.
pub type Ports = std::collections::BTreeMap<BackendName, Port>;
