//! Routes in a Kubernetes cluster: HTTPRoutes of the Gateway API and VirtualServices of Istio, whose weights a controller takes over.
//!
//! A pool is `ROUTE` in the backend's namespace or `NAMESPACE.ROUTE`, followed by `_RULE` (a rule's name or its place from 0) where several
//! rules split; a name with a dot is always read as one with its namespace. A server is a Service by its name at the Gateway API, and at
//! Istio a destination as it is written there: `HOST` or `HOST_SUBSET`. All weights change in one patch, which holds only while the object
//! is as it was read. The cluster counts no requests, so a shift is effective by configuration.

mod gateway;
mod istio;
mod split;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::adapters::kubernetes::{Change, Cluster, Kind, Part, Readiness, condition, of_slices};
use crate::adapters::traffic::rules::{self, Sets};
use crate::adapters::traffic::walk::{self, GREATEST_WEIGHT, Hand, Seen};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, PoolName};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState, TrafficReading, Weights};
use crate::ports::Pending;
use crate::ports::traffic::Traffic;

use split::{Called, Split, Taken, Target};

/// How often a write is made that came too late for a controller's notes.
const MOST_TRIES: usize = 6;
/// The time between two looks while a controller takes a change over.
const LOOK: Duration = Duration::from_millis(100);
/// How long a reading waits for a controller that is just taking somebody's change over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whose objects the routes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    GatewayApi,
    Istio,
}

impl Dialect {
    fn kind(self) -> Kind {
        match self {
            Self::GatewayApi => Kind::HttpRoute,
            Self::Istio => Kind::VirtualService,
        }
    }

    fn split(self, object: &Value, called: &Called) -> Result<Split, String> {
        match self {
            Self::GatewayApi => gateway::split(object, called),
            Self::Istio => istio::split(object, called),
        }
    }
}

/// The routes of one cluster.
pub struct ClusterRoutes {
    cluster: Cluster,
    dialect: Dialect,
    /// Each pool as it was read last, for commands: weights go by their place in it.
    seen: Mutex<BTreeMap<PoolName, Split>>,
}

/// What was found of a pool.
enum Found {
    Split(Split),
    /// There is no such pool, for this reason.
    Nothing(String),
}

impl ClusterRoutes {
    /// The HTTPRoutes of a cluster.
    pub fn gateway_api(cluster: Cluster) -> Self {
        Self { cluster, dialect: Dialect::GatewayApi, seen: Mutex::default() }
    }

    /// The VirtualServices of a cluster.
    pub fn istio(cluster: Cluster) -> Self {
        Self { cluster, dialect: Dialect::Istio, seen: Mutex::default() }
    }

