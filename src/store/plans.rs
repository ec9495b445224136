//! Stored plans: kept until they expire, found by a unique prefix, spent once.

use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::head::{Entry, Head};
use super::record::{about, canonical};
use super::sqlite::SqliteStore;
use super::write::Write;
use super::{outbox, parts};
use crate::model::approval::Attempt;
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::PlanId;
use crate::model::outbox::NoticeKind;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Spent plans are named for a day after their end; then their digits name nothing.
const KEPT_MS: i64 = 86_400_000;
/// What waited, was taken back or rejected is told of for a week.
pub const ENDED_KEPT_MS: i64 = 7 * KEPT_MS;

impl SqliteStore {
    pub(super) async fn put_plan(&self, plan: &Plan) -> Result<(), LedgerError> {
        self.check_identity(plan)?;
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let now = write.at.timestamp_millis();
        let told = "waiting = 1 OR (spent IS NOT NULL AND spent <> 'carried out')";
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM plan WHERE expires < ?1 OR (expires < ?2 AND NOT ({told}))")))
            .bind(now.saturating_sub(ENDED_KEPT_MS))
            .bind(now.saturating_sub(KEPT_MS))
            .execute(&mut *write.tx)
            .await?;
        let known = sqlx::query("SELECT 1 FROM plan WHERE id = ?").bind(plan.id.to_string()).fetch_optional(&mut *write.tx).await?;
        insert(&mut write.tx, plan, None).await?;
        if known.is_none() {
            outbox::tell_plan(&mut write.tx, NoticeKind::Planned, plan, write.at).await?;
        }
        write.commit().await.map(drop)
    }

    pub(super) async fn find_plan(&self, prefix: &str) -> Result<Plan, LedgerError> {
        let (low, high) = bounds(prefix)?;
        let mut conn = self.conn.lock().await;
        let now = self.ledger_time(&mut conn).await?.timestamp_millis();
        let rows = sqlx::query("SELECT json, expires, spent FROM plan WHERE id >= ? AND id < ?");
        let rows = rows.bind(low).bind(high).fetch_all(&mut *conn).await?;
        // Also one that is over: who was told these digits may have been told of the other one.
        if rows.len() > 1 {
            return Err(LedgerError::Ambiguous(Text::clean_within(prefix, 80)));
        }
        let mut live = Vec::new();
        let mut over = Vec::new();
        for row in &rows {
            let (expires, spent): (i64, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
            match (spent, DateTime::from_timestamp_millis(expires)) {
                (Some(spent), _) => over.push(LedgerError::Spent(Text::clean(&spent))),
                (None, Some(at)) if expires <= now => over.push(LedgerError::Expired(at)),
                (None, _) => live.push(row.try_get::<&str, _>(0)?),
            }
        }
        match (live.as_slice(), over.pop(), over.is_empty()) {
            ([json], _, _) => serde_json::from_str(json).map_err(broken),
            ([], Some(why), true) => Err(why),
            _ => Err(no_plan(prefix)),
        }
    }

    pub(super) async fn mark_waiting(&self, plan: PlanId) -> Result<(), LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let row = sqlx::query("SELECT expires, spent, json FROM plan WHERE id = ?").bind(plan.to_string());
        let row = row.fetch_optional(&mut *write.tx).await?;
        let row = row.ok_or_else(|| no_plan(&plan.to_string()))?;
        if let Some(spent) = row.try_get::<Option<String>, _>(1)? {
            return Err(LedgerError::Spent(Text::clean(&spent)));
        }
        match DateTime::from_timestamp_millis(row.try_get(0)?) {
            Some(expires) if expires <= write.at => return Err(LedgerError::Expired(expires)),
            Some(_) | None => {}
        }
        let plan: Plan = serde_json::from_str(row.try_get(2)?).map_err(broken)?;
        waits(&mut write.tx, &plan, write.at).await?;
        write.commit().await.map(drop)
    }

    pub(super) async fn record_denial(&self, plan: &Plan, reasons: &[Reason]) -> Result<(), LedgerError> {
        self.check_identity(plan)?;
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        // A rule asks again and again: that its way back may not begin is recorded and told once.
        if parts::call_denied(&mut write.tx, plan, reasons, write.at).await? {
            write.deny(plan, reasons).await?;
        }
        write.commit().await.map(drop)
    }

    pub(super) async fn record_attempt(&self, attempt: &Attempt) -> Result<(), LedgerError> {
        let Attempt { what, digits, person, reasons } = attempt;
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let mut body = about(digits.as_str(), self.name(), EntryKind::Denied, person, None);
        body.insert("decision".to_owned(), Value::from(*what));
        body.insert("person".to_owned(), Value::from(person.as_str()));
        body.insert("reasons".to_owned(), told(reasons));
        // Of a plan that the digits name alone it is told what it is about.
        let plan = match self.any_plan(&mut write.tx, digits.as_str()).await?.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let words: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        let entry = Entry {
            kind: EntryKind::Denied,
            body: canonical(&body)?,
            deed: plan.as_ref().map(|plan| plan.id),
            verb: plan.as_ref().map(|plan| plan.order.verb.word()),
            target: plan.as_ref().map(|plan| plan.target().to_string()),
            requester: Some(person.clone()),
            verdict: Some("deny"),
            facts: Facts::default(),
            words: format!("{what} by {person}: {}", words.join("; ")),
        };
        write.append(entry).await?;
        write.commit().await.map(drop)
    }

