//! The diary: which plans are booked for when, which of them are in each other's way, and who leaves with which train.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::world::{Clash, Diary, TrainView, World};
use super::{conflicts, gate, planner, rules};
use crate::model::approval::Waiting;
use crate::model::intent::Direction;
use crate::model::name::{PlanId, ServiceName, Target};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::time::Moment;
use crate::model::timetable::Train;
use crate::policy::calendar::{Departure, Readiness, board, departures};
use crate::policy::conflict;
use crate::policy::ready;

/// Departures of each train that are told.
const DEPARTURES: usize = 3;
/// How far back a departure is looked for whose window is still open.
const BACK: TimeDelta = TimeDelta::days(7);

/// Writes it anew.
pub fn write(world: &World, now: &Moment) -> Diary {
    let mut booked: Vec<_> = world.waiting_at(now).filter_map(|one| Some((one.plan.booking()?, one.plan.id))).collect();
    booked.sort();
    let waiting = conflicts::waiting(world, now.wall);
    let clashes = conflict::conflicts(&world.catalog.services, &waiting);
    let plans: BTreeMap<String, (PlanId, &Target)> =
        world.waiting.iter().map(|one| (one.plan.id.to_string(), (one.plan.id, one.plan.target()))).collect();
    let clash = |found: conflict::Conflict| {
        let (one, other) = (plans.get(&found.one)?, plans.get(&found.other)?);
        Some(Clash { plans: [one.0, other.0], targets: [one.1.clone(), other.1.clone()], overlap: found.overlap, text: found.text })
    };
    let mut trains: Vec<TrainView> = world.calendars.spans.trains().iter().flat_map(|train| leaving(world, train, now)).collect();
    trains.sort_by(|one, other| (one.departure.at, &one.name).cmp(&(other.departure.at, &other.name)));
    Diary { booked, clashes: clashes.into_iter().filter_map(clash).collect(), trains }
}

/// The departure of a train that is under way, and its next ones.
fn leaving(world: &World, train: &Train, now: &Moment) -> Vec<TrainView> {
    let spans = &world.calendars.spans;
    let from = now.wall.checked_sub_signed(BACK).unwrap_or(now.wall);
    let all = departures(spans, train, from, usize::MAX).into_iter();
    let view = |departure: Departure| {
        let (ready, plans) = passengers(world, train, &departure, now);
        let mut manifest = board(spans, train, &departure, &ready, *now);
        // What was carried out with it left with it, whatever stands in the way by now.
        for change in world.past.iter().filter(|change| change.taken_back.is_none() && is_on(change, train, &departure)) {
            if begun(world, change.plan) {
                manifest.missed.retain(|(service, _)| service != &change.target.service);
                if !manifest.aboard.contains(&change.target.service) {
                    manifest.aboard.push(change.target.service.clone());
                }
            }
        }
        manifest.aboard.sort_by_key(|service| train.services.iter().position(|other| other == service));
        TrainView {
            name: train.name.clone(),
            environment: train.environment.clone(),
            departure,
            departed: departure.at <= now.wall,
            manifest,
            plans,
        }
    };
    all.filter(|departure| departure.shuts > now.wall).take(DEPARTURES).map(view).collect()
}

fn begun(world: &World, plan: PlanId) -> bool {
    world.deeds.get(&plan).is_some_and(|deed| deed.facts.intended.is_some())
}

fn is_on(change: &crate::model::course::PastChange, train: &Train, departure: &Departure) -> bool {
    change.train.as_ref() == Some(&train.name) && change.begins == Some(departure.at) && change.target.environment == train.environment
}

/// How ready each service of a train is for a departure, and the plan that it brings.
fn passengers(world: &World, train: &Train, departure: &Departure, now: &Moment) -> (Vec<Readiness>, BTreeMap<ServiceName, PlanId>) {
    let mut ready = Vec::new();
    let mut plans = BTreeMap::new();
    for service in &train.services {
        let target = Target::new(service.clone(), train.environment.clone());
        let mut mine: Vec<&Waiting> =
            world.waiting_at(now).filter(|one| one.plan.target() == &target && one.plan.direction == Direction::Forward).collect();
        mine.sort_by_key(|one| (one.plan.made, one.plan.id));
        let booked = mine.iter().filter(|one| is_booked(&one.plan, train, departure)).map(|one| readiness(world, one, now));
        // The one that is ready first leaves with it.
        if let Some(best) = booked.flatten().min_by_key(|ready| (ready.since.is_none(), ready.since)) {
            plans.extend(best.plan.map(|plan| (service.clone(), plan)));
            ready.push(best);
            continue;
        }
        if let Some(back) = world.past.iter().find(|change| change.target == target && is_on(change, train, departure)) {
            plans.insert(service.clone(), back.plan);
            let how = back.taken_back.as_ref().map_or_else(|| "ended before it began".to_owned(), ToString::to_string);
            let text = format!("plan {} was {how}", back.plan.short());
            ready.push(lacking(&target, back.change, "withdrawn", &text, &format!("plan again with --train {}", train.name)));
        } else if let Some(other) = mine.iter().find(|one| one.plan.order.begin().is_none()) {
            let text = format!("plan {} waits and is not scheduled with {}", other.plan.id.short(), train.name);
            let fix = format!("plan it with --train {}", train.name);
            ready.push(lacking(&target, other.plan.order.change_type, "train", &text, &fix));
        }
    }
    (ready, plans)
}

fn is_booked(plan: &Plan, train: &Train, departure: &Departure) -> bool {
    plan.order.train.as_ref() == Some(&train.name) && plan.order.begin() == Some(departure.at)
}

/// How ready a plan is; while changed rules wait to be accepted, by both: it lacks what it lacks by either, and is ready when it is by
/// the later one.
fn readiness(world: &World, waiting: &Waiting, now: &Moment) -> Option<Readiness> {
    let newer = readiness_by(world, waiting, now)?;
    let Some(by) = rules::by_older(world, &waiting.plan, now).filter(|by| by.differs) else { return Some(newer) };
    // By rules that do not know its target it cannot leave.
    let older = rules::older(world).and_then(|older| readiness_by(&older, waiting, now));
    Some(ready::stricter(newer, older, by.against))
}

fn readiness_by(world: &World, waiting: &Waiting, now: &Moment) -> Option<Readiness> {
    let guard = world.catalog.guard(waiting.plan.target())?;
    let fresh = planner::recheck(world, &waiting.plan, now);
    let held = gate::roles(world, waiting.plan.target(), now.wall);
    Some(ready::readiness(&fresh, guard, &held, &waiting.approvals, now))
}

fn lacking(target: &Target, kind: crate::model::change::ChangeType, rule: &str, text: &str, fix: &str) -> Readiness {
    Readiness {
        service: target.service.clone(),
        kind,
        since: None,
        lacks: vec![Reason::new(rule, text, fix)],
        plan: None,
        requester: crate::model::operator::Actor::Unverified(String::new()),
    }
}
