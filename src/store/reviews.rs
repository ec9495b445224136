//! Break glass and the reviews that it and emergency changes leave owed: entries, rows, and the line in the second place.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::head::Entry;
use super::plans::{bounds, no_plan};
use super::record::{about, canonical};
use super::sqlite::SqliteStore;
use super::write::Write;
use crate::model::deed::{EntryKind, Facts, Permit};
use crate::model::name::{PlanId, Target};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::review::{Cause, Closed, Finding, Review};
use crate::model::text::Text;
use crate::ports::ledger::{LedgerError, MayReview, ReviewAt};
use crate::ports::signer::Signed;

/// Reviews that are over and still told: what a year of a busy house leaves.
const OVER: i64 = 1_000;

impl SqliteStore {
    /// What a deed that begins leaves owed: its row, and for break glass its entry above the intent, in the second place first.
    pub(super) async fn owe(&self, write: &mut Write<'_>, plan: &Plan, permit: &Permit, is_signed: bool) -> Result<(), LedgerError> {
        let Some(mut review) = owed(plan, permit, write.at) else { return Ok(()) };
        if matches!(review.cause, Cause::BreakGlass { .. }) {
            // What a person signed says what was waived when it was signed; else what is waived now.
            let waived = if is_signed { &plan.waived } else { permit.waived() };
            let n = write.next();
            let words = format!("broken by {}: {}", review.by, review.reason);
            write.append(entry(&review, EntryKind::BreakGlass, opened(plan, waived)?, words)).await?;
            if let Some(second) = self.second.get() {
                let lines = lines_from(&mut write.tx, n).await?;
                if let Err(trouble) = second.append(&lines).await {
                    let mut body = body(&review, self.name(), EntryKind::BreakGlass, "not-in-second-place");
                    body.insert("words".to_owned(), Value::from(trouble.as_str()));
                    let words = format!("not recorded in the second place: {trouble}");
                    write.append(entry(&review, EntryKind::BreakGlass, canonical(&body)?, words)).await?;
                    review.trouble = Some(trouble);
                }
            }
        }
        save(&mut write.tx, &review).await
    }

    pub(super) async fn list_reviews(&self) -> Result<Vec<Review>, LedgerError> {
        let mut conn = self.conn.lock().await;
        // A store of an older schema that this process may only read has no such table.
        let there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'review'").fetch_optional(&mut *conn).await?;
        if there.is_none() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT json FROM review WHERE open = 1 UNION ALL SELECT json FROM (SELECT json FROM review WHERE open = 0 ORDER BY at DESC LIMIT ?)",
        );
        let rows = rows.bind(OVER).fetch_all(&mut *conn).await?;
        let mut all: Vec<Review> =
            rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect::<Result<_, LedgerError>>()?;
        all.sort_by_key(|review| (review.at, review.plan));
        Ok(all)
    }

    pub(super) async fn close_review(&self, finding: &Finding, signed: Option<&Signed>, may: MayReview<'_>) -> Result<Review, LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let mut review = found(&mut write.tx, &finding.plan).await?;
        if let Some(closed) = &review.closed {
            return Err(LedgerError::Spent(Text::clean(&format!("reviewed by {}", closed.by))));
        }
        let reviewed = self.reviewed(&review, finding)?;
        if let Some(signed) = signed {
            let bodies = vec![(EntryKind::BreakGlass, reviewed.clone())];
            write.take_signatures(&finding.person, bodies, std::slice::from_ref(signed)).await?;
        }
        write.name_rules().await?;
        let rules = write.rules_standing().await?;
        let mut reasons = may(&ReviewAt { review: &review, rules: &rules, is_own_key: signed.is_some() });
        if !review.is_owed() {
            let text = format!("no review of {} {} is owed: it has not taken effect", review.verb.word(), review.target);
            reasons.push(Reason::new("nothing-owed", &text, "wait until it is effective"));
        }
        if !reasons.is_empty() {
            let told: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
            let mut body = body(&review, self.name(), EntryKind::Denied, "review-refused");
            body.extend(said(finding));
            body.insert("reasons".to_owned(), told_reasons(&reasons));
            let told = format!("review by {}: {}", finding.person, told.join("; "));
            write.append(Entry { verdict: Some("deny"), ..entry(&review, EntryKind::Denied, canonical(&body)?, told) }).await?;
            write.commit().await?;
            return Err(LedgerError::Refused(reasons));
        }
        let told = format!("reviewed by {}: {}", finding.person, finding.words);
        write.append(entry(&review, EntryKind::BreakGlass, reviewed, told)).await?;
        review.closed = Some(Closed { by: finding.person.clone(), at: write.at, words: finding.words.clone() });
        save(&mut write.tx, &review).await?;
        write.commit().await?;
        Ok(review)
    }

    /// The body of the entry that closes a review: what the reviewer's own key signs from tier T1 on.
    pub(super) async fn review_body(&self, finding: &Finding) -> Result<Vec<u8>, LedgerError> {
        let review = found(&mut *self.conn.lock().await, &finding.plan).await?;
        self.reviewed(&review, finding)
    }

    fn reviewed(&self, review: &Review, finding: &Finding) -> Result<Vec<u8>, LedgerError> {
        let mut body = body(review, self.name(), EntryKind::BreakGlass, "reviewed");
        body.extend(said(finding));
        body.insert("cause".to_owned(), Value::from(review.cause.word()));
        canonical(&body)
    }
}

