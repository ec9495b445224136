//! Conflicts of plans: with which other plans that wait each is in the way, by the times in which they may be carried out.

use chrono::{DateTime, TimeDelta, Utc};

use super::world::World;
use crate::model::catalog::{Catalog, OnConflict};
use crate::model::intent::Direction;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::timetable::Span;
use crate::policy::conflict::{self, Conflict, Scheduled};

/// A plan with the time in which it may be carried out: its booking, or from `at` to its end.
pub fn scheduled(plan: &Plan, at: DateTime<Utc>) -> Scheduled {
    Scheduled {
        id: plan.id.to_string(),
        target: plan.target().clone(),
        kind: plan.order.change_type,
        span: plan.booking().unwrap_or(Span { begin: at, end: plan.expires }),
    }
}

/// The forward plans that wait, each with its time.
pub fn waiting(world: &World, at: DateTime<Utc>) -> Vec<Scheduled> {
    let lives = |plan: &&Plan| plan.direction == Direction::Forward && plan.expires > at;
    world.waiting.iter().map(|one| &one.plan).filter(lives).map(|plan| scheduled(plan, at)).collect()
}

/// The conflicts of one plan with those that wait.
pub fn of_plan(world: &World, change: &Scheduled, at: DateTime<Utc>) -> Vec<Conflict> {
    conflict::of_one(&world.catalog.services, change, &waiting(world, at))
}

/// Why a plan may not go because of bookings that were made before it; empty where the environment only warns.
pub fn refusing<'a>(catalog: &Catalog, plan: &Plan, others: impl Iterator<Item = &'a Plan>, at: DateTime<Utc>) -> Vec<Reason> {
    let Some(scheduling) = catalog.environment(&plan.target().environment).map(|environment| environment.scheduling) else {
        return Vec::new();
    };
    if scheduling.conflicts == OnConflict::Warn || plan.direction != Direction::Forward {
        return Vec::new();
    }
    let mut mine = scheduled(plan, at);
    // What is not scheduled begins now, and takes no longer than a booking.
    if plan.booking().is_none() {
        let lasts = TimeDelta::from_std(scheduling.booking).unwrap_or(TimeDelta::MAX);
        mine.span.end = at.checked_add_signed(lasts).unwrap_or(DateTime::<Utc>::MAX_UTC);
    }
    let before = |other: &&Plan| {
        other.booking().is_some() && other.id != plan.id && (other.made, other.id) < (plan.made, plan.id) && other.expires > at
    };
    let booked: Vec<Scheduled> = others.filter(before).map(|other| scheduled(other, at)).collect();
    let fix = "another time; or the requester of the plan that was booked first withdraws it";
    let found = conflict::of_one(&catalog.services, &mine, &booked);
    found.iter().map(|conflict| Reason::new("conflict", conflict.text.as_str(), fix)).collect()
}
