//! The gate: brings the world's facts before the judge of `policy`.

use chrono::{DateTime, Utc};

use crate::control::authors;
use crate::control::gated::AtGate;
use crate::control::rules::{self, ByOlder};
use crate::control::timing::Timing;
use crate::control::world::{Ruled, World};
use crate::control::{calendar, gated};
use crate::model::approval::{Decision, Ruling, Waiting};
use crate::model::catalog::{Assurance, Catalog};
use crate::model::intent::Direction;
use crate::model::name::{EnvironmentName, Target};
use crate::model::operator::Actor;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::self_service::SelfGrant;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy::approval::{self, Ask};
use crate::policy::calendar::{Calendars, Standing};
use crate::policy::judge::{self, Case};
use crate::policy::role::{Act, Roles};
use crate::policy::rules as policy;
use crate::policy::{glass, own_run};
use crate::ports::ledger::{AtCommit, LedgerError};

/// The verdict over a plan as the world stands now, with the approvals that the store holds; while changed rules are not accepted, the
/// stricter one of old and new.
pub fn judge(world: &World, plan: &Plan, now: &Moment) -> Verdict {
    let rules = world.rules_in_force(plan.target());
    let newer = judge_by(world, plan, now, &rules);
    match (rules::by_older(world, plan, now), rules::older(world)) {
        (Some(ByOlder { plan: Some(plan), against, .. }), Some(older)) => {
            policy::stricter(newer, also_against(judge_by(&older, &plan, now, &rules), against))
        }
        (_, _) => newer,
    }
}

fn also_against(verdict: Verdict, mut against: Vec<Reason>) -> Verdict {
    if against.is_empty() {
        return verdict;
    }
    if let Verdict::Deny(reasons) = verdict {
        against.extend(reasons);
    }
    Verdict::Deny(against)
}

fn judge_by(world: &World, plan: &Plan, now: &Moment, rules: &str) -> Verdict {
    let hold = world.target(plan.target()).and_then(|view| view.state.hold.as_ref());
    let busy = world
        .deeds
        .values()
        // A hold binds a deed under way, and a way back may take over from an owner that sleeps: there the store decides.
        .filter(|_| plan.direction == Direction::Forward)
        .find(|deed| deed.plan != plan.id && &deed.target == plan.target() && deed.state.is_under_way())
        .map(|deed| format!("{} {} by {} is under way", deed.verb.word(), deed.target, deed.requester));
    let timing = Timing {
        catalog: &world.catalog,
        spans: &world.calendars.spans,
        plan,
        approvals: world.approvals(plan.id),
        grants: &world.grants,
        at: now.wall,
        now,
        began: began(world, plan),
    };
    judge::judge(&Case {
        plan,
        guard: world.catalog.guard(plan.target()),
        is_own_key: None,
        people: &world.catalog.people,
        grants: &world.grants,
        read_only: world.read_only,
        // What breaks the glass is recorded in the second place when the store cannot be written.
        record_trouble: world
            .ledger
            .trouble
            .as_ref()
            .filter(|_| !(glass::is_broken(plan) && world.ledger.has_second_place))
            .map(AsRef::as_ref),
        rules,
        at: now.wall,
        hold,
        rollout: world.target(plan.target()).and_then(|view| view.state.rollout.as_deref()),
        busy: busy.as_deref(),
        approvals: world.approvals(plan.id),
        owed: &world.reviews,
        shut: &timing.reasons(world.waiting.iter().map(|one| &one.plan)),
    })
}

/// By what a plan is judged inside the transaction that begins it.
#[derive(Debug, Clone, Copy)]
pub struct AtBegin<'a> {
    /// The rules.
    pub catalog: &'a Catalog,
    /// Windows and freezes.
    pub spans: &'a Calendars,
    /// When it was asked for.
    pub asked: &'a Moment,
    /// Whether deeds are impossible.
    pub read_only: bool,
    /// The accepted rules, while changed ones wait to be accepted.
    pub older: Option<&'a ByOlder>,
}

/// The verdict inside the transaction that begins the deed, on what stands in the store at that moment.
pub fn judge_at_commit(by: &AtBegin<'_>, plan: &Plan, found: &AtCommit) -> Verdict {
    let rules = in_force_at_commit(by.catalog, by.older, plan, found);
    let newer = judge_found(by, plan, found, &rules);
    match by.older {
        Some(ByOlder { plan: Some(as_it_was), catalog, spans, against, .. }) => {
            let older = AtBegin { catalog, spans, older: None, ..*by };
            policy::stricter(newer, also_against(judge_found(&older, as_it_was, found, &rules), against.clone()))
        }
        Some(ByOlder { plan: None, .. }) | None => newer,
    }
}

