//! Loss: cut tails, flipped bits, full disks, deleted files, directories that cannot be written.

use super::format::filled;
use super::*;
use crate::ports::ledger::{Ledger, LedgerError};

/// Copies the store as it lies on the disk, write-ahead log included.
fn copy(from: &Path, to: &Path) {
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_ledger_cut_back_to_an_earlier_commit_is_noticed_and_still_read() {
    let (dir, aside, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let first = filled(dir.path(), &clock).await;
    let size = first.size().await.unwrap();
    copy(dir.path(), aside.path());
    let note = plan(&clock, Verb::Note, "later");
    first.begin(&note, &yes(note.id)).await.unwrap();
    first.close().await;
    copy(aside.path(), dir.path());
    let cut = store(dir.path(), &clock).await;
    let Some(LedgerError::Broken(why)) = cut.condition() else { panic!("{:?}", cut.condition()) };
    assert!(why.as_str().contains(&format!("entries {size} to {} are lost", size + 2)), "{why}");
    assert!(matches!(cut.begin(&note, &yes(note.id)).await, Err(LedgerError::Broken(_))));
    assert_eq!(cut.entries(0, 99).await.unwrap().len(), usize::try_from(size).unwrap());
    assert_eq!(cut.recent_deeds(99).await.unwrap().len(), 4);
    let found = cut.verify().await.unwrap();
    assert_eq!((found.intact, found.first_bad, found.reason.unwrap().as_str()), (false, None, "checkpoint"));
}

#[tokio::test]
async fn a_lost_ledger_beside_its_checkpoint_is_noticed() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    filled(dir.path(), &clock).await.close().await;
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join(name));
    }
    let before = std::fs::read(dir.path().join("checkpoint")).unwrap();
    let empty = store(dir.path(), &clock).await;
    assert!(matches!(empty.condition(), Some(LedgerError::Broken(_))));
    assert_eq!(empty.size().await.unwrap(), 0);
    assert_eq!(std::fs::read(dir.path().join("checkpoint")).unwrap(), before, "never to a smaller size");
}

#[tokio::test]
async fn a_tampered_line_is_found_at_its_number() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let tampered = "UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), '\"kind\":\"resume\"', '\"kind\":\"held\"') AS BLOB)";
    sqlx::query(tampered).execute(&mut *store.conn.lock().await).await.unwrap();
    let found = store.verify().await.unwrap();
    assert_eq!((found.intact, found.first_bad), (false, Some(5)), "{found:?}");
}

#[tokio::test]
async fn a_checkpoint_that_is_behind_is_brought_up_and_a_foreign_one_refused() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let path = dir.path().join("checkpoint");
    let first = store(dir.path(), &clock).await;
    let old = std::fs::read(&path).unwrap();
    let note = plan(&clock, Verb::Note, "1");
    first.begin(&note, &yes(note.id)).await.unwrap();
    let new = std::fs::read(&path).unwrap();
    first.close().await;
    std::fs::write(&path, &old).unwrap();
    let again = store(dir.path(), &clock).await;
    assert_eq!(again.condition(), None);
    assert_eq!(std::fs::read(&path).unwrap(), new);
    again.close().await;
    let strange = crate::store::sign::ProcessKey::from_seed(&[9; 32], Some("test")).unwrap();
    std::fs::write(&path, strange.note(std::str::from_utf8(&new).unwrap().split_once("\n\n").unwrap().0).unwrap()).unwrap();
    assert!(matches!(store(dir.path(), &clock).await.condition(), Some(LedgerError::Broken(_))));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(store(dir.path(), &clock).await.condition(), Some(LedgerError::Broken(_))));
}

