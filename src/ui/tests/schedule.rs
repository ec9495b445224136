//! Tests of the key that schedules a plan: what may be typed and chosen, what is planned then, and where it does not work.

use std::sync::Arc;

use chrono::TimeDelta;

use super::changes::{room, shop, waits};
use super::scheduled::{booked, plan};
use super::*;
use crate::control::calendar::CalendarView;
use crate::model::intent::Arguments;
use crate::model::share::Percent;
use crate::model::timetable::{Freeze, Running, Scope, Stamp, Times, WayBack};

/// Opens the plan of a shift to 50 % and its input of a time.
fn asked(world: World, size: (u16, u16)) -> Desk {
    let mut desk = room(world, size);
    desk.press("s 5 0 <ret>").sees("Ctrl-T schedule");
    desk.press("o k C-t").sees("when is it to be carried out");
    desk
}

fn types(desk: &mut Desk, text: &str) {
    for c in text.chars() {
        desk.press(&Chord::char(c).to_string());
    }
}

fn confirm(desk: &mut Desk) {
    desk.press("<ret>");
    types(desk, "checkout@prod");
    desk.press("<ret>");
}

/// The sale lasts from two until six.
fn frozen() -> World {
    let mut world = shop("ana", 0);
    let mut catalog = (*world.catalog).clone();
    let begin = fixture::at("14:30:00");
    catalog.timetable.freezes.push(Freeze {
        name: "sale".to_owned(),
        scope: Scope { environments: vec![fixture::name("prod")], ..Scope::default() },
        timezone: "UTC".to_owned(),
        times: Times::Once { begin: Stamp::Utc(begin), end: Stamp::Utc(begin + TimeDelta::hours(4)) },
        reason: "the autumn sale".to_owned(),
        way_back: WayBack::Exempt,
        running: Running::Finish,
    });
    world.catalog = Arc::new(catalog);
    world.calendars = CalendarView::new(&world.catalog, &fixture::now());
    world
}

#[test]
fn a_typed_time_plans_anew_and_confirming_orders_that_booking_with_the_reason_that_was_typed() {
    for (typed, begins) in [
        ("15:30", "2026-11-20T15:30:00.000Z"),
        ("14:00", "2026-11-21T14:00:00.000Z"),
        ("2026-11-30 14:00", "2026-11-30T14:00:00.000Z"),
        ("2026-11-30T14:00+02:00", "2026-11-30T12:00:00.000Z"),
    ] {
        let mut desk = asked(shop("ana", 0), (120, 40));
        types(&mut desk, typed);
        desk.press("<ret>").sees("Enter SCHEDULE shift checkout@prod");
        desk.sees("waits for its time; nothing else stands in its way");
        desk.sees("Enter schedules it; it waits on screen 6");
        desk.sees("nothing begins by itself");
        confirm(&mut desk);
        let orders = desk.executed();
        assert_eq!(orders.len(), 1);
        assert_eq!((orders[0].order.begins.as_deref(), orders[0].intent.reason.as_str()), (Some(begins), "ok"), "{typed}");
        assert_eq!(orders[0].intent.args.percent, Percent::new(50));
    }
}

#[test]
fn a_train_is_chosen_and_what_others_booked_in_its_way_is_said() {
    let mut desk = asked(booked("dee", &[]), (120, 40));
    desk.sees("train express leaves Fri 20 Nov 15:30");
    desk.press("<down> <ret>").sees("with express; nothing begins by itself");
    desk.sees("in the way: ");
    desk.sees("ASK another person");
    confirm(&mut desk);
    assert_eq!(desk.executed()[0].order.train.as_deref(), Some("express"));
    // And without it after all.
    let mut desk = asked(booked("dee", &[]), (120, 40));
    desk.press("<down> <ret> C-t n o w <ret>").sees("PLAN");
    assert!(!desk.text().contains("booked"), "{}", desk.text());
}

#[test]
fn a_frozen_time_is_denied_with_the_next_free_one_which_can_be_chosen() {
    let mut desk = asked(frozen(), (120, 40));
    types(&mut desk, "15:30");
    desk.press("<ret>").sees("DENIED");
    desk.sees("free time: 2026-11-20 18:30Z to 2027");
    desk.sees("Ctrl-T plans it for a time that is free");
    desk.press("<ret>");
    assert!(desk.executed().is_empty());
    let mut desk = asked(frozen(), (120, 40));
    types(&mut desk, "2026-11-20 18:30");
    desk.press("<ret>").sees("Enter SCHEDULE");
}

#[test]
fn what_is_no_time_says_what_is_and_the_plan_is_still_there() {
    let mut desk = asked(shop("ana", 0), (80, 24));
    desk.press("<ret>").sees("expected such as 15:30, 2026-11-30 14:00");
    types(&mut desk, "25:00");
    desk.press("<ret>").sees("`25:00` is no time");
    desk.press("C-a C-k");
    types(&mut desk, "express");
    desk.press("<ret>").sees("there is no train `express`; none is configured");
    desk.press("C-a C-k");
    types(&mut desk, "2020-01-01 10:00");
    desk.press("<ret>").sees("has passed");
    desk.press("<esc>").sees("PLAN");
    confirm(&mut desk);
    let orders = desk.executed();
    assert_eq!((orders.len(), orders[0].order.begins.as_deref(), orders[0].intent.reason.as_str()), (1, None, "ok"));
}

#[test]
fn a_way_back_and_a_plan_that_waits_say_why_they_are_not_scheduled() {
    let mut desk = room(shop("ana", 0), (120, 40));
    desk.press("s 0 <ret>");
    assert!(!desk.text().contains("Ctrl-T"), "{}", desk.text());
    desk.press("C-t").sees("never scheduled: it may be done at any time");
    let mut world = shop("ana", 1);
    let one = plan(&world, "ana", Arguments { percent: Percent::new(50), ..Arguments::default() }, "1");
    waits(&mut world, &one, &[]);
    let mut desk = room(world, (120, 40));
    desk.press("6 e C-t").sees("withdraw it on screen 6 and plan it anew for another time");
    assert!(desk.executed().is_empty());
}

#[test]
fn help_says_the_keys_of_a_plan() {
    let mut desk = room(shop("ana", 0), (120, 100));
    desk.press("?").sees("on a plan, wherever it was opened");
    desk.sees("chooses when a forward change is to be carried out: a time, or a train");
}

#[test]
fn scheduling_as_it_looks() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = asked(booked("dee", &[]), size);
        desk.press("<down>");
        insta::assert_snapshot!(format!("schedule-choose-{}x{}", size.0, size.1), desk.text());
        desk.press("<ret>");
        insta::assert_snapshot!(format!("schedule-asks-{}x{}", size.0, size.1), desk.text());
        let mut desk = asked(frozen(), size);
        types(&mut desk, "15:30");
        desk.press("<ret>");
        insta::assert_snapshot!(format!("schedule-frozen-{}x{}", size.0, size.1), desk.text());
        let mut desk = asked(shop("ana", 0), size);
        types(&mut desk, "15:30");
        desk.press("<ret>");
        insta::assert_snapshot!(format!("schedule-early-{}x{}", size.0, size.1), desk.text());
    }
}
