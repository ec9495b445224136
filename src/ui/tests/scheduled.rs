//! Tests of scheduled changes on the glass: their time, their state, what is in their way, their train, and what ended.

use std::sync::Arc;

use chrono::TimeDelta;

use super::changes::{person, room, shop, waits};
use super::*;
use crate::control::calendar::CalendarView;
use crate::control::{diary, planner};
use crate::model::change::ChangeType;
use crate::model::course::PastChange;
use crate::model::intent::{Arguments, Intent};
use crate::model::rules::RuleSet;
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::model::timetable::{Scope, Stamp, Times, Train, Window};

pub(super) fn plan(world: &World, by: &str, args: Arguments, nonce: &str) -> Plan {
    let reason = Text::clean("with the others");
    let intent = Intent { verb: Verb::Shift, target: fixture::checkout(), args, requester: person(by), reason };
    planner::plan(world, intent, &fixture::before(82), nonce).unwrap()
}

/// A shop with a train at half past three: ana's change is booked on it, and cy's for a time of its own, in its way.
pub(super) fn booked(who: &str, agreed_by: &[&str]) -> World {
    let mut world = shop(who, 1);
    let mut catalog = (*world.catalog).clone();
    let departs = fixture::at("15:30:00");
    catalog.timetable.windows.push(Window {
        name: "afternoon".to_owned(),
        scope: Scope { environments: vec![fixture::name("prod")], ..Scope::default() },
        timezone: "UTC".to_owned(),
        times: Times::Once { begin: Stamp::Utc(departs), end: Stamp::Utc(departs + TimeDelta::hours(2)) },
    });
    catalog.timetable.trains.push(Train {
        name: "express".to_owned(),
        environment: fixture::name("prod"),
        services: ["checkout", "ledger"].map(fixture::name).to_vec(),
        window: "afternoon".to_owned(),
        departs: None,
        cut_off: Duration::from_mins(15),
    });
    world.catalog = Arc::new(catalog);
    world.calendars = CalendarView::new(&world.catalog, &fixture::now());
    let share = |share| Arguments { percent: Percent::new(share), ..Arguments::default() };
    let with = plan(&world, "ana", Arguments { train: Some("express".to_owned()), ..share(50) }, "1");
    waits(&mut world, &with, agreed_by);
    let alone = plan(&world, "cy", Arguments { at: Some(departs + TimeDelta::minutes(20)), ..share(80) }, "2");
    waits(&mut world, &alone, &[]);
    let past = |taken_back: &str, minutes: i64| PastChange {
        plan: crate::model::name::PlanId([0x5a; 32]),
        verb: Verb::Shift,
        target: fixture::checkout(),
        percent: Percent::new(20),
        requester: "dee".to_owned(),
        change: ChangeType::Normal,
        made: fixture::at("12:00:00"),
        begins: None,
        expires: fixture::at("13:30:00"),
        train: None,
        taken_back: Some(Text::clean(taken_back)).filter(|_| !taken_back.is_empty()),
        carried_out: false,
        at: fixture::at("13:30:00") - TimeDelta::minutes(minutes),
    };
    world.past = Arc::new(vec![past("", 0), past("withdrawn by dee", 40)]);
    world.diary = Arc::new(diary::write(&world, &fixture::now()));
    world
}

#[test]
fn scheduled_changes_as_they_look() {
    for (name, who, agreed_by) in [("agreed", "ana", &["cy"][..]), ("asked", "dee", &[])] {
        let world = booked(who, agreed_by);
        for size in [(80, 24), (120, 40), (200, 60)] {
            let text = render::text(&world, &fixture::now(), Screen::Changes, None, size, &Theme::ascii());
            assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(size.0)));
            insta::assert_snapshot!(format!("scheduled-{name}-{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn a_change_for_a_time_to_come_asks_nothing_of_anybody_once_it_is_agreed_to() {
    let mut desk = room(booked("ana", &["cy"]), (120, 40));
    assert!(!desk.text().contains("may go: execute"), "{}", desk.text());
    desk.press("6").sees("waits for its time");
    desk.sees("conflict");
    desk.sees("begins with express 15:30");
    // The one at the top asks for ana's agreement; her own is the next.
    desk.press("<down>").press("e").sees("waits for its time; nothing else stands in its way");
    desk.press("<ret>").sees("nothing was sent");
    assert!(desk.acts.iter().all(|act| !matches!(act, Act::Execute(_) | Act::Refuse(..))));
}

#[test]
fn while_changed_rules_wait_who_leaves_is_decided_by_old_and_new() {
    let manifest = |old: u32, new: u32, agreed_by: &[&str]| {
        let mut world = booked("ana", agreed_by);
        let with = |approvals: u32| {
            let mut catalog = (*world.catalog).clone();
            for environment in &mut catalog.environments {
                environment.protection.approvals = approvals;
            }
            for service in catalog.services.values_mut() {
                service.deploy.values_mut().for_each(|deploy| deploy.protection = None);
            }
            catalog
        };
        let (accepted, present) = (RuleSet::of(&with(old)), with(new));
        world.rules.standing.accepted = Some(accepted.digest());
        world.rules.standing.current = RuleSet::of(&present).digest();
        world.rules.standing.older = Some(Arc::new(accepted)).filter(|_| old != new);
        world.catalog = Arc::new(present);
        world.compare_rules(&fixture::now());
        let train = diary::write(&world, &fixture::now()).trains.remove(0);
        let lacks = train.manifest.missed.iter().filter(|(service, _)| service.as_str() == "checkout");
        let lacks: Vec<String> = lacks.flat_map(|(_, reasons)| reasons).map(|reason| reason.rule.clone()).collect();
        (train.manifest.aboard.iter().any(|service| service.as_str() == "checkout"), lacks.join(" "))
    };
    assert_eq!(manifest(0, 0, &[]), (true, String::new()));
    // Made laxer or stricter: what either asks for is lacking.
    assert_eq!(manifest(1, 0, &[]), (false, "approvals".to_owned()));
    assert_eq!(manifest(0, 1, &[]), (false, "approvals".to_owned()));
    assert_eq!(manifest(1, 0, &["cy"]), (true, String::new()));
}
