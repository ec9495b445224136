//! What persons say beside plans: whether the rules let them, asked by a screen, by a verb, and again inside the transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::control::world::World;
use crate::control::{gate, rules};
use crate::model::catalog::{Assurance, Catalog};
use crate::model::name::{EnvironmentName, RoleName};
use crate::model::operator::Actor;
use crate::model::reason::Reason;
use crate::model::review::Review;
use crate::model::rules::RuleStanding;
use crate::model::self_service::{GrantWish, Place, Saying, SelfGrant, USUAL};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::policy::glass;
use crate::policy::grant::{Ask, against_agreement, against_grant, against_revocation};
use crate::policy::role::rule_for;
use crate::policy::rules as policy;
use crate::ports::ledger::{GrantAt, ReviewAt};

/// The accepted rules, by which it is judged too while changed ones wait to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct ByAccepted {
    /// Their digest.
    digest: String,
    /// The room's catalog with them in it.
    catalog: Arc<Catalog>,
    /// They take whoever is at the keys for somebody else.
    against: Option<Reason>,
}

impl ByAccepted {
    /// As the world stands; none while no others wait.
    pub fn of(world: &World) -> Option<Self> {
        let older = world.rules.older.as_ref()?;
        let against = (!rules::is_same_person(world, &older.rules)).then(|| policy::stranger(&world.actor));
        Some(Self { digest: older.digest.clone(), catalog: older.catalog.clone(), against })
    }
}

/// Who says it, and by which rules.
#[derive(Debug, Clone)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// The rules.
    pub catalog: &'a Catalog,
    /// Whether deeds are impossible.
    pub read_only: bool,
    /// The accepted rules, while changed ones wait.
    pub accepted: Option<ByAccepted>,
}

impl<'a> By<'a> {
    /// Whoever is at the keys.
    pub fn of(world: &'a World) -> Self {
        Self { actor: &world.actor, catalog: &world.catalog, read_only: world.read_only, accepted: ByAccepted::of(world) }
    }

    /// What the room's own rules say against it, and what the accepted ones do.
    fn both(&self, against: impl Fn(&Catalog) -> Vec<Reason>) -> Vec<Reason> {
        let mut reasons = against(self.catalog);
        if let Some(accepted) = &self.accepted {
            let more = against(&accepted.catalog).into_iter().chain(accepted.against.clone());
            let fresh: Vec<Reason> = more.filter(|reason| !reasons.contains(reason)).collect();
            reasons.extend(fresh);
        }
        reasons
    }

    /// Others wait to be accepted in the store than this room knows of.
    fn against_standing(&self, stands: &RuleStanding) -> Option<Reason> {
        let known = self.accepted.as_ref().map(|accepted| &accepted.digest);
        let stale = stands.waits() && known != stands.accepted.as_ref();
        let text = "changed rules wait to be accepted, and this room did not know it yet";
        stale.then(|| Reason::new("rules", text, "say it again; `gonogo policy show` says what changed"))
    }

    fn on_grant(
        &self,
        saying: &Saying,
        grant: Option<&SelfGrant>,
        (grants, at, is_own_key): (&[SelfGrant], DateTime<Utc>, Option<bool>),
    ) -> Vec<Reason> {
        let Self { actor, read_only, .. } = *self;
        let by = |catalog: &Catalog, place: &Place, against: &dyn Fn(&Ask<'_>) -> Vec<Reason>| {
            let (people, environment) = (&catalog.people, catalog.environment(&place.environment));
            against(&Ask { actor, people, environment, grants, is_own_key, read_only, at })
        };
        match (saying, grant) {
            (Saying::Grant(wish), _) => self.both(|catalog| by(catalog, &wish.place, &|ask| against_grant(ask, wish))),
            (Saying::Agree(_), Some(grant)) => self.both(|catalog| by(catalog, &grant.place, &|ask| against_agreement(ask, grant))),
            // Taking back is never harder than giving.
            (Saying::Revoke(_), Some(grant)) => by(self.catalog, &grant.place, &|ask| against_revocation(ask, grant)),
            (Saying::Agree(_) | Saying::Revoke(_) | Saying::Review(_), _) => {
                vec![Reason::new("no-grant", "there is no such grant", "gonogo grants")]
            }
        }
    }

