//! What a line of the outbox tells in full, and what only time brought: the end of a time box, a review that is overdue.

use base64ct::{Base64, Encoding as _};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use sqlx::Row as _;

use super::deeds::DeedRow;
use super::fault::broken;
use super::head::Entry;
use super::record::{Line, about, canonical};
use super::sqlite::SqliteStore;
use crate::model::deed::{EntryKind, Facts};
use crate::model::intent::Direction;
use crate::model::name::PlanId;
use crate::model::outbox::{Notice, NoticeKind};
use crate::model::plan::Plan;
use crate::model::review::{Cause, Review};
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::ports::ledger::LedgerError;

/// How long after its end a time box that nobody watched is still told: no box lasts longer than this.
const BOX_HOURS: i64 = 5;

impl SqliteStore {
    pub(super) async fn whole_notice(&self, seq: u64) -> Result<Option<Notice>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let row = sqlx::query(
            "SELECT o.n, o.kind, o.at, o.plan, o.json, o.target, e.line, e.deed, e.verb, e.requester, e.verdict, e.facts, e.words \
             FROM outbox o LEFT JOIN entry e ON e.n = o.n WHERE o.seq = ?",
        );
        let row = row.bind(i64::try_from(seq).map_err(broken)?).fetch_optional(&mut *conn).await?;
        let Some(row) = row else { return Ok(None) };
        let Some(kind) = NoticeKind::of_word(row.try_get(1)?) else { return Ok(None) };
        let n = row.try_get::<Option<i64>, _>(0)?.map(u64::try_from).transpose().map_err(broken)?;
        let body: Value = match row.try_get::<Option<Vec<u8>>, _>(6)? {
            Some(line) => {
                let line: Line = serde_json::from_slice(&line).map_err(broken)?;
                let bytes = Base64::decode_vec(&line.body).map_err(broken)?;
                serde_json::from_slice(&bytes).unwrap_or(Value::Null)
            }
            None => Value::Null,
        };
        let said: Value = row.try_get::<Option<&str>, _>(4)?.map_or(Ok(Value::Null), serde_json::from_str).map_err(broken)?;
        let of = |member: &str| said.get(member).and_then(Value::as_str).map(str::to_owned);
        let named: Option<String> = match row.try_get::<Option<String>, _>(3)? {
            Some(plan) => Some(plan),
            None => row.try_get(7)?,
        };
        let deed: Option<PlanId> = named.map(|id| id.parse()).transpose().map_err(broken)?;
        let facts: Option<&str> = row.try_get(11)?;
        let id = match (n, deed) {
            (Some(n), _) => format!("{}/{n}", self.name()),
            (None, Some(deed)) => format!("{}/{}-{deed}", self.name(), kind.word()),
            (None, None) => format!("{}/{}-{seq}", self.name(), kind.word()),
        };
        let words = row.try_get::<Option<String>, _>(12)?.or_else(|| of("reason")).unwrap_or_default();
        let mut notice = Notice {
            seq,
            installation: self.name().to_owned(),
            id,
            at: DateTime::from_timestamp_millis(row.try_get(2)?).ok_or_else(|| broken("a line of the outbox has no time"))?,
            kind,
            n,
            state: body.get("state").and_then(Value::as_str).map(str::to_owned).or_else(|| of("state")),
            deed,
            verb: row.try_get::<Option<String>, _>(8)?.or_else(|| of("verb")),
            target: row.try_get::<Option<&str>, _>(5)?.and_then(|target| target.parse().ok()),
            requester: row.try_get::<Option<String>, _>(9)?.or_else(|| of("requester")),
            verdict: row.try_get(10)?,
            facts: facts.map_or(Ok(Facts::default()), serde_json::from_str).map_err(broken)?,
            words: Text::clean_within(&words, 500),
            body: if n.is_some() { body } else { said.clone() },
            plan: None,
            turned_back: false,
        };
        if let Some(deed) = deed {
            let row = sqlx::query("SELECT json FROM plan WHERE id = ?1 UNION ALL SELECT plan FROM deed WHERE id = ?1 LIMIT 1");
            let row = row.bind(deed.to_string()).fetch_optional(&mut *conn).await?;
            notice.plan = row.map(|row| serde_json::from_str::<Box<Plan>>(row.try_get(0)?).map_err(broken)).transpose()?;
        }
        if kind == NoticeKind::Entry(EntryKind::Superseded)
            && let Some(by) = notice.said("by").and_then(|by| by.parse().ok())
        {
            let later = DeedRow::load(&mut conn, by).await?;
            notice.turned_back = later.is_some_and(|later| later.plan.direction == Direction::Back);
        }
        Ok(Some(notice))
    }

    /// Records what became so by time alone, each thing once in the life of the store.
    pub(super) async fn tell_by_time(&self) -> Result<(), LedgerError> {
        let due = {
            let mut conn = self.conn.lock().await;
            let now = self.ledger_time(&mut conn).await?;
            self.due(&mut conn, now).await?
        };
        if due.is_empty() {
            return Ok(());
        }
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let due = self.due(&mut write.tx, write.at).await?;
        if due.is_empty() {
            return Ok(());
        }
        for (review, what) in due {
            sqlx::query("INSERT INTO told_by_time (plan, what) VALUES (?, ?)")
                .bind(review.plan.to_string())
                .bind(what)
                .execute(&mut *write.tx)
                .await?;
            write.append(self.by_time(&review, what)?).await?;
        }
        write.commit().await.map(drop)
    }

    /// What is so by now and was not told.
    async fn due(&self, conn: &mut sqlx::SqliteConnection, now: DateTime<Utc>) -> Result<Vec<(Review, &'static str)>, LedgerError> {
        let recent = (now - TimeDelta::hours(BOX_HOURS)).timestamp_millis();
        let rows =
            sqlx::query("SELECT json FROM review WHERE open = 1 OR at > ? ORDER BY at, plan").bind(recent).fetch_all(&mut *conn).await?;
        let mut due = Vec::new();
        for row in &rows {
            let review: Review = serde_json::from_str(row.try_get(0)?).map_err(broken)?;
            let ended = matches!(&review.cause, Cause::BreakGlass { until, .. } if now >= *until);
            let overdue = review.is_overdue(&now);
            for what in [ended.then_some("box-ended"), overdue.then_some("review-overdue")].into_iter().flatten() {
                let told = sqlx::query("SELECT 1 FROM told_by_time WHERE plan = ? AND what = ?").bind(review.plan.to_string()).bind(what);
                if told.fetch_optional(&mut *conn).await?.is_none() {
                    due.push((review.clone(), what));
                }
            }
        }
        Ok(due)
    }

    fn by_time(&self, review: &Review, what: &'static str) -> Result<Entry, LedgerError> {
        let mut body: Map<String, Value> = about(&review.plan.to_string(), self.name(), EntryKind::BreakGlass, &review.by, None);
        body.insert("cause".to_owned(), Value::from(review.cause.word()));
        body.insert("due".to_owned(), Value::from(review.due.as_ref().map(rfc3339)));
        body.insert("state".to_owned(), Value::from(what));
        body.insert("target".to_owned(), Value::from(review.target.to_string()));
        body.insert("verb".to_owned(), Value::from(review.verb.word()));
        let due = review.due.as_ref().map(rfc3339).unwrap_or_default();
        let words = match what {
            "box-ended" => format!("the time box of {} ended; a review is due by {due}", review.by),
            _ => format!("the review of {} {} by {} was due by {due}", review.verb.word(), review.target, review.by),
        };
        Ok(Entry {
            kind: EntryKind::BreakGlass,
            body: canonical(&body)?,
            deed: Some(review.plan),
            verb: Some(review.verb.word()),
            target: Some(review.target.to_string()),
            requester: Some(review.by.clone()),
            verdict: None,
            facts: Facts::default(),
            words,
        })
    }
}
