//! JSON as it is promised (CONTRACTS.md, "JSON"): every object has its schema, keys are always present, unknown is null.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::control::engine::reason_of;
use crate::control::world::World;
use crate::control::{gate, gated, standing};
use crate::model::approval::Ruling;
use crate::model::course::ChangeState;
use crate::model::deed::{Deed, DeedState, Facts};
use crate::model::intent::Intent;
use crate::model::name::PlanId;
use crate::model::outbox::DeskChange;
use crate::model::plan::Plan;
use crate::model::presence::persons;
use crate::model::reason::Reason;
use crate::model::review::{Cause, Review};
use crate::model::self_service::SelfGrant;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::{Moment, rfc3339};
use crate::model::verdict::Verdict;
use crate::ports::ledger::{EntryRow, LedgerError, Verification};

/// The schema of every object.
pub const SCHEMA: u32 = 1;

/// A time, or null.
pub fn time(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| Value::String(rfc3339(&at)))
}

/// One decimal is what a share is worth.
fn percent(share: crate::model::share::Share) -> f64 {
    (share.percent() * 10.0).round() / 10.0
}

fn facts(facts: &Facts) -> Value {
    json!({
        "intended": time(facts.intended),
        "sent": time(facts.sent),
        "accepted": time(facts.accepted),
        "effective": time(facts.effective),
        "held": time(facts.held),
    })
}

/// Reasons, the first to fix first.
pub fn reasons(reasons: &[Reason]) -> Value {
    reasons.iter().map(|reason| json!({ "rule": reason.rule, "text": reason.text, "fix": reason.fix })).collect()
}

/// The board.
pub fn status(world: &World, now: &Moment) -> Value {
    let services: Vec<_> = world
        .catalog
        .services
        .values()
        .map(|service| {
            let environments: Vec<_> = world
                .catalog
                .environments
                .iter()
                .filter(|environment| service.deploy.contains_key(&environment.name))
                .filter_map(|environment| {
                    let target = crate::model::name::Target::new(service.name.clone(), environment.name.clone());
                    let view = world.target(&target)?;
                    let fresh = standing::freshness(world, view, now);
                    let version = view.version(view.state.stable);
                    let age = standing::age(world, view, now).map(|age| age.as_secs());
                    Some(json!({
                        "name": environment.name,
                        "state": standing::standing(world, view, now).word(),
                        "version": version.map(|seen| seen.version.clone()),
                        "digest": version.and_then(|seen| seen.digest.clone()),
                        "age_s": age,
                        "stale": !fresh.is_fresh(),
                    }))
                })
                .collect();
            json!({ "name": service.name, "team": service.team, "environments": environments })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "simulated": world.catalog.simulated,
        "at": rfc3339(&now.wall),
        "services": services,
        "backends": backends(world, now),
        "rollouts": rollouts(world),
        "waiting": waiting(world),
        "alerts": alerts(world),
    })
}

/// What a person said about a stored plan, and what became of it.
pub fn ruling(ruling: &Ruling, plan: &Plan, result: &Result<DateTime<Utc>, LedgerError>, needs: Option<u32>, given: u32) -> Value {
    let against = match result {
        Err(LedgerError::Refused(reasons)) => reasons.clone(),
        Err(error) => vec![reason_of(error)],
        Ok(_) => Vec::new(),
    };
    json!({
        "schema": SCHEMA,
        "plan": plan.id.to_string(),
        "verb": plan.intent.verb.word(),
        "target": plan.target().to_string(),
        "requester": plan.intent.requester.to_string(),
        "decision": ruling.decision.word(),
        "person": ruling.person,
        "recorded": time(result.as_ref().ok().copied()),
        "needs": needs,
        "given": given,
        "expires": rfc3339(&plan.expires),
        "reasons": reasons(&against),
    })
}