/// The one review whose plan begins with these digits.
async fn found(conn: &mut SqliteConnection, plan: &str) -> Result<Review, LedgerError> {
    let (low, high) = bounds(plan)?;
    let rows = sqlx::query("SELECT json FROM review WHERE plan >= ? AND plan < ? LIMIT 2").bind(low).bind(high);
    let rows = rows.fetch_all(conn).await?;
    let [row] = rows.as_slice() else { return Err(no_plan(plan)) };
    serde_json::from_str(row.try_get(0)?).map_err(broken)
}

/// Who reviewed, and what was found.
fn said(finding: &Finding) -> [(String, Value); 2] {
    [("person".to_owned(), Value::from(finding.person.as_str())), ("words".to_owned(), Value::from(finding.words.as_str()))]
}

/// The review that a deed leaves owed when it begins; for an emergency change only once it took effect.
pub fn owed(plan: &Plan, permit: &Permit, at: DateTime<Utc>) -> Option<Review> {
    let within = permit.review_within()?;
    let cause = match &plan.order.break_glass {
        Some(_) => Cause::BreakGlass { until: plan.expires, waived: permit.waived().to_vec() },
        None => Cause::Emergency,
    };
    let due = plan.order.break_glass.as_ref().map(|_| after(at, within));
    Some(Review {
        plan: plan.id,
        target: plan.target().clone(),
        verb: plan.order.verb,
        by: plan.order.requester.clone(),
        reason: plan.intent.reason.clone(),
        cause,
        at,
        within,
        due,
        closed: None,
        trouble: None,
    })
}

fn after(at: DateTime<Utc>, within: Duration) -> DateTime<Utc> {
    chrono::TimeDelta::from_std(within).ok().and_then(|within| at.checked_add_signed(within)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// An emergency change took effect: from now on its review is owed.
pub async fn took_effect(conn: &mut SqliteConnection, plan: PlanId, at: DateTime<Utc>) -> Result<(), LedgerError> {
    let row = sqlx::query("SELECT json FROM review WHERE plan = ?").bind(plan.to_string()).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(()) };
    let mut review: Review = serde_json::from_str(row.try_get(0)?).map_err(broken)?;
    if review.due.is_some() {
        return Ok(());
    }
    review.due = Some(after(at, review.within));
    save(conn, &review).await
}

/// Reviews that are owed on the service of a target.
pub async fn owed_on(conn: &mut SqliteConnection, target: &Target) -> Result<Vec<Review>, LedgerError> {
    let rows = sqlx::query("SELECT json FROM review WHERE open = 1 AND service = ?").bind(target.service.as_str());
    let rows = rows.fetch_all(conn).await?;
    rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect()
}

/// Stores one as it is now.
pub async fn save(conn: &mut SqliteConnection, review: &Review) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO review (plan, service, at, open, json) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (plan) DO UPDATE SET open = excluded.open, json = excluded.json",
    )
    .bind(review.plan.to_string())
    .bind(review.target.service.as_str())
    .bind(review.at.timestamp_millis())
    .bind(review.closed.is_none())
    .bind(serde_json::to_string(review).map_err(broken)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// The lines from an entry on.
async fn lines_from(conn: &mut SqliteConnection, n: u64) -> Result<Vec<Vec<u8>>, LedgerError> {
    let rows = sqlx::query("SELECT line FROM entry WHERE n >= ? AND kind = 'break-glass' ORDER BY n");
    let rows = rows.bind(i64::try_from(n).map_err(broken)?).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The body of the entry that says that the glass was broken: what its requester's own key signs from tier T1 on.
pub fn opened(plan: &Plan, waived: &[Reason]) -> Result<Vec<u8>, LedgerError> {
    let order = &plan.order;
    let mut body = about(&plan.id.to_string(), &order.installation, EntryKind::BreakGlass, &order.requester, None);
    body.insert("reason".to_owned(), Value::from(plan.intent.reason.as_str()));
    body.insert("state".to_owned(), Value::from("broken"));
    body.insert("target".to_owned(), Value::from(plan.target().to_string()));
    body.insert("until".to_owned(), Value::from(order.break_glass.as_deref()));
    body.insert("verb".to_owned(), Value::from(order.verb.word()));
    body.insert("waived".to_owned(), told_reasons(waived));
    canonical(&body)
}

fn told_reasons(reasons: &[Reason]) -> Value {
    Value::Array(reasons.iter().map(|reason| json!({"fix": reason.fix, "rule": reason.rule, "text": reason.text})).collect())
}

fn body(review: &Review, installation: &str, kind: EntryKind, state: &str) -> Map<String, Value> {
    let mut body = about(&review.plan.to_string(), installation, kind, &review.by, None);
    body.insert("state".to_owned(), Value::from(state));
    body.insert("target".to_owned(), Value::from(review.target.to_string()));
    body.insert("verb".to_owned(), Value::from(review.verb.word()));
    body
}

fn entry(review: &Review, kind: EntryKind, body: Vec<u8>, words: String) -> Entry {
    Entry {
        kind,
        body,
        deed: Some(review.plan),
        verb: Some(review.verb.word()),
        target: Some(review.target.to_string()),
        requester: Some(review.by.clone()),
        verdict: None,
        facts: Facts::default(),
        words,
    }
}
