//! The screen of changes as JSON: the plans that wait, as the reader's own room sees them, and what was said last.

use serde_json::{Value, json};

use crate::cli::json as shapes;
use crate::control::world::World;
use crate::model::approval::Approval;
use crate::model::gate::Check;
use crate::model::time::{Moment, rfc3339};
use crate::ports::ledger::EntryRow;
use crate::ui::plans::{self, Queued};

/// Rulings and denials that are listed.
const SAID: usize = 50;

/// The queue with its verdicts, and the newest rulings and denials.
pub fn object(world: &World, now: &Moment) -> Value {
    let queue: Vec<Value> = plans::queue(world, now).into_iter().map(|one| queued(&plans::queued(world, one, now), now)).collect();
    json!({
        "schema": shapes::SCHEMA,
        "simulated": world.catalog.simulated,
        "at": rfc3339(&now.wall),
        "screen": "changes",
        "reader": world.actor.to_string(),
        "queue": queue,
        "said": plans::said(world).take(SAID).map(said).collect::<Vec<_>>(),
        "backends": shapes::backends(world, now),
    })
}

fn queued(one: &Queued<'_>, now: &Moment) -> Value {
    let plan = &one.waiting.plan;
    let typed = plan.typed.as_ref();
    let could: Vec<Value> = one.could.iter().map(|could| json!({ "person": could.name, "last_entry": shapes::time(could.seen) })).collect();
    json!({
        "plan": plan.id.to_string(),
        "verb": plan.intent.verb.word(),
        "target": plan.target().to_string(),
        "percent": plan.order.percent,
        "requester": plan.intent.requester.to_string(),
        "reason": plan.intent.reason,
        "since": rfc3339(&plan.made),
        "expires": rfc3339(&plan.expires),
        "ticket": plan.order.ticket,
        "change_type": plan.order.change_type.word(),
        "because": typed.map(|typed| typed.because.clone()),
        "needs": one.needs,
        "given": one.given,
        "approvals": one.waiting.approvals.iter().map(|approval| given(approval, now)).collect::<Vec<_>>(),
        "could": could,
        "part": one.part.word(),
        "verdict": one.verdict.word(),
        "reasons": shapes::reasons(one.verdict.reasons()),
        "evidence": plan.evidence_digest().ok(),
        "checks": plan.checks.iter().map(|check| checked(check, &one.fresh.checks)).collect::<Vec<_>>(),
        "now": plan.now,
        "after": plan.after,
        "undo": plan.undo,
    })
}

fn given(approval: &Approval, now: &Moment) -> Value {
    json!({
        "person": approval.person,
        "at": rfc3339(&approval.at),
        "expires": rfc3339(&approval.expires),
        "counts": approval.counts(&now.wall),
        "evidence": approval.evidence,
        "own_key": approval.is_own_key,
        "words": approval.words,
    })
}

fn checked(check: &Check, fresh: &[Check]) -> Value {
    json!({
        "check": check.kind.word(),
        "counts": check.counts,
        "finding": check.finding,
        "finding_now": fresh.iter().find(|other| other.kind == check.kind).map(|other| other.finding),
        "text": check.text,
        "fix": check.fix,
        "source": if check.source.is_empty() { Value::Null } else { Value::from(check.source.as_str()) },
        "age_s": check.age_s,
    })
}

fn said(entry: &EntryRow) -> Value {
    json!({
        "n": entry.n,
        "at": rfc3339(&entry.at),
        "kind": entry.kind.word(),
        "signer": entry.signer,
        "requester": entry.requester,
        "plan": entry.deed.map(|plan| plan.to_string()),
        "verb": entry.verb,
        "target": entry.target,
        "words": entry.words,
    })
}
