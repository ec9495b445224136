//! What Envoy's answers mean: which clusters stand under a prefix, what weight each has now, how many of its hosts are healthy.

mod route;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::adapters::traffic::walk::GREATEST_WEIGHT;
use crate::model::error::PortErrorKind;
use crate::model::name::{PoolName, ServerName};
use crate::model::text::Text;
use crate::model::traffic::{Pool, Server, ServerState};

/// When a process took its configuration in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The moment.
    pub(super) at: DateTime<Utc>,
    /// The same in milliseconds.
    pub(super) number: u64,
}

/// The weighted clusters of a pool as configured, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    clusters: Vec<(ServerName, u32)>,
    total: Option<u32>,
    copies: bool,
    /// What a request must bear, route by route.
    ways: Vec<Vec<Text>>,
}

impl Entry {
    /// The names of the clusters.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.clusters.iter().map(|(name, _)| name.as_str())
    }

    /// Takes in another route of the same prefix; none when it has other clusters or weights.
    fn and(mut self, other: Self) -> Option<Self> {
        let same = (&self.clusters, self.total, self.copies) == (&other.clusters, other.total, other.copies);
        self.ways.extend(other.ways);
        same.then_some(self)
    }

    /// The configured `total_weight`.
    pub(super) fn total(&self) -> Option<u32> {
        self.total
    }
}

fn read<T: serde::de::DeserializeOwned>(what: &str, value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("the answer of {what} is another than expected: {error}"))
}

/// The bootstrap's `last_updated` in a dump that holds nothing else.
pub(super) fn started(dump: &Value) -> Result<Mark, String> {
    let configs = dump.get("configs").and_then(Value::as_array).ok_or("/config_dump has no `configs`")?;
    let of_bootstrap =
        |config: &&Value| config.get("@type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("BootstrapConfigDump"));
    let stamp = configs.iter().find(of_bootstrap).and_then(|config| config.get("last_updated")).and_then(Value::as_str);
    let stamp = stamp.ok_or("/config_dump does not say when the bootstrap was taken in")?;
    let at = DateTime::parse_from_rfc3339(stamp).map_err(|_| "the bootstrap's `last_updated` is no time")?.to_utc();
    let number = u64::try_from(at.timestamp_millis()).map_err(|_| "the bootstrap's `last_updated` is before 1970")?;
    Ok(Mark { at, number })
}

/// The version of a process that takes requests.
pub(super) fn version(info: &Value) -> Result<Text, (PortErrorKind, String)> {
    let word = |key: &str| info.get(key).and_then(Value::as_str);
    let (Some(version), Some(state)) = (word("version"), word("state")) else {
        return Err((PortErrorKind::Malformed, "/server_info tells no version and state".to_owned()));
    };
    if matches!(state, "PRE_INITIALIZING" | "INITIALIZING") {
        return Err((PortErrorKind::Unreachable, format!("it is {}: not yet taking requests", Text::clean_within(state, 40))));
    }
    // COMMIT/VERSION/..
    Ok(Text::clean_within(version.split('/').nth(1).unwrap_or(version), 100))
}

/// Finds the weighted clusters of the wanted pools, wherever they stand in a dump. A prefix under which two routes have other clusters
/// or other weights has no entry: one key would mean two things.
pub(super) fn entries(dump: &Value, wanted: &[PoolName], entries: &mut BTreeMap<PoolName, Option<Entry>>) {
    let mut found: Vec<(PoolName, Option<Entry>)> = Vec::new();
    gather(dump, wanted, &[], &mut found);
    for (pool, entry) in found {
        match entries.remove(&pool) {
            None => entries.insert(pool, entry),
            Some(known) => entries.insert(pool, known.zip(entry).and_then(|(known, entry)| known.and(entry))),
        };
    }
}

fn gather(value: &Value, wanted: &[PoolName], way: &[Text], found: &mut Vec<(PoolName, Option<Entry>)>) {
    match value {
        Value::Object(members) => {
            let own = members.get("match").filter(|_| members.contains_key("route")).map(route::conditions);
            let way = own.as_deref().unwrap_or(way);
            if let Some(weighted) = members.get("weighted_clusters") {
                let prefix = weighted.get("runtime_key_prefix").and_then(Value::as_str);
                if let Some(pool) = prefix.and_then(|prefix| wanted.iter().find(|pool| pool.as_str() == prefix)) {
                    found.push((pool.clone(), entry(weighted, way)));
                }
            }
            if let Some(policies) = members.get("request_mirror_policies").and_then(Value::as_array) {
                for (pool, clusters) in route::copied(policies, wanted) {
                    found.push((pool, Some(Entry { clusters, total: None, copies: true, ways: vec![way.to_vec()] })));
                }
            }
            members.values().for_each(|value| gather(value, wanted, way, found));
        }
        Value::Array(items) => items.iter().for_each(|value| gather(value, wanted, way, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn entry(weighted: &Value, way: &[Text]) -> Option<Entry> {
    #[derive(Deserialize)]
    struct Wire {
        clusters: Vec<Cluster>,
        total_weight: Option<u32>,
    }
    #[derive(Deserialize)]
    struct Cluster {
        name: ServerName,
        weight: u32,
    }
    let wire = Wire::deserialize(weighted).ok()?;
    let clusters: Vec<_> = wire.clusters.into_iter().map(|cluster| (cluster.name, cluster.weight)).collect();
    let distinct = clusters.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() == clusters.len();
    (distinct && !clusters.is_empty()).then(|| Entry { clusters, total: wire.total_weight, copies: false, ways: vec![way.to_vec()] })
}

/// The final value of each key of `/runtime`.
pub(super) fn runtime(answer: &Value) -> Result<BTreeMap<String, String>, String> {
    #[derive(Deserialize)]
    struct Wire {
        entries: BTreeMap<String, Layers>,
    }
    #[derive(Deserialize)]
    struct Layers {
        final_value: String,
    }
    let wire: Wire = read("/runtime", answer)?;
    Ok(wire.entries.into_iter().map(|(key, layers)| (key, layers.final_value)).collect())
}

/// What Envoy takes a runtime value for: a number cut to a whole one; what is none leaves the configured weight.
fn taken(value: &str, configured: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, and what is below 0 was sent back")]
    match value.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => number as u32,
        Ok(_) | Err(_) => configured,
    }
}

/// A cluster's hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    counted_as: String,
    state: ServerState,
}

impl Cluster {
    /// The name under which it is counted.
    pub(super) fn counted_as(&self) -> &str {
        &self.counted_as
    }
}

/// The clusters of `/clusters`.
pub(super) fn clusters(answer: &Value) -> Result<BTreeMap<String, Cluster>, String> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(default)]
        cluster_statuses: Vec<Status>,
    }
    #[derive(Deserialize)]
    struct Status {
        name: String,
        observability_name: Option<String>,
        #[serde(default)]
        host_statuses: Vec<Host>,
    }
    #[derive(Deserialize)]
    struct Host {
        #[serde(default)]
        health_status: BTreeMap<String, Value>,
    }
    let wire: Wire = read("/clusters", answer)?;
    let cluster = |status: Status| {
        let hosts: Vec<ServerState> = status.host_statuses.iter().map(|host| host_state(&host.health_status)).collect();
        let has = |state: ServerState| hosts.contains(&state);
        let order = [ServerState::Up, ServerState::Starting, ServerState::Draining];
        let state = order.into_iter().find(|state| has(*state)).unwrap_or(ServerState::Down);
        (status.name.clone(), Cluster { counted_as: status.observability_name.unwrap_or(status.name), state })
    };
    Ok(wire.cluster_statuses.into_iter().map(cluster).collect())
}

