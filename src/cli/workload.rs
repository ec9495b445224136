//! The workload of a target as verbs tell it.

use serde_json::{Value, json};

use crate::control::rolling;
use crate::control::world::{TargetView, World};
use crate::model::walk::Walk;
use crate::model::workload::WorkloadSeen;

/// As JSON; null where traffic moves between two slots, and before it was read.
pub fn object(view: &TargetView) -> Value {
    view.workload.as_deref().map_or(Value::Null, told)
}

/// Those of its slots; null where they are none that gonogo brings up.
pub fn of_slots(world: &World, view: &TargetView) -> Value {
    let slots = rolling::slots(world, view);
    if slots.is_empty() {
        return Value::Null;
    }
    slots
        .into_iter()
        .map(|(track, _, seen)| (track.word().to_owned(), seen.map_or(Value::Null, told)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn told(seen: &WorkloadSeen) -> Value {
    json!({
        "kind": seen.name.kind.word(),
        "namespace": seen.name.namespace,
        "name": seen.name.name,
        "images": seen.images,
        "wished": seen.replicas.wished,
        "updated": seen.replicas.updated,
        "ready": seen.replicas.ready,
        "available": seen.replicas.available,
        "partition": seen.partition,
        "paused": seen.paused,
        "own_steps": seen.walk.as_ref().map(own_steps),
        "progress": if seen.is_done() { "done" } else { seen.progress.word() },
        "words": seen.told(),
    })
}

/// The own steps of its orchestrator.
fn own_steps(walk: &Walk) -> Value {
    let analyses: Vec<Value> =
        walk.analyses.iter().map(|one| json!({ "name": one.name, "phase": one.phase, "message": one.message })).collect();
    json!({
        "step": walk.step,
        "of": walk.steps,
        "weight": walk.weight,
        "pauses": walk.pauses,
        "aborted": walk.aborted,
        "analyses": analyses,
        "phase": walk.phase,
        "failed_checks": walk.failed.map(|failed| failed.checks),
        "threshold": walk.failed.map(|failed| failed.most),
    })
}

/// How many of its instances are new, in words; none where traffic moves between two slots.
pub fn in_words(view: &TargetView) -> Option<String> {
    let seen = view.workload.as_ref()?;
    let paused = if seen.paused { ", paused" } else { "" };
    Some(format!("{} of {} of {} new{paused}", seen.replicas.updated, seen.replicas.wished, seen.name))
}
