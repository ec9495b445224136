//! `gonogo policy` as it is typed.

use clap::Subcommand;

/// `gonogo policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Says which rules count, and what differs in changed ones that are not accepted.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Puts your name under changed rules: they count once another person than their author, with the role policy-owner, accepts them.
    Accept {
        /// The rules, 8 or more digits of their digest; without it those of this configuration.
        digest: Option<String>,
        /// What was looked at.
        #[arg(long, default_value = "")]
        reason: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}
