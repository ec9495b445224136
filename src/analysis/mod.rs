//! Arithmetic on readings.

pub mod split;
pub mod weights;
