//! One write transaction of the ledger: under its lock, from `BEGIN IMMEDIATE` to the published checkpoint.

use std::fs::{File, TryLockError};
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, Row as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::MutexGuard;

use super::checkpoint::{Checkpoint, Prepared};
use super::fault::{broken, file, unwritable};
use super::record::{Line, to_line};
use super::sign::ProcessKey;
use super::sqlite::SqliteStore;
use super::tree::{Hash, Range, leaf};
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::PlanId;
use crate::model::time::Moment;
use crate::ports::ledger::LedgerError;

/// The lock on the ledger's file, given back when it is dropped.
pub struct FileGuard<'a>(MutexGuard<'a, Option<File>>);

impl<'a> FileGuard<'a> {
    /// Waits for the lock that all processes of the store share.
    pub async fn wait(gate: MutexGuard<'a, Option<File>>) -> Result<Self, LedgerError> {
        let Some(lock) = &*gate else { return Ok(Self(gate)) };
        for _ in 0..5_000 {
            match lock.try_lock() {
                Ok(()) => return Ok(Self(gate)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(2)).await,
                Err(TryLockError::Error(error)) => return Err(file("ledger.lock", &error)),
            }
        }
        Err(unwritable("another process has held the ledger's lock for ten seconds; find it and end it"))
    }
}

impl Drop for FileGuard<'_> {
    fn drop(&mut self) {
        if let Some(lock) = &*self.0 {
            // Closing the file gives it back as well; there is nothing better to do about an error here.
            let _ = lock.unlock();
        }
    }
}

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
        let head = Head::read(&mut tx).await?;
        if head.tree.size() < store.seen.load(Ordering::SeqCst) {
            let lost = broken(format!("the ledger had more than {} entries; restore the store from a copy", head.tree.size()));
            store.refuse(lost.clone());
            return Err(lost);
        }
        let moment = store.clock.now();
        let wall = DateTime::from_timestamp_millis(moment.wall.timestamp_millis()).unwrap_or(head.at);
        let write = Write { store, key, tx, at: wall.max(head.at), moment, head, appended: false };
        if store.lagging.load(Ordering::SeqCst) {
            if let Some(prepared) = write.prepare().await? {
                prepared.publish()?;
            }
            store.lagging.store(false, Ordering::SeqCst);
        }
        Ok(write)
    }
}

/// Where the ledger stands.
pub struct Head {
    /// The tree.
    pub tree: Range,
    /// The leaf hash of the last line.
    pub last: Hash,
    /// The time of the last commit.
    pub at: DateTime<Utc>,
    /// The number of commits.
    pub generation: i64,
}

impl Head {
    /// Reads the one row.
    pub async fn read(conn: &mut SqliteConnection) -> Result<Self, LedgerError> {
        let row = sqlx::query("SELECT size, roots, last, at, generation FROM head").fetch_optional(conn).await?;
        let row = row.ok_or_else(|| broken("the ledger has no head; restore the store from a copy"))?;
        let size = u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?;
        let wrong = || broken("the ledger's head is damaged; restore the store from a copy");
        Ok(Self {
            tree: Range::from_bytes(size, row.try_get(1)?).ok_or_else(wrong)?,
            last: Hash::try_from(row.try_get::<&[u8], _>(2)?).map_err(|_| wrong())?,
            at: DateTime::from_timestamp_millis(row.try_get(3)?).ok_or_else(wrong)?,
            generation: row.try_get(4)?,
        })
    }
}

/// One entry to append.
pub struct Entry {
    /// Its kind.
    pub kind: EntryKind,
    /// The bytes that are signed.
    pub body: Vec<u8>,
    /// The deed.
    pub deed: Option<PlanId>,
    /// The verb.
    pub verb: Option<&'static str>,
    /// The target.
    pub target: Option<String>,
    /// Who asked.
    pub requester: Option<String>,
    /// The verdict.
    pub verdict: Option<&'static str>,
    /// The deed's facts as of this entry.
    pub facts: Facts,
    /// In words.
    pub words: String,
}

/// One write transaction. Dropped without [`Write::commit`], it has changed nothing.
pub struct Write<'a> {
    pub(super) store: &'a SqliteStore,
    key: &'a ProcessKey,
    /// The transaction.
    pub tx: Transaction<'a, Sqlite>,
    /// Now, by the ledger's time, which never runs backwards.
    pub at: DateTime<Utc>,
    /// Now, on both clocks.
    pub moment: Moment,
    head: Head,
    appended: bool,
}

impl Write<'_> {
    /// Appends an entry, signed by the process key.
    pub async fn append(&mut self, entry: Entry) -> Result<(), LedgerError> {
        let n = self.head.tree.size();
        let line = Line::sign(self.key, n, &self.head.last, &self.at, entry.kind, &entry.body)?;
        let bytes = to_line(&line)?;
        let hash = leaf(&bytes);
        sqlx::query(
            "INSERT INTO entry (n, line, leaf, at, kind, signer, deed, verb, target, requester, verdict, facts, words) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(i64::try_from(n).map_err(broken)?)
        .bind(bytes)
        .bind(hash.to_vec())
        .bind(self.at.timestamp_millis())
        .bind(entry.kind.word())
        .bind(line.signer)
        .bind(entry.deed.map(|deed| deed.to_string()))
        .bind(entry.verb)
        .bind(entry.target)
        .bind(entry.requester)
        .bind(entry.verdict)
        .bind(serde_json::to_string(&entry.facts).map_err(broken)?)
        .bind(entry.words)
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

    /// Commits; the checkpoint is synchronised before and takes its place after.
    pub async fn commit(mut self) -> Result<DateTime<Utc>, LedgerError> {
        sqlx::query("UPDATE head SET size = ?, roots = ?, last = ?, at = ?, generation = generation + 1")
            .bind(i64::try_from(self.head.tree.size()).map_err(broken)?)
            .bind(self.head.tree.to_bytes())
            .bind(self.head.last.to_vec())
            .bind(self.at.timestamp_millis())
            .execute(&mut *self.tx)
            .await?;
        let prepared = if self.appended { self.prepare().await? } else { None };
        let Self { store, tx, at, head, .. } = self;
        tx.commit().await?;
        store.seen.fetch_max(head.tree.size(), Ordering::SeqCst);
        if let Some(prepared) = prepared
            && prepared.publish().is_err()
        {
            // What is committed stays committed; the next transaction begins by making up for this, or refuses.
            store.lagging.store(true, Ordering::SeqCst);
        }
        Ok(at)
    }

    /// Writes the checkpoint of the tree as it is now under a temporary name; none for a store in memory.
    pub async fn prepare(&self) -> Result<Option<Prepared>, LedgerError> {
        let Some(dir) = self.store.dir.clone() else { return Ok(None) };
        let note = Checkpoint::sign(self.key, &self.head.tree)?;
        let turn = self.store.turn.fetch_add(1, Ordering::SeqCst);
        let writer = format!("{}.{turn}", self.store.owner.name());
        let mode = self.store.mode;
        let written = tokio::task::spawn_blocking(move || Prepared::write(&dir, &writer, &note, mode)).await;
        written.map_err(|error| unwritable(format!("checkpoint: {error}")))?.map(Some)
    }
}
