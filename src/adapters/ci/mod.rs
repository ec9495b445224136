//! CI systems.

pub mod buildbot;
pub mod github;
