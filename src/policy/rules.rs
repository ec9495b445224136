//! Changed rules: who may accept them, and what counts until somebody did (promise 8).
//!
//! Rules have authors too. Until another person with the role [`POLICY_OWNER`] has accepted them, a plan is judged by the old rules and
//! by the new, and the stricter answer holds. The old rules say who is a policy-owner. Who wrote the new ones is known where the
//! operating system vouches for it (nobody else could have written the file); else the first person who puts a name under them
//! stands for them, and a second one accepts.

use crate::model::catalog::Assurance;
use crate::model::deed::Permit;
use crate::model::name::PersonName;
use crate::model::operator::{Actor, Grant, Person};
use crate::model::reason::Reason;
use crate::model::rules::{Difference, Kind, POLICY_OWNER, RuleSet, RuleStanding};
use crate::model::verdict::Verdict;

/// Everything that the answer is a fact about.
#[derive(Debug, Clone, Copy)]
pub struct AskName<'a> {
    /// How the rules stand.
    pub stands: &'a RuleStanding,
    /// The present rules.
    pub current: &'a RuleSet,
    /// Who puts a name under them.
    pub actor: &'a Actor,
    /// Whether old and new rules take whoever is at the keys for the same person.
    pub is_same_person: bool,
    /// Persons who alone could have written the files; none of them accepts.
    pub authors: &'a [PersonName],
    /// Whether the person's own key signed it; none before anybody was asked to sign.
    pub is_own_key: Option<bool>,
    /// Whether deeds are impossible.
    pub read_only: bool,
}

/// Whether the present rules are accepted by this name; else its owner stands for them, and another must accept.
///
/// # Errors
/// The reasons why the name may not be put under them.
pub fn may_name(ask: &AskName<'_>) -> Result<bool, Vec<Reason>> {
    let mut reasons = Vec::new();
    if ask.read_only {
        reasons.push(Reason::new("read-only", "this room is read-only", "open it without --read-only and read_only = true"));
    }
    let Some(older) = &ask.stands.older else {
        reasons.push(Reason::new("nothing-to-accept", "the rules are those that were accepted", "nothing is to be done"));
        return Err(reasons);
    };
    let person = match ask.actor {
        Actor::Person(name) => older.person(name),
        Actor::Unverified(_) | Actor::Stranger(_) | Actor::Rule { .. } => None,
    };
    let Some(person) = person.filter(|_| ask.is_same_person) else {
        reasons.push(stranger(ask.actor));
        return Err(reasons);
    };
    let asks = |rules: &RuleSet| rules.environments.iter().any(|environment| environment.assurance >= Assurance::T1);
    if (asks(older) || asks(ask.current)) && ask.is_own_key == Some(false) {
        let text = format!("an environment asks for signatures by persons (T1 or T2), and {}'s own key did not sign", person.name);
        reasons.push(Reason::new(
            "assurance",
            &text,
            "start an SSH agent that holds the key configured in [[person]]; `gonogo whoami` says which",
        ));
    }
    let is_author = ask.authors.contains(&person.name) || ask.stands.names.iter().any(|name| name == person.name.as_str());
    let has_author = !ask.authors.is_empty() || !ask.stands.names.is_empty();
    if is_author {
        let text = format!("{} stands for these rules and cannot also accept them", person.name);
        reasons.push(Reason::new("own-rules", &text, &others(older, person, ask)));
    }
    let differences = older.differences(ask.current);
    if has_author && !is_author && !owns(person, &differences) {
        let text = format!("{} has not the role {POLICY_OWNER} for all that changed, by the rules that were accepted", person.name);
        reasons.push(Reason::new("role", &text, &others(older, person, ask)));
    }
    if reasons.is_empty() { Ok(has_author) } else { Err(reasons) }
}

/// Whoever is at the keys is not the same person by both rules.
pub fn stranger(actor: &Actor) -> Reason {
    let text = format!("the rules changed who {actor} is, or by which key or account, and that is not accepted");
    Reason::new("identity", &text, "a policy-owner whom old and new rules know accepts them: gonogo policy accept")
}

/// Whether a person owns everything that changed: everywhere, or in the environments or services that the role is limited to.
fn owns(person: &Person, differences: &[Difference]) -> bool {
    let covers = |grant: &Grant, difference: &Difference| {
        let unlimited = grant.environments.is_empty() && grant.services.is_empty();
        let environment = || grant.environments.iter().any(|name| name.as_str() == difference.name);
        let service = || grant.services.iter().any(|name| name.as_str() == difference.name);
        unlimited
            || match difference.what {
                Kind::Environment => grant.services.is_empty() && environment(),
                Kind::Service => grant.environments.is_empty() && service(),
                Kind::Person | Kind::Window | Kind::Freeze | Kind::Exception | Kind::Train => false,
            }
    };
    let grants: Vec<&Grant> = person.roles.iter().filter(|grant| grant.role.as_str() == POLICY_OWNER).collect();
    !grants.is_empty() && differences.iter().all(|difference| grants.iter().any(|grant| covers(grant, difference)))
}

