//! What persons say about stored plans: approvals, rejections, withdrawals, each an entry and a row.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::grants;
use super::head::Entry;
use super::plans::{no_plan, told, waits};
use super::record::{about, canonical};
use super::reviews;
use super::sqlite::SqliteStore;
use super::state;
use super::write::Write;
use crate::model::approval::{Approval, Decision, Ruling, Waiting};
use crate::model::authorship::Authorship;
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::PlanId;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::ports::ledger::{AtCommit, LedgerError, MayRule};
use crate::ports::signer::Signed;

impl SqliteStore {
    pub(super) async fn record_ruling(
        &self,
        ruling: &Ruling,
        signed: Option<&Signed>,
        may: MayRule<'_>,
    ) -> Result<DateTime<Utc>, LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let plan = match live(&mut write.tx, ruling.plan, write.at).await? {
            Ok(plan) => plan,
            Err((plan, error)) => {
                // It is told as what it is, and that it was tried is on record. Taking back what is over is no attempt at anything, but
                // who would have stopped what has begun came too late.
                if ruling.decision == Decision::Withdraw && !error.is_too_late() {
                    return Err(error);
                }
                let rule = if matches!(error, LedgerError::Spent(_)) { "spent" } else { "expired" };
                refuse(&mut write, &plan, ruling, &[Reason::new(rule, &error.to_string(), "its requester plans again")]).await?;
                write.commit().await?;
                return Err(error);
            }
        };
        let plan = Plan { authors: ruling.authors.as_deref().cloned(), ..plan };
        let state = state::load(&mut write.tx, plan.target()).await?;
        let owed = reviews::owed_on(&mut write.tx, plan.target()).await?;
        let grants = grants::lately(&mut write.tx, &plan.target().environment, write.at).await?;
        let body = ruling.statement(self.name()).canonical().map_err(broken)?;
        if let Some(signed) = signed {
            let bodies = vec![(ruling.decision.kind(), body.clone())];
            if let Err(error) = write.take_signatures(&ruling.person, bodies, std::slice::from_ref(signed)).await {
                let fix = "sign this very plan with your own key";
                let reasons = vec![Reason::new("signature", &error.to_string(), fix)];
                refuse(&mut write, &plan, ruling, &reasons).await?;
                write.commit().await?;
                return Err(LedgerError::Refused(reasons));
            }
        }
        let approvals = given(&mut write.tx, plan.id).await?;
        write.name_rules().await?;
        let rules = write.rules_standing().await?;
        let is_own_key = signed.is_some();
        let found = AtCommit { state, at: write.at, approvals, waiting: Vec::new(), owed, grants, is_own_key, rules };
        let mut reasons = may(&plan, &found);
        if reasons.is_empty() {
            reasons.extend(against(ruling, &plan, &found));
        }
        if !reasons.is_empty() {
            refuse(&mut write, &plan, ruling, &reasons).await?;
            write.commit().await?;
            return Err(LedgerError::Refused(reasons));
        }
        let n = write.next();
        let entry = entry(&plan, ruling, body);
        write.saw(entry.kind, &plan)?;
        write.append(entry).await?;
        match ruling.decision {
            Decision::Approve => {
                let approval = Approval {
                    person: ruling.person.clone(),
                    at: write.at,
                    expires: ruling.expires.map_or(plan.expires, |at| at.min(plan.expires)),
                    evidence: ruling.evidence.clone(),
                    is_own_key: signed.is_some(),
                    words: ruling.words.clone(),
                    authors: ruling.authors.as_deref().and_then(Authorship::digest),
                };
                sqlx::query(
                    "INSERT INTO approval (plan, person, n, json) VALUES (?, ?, ?, ?) \
                     ON CONFLICT (plan, person) DO UPDATE SET n = excluded.n, json = excluded.json",
                )
                .bind(plan.id.to_string())
                .bind(&ruling.person)
                .bind(i64::try_from(n).map_err(broken)?)
                .bind(serde_json::to_string(&approval).map_err(broken)?)
                .execute(&mut *write.tx)
                .await?;
                // A plan that was only stored is looked for by its requester and by other approvers from now on.
                waits(&mut write.tx, &plan, write.at).await?;
            }
            Decision::Reject => end(&mut write.tx, plan.id, &format!("rejected by {}", ruling.person)).await?,
            Decision::Withdraw if plan.order.requester == ruling.person => {
                end(&mut write.tx, plan.id, &format!("withdrawn by {}", ruling.person)).await?;
            }
            Decision::Withdraw => {
                sqlx::query("DELETE FROM approval WHERE plan = ? AND person = ?")
                    .bind(plan.id.to_string())
                    .bind(&ruling.person)
                    .execute(&mut *write.tx)
                    .await?;
            }
        }
        write.commit().await
    }

    pub(super) async fn plans_waiting(&self) -> Result<Vec<Waiting>, LedgerError> {
        let mut conn = self.conn.lock().await;
        let now = self.ledger_time(&mut conn).await?;
        let plans = all_waiting(&mut conn, now).await?;
        let mut waiting = Vec::with_capacity(plans.len());
        for plan in plans {
            let approvals = given(&mut conn, plan.id).await?;
            waiting.push(Waiting { plan, approvals });
        }
        Ok(waiting)
    }
}

