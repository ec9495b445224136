//! Checks of rollouts that ask an address or run a program.

mod command;
mod http;

use std::time::Duration;

use crate::model::probe::{Held, Probe, ProbeAnswer};
use crate::ports::Pending;
use crate::ports::probe::Prober;

/// The most that is read of an answer, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// Asks addresses and runs programs.
#[derive(Debug, Default)]
pub struct Outer;

impl Prober for Outer {
    fn probe<'a>(&'a self, probe: &'a Probe, within: Duration) -> Pending<'a, ProbeAnswer> {
        Box::pin(async move {
            match probe {
                Probe::Http { url, status, contains } => http::ask(url, *status, contains.as_deref(), within).await,
                Probe::Command { words } => command::run(words, within).await,
                Probe::Query { backend, .. } => ProbeAnswer::new(Held::NotKnown, &format!("{backend} was not asked")),
            }
        })
    }
}
