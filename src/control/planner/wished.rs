//! When a change is to be carried out, as a person types or chooses it: a time, a train's next departure, the next free time.

use chrono::{DateTime, TimeDelta, Utc};

use super::{PlanError, booking};
use crate::analysis::when::When;
use crate::analysis::zone::Zone;
use crate::control::world::World;
use crate::model::intent::{Arguments, Direction, Intent};
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::model::time::{Moment, rfc3339};
use crate::model::timetable::Span;
use crate::policy::calendar::{Asked, Departure, next_slot};

/// What is typed for a change that is to be carried out at once after all.
const NOW: &str = "now";

/// When a change is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wished {
    /// At once.
    Now,
    /// At this time.
    At(DateTime<Utc>),
    /// With this train's next departure.
    With(String),
}

impl Wished {
    /// The same arguments for that time and no other.
    #[must_use]
    pub fn of(&self, args: &Arguments) -> Arguments {
        let (at, train) = match self {
            Self::Now => (None, None),
            Self::At(at) => (Some(*at), None),
            Self::With(train) => (None, Some(train.clone())),
        };
        Arguments { at, train, ..args.clone() }
    }
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A train that takes the target along, with its next departure.
    Train(String, Departure),
    /// The next time that windows and freezes leave free.
    Free(Span),
}

/// The instant of a typed time by the clock of the room.
///
/// # Errors
/// The clock never shows it, or shows it twice.
pub fn instant(world: &World, when: When, now: &Moment) -> Result<DateTime<Utc>, PlanError> {
    when.instant(&zone(world), now.wall).map_err(|why| PlanError::Arguments(Text::clean(&why)))
}

/// What was typed: a time as `--at` takes it, `now`, or else the name of a train, of which the planner says whether there is one.
///
/// # Errors
/// It begins as a time does and is none.
pub fn wished(world: &World, typed: &str, now: &Moment) -> Result<Wished, PlanError> {
    let typed = typed.trim();
    if typed == NOW {
        return Ok(Wished::Now);
    }
    match typed.parse::<When>() {
        Ok(when) => instant(world, when, now).map(Wished::At),
        Err(_) if world.calendars.spans.trains().iter().any(|train| train.name == typed) => Ok(Wished::With(typed.to_owned())),
        Err(why) if typed.is_empty() || typed.starts_with(|c: char| c.is_ascii_digit()) => Err(PlanError::Arguments(Text::clean(&why))),
        Err(_) => Ok(Wished::With(typed.to_owned())),
    }
}

/// Why a change is never scheduled; none when it can be.
pub fn never_scheduled(intent: &Intent, direction: Direction) -> Option<String> {
    booking::never(intent, direction)
}

/// What can be chosen for a plan instead of typing a time.
pub fn choices(world: &World, plan: &Plan, now: &Moment) -> Vec<Choice> {
    let (spans, target) = (&world.calendars.spans, plan.target());
    let trains = spans.trains().iter().filter(|train| train.environment == target.environment && train.services.contains(&target.service));
    let mut choices: Vec<Choice> =
        trains.filter_map(|train| Some(Choice::Train(train.name.clone(), booking::leaves_next(world, train, now)?))).collect();
    choices.sort_by_key(|choice| match choice {
        Choice::Train(_, departure) => departure.at,
        Choice::Free(span) => span.begin,
    });
    let soon = now.wall + TimeDelta::minutes(1);
    let asked = Asked {
        target,
        kind: plan.order.change_type,
        direction: Direction::Forward,
        at: soon,
        now: *now,
        plan: None,
        requester: &plan.intent.requester,
        began: None,
    };
    // What is free already needs no other time.
    let free = next_slot(spans, &asked, booking::lasts(world, &plan.intent)).filter(|span| span.begin > soon);
    choices.extend(free.map(Choice::Free));
    choices
}

impl Choice {
    /// What one would type for it.
    pub fn typed(&self, world: &World) -> String {
        match self {
            Self::Train(name, _) => name.clone(),
            Self::Free(span) => {
                let zone = zone(world);
                let local = zone.local(span.begin);
                let text = local.format("%Y-%m-%d %H:%M").to_string();
                let same = text.parse::<When>().ok().and_then(|when| when.instant(&zone, span.begin).ok()) == Some(span.begin);
                if same { text } else { rfc3339(&span.begin) }
            }
        }
    }
}

fn zone(world: &World) -> Zone {
    Zone::named(&world.catalog.room.timezone)
}
