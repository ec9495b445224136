//! Pieces of screens that more than one screen uses.

pub mod budget;
pub mod builders;
pub mod calendar;
pub mod chart;
pub mod estate;
pub mod events;
pub mod flags;
pub mod gates;
pub mod log;
pub mod scrubber;
pub mod sparkline;
pub mod steps;
