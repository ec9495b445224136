//! The judge: one plan, one verdict, every reason in the order in which to fix them.

use chrono::{DateTime, Utc};

use super::approval::{self, Requirement};
use super::role::{Act, Roles};
use super::{authors, both, course, gate, glass, own_run, rollout};
use crate::model::approval::Approval;
use crate::model::catalog::{Assurance, Guard};
use crate::model::change::ChangeType;
use crate::model::deed::Permit;
use crate::model::intent::Direction;
use crate::model::operator::{Actor, Person};
use crate::model::plan::{Checked, Plan};
use crate::model::reason::Reason;
use crate::model::review::{REVIEW_WITHIN, Review};
use crate::model::rollout::{Hold, Rollout};
use crate::model::self_service::SelfGrant;
use crate::model::verdict::Verdict;

/// Everything that a verdict is a fact about.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What guards its target; none when the target is not configured.
    pub guard: Option<Guard<'a>>,
    /// Whether the requester's own key signed it; none before anybody was asked to sign.
    pub is_own_key: Option<bool>,
    /// The configured people.
    pub people: &'a [Person],
    /// Roles that people took for a while, those that are over among them.
    pub grants: &'a [SelfGrant],
    /// Whether deeds are impossible by configuration or flag.
    pub read_only: bool,
    /// Why the record cannot be written.
    pub record_trouble: Option<&'a str>,
    /// The digest of the rules and roles as they are now.
    pub rules: &'a str,
    /// Now, by the ledger's clock.
    pub at: DateTime<Utc>,
    /// The hold on the target.
    pub hold: Option<&'a Hold>,
    /// The rollout under way on the target.
    pub rollout: Option<&'a Rollout>,
    /// Who else is doing something to the target.
    pub busy: Option<&'a str>,
    /// Who approved this plan and did not take it back.
    pub approvals: &'a [Approval],
    /// Reviews that are owed, of this service at least.
    pub owed: &'a [Review],
    /// What time says against it: windows, freezes, its train, other bookings; of a plan that is scheduled, at its time. Empty when
    /// nothing.
    pub shut: &'a [Reason],
}

/// Judges a plan. Called when it is made, when it is confirmed, and inside the transaction that begins it (promise 7).
pub fn judge(case: &Case<'_>) -> Verdict {
    let mut reasons = standing_in_the_way(case);
    reasons.extend(rollout::against(case.plan, case.rollout));
    reasons.extend(both::against(case.plan));
    reasons.extend(case.plan.impossible.iter().cloned());
    let early = course::early(case.plan, &case.at);
    let looked_at = |check: &&Checked| early.is_none() || !check.must.passes();
    reasons.extend(case.plan.preconditions.iter().filter(looked_at).filter(|check| !check.holds).filter_map(|check| check.broken.clone()));
    if early.is_none() {
        reasons.extend(glass::overdue(case.plan, case.owed, &case.at));
    }
    // Break glass waives these, and the approvals below; nothing else.
    let mut waived = waivable(case);
    if !glass::is_broken(case.plan) {
        reasons.append(&mut waived);
    }
    reasons.dedup();
    if !reasons.is_empty() {
        return Verdict::Deny(reasons);
    }
    let Some(guard) = case.guard else {
        return Verdict::Deny(vec![Reason::new("target", "its target is not configured", "configure the environment and the service")]);
    };
    let required = approval::requirements(case.plan, guard, &roles(case));
    let approvals = approval::counting(case.plan, guard, case.people, case.approvals, &case.at);
    let (needs, given) = approval::met(&required, &approvals);
    let permit = Permit::grant(case.plan.id);
    if glass::is_broken(case.plan) {
        waived.extend(required.iter().filter_map(|requirement| lacking(case.plan, &approvals, requirement)));
        return Verdict::Permit(permit.over(waived).owing(guard.protection.review_within.unwrap_or(REVIEW_WITHIN)));
    }
    if let (true, Some(early)) = (given >= needs, early) {
        return Verdict::Early(early);
    }
    if given >= needs {
        let review = guard.gates.emergency.as_ref().filter(|_| case.plan.order.change_type == ChangeType::Emergency);
        return Verdict::Permit(review.map_or(permit.clone(), |rule| permit.owing(rule.review_within)));
    }
    let mut reasons: Vec<Reason> = required.iter().filter_map(|requirement| lacking(case.plan, &approvals, requirement)).collect();
    // What was given and counts no more is said beside what is lacking.
    reasons.extend(approval::void(case.plan, guard, case.people, case.approvals, &case.at));
    Verdict::SecondPerson { needs, given, reasons, may: approval::everyone(&required) }
}

/// The permit by which whoever takes a deed over takes back what it moved. It was permitted with the Order that the deed began with, and
/// covers nothing else of it.
pub fn to_take_back(plan: &Plan) -> Permit {
    Permit::grant(plan.id).back_only()
}

fn roles<'a>(case: &Case<'a>) -> Roles<'a> {
    Roles::of(case.people, case.grants, case.guard, case.at)
}

/// What the rules say against a plan that break glass may waive: windows and freezes, gate checks, that a run or what it brings is the
/// requester's own.
fn waivable(case: &Case<'_>) -> Vec<Reason> {
    let mut reasons = case.shut.to_vec();
    reasons.extend(own_run::against_plan(case.plan, &case.plan.intent.requester, case.people));
    reasons.extend(own_change(case));
    if case.plan.direction == Direction::Forward && course::early(case.plan, &case.at).is_none() {
        reasons.extend(gate::stopping(&case.plan.checks));
        reasons.extend(without_ticket(case));
    }
    reasons
}