/// A host's state by its flags: any check that failed takes it down, whatever the discovery service says of it.
fn host_state(flags: &BTreeMap<String, Value>) -> ServerState {
    let is = |flag: &str| flags.get(flag) == Some(&Value::Bool(true));
    if is("pending_active_hc") {
        return ServerState::Starting;
    }
    if flags.iter().any(|(flag, value)| flag.starts_with("failed_") && value == &Value::Bool(true)) || is("active_hc_timeout") {
        return ServerState::Down;
    }
    match flags.get("eds_health_status").and_then(Value::as_str) {
        None | Some("UNKNOWN" | "HEALTHY" | "DEGRADED") => ServerState::Up,
        Some("DRAINING") => ServerState::Draining,
        Some(_) => ServerState::Down,
    }
}

/// The expression that finds the counters of these clusters and no others, or of all when it would be longer than `longest`.
pub(super) fn filter(names: &BTreeSet<&str>, longest: usize) -> String {
    let escaped: Vec<String> = names.iter().map(|name| name.replace('.', "\\.")).collect();
    let all = escaped.join("|");
    let which = if all.len() <= longest && !all.is_empty() { format!("({all})") } else { ".*".to_owned() };
    format!("^cluster\\.{which}\\.upstream_rq_(total|5xx|active)$")
}

/// The counters by name.
pub(super) fn stats(answer: &Value) -> Result<BTreeMap<String, u64>, String> {
    #[derive(Deserialize)]
    struct Wire {
        stats: Vec<Stat>,
    }
    #[derive(Deserialize)]
    struct Stat {
        name: Option<String>,
        value: Option<u64>,
    }
    let wire: Wire = read("/stats", answer)?;
    Ok(wire.stats.into_iter().filter_map(|stat| Some((stat.name?, stat.value?))).collect())
}

