//! The timetable as spans of time around an instant.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::analysis::occurrence::expand;
use crate::analysis::span::{Doubt, between, join, weekly};
use crate::analysis::zone::Zone;
use crate::model::catalog::Catalog;
use crate::model::ical::CalendarReading;
use crate::model::name::{BackendName, ServiceName, Target};
use crate::model::reading::Fact;
use crate::model::time::Moment;
use crate::model::timetable::{
    CalendarTimes, Exception, Freeze, Running, Scope, Span, Stamp, Times, Timetable, Train, Unreadable, WayBack, Window,
};

/// How far back spans are known: what began earlier is not believed to have begun inside a window.
pub const BACK: TimeDelta = TimeDelta::days(35);

/// How far ahead spans are known, and so how far the next window is looked for.
pub const AHEAD: TimeDelta = TimeDelta::days(92);

/// What was read of each calendar, by its name.
pub type Feeds = BTreeMap<BackendName, Fact<CalendarReading>>;

/// The calendar behind a window or a freeze, as far as it can be believed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    pub(super) feed: BackendName,
    /// When the copy was read; none: never.
    pub(super) seen: Option<Moment>,
    pub(super) stale_after: Duration,
    pub(super) unreadable: Unreadable,
    /// Why it was not read the last time.
    pub(super) trouble: Option<String>,
    /// What of it could not be understood.
    pub(super) broken: Vec<String>,
}

/// A window in spans.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opened {
    pub(super) name: String,
    pub(super) scope: Scope,
    pub(super) zone: Zone,
    pub(super) timezone: String,
    pub(super) spans: Vec<Span>,
    pub(super) source: Option<Source>,
}

/// A freeze in spans.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frozen {
    pub(super) name: String,
    pub(super) scope: Scope,
    pub(super) zone: Zone,
    pub(super) timezone: String,
    pub(super) spans: Vec<Span>,
    pub(super) source: Option<Source>,
    pub(super) reason: String,
    pub(super) way_back: WayBack,
    pub(super) running: Running,
    pub(super) exceptions: Vec<Exception>,
}

/// Windows, freezes and trains as spans of time around an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendars {
    pub(super) windows: Vec<Opened>,
    pub(super) freezes: Vec<Frozen>,
    pub(super) teams: BTreeMap<ServiceName, String>,
    /// The trains, as configured.
    pub(super) trains: Vec<Train>,
    /// Where spans are known.
    pub(super) known: Span,
}

impl Calendars {
    /// Turns a catalog's timetable into spans from [`BACK`] before `at` to [`AHEAD`] after it.
    ///
    /// To be made anew when the configuration or a calendar changed, and at least once a day: see [`Calendars::serves`].
    pub fn of(catalog: &Catalog, read: &Feeds, at: DateTime<Utc>) -> Self {
        let teams = catalog.services.values().filter_map(|service| Some((service.name.clone(), service.team.clone()?)));
        Self::new(&catalog.timetable, teams.collect(), read, at)
    }

    /// The same of a timetable and the teams of services.
    pub fn new(timetable: &Timetable, teams: BTreeMap<ServiceName, String>, read: &Feeds, at: DateTime<Utc>) -> Self {
        let known = Span {
            begin: at.checked_sub_signed(BACK).unwrap_or(DateTime::<Utc>::MIN_UTC),
            end: at.checked_add_signed(AHEAD).unwrap_or(DateTime::<Utc>::MAX_UTC),
        };
        let Timetable { windows, freezes, exceptions, trains, feeds: _ } = timetable;
        Self {
            windows: windows.iter().map(|window| opened(window, read, known)).collect(),
            freezes: freezes.iter().map(|freeze| frozen(freeze, exceptions, read, known)).collect(),
            teams,
            trains: trains.clone(),
            known,
        }
    }

    /// Whether this still answers for an instant. An instant that it does not serve is shut, and frozen where there is any freeze.
    pub fn serves(&self, at: DateTime<Utc>) -> bool {
        let margin = |days: i64| self.known.end.checked_sub_signed(TimeDelta::days(days)).unwrap_or(self.known.end);
        self.known.begin <= at && at < margin(AHEAD.num_days() - 1)
    }

    /// The trains that are configured.
    pub fn trains(&self) -> &[Train] {
        &self.trains
    }

    pub(super) fn team(&self, target: &Target) -> Option<&str> {
        self.teams.get(&target.service).map(String::as_str)
    }
}

fn opened(window: &Window, read: &Feeds, known: Span) -> Opened {
    let Window { name, scope, timezone, times } = window;
    let zone = zone(timezone);
    let (spans, source) = spans(times, &zone, Doubt::Short, read, known);
    Opened { name: name.clone(), scope: scope.clone(), zone, timezone: timezone.clone(), spans, source }
}

fn frozen(freeze: &Freeze, exceptions: &[Exception], read: &Feeds, known: Span) -> Frozen {
    let Freeze { name, scope, timezone, times, reason, way_back, running } = freeze;
    let zone = zone(timezone);
    let (spans, source) = spans(times, &zone, Doubt::Long, read, known);
    Frozen {
        name: name.clone(),
        scope: scope.clone(),
        zone,
        timezone: timezone.clone(),
        spans,
        source,
        reason: reason.clone(),
        way_back: *way_back,
        running: *running,
        exceptions: exceptions.iter().filter(|exception| &exception.freeze == name).cloned().collect(),
    }
}

/// The configuration has refused every other name.
fn zone(name: &str) -> Zone {
    name.parse().map_or(Zone::UTC, Zone::Named)
}

fn spans(times: &Times, zone: &Zone, doubt: Doubt, read: &Feeds, known: Span) -> (Vec<Span>, Option<Source>) {
    match times {
        Times::Weekly { days, from, to } => (join(weekly(zone, days, *from, *to, doubt, known)), None),
        Times::Once { begin, end } => (once(begin, end, zone, doubt).into_iter().collect(), None),
        Times::Calendar(times) => {
            let (spans, source) = calendar(times, zone, read, known);
            (spans, Some(source))
        }
    }
}

fn once(begin: &Stamp, end: &Stamp, zone: &Zone, doubt: Doubt) -> Option<Span> {
    let local = |stamp: &Stamp| match stamp {
        Stamp::Utc(at) => zone.local(*at),
        Stamp::Floating(local) | Stamp::Zoned(local, _) => *local,
        Stamp::Day(day) => day.and_time(chrono::NaiveTime::MIN),
    };
    let written = between(zone, local(begin), local(end), doubt);
    // An instant needs no clock to be understood.
    let exact = |stamp: &Stamp| if let Stamp::Utc(at) = stamp { Some(*at) } else { None };
    let begin = exact(begin).or_else(|| written.map(|span| span.begin))?;
    let end = exact(end).or_else(|| written.map(|span| span.end))?;
    (begin < end).then_some(Span { begin, end })
}

fn calendar(times: &CalendarTimes, zone: &Zone, read: &Feeds, known: Span) -> (Vec<Span>, Source) {
    let fact = read.get(&times.feed);
    let value = fact.and_then(|fact| fact.value.as_ref());
    let expanded = value.map(|reading| expand(reading, times, zone, known)).unwrap_or_default();
    let source = Source {
        feed: times.feed.clone(),
        seen: fact.and_then(|fact| fact.seen).filter(|_| value.is_some()),
        stale_after: times.stale_after,
        unreadable: times.unreadable,
        trouble: fact.and_then(|fact| fact.trouble.as_ref()).map(ToString::to_string),
        broken: expanded.broken,
    };
    (join(expanded.spans), source)
}
