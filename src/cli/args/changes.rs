//! What is typed after `gonogo changes`.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

/// `gonogo changes`.
#[derive(Debug, Subcommand)]
pub enum ChangesVerb {
    /// Writes the advisory board's pack of a period: every change with its risk, way back, conflicts, last failures, approvals.
    Pack(Pack),
}

/// `gonogo changes pack`.
#[derive(Debug, Args)]
pub struct Pack {
    /// The beginning of the period, RFC 3339; now when it is not given.
    #[arg(long, value_name = "TIME", value_parser = super::moment)]
    pub from: Option<DateTime<Utc>>,
    /// Its end, RFC 3339; 14 days after its beginning when it is not given.
    #[arg(long, value_name = "TIME", value_parser = super::moment)]
    pub to: Option<DateTime<Utc>>,
    /// Markdown or HTML.
    #[arg(long, value_enum, default_value_t = PackFormat::Md)]
    pub format: PackFormat,
    /// Where it is written; standard output when not given.
    #[arg(long, value_name = "F")]
    pub out: Option<PathBuf>,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = super::duration)]
    pub settle: Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// The form of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PackFormat {
    /// Markdown.
    Md,
    /// One HTML file without script.
    Html,
}
