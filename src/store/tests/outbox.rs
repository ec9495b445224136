//! The outbox in the store: what time brings is told once, leases, and plans that wait.

use super::glass::{DAY, broken, over};
use super::*;
use crate::model::approval::{Decision, Ruling};
use crate::model::name::BackendName;
use crate::model::outbox::{Line, Notice, NoticeKind};
use crate::ports::ledger::Ledger;
use crate::ports::outbox::Outbox;

fn audit() -> BackendName {
    "audit".parse().unwrap()
}

async fn lines(store: &SqliteStore) -> Vec<Line> {
    store.before(&audit(), 99).await.unwrap().lines
}

async fn states(store: &SqliteStore) -> Vec<String> {
    let mut states = Vec::new();
    for line in lines(store).await {
        let notice = store.notice(line.seq).await.unwrap().unwrap();
        if notice.kind == NoticeKind::Entry(EntryKind::BreakGlass) {
            states.push(notice.state.unwrap());
        }
    }
    states
}

#[tokio::test]
async fn the_end_of_a_time_box_and_an_overdue_review_are_recorded_and_told_once_by_whichever_process() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    one.know(&[audit()]).await.unwrap();
    let plan = broken(&clock, Verb::Shift, "1");
    one.begin(&plan, &over(plan.id)).await.unwrap();
    one.tick().await.unwrap();
    assert_eq!(states(&one).await, ["broken"]);
    clock.pass(Duration::from_mins(11));
    for store in [&two, &one, &two] {
        store.tick().await.unwrap();
    }
    assert_eq!(states(&one).await, ["broken", "box-ended"]);
    clock.pass(DAY);
    for store in [&one, &two, &one] {
        store.tick().await.unwrap();
    }
    assert_eq!(states(&two).await, ["broken", "box-ended", "review-overdue"]);
    drop(one);
    let again = store(dir.path(), &clock).await;
    again.tick().await.unwrap();
    assert_eq!(states(&again).await.len(), 3);
    assert!(again.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_plan_is_told_when_it_is_stored_and_when_it_begins_to_wait_once_each() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    store.know(&[audit()]).await.unwrap();
    let plan = plan(&clock, Verb::Shift, "1");
    for _ in 0..2 {
        store.store_plan(&plan).await.unwrap();
        store.wait_for(plan.id).await.unwrap();
    }
    let ruling = Ruling {
        plan: plan.id,
        target: plan.target().clone(),
        decision: Decision::Approve,
        person: "bo".to_owned(),
        words: Text::clean("yes"),
        evidence: "00".to_owned(),
        expires: None,
        authors: None,
    };
    store.rule(&ruling, None, &|_, _| Vec::new()).await.unwrap();
    let told: Vec<_> = lines(&store).await.iter().map(|line| line.kind.map(NoticeKind::word)).collect();
    assert_eq!(told, [Some("planned"), Some("waiting"), Some("approval")]);
    let waiting: Notice = store.notice(lines(&store).await[1].seq).await.unwrap().unwrap();
    assert_eq!(waiting.id, format!("test/waiting-{}", plan.id));
    assert_eq!((waiting.verb.as_deref(), waiting.requester.as_deref()), (Some("shift"), Some("ana")));
    assert_eq!((waiting.words.as_str(), waiting.plan.map(|found| found.id)), ("because ␛[2J", Some(plan.id)));
}

#[tokio::test]
async fn the_right_to_deliver_lasts_half_a_minute_by_the_clock_that_counts_on_in_sleep() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    one.know(&[audit()]).await.unwrap();
    assert!(!one.lease(&"nobody".parse().unwrap()).await.unwrap());
    assert!(one.lease(&audit()).await.unwrap());
    assert!(!two.lease(&audit()).await.unwrap());
    assert!(two.is_elsewhere(&audit()).await.unwrap() && !one.is_elsewhere(&audit()).await.unwrap());
    clock.pass(Duration::from_secs(29));
    clock.set_back(Duration::from_hours(1));
    assert!(!two.lease(&audit()).await.unwrap());
    clock.pass(Duration::from_secs(1));
    assert!(two.lease(&audit()).await.unwrap(), "it ended, though its owner lives");
    assert!(!one.lease(&audit()).await.unwrap());
    clock.reboot();
    assert!(one.lease(&audit()).await.unwrap(), "no lease outlives a boot");
    drop(one);
    assert!(two.lease(&audit()).await.unwrap(), "its owner is dead");
}

#[tokio::test]
async fn without_a_receiver_nothing_is_written_and_after_the_last_is_forgotten_nothing_is_kept() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let first = plan(&clock, Verb::Hold, "1");
    store.begin(&first, &yes(first.id)).await.unwrap();
    store.know(&[audit(), "other".parse().unwrap()]).await.unwrap();
    assert_eq!(lines(&store).await, Vec::new());
    let second = plan(&clock, Verb::Resume, "2");
    store.begin(&second, &yes(second.id)).await.unwrap();
    let all = lines(&store).await;
    assert_eq!(all.len(), 3);
    for line in &all {
        store.passed(&audit(), line, true).await.unwrap();
    }
    assert_eq!(store.progress().await.unwrap().iter().map(|one| one.behind).collect::<Vec<_>>(), [0, 3]);
    assert!(store.forget(&"other".parse().unwrap()).await.unwrap());
    assert!(store.notice(all[0].seq).await.unwrap().is_none(), "everybody passed it");
    assert!(store.forget(&audit()).await.unwrap() && !store.forget(&audit()).await.unwrap());
}
