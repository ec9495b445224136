//! Contract suites: one per port, run against every adapter on its real server.

mod alerts;
pub mod ci;
pub mod github;
mod metrics;
pub mod traffic;
