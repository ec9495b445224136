//! Roles: how those that are configured and those that people took for a while together make a right to act or to agree.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::model::catalog::Guard;
use crate::model::name::{RoleName, Target};
use crate::model::operator::{Actor, Grant, Person};
use crate::model::reason::Reason;
use crate::model::self_service::{GrantState, NEVER, Place, SelfGrant, SelfService};

/// Everything by which roles are known at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Roles<'a> {
    /// The configured people.
    pub people: &'a [Person],
    /// Roles that people took, those that ended or were taken back among them.
    pub grants: &'a [SelfGrant],
    /// What may be taken in the environment that is spoken of.
    pub self_service: &'a [SelfService],
    /// Now, by the ledger's clock.
    pub at: DateTime<Utc>,
}

/// What somebody wants to do by a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A deed.
    Act,
    /// A deed that breaks the glass: a role that somebody took alone is not enough for it.
    BreakGlass,
}

/// Whether a role holds for a place: the whole of it.
fn covers(held: &Grant, place: &Place) -> bool {
    let here = held.environments.is_empty() || held.environments.contains(&place.environment);
    here && (held.services.is_empty() || place.service.as_ref().is_some_and(|service| held.services.contains(service)))
}

/// Whether a person holds one of `roles` for a place by configuration; an empty list asks for no role.
pub fn holds(person: &Person, roles: &[RoleName], place: &Place) -> bool {
    roles.is_empty() || person.roles.iter().any(|held| roles.contains(&held.role) && covers(held, place))
}

/// The rule by which a person may take a role for a place.
pub fn rule_for<'a>(rules: &'a [SelfService], person: &Person, role: &RoleName, place: &Place) -> Option<&'a SelfService> {
    let of_team = |rule: &SelfService| rule.teams.is_empty() || person.teams.iter().any(|team| rule.teams.contains(team));
    rules.iter().find(|rule| &rule.role == role && role.as_str() != NEVER && rule.covers(place) && of_team(rule))
}

impl<'a> Roles<'a> {
    /// Roles as they stand for a target at a moment.
    pub fn of(people: &'a [Person], grants: &'a [SelfGrant], guard: Option<Guard<'a>>, at: DateTime<Utc>) -> Self {
        Self { people, grants, self_service: guard.map_or(&[], |guard| guard.self_service), at }
    }

