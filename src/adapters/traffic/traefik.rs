//! Traefik: weights are set in the file of its file provider, and read from its API, which alone says what it made of the file.
//!
//! A pool is a weighted service, its servers are the services under it. One rename changes all weights. The weights stay in the file,
//! so a restart keeps them; the API shows no others to which it would return.

mod answer;
mod flow;
mod mapping;
mod place;
mod spans;
mod weight;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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
use crate::model::traffic::{Pool, TrafficReading, Weights};
use crate::ports::Pending;
use crate::ports::traffic::Traffic;

use answer::{Counters, Services};
use place::{Found, Trouble};

/// The pause between two looks while Traefik takes a file in.
const PAUSE: Duration = Duration::from_millis(100);

/// How an address without metrics answers.
const NO_METRICS: [PortErrorKind; 6] = [
    PortErrorKind::NotFound,
    PortErrorKind::Forbidden,
    PortErrorKind::Unauthorised,
    PortErrorKind::Unsupported,
    PortErrorKind::Refused,
    PortErrorKind::Malformed,
];

/// All services in one answer, so that they are of one moment: more than anyone has.
const MOST_SERVICES: &str = "1000000";

/// One Traefik process with the file that it watches.
pub struct Traefik {
    http: HttpClient,
    file: PathBuf,
}

impl Traefik {
    /// A Traefik behind a client for its API, with the file in which its weighted services stand.
    ///
    /// # Errors
    /// [`PortErrorKind::Unsupported`] without a file, or with one whose name ends in neither `.yml`, `.yaml` nor `.toml`.
    pub fn new(http: HttpClient, file: Option<&Path>) -> Result<Self, PortError> {
        let wrong = |detail: &str| http.fault(PortErrorKind::Unsupported, "use its file", detail);
        let file = file.ok_or_else(|| wrong("no `file` is configured"))?;
        spans::form(file).ok_or_else(|| wrong("its name ends in neither .yml, .yaml nor .toml"))?;
        Ok(Self { file: file.to_owned(), http })
    }

    async fn observe(&self, pools: &[PoolName], doing: &str) -> Result<(TrafficReading, Arc<Value>), PortError> {
        let version = self.http.get_json(doing, "/api/version", &[]).await?;
        let process = answer::process(&version.value).map_err(|wrong| self.http.fault(PortErrorKind::Malformed, doing, &wrong))?;
        let metrics = match self.http.get_plain(doing, "/metrics").await {
            Ok(answer) => Some(answer),
            // What answers there is no metrics for us; then nothing is counted, and nothing else hangs on it.
            Err(error) if NO_METRICS.contains(&error.kind) => None,
            Err(error) => return Err(error),
        };
        let counters = Counters::of(metrics.as_ref().and_then(|metrics| metrics.value.as_str()));
        let listed = self.http.get_json(doing, "/api/http/services", &[("per_page", MOST_SERVICES)]).await?.value;
        let services = Services::of(&listed).map_err(|wrong| self.http.fault(PortErrorKind::Malformed, doing, &wrong))?;
        let mut reading = TrafficReading { process, pools: BTreeMap::new(), missing: Vec::new() };
        for name in pools.iter().collect::<BTreeSet<_>>() {
            match services.pool(name, &counters) {
                Some(pool) => drop(reading.pools.insert(name.clone(), pool)),
                None => reading.missing.push(name.clone()),
            }
        }
        Ok((reading, listed))
    }

    async fn seen(&self, pool: &PoolName, doing: &str) -> Result<Option<Seen<Option<Found>>>, PortError> {
        let (mut reading, _) = self.observe(std::slice::from_ref(pool), doing).await?;
        Ok(reading.pools.remove(pool).map(|pool| Seen { pool, process: reading.process, mark: None }))
    }

    /// The file as it is, with this service in it as the API shows it.
    async fn found(&self, pool: &Pool, doing: &str) -> Result<Found, PortError> {
        let (file, name) = (self.file.clone(), pool.name.as_str().to_owned());
        let found = tokio::task::spawn_blocking(move || place::find(&file, &name)).await;
        let found = found.map_err(|_| Trouble::new(PortErrorKind::Refused, "reading the file did not end")).and_then(|found| found);
        let found = found.map_err(|trouble| self.file_trouble(doing, &trouble))?;
        for server in &pool.servers {
            let (name, shown) = (&server.name, server.weight);
            let words = match found.weight(name.as_str()) {
                Some(weight) if weight == shown => continue,
                Some(weight) => {
                    format!("the file gives {name} the weight {weight}, and Traefik shows {shown}: it has not taken the file in")
                }
                None => {
                    let key = if pool.copies { "percent" } else { "weight" };
                    format!("the file gives {name} no {key} of its own, and Traefik shows {shown}; write `{key}` beside its name there")
                }
            };
            return Err(self.http.fault(PortErrorKind::Conflict, doing, &words));
        }
        Ok(found)
    }

