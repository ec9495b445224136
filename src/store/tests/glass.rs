//! Break glass in the store: its entry, its line in the second place, its review.

use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::model::reason::Reason;
use crate::model::review::{Cause, Finding};
use crate::ports::ledger::{Ledger, LedgerError, ReviewAt};

pub const DAY: Duration = Duration::from_hours(24);

pub fn broken(clock: &Still, verb: Verb, nonce: &str) -> Plan {
    let mut plan = plan(clock, verb, nonce);
    plan.order.break_glass = Some(plan.order.expires.clone());
    plan.intent.args.break_glass = Some(Duration::from_mins(10));
    plan.id = plan.order.id().unwrap();
    plan
}

/// A judge that says yes over a waived approval, and wants a review within a day.
pub fn over(plan: PlanId) -> impl Fn(&AtCommit) -> Verdict + Send + Sync {
    move |_| Verdict::Permit(Permit::grant(plan).over(vec![Reason::new("approvals", "two are missing", "ask bo")]).owing(DAY))
}

fn finding(plan: &Plan, person: &str) -> Finding {
    Finding { plan: plan.id.short(), person: person.to_owned(), words: Text::clean("it was right") }
}

fn nothing(_: &ReviewAt<'_>) -> Vec<Reason> {
    Vec::new()
}

async fn kinds(store: &SqliteStore) -> Vec<&'static str> {
    store.entries(0, 99).await.unwrap().iter().map(|entry| entry.kind.word()).collect()
}

