//! Lists of per cents that rise to 100: `steps` between two slots, `batches` of a workload.

use super::super::file::Fields;
use super::super::node::Value;
use super::super::problem::Findings;
use crate::model::share::Percent;
use crate::model::strategy::Strategy;

/// The steps of a rollout between two slots, those of its strategy where none are written.
pub(super) fn of_slots(fields: &Fields<'_>, strategy: Option<Strategy>, found: &mut Findings) -> Vec<Percent> {
    if fields.get("steps").is_none() {
        let default: &[u8] = if strategy == Some(Strategy::BlueGreen) { &[100] } else { &[5, 20, 50, 100] };
        return default.iter().filter_map(|step| Percent::new(*step)).collect();
    }
    rising(fields, "steps", 0, found)
}

/// A list of per cents that rises from `least` at the lowest to 100; empty where there is none.
pub(super) fn rising(fields: &Fields<'_>, key: &str, least: u64, found: &mut Findings) -> Vec<Percent> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let mut steps: Vec<Percent> = Vec::new();
    let items = fields.list(key, "a list of per cents that rises to 100", found);
    for item in items {
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
