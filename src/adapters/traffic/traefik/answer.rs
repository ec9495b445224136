//! What Traefik's API and metrics mean: a weighted service, the servers under each of its services, counters by service.

mod rule;

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::adapters::traffic::exposition::{Sample, samples};
use crate::adapters::traffic::walk::GREATEST_WEIGHT;
use crate::model::name::{PoolName, ServerName};
use crate::model::text::Text;
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState};

/// `/api/version`.
pub(super) fn process(version: &Value) -> Result<RouterProcess, String> {
    let word = |key: &str| version.get(key).and_then(Value::as_str);
    let (Some(number), Some(start)) = (word("Version"), word("startDate")) else {
        return Err("/api/version tells no version and start".to_owned());
    };
    let started = DateTime::parse_from_rfc3339(start).map_err(|_| "`startDate` is no time")?.to_utc();
    let start_mark = started.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).ok_or("`startDate` is before 1970")?;
    Ok(RouterProcess { version: Text::clean_within(number, 60), pid: None, started: Some(started), start_mark })
}

/// All services that Traefik has, by their names with the provider.
pub(super) struct Services<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Services<'a> {
    /// From the list of the API.
    pub(super) fn of(list: &'a Value) -> Result<Self, String> {
        let list = list.as_array().ok_or("the list of services is none")?;
        let named = |service: &'a Value| Some((service.get("name")?.as_str()?, service));
        let all: Option<BTreeMap<_, _>> = list.iter().map(named).collect();
        all.map(Self).ok_or_else(|| "a service in the list has no name".to_owned())
    }

    /// A weighted service of the file provider, with those under it; none when there is none of that name.
    pub(super) fn pool(&self, name: &PoolName, counters: &Counters) -> Option<Pool> {
        let service = self.0.get(format!("{name}@file").as_str())?;
        let copies = service.get("mirroring").is_some();
        let entries = if copies { copied(service)? } else { weighted(service)? };
        let servers = entries.iter().map(|entry| {
            let full = format!("{}@{}", entry.name, entry.provider.as_deref().unwrap_or("file"));
            server(entry, copies, self.0.get(full.as_str()).copied(), counters.get(&full))
        });
        Some(Pool { name: name.clone(), servers: servers.collect(), copies, ways: None })
    }
}

/// The ways to each pool, by the routers of the same moment, nearly: they tell nothing of weights.
pub(super) fn tell_ways(pools: &mut BTreeMap<PoolName, Pool>, routers: &Value, services: &Value) {
    for pool in pools.values_mut() {
        pool.ways = rule::ways(routers, services, pool.name.as_str());
    }
}

/// One service under a weighted one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Its name without its provider.
    name: ServerName,
    /// Its provider, where it is named.
    provider: Option<String>,
    weight: u32,
}

/// The services under a weighted one; none for a service of another kind, or with a name that cannot be configured here.
fn weighted(service: &Value) -> Option<Vec<Entry>> {
    #[derive(Deserialize)]
    struct Wire {
        weighted: Weighted,
    }
    #[derive(Deserialize)]
    struct Weighted {
        services: Vec<Below>,
    }
    #[derive(Deserialize)]
    struct Below {
        name: String,
        weight: Option<u32>,
    }
    let wire = Wire::deserialize(service).ok()?;
    named(wire.weighted.services.into_iter().map(|below| (below.name, below.weight.unwrap_or(1))))
}

/// The services that get copies from a mirroring one, in per cent; none as for a weighted one.
fn copied(service: &Value) -> Option<Vec<Entry>> {
    #[derive(Deserialize)]
    struct Wire {
        mirroring: Mirroring,
    }
    #[derive(Deserialize)]
    struct Mirroring {
        #[serde(default)]
        mirrors: Vec<Below>,
    }
    #[derive(Deserialize)]
    struct Below {
        name: String,
        #[serde(default)]
        percent: u32,
    }
    let wire = Wire::deserialize(service).ok()?;
    named(wire.mirroring.mirrors.into_iter().map(|below| (below.name, below.percent)))
}

fn named(below: impl Iterator<Item = (String, u32)>) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (full, weight) in below {
        let (name, provider) = full.split_once('@').map_or((full.as_str(), None), |(name, provider)| (name, Some(provider)));
        let name = ServerName::new(name).ok()?;
        if entries.iter().any(|entry| entry.name == name) {
            return None;
        }
        entries.push(Entry { name, provider: provider.map(str::to_owned), weight });
    }
    (!entries.is_empty()).then_some(entries)
}

/// The state of a service: up while one of its servers is.
fn state(service: Option<&Value>) -> ServerState {
    let Some(service) = service else { return ServerState::Down };
    if service.get("status").and_then(Value::as_str) == Some("disabled") {
        return ServerState::Down;
    }
    let servers = service.get("serverStatus").and_then(Value::as_object);
    match servers {
        Some(servers) if !servers.is_empty() && !servers.values().any(|status| status == "UP") => ServerState::Down,
        Some(_) | None => ServerState::Up,
    }
}

/// The counters by service, where Traefik counts them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Requests and how many of them were answered with 5xx; none: not counted.
    by_service: Option<BTreeMap<String, (u64, u64)>>,
}

