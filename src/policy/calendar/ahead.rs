//! The two weeks ahead as a calendar shows them: windows, freezes, exceptions and departures of each environment, and its days.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::compiled::{Calendars, Frozen, Opened, Source};
use super::standing::doubt;
use super::train::{Departure, departures};
use crate::analysis::span::{holding, next};
use crate::analysis::zone::Zone;
use crate::model::catalog::Catalog;
use crate::model::name::EnvironmentName;
use crate::model::time::Moment;
use crate::model::timetable::{Excepted, Exception, Running, Scope, Span, Unreadable, WayBack};

/// How many days a calendar shows.
const DAYS: usize = 14;

/// How many departures of one train it shows: one a day, and one more.
const DEPARTURES: usize = DAYS + 1;

/// A day by the clock of the room; it is not always 24 hours long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: NaiveDate,
    /// From its midnight to the next one.
    pub span: Span,
    /// Seconds by which the clock is set forward on it; negative: back.
    pub jump: i64,
}

/// What a line of the calendar is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A window.
    Window,
    /// A freeze.
    Freeze,
}

/// How far a line can be believed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belief {
    /// Wholly.
    Sure,
    /// What it shows is so; of the rest, why nobody knows.
    Partly(String),
    /// Nothing that it does not show can be believed, and of a window nothing at all.
    Not(String),
}

impl Belief {
    /// Why it cannot be believed wholly.
    pub fn doubt(&self) -> Option<&str> {
        match self {
            Self::Sure => None,
            Self::Partly(why) | Self::Not(why) => Some(why),
        }
    }
}

/// An exception from a freeze, with the time for which it lets something through; none: for one plan, whenever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempted {
    /// What, by whom, why.
    pub exception: Exception,
    /// Its day, by the clock of the freeze.
    pub span: Option<Span>,
}

/// A window or a freeze.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Which of the two.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub scope: Scope,
    /// The zone in which its times are meant.
    pub timezone: String,
    /// Its spans that meet the days shown, whole, and the first one after them.
    pub spans: Vec<Span>,
    /// Why a freeze was set; empty for a window.
    pub reason: String,
    /// Whether a freeze also stops the way back.
    pub way_back: WayBack,
    /// What becomes of what is under way when a freeze begins.
    pub running: Running,
    /// The exceptions from a freeze: for the days shown, and for plans.
    pub exceptions: Vec<Exempted>,
    source: Option<Source>,
}

impl Line {
    /// How far it can be believed at `now`.
    pub fn belief(&self, now: &Moment) -> Belief {
        let Some((source, why)) = self.source.as_ref().and_then(|source| Some((source, doubt(source, now)?))) else {
            return Belief::Sure;
        };
        let current = source.seen.as_ref().is_some_and(|seen| now.since(seen) <= source.stale_after);
        match self.kind {
            Kind::Window if current => Belief::Partly(why),
            Kind::Window | Kind::Freeze => Belief::Not(why),
        }
    }

    /// Whether forward deeds stop for it while it cannot be believed.
    pub fn stops_in_doubt(&self) -> bool {
        match self.kind {
            Kind::Window => true,
            Kind::Freeze => self.source.as_ref().is_none_or(|source| source.unreadable == Unreadable::Stop),
        }
    }

    /// After which time it is believed no more unless its calendar is read again; none: that is not so.
    pub fn believed_for(&self, now: &Moment) -> Option<Duration> {
        let source = self.source.as_ref()?;
        source.stale_after.checked_sub(now.since(source.seen.as_ref()?)).map(|left| left + Duration::from_millis(1))
    }

    /// The span that holds an instant, as far as it is known.
    pub fn holding(&self, at: DateTime<Utc>) -> Option<Span> {
        holding(&self.spans, at)
    }

    /// The first span that begins after an instant, as far as it is known.
    pub fn next(&self, at: DateTime<Utc>) -> Option<Span> {
        next(&self.spans, at)
    }

    /// Whether it is about every service, team and type of change of its environments.
    pub fn is_for_all(&self) -> bool {
        self.scope.services.is_empty() && self.scope.teams.is_empty() && self.scope.types.is_empty()
    }

