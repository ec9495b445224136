//! The pack as JSON.

use serde_json::{Value, json};

use crate::cli::json as shapes;
use crate::control::pack::{Coming, Done, Failure, Pack};
use crate::model::review::Review;
use crate::model::time::rfc3339;
use crate::policy::risk::Risk;

/// The pack as one object.
pub fn object(pack: &Pack) -> Value {
    let freezes = pack.freezes.iter().map(|one| {
        json!({
            "environment": one.environment,
            "name": one.name,
            "begin": rfc3339(&one.span.begin),
            "end": rfc3339(&one.span.end),
            "reason": one.reason,
        })
    });
    json!({
        "schema": shapes::SCHEMA,
        "simulated": pack.simulated,
        "room": pack.room,
        "at": rfc3339(&pack.made),
        "from": rfc3339(&pack.period.begin),
        "to": rfc3339(&pack.period.end),
        "changes": pack.coming.iter().map(coming).collect::<Vec<_>>(),
        "carried_out": pack.done.iter().map(done).collect::<Vec<_>>(),
        "freezes": freezes.collect::<Vec<_>>(),
        "not_believed": pack.not_believed,
        "calendar_known_until": rfc3339(&pack.known_until),
        "reviews": pack.glass.iter().map(review).collect::<Vec<_>>(),
        "overdue_reviews": pack.overdue.iter().map(review).collect::<Vec<_>>(),
        "entries_from": shapes::time(pack.entries_from),
        "older_entries": pack.older_entries,
    })
}

fn coming(one: &Coming) -> Value {
    let given = one.given.iter().map(|approval| {
        json!({
            "person": approval.person,
            "at": rfc3339(&approval.at),
            "expires": rfc3339(&approval.expires),
            "evidence": approval.evidence,
            "own_key": approval.is_own_key,
            "words": approval.words,
        })
    });
    let checks = one
        .checks
        .iter()
        .map(|check| json!({ "check": check.kind.word(), "counts": check.counts, "finding": check.finding, "text": check.text }));
    json!({
        "plan": one.plan.to_string(),
        "what": one.what,
        "target": one.target.to_string(),
        "service": one.target.service,
        "environment": one.target.environment,
        "team": one.team,
        "change_type": one.kind.word(),
        "because": one.because,
        "state": one.state,
        "reasons": shapes::reasons(&one.blocked),
        "requester": one.requester,
        "reason": one.reason,
        "since": rfc3339(&one.made),
        "begin": rfc3339(&one.time.begin),
        "end": rfc3339(&one.time.end),
        "booked": one.booked,
        "now": one.now,
        "after": one.after,
        "risk": risk(&one.risk),
        "way_back": { "command": one.undo, "proven": shapes::time(one.proven) },
        "conflicts": one.conflicts,
        "failures": one.failures.iter().map(failure).collect::<Vec<_>>(),
        "asked": one.asked,
        "approvals": given.collect::<Vec<_>>(),
        "evidence": one.evidence,
        "checks": checks.collect::<Vec<_>>(),
    })
}

fn risk(risk: &Risk) -> Value {
    let parts = risk.parts.iter().map(|part| json!({ "part": part.name, "points": part.points, "most": part.most, "because": part.why }));
    json!({ "word": risk.word(), "points": risk.points(), "most": risk.most(), "parts": parts.collect::<Vec<_>>() })
}

fn failure(one: &Failure) -> Value {
    json!({ "at": rfc3339(&one.at), "what": one.how, "target": one.target, "requester": one.by, "words": one.words })
}

fn done(one: &Done) -> Value {
    json!({
        "at": rfc3339(&one.at),
        "plan": one.plan.to_string(),
        "verb": one.verb,
        "target": one.target,
        "requester": one.by,
        "agreed": one.agreed,
        "outcome": one.outcome.word(),
        "words": one.words,
    })
}

fn review(review: &Review) -> Value {
    json!({
        "at": rfc3339(&review.at),
        "plan": review.plan.to_string(),
        "verb": review.verb.word(),
        "target": review.target.to_string(),
        "requester": review.by,
        "cause": review.cause.word(),
        "reason": review.reason,
        "due": shapes::time(review.due),
        "closed": review.closed.as_ref().map(|closed| json!({ "by": closed.by, "at": rfc3339(&closed.at), "words": closed.words })),
    })
}
