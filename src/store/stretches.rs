//! The journal read backwards and forwards in time, one room's lines at a time.

use chrono::DateTime;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::fault::broken;
use super::sqlite::SqliteStore;
use crate::model::long_text::inflated;
use crate::model::scrub::Mark;
use crate::model::timeline::HappeningKind;
use crate::ports::journal::{Beginning, Marked, Stretch, Written};
use crate::ports::ledger::LedgerError;

/// Deeds and alerts of one room that are marked at most: the newest.
const MARKS: i64 = 20_000;

impl SqliteStore {
    pub(super) async fn stretches_kept(&self) -> Result<Vec<Stretch>, LedgerError> {
        let mut conn = self.events().await?;
        let begun = sqlx::query(
            "SELECT room, id, at, ifnull(json_extract(json, '$.again'), 0) FROM event WHERE family = 'opened' AND room <> '' ORDER BY id",
        );
        let mut all: Vec<Stretch> = Vec::new();
        for row in begun.fetch_all(&mut *conn).await? {
            let room: String = row.try_get(0)?;
            let beginning = Beginning { id: row.try_get(1)?, at_ms: row.try_get(2)?, again: row.try_get(3)? };
            match all.iter_mut().find(|stretch| stretch.room == room) {
                Some(stretch) => stretch.beginnings.push(beginning),
                None => all.push(Stretch { room, beginnings: vec![beginning], last: beginning.id, until_ms: beginning.at_ms }),
            }
        }
        for stretch in &mut all {
            let last = sqlx::query("SELECT id, at FROM event WHERE room = ? AND family <> 'happening' ORDER BY id DESC LIMIT 1")
                .bind(&stretch.room);
            if let Some(row) = last.fetch_optional(&mut *conn).await? {
                (stretch.last, stretch.until_ms) = (row.try_get(0)?, row.try_get(1)?);
            }
        }
        Ok(all)
    }

    pub(super) async fn lines_of(&self, room: &str, (after, upto): (i64, i64), most: u32) -> Result<Vec<Written>, LedgerError> {
        let mut conn = self.events().await?;
        let rows = sqlx::query("SELECT id, json, deflated FROM event WHERE room = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?");
        let rows = rows.bind(room).bind(after).bind(upto).bind(i64::from(most)).fetch_all(&mut *conn).await?;
        rows.iter().map(written).collect()
    }

    pub(super) async fn lines_back_from(&self, room: &str, before: i64, most: u32) -> Result<Vec<Written>, LedgerError> {
        let mut conn = self.events().await?;
        let rows = sqlx::query("SELECT id, json, deflated FROM event WHERE room = ? AND id < ? ORDER BY id DESC LIMIT ?");
        let rows = rows.bind(room).bind(before).bind(i64::from(most)).fetch_all(&mut *conn).await?;
        rows.iter().map(written).collect()
    }

    pub(super) async fn newest_line(&self, room: &str, at_ms: i64) -> Result<Option<i64>, LedgerError> {
        let mut conn = self.events().await?;
        let row =
            sqlx::query("SELECT id FROM event WHERE at <= ? AND room = ? AND family <> 'happening' ORDER BY at DESC, id DESC LIMIT 1");
        let row = row.bind(at_ms).bind(room).fetch_optional(&mut *conn).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    pub(super) async fn marked(&self, room: &str) -> Result<Vec<Marked>, LedgerError> {
        let mut conn = self.events().await?;
        let rows = sqlx::query(
            "SELECT id, at, json_extract(json, '$.kind') FROM event WHERE family = 'happening' AND room = ? \
             AND json_extract(json, '$.kind') IN ('deed', 'alert', 'alarm') ORDER BY id DESC LIMIT ?",
        );
        let rows = rows.bind(room).bind(MARKS).fetch_all(&mut *conn).await?;
        Ok(rows.iter().rev().filter_map(mark).collect())
    }
}

fn written(row: &SqliteRow) -> Result<Written, LedgerError> {
    let json = match row.try_get::<Option<&[u8]>, _>(2)? {
        Some(bytes) => inflated(bytes).map_err(broken)?,
        None => row.try_get(1)?,
    };
    Ok(Written { id: row.try_get(0)?, json })
}

fn mark(row: &SqliteRow) -> Option<Marked> {
    let at = DateTime::from_timestamp_millis(row.try_get(1).ok()?)?;
    let kind: HappeningKind = serde_json::from_value(serde_json::Value::String(row.try_get(2).ok()?)).ok()?;
    Some(Marked { id: row.try_get(0).ok()?, mark: Mark::of(at, kind)? })
}
