//! What is typed after `gonogo rollout`.

use clap::{Args, Subcommand};

use super::deed::Deed;

/// `gonogo rollout`.
#[derive(Debug, Subcommand)]
pub enum RolloutVerb {
    /// Starts a rollout that goes from step to step by itself, judged, and back by itself.
    Start(RolloutStart),
    /// Says how rollouts stand and what each does next.
    Status(RolloutStatus),
    /// Conducts a rollout from here, as an open room does, and says what happens until it is over.
    Watch(RolloutWatch),
    /// Says why a rollout does what it does next, step by step and signal by signal.
    Explain(RolloutStatus),
    /// Advises which strategy suits a target, why, and what would change that; orders nothing.
    Advise(RolloutAdvise),
    /// Nothing moves it forward until resumed; the automatic way back stays armed.
    Hold(Deed),
    /// Ends a hold, and lets a rollout that stopped go on, trying again what did not come about.
    Resume(Deed),
    /// To the next step now, whatever is still awaited; after the last, the new version is the stable one.
    Promote(Promote),
    /// The new version's share becomes 0 and the rollout ends.
    Abort(Deed),
}

/// `gonogo rollout start`.
#[derive(Debug, Args)]
pub struct RolloutStart {
    /// What is started, and how.
    #[command(flatten)]
    pub deed: Deed,
    /// The version that it brings: of a target whose image gonogo sets itself (`workload` or `workloads` in its deploy table). Between other
    /// slots it is what was deployed there.
    #[arg(long)]
    pub version: Option<String>,
}

/// `gonogo promote`, `gonogo rollout promote`.
#[derive(Debug, Args)]
pub struct Promote {
    /// What is promoted, and how.
    #[command(flatten)]
    pub deed: Deed,
    /// Skips every further step, pause and analysis that an orchestrator would walk by itself: of a workload of kind Rollout.
    #[arg(long)]
    pub full: bool,
}

/// `gonogo rollout status`, `gonogo rollout explain`.
#[derive(Debug, Args)]
pub struct RolloutStatus {
    /// `service@environment` or a set; without it all.
    pub target: Option<String>,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = super::duration)]
    pub settle: std::time::Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo rollout watch`.
#[derive(Debug, Args)]
pub struct RolloutWatch {
    /// `service@environment` or a set.
    pub target: String,
    /// One JSON object a change.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo rollout advise`.
#[derive(Debug, Args)]
pub struct RolloutAdvise {
    /// `service@environment`.
    pub target: String,
    /// How long to wait until every backend of it has been asked.
    #[arg(long, default_value = "5s", value_parser = super::duration)]
    pub settle: std::time::Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
