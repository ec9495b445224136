//! How deeds are typed: what they are done to, and how far they are followed.

use clap::{Args, ValueEnum};

use super::change_type;
use crate::analysis::when::When;
use crate::model::change::ChangeType;
use crate::model::ticket::Ticket;

/// `gonogo approve`, `gonogo reject`.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// `service@environment`; with `--grant` also `@environment`.
    pub target: String,
    /// The plan, 8 or more of its digits; without it and without a run, the only one that waits on the target.
    #[arg(long, value_name = "ID", conflicts_with_all = ["run", "if_plan", "dry_run", "change", "ticket", "begins", "train"])]
    pub plan: Option<String>,
    /// The run that waits at a gate, `backend/number`; a deed of its own.
    #[arg(long)]
    pub run: Option<String>,
    /// The grant of somebody else, 8 or more of its digits: agreed to, or with `reject` taken back.
    #[arg(long, value_name = "ID", conflicts_with_all = ["plan", "run", "if_plan", "dry_run", "change", "ticket"])]
    pub grant: Option<String>,
    /// How it is done; of a plan only the reason and the form count.
    #[command(flatten)]
    pub flags: DeedFlags,
}

/// `gonogo drain`, `gonogo ready`.
#[derive(Debug, Args)]
pub struct ServerDeed {
    /// `service@environment`.
    pub target: String,
    /// The server by its name at the router, `ROUTER/SERVER` where it stands at several.
    pub server: String,
    /// How it is done.
    #[command(flatten)]
    pub flags: DeedFlags,
}

/// `gonogo silence`.
#[derive(Debug, Args)]
pub struct SilenceDeed {
    /// `service@environment`.
    pub target: String,
    /// The name of an alert that fires for it.
    #[arg(long, value_name = "NAME")]
    pub alert: String,
    /// For how long, 1m to 8h; it ends by itself.
    #[arg(long = "for", value_name = "SPAN")]
    pub lasts: String,
    /// How it is done; a reason is needed.
    #[command(flatten)]
    pub flags: DeedFlags,
}

/// `gonogo unsilence`.
#[derive(Debug, Args)]
pub struct UnsilenceDeed {
    /// `service@environment`.
    pub target: String,
    /// The name of the alert.
    #[arg(long, value_name = "NAME")]
    pub alert: String,
    /// How it is done.
    #[command(flatten)]
    pub flags: DeedFlags,
}

/// When a forward change is to be carried out; without it, now.
#[derive(Debug, Clone, Default, Args)]
pub struct Time {
    /// Schedules it: it waits until this moment, and `execute` carries it out then; `15:30`, `2026-11-30 14:00`, or RFC 3339.
    #[arg(id = "begins", long = "at", value_name = "TIME", conflicts_with = "train")]
    pub at: Option<When>,
    /// Schedules it for this train's next departure.
    #[arg(long, value_name = "NAME")]
    pub train: Option<String>,
}

/// How a stored plan is carried out.
#[derive(Debug, Clone, Args)]
pub struct ExecuteFlags {
    /// Stands for the typed text, never for an approval.
    #[arg(long)]
    pub yes: bool,
    /// Stops after the verdict.
    #[arg(long)]
    pub dry_run: bool,
    /// How far to wait.
    #[arg(long, value_enum, default_value_t = Wait::Effective)]
    pub wait: Wait,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// How a deed is done.
#[derive(Debug, Clone, Args)]
pub struct DeedFlags {
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Stands for the typed text, never for an approval.
    #[arg(long)]
    pub yes: bool,
    /// Makes the change stricter than the rules say: normal.
    #[arg(long, value_name = "TYPE", value_parser = change_type)]
    pub change: Option<ChangeType>,
    /// The ticket under which the change is known elsewhere, such as CHG0030001; part of what is approved.
    #[arg(long, value_name = "ID")]
    pub ticket: Option<Ticket>,
    /// When it is to be carried out.
    #[command(flatten)]
    pub time: Time,
    /// Carries out this stored plan.
    #[arg(long, value_name = "ID", conflicts_with_all = ["begins", "train"])]
    pub if_plan: Option<String>,
    /// Stops after the verdict.
    #[arg(long)]
    pub dry_run: bool,
    /// How far to wait.
    #[arg(long, value_enum, default_value_t = Wait::Effective)]
    pub wait: Wait,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// How far a deed is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// The backend said yes.
    Accepted,
    /// A later reading shows it.
    Effective,
    /// Still so after the hold time.
    Held,
}

/// A deed that needs only its target.
#[derive(Debug, Args)]
pub struct Deed {
    /// `service@environment`.
    pub target: String,
    /// How it is done.
    #[command(flatten)]
    pub flags: DeedFlags,
}

/// A deed on a run.
#[derive(Debug, Args)]
pub struct RunDeed {
    /// `service@environment`.
    pub target: String,
    /// The run, `backend/number`; without it the newest that can be.
    #[arg(long)]
    pub run: Option<String>,
    /// How it is done.
    #[command(flatten)]
    pub flags: DeedFlags,
}
