//! `rollout` of a deploy table: how fast its rollouts go on by themselves, who is waited for, and what sends them back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::duration;
use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::known::Known;
use super::probe;
use crate::model::flag::{FlagEntry, FlagTo};
use crate::model::share::Percent;
use crate::model::strategy::{RolloutRules, StepFlag, Strategy, Trigger};

pub(super) const KEYS: &[&str] = &["wait", "deadline", "bake", "pause_before", "judged", "way_back", "after", "checks", "flags"];

/// The rules; those of an absent table where there is none.
pub(super) fn rules(
    node: Option<&Node>,
    (steps, paces): (&[Percent], BTreeMap<Percent, Duration>),
    strategy: Option<Strategy>,
    flags: &[FlagEntry],
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
        flags: step_flags(&fields, steps, flags, of_workload, found),
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

/// The flags that it sets at its steps.
fn step_flags(fields: &Fields<'_>, steps: &[Percent], flags: &[FlagEntry], of_workload: bool, found: &mut Findings) -> Vec<StepFlag> {
    let mut all: Vec<StepFlag> = Vec::new();
    if let (true, Some(node)) = (of_workload, fields.get("flags")) {
        found.problem(node.at, "a workload's batches set no flags", "no `flags` here; `gonogo flag set` sets them");
        return all;
    }
    for node in fields.list("flags", "a list such as [{ name = \"new-checkout\", at = 50, to = \"on\" }]", found) {
        let Some(fields) = Fields::open(node, "`flags` of a rollout", &["name", "at", "to"], found) else { continue };
        let name = fields.required("name", "one of the table's `flags`", found).and_then(|node| {
            let name = node.text("name", found)?;
            let known: Vec<&str> = flags.iter().map(|entry| entry.flag.name.as_str()).collect();
            if !known.contains(&name) {
                let right = if known.is_empty() { "a flag of `flags` in the deploy table".to_owned() } else { instead(name, known) };
                found.problem(node.at, &format!("the deploy table has no flag `{name}`"), &right);
            }
            Some(name.to_owned())
        });
        let at = fields.required("at", "the step at which it is set", found).and_then(|node| {
            let share = node.count("at", 0, 100, found).and_then(|share| u8::try_from(share).ok()).and_then(Percent::new)?;
            if !steps.contains(&share) {
                let known: Vec<_> = steps.iter().map(ToString::to_string).collect();
                found.problem(node.at, &format!("{share} is none of the steps"), &format!("one of {}", known.join(", ")));
            }
            Some(share)
        });
        let to = fields.required("to", TO, found).and_then(|node| flag_to(node, found));
        let (Some(name), Some(at), Some(to)) = (name, at, to) else { continue };
        if all.iter().any(|one| one.name == name) {
            found.problem(node.at, &format!("the flag `{name}` stands twice"), "each flag at one step");
        }
        all.push(StepFlag { name, at, to });
    }
    all
}

const TO: &str = "\"on\", \"off\", or a per cent of its users";

fn flag_to(node: &Node, found: &mut Findings) -> Option<FlagTo> {
    match &node.value {
        Value::Text(text) if text == "on" => Some(FlagTo::On),
        Value::Text(text) if text == "off" => Some(FlagTo::Off),
        Value::Text(text) => {
            found.problem(node.at, &format!("a flag is not set to `{text}`"), TO);
            None
        }
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
            node.count("to", 1, 100, found).and_then(|share| u8::try_from(share).ok()).and_then(Percent::new).map(FlagTo::Percent)
        }
    }
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
