//! Promises of TRUST.md about one process, each under the fault that would break it.

use std::sync::Arc;

use gonogo::adapters::simulated::Injection;
use gonogo::control::event::Event;
use gonogo::control::gate::AtBegin;
use gonogo::model::deed::{DeedState, EntryKind};
use gonogo::model::intent::Verb;
use gonogo::model::name::PlanId;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::ledger::{JudgeAgain, Ledger as _, LedgerError};

use super::tap::Refuse;
use super::{Room, Stage, backend, prod, weights};

async fn ready(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    room
}

fn place(room: &Room, of: &str) -> usize {
    room.tap.order().iter().position(|line| line == of).unwrap_or_else(|| panic!("{of} in {:?}", room.tap.order()))
}

#[tokio::test]
async fn p1_a_start_whose_answer_was_lost_is_found_by_its_key_and_not_sent_again() {
    let stage = Stage::small(21);
    let mut room = ready(&stage).await;
    stage.inject("ci", Injection::DropAnswerOfNextWrite);
    let start = room.order_until(Verb::Start, DeedState::Effective).await;
    assert_eq!(room.kinds(start).await, ["intent", "sending", "unknown", "accepted", "effective"]);
    room.seconds(60).await;
    assert_eq!(stage.with_key(start, 0), 1);
    assert!(room.tap.sent().values().all(|times| *times == 1));
}

#[tokio::test]
async fn p1_a_start_that_was_lost_stays_unknown_for_a_person_and_is_not_sent_again() {
    let stage = Stage::small(22);
    let mut room = ready(&stage).await;
    stage.inject("ci", Injection::LoseNextWrite);
    let start = room.order(Verb::Start);
    room.seconds(90).await;
    let deed = room.deed(start);
    assert_eq!((deed.state, deed.is_settled), (DeedState::Unknown, true));
    assert_eq!(room.kinds(start).await, ["intent", "sending", "unknown", "unknown"]);
    assert!(deed.words.as_str().contains("it is not sent again"), "{}", deed.words);
    assert_eq!((stage.with_key(start, 0), room.tap.sent().len()), (0, 1));
    assert!(
        room.lines(HappeningKind::Alarm).iter().any(|line| line.starts_with("start UNKNOWN")),
        "{:?}",
        room.lines(HappeningKind::Alarm)
    );
}

#[tokio::test]
async fn p1_a_retry_whose_answer_was_lost_is_found_and_not_sent_again() {
    let stage = Stage::small(23);
    let mut room = ready(&stage).await;
    stage.inject("ci", Injection::DropAnswerOfNextWrite);
    let retry = room.order_until(Verb::Retry, DeedState::Effective).await;
    room.seconds(60).await;
    let gonogo::model::plan::StepEffect::Retry { run, .. } = room.deed(retry).steps[0].effect.clone() else { panic!("no retry") };
    assert_eq!((stage.repetitions(run), room.count(retry, EntryKind::Sending).await), (1, 1));
}

#[tokio::test]
async fn p1_a_shift_whose_answer_was_lost_is_settled_by_a_later_reading() {
    let stage = Stage::small(24);
    let mut room = ready(&stage).await;
    stage.inject("edge", Injection::DropAnswerOfNextWrite);
    let shift = room.shift_until(20, DeedState::Held).await;
    assert_eq!(room.kinds(shift).await, ["intent", "sending", "unknown", "accepted", "effective", "held"]);
    let foreign: Vec<_> = room.lines(HappeningKind::Change).into_iter().filter(|line| line.contains("another hand")).collect();
    assert!(foreign.is_empty(), "our own effect is no other hand's: {foreign:?}");
}

#[tokio::test]
async fn p1_a_shift_that_was_lost_is_said_not_to_have_begun_and_may_be_ordered_again() {
    let stage = Stage::small(25);
    let mut room = ready(&stage).await;
    stage.inject("edge", Injection::LoseNextWrite);
    let shift = room.shift_until(20, DeedState::Failed).await;
    assert_eq!(room.kinds(shift).await, ["intent", "sending", "unknown", "not-begun"]);
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
    room.shift_until(20, DeedState::Effective).await;
}