/// The plans that wait, without their approvals.
pub async fn all_waiting(conn: &mut SqliteConnection, at: DateTime<Utc>) -> Result<Vec<Plan>, LedgerError> {
    let rows = sqlx::query("SELECT json FROM plan WHERE waiting = 1 AND spent IS NULL AND expires > ? ORDER BY expires, id");
    let rows = rows.bind(at.timestamp_millis()).fetch_all(conn).await?;
    rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect()
}

/// The approvals of a plan that were not withdrawn, the oldest first.
pub async fn given(conn: &mut SqliteConnection, plan: PlanId) -> Result<Vec<Approval>, LedgerError> {
    let rows = sqlx::query("SELECT json FROM approval WHERE plan = ? ORDER BY n").bind(plan.to_string()).fetch_all(conn).await?;
    rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect()
}

/// A stored plan that is neither spent nor over; else the plan and which of the two it is.
async fn live(conn: &mut SqliteConnection, plan: PlanId, at: DateTime<Utc>) -> Result<Result<Plan, (Box<Plan>, LedgerError)>, LedgerError> {
    let row = sqlx::query("SELECT json, spent FROM plan WHERE id = ?").bind(plan.to_string()).fetch_optional(conn).await?;
    let row = row.ok_or_else(|| no_plan(&plan.to_string()))?;
    let plan: Plan = serde_json::from_str(row.try_get(0)?).map_err(broken)?;
    if let Some(spent) = row.try_get::<Option<String>, _>(1)? {
        return Ok(Err((Box::new(plan), LedgerError::Spent(Text::clean(&spent)))));
    }
    let ends = plan.expires;
    Ok(if at >= ends { Err((Box::new(plan), LedgerError::Expired(ends))) } else { Ok(plan) })
}

/// What the store alone can say against a ruling.
fn against(ruling: &Ruling, plan: &Plan, found: &AtCommit) -> Option<Reason> {
    // One that was given to another change does not stand in the way of one to this.
    let authors = ruling.authors.as_deref().and_then(Authorship::digest);
    let same = |approval: &&Approval| approval.person == ruling.person && approval.counts(&found.at) && approval.authors == authors;
    let gave = found.approvals.iter().any(|approval| same(&approval));
    let given = found.approvals.iter().any(|approval| approval.person == ruling.person);
    match ruling.decision {
        Decision::Approve if gave => Some(Reason::new(
            "approved-already",
            &format!("{} has approved plan {} already", ruling.person, plan.id.short()),
            "another person approves, or `gonogo withdraw` takes it back",
        )),
        Decision::Withdraw if !given && plan.order.requester != ruling.person => Some(Reason::new(
            "nothing-to-withdraw",
            &format!("{} neither asked for plan {} nor approved it", ruling.person, plan.id.short()),
            "its requester withdraws the plan, an approver an approval",
        )),
        Decision::Approve | Decision::Reject | Decision::Withdraw => None,
    }
}

/// Ends a plan: its digits then say how.
async fn end(conn: &mut SqliteConnection, plan: PlanId, how: &str) -> Result<(), LedgerError> {
    sqlx::query("UPDATE plan SET spent = ? WHERE id = ?").bind(how).bind(plan.to_string()).execute(conn).await?;
    Ok(())
}

fn entry(plan: &Plan, ruling: &Ruling, body: Vec<u8>) -> Entry {
    Entry {
        kind: ruling.decision.kind(),
        body,
        deed: Some(plan.id),
        verb: Some(plan.order.verb.word()),
        target: Some(plan.target().to_string()),
        requester: Some(plan.order.requester.clone()),
        verdict: None,
        facts: Facts::default(),
        words: format!("{} by {}{}", ruling.decision.word(), ruling.person, said(&ruling.words)),
    }
}

fn said(words: &Text) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// A ruling that policy refused: who tried what, and why not.
async fn refuse(write: &mut Write<'_>, plan: &Plan, ruling: &Ruling, reasons: &[Reason]) -> Result<(), LedgerError> {
    let order = &plan.order;
    let mut body = about(&plan.id.to_string(), &order.installation, EntryKind::Denied, &order.requester, None);
    body.insert("decision".to_owned(), Value::from(ruling.decision.word()));
    body.insert("person".to_owned(), Value::from(ruling.person.as_str()));
    body.insert("reasons".to_owned(), told(reasons));
    body.insert("target".to_owned(), Value::from(plan.target().to_string()));
    body.insert("verb".to_owned(), Value::from(order.verb.word()));
    let words: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
    write
        .append(Entry {
            kind: EntryKind::Denied,
            words: format!("{} by {}: {}", ruling.decision.word(), ruling.person, words.join("; ")),
            verdict: Some("deny"),
            ..entry(plan, ruling, canonical(&body)?)
        })
        .await
}
