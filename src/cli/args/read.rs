//! `gonogo read` as it is typed.

use std::time::Duration;

use clap::Args;

use super::duration;

/// `gonogo read`.
#[derive(Debug, Args)]
pub struct Read {
    /// The screen.
    pub screen: String,
    /// `service@environment`; without it the one that matters most.
    #[arg(long)]
    pub target: Option<String>,
    /// Goes on, and announces only what changes.
    #[arg(long, conflicts_with = "scenario")]
    pub follow: bool,
    /// A scenario of `gonogo demo` in place of the configured backends.
    #[arg(long)]
    pub scenario: Option<String>,
    /// The scenario's seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The moment of the scenario.
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub at: Duration,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub settle: Duration,
}