    async fn find(&self, pool: &PoolName, doing: &str) -> Result<Found, PortError> {
        let called = Called::of(pool, &self.cluster.namespace().await?);
        let Some(object) = self.cluster.get(doing, self.dialect.kind(), &called.place).await? else {
            return Ok(Found::Nothing(format!("there is no {} {}", self.dialect.kind().word(), called.place.name)));
        };
        Ok(match self.dialect.split(&object, &called) {
            Ok(split) => {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.clone(), split.clone());
                Found::Split(split)
            }
            Err(why) => Found::Nothing(why),
        })
    }

    /// Finds a pool, and waits at most `within` for a controller that has not taken its newest weights over.
    async fn settled(&self, pool: &PoolName, doing: &str, within: Duration) -> Result<Found, PortError> {
        let until = tokio::time::Instant::now() + within;
        loop {
            match self.find(pool, doing).await? {
                Found::Split(split) if split.taken == Taken::NotYet && tokio::time::Instant::now() < until => {
                    tokio::time::sleep(LOOK).await;
                }
                found @ (Found::Split(_) | Found::Nothing(_)) => return Ok(found),
            }
        }
    }

    async fn process(&self, doing: &str) -> Result<RouterProcess, PortError> {
        let version = match self.cluster.version(doing).await {
            Ok(version) => version,
            Err(error) if matches!(error.kind, PortErrorKind::Forbidden | PortErrorKind::NotFound) => "of no known version".to_owned(),
            Err(error) => return Err(error),
        };
        // What is written lives in the cluster, whichever of its servers answers.
        let digest = Sha256::digest(self.cluster.address().await?.as_bytes());
        let mark = digest.iter().take(8).fold(0_u64, |mark, byte| mark << 8 | u64::from(*byte));
        Ok(RouterProcess { version: Text::clean_within(&version, 60), pid: None, started: None, start_mark: mark | 1 })
    }

    /// The pool with how its servers are.
    async fn pool(&self, name: &PoolName, split: &Split, doing: &str) -> Result<Pool, PortError> {
        let mut servers = Vec::new();
        for target in &split.targets {
            let state = match &split.taken {
                Taken::No(_) => ServerState::Down,
                Taken::Yes | Taken::NotYet => self.readiness(target, split, doing).await?.state(),
            };
            servers.push(Server {
                name: target.name.clone(),
                weight: target.weight,
                effective_weight: if state == ServerState::Up { target.weight } else { 0 },
                initial_weight: target.weight,
                greatest_weight: GREATEST_WEIGHT,
                state,
                requests: None,
                errors: None,
                current: 0,
            });
        }
        Ok(Pool { name: name.clone(), servers, copies: false, ways: Some(split.ways.clone()) })
    }

    async fn readiness(&self, target: &Target, split: &Split, doing: &str) -> Result<Readiness, PortError> {
        let service = &target.service;
        let labels = format!("kubernetes.io/service-name={}", service.name);
        let slices = self.cluster.list(doing, Kind::EndpointSlice, &service.namespace, &labels).await?;
        let Some(subset) = &target.subset else { return Ok(of_slices(&slices, None)) };
        let mut rules = self.cluster.list(doing, Kind::DestinationRule, &split.called.place.namespace, "").await?;
        if service.namespace != split.called.place.namespace {
            rules.extend(self.cluster.list(doing, Kind::DestinationRule, &service.namespace, "").await?);
        }
        // A subset that no rule defines is nobody's.
        let Some(labels) = istio::subset(&rules, service, subset) else { return Ok(Readiness::default()) };
        let pods = self.cluster.list(doing, Kind::Pod, &service.namespace, &labels).await?;
        let ready = pods.iter().filter(|pod| condition(pod.pointer("/status/conditions"), "Ready").is_some_and(|one| one.status == "True"));
        let names: BTreeSet<String> = ready.filter_map(|pod| Some(pod.pointer("/metadata/name")?.as_str()?.to_owned())).collect();
        Ok(of_slices(&slices, Some(&names)))
    }

    async fn read_pools(&self, pools: &[PoolName]) -> Result<TrafficReading, PortError> {
        let doing = "read pools";
        let mut reading = TrafficReading { process: self.process(doing).await?, pools: BTreeMap::new(), missing: Vec::new() };
        let patience = PATIENCE.min(self.cluster.deadline() / 3);
        for name in pools.iter().collect::<BTreeSet<_>>() {
            match self.settled(name, doing, patience).await? {
                // Which weights the traffic goes by is not known before the controller says so.
                Found::Split(Split { taken: Taken::NotYet, .. }) | Found::Nothing(_) => reading.missing.push(name.clone()),
                Found::Split(split) => drop(reading.pools.insert(name.clone(), self.pool(name, &split, doing).await?)),
            }
        }
        Ok(reading)
    }

    async fn seen(&self, pool: &PoolName, split: Split, doing: &str) -> Result<Option<Seen<Split>>, PortError> {
        let seen = Seen { pool: self.pool(pool, &split, doing).await?, process: self.process(doing).await?, mark: split };
        Ok(Some(seen))
    }

    fn nothing(&self, doing: &str, why: &str) -> PortError {
        self.cluster.fault(PortErrorKind::NotFound, doing, why)
    }
}

