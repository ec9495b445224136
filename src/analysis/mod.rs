//! Arithmetic on readings: pure, without I/O, clock or screen.

pub mod burn;
pub mod counters;
pub mod evidence;
pub mod graph;
pub mod histogram;
pub mod judge;
pub mod limit;
pub mod occurrence;
pub mod proportion;
pub mod reach;
pub mod recurrence;
pub mod span;
pub mod split;
pub mod trial;
pub mod weights;
pub mod when;
pub mod zone;
