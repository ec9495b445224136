//! The journal's port on [`SqliteStore`]: events in a file of their own, whose loss loses history and no deed.

use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::schema::{self, Part};
use super::sqlite::SqliteStore;
use crate::model::kept::KeptTrial;
use crate::model::long_text::LongText;
use crate::model::timeline::Happening;
use crate::ports::Pending;
use crate::ports::journal::{Journal, JournalError, Line, Marked, Stretch, Written};
use crate::ports::ledger::LedgerError;

impl SqliteStore {
    /// The journal's connection, opened at first use so that a start does not wait for it.
    pub(super) async fn events(&self) -> Result<MutexGuard<'_, SqliteConnection>, LedgerError> {
        let open = || async {
            let mut conn = schema::connect(Part::Journal, self.dir.as_deref(), if self.mode == 0 { 0o600 } else { self.mode }).await?;
            schema::migrate(Part::Journal, &mut conn).await?;
            Ok::<_, LedgerError>(Mutex::new(conn))
        };
        Ok(self.journal.get_or_try_init(open).await?.lock().await)
    }

    async fn append_events(&self, lines: &[Line]) -> Result<(), LedgerError> {
        let mut conn = self.events().await?;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
        for Line { at_ms, family, again, json } in lines {
            // Every room of the store tells of a departure; the first that does is written down.
            let is_departure = |json: &str| serde_json::from_str(json).is_ok_and(|line: Happening| line.is_of_departure());
            let (json, deflated) = match json {
                LongText::Plain(json) => (json.clone(), None),
                LongText::Deflated(bytes) => (head(*again), Some(bytes.clone())),
            };
            if *family == "happening" && is_departure(&json) && is_told(&mut tx, &json).await? {
                continue;
            }
            sqlx::query("INSERT INTO event (at, room, family, json, deflated) VALUES (?, ?, ?, ?, ?)")
                .bind(at_ms)
                .bind(self.owner.name())
                .bind(*family)
                .bind(json)
                .bind(deflated)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn newest_happenings(&self, most: u32) -> Result<Vec<Happening>, LedgerError> {
        let mut conn = self.events().await?;
        let rows = sqlx::query("SELECT json FROM event WHERE family = 'happening' ORDER BY id DESC LIMIT ?").bind(i64::from(most));
        let rows = rows.fetch_all(&mut *conn).await?;
        let read = |json: &str| serde_json::from_str(json).map_err(super::fault::broken);
        rows.iter().rev().map(|row| read(row.try_get(0)?)).collect()
    }

    async fn keep(&self, kept: &KeptTrial, over: bool) -> Result<(), LedgerError> {
        let mut conn = self.events().await?;
        // One statement: whoever reads meanwhile reads the one or the other.
        let keep = sqlx::query(
            "INSERT INTO trial (target, rollout, judge, rules, at, pairs, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (target) DO UPDATE SET rollout = excluded.rollout, judge = excluded.judge, rules = excluded.rules, \
             at = excluded.at, pairs = excluded.pairs, json = excluded.json WHERE ?8 OR trial.rollout <> excluded.rollout \
             OR trial.judge <> excluded.judge OR trial.rules <> excluded.rules OR excluded.pairs >= trial.pairs",
        );
        keep.bind(kept.target.to_string())
            .bind(kept.rollout.to_string())
            .bind(&kept.judge)
            .bind(&kept.rules)
            .bind(kept.at.timestamp_millis())
            .bind(i64::try_from(kept.pairs).unwrap_or(i64::MAX))
            .bind(&kept.trial)
            .bind(over)
            .execute(&mut *conn)
            .await?;
        Ok(())
    }

    async fn trials(&self) -> Result<Vec<KeptTrial>, LedgerError> {
        let mut conn = self.events().await?;
        let rows = sqlx::query("SELECT target, rollout, judge, rules, at, pairs, json FROM trial ORDER BY target");
        let rows = rows.fetch_all(&mut *conn).await?;
        // Of a row that names no target or rollout nobody can say of which it is.
        Ok(rows.iter().filter_map(trial).collect())
    }

    async fn drop_old(&self, days: u32, bytes: u64) -> Result<u64, LedgerError> {
        let oldest = self.clock.now().wall.timestamp_millis().saturating_sub(i64::from(days).saturating_mul(86_400_000));
        let mut conn = self.events().await?;
        let mut gone = sqlx::query("DELETE FROM event WHERE at < ?").bind(oldest).execute(&mut *conn).await?.rows_affected();
        while used(&mut conn).await? > bytes {
            let dropped =
                sqlx::query("DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT 1 + (SELECT count(*) FROM event) / 20)");
            match dropped.execute(&mut *conn).await?.rows_affected() {
                0 => break,
                some => gone = gone.saturating_add(some),
            }
        }
        if gone > 0 {
            sqlx::raw_sql("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);").execute(&mut *conn).await?;
        }
        Ok(gone)
    }
}

/// What stands in the place of a deflated line: what openings are told apart by.
fn head(again: bool) -> String {
    serde_json::json!({ "again": again }).to_string()
}

fn trial(row: &SqliteRow) -> Option<KeptTrial> {
    Some(KeptTrial {
        target: row.try_get::<&str, _>(0).ok()?.parse().ok()?,
        rollout: row.try_get::<&str, _>(1).ok()?.parse().ok()?,
        judge: row.try_get(2).unwrap_or_default(),
        rules: row.try_get(3).unwrap_or_default(),
        at: DateTime::from_timestamp_millis(row.try_get(4).ok()?)?,
        pairs: u64::try_from(row.try_get::<i64, _>(5).unwrap_or_default()).unwrap_or_default(),
        trial: row.try_get(6).unwrap_or_default(),
    })
}

/// Whether another line tells of the same departure for the same target, in whichever words.
async fn is_told(conn: &mut SqliteConnection, json: &str) -> Result<bool, LedgerError> {
    let told = sqlx::query(
        "SELECT 1 FROM event WHERE family = 'happening' AND json_extract(json, '$.source') IS json_extract(?1, '$.source') \
         AND json_extract(json, '$.at') IS json_extract(?1, '$.at') AND json_extract(json, '$.target') IS json_extract(?1, '$.target') LIMIT 1",
    );
    Ok(told.bind(json).fetch_optional(conn).await?.is_some())
}

/// The bytes of the pages that hold something.
async fn used(conn: &mut SqliteConnection) -> Result<u64, LedgerError> {
    let row =
        sqlx::query("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size");
    Ok(u64::try_from(row.fetch_one(conn).await?.try_get::<i64, _>(0)?).unwrap_or(0))
}

pub(super) fn failed(doing: &'static str) -> impl Fn(LedgerError) -> JournalError {
    move |error| {
        let detail = match error {
            LedgerError::Unwritable(detail) | LedgerError::Broken(detail) => detail.to_string(),
            other @ (LedgerError::NoPlan(_)
            | LedgerError::Ambiguous(_)
            | LedgerError::NoGrant(_)
            | LedgerError::Expired(_)
            | LedgerError::Spent(_)
            | LedgerError::Busy { .. }
            | LedgerError::LostLease(_)
            | LedgerError::HeldBy { .. }
            | LedgerError::AlreadySent(_)
            | LedgerError::Denied(_)
            | LedgerError::Refused(_)) => other.to_string(),
        };
        JournalError { doing, detail }
    }
}

impl Journal for SqliteStore {
    fn append<'a>(&'a self, lines: &'a [Line]) -> Pending<'a, Result<(), JournalError>> {
        Box::pin(async move { self.append_events(lines).await.map_err(failed("write")) })
    }

    fn happenings(&self, most: u32) -> Pending<'_, Result<Vec<Happening>, JournalError>> {
        Box::pin(async move { self.newest_happenings(most).await.map_err(failed("read")) })
    }

    fn keep_trial<'a>(&'a self, kept: &'a KeptTrial, over: bool) -> Pending<'a, Result<(), JournalError>> {
        Box::pin(async move { self.keep(kept, over).await.map_err(failed("write")) })
    }

    fn kept_trials(&self) -> Pending<'_, Result<Vec<KeptTrial>, JournalError>> {
        Box::pin(async { self.trials().await.map_err(failed("read")) })
    }

    fn compact(&self, days: u32, bytes: u64) -> Pending<'_, Result<u64, JournalError>> {
        Box::pin(async move { self.drop_old(days, bytes).await.map_err(failed("compact")) })
    }

    fn stretches(&self) -> Pending<'_, Result<Vec<Stretch>, JournalError>> {
        Box::pin(async { self.stretches_kept().await.map_err(failed("read")) })
    }

    fn lines<'a>(&'a self, room: &'a str, after: i64, upto: i64, most: u32) -> Pending<'a, Result<Vec<Written>, JournalError>> {
        Box::pin(async move { self.lines_of(room, (after, upto), most).await.map_err(failed("read")) })
    }

    fn lines_before<'a>(&'a self, room: &'a str, before: i64, most: u32) -> Pending<'a, Result<Vec<Written>, JournalError>> {
        Box::pin(async move { self.lines_back_from(room, before, most).await.map_err(failed("read")) })
    }

    fn line_at<'a>(&'a self, room: &'a str, at_ms: i64) -> Pending<'a, Result<Option<i64>, JournalError>> {
        Box::pin(async move { self.newest_line(room, at_ms).await.map_err(failed("read")) })
    }

    fn marks<'a>(&'a self, room: &'a str) -> Pending<'a, Result<Vec<Marked>, JournalError>> {
        Box::pin(async move { self.marked(room).await.map_err(failed("read")) })
    }
}
