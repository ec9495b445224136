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
