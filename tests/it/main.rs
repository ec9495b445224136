//! The one integration test binary.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]
#![expect(clippy::wildcard_enum_match_arm, reason = "syntax trees have more kinds than the floors look at")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod contract;
mod faults_buildbot;
mod faults_http;
mod faults_haproxy;
mod faults_signals;
mod servers;
mod simulated;
mod floors;
mod pty;
mod servers;
mod tidy;
