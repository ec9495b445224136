//! The next time at which a change may begin and has long enough.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::compiled::{Calendars, Frozen, Opened};
use super::standing::{Asked, believed, exceptions, stops_without_calendar};
use crate::analysis::span::{join, without};
use crate::analysis::zone::Zone;
use crate::model::timetable::{Excepted, Span};

/// The first span from `asked.at` on, within the horizon, in which a forward change may begin, and that is at least `length` long.
pub fn next_slot(calendars: &Calendars, asked: &Asked<'_>, length: TimeDelta) -> Option<Span> {
    let ahead = Span { begin: asked.at.max(calendars.known.begin), end: calendars.known.end };
    let team = calendars.team(asked.target);
    let covering = calendars.freezes.iter().filter(|freeze| freeze.scope.covers(asked.target, team, asked.kind));
    let frozen = join(covering.flat_map(|freeze| frozen(freeze, asked, ahead)).collect());
    let slots = without(&open(calendars, team, asked, ahead), &frozen);
    let clipped = slots.into_iter().map(|span| Span { begin: span.begin.max(ahead.begin), end: span.end.min(ahead.end) });
    clipped.into_iter().find(|span| span.begin < span.end && span.end.signed_duration_since(span.begin) >= length)
}

/// When windows let it.
fn open(calendars: &Calendars, team: Option<&str>, asked: &Asked<'_>, ahead: Span) -> Vec<Span> {
    let mut here = calendars.windows.iter().filter(|window| window.scope.in_environment(&asked.target.environment)).peekable();
    if here.peek().is_none() {
        return vec![ahead];
    }
    let admitting = here.filter(|window| window.scope.covers(asked.target, team, asked.kind));
    let believed = admitting.filter(|window: &&Opened| believed(window, asked).is_ok());
    join(believed.flat_map(|window| &window.spans).filter(|span| span.end > ahead.begin).copied().collect())
}

/// When a freeze stops it: while it holds, or always when nobody knows, but not where an exception lets it through.
fn frozen(freeze: &Frozen, asked: &Asked<'_>, ahead: Span) -> Vec<Span> {
    let spans = if stops_without_calendar(freeze, asked) { vec![ahead] } else { freeze.spans.clone() };
    let mut days = Vec::new();
    for exception in exceptions(freeze, asked.requester) {
        match &exception.lets {
            Excepted::Plan(plan) if asked.plan == Some(*plan) => return Vec::new(),
            Excepted::Day { target, date } if target == asked.target => days.extend(day(&freeze.zone, *date)),
            Excepted::Plan(_) | Excepted::Day { .. } => {}
        }
    }
    without(&spans, &join(days))
}

/// A day by the clock of a zone.
fn day(zone: &Zone, date: NaiveDate) -> Option<Span> {
    let midnight = |date: NaiveDate| -> DateTime<Utc> { zone.shown(date.and_time(NaiveTime::MIN)).first };
    Some(Span { begin: midnight(date), end: midnight(date.checked_add_days(Days::new(1))?) })
}