fn body(line: &[u8]) -> Value {
    let line: Value = serde_json::from_slice(line).unwrap();
    let body = <base64ct::Base64 as base64ct::Encoding>::decode_vec(line["body"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn second(dir: &Path) -> PathBuf {
    dir.join("second")
}

#[tokio::test]
async fn its_entry_stands_above_the_intent_and_in_the_second_place() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(&dir.path().join("store"), &clock).await;
    store.name_second_place(&second(dir.path()));
    let plan = broken(&clock, Verb::Shift, "1");
    let begun = store.begin(&plan, &over(plan.id)).await.unwrap();
    assert_eq!(kinds(&store).await, ["signers", "break-glass", "intent"]);
    let line = store.lines().await.unwrap().1.remove(1);
    let body = body(&line);
    assert_eq!((&body["state"], &body["deed"]), (&"broken".into(), &plan.id.to_string().into()));
    assert_eq!((&body["until"], &body["target"]), (&plan.order.expires.as_str().into(), &"checkout@prod".into()));
    assert_eq!(body["waived"][0]["text"], "two are missing");
    assert_eq!(body["reason"], "because ␛[2J");
    assert_eq!(std::fs::read(second(dir.path())).unwrap(), [&line[..], b"\n"].concat());
    let review = store.reviews().await.unwrap().remove(0);
    assert!(review.is_owed() && review.trouble.is_none());
    assert_eq!(review.due, Some(clock.now().wall + TimeDelta::days(1)));
    assert!(matches!(&review.cause, Cause::BreakGlass { until, waived } if *until == plan.expires && waived.len() == 1));
    assert_eq!(review.open_until(&clock.now().wall), Some(plan.expires));
    // From here on it is a deed like any other.
    store.sending(&begun, 0).await.unwrap();
    store.record(plan.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
    store.record(plan.id, &outcome(EntryKind::Effective, None)).await.unwrap();
    let found = store.verify().await.unwrap();
    assert!(found.intact, "{found:?}");
    assert!(matches!(store.begin(&plan, &over(plan.id)).await, Err(LedgerError::Spent(_))));
    clock.pass(Duration::from_mins(10));
    assert_eq!(review.open_until(&clock.now().wall), None);
}

#[tokio::test]
async fn an_order_without_the_member_reads_and_hashes_as_before() {
    let plain = plan(&Still::new(), Verb::Shift, "1");
    let bytes = plain.order.canonical().unwrap();
    assert!(!String::from_utf8(bytes.clone()).unwrap().contains("break_glass"));
    let read: Order = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((read.id().unwrap(), &read), (plain.id, &plain.order));
    let broken = broken(&Still::new(), Verb::Shift, "1");
    assert_ne!(broken.id, plain.id);
    let read: Order = serde_json::from_slice(&broken.order.canonical().unwrap()).unwrap();
    assert_eq!(read, broken.order);
}

#[tokio::test]
async fn a_time_box_that_is_not_the_orders_own_is_refused() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let mut longer = broken(&clock, Verb::Shift, "1");
    longer.order.break_glass = Some(rfc3339(&(longer.expires + TimeDelta::hours(9))));
    longer.id = longer.order.id().unwrap();
    let mut unsaid = broken(&clock, Verb::Shift, "2");
    unsaid.intent.args.break_glass = None;
    for plan in [longer, unsaid] {
        assert!(matches!(store.begin(&plan, &over(plan.id)).await, Err(LedgerError::Denied(_))));
    }
    let late = broken(&clock, Verb::Shift, "3");
    clock.pass(Duration::from_mins(10));
    assert_eq!(store.begin(&late, &over(late.id)).await.unwrap_err(), LedgerError::Expired(late.expires));
    assert_eq!(kinds(&store).await, ["signers"]);
}

#[tokio::test]
async fn a_second_place_that_cannot_be_written_is_said_and_recorded_and_the_deed_goes_on() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(&dir.path().join("store"), &clock).await;
    store.name_second_place(&dir.path().join("nowhere/second"));
    let plan = broken(&clock, Verb::Shift, "1");
    store.begin(&plan, &over(plan.id)).await.unwrap();
    assert_eq!(kinds(&store).await, ["signers", "break-glass", "break-glass", "intent"]);
    let told = body(&store.lines().await.unwrap().1[2]);
    assert_eq!(told["state"], "not-in-second-place");
    assert!(told["words"].as_str().unwrap().contains("nowhere/second"), "{told}");
    assert!(store.reviews().await.unwrap()[0].trouble.is_some());
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_line_that_a_death_tore_spoils_no_other() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(&dir.path().join("store"), &clock).await;
    std::fs::write(second(dir.path()), "{\"n\":1,\"pre").unwrap();
    store.name_second_place(&second(dir.path()));
    let plan = broken(&clock, Verb::Shift, "1");
    store.begin(&plan, &over(plan.id)).await.unwrap();
    let text = std::fs::read_to_string(second(dir.path())).unwrap();
    assert!(text.starts_with("{\"n\":1,\"pre\n{\"n\":1,\"prev\"") && text.ends_with("}\n"), "{text}");
}

/// Killed between the line in the second place and the commit: the ledger knows nothing, and the next deed begins as if nothing was.
#[tokio::test]
async fn a_death_before_the_commit_leaves_the_ledger_as_it_was() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let path = dir.path().join("store");
    let plan = broken(&clock, Verb::Shift, "1");
    {
        let store = store(&path, &clock).await;
        store.name_second_place(&second(dir.path()));
        let mut gate = store.lock().await.unwrap();
        let mut write = gate.begin().await.unwrap();
        store.owe(&mut write, &plan, &Permit::grant(plan.id).owing(DAY), false).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(second(dir.path())).unwrap().lines().count(), 1);
    let store = store(&path, &clock).await;
    store.name_second_place(&second(dir.path()));
    assert!(kinds(&store).await == ["signers"] && store.reviews().await.unwrap().is_empty());
    store.begin(&plan, &over(plan.id)).await.unwrap();
    assert_eq!(kinds(&store).await, ["signers", "break-glass", "intent"]);
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_review_is_closed_once_and_a_refused_one_is_on_record() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = broken(&clock, Verb::Shift, "1");
    store.begin(&plan, &over(plan.id)).await.unwrap();
    let own = |_: &ReviewAt<'_>| vec![Reason::new("own-deed", "ana asked for it", "another person")];
    assert!(
        matches!(store.review(&finding(&plan, "ana"), None, &own).await, Err(LedgerError::Refused(reasons)) if reasons[0].rule == "own-deed")
    );
    assert!(store.reviews().await.unwrap()[0].is_owed());
    let closed = store.review(&finding(&plan, "bo"), None, &nothing).await.unwrap();
    assert_eq!(closed.closed.as_ref().unwrap().by, "bo");
    assert_eq!(store.reviews().await.unwrap(), [closed]);
    assert!(matches!(store.review(&finding(&plan, "cy"), None, &nothing).await, Err(LedgerError::Spent(_))));
    let unknown = Finding { plan: "ffffffff".to_owned(), ..finding(&plan, "cy") };
    assert!(matches!(store.review(&unknown, None, &nothing).await, Err(LedgerError::NoPlan(_))));
    assert_eq!(kinds(&store).await, ["signers", "break-glass", "intent", "denied", "break-glass"]);
    let told = body(&store.lines().await.unwrap().1[4]);
    assert_eq!((&told["state"], &told["person"], &told["words"]), (&"reviewed".into(), &"bo".into(), &"it was right".into()));
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn the_judge_of_the_transaction_sees_what_is_owed_on_the_service() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let first = broken(&clock, Verb::Abort, "1");
    store.begin(&first, &over(first.id)).await.unwrap();
    let next = plan(&clock, Verb::Abort, "2");
    let seen = std::sync::Mutex::new(Vec::new());
    let judge = |found: &AtCommit| {
        seen.lock().unwrap().extend(found.owed.iter().map(|review| review.plan));
        Verdict::Deny(Vec::new())
    };
    clock.pass(Duration::from_mins(1));
    let _ = store.begin(&next, &judge).await;
    assert_eq!(*seen.lock().unwrap(), [first.id]);
}

