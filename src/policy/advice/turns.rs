//! What would change an advice: each with the threshold, and what would be advised past it.

use super::choice::{Back, Choice, Facts, HIGH, OLD, choose, long, seconds};
use crate::analysis::judge::figure::grouped;
use crate::model::share::Percent;

/// What would change an advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What would have to be so, with its threshold.
    pub when: String,
    /// What would be advised then.
    pub then: Choice,
}

/// Everything of what was looked at that changes the choice; the facts past each threshold are chosen for anew, so none is only claimed.
pub(super) fn of(facts: &Facts, now: Choice) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for (when, other) in others(facts) {
        let (then, _) = choose(&other);
        if then != now && !turns.iter().any(|turn| turn.when == when) {
            turns.push(Turn { when, then });
        }
    }
    turns
}

fn others(facts: &Facts) -> Vec<(String, Facts)> {
    let mut all = traffic(facts);
    match facts.stateful {
        None => {
            all.push((
                "it is said that it keeps no state (`stateful = false`)".to_owned(),
                Facts { stateful: Some(false), ..facts.clone() },
            ));
            all.push(("it is said that it keeps state (`stateful = true`)".to_owned(), Facts { stateful: Some(true), ..facts.clone() }));
        }
        Some(kept) => {
            let words = if kept { "it keeps no state any more" } else { "it begins to keep state" };
            all.push((words.to_owned(), Facts { stateful: Some(!kept), ..facts.clone() }));
        }
    }
    match facts.risk {
        Some(points) if points < HIGH => {
            all.push((format!("its risk is {HIGH} of 100 or more (now {points})"), Facts { risk: Some(HIGH), ..facts.clone() }));
        }
        Some(points) => {
            all.push((format!("its risk is under {HIGH} of 100 (now {points})"), Facts { risk: Some(HIGH - 1), ..facts.clone() }));
        }
        None => {}
    }
    let back = |proven_days, failed| Facts { back: Back { proven_days, failed }, ..facts.clone() };
    if facts.back_in_doubt() {
        all.push(("going back is seen to work".to_owned(), back(Some(0), 0)));
    } else {
        let now = facts.back.proven_days.unwrap_or(0);
        all.push((format!("going back was last seen to work over {OLD} days ago (now {now})"), back(Some(OLD + 1), 0)));
    }
    for (n, measure) in facts.measures.iter().enumerate() {
        let mut other = facts.clone();
        if let Some(one) = other.measures.get_mut(n) {
            one.usual = if measure.usual.is_some() { None } else { measure.limit.map(|limit| limit / 2.0) };
        }
        let words = if measure.usual.is_some() { "loses its data" } else { "has data, half of its limit" };
        all.push((format!("{} {words}", measure.name), other));
    }
    if facts.watched() {
        all.push(("neither an objective nor an alert watches it".to_owned(), Facts { objectives: 0, alerts: false, ..facts.clone() }));
    } else {
        all.push(("an objective that calls a person watches it".to_owned(), Facts { objectives: 1, ..facts.clone() }));
    }
    all
}

/// Traffic at which a share begins, or ceases, to tell in time.
fn traffic(facts: &Facts) -> Vec<(String, Facts)> {
    let least = facts.shares().first().copied();
    let largest = facts.shares().last().copied();
    let tells = |share: Option<Percent>, within: u64| {
        let at_one = Facts { rate: Some(1.0), ..facts.clone() }.tells(share?)?;
        Some(at_one / seconds(within.max(1)))
    };
    let now = facts.rate.unwrap_or(0.0);
    let hourly = |rate: f64| grouped((rate * 3_600.0).ceil());
    let mut all = Vec::new();
    let mut side = |rate: Option<f64>, why: String| {
        let Some(rate) = rate else { return };
        let (words, at) = if now < rate { ("from", rate * 1.001) } else { ("below", rate * 0.999) };
        all.push((format!("it has {words} {} requests an hour ({why})", hourly(rate)), Facts { rate: Some(at), ..facts.clone() }));
    };
    let named = |share: Option<Percent>| share.map_or_else(String::new, |share| share.to_string());
    side(tells(least, facts.wait_s), format!("{} % tells within {}", named(least), long(seconds(facts.wait_s))));
    side(tells(largest, facts.deadline_s), format!("{} % tells within {}", named(largest), long(seconds(facts.deadline_s))));
    if let Some(alone) = (Facts { rate: Some(1.0), ..facts.clone() }).tells_alone() {
        side(Some(alone / seconds(facts.bake_s.max(1))), format!("all of it tells within {}", long(seconds(facts.bake_s))));
    }
    all
}
