//! The simulated router: weights, states and counters of every pool, and the two exchanges in which weights are set.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::site::Site;
use super::state::State;
use super::world::{Course, SimulatedWorld};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, PoolName};
use crate::model::plan::StepEffect;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState, TrafficReading, Weights};
use crate::ports::Pending;
use crate::ports::traffic::Traffic;

/// The greatest weight, as HAProxy has it.
const GREATEST: u32 = 256;

/// The router of a simulated world.
pub struct Router {
    world: Arc<SimulatedWorld>,
    name: BackendName,
}

impl Router {
    /// The router under the name that the catalog gives it.
    pub fn new(world: &Arc<SimulatedWorld>, name: BackendName) -> Self {
        Self { world: Arc::clone(world), name }
    }

    fn read_now(&self, pools: &[PoolName]) -> Result<TrafficReading, PortError> {
        let doing = "read the pools";
        self.world.read(&self.name, doing, |state, partial| {
            if partial {
                return Err(PortError::new(PortErrorKind::Malformed, &self.name, doing, "the answer ended in the middle of a line"));
            }
            let mut reading = TrafficReading { process: process(state), pools: BTreeMap::new(), missing: Vec::new() };
            for name in pools {
                match state.sites.iter().find(|site| &site.pool == name) {
                    Some(site) => drop(reading.pools.insert(name.clone(), pool(site))),
                    None => reading.missing.push(name.clone()),
                }
            }
            Ok(reading)
        })
    }

    fn drain_now(&self, effect: &Effect) -> Result<(), SendError> {
        let doing = "drain a server";
        let fail = |kind, detail: &str| SendError::NotDone(PortError::new(kind, &self.name, doing, detail));
        let StepEffect::Drain { backend, pool: name, server, drains, was } = effect.what() else {
            return Err(fail(PortErrorKind::Unsupported, "the effect is another one"));
        };
        if backend != &self.name {
            return Err(fail(PortErrorKind::Unsupported, &format!("the effect is for {backend}")));
        }
        let wished = ServerState::wished(*drains);
        self.world.write(&self.name, doing, |state, _: &Course| {
            let site = state.sites.iter_mut().find(|site| &site.pool == name);
            let site = site.ok_or_else(|| fail(PortErrorKind::NotFound, &format!("no pool `{name}`")))?;
            let others = pool(site).serves_without(server);
            let machine = site.machines_mut().find(|machine| &machine.name == server);
            let machine = machine.ok_or_else(|| fail(PortErrorKind::NotFound, &format!("no server `{server}` in the pool")))?;
            let now = machine.state.by_word();
            if now != wished && now != *was {
                return Err(fail(PortErrorKind::Conflict, &format!("`{server}` is {}", now.words())));
            }
            if *drains && now != wished && !others {
                return Err(fail(PortErrorKind::Refused, "no other server takes requests"));
            }
            if now != wished {
                machine.state = wished;
            }
            Ok(())
        })
    }

    fn set_now(&self, effect: &Effect) -> Result<(), SendError> {
        let doing = "set weights";
        let fail = |kind, detail: &str| PortError::new(kind, &self.name, doing, detail);
        let (pool, weights) = match effect.what() {
            StepEffect::Weights { backend, pool, weights } if backend == &self.name => (pool, weights),
            StepEffect::Weights { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. }
            | StepEffect::Start { .. }
            | StepEffect::Retry { .. }
            | StepEffect::Repeat { .. }
            | StepEffect::Answer { .. }
            | StepEffect::Cancel { .. }
            | StepEffect::Workload { .. } => {
                return Err(SendError::NotDone(fail(PortErrorKind::Unsupported, "this router only sets weights of its own pools")));
            }
        };
        self.world.write(&self.name, doing, |state, course| {
            let site = state.sites.iter_mut().find(|site| &site.pool == pool);
            let site = site.ok_or_else(|| SendError::NotDone(fail(PortErrorKind::NotFound, &format!("no pool `{pool}`"))))?;
            may_set(site, weights, effect.expect()).map_err(|(kind, why)| SendError::NotDone(fail(kind, &why)))?;
            site.taken_over = true;
            set(site, weights, |old, new| new > old);
            match course {
                Course::HalfWay => {
                    let error = fail(PortErrorKind::TimedOut, "the connection broke between the raising and the lowering exchange");
                    return Err(SendError::Unknown(error));
                }
                Course::Whole | Course::Foreign(_) => set(site, weights, |_, _| true),
            }
            if let Course::Foreign(others) = course {
                set(site, others, |_, _| true);
            }
            let read_back = site.machines().all(|machine| weights.get(&machine.name).is_none_or(|wished| *wished == machine.weight));
            if read_back {
                Ok(())
            } else {
                Err(SendError::Unknown(fail(PortErrorKind::Conflict, "the weights read back neither as before nor as wished")))
            }
        })
    }
}

