//! Witnesses: what is kept at second places, what it finds out, and that a dead one stops nothing.

use std::process::Command;

use super::*;
use crate::ports::ledger::{Ledger as _, LedgerError};

const KEPT: &str = "test.checkpoint";

async fn watched(dir: &Path, clock: &Arc<Still>, places: &[&Path]) -> SqliteStore {
    let places: Vec<_> = places.iter().map(|place| place.to_path_buf()).collect();
    store(dir, clock).await.watched(&places).await
}

async fn noted(store: &SqliteStore, clock: &Still, nonce: &str) {
    let note = plan(clock, Verb::Note, nonce);
    store.begin(&note, &yes(note.id)).await.unwrap();
}

/// Copies the whole store, its checkpoint too, as a machine's owner or a backup would.
fn copy(from: &Path, to: &Path) {
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "checkpoint", "process.key"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

fn git(place: &Path, arguments: &[&str]) -> String {
    let ended = Command::new("git").arg("-C").arg(place).args(arguments).output().expect("git is installed");
    assert!(ended.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

#[tokio::test]
async fn each_commit_is_kept_at_every_place() {
    let (dir, place, repository) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = Still::new();
    git(repository.path(), &["init", "--quiet"]);
    // What somebody else had prepared in the repository is not ours to commit, and its hooks are not ours to run.
    std::fs::write(repository.path().join("theirs"), "draft").unwrap();
    git(repository.path(), &["add", "theirs"]);
    let hook = repository.path().join(".git/hooks/pre-commit");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let store = watched(dir.path(), &clock, &[place.path(), repository.path()]).await;
    for nonce in ["1", "2", "3"] {
        noted(&store, &clock, nonce).await;
        let note = store.checkpoint().unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(place.path().join(KEPT)).unwrap(), note);
        assert_eq!(git(repository.path(), &["show", &format!("HEAD:{KEPT}")]), note);
    }
    assert_eq!(store.witnesses(), []);
    let log = git(repository.path(), &["log", "--format=%s", "--name-only"]);
    assert_eq!(log.matches(KEPT).count(), 4, "one at the start, one a deed: {log}");
    assert!(log.starts_with("gonogo/test: 10 entries\n") && !log.contains("theirs"), "{log}");
    assert!(git(repository.path(), &["status", "--porcelain"]).starts_with("A  theirs"));
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn yesterdays_store_with_yesterdays_checkpoint_is_found_out() {
    let (dir, aside, place, clock) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let first = watched(dir.path(), &clock, &[place.path()]).await;
    noted(&first, &clock, "1").await;
    let size = first.size().await.unwrap();
    copy(dir.path(), aside.path());
    noted(&first, &clock, "2").await;
    first.close().await;
    let before = std::fs::read_to_string(place.path().join(KEPT)).unwrap();
    copy(aside.path(), dir.path());
    let unwatched = store(dir.path(), &clock).await;
    assert_eq!(unwatched.condition(), None, "by itself it holds");
    unwatched.close().await;
    let cut = watched(dir.path(), &clock, &[place.path()]).await;
    let Some(LedgerError::Broken(why)) = cut.condition() else { panic!("{:?}", cut.condition()) };
    assert!(why.as_str().contains(&format!("has {size} entries but its witness")), "{why}");
    let note = plan(&clock, Verb::Note, "3");
    assert!(matches!(cut.begin(&note, &yes(note.id)).await, Err(LedgerError::Broken(_))));
    let found = cut.verify().await.unwrap();
    assert_eq!((found.intact, found.first_bad, found.reason.unwrap().as_str()), (false, None, "checkpoint"));
    assert_eq!(std::fs::read_to_string(place.path().join(KEPT)).unwrap(), before, "never to a smaller size");
}

#[tokio::test]
async fn another_history_is_found_out_although_it_is_longer() {
    let (dir, fork, place, clock) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let first = watched(dir.path(), &clock, &[place.path()]).await;
    copy(dir.path(), fork.path());
    noted(&first, &clock, "here").await;
    first.close().await;
    let other = store(fork.path(), &clock).await;
    for nonce in ["there", "and", "more"] {
        noted(&other, &clock, nonce).await;
    }
    other.close().await;
    let forked = watched(fork.path(), &clock, &[place.path()]).await;
    let Some(LedgerError::Broken(why)) = forked.condition() else { panic!("{:?}", forked.condition()) };
    assert!(why.as_str().contains("are not those that the witness"), "{why}");
}

#[tokio::test]
async fn a_witness_that_cannot_be_written_is_told_and_stops_nothing() {
    let (dir, place, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let gone = place.path().join("not mounted");
    let bare = place.path().join("bare");
    git(place.path(), &["init", "--quiet", "--bare", "bare"]);
    let store = watched(dir.path(), &clock, &[&gone, &bare]).await;
    assert_eq!(store.condition(), None);
    noted(&store, &clock, "1").await;
    let told = store.witnesses();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].as_str().contains("not mounted") && told[1].as_str().contains("without a work tree"), "{told:?}");
    std::fs::create_dir(&gone).unwrap();
    noted(&store, &clock, "2").await;
    assert_eq!(store.witnesses().len(), 1);
    assert_eq!(std::fs::read_to_string(gone.join(KEPT)).unwrap(), store.checkpoint().unwrap().unwrap());
}

#[tokio::test]
async fn what_is_not_ours_at_a_witness_is_not_overwritten() {
    let (dir, place, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    std::fs::write(place.path().join(KEPT), "somebody's notes").unwrap();
    let store = watched(dir.path(), &clock, &[place.path()]).await;
    noted(&store, &clock, "1").await;
    assert_eq!(std::fs::read_to_string(place.path().join(KEPT)).unwrap(), "somebody's notes");
    assert!(store.witnesses()[0].as_str().contains("move it away"));
}

#[tokio::test]
async fn a_witness_that_hangs_delays_one_deed_and_no_other() {
    let (dir, place, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    // Reading a pipe that nobody writes never ends, as on a dead network share.
    let pipe = place.path().join(KEPT);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let store = watched(dir.path(), &clock, &[place.path()]).await;
    noted(&store, &clock, "1").await;
    assert!(store.witnesses()[0].as_str().contains("no answer"), "{:?}", store.witnesses());
    let quick = tokio::time::timeout(Duration::from_millis(1500), noted(&store, &clock, "2")).await;
    assert!(quick.is_ok(), "it waited for the witness again");
    // A writer that closes it again wakes the readers, so that this test ends.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    std::fs::remove_file(&pipe).unwrap();
    drop(writer);
    drop(store);
}

#[tokio::test]
async fn a_store_cut_back_under_a_running_process_is_noticed_by_looking() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    noted(&store, &clock, "1").await;
    let size = store.size().await.unwrap();
    let cut = "UPDATE head SET size = 1, roots = (SELECT leaf FROM entry WHERE n = 0), last = (SELECT leaf FROM entry WHERE n = 0)";
    sqlx::raw_sql(cut).execute(&mut *store.conn.lock().await).await.unwrap();
    assert!(matches!(store.generation().await, Err(LedgerError::Broken(_))));
    assert!(matches!(store.condition(), Some(LedgerError::Broken(_))));
    let note = plan(&clock, Verb::Note, "2");
    assert!(matches!(store.begin(&note, &yes(note.id)).await, Err(LedgerError::Broken(_))), "{size}");
}
