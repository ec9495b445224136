//! The configuration: layers of files, environment and flags, checked with line numbers, turned into model types.

pub mod scenario;
pub mod secret;
pub mod settings;
