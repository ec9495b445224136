//! `gonogo support-bundle` as it is typed.

use std::path::PathBuf;

use clap::Args;

/// `gonogo support-bundle`.
#[derive(Debug, Args)]
pub struct SupportBundle {
    /// The file, which must not be there yet; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "gonogo-support.json")]
    pub out: PathBuf,
}
