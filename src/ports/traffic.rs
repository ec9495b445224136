//! The port to routers: load balancers and meshes that split traffic between servers.

use super::pending::Pending;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, SendError};
use crate::model::name::PoolName;
use crate::model::traffic::TrafficReading;

/// A router. The contract suite is `tests/it/contract/traffic.rs`.
pub trait Traffic: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Reads the pools in one exchange. A pool that does not exist goes to `missing`; it is no error of the others.
    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>>;

    /// Carries out a `Weights` effect.
    ///
    /// 1. Reads the pool and compares it with [`Effect::expect`]: any difference is `NotDone` with kind `Conflict`, nothing is written.
    /// 2. Refuses (`NotDone`) when a slot that gains has no server up or all weights would be 0.
    /// 3. Raises, reads back; only when that reads as wished, lowers, reads back.
    ///
    /// A refused raise ends it with `NotDone`. Once a byte of a write has left and its effect cannot be read back, it is `Unknown`.
    /// A weight that reads back neither as before nor as wished is `Unknown` with kind `Conflict`.
    /// Any other [`crate::model::plan::StepEffect`] is `NotDone` with kind `Unsupported`.
    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>>;

    /// The calls by which a person could do the same by hand.
    fn commands(&self, effect: &crate::model::plan::StepEffect) -> Vec<String>;
}
