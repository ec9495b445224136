//! Measures how long windows and freezes keep a verdict waiting, beside a bare walk over as many spans.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use gonogo::model::change::ChangeType;
use gonogo::model::intent::Direction;
use gonogo::model::operator::Actor;
use gonogo::model::time::{Boot, Moment};
use gonogo::model::timetable::{ClockTime, Freeze, Running, Scope, Span, Times, Timetable, WayBack, Window};
use gonogo::policy::calendar::{Asked, Calendars, Feeds, next_slot, standing};

const WINDOWS: u16 = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let at: DateTime<Utc> = "2026-06-02T10:00:00Z".parse()?;
    let target = "checkout@prod".parse()?;
    let scope = Scope { environments: vec!["prod".parse()?], teams: vec!["payments".to_owned()], ..Scope::default() };
    let days = vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    let times = |n: u16| -> Option<Times> {
        let clock = |minutes: u16| ClockTime::read(&format!("{:02}:{:02}", minutes / 60, minutes % 60));
        Some(Times::Weekly { days: days.clone(), from: clock(n % 1439)?, to: clock(n % 1439 + 1)? })
    };
    let mut table = Timetable::default();
    for n in 0..WINDOWS {
        let times = times(n * 2).ok_or("a time")?;
        let (name, timezone) = (format!("w{n}"), "Europe/Berlin".to_owned());
        table.windows.push(Window { name: name.clone(), scope: scope.clone(), timezone: timezone.clone(), times: times.clone() });
        if n % 10 == 0 {
            let reason = "a reason".to_owned();
            let (way_back, running) = (WayBack::Exempt, Running::Finish);
            table.freezes.push(Freeze { name, scope: scope.clone(), timezone, times, reason, way_back, running });
        }
    }
    let teams = BTreeMap::from([("checkout".parse()?, "payments".to_owned())]);
    let begun = Instant::now();
    let calendars = Calendars::new(&table, teams, &Feeds::new(), at);
    let made = begun.elapsed();
    let requester = Actor::Unverified("ana".to_owned());
    let now = Moment { wall: at, boot: Boot(0) };
    let (kind, direction) = (ChangeType::Normal, Direction::Forward);
    let asked = Asked { target: &target, kind, direction, at, now, plan: None, requester: &requester, began: None };
    let answered = median(|n| black_box(standing(&calendars, &Asked { at: at + TimeDelta::minutes(n), ..asked })).reasons.len());
    let begun = Instant::now();
    let slot = next_slot(&calendars, &asked, TimeDelta::minutes(2));
    let searched = begun.elapsed();
    let spans: Vec<Vec<Span>> = (0..i64::from(WINDOWS))
        .map(|n| {
            (0..91)
                .map(|day| at + TimeDelta::days(day) + TimeDelta::minutes(n))
                .map(|begin| Span { begin, end: begin + TimeDelta::minutes(1) })
                .collect()
        })
        .collect();
    let bare = median(|n| {
        let at = at + TimeDelta::minutes(n);
        black_box(spans.iter().filter(|spans| spans.binary_search_by_key(&at, |span| span.begin).is_ok()).count())
    });
    let mut out = std::io::stdout();
    writeln!(out, "{WINDOWS} windows and {} freezes, all of which cover the target", table.freezes.len())?;
    writeln!(out, "one answer, median of 1000   {answered:>12.1?}   must be under 300 µs")?;
    writeln!(out, "a bare search in the spans   {bare:>12.1?}   ratio {:.1}", answered.as_secs_f64() / bare.as_secs_f64())?;
    writeln!(out, "made once a day              {made:>12.1?}")?;
    writeln!(out, "next slot of two minutes     {searched:>12.1?}   {slot:?}")?;
    Ok(())
}

fn median(mut work: impl FnMut(i64) -> usize) -> Duration {
    let mut times: Vec<Duration> = (0..1000)
        .map(|n| {
            let begun = Instant::now();
            black_box(work(n));
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(500).copied().unwrap_or_default()
}
