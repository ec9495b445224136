//! CI systems.

pub mod buildbot;
