//! Silences of alerts: which mute a target's alert, and that one that a deed made changes nothing of what is true.

use crate::control::world::{TargetView, World};
use crate::model::alert::{Alert, Silence};
use crate::model::name::BackendName;
use crate::model::silence;

/// The silences that mute an alert, as they were read last.
pub fn of<'a>(world: &'a World, backend: &BackendName, alert: &'a Alert) -> impl Iterator<Item = &'a Silence> {
    let reading = world.alerts(backend).and_then(|fact| fact.value.as_ref());
    let all = reading.map(|reading| reading.silences.as_slice()).unwrap_or_default();
    all.iter().filter(|silence| alert.silenced_by.contains(&silence.id))
}

/// Whether an alert counts for an automatic way back: one that is inhibited, or that was silenced at the alerting system itself, does not. A
/// deed that silences decides who is called, and stops nothing.
pub fn counts(world: &World, backend: &BackendName, alert: &Alert) -> bool {
    let by_a_deed = |id| of(world, backend, alert).any(|silence| &silence.id == id && silence::is_of_a_deed(silence));
    alert.inhibited_by.is_empty() && alert.silenced_by.iter().all(by_a_deed)
}

/// How many alerts of the room's targets are silenced now.
pub fn shelved(world: &World) -> usize {
    let any = world.sources.keys().filter_map(|name| world.alerts(name)?.value.as_ref());
    if !any.into_iter().any(|reading| reading.alerts.iter().any(|alert| !alert.silenced_by.is_empty())) {
        return 0;
    }
    let silenced = |view: &TargetView| view.alerts.iter().filter(|alert| !alert.silenced_by.is_empty()).count();
    world.targets.values().map(|view| silenced(view)).sum()
}
