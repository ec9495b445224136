//! A recording made of what is kept: lines as they were written, from where reading may begin.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::reel::Reel;

/// Lines that are read at once.
const PAGE: u32 = 500;

/// What was written out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Lines.
    pub lines: u64,
    /// Parts of build logs that were left out.
    pub logs: u64,
}

/// What is looked at of a line.
#[derive(Deserialize)]
struct Head<'a> {
    at: DateTime<Utc>,
    #[serde(borrow)]
    event: std::borrow::Cow<'a, str>,
}

/// Gives out what rooms saw between two moments, one room after the other. A line before `from` may come first: the one from which
/// reading can begin. Logs of builds are left out: builds print what they like, also what is secret.
///
/// # Errors
/// What cannot be read, or the first error of `write`.
pub fn export(
    reel: &mut dyn Reel,
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    write: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<Exported, String> {
    let mut exported = Exported::default();
    let (from, to) = (from.map_or(i64::MIN, |from| from.timestamp_millis()), to.map_or(i64::MAX, |to| to.timestamp_millis()));
    for stretch in reel.stretches()? {
        let Some(first) = stretch.beginnings.first() else { continue };
        if stretch.until_ms < from || first.at_ms > to {
            continue;
        }
        let first = stretch.beginnings.iter().rev().find(|one| one.at_ms <= from).unwrap_or(first);
        let mut after = first.id.saturating_sub(1);
        'room: loop {
            let lines = reel.lines(&stretch.room, after, stretch.last, PAGE)?;
            let Some(last) = lines.last().map(|line| line.id) else { break };
            for line in &lines {
                let head: Head<'_> = serde_json::from_str(&line.json).map_err(|error| format!("line {}: {error}", line.id))?;
                if head.at.timestamp_millis() > to && head.event != "happening" {
                    break 'room;
                }
                if head.event == "log-read" {
                    exported.logs += 1;
                    continue;
                }
                write(&line.json)?;
                exported.lines += 1;
            }
            after = last;
        }
    }
    Ok(exported)
}