/// Puts a pool together. A cluster that is configured and not there yet is down.
pub(super) fn pool(
    name: &PoolName,
    entry: &Entry,
    runtime: &BTreeMap<String, String>,
    clusters: &BTreeMap<String, Cluster>,
    stats: &BTreeMap<String, u64>,
) -> Pool {
    let servers = entry.clusters.iter().map(|(server, configured)| {
        let weight = runtime.get(&format!("{name}.{server}")).map_or(*configured, |value| taken(value, *configured));
        let cluster = clusters.get(server.as_str());
        let state = cluster.map_or(ServerState::Down, |cluster| cluster.state);
        let count = |what: &str| stats.get(&format!("cluster.{}.upstream_rq_{what}", cluster?.counted_as)).copied();
        let requests = if cluster.is_some() { count("total") } else { Some(0) };
        Server {
            name: server.clone(),
            weight,
            effective_weight: weight,
            initial_weight: *configured,
            greatest_weight: if entry.copies { 100 } else { GREATEST_WEIGHT },
            state,
            requests,
            // The counter of a class of answers begins to be with the first of them.
            errors: requests.map(|_| count("5xx").unwrap_or(0)),
            current: count("active").unwrap_or(0),
        }
    });
    Pool { name: name.clone(), servers: servers.collect(), copies: entry.copies, ways: Some(entry.ways.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn pool_name() -> PoolName {
        PoolName::new("routing.checkout").unwrap()
    }

    fn route(clusters: &[(&str, u32)]) -> Value {
        let clusters: Vec<_> = clusters.iter().map(|(name, weight)| json!({ "name": name, "weight": weight })).collect();
        json!({ "route": { "weighted_clusters": { "clusters": clusters, "runtime_key_prefix": "routing.checkout" } } })
    }

    fn found(dump: &Value) -> Option<Entry> {
        let mut found = BTreeMap::new();
        entries(dump, &[pool_name()], &mut found);
        found.remove(&pool_name()).flatten()
    }

    #[test]
    fn a_prefix_is_found_wherever_its_route_stands() {
        let deep = json!({ "configs": [{ "route_config": { "virtual_hosts": [{ "routes": [{ "match": {} }, route(&[("v1", 90), ("v2", 10)])] }] } }] });
        let entry = found(&deep).unwrap();
        assert_eq!(entry.names().collect::<Vec<_>>(), ["v1", "v2"]);
        assert_eq!(found(&json!({ "configs": [] })), None);
    }

    #[test]
    fn two_routes_of_one_prefix_must_agree_and_a_third_does_not_settle_it() {
        let one = route(&[("v1", 90), ("v2", 10)]);
        assert!(found(&json!([one, one])).is_some());
        let other = route(&[("v1", 50), ("v2", 50)]);
        assert_eq!(found(&json!([one, other, one])), None);
        assert_eq!(found(&json!([one, route(&[("v1", 90)])])), None);
    }

    #[test]
    fn a_cluster_that_a_request_names_itself_has_no_weight_of_ours() {
        let by_header = json!({ "weighted_clusters": { "clusters": [{ "cluster_header": "x", "weight": 1 }], "runtime_key_prefix": "routing.checkout" } });
        assert_eq!(found(&by_header), None);
    }

    #[test]
    fn a_runtime_value_that_is_no_number_leaves_the_configured_weight() {
        for (value, weight) in
            [("30", 30), ("0", 0), ("20.7", 20), ("abc", 7), ("", 7), ("-5", 7), ("true", 7), ("nan", 7), ("1e99", u32::MAX)]
        {
            assert_eq!(taken(value, 7), weight, "{value}");
        }
    }

    #[test]
    fn a_check_that_failed_beats_what_discovery_says() {
        let flags = |flags: Value| host_state(&BTreeMap::deserialize(flags).unwrap());
        assert_eq!(flags(json!({ "eds_health_status": "HEALTHY" })), ServerState::Up);
        assert_eq!(flags(json!({ "eds_health_status": "HEALTHY", "failed_active_health_check": true })), ServerState::Down);
        assert_eq!(flags(json!({ "eds_health_status": "HEALTHY", "failed_outlier_check": true })), ServerState::Down);
        assert_eq!(flags(json!({ "eds_health_status": "DRAINING" })), ServerState::Draining);
        assert_eq!(flags(json!({ "pending_active_hc": true, "failed_active_health_check": true })), ServerState::Starting);
        assert_eq!(flags(json!({ "eds_health_status": "UNHEALTHY" })), ServerState::Down);
        assert_eq!(flags(json!({})), ServerState::Up);
    }

    #[test]
    fn the_dots_of_a_name_are_no_wildcards_and_a_long_list_asks_for_all() {
        let names = BTreeSet::from(["v1", "shop.v2"]);
        assert_eq!(filter(&names, 100), "^cluster\\.(shop\\.v2|v1)\\.upstream_rq_(total|5xx|active)$");
        assert_eq!(filter(&names, 5), "^cluster\\..*\\.upstream_rq_(total|5xx|active)$");
    }

    #[test]
    fn a_process_that_is_not_ready_is_not_read() {
        let info = |state| json!({ "version": "9e55/1.40.0/Clean/RELEASE/BoringSSL", "state": state });
        assert_eq!(version(&info("LIVE")).unwrap().as_str(), "1.40.0");
        assert_eq!(version(&info("INITIALIZING")).unwrap_err().0, PortErrorKind::Unreachable);
        assert_eq!(version(&json!({})).unwrap_err().0, PortErrorKind::Malformed);
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "\\PC{0,60}") {
            let value = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text.clone()));
            let _ = (started(&value), version(&value), runtime(&value), clusters(&value), stats(&value), found(&value), taken(&text, 1));
        }
    }
}
