//! `gonogo break-glass` as it is typed.

use std::time::Duration;

use clap::Args;

use super::{DeedFlags, duration};
use crate::model::intent::Verb;
use crate::model::review::{LONGEST_BOX, SHORTEST_BOX};

/// `gonogo break-glass`.
#[derive(Debug, Args)]
pub struct BreakGlass {
    /// The verb; `list` only shows.
    #[arg(value_parser = glass, value_name = "VERB|list")]
    pub what: Glass,
    /// `service@environment`.
    pub target: Option<String>,
    /// What else the verb needs: a share.
    pub args: Vec<String>,
    /// The run of a retry, cancel, approve or reject, `backend/number`.
    #[arg(long)]
    pub run: Option<String>,
    /// The time box, 1m to 4h; the deed begins within it.
    #[arg(long = "for", value_name = "SPAN", default_value = "15m", value_parser = time_box)]
    pub time_box: Duration,
    /// How it is done.
    #[command(flatten)]
    pub flags: DeedFlags,
}

/// What `gonogo break-glass` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glass {
    /// Carries a deed out.
    Break(Verb),
    /// Shows open windows, owed reviews and use.
    List,
}

fn glass(word: &str) -> Result<Glass, String> {
    if word == "list" { Ok(Glass::List) } else { word.parse().map(Glass::Break) }
}

fn time_box(text: &str) -> Result<Duration, String> {
    let right = |span: &Duration| (SHORTEST_BOX..=LONGEST_BOX).contains(span);
    duration(text).ok().filter(right).ok_or_else(|| format!("`{text}` is no time box; expected 1m to 4h"))
}
