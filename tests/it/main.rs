//! The one integration test binary.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod faults_http;
mod faults_signals;
mod servers;
