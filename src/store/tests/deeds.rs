//! Deeds from intent to held, on one store and on two.

use std::time::Duration;

use super::*;
use base64ct::{Base64, Encoding as _};

use crate::model::deed::DeedState;
use crate::model::error::{PortError, PortErrorKind};
use crate::ports::ledger::{Adoption, Ledger, LedgerError};

#[tokio::test]
async fn a_deed_goes_from_intended_to_held() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = plan_with(&clock, Verb::Promote, "1", 2, Some(Slot::Second));
    store.store_plan(&plan).await.unwrap();
    assert_eq!(store.plan(&plan.id.short()).await.unwrap(), plan);

    let begun = store.begin(&plan, &yes(plan.id)).await.unwrap();
    assert_eq!(begun.epoch, 1);
    assert_eq!(store.deed(&plan.id.short()).await.unwrap().state, DeedState::Intended);
    for step in 0..2 {
        clock.pass(Duration::from_secs(1));
        store.sending(&begun, step).await.unwrap();
        assert_eq!(store.deed(&plan.id.short()).await.unwrap().state, DeedState::Sent);
        store.record(plan.id, &outcome(EntryKind::Accepted, Some(step))).await.unwrap();
    }
    assert_eq!(store.deed(&plan.id.short()).await.unwrap().state, DeedState::Accepted);
    let due = clock.now().wall + TimeDelta::minutes(5);
    store.record(plan.id, &Outcome { held_due: Some(due), ..outcome(EntryKind::Effective, None) }).await.unwrap();
    assert_eq!(store.states().await.unwrap()[0].stable, Slot::Second);
    assert_eq!(store.open_deeds().await.unwrap().len(), 1);
    clock.pass(Duration::from_mins(5));
    store.record(plan.id, &outcome(EntryKind::Held, None)).await.unwrap();
    let deed = store.recent_deeds(9).await.unwrap().remove(0);
    let at = |seconds: i64| Some(DateTime::from_timestamp_millis(1_700_000_000_000 + seconds * 1000).unwrap());
    assert_eq!(deed.state, DeedState::Held);
    assert_eq!((deed.facts.intended, deed.facts.sent, deed.facts.accepted), (at(0), at(1), at(2)));
    assert_eq!((deed.facts.effective, deed.facts.held, deed.held_due), (at(2), at(302), Some(due)));
    assert_eq!(deed.reason.as_str(), "because ␛[2J");
    assert!(store.open_deeds().await.unwrap().is_empty());
    let kinds: Vec<&str> = store.entries(0, 99).await.unwrap().iter().map(|entry| entry.kind.word()).collect();
    assert_eq!(kinds, ["signers", "intent", "sending", "accepted", "sending", "accepted", "effective", "held"]);
    assert_eq!(store.entries(7, 1).await.unwrap()[0].facts, deed.facts);
    assert!(store.verify().await.unwrap().intact, "{:?}", store.verify().await);
}