fn judge_found(by: &AtBegin<'_>, plan: &Plan, found: &AtCommit, rules: &str) -> Verdict {
    let began = found.state.rollout.as_ref().map(|rollout| rollout.begun);
    let timing = Timing {
        catalog: by.catalog,
        spans: by.spans,
        plan,
        approvals: &found.approvals,
        grants: &found.grants,
        at: found.at,
        now: by.asked,
        began,
    };
    judge::judge(&Case {
        plan,
        guard: by.catalog.guard(plan.target()),
        is_own_key: Some(found.is_own_key),
        people: &by.catalog.people,
        grants: &found.grants,
        read_only: by.read_only,
        record_trouble: None,
        rules,
        at: found.at,
        hold: found.state.hold.as_ref(),
        rollout: found.state.rollout.as_deref(),
        busy: None,
        approvals: &found.approvals,
        owed: &found.owed,
        shut: &timing.reasons(found.waiting.iter()),
    })
}

/// The digest of the rules that count in the store at that moment. Where others are accepted than those that the plan was judged by,
/// it is none that an Order could bear.
fn in_force_at_commit(catalog: &Catalog, older: Option<&ByOlder>, plan: &Plan, found: &AtCommit) -> String {
    match (found.rules.waits(), older) {
        (false, _) => catalog.rules_for(plan.target()),
        (true, Some(older)) if found.rules.accepted.as_ref() == Some(&older.digest) => older.in_force.clone(),
        (true, _) => String::new(),
    }
}

/// How a plan stands to windows and freezes now.
pub fn stands_now(world: &World, plan: &Plan, now: &Moment) -> Standing {
    calendar::stands(&world.calendars.spans, plan, now.wall, now, began(world, plan))
}

/// When the rollout that a plan goes on with began.
fn began(world: &World, plan: &Plan) -> Option<chrono::DateTime<chrono::Utc>> {
    world.target(plan.target())?.state.rollout.as_ref().map(|rollout| rollout.begun)
}

/// What is said about a plan, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// What.
    pub decision: Decision,
    /// Who.
    pub actor: &'a Actor,
    /// Whether deeds are impossible.
    pub read_only: bool,
}

/// Why the one at the keys may not say this about a plan as the world stands now; empty when it may be said.
pub fn against(world: &World, plan: &Plan, decision: Decision, now: &Moment) -> Vec<Reason> {
    let said = Said { decision, actor: &world.actor, read_only: world.read_only };
    let rules = world.rules_in_force(plan.target());
    let older = rules::by_older_on(world, plan.target());
    against_by(&world.catalog, older.as_ref(), &said, plan, (&world.grants, now.wall, None), &rules)
}

/// Why it may not be said, inside the transaction that records it.
pub fn against_at_commit(catalog: &Catalog, older: Option<&ByOlder>, said: &Said<'_>, plan: &Plan, found: &AtCommit) -> Vec<Reason> {
    let rules = in_force_at_commit(catalog, older, plan, found);
    against_by(catalog, older, said, plan, (&found.grants, found.at, Some(found.is_own_key)), &rules)
}

fn against_by(
    catalog: &Catalog,
    older: Option<&ByOlder>,
    said: &Said<'_>,
    plan: &Plan,
    (grants, at, is_own_key): (&[SelfGrant], DateTime<Utc>, Option<bool>),
    rules: &str,
) -> Vec<Reason> {
    let Said { decision, actor, read_only } = *said;
    let by = |catalog: &Catalog| {
        let (people, guard) = (&catalog.people, catalog.guard(plan.target()));
        approval::reasons_against(&Ask { plan, decision, actor, people, grants, guard, is_own_key, rules, read_only, at })
    };
    let mut reasons = by(catalog);
    if let Some(older) = older.filter(|older| older.differs) {
        let more = by(&older.catalog).into_iter().chain(older.against.iter().cloned());
        let fresh: Vec<Reason> = more.filter(|reason| !reasons.contains(reason)).collect();
        reasons.extend(fresh);
    }
    reasons
}

