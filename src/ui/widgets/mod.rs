//! Pieces of screens that more than one screen uses.

pub mod chart;
pub mod estate;
pub mod events;
