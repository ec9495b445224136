//! Exports: whole ones hold, and whatever is changed in one, cut from it or put into it is found at its place.

use base64ct::Encoding as _;

use super::format::filled;
use super::*;
use crate::model::reason::Reason;
use crate::ports::ledger::{Ledger as _, LedgerError, Verification};
use crate::store::Export;

/// An export with an entry of every kind that can be written today.
pub async fn exported(dir: &Path, clock: &Arc<Still>) -> (SqliteStore, Vec<u8>) {
    let store = filled(dir, clock).await;
    let denied = plan(clock, Verb::Note, "denied");
    store.deny(&denied, &[Reason::new("freeze", "a freeze", "wait until it ends")]).await.unwrap();
    let file = store.export(None).await.unwrap();
    (store, file)
}

pub fn verify(file: &[u8]) -> Verification {
    Export::read(file).verify(None, None)
}

pub fn lines(file: &[u8]) -> Vec<&[u8]> {
    file.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect()
}

fn joined(lines: &[&[u8]]) -> Vec<u8> {
    [lines.join(&b'\n'), b"\n".to_vec()].concat()
}

#[tokio::test]
async fn what_is_removed_reordered_invented_or_cut_is_found_at_its_place() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (_, file) = exported(dir.path(), &clock).await;
    let all = lines(&file);
    let told = |lines: &[&[u8]]| {
        let found = verify(&joined(lines));
        (found.first_bad, found.reason.map(|why| why.to_string()).unwrap_or_default())
    };
    let without = |at: usize| [&all[..at], &all[at + 1..]].concat();
    // Entry n stands in line n + 1. What follows a removed entry names another one above it than stands there now.
    for n in 1..all.len() - 3 {
        assert_eq!(told(&without(n + 1)).0, Some(u64::try_from(n - 1).unwrap()), "entry {n} removed");
    }
    assert_eq!(told(&without(1)).0, Some(0), "the first entry removed");
    assert_eq!(told(&without(all.len() - 2)), (None, "checkpoint".to_owned()), "the last entry removed");
    assert_eq!(told(&without(all.len() - 1)), (None, "checkpoint".to_owned()), "the closing line removed");
    assert_eq!(told(&without(0)).0, Some(0), "the header removed");
    for n in 1..all.len() - 3 {
        let mut swapped = all.clone();
        swapped.swap(n + 1, n + 2);
        assert_eq!(told(&swapped).0, Some(u64::try_from(n - 1).unwrap()), "entry {n} after the next");
        let mut twice = all.clone();
        twice.insert(n + 1, all[n + 1]);
        assert_eq!(told(&twice).0, Some(u64::try_from(n).unwrap()), "entry {n} twice");
    }
    for most in 1..all.len() - 1 {
        assert_eq!(told(&all[..most]), (None, "checkpoint".to_owned()), "cut after line {most}");
    }
    for cut in [1, 2, 100, 400] {
        assert!(!verify(&file[..file.len() - cut]).intact, "{cut} bytes cut");
    }
    assert!(!verify(b"").intact && !verify(b"\n").intact && !verify(b"\n\n\n").intact && !verify(&[0xff; 300]).intact);
    assert!(!verify(&[&file[..], b"\n"].concat()).intact && !verify(&[&file[..], all[3], b"\n"].concat()).intact);
    // A closing line of another moment does not close this one.
    let (store, longer) = (super::store(dir.path(), &clock).await, file.clone());
    let note = plan(&clock, Verb::Note, "later");
    store.begin(&note, &yes(note.id)).await.unwrap();
    let later = store.export(None).await.unwrap();
    let mut old = lines(&later);
    *old.last_mut().unwrap() = lines(&longer).last().unwrap();
    assert_eq!(told(&old), (None, "checkpoint".to_owned()));
}

#[tokio::test]
async fn a_kept_checkpoint_finds_a_cut_tail_and_a_rewritten_history() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let first = store(dir.path(), &clock).await;
    let early = first.checkpoint().unwrap().unwrap();
    first.close().await;
    let (store, file) = exported(dir.path(), &clock).await;
    let late = store.checkpoint().unwrap().unwrap();
    for kept in [&early, &late] {
        assert!(Export::read(&file).verify(Some(kept), None).intact);
        assert!(store.verify_with(Some(kept.clone()), None).await.unwrap().intact);
    }
    // The machine's owner cuts the tail and has the process sign what is left: only the kept checkpoint tells.
    let cut = store.export(Some(5)).await.unwrap();
    assert!(verify(&cut).intact);
    let found = Export::read(&cut).verify(Some(&late), None);
    assert_eq!((found.intact, found.first_bad, found.reason.unwrap().as_str()), (false, None, "checkpoint"));
    let other = tempfile::tempdir().unwrap();
    let strange = SqliteStore::open(other.path(), clock.clone(), None).await.unwrap().checkpoint().unwrap().unwrap();
    for wrong in [strange.as_str(), "", "gonogo/test\n5\n"] {
        let found = store.verify_with(Some(wrong.to_owned()), None).await.unwrap();
        assert_eq!((found.intact, found.reason.unwrap().as_str()), (false, "checkpoint"), "{wrong}");
    }
}

