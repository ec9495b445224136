//! Plans that drain a server of a router, or give it back to balancing.

use super::{Draft, PlanError, Scene, cost, run};
use crate::control::world::World;
use crate::model::capability::Capability;
use crate::model::catalog::TrafficEntry;
use crate::model::intent::Direction;
use crate::model::name::{BackendName, PoolName, ServerName};
use crate::model::plan::{Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::traffic::{Pool, Server, ServerRef, ServerState};

/// A server finishes what it has and takes nothing new (`drains`), or takes requests again as soon as its checks let it.
pub(super) fn set(scene: &Scene<'_>, drains: bool) -> Result<Draft, PlanError> {
    let (entry, name) = found(scene).map_err(|wrong| PlanError::Arguments(Text::clean(&wrong)))?;
    let target = &scene.intent.target;
    let mut draft = Draft {
        // To get traffic back is no way back to a proven version, but no hold stands in its way.
        direction: Some(if drains { Direction::Forward } else { Direction::Release }),
        now: format!("{name} of {} at {} was not read", entry.pool, entry.backend),
        after: after(entry, &name, drains),
        costs: cost::of_server(scene, &name, drains),
        evidence: cost::evidence(scene),
        preconditions: vec![Precondition::Fresh { backend: entry.backend.clone() }],
        undo: Some(format!("{} {target} {}", if drains { "ready" } else { "drain" }, scene.deploy.named(entry, &name))),
        ..Draft::default()
    };
    run::needs(scene, &entry.backend, Capability::Drain, &mut draft);
    let Some(reading) = scene.world.traffic(&entry.backend).and_then(|fact| fact.value.clone()) else { return Ok(draft) };
    let Some((pool, server)) = reading.pools.get(&entry.pool).and_then(|pool| Some((pool, pool.server(&name)?))) else {
        let text = format!("{} has no server {name} in {}", entry.backend, entry.pool);
        draft.impossible.push(Reason::new("missing", &text, "compare its name with the router's"));
        return Ok(draft);
    };
    let was = server.state.by_word();
    draft.now = format!("{name} of {} at {} {}", entry.pool, entry.backend, stands(server));
    let wished = ServerState::wished(drains);
    if was == wished {
        let text = format!("{name} is {} already", wished.said());
        draft.impossible.push(Reason::new("already", &text, "nothing to do"));
    }
    if drains && was == ServerState::Maintenance {
        let text = format!("{name} is in maintenance: it takes no requests at all");
        draft.impossible.push(Reason::new("maintenance", &text, &format!("gonogo ready {target} {name} brings it back")));
    }
    draft.impossible.extend(drains.then(|| alone(pool, &name)).flatten());
    let (backend, pool) = (entry.backend.clone(), entry.pool.clone());
    let must = Precondition::ServerStands { backend: backend.clone(), pool: pool.clone(), server: name.clone(), was, others: drains };
    draft.preconditions.push(must);
    draft.effects.push(StepEffect::Drain { backend, pool, server: name, drains, was });
    Ok(draft)
}

/// The server that is meant, and the entry of traffic in which it stands.
fn found<'a>(scene: &Scene<'a>) -> Result<(&'a TrafficEntry, ServerName), String> {
    let known = || scene.deploy.servers().join(", ");
    let verb = scene.intent.verb.word();
    let Some(ServerRef { backend, server }) = scene.intent.args.server.as_deref() else {
        return Err(format!("{verb} needs a server of {}; it has: {}", scene.intent.target, known()));
    };
    let stands = |entry: &&TrafficEntry| Slot::BOTH.iter().any(|slot| entry.servers(*slot).contains(server));
    let at = |entry: &&TrafficEntry| backend.as_ref().is_none_or(|backend| backend == &entry.backend);
    let mut entries = scene.deploy.traffic.iter().filter(stands).filter(at);
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok((entry, server.clone())),
        (Some(_), Some(_)) => Err(format!("{server} stands at several routers; say at which: {}", known())),
        (None, _) => Err(format!("{} has no server {server}; it has: {}", scene.intent.target, known())),
    }
}

fn after(entry: &TrafficEntry, name: &ServerName, drains: bool) -> String {
    let (pool, router) = (&entry.pool, &entry.backend);
    if drains {
        format!("{name} of {pool} at {router} finishes what it has and takes nothing new; its weight stays")
    } else {
        format!("{name} of {pool} at {router} takes requests by its weight, as soon as its checks let it")
    }
}

fn stands(server: &Server) -> String {
    format!("is {}, weight {}, {} requests under way", server.state.words(), server.weight, server.current)
}

fn alone(pool: &Pool, name: &ServerName) -> Option<Reason> {
    let text = || format!("no other server of {} takes requests: with {name} draining, every new one would fail", pool.name);
    (!pool.serves_without(name)).then(|| Reason::new("last-server", &text(), "give another one weight, or bring it up, first"))
}

/// Why a server no longer stands as it was planned on; none when it does, and while it is not read.
pub(super) fn changed(
    world: &World,
    backend: &BackendName,
    pool: &PoolName,
    server: &ServerName,
    was: ServerState,
    others: bool,
) -> Option<Reason> {
    let reading = world.traffic(backend).and_then(|fact| fact.value.as_ref())?;
    let hint = "look at who changed it, then plan again";
    let Some((read, now)) = reading.pools.get(pool).and_then(|pool| Some((pool, pool.server(server)?))) else {
        return Some(Reason::new("changed", &format!("{server} is no longer in {pool}"), hint));
    };
    let now = now.state.by_word();
    if now != was {
        let text = format!("{server} changed since it was planned: it was {} and is {}", was.said(), now.said());
        return Some(Reason::new("changed", &text, hint));
    }
    if others { alone(read, server) } else { None }
}
