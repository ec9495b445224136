//! Arithmetic on readings: pure, without I/O, clock or screen.

pub mod counters;
pub mod histogram;
pub mod proportion;
pub mod split;
pub mod weights;