#[tokio::test]
async fn p1_a_shift_that_broke_off_half_way_stays_unknown_and_the_way_back_is_open() {
    let stage = Stage::small(26);
    let mut room = ready(&stage).await;
    stage.inject("edge", Injection::BreakNextWriteHalfWay);
    let shift = room.shift_until(20, DeedState::Unknown).await;
    room.until("settled", 60, |world| world.deeds.get(&shift).unwrap().is_settled).await;
    assert_eq!(room.kinds(shift).await, ["intent", "sending", "unknown", "unknown"]);
    room.shift_until(0, DeedState::Held).await;
    assert_eq!(room.state(shift), DeedState::Unknown);
    assert!(room.store.open_deeds().await.unwrap().is_empty(), "the later deed settled it");
}

#[tokio::test]
async fn p2_the_intent_and_the_sending_are_durable_before_the_first_byte_leaves() {
    let stage = Stage::small(27);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Held).await;
    let at = [format!("begin {shift}"), format!("sending {shift}-0"), format!("send {shift}-0"), format!("record accepted {shift}")];
    let mut places = Vec::new();
    for of in &at {
        places.push(place(&room, of));
    }
    assert!(places.is_sorted(), "{:?}", room.tap.order());
}

#[tokio::test]
async fn p2_nothing_reaches_a_backend_when_the_ledger_refuses_the_intent_or_the_sending() {
    for (refuse, state) in
        [(Refuse::Begin, DeedState::Denied), (Refuse::Sending, DeedState::Failed), (Refuse::Everything, DeedState::Denied)]
    {
        let stage = Stage::small(28);
        let mut room = ready(&stage).await;
        room.tap.refuse(refuse);
        let shift = room.shift(20);
        room.seconds(5).await;
        assert_eq!((room.state(shift), room.rules(shift)), (state, vec!["record".to_owned()]), "{refuse:?}");
        assert!(room.tap.sent().is_empty(), "{refuse:?}");
        assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]), "{refuse:?}");
        room.tap.refuse(Refuse::Nothing);
        room.seconds(15).await;
        room.shift_until(20, DeedState::Effective).await;
    }
}

#[tokio::test]
async fn p26_an_outcome_that_could_not_be_written_is_written_when_the_record_is_back() {
    let stage = Stage::small(29);
    let mut room = ready(&stage).await;
    room.tap.refuse(Refuse::Record);
    let shift = room.shift(20);
    room.seconds(8).await;
    let deed = room.deed(shift);
    assert_eq!(deed.facts.effective, None, "not said before it is written");
    assert!(deed.words.as_str().contains("disk full"), "{}", deed.words);
    room.tap.refuse(Refuse::Nothing);
    room.reach(shift, DeedState::Held).await;
    assert_eq!(room.kinds(shift).await, ["intent", "sending", "accepted", "effective", "held"]);
    assert_eq!(room.tap.sent().values().sum::<u32>(), 1);
    room.shift_until(0, DeedState::Effective).await;
}

#[tokio::test]
async fn p26_a_store_that_could_not_be_read_for_a_moment_refuses_deeds_only_so_long() {
    let stage = Stage::small(46);
    let mut room = ready(&stage).await;
    room.tap.refuse(Refuse::Reads);
    room.seconds(3).await;
    let shift = room.shift(20);
    room.seconds(3).await;
    assert_eq!((room.state(shift), room.rules(shift)), (DeedState::Denied, vec!["record".to_owned()]));
    assert!(room.world().freshness(&backend("edge"), &room.now()).is_fresh(), "the room still shows");
    room.tap.refuse(Refuse::Nothing);
    room.seconds(3).await;
    assert_eq!(room.world().ledger.trouble, None);
    room.shift_until(20, DeedState::Effective).await;
}