    fn person(&self, name: &str) -> Option<&'a Person> {
        self.people.iter().find(|person| person.name.as_str() == name)
    }

    /// Those whose agreement to a grant counts: others, who hold the role there by configuration now. A role that was taken lets nobody
    /// agree to the taking of it, so that two cannot help each other to it.
    fn agreed<'s>(&'s self, grant: &'s SelfGrant) -> impl Iterator<Item = &'s str> {
        let role = std::slice::from_ref(&grant.role);
        let names = grant.agreed.iter().map(|agreement| agreement.person.as_str());
        names
            .filter(move |name| *name != grant.person.as_str() && self.person(name).is_some_and(|person| holds(person, role, &grant.place)))
    }

    /// Why a grant gives its holder nothing now, as rule and words; none when it counts.
    fn void(&self, grant: &SelfGrant) -> Option<(&'static str, String)> {
        let taken = format!("{}'s grant {} of {} {}", grant.person, grant.short(), grant.role, grant.place);
        let clock = |at: &DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%SZ").to_string();
        if let Some(revoked) = &grant.revoked {
            return Some(("grant-revoked", format!("{taken} was taken back by {} on {}", revoked.person, clock(&revoked.at))));
        }
        if grant.state(&self.at) == GrantState::Ended {
            return Some(("grant-ended", format!("{taken} ended on {}", clock(&grant.until))));
        }
        let person = self.person(grant.person.as_str())?;
        let Some(rule) = rule_for(self.self_service, person, &grant.role, &grant.place) else {
            return Some((
                "grant-not-allowed",
                format!("{taken} counts no more: no self_service of {} allows it now", grant.place.environment),
            ));
        };
        let lasted = (self.at - grant.at).to_std().unwrap_or_default();
        if lasted >= rule.at_most {
            return Some(("grant-ended", format!("{taken} is over: `at_most` is shorter now than when it was taken")));
        }
        let needs = rule.approvals.max(grant.needs);
        let given = self.agreed(grant).count();
        if usize::try_from(needs).is_ok_and(|needs| given < needs) {
            return Some(("grant-not-agreed", format!("{taken} needs the agreement of {needs} who hold the role, {given} given")));
        }
        None
    }

    /// The grant by which a person has one of `roles` for a target now.
    pub fn granted(&self, person: &str, roles: &[RoleName], target: &Target) -> Option<&'a SelfGrant> {
        let of = |grant: &&SelfGrant| grant.person.as_str() == person && roles.contains(&grant.role) && grant.place.covers(target);
        self.person(person)?;
        self.grants.iter().filter(of).filter(|grant| self.void(grant).is_none()).max_by_key(|grant| grant.until)
    }

    /// Whether an actor may act where one of `roles` is asked for.
    ///
    /// An unverified actor (nobody is configured) has every role; a stranger among configured people has none, not even where no role is
    /// asked for. Who only took the role breaks no glass with it, unless somebody else agreed to the taking.
    pub fn may(&self, actor: &Actor, act: Act, roles: &[RoleName], target: &Target) -> bool {
        match actor.by_roles() {
            Actor::Unverified(_) => true,
            Actor::Stranger(_) | Actor::Rule { .. } => false,
            Actor::Person(name) => self.person(name.as_str()).is_some_and(|person| {
                holds(person, roles, &target.into())
                    || self.granted(name.as_str(), roles, target).is_some_and(|grant| match act {
                        Act::Act => true,
                        Act::BreakGlass => self.agreed(grant).next().is_some(),
                    })
            }),
        }
    }

    /// Why a role that a person took does not let him agree to a plan of `requester`; none when it does, or when he took none.
    fn no_approver(&self, person: &str, roles: &[RoleName], target: &Target, requester: &Actor) -> Option<(&'static str, String)> {
        let grant = self.granted(person, roles, target)?;
        let mut agreed = self.agreed(grant).peekable();
        if agreed.peek().is_none() {
            return Some((
                "grant-own",
                format!("{person} took the role {} and nobody else who holds it agreed to that, so {person} agrees to no plan", grant.role),
            ));
        }
        let requester = requester.to_string();
        if agreed.all(|name| name == requester) {
            return Some((
                "grant-crosswise",
                format!("only {requester}, who asks for the plan, agreed that {person} takes the role {}", grant.role),
            ));
        }
        None
    }

    /// The names of those who hold one of `roles` and are of one of `teams` and may approve a plan of `requester`: never the requester.
    pub fn approvers(&self, roles: &[RoleName], teams: &[String], target: &Target, requester: &Actor) -> Vec<String> {
        let of_team = |person: &&Person| teams.is_empty() || person.teams.iter().any(|team| teams.contains(team));
        let may = |person: &&Person| {
            let name = person.name.as_str();
            holds(person, roles, &target.into())
                || (self.granted(name, roles, target).is_some() && self.no_approver(name, roles, target, requester).is_none())
        };
        let people = self.people.iter().filter(of_team).filter(may);
        people.filter(|person| !matches!(requester, Actor::Person(name) if name == &person.name)).map(|one| one.name.to_string()).collect()
    }

    /// Why a person who took a role has nothing of it for a target: the newest grant of one of `roles` tells.
    fn disappointed(&self, person: &str, roles: &[RoleName], target: &Target) -> Option<(&'static str, String)> {
        if let Some(grant) = self.newest(person, roles, target) {
            return self.void(grant);
        }
        let of = |grant: &&SelfGrant| grant.person.as_str() == person && roles.contains(&grant.role);
        let elsewhere =
            self.grants.iter().filter(of).filter(|grant| grant.state(&self.at) == GrantState::Granted).max_by_key(|grant| grant.until)?;
        Some((
            "grant-elsewhere",
            format!("{person}'s grant {} of {} is for {}, not for {target}", elsewhere.short(), elsewhere.role, elsewhere.place),
        ))
    }

    /// The grant of one of `roles` that a person took for a target and that ends last, whatever became of it.
    fn newest(&self, person: &str, roles: &[RoleName], target: &Target) -> Option<&'a SelfGrant> {
        let of = |grant: &&SelfGrant| grant.person.as_str() == person && roles.contains(&grant.role) && grant.place.covers(target);
        self.grants.iter().filter(of).max_by_key(|grant| (grant.until, grant.at))
    }

    /// Who has one of `roles` for a target now, in words: by configuration, and until when by a grant.
    pub fn holders(&self, roles: &[RoleName], target: &Target) -> String {
        let mut names: Vec<String> = Vec::new();
        for person in self.people {
            let name = person.name.as_str();
            if holds(person, roles, &target.into()) {
                names.push(name.to_owned());
            } else if let Some(grant) = self.granted(name, roles, target) {
                names.push(format!("{name} until {}", grant.until.format("%H:%M:%SZ")));
            }
        }
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    }

    /// How a person could take one of `roles` for a target: the exact command.
    fn could_take(&self, person: &Person, roles: &[RoleName], target: &Target) -> Option<String> {
        let place = target.into();
        let rule = roles.iter().find_map(|role| rule_for(self.self_service, person, role, &place))?;
        let (role, span) = (&rule.role, super::allowance::allowance(rule, person, target, self.grants, &self.at)?);
        let mut text = format!("take it for a while: gonogo grant {role} {target} --for {span} --reason \"..\"");
        if rule.approvals > 0 {
            let _ = write!(text, " (then {} who hold it must agree)", rule.approvals);
        }
        Some(text)
    }

    /// The reason of a denial for lack of a role: which rule asks for it, what would change it, and who has it now.
    pub fn lacking(&self, actor: &Actor, act: Act, (asked_by, roles): (&str, &[RoleName]), target: &Target) -> Reason {
        let doing = match act {
            Act::Act => "act",
            Act::BreakGlass => "break glass",
        };
        let names: Vec<_> = roles.iter().map(ToString::to_string).collect();
        let mut text = format!("{actor} may not {doing} on {target}");
        if roles.is_empty() {
            return Reason::new("role", &text, "be a configured person; os_user in [[person]] says who you are");
        }
        let _ = write!(text, ": {asked_by} there asks for the role {}", names.join(" or "));
        let actor = actor.by_roles();
        let person = self.person(&actor.to_string()).filter(|_| matches!(actor, Actor::Person(_)));
        let told = person.and_then(|person| {
            let name = person.name.as_str();
            let alone = self
                .granted(name, roles, target)
                .map(|grant| ("grant-own", format!("{name} took the role {} alone, which breaks no glass", grant.role)));
            alone.or_else(|| self.disappointed(name, roles, target))
        });
        let rule = told.as_ref().map_or("role", |(rule, _)| *rule);
        if let Some((_, why)) = &told {
            let _ = write!(text, "; {why}");
        }
        let mut fix = String::new();
        let take =
            person.filter(|_| !matches!(rule, "grant-own" | "grant-not-agreed")).and_then(|person| self.could_take(person, roles, target));
        if let Some(take) = take {
            let _ = write!(fix, "{take}; or ");
        }
        let asked = person.filter(|_| rule == "grant-not-agreed").and_then(|person| self.newest(person.name.as_str(), roles, target));
        if let Some(asked) = asked {
            let _ = write!(fix, "one who holds the role runs `gonogo approve {target} --grant {}`; or ", asked.short());
        }
        let _ =
            write!(fix, "have the role {} in {}, which {} has now", names.join(" or "), target.environment, self.holders(roles, target));
        if person.is_none() {
            fix.push_str("; os_user in [[person]] says who you are");
        }
        Reason::new(rule, &text, &fix)
    }

    /// Why a person may not say something about a plan for which one of `roles` is asked; a role that was taken tells why it does not help.
    pub fn not_an_approver(&self, person: &str, roles: &[RoleName], target: &Target, requester: &Actor) -> Option<(&'static str, String)> {
        self.no_approver(person, roles, target, requester).or_else(|| self.disappointed(person, roles, target))
    }
}
