//! The one world behind all simulated ports: brought up to date by the clock, broken on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::site::Site;
use super::state::State;
use crate::config::scenario::{Fault, FaultKind, Scenario};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, NameError, ServerName, Target};
use crate::model::slot::Slot;
use crate::model::time::Moment;
use crate::model::traffic::{ServerState, Weights};
use crate::ports::clock::Clock;

/// The longest time that the world lives through at once; of a longer absence it sleeps the rest.
const LONGEST_ABSENCE: i64 = 3 * 3600;

/// Something that goes wrong once, for tests of what sends effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injection {
    /// The next write happens and its answer is lost: `Unknown`.
    DropAnswerOfNextWrite,
    /// The next write is lost on its way: `Unknown`, and it never happens.
    LoseNextWrite,
    /// The next write is refused: `NotDone`.
    RefuseNextWrite,
    /// The next set of weights raises, and breaks off before it lowers: `Unknown`.
    BreakNextWriteHalfWay,
    /// Another hand sets weights in the pool right after the next write: `Unknown` with kind `Conflict`.
    ForeignHandAfterNextWrite(Weights),
    /// The next read fails in this way.
    FailNextRead(PortErrorKind),
}

impl Injection {
    fn is_about_reads(&self) -> bool {
        match self {
            Self::FailNextRead(_) => true,
            Self::DropAnswerOfNextWrite
            | Self::LoseNextWrite
            | Self::RefuseNextWrite
            | Self::BreakNextWriteHalfWay
            | Self::ForeignHandAfterNextWrite(_) => false,
        }
    }
}

/// How a write goes that reaches the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Course {
    /// As it should.
    Whole,
    /// It breaks off in the middle.
    HalfWay,
    /// Another hand writes right afterwards.
    Foreign(Weights),
}

struct Inside {
    state: State,
    /// What late backends answer from.
    copies: BTreeMap<BackendName, State>,
    injections: BTreeMap<BackendName, VecDeque<Injection>>,
}

/// A simulated release train.
pub struct SimulatedWorld {
    clock: Arc<dyn Clock>,
    scenario: Arc<Scenario>,
    origin: Moment,
    inside: Mutex<Inside>,
}

impl SimulatedWorld {
    /// Builds the world; its beginning is what the clock shows now. It lives through the scenario's warm-up when someone first looks.
    ///
    /// # Errors
    /// When names of the scenario put together are too long.
    pub fn new(scenario: Scenario, seed: u64, clock: Arc<dyn Clock>) -> Result<Arc<Self>, NameError> {
        let scenario = Arc::new(scenario);
        let origin = clock.now();
        let state = State::new(Arc::clone(&scenario), seed, origin.wall)?;
        let inside = Inside { state, copies: BTreeMap::new(), injections: BTreeMap::new() };
        Ok(Arc::new(Self { clock, scenario, origin, inside: Mutex::new(inside) }))
    }