impl Hand for ClusterRoutes {
    type Mark = Split;
    const AT_ONCE: bool = true;

    fn name(&self) -> &BackendName {
        self.cluster.backend()
    }

    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        self.cluster.fault(kind, doing, detail)
    }

    fn look<'a>(&'a self, pool: &'a PoolName, doing: &'a str) -> Pending<'a, Result<Option<Seen<Split>>, PortError>> {
        Box::pin(async move {
            match self.find(pool, doing).await? {
                Found::Split(split) => self.seen(pool, split, doing).await,
                Found::Nothing(why) => Err(self.nothing(doing, &why)),
            }
        })
    }

    /// Weights that nobody takes over would move nothing.
    fn objection(&self, seen: &Seen<Split>, _wished: &Weights) -> Option<String> {
        match &seen.mark.taken {
            Taken::No(why) => Some(why.clone()),
            Taken::Yes | Taken::NotYet => None,
        }
    }

    fn write<'a>(&'a self, seen: &'a Seen<Split>, sets: &'a Sets, _all: &'a Weights, doing: &'a str) -> Pending<'a, Result<(), SendError>> {
        Box::pin(async move {
            let sets: Weights = sets.iter().cloned().collect();
            let mut split = seen.mark.clone();
            // Controllers write their notes into the route: what came too late for those is written again, while the wishes are the same.
            for _ in 1..MOST_TRIES {
                let patch = Change::Json(split.patch(&sets, true));
                let sent = self.cluster.patch(doing, (self.dialect.kind(), Part::Whole), &split.called.place, &patch).await;
                let Err(SendError::NotDone(error)) = sent else { return sent.map(drop) };
                match self.find(&seen.pool.name, doing).await {
                    Ok(Found::Split(now)) if error.kind == PortErrorKind::Conflict && now.same_wish(&split) => split = now,
                    Ok(_) | Err(_) => return Err(SendError::NotDone(error)),
                }
            }
            let patch = Change::Json(split.patch(&sets, true));
            self.cluster.patch(doing, (self.dialect.kind(), Part::Whole), &split.called.place, &patch).await.map(drop)
        })
    }

    /// Waits until the controller says that it took the weights over: the object alone only shows what was wished.
    fn look_back<'a>(
        &'a self,
        pool: &'a PoolName,
        _all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<Option<Seen<Split>>, PortError>> {
        Box::pin(async move {
            let within = self.cluster.deadline();
            match self.settled(pool, doing, within).await? {
                Found::Nothing(why) => Err(self.nothing(doing, &why)),
                Found::Split(Split { taken: Taken::NotYet, .. }) => {
                    let detail = format!("its controller has not taken the weights over within {} ms", within.as_millis());
                    Err(self.fault(PortErrorKind::TimedOut, doing, &detail))
                }
                Found::Split(Split { taken: Taken::No(why), .. }) => Err(self.fault(PortErrorKind::Refused, doing, &why)),
                Found::Split(split) => self.seen(pool, split, doing).await,
            }
        })
    }
}

impl Traffic for ClusterRoutes {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadTraffic, Capability::Shift]
    }

    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(self.read_pools(pools))
    }

    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(walk::set_weights(self, effect))
    }

    /// One patch that holds only while the servers stand in the order in which they were read; before that, the call that shows them.
    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        let Ok((pool, weights)) = rules::asked(effect, self.cluster.backend()) else { return Vec::new() };
        let kind = self.dialect.kind();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(pool).cloned();
        let Some(split) = seen else {
            return vec![self.cluster.command(kind, &Called::of(pool, "default").place, "get", " -o yaml")];
        };
        let patch = split.patch(weights, false).to_string();
        vec![self.cluster.command(
            kind,
            &split.called.place,
            "patch",
            &format!(" --type=json -p {}", crate::adapters::shell::quoted(&patch)),
        )]
    }
}