#[tokio::test]
async fn a_full_disk_refuses_the_deed_and_changes_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let before = store.lines().await.unwrap();
    let mut conn = store.conn.lock().await;
    sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut *conn).await.unwrap();
    drop(conn);
    let mut refused = None;
    for nonce in 0..200 {
        let (before, plan) = (store.size().await.unwrap(), plan(&clock, Verb::Note, &nonce.to_string()));
        if let Err(error) = store.begin(&plan, &yes(plan.id)).await {
            assert_eq!(store.size().await.unwrap(), before);
            assert!(store.deed(&plan.id.short()).await.is_err());
            refused = Some(error);
            break;
        }
    }
    let Some(LedgerError::Unwritable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.as_str().contains("make room"), "{why}");
    assert!(store.lines().await.unwrap().1.starts_with(&before.1));
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_written_refuses_the_deed() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let size = store.size().await.unwrap();
    // A directory in the place of the temporary file: as unwritable for root as for anyone.
    let turn = store.turn.load(Ordering::SeqCst);
    std::fs::create_dir(dir.path().join(format!(".checkpoint.{}.{turn}.tmp", store.owner.name()))).unwrap();
    let plan = plan(&clock, Verb::Note, "1");
    assert!(matches!(store.begin(&plan, &yes(plan.id)).await, Err(LedgerError::Unwritable(_))));
    assert_eq!(store.size().await.unwrap(), size);
    store.begin(&plan, &yes(plan.id)).await.unwrap();
}

#[tokio::test]
async fn a_deleted_file_refuses_the_deed() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    std::fs::rename(dir.path().join("ledger.db"), dir.path().join("gone.db")).unwrap();
    let plan = plan(&clock, Verb::Note, "1");
    assert!(matches!(store.begin(&plan, &yes(plan.id)).await, Err(LedgerError::Unwritable(_))));
    assert_eq!(store.size().await.unwrap(), 1, "what is open is still read");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_opens_for_reading() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    filled(dir.path(), &clock).await.close().await;
    // Root may write into any directory, so the key's mode stands for a directory without the right to write.
    let key = dir.path().join("process.key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let store = store(dir.path(), &clock).await;
    let Some(LedgerError::Unwritable(why)) = store.condition() else { panic!("{:?}", store.condition()) };
    assert!(why.as_str().contains("0600"), "{why}");
    assert_eq!(store.recent_deeds(9).await.unwrap().len(), 4);
    assert!(store.verify().await.unwrap().intact);
    let plan = plan(&clock, Verb::Note, "new");
    assert!(matches!(store.begin(&plan, &yes(plan.id)).await, Err(LedgerError::Unwritable(_))));
    let nowhere = SqliteStore::open(Path::new("/proc/gonogo"), clock.clone(), None).await;
    assert!(matches!(nowhere.err(), Some(LedgerError::Unwritable(_))));
}

#[tokio::test]
async fn a_store_of_a_newer_schema_is_refused() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let first = store(dir.path(), &clock).await;
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut *first.conn.lock().await).await.unwrap();
    first.close().await;
    let refused = SqliteStore::open(dir.path(), clock.clone(), None).await;
    let Some(LedgerError::Broken(why)) = refused.err() else { panic!() };
    assert!(why.as_str().contains("schema 99"), "{why}");
}

#[tokio::test]
async fn a_damaged_file_is_broken_and_no_panic() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    filled(dir.path(), &clock).await.close().await;
    std::fs::write(dir.path().join("ledger.db"), b"this is no database, only a text that someone put in its place").unwrap();
    let refused = SqliteStore::open(dir.path(), clock.clone(), None).await;
    assert!(matches!(refused.err(), Some(LedgerError::Broken(_))));
}

#[tokio::test]
async fn a_lost_key_refuses_deeds_and_shows_the_rest() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    filled(dir.path(), &clock).await.close().await;
    std::fs::remove_file(dir.path().join("process.key")).unwrap();
    let store = store(dir.path(), &clock).await;
    assert!(matches!(store.condition(), Some(LedgerError::Broken(_))));
    assert_eq!(store.recent_deeds(9).await.unwrap().len(), 4);
    assert!(!dir.path().join("process.key").exists(), "a lost key is not silently replaced");
}

