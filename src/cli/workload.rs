//! The workload of a target as verbs tell it.

use serde_json::{Value, json};

use crate::control::world::TargetView;

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
        "progress": if seen.is_done() { "done" } else { seen.progress.word() },
        "words": seen.told(),
    })
}

/// How many of its instances are new, in words; none where traffic moves between two slots.
pub fn in_words(view: &TargetView) -> Option<String> {
    let seen = view.workload.as_ref()?;
    let paused = if seen.paused { ", paused" } else { "" };
    Some(format!("{} of {} of {} new{paused}", seen.replicas.updated, seen.replicas.wished, seen.name))
}