/// Every backend and how it stands.
pub fn backends(world: &World, now: &Moment) -> Value {
    world
        .sources
        .values()
        .map(|source| {
            json!({
                "name": source.backend.name,
                "kind": source.kind().word(),
                "state": source.freshness(now).word(),
                "age_s": source.age(now).map(|age| age.as_secs()),
                "error": standing::trouble(source),
            })
        })
        .collect()
}

fn rollouts(world: &World) -> Value {
    let running =
        world.targets.values().filter(|view| view.state.rollout.is_some() || view.wished().is_some_and(|share| share.fraction() > 0.0));
    running
        .map(|view| {
            let rollout = view.state.rollout.as_ref();
            let stable = view.state.stable;
            let version = |slot: Slot| view.version(slot).map(|seen| seen.version.clone());
            let wished = view.wished();
            let measured = view.measured();
            let steps = world.catalog.deploy(&view.target).map(|deploy| deploy.steps.clone()).unwrap_or_default();
            let step = wished.map(|share| steps.iter().filter(|step| **step <= share.nearest()).count());
            let state = match (&view.state.hold, world.under_way(&view.target)) {
                (Some(_), _) => "held",
                (None, Some(_)) => "moving",
                (None, None) => "running",
            };
            let mut told = json!({
                "service": view.target.service,
                "environment": view.target.environment,
                "from": rollout.and_then(|rollout| rollout.from.clone()).or_else(|| version(stable)),
                "to": rollout.and_then(|rollout| rollout.to.clone()).or_else(|| version(stable.other())),
                "weight_wished": wished.map(percent),
                "weight_measured": measured.map(|(share, _)| percent(share)),
                "requests": measured.map(|(_, requests)| requests),
                "step": step,
                "state": state,
                "by": rollout.map(|rollout| rollout.by.clone()),
            });
            // Only where there is one: between two slots the object is what it always was.
            if let (Some(_), Some(told)) = (&view.workload, told.as_object_mut()) {
                told.insert("workload".to_owned(), super::workload::object(view));
            }
            told
        })
        .collect()
}

fn waiting(world: &World) -> Value {
    let owed = world.reviews.iter().filter(|review| review.is_owed()).map(|review| {
        json!({
            "kind": "review",
            "id": review.plan.to_string(),
            "plan": review.plan.to_string(),
            "target": review.target.to_string(),
            "verb": review.verb.word(),
            "requester": review.by,
            "needs": 1,
            "given": 0,
            "since": rfc3339(&review.at),
            "expires": time(review.due),
            "changes": desk_changes(world, review.plan),
        })
    });
    let plans = world.waiting.iter().map(|waiting| {
        let plan = &waiting.plan;
        let (needs, given) = gate::agreed(world, waiting);
        json!({
            "kind": "plan",
            "id": plan.id.to_string(),
            "plan": plan.id.to_string(),
            "target": plan.target().to_string(),
            "verb": plan.intent.verb.word(),
            "requester": plan.intent.requester.to_string(),
            "needs": needs,
            "given": given,
            "since": rfc3339(&plan.made),
            "expires": rfc3339(&plan.expires),
            "changes": desk_changes(world, plan.id),
        })
    });
    // What a plan is about already waits as that plan.
    let about = |run: &str| world.waiting.iter().any(|one| one.plan.order.targets.iter().any(|target| target.run.as_deref() == Some(run)));
    let gates = world.targets.keys().flat_map(|target| gated::waiting(world, target).into_iter().map(move |at| (target, at)));
    let gates = gates.filter(|(_, at)| !about(&at.run.id.to_string())).map(|(target, at)| {
        json!({
            "kind": "gate",
            "id": at.run.id.to_string(),
            "plan": null,
            "target": target.to_string(),
            "verb": "approve",
            "requester": at.run.by,
            "needs": 1,
            "given": 0,
            "since": time(at.since()),
            "expires": null,
            "changes": [],
        })
    });
    plans.chain(owed).chain(gates).collect()
}

/// The changes at desks that go with a plan.
fn desk_changes(world: &World, plan: PlanId) -> Vec<Value> {
    world.ledger.desk_changes_of(plan).map(desk_change).collect()
}