/// Looks whether weights may be set; nothing is written.
fn may_set(site: &Site, weights: &Weights, expect: Option<&Weights>) -> Result<(), (PortErrorKind, String)> {
    let now: Weights = site.machines().map(|machine| (machine.name.clone(), machine.weight)).collect();
    for (name, expected) in expect.into_iter().flatten() {
        match now.get(name) {
            Some(found) if found == expected => {}
            Some(found) => return Err((PortErrorKind::Conflict, format!("`{name}` has weight {found}, expected {expected}"))),
            None => return Err((PortErrorKind::Conflict, format!("`{name}` is gone"))),
        }
    }
    if let Some(missing) = weights.keys().find(|name| !now.contains_key(*name)) {
        return Err((PortErrorKind::NotFound, format!("no server `{missing}` in the pool")));
    }
    if let Some((name, weight)) = weights.iter().find(|(_, weight)| **weight > GREATEST) {
        return Err((PortErrorKind::Refused, format!("weight {weight} of `{name}` is above {GREATEST}")));
    }
    let after = |name| weights.get(name).or_else(|| now.get(name)).copied().unwrap_or(0);
    if now.keys().all(|name| after(name) == 0) {
        return Err((PortErrorKind::Refused, "all weights would be 0".to_owned()));
    }
    for slot in Slot::BOTH {
        let machines = &site.side(slot).machines;
        let gains = machines.iter().any(|machine| after(&machine.name) > machine.weight);
        let serves = machines.iter().any(|machine| machine.state == ServerState::Up && after(&machine.name) > 0);
        if gains && !serves {
            return Err((PortErrorKind::Refused, "no server is up in the slot that gains".to_owned()));
        }
    }
    Ok(())
}

fn set(site: &mut Site, weights: &Weights, which: impl Fn(u32, u32) -> bool) {
    for machine in site.machines_mut() {
        if let Some(wished) = weights.get(&machine.name).filter(|wished| which(machine.weight, **wished)) {
            machine.weight = *wished;
        }
    }
}

fn process(state: &State) -> RouterProcess {
    let started = state.wall(i64::from(state.reloads) - 3 * 3600);
    RouterProcess {
        version: Text::clean("simulated"),
        pid: Some(4100 + state.reloads),
        started: started.checked_sub_signed(TimeDelta::milliseconds(i64::from(started.timestamp_subsec_millis()))),
        start_mark: u64::from(state.reloads) + 1,
    }
}

fn pool(site: &Site) -> Pool {
    let servers = site.machines().map(|machine| Server {
        name: machine.name.clone(),
        weight: machine.weight,
        effective_weight: machine.effective(),
        initial_weight: machine.initial,
        greatest_weight: GREATEST,
        state: machine.state,
        requests: Some(machine.requests - machine.base.0),
        errors: Some(machine.errors - machine.base.1),
        current: machine.current,
    });
    Pool { name: site.pool.clone(), servers: servers.collect(), copies: false, ways: None }
}

/// The commands of HAProxy's runtime API that would do the same.
fn by_hand(effect: &StepEffect) -> Vec<String> {
    if let StepEffect::Drain { pool, server, drains, .. } = effect {
        return vec![format!("set server {pool}/{server} state {}", if *drains { "drain" } else { "ready" })];
    }
    let StepEffect::Weights { pool, weights, .. } = effect else { return Vec::new() };
    let mut ordered: Vec<_> = weights.iter().collect();
    ordered.sort_by_key(|(_, weight)| std::cmp::Reverse(**weight));
    ordered.into_iter().map(|(name, weight)| format!("set server {pool}/{name} weight {weight}")).collect()
}

impl Traffic for Router {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadTraffic, Capability::Shift, Capability::Drain]
    }

    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(async move { self.read_now(pools) })
    }

    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(async move { self.set_now(effect) })
    }

    fn drain<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(async move { self.drain_now(effect) })
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        by_hand(effect)
    }
}
