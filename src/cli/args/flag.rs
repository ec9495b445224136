//! What is typed after `gonogo flag`.

use clap::{Args, Subcommand};

use super::deed::DeedFlags;

/// `gonogo flag`.
#[derive(Debug, Subcommand)]
pub enum FlagVerb {
    /// Lists the feature flags of services and how they stand.
    List(FlagList),
    /// Shows one flag whole: its strategies, who changed it last.
    Show(FlagShow),
    /// Turns a flag on or off, or on at a percentage; off and down is the way back, on and up goes forward.
    Set(FlagSet),
}

/// `gonogo flag list`.
#[derive(Debug, Args)]
pub struct FlagList {
    /// A service, an environment as `@prod`, a target, or many: `pay*@prod`, `team:payments@prod`; without it all.
    pub selector: Option<String>,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = super::duration)]
    pub settle: std::time::Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo flag show`.
#[derive(Debug, Args)]
pub struct FlagShow {
    /// `service/flag@environment`.
    pub flag: String,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = super::duration)]
    pub settle: std::time::Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo flag set`.
#[derive(Debug, Args)]
pub struct FlagSet {
    /// `service/flag@environment`.
    pub flag: String,
    /// `on` (at the percentage that stands), `off`, or a percentage from 0 to 100, which turns it on.
    pub to: String,
    /// How it is done.
    #[command(flatten)]
    pub flags: DeedFlags,
}
