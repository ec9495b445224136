//! Trains: when they leave, who comes along, and why another is left behind.

use chrono::{DateTime, Utc};

use super::compiled::{Calendars, Opened};
use super::standing::{Asked, standing};
use super::words;
use crate::analysis::span::moment;
use crate::model::change::ChangeType;
use crate::model::intent::Direction;
use crate::model::name::{PlanId, ServiceName, Target};
use crate::model::operator::Actor;
use crate::model::reason::Reason;
use crate::model::time::Moment;
use crate::model::timetable::Train;

/// One departure of a train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// When it leaves.
    pub at: DateTime<Utc>,
    /// When one must be ready at the latest.
    pub cut_off: DateTime<Utc>,
    /// When the window in which it leaves shuts.
    pub shuts: DateTime<Utc>,
}

/// How ready one service is for a departure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The service.
    pub service: ServiceName,
    /// The type of its change.
    pub kind: ChangeType,
    /// Since when all that it needs is there; none: it is not.
    pub since: Option<DateTime<Utc>>,
    /// What it lacks, the first to fix first.
    pub lacks: Vec<Reason>,
    /// Its plan, once there is one.
    pub plan: Option<PlanId>,
    /// Who asks.
    pub requester: Actor,
}

/// Who leaves with a departure, and who does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Those who come along, in the train's order.
    pub aboard: Vec<ServiceName>,
    /// Those who are left behind, each with every reason.
    pub missed: Vec<(ServiceName, Vec<Reason>)>,
}

/// The departures of a train from `from` on, at most `most`, within the horizon, in order.
pub fn departures(calendars: &Calendars, train: &Train, from: DateTime<Utc>, most: usize) -> Vec<Departure> {
    let Some(window) = calendars.windows.iter().find(|window| window.name == train.window) else { return Vec::new() };
    let cut_off = chrono::TimeDelta::from_std(train.cut_off).unwrap_or(chrono::TimeDelta::MAX);
    let departure = |(at, shuts): (DateTime<Utc>, DateTime<Utc>)| Departure {
        at,
        cut_off: at.checked_sub_signed(cut_off).unwrap_or(DateTime::<Utc>::MIN_UTC),
        shuts,
    };
    leaving(window, train).filter(|(at, _)| *at >= from).take(most).map(departure).collect()
}

/// The instants at which a train leaves, each with the end of its window.
fn leaving<'a>(window: &'a Opened, train: &'a Train) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + 'a {
    window.spans.iter().flat_map(move |span| {
        let (first, last) = (window.zone.local(span.begin).date(), window.zone.local(span.end).date());
        // Windows that follow each other without a gap are one span of many days, and the train leaves on each.
        let by_clock = train.departs.map(|departs| {
            let days = first.iter_days().take_while(move |day| *day <= last);
            days.filter_map(move |day| Some(window.zone.shown(moment(day, departs)?)))
                .filter(|shown| !shown.skipped && span.holds(shown.first))
                .map(|shown| shown.first)
        });
        let at_opening = train.departs.is_none().then_some(span.begin);
        by_clock.into_iter().flatten().chain(at_opening).map(|at| (at, span.end))
    })
}

/// Decides who leaves with a departure. A service that nothing is said about has nothing to bring.
pub fn board(calendars: &Calendars, train: &Train, departure: &Departure, ready: &[Readiness], now: Moment) -> Manifest {
    let mut manifest = Manifest { aboard: Vec::new(), missed: Vec::new() };
    let after = departure.at.checked_add_signed(chrono::TimeDelta::seconds(1)).unwrap_or(departure.at);
    let next = departures(calendars, train, after, 1).first().copied();
    for service in &train.services {
        let reasons = match ready.iter().find(|ready| &ready.service == service) {
            None => vec![Reason::new("train", &format!("{service} brings no candidate"), "a candidate that passed its gates")],
            Some(ready) => hindrances(calendars, train, departure, next.as_ref(), ready, now),
        };
        if reasons.is_empty() {
            manifest.aboard.push(service.clone());
        } else {
            manifest.missed.push((service.clone(), reasons));
        }
    }
    manifest
}

fn hindrances(
    calendars: &Calendars,
    train: &Train,
    departure: &Departure,
    next: Option<&Departure>,
    ready: &Readiness,
    now: Moment,
) -> Vec<Reason> {
    let mut reasons = ready.lacks.clone();
    let window = calendars.windows.iter().find(|window| window.name == train.window);
    let told = |at: DateTime<Utc>| {
        window.map_or_else(|| at.format("%Y-%m-%d %H:%MZ").to_string(), |window| words::instant(at, &window.zone, &window.timezone))
    };
    let catch = next.map_or_else(
        || format!("no further departure within {} days", super::AHEAD.num_days()),
        |next| format!("the next one leaves at {}; be ready by {}", told(next.at), told(next.cut_off)),
    );
    match ready.since {
        None if reasons.is_empty() => {
            reasons.push(Reason::new("train", &format!("{} is not ready", ready.service), &catch));
        }
        Some(since) if since > departure.cut_off => {
            reasons.push(Reason::new("train", &late(ready.service.as_str(), since, departure.cut_off, &train.name), &catch));
        }
        None | Some(_) => {}
    }
    let target = Target::new(ready.service.clone(), train.environment.clone());
    let asked = Asked {
        target: &target,
        kind: ready.kind,
        direction: Direction::Forward,
        at: departure.at,
        now,
        plan: ready.plan,
        requester: &ready.requester,
        began: None,
    };
    reasons.extend(standing(calendars, &asked).reasons);
    reasons
}

fn late(who: &str, since: DateTime<Utc>, cut_off: DateTime<Utc>, train: &str) -> String {
    let late = words::span(since.signed_duration_since(cut_off));
    format!("{who} was ready at {}, {late} after the cut-off of {train} at {}", since.format("%H:%MZ"), cut_off.format("%H:%MZ"))
}

/// Why a plan that was scheduled for a departure of a train may not leave with it; none when it may. `ready` is since when everybody has
/// agreed; none: not yet.
pub fn left_behind(
    calendars: &Calendars,
    train: &str,
    departs: DateTime<Utc>,
    ready: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Option<Reason> {
    let again = format!("plan again with --train {train}");
    let Some(known) = calendars.trains.iter().find(|known| known.name == train) else {
        return Some(Reason::new("train", &format!("there is no train {train} any more"), "plan again"));
    };
    let Some(departure) = departures(calendars, known, departs, 1).into_iter().next().filter(|departure| departure.at == departs) else {
        let text = format!("{train} does not leave at {} any more", departs.format("%Y-%m-%d %H:%MZ"));
        return Some(Reason::new("train", &text, &again));
    };
    match ready {
        Some(since) if since > departure.cut_off => Some(Reason::new("train", &late("it", since, departure.cut_off, train), &again)),
        None if at > departure.cut_off => {
            let text = format!("it was not ready by the cut-off of {train} at {}", departure.cut_off.format("%Y-%m-%d %H:%MZ"));
            Some(Reason::new("train", &text, &again))
        }
        Some(_) | None => None,
    }
}
