//! Caddy through its administration interface: the weights of a `reverse_proxy` handler, changed only while it is as it was read.
//!
//! A pool is the `@id` of a handler, or its path in the configuration with dots for slashes (`apps.http.servers.srv0.routes.0.handle.0`);
//! a server is an upstream, called by its `@id` or by where it is dialled with `-` for `:`. Caddy counts no requests by upstream, so a
//! shift here is effective by configuration. Its round robin goes through each weight in one block: 80 to 20 is 80 requests and then 20.
//! Each change reloads its configuration: connections that wait for the listener that closes are reset, unless Linux hands them over
//! (`net.ipv4.tcp_migrate_req`).

mod answer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::adapters::http::HttpClient;
use crate::adapters::shell::quoted;
use crate::adapters::traffic::rules::{self, Sets};
use crate::adapters::traffic::walk::{self, Hand, Seen};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, PoolName, ServerName};
use crate::model::plan::StepEffect;
use crate::model::traffic::{RouterProcess, TrafficReading, Weights};
use crate::ports::Pending;
use crate::ports::traffic::Traffic;

use answer::{Around, Handler};

/// What a Caddy that is asked by another name than its own is mended by.
const ORIGINS: &str = "add the host and port of `url` to `origins` under `admin` in Caddy's configuration";

/// One Caddy process.
pub struct Caddy {
    http: HttpClient,
    /// The order of each pool's servers as it was read last, for commands: weights go by it.
    order: Mutex<BTreeMap<PoolName, Vec<(ServerName, u32)>>>,
}

/// What makes a write one of the handler that was read.
pub struct Mark {
    etag: String,
    handler: Handler,
}

impl Caddy {
    /// A Caddy behind a client for its administration interface.
    pub fn new(http: HttpClient) -> Self {
        Self { http, order: Mutex::default() }
    }

    /// A handler with what it was; none when it is not there, or is no pool, with the reason.
    async fn handler(&self, pool: &PoolName, doing: &str) -> Result<Result<Mark, String>, PortError> {
        let answer = match self.http.get_json(doing, &path(pool), &[]).await {
            Ok(answer) => answer,
            // A path that leads nowhere is refused as a wrong one.
            Err(error) if matches!(error.kind, PortErrorKind::NotFound | PortErrorKind::Refused) => {
                return Ok(Err("there is no such handler".to_owned()));
            }
            Err(error) => return Err(mended(error)),
        };
        let etag = answer.heads.get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
        Ok(answer::handler(&answer.value).and_then(|handler| {
            if etag.is_empty() { Err("Caddy is too old: it told no Etag".to_owned()) } else { Ok(Mark { etag, handler }) }
        }))
    }

    async fn around(&self, doing: &str) -> Result<Around, PortError> {
        let upstreams = self.http.get_json(doing, "/reverse_proxy/upstreams", &[]).await.map_err(mended)?;
        let metrics = match self.http.get_plain(doing, "/metrics").await {
            Ok(answer) => Some(answer),
            Err(error) if matches!(error.kind, PortErrorKind::NotFound | PortErrorKind::Refused | PortErrorKind::Unsupported) => None,
            Err(error) => return Err(error),
        };
        let text = metrics.as_ref().and_then(|metrics| metrics.value.as_str());
        Around::of(&upstreams.value, text).map_err(|wrong| self.http.fault(PortErrorKind::Malformed, doing, &wrong))
    }

