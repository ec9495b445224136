//! The port to orchestrators: what runs a service as a workload and replaces its instances by its own rule.

use super::pending::Pending;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, SendError};
use crate::model::plan::StepEffect;
use crate::model::workload::{WorkloadAsk, WorkloadReading};

/// An orchestrator. Its tests are `tests/cluster/rollouts.rs`, on a real one.
pub trait Orchestrator: Send + Sync {
    /// What this adapter can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Reads workloads. One that does not exist goes to `missing`; it is no error of the others.
    fn read<'a>(&'a self, workloads: &'a [WorkloadAsk]) -> Pending<'a, Result<WorkloadReading, PortError>>;

    /// Carries out a `Workload` effect.
    ///
    /// 1. Reads the workload. Is it as wished already, nothing is written and it is done.
    /// 2. Is it another object, or does it not stand as the effect's `from` says: `NotDone` with kind `Conflict`, nothing is written.
    /// 3. Writes everything that is wished at once, for exactly the object that was read, and reads it back.
    ///
    /// Once a byte of a write has left and its effect cannot be read back, it is `Unknown`. Any other
    /// [`crate::model::plan::StepEffect`] is `NotDone` with kind `Unsupported`.
    fn change<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>>;

    /// The calls by which a person could do the same by hand.
    fn commands(&self, effect: &StepEffect) -> Vec<String>;
}