impl Counters {
    /// From the metrics; none when there are none at this address.
    pub(super) fn of(metrics: Option<&str>) -> Self {
        let Some(text) = metrics else { return Self::default() };
        let found = samples(text, "traefik_service_requests_total");
        // Counted by entry point and not by service: `addServicesLabels` was taken away.
        let own = |sample: &Sample| matches!(sample.label("entrypoint"), Some("traefik" | "metrics"));
        let passed = samples(text, "traefik_entrypoint_requests_total").iter().any(|sample| !own(sample) && sample.value > 0.0);
        if found.is_empty() && (passed || !text.contains("traefik_")) {
            return Self::default();
        }
        let mut by_service: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for sample in &found {
            let (Some(service), Some(count)) = (sample.label("service"), sample.count()) else { continue };
            let counts = by_service.entry(service.to_owned()).or_default();
            counts.0 = counts.0.saturating_add(count);
            if sample.label("code").is_some_and(|code| code.starts_with('5')) {
                counts.1 = counts.1.saturating_add(count);
            }
        }
        Self { by_service: Some(by_service) }
    }

    fn get(&self, service: &str) -> Option<(u64, u64)> {
        self.by_service.as_ref().map(|by_service| by_service.get(service).copied().unwrap_or_default())
    }
}

/// Puts a server together.
fn server(entry: &Entry, copies: bool, below: Option<&Value>, counts: Option<(u64, u64)>) -> Server {
    Server {
        name: entry.name.clone(),
        weight: entry.weight,
        effective_weight: entry.weight,
        initial_weight: entry.weight,
        greatest_weight: if copies { 100 } else { GREATEST_WEIGHT },
        state: state(below),
        requests: counts.map(|(requests, _)| requests),
        errors: counts.map(|(_, errors)| errors),
        current: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_services_under_a_weighted_one_are_its_servers() {
        let service = json!({ "type": "weighted", "weighted": { "services": [{ "name": "v1", "weight": 80 }, { "name": "v2@docker" }] } });
        let entries = weighted(&service).unwrap();
        assert_eq!(entries[0].weight, 80);
        assert_eq!((entries[1].name.as_str(), entries[1].provider.as_deref(), entries[1].weight), ("v2", Some("docker"), 1));
        assert_eq!(weighted(&json!({ "loadBalancer": {} })), None);
        let twins = json!({ "weighted": { "services": [{ "name": "v1@file" }, { "name": "v1@docker" }] } });
        assert_eq!(weighted(&twins), None, "one name would be two servers");
    }

    #[test]
    fn a_pool_is_put_together_from_one_list_whatever_provider_each_is_of() {
        let list = json!([
            { "name": "checkout@file", "weighted": { "services": [{ "name": "v1", "weight": 80 }, { "name": "v2@docker", "weight": 20 }] } },
            { "name": "v1@file", "serverStatus": { "a": "UP" } },
            { "name": "v2@docker", "serverStatus": { "b": "DOWN" } },
        ]);
        let services = Services::of(&list).unwrap();
        let pool = services.pool(&PoolName::new("checkout").unwrap(), &Counters::default()).unwrap();
        let states: Vec<_> = pool.servers.iter().map(|server| (server.name.as_str(), server.weight, server.state)).collect();
        assert_eq!(states, [("v1", 80, ServerState::Up), ("v2", 20, ServerState::Down)]);
        assert!(services.pool(&PoolName::new("v1").unwrap(), &Counters::default()).is_none());
        assert!(Services::of(&json!([{ "weighted": {} }])).is_err());
        assert!(Services::of(&json!({})).is_err());
    }

    #[test]
    fn a_service_is_down_when_all_its_servers_are() {
        assert_eq!(state(Some(&json!({ "serverStatus": { "a": "DOWN", "b": "UP" } }))), ServerState::Up);
        assert_eq!(state(Some(&json!({ "serverStatus": { "a": "DOWN" } }))), ServerState::Down);
        assert_eq!(state(Some(&json!({ "status": "disabled", "serverStatus": { "a": "UP" } }))), ServerState::Down);
        assert_eq!(state(Some(&json!({}))), ServerState::Up);
        assert_eq!(state(None), ServerState::Down);
    }

    #[test]
    fn counters_are_summed_and_their_absence_is_not_zero() {
        let text = "traefik_service_requests_total{code=\"200\",service=\"v1@file\"} 10\ntraefik_service_requests_total{code=\"503\",service=\"v1@file\"} 2\n";
        assert_eq!(Counters::of(Some(text)).get("v1@file"), Some((12, 2)));
        assert_eq!(Counters::of(Some(text)).get("v2@file"), Some((0, 0)));
        assert_eq!(Counters::of(None).get("v1@file"), None);
        assert_eq!(Counters::of(Some("go_goroutines 7\n")).get("v1@file"), None);
        let quiet = "traefik_config_reloads_total 1\ntraefik_entrypoint_requests_total{entrypoint=\"traefik\"} 9\n";
        assert_eq!(Counters::of(Some(quiet)).get("v1@file"), Some((0, 0)));
        let unlabelled = "traefik_entrypoint_requests_total{entrypoint=\"web\"} 9\n";
        assert_eq!(Counters::of(Some(unlabelled)).get("v1@file"), None);
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "\\PC{0,60}") {
            let value = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text.clone()));
            let _ = (process(&value), weighted(&value), Services::of(&value).is_ok(), state(Some(&value)), Counters::of(Some(&text)));
        }
    }
}
