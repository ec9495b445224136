//! What a person may take for a while, who may agree to it, and who may take it back.

use chrono::{DateTime, Utc};

use super::allowance::{latest, since, span};
use super::approval::who;
use super::role::{holds, rule_for};
use crate::model::catalog::{Assurance, Environment};
use crate::model::name::RoleName;
use crate::model::operator::{Actor, Person};
use crate::model::reason::Reason;
use crate::model::review::LEAST_REASON;
use crate::model::self_service::{GrantState, GrantWish, NEVER, Place, SelfGrant};

/// Everything that the answer is a fact about.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Who says it.
    pub actor: &'a Actor,
    /// The configured people.
    pub people: &'a [Person],
    /// The environment; none when it is not configured.
    pub environment: Option<&'a Environment>,
    /// What people took in that environment before, those that ended or were taken back among them.
    pub grants: &'a [SelfGrant],
    /// Whether the person's own key signed it; none before anybody was asked to sign.
    pub is_own_key: Option<bool>,
    /// Whether deeds are impossible by configuration or flag.
    pub read_only: bool,
    /// Now, by the ledger's clock.
    pub at: DateTime<Utc>,
}

fn standing_in_the_way(ask: &Ask<'_>, place: &Place) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if ask.read_only {
        reasons.push(Reason::new("read-only", "this room is read-only", "open it without --read-only and read_only = true"));
    }
    let Some(environment) = ask.environment else {
        reasons.push(Reason::new("target", &format!("{place} is not configured"), "configure the environment"));
        return reasons;
    };
    if environment.assurance >= Assurance::T1 && ask.is_own_key == Some(false) {
        reasons.push(super::approval::unsigned_in(&environment.name, ask.actor));
    }
    match ask.actor {
        Actor::Unverified(_) => reasons.push(Reason::new(
            "nobody-configured",
            "no person is configured, so everybody has every role",
            "configure [[person]] tables with names and keys",
        )),
        Actor::Stranger(user) => reasons.push(Reason::new(
            "role",
            &format!("os:{user} is no configured person"),
            "be a configured person: `gonogo whoami` says why you are none",
        )),
        Actor::Rule { .. } => {
            reasons.push(Reason::new("role", "a rule of a rollout says nothing in a person's place", "a person decides"));
        }
        Actor::Person(_) => {}
    }
    reasons
}

/// Why a person may not take a role for a while; empty when he may. The first to fix first.
pub fn against_grant(ask: &Ask<'_>, wish: &GrantWish) -> Vec<Reason> {
    let GrantWish { role, place, .. } = wish;
    let mut reasons = standing_in_the_way(ask, place);
    let person = ask.people.iter().find(|person| matches!(ask.actor, Actor::Person(name) if name == &person.name));
    let (Some(environment), Some(person)) = (ask.environment, person) else { return reasons };
    if wish.reason.as_str().trim().chars().count() < LEAST_REASON {
        let text = format!("taking a role needs a reason of {LEAST_REASON} characters or more");
        reasons.push(Reason::new("grant-reason", &text, "say with --reason what it is needed for"));
    }
    if holds(person, std::slice::from_ref(role), place) {
        let text = format!("{} holds the role {role} in {} by configuration", person.name, environment.name);
        reasons.push(Reason::new("has-role", &text, "nothing needs to be taken"));
        return reasons;
    }
    let Some(rule) = rule_for(&environment.self_service, person, role, place) else {
        reasons.push(not_offered(ask, environment, person, role, place));
        return reasons;
    };
    if rule.approvals != wish.needs {
        let text = format!("the rules changed meanwhile: taking {role} needs the agreement of {} others", rule.approvals);
        reasons.push(Reason::new("rules", &text, "take it again"));
    }
    if ask.at >= wish.until {
        reasons.push(Reason::new("expired", "it would have ended already", "take it again"));
        return reasons;
    }
    let latest = latest(rule, person.name.as_str(), environment.name.as_str(), ask.grants, &ask.at);
    if wish.until > latest {
        let clock = |at: &DateTime<Utc>| at.format("%H:%M:%SZ").to_string();
        let since = since(rule, person.name.as_str(), environment.name.as_str(), ask.grants, &ask.at);
        let (at_most, pause) = (span(rule.at_most), span(rule.pause));
        let left = (latest - ask.at).num_minutes();
        if since == ask.at {
            let text = format!("`at_most` of self_service in {} lets {role} be taken for {at_most}", environment.name);
            reasons.push(Reason::new("at-most", &text, &format!("gonogo grant {role} {place} --for {at_most} --reason \"..\"")));
        } else {
            let text = format!(
                "{} has had {role} in {} since {}, and `at_most` is {at_most} without a pause of {pause}",
                person.name,
                environment.name,
                clock(&since)
            );
            let fix = if left >= 1 {
                format!("gonogo grant {role} {place} --for {left}m --reason \"..\"; anew {pause} after its end")
            } else {
                format!("anew after a pause of {pause}; until then one of these has it: {}", holders(ask.people, role, place))
            };
            reasons.push(Reason::new("pause", &text, &fix));
        }
    }
    reasons
}