/// A change at a desk.
pub fn desk_change(change: &DeskChange) -> Value {
    json!({
        "plan": change.plan.to_string(),
        "desk": change.desk,
        "number": change.number,
        "state": change.state,
        "ours": change.ours,
    })
}

/// A review, owed or over.
pub fn review(review: &Review, team: &str, at: &DateTime<Utc>) -> Value {
    let (until, waived) = match &review.cause {
        Cause::BreakGlass { until, waived } => (Some(*until), waived.as_slice()),
        Cause::Emergency => (None, &[][..]),
    };
    json!({
        "schema": SCHEMA,
        "plan": review.plan.to_string(),
        "cause": review.cause.word(),
        "verb": review.verb.word(),
        "target": review.target.to_string(),
        "team": team,
        "requester": review.by,
        "reason": review.reason,
        "at": rfc3339(&review.at),
        "until": time(until),
        "open": review.open_until(at).is_some(),
        "waived": reasons(waived),
        "due": time(review.due),
        "overdue": review.is_overdue(at),
        "reviewed": time(review.closed.as_ref().map(|closed| closed.at)),
        "reviewer": review.closed.as_ref().map(|closed| closed.by.as_str()),
        "finding": review.closed.as_ref().map(|closed| closed.words.as_str()),
        "trouble": review.trouble,
    })
}

/// A role that somebody took for a while.
pub fn taken(grant: &SelfGrant, at: &DateTime<Utc>) -> Value {
    json!({
        "grant": grant.id,
        "person": grant.person,
        "role": grant.role,
        "place": grant.place,
        "reason": grant.reason,
        "at": rfc3339(&grant.at),
        "until": rfc3339(&grant.until),
        "state": grant.state(at).word(),
        "needs": grant.needs,
        "agreed": grant.agreed.iter().map(|one| json!({ "person": one.person, "at": rfc3339(&one.at) })).collect::<Vec<_>>(),
        "revoked": grant.revoked.as_ref().map(|one| json!({ "person": one.person, "at": rfc3339(&one.at), "words": one.words })),
    })
}

fn alerts(world: &World) -> Value {
    let found = world.targets.values().flat_map(|view| {
        view.alerts.iter().map(move |alert| {
            json!({
                "name": alert.name,
                "severity": alert.severity,
                "service": view.target.service,
                "environment": view.target.environment,
                "since": rfc3339(&alert.since),
                "fingerprint": alert.fingerprint,
                "silenced": !alert.silenced_by.is_empty(),
            })
        })
    });
    found.collect()
}

