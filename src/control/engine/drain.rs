//! What readings show of a server that a deed drains or makes ready.

use super::as_read::AsRead;
use super::confirm::newest;
use crate::control::world::World;
use crate::model::plan::StepEffect;
use crate::model::time::Moment;
use crate::model::traffic::{Server, ServerState, TrafficReading};

/// What a server was read as, by a reading that was asked for since.
pub(super) fn shown(world: &World, effect: &StepEffect, since: &Moment) -> Option<AsRead> {
    let StepEffect::Drain { backend, pool, server, was, .. } = effect else { return None };
    let (reading, _) = newest(world, backend).filter(|(_, seen)| seen.boot > since.boot)?;
    let server = reading.server(pool, server)?;
    Some(AsRead {
        what: "server",
        stands: format!("{} is {}, {} requests under way", server.name, server.state.words(), server.current),
        as_set: is_as_set(effect, server),
        as_before: server.state.by_word() == *was,
        then: "",
    })
}

fn is_as_set(effect: &StepEffect, server: &Server) -> bool {
    matches!(effect, StepEffect::Drain { drains, .. } if server.state.by_word() == ServerState::wished(*drains))
}

/// How a server stands that no longer stands as an effect set it; none when it does.
pub(super) fn slipped(reading: &TrafficReading, effect: &StepEffect) -> Option<String> {
    let StepEffect::Drain { pool, server, .. } = effect else { return None };
    match reading.server(pool, server) {
        None => Some(format!("is no longer in {pool}")),
        Some(server) if is_as_set(effect, server) => None,
        Some(server) => Some(format!("is {}", server.state.words())),
    }
}
