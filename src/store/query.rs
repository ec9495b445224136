//! Reads of the ledger: deeds, entries, lines, and the check of everything.

use std::sync::PoisonError;

use chrono::DateTime;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::check::verify_lines;
use super::checkpoint::{self, Checkpoint};
use super::deeds::DeedRow;
use super::export::{self, Export};
use super::fault::{broken, unwritable};
use super::glance::Glance;
use super::head::Head;
use super::plans::{bounds, no_plan};
use super::sign::verifier;
use super::sqlite::SqliteStore;
use super::tree::{Range, leaf};
use crate::model::deed::{Deed, EntryKind};
use crate::model::text::Text;
use crate::ports::ledger::{EntryRow, LedgerError, OpenDeed, Verification};

impl SqliteStore {
    pub(super) async fn list_open(&self) -> Result<Vec<OpenDeed>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let rows = DeedRow::load_open(&mut conn).await?;
        drop(conn);
        let told = |row: DeedRow| OpenDeed {
            owner_alive: self.owner.alive(&row.owner),
            ours: row.owner == self.owner.name(),
            plan: row.plan.clone(),
            deed: row.told(&self.owner),
        };
        Ok(rows.into_iter().map(told).collect())
    }

    pub(super) async fn find_deed(&self, prefix: &str) -> Result<Deed, LedgerError> {
        let (low, high) = bounds(prefix)?;
        let mut conn = self.conn.lock().await;
        let rows = sqlx::query("SELECT json, plan, owner, open FROM deed WHERE id >= ? AND id < ? LIMIT 2");
        let rows = rows.bind(low).bind(high).fetch_all(&mut *conn).await?;
        match rows.as_slice() {
            [row] => Ok(DeedRow::read(row)?.told(&self.owner)),
            _ => Err(no_plan(prefix)),
        }
    }

    pub(super) async fn list_recent(&self, most: u32) -> Result<Vec<Deed>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let rows = sqlx::query("SELECT json, plan, owner, open FROM deed ORDER BY n DESC LIMIT ?").bind(i64::from(most));
        let rows = rows.fetch_all(&mut *conn).await?;
        rows.iter().map(|row| Ok(DeedRow::read(row)?.told(&self.owner))).collect()
    }

    pub(super) async fn list_entries(&self, from: u64, most: u32) -> Result<Vec<EntryRow>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let rows = sqlx::query(
            "SELECT n, at, kind, signer, deed, verb, target, requester, verdict, facts, words FROM entry WHERE n >= ? ORDER BY n LIMIT ?",
        );
        let rows = rows.bind(i64::try_from(from).unwrap_or(i64::MAX)).bind(i64::from(most)).fetch_all(&mut *conn).await?;
        rows.iter().map(entry).collect()
    }

    pub(super) async fn count(&self) -> Result<u64, LedgerError> {
        Ok(self.head(&mut *self.conn.lock().await).await?.tree.size())
    }

    /// The number of commits by any process; SQLite is asked only when there may have been one.
    pub(super) async fn newest_generation(&self) -> Result<i64, LedgerError> {
        // The order matters: time, then the log, then SQLite. What is committed after the glance shows in the next one.
        let now = self.clock.now().wall;
        let glance = self.dir.as_deref().and_then(Glance::at);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, generation)) = known.filter(|(before, _)| glance.as_ref() == Some(before)) {
            return Ok(generation);
        }
        let generation = self.head(&mut *self.conn.lock().await).await?.generation;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
            glance.filter(|glance| glance.is_settled(now)).map(|glance| (glance, generation));
        Ok(generation)
    }

    /// The header's line and the entries' lines, each without its newline, in their order.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when they cannot be read.
    pub async fn lines(&self) -> Result<(Vec<u8>, Vec<Vec<u8>>), LedgerError> {
        let mut conn = self.conn.lock().await;
        let mut tx = sqlx::Connection::begin(&mut *conn).await?;
        let header = sqlx::query("SELECT header FROM head").fetch_one(&mut *tx).await?.try_get(0)?;
        let rows = sqlx::query("SELECT line FROM entry ORDER BY n").fetch_all(&mut *tx).await?;
        let lines = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        tx.rollback().await?;
        Ok((header, lines))
    }

    /// The checkpoint beside the store, a C2SP signed note; none for a store in memory.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when it is there and cannot be read.
    pub fn checkpoint(&self) -> Result<Option<String>, LedgerError> {
        let Some(dir) = &self.dir else { return Ok(None) };
        match std::fs::read_to_string(checkpoint::path(dir)) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(broken(format!("checkpoint: {error}"))),
        }
    }

    /// Checks every entry and the checkpoint beside the store, also with a checkpoint that was kept and another copy's export.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the ledger cannot be read.
    pub async fn verify_with(&self, kept: Option<String>, other: Option<Vec<u8>>) -> Result<Verification, LedgerError> {
        // The checkpoint first: what is committed between the two reads only makes the ledger longer than it.
        let note = self.checkpoint()?;
        let (header, lines) = self.lines().await?;
        let in_memory = self.dir.is_none();
        let checked = tokio::task::spawn_blocking(move || {
            if in_memory {
                return verify_lines(&header, &lines, None);
            }
            let other = other.as_deref().map(Export::read);
            Export::beside(&header, &lines, note).verify(kept.as_deref(), other.as_ref())
        });
        let mut found = checked.await.map_err(|error| unwritable(format!("verify: {error}")))?;
        if found.intact && self.is_contradicted() {
            (found.intact, found.reason) = (false, Some(Text::clean("checkpoint")));
        }
        Ok(found)
    }

    /// The ledger as an export of all entries, or of the first `most`, closed by a checkpoint.
    ///
    /// A ledger that lost entries is closed by the checkpoint beside it, so that the copy shows the loss: nothing is signed that
    /// was not signed before.
    ///
    /// # Errors
    /// [`LedgerError::Unwritable`] when this user has no process key to close it with; [`LedgerError::Broken`] when the ledger
    /// cannot be read, or its checkpoint is not its own.
    pub async fn export(&self, most: Option<u64>) -> Result<Vec<u8>, LedgerError> {
        let key = self.key.as_ref().ok_or_else(|| {
            unwritable("an export is closed by a signature of the process key, which this user cannot read; run it as the store's owner")
        })?;
        let beside = self.checkpoint()?;
        let mut conn = self.conn.lock().await;
        let mut tx = sqlx::Connection::begin(&mut *conn).await?;
        let tree = Head::read(&mut tx).await?.tree;
        let header: Vec<u8> = sqlx::query("SELECT header FROM head").fetch_one(&mut *tx).await?.try_get(0)?;
        let rows = sqlx::query("SELECT line FROM entry ORDER BY n").fetch_all(&mut *tx).await?;
        tx.rollback().await?;
        drop(conn);
        let mut lines: Vec<Vec<u8>> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let note = match (self.condition(), most) {
            (None, None) => Checkpoint::sign(key, &tree)?,
            (None, Some(most)) => {
                let root = |lines: &[Vec<u8>]| lines.iter().map(|line| leaf(line)).collect::<Range>();
                if root(&lines) != tree {
                    return Err(broken("the entries are not those of the ledger's head; run `gonogo ledger verify`"));
                }
                lines.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                Checkpoint::sign(key, &root(&lines))?
            }
            (Some(why), _) => {
                let own =
                    |note: &String| verifier(&key.vkey()).is_some_and(|public| Checkpoint::read(note, &key.origin(), &public).is_some());
                beside.filter(own).ok_or(why)?
            }
        };
        export::write(&header, &lines, &note, key)
    }
}

fn entry(row: &SqliteRow) -> Result<EntryRow, LedgerError> {
    let kind: String = row.try_get(2)?;
    let deed: Option<String> = row.try_get(4)?;
    Ok(EntryRow {
        n: u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?,
        at: DateTime::from_timestamp_millis(row.try_get(1)?).ok_or_else(|| broken("an entry's time is damaged"))?,
        kind: serde_json::from_value::<EntryKind>(serde_json::Value::from(kind)).map_err(broken)?,
        signer: row.try_get(3)?,
        deed: deed.map(|deed| deed.parse()).transpose().map_err(broken)?,
        verb: row.try_get(5)?,
        target: row.try_get(6)?,
        requester: row.try_get(7)?,
        verdict: row.try_get(8)?,
        facts: serde_json::from_str(row.try_get(9)?).map_err(broken)?,
        words: Text::clean(row.try_get(10)?),
    })
}
