//! Gates and change types: which type a plan is by the written rules, and which checks stop it.

use std::time::Duration;

use crate::model::change::ChangeType;
use crate::model::gate::{Check, Counts, Finding, Gates, Typed};
use crate::model::intent::{Direction, Verb};
use crate::model::reason::Reason;
use crate::model::share::Percent;
use crate::model::text::Text;

/// What the type of a change is derived from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The verb.
    pub verb: Verb,
    /// Which way it goes.
    pub direction: Direction,
    /// The share that the new version has afterwards, for a deed that sets one.
    pub percent: Option<Percent>,
    /// Whether a command undoes it.
    pub is_reversible: bool,
    /// How long ago a way back on the target was last seen to work; none when it never was.
    pub way_back_age: Option<Duration>,
    /// The severities of alerts that fire on the target, unsilenced.
    pub severities: &'a [String],
}

/// The type of a change by the rules of its environment, with the rule that made it so.
///
/// The way back and what stands still are pre-approved. A forward deed is an emergency change when the environment knows them and an
/// alert of a named severity fires; else a standard one when every condition of the model holds; else a normal one.
pub fn derive(gates: &Gates, facts: &Facts<'_>) -> Typed {
    let typed = |change, because: &str| Typed { change, because: Text::clean(because) };
    match facts.direction {
        Direction::Back => return typed(ChangeType::Standard, "the way back is pre-approved"),
        Direction::Still | Direction::Release => return typed(ChangeType::Standard, "it moves no traffic and deploys nothing"),
        Direction::Forward => {}
    }
    if let Some(rule) = &gates.emergency
        && let Some(severity) = facts.severities.iter().find(|severity| rule.severities.contains(severity))
    {
        return typed(ChangeType::Emergency, &format!("an alert of severity {severity} fires on it; its review is owed afterwards"));
    }
    let Some(model) = &gates.standard else {
        return typed(ChangeType::Normal, "no model of a standard change is configured here");
    };
    if !model.verbs.contains(&facts.verb) {
        return typed(ChangeType::Normal, &format!("{} is not in the model of standard changes", facts.verb.word()));
    }
    if let (Some(most), Some(percent)) = (model.max_percent, facts.percent)
        && percent > most
    {
        return typed(ChangeType::Normal, &format!("{percent} % is more than the {most} % of a standard change"));
    }
    if !facts.is_reversible {
        return typed(ChangeType::Normal, "no command undoes it");
    }
    match (model.way_back_proven_within, facts.way_back_age) {
        (Some(_), None) => return typed(ChangeType::Normal, "its way back was never seen to work here"),
        (Some(within), Some(age)) if age > within => {
            let text = format!("its way back was last seen to work {} days ago, asked for are {}", days(age), days(within));
            return typed(ChangeType::Normal, &text);
        }
        (Some(_) | None, _) => {}
    }
    typed(ChangeType::Standard, "small, reversible and in the model of standard changes")
}

/// Whole days of a span.
pub fn days(span: Duration) -> u64 {
    span.as_secs() / 86_400
}

/// Whether an Order of type `ordered` may still be carried out when the rules now say `now`: it may have been made stricter, never laxer.
pub fn still_fits(ordered: ChangeType, now: ChangeType) -> bool {
    ordered == now || ordered == ChangeType::Normal
}

/// The type that a person asked for, as far as it is stricter than the derived one.
///
/// # Errors
/// The reason when it is laxer.
pub fn stricter(derived: Typed, wished: Option<ChangeType>) -> Result<Typed, Reason> {
    match wished {
        None => Ok(derived),
        Some(wished) if wished == derived.change => Ok(derived),
        Some(ChangeType::Normal) => {
            Ok(Typed { change: ChangeType::Normal, because: Text::clean(&format!("asked for; by the rules {}", derived.change.word())) })
        }
        Some(wished) => Err(Reason::new(
            "change-type",
            &format!("it is a {} change ({}) and cannot be made a {} one by hand", derived.change.word(), derived.because, wished.word()),
            "leave --change away; it may only be made stricter, normal",
        )),
    }
}

/// The required checks that do not hold, as reasons.
pub fn stopping(checks: &[Check]) -> Vec<Reason> {
    checks
        .iter()
        .filter(|check| check.counts == Counts::Require && check.finding != Finding::Holds)
        .map(|check| Reason { rule: format!("check-{}", check.kind.word()), text: check.text.clone(), fix: check.fix.clone() })
        .collect()
}
