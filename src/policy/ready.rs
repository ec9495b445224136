//! How ready a plan is for a departure: since when everybody has agreed, and what it lacks.

use super::approval::{self, Requirement};
use super::calendar::Readiness;
use super::role::Roles;
use super::{gate, judge};
use crate::model::approval::Approval;
use crate::model::catalog::Guard;
use crate::model::plan::Plan;
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
