//! The workload of a target as verbs tell it.

use serde_json::{Value, json};

use crate::control::world::TargetView;
use crate::model::walk::Walk;

/// As JSON; null where traffic moves between two slots, and before it was read.
pub fn object(view: &TargetView) -> Value {
    let Some(seen) = &view.workload else { return Value::Null };
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
