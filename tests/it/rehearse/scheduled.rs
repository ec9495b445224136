//! Changes for a time to come: they outlive the process, begin in their booking alone, and leave with their train if they were ready.

use chrono::{DateTime, TimeDelta, Utc};
use gonogo::control::gate::{self, AtBegin};
use gonogo::model::approval::{Decision, Ruling};
use gonogo::model::catalog::OnConflict;
use gonogo::model::timetable::{Freeze, Running, Scope, Span, Stamp, Times, Train, WayBack, Window};
use gonogo::ports::ledger::{AtCommit, LedgerError};

use super::*;

/// A stage with other rules.
fn stage(seed: u64, change: impl Fn(&mut Catalog)) -> Stage {
    let mut stage = Stage::small(seed);
    let mut catalog = Catalog::clone(&stage.catalog);
    change(&mut catalog);
    stage.catalog = Arc::new(catalog);
    stage
}

fn one_must_agree(catalog: &mut Catalog) {
    for service in catalog.services.values_mut() {
        service.deploy.values_mut().for_each(|deploy| deploy.protection = None);
    }
    catalog.environments.iter_mut().for_each(|environment| environment.protection.approvals = 1);
}

fn opened(stage: &Stage) -> DateTime<Utc> {
    stage.clock.now().wall
}

fn once(begin: DateTime<Utc>, end: DateTime<Utc>) -> Times {
    Times::Once { begin: Stamp::Utc(begin), end: Stamp::Utc(end) }
}

fn freeze(begin: DateTime<Utc>, end: DateTime<Utc>) -> Freeze {
    Freeze {
        name: "sale".to_owned(),
        scope: Scope::default(),
        timezone: "UTC".to_owned(),
        times: once(begin, end),
        reason: "the autumn sale".to_owned(),
        way_back: WayBack::Exempt,
        running: Running::Finish,
    }
}

async fn ready(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    room
}

fn at(minutes: i64, room: &Room) -> Arguments {
    Arguments { percent: Percent::new(20), at: Some(room.now().wall + TimeDelta::minutes(minutes)), ..Arguments::default() }
}

fn with(train: &str) -> Arguments {
    Arguments { percent: Percent::new(20), train: Some(train.to_owned()), ..Arguments::default() }
}

/// Carries a stored plan out, as `execute` does.
async fn execute(room: &mut Room, id: PlanId) -> PlanId {
    let plan = room.store.plan(&id.to_string()).await.unwrap();
    let plan = planner::recheck(room.world(), &plan, &room.now());
    room.confirm(plan)
}