/// A judge that says yes to everything, as the room's own does to a plan that it has permitted.
fn yes(plan: PlanId) -> impl Fn(&gonogo::ports::ledger::AtCommit) -> gonogo::model::verdict::Verdict + Send + Sync {
    move |_| gonogo::model::verdict::Verdict::Permit(gonogo::model::deed::Permit::grant(plan))
}

#[tokio::test]
async fn p3_a_second_sending_of_a_key_is_refused_by_the_store() {
    let stage = Stage::small(30);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    let judge = yes(plan.id);
    let judge: JudgeAgain<'_> = &judge;
    let begun = room.store.begin(&plan, judge).await.unwrap();
    room.store.sending(&begun, 0).await.unwrap();
    assert_eq!(room.store.sending(&begun, 0).await, Err(LedgerError::AlreadySent(0)));
    assert!(matches!(room.store.begin(&plan, judge).await, Err(LedgerError::Spent(_))));
}

#[tokio::test]
async fn p3_a_key_pressed_twice_begins_one_deed() {
    let stage = Stage::small(31);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    let shift = room.confirm(plan.clone());
    room.confirm(plan.clone());
    room.reach(shift, DeedState::Effective).await;
    room.confirm(plan);
    room.seconds(5).await;
    assert_eq!(
        (room.count(shift, EntryKind::Intent).await, room.tap.sent()[&gonogo::model::deed::EffectKey { plan: shift, step: 0 }]),
        (1, 1)
    );
}

#[tokio::test]
async fn p4_a_refused_effect_is_not_repeated() {
    let stage = Stage::small(32);
    let mut room = ready(&stage).await;
    stage.inject("edge", Injection::RefuseNextWrite);
    let shift = room.shift_until(20, DeedState::Failed).await;
    room.seconds(60).await;
    assert_eq!(room.kinds(shift).await, ["intent", "sending", "failed"]);
    assert_eq!(room.tap.sent().values().sum::<u32>(), 1);
    assert_eq!(stage.weights(), weights(&[("a1", 100), ("b1", 0)]));
    room.shift_until(20, DeedState::Effective).await;
}

#[tokio::test]
async fn p5_accepted_is_not_effective_while_the_weights_do_not_read_back() {
    let stage = Stage::small(33);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Accepted).await;
    stage.by_hand(&[("a1", 100), ("b1", 0)]);
    room.seconds(8).await;
    assert_eq!(room.state(shift), DeedState::Accepted);
    room.reach(shift, DeedState::Failed).await;
    let deed = room.deed(shift);
    assert_eq!((deed.facts.effective, room.count(shift, EntryKind::Effective).await), (None, 0));
    assert!(deed.words.as_str().contains("accepted, but not effective within 10 s"), "{}", deed.words);
}

#[tokio::test]
async fn p5_accepted_is_not_effective_without_traffic_either_while_the_weights_do_not_read_back() {
    let stage = Stage::new(&super::SMALL.replace("requests = 60.0", "requests = 0.01"), 48);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Accepted).await;
    stage.by_hand(&[("a1", 100), ("b1", 0)]);
    room.reach(shift, DeedState::Failed).await;
    assert_eq!(room.count(shift, EntryKind::Effective).await, 0);
}

#[tokio::test]
async fn p5_accepted_is_not_effective_while_the_router_cannot_be_read() {
    let fault = "[[fault]]\nbackend = \"edge\"\nfrom = \"13s\"\nto = \"60s\"\nkind = \"refused\"\n";
    let stage = Stage::small_with(fault, 34);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Accepted).await;
    assert!(room.clock.elapsed().as_secs() < 13, "the router is there when it accepts");
    room.seconds(9).await;
    // It may have been read in time; then it says so by a reading later than the sending.
    let deed = room.deed(shift);
    if let Some(effective) = deed.facts.effective {
        assert!(effective > deed.facts.sent.unwrap());
    }
    room.seconds(70).await;
    assert!(matches!(room.state(shift), DeedState::Failed | DeedState::Unwatched), "{}", room.story());
}

