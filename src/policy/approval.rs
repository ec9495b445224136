//! Who may say what about a plan: approvals, rejections, withdrawals.

use chrono::{DateTime, Utc};

use super::authors::{self, Known};
use super::own_run;
use super::role::Roles;
use crate::model::approval::{Approval, Decision};
use crate::model::catalog::{Assurance, Guard};
use crate::model::change::ChangeType;
use crate::model::intent::Direction;
use crate::model::name::{EnvironmentName, RoleName};
use crate::model::operator::{Actor, Person};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::self_service::SelfGrant;

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
    /// Roles that people took for a while, those that are over among them.
    pub grants: &'a [SelfGrant],
    /// What guards the plan's target; none when it is not configured.
    pub guard: Option<Guard<'a>>,
    /// Whether the person's own key signed what is said; none before anybody was asked to sign.
    pub is_own_key: Option<bool>,
    /// The digest of the rules and roles as they are now.
    pub rules: &'a str,
    /// Whether deeds are impossible by configuration or flag.
    pub read_only: bool,
    /// Now, by the ledger's clock.
    pub at: DateTime<Utc>,
}

/// One group whose agreement a plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// How many of them.
    pub approvals: u32,
    /// Who they are in words: `with the role captain`, `of team payments`.
    pub group: String,
    /// Their names; never the requester, never an author of what the plan brings, nor who asked for the run whose gates are opened.
    pub may: Vec<String>,
}

/// The groups whose agreement a plan needs, by its direction and its type of change: how many of which roles and teams.
pub fn groups(direction: Direction, change: ChangeType, guard: Guard<'_>) -> Vec<(u32, &[RoleName], &[String])> {
    let Guard { protection, gates, assurance, .. } = guard;
    let base = protection.approver_roles.as_slice();
    let all: Vec<(u32, &[RoleName], &[String])> = match direction {
        Direction::Release | Direction::Still => Vec::new(),
        Direction::Back => vec![(protection.way_back_approvals, base, &[])],
        Direction::Forward => match (change, &gates.standard, &gates.emergency) {
            (ChangeType::Standard, Some(model), _) => vec![(model.approvals, base, &[])],
            (ChangeType::Emergency, _, Some(rule)) => {
                vec![(rule.approvals, if rule.approver_roles.is_empty() { base } else { &rule.approver_roles }, &[])]
            }
            // A type without its rule asks for what a normal change asks for.
            (ChangeType::Normal | ChangeType::Standard | ChangeType::Emergency, _, _) => {
                let also = protection.also.iter().map(|also| (also.approvals, also.roles.as_slice(), also.teams.as_slice()));
                std::iter::once((protection.approvals, base, [].as_slice())).chain(also).collect()
            }
        },
    };
    let mut all: Vec<_> = all.into_iter().filter(|(approvals, ..)| *approvals > 0).collect();
    // At T2 two persons sign whatever goes forward.
    if assurance == Assurance::T2 && direction == Direction::Forward && all.is_empty() {
        all.push((1, base, &[]));
    }
    all
}

/// Whose agreement a plan needs. An approval counts for every group that its giver is of. The way back asks for no authors: they may
/// agree to it.
pub fn requirements(plan: &Plan, guard: Guard<'_>, held: &Roles<'_>) -> Vec<Requirement> {
    required(plan, guard, held, known_authors(plan, guard, held.people).as_ref())
}

/// The same with these authors left out.
fn required(plan: &Plan, guard: Guard<'_>, held: &Roles<'_>, authors: Option<&Known>) -> Vec<Requirement> {
    let made = |person: &String| authors.is_some_and(|known| known.people.contains_key(person));
    let of = |(approvals, roles, teams): (u32, &[RoleName], &[String])| {
        let mut may = held.approvers(roles, teams, plan.target(), &plan.intent.requester);
        let asked = |name: &String| held.people.iter().any(|person| person.name.as_str() == name && own_run::is_of(plan, person));
        may.retain(|person| !made(person) && !asked(person));
        Requirement { approvals, group: group(roles, teams), may }
    };
    // What a rollout does by itself was agreed to with the plan that started it.
    if plan.order.of.is_some() {
        return Vec::new();
    }
    groups(plan.direction, plan.order.change_type, guard).into_iter().map(of).collect()
}