    /// Every stored plan with this prefix, spent and ended ones too.
    async fn any_plan(&self, conn: &mut SqliteConnection, prefix: &str) -> Result<Vec<Plan>, LedgerError> {
        let (low, high) = bounds(prefix)?;
        let rows = sqlx::query("SELECT json FROM plan WHERE id >= ? AND id < ?").bind(low).bind(high).fetch_all(conn).await?;
        rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect()
    }

    /// Now by the ledger's time, outside a transaction.
    pub(super) async fn ledger_time(&self, conn: &mut SqliteConnection) -> Result<DateTime<Utc>, LedgerError> {
        Ok(Head::read(conn).await?.at.max(self.clock.now().wall))
    }

    /// As [`check_identity`], for this installation.
    pub(super) fn check_identity(&self, plan: &Plan) -> Result<(), LedgerError> {
        check_identity(plan, self.name())
    }

    /// The installation's name.
    pub(super) fn name(&self) -> &str {
        self.header.get().map_or("", |header| header.installation.as_str())
    }
}

impl Write<'_> {
    /// Appends that a plan was denied, with what was seen.
    pub async fn deny(&mut self, plan: &Plan, reasons: &[Reason]) -> Result<(), LedgerError> {
        let order = &plan.order;
        let mut body = about(&plan.id.to_string(), &order.installation, EntryKind::Denied, &order.requester, None);
        body.insert("evidence".to_owned(), Value::from(plan.evidence_digest().map_err(broken)?));
        body.insert("reasons".to_owned(), told(reasons));
        body.insert("target".to_owned(), Value::from(plan.target().to_string()));
        body.insert("verb".to_owned(), Value::from(order.verb.word()));
        let words: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        let entry = Entry {
            kind: EntryKind::Denied,
            body: canonical(&body)?,
            deed: Some(plan.id),
            verb: Some(order.verb.word()),
            target: Some(plan.target().to_string()),
            requester: Some(order.requester.clone()),
            verdict: Some("deny"),
            facts: Facts::default(),
            words: words.join("; "),
        };
        self.saw(EntryKind::Denied, plan)?;
        self.append(entry).await
    }
}

/// Reasons as bodies of entries write them.
pub fn told(reasons: &[Reason]) -> Value {
    reasons.iter().map(|reason| json!({"fix": reason.fix, "rule": reason.rule, "text": reason.text})).collect()
}

/// A plan must be what its identity names, for this installation, and its intent what its Order says.
pub fn check_identity(plan: &Plan, installation: &str) -> Result<(), LedgerError> {
    let denied = |why: &str| Err(LedgerError::Denied(Text::clean(why)));
    let order = &plan.order;
    if order.id().map_err(broken)? != plan.id {
        return denied("the plan's identity is not the hash of its order; plan again");
    }
    if order.installation != installation {
        return denied("the plan was made for another installation; plan again");
    }
    let target = plan.target();
    let named =
        |of: &crate::model::plan::OrderTarget| of.service == target.service.as_str() && of.environment == target.environment.as_str();
    if order.verb != plan.intent.verb || !order.targets.iter().any(named) {
        return denied("the plan's intent is not what its order says; plan again");
    }
    let expires = DateTime::parse_from_rfc3339(&order.expires).map(|at| at.timestamp_millis());
    if expires.ok() != Some(plan.expires.timestamp_millis()) {
        return denied("the plan's end is not the one in its order; plan again");
    }
    if order.begin().is_some_and(|begin| begin >= plan.expires || order.break_glass.is_some()) {
        return denied("the time for which the plan is scheduled is none in its order; plan again");
    }
    if order.break_glass.as_ref().is_some_and(|until| *until != order.expires)
        || order.break_glass.is_some() != plan.intent.args.break_glass.is_some()
    {
        return denied("the time box of break glass is not the end in the plan's order; plan again");
    }
    Ok(())
}

/// Stores a plan unless it is there; a spent plan stays spent.
pub async fn insert(conn: &mut SqliteConnection, plan: &Plan, spent: Option<&str>) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO plan (id, expires, spent, json) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE \
         SET spent = coalesce(plan.spent, excluded.spent)",
    )
    .bind(plan.id.to_string())
    .bind(plan.expires.timestamp_millis())
    .bind(spent)
    .bind(serde_json::to_string(plan).map_err(broken)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// A plan waits for other persons from now on; whoever wants to know is told the first time.
pub async fn waits(conn: &mut SqliteConnection, plan: &Plan, at: DateTime<Utc>) -> Result<(), LedgerError> {
    let new = sqlx::query("UPDATE plan SET waiting = 1 WHERE id = ? AND waiting = 0").bind(plan.id.to_string());
    if new.execute(&mut *conn).await?.rows_affected() > 0 {
        outbox::tell_plan(conn, NoticeKind::Waiting, plan, at).await?;
    }
    Ok(())
}

/// Why a plan cannot begin any more; none when it can.
pub async fn spent(conn: &mut SqliteConnection, plan: PlanId) -> Result<Option<String>, LedgerError> {
    let row =
        sqlx::query("SELECT spent FROM plan WHERE id = ?1 AND spent IS NOT NULL UNION ALL SELECT 'carried out' FROM deed WHERE id = ?1");
    let row = row.bind(plan.to_string()).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The bounds between which all identities with this prefix lie.
pub fn bounds(prefix: &str) -> Result<(String, String), LedgerError> {
    let right = (8..=64).contains(&prefix.len()) && prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if right { Ok((prefix.to_owned(), format!("{prefix}g"))) } else { Err(no_plan(prefix)) }
}

/// No plan of that name.
pub fn no_plan(prefix: &str) -> LedgerError {
    LedgerError::NoPlan(Text::clean_within(prefix, 80))
}