#[tokio::test]
async fn p6_a_slip_within_the_hold_time_is_an_alarm_with_the_deeds_name() {
    let stage = Stage::small(35);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Effective).await;
    room.seconds(8).await;
    stage.by_hand(&[("a1", 50), ("b1", 50)]);
    room.reach(shift, DeedState::Slipped).await;
    assert_eq!(room.kinds(shift).await, ["intent", "sending", "accepted", "effective", "slipped"]);
    let alarms = room.lines(HappeningKind::Alarm);
    assert!(alarms.iter().any(|line| line.starts_with("shift SLIPPED")), "{alarms:?}");
    room.seconds(40).await;
    assert_eq!((room.state(shift), room.deed(shift).facts.held), (DeedState::Slipped, None));
}

#[tokio::test]
async fn p6_a_reload_of_the_router_within_the_hold_time_is_a_slip() {
    let stage = Stage::small(36);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Effective).await;
    stage.world.reload_router();
    room.reach(shift, DeedState::Slipped).await;
    assert!(room.lines(HappeningKind::Change).iter().any(|line| line.contains("edge was reloaded")));
}

#[tokio::test]
async fn p6_a_later_deed_supersedes_the_watch_of_an_earlier_one_and_that_is_no_alarm() {
    let stage = Stage::small(37);
    let mut room = ready(&stage).await;
    let first = room.shift_until(20, DeedState::Effective).await;
    let second = room.shift_until(50, DeedState::Held).await;
    assert_eq!((room.state(first), room.state(second)), (DeedState::Superseded, DeedState::Held));
    assert_eq!(room.kinds(first).await, ["intent", "sending", "accepted", "effective", "superseded"]);
    assert!(room.lines(HappeningKind::Alarm).is_empty(), "{:?}", room.lines(HappeningKind::Alarm));
}

#[tokio::test]
async fn p7_a_hold_set_between_plan_and_begin_refuses_the_deed() {
    let stage = Stage::small(38);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    // Both wait for fresh readings; the hold is in the store first.
    room.order_until(Verb::Hold, DeedState::Effective).await;
    let shift = room.confirm(plan);
    room.seconds(2).await;
    assert_eq!((room.state(shift), room.rules(shift)), (DeedState::Denied, vec!["hold".to_owned()]));
    assert!(room.tap.sent().is_empty());
}

#[tokio::test]
async fn p7_a_hold_that_only_the_store_knows_refuses_the_deed_inside_its_transaction() {
    let stage = Stage::small(39);
    let (mut room, mut other) = (ready(&stage).await, stage.open_as("bo").await);
    other.seconds(6).await;
    let hold = other.plan(Verb::Hold);
    let case_yes = yes(hold.id);
    let plan = room.plan_shift(20);
    other.store.begin(&hold, &case_yes).await.unwrap();
    let shift = room.confirm(plan);
    room.seconds(2).await;
    assert_eq!(room.state(shift), DeedState::Denied);
    assert!(room.deed(shift).words.as_str().contains("held by bo"), "{}", room.deed(shift).words);
    assert!(room.tap.sent().is_empty());
}

#[tokio::test]
async fn p7_a_hold_may_be_set_while_a_forward_deed_is_under_way() {
    let stage = Stage::small(47);
    let mut room = ready(&stage).await;
    let shift = room.shift_until(20, DeedState::Accepted).await;
    let hold = room.order(Verb::Hold);
    room.seconds(1).await;
    assert_eq!(room.state(hold), DeedState::Effective, "{}", room.story());
    room.reach(shift, DeedState::Held).await;
    assert!(room.lines(HappeningKind::Alarm).is_empty(), "{:?}", room.lines(HappeningKind::Alarm));
}

