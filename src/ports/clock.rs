//! The clock: wall time for people, a clock that counts while the machine sleeps for everything that is measured.

use crate::model::time::{Boot, Moment};

/// Tells the time. Everything that a test would want to control asks this and nothing else.
pub trait Clock: Send + Sync {
    /// Both clocks, read together.
    fn now(&self) -> Moment;

    /// A clock that stands still while the machine sleeps (`CLOCK_MONOTONIC`), in milliseconds. The growth of the gap between
    /// it and [`Moment::boot`] is the time that the machine slept.
    fn awake(&self) -> Boot;

    /// The identity of this boot of the machine, so that leases of an earlier one are known to be over.
    fn boot_id(&self) -> String;
}
