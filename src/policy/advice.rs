//! Which strategy suits a target, why, and what would change that: advice for people, and no rule that stops anything.
//!
//! What is not known is said, and makes the advice more careful, never bolder:
//!
//! | what | then |
//! |---|---|
//! | nothing watches it, or a deciding signal has no data | a person |
//! | it keeps state | rolling where an orchestrator replaces several instances, recreate where it is one, else a person |
//! | a router splits it, and a share up to 50 % tells within a step's deadline | canary, from the least step that tells within its wait |
//! | no share tells, but all of the traffic does while it is watched, and going back is proven | blue-green |
//! | anything else | a person |
//!
//! A person says go before the first step where the risk is high or not known, where it is not known whether state is kept, and where
//! going back was never seen to work, failed lately, or is 90 days old. How long a share takes: [`crate::analysis::reach`].

mod choice;
mod turns;

pub use self::choice::{Advised, Back, Choice, Facts, Measured};
use self::choice::{LARGEST, OLD, choose, long};
pub use self::turns::Turn;
use crate::model::share::Percent;

/// Advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What is advised.
    pub choice: Choice,
    /// Why, in few words.
    pub because: String,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// What is not known, in sentences.
    pub unknown: Vec<String>,
    /// What would change it.
    pub turns: Vec<Turn>,
}

/// The advice that follows from the facts.
pub fn advise(facts: &Facts) -> Advice {
    let (choice, reasons) = choose(facts);
    let because = brief(facts, choice).or_else(|| reasons.first().cloned()).unwrap_or_default();
    Advice { choice, because, reasons, unknown: unknown(facts), turns: turns::of(facts, choice) }
}

/// What decided about the first step of a canary, or that none can tell.
fn brief(facts: &Facts, choice: Choice) -> Option<String> {
    let Some(first) = choice.first else {
        let largest = Percent::new(LARGEST).filter(|_| facts.slots && facts.stateful != Some(true))?;
        return Some(format!("even {largest} % would take {} to tell", long(facts.tells(largest)?)));
    };
    let least = facts.shares().first().copied()?;
    let takes = long(facts.tells(least)?);
    Some(if least == first { format!("{first} % tells in {takes}") } else { format!("{least} % would take {takes} to tell") })
}

fn unknown(facts: &Facts) -> Vec<String> {
    let days = facts.back.proven_days;
    let all = [
        facts.rate.is_none().then(|| "how many requests it has".to_owned()),
        facts.stateful.is_none().then(|| "whether it keeps state (`stateful = false` or `true` in its [[service]])".to_owned()),
        facts.risk.is_none().then(|| "its risk".to_owned()),
        days.is_none().then(|| "whether going back works: it was never seen to".to_owned()),
        days.filter(|days| *days > OLD).map(|days| format!("whether going back still works: last seen {days} days ago")),
        (facts.back.failed > 0).then(|| format!("whether going back works: {} failed or are unknown since it last did", facts.back.failed)),
    ];
    all.into_iter()
        .flatten()
        .chain(facts.measures.iter().filter(|one| one.usual.is_none()).map(|one| format!("what is usual of {}", one.name)))
        .collect()
}

#[cfg(test)]
mod tests;
