//! What readings show of a flag that a deed sets.

use std::sync::Arc;

use super::as_read::AsRead;
use crate::control::world::World;
use crate::model::flag::{FlagMark, FlagReading};
use crate::model::name::BackendName;
use crate::model::plan::StepEffect;
use crate::model::time::Moment;

/// What a flag was read as, by a reading that was asked for since.
pub(super) fn shown(world: &World, effect: &StepEffect, since: &Moment) -> Option<AsRead> {
    let StepEffect::Flag { backend, flag, was, .. } = effect else { return None };
    let (reading, _) = newest_flags(world, backend).filter(|(_, seen)| seen.boot > since.boot)?;
    let mark = &reading.state(flag)?.mark;
    Some(AsRead {
        what: "flag",
        stands: format!("{} is {}", flag.name, mark.words()),
        as_set: is_as_set(effect, mark),
        as_before: mark == was,
        then: "; programs follow when they ask for flags next",
    })
}

/// Whether a flag stands as an effect sets it.
pub(super) fn is_as_set(effect: &StepEffect, mark: &FlagMark) -> bool {
    matches!(effect, StepEffect::Flag { on, percent, .. } if mark.is(*on, *percent))
}

/// The newest good reading of a flag service and when it was asked for.
pub(super) fn newest_flags(world: &World, backend: &BackendName) -> Option<(Arc<FlagReading>, Moment)> {
    let fact = world.flags(backend)?;
    Some((fact.value.clone()?, fact.seen?))
}
