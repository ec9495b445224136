//! `gonogo ledger` as it is typed.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::moment;
use crate::adapters::formats::notes::USUAL;
use crate::model::name::{EnvironmentName, ServiceName};

/// `gonogo ledger`.
#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Lists entries.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Checks every entry, of the store or of an export.
    Verify(VerifyArgs),
    /// Writes the ledger into a file: whole and closed by a signed checkpoint (jsonl), or as others read it.
    Export(ExportArgs),
    /// Writes a git note on the commit of each deed that is over.
    Notes(NotesArgs),
    /// Prints one entry in full, with the evidence that was seen.
    Show {
        /// The entry.
        n: u64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Proves that an entry is in the ledger, or that an earlier ledger is the beginning of it.
    Prove(ProveArgs),
}

/// `gonogo ledger verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// This export in place of the store; no configuration is read.
    #[arg(long, value_name = "F")]
    pub file: Option<PathBuf>,
    /// Also against this checkpoint, which was kept elsewhere.
    #[arg(long, value_name = "C")]
    pub checkpoint: Option<PathBuf>,
    /// Also against this export of another copy: both must be of one history.
    #[arg(long, value_name = "G")]
    pub against: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo ledger prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The entry.
    #[arg(required_unless_present = "from", conflicts_with_all = ["from", "to"])]
    pub n: Option<u64>,
    /// The size of the earlier ledger.
    #[arg(long, value_name = "M")]
    pub from: Option<u64>,
    /// The size of the later ledger; all entries when it is not given. With `--file` it is the export's size.
    #[arg(long, value_name = "N", requires = "from")]
    pub to: Option<u64>,
    /// From this export in place of the store; no configuration is read.
    #[arg(long, value_name = "F")]
    pub file: Option<PathBuf>,
}

/// What the ledger is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Every entry as it was signed: what `ledger verify --file` checks. It is always whole.
    Jsonl,
    /// One row a plan, RFC 4180.
    Csv,
    /// OSCAL assessment results.
    Oscal,
    /// in-toto statements of approvals and rejections, one DSSE envelope a line.
    InToto,
}

/// `gonogo ledger export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The form.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub format: ExportFormat,
    /// The file.
    #[arg(long, value_name = "F")]
    pub out: PathBuf,
    /// Only what began at this time or later, RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<DateTime<Utc>>,
    /// Only what began before this time, RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<DateTime<Utc>>,
    /// Only this environment.
    #[arg(long, value_name = "E")]
    pub environment: Option<EnvironmentName>,
    /// Only this service.
    #[arg(long, value_name = "S")]
    pub service: Option<ServiceName>,
}

/// `gonogo ledger notes`.
#[derive(Debug, Args)]
pub struct NotesArgs {
    /// The repository with the commits.
    #[arg(long, value_name = "PATH")]
    pub repository: PathBuf,
    /// Where the notes are.
    #[arg(long = "ref", value_name = "REF", default_value = USUAL)]
    pub place: String,
    /// Afterwards sends that ref to this remote, never by force.
    #[arg(long, value_name = "REMOTE")]
    pub push: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