    /// The scenario that it plays.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Seconds that the world has lived since its beginning.
    pub fn age(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.enter().state.tick).unwrap_or(0))
    }

    /// Lets something go wrong once; several for one backend happen in the order in which they were given.
    pub fn inject(&self, backend: &BackendName, injection: Injection) {
        self.enter().injections.entry(backend.clone()).or_default().push_back(injection);
    }

    /// Another hand sets a server's state. False when there is no such server.
    pub fn set_server(&self, target: &Target, server: &ServerName, state: ServerState) -> bool {
        let mut inside = self.enter();
        let machine = inside.state.site_mut(target).and_then(|site| site.machine_mut(server));
        machine.map(|machine| machine.state = state).is_some()
    }

    /// Another hand sets weights of a target's pool at once, past every check. False when a server is not there.
    pub fn set_weights_by_hand(&self, target: &Target, weights: &Weights) -> bool {
        let mut inside = self.enter();
        let Some(site) = inside.state.site_mut(target) else { return false };
        weights.iter().all(|(name, weight)| site.machine_mut(name).map(|machine| machine.weight = *weight).is_some())
    }

    /// Another hand reloads the router: a new process, counters from 0, weights as configured.
    pub fn reload_router(&self) {
        self.enter().state.reload();
    }

    /// Requests and failures of a slot since the world began, as nobody outside can count them wrongly.
    pub fn counted(&self, target: &Target, slot: Slot) -> Option<(u64, u64)> {
        let inside = self.enter();
        let machines = &inside.state.site(target)?.side(slot).machines;
        Some(machines.iter().fold((0, 0), |sum, machine| (sum.0 + machine.requests, sum.1 + machine.errors)))
    }

    /// The versions that get requests of a target now; none where nothing serves.
    pub(super) fn serving(&self, target: &Target) -> Vec<String> {
        self.enter().state.site(target).map(Site::serving).unwrap_or_default()
    }

    /// Reads from the backend's point of view; `with` is told whether a part of the answer must be missing.
    pub(super) fn read<T>(
        &self,
        backend: &BackendName,
        doing: &str,
        with: impl FnOnce(&State, bool) -> Result<T, PortError>,
    ) -> Result<T, PortError> {
        let mut inside = self.enter();
        if let Some(Injection::FailNextRead(kind)) = inside.next_injection(backend, Injection::is_about_reads) {
            return Err(PortError::new(kind, backend, doing, "a fault was injected"));
        }
        match self.fault(backend, inside.state.tick).map(|fault| fault.kind) {
            Some(FaultKind::Refused) => Err(refused(backend, doing)),
            Some(FaultKind::BlackHole) => Err(silent(backend, doing)),
            Some(FaultKind::Late) => with(inside.copies.get(backend).unwrap_or(&inside.state), false),
            Some(FaultKind::Partial) => with(&inside.state, true),
            None => with(&inside.state, false),
        }
    }

    /// Writes from the backend's point of view.
    pub(super) fn write<T>(
        &self,
        backend: &BackendName,
        doing: &str,
        apply: impl FnOnce(&mut State, &Course) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        let mut inside = self.enter();
        let fault = self.fault(backend, inside.state.tick).map(|fault| fault.kind);
        match fault {
            Some(FaultKind::Refused) => return Err(SendError::NotDone(refused(backend, doing))),
            Some(FaultKind::BlackHole) => return Err(SendError::Unknown(silent(backend, doing))),
            Some(FaultKind::Late | FaultKind::Partial) | None => {}
        }
        let injection = inside.next_injection(backend, |injection| !injection.is_about_reads());
        let state = &mut inside.state;
        let done = match injection {
            Some(Injection::RefuseNextWrite) => {
                let error = PortError::new(PortErrorKind::Refused, backend, doing, "refused by an injected fault");
                return Err(SendError::NotDone(error));
            }
            Some(Injection::LoseNextWrite) => return Err(SendError::Unknown(silent(backend, doing))),
            Some(Injection::DropAnswerOfNextWrite) => {
                apply(state, &Course::Whole)?;
                return Err(SendError::Unknown(silent(backend, doing)));
            }
            Some(Injection::BreakNextWriteHalfWay) => apply(state, &Course::HalfWay),
            Some(Injection::ForeignHandAfterNextWrite(weights)) => apply(state, &Course::Foreign(weights)),
            Some(Injection::FailNextRead(_)) | None => apply(state, &Course::Whole),
        }?;
        if fault == Some(FaultKind::Partial) {
            let error = PortError::new(PortErrorKind::Malformed, backend, doing, "the answer ended early");
            return Err(SendError::Unknown(error));
        }
        Ok(done)
    }

    fn fault(&self, backend: &BackendName, tick: i64) -> Option<&Fault> {
        self.scenario.fault.iter().find(|fault| &fault.backend == backend && (fault.from..fault.to).contains(&tick))
    }

    /// Locks the world and brings it up to date.
    fn enter(&self) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        while inside.state.tick < 0 {
            inside.state.step();
        }
        let passed = self.clock.now().since(&self.origin).as_secs();
        let wanted = i64::try_from(passed).unwrap_or(i64::MAX).saturating_sub(inside.state.slept);
        let behind = wanted.saturating_sub(inside.state.tick);
        let sleeps = behind.saturating_sub(LONGEST_ABSENCE).max(0);
        inside.state.slept = inside.state.slept.saturating_add(sleeps);
        for _ in 0..behind.saturating_sub(sleeps).max(0) {
            inside.state.step();
            self.copy(&mut inside);
        }
        inside
    }

    /// Takes the copies from which late backends answer.
    fn copy(&self, inside: &mut Inside) {
        let tick = inside.state.tick;
        for fault in self.scenario.fault.iter().filter(|fault| fault.kind == FaultKind::Late) {
            let every = i64::try_from(fault.by.as_secs()).unwrap_or(i64::MAX).max(1);
            if tick >= fault.to {
                inside.copies.remove(&fault.backend);
            } else if tick >= fault.from && (tick - fault.from) % every == 0 {
                inside.copies.insert(fault.backend.clone(), inside.state.clone());
            }
        }
    }
}

impl Inside {
    fn next_injection(&mut self, backend: &BackendName, of: impl Fn(&Injection) -> bool) -> Option<Injection> {
        let waiting = self.injections.get_mut(backend)?;
        let place = waiting.iter().position(of)?;
        waiting.remove(place)
    }
}

fn refused(backend: &BackendName, doing: &str) -> PortError {
    PortError::new(PortErrorKind::Unreachable, backend, doing, "connection refused")
}

fn silent(backend: &BackendName, doing: &str) -> PortError {
    PortError::new(PortErrorKind::TimedOut, backend, doing, "no whole answer in time")
}
