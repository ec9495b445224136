//! The port to what checks of rollouts ask outside of any backend: an address, a program.

use std::time::Duration;

use super::pending::Pending;
use crate::model::probe::{Probe, ProbeAnswer};

/// Makes checks. What goes wrong while asking is an answer too: `NotKnown`, with why.
pub trait Prober: Send + Sync {
    /// Makes one check, bounded in time and in what is read. A query is none of its: a monitoring system answers it.
    fn probe<'a>(&'a self, probe: &'a Probe, within: Duration) -> Pending<'a, ProbeAnswer>;
}
