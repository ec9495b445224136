//! The booking of a plan that is scheduled: from when until when it may be carried out, at a time or with a train.

use chrono::{DateTime, TimeDelta, Utc};

use super::PlanError;
use crate::control::world::World;
use crate::model::change::ChangeType;
use crate::model::intent::{Direction, Intent, Verb};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timetable::{Span, Train};
use crate::policy::calendar::{Access, Asked, Departure, departures, standing};

/// How far ahead a change can be scheduled.
const FURTHEST: TimeDelta = TimeDelta::days(90);
/// Departures that are looked through for one whose cut-off is still to come.
const DEPARTURES: usize = 400;

/// When a plan may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Booking {
    /// From when until when.
    pub(super) span: Span,
    /// The train.
    pub(super) train: Option<String>,
    /// In words, for the evidence.
    pub(super) text: String,
}

/// The booking that an intent asks for; none when it asks for none.
pub(super) fn booking(
    world: &World,
    intent: &Intent,
    direction: Direction,
    kind: ChangeType,
    now: &Moment,
) -> Result<Option<Booking>, PlanError> {
    let wrong = |text: &str| Err(PlanError::Arguments(Text::clean(text)));
    let (at, train) = match (intent.args.at, &intent.args.train) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return wrong("a change is scheduled at a time or with a train, not both"),
        (at, train) => (at, train.as_deref()),
    };
    if let Some(why) = never(intent, direction) {
        return wrong(&why);
    }
    let lasts = lasts(world, intent);
    let (begin, shuts) = match (at, train) {
        (_, Some(name)) => {
            let train = passenger(world, intent, name)?;
            let Some(next) = leaves_next(world, train, now) else {
                return wrong(&format!("{name} has no departure within 90 days whose cut-off is still to come"));
            };
            (next.at, Some(next.shuts))
        }
        (Some(at), None) => (whole(at), shuts(world, intent, kind, whole(at), now)),
        (None, None) => return Ok(None),
    };
    if begin <= now.wall {
        return wrong(&format!("{} has passed; a change is scheduled for a time to come", told(begin)));
    }
    if begin.signed_duration_since(now.wall) > FURTHEST {
        return wrong(&format!("{} is more than {} days ahead", told(begin), FURTHEST.num_days()));
    }
    let end = begin.checked_add_signed(lasts).unwrap_or(DateTime::<Utc>::MAX_UTC);
    // Once the window has shut it could not begin any more.
    let end = shuts.filter(|shuts| begin < *shuts).map_or(end, |shuts| end.min(shuts));
    let span = Span { begin, end: whole(end) };
    let with = train.map(|name| format!(" with {name}")).unwrap_or_default();
    let text = format!("may begin{with} from {} to {}; nothing begins by itself, `execute` carries it out", told(begin), told(end));
    Ok(Some(Booking { span, train: train.map(str::to_owned), text }))
}

/// Why a change is never scheduled; none when it can be.
pub(super) fn never(intent: &Intent, direction: Direction) -> Option<String> {
    let verb = intent.verb.word();
    if intent.args.break_glass.is_some() {
        return Some("what breaks the glass cannot wait, so it is never scheduled".to_owned());
    }
    if direction != Direction::Forward {
        return Some(format!("{verb} is no forward change here, so it is never scheduled: it may be done at any time"));
    }
    let may = matches!(intent.verb, Verb::Shift | Verb::Promote | Verb::Start);
    (!may).then(|| format!("{verb} is never scheduled; shift, promote and start can be"))
}

/// The train of that name, when it takes the target along.
fn passenger<'a>(world: &'a World, intent: &Intent, name: &str) -> Result<&'a Train, PlanError> {
    let wrong = |text: String| Err(PlanError::Arguments(Text::clean(&text)));
    let trains = world.calendars.spans.trains();
    let Some(train) = trains.iter().find(|train| train.name == name) else {
        let known: Vec<&str> = trains.iter().map(|train| train.name.as_str()).collect();
        let known = if known.is_empty() { "none is configured".to_owned() } else { format!("known: {}", known.join(", ")) };
        return wrong(format!("there is no train `{}`; {known}", Text::clean_within(name, 80)));
    };
    let target = &intent.target;
    if train.environment != target.environment || !train.services.contains(&target.service) {
        let services: Vec<&str> = train.services.iter().map(crate::model::name::ServiceName::as_str).collect();
        return wrong(format!("{target} does not go with {name}, which takes {} to {}", services.join(", "), train.environment));
    }
    Ok(train)
}

/// The next departure of a train for which one can still be ready.
pub(super) fn leaves_next(world: &World, train: &Train, now: &Moment) -> Option<Departure> {
    let all = departures(&world.calendars.spans, train, now.wall, DEPARTURES);
    all.into_iter().find(|departure| departure.cut_off >= now.wall)
}

/// How long the booking of a change lasts.
pub(super) fn lasts(world: &World, intent: &Intent) -> TimeDelta {
    let environment = world.catalog.environment(&intent.target.environment);
    let lasts = environment.map(|environment| environment.scheduling).unwrap_or_default().booking;
    TimeDelta::from_std(lasts).unwrap_or(TimeDelta::MAX)
}

/// When the window that is open then shuts.
fn shuts(world: &World, intent: &Intent, kind: ChangeType, at: DateTime<Utc>, now: &Moment) -> Option<DateTime<Utc>> {
    let asked = Asked {
        target: &intent.target,
        kind,
        direction: Direction::Forward,
        at,
        now: *now,
        plan: None,
        requester: &intent.requester,
        began: None,
    };
    match standing(&world.calendars.spans, &asked).access {
        Access::Open { until, .. } => until,
        Access::Always | Access::Unbound | Access::Running { .. } | Access::Shut { .. } => None,
    }
}

/// Milliseconds are what the Order keeps.
fn whole(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

fn told(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
