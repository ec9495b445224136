//! Order: files and their modes, time that never runs backwards, generations, what is remembered, the journal.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::model::rollout::{Proven, Rollout, StateChange};
use crate::model::timeline::{Happening, HappeningKind};
use crate::ports::journal::Journal;
use crate::ports::ledger::{Ledger, LedgerError};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn files_are_for_their_owner_or_where_shared_for_the_group() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let own = dir.path().join("deep/own");
    let first = store(&own, &clock).await;
    first.append(&[]).await.unwrap();
    assert_eq!(mode(&own), 0o700);
    for name in ["process.key", "ledger.db", "journal.db", "ledger.db-wal", "checkpoint", "ledger.lock"] {
        assert_eq!(mode(&own.join(name)), 0o600, "{name}");
    }
    let shared = dir.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o2770)).unwrap();
    let _second = store(&shared, &clock).await;
    assert_eq!((mode(&shared.join("process.key")), mode(&shared.join("ledger.db"))), (0o640, 0o660));
    assert_eq!(mode(&shared.join("checkpoint")) & 0o007, 0);
}

#[tokio::test]
async fn the_ledgers_time_never_runs_backwards() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let first = plan(&clock, Verb::Note, "1");
    let at = store.begin(&first, &yes(first.id)).await.unwrap().at;
    clock.set_back(Duration::from_hours(1));
    let second = plan_with(&clock, Verb::Note, "2", 0, None);
    assert_eq!(store.begin(&second, &yes(second.id)).await.unwrap_err(), LedgerError::Expired(second.expires));
    clock.pass(Duration::from_secs(3599));
    let third = plan(&clock, Verb::Note, "3");
    assert_eq!(store.begin(&third, &yes(third.id)).await.unwrap().at, at);
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn the_generation_grows_with_every_commit_of_any_process() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let before = one.generation().await.unwrap();
    let target = plan(&clock, Verb::Note, "1").target().clone();
    let rollout =
        Rollout { begun: clock.now().wall, by: "unknown".to_owned(), plan: None, from: None, to: Some(Text::clean("2.0")), course: None };
    two.remember(&[StateChange::Begin { target: target.clone(), ended: 0, rollout }]).await.unwrap();
    assert!(one.generation().await.unwrap() > before);
    assert_eq!(one.states().await.unwrap()[0].rollout.as_ref().unwrap().by, "unknown");
    for version in 0..25 {
        let proven = Proven { version: Text::clean(&format!("1.{version}")), digest: None, slot: Slot::First, at: clock.now().wall };
        two.remember(&[StateChange::Prove { target: target.clone(), proven }]).await.unwrap();
    }
    let state = one.states().await.unwrap().remove(0);
    assert_eq!((state.proven.len(), state.proven[0].version.as_str()), (20, "1.24"));
    assert_eq!(one.size().await.unwrap(), 1);
}

#[tokio::test]
async fn a_commit_of_another_process_is_seen_although_the_log_was_looked_at_long_after_it_was_written() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    // A hundred years on, every time of the log lies long back.
    clock.pass(Duration::from_hours(24 * 365 * 100));
    let target = plan(&clock, Verb::Note, "1").target().clone();
    for version in 0..25 {
        let before = one.generation().await.unwrap();
        assert!(one.known.lock().unwrap().is_some(), "what was read is not kept");
        assert_eq!(one.generation().await.unwrap(), before);
        let proven = Proven { version: Text::clean(&format!("1.{version}")), digest: None, slot: Slot::First, at: clock.now().wall };
        two.remember(&[StateChange::Prove { target: target.clone(), proven }]).await.unwrap();
        assert_eq!(one.generation().await.unwrap(), before + 1);
    }
}

#[tokio::test]
async fn a_rollout_that_ended_does_not_begin_again_by_what_was_known_before() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let target = plan(&clock, Verb::Note, "1").target().clone();
    let begin = |ended, by: &str| {
        let rollout = Rollout { begun: clock.now().wall, by: by.to_owned(), plan: None, from: None, to: None, course: None };
        StateChange::Begin { target: target.clone(), ended, rollout }
    };
    store.remember(&[begin(0, "ana")]).await.unwrap();
    store.remember(&[begin(0, "seen again before it was read back")]).await.unwrap();
    assert_eq!(store.states().await.unwrap()[0].rollout.as_ref().unwrap().by, "ana");
    store
        .remember(&[StateChange::End { target: target.clone(), stable: Slot::Second, at: None }, begin(0, "seen before the end")])
        .await
        .unwrap();
    assert_eq!(store.states().await.unwrap()[0].rollout, None);
    store.remember(&[begin(1, "bo")]).await.unwrap();
    assert_eq!(store.states().await.unwrap()[0].rollout.as_ref().unwrap().by, "bo");
}

