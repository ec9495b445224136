//! When a window or a freeze is: days of the week, once, or an iCalendar.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc, Weekday};

use super::super::feeds::Feeds;
use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use crate::model::timetable::{CalendarTimes, ClockTime, Stamp, Times, Unreadable};

/// The keys that say when.
pub(super) const KEYS: [&str; 10] = ["days", "from", "to", "begin", "end", "calendar", "summary", "category", "every", "stale_after"];

/// The days as they are written.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

const ONE: &str = "one of `from` and `to` (with `days`), `begin` and `end`, `calendar`";

/// What is asked when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Window,
    Freeze,
}

/// The zone of a table, or the room's.
pub(super) fn zone(fields: &Fields<'_>, room: &str, found: &mut Findings) -> String {
    let Some((at, text)) = fields.get("timezone").and_then(|node| Some((node.at, node.text("timezone", found)?))) else {
        return room.to_owned();
    };
    super::room::refuse_zone(at, text, found);
    text.to_owned()
}

/// When it is. None when it is not said, or twice, or wrongly; `found` then says so.
pub(super) fn times(fields: &Fields<'_>, kind: Kind, feeds: &mut Feeds, found: &mut Findings) -> Option<Times> {
    let has = |keys: &[&str]| keys.iter().any(|key| fields.get(key).is_some());
    let ways = [has(&["days", "from", "to"]), has(&["begin", "end"]), has(&["calendar"])];
    if ways.iter().filter(|way| **way).count() > 1 {
        found.problem(fields.at, &format!("{} says in two ways when it is", fields.what), ONE);
        return None;
    }
    if !has(&["calendar"]) {
        for key in ["summary", "category", "every", "stale_after", "unreadable"] {
            if let Some(node) = fields.get(key) {
                found.problem(node.at, &format!("`{key}` has no use without a calendar"), "`calendar = \"FILE or URL\"`");
            }
        }
    }
    match ways {
        [true, ..] => weekly(fields, found),
        [_, true, _] => once(fields, found),
        [_, _, true] => calendar(fields, kind, feeds, found),
        [false, false, false] => {
            found.problem(fields.at, &format!("{} does not say when it is", fields.what), ONE);
            None
        }
    }
}

fn weekly(fields: &Fields<'_>, found: &mut Findings) -> Option<Times> {
    let mut days = Vec::new();
    for (at, text) in fields.texts("days", found) {
        match DAYS.iter().find(|(word, _)| *word == text) {
            Some((_, day)) if days.contains(day) => found.problem(at, &format!("`{text}` stands twice"), "each day once"),
            Some((_, day)) => days.push(*day),
            None => found.problem(at, &format!("no day is called `{text}`"), &instead(text, DAYS.map(|(word, _)| word))),
        }
    }
    if let Some(node) = fields.get("days") {
        if fields.list("days", "a list such as [\"mon\", \"tue\"]", found).is_empty() {
            found.problem(node.at, "`days` is empty", "at least one day, or no such key: every day");
        }
    } else {
        days.extend(DAYS.map(|(_, day)| day));
    }
    let from = fields.required("from", "`from = \"HH:MM\"`", found).and_then(|node| clock(node, "from", found));
    let to = fields.required("to", "`to = \"HH:MM\"`", found).and_then(|node| clock(node, "to", found));
    let (from, to) = (from?, to?);
    if let Some(node) = fields.get("to").filter(|_| from == to) {
        found.problem(node.at, &format!("`from` and `to` are both {from}"), "two times; a whole day is from \"00:00\" to \"24:00\"");
        return None;
    }
    if let Some(node) = fields.get("from").filter(|_| from.minutes() == 1440) {
        found.problem(node.at, "`from` is 24:00", "\"00:00\" of the day after");
        return None;
    }
    Some(Times::Weekly { days, from, to })
}

/// A time such as `09:30`.
pub(super) fn clock(node: &Node, key: &str, found: &mut Findings) -> Option<ClockTime> {
    let text = node.text(key, found)?;
    let time = ClockTime::read(text);
    if time.is_none() {
        found.problem(node.at, &format!("`{key}` is no time of day: `{text}`"), "a time such as \"09:30\", up to \"24:00\"");
    }
    time
}

fn once(fields: &Fields<'_>, found: &mut Findings) -> Option<Times> {
    let begin = fields.required("begin", "`begin = \"..\"`", found).and_then(|node| stamp(node, "begin", found));
    let end = fields.required("end", "`end = \"..\"`", found).and_then(|node| stamp(node, "end", found));
    let (begin, end) = (begin?, end?);
    let turned = match (&begin, &end) {
        (Stamp::Utc(begin), Stamp::Utc(end)) => end <= begin,
        (Stamp::Floating(begin), Stamp::Floating(end)) => end <= begin,
        (Stamp::Utc(_) | Stamp::Floating(_) | Stamp::Zoned(..) | Stamp::Day(_), _) => false,
    };
    if let Some(node) = fields.get("end").filter(|_| turned) {
        found.problem(node.at, "`end` is not after `begin`", "a later moment");
        return None;
    }
    Some(Times::Once { begin, end })
}

fn stamp(node: &Node, key: &str, found: &mut Findings) -> Option<Stamp> {
    const FORM: &str = "a moment such as \"2026-12-20T18:00Z\", or without Z by the clock of `timezone`";
    if let Value::Date = &node.value {
        found.problem(node.at, &format!("`{key}` is a date without quotes"), FORM);
        return None;
    }
    let text = node.text(key, found)?;
    let local = |text: &str| ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"].iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let stamp = match text.strip_suffix('Z') {
        Some(rest) => local(rest).map(|local| Stamp::Utc(local.and_utc())),
        None => match DateTime::parse_from_rfc3339(text) {
            Ok(at) => Some(Stamp::Utc(at.with_timezone(&Utc))),
            Err(_) => local(text).map(Stamp::Floating),
        },
    };
    let year = match &stamp {
        Some(Stamp::Utc(at)) => at.year(),
        Some(Stamp::Floating(local)) => local.year(),
        Some(Stamp::Zoned(..) | Stamp::Day(_)) | None => 2000,
    };
    if stamp.is_none() || !(1970..=2200).contains(&year) {
        found.problem(node.at, &format!("`{key}` is no moment: `{text}`"), FORM);
        return None;
    }
    stamp
}

fn calendar(fields: &Fields<'_>, kind: Kind, feeds: &mut Feeds, found: &mut Findings) -> Option<Times> {
    let node = fields.get("calendar")?;
    let every = fields.duration("every", Duration::from_secs(10), found).unwrap_or(Duration::from_mins(5));
    let stale_after = fields.duration("stale_after", Duration::from_mins(1), found).unwrap_or(Duration::from_hours(24));
    if let Some(node) = fields.get("stale_after").filter(|_| stale_after < every) {
        found.problem(node.at, "the calendar is stale before it is read again", "`stale_after` of at least `every`");
    }
    let (summary, category) = (fields.text("summary", found), fields.text("category", found));
    let unreadable = match kind {
        Kind::Window => Unreadable::Stop,
        Kind::Freeze => fields.choice("unreadable", &[("stop", Unreadable::Stop), ("warn", Unreadable::Warn)], found),
    };
    let feed = feeds.add(node, every, found)?;
    Some(Times::Calendar(CalendarTimes {
        feed,
        summary: summary.map(str::to_owned),
        category: category.map(str::to_owned),
        stale_after,
        unreadable,
    }))
}
