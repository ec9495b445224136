//! Envoy through its administration interface: reads weighted clusters, and sets their weights as runtime values of the admin layer.
//!
//! A pool is a `runtime_key_prefix`, its servers are the clusters under it. The runtime values live in the process alone: a restart
//! falls back to the configured weights, which read as `initial_weight` and show as a shift that slipped.

mod answer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::adapters::http::HttpClient;
use crate::adapters::shell::quoted;
use crate::adapters::traffic::rules::{self, Sets};
use crate::adapters::traffic::walk::{self, Hand, Seen};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, PoolName};
use crate::model::plan::StepEffect;
use crate::model::traffic::{RouterProcess, TrafficReading, Weights};
use crate::ports::Pending;
use crate::ports::traffic::Traffic;

use answer::{Entry, Mark};

/// What a router that takes no runtime values is mended by.
const NO_LAYER: &str = "give `layered_runtime` an `admin_layer` as its last layer, and restart it";

/// The longest expression by which statistics are asked for; longer, and all clusters are.
const LONGEST_FILTER: usize = 4000;

/// One Envoy process. Of a fleet each one is a backend of its own.
pub struct Envoy {
    http: HttpClient,
    /// Set weights as they were read last, so that commands for a person come in an order that keeps traffic served.
    seen: Mutex<BTreeMap<PoolName, Weights>>,
}

impl Envoy {
    /// An Envoy behind a client for its administration interface.
    pub fn new(http: HttpClient) -> Self {
        Self { http, seen: Mutex::default() }
    }

    fn malformed(&self, doing: &str, detail: &str) -> PortError {
        self.http.fault(PortErrorKind::Malformed, doing, detail)
    }

    async fn ask(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<Arc<Value>, PortError> {
        Ok(self.http.get_json(doing, path, query).await?.value)
    }

    /// When the process took its configuration in: once in its life.
    async fn started(&self, doing: &str) -> Result<Mark, PortError> {
        let dump = self.ask(doing, "/config_dump", &[("mask", "last_updated")]).await?;
        answer::started(&dump).map_err(|wrong| self.malformed(doing, &wrong))
    }

    /// The pools with what the configuration says of each, all of one process.
    async fn observe(&self, pools: &[PoolName], doing: &str) -> Result<(TrafficReading, BTreeMap<PoolName, Entry>), PortError> {
        let wrong = |wrong: String| self.malformed(doing, &wrong);
        let mark = self.started(doing).await?;
        let info = self.ask(doing, "/server_info", &[]).await?;
        let version = answer::version(&info).map_err(|(kind, detail)| self.http.fault(kind, doing, &detail))?;
        let mut found = BTreeMap::new();
        for resource in ["static_route_configs", "dynamic_route_configs"] {
            let dump = self.ask(doing, "/config_dump", &[("resource", resource)]).await?;
            answer::entries(&dump, pools, &mut found);
        }
        let entries: BTreeMap<PoolName, Entry> = found.into_iter().filter_map(|(pool, entry)| Some((pool, entry?))).collect();
        let runtime = answer::runtime(self.ask(doing, "/runtime", &[]).await?.as_ref()).map_err(wrong)?;
        let clusters = answer::clusters(self.ask(doing, "/clusters", &[("format", "json")]).await?.as_ref()).map_err(wrong)?;
        let names: BTreeSet<&str> =
            entries.values().flat_map(Entry::names).filter_map(|name| Some(clusters.get(name)?.counted_as())).collect();
        let filter = answer::filter(&names, LONGEST_FILTER);
        let stats = answer::stats(self.ask(doing, "/stats", &[("format", "json"), ("filter", &filter)]).await?.as_ref()).map_err(wrong)?;
        if self.started(doing).await? != mark {
            return Err(self.http.fault(PortErrorKind::Unreachable, doing, "it was restarted while it was read"));
        }
        let process = RouterProcess { version, pid: None, started: Some(mark.at), start_mark: mark.number };
        let mut reading = TrafficReading { process, pools: BTreeMap::new(), missing: Vec::new() };
        for pool in pools.iter().collect::<BTreeSet<_>>() {
            match entries.get(pool) {
                Some(entry) => {
                    reading.pools.insert(pool.clone(), answer::pool(pool, entry, &runtime, &clusters, &stats));
                }
                None => reading.missing.push(pool.clone()),
            }
        }
        rules::uncount_shared(&mut reading.pools);
        self.remember(&reading);
        Ok((reading, entries))
    }

    fn remember(&self, reading: &TrafficReading) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for pool in reading.pools.values() {
            seen.insert(pool.name.clone(), pool.servers.iter().map(|server| (server.name.clone(), server.weight)).collect());
        }
    }