/// Whoever opens a run's gate agrees to what the run brings, so who made some of it may not, whoever started the run.
fn own_change(case: &Case<'_>) -> Option<Reason> {
    let plan = case.plan;
    let (Some(guard), Actor::Person(name)) = (case.guard, &plan.intent.requester) else { return None };
    let opens = plan.asked_by.is_some() && plan.direction == Direction::Forward;
    opens.then(|| authors::against(plan, guard, &authors::of_plan(plan, guard, case.people), name.as_str(), None)).flatten()
}

/// A change that goes forward without the ticket that its environment wants.
fn without_ticket(case: &Case<'_>) -> Option<Reason> {
    let plan = case.plan;
    let wanted = case.guard.is_some_and(|guard| guard.gates.require_ticket) && plan.order.ticket.is_none() && plan.order.of.is_none();
    wanted.then(|| {
        let text = format!("{} takes no change without a ticket, and this plan names none", plan.target().environment);
        Reason::new("ticket", &text, "plan again with --ticket and its number")
    })
}

/// What a group has not given yet, and who of it could.
pub(super) fn lacking(plan: &Plan, approvals: &[&Approval], requirement: &Requirement) -> Option<Reason> {
    let given = approval::of_group(approvals, &requirement.may);
    let gave: Vec<&str> = given.iter().map(|approval| approval.person.as_str()).collect();
    if usize::try_from(requirement.approvals).is_ok_and(|needs| gave.len() >= needs) {
        return None;
    }
    let left: Vec<String> = requirement.may.iter().filter(|person| !gave.contains(&person.as_str())).cloned().collect();
    let text = format!(
        "{} in {} is a {} change and needs {} approval{} of another person{}{}, {} given{}",
        plan.intent.verb.word(),
        plan.target(),
        plan.order.change_type.word(),
        requirement.approvals,
        if requirement.approvals == 1 { "" } else { "s" },
        if requirement.group.is_empty() { "" } else { " " },
        requirement.group,
        gave.len(),
        if gave.is_empty() { String::new() } else { format!(" by {}", gave.join(", ")) },
    );
    Some(Reason::new("approvals", &text, &format!("may approve: {}", approval::who(&left))))
}

/// What forbids it before its own preconditions are looked at.
fn standing_in_the_way(case: &Case<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let plan = case.plan;
    if case.read_only {
        reasons.push(Reason::new(
            "read-only",
            "this room is read-only",
            "open it without --read-only, GONOGO_READ_ONLY and read_only = true",
        ));
    }
    if let Some(trouble) = case.record_trouble {
        reasons.push(Reason::new(
            "record",
            &format!("the record cannot be written: {trouble}"),
            "make the store writable; deeds are refused until it is, save break glass with a second place ([ledger] break_glass)",
        ));
    }
    if case.at >= plan.expires {
        reasons.push(Reason::new("expired", "the plan has ended", "plan again"));
    }
    if case.rules != plan.order.rules {
        reasons.push(Reason::new("rules", "the rules or roles changed since it was planned", "plan again"));
    }
    // What stands in the way now and may be gone by then is no reason against a time to come; it is looked at again when that time is.
    let is_early = course::early(plan, &case.at).is_some();
    if let Some(typed) = plan.typed.as_ref().filter(|typed| !is_early && !gate::still_fits(plan.order.change_type, typed.change)) {
        reasons.push(Reason::new(
            "change-type",
            &format!(
                "planned as a {} change; by now it is a {} one: {}",
                plan.order.change_type.word(),
                typed.change.word(),
                typed.because
            ),
            "plan again",
        ));
    }
    if let Some(guard) = case.guard {
        let requester = &plan.intent.requester;
        // What a rollout does by itself was signed with the plan that started it.
        let signs = plan.order.of.is_some() || matches!(requester, Actor::Person(_)) && case.is_own_key != Some(false);
        if guard.assurance >= Assurance::T1 && !signs {
            reasons.push(approval::unsigned(plan, requester));
        }
        let held = self::roles(case);
        let breaking = guard.protection.break_glass_roles.as_ref().filter(|_| glass::is_broken(plan));
        let roles = breaking.unwrap_or(&guard.protection.actor_roles);
        let act = if glass::is_broken(plan) { Act::BreakGlass } else { Act::Act };
        if !held.may(requester, act, roles, plan.target()) {
            let rule = if breaking.is_some() { "break_glass_roles" } else { "actor_roles" };
            reasons.push(held.lacking(requester, act, (rule, roles), plan.target()));
        }
    }
    reasons.extend(glass::against(plan, &case.at));
    if plan.direction == Direction::Forward
        && !is_early
        && let Some(hold) = case.hold
    {
        let why = if hold.reason.is_empty() { String::new() } else { format!(": {}", hold.reason) };
        let text = format!("{} is held by {} since {}{why}", plan.target(), hold.by, hold.since.format("%H:%M:%SZ"));
        // A hold is somebody's word that it must stand still: lifted by a deed of its own, never waived.
        let fix = format!("gonogo resume {}", plan.target());
        let fix = if glass::is_broken(plan) { format!("break glass waives no hold; {fix}") } else { fix };
        reasons.push(Reason::new("hold", &text, &fix));
    }
    if let Some(busy) = case.busy.filter(|_| !is_early) {
        reasons.push(Reason::new("busy", busy, "wait until it is effective or failed"));
    }
    reasons
}
