//! How ready a plan is for a departure: since when everybody has agreed, and what it lacks.

use super::approval::{self, Requirement};
use super::calendar::Readiness;
use super::role::Roles;
use super::{gate, judge, rules};
use crate::model::approval::Approval;
use crate::model::catalog::Guard;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::time::Moment;

/// How ready a plan is; its checks are as they stand in it.
pub fn readiness(plan: &Plan, guard: Guard<'_>, held: &Roles<'_>, approvals: &[Approval], now: &Moment) -> Readiness {
    let required = approval::requirements(plan, guard, held);
    let since = approval::agreed_since(plan, guard, held, approvals, &now.wall);
    let counting = approval::counting(plan, guard, held.people, approvals, &now.wall);
    let missing = required.iter().filter_map(|requirement: &Requirement| judge::lacking(plan, &counting, requirement));
    let mut lacks = gate::stopping(&plan.checks);
    lacks.extend(plan.preconditions.iter().filter(|checked| !checked.must.passes()).filter_map(|checked| checked.broken.clone()));
    lacks.extend(missing);
    lacks.extend(approval::void(plan, guard, held.people, approvals, &now.wall));
    Readiness {
        service: plan.target().service.clone(),
        kind: plan.order.change_type,
        since: since.filter(|_| lacks.is_empty()),
        lacks,
        plan: Some(plan.id),
        requester: plan.intent.requester.clone(),
    }
}

/// The stricter of how ready a plan is by new rules and by old ones, of which nothing is known where they do not know its target;
/// `against`: what else the old ones say. It lacks what it lacks by either, and is ready when it is by both.
pub fn stricter(new: Readiness, old: Option<Readiness>, against: Vec<Reason>) -> Readiness {
    let unknown =
        || Reason::new("rules-changed", "the rules that were accepted do not know its target", "a policy-owner accepts the new ones");
    let (since, lacking) = old.map_or_else(|| (None, vec![unknown()]), |old| (old.since, old.lacks));
    let mut lacks = new.lacks;
    for reason in lacking.into_iter().chain(against) {
        if !lacks.contains(&reason) {
            lacks.push(Reason { fix: rules::told(&reason), ..reason });
        }
    }
    let since = new.since.zip(since).map(|(new, old)| new.max(old)).filter(|_| lacks.is_empty());
    Readiness { since, lacks, ..new }
}
