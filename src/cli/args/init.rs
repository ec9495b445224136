//! `gonogo init` as it is typed.

use std::path::PathBuf;

use clap::Args;

/// `gonogo init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where the configuration goes; `-` is standard output. Default: where the other verbs will look for it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replaces a file that is there already.
    #[arg(long)]
    pub force: bool,
    /// Asks this address for a product, in place of its usual ones: `prometheus=http://127.0.0.1:19090`, `haproxy=/run/lb.sock`.
    #[arg(long = "at", value_name = "KIND=ADDRESS")]
    pub at: Vec<String>,
    /// Asks no other address than those of `--at`.
    #[arg(long)]
    pub only: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
