//! The calendar of changes as JSON: two weeks of windows, freezes and departures, by environment.

use serde_json::{Value, json};

use crate::cli::json as shapes;
use crate::control::world::World;
use crate::model::time::{Moment, rfc3339};
use crate::model::timetable::{Excepted, Running, WayBack};
use crate::policy::calendar::{Agenda, Exempted, Leaving, Line};

/// The calendar. What cannot be believed says so in `doubt`, and is neither open nor free.
pub fn object(world: &World, now: &Moment) -> Value {
    let ahead = &world.calendars.ahead;
    json!({
        "from": rfc3339(&ahead.span.begin),
        "to": rfc3339(&ahead.span.end),
        "timezone": ahead.timezone,
        "environments": ahead.environments.iter().map(|agenda| environment(agenda, ahead.span.end, now)).collect::<Vec<_>>(),
    })
}

fn environment(agenda: &Agenda, end: chrono::DateTime<chrono::Utc>, now: &Moment) -> Value {
    let spans = |lines: &[Line], of: fn(&Line) -> Value| {
        let all = lines.iter().flat_map(|line| line.spans.iter().filter(|span| span.begin < end).map(move |span| (line, span)));
        let one = |(line, span): (&Line, &crate::model::timetable::Span)| {
            let mut object = json!({ "name": line.name, "begin": rfc3339(&span.begin), "end": rfc3339(&span.end) });
            if let (Value::Object(object), Value::Object(more)) = (&mut object, of(line)) {
                object.extend(more);
            }
            object
        };
        all.map(one).collect::<Vec<Value>>()
    };
    let doubts = agenda.windows.iter().chain(&agenda.freezes).filter_map(|line| {
        let belief = line.belief(now);
        Some(json!({ "name": line.name, "doubt": belief.doubt()?, "stops": line.stops_in_doubt() }))
    });
    let exceptions = agenda.freezes.iter().flat_map(|line| line.exceptions.iter().map(|one| exception(line, one)));
    json!({
        "name": agenda.environment,
        "always_open": agenda.windows.is_empty(),
        "windows": spans(&agenda.windows, |line| json!({ "about": line.about() })),
        "freezes": spans(&agenda.freezes, freeze),
        "exceptions": exceptions.collect::<Vec<_>>(),
        "departures": agenda.departures.iter().map(|leaving| departure(agenda, leaving, now)).collect::<Vec<_>>(),
        "not_believed": doubts.collect::<Vec<_>>(),
    })
}

fn freeze(line: &Line) -> Value {
    json!({
        "about": line.about(),
        "reason": line.reason,
        "way_back": match line.way_back {
            WayBack::Exempt => "exempt",
            WayBack::Frozen => "frozen",
        },
        "running": match line.running {
            Running::Finish => "finish",
            Running::Hold => "hold",
        },
    })
}

fn exception(line: &Line, exempted: &Exempted) -> Value {
    let given = &exempted.exception;
    let (plan, target) = match &given.lets {
        Excepted::Plan(plan) => (Some(plan.to_string()), None),
        Excepted::Day { target, .. } => (None, Some(target.to_string())),
    };
    json!({
        "freeze": line.name,
        "plan": plan,
        "target": target,
        "begin": shapes::time(exempted.span.map(|span| span.begin)),
        "end": shapes::time(exempted.span.map(|span| span.end)),
        "by": given.by,
        "reason": given.reason,
    })
}

fn departure(agenda: &Agenda, leaving: &Leaving, now: &Moment) -> Value {
    json!({
        "train": leaving.train,
        "departs": rfc3339(&leaving.departure.at),
        "cut_off": rfc3339(&leaving.departure.cut_off),
        "shuts": rfc3339(&leaving.departure.shuts),
        "frozen_by": leaving.frozen,
        "doubted_by": agenda.doubted(leaving, now).map(|line| line.name.as_str()),
    })
}