/// A deed.
pub fn deed(deed: &Deed, simulated: bool) -> Value {
    let verdict = match deed.state {
        DeedState::Waiting => "second-person",
        DeedState::Scheduled => "scheduled",
        DeedState::Denied => "deny",
        DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Effective
        | DeedState::Held
        | DeedState::Unwatched
        | DeedState::Superseded
        | DeedState::Slipped
        | DeedState::Unknown
        | DeedState::Failed => "permit",
    };
    let steps: Vec<_> = deed
        .steps
        .iter()
        .map(|step| {
            json!({
                "backend": step.effect.backend(),
                "effect": step.words,
                "state": step.state.word(),
                "error": step.error.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    let mut told = json!({
        "schema": SCHEMA,
        "deed": deed.plan.to_string(),
        "plan": deed.plan.to_string(),
        "verb": deed.verb.word(),
        "target": deed.target.to_string(),
        "requester": deed.requester,
        "simulated": simulated,
        "verdict": verdict,
        "state": deed.state.word(),
        "facts": facts(&deed.facts),
        "held_due": time(deed.held_due),
        "steps": steps,
        "reasons": reasons(&deed.reasons),
    });
    // A deed without a ticket reads as it did before there were tickets.
    if let (Some(told), Some(ticket)) = (told.as_object_mut(), &deed.ticket) {
        told.insert("ticket".to_owned(), Value::from(ticket.as_str()));
    }
    told
}

/// A plan with its verdict, and the state of its change.
pub fn plan(plan: &Plan, verdict: &Verdict, state: ChangeState) -> Value {
    let preconditions: Vec<_> = plan.preconditions.iter().map(|checked| json!({ "text": checked.text, "holds": checked.holds })).collect();
    let checks = plan.checks.iter().map(|check| {
        let text = format!("{} ({}): {}", check.kind.word(), check.finding.word(), check.text);
        let source = if check.source.is_empty() { Value::Null } else { Value::from(check.source.as_str()) };
        json!({ "text": text, "source": source, "age_s": check.age_s })
    });
    let evidence = plan.evidence.iter().map(|one| json!({ "text": one.text, "source": one.source, "age_s": one.age_s }));
    let evidence: Vec<_> = checks.chain(evidence).collect();
    json!({
        "schema": SCHEMA,
        "plan": plan.id.to_string(),
        "order": plan.order,
        "preconditions": preconditions,
        "evidence": evidence,
        "state": state.word(),
        "verdict": verdict.word(),
        "reasons": reasons(&reasons_or_waived(verdict)),
        "undo": plan.undo,
        "commands": plan.commands,
    })
}

/// The reasons of a verdict; those of a permit are what break glass waived, and say so.
fn reasons_or_waived(verdict: &Verdict) -> Vec<Reason> {
    match verdict {
        Verdict::Permit(permit) => permit
            .waived()
            .iter()
            .map(|reason| Reason { text: Text::clean(&format!("waived: {}", reason.text)), ..reason.clone() })
            .collect(),
        Verdict::SecondPerson { reasons, .. } | Verdict::Deny(reasons) => reasons.clone(),
        Verdict::Early(reason) => vec![reason.clone()],
    }
}

/// What `explain` says: the verdict and nothing done; `state` is the one in which the change would be once it is ordered.
pub fn explanation(intent: &Intent, verdict: &Verdict, state: ChangeState, world: &World) -> Value {
    let (needs, given, may) = match verdict {
        Verdict::SecondPerson { needs, given, may, .. } => (*needs, *given, may.clone()),
        Verdict::Permit(_) | Verdict::Early(_) | Verdict::Deny(_) => (0, 0, Vec::new()),
    };
    json!({
        "schema": SCHEMA,
        "verb": intent.verb.word(),
        "target": intent.target.to_string(),
        "requester": intent.requester.to_string(),
        "state": state.word(),
        "verdict": verdict.word(),
        "reasons": reasons(verdict.reasons()),
        "needs": needs,
        "given": given,
        "here": persons(&world.here).into_iter().filter(|name| may.iter().any(|one| one == name)).collect::<Vec<_>>(),
        "may_approve": may,
    })
}

/// Entries of the ledger.
pub fn entries(rows: &[EntryRow]) -> Value {
    json!({ "schema": SCHEMA, "entries": rows.iter().map(entry).collect::<Vec<_>>() })
}

/// One entry of the ledger.
pub fn entry(row: &EntryRow) -> Value {
    json!({
        "n": row.n,
        "at": rfc3339(&row.at),
        "kind": row.kind.word(),
        "signer": row.signer,
        "deed": row.deed.map(|deed| deed.to_string()),
        "verb": row.verb,
        "target": row.target,
        "requester": row.requester,
        "verdict": row.verdict,
        "facts": facts(&row.facts),
    })
}

/// A verification that could not be carried out: nothing is proven.
pub fn unverified(why: &LedgerError) -> Value {
    let nothing = Value::Null;
    json!({ "schema": SCHEMA, "intact": false, "entries": nothing, "first_bad": nothing, "reason": why.to_string() })
}

/// What a verification found.
pub fn verification(found: &Verification) -> Value {
    json!({ "schema": SCHEMA, "intact": found.intact, "entries": found.entries, "first_bad": found.first_bad, "reason": found.reason })
}
