//! Tests of the advisory board's pack: what it gathers, that it is the same for the same input, and its page.

use std::sync::Arc;

use chrono::TimeDelta;

use super::calendar::{timetable, with};
use super::changes::{entry, room};
use super::*;
use crate::control::pack::{Pack, pack};
use crate::model::deed::EntryKind;
use crate::model::name::PlanId;
use crate::model::review::{Cause, Review};
use crate::model::rollout::WayBack;
use crate::model::text::Text;
use crate::model::timetable::Span;
use crate::ports::ledger::EntryRow;

fn period() -> Span {
    Span { begin: fixture::at("00:00:00"), end: fixture::at("00:00:00") + TimeDelta::days(14) }
}

fn at_plan(row: EntryRow, plan: u8) -> EntryRow {
    EntryRow { deed: Some(PlanId([plan; 32])), ..row }
}

/// Deeds of checkout: one that slipped and was taken back, and one that held; and one of search that failed.
fn entries() -> Vec<EntryRow> {
    let mut all = vec![
        at_plan(entry(0, EntryKind::Approval, "cy", "approve by cy: go"), 1),
        at_plan(entry(1, EntryKind::Intent, "ana", ""), 1),
        at_plan(entry(2, EntryKind::Effective, "ana", "measured 20 %"), 1),
        at_plan(entry(3, EntryKind::Slipped, "ana", "errors 3 %"), 1),
        at_plan(entry(4, EntryKind::Intent, "bo", ""), 2),
        at_plan(entry(5, EntryKind::Held, "bo", "5m"), 2),
        at_plan(entry(6, EntryKind::Intent, "cy", ""), 3),
        at_plan(entry(7, EntryKind::Failed, "cy", "refused"), 3),
    ];
    for row in &mut all[4..6] {
        row.verb = Some("rollback".to_owned());
    }
    for row in &mut all[6..] {
        row.target = Some("search@prod".to_owned());
    }
    all
}

fn review(hours_due: i64) -> Review {
    Review {
        plan: PlanId([9; 32]),
        target: fixture::checkout(),
        verb: Verb::Shift,
        by: "ana".to_owned(),
        reason: Text::clean("payments are down"),
        cause: Cause::Emergency,
        at: fixture::at("02:00:00"),
        within: std::time::Duration::from_hours(72),
        due: Some(fixture::now().wall + TimeDelta::hours(hours_due)),
        closed: None,
        trouble: None,
    }
}

pub(super) fn shop() -> World {
    let mut world = with(timetable(), "UTC");
    let view = Arc::make_mut(world.targets.get_mut(&fixture::checkout()).unwrap());
    view.state.way_back = Some(WayBack { at: fixture::now().wall - TimeDelta::days(9), deed: PlanId([2; 32]) });
    world.reviews = Arc::new(vec![review(-2)]);
    world.ledger.entries = Arc::new(entries());
    world
}

fn gathered(world: &World) -> Pack {
    pack(world, &entries(), period(), &fixture::now())
}

#[test]
fn a_change_is_told_with_its_risk_in_parts_its_way_back_and_what_went_wrong_lately() {
    let pack = gathered(&shop());
    let [one] = &pack.coming[..] else { panic!("{:?}", pack.coming) };
    assert_eq!((one.target.to_string().as_str(), one.requester.as_str(), one.reason.as_str()), ("checkout@prod", "ana", "all green at 20"));
    assert_eq!(one.proven, Some(fixture::now().wall - TimeDelta::days(9)));
    let how: Vec<&str> = one.failures.iter().map(|failure| failure.how.as_str()).collect();
    assert_eq!(how, ["taken back by rollback", "shift slipped"]);
    let points: Vec<(&str, u32)> = one.risk.parts.iter().map(|part| (part.name, part.points)).collect();
    // From 20 to 50 per cent; the way back 9 days ago; two failures.
    assert!(points.starts_with(&[("share moved", 8), ("undo", 0), ("way back", 8)]), "{points:?}");
    assert!(points.contains(&("last failures", 10)), "{points:?}");
    assert_eq!(one.given.len(), 1);
    assert!(!one.asked.is_empty() && one.evidence.is_some());
    let mut never = shop();
    Arc::make_mut(never.targets.get_mut(&fixture::checkout()).unwrap()).state.way_back = None;
    let pack = gathered(&never);
    assert_eq!((pack.coming[0].proven, pack.coming[0].risk.parts[2].points), (None, 20));
}

#[test]
fn what_was_carried_out_broken_and_owed_is_told() {
    let told = gathered(&shop());
    let done: Vec<(&str, EntryKind, &[String])> =
        told.done.iter().map(|one| (one.target.as_str(), one.outcome, one.agreed.as_slice())).collect();
    assert_eq!(done[0], ("checkout@prod", EntryKind::Slipped, ["cy".to_owned()].as_slice()));
    assert_eq!(done[1..].iter().map(|one| one.1).collect::<Vec<_>>(), [EntryKind::Held, EntryKind::Failed]);
    assert_eq!((told.glass.len(), told.overdue.len()), (1, 1));
    assert_eq!(told.freezes.iter().filter(|freeze| freeze.name == "black-week").count(), 1);
    let past = Span { begin: period().begin - TimeDelta::days(9), end: period().begin - TimeDelta::days(8) };
    let other = pack(&shop(), &entries(), past, &fixture::now());
    assert_eq!((other.coming.len(), other.done.len(), other.glass.len(), other.overdue.len()), (0, 0, 0, 1));
}

#[test]
fn a_freeze_at_its_time_is_a_conflict_and_a_part_of_the_risk() {
    let mut world = shop();
    let now = Moment { wall: "2026-11-28T10:00:00Z".parse().unwrap(), ..fixture::now() };
    let waiting = Arc::make_mut(&mut world.waiting);
    waiting[0].plan.expires = "2026-11-28T12:00:00Z".parse().unwrap();
    let pack = pack(&world, &[], period(), &now);
    let one = &pack.coming[0];
    assert!(one.conflicts.iter().any(|text| text.starts_with("freeze: checkout@prod is frozen by black-week")), "{:?}", one.conflicts);
    assert_eq!(one.risk.parts.last().map(|part| part.points), Some(5));
}

#[test]
fn the_page_is_the_same_pack_and_tells_the_command() {
    assert_eq!(gathered(&shop()), gathered(&shop()));
    let mut desk = room(shop(), (120, 40));
    desk.press("6 b").sees("Changes of shop");
    desk.sees("gonogo changes pack --from 2026-11-20T00:00:00");
    insta::assert_snapshot!("pack-120x40", desk.text());
    desk.press("<pagedown>");
    insta::assert_snapshot!("pack-120x40-more", desk.text());
    desk.press("<esc>").sees("plans that wait");
}