#[tokio::test]
async fn an_emergency_change_owes_its_review_when_it_took_effect() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = plan(&clock, Verb::Shift, "1");
    let judge = |_: &AtCommit| Verdict::Permit(Permit::grant(plan.id).owing(DAY));
    let begun = store.begin(&plan, &judge).await.unwrap();
    let review = store.reviews().await.unwrap().remove(0);
    assert!(review.cause == Cause::Emergency && !review.is_owed());
    assert!(matches!(store.review(&finding(&plan, "bo"), None, &nothing).await, Err(LedgerError::Refused(_))));
    store.sending(&begun, 0).await.unwrap();
    store.record(plan.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
    clock.pass(Duration::from_secs(5));
    store.record(plan.id, &outcome(EntryKind::Effective, None)).await.unwrap();
    assert_eq!(store.reviews().await.unwrap()[0].due, Some(clock.now().wall + TimeDelta::days(1)));
    store.review(&finding(&plan, "bo"), None, &nothing).await.unwrap();
}

/// A ledger over a store that can only be read, as on a full disk.
async fn unwritable(dir: &Path, clock: &Arc<Still>) -> (Arc<SqliteStore>, crate::store::SecondLedger) {
    let first = Arc::new(store(&dir.join("store"), clock).await);
    first.refuse(LedgerError::Unwritable(Text::clean("the disk is full")));
    let its_clock: Arc<dyn Clock> = Arc::<Still>::clone(clock);
    let first_place: Arc<dyn Ledger> = Arc::<SqliteStore>::clone(&first);
    (first, crate::store::SecondLedger::new(first_place, &second(dir), its_clock))
}

#[tokio::test]
async fn what_only_the_second_place_holds_is_taken_over_once() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (first, ledger) = unwritable(dir.path(), &clock).await;
    let plain = plan(&clock, Verb::Shift, "1");
    assert!(matches!(ledger.begin(&plain, &yes(plain.id)).await, Err(LedgerError::Unwritable(_))), "only break glass goes on");
    let mut promote = plan_with(&clock, Verb::Promote, "2", 1, Some(Slot::Second));
    promote.order.break_glass = Some(promote.order.expires.clone());
    promote.intent.args.break_glass = Some(Duration::from_mins(10));
    promote.id = promote.order.id().unwrap();
    let deny = |_: &AtCommit| Verdict::Deny(vec![Reason::new("hold", "held", "resume")]);
    assert!(matches!(ledger.begin(&promote, &deny).await, Err(LedgerError::Refused(_))), "the judge is asked all the same");
    assert!(!second(dir.path()).exists());
    let begun = ledger.begin(&promote, &over(promote.id)).await.unwrap();
    assert!(matches!(ledger.begin(&promote, &over(promote.id)).await, Err(LedgerError::Spent(_))));
    ledger.sending(&begun, 0).await.unwrap();
    assert_eq!(ledger.sending(&begun, 0).await, Err(LedgerError::AlreadySent(0)));
    ledger.renew(promote.id, begun.epoch).await.unwrap();
    ledger.record(promote.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
    ledger.record(promote.id, &outcome(EntryKind::Effective, None)).await.unwrap();
    assert_eq!(kinds(&first).await, ["signers"]);
    // A torn line, one of another installation and an entry's own line are not taken over.
    let mut text = std::fs::read_to_string(second(dir.path())).unwrap();
    text.push_str(&text.lines().next().unwrap().replace("\"installation\":\"test\"", "\"installation\":\"other\""));
    text.push_str("\n{\"n\":1,\"prev\":\"\"}\n{\"at\":");
    std::fs::write(second(dir.path()), text).unwrap();
    drop(ledger);
    let again = store(&dir.path().join("store"), &clock).await;
    again.name_second_place(&second(dir.path()));
    assert_eq!(again.take_over().await.unwrap(), 5);
    assert_eq!(again.take_over().await.unwrap(), 0);
    assert_eq!(kinds(&again).await, ["signers", "imported", "imported", "imported", "imported", "imported"]);
    assert_eq!(again.states().await.unwrap()[0].stable, Slot::Second, "what the deed brought is remembered");
    assert!(again.reviews().await.unwrap()[0].is_owed());
    let told = body(&again.lines().await.unwrap().1[1]);
    assert!(told["line"].as_str().unwrap().contains("\"store\":\"the disk is full\""), "{told}");
    let found = again.verify().await.unwrap();
    assert!(found.intact, "{found:?}");
}

#[tokio::test]
async fn without_both_places_nothing_goes_on() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    std::fs::create_dir(second(dir.path())).unwrap();
    let (_, ledger) = unwritable(dir.path(), &clock).await;
    let plan = broken(&clock, Verb::Shift, "1");
    let Err(LedgerError::Unwritable(why)) = ledger.begin(&plan, &over(plan.id)).await else { panic!("it began") };
    assert!(why.as_str().contains("the disk is full") && why.as_str().contains("second place"), "{why}");
}
