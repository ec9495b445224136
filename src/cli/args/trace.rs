//! `gonogo trace` as it is typed.

use clap::Args;

/// `gonogo trace`.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// A ticket, a deed or plan (8 or more digits), a commit (7 or more), a version, a digest, a run, or `service@environment`.
    pub what: String,
    /// The most deeds that are told, the newest.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub most: u16,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
