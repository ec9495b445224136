//! The store cut back to any earlier commit, with its write-ahead log or without it: noticed at the next start, and no deed is begun.

use super::*;
use crate::ports::ledger::{Ledger, LedgerError};

const FILES: [&str; 3] = ["ledger.db", "ledger.db-wal", "ledger.db-shm"];

fn copy(from: &Path, to: &Path, names: &[&str]) {
    for name in FILES {
        let _ = std::fs::remove_file(to.join(name));
        if names.contains(&name) && from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_store_cut_back_to_any_earlier_commit_is_noticed_with_its_log_and_without() {
    let (dir, aside, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let whole = store(dir.path(), &clock).await;
    let kept = |n: usize| aside.path().join(n.to_string());
    let mut commits = 0;
    for nonce in 0..6 {
        let plan = plan(&clock, Verb::Shift, &nonce.to_string());
        let deed = whole.begin(&plan, &yes(plan.id)).await.unwrap();
        let sent = whole.sending(&deed, 0).await;
        // Once in the middle what was written goes into the database itself.
        if nonce == 3 {
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *whole.conn.lock().await).await.unwrap();
        }
        std::fs::create_dir(kept(commits)).unwrap();
        copy(dir.path(), &kept(commits), &FILES);
        commits += 1;
        assert!(sent.is_ok());
        whole.record(plan.id, &outcome(EntryKind::Failed, None)).await.unwrap();
        std::fs::create_dir(kept(commits)).unwrap();
        copy(dir.path(), &kept(commits), &FILES);
        commits += 1;
    }
    whole.close().await;
    let note = std::fs::read(dir.path().join("checkpoint")).unwrap();
    let late = plan(&clock, Verb::Note, "late");
    // The last copy is of the newest commit: only its log can be lost.
    for n in 0..commits {
        for names in [&FILES[..], &FILES[..2], &FILES[..1]] {
            if n + 1 == commits && names.len() > 1 {
                continue;
            }
            copy(&kept(n), dir.path(), names);
            let what = format!("copy {n} of {commits} with {names:?}");
            match SqliteStore::open(dir.path(), clock.clone(), Some(identity())).await {
                Ok(cut) => {
                    let Some(LedgerError::Broken(why)) = cut.condition() else { panic!("{what}: {:?}", cut.condition()) };
                    assert!(why.as_str().contains("are lost"), "{what}: {why}");
                    assert!(matches!(cut.begin(&late, &yes(late.id)).await, Err(LedgerError::Broken(_))), "{what}");
                    assert!(!cut.verify().await.unwrap().intact, "{what}");
                }
                Err(error) => assert!(matches!(error, LedgerError::Broken(_)), "{what}: {error}"),
            }
            assert_eq!(std::fs::read(dir.path().join("checkpoint")).unwrap(), note, "{what}: the checkpoint was touched");
        }
    }
}