    /// Whom it is about, in words; empty: all.
    pub fn about(&self) -> String {
        let Scope { environments: _, services, teams, types } = &self.scope;
        let services = services.iter().map(ToString::to_string);
        let whose: Vec<String> = services.chain(teams.iter().map(|team| format!("team {team}"))).collect();
        let types: Vec<&str> = types.iter().map(|kind| kind.word()).collect();
        let types = if types.is_empty() { String::new() } else { format!("{} changes", types.join(", ")) };
        [types, whose.join(", ")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" of ")
    }
}

/// A departure of a train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The train.
    pub train: String,
    /// The window in which it leaves.
    pub window: String,
    /// The departure.
    pub departure: Departure,
    /// The freeze that holds then for everybody.
    pub frozen: Option<String>,
}

/// The calendar of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Agenda {
    /// The environment.
    pub environment: EnvironmentName,
    /// Its windows; none: it is always open.
    pub windows: Vec<Line>,
    /// Its freezes.
    pub freezes: Vec<Line>,
    /// Departures, in order of time.
    pub departures: Vec<Leaving>,
}

impl Agenda {
    /// The freeze for everybody that is known to hold at an instant.
    pub fn frozen_at(&self, at: DateTime<Utc>) -> Option<&Line> {
        self.freezes.iter().find(|freeze| freeze.is_for_all() && freeze.holding(at).is_some())
    }

    /// The freeze for everybody of which nobody knows whether it holds, and that stops forward deeds meanwhile.
    pub fn in_doubt(&self, now: &Moment) -> Option<&Line> {
        let doubtful = |freeze: &&Line| freeze.is_for_all() && freeze.stops_in_doubt() && freeze.belief(now).doubt().is_some();
        self.freezes.iter().find(doubtful)
    }

    /// Why nobody knows whether a train will leave: its window or a freeze cannot be believed; none: it is known.
    pub fn doubted(&self, leaving: &Leaving, now: &Moment) -> Option<&Line> {
        let window = self.windows.iter().find(|window| window.name == leaving.window);
        window.filter(|window| matches!(window.belief(now), Belief::Not(_))).or_else(|| self.in_doubt(now))
    }

    /// After which time a calendar of it is believed no more.
    pub fn believed_for(&self, now: &Moment) -> Option<Duration> {
        self.windows.iter().chain(&self.freezes).filter_map(|line| line.believed_for(now)).min()
    }
}

/// Two weeks from a day on, for every environment. Made when the configuration, a calendar or the day changes, not while drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// The days, in order.
    pub days: Vec<Day>,
    /// From the first day's midnight to the last one's end.
    pub span: Span,
    /// The name of the zone by whose clock the days are counted.
    pub timezone: String,
    /// Each environment, in the configuration's order.
    pub environments: Vec<Agenda>,
}

impl Ahead {
    /// The two weeks from the day of `at`, by the clock of the room.
    pub fn of(catalog: &Catalog, calendars: &Calendars, at: DateTime<Utc>) -> Self {
        let timezone = catalog.room.timezone.clone();
        let zone = Zone::named(&timezone);
        let days = days(&zone, zone.local(at).date());
        let span = Span { begin: days.first().map_or(at, |day| day.span.begin), end: days.last().map_or(at, |day| day.span.end) };
        let environments = catalog.environments.iter().map(|environment| agenda(calendars, &environment.name, span)).collect();
        Self { days, span, timezone, environments }
    }

    /// Whether an instant lies on the first day.
    pub fn serves(&self, at: DateTime<Utc>) -> bool {
        self.days.first().is_some_and(|day| day.span.holds(at))
    }

    /// The calendar of an environment.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Agenda> {
        self.environments.iter().find(|agenda| &agenda.environment == name)
    }
}

/// The days from a date on.
fn days(zone: &Zone, first: NaiveDate) -> Vec<Day> {
    // A midnight that the clock skips is the instant of the jump; of one that it shows twice, the first begins the day.
    let midnight = |date: NaiveDate| zone.shown(date.and_time(NaiveTime::MIN)).first;
    let day = |date: NaiveDate| {
        let span = Span { begin: midnight(date), end: midnight(date.succ_opt()?) };
        Some(Day { date, span, jump: i64::from(zone.offset(span.end)) - i64::from(zone.offset(span.begin)) })
    };
    first.iter_days().take(DAYS).filter_map(day).collect()
}