#[tokio::test]
async fn a_fork_and_another_installation_are_found_between_copies() {
    let (dir, fork, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let one = filled(dir.path(), &clock).await;
    let two = filled(fork.path(), &Still::new()).await;
    let (before, clock) = (one.export(None).await.unwrap(), clock);
    let size = one.size().await.unwrap();
    for (store, nonce) in [(&one, "here"), (&two, "there")] {
        let note = plan(&clock, Verb::Note, nonce);
        store.begin(&note, &yes(note.id)).await.unwrap();
    }
    let (one_file, two_file) = (one.export(None).await.unwrap(), two.export(None).await.unwrap());
    let told = |file: &[u8], other: &[u8]| {
        let found = Export::read(file).verify(None, Some(&Export::read(other)));
        (found.intact, found.first_bad, found.reason.map(|why| why.to_string()).unwrap_or_default())
    };
    assert!(verify(&one_file).intact && verify(&two_file).intact);
    // The shorter is the beginning of the longer, in either order.
    assert!(told(&one_file, &before).0 && told(&before, &one_file).0 && told(&one_file, &one_file).0);
    let (intact, first_bad, why) = told(&one_file, &two_file);
    assert_eq!((intact, first_bad), (false, Some(size)), "{why}");
    assert!(why.starts_with("fork: "), "{why}");
    assert_eq!(one.verify_with(None, Some(two_file.clone())).await.unwrap().first_bad, Some(size));
    let elsewhere = tempfile::tempdir().unwrap();
    let clock: Arc<dyn crate::ports::clock::Clock> = clock;
    let stranger = SqliteStore::open(elsewhere.path(), clock, None).await.unwrap().export(None).await.unwrap();
    let (intact, first_bad, why) = told(&one_file, &stranger);
    assert_eq!((intact, first_bad, why.as_str()), (false, None, "against: the other copy is of another installation"));
    let mut damaged = two_file.clone();
    let place = damaged.len() / 2;
    damaged[place] ^= 1;
    assert!(told(&one_file, &damaged).2.starts_with("against: the other copy is not intact at entry "));
    // Entries of another installation replayed into this ledger are not its own.
    let mut replayed = lines(&one_file);
    let foreign = lines(&stranger)[1];
    replayed.splice(1..2, [foreign]);
    assert_eq!(verify(&joined(&replayed)).first_bad, Some(0));
}

#[tokio::test]
async fn a_ledger_that_lost_its_tail_is_exported_with_the_checkpoint_that_shows_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (store, _) = exported(dir.path(), &clock).await;
    store.close().await;
    let whole = super::store(dir.path(), &clock).await;
    let mut conn = whole.conn.lock().await;
    sqlx::raw_sql("DELETE FROM entry WHERE n = (SELECT max(n) FROM entry)").execute(&mut *conn).await.unwrap();
    drop(conn);
    whole.close().await;
    let cut = super::store(dir.path(), &clock).await;
    assert!(matches!(cut.condition(), Some(LedgerError::Broken(_))));
    let found = verify(&cut.export(None).await.unwrap());
    assert_eq!((found.intact, found.first_bad, found.reason.unwrap().as_str()), (false, None, "checkpoint"));
    // Nothing new is signed for a ledger that does not hold.
    std::fs::remove_file(dir.path().join("checkpoint")).unwrap();
    cut.close().await;
    assert!(super::store(dir.path(), &clock).await.export(None).await.is_err());
}

#[test]
fn base64_has_one_form() {
    for wrong in ["QQ", "QQ=", "QR==", "Q===", "QUI", "QUJ=", "QUI==", "QU I=", "QUI=\n", "_-=="] {
        assert!(base64ct::Base64::decode_vec(wrong).is_err(), "{wrong}");
    }
    assert_eq!(base64ct::Base64::decode_vec("QUI=").unwrap(), b"AB");
}
