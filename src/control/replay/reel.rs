//! What lines are read from, one room's at a time; reading waits, so it is never done where something is drawn.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::time::Boot;
use crate::ports::journal::{Marked, Stretch, Written};

/// Kept lines of the table of events.
pub trait Reel: Send {
    /// What rooms saw, the oldest first.
    ///
    /// # Errors
    /// Why it cannot be read, in words; so with all that follow.
    fn stretches(&mut self) -> Result<Vec<Stretch>, String>;

    /// The lines of a room after the one of that number and up to another, at most `most`, the oldest first.
    ///
    /// # Errors
    /// See above.
    fn lines(&mut self, room: &str, after: i64, upto: i64, most: u32) -> Result<Vec<Written>, String>;

    /// The lines of a room before the one of that number, at most `most`, the newest first.
    ///
    /// # Errors
    /// See above.
    fn lines_before(&mut self, room: &str, before: i64, most: u32) -> Result<Vec<Written>, String>;

    /// The newest line of a room, happenings left out, that was written at that time or before.
    ///
    /// # Errors
    /// See above.
    fn line_at(&mut self, room: &str, at_ms: i64) -> Result<Option<i64>, String>;

    /// The deeds and alerts of a room, the oldest first.
    ///
    /// # Errors
    /// See above.
    fn marks(&mut self, room: &str) -> Result<Vec<Marked>, String>;
}

/// What a line is to somebody who goes from one to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Something new was seen, or done: one stops there.
    Tells,
    /// A line of the timeline: it belongs to the line before it.
    Happening,
    /// It says nothing new.
    Still,
}

/// The head of a line.
#[derive(Debug, Deserialize)]
struct Head<'a> {
    boot: Boot,
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// When a line was written and what it is to a traveller; one that cannot be read tells, so that its trouble is met.
pub fn head(json: &str) -> (Boot, Sort) {
    let Ok(head) = serde_json::from_str::<Head<'_>>(json) else { return (Boot(0), Sort::Tells) };
    let sort = match head.event.as_ref() {
        "happening" => Sort::Happening,
        "still" | "here" | "looking" | "following" | "authors-wanted" | "journal-written" => Sort::Still,
        _ => Sort::Tells,
    };
    (head.boot, sort)
}
