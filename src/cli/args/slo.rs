//! `gonogo slo` as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::{duration, moment};

/// `gonogo slo`.
#[derive(Debug, Subcommand)]
pub enum SloVerb {
    /// Says what is left of each error budget, how fast it burns, and which rules fire.
    Status(SloStatus),
    /// Writes the objectives as recording and alerting rules of Prometheus.
    Rules(SloRules),
    /// Says what the rules would have fired in the past, held against known incidents.
    Backtest(SloBacktest),
}

/// `gonogo slo status`.
#[derive(Debug, Args)]
pub struct SloStatus {
    /// A service, an environment as `@prod`, a target, or many: `pay*@prod`, `team:payments@prod`.
    pub selector: Option<String>,
    /// How long to wait until every objective has been measured.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub settle: Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo slo rules`.
#[derive(Debug, Args)]
pub struct SloRules {
    /// A service, an environment as `@prod`, a target, or many: `pay*@prod`, `team:payments@prod`.
    pub selector: Option<String>,
    /// Where the rules go; standard output when nothing is named.
    #[arg(long, value_name = "F")]
    pub out: Option<PathBuf>,
    /// Where unit tests of the rules go, for `promtool test rules F`.
    #[arg(long, value_name = "F", requires = "out")]
    pub tests: Option<PathBuf>,
    /// Says as JSON what was written; without --out the rules are in it.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo slo backtest`.
#[derive(Debug, Args)]
pub struct SloBacktest {
    /// A service, an environment as `@prod`, a target, or many: `pay*@prod`, `team:payments@prod`.
    pub selector: Option<String>,
    /// The beginning; 30 days before the end when none is given.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<DateTime<Utc>>,
    /// The end; now when none is given.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<DateTime<Utc>>,
    /// Known incidents: CSV with the header `start,end,service`, or one JSON object a line with these keys.
    #[arg(long, value_name = "F")]
    pub incidents: Option<PathBuf>,
    /// How long a rule must fire before it calls.
    #[arg(long = "for", default_value = "0s", value_parser = duration, value_name = "TIME")]
    pub after: Duration,
    /// How long an alarm stays after its rule fell silent.
    #[arg(long = "keep-firing-for", default_value = "0s", value_parser = duration, value_name = "TIME")]
    pub keep: Duration,
    /// How many operators share the alarms.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub operators: u32,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