#[tokio::test]
async fn p7_roles_that_changed_between_plan_and_begin_refuse_the_deed() {
    let stage = Stage::small(40);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    let mut catalog = (*stage.catalog).clone();
    for person in &mut catalog.people {
        person.roles.clear();
    }
    catalog.rules_digest = "other".to_owned();
    room.give(Event::Reloaded { result: Ok(Arc::new(catalog)), actor: None });
    let shift = room.confirm(plan);
    room.seconds(2).await;
    assert_eq!(room.state(shift), DeedState::Denied);
    assert_eq!(room.rules(shift), ["rules", "role"]);
    assert!(room.tap.sent().is_empty());
}

/// What the room knew when the plan was confirmed does not count inside the transaction: approvals, signatures, freezes.
#[tokio::test]
async fn p7_p10_approvals_signatures_and_freezes_are_looked_at_again_inside_the_transaction() {
    use gonogo::model::approval::Approval;
    use gonogo::model::catalog::{Assurance, Catalog};
    use gonogo::model::timetable::{Freeze, Running, Scope, Stamp, Times, WayBack};
    use gonogo::policy::calendar::{Calendars, Feeds};
    let stage = Stage::small(42);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    let now = room.now();
    let found = gonogo::ports::ledger::AtCommit {
        waiting: Vec::new(),
        state: room.world().target(&prod()).unwrap().state.clone(),
        at: now.wall,
        approvals: Vec::new(),
        owed: Vec::new(),
        grants: Vec::new(),
        is_own_key: false,
        rules: gonogo::model::rules::RuleStanding::default(),
    };
    let judged = |catalog: &Catalog, found: &gonogo::ports::ledger::AtCommit| {
        let spans = Calendars::of(catalog, &Feeds::new(), now.wall);
        let by = AtBegin { catalog, spans: &spans, asked: &now, read_only: false, older: None };
        gonogo::control::gate::judge_at_commit(&by, &plan, found)
    };
    let changed = |change: &dyn Fn(&mut Catalog)| {
        let mut catalog = Catalog::clone(&stage.catalog);
        change(&mut catalog);
        catalog
    };
    assert_eq!(judged(&stage.catalog, &found).word(), "permit");
    let guarded = changed(&|catalog| {
        for service in catalog.services.values_mut() {
            service.deploy.values_mut().for_each(|deploy| deploy.protection = None);
        }
        catalog.environments.iter_mut().for_each(|environment| environment.protection.approvals = 1);
    });
    assert_eq!(judged(&guarded, &found).word(), "second-person");
    let signing = changed(&|catalog| catalog.environments.iter_mut().for_each(|environment| environment.assurance = Assurance::T1));
    assert_eq!(judged(&signing, &found).reasons()[0].rule, "assurance");
    let approval = Approval {
        person: "nobody-with-a-role".to_owned(),
        at: now.wall,
        expires: plan.expires,
        evidence: String::new(),
        is_own_key: true,
        words: gonogo::model::text::Text::empty(),
        authors: None,
    };
    let stranger = gonogo::ports::ledger::AtCommit { approvals: vec![approval], ..found.clone() };
    assert_eq!(judged(&guarded, &stranger).word(), "second-person");
    let frozen = changed(&|catalog| {
        catalog.timetable.freezes.push(Freeze {
            name: "now".to_owned(),
            scope: Scope::default(),
            timezone: "UTC".to_owned(),
            times: Times::Once {
                begin: Stamp::Utc(now.wall - chrono::TimeDelta::hours(1)),
                end: Stamp::Utc(now.wall + chrono::TimeDelta::hours(1)),
            },
            reason: "it began meanwhile".to_owned(),
            way_back: WayBack::Exempt,
            running: Running::Hold,
        });
    });
    assert_eq!(judged(&frozen, &found).reasons()[0].rule, "freeze");
}