async fn agrees(room: &Room, id: PlanId, who: &str) {
    let plan = room.store.plan(&id.to_string()).await.unwrap();
    let ruling = Ruling::about(&plan, Decision::Approve, who, Text::empty()).unwrap();
    room.store.rule(&ruling, None, &|_: &Plan, _: &AtCommit| Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_scheduled_plan_outlives_the_process_and_is_carried_out_in_its_booking_alone() {
    let stage = Stage::small(61);
    let mut room = ready(&stage).await;
    let (first, second) = (at(10, &room), at(30, &room));
    let begin = first.at.unwrap();
    let plan = room.plan_with(prod(), Verb::Shift, first);
    assert_eq!(plan.booking(), Some(Span { begin, end: begin + TimeDelta::hours(1) }));
    let id = room.confirm(plan);
    room.reach(id, DeedState::Scheduled).await;
    let late = room.plan_with(prod(), Verb::Shift, second);
    let late = room.confirm(late);
    room.reach(late, DeedState::Scheduled).await;
    assert!(room.kinds(id).await.is_empty() && stage.weights() == weights(&[("a1", 100), ("b1", 0)]), "{}", room.story());
    drop(room);

    let mut room = ready(&stage).await;
    assert_eq!(room.world().diary.booked.iter().map(|(_, plan)| *plan).collect::<Vec<_>>(), [id, late]);
    assert_eq!(room.world().diary.clashes.len(), 1, "both change one target, and their bookings meet");
    execute(&mut room, id).await;
    room.reach(id, DeedState::Denied).await;
    assert_eq!(room.rules(id), ["too-early"]);
    assert_eq!((room.kinds(id).await, stage.weights()), (vec!["denied"], weights(&[("a1", 100), ("b1", 0)])));

    // Nothing begins by itself, and at its time it is judged like any other.
    room.seconds(600).await;
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
    execute(&mut room, id).await;
    room.reach(id, DeedState::Effective).await;
    assert_ne!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));

    // A booking that nobody used has ended, and is told of.
    room.seconds(90 * 60).await;
    assert!(matches!(room.store.plan(&late.to_string()).await, Err(LedgerError::Expired(_))));
    let past = room.store.past().await.unwrap();
    let of = |plan: PlanId| past.iter().find(|change| change.plan == plan).unwrap();
    assert!(!of(late).carried_out && of(late).taken_back.is_none() && of(id).carried_out);
    assert!(room.store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_freeze_at_that_time_refuses_it_by_name_and_says_when_it_is_free() {
    let begin = opened(&Stage::small(62));
    let (from, until) = (begin + TimeDelta::minutes(30), begin + TimeDelta::minutes(90));
    let stage = stage(62, |catalog| catalog.timetable.freezes.push(freeze(from, until)));
    let mut room = ready(&stage).await;
    let args = at(40, &room);
    let plan = room.plan_with(prod(), Verb::Shift, args);
    let id = room.confirm(plan);
    room.reach(id, DeedState::Denied).await;
    let reason = room.deed(id).reasons.remove(0);
    assert_eq!(reason.rule, "freeze");
    assert!(reason.text.as_str().contains("sale"), "{reason:?}");
    let free = until.format("the next free time: %Y-%m-%d %H:%MZ to ").to_string();
    assert!(reason.fix.as_str().contains(&free), "{reason:?} wants {free}");
    assert!(room.world().waiting.is_empty());
    // Before it and after it there is time.
    for minutes in [5, 91] {
        let args = at(minutes, &room);
        let plan = room.plan_with(prod(), Verb::Shift, args);
        let id = room.confirm(plan);
        room.reach(id, DeedState::Scheduled).await;
    }
}

#[tokio::test]
async fn what_is_refused_when_scheduled_is_the_later_one_also_inside_the_transaction() {
    let stage = stage(63, |catalog| {
        catalog.environments.iter_mut().for_each(|environment| environment.scheduling.conflicts = OnConflict::Refuse);
    });
    let mut room = ready(&stage).await;
    let (args, other) = (at(10, &room), at(20, &room));
    let plan = room.plan_with(prod(), Verb::Shift, args);
    let first = room.confirm(plan.clone());
    room.reach(first, DeedState::Scheduled).await;
    room.seconds(2).await;
    let later = room.plan_with(prod(), Verb::Shift, other);
    assert!(later.evidence.iter().any(|one| one.warns && one.text.as_str().contains(&first.short())), "{:?}", later.evidence);
    let second = room.confirm(later.clone());
    room.reach(second, DeedState::Denied).await;
    let reason = room.deed(second).reasons.remove(0);
    assert_eq!(reason.rule, "conflict");
    assert!([first, second].iter().all(|plan| reason.text.as_str().contains(&plan.short())), "{reason:?}");
    // What the room does not know counts inside the transaction.
    let begin = later.order.begin().unwrap();
    let found = |waiting: Vec<Plan>| AtCommit {
        state: room.world().target(&prod()).unwrap().state.clone(),
        at: begin,
        approvals: Vec::new(),
        waiting,
        grants: Vec::new(),
        owed: Vec::new(),
        is_own_key: false,
        rules: gonogo::model::rules::RuleStanding::default(),
    };
    let judged = |plan: &Plan, waiting: Vec<Plan>| {
        let spans = room.world().calendars.spans.clone();
        let by = AtBegin { catalog: &stage.catalog, spans: &spans, asked: &room.now(), read_only: false, older: None };
        gate::judge_at_commit(&by, plan, &found(waiting)).word()
    };
    assert_eq!(judged(&later, Vec::new()), "permit");
    assert_eq!(judged(&later, vec![plan.clone(), later.clone()]), "deny");
    assert_eq!(judged(&plan, vec![plan.clone(), later]), "permit", "the one that was booked first may go");
}

/// A stage whose express leaves in half an hour with a cut-off ten minutes before, and a minute later again the next day.
fn with_a_train(seed: u64) -> (Stage, DateTime<Utc>) {
    let now = opened(&Stage::small(seed));
    let departs = DateTime::from_timestamp(now.timestamp() / 60 * 60, 0).unwrap() + TimeDelta::minutes(30);
    let stage = stage(seed, |catalog| {
        one_must_agree(catalog);
        catalog.timetable.windows.push(Window {
            name: "evening".to_owned(),
            scope: Scope { environments: vec!["prod".parse().unwrap()], ..Scope::default() },
            timezone: "UTC".to_owned(),
            times: once(departs, departs + TimeDelta::minutes(40)),
        });
        catalog.timetable.trains.push(Train {
            name: "express".to_owned(),
            environment: "prod".parse().unwrap(),
            services: vec!["shop".parse().unwrap()],
            window: "evening".to_owned(),
            departs: None,
            cut_off: Duration::from_mins(10),
        });
    });
    (stage, departs)
}

async fn booked(room: &mut Room) -> PlanId {
    let plan = room.plan_with(prod(), Verb::Shift, with("express"));
    let id = room.confirm(plan);
    room.reach(id, DeedState::Waiting).await;
    room.seconds(2).await;
    id
}

#[tokio::test]
async fn who_was_agreed_to_by_the_cut_off_leaves_with_the_train_in_its_window() {
    let (stage, departs) = with_a_train(64);
    let mut room = ready(&stage).await;
    let id = booked(&mut room).await;
    let waits = &room.world().waiting[0].plan;
    assert_eq!(
        waits.booking(),
        Some(Span { begin: departs, end: departs + TimeDelta::minutes(40) }),
        "the window shuts before the hour is over"
    );
    agrees(&room, id, "bo").await;
    room.seconds(10).await;
    assert_eq!(room.world().diary.trains[0].manifest.aboard, ["shop".parse().unwrap()]);
    room.seconds(30 * 60).await;
    let line = format!("plan {} leaves with express", id.short());
    assert!(room.lines(HappeningKind::Deed).iter().any(|text| text.starts_with(&line)), "{:?}", room.lines(HappeningKind::Deed));
    execute(&mut room, id).await;
    room.reach(id, DeedState::Effective).await;
    room.seconds(10).await;
    let train = &room.world().diary.trains[0];
    assert!(train.departed && train.manifest.aboard == ["shop".parse().unwrap()], "{train:?}");
}

#[tokio::test]
async fn who_was_agreed_to_after_the_cut_off_missed_the_train_and_is_told_so_once() {
    let (stage, departs) = with_a_train(65);
    let mut room = ready(&stage).await;
    let id = booked(&mut room).await;
    room.seconds(23 * 60).await;
    agrees(&room, id, "bo").await;
    room.seconds(10).await;
    let (service, reasons) = room.world().diary.trains[0].manifest.missed[0].clone();
    assert_eq!(service.as_str(), "shop");
    assert!(reasons[0].text.as_str().contains("after the cut-off of express"), "{reasons:?}");
    room.seconds(8 * 60).await;
    let told = |room: &Room| -> Vec<(DateTime<Utc>, String)> {
        let missed = room.world().timeline.iter().filter(|line| line.text.as_str().contains("missed express"));
        missed.map(|line| (line.at, line.text.to_string())).collect()
    };
    let lines = told(&room);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].0 == departs && lines[0].1.contains(&id.short()) && lines[0].1.contains("after the cut-off"), "{lines:?}");
    execute(&mut room, id).await;
    room.reach(id, DeedState::Denied).await;
    assert_eq!(room.rules(id), ["train"]);
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
    drop(room);
    // Another process reads it in the journal and does not tell it again.
    let room = ready(&stage).await;
    assert_eq!(told(&room), lines);
}