/// Root may write anywhere, so this looks at a directory without rights through a process of another user.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the child is told by its environment where to look")]
async fn a_directory_without_the_right_to_write_is_read() {
    const WHERE: &str = "GONOGO_TEST_STORE";
    let clock = Still::new();
    if let Ok(dir) = std::env::var(WHERE) {
        let store = SqliteStore::open(Path::new(&dir), clock.clone(), None).await.unwrap();
        let Some(LedgerError::Unwritable(why)) = store.condition() else { panic!("{:?}", store.condition()) };
        assert!(why.as_str().contains("right to write"), "{why}");
        assert_eq!(store.recent_deeds(9).await.unwrap().len(), 4);
        assert!(store.verify().await.unwrap().intact);
        let plan = plan(&clock, Verb::Note, "new");
        assert!(matches!(store.begin(&plan, &yes(plan.id)).await, Err(LedgerError::Unwritable(_))));
        assert!(matches!(SqliteStore::open(&Path::new(&dir).join("new"), clock, None).await.err(), Some(LedgerError::Unwritable(_))));
        return;
    }
    let (dir, program) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(dir.path(), &clock).await.close().await;
    let readable = |path: &Path, mode| std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    for name in ["ledger.db", "checkpoint"] {
        readable(&dir.path().join(name), 0o444);
    }
    readable(&dir.path().join("owners"), 0o555);
    readable(dir.path(), 0o555);
    readable(program.path(), 0o755);
    let copy = program.path().join("tests");
    std::fs::copy("/proc/self/exe", &copy).unwrap();
    let mut child = std::process::Command::new(&copy);
    child.args(["--exact", "store::tests::loss::a_directory_without_the_right_to_write_is_read"]).env(WHERE, dir.path());
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0 {
        std::os::unix::process::CommandExt::uid(&mut child, 65_534);
    }
    let ended = child.current_dir("/").output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("1 passed"));
    readable(dir.path(), 0o755);
}

#[tokio::test]
async fn another_history_beside_the_checkpoint_is_noticed() {
    let (dir, fork, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let truth = filled(dir.path(), &clock).await;
    let (other, clock) = (filled(fork.path(), &Still::new()).await, clock);
    let (one, two) = (plan(&clock, Verb::Note, "one"), plan(&clock, Verb::Note, "two"));
    truth.begin(&one, &yes(one.id)).await.unwrap();
    other.begin(&two, &yes(two.id)).await.unwrap();
    truth.close().await;
    copy(fork.path(), dir.path());
    for _ in 0..2 {
        let forked = store(dir.path(), &clock).await;
        let Some(LedgerError::Broken(why)) = forked.condition() else { panic!("{:?}", forked.condition()) };
        assert!(why.as_str().contains("are not those of the checkpoint"), "{why}");
        assert_eq!(forked.verify().await.unwrap().reason.unwrap().as_str(), "checkpoint");
        forked.close().await;
        // Once more with a history that is longer than the checkpoint.
        let more = plan(&clock, Verb::Note, &other.size().await.unwrap().to_string());
        other.begin(&more, &yes(more.id)).await.unwrap();
        copy(fork.path(), dir.path());
    }
}

#[tokio::test]
async fn a_checkpoint_that_lags_is_made_up_for_before_the_next_deed() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let path = dir.path().join("checkpoint");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let (one, two) = (plan(&clock, Verb::Note, "1"), plan(&clock, Verb::Note, "2"));
    store.begin(&one, &yes(one.id)).await.unwrap();
    let size = store.size().await.unwrap();
    assert!(matches!(store.begin(&two, &yes(two.id)).await, Err(LedgerError::Unwritable(_))));
    assert_eq!(store.size().await.unwrap(), size, "what is refused has changed nothing");
    std::fs::remove_dir(&path).unwrap();
    store.begin(&two, &yes(two.id)).await.unwrap();
    assert!(store.verify().await.unwrap().intact);
}
