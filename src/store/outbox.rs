//! The outbox: lines written with what causes them, and per receiver how far it got, who delivers, and what was set aside.
// long because: one table a receiver is moved by all of it.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::LEASE;
use super::fault::broken;
use super::sqlite::SqliteStore;
use crate::model::name::{BackendName, PlanId};
use crate::model::outbox::{DeskChange, Line, Notice, NoticeKind, Parked, Progress, TROUBLE_AFTER};
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::model::time::Boot;
use crate::ports::Pending;
use crate::ports::ledger::LedgerError;
use crate::ports::outbox::{Before, Outbox};

/// A lease that lasts no longer than this is renewed before it is used.
const SPARE_MS: u64 = 22_000;

/// A line for what happened to a plan and is no entry, in the transaction in which it happens.
pub async fn tell_plan(conn: &mut SqliteConnection, kind: NoticeKind, plan: &Plan, at: DateTime<Utc>) -> Result<(), LedgerError> {
    tell(conn, kind, plan, at, plan.intent.reason.as_str(), "").await
}

/// The same with other words, and a state within the kind where it has one.
pub async fn tell(
    conn: &mut SqliteConnection,
    kind: NoticeKind,
    plan: &Plan,
    at: DateTime<Utc>,
    words: &str,
    state: &str,
) -> Result<(), LedgerError> {
    let mut said = json!({
        "verb": plan.order.verb.word(), "requester": plan.order.requester, "reason": words, "expires": plan.expires,
    });
    if let (false, Some(said)) = (state.is_empty(), said.as_object_mut()) {
        said.insert("state".to_owned(), state.into());
    }
    sqlx::query("INSERT INTO outbox (kind, at, target, plan, json) SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM receiver)")
        .bind(kind.word())
        .bind(at.timestamp_millis())
        .bind(plan.target().to_string())
        .bind(plan.id.to_string())
        .bind(said.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Every room reads the store again.
async fn announce(conn: &mut SqliteConnection) -> Result<(), LedgerError> {
    sqlx::query("UPDATE head SET generation = generation + 1").execute(conn).await?;
    Ok(())
}

/// Lines that everybody passed are dropped.
async fn prune(conn: &mut SqliteConnection) -> Result<(), LedgerError> {
    sqlx::query(
        "DELETE FROM outbox WHERE seq <= (SELECT coalesce(min(cursor), 0) FROM receiver) \
         AND seq NOT IN (SELECT seq FROM parked WHERE dropped IS NULL)",
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn number(seq: u64) -> Result<i64, LedgerError> {
    i64::try_from(seq).map_err(broken)
}

fn time(row: &SqliteRow, column: usize) -> Result<Option<DateTime<Utc>>, LedgerError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.and_then(DateTime::from_timestamp_millis))
}

impl SqliteStore {
    async fn know_receivers(&self, names: &[BackendName]) -> Result<(), LedgerError> {
        {
            let mut conn = self.conn.lock().await;
            let rows = sqlx::query("SELECT name FROM receiver").fetch_all(&mut *conn).await?;
            let known: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            if names.iter().all(|name| known.iter().any(|known| known == name.as_str())) {
                return Ok(());
            }
        }
        let now = self.clock.now().wall.timestamp_millis();
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        for name in names {
            sqlx::query(
                "INSERT OR IGNORE INTO receiver (name, since, cursor) \
                 VALUES (?, ?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0))",
            )
            .bind(name.as_str())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        }
        announce(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Whether the lease is ours for long enough; none: it can be taken.
    fn holds(&self, row: &SqliteRow) -> Result<Option<bool>, LedgerError> {
        let (owner, boot, ends): (String, String, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let left = u64::try_from(ends).unwrap_or_default().saturating_sub(self.clock.now().boot.0);
        let lasts = boot == self.clock.boot_id() && left > 0;
        Ok(match owner.as_str() {
            owner if owner == self.owner.name() => (lasts && left >= SPARE_MS).then_some(true),
            owner if lasts && !owner.is_empty() && self.owner.alive(owner) => Some(false),
            _ => None,
        })
    }

    async fn lease_on(&self, receiver: &BackendName, takes: bool) -> Result<bool, LedgerError> {
        const ROW: &str = "SELECT owner, boot, ends FROM receiver WHERE name = ?";
        let found = sqlx::query(ROW).bind(receiver.as_str()).fetch_optional(&mut *self.conn.lock().await).await?;
        let Some(row) = found else { return Ok(false) };
        match self.holds(&row)? {
            Some(ours) => return Ok(ours),
            None if !takes => return Ok(true),
            None => {}
        }
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query(ROW).bind(receiver.as_str()).fetch_optional(&mut *tx).await?;
        let Some(row) = row else { return Ok(false) };
        if let Some(ours) = self.holds(&row)? {
            return Ok(ours);
        }
        let Boot(ends) = self.clock.now().boot.plus(LEASE);
        sqlx::query("UPDATE receiver SET owner = ?, boot = ?, ends = ? WHERE name = ?")
            .bind(self.owner.name())
            .bind(self.clock.boot_id())
            .bind(i64::try_from(ends).map_err(broken)?)
            .bind(receiver.as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn lines_before(&self, receiver: &BackendName, most: u32) -> Result<Before, LedgerError> {
        let mut conn = self.conn.lock().await;
        let row = sqlx::query("SELECT tries, again_at, cursor FROM receiver WHERE name = ?").bind(receiver.as_str());
        let Some(row) = row.fetch_optional(&mut *conn).await? else { return Ok(Before::default()) };
        let cursor: i64 = row.try_get(2)?;
        let rows = sqlx::query(
            "SELECT * FROM (SELECT o.seq, o.kind, o.target, 1 FROM parked p JOIN outbox o ON o.seq = p.seq \
             WHERE p.receiver = ?1 AND p.again = 1 AND p.dropped IS NULL ORDER BY o.seq LIMIT ?3) \
             UNION ALL SELECT * FROM (SELECT seq, kind, target, 0 FROM outbox WHERE seq > ?2 ORDER BY seq LIMIT ?3)",
        );
        let rows = rows.bind(receiver.as_str()).bind(cursor).bind(i64::from(most)).fetch_all(&mut *conn).await?;
        let line = |row: &SqliteRow| -> Result<Line, LedgerError> {
            Ok(Line {
                seq: u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?,
                kind: NoticeKind::of_word(row.try_get(1)?),
                target: row.try_get(2)?,
                again: row.try_get(3)?,
            })
        };
        let tries = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX);
        Ok(Before { tries, again_at: time(&row, 1)?, lines: rows.iter().map(line).collect::<Result<_, _>>()? })
    }

    async fn pass(&self, receiver: &BackendName, line: &Line, delivered: bool) -> Result<(), LedgerError> {
        let now = self.clock.now().wall.timestamp_millis();
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        let tries: i64 = sqlx::query("SELECT tries FROM receiver WHERE name = ?")
            .bind(receiver.as_str())
            .fetch_optional(&mut *tx)
            .await?
            .map_or(Ok(0), |row| row.try_get(0))?;
        if line.again {
            sqlx::query("DELETE FROM parked WHERE receiver = ? AND seq = ?")
                .bind(receiver.as_str())
                .bind(number(line.seq)?)
                .execute(&mut *tx)
                .await?;
        }
        // What was set aside is behind the cursor already.
        sqlx::query(
            "UPDATE receiver SET cursor = max(cursor, ?1), tries = 0, trouble = NULL, again_at = NULL, \
             delivered = CASE WHEN ?2 THEN ?3 ELSE delivered END WHERE name = ?4",
        )
        .bind(number(line.seq)?)
        .bind(delivered)
        .bind(now)
        .bind(receiver.as_str())
        .execute(&mut *tx)
        .await?;
        prune(&mut tx).await?;
        if line.again || tries >= i64::from(TROUBLE_AFTER) {
            announce(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn fail(&self, receiver: &BackendName, why: &Text, again_at: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE receiver SET tries = tries + 1, trouble = ?, again_at = ? WHERE name = ?")
            .bind(why.as_str())
            .bind(again_at.timestamp_millis())
            .bind(receiver.as_str())
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query("SELECT tries FROM receiver WHERE name = ?").bind(receiver.as_str()).fetch_optional(&mut *tx).await?;
        if row.map(|row| row.try_get::<i64, _>(0)).transpose()? == Some(i64::from(TROUBLE_AFTER)) {
            announce(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn set_aside(&self, receiver: &BackendName, line: &Line, why: &Text) -> Result<(), LedgerError> {
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO parked (receiver, seq, at, why) VALUES (?, ?, ?, ?) \
             ON CONFLICT (receiver, seq) DO UPDATE SET at = excluded.at, why = excluded.why, again = 0",
        )
        .bind(receiver.as_str())
        .bind(number(line.seq)?)
        .bind(self.clock.now().wall.timestamp_millis())
        .bind(why.as_str())
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE receiver SET cursor = max(cursor, ?), tries = 0, trouble = NULL, again_at = NULL WHERE name = ?")
            .bind(number(line.seq)?)
            .bind(receiver.as_str())
            .execute(&mut *tx)
            .await?;
        announce(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    async fn list_progress(&self) -> Result<Vec<Progress>, LedgerError> {
        let mut conn = self.conn.lock().await;
        // A store of an older schema that this process may only read has no such table.
        let there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'receiver'").fetch_optional(&mut *conn).await?;
        if there.is_none() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT name, (SELECT count(*) FROM outbox WHERE seq > cursor), delivered, tries, trouble, again_at FROM receiver ORDER BY name",
        );
        let rows = rows.fetch_all(&mut *conn).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let name: String = row.try_get(0)?;
            all.push(Progress {
                parked: parked(&mut conn, &name).await?,
                behind: u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default(),
                delivered: time(row, 2)?,
                tries: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(u32::MAX),
                trouble: row.try_get::<Option<String>, _>(4)?.map(|text| Text::clean_within(&text, 600)),
                again_at: time(row, 5)?,
                name: BackendName::new(&name).map_err(broken)?,
            });
        }
        Ok(all)
    }

    /// Changes rows of what was set aside; tells how many.
    async fn change_parked(&self, set: &'static str, value: &str, receiver: &BackendName, seq: Option<u64>) -> Result<u64, LedgerError> {
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        let changed = sqlx::query(set)
            .bind(value)
            .bind(receiver.as_str())
            .bind(seq.map(number).transpose()?)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        prune(&mut tx).await?;
        announce(&mut tx).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn forget_receiver(&self, receiver: &BackendName) -> Result<bool, LedgerError> {
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        let known = sqlx::query("DELETE FROM receiver WHERE name = ?").bind(receiver.as_str()).execute(&mut *tx).await?.rows_affected() > 0;
        sqlx::query("DELETE FROM parked WHERE receiver = ?").bind(receiver.as_str()).execute(&mut *tx).await?;
        // Without any receiver nothing is written any more, and nothing of what was written is wanted.
        sqlx::query("DELETE FROM outbox WHERE NOT EXISTS (SELECT 1 FROM receiver)").execute(&mut *tx).await?;
        prune(&mut tx).await?;
        announce(&mut tx).await?;
        tx.commit().await?;
        Ok(known)
    }

    async fn put_desk_change(&self, ticket: &DeskChange) -> Result<(), LedgerError> {
        let mut gate = self.lock().await?;
        let mut tx = gate.conn.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO ticket (plan, desk, at, json) VALUES (?, ?, ?, ?) ON CONFLICT (plan, desk) DO UPDATE SET json = excluded.json",
        )
        .bind(ticket.plan.to_string())
        .bind(ticket.desk.as_str())
        .bind(self.clock.now().wall.timestamp_millis())
        .bind(serde_json::to_string(ticket).map_err(broken)?)
        .execute(&mut *tx)
        .await?;
        announce(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    async fn list_desk_changes(&self, most: u32) -> Result<Vec<DeskChange>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'ticket'").fetch_optional(&mut *conn).await?;
        if there.is_none() {
            return Ok(Vec::new());
        }
        let rows =
            sqlx::query("SELECT json FROM ticket ORDER BY at DESC, plan LIMIT ?").bind(i64::from(most)).fetch_all(&mut *conn).await?;
        rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect()
    }

    async fn find_desk_change(&self, plan: PlanId, desk: &BackendName) -> Result<Option<DeskChange>, LedgerError> {
        let row = sqlx::query("SELECT json FROM ticket WHERE plan = ? AND desk = ?").bind(plan.to_string()).bind(desk.as_str());
        let row = row.fetch_optional(&mut *self.conn.lock().await).await?;
        row.map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).transpose()
    }
}

async fn parked(conn: &mut SqliteConnection, receiver: &str) -> Result<Vec<Parked>, LedgerError> {
    let rows = sqlx::query(
        "SELECT p.seq, o.kind, o.target, p.at, p.why, p.again FROM parked p JOIN outbox o ON o.seq = p.seq \
         WHERE p.receiver = ? AND p.dropped IS NULL ORDER BY p.seq LIMIT 200",
    );
    let rows = rows.bind(receiver).fetch_all(conn).await?;
    let read = |row: &SqliteRow| -> Result<Parked, LedgerError> {
        Ok(Parked {
            seq: u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?,
            kind: row.try_get(1)?,
            target: row.try_get(2)?,
            at: time(row, 3)?.unwrap_or_default(),
            why: Text::clean_within(row.try_get(4)?, 600),
            again: row.try_get(5)?,
        })
    };
    rows.iter().map(read).collect()
}

impl Outbox for SqliteStore {
    fn know<'a>(&'a self, receivers: &'a [BackendName]) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.know_receivers(receivers))
    }
    fn lease<'a>(&'a self, receiver: &'a BackendName) -> Pending<'a, Result<bool, LedgerError>> {
        Box::pin(self.lease_on(receiver, true))
    }
    fn is_elsewhere<'a>(&'a self, receiver: &'a BackendName) -> Pending<'a, Result<bool, LedgerError>> {
        Box::pin(async move { self.lease_on(receiver, false).await.map(|ours| !ours) })
    }
    fn before<'a>(&'a self, receiver: &'a BackendName, most: u32) -> Pending<'a, Result<Before, LedgerError>> {
        Box::pin(self.lines_before(receiver, most))
    }
    fn notice(&self, seq: u64) -> Pending<'_, Result<Option<Notice>, LedgerError>> {
        Box::pin(self.whole_notice(seq))
    }
    fn passed<'a>(&'a self, receiver: &'a BackendName, line: &'a Line, delivered: bool) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.pass(receiver, line, delivered))
    }
    fn failed<'a>(&'a self, receiver: &'a BackendName, why: &'a Text, again_at: DateTime<Utc>) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.fail(receiver, why, again_at))
    }
    fn park<'a>(&'a self, receiver: &'a BackendName, line: &'a Line, why: &'a Text) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.set_aside(receiver, line, why))
    }
    fn progress(&self) -> Pending<'_, Result<Vec<Progress>, LedgerError>> {
        Box::pin(self.list_progress())
    }
    fn again<'a>(&'a self, receiver: &'a BackendName, seq: Option<u64>) -> Pending<'a, Result<u64, LedgerError>> {
        const SET: &str =
            "UPDATE parked SET again = 1 WHERE ?1 IS NOT NULL AND receiver = ?2 AND dropped IS NULL AND (?3 IS NULL OR seq = ?3)";
        Box::pin(self.change_parked(SET, "", receiver, seq))
    }
    fn give_up<'a>(
        &'a self,
        receiver: &'a BackendName,
        seq: Option<u64>,
        by: &'a str,
        why: &'a Text,
    ) -> Pending<'a, Result<u64, LedgerError>> {
        const SET: &str = "UPDATE parked SET dropped = ?1 WHERE receiver = ?2 AND dropped IS NULL AND (?3 IS NULL OR seq = ?3)";
        Box::pin(async move { self.change_parked(SET, &format!("{by}: {why}"), receiver, seq).await })
    }
    fn forget<'a>(&'a self, receiver: &'a BackendName) -> Pending<'a, Result<bool, LedgerError>> {
        Box::pin(self.forget_receiver(receiver))
    }
    fn tick(&self) -> Pending<'_, Result<(), LedgerError>> {
        Box::pin(self.tell_by_time())
    }
    fn remember_change_at_desk<'a>(&'a self, ticket: &'a DeskChange) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.put_desk_change(ticket))
    }
    fn desk_changes(&self, most: u32) -> Pending<'_, Result<Vec<DeskChange>, LedgerError>> {
        Box::pin(self.list_desk_changes(most))
    }
    fn desk_change<'a>(&'a self, plan: PlanId, desk: &'a BackendName) -> Pending<'a, Result<Option<DeskChange>, LedgerError>> {
        Box::pin(self.find_desk_change(plan, desk))
    }
    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>> {
        Box::pin(self.newest_generation())
    }
}