/// Nothing offers the role to this person for this place: what is offered, and to whom.
fn not_offered(ask: &Ask<'_>, environment: &Environment, person: &Person, role: &RoleName, place: &Place) -> Reason {
    let rules: Vec<_> = environment.self_service.iter().filter(|rule| &rule.role == role).collect();
    let text = if role.as_str() == NEVER {
        format!("the role {NEVER} can never be taken")
    } else if rules.is_empty() {
        format!("no self_service of {} offers the role {role}", environment.name)
    } else if !rules.iter().any(|rule| rule.covers(place)) {
        let services: Vec<_> = rules.iter().flat_map(|rule| &rule.services).map(ToString::to_string).collect();
        format!("self_service of {} offers {role} for {}, not for {place}", environment.name, services.join(", "))
    } else {
        let teams: Vec<_> = rules.iter().flat_map(|rule| rule.teams.iter().map(String::as_str)).collect();
        format!("self_service of {} offers {role} to {}, of which {} is none", environment.name, teams.join(", "), person.name)
    };
    Reason::new("self-service", &text, &format!("one of these has it: {}", holders(ask.people, role, place)))
}

/// Why a person may not agree to somebody's grant; empty when he may.
pub fn against_agreement(ask: &Ask<'_>, grant: &SelfGrant) -> Vec<Reason> {
    let mut reasons = standing_in_the_way(ask, &grant.place);
    reasons.extend(over(grant, &ask.at));
    let Actor::Person(name) = ask.actor else { return reasons };
    let (role, could) = (&grant.role, holders(ask.people, &grant.role, &grant.place));
    if name == &grant.person {
        let text = format!("{name} took it and cannot also agree to it");
        reasons.push(Reason::new("own-grant", &text, &format!("one of these agrees: {could}")));
    } else if !ask.people.iter().any(|person| &person.name == name && holds(person, std::slice::from_ref(role), &grant.place)) {
        let text = format!(
            "{name} may not agree to it: that asks for somebody who holds {role} by configuration; a role that was taken does not do"
        );
        reasons.push(Reason::new("role", &text, &format!("one of these agrees: {could}")));
    } else if grant.agreed.iter().any(|agreement| agreement.person == name.as_str()) {
        reasons.push(Reason::new("agreed-already", &format!("{name} has agreed to it already"), "`gonogo revoke` takes the grant back"));
    }
    reasons
}

/// Why a person may not take a grant back; empty when he may. Giving back is never harder than taking: no signature is asked for.
pub fn against_revocation(ask: &Ask<'_>, grant: &SelfGrant) -> Vec<Reason> {
    let mut reasons = standing_in_the_way(&Ask { is_own_key: None, ..*ask }, &grant.place);
    reasons.extend(over(grant, &ask.at));
    let Actor::Person(name) = ask.actor else { return reasons };
    let owner = RoleName::new(NEVER).ok();
    let roles: Vec<RoleName> = std::iter::once(grant.role.clone()).chain(owner).collect();
    let may = ask.people.iter().any(|person| &person.name == name && holds(person, &roles, &grant.place));
    if name != &grant.person && !may {
        let text = format!("{name} may not take it back: that asks for its holder, or somebody who holds {} by configuration", grant.role);
        let fix = format!("one of these does: {}, {}", grant.person, holders(ask.people, &grant.role, &grant.place));
        reasons.push(Reason::new("role", &text, &fix));
    }
    reasons
}

fn over(grant: &SelfGrant, at: &DateTime<Utc>) -> Option<Reason> {
    match grant.state(at) {
        GrantState::Asked | GrantState::Granted => None,
        GrantState::Ended => Some(Reason::new(
            "grant-ended",
            &format!("it ended on {}", grant.until.format("%Y-%m-%d %H:%M:%SZ")),
            "nothing needs to be done",
        )),
        GrantState::Revoked => {
            let by = grant.revoked.as_ref().map(|revoked| revoked.person.as_str()).unwrap_or_default();
            Some(Reason::new("grant-revoked", &format!("it was taken back by {by}"), "nothing needs to be done"))
        }
    }
}

/// Those who hold a role for a place by configuration, in a sentence.
pub fn holders(people: &[Person], role: &RoleName, place: &Place) -> String {
    let holds = people.iter().filter(|person| holds(person, std::slice::from_ref(role), place));
    who(&holds.map(|person| person.name.to_string()).collect::<Vec<_>>())
}