#[tokio::test]
async fn a_step_is_sent_once_unless_an_observation_says_that_it_did_not_happen() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = plan(&clock, Verb::Shift, "1");
    let begun = store.begin(&plan, &yes(plan.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    assert_eq!(store.sending(&begun, 0).await, Err(LedgerError::AlreadySent(0)));
    store.record(plan.id, &outcome(EntryKind::Unknown, Some(0))).await.unwrap();
    assert_eq!(store.sending(&begun, 0).await, Err(LedgerError::AlreadySent(0)));
    assert_eq!(store.deed(&plan.id.short()).await.unwrap().state, DeedState::Unknown);
    store.record(plan.id, &outcome(EntryKind::NotBegun, Some(0))).await.unwrap();
    assert_eq!(store.deed(&plan.id.short()).await.unwrap().state, DeedState::Intended);
    store.sending(&begun, 0).await.unwrap();
    assert!(matches!(store.sending(&begun, 1).await, Err(LedgerError::Denied(_))));
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn two_who_begin_at_once_do_not_both_begin() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    for round in 0..10 {
        let (a, b) = (plan(&clock, Verb::Shift, &format!("a{round}")), plan(&clock, Verb::Shift, &format!("b{round}")));
        let (yes_a, yes_b) = (yes(a.id), yes(b.id));
        let (left, right) = tokio::join!(one.begin(&a, &yes_a), two.begin(&b, &yes_b));
        let (winner, id, lost) = match (left, right) {
            (Ok(_), Err(lost)) => (&one, a.id, lost),
            (Err(lost), Ok(_)) => (&two, b.id, lost),
            both => panic!("{both:?}"),
        };
        assert_eq!(lost, LedgerError::Busy { target: a.target().clone(), deed: id.to_string(), by: "ana".to_owned() });
        winner.record(id, &outcome(EntryKind::Failed, None)).await.unwrap();
    }
    let same = plan(&clock, Verb::Shift, "same");
    let judge = yes(same.id);
    let (left, right) = tokio::join!(one.begin(&same, &judge), two.begin(&same, &judge));
    assert!(left.is_ok() != right.is_ok());
    assert!(matches!(left.and(right), Err(LedgerError::Spent(_))));
    assert!(one.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_spent_an_expired_and_a_foreign_plan_do_not_begin() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let spent = plan(&clock, Verb::Note, "1");
    store.store_plan(&spent).await.unwrap();
    store.begin(&spent, &yes(spent.id)).await.unwrap();
    assert!(matches!(store.begin(&spent, &yes(spent.id)).await, Err(LedgerError::Spent(_))));
    store.store_plan(&spent).await.unwrap();
    assert!(matches!(store.plan(&spent.id.short()).await, Err(LedgerError::Spent(_))));

    let old = plan(&clock, Verb::Shift, "2");
    store.store_plan(&old).await.unwrap();
    store.wait_for(old.id).await.unwrap();
    assert_eq!(store.waiting().await.unwrap().into_iter().map(|one| one.plan).collect::<Vec<_>>(), std::slice::from_ref(&old));
    clock.pass(Duration::from_mins(10));
    assert!(store.waiting().await.unwrap().is_empty());
    assert_eq!(store.begin(&old, &yes(old.id)).await.unwrap_err(), LedgerError::Expired(old.expires));
    assert_eq!(store.plan(&old.id.short()).await, Err(LedgerError::Expired(old.expires)));
    let fresh = plan(&clock, Verb::Note, "3");
    store.begin(&fresh, &yes(fresh.id)).await.unwrap();
    clock.set_back(Duration::from_hours(1));
    assert_eq!(store.begin(&old, &yes(old.id)).await.unwrap_err(), LedgerError::Expired(old.expires), "a clock set back revives no plan");

    let mut foreign = plan(&clock, Verb::Note, "4");
    foreign.order.installation = "other".to_owned();
    foreign.id = foreign.order.id().unwrap();
    assert!(matches!(store.begin(&foreign, &yes(foreign.id)).await, Err(LedgerError::Denied(_))));
    let mut forged = plan(&clock, Verb::Shift, "5");
    forged.order.effects.clear();
    assert!(matches!(store.begin(&forged, &yes(forged.id)).await, Err(LedgerError::Denied(_))));
}

#[tokio::test]
async fn what_the_judge_refuses_is_recorded_and_a_permit_for_another_plan_leaves_no_trace() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = plan(&clock, Verb::Shift, "1");
    let before = (store.size().await.unwrap(), store.generation().await.unwrap());
    let no = |_: &AtCommit| Verdict::Deny(vec![crate::model::reason::Reason::new("role", "no role", "ask")]);
    assert!(matches!(store.begin(&plan, &yes(PlanId([0; 32]))).await, Err(LedgerError::Denied(_))));
    assert_eq!((store.size().await.unwrap(), store.generation().await.unwrap()), before);
    let refused = vec![crate::model::reason::Reason::new("role", "no role", "ask")];
    assert_eq!(store.begin(&plan, &no).await.unwrap_err(), LedgerError::Refused(refused));
    let entry = store.entries(1, 1).await.unwrap().remove(0);
    assert_eq!((entry.kind, entry.verdict.as_deref(), entry.words.as_str()), (EntryKind::Denied, Some("deny"), "no role"));
    store.begin(&plan, &yes(plan.id)).await.unwrap();
}

#[tokio::test]
async fn a_hold_stops_a_forward_deed_between_two_of_its_steps_and_no_way_back() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let shift = plan_with(&clock, Verb::Shift, "1", 2, None);
    let begun = store.begin(&shift, &yes(shift.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    let hold = plan(&clock, Verb::Hold, "2");
    store.begin(&hold, &yes(hold.id)).await.unwrap();
    let held = store.states().await.unwrap()[0].hold.clone().unwrap();
    assert_eq!((held.by.as_str(), held.deed), ("ana", hold.id));
    assert!(matches!(store.sending(&begun, 1).await, Err(LedgerError::HeldBy { .. })));
    store.record(shift.id, &outcome(EntryKind::Failed, None)).await.unwrap();
    let abort = plan(&clock, Verb::Abort, "3");
    let seen_hold = |found: &AtCommit| {
        assert!(found.state.hold.is_some());
        yes(abort.id)(found)
    };
    let back = store.begin(&abort, &seen_hold).await.unwrap();
    store.sending(&back, 0).await.unwrap();
    let resume = plan(&clock, Verb::Resume, "4");
    store.begin(&resume, &yes(resume.id)).await.unwrap();
    assert_eq!(store.states().await.unwrap()[0].hold, None);
    let deed = store.deed(&resume.id.short()).await.unwrap();
    assert_eq!((deed.state, deed.facts.effective.is_some()), (DeedState::Effective, true));
}

#[tokio::test]
async fn a_way_back_takes_an_expired_lease_and_the_sleeper_sends_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (sleeper, other) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let shift = plan_with(&clock, Verb::Shift, "1", 2, None);
    let begun = sleeper.begin(&shift, &yes(shift.id)).await.unwrap();
    sleeper.sending(&begun, 0).await.unwrap();
    let abort = plan(&clock, Verb::Abort, "2");
    clock.pass(Duration::from_secs(29));
    assert!(matches!(other.begin(&abort, &yes(abort.id)).await, Err(LedgerError::Busy { .. })));
    sleeper.renew(shift.id, begun.epoch).await.unwrap();
    clock.pass(Duration::from_secs(29));
    assert!(matches!(other.begin(&abort, &yes(abort.id)).await, Err(LedgerError::Busy { .. })));
    clock.pass(Duration::from_secs(1));
    let forward = plan(&clock, Verb::Promote, "3");
    assert!(matches!(other.begin(&forward, &yes(forward.id)).await, Err(LedgerError::Busy { .. })));
    let back = other.begin(&abort, &yes(abort.id)).await.unwrap();
    assert!(back.epoch > begun.epoch);
    assert!(matches!(sleeper.sending(&begun, 1).await, Err(LedgerError::LostLease(_))));
    assert!(matches!(sleeper.renew(shift.id, begun.epoch).await, Err(LedgerError::LostLease(_))));
    assert_eq!(other.adopt(shift.id).await.unwrap(), Adoption::NotOurs, "a living neighbour's deed is never seized");
    assert!(matches!(other.record(shift.id, &outcome(EntryKind::Failed, None)).await, Err(LedgerError::LostLease(_))));
    sleeper.record(shift.id, &Outcome { releases: true, ..outcome(EntryKind::Failed, None) }).await.unwrap();
    other.sending(&back, 0).await.unwrap();
}

/// As long as something of a deed is still to be sent its owner sends it; once all of it was accepted a way back takes over at once.
#[tokio::test]
async fn p12_what_a_way_back_took_over_records_nothing_more() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (owner, other) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let shift = plan_with(&clock, Verb::Shift, "1", 2, None);
    let begun = owner.begin(&shift, &yes(shift.id)).await.unwrap();
    let abort = plan(&clock, Verb::Abort, "2");
    for step in 0..2 {
        owner.sending(&begun, step).await.unwrap();
        assert!(matches!(other.begin(&abort, &yes(abort.id)).await, Err(LedgerError::Busy { .. })), "step {step} is on its way");
        owner.record(shift.id, &outcome(EntryKind::Accepted, Some(step))).await.unwrap();
    }
    let forward = plan(&clock, Verb::Promote, "3");
    assert!(matches!(other.begin(&forward, &yes(forward.id)).await, Err(LedgerError::Busy { .. })), "what goes forward waits");
    let back = other.begin(&abort, &yes(abort.id)).await.unwrap();
    assert!(back.epoch > begun.epoch);
    assert_eq!(other.deed(&shift.id.short()).await.unwrap().state, DeedState::Superseded);
    let late = owner.record(shift.id, &outcome(EntryKind::Effective, None)).await;
    assert!(matches!(late, Err(LedgerError::LostLease(_))), "{late:?}");
    assert!(matches!(owner.renew(shift.id, begun.epoch).await, Err(LedgerError::LostLease(_))));
}

