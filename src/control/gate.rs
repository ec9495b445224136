//! The gate: brings the world's facts before the judge of `policy`.

use crate::control::authors;
use crate::control::gated::AtGate;
use crate::control::world::{Ruled, World};
use crate::control::{calendar, gated};
use crate::model::approval::{Decision, Ruling, Waiting};
use crate::model::catalog::{Assurance, Catalog};
use crate::model::intent::Direction;
use crate::model::name::Target;
use crate::model::operator::Actor;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::review::Review;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy::approval::{self, Ask};
use crate::policy::calendar::{Calendars, Standing};
use crate::policy::judge::{self, Case};
use crate::policy::{glass, own_run, role};
use crate::ports::ledger::{AtCommit, LedgerError};

/// The verdict over a plan as the world stands now, with the approvals that the store holds.
pub fn judge(world: &World, plan: &Plan, now: &Moment) -> Verdict {
    let hold = world.target(plan.target()).and_then(|view| view.state.hold.as_ref());
    let busy = world
        .deeds
        .values()
        // A hold binds a deed under way, and a way back may take over from an owner that sleeps: there the store decides.
        .filter(|_| plan.direction == Direction::Forward)
        .find(|deed| deed.plan != plan.id && &deed.target == plan.target() && deed.state.is_under_way())
        .map(|deed| format!("{} {} by {} is under way", deed.verb.word(), deed.target, deed.requester));
    judge::judge(&Case {
        plan,
        guard: world.catalog.guard(plan.target()),
        is_own_key: None,
        people: &world.catalog.people,
        read_only: world.read_only,
        // What breaks the glass is recorded in the second place when the store cannot be written.
        record_trouble: world
            .ledger
            .trouble
            .as_ref()
            .filter(|_| !(glass::is_broken(plan) && world.ledger.has_second_place))
            .map(AsRef::as_ref),
        rules: &world.catalog.rules_digest,
        at: now.wall,
        hold,
        busy: busy.as_deref(),
        approvals: world.approvals(plan.id),
        owed: &world.reviews,
        shut: &stands_now(world, plan, now).reasons,
    })
}

/// The verdict inside the transaction that begins the deed, on what stands in the store at that moment.
pub fn judge_at_commit(catalog: &Catalog, spans: &Calendars, asked: &Moment, read_only: bool, plan: &Plan, found: &AtCommit) -> Verdict {
    let began = found.state.rollout.as_ref().map(|rollout| rollout.begun);
    judge::judge(&Case {
        plan,
        guard: catalog.guard(plan.target()),
        is_own_key: Some(found.is_own_key),
        people: &catalog.people,
        read_only,
        record_trouble: None,
        rules: &catalog.rules_digest,
        at: found.at,
        hold: found.state.hold.as_ref(),
        busy: None,
        approvals: &found.approvals,
        owed: &found.owed,
        shut: &calendar::stands(spans, plan, found.at, asked, began).reasons,
    })
}

/// How a plan stands to windows and freezes now.
pub fn stands_now(world: &World, plan: &Plan, now: &Moment) -> Standing {
    let began = world.target(plan.target()).and_then(|view| view.state.rollout.as_ref()).map(|rollout| rollout.begun);
    calendar::stands(&world.calendars.spans, plan, now.wall, now, began)
}

/// Why `actor` may not say this about a plan; empty when it may be said. Asked by a screen, and again inside the transaction.
pub fn against(
    catalog: &Catalog,
    read_only: bool,
    plan: &Plan,
    decision: Decision,
    actor: &Actor,
    at: chrono::DateTime<chrono::Utc>,
    is_own_key: Option<bool>,
) -> Vec<Reason> {
    approval::reasons_against(&Ask {
        plan,
        decision,
        actor,
        people: &catalog.people,
        guard: catalog.guard(plan.target()),
        is_own_key,
        rules: &catalog.rules_digest,
        read_only,
        at,
    })
}

/// Why `actor` may not answer for a run at the gates of a target, so far as it follows from who it is and from whom the backend asks;
/// the judge looks at everything. The first to fix first.
pub fn against_answer(world: &World, target: &Target, at: &AtGate<'_>, opens: bool, actor: &Actor) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let people = &world.catalog.people;
    let roles = world.catalog.protection(target).map_or(&[][..], |protection| &protection.actor_roles);
    if !role::may_act(actor, people, roles, target) {
        let wanted: Vec<_> = roles.iter().map(ToString::to_string).collect();
        let wanted = if wanted.is_empty() { "a configured person".to_owned() } else { format!("the role {}", wanted.join(" or ")) };
        reasons.push(Reason::new("role", &format!("{actor} may not act on {target}"), &format!("it asks for {wanted}")));
    }
    if opens {
        let run = at.run.id.to_string();
        reasons.extend(own_run::against(&gated::asked_by(world, at.run), &run, actor, people));
    }
    if let Some(gate) = at.own.iter().find(|gate| !gate.may_answer) {
        let text = format!("{} takes no answer at {} from the account of our token", at.run.id.backend, gate.name);
        reasons.push(Reason::new("not-a-reviewer", &text, "make that account a reviewer there, or answer there by hand"));
    }
    reasons
}

/// How many approvals a plan that waits needs, and how many count as the world stands now; needs is none when its target is not configured.
pub fn agreed(world: &World, waiting: &Waiting) -> (Option<u32>, u32) {
    let Some(guard) = world.catalog.guard(waiting.plan.target()) else { return (None, 0) };
    let (plan, people, at) = (authors::looked_at(world, &waiting.plan, &world.at), &world.catalog.people, &world.at.wall);
    let required = approval::requirements(&plan, guard, people);
    let (needs, given) = approval::met(&required, &approval::counting(&plan, guard, people, &waiting.approvals, at));
    (Some(needs), given)
}

/// What `actor` says about a plan, ready to be recorded: an approval ends when its environment says so, at the latest with the plan.
///
/// # Errors
/// As [`Plan::evidence_digest`].
pub fn ruling(world: &World, plan: &Plan, decision: Decision, words: Text, now: &Moment) -> Result<Ruling, serde_json::Error> {
    let plan = &authors::looked_at(world, plan, now);
    let ruling = Ruling::about(plan, decision, &world.actor.to_string(), words)?;
    let within = world.catalog.protection(plan.target()).and_then(|protection| protection.approvals_expire);
    Ok(Ruling { expires: within.map(|within| now.plus(within).wall), ..ruling })
}

/// Why policy refused what was said about a plan; none when it was recorded, or failed otherwise.
pub fn refused(ruled: &Ruled) -> Option<&[Reason]> {
    if let Err(LedgerError::Refused(reasons)) = &ruled.result { Some(reasons) } else { None }
}

/// Why the one at the keys may not close a review; empty when it may be closed.
pub fn against_review(world: &World, review: &Review) -> Vec<Reason> {
    glass::against_review(review, &world.actor, &world.catalog.people, world.read_only)
}

/// The keys of whoever is at the keys, when what they record about a target must bear their own signature; none when it need not.
pub fn signing_keys(world: &World, target: &Target) -> Option<Vec<String>> {
    let assurance = world.catalog.environment(&target.environment)?.assurance;
    let Actor::Person(name) = &world.actor else { return None };
    (assurance >= Assurance::T1).then(|| world.catalog.person(name).map(|person| person.keys.clone()).unwrap_or_default())
}
