//! One write transaction of the ledger: under its lock, from `BEGIN IMMEDIATE` to the published checkpoint.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::{MutexGuard, oneshot};
use tokio::task::JoinHandle;

use super::checkpoint::{Checkpoint, Prepared};
use super::fault::{broken, unwritable};
use super::head::{Entry, FileGuard, Head};
use super::record::{Line, to_line};
use super::schema::Part;
use super::sign::ProcessKey;
use super::sqlite::SqliteStore;
use super::tree::leaf;
use crate::model::deed::EntryKind;
use crate::model::rules::RuleSet;
use crate::model::time::Moment;
use crate::ports::ledger::LedgerError;

/// Keeps the evidence, writes a line for the receivers while anybody is to be told anything, and the entry itself: one call, since each
/// waits for the database's thread.
const APPEND: &str = "INSERT OR IGNORE INTO evidence (digest, json) SELECT ?, ? WHERE ? IS NOT NULL; \
     INSERT INTO outbox (n, kind, at, target) SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM receiver); \
     INSERT INTO entry (n, line, leaf, at, kind, signer, deed, verb, target, requester, verdict, facts, words, evidence) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The locked ledger. Begin one transaction on it.
pub struct Gate<'a> {
    pub(super) store: &'a SqliteStore,
    pub(super) conn: MutexGuard<'a, SqliteConnection>,
    /// Held until the end: given back after the connection.
    pub(super) _file: FileGuard<'a>,
}

impl Gate<'_> {
    /// Begins the transaction and reads where the ledger stands.
    pub async fn begin(&mut self) -> Result<Write<'_>, LedgerError> {
        let store = self.store;
        let key = store.key.as_ref().ok_or_else(|| broken("process.key is missing; restore it from a copy"))?;
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        let head = store.head(&mut tx).await?;
        let rules = store.named();
        let is_settled = store.are_accepted(rules.as_deref(), head.generation);
        let moment = store.clock.now();
        let wall = DateTime::from_timestamp_millis(moment.wall.timestamp_millis()).unwrap_or(head.at);
        let write = Write {
            store,
            key,
            tx,
            at: wall.max(head.at),
            moment,
            head,
            appended: false,
            rules,
            is_settled,
            personal: Vec::new(),
            seen: None,
        };
        if store.lagging.load(Ordering::SeqCst) {
            if let Some(prepared) = write.prepare().await? {
                prepared.publish()?;
            }
            store.lagging.store(false, Ordering::SeqCst);
        }
        Ok(write)
    }
}

/// One write transaction. Dropped without [`Write::commit`], it has changed nothing.
pub struct Write<'a> {
    pub(super) store: &'a SqliteStore,
    pub(super) key: &'a ProcessKey,
    /// The transaction.
    pub tx: Transaction<'a, Sqlite>,
    /// Now, by the ledger's time, which never runs backwards.
    pub at: DateTime<Utc>,
    /// Now, on both clocks.
    pub moment: Moment,
    head: Head,
    appended: bool,
    /// The rules by which this process judges, as they were when the transaction began.
    pub(super) rules: Option<Arc<(String, RuleSet)>>,
    /// Whether they are known to be the accepted ones in this transaction.
    pub(super) is_settled: bool,
    /// Entries to come that a person's own key has signed: kind, body, person, SSHSIG blob, each checked.
    pub(super) personal: Vec<(EntryKind, Vec<u8>, String, Vec<u8>)>,
    /// Evidence of the next entry of a kind: its digest and its bytes.
    pub(super) seen: Option<(EntryKind, String, Vec<u8>)>,
}