#[tokio::test]
async fn a_dead_owners_deed_is_adopted_with_a_higher_epoch() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (dying, heir) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let shift = plan_with(&clock, Verb::Shift, "1", 2, None);
    let begun = dying.begin(&shift, &yes(shift.id)).await.unwrap();
    dying.sending(&begun, 0).await.unwrap();
    let seen = heir.open_deeds().await.unwrap().remove(0);
    assert!(seen.owner_alive && !seen.ours && seen.deed.elsewhere);
    assert_eq!(heir.adopt(shift.id).await.unwrap(), Adoption::NotOurs);
    drop(dying);
    assert!(!heir.open_deeds().await.unwrap().remove(0).owner_alive);
    let leased = Adoption::Leased(begun.epoch + 1);
    assert_eq!(heir.adopt(shift.id).await.unwrap(), leased);
    assert_eq!(heir.adopt(shift.id).await.unwrap(), leased, "asked again it says the same");
    let seen = heir.open_deeds().await.unwrap().remove(0);
    assert!(seen.owner_alive && seen.ours && !seen.deed.elsewhere);
    assert_eq!(seen.deed.state, DeedState::Sent);
    assert!(matches!(heir.sending(&begun, 1).await, Err(LedgerError::LostLease(_))), "the old epoch is refused");
    heir.renew(shift.id, begun.epoch + 1).await.unwrap();
    heir.record(shift.id, &Outcome { held_due: Some(clock.now().wall), ..outcome(EntryKind::Effective, None) }).await.unwrap();
    drop(heir);
    let watcher = store(dir.path(), &clock).await;
    assert_eq!(watcher.adopt(shift.id).await.unwrap(), Adoption::Observed, "the watch of a dead owner is taken over, and needs no lease");
    watcher.record(shift.id, &outcome(EntryKind::Held, None)).await.unwrap();
    assert_eq!(std::fs::read_dir(dir.path().join("owners")).unwrap().count(), 2, "the heir's file stays while a watch refers to it");
    drop(watcher);
    let last = store(dir.path(), &clock).await;
    assert_eq!(std::fs::read_dir(dir.path().join("owners")).unwrap().count(), 1, "files of the dead are swept");
    assert!(last.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_later_deed_closes_an_earlier_watch() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let first = plan(&clock, Verb::Shift, "1");
    store.begin(&first, &yes(first.id)).await.unwrap();
    store.record(first.id, &Outcome { held_due: Some(clock.now().wall), ..outcome(EntryKind::Effective, None) }).await.unwrap();
    let note = plan(&clock, Verb::Note, "2");
    store.begin(&note, &yes(note.id)).await.unwrap();
    assert_eq!(store.deed(&first.id.short()).await.unwrap().state, DeedState::Effective);
    let second = plan(&clock, Verb::Abort, "3");
    store.begin(&second, &yes(second.id)).await.unwrap();
    assert_eq!(store.deed(&first.id.short()).await.unwrap().state, DeedState::Superseded);
    let order: Vec<PlanId> = store.recent_deeds(9).await.unwrap().iter().map(|deed| deed.plan).collect();
    assert_eq!(order, [second.id, note.id, first.id]);
    assert_eq!(store.open_deeds().await.unwrap().len(), 1);
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_promote_without_effects_ends_the_rollout_at_once() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let last = plan_with(&clock, Verb::Promote, "1", 0, Some(Slot::Second));
    store.begin(&last, &yes(last.id)).await.unwrap();
    assert_eq!(store.states().await.unwrap()[0].stable, Slot::Second);
    assert_eq!(store.deed(&last.id.short()).await.unwrap().state, DeedState::Effective);
    let next = plan(&clock, Verb::Shift, "2");
    assert_eq!(store.begin(&next, &yes(next.id)).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn digits_that_name_two_plans_name_none() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let one = plan(&clock, Verb::Shift, "1");
    store.store_plan(&one).await.unwrap();
    let twin = format!("{}{}", one.id.short(), "f".repeat(56));
    let mut conn = store.conn.lock().await;
    let copy = sqlx::query("INSERT INTO plan (id, expires, json) SELECT ?, expires, json FROM plan");
    copy.bind(&twin).execute(&mut *conn).await.unwrap();
    drop(conn);
    assert!(matches!(store.plan(&one.id.short()).await, Err(LedgerError::Ambiguous(_))));
    // Also when the other one is over: who was told the digits may have been told of that one.
    let spent = sqlx::query("UPDATE plan SET spent = 'withdrawn' WHERE id = ?");
    spent.bind(&twin).execute(&mut *store.conn.lock().await).await.unwrap();
    assert!(matches!(store.plan(&one.id.short()).await, Err(LedgerError::Ambiguous(_))));
    assert_eq!(store.plan(&one.id.to_string()).await.unwrap(), one);
    let digits = one.id.to_string();
    for wrong in [digits.get(..7).unwrap(), "", "%_%_%_%_", "ABCDEF01", &format!("{digits}0")] {
        assert!(matches!(store.plan(wrong).await, Err(LedgerError::NoPlan(_))), "{wrong}");
    }
}

#[tokio::test]
async fn a_lease_of_an_earlier_boot_is_over() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let shift = plan(&clock, Verb::Shift, "1");
    store.begin(&shift, &yes(shift.id)).await.unwrap();
    let abort = plan(&clock, Verb::Abort, "2");
    assert!(matches!(store.begin(&abort, &yes(abort.id)).await, Err(LedgerError::Busy { .. })));
    clock.reboot();
    assert_eq!(store.begin(&abort, &yes(abort.id)).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn an_unknown_that_keeps_its_lease_blocks_and_one_that_gave_it_back_does_not() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let shift = plan(&clock, Verb::Shift, "1");
    let begun = store.begin(&shift, &yes(shift.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    store.record(shift.id, &outcome(EntryKind::Unknown, Some(0))).await.unwrap();
    let next = plan(&clock, Verb::Shift, "2");
    assert!(matches!(store.begin(&next, &yes(next.id)).await, Err(LedgerError::Busy { .. })));
    store.record(shift.id, &Outcome { releases: true, ..outcome(EntryKind::Unknown, None) }).await.unwrap();
    assert_eq!(store.open_deeds().await.unwrap().len(), 1, "a person has to look at it");
    store.begin(&next, &yes(next.id)).await.unwrap();
    let open: Vec<PlanId> = store.open_deeds().await.unwrap().iter().map(|open| open.deed.plan).collect();
    assert_eq!(open, [next.id]);
    assert_eq!(store.deed(&shift.id.short()).await.unwrap().state, DeedState::Unknown);
}

/// A process that dies without a word leaves its deed to the next start, at each point of it.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the child is told by its environment where to die")]
async fn a_process_that_dies_leaves_its_deed_to_the_next_start() {
    let (dir_name, point_name) = ("GONOGO_TEST_STORE", "GONOGO_TEST_POINT");
    let clock = Still::new();
    let shift = plan(&clock, Verb::Shift, "1");
    if let (Ok(dir), Ok(point)) = (std::env::var(dir_name), std::env::var(point_name)) {
        let store = store(Path::new(&dir), &clock).await;
        let begun = store.begin(&shift, &yes(shift.id)).await.unwrap();
        if point != "intended" {
            store.sending(&begun, 0).await.unwrap();
        }
        if point == "accepted" {
            store.record(shift.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
        }
        std::process::abort();
    }
    for (point, state) in [("intended", DeedState::Intended), ("sent", DeedState::Sent), ("accepted", DeedState::Accepted)] {
        let dir = tempfile::tempdir().unwrap();
        let neighbour = store(dir.path(), &clock).await;
        let mut child = std::process::Command::new("/proc/self/exe");
        child.args(["--exact", "store::tests::deeds::a_process_that_dies_leaves_its_deed_to_the_next_start"]);
        let ended = child.env(dir_name, dir.path()).env(point_name, point).output().unwrap();
        assert!(!ended.status.success());
        let found = neighbour.open_deeds().await.unwrap().remove(0);
        assert_eq!((found.deed.state, found.owner_alive, found.ours), (state, false, false));
        assert!(matches!(neighbour.adopt(shift.id).await.unwrap(), Adoption::Leased(_)));
        assert!(neighbour.verify().await.unwrap().intact);
    }
}

#[tokio::test]
async fn failed_and_unknown_say_in_their_bodies_what_stood_in_the_way() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let kinds = [
        (EntryKind::Failed, PortErrorKind::Unauthorised, "unauthorised"),
        (EntryKind::Failed, PortErrorKind::Refused, "refused"),
        (EntryKind::Failed, PortErrorKind::RateLimited { until: None }, "rate-limited"),
        (EntryKind::Unknown, PortErrorKind::TimedOut, "timed-out"),
        (EntryKind::Unknown, PortErrorKind::Unreachable, "unreachable"),
    ];
    for (n, (kind, error, name)) in kinds.into_iter().enumerate() {
        let start = plan(&clock, Verb::Shift, &n.to_string());
        let begun = store.begin(&start, &yes(start.id)).await.unwrap();
        store.sending(&begun, 0).await.unwrap();
        let error = PortError::new(error, &"edge".parse().unwrap(), "set weights", "because");
        let told = Outcome { releases: true, error: Some(error.clone()), ..outcome(kind, Some(0)) };
        store.record(start.id, &told).await.unwrap();
        let (_, lines) = store.lines().await.unwrap();
        let line: serde_json::Value = serde_json::from_slice(lines.last().unwrap()).unwrap();
        let body = Base64::decode_vec(line.get("body").unwrap().as_str().unwrap()).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body.get("error"), Some(&serde_json::Value::from(name)));
        let deed = store.deed(&start.id.short()).await.unwrap();
        assert_eq!(deed.steps.first().unwrap().error.as_ref().unwrap().port(), &error, "the next process knows it as exactly");
    }
    assert!(store.verify().await.unwrap().intact);
}