    fn remember(&self, pool: &PoolName, handler: &Handler, weights: &Weights) {
        let order = handler.names().map(|name| (name.clone(), weights.get(name).copied().unwrap_or(0))).collect();
        self.order.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.clone(), order);
    }

    async fn read_pools(&self, pools: &[PoolName]) -> Result<TrafficReading, PortError> {
        let doing = "read pools";
        let around = self.around(doing).await?;
        let process: RouterProcess = around.process();
        let mut reading = TrafficReading { process, pools: BTreeMap::new(), missing: Vec::new() };
        for name in pools.iter().collect::<BTreeSet<_>>() {
            match self.handler(name, doing).await? {
                Ok(mark) => {
                    let pool = mark.handler.pool(name, &around);
                    self.remember(name, &mark.handler, &weights_of(&pool.servers));
                    reading.pools.insert(name.clone(), pool);
                }
                Err(_) => reading.missing.push(name.clone()),
            }
        }
        Ok(reading)
    }

    async fn seen(&self, pool: &PoolName, doing: &str) -> Result<Option<Seen<Mark>>, PortError> {
        let around = self.around(doing).await?;
        match self.handler(pool, doing).await? {
            Ok(mark) => Ok(Some(Seen { pool: mark.handler.pool(pool, &around), process: around.process(), mark })),
            Err(why) => Err(self.http.fault(PortErrorKind::NotFound, doing, &why)),
        }
    }
}

/// With what to do where Caddy refuses the address by which it is asked.
fn mended(error: PortError) -> PortError {
    if error.kind == PortErrorKind::Forbidden && error.detail.as_str().contains("not allowed") { error.mended_by(ORIGINS) } else { error }
}

fn weights_of(servers: &[crate::model::traffic::Server]) -> Weights {
    servers.iter().map(|server| (server.name.clone(), server.weight)).collect()
}

/// Where a handler is: by its path when the pool begins as one, else by its `@id`.
fn path(pool: &PoolName) -> String {
    if pool.as_str().starts_with("apps.") {
        return format!("/config/{}", pool.as_str().replace('.', "/"));
    }
    format!("/id/{pool}")
}

fn weights_path(pool: &PoolName) -> String {
    format!("{}/load_balancing/selection_policy/weights", path(pool))
}

impl Hand for Caddy {
    type Mark = Mark;
    const AT_ONCE: bool = true;

    fn name(&self) -> &BackendName {
        self.http.backend()
    }

    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        self.http.fault(kind, doing, detail)
    }

    fn look<'a>(&'a self, pool: &'a PoolName, doing: &'a str) -> Pending<'a, Result<Option<Seen<Mark>>, PortError>> {
        Box::pin(self.seen(pool, doing))
    }

    fn objection(&self, _seen: &Seen<Mark>, _wished: &Weights) -> Option<String> {
        None
    }

    fn write<'a>(&'a self, seen: &'a Seen<Mark>, _sets: &'a Sets, all: &'a Weights, doing: &'a str) -> Pending<'a, Result<(), SendError>> {
        Box::pin(async move {
            let weights: Vec<Value> = seen.mark.handler.names().map(|name| all.get(name).copied().unwrap_or(0).into()).collect();
            let path = weights_path(&seen.pool.name);
            self.http.patch_json_if(doing, &path, &Value::Array(weights), &seen.mark.etag).await.map(drop)
        })
    }

    fn look_back<'a>(
        &'a self,
        pool: &'a PoolName,
        _all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<Option<Seen<Mark>>, PortError>> {
        Box::pin(self.seen(pool, doing))
    }
}

impl Traffic for Caddy {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadTraffic, Capability::Shift]
    }

    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(self.read_pools(pools))
    }

    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(walk::set_weights(self, effect))
    }

    /// One call with the weights in the order of the upstreams; before they were read, the call that shows them.
    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        let Ok((pool, weights)) = rules::asked(effect, self.http.backend()) else { return Vec::new() };
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner).get(pool).cloned();
        let Some(order) = order else { return vec![format!("curl -fsS {}", quoted(&self.http.address(&path(pool))))] };
        let weights: Vec<String> = order.iter().map(|(name, now)| weights.get(name).unwrap_or(now).to_string()).collect();
        let address = quoted(&self.http.address(&weights_path(pool)));
        vec![format!("curl -fsS -X PATCH -H 'Content-Type: application/json' -d '[{}]' {address}", weights.join(","))]
    }
}
