//! The port to routers: load balancers and meshes that split traffic between servers.

use super::pending::Pending;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
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

    /// Carries out a `Drain` effect: the server finishes what it has and takes nothing new, or takes requests again.
    ///
    /// 1. Reads the pool: a server whose word is neither what it `was` nor as wished is `NotDone` with kind `Conflict`, nothing is written; as
    ///    wished already, nothing is written.
    /// 2. Refuses (`NotDone`) to drain where no other server of the pool is up and has a weight.
    /// 3. Writes, reads back. Once a byte of a write has left and its effect cannot be read back, it is `Unknown`.
    ///
    /// Any other effect, and all of them at a router without [`Capability::Drain`], is `NotDone` with kind `Unsupported`.
    fn drain<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let error =
            PortError::new(PortErrorKind::Unsupported, effect.what().backend(), "drain a server", "this router drains no single servers");
        Box::pin(std::future::ready(Err(SendError::NotDone(error))))
    }

    /// The calls by which a person could do the same by hand.
    fn commands(&self, effect: &crate::model::plan::StepEffect) -> Vec<String>;
}
