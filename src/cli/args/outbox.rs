//! `gonogo outbox` as it is typed.

use std::time::Duration;

use clap::Subcommand;

use super::duration;

/// `gonogo outbox`.
#[derive(Debug, Subcommand)]
pub enum OutboxVerb {
    /// Lists how far each receiver got, and what was set aside.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Delivers what waits, until nothing does or the time is over. Exit 0: nothing is left; 6: something is.
    Deliver {
        /// How long.
        #[arg(long, default_value = "30s", value_parser = duration)]
        within: Duration,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tries again what a receiver refused.
    Retry {
        /// `RECEIVER/NUMBER` as `list` prints it, or a receiver for all of its own.
        id: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Gives up what a receiver refused.
    Drop {
        /// `RECEIVER/NUMBER` as `list` prints it, or a receiver for all of its own.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forgets a receiver that is no longer configured, with all that waits for it.
    Forget {
        /// Its name.
        receiver: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}
