//! Reads of the ledger: deeds, entries, lines, and the check of everything.

use std::sync::PoisonError;

use chrono::DateTime;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::check::verify_lines;
use super::checkpoint;
use super::deeds::DeedRow;
use super::fault::{broken, unwritable};
use super::glance::Glance;
use super::head::Head;
use super::plans::{bounds, no_plan};
use super::sqlite::SqliteStore;
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
        Ok(Head::read(&mut *self.conn.lock().await).await?.tree.size())
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
        let generation = Head::read(&mut *self.conn.lock().await).await?.generation;
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

    pub(super) async fn verify_all(&self) -> Result<Verification, LedgerError> {
        // The checkpoint first: what is committed between the two reads only makes the ledger longer than it.
        let checkpoint = self.checkpoint()?;
        let (header, lines) = self.lines().await?;
        if self.dir.is_some() && checkpoint.is_none() && !lines.is_empty() {
            let entries = u64::try_from(lines.len()).map_err(broken)?;
            return Ok(Verification { intact: false, entries, first_bad: None, reason: Some(Text::clean("checkpoint")) });
        }
        let checked = tokio::task::spawn_blocking(move || verify_lines(&header, &lines, checkpoint.as_deref())).await;
        checked.map_err(|error| unwritable(format!("verify: {error}")))
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
