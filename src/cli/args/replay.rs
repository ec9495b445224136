//! `gonogo replay` as it is typed.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::control::replay::when::When;
use crate::model::scrub::SPEEDS;

/// `gonogo replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A recording: of `demo --record`, `watch --jsonl` or `replay --export`. No configuration is read for it. Without it the journal of
    /// the configured store.
    pub file: Option<PathBuf>,
    /// The moment: RFC 3339, `13:59:10Z` for the last such time, `-10m` before the end, `10m` after the beginning.
    #[arg(long, value_name = "T", value_parser = when, allow_hyphen_values = true)]
    pub at: Option<When>,
    /// Plays from that moment on, so many seconds a second: 1, 2, 5, 10, 30, 60, 300 or 1000.
    #[arg(long, value_name = "X", value_parser = speed)]
    pub speed: Option<u32>,
    /// Opens no room, but writes a recording into this file that anybody can open: all of it, or `--from` to `--to`. Build logs are left
    /// out: builds print what they like.
    #[arg(long, value_name = "F", conflicts_with_all = ["at", "speed"])]
    pub export: Option<PathBuf>,
    /// Of an export: from this moment on, RFC 3339; it begins up to an hour earlier, where reading can begin.
    #[arg(long, value_name = "TIME", value_parser = super::moment, requires = "export")]
    pub from: Option<DateTime<Utc>>,
    /// Of an export: up to this moment, RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = super::moment, requires = "export")]
    pub to: Option<DateTime<Utc>>,
}

/// A moment of the past.
pub fn when(text: &str) -> Result<When, String> {
    text.parse()
}

fn speed(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is no speed; expected one of {}", SPEEDS.map(|speed| speed.to_string()).join(", "));
    text.parse().ok().filter(|speed| SPEEDS.contains(speed)).ok_or_else(wrong)
}