/// Why `actor` may not answer for a run at the gates of a target, so far as it follows from who it is and from whom the backend asks;
/// the judge looks at everything. The first to fix first.
pub fn against_answer(world: &World, target: &Target, at: &AtGate<'_>, opens: bool, actor: &Actor) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let people = &world.catalog.people;
    let asked = world.catalog.protection(target).map_or(&[][..], |protection| &protection.actor_roles);
    let held = roles(world, target, world.at.wall);
    if !held.may(actor, Act::Act, asked, target) {
        reasons.push(held.lacking(actor, Act::Act, ("actor_roles", asked), target));
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

/// Roles for a target as the world stands.
pub fn roles<'a>(world: &'a World, target: &Target, at: DateTime<Utc>) -> Roles<'a> {
    Roles::of(&world.catalog.people, &world.grants, world.catalog.guard(target), at)
}

/// How many approvals a plan that waits needs, and how many count as the world stands now; needs is none when its target is not
/// configured. While changed rules are not accepted, by those of old and new by which more are missing.
pub fn agreed(world: &World, waiting: &Waiting) -> (Option<u32>, u32) {
    let target = waiting.plan.target();
    let Some(guard) = world.catalog.guard(target) else { return (None, 0) };
    let plan = authors::looked_at(world, &waiting.plan, &world.at);
    let met = |catalog: &Catalog, guard| {
        let roles = Roles::of(&catalog.people, &world.grants, Some(guard), world.at.wall);
        let required = approval::requirements(&plan, guard, &roles);
        approval::met(&required, &approval::counting(&plan, guard, &catalog.people, &waiting.approvals, &world.at.wall))
    };
    let newer = met(&world.catalog, guard);
    let older = world.rules.older.as_ref().and_then(|older| Some(met(&older.catalog, older.catalog.guard(target)?)));
    let missing = |(needs, given): (u32, u32)| needs.saturating_sub(given);
    let (needs, given) = older.filter(|older| missing(*older) > missing(newer)).unwrap_or(newer);
    (Some(needs), given)
}

/// Whether a forward deed on a target asks for the target in full.
pub fn asks_for_text(world: &World, target: &Target) -> bool {
    catalogs(world).any(|catalog| catalog.protection(target).is_some_and(|protection| protection.typed_confirmation))
}

/// The room's own rules, and the accepted ones while they are others.
fn catalogs(world: &World) -> impl Iterator<Item = &Catalog> {
    let older = world.rules.older.as_ref().map(|older| older.catalog.as_ref());
    std::iter::once(world.catalog.as_ref()).chain(older)
}

/// Whether a plan that waits asks something of a person now: one that is agreed to and whose time is still to come does not.
pub fn asks_now(world: &World, waiting: &Waiting, now: &Moment) -> bool {
    let is_early = waiting.plan.order.begin().is_some_and(|begin| now.wall < begin);
    !is_early || matches!(agreed(world, waiting), (needs, given) if needs.is_none_or(|needs| given < needs))
}

/// What `actor` says about a plan, ready to be recorded: an approval ends when its environment says so, at the latest with the plan.
///
/// # Errors
/// As [`Plan::evidence_digest`].
pub fn ruling(world: &World, plan: &Plan, decision: Decision, words: Text, now: &Moment) -> Result<Ruling, serde_json::Error> {
    let plan = &authors::looked_at(world, plan, now);
    let ruling = Ruling::about(plan, decision, &world.actor.to_string(), words)?;
    let within = world.catalog.protection(plan.target()).and_then(|protection| protection.approvals_expire);
    Ok(Ruling { expires: within.map(|within| world.ledger.time(now) + within), ..ruling })
}

/// Why policy refused what was said about a plan; none when it was recorded, or failed otherwise.
pub fn refused(ruled: &Ruled) -> Option<&[Reason]> {
    if let Err(LedgerError::Refused(reasons)) = &ruled.result { Some(reasons) } else { None }
}

/// The keys of whoever is at the keys, when what they record about a target must bear their own signature; none when it need not.
pub fn signing_keys(world: &World, target: &Target) -> Option<Vec<String>> {
    keys_for(world, &target.environment)
}

/// The keys of whoever is at the keys, when what they record about an environment must bear their own signature.
pub fn keys_for(world: &World, environment: &EnvironmentName) -> Option<Vec<String>> {
    let assurance = catalogs(world).filter_map(|catalog| catalog.environment(environment)).map(|one| one.assurance).max()?;
    let Actor::Person(name) = &world.actor else { return None };
    (assurance >= Assurance::T1).then(|| world.catalog.person(name).map(|person| person.keys.clone()).unwrap_or_default())
}
