//! Delivery to living, slow, refusing and dead receivers.

use std::time::Duration;

use tokio::time::Instant;

use gonogo::model::outbox::{NoticeKind, Wants};
use gonogo::ports::ledger::Ledger as _;
use gonogo::ports::outbox::Outbox as _;

use super::bench::{Work, courier, in_order, know, note, notes, number, passed, plan, settings, stands, store, until};
use crate::servers::receiver::{Answer, Receiver};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_recorded_comes_once_and_in_order_and_nothing_of_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    note(&store, "before").await;
    let first = store.size().await.unwrap();
    let audit = Receiver::start();
    know(&store, &["audit"]).await;
    notes(&store, 5).await;
    let work = Work::of(&store, vec![courier(&settings("audit", &audit), &audit)]);
    passed(&store, "audit").await;
    drop(work);
    in_order(&audit.taken(), first, first + 14);
    // Another life of the couriers tells nothing again.
    let _work = Work::of(&store, vec![courier(&settings("audit", &audit), &audit)]);
    note(&store, "after").await;
    until("3 more", || audit.taken().len() >= 18).await;
    let taken = audit.taken();
    assert_eq!(taken.len(), 18, "{taken:?}");
    in_order(&taken, first, first + 17);
    let kinds: Vec<_> = audit.got().iter().take(3).map(|got| got.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["dev.gonogo.deed.intended.v1", "dev.gonogo.note.written.v1", "dev.gonogo.deed.effective.v1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deed_that_was_refused_inside_its_transaction_is_told_as_denied_and_as_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    know(&store, &["audit"]).await;
    let refused = plan(&store, "never", "never");
    store.begin(&refused, &|_: &_| gonogo::model::verdict::Verdict::Deny(Vec::new())).await.unwrap_err();
    let name = "audit".parse().unwrap();
    let told = store.before(&name, 10).await.unwrap().lines;
    assert_eq!(told.iter().map(|line| line.kind.unwrap().word()).collect::<Vec<_>>(), ["denied"]);
    note(&store, "said").await;
    assert_eq!(store.before(&name, 10).await.unwrap().lines.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_resets_and_silence_are_tried_again_with_the_same_id_and_retry_after_is_heeded() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let audit = Receiver::start();
    know(&store, &["audit"]).await;
    let first = store.size().await.unwrap();
    notes(&store, 2).await;
    audit.answers([
        Answer::Status(500, ""),
        Answer::Reset,
        Answer::Silent,
        Answer::Status(425, ""),
        Answer::Status(408, ""),
        Answer::Status(503, ""),
        Answer::Status(204, ""),
        Answer::Status(429, "Retry-After: 2\r\n"),
    ]);
    let _work = Work::of(&store, vec![courier(&settings("audit", &audit), &audit)]);
    until("6 notices", || audit.taken().len() >= 6).await;
    in_order(&audit.taken(), first, first + 5);
    let got = audit.got();
    assert_eq!(got.len(), 13, "{:?}", got.iter().map(|got| (number(got.id()), got.status)).collect::<Vec<_>>());
    assert!(got[..7].iter().all(|one| one.id() == got[0].id() && number(one.id()) == first));
    let stamps: Vec<_> = got[..7].iter().map(|got| got.head("webhook-timestamp").unwrap().parse::<i64>().unwrap()).collect();
    assert!(stamps.is_sorted());
    assert!(got[8].at - got[7].at >= Duration::from_millis(1900), "{:?}", got[8].at - got[7].at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_set_aside_with_its_reason_and_comes_when_a_person_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let audit = Receiver::start();
    know(&store, &["audit"]).await;
    let first = store.size().await.unwrap();
    audit.refuses(Some("note 1"));
    notes(&store, 3).await;
    let _work = Work::of(&store, vec![courier(&settings("audit", &audit), &audit)]);
    // Of the second note's three entries one bears its text: the others pass.
    until("the rest", || audit.taken().len() >= 8).await;
    let name = "audit".parse().unwrap();
    let progress = store.progress().await.unwrap();
    assert_eq!((progress.len(), progress[0].parked.len()), (1, 1), "{progress:?}");
    let parked = &progress[0].parked[0];
    assert_eq!((parked.kind.as_str(), parked.target.as_deref()), ("note", Some("checkout@prod")));
    assert!(parked.why.as_str().contains("422"), "{}", parked.why);
    assert!(progress[0].needs_a_person());
    let tries = audit.got().iter().filter(|got| number(got.id()) == first + 4).count();
    assert_eq!(tries, 5);
    audit.refuses(None);
    assert_eq!(store.again(&name, Some(parked.seq)).await.unwrap(), 1);
    until("the refused one", || audit.taken().len() >= 9).await;
    assert_eq!(number(audit.taken().last().unwrap()), first + 4);
    stands(&store, "nothing set aside", |audit| audit.parked.is_empty().then_some(())).await;
    assert_eq!(store.again(&name, None).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_it_was_refused_is_told_although_much_is_said_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let audit = Receiver::start();
    know(&store, &["audit"]).await;
    audit.answers_by(|_| (422, format!("{{\"error\": \"no such event\", \"seen\": \"{}\"}}", "x".repeat(40_000))));
    note(&store, "1").await;
    let _work = Work::of(&store, vec![courier(&settings("audit", &audit), &audit)]);
    let trouble = stands(&store, "a refusal", |audit| audit.trouble.clone()).await;
    assert!(trouble.as_str().ends_with("answered 422 (unprocessable entity): no such event"), "{trouble}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_receiver_slows_no_other_and_no_deed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let (dead, audit) = (Receiver::start(), Receiver::start());
    dead.dies();
    know(&store, &["audit", "dead"]).await;
    let _work = Work::of(&store, vec![courier(&settings("dead", &dead), &dead), courier(&settings("audit", &audit), &audit)]);
    notes(&store, 1).await;
    until("the first to be tried", || !dead.got().is_empty()).await;
    let begin = Instant::now();
    for n in 1..20 {
        note(&store, &format!("note {n}")).await;
    }
    until("60 notices", || audit.taken().len() >= 60).await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(dead.taken().is_empty());
    let mut tried = false;
    while !tried {
        let progress = store.progress().await.unwrap();
        let of = |name: &str| progress.iter().find(|one| one.name.as_str() == name).unwrap().clone();
        assert_eq!(of("dead").behind, 60);
        tried = of("dead").trouble.is_some();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_gets_what_it_wants_and_passes_over_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let audit = Receiver::start();
    know(&store, &["audit"]).await;
    let mut settings = settings("audit", &audit);
    settings.wants = Wants { kinds: vec![NoticeKind::of_word("note").unwrap()], environments: vec!["prod".parse().unwrap()] };
    notes(&store, 40).await;
    let _work = Work::of(&store, vec![courier(&settings, &audit)]);
    until("40 notices", || audit.taken().len() >= 40).await;
    assert!(audit.got().iter().all(|got| got.json()["data"]["kind"] == "note"));
    passed(&store, "audit").await;
}
