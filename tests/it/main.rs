//! The one integration test binary.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod faults_buildbot;
mod faults_http;
mod servers;
