//! Who of the configured people made what a plan brings, and whether that is known of everybody.
//!
//! One person behind several identities is one: accounts, e-mails and bots are looked up in `[[person]]`. An identity that is nobody's
//! may hide a configured person, so it leaves the authors unknown, unless the environment says that it does not (`unmapped = "warn"`) or
//! names it as an outsider's.

use std::collections::BTreeMap;

use crate::model::authorship::Authorship;
use crate::model::catalog::{BackendKind, Guard};
use crate::model::gate::{AuthorRule, CheckKind, Counts, Unmapped};
use crate::model::operator::Person;
use crate::model::origin::{Authors, Identity};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;

/// What to do about an identity that is nobody's.
const NAME_IT: &str = "add it to `emails`, `logins` or `bots` of its [[person]], or, when no configured person is behind it, to `outsiders` of the environment's `authors`";

/// The authors of what a plan brings, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Configured people, each with the identities by which they are authors.
    pub people: BTreeMap<String, Vec<String>>,
    /// Identities of which it is known that no configured person is behind them.
    pub outsiders: Vec<String>,
    /// Identities that are nobody's.
    pub unmapped: Vec<String>,
    /// Why they are not known, and what would change it; none when they are.
    pub unknown: Option<(Text, Text)>,
}

/// The person behind an account of a kind of backend, or behind a bot of that name.
pub fn of_account<'a>(people: &'a [Person], kind: BackendKind, login: &str) -> Option<&'a Person> {
    people.iter().find(|person| person.has_account(kind.word(), login))
}

/// Everybody whom an identity names: by its account, and by its e-mail.
fn of_identity<'a>(people: &'a [Person], kind: BackendKind, identity: &Identity) -> Vec<&'a Person> {
    let by_login = identity.login.as_ref().and_then(|login| of_account(people, kind, login.as_str()));
    let by_email = identity.email.as_ref().and_then(|email| {
        let email = email.as_str().to_lowercase();
        people.iter().find(|person| person.emails.iter().any(|own| own.to_lowercase() == email))
    });
    by_login.into_iter().chain(by_email).collect()
}

fn is_outsider(rule: &AuthorRule, identity: &Identity) -> bool {
    let named = |text: &Text| rule.outsiders.iter().any(|outsider| outsider.to_lowercase() == text.as_str());
    identity.login.as_ref().is_some_and(named) || identity.email.as_ref().is_some_and(named)
}

/// Who made what a plan brings. None of a plan for which no source of changes is configured.
pub fn known(authors: Option<&Authorship>, people: &[Person], rule: &AuthorRule) -> Known {
    let mut known = Known::default();
    let (kind, range) = match authors {
        None => {
            let fix = "add repository = { backend, name } with a backend that keeps its source to the service";
            return Known { unknown: Some((Text::clean("no source of its changes is configured"), Text::clean(fix))), ..known };
        }
        Some(Authorship::Nothing) => return known,
        Some(Authorship::NotRead { why, fix, .. }) => return Known { unknown: Some((why.clone(), fix.clone())), ..known },
        Some(Authorship::Read { kind, range, .. }) => (*kind, range),
    };
    let all = match &range.authors {
        Authors::Known(all) => all,
        Authors::Unknown(why) => {
            let fix = "deploy a version whose way from the running one can be read whole";
            return Known { unknown: Some((why.clone(), Text::clean(fix))), ..known };
        }
    };
    for identity in all {
        let who = of_identity(people, kind, identity);
        for person in &who {
            let by = known.people.entry(person.name.to_string()).or_default();
            by.push(identity.to_string());
            by.dedup();
        }
        if who.is_empty() {
            if is_outsider(rule, identity) { known.outsiders.push(identity.to_string()) } else { known.unmapped.push(identity.to_string()) }
        }
    }
    if !known.unmapped.is_empty() && rule.unmapped == Unmapped::Refuse && !people.is_empty() {
        let who = known.unmapped.join(", ");
        known.unknown =
            Some((Text::clean_within(&format!("nobody configured is {who}, and one who is may be behind it"), 400), Text::clean(NAME_IT)));
    }
    known
}

impl Known {
    /// Why a person is an author; none when it is not one.
    pub fn because(&self, person: &str) -> Option<String> {
        self.people.get(person).map(|by| by.join(", "))
    }

    /// Everybody in words: people by name, others by their identity.
    pub fn words(&self) -> String {
        let others = self.outsiders.iter().chain(&self.unmapped);
        let all: Vec<&str> = self.people.keys().chain(others).map(String::as_str).collect();
        if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
    }
}

/// Whether the authors must be known for an approval to count.
pub fn are_required(guard: Guard<'_>) -> bool {
    guard.gates.checks.contains(&(CheckKind::Authors, Counts::Require))
}

/// What a plan's guard knows of its authors.
pub fn of_plan(plan: &Plan, guard: Guard<'_>, people: &[Person]) -> Known {
    known(plan.authors.as_ref(), people, &guard.gates.authors)
}

/// Why an approval by this person does not count, given on what was then known of the authors (its digest); none when it counts.
///
/// Authors who are known never approve. Where the environment requires authors to be known, nobody approves before they are. And an
/// approval binds to what was seen: another range, or another author of the same one, is another change.
pub fn against(plan: &Plan, guard: Guard<'_>, known: &Known, person: &str, seen: Option<&str>) -> Option<Reason> {
    if let Some(by) = known.because(person) {
        let text = format!("{person} made some of it and cannot also approve it: {by}");
        return Some(Reason::new("author", &text, "a person who made none of it approves"));
    }
    if let (true, Some((why, fix))) = (are_required(guard), &known.unknown) {
        return Some(Reason::new("authors-unknown", &format!("no approval counts while its authors are not known: {why}"), fix.as_str()));
    }
    let now = plan.authors.as_ref().and_then(Authorship::digest);
    if let (Some(seen), Some(now)) = (seen, &now)
        && seen != now
    {
        let range = plan.authors.as_ref().map(Authorship::range_words).unwrap_or_default();
        let text = format!("{person} approved another change: what lies between the versions is by now {range}");
        return Some(Reason::new("range-changed", &text, &format!("{person} looks at it and approves again")));
    }
    None
}