    async fn seen(&self, pool: &PoolName, doing: &str) -> Result<Option<Seen<Option<u32>>>, PortError> {
        let (mut reading, entries) = self.observe(std::slice::from_ref(pool), doing).await?;
        let found = reading.pools.remove(pool).zip(entries.get(pool));
        Ok(found.map(|(pool, entry)| Seen { pool, process: reading.process, mark: entry.total() }))
    }
}

impl Hand for Envoy {
    /// The `total_weight` of the configuration, where it has one.
    type Mark = Option<u32>;
    const AT_ONCE: bool = false;

    fn name(&self) -> &BackendName {
        self.http.backend()
    }

    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        self.http.fault(kind, doing, detail)
    }

    fn look<'a>(&'a self, pool: &'a PoolName, doing: &'a str) -> Pending<'a, Result<Option<Seen<Option<u32>>>, PortError>> {
        Box::pin(self.seen(pool, doing))
    }

    /// Envoys that still know `total_weight` take what is missing to it from nobody, and what is over it away from the last cluster.
    fn objection(&self, seen: &Seen<Option<u32>>, wished: &Weights) -> Option<String> {
        let total = seen.mark?;
        let weight = |server: &crate::model::traffic::Server| u64::from(*wished.get(&server.name).unwrap_or(&server.weight));
        let sum: u64 = seen.pool.servers.iter().map(weight).sum();
        (sum != u64::from(total)).then(|| format!("the weights come to {sum}, and its configuration has total_weight {total}"))
    }

    fn write<'a>(
        &'a self,
        seen: &'a Seen<Option<u32>>,
        sets: &'a Sets,
        _all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<(), SendError>> {
        Box::pin(async move {
            let pairs: Vec<(String, String)> =
                sets.iter().map(|(server, weight)| (format!("{}.{server}", seen.pool.name), weight.to_string())).collect();
            let query: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            match self.http.call(doing, "/runtime_modify", &query).await {
                Ok(_) => Ok(()),
                Err(SendError::Unknown(error)) if error.detail.as_str().contains("admin layer") => {
                    Err(SendError::NotDone(error.mended_by(NO_LAYER)))
                }
                Err(error) => Err(error),
            }
        })
    }

    fn look_back<'a>(
        &'a self,
        pool: &'a PoolName,
        _all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<Option<Seen<Option<u32>>>, PortError>> {
        Box::pin(self.seen(pool, doing))
    }
}

impl Traffic for Envoy {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadTraffic, Capability::Shift, Capability::Mirror]
    }

    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(async move { Ok(self.observe(pools, "read pools").await?.0) })
    }

    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(walk::set_weights(self, effect))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        let Ok((pool, weights)) = rules::asked(effect, self.http.backend()) else { return Vec::new() };
        let now = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(pool).cloned().unwrap_or_default();
        let (raises, lowers) = rules::order(&now, weights);
        let call = |sets: &Sets| {
            let query: Vec<String> = sets.iter().map(|(server, weight)| format!("{pool}.{server}={weight}")).collect();
            let address = self.http.address(&format!("/runtime_modify?{}", query.join("&")));
            format!("curl -fsS -X POST {}", quoted(&address))
        };
        [raises, lowers].iter().filter(|sets| !sets.is_empty()).map(call).collect()
    }
}