    /// Why it may not be said about a grant; empty when it may. Asked inside the transaction.
    pub fn against_grant(&self, saying: &Saying, found: &GrantAt<'_>) -> Vec<Reason> {
        if saying.person() != self.actor.to_string() {
            return vec![foreign(saying.person(), self.actor)];
        }
        let mut reasons = self.on_grant(saying, found.grant, (found.grants, found.at, Some(found.is_own_key)));
        if !matches!(saying, Saying::Revoke(_)) {
            reasons.extend(self.against_standing(found.rules));
        }
        reasons
    }

    /// Why a review may not be closed; empty when it may. Asked inside the transaction.
    pub fn against_review(&self, found: &ReviewAt<'_>) -> Vec<Reason> {
        let ReviewAt { review, is_own_key, rules } = *found;
        let mut reasons = self.on_review(review, is_own_key);
        reasons.extend(self.against_standing(rules));
        reasons
    }

    fn on_review(&self, review: &Review, is_own_key: bool) -> Vec<Reason> {
        self.both(|catalog| {
            let unsigned = !is_own_key && asks_for_own_key(catalog, &review.target.environment);
            glass::against_review(review, self.actor, &catalog.people, self.read_only, unsigned)
        })
    }
}

fn asks_for_own_key(catalog: &Catalog, environment: &EnvironmentName) -> bool {
    catalog.environment(environment).is_some_and(|environment| environment.assurance >= Assurance::T1)
}

fn foreign(person: &str, actor: &Actor) -> Reason {
    Reason::new("role", &format!("{actor} cannot speak for {person}"), "say it yourself")
}

/// What whoever is at the keys wants to take, ready to be recorded; `span` is the usual one when none is given.
pub fn wish(
    world: &World,
    role: RoleName,
    place: Place,
    span: Option<std::time::Duration>,
    (reason, nonce): (Text, String),
    now: &Moment,
) -> GrantWish {
    let person = world.catalog.people.iter().find(|person| matches!(&world.actor, Actor::Person(name) if name == &person.name));
    let environment = world.catalog.environment(&place.environment);
    let rule = person.zip(environment).and_then(|(person, environment)| rule_for(&environment.self_service, person, &role, &place));
    let span = span.unwrap_or_else(|| rule.map_or(USUAL, |rule| USUAL.min(rule.at_most)));
    let until = now.plus(span).wall;
    // Milliseconds are what the ledger keeps.
    let until = DateTime::from_timestamp_millis(until.timestamp_millis()).unwrap_or(until);
    GrantWish { person: world.actor.to_string(), role, place, until, reason, needs: rule.map_or(0, |rule| rule.approvals), nonce }
}

/// Why it may not be said as the world stands now; empty when it may. The store looks at it again.
pub fn against(world: &World, saying: &Saying, now: &Moment) -> Vec<Reason> {
    let by = By::of(world);
    let at = (world.grants.as_slice(), now.wall, None);
    match saying {
        Saying::Grant(_) => by.on_grant(saying, None, at),
        // One that this room does not know is looked for by the store.
        Saying::Agree(on) | Saying::Revoke(on) => {
            found(world, &on.grant).map(|grant| by.on_grant(saying, Some(grant), at)).unwrap_or_default()
        }
        Saying::Review(finding) => review(world, &finding.plan).map(|review| by.on_review(review, true)).unwrap_or_default(),
    }
}

/// The grant that begins with these digits.
pub fn found<'a>(world: &'a World, digits: &str) -> Option<&'a SelfGrant> {
    world.grants.iter().find(|grant| grant.id.starts_with(digits))
}

fn review<'a>(world: &'a World, digits: &str) -> Option<&'a Review> {
    world.reviews.iter().find(|review| review.plan.to_string().starts_with(digits))
}

/// The keys of whoever is at the keys, when what is said must bear their own signature; none when it need not, or its subject is not known.
pub fn signing_keys(world: &World, saying: &Saying) -> Option<Vec<String>> {
    let environment = match saying {
        Saying::Grant(wish) => &wish.place.environment,
        Saying::Agree(on) | Saying::Revoke(on) => &found(world, &on.grant)?.place.environment,
        Saying::Review(finding) => &review(world, &finding.plan)?.target.environment,
    };
    // What would be refused anyhow is not worth a touch of the key.
    gate::keys_for(world, environment).filter(|_| against(world, saying, &world.at).is_empty())
}
