//! Lists of per cents that rise to 100: `steps` between two slots, with ramps in between, and `batches` of a workload.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::file::Fields;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use crate::model::share::Percent;
use crate::model::strategy::Strategy;

/// How long each share of a ramp lasts.
pub(super) type Paces = BTreeMap<Percent, Duration>;

/// The steps of a rollout between two slots, those of its strategy where none are written.
pub(super) fn of_slots(fields: &Fields<'_>, strategy: Option<Strategy>, found: &mut Findings) -> (Vec<Percent>, Paces) {
    let mut paces = Paces::new();
    if fields.get("steps").is_none() {
        let default: &[u8] = if strategy == Some(Strategy::BlueGreen) { &[100] } else { &[5, 20, 50, 100] };
        return (default.iter().filter_map(|step| Percent::new(*step)).collect(), paces);
    }
    (rising(fields, "steps", 0, Some(&mut paces), found), paces)
}

/// A list of per cents that rises from `least` at the lowest to 100; empty where there is none. `paces`: where those of its ramps go, where
/// it may have any.
pub(super) fn rising(fields: &Fields<'_>, key: &str, least: u64, mut paces: Option<&mut Paces>, found: &mut Findings) -> Vec<Percent> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let mut steps: Vec<Percent> = Vec::new();
    let items = fields.list(key, "a list of per cents that rises to 100", found);
    for item in items {
        if let (Value::Table(_), Some(paces)) = (&item.value, paces.as_deref_mut()) {
            let Some(shares) = ramp(item, steps.last().copied(), paces, found) else { return steps };
            steps.extend(shares);
            continue;
        }
        let Some(step) = item.count(key, least, 100, found).and_then(|step| u8::try_from(step).ok()).and_then(Percent::new) else {
            return steps;
        };
        if let Some(last) = steps.last().filter(|last| **last >= step) {
            found.problem(item.at, &format!("the step {step} comes after {last}"), "steps that rise");
            return steps;
        }
        steps.push(step);
    }
    if let Value::List(_) = &node.value
        && steps.last() != Some(&Percent::ALL)
    {
        let at = items.last().map_or(node.at, |item| item.at);
        found.problem(at, &format!("the {key} do not end at 100"), "100 as the last step");
    }
    steps
}

/// The shares of a ramp after the step before it; those below its end keep its pace.
fn ramp(node: &Node, from: Option<Percent>, paces: &mut Paces, found: &mut Findings) -> Option<Vec<Percent>> {
    let fields = Fields::open(node, "a ramp", &["to", "by", "every"], found)?;
    let share = |key: &str, what: &str, found: &mut Findings| {
        let node = fields.required(key, what, found)?;
        node.count(key, 1, 100, found).and_then(|share| u8::try_from(share).ok())
    };
    let to = share("to", "the share at which it ends", found);
    let by = share("by", "how much the share rises at once", found);
    let every = fields.required("every", "how long each of its shares lasts, such as \"1m\"", found);
    let every = every.and_then(|node| node.duration("every", Duration::from_secs(1), found));
    let Some(from) = from else {
        found.problem(node.at, "a ramp stands first, so it begins nowhere", "a step before it");
        return None;
    };
    let (to, by, every) = (to?, by?, every?);
    if to <= from.get() {
        found.problem(node.at, &format!("a ramp to {to} comes after {from}"), "steps that rise");
        return None;
    }
    let mut shares: Vec<Percent> = (from.get()..to).step_by(usize::from(by)).skip(1).filter_map(Percent::new).collect();
    paces.extend(shares.iter().map(|share| (*share, every)));
    shares.extend(Percent::new(to));
    Some(shares)
}
