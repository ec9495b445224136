//! Whoever asked for a run may not also open its gates, by whichever of their accounts they asked.

use crate::model::operator::{Actor, Person};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::run_gate::AskedBy;
use crate::model::text::Text;

/// Whether a person asked for the run whose gates a plan opens.
pub fn is_of(plan: &Plan, person: &Person) -> bool {
    plan.asked_by.as_ref().is_some_and(|asked| has(person, asked).is_some())
}

fn has<'a>(person: &Person, asked: &'a AskedBy) -> Option<&'a Text> {
    asked.accounts.iter().find(|account| person.has_account(&asked.kind, account.as_str()))
}

/// Why `actor` may not open the gates of a plan's run, nor agree to that; nothing for a plan that opens none.
pub fn against_plan(plan: &Plan, actor: &Actor, people: &[Person]) -> Option<Reason> {
    let run = plan.order.targets.first().and_then(|target| target.run.as_deref()).unwrap_or("the run");
    against(plan.asked_by.as_ref()?, run, actor, people)
}

/// Why `actor` may not open the gates of a run: it is their own run, or an account asked for it of which nobody says whose it is.
/// Nothing where nobody is configured: there no two people are told apart.
pub fn against(asked: &AskedBy, run: &str, actor: &Actor, people: &[Person]) -> Option<Reason> {
    let Actor::Person(name) = actor else { return None };
    if asked.accounts.is_empty() {
        let text = format!("who asked for {run} is not told, so it may be {name}");
        return Some(Reason::new("unknown-account", &text, "wait until the backend tells it; or answer there by hand"));
    }
    let own = people.iter().filter(|person| &person.name == name).find_map(|person| has(person, asked));
    if let Some(account) = own {
        let text = format!("{name} asked for {run} (as {account}) and cannot also approve it");
        return Some(Reason::new("own-run", &text, &format!("another person approves it; {name} may reject or cancel it")));
    }
    let nobodys = |account: &&Text| !people.iter().any(|person| person.has_account(&asked.kind, account.as_str()));
    let account = asked.accounts.iter().find(nobodys)?;
    let text = format!("{run} was asked for by {account}, which is no configured person's account, so it may be {name}'s");
    Some(Reason::new("unknown-account", &text, "add it to `logins` or `bots` of the [[person]] whose it is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        Person {
            name: name.parse().unwrap(),
            os_user: None,
            keys: Vec::new(),
            emails: vec![format!("{name}@shop.example")],
            logins: vec![("github".to_owned(), format!("{name}-gh"))],
            bots: vec![format!("{name}-bot")],
            teams: Vec::new(),
            roles: Vec::new(),
        }
    }

    fn rule(accounts: &[&str], actor: &str) -> Option<String> {
        let people = [person("ana"), person("cy")];
        let asked = AskedBy { kind: "github".to_owned(), accounts: accounts.iter().map(|account| Text::clean(account)).collect() };
        let actor = Actor::Person(actor.parse().unwrap());
        against(&asked, "github/7", &actor, &people).map(|reason| reason.rule)
    }

    #[test]
    fn every_account_of_a_person_is_that_person_and_an_account_of_nobody_may_be_anybodys() {
        for own in ["ana-gh", "Ana-GH", "ana-bot", "ana-bot[bot]", "ana@shop.example"] {
            assert_eq!(rule(&[own], "ana").as_deref(), Some("own-run"), "{own}");
            assert_eq!(rule(&["cy-gh", own], "ana").as_deref(), Some("own-run"), "{own}");
            assert_eq!(rule(&[own], "cy"), None, "{own}");
        }
        for accounts in [&[][..], &["ana-second"], &["cy-gh", "ana-second"]] {
            assert_eq!(rule(accounts, "ana").as_deref(), Some("unknown-account"), "{accounts:?}");
        }
        let asked = AskedBy { kind: "github".to_owned(), accounts: Vec::new() };
        assert_eq!(against(&asked, "github/7", &Actor::Unverified("root".to_owned()), &[]), None, "nobody is told apart there");
    }
}
