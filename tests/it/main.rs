//! The one integration test binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]
#![expect(clippy::wildcard_enum_match_arm, reason = "syntax trees have more kinds than the floors look at")]

mod attacks;
mod bad_line;
mod calendars;
mod contract;
mod contracts;
mod e2e;
mod faults_buildbot;
mod faults_disk;
mod faults_github;
mod faults_haproxy;
mod faults_http;
mod faults_routers;
mod faults_secrets;
mod faults_signals;
mod faults_tls;
mod floors;
mod headless;
mod hostile;
mod line;
mod mouse;
mod outbox;
mod own_health;
mod pictures;
mod probe;
mod pty;
mod rehearse;
mod releases;
mod reload;
mod sequences;
mod servers;
mod signer;
mod simulated;
mod stream;
mod terminal;
mod tidy;