#[tokio::test]
async fn a_read_only_room_refuses_deeds() {
    let clock = Still::new();
    let store = SqliteStore::memory(clock.clone(), identity()).await.unwrap();
    store.set_read_only(true);
    let note = plan(&clock, Verb::Note, "1");
    assert!(matches!(store.begin(&note, &yes(note.id)).await, Err(LedgerError::Denied(_))));
}

#[tokio::test]
async fn an_installation_without_a_given_name_makes_one_and_keeps_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let first = SqliteStore::open(dir.path(), clock.clone(), None).await.unwrap().installation();
    let again = SqliteStore::open(dir.path(), clock.clone(), None).await.unwrap();
    assert_eq!((first.len(), &again.installation()), (16, &first));
    assert_eq!(again.condition(), None);
}

#[tokio::test]
async fn the_journal_keeps_the_newest_and_compacts_the_oldest() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let now = clock.now().wall;
    let happening = |n: i64| Happening {
        at: now - TimeDelta::days(n),
        kind: HappeningKind::Note,
        target: None,
        text: Text::clean(&format!("day {n} {}", "x".repeat(500))),
        source: "test".to_owned(),
        deed: None,
        links: Vec::new(),
    };
    let event = |n: i64| super::line("happening", happening(n).at, &happening(n));
    store.append(&(0..1000).rev().map(|n| event(n / 50)).collect::<Vec<_>>()).await.unwrap();
    store.append(&[super::line("polled", now, &serde_json::json!({}))]).await.unwrap();
    let newest = store.happenings(2).await.unwrap();
    assert_eq!(newest, [happening(0), happening(0)]);
    assert_eq!(store.compact(14, u64::MAX).await.unwrap(), 250);
    assert_eq!(store.happenings(5000).await.unwrap()[0], happening(14));
    assert!(store.compact(14, 200_000).await.unwrap() > 100);
    assert!(std::fs::metadata(dir.path().join("journal.db")).unwrap().len() <= 200_000);
    assert_eq!(store.happenings(1).await.unwrap(), [happening(0)]);
}

#[tokio::test]
async fn several_who_open_a_new_store_at_once_found_it_once() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    for round in 0..5 {
        let dir = dir.path().join(format!("odd name ?#%20 {round}"));
        let open = || SqliteStore::open(&dir, clock.clone(), None);
        let (a, b, c) = tokio::join!(open(), open(), open());
        let stores = [a.unwrap(), b.unwrap(), c.unwrap()];
        for store in &stores {
            assert_eq!((store.condition(), store.size().await.unwrap()), (None, 1));
            assert_eq!(store.installation(), stores[0].installation());
            assert!(store.verify().await.unwrap().intact);
        }
    }
}

