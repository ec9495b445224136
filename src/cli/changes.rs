//! The screen of changes as JSON: the plans that wait, as the reader's own room sees them, and what was said last.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::cli::json as shapes;
use crate::control::world::{Clash, TrainView, World};
use crate::model::approval::Approval;
use crate::model::gate::Check;
use crate::model::name::{PlanId, ServiceName, Target};
use crate::model::reason::Reason;
use crate::model::time::{Moment, rfc3339};
use crate::ports::ledger::EntryRow;
use crate::ui::changes::{self, Ended};
use crate::ui::plans::{self, Queued};

/// Rulings and denials that are listed.
const SAID: usize = 50;

/// The queue with its verdicts, and the newest rulings and denials.
pub fn object(world: &World, now: &Moment) -> Value {
    let queue: Vec<Value> = plans::queue(world, now).into_iter().map(|one| queued(world, &plans::queued(world, one, now), now)).collect();
    json!({
        "schema": shapes::SCHEMA,
        "simulated": world.catalog.simulated,
        "at": rfc3339(&now.wall),
        "screen": "changes",
        "reader": world.actor.to_string(),
        "queue": queue,
        "ended": changes::ended(world, now).map(|one| ended(&one)).collect::<Vec<_>>(),
        "trains": world.diary.trains.iter().map(train).collect::<Vec<_>>(),
        "calendar": crate::cli::calendar::object(world, now),
        "said": plans::said(world).take(SAID).map(said).collect::<Vec<_>>(),
        "backends": shapes::backends(world, now),
    })
}

/// The booking of a scheduled plan, or null.
pub fn scheduled(begin: Option<DateTime<Utc>>, end: DateTime<Utc>, train: Option<&str>) -> Value {
    begin.map_or(Value::Null, |begin| json!({ "begin": rfc3339(&begin), "end": rfc3339(&end), "train": train }))
}

/// A change that waits no more.
fn ended(one: &Ended<'_>) -> Value {
    let past = one.past;
    json!({
        "plan": past.plan.to_string(),
        "verb": past.verb.word(),
        "target": past.target.to_string(),
        "percent": past.percent,
        "requester": past.requester,
        "change_type": past.change.word(),
        "since": rfc3339(&past.made),
        "state": one.state.word(),
        "scheduled": scheduled(past.begins, past.expires, past.train.as_deref()),
        "at": rfc3339(&past.at),
        "words": one.words,
    })
}

/// A departure of a train.
fn train(train: &TrainView) -> Value {
    let missed = |(service, reasons): &(ServiceName, Vec<Reason>)| {
        json!({
            "service": service,
            "plan": train.plans.get(service).map(ToString::to_string),
            "reasons": shapes::reasons(reasons),
        })
    };
    let departure = &train.departure;
    json!({
        "name": train.name,
        "environment": train.environment,
        "departs": rfc3339(&departure.at),
        "cut_off": rfc3339(&departure.cut_off),
        "shuts": rfc3339(&departure.shuts),
        "departed": train.departed,
        "aboard": train.manifest.aboard,
        "missed": train.manifest.missed.iter().map(missed).collect::<Vec<_>>(),
    })
}

fn queued(world: &World, one: &Queued<'_>, now: &Moment) -> Value {
    let plan = &one.waiting.plan;
    let conflict =
        |(clash, plan, with): (&Clash, PlanId, &Target)| json!({ "with": with.to_string(), "plan": plan.to_string(), "text": clash.text });
    let typed = plan.typed.as_ref();
    let could: Vec<Value> =
        one.could.iter().map(|could| json!({ "person": could.name, "last_entry": shapes::time(could.seen), "here": could.here })).collect();
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
        "approvals": one.waiting.approvals.iter().map(|approval| given(one, approval, now)).collect::<Vec<_>>(),
        "authors": authors(one),
        "could": could,
        "part": one.part.word(),
        "state": changes::state(one, now).word(),
        "scheduled": scheduled(plan.order.begin(), plan.expires, plan.order.train.as_deref()),
        "conflicts": world.diary.clashes_of(plan.id).map(conflict).collect::<Vec<_>>(),
        "verdict": one.verdict.word(),
        "reasons": shapes::reasons(one.verdict.reasons()),
        "evidence": plan.evidence_digest().ok(),
        "checks": plan.checks.iter().map(|check| checked(check, &one.fresh.checks)).collect::<Vec<_>>(),
        "now": plan.now,
        "after": plan.after,
        "undo": plan.undo,
    })
}

fn given(one: &Queued<'_>, approval: &Approval, now: &Moment) -> Value {
    let void = one.void(approval);
    json!({
        "person": approval.person,
        "at": rfc3339(&approval.at),
        "expires": rfc3339(&approval.expires),
        "counts": approval.counts(&now.wall) && void.is_none(),
        "void": void.map(|reason| shapes::reasons(&[reason])),
        "evidence": approval.evidence,
        "own_key": approval.is_own_key,
        "words": approval.words,
    })
}

/// Who made what the plan brings, and why each of them may not agree.
fn authors(one: &Queued<'_>) -> Value {
    let Some(made) = &one.fresh.authors else { return Value::Null };
    let people: Vec<Value> = one.authors.people.iter().map(|(person, by)| json!({ "person": person, "as": by })).collect();
    let span = made.span();
    json!({
        "known": one.authors.unknown.is_none(),
        "why": one.authors.unknown.as_ref().map(|(why, _)| why.clone()),
        "fix": one.authors.unknown.as_ref().map(|(_, fix)| fix.clone()),
        "people": people,
        "outsiders": one.authors.outsiders,
        "unmapped": one.authors.unmapped,
        "from": span.map(|span| span.from.as_str()),
        "to": span.map(|span| span.to.as_str()),
        "range": made.range_words(),
        "digest": made.digest(),
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
