//! Adapters: one product a file or folder, each behind a port, each proven on the real server.

pub mod alerts;
pub mod calendar;
pub mod ci;
pub mod clock;
pub mod desk;
pub mod flags;
pub mod formats;
pub mod http;
pub mod kubernetes;
pub mod looking;
pub mod notify;
pub mod probe;
mod shell;
pub mod signals;
pub mod signer;
pub mod simulated;
pub mod traffic;
mod whole_file;
