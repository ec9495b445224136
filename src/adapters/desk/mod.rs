//! Desks: where people keep changes with a number.

pub mod servicenow;
