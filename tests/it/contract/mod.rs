//! Contract suites: one per port, run against every adapter on its real server.

mod alerts;
mod calendar;
pub mod ci;
pub mod copies;
pub mod github;
mod metrics;
pub mod traffic;