    fn file_trouble(&self, doing: &str, trouble: &Trouble) -> PortError {
        let error = self.http.fault(trouble.kind.clone(), doing, &format!("{}: {}", self.file.display(), trouble.detail));
        match trouble.fix {
            Some(fix) => error.mended_by(fix),
            None => error,
        }
    }
}

impl Hand for Traefik {
    /// The file with the places of the weights in it; none when only looked back.
    type Mark = Option<Found>;
    const AT_ONCE: bool = true;

    fn name(&self) -> &BackendName {
        self.http.backend()
    }

    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        self.http.fault(kind, doing, detail)
    }

    fn look<'a>(&'a self, pool: &'a PoolName, doing: &'a str) -> Pending<'a, Result<Option<Seen<Self::Mark>>, PortError>> {
        Box::pin(async move {
            let Some(mut seen) = self.seen(pool, doing).await? else { return Ok(None) };
            seen.mark = Some(self.found(&seen.pool, doing).await?);
            Ok(Some(seen))
        })
    }

    fn objection(&self, _seen: &Seen<Self::Mark>, _wished: &Weights) -> Option<String> {
        None
    }

    fn write<'a>(
        &'a self,
        seen: &'a Seen<Self::Mark>,
        _sets: &'a Sets,
        all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<(), SendError>> {
        Box::pin(async move {
            let Some(found) = seen.mark.clone() else {
                return Err(SendError::NotDone(self.http.fault(PortErrorKind::Refused, doing, "the file was not read")));
            };
            let (file, all) = (self.file.clone(), all.clone());
            let written = tokio::task::spawn_blocking(move || place::replace(&file, &found, &all)).await;
            match written {
                Ok(Ok(())) => Ok(()),
                // Until the rename the file is untouched, and after it nothing fails.
                Ok(Err(trouble)) => Err(SendError::NotDone(self.file_trouble(doing, &trouble))),
                Err(_) => Err(SendError::Unknown(self.http.fault(PortErrorKind::Refused, doing, "writing the file did not end"))),
            }
        })
    }

    /// Traefik takes a file in after its `providersThrottleDuration`, two seconds unless configured.
    fn look_back<'a>(
        &'a self,
        pool: &'a PoolName,
        all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<Option<Seen<Self::Mark>>, PortError>> {
        Box::pin(async move {
            let end = tokio::time::Instant::now() + self.http.deadline();
            loop {
                let seen = self.seen(pool, doing).await;
                let reads = |seen: &Seen<Self::Mark>| seen.pool.servers.iter().all(|server| all.get(&server.name) == Some(&server.weight));
                let late = tokio::time::Instant::now() >= end;
                match seen {
                    Ok(Some(seen)) if reads(&seen) => return Ok(Some(seen)),
                    Ok(Some(_)) if late => {
                        let detail = "the file has the new weights, and Traefik still shows others; its log says why";
                        return Err(self.http.fault(PortErrorKind::Conflict, doing, detail));
                    }
                    Ok(Some(_)) => {}
                    Err(_) if !late => {}
                    other => return other,
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    }
}

impl Traffic for Traefik {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadTraffic, Capability::Shift, Capability::Mirror]
    }

    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(async move {
            let doing = "read pools";
            let (mut reading, services) = self.observe(pools, doing).await?;
            let routers = self.http.get_json(doing, "/api/http/routers", &[("per_page", MOST_SERVICES)]).await?;
            answer::tell_ways(&mut reading.pools, &routers.value, &services);
            rules::uncount_shared(&mut reading.pools);
            Ok(reading)
        })
    }

    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(walk::set_weights(self, effect))
    }

    /// One `sed` that changes these places of the file and nothing when they no longer hold what they hold now.
    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        let Ok((pool, weights)) = rules::asked(effect, self.http.backend()) else { return Vec::new() };
        let file = quoted(&self.file.display().to_string());
        let Ok(found) = place::find(&self.file, pool.as_str()) else {
            let words: Vec<String> = weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect();
            return vec![format!("# in {file}, under http.services.{pool}, set the weights {}", words.join(", "))];
        };
        let edits: Vec<String> = found.edits(weights).iter().map(|edit| format!("-e {}", quoted(edit))).collect();
        if edits.is_empty() { Vec::new() } else { vec![format!("LC_ALL=C sed -i {} {file}", edits.join(" "))] }
    }
}
