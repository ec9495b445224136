//! `gonogo canary` as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `gonogo canary`.
#[derive(Debug, Subcommand)]
pub enum CanaryVerb {
    /// Judges a canary by two files of samples, without any backend. Exit 0: pass; 20: marginal; 21: fail; 22: too early, or no data.
    Judge(JudgeArgs),
}

/// `gonogo canary judge`.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// The samples of the old version: CSV with the header `time,metric,value`.
    #[arg(long, value_name = "A.csv")]
    pub baseline: PathBuf,
    /// The samples of the new version.
    #[arg(long, value_name = "B.csv")]
    pub canary: PathBuf,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
