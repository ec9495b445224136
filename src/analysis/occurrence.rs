//! The occurrences of a calendar's events as spans of time, bounded by a horizon and by the work that they may cost.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::recurrence::{Budget, beginnings};
use super::zone::{Jump, Zone};
use crate::model::ical::{CalendarEvent, CalendarReading, DefinedZone, Length};
use crate::model::text::Text;
use crate::model::timetable::{CalendarTimes, Span, Stamp};

/// The days that one expansion may look at: less than a tenth of a second.
const DAYS: u32 = 1_000_000;

/// The most occurrences that one calendar may come to within a horizon.
const MOST: usize = 20_000;

/// The longest occurrence of an event that recurs.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// What a calendar comes to within a horizon.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expansion {
    /// The spans, not in order.
    pub spans: Vec<Span>,
    /// What could not be understood of the events that count, in words.
    pub broken: Vec<String>,
}

/// The occurrences that meet `range`, of the events that `times` lets count. Floating and all-day times are meant in `home`.
pub fn expand(reading: &CalendarReading, times: &CalendarTimes, home: &Zone, range: Span) -> Expansion {
    let mut expansion = Expansion::default();
    for broken in reading.broken.iter().filter(|broken| counts(times, &broken.summary, &broken.categories)) {
        expansion.broken.push(named(broken.line, &broken.summary, broken.why.as_str()));
    }
    let mut budget = Budget(DAYS);
    let zones = Zones::of(&reading.zones, home, range, &mut budget);
    for event in reading.events.iter().filter(|event| counts(times, &event.summary, &event.categories)) {
        let left = MOST.saturating_sub(expansion.spans.len());
        match occurrences(event, &zones, range, left, &mut budget) {
            Ok(spans) => expansion.spans.extend(spans),
            Err(why) => expansion.broken.push(named(event.line, &event.summary, why)),
        }
    }
    expansion
}

fn named(line: usize, summary: &Text, why: &str) -> String {
    format!("the event on line {line} ({summary}): {why}")
}

fn counts(times: &CalendarTimes, summary: &Text, categories: &[Text]) -> bool {
    let alike = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    times.summary.as_ref().is_none_or(|wanted| summary.as_str().to_lowercase().contains(&wanted.to_lowercase()))
        && times.category.as_ref().is_none_or(|wanted| categories.iter().any(|category| alike(category.as_str(), wanted)))
}

/// The zones by which a calendar's times are meant.
struct Zones<'a> {
    home: &'a Zone,
    defined: BTreeMap<&'a str, Zone>,
}

impl<'a> Zones<'a> {
    fn of(defined: &'a [DefinedZone], home: &'a Zone, range: Span, budget: &mut Budget) -> Self {
        let zones = defined.iter().filter_map(|zone| Some((zone.name.as_str(), Zone::Defined(jumps(zone, range, budget)?))));
        Self { home, defined: zones.collect() }
    }

    /// The zone and the clock's time of a stamp.
    fn place(&self, stamp: &Stamp) -> Result<(Zone, NaiveDateTime), &'static str> {
        match stamp {
            Stamp::Utc(at) => Ok((Zone::UTC, at.naive_utc())),
            Stamp::Floating(local) => Ok((self.home.clone(), *local)),
            Stamp::Day(day) => Ok((self.home.clone(), day.and_time(NaiveTime::MIN))),
            Stamp::Zoned(local, name) => {
                let defined = || self.defined.get(name.as_str()).cloned().ok_or("its time zone is not known");
                let zone = name.parse().map_or_else(|_| defined(), |zone| Ok(Zone::Named(zone)))?;
                Ok((zone, *local))
            }
        }
    }

    fn instant(&self, stamp: &Stamp) -> Result<DateTime<Utc>, &'static str> {
        let (zone, local) = self.place(stamp)?;
        Ok(zone.meant(local))
    }
}

/// The jumps of a defined zone around a range. None when they cost too much.
fn jumps(zone: &DefinedZone, range: Span, budget: &mut Budget) -> Option<Vec<Jump>> {
    let apart = |at: DateTime<Utc>, days: i64| at.checked_add_signed(TimeDelta::days(days)).unwrap_or(at).naive_utc();
    // Two years before, so that the offset at the beginning is that of a jump before it; the last one before them counts too.
    let (from, to) = (apart(range.begin, -800), apart(range.end, 400));
    let mut jumps = Vec::new();
    for rule in &zone.rules {
        let mut onsets = vec![rule.begin];
        onsets.extend(rule.recurs.also.iter().filter_map(|(stamp, _)| match stamp {
            Stamp::Floating(local) => Some(*local),
            Stamp::Utc(_) | Stamp::Zoned(..) | Stamp::Day(_) => None,
        }));
        if let Some(recurs) = &rule.recurs.rule {
            let before = TimeDelta::seconds(rule.from.into());
            let last = match &recurs.until {
                Some(Stamp::Utc(at)) => at.naive_utc().checked_add_signed(before),
                Some(Stamp::Floating(local) | Stamp::Zoned(local, _)) => Some(*local),
                Some(Stamp::Day(day)) => day.and_hms_opt(23, 59, 59),
                None => None,
            };
            // Of a rule that is over, its end still says what the clock shows.
            let from = last.and_then(|last| last.checked_sub_signed(TimeDelta::days(800))).map_or(from, |end| end.min(from));
            onsets.extend(beginnings(recurs, rule.begin, last, (from, to), budget)?);
        }
        for onset in onsets {
            let at = onset.checked_sub_signed(TimeDelta::seconds(rule.from.into()))?.and_utc();
            jumps.push(Jump { at, before: rule.from, after: rule.to });
        }
    }
    jumps.sort_by_key(|jump| jump.at);
    jumps.dedup();
    Some(jumps)
}

