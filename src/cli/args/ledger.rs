//! `gonogo ledger` as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// Writes the whole ledger as JSON Lines, closed by a signed checkpoint.
    Export {
        /// The file.
        #[arg(long, value_name = "F")]
        out: PathBuf,
    },
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