/// The authors of what a plan brings; none for a plan that brings nothing.
fn known_authors(plan: &Plan, guard: Guard<'_>, people: &[Person]) -> Option<Known> {
    (plan.direction == Direction::Forward).then(|| authors::of_plan(plan, guard, people))
}

fn group(roles: &[RoleName], teams: &[String]) -> String {
    let roles: Vec<_> = roles.iter().map(ToString::to_string).collect();
    let roles = if roles.is_empty() { String::new() } else { format!(" with the role {}", roles.join(" or ")) };
    let teams = if teams.is_empty() { String::new() } else { format!(" of team {}", teams.join(" or ")) };
    format!("{roles}{teams}").trim_start().to_owned()
}

/// Everyone whose agreement counts for something, each once.
pub fn everyone(requirements: &[Requirement]) -> Vec<String> {
    let mut all: Vec<String> = requirements.iter().flat_map(|requirement| requirement.may.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// How far the requirements are met: approvals needed in all, and those of them that were given.
pub fn met(requirements: &[Requirement], approvals: &[&Approval]) -> (u32, u32) {
    requirements.iter().fold((0, 0), |(needs, given), requirement| {
        let counts = u32::try_from(of_group(approvals, &requirement.may).len()).unwrap_or(u32::MAX);
        (needs.saturating_add(requirement.approvals), given.saturating_add(counts.min(requirement.approvals)))
    })
}

/// Since when everybody has agreed whose agreement is needed: when the last of them did, its making where nobody is asked; none: not yet.
pub fn agreed_since(plan: &Plan, guard: Guard<'_>, held: &Roles<'_>, approvals: &[Approval], at: &DateTime<Utc>) -> Option<DateTime<Utc>> {
    let required = requirements(plan, guard, held);
    let mut given = counting(plan, guard, held.people, approvals, at);
    given.sort_by_key(|approval| approval.at);
    (0..=given.len()).find_map(|count| {
        let first = given.get(..count)?;
        let (needs, agreed) = met(&required, first);
        (agreed >= needs).then(|| first.last().map_or(plan.made, |last| last.at))
    })
}

/// Those of a plan's approvals that count at all: not over, each person once, from tier T1 on signed by the person's own key, and none
/// that [`void`] says something against.
pub fn counting<'a>(plan: &Plan, guard: Guard<'_>, people: &[Person], approvals: &'a [Approval], at: &DateTime<Utc>) -> Vec<&'a Approval> {
    let authors = known_authors(plan, guard, people);
    let is_void = |approval: &Approval| authors.as_ref().and_then(|known| against_one(plan, guard, known, approval)).is_some();
    let mut counting: Vec<&Approval> = Vec::new();
    for approval in approvals.iter().filter(|approval| lasts(approval, guard, at) && !is_void(approval)) {
        if !counting.iter().any(|other| other.person == approval.person) {
            counting.push(approval);
        }
    }
    counting
}

/// Why approvals that are not over count no more: their giver turned out to be an author, authors are not known, or the change is
/// another one by now.
pub fn void(plan: &Plan, guard: Guard<'_>, people: &[Person], approvals: &[Approval], at: &DateTime<Utc>) -> Vec<Reason> {
    let Some(known) = known_authors(plan, guard, people) else { return Vec::new() };
    approvals
        .iter()
        .filter(|approval| lasts(approval, guard, at))
        .filter_map(|approval| against_one(plan, guard, &known, approval))
        .collect()
}

/// Why one approval does not count, beside its end and its signature; none when it counts.
pub fn void_one(plan: &Plan, guard: Guard<'_>, people: &[Person], approval: &Approval) -> Option<Reason> {
    known_authors(plan, guard, people).and_then(|known| against_one(plan, guard, &known, approval))
}

fn against_one(plan: &Plan, guard: Guard<'_>, known: &Known, approval: &Approval) -> Option<Reason> {
    authors::against(plan, guard, known, &approval.person, approval.authors.as_deref())
}

fn lasts(approval: &Approval, guard: Guard<'_>, at: &DateTime<Utc>) -> bool {
    approval.counts(at) && (approval.is_own_key || guard.assurance < Assurance::T1)
}

/// Those of `approvals` that were given by one of `may`.
pub fn of_group<'a>(approvals: &[&'a Approval], may: &[String]) -> Vec<&'a Approval> {
    approvals.iter().filter(|approval| may.contains(&approval.person)).copied().collect()
}

