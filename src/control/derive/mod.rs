//! Derives what screens and verdicts need from raw readings, only for the source that said something new.

pub mod alerts;
pub mod signals;
pub mod traffic;
