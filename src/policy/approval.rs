//! Who may say what about a plan: approvals, rejections, withdrawals.

use chrono::{DateTime, Utc};

use super::role;
use crate::model::approval::{Approval, Decision};
use crate::model::catalog::Protection;
use crate::model::intent::Direction;
use crate::model::operator::{Actor, Person};
use crate::model::plan::Plan;
use crate::model::reason::Reason;

/// Everything that the answer is a fact about.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is to be said.
    pub decision: Decision,
    /// Who would say it.
    pub actor: &'a Actor,
    /// The configured people.
    pub people: &'a [Person],
    /// What protects the plan's target; none when it is not configured.
    pub protection: Option<&'a Protection>,
    /// The digest of the rules and roles as they are now.
    pub rules: &'a str,
    /// Whether deeds are impossible by configuration or flag.
    pub read_only: bool,
    /// Now, by the ledger's clock.
    pub at: DateTime<Utc>,
}

/// How many approvals a deed of this direction needs.
pub fn needed(protection: &Protection, direction: Direction) -> u32 {
    match direction {
        Direction::Forward => protection.approvals,
        Direction::Back => protection.way_back_approvals,
        Direction::Release | Direction::Still => 0,
    }
}

/// Those of `approvals` that count for a plan: given by one who may approve it, each person once, and not over.
pub fn counting<'a>(approvals: &'a [Approval], may: &[String], at: &DateTime<Utc>) -> Vec<&'a Approval> {
    let mut counting: Vec<&Approval> = Vec::new();
    for approval in approvals.iter().filter(|approval| approval.counts(at) && may.contains(&approval.person)) {
        if !counting.iter().any(|other| other.person == approval.person) {
            counting.push(approval);
        }
    }
    counting
}

/// Why `actor` may not say it; empty when it may be said. The first to fix first.
pub fn reasons_against(ask: &Ask<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if ask.read_only {
        reasons.push(Reason::new("read-only", "this room is read-only", "open it without --read-only and read_only = true"));
    }
    // Taking back is never harder than giving: only who gave or asked is looked at, and that the store knows.
    if ask.decision == Decision::Withdraw {
        return reasons;
    }
    let plan = ask.plan;
    if ask.at >= plan.expires {
        reasons.push(Reason::new("expired", "the plan has ended", "its requester plans again"));
    }
    if ask.rules != plan.order.rules {
        reasons.push(Reason::new("rules", "the rules or roles changed since it was planned", "its requester plans again"));
    }
    let Some(protection) = ask.protection else {
        reasons.push(Reason::new("target", "its target is not configured", "configure the environment and the service"));
        return reasons;
    };
    if ask.decision == Decision::Approve && needed(protection, plan.direction) == 0 {
        let text = format!("{} in {} needs no approval", plan.intent.verb.word(), plan.target());
        reasons.push(Reason::new("no-approval-needed", &text, &format!("its requester runs `gonogo execute {}`", plan.id.short())));
    }
    let may = role::approvers(ask.people, &protection.approver_roles, plan.target(), &plan.intent.requester);
    match ask.actor {
        Actor::Unverified(_) => reasons.push(Reason::new(
            "nobody-configured",
            "no person is configured, so a second person cannot be told from the first",
            "configure [[person]] tables with names and keys",
        )),
        Actor::Stranger(user) => reasons.push(Reason::new(
            "role",
            &format!("os:{user} is no configured person"),
            &format!("one of these decides: {}", who(&may)),
        )),
        Actor::Person(name) if *ask.actor == plan.intent.requester => reasons.push(Reason::new(
            "own-plan",
            &format!("{name} asked for it and cannot also {} it", ask.decision.word()),
            &format!("one of these decides: {}; the requester withdraws with `gonogo withdraw {}`", who(&may), plan.id.short()),
        )),
        Actor::Person(name) if !may.iter().any(|person| person == name.as_str()) => {
            let roles: Vec<_> = protection.approver_roles.iter().map(ToString::to_string).collect();
            reasons.push(Reason::new(
                "role",
                &format!("{name} may not {} in {}: that asks for the role {}", ask.decision.word(), plan.target(), roles.join(" or ")),
                &format!("one of these decides: {}", who(&may)),
            ));
        }
        Actor::Person(_) => {}
    }
    reasons
}

/// Names in a sentence.
pub fn who(names: &[String]) -> String {
    if names.is_empty() { "nobody who is configured".to_owned() } else { names.join(", ") }
}
