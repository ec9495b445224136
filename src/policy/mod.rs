//! Policy: who, when, what must be true; verdicts, without I/O, clock or screen.

pub mod calendar;
pub mod conflict;
pub mod judge;
pub mod role;