/// Who could accept, in words.
fn others(older: &RuleSet, but: &Person, ask: &AskName<'_>) -> String {
    let names = acceptors(older, ask.current, ask.stands, ask.authors);
    let names: Vec<String> = names.into_iter().filter(|name| name != but.name.as_str()).collect();
    if names.is_empty() {
        format!("nobody else has the role {POLICY_OWNER} for it; take the change back")
    } else {
        format!("may accept: {}, with gonogo policy accept", names.join(", "))
    }
}

/// Who could accept changed rules, by the rules that were accepted.
pub fn acceptors(older: &RuleSet, current: &RuleSet, stands: &RuleStanding, authors: &[PersonName]) -> Vec<String> {
    let differences = older.differences(current);
    let may = |person: &&Person| {
        owns(person, &differences) && !authors.contains(&person.name) && !stands.names.iter().any(|name| name == person.name.as_str())
    };
    older.people.iter().filter(may).map(|person| person.name.to_string()).collect()
}

/// The stricter of two verdicts over one plan, by the new rules and by the old ones, with the reasons of both. Denied is stricter than
/// waiting for persons, that than waiting for its time, and that than permitted; of two permits the one that leaves more owed counts.
pub fn stricter(new: Verdict, old: Verdict) -> Verdict {
    let by_old = |reasons: Vec<Reason>, beside: &[Reason]| -> Vec<Reason> {
        let fresh = reasons.into_iter().filter(|reason| !beside.contains(reason));
        fresh.map(|reason| Reason { fix: told(&reason), ..reason }).collect()
    };
    let joined = |reasons: Vec<Reason>, old: Vec<Reason>| -> Vec<Reason> {
        let more = by_old(old, &reasons);
        reasons.into_iter().chain(more).collect()
    };
    match (new, old) {
        (Verdict::Deny(reasons), Verdict::Deny(old)) => Verdict::Deny(joined(reasons, old)),
        (Verdict::Deny(reasons), Verdict::Permit(_) | Verdict::SecondPerson { .. } | Verdict::Early(_)) => Verdict::Deny(reasons),
        (Verdict::Permit(_) | Verdict::SecondPerson { .. } | Verdict::Early(_), Verdict::Deny(old)) => Verdict::Deny(by_old(old, &[])),
        (
            Verdict::SecondPerson { needs, given, may, reasons },
            Verdict::SecondPerson { needs: wants, given: got, may: could, reasons: old },
        ) => {
            let (missing, lacking) = (needs.saturating_sub(given), wants.saturating_sub(got));
            // As many missing: the one that asks for more in all.
            let (needs, given) = if (lacking, wants) > (missing, needs) { (wants, got) } else { (needs, given) };
            Verdict::SecondPerson { needs, given, may: agreeing(may, could), reasons: joined(reasons, old) }
        }
        (second @ Verdict::SecondPerson { .. }, Verdict::Permit(_)) => second,
        // As by one rule set: who lacks is asked while its time is still to come.
        (Verdict::Early(early), Verdict::SecondPerson { needs, given, may, reasons }) => {
            Verdict::SecondPerson { needs, given, may, reasons: [by_old(reasons, &[]), vec![early]].concat() }
        }
        (Verdict::SecondPerson { needs, given, may, reasons }, Verdict::Early(early)) => {
            Verdict::SecondPerson { needs, given, may, reasons: [reasons, vec![early]].concat() }
        }
        // Its time is in the Order, the same by both.
        (early @ Verdict::Early(_), Verdict::Permit(_) | Verdict::Early(_)) | (Verdict::Permit(_), early @ Verdict::Early(_)) => early,
        (Verdict::Permit(_), Verdict::SecondPerson { needs, given, may, reasons }) => {
            Verdict::SecondPerson { needs, given, may, reasons: by_old(reasons, &[]) }
        }
        (Verdict::Permit(new), Verdict::Permit(old)) => Verdict::Permit(more_owed(new, &old)),
    }
}

/// Who may agree by both; where nobody may, those of both are asked, each by one of them.
fn agreeing(may: Vec<String>, could: Vec<String>) -> Vec<String> {
    if may.iter().any(|name| could.contains(name)) {
        return may.into_iter().filter(|name| could.contains(name)).collect();
    }
    may.into_iter().chain(could).collect()
}

/// The permit that waives what either waives, so that it is told, and leaves the review owed that is due first.
fn more_owed(new: Permit, old: &Permit) -> Permit {
    let waived = old.waived().iter().filter(|reason| !new.waived().contains(reason));
    let waived: Vec<Reason> = new.waived().iter().chain(waived).cloned().collect();
    let due = new.review_within().into_iter().chain(old.review_within()).min();
    let permit = new.over(waived);
    due.map_or(permit.clone(), |due| permit.owing(due))
}

/// What mends it, and that the older rules ask for it.
pub(super) fn told(reason: &Reason) -> crate::model::text::Text {
    crate::model::text::Text::clean(&format!(
        "{} (so say the rules that were accepted; `gonogo policy show` tells what changed)",
        reason.fix
    ))
}
