//! `gonogo grant` and `gonogo revoke` as they are typed.

use std::time::Duration;

use clap::Args;

use super::duration;
use crate::model::name::RoleName;
use crate::model::self_service::{LONGEST, Place, SHORTEST};

/// `gonogo grant`.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// The role.
    pub role: RoleName,
    /// `service@environment`, or `@environment` for all of its services.
    pub place: Place,
    /// For how long; without it 1h, or `at_most` where that is less.
    #[arg(long = "for", value_name = "SPAN", value_parser = span)]
    pub span: Option<Duration>,
    /// What it is needed for.
    #[arg(long)]
    pub reason: String,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `gonogo revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The grant, 8 or more of its digits.
    pub id: String,
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    let right = |span: &Duration| (SHORTEST..=LONGEST).contains(span);
    duration(text).ok().filter(right).ok_or_else(|| format!("`{text}` is no time for a role; expected 1m to 24h"))
}