#[tokio::test]
async fn a_withdrawn_plan_leaves_the_booking_free_and_misses_its_train() {
    let (stage, _) = with_a_train(66);
    let mut room = ready(&stage).await;
    let id = booked(&mut room).await;
    let plan = room.store.plan(&id.to_string()).await.unwrap();
    let ruling = Ruling::about(&plan, Decision::Withdraw, "ana", Text::empty()).unwrap();
    room.store.rule(&ruling, None, &|_: &Plan, _: &AtCommit| Vec::new()).await.unwrap();
    room.seconds(10).await;
    assert!(room.world().diary.booked.is_empty());
    let (_, reasons) = &room.world().diary.trains[0].manifest.missed[0];
    assert_eq!(reasons[0].text.as_str(), format!("plan {} was withdrawn by ana", id.short()));
    assert_eq!(room.world().past[0].taken_back.as_ref().unwrap().as_str(), "withdrawn by ana");
}

#[tokio::test]
async fn only_what_goes_forward_can_be_scheduled_and_only_for_a_time_to_come() {
    let stage = Stage::small(67);
    let mut room = ready(&stage).await;
    let refused = |room: &Room, verb: Verb, args: Arguments| {
        let intent = Intent { verb, target: prod(), args, requester: room.world().actor.clone(), reason: Text::empty() };
        planner::plan(room.world(), intent, &room.now(), "1").unwrap_err().to_string()
    };
    let later = at(10, &room);
    for verb in [Verb::Hold, Verb::Abort, Verb::Rollback] {
        assert!(refused(&room, verb, later.clone()).contains("is no forward change"), "{verb:?}");
    }
    let down = Arguments { percent: Percent::new(0), ..later.clone() };
    assert!(refused(&room, Verb::Shift, down).contains("is no forward change"));
    assert!(refused(&room, Verb::Shift, at(-1, &room)).contains("has passed"));
    assert!(refused(&room, Verb::Shift, at(91 * 24 * 60, &room)).contains("more than 90 days ahead"));
    let glass = Arguments { break_glass: Some(Duration::from_mins(15)), ..later };
    assert!(refused(&room, Verb::Shift, glass).contains("never scheduled"));
    assert!(refused(&room, Verb::Shift, with("expres")).contains("there is no train `expres`"));
    room.seconds(1).await;
}
