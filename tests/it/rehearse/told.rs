//! What the record and the glass are told of what did not go as ordered: errors by kind, denials, requests that never ran, no verdict.

use base64ct::Encoding as _;
use gonogo::adapters::simulated::Injection;
use gonogo::control::event::Event;
use gonogo::model::deed::DeedState;
use gonogo::model::intent::Verb;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::ledger::Ledger as _;

use super::tap::Refuse;
use super::{Room, Stage};

async fn ready(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    room
}

#[tokio::test]
async fn p23_a_verification_that_fails_to_read_says_so_until_one_comes_to_a_verdict() {
    let stage = Stage::small(46);
    let mut room = ready(&stage).await;
    room.order_until(Verb::Note, DeedState::Effective).await;
    room.give(Event::VerifyAsked);
    room.seconds(1).await;
    let intact = room.world().ledger.verified.clone().unwrap();
    room.tap.refuse(Refuse::Reads);
    room.give(Event::VerifyAsked);
    room.seconds(1).await;
    let ledger = &room.world().ledger;
    let (at, why) = ledger.unverified.clone().unwrap();
    assert!(why.as_str().contains("the disk does not answer") && at > intact.0, "{why}");
    assert_eq!(ledger.verified, Some(intact), "the last verdict stays, with its age");
    room.tap.refuse(Refuse::Nothing);
    room.give(Event::VerifyAsked);
    room.seconds(1).await;
    assert!(room.world().ledger.unverified.is_none() && room.world().ledger.verified.as_ref().unwrap().0 > at);
}

#[tokio::test]
async fn p2_what_stood_in_the_way_is_recorded_in_its_kind() {
    for (injection, kinds, error) in
        [(Injection::RefuseNextWrite, &["failed"][..], "refused"), (Injection::LoseNextWrite, &["unknown", "not-begun"], "timed-out")]
    {
        let stage = Stage::small(47);
        let mut room = ready(&stage).await;
        stage.inject("edge", injection);
        let shift = room.shift(20);
        room.seconds(20).await;
        assert_eq!(room.kinds(shift).await[2..], *kinds, "{}", room.story());
        let (_, lines) = room.store.lines().await.unwrap();
        let said = lines.iter().filter_map(|line| {
            let line: serde_json::Value = serde_json::from_slice(line).ok()?;
            let body: serde_json::Value = serde_json::from_slice(&base64ct::Base64::decode_vec(line["body"].as_str()?).ok()?).ok()?;
            (line["kind"] == kinds[0]).then(|| body["error"].as_str().unwrap_or_default().to_owned())
        });
        assert_eq!(said.collect::<Vec<_>>(), [error]);
    }
}

#[tokio::test]
async fn p5_a_start_whose_request_ended_in_the_queue_has_failed_and_is_not_waited_for() {
    for (injection, kinds) in [
        (None, &["intent", "sending", "accepted", "failed"][..]),
        (Some(Injection::DropAnswerOfNextWrite), &["intent", "sending", "unknown", "accepted", "failed"]),
    ] {
        let stage = Stage::small(48);
        let mut room = ready(&stage).await;
        room.tap.close_all();
        if let Some(injection) = injection {
            stage.inject("ci", injection);
        }
        let start = room.order(Verb::Start);
        room.seconds(3).await;
        assert_eq!((room.state(start), room.kinds(start).await.as_slice()), (DeedState::Failed, kinds), "{}", room.story());
        let words = room.deed(start).words;
        assert_eq!(words.as_str(), "request 7 ended without a run and will never run: it was cancelled while it waited");
        assert_eq!(room.tap.sent().len(), 1);
    }
}

#[tokio::test]
async fn p3_a_repetition_that_ended_in_the_queue_may_be_an_earlier_one_and_proves_nothing() {
    let push = "[[event]]\nkind = \"push\"\nat = \"1s\"\nby = \"bo\"\nservice = \"shop\"\nmessage = \"Tidy\"\n";
    let stage = Stage::small_with(push, 49);
    let mut room = ready(&stage).await;
    room.seconds(60).await;
    room.tap.close_all();
    stage.inject("ci", Injection::LoseNextWrite);
    let retry = room.order(Verb::Retry);
    room.seconds(50).await;
    assert_eq!(room.kinds(retry).await, ["intent", "sending", "unknown", "unknown"], "{}", room.story());
    assert_eq!(room.tap.sent().len(), 1);
}

#[tokio::test]
async fn a_plan_that_was_denied_on_the_glass_is_recorded_and_never_carried_out() {
    let stage = Stage::small(50);
    let mut room = ready(&stage).await;
    room.order_until(Verb::Hold, DeedState::Effective).await;
    let plan = room.plan_shift(20);
    let verdict = gonogo::control::gate::judge(room.world(), &plan, &room.now());
    let reasons = verdict.reasons().to_vec();
    assert_eq!(reasons[0].rule, "hold");
    let id = plan.id;
    // The hold goes while the key is on its way: what was denied before his eyes stays denied.
    room.order_until(Verb::Resume, DeedState::Effective).await;
    room.give(Event::Refused { plan: Box::new(plan), reasons });
    room.seconds(5).await;
    assert_eq!(room.kinds(id).await, ["denied"]);
    assert!(room.tap.sent().is_empty());
    let lines = room.lines(HappeningKind::Deed);
    assert!(lines.iter().any(|line| line.starts_with("shift DENIED: ")), "{lines:?}");
    assert!(room.store.verify().await.unwrap().intact);
}