#[tokio::test]
async fn two_rooms_that_tell_of_one_departure_at_once_write_each_line_once() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let line = |at: DateTime<chrono::Utc>, target: &str, source: &str, text: &str| {
        let target = Some(target.parse().unwrap());
        let told = Happening {
            at,
            kind: HappeningKind::Deed,
            target,
            text: Text::clean(text),
            source: source.to_owned(),
            deed: None,
            links: Vec::new(),
        };
        super::line("happening", at, &told)
    };
    let departs = clock.now().wall;
    let tomorrow = departs + TimeDelta::days(1);
    let lines = |who: &str| {
        vec![
            line(departs, "shop@prod", "train express", &format!("missed express, says {who}")),
            line(departs, "mail@prod", "train express", "leaves with express"),
            line(departs, "shop@prod", "train slow", "leaves with slow"),
            line(tomorrow, "shop@prod", "train express", "leaves with express"),
        ]
    };
    let (ones, twos) = (lines("one"), lines("two"));
    let (first, second) = tokio::join!(one.append(&ones), two.append(&twos));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    two.append(&lines("two, later")).await.unwrap();
    let told = one.happenings(99).await.unwrap();
    let of = |at, source: &str| told.iter().filter(|one| one.at == at && one.source == source).count();
    assert_eq!(
        (told.len(), of(departs, "train express"), of(departs, "train slow"), of(tomorrow, "train express")),
        (4, 2, 1, 1),
        "{told:?}"
    );
    // What people and deeds say is written as often as it is said.
    for _ in 0..2 {
        one.append(&[line(departs, "shop@prod", "ana", "shift EFFECTIVE")]).await.unwrap();
    }
    assert_eq!(two.happenings(99).await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_long_line_is_kept_small_and_read_as_it_was() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let now = clock.now().wall;
    let long = |event: &str, again: bool| {
        let services: Vec<String> = (0..40_000).map(|n| format!("service-{n:05} of a large room")).collect();
        serde_json::json!({ "event": event, "services": services, "again": again })
    };
    let (first, again, reading) = (long("opened", false), long("opened", true), long("polled", false));
    let opened = super::line("opened", now, &first);
    let goes_on = Line { again: true, ..super::line("opened", now, &again) };
    let lines =
        [opened, super::line("reading", now, &reading), goes_on, super::line("reading", now, &serde_json::json!({ "event": "still" }))];
    let whole = serde_json::to_string(&reading).unwrap().len();
    assert!(whole > 1_000_000 && lines[1].json.kept_bytes() < whole / 4, "{} of {whole} bytes", lines[1].json.kept_bytes());
    store.append(&lines).await.unwrap();
    let stretch = store.stretches().await.unwrap().remove(0);
    assert_eq!(stretch.beginnings.iter().map(|one| one.again).collect::<Vec<_>>(), [false, true]);
    let read = Journal::lines(&store, &stretch.room, 0, i64::MAX, 10).await.unwrap();
    let said: Vec<serde_json::Value> = read.iter().map(|line| serde_json::from_str(&line.json).unwrap()).collect();
    assert_eq!(said, [first, reading, again, serde_json::json!({ "event": "still" })]);
    let mut back = store.lines_before(&stretch.room, i64::MAX, 10).await.unwrap();
    back.reverse();
    assert_eq!(back, read);
}

#[tokio::test]
async fn what_the_dead_left_half_written_is_swept_and_the_livings_is_not() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let living = store(dir.path(), &clock).await;
    let kept = dir.path().join(format!(".checkpoint.{}.7.tmp", living.owner.name()));
    let left = dir.path().join(".checkpoint.00000000000000aa.3.tmp");
    std::fs::write(&kept, "").unwrap();
    std::fs::write(&left, "").unwrap();
    let _other = store(dir.path(), &clock).await;
    assert_eq!((kept.exists(), left.exists()), (true, false));
}

/// Prints what opening and committing cost here: `cargo test --release --lib store::tests::order::cost -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement, not a test"]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement takes real time and tells it")]
async fn cost() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let watch = |since: std::time::Instant| since.elapsed().as_secs_f64() * 1000.0;
    let began = std::time::Instant::now();
    let first = store(dir.path(), &clock).await;
    println!("first open {:.2} ms", watch(began));
    let mut commits = Vec::new();
    for nonce in 0..300 {
        let note = plan(&clock, Verb::Note, &nonce.to_string());
        let began = std::time::Instant::now();
        first.begin(&note, &yes(note.id)).await.unwrap();
        commits.push(watch(began));
    }
    commits.sort_by(f64::total_cmp);
    println!("begin of a note, three entries: median {:.2} ms, p99 {:.2} ms", commits[150], commits[296]);
    let began = std::time::Instant::now();
    for _ in 0..1000 {
        first.generation().await.unwrap();
    }
    println!("generation {:.3} ms", watch(began) / 1000.0);
    let began = std::time::Instant::now();
    assert!(first.verify().await.unwrap().intact);
    println!("verify of 901 entries {:.1} ms", watch(began));
    first.close().await;
    let memory = SqliteStore::memory(clock.clone(), identity()).await.unwrap();
    let began = std::time::Instant::now();
    for nonce in 0..100 {
        let note = plan(&clock, Verb::Note, &nonce.to_string());
        memory.begin(&note, &yes(note.id)).await.unwrap();
    }
    println!("begin of a note in memory {:.2} ms", watch(began) / 100.0);
    let shift = plan(&clock, Verb::Shift, "cost");
    let begun = memory.begin(&shift, &yes(shift.id)).await.unwrap();
    let began = std::time::Instant::now();
    memory.sending(&begun, 0).await.unwrap();
    println!("sending in memory {:.2} ms", watch(began));
    let mut opens = Vec::new();
    for _ in 0..50 {
        let began = std::time::Instant::now();
        let again = store(dir.path(), &clock).await;
        opens.push(watch(began));
        again.close().await;
    }
    opens.sort_by(f64::total_cmp);
    println!("open again: median {:.2} ms, worst {:.2} ms", opens[25], opens[49]);
}