fn agenda(calendars: &Calendars, environment: &EnvironmentName, span: Span) -> Agenda {
    let windows = calendars.windows.iter().filter(|window| window.scope.in_environment(environment));
    let freezes = calendars.freezes.iter().filter(|freeze| freeze.scope.in_environment(environment));
    let mut agenda = Agenda {
        environment: environment.clone(),
        windows: windows.map(|window| window_line(window, span)).collect(),
        freezes: freezes.map(|freeze| freeze_line(freeze, span)).collect(),
        departures: Vec::new(),
    };
    for train in calendars.trains.iter().filter(|train| &train.environment == environment) {
        for departure in departures(calendars, train, span.begin, DEPARTURES).into_iter().take_while(|one| one.at < span.end) {
            let frozen = agenda.frozen_at(departure.at).map(|freeze| freeze.name.clone());
            agenda.departures.push(Leaving { train: train.name.clone(), window: train.window.clone(), departure, frozen });
        }
    }
    agenda.departures.sort_by(|one, other| (one.departure.at, &one.train).cmp(&(other.departure.at, &other.train)));
    agenda
}

fn window_line(window: &Opened, span: Span) -> Line {
    let Opened { name, scope, zone: _, timezone, spans, source } = window;
    Line {
        kind: Kind::Window,
        name: name.clone(),
        scope: scope.clone(),
        timezone: timezone.clone(),
        spans: shown(spans, span),
        reason: String::new(),
        way_back: WayBack::Exempt,
        running: Running::Finish,
        exceptions: Vec::new(),
        source: source.clone(),
    }
}

fn freeze_line(freeze: &Frozen, span: Span) -> Line {
    let Frozen { name, scope, zone, timezone, spans, source, reason, way_back, running, exceptions } = freeze;
    let day = |date: NaiveDate| Some(Span { begin: begins(zone, date), end: begins(zone, date.succ_opt()?) });
    let exempted = |exception: &Exception| {
        let span = match &exception.lets {
            Excepted::Plan(_) => None,
            Excepted::Day { date, .. } => day(*date),
        };
        Exempted { exception: exception.clone(), span }
    };
    let counts = |exempted: &Exempted| exempted.span.is_none_or(|day| day.meets(&span));
    Line {
        kind: Kind::Freeze,
        name: name.clone(),
        scope: scope.clone(),
        timezone: timezone.clone(),
        spans: shown(spans, span),
        reason: reason.clone(),
        way_back: *way_back,
        running: *running,
        exceptions: exceptions.iter().map(exempted).filter(counts).collect(),
        source: source.clone(),
    }
}

fn begins(zone: &Zone, date: NaiveDate) -> DateTime<Utc> {
    zone.shown(date.and_time(NaiveTime::MIN)).first
}

/// The spans that meet the days shown, and the first one after them.
fn shown(spans: &[Span], range: Span) -> Vec<Span> {
    let before_end = spans.iter().filter(|span| span.meets(&range)).copied();
    let after = next(spans, range.end.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(range.end));
    before_end.chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn berlin() -> Zone {
        Zone::Named(chrono_tz::Europe::Berlin)
    }

    #[rstest]
    #[case::spring("2026-03-23", "2026-03-29", 23, 3600)]
    #[case::autumn("2026-10-20", "2026-10-25", 25, -3600)]
    fn a_day_on_which_the_clock_is_set_is_shorter_or_longer(#[case] first: &str, #[case] day: &str, #[case] hours: i64, #[case] jump: i64) {
        let days = days(&berlin(), first.parse().unwrap());
        assert_eq!(days.len(), DAYS);
        assert!(days.windows(2).all(|pair| pair[0].span.end == pair[1].span.begin));
        for one in &days {
            let (length, by) = if one.date == day.parse().unwrap() { (hours, jump) } else { (24, 0) };
            assert_eq!((one.span.end - one.span.begin, one.jump), (TimeDelta::hours(length), by), "{one:?}");
        }
    }

    #[test]
    fn spans_that_began_before_the_first_day_and_the_first_one_after_the_last_are_kept() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let span = |begin: &str, end: &str| Span { begin: at(begin), end: at(end) };
        let all = [
            span("2026-06-01T00:00:00Z", "2026-06-01T06:00:00Z"),
            span("2026-06-01T22:00:00Z", "2026-06-02T04:00:00Z"),
            span("2026-06-16T00:00:00Z", "2026-06-16T04:00:00Z"),
            span("2026-06-20T00:00:00Z", "2026-06-20T04:00:00Z"),
        ];
        assert_eq!(shown(&all, span("2026-06-02T00:00:00Z", "2026-06-16T00:00:00Z")), all[1..3]);
    }
}
