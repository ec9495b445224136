//! Break glass: what it asks for, and the reviews that it leaves owed.

use chrono::{DateTime, Utc};

use super::{approval, role};
use crate::model::change::ChangeType;
use crate::model::intent::{Direction, Verb};
use crate::model::operator::{Actor, Person};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::review::{LEAST_REASON, Review};

/// Whether a plan breaks the glass: its Order says so.
pub fn is_broken(plan: &Plan) -> bool {
    plan.order.break_glass.is_some()
}

/// What break glass itself asks for and the plan lacks; nothing for a plan that does not break it.
pub fn against(plan: &Plan, at: &DateTime<Utc>) -> Vec<Reason> {
    let Some(until) = &plan.order.break_glass else { return Vec::new() };
    let mut reasons = Vec::new();
    // The Order says it too, so that no other end in the plan makes the box longer.
    if DateTime::parse_from_rfc3339(until).is_ok_and(|until| *at >= until) {
        reasons.push(Reason::new("expired", "its time box has ended", "break the glass again, with a reason of now"));
    }
    if plan.intent.reason.as_str().trim().chars().count() < LEAST_REASON {
        reasons.push(Reason::new(
            "break-glass-reason",
            &format!("break glass needs a reason of {LEAST_REASON} characters or more"),
            "say with --reason what is broken and why it cannot wait",
        ));
    }
    if matches!(plan.intent.verb, Verb::Note | Verb::Hold) {
        let text = format!("{} needs no glass broken", plan.intent.verb.word());
        reasons.push(Reason::new("break-glass-verb", &text, &format!("gonogo {} {}", plan.intent.verb.word(), plan.target())));
    }
    reasons
}

/// Why a forward change must wait for a review that is overdue on its service. Emergencies, the way back and break glass need not.
pub fn overdue(plan: &Plan, owed: &[Review], at: &DateTime<Utc>) -> Option<Reason> {
    if plan.direction != Direction::Forward || plan.order.change_type == ChangeType::Emergency || is_broken(plan) {
        return None;
    }
    let of_service = |review: &&Review| review.target.service == plan.target().service && review.is_overdue(at);
    let oldest = owed.iter().filter(of_service).min_by_key(|review| review.due)?;
    let due = oldest.due.map(|due| due.format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
    let text = format!(
        "the review of {} {} by {} ({}) was due on {due}",
        oldest.verb.word(),
        oldest.target,
        oldest.by,
        oldest.cause.word().replace('-', " ")
    );
    Some(Reason::new(
        "review-overdue",
        &text,
        &format!("another person: gonogo review {} --reason \"what was found\"", oldest.plan.short()),
    ))
}

/// Why `actor` may not close a review; empty when it may be closed. `unsigned`: it must bear the person's own signature, and does not.
pub fn against_review(review: &Review, actor: &Actor, people: &[Person], read_only: bool, unsigned: bool) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if read_only {
        reasons.push(Reason::new("read-only", "this room is read-only", "open it without --read-only and read_only = true"));
    }
    if unsigned {
        reasons.push(approval::unsigned_in(&review.target.environment, actor));
    }
    match actor {
        Actor::Unverified(_) => reasons.push(Reason::new(
            "nobody-configured",
            "no person is configured, so a second person cannot be told from the first",
            "configure [[person]] tables with names and keys",
        )),
        Actor::Stranger(user) => reasons.push(Reason::new(
            "role",
            &format!("os:{user} is no configured person"),
            "a configured person who did not ask for the deed reviews it",
        )),
        Actor::Rule { .. } => {
            reasons.push(Reason::new("role", "a rule of a rollout says nothing in a person's place", "a person decides"));
        }
        Actor::Person(name) => {
            let person = people.iter().find(|person| &person.name == name);
            // What was done before people were configured bears the name of the account.
            let account = person.and_then(|person| person.os_user.as_ref()).map(|user| format!("os:{user}"));
            if review.by == name.as_str() || account.is_some_and(|account| review.by == account) {
                reasons.push(Reason::new(
                    "own-deed",
                    &format!("{name} asked for the deed and cannot also review it"),
                    "another person reviews it",
                ));
            } else if !person.is_some_and(|person| role::holds(person, &[], &(&review.target).into())) {
                reasons.push(Reason::new("role", &format!("{name} is no configured person"), "a configured person reviews it"));
            }
        }
    }
    reasons
}