impl Write<'_> {
    /// Appends an entry; before it the rules are named when they changed, and before one that a person can sign the signers.
    pub async fn append(&mut self, entry: Entry) -> Result<(), LedgerError> {
        self.name_rules().await?;
        if entry.kind.is_personal() {
            self.name_signers().await?;
        }
        self.put(entry).await
    }

    /// Appends an entry, signed by the person's own key when that was given for it, else by the process key.
    pub(super) async fn put(&mut self, entry: Entry) -> Result<(), LedgerError> {
        let n = self.head.tree.size();
        let own = self.personal.iter().position(|(kind, body, ..)| *kind == entry.kind && body == &entry.body);
        let line = match own.map(|place| self.personal.remove(place)) {
            Some((kind, body, person, blob)) => Line::signed_by(&person, &blob, n, &self.head.last, &self.at, kind, &body),
            None => Line::sign(self.key, n, &self.head.last, &self.at, entry.kind, &entry.body)?,
        };
        let bytes = to_line(&line)?;
        let hash = leaf(&bytes);
        let (number, kind, at) = (i64::try_from(n).map_err(broken)?, entry.kind.word(), self.at.timestamp_millis());
        let (digest, seen) = self.seen.take_if(|(kind, ..)| *kind == entry.kind).map(|(_, digest, bytes)| (digest, bytes)).unzip();
        sqlx::query(APPEND)
            .bind(digest.clone())
            .bind(seen)
            .bind(digest.clone())
            .bind(number)
            .bind(kind)
            .bind(at)
            .bind(entry.target.clone())
            .bind(number)
            .bind(bytes)
            .bind(hash.to_vec())
            .bind(at)
            .bind(kind)
            .bind(line.signer)
            .bind(entry.deed.map(|deed| deed.to_string()))
            .bind(entry.verb)
            .bind(entry.target)
            .bind(entry.requester)
            .bind(entry.verdict)
            .bind(serde_json::to_string(&entry.facts).map_err(broken)?)
            .bind(entry.words)
            .bind(digest)
            .execute(&mut *self.tx)
            .await?;
        self.head.tree.push(hash);
        self.head.last = hash;
        self.appended = true;
        Ok(())
    }

    /// The number of the next entry.
    pub fn next(&self) -> u64 {
        self.head.tree.size()
    }

    /// Commits; the checkpoint is written before, is on the disk and takes its place after.
    pub async fn commit(mut self) -> Result<DateTime<Utc>, LedgerError> {
        // The file is written while the database works, and goes to the disk beside the commit.
        let writing = if self.appended { self.note_file()? } else { None };
        let updated = sqlx::query("UPDATE head SET size = ?, roots = ?, last = ?, at = ?, generation = generation + 1")
            .bind(i64::try_from(self.head.tree.size()).map_err(broken)?)
            .bind(self.head.tree.to_bytes())
            .bind(self.head.last.to_vec())
            .bind(self.at.timestamp_millis())
            .execute(&mut *self.tx)
            .await;
        let syncing = written(writing).await?;
        updated?;
        let Self { store, tx, at, head, rules, is_settled, .. } = self;
        tx.commit().await?;
        store.settle_rules(rules.filter(|_| is_settled).as_deref(), head.generation.saturating_add(1));
        store.seen.fetch_max(head.tree.size(), Ordering::SeqCst);
        if let Some((note, syncing)) = syncing {
            if synced(syncing).await.and_then(Prepared::publish).is_err() {
                // What is committed stays committed; the next transaction begins by making up for this, or refuses.
                store.lagging.store(true, Ordering::SeqCst);
            }
            store.tell_witnesses(&note).await;
        }
        Ok(at)
    }

    /// Writes the checkpoint of the tree as it is now under a temporary name; none for a store in memory.
    pub async fn prepare(&self) -> Result<Option<Prepared>, LedgerError> {
        match written(self.note_file()?).await? {
            Some((_, syncing)) => synced(syncing).await.map(Some),
            None => Ok(None),
        }
    }

    /// Begins to write it, on a thread that may wait for the disk.
    fn note_file(&self) -> Result<Option<Writing>, LedgerError> {
        let Some(dir) = self.store.dir.clone() else { return Ok(None) };
        let note = Checkpoint::sign(self.key, &self.head.tree)?;
        let turn = self.store.turn.fetch_add(1, Ordering::SeqCst);
        let writer = format!("{}.{turn}", self.store.owner.name());
        let mode = self.store.mode;
        let (tell, written) = oneshot::channel();
        let syncing = tokio::task::spawn_blocking({
            let note = note.clone();
            move || {
                let (prepared, out) = Prepared::write(&dir, &writer, &note, mode)?;
                // Who does not wait any more needs no answer.
                let _ = tell.send(());
                prepared.synced(&out)
            }
        });
        Ok(Some(Writing { note, written, syncing }))
    }
}

/// A checkpoint on its way to the disk.
struct Writing {
    note: String,
    /// That it is written, so that the disk had room for it.
    written: oneshot::Receiver<()>,
    /// That it is on the disk.
    syncing: JoinHandle<Result<Prepared, LedgerError>>,
}

/// Waits until it is written.
async fn written(writing: Option<Writing>) -> Result<Option<(String, JoinHandle<Result<Prepared, LedgerError>>)>, LedgerError> {
    let Some(Writing { note, written, syncing }) = writing else { return Ok(None) };
    match written.await {
        Ok(()) => Ok(Some((note, syncing))),
        // Nothing is told when it could not be written: the reason is at the end.
        Err(_) => Err(synced(syncing).await.err().unwrap_or_else(|| unwritable("checkpoint: it was not written"))),
    }
}

/// Waits until it is on the disk.
async fn synced(syncing: JoinHandle<Result<Prepared, LedgerError>>) -> Result<Prepared, LedgerError> {
    syncing.await.map_err(|error| unwritable(format!("checkpoint: {error}")))?
}

impl SqliteStore {
    /// Locks the ledger against every other writer, this process's own included.
    pub(super) async fn lock(&self) -> Result<Gate<'_>, LedgerError> {
        if let Some(why) = self.condition() {
            return Err(why);
        }
        let file = FileGuard::wait(self.gate.lock().await).await?;
        if let (Some(dir), Some(inode)) = (&self.dir, self.inode) {
            // SQLite goes on writing into a file that was deleted, where nobody would ever find it.
            let there = std::fs::metadata(dir.join(Part::Ledger.file())).map(|meta| meta.ino());
            if there.ok() != Some(inode) {
                return Err(unwritable("ledger.db was deleted or replaced while it was open; restore it and start gonogo again"));
            }
        }
        Ok(Gate { store: self, conn: self.conn.lock().await, _file: file })
    }
}