#[tokio::test]
async fn p7_the_judge_of_the_transaction_reads_the_store_and_not_the_room() {
    let stage = Stage::small(41);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    let found = gonogo::ports::ledger::AtCommit {
        waiting: Vec::new(),
        state: room.world().target(&prod()).unwrap().state.clone(),
        at: plan.expires,
        approvals: Vec::new(),
        owed: Vec::new(),
        grants: Vec::new(),
        is_own_key: false,
        rules: gonogo::model::rules::RuleStanding::default(),
    };
    let (spans, now) = (room.world().calendars.spans.clone(), room.now());
    let by = AtBegin { catalog: &stage.catalog, spans: &spans, asked: &now, read_only: false, older: None };
    let verdict = gonogo::control::gate::judge_at_commit(&by, &plan, &found);
    assert_eq!(verdict.reasons()[0].rule, "expired");
}

#[tokio::test]
async fn p16_weights_that_another_hand_changed_since_the_plan_refuse_it_as_changed() {
    let stage = Stage::small(42);
    let mut room = ready(&stage).await;
    let plan = room.plan_shift(20);
    stage.by_hand(&[("a1", 90), ("b1", 10)]);
    let shift = room.confirm(plan);
    room.seconds(2).await;
    assert_eq!((room.state(shift), room.rules(shift)), (DeedState::Denied, vec!["changed".to_owned()]));
    assert_eq!(stage.weights(), weights(&[("a1", 90), ("b1", 10)]));
}

#[tokio::test]
async fn p16_a_foreign_hand_right_after_our_write_is_not_overwritten() {
    let stage = Stage::small(43);
    let mut room = ready(&stage).await;
    let others = weights(&[("a1", 60), ("b1", 40)]);
    stage.inject("edge", Injection::ForeignHandAfterNextWrite(others.clone()));
    let shift = room.shift(20);
    room.seconds(50).await;
    assert_eq!((room.state(shift), stage.weights()), (DeedState::Unknown, others));
    assert_eq!(room.tap.sent().len(), 1);
}

#[tokio::test]
async fn p16_a_forward_move_from_outside_while_held_is_an_alarm_and_a_move_back_is_not() {
    let stage = Stage::small(44);
    let mut room = ready(&stage).await;
    room.shift_until(20, DeedState::Held).await;
    room.order_until(Verb::Hold, DeedState::Effective).await;
    room.seconds(6).await;
    stage.by_hand(&[("a1", 90), ("b1", 10)]);
    room.seconds(6).await;
    assert!(room.lines(HappeningKind::Alarm).is_empty(), "{:?}", room.lines(HappeningKind::Alarm));
    stage.by_hand(&[("a1", 50), ("b1", 50)]);
    room.seconds(6).await;
    let alarms = room.lines(HappeningKind::Alarm);
    assert_eq!(alarms, ["moved forward while held by ana: 10 to 50 % by another hand"], "it is told once");
    room.seconds(30).await;
    assert_eq!(room.lines(HappeningKind::Alarm).len(), 1, "and not again by later readings");
}

#[tokio::test]
async fn p28_a_dead_backend_does_not_slow_the_polls_of_the_others() {
    let fault = |kind: &str| format!("[[fault]]\nbackend = \"prom\"\nfrom = \"20s\"\nto = \"10m\"\nkind = \"{kind}\"\n");
    let mut polls = Vec::new();
    for more in [String::new(), fault("black-hole"), fault("refused")] {
        let stage = Stage::small_with(&more, 45);
        let mut room = stage.open().await;
        room.seconds(300).await;
        polls.push(["edge", "alerts", "ci"].map(|name| room.tap.polls(&backend(name))));
        assert!(room.world().freshness(&backend("edge"), &room.now()).is_fresh());
    }
    assert_eq!(polls[0], polls[1], "a black hole moves no poll of another");
    assert_eq!(polls[0], polls[2], "a refusal moves no poll of another");
}
