//! Contract suites: one per port, run against every adapter on its real server.

mod alerts;
mod calendar;
pub mod ci;
mod metrics;
pub mod traffic;
