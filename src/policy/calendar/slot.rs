//! The next time at which a change may begin and has long enough.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use super::compiled::Calendars;
use super::standing::{Asked, standing};
use crate::analysis::span::join;
use crate::model::timetable::{Excepted, Scope, Span};

/// The first span from `asked.at` on, within the horizon, in which a change may begin, and that is at least `length` long.
pub fn next_slot(calendars: &Calendars, asked: &Asked<'_>, length: TimeDelta) -> Option<Span> {
    let end = calendars.known.end;
    let may = |at: DateTime<Utc>| standing(calendars, &Asked { at, ..*asked }).reasons.is_empty();
    let mut begin = may(asked.at).then_some(asked.at);
    for edge in edges(calendars, asked).into_iter().chain([end]) {
        let open = edge < end && may(edge);
        match begin {
            Some(since) if !open => {
                if edge.signed_duration_since(since) >= length {
                    return Some(Span { begin: since, end: edge });
                }
                begin = None;
            }
            Some(_) => {}
            None => begin = open.then_some(edge),
        }
    }
    None
}

/// The instants at which the answer may change, in order.
fn edges(calendars: &Calendars, asked: &Asked<'_>) -> Vec<DateTime<Utc>> {
    let team = calendars.team(asked.target);
    let covering = |scope: &Scope| scope.covers(asked.target, team, asked.kind);
    let windows = calendars.windows.iter().filter(|window| covering(&window.scope)).flat_map(|window| &window.spans);
    let freezes: Vec<_> = calendars.freezes.iter().filter(|freeze| covering(&freeze.scope)).collect();
    let (windows, frozen) = (join(windows.copied().collect()), freezes.iter().flat_map(|freeze| freeze.spans.iter().copied()).collect());
    let mut edges: Vec<DateTime<Utc>> = windows.iter().chain(&join(frozen)).flat_map(|span| [span.begin, span.end]).collect();
    for freeze in freezes {
        for exception in &freeze.exceptions {
            let Excepted::Day { target, date } = &exception.lets else { continue };
            let days = [Some(*date), date.checked_add_days(Days::new(1))];
            let midnights = days.into_iter().flatten().map(|day| freeze.zone.shown(day.and_time(NaiveTime::MIN)).first);
            edges.extend(midnights.filter(|_| target == asked.target));
        }
        // Where exceptions lift one of two freezes, the ends of each count.
        if !freeze.exceptions.is_empty() {
            edges.extend(freeze.spans.iter().flat_map(|span| [span.begin, span.end]));
        }
    }
    edges.retain(|edge| *edge > asked.at && *edge < calendars.known.end);
    edges.sort_unstable();
    edges.dedup();
    edges
}