/// What is recorded there must bear the person's own signature, and does not.
pub fn unsigned(plan: &Plan, actor: &Actor) -> Reason {
    unsigned_in(&plan.target().environment, actor)
}

/// What is recorded about an environment must bear the person's own signature, and does not.
pub fn unsigned_in(environment: &EnvironmentName, actor: &Actor) -> Reason {
    Reason::new(
        "assurance",
        &format!("{environment} asks for a signature by {actor}'s own key (T1 or T2), and there is none"),
        "start an SSH agent that holds the key configured in [[person]], `gonogo whoami` says which",
    )
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
    let Some(guard) = ask.guard else {
        reasons.push(Reason::new("target", "its target is not configured", "configure the environment and the service"));
        return reasons;
    };
    if guard.assurance >= Assurance::T1 && ask.is_own_key == Some(false) {
        reasons.push(unsigned(plan, ask.actor));
    }
    let roles = Roles::of(ask.people, ask.grants, Some(guard), ask.at);
    // Who made it may well say that it must not be done.
    let required = match ask.decision {
        Decision::Approve | Decision::Withdraw => requirements(plan, guard, &roles),
        Decision::Reject => required(plan, guard, &roles, None),
    };
    if ask.decision == Decision::Approve && required.is_empty() {
        let text = format!("{} in {} needs no approval", plan.intent.verb.word(), plan.target());
        reasons.push(Reason::new("no-approval-needed", &text, &format!("its requester runs `gonogo execute {}`", plan.id.short())));
    }
    let may = everyone(&required);
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
        Actor::Rule { .. } => {
            reasons.push(Reason::new("role", "a rule of a rollout says nothing in a person's place", "a person decides"));
        }
        Actor::Person(name) if *ask.actor == plan.intent.requester => reasons.push(Reason::new(
            "own-plan",
            &format!("{name} asked for it and cannot also {} it", ask.decision.word()),
            &format!("one of these decides: {}; the requester withdraws with `gonogo withdraw {}`", who(&may), plan.id.short()),
        )),
        Actor::Person(_) if ask.decision == Decision::Approve && own_run::against_plan(plan, ask.actor, ask.people).is_some() => {
            reasons.extend(own_run::against_plan(plan, ask.actor, ask.people));
        }
        Actor::Person(name) if against_author(ask, guard, name.as_str()).is_some() => {
            reasons.extend(against_author(ask, guard, name.as_str()));
        }
        Actor::Person(name) if !may.iter().any(|person| person == name.as_str()) => {
            let groups: Vec<_> = required.iter().map(|requirement| requirement.group.as_str()).filter(|group| !group.is_empty()).collect();
            let mut text = format!("{name} may not {} it: that asks for a person {}", ask.decision.word(), groups.join(", or "));
            let asked = self::groups(plan.direction, plan.order.change_type, guard);
            let tell = |roles_of: &[RoleName]| roles.not_an_approver(name.as_str(), roles_of, plan.target(), &plan.intent.requester);
            let told = asked.into_iter().find_map(|(_, roles_of, _)| tell(roles_of));
            if let Some((_, why)) = &told {
                text.push_str("; ");
                text.push_str(why);
            }
            let rule = told.map_or("role", |(rule, _)| rule);
            reasons.push(Reason::new(rule, &text, &format!("one of these decides: {}", who(&may))));
        }
        Actor::Person(_) => {}
    }
    reasons
}

/// Why a person may not approve as things are known of the authors; none when they do not stand in the way.
fn against_author(ask: &Ask<'_>, guard: Guard<'_>, person: &str) -> Option<Reason> {
    if ask.decision != Decision::Approve {
        return None;
    }
    let known = known_authors(ask.plan, guard, ask.people)?;
    authors::against(ask.plan, guard, &known, person, None)
}

/// Names in a sentence.
pub fn who(names: &[String]) -> String {
    if names.is_empty() { "nobody who is configured".to_owned() } else { names.join(", ") }
}
