//! The one integration test binary.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod floors;
mod pty;
mod servers;
mod tidy;
