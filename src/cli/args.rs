//! The command line as it is typed; CONTRACTS.md, "Command line".

mod canary;
mod changes;
mod deed;
mod flag;
mod glass;
mod grant;
mod init;
mod ledger;
mod outbox;
#[cfg(test)]
mod page;
mod policy;
mod read;
mod replay;
mod rollout;
mod slo;
mod support;
mod trace;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::canary::{CanaryVerb, JudgeArgs};
pub use self::changes::{ChangesVerb, Pack, PackFormat};
pub use self::deed::{Deed, DeedFlags, ExecuteFlags, RuleArgs, RunDeed, ServerDeed, SilenceDeed, Time, UnsilenceDeed, Wait};
pub use self::flag::{FlagList, FlagSet, FlagShow, FlagVerb};
pub use self::glass::{BreakGlass, Glass};
pub use self::grant::{GrantArgs, RevokeArgs};
pub use self::init::Init;
pub use self::ledger::{ExportArgs, ExportFormat, LedgerVerb, NotesArgs, ProveArgs, VerifyArgs};
pub use self::outbox::OutboxVerb;
pub use self::policy::PolicyVerb;
pub use self::read::Read;
pub use self::replay::Replay;
pub use self::rollout::{Promote, RolloutAdvise, RolloutStatus, RolloutVerb, RolloutWatch};
pub use self::slo::{SloBacktest, SloRules, SloStatus, SloVerb};
pub use self::support::SupportBundle;
pub use self::trace::TraceArgs;
use crate::control::replay::when::When;
use crate::model::change::ChangeType;
use crate::model::intent::Verb;
use crate::model::ticket::Ticket;

/// The release control room in a terminal.
#[derive(Debug, Parser)]
#[command(name = "gonogo", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// Reads this file in place of the user's and the project's.
    #[arg(long, global = true, value_name = "F")]
    pub config: Option<PathBuf>,
    /// The theme.
    #[arg(long, global = true, value_name = "T")]
    pub theme: Option<String>,
    /// The keymap.
    #[arg(long, global = true, value_name = "K")]
    pub keymap: Option<String>,
    /// Makes deeds impossible.
    #[arg(long, global = true)]
    pub read_only: bool,
    /// What to do; without a verb the room opens.
    #[command(subcommand)]
    pub verb: Option<Command>,
}

/// Verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Looks at what is around and writes a commented configuration that begins with it.
    Init(Init),
    /// Opens the room on the simulated release train.
    Demo(Demo),
    /// Says how everything stands.
    Status(Status),
    /// Prints one screen.
    Show(Show),
    /// Prints events as they come.
    Watch {
        /// One JSON object a line.
        #[arg(long)]
        jsonl: bool,
    },
    /// Says what is wrong with each backend, this terminal, the store and the configuration, and what to do.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Says who you are here.
    Whoami {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Draws up a plan, stores it, does nothing.
    Plan(PlanArgs),
    /// Says what the verdict would be, and why.
    Explain(Explain),
    /// Agrees to a plan that waits for another person (never executes it), or opens the gates at which a run waits.
    Approve(RuleArgs),
    /// Refuses a plan that waits for another person (the plan ends), or closes the gates at which a run waits (the run ends).
    Reject(RuleArgs),
    /// Carries out a stored plan of yours.
    Execute {
        /// The plan, 8 or more of its digits.
        id: String,
        /// How it is done.
        #[command(flatten)]
        flags: ExecuteFlags,
    },
    /// Takes back your approval of a plan, or your own plan, until it begins.
    Withdraw {
        /// The plan, 8 or more of its digits.
        id: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Nothing moves TARGET forward until resumed.
    Hold(Deed),
    /// Ends a hold.
    Resume(Deed),
    /// The next step of the rollout; after the last, the new version is the stable one.
    Promote(Promote),
    /// The new version's share becomes 0 and the rollout ends.
    Abort(Deed),
    /// Back to the last proven version.
    Rollback(Deed),
    /// Rollouts that go from step to step by themselves.
    #[command(name = "rollout")]
    Rollouts {
        /// What to do with them.
        #[command(subcommand)]
        what: RolloutVerb,
    },
    /// Sets the share of the slot that is not stable.
    Shift {
        /// `service@environment`.
        target: String,
        /// The share in whole per cent, 0 to 100.
        percent: String,
        /// How it is done.
        #[command(flatten)]
        flags: DeedFlags,
    },
    /// A server of a router finishes what it has and takes nothing new; its weight stays.
    Drain(ServerDeed),
    /// A server that drains, or is in maintenance, takes requests again as soon as its checks let it.
    Ready(ServerDeed),
    /// An alert calls nobody for a while; it is shown as silenced, and stops no automatic way back.
    Silence(SilenceDeed),
    /// An alert calls again: its silences end.
    Unsilence(UnsilenceDeed),
    /// Runs a run again.
    Retry {
        /// The run and how it is done.
        #[command(flatten)]
        deed: RunDeed,
        /// Only what went wrong, and what depends on it.
        #[arg(long)]
        failed: bool,
    },
    /// Stops a run.
    Cancel(RunDeed),
    /// Runs the service's pipeline.
    Start(Deed),
    /// Writes a line into the timeline and the ledger.
    Note {
        /// `service@environment`.
        target: String,
        /// The line.
        #[arg(trailing_var_arg = false, required = true, num_args = 1..)]
        text: Vec<String>,
        /// How it is done.
        #[command(flatten)]
        flags: DeedFlags,
    },
    /// Carries a deed out past approvals, checks and windows, within a time box; `list` shows the open ones and the reviews owed.
    BreakGlass(BreakGlass),
    /// Closes the review that break glass or an emergency change left owed; another person does it.
    Review {
        /// The deed, 8 or more of its digits.
        id: String,
        /// What was found.
        #[arg(long)]
        reason: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Follows a ticket, deed, commit, version, digest or target along its chain, in both directions.
    Trace(TraceArgs),
    /// The rules that verdicts are judged by, and who stands for them.
    Policy {
        /// What to do with them.
        #[command(subcommand)]
        what: PolicyVerb,
    },
    /// Changes that wait, are scheduled, or were carried out.
    Changes {
        /// What to do with them.
        #[command(subcommand)]
        what: ChangesVerb,
    },
    /// Canaries.
    Canary {
        /// What to do with them.
        #[command(subcommand)]
        what: CanaryVerb,
    },
    /// Objectives: error budgets, how fast they burn, and their alarms.
    Slo {
        /// What to do with them.
        #[command(subcommand)]
        what: SloVerb,
    },
    /// Feature flags: how they stand, and setting one.
    #[command(name = "flag")]
    Flags {
        /// What to do with them.
        #[command(subcommand)]
        what: FlagVerb,
    },
    /// Takes a role for a while, where the environment's `self_service` offers it.
    Grant(GrantArgs),
    /// Takes a grant back before its end.
    Revoke(RevokeArgs),
    /// Lists roles that people took for a while, and what may be taken.
    Grants {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Draws one screen.
    Render(Render),
    /// Opens the room in the past: the same screens at any moment of the journal, or of a recording; or writes a recording out.
    Replay(Replay),
    /// Reads one screen out in plain sentences, one fact a line: for screen readers and braille displays.
    Read(Read),
    /// The record of deeds.
    Ledger {
        /// What to do with it.
        #[command(subcommand)]
        what: LedgerVerb,
    },
    /// What is to be told to receivers: webhooks and desks.
    Outbox {
        /// What to do with it.
        #[command(subcommand)]
        what: OutboxVerb,
    },
    /// The configuration.
    Config {
        /// What to do with it.
        #[command(subcommand)]
        what: ConfigVerb,
    },
    /// Prints what one look finds of gonogo itself as metrics for Prometheus: `gonogo metrics > gonogo.prom` for the node exporter.
    Metrics,
    /// Writes one file for whoever helps, without secrets.
    SupportBundle(SupportBundle),
    /// Prints shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, of one verb where its words are given: `gonogo man rollout start | man -l -`.
    Man {
        /// The words of a verb.
        verb: Vec<String>,
    },
}

/// `gonogo demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// calm, bad-canary, broken-backend, slow-leak, two-teams, or a file whose name ends in `.toml`; `bad-canary` when none is named.
    pub scenario: Option<String>,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How fast time runs; 0 stands still.
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// Shows around, in five steps.
    #[arg(long, conflicts_with = "headless")]
    pub tour: bool,
    /// Without a terminal, on a virtual clock.
    #[arg(long, requires = "until")]
    pub headless: bool,
    /// How long a headless run lasts.
    #[arg(long, value_parser = duration, requires = "headless")]
    pub until: Option<Duration>,
    /// Orders, one JSON object a line.
    #[arg(long, value_name = "F", requires = "headless")]
    pub orders: Option<PathBuf>,
    /// Where the recording goes, one event a line.
    #[arg(long, value_name = "F", requires = "headless")]
    pub record: Option<PathBuf>,
}

/// `gonogo status`.
#[derive(Debug, Args)]
pub struct Status {
    /// A service, an environment as `@prod`, a target, or many: `pay*@prod`, `team:payments@prod`.
    pub selector: Option<String>,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub settle: Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The screen.
    pub screen: String,
    /// `service@environment`.
    pub target: Option<String>,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub settle: Duration,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The verb.
    #[arg(value_parser = verb)]
    pub verb: Verb,
    /// `service@environment`.
    pub target: String,
    /// What else the verb needs: a share, a text, `full` for a promotion that skips an orchestrator's steps.
    pub args: Vec<String>,
    /// The run of a retry, cancel, approve or reject, `backend/number`.
    #[arg(long)]
    pub run: Option<String>,
    /// Of a retry: only what went wrong, and what depends on it.
    #[arg(long)]
    pub failed: bool,
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Makes the change stricter than the rules say: normal.
    #[arg(long, value_name = "TYPE", value_parser = change_type)]
    pub change: Option<ChangeType>,
    /// The ticket under which the change is known elsewhere, such as CHG0030001; part of what is approved.
    #[arg(long, value_name = "ID")]
    pub ticket: Option<Ticket>,
    /// When it is to be carried out.
    #[command(flatten)]
    pub time: Time,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The verb.
    #[arg(value_parser = verb)]
    pub verb: Verb,
    /// `service@environment`.
    pub target: String,
    /// What else the verb needs: a share, a text, `full` for a promotion that skips an orchestrator's steps.
    pub args: Vec<String>,
    /// The run of a retry, cancel, approve or reject, `backend/number`.
    #[arg(long)]
    pub run: Option<String>,
    /// Of a retry: only what went wrong, and what depends on it.
    #[arg(long)]
    pub failed: bool,
    /// For this person.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: Option<String>,
    /// At this moment, RFC 3339; the readings are those of now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<DateTime<Utc>>,
    /// Makes the change stricter than the rules say: normal.
    #[arg(long, value_name = "TYPE", value_parser = change_type)]
    pub change: Option<ChangeType>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo render`.
#[derive(Debug, Args)]
pub struct Render {
    /// The screen.
    pub screen: String,
    /// `service@environment`; without it the row that the cursor would stand on.
    #[arg(long)]
    pub target: Option<String>,
    /// Columns and rows.
    #[arg(long, default_value = "120x40", value_parser = size)]
    pub size: (u16, u16),
    /// The format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// A scenario of `gonogo demo` in place of the configured backends.
    #[arg(long)]
    pub scenario: Option<String>,
    /// The scenario's seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The moment: `120s` after the beginning, which is the default for a scenario; with `--replay` also `-10m` before the end, RFC 3339
    /// or `13:59:10Z`, the end by default.
    #[arg(long, value_name = "T", value_parser = replay::when, allow_hyphen_values = true)]
    pub at: Option<When>,
    /// A moment of the past: of this recording, or without FILE of the configured store's journal.
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "scenario")]
    pub replay: Option<Option<PathBuf>>,
    /// How long to wait until every backend has been asked.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub settle: Duration,
}

/// What a screen is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Characters alone.
    Text,
    /// Characters with colours.
    Ansi,
    /// A picture.
    Svg,
}

/// `gonogo config`.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Checks the configuration.
    Check,
    /// Prints a commented example.
    Example,
    /// Prints a JSON Schema of the configuration, by which editors complete and check it.
    Schema,
    /// Trusts a project's file as it is now.
    Trust {
        /// The file.
        file: PathBuf,
    },
}

/// `2026-11-24T14:00:00Z`, `2026-11-24T14:00Z`, `2026-11-24T15:00+01:00`.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let wrong = |error| format!("`{text}` is no RFC 3339 time: {error}");
    // People write no seconds.
    let minutes = DateTime::parse_from_str(&text.replacen('Z', "+00:00", 1), "%Y-%m-%dT%H:%M%:z");
    DateTime::parse_from_rfc3339(text).or_else(|error| minutes.map_err(|_| error)).map(|at| at.to_utc()).map_err(wrong)
}

fn change_type(word: &str) -> Result<ChangeType, String> {
    ChangeType::of(word)
        .ok_or_else(|| format!("`{word}` is no type of change; expected one of {}", ChangeType::ALL.map(ChangeType::word).join(", ")))
}

fn verb(word: &str) -> Result<Verb, String> {
    word.parse()
}

/// `90s`, `5m`, `1h30m`, `250ms`.
fn duration(text: &str) -> Result<Duration, String> {
    crate::config::duration::parse(text).ok_or_else(|| format!("`{text}` is no duration; expected such as 90s, 5m, 1h30m"))
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is no size; expected COLUMNSxROWS such as 120x40, at most 1000x1000");
    let (columns, rows) = text.split_once('x').ok_or_else(wrong)?;
    let (columns, rows) = (columns.parse().map_err(|_| wrong())?, rows.parse().map_err(|_| wrong())?);
    if (1..=1000).contains(&columns) && (1..=1000).contains(&rows) { Ok((columns, rows)) } else { Err(wrong()) }
}
