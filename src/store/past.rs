//! Plans that wait no more: what was carried out, taken back, rejected, or ended, for some days.

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::fault::broken;
use super::plans::ENDED_KEPT_MS;
use super::sqlite::SqliteStore;
use crate::model::course::PastChange;
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// Deeds that are looked through.
const DEEDS: i64 = 100;
/// Plans that are told.
const PLANS: i64 = 200;

impl SqliteStore {
    pub(super) async fn past_changes(&self) -> Result<Vec<PastChange>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let now = self.ledger_time(&mut conn).await?;
        let since = now.timestamp_millis().saturating_sub(ENDED_KEPT_MS);
        let mut past = Vec::new();
        let rows = sqlx::query("SELECT plan, json ->> '$.facts.intended' FROM deed ORDER BY n DESC LIMIT ?").bind(DEEDS);
        for row in &rows.fetch_all(&mut *conn).await? {
            let plan: Plan = serde_json::from_str(row.try_get(0)?).map_err(broken)?;
            let began: Option<String> = row.try_get(1)?;
            let began = began.and_then(|text| DateTime::parse_from_rfc3339(&text).ok()).map_or(plan.made, |at| at.to_utc());
            past.push(PastChange { carried_out: true, ..change(&plan, None, began) });
        }
        let rows = sqlx::query(
            "SELECT json, spent, (SELECT max(at) FROM entry WHERE deed = plan.id AND kind IN ('rejection', 'withdrawal')) FROM plan \
             WHERE ((spent IS NULL AND waiting = 1 AND expires <= ?1) OR (spent IS NOT NULL AND spent <> 'carried out')) AND expires >= ?2 \
             ORDER BY expires DESC LIMIT ?3",
        );
        for row in &rows.bind(now.timestamp_millis()).bind(since).bind(PLANS).fetch_all(&mut *conn).await? {
            let plan: Plan = serde_json::from_str(row.try_get(0)?).map_err(broken)?;
            let (how, at): (Option<String>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
            let ended = at.filter(|_| how.is_some()).and_then(DateTime::from_timestamp_millis);
            past.push(change(&plan, how.map(|how| Text::clean(&how)), ended.unwrap_or(plan.expires)));
        }
        past.retain(|change| change.at.timestamp_millis() >= since);
        past.sort_by_key(|change| (std::cmp::Reverse(change.at), change.plan));
        Ok(past)
    }
}

fn change(plan: &Plan, taken_back: Option<Text>, at: DateTime<Utc>) -> PastChange {
    PastChange {
        plan: plan.id,
        verb: plan.order.verb,
        target: plan.target().clone(),
        percent: plan.order.percent,
        requester: plan.order.requester.clone(),
        change: plan.order.change_type,
        made: plan.made,
        begins: plan.order.begin(),
        expires: plan.expires,
        train: plan.order.train.clone(),
        taken_back,
        carried_out: false,
        at,
    }
}
