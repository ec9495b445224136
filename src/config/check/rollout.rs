//! `rollout` of a deploy table: how fast its rollouts go on by themselves, who is waited for, and what sends them back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::duration;
use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::problem::Findings;
use super::known::Known;
use super::probe;
use crate::model::share::Percent;
use crate::model::strategy::{RolloutRules, Strategy, Trigger};

const KEYS: &[&str] = &["wait", "deadline", "bake", "pause_before", "judged", "way_back", "after", "checks"];

/// The rules; those of an absent table where there is none.
pub(super) fn rules(
    node: Option<&Node>,
    (steps, paces): (&[Percent], BTreeMap<Percent, Duration>),
    strategy: Option<Strategy>,
    known: &Known<'_>,
    found: &mut Findings,
) -> RolloutRules {
    let of_workload = strategy.is_some_and(Strategy::is_of_workload);
    let usual = if of_workload {
        RolloutRules { judged: false, way_back: vec![Trigger::Stuck], ..RolloutRules::default() }
    } else {
        RolloutRules { paces, ..RolloutRules::default() }
    };
    let Some(fields) = node.and_then(|node| Fields::open(node, "`rollout`", KEYS, found)) else { return usual };
    let span = |key: &str, otherwise: Duration, found: &mut Findings| fields.duration(key, Duration::ZERO, found).unwrap_or(otherwise);
    let rules = RolloutRules {
        wait: span("wait", usual.wait, found),
        deadline: span("deadline", usual.deadline, found),
        bake: span("bake", usual.bake, found),
        paces: usual.paces,
        pause_before: pauses(&fields, steps, found),
        judged: fields.flag("judged", found).unwrap_or(usual.judged),
        checks: probe::checks(fields.list("checks", "a list of tables", found), known, found),
        way_back: triggers(&fields, strategy, found).unwrap_or(usual.way_back),
        after: span("after", usual.after, found),
    };
    if let (true, true, Some(node)) = (of_workload, rules.judged, fields.get("judged")) {
        found.problem(
            node.at,
            "there is no second slot beside a workload, so there is nothing to judge it by",
            "`judged = false`, or no such key here",
        );
    }
    if let Some(node) = fields.get("deadline").or_else(|| fields.get("wait")).filter(|_| rules.deadline <= rules.wait) {
        let text = format!(
            "`deadline` ({}) is not longer than `wait` ({}), so every step would be stuck",
            duration::write(rules.deadline),
            duration::write(rules.wait)
        );
        found.problem(node.at, &text, "a `deadline` longer than `wait`");
    }
    rules
}

fn pauses(fields: &Fields<'_>, steps: &[Percent], found: &mut Findings) -> Vec<Percent> {
    let mut pauses = Vec::new();
    for item in fields.list("pause_before", "a list of steps", found) {
        let Some(percent) = item.count("pause_before", 0, 100, found).and_then(|step| u8::try_from(step).ok()).and_then(Percent::new)
        else {
            continue;
        };
        if !steps.contains(&percent) {
            let known: Vec<_> = steps.iter().map(ToString::to_string).collect();
            found.problem(item.at, &format!("{percent} is none of the steps"), &format!("one of {}", known.join(", ")));
        }
        pauses.push(percent);
    }
    pauses
}

fn triggers(fields: &Fields<'_>, strategy: Option<Strategy>, found: &mut Findings) -> Option<Vec<Trigger>> {
    fields.get("way_back")?;
    let mut triggers = Vec::new();
    for (at, text) in fields.texts("way_back", found) {
        match Trigger::ALL.into_iter().find(|trigger| trigger.word() == text) {
            Some(trigger) if triggers.contains(&trigger) => found.problem(at, &format!("`{text}` stands twice"), "each rule once"),
            Some(trigger) => {
                if let Some(why) = strategy.and_then(|strategy| misplaced(trigger, strategy)) {
                    found.problem(at, &why, &instead("", allowed(strategy)));
                }
                triggers.push(trigger);
            }
            None => {
                found.problem(at, &format!("no rule of the way back is called `{text}`"), &instead(text, allowed(strategy)));
            }
        }
    }
    Some(triggers)
}

/// Why a rule of the way back can see nothing under a strategy.
fn misplaced(trigger: Trigger, strategy: Strategy) -> Option<String> {
    match (trigger, strategy.is_of_workload()) {
        (Trigger::Judge | Trigger::Limit, true) => Some(format!("`{}` compares two slots, and a workload is one", trigger.word())),
        (Trigger::Stuck, false) => Some("`stuck` is of workloads: no instances are replaced between two slots".to_owned()),
        (Trigger::Judge | Trigger::Limit | Trigger::Stuck | Trigger::Alert | Trigger::Budget | Trigger::Check | Trigger::Together, _) => {
            None
        }
    }
}

fn allowed(strategy: Option<Strategy>) -> Vec<&'static str> {
    let suits = |trigger: &Trigger| strategy.is_none_or(|strategy| misplaced(*trigger, strategy).is_none());
    Trigger::ALL.into_iter().filter(suits).map(Trigger::word).collect()
}
