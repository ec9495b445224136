//! What an iCalendar said: events with their rules of recurrence, and the zones that it defines, not yet spans of time.

use chrono::{NaiveDateTime, Weekday};
use serde::{Deserialize, Serialize};

use super::text::Text;
use super::timetable::Stamp;

/// How long an event lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Until a moment; each recurrence lasts exactly as long (RFC 5545, 3.8.5.3).
    Until(Stamp),
    /// Days by the calendar, then seconds that pass (RFC 5545, 3.3.6).
    Lasting {
        /// Days.
        days: i64,
        /// Seconds.
        seconds: i64,
    },
}

/// The period of a rule of recurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// Days.
    Daily,
    /// Weeks.
    Weekly,
    /// Months.
    Monthly,
    /// Years.
    Yearly,
}

/// A rule of recurrence (`RRULE`), every number within the bounds of RFC 5545, 3.3.10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its period.
    pub every: Frequency,
    /// Every how many periods, from 1.
    pub interval: u32,
    /// How many occurrences, the first one counted.
    pub count: Option<u32>,
    /// The last moment at which one may begin.
    pub until: Option<Stamp>,
    /// The first day of a week.
    pub week_start: Weekday,
    /// Months, 1 to 12.
    pub months: Vec<u32>,
    /// Weeks of the year, 1 to 53, or from its end -1 to -53.
    pub weeks: Vec<i32>,
    /// Days of the year, 1 to 366, or from its end.
    pub year_days: Vec<i32>,
    /// Days of the month, 1 to 31, or from its end.
    pub month_days: Vec<i32>,
    /// Days of the week, with the which-th of the month or year; 0: each.
    pub days: Vec<(i32, Weekday)>,
    /// Hours.
    pub hours: Vec<u32>,
    /// Minutes.
    pub minutes: Vec<u32>,
    /// Seconds.
    pub seconds: Vec<u32>,
    /// Which of the occurrences of a period, from 1, or from its end.
    pub positions: Vec<i32>,
}

impl Rule {
    /// The rule that says nothing but its period.
    pub fn every(every: Frequency) -> Self {
        Self {
            every,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Mon,
            months: Vec::new(),
            weeks: Vec::new(),
            year_days: Vec::new(),
            month_days: Vec::new(),
            days: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
        }
    }
}

/// How an event recurs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recurrence {
    /// `RRULE`.
    pub rule: Option<Rule>,
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
