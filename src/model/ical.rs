//! What an iCalendar said: events with their rules of recurrence, and the zones that it defines, not yet spans of time.

use chrono::{NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};

use super::text::Text;
use super::timetable::Stamp;

/// How long an event lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Until a moment; each recurrence lasts exactly as long (RFC 5545, 3.8.5.3).
    Until(Stamp),
    /// Days by the calendar, then seconds by the clock on the wall of physics (RFC 5545, 3.3.6).
    Lasting {
        /// Days.
        days: i64,
        /// Seconds.
        seconds: i64,
    },
}

impl Length {
    /// A length of nothing.
    pub const NOTHING: Self = Self::Lasting { days: 0, seconds: 0 };

    /// The exact part.
    pub fn seconds(seconds: i64) -> Option<TimeDelta> {
        TimeDelta::try_seconds(seconds)
    }
}

/// How an event recurs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recurrence {
    /// The value of `RRULE`, without `UNTIL`.
    pub rule: Option<String>,
    /// `UNTIL`, the last moment at which an occurrence may begin.
    pub until: Option<Stamp>,
    /// `RDATE`: further beginnings, some with a length of their own.
    pub also: Vec<(Stamp, Option<Length>)>,
    /// `EXDATE`, and the moments that other events of the same identity replace.
    pub except: Vec<Stamp>,
}

/// One event. One with a `RECURRENCE-ID` stands alone, and is an exception of the event that it replaces a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarEvent {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its summary.
    pub summary: Text,
    /// Its categories.
    pub categories: Vec<Text>,
    /// Its beginning.
    pub begin: Stamp,
    /// Its length.
    pub length: Length,
    /// How it recurs.
    pub recurs: Recurrence,
}

/// An event that could not be understood, so that nobody takes it for absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenEvent {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its summary.
    pub summary: Text,
    /// Its categories.
    pub categories: Vec<Text>,
    /// What is wrong with it.
    pub why: Text,
}

/// One rule of a zone that the calendar defines: from `begin` on, again and again, the clock is `to` seconds east of UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observance {
    /// Its first beginning, by the clock that it ends.
    pub begin: NaiveDateTime,
    /// Seconds east of UTC before.
    pub from: i32,
    /// Seconds east of UTC afterwards.
    pub to: i32,
    /// How it recurs.
    pub recurs: Recurrence,
}

/// A zone that the calendar defines (`VTIMEZONE`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinedZone {
    /// Its `TZID`.
    pub name: String,
    /// Its rules.
    pub rules: Vec<Observance>,
}

/// What one read of a calendar said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CalendarReading {
    /// The events.
    pub events: Vec<CalendarEvent>,
    /// The events that could not be understood.
    pub broken: Vec<BrokenEvent>,
    /// The zones.
    pub zones: Vec<DefinedZone>,
}