fn occurrences(event: &CalendarEvent, zones: &Zones<'_>, range: Span, most: usize, budget: &mut Budget) -> Result<Vec<Span>, &'static str> {
    let (zone, first) = zones.place(&event.begin)?;
    let length = measured(&event.length, &event.begin, zones)?;
    let excepted = Excepted::of(&event.recurs.except, zones)?;
    let mut spans = Vec::new();
    let mut add = |local: NaiveDateTime, zone: &Zone, length: Measured| -> Result<(), &'static str> {
        let begin = zone.meant(local);
        if excepted.holds(begin, local.date()) {
            return Ok(());
        }
        let end = length.after(local, begin, zone).ok_or("its end is beyond the end of all calendars")?;
        let span = Span { begin, end };
        if span.meets(&range) {
            spans.push(span);
        }
        if spans.len() > most { Err("there are too many occurrences") } else { Ok(()) }
    };
    for (stamp, own) in &event.recurs.also {
        let (zone, local) = zones.place(stamp)?;
        let length = own.as_ref().map_or(Ok(length), |own| measured(own, stamp, zones))?;
        add(local, &zone, length)?;
    }
    let Some(rule) = &event.recurs.rule else {
        add(first, &zone, length)?;
        return Ok(spans);
    };
    if length.about() > LONGEST {
        return Err("it recurs and lasts longer than 366 days");
    }
    let last = match &rule.until {
        None => None,
        // A day counts whole, an instant is compared on the clock of the event.
        Some(Stamp::Day(day)) => day.and_hms_opt(23, 59, 59),
        Some(Stamp::Floating(local)) => Some(*local),
        Some(until @ (Stamp::Utc(_) | Stamp::Zoned(..))) => Some(zone.local(zones.instant(until)?)),
    };
    let day = TimeDelta::days(1);
    let from = zone.local(range.begin).checked_sub_signed(length.about() + day).ok_or("the calendar is not of our days")?;
    let to = zone.local(range.end).checked_add_signed(day).ok_or("the calendar is not of our days")?;
    let locals = beginnings(rule, first, last, (from, to), budget).ok_or("its rule costs more than is allowed")?;
    for local in locals {
        add(local, &zone, length)?;
    }
    Ok(spans)
}

/// A length that every occurrence has.
#[derive(Debug, Clone, Copy)]
struct Measured {
    days: u64,
    exact: TimeDelta,
}

impl Measured {
    /// The end of an occurrence: days by the calendar, the rest by time that passes.
    fn after(self, local: NaiveDateTime, begin: DateTime<Utc>, zone: &Zone) -> Option<DateTime<Utc>> {
        let whole = if self.days == 0 { begin } else { zone.meant(local.checked_add_days(Days::new(self.days))?) };
        whole.checked_add_signed(self.exact)
    }

    fn about(self) -> TimeDelta {
        let days = i64::try_from(self.days).ok().and_then(TimeDelta::try_days).unwrap_or(TimeDelta::MAX);
        days.checked_add(&self.exact).unwrap_or(TimeDelta::MAX)
    }
}

fn measured(length: &Length, begin: &Stamp, zones: &Zones<'_>) -> Result<Measured, &'static str> {
    let measured = match length {
        Length::Until(end) => Measured { days: 0, exact: zones.instant(end)?.signed_duration_since(zones.instant(begin)?) },
        Length::Lasting { days, seconds } => Measured {
            days: u64::try_from(*days).map_err(|_| "it lasts less than nothing")?,
            exact: TimeDelta::try_seconds(*seconds).ok_or("it lasts too long")?,
        },
    };
    if measured.exact < TimeDelta::zero() {
        return Err("it ends before it begins");
    }
    if measured.days == 0 && measured.exact.is_zero() { Err("it has no length") } else { Ok(measured) }
}

/// What is taken out of a recurrence.
struct Excepted {
    instants: Vec<DateTime<Utc>>,
    days: Vec<NaiveDate>,
}

impl Excepted {
    fn of(stamps: &[Stamp], zones: &Zones<'_>) -> Result<Self, &'static str> {
        let (mut instants, mut days) = (Vec::new(), Vec::new());
        for stamp in stamps {
            match stamp {
                Stamp::Day(day) => days.push(*day),
                Stamp::Utc(_) | Stamp::Zoned(..) | Stamp::Floating(_) => instants.push(zones.instant(stamp)?),
            }
        }
        instants.sort_unstable();
        days.sort_unstable();
        Ok(Self { instants, days })
    }

    fn holds(&self, begin: DateTime<Utc>, day: NaiveDate) -> bool {
        self.instants.binary_search(&begin).is_ok() || self.days.binary_search(&day).is_ok()
    }
}
