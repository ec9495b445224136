//! What Caddy's answers mean: the upstreams of a handler in their order, their weights, and how they are.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::adapters::traffic::exposition::samples;
use crate::adapters::traffic::walk::GREATEST_WEIGHT;
use crate::model::name::{PoolName, ServerName};
use crate::model::text::Text;
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState};

/// A `reverse_proxy` handler that splits by weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handler {
    /// Each upstream in order: its name, where it is dialled, its weight.
    upstreams: Vec<(ServerName, String, u32)>,
    max_fails: Option<u64>,
}

/// Reads a handler; or says why it is no pool.
pub(super) fn handler(value: &Value) -> Result<Handler, String> {
    #[derive(Deserialize)]
    struct Wire {
        handler: String,
        #[serde(default)]
        upstreams: Vec<Upstream>,
        dynamic_upstreams: Option<Value>,
        load_balancing: Option<Balancing>,
        health_checks: Option<Checks>,
    }
    #[derive(Deserialize)]
    struct Upstream {
        #[serde(rename = "@id")]
        id: Option<String>,
        dial: String,
    }
    #[derive(Deserialize)]
    struct Balancing {
        selection_policy: Option<Policy>,
    }
    #[derive(Deserialize)]
    struct Policy {
        policy: String,
        #[serde(default)]
        weights: Vec<u32>,
    }
    #[derive(Deserialize)]
    struct Checks {
        passive: Option<Passive>,
    }
    #[derive(Deserialize)]
    struct Passive {
        #[serde(default)]
        fail_duration: Value,
        max_fails: Option<u64>,
    }
    let wire = Wire::deserialize(value).map_err(|error| format!("it is no reverse_proxy handler: {error}"))?;
    if wire.handler != "reverse_proxy" {
        return Err("it is no reverse_proxy handler".to_owned());
    }
    if wire.dynamic_upstreams.is_some_and(|dynamic| !dynamic.is_null()) {
        return Err("its upstreams are dynamic, and weights go by their order".to_owned());
    }
    let policy = wire.load_balancing.and_then(|balancing| balancing.selection_policy);
    let weights = policy.filter(|policy| policy.policy == "weighted_round_robin").map(|policy| policy.weights);
    let weights = weights.ok_or("its selection policy is not weighted_round_robin")?;
    if weights.len() != wire.upstreams.len() || weights.len() < 2 {
        return Err(format!("it has {} weights for {} upstreams; two or more, one each, are a pool", weights.len(), wire.upstreams.len()));
    }
    let mut upstreams: Vec<(ServerName, String, u32)> = Vec::new();
    for (upstream, weight) in wire.upstreams.into_iter().zip(weights) {
        let name = upstream.id.unwrap_or_else(|| upstream.dial.replace(':', "-"));
        let name = ServerName::new(&name).map_err(|_| format!("the upstream {} has no `@id` that can be a name", upstream.dial))?;
        if upstreams.iter().any(|(other, ..)| other == &name) {
            return Err(format!("two of its upstreams are called {name}"));
        }
        upstreams.push((name, upstream.dial, weight));
    }
    let passive = wire.health_checks.and_then(|checks| checks.passive);
    let watched = passive.filter(|passive| !passive.fail_duration.is_null() && passive.fail_duration != 0);
    Ok(Handler { upstreams, max_fails: watched.map(|passive| passive.max_fails.unwrap_or(1).max(1)) })
}

impl Handler {
    /// The names in the order of the weights.
    pub(super) fn names(&self) -> impl Iterator<Item = &ServerName> {
        self.upstreams.iter().map(|(name, ..)| name)
    }

    /// The pool that it is.
    pub(super) fn pool(&self, name: &PoolName, around: &Around) -> Pool {
        let servers = self.upstreams.iter().map(|(server, dial, weight)| {
            let (current, fails) = around.upstreams.get(dial).copied().unwrap_or((0, 0));
            let failed = around.healthy.get(dial) == Some(&false) || self.max_fails.is_some_and(|most| fails >= most);
            Server {
                name: server.clone(),
                weight: *weight,
                effective_weight: if failed { 0 } else { *weight },
                initial_weight: *weight,
                greatest_weight: GREATEST_WEIGHT,
                state: if failed { ServerState::Down } else { ServerState::Up },
                // Caddy counts by handler, not by upstream.
                requests: None,
                errors: None,
                current,
            }
        });
        Pool { name: name.clone(), servers: servers.collect(), copies: false, ways: None }
    }
}

/// What is known beside the configuration.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Requests under way and failures lately, by where it is dialled.
    upstreams: BTreeMap<String, (u64, u64)>,
    /// What the active checks say, by where it is dialled; Caddy writes it every ten seconds.
    healthy: BTreeMap<String, bool>,
    started: Option<f64>,
    version: Option<Text>,
}

impl Around {
    /// From the answer of `/reverse_proxy/upstreams` and from the metrics, where there are some.
    pub(super) fn of(upstreams: &Value, metrics: Option<&str>) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Wire {
            address: String,
            #[serde(default)]
            num_requests: u64,
            #[serde(default)]
            fails: u64,
        }
        let wire: Option<Vec<Wire>> =
            Deserialize::deserialize(upstreams).map_err(|error| format!("the list of upstreams is another than expected: {error}"))?;
        let upstreams = wire.unwrap_or_default().into_iter().map(|one| (one.address, (one.num_requests, one.fails))).collect();
        let metrics = metrics.unwrap_or_default();
        let healthy = samples(metrics, "caddy_reverse_proxy_upstreams_healthy");
        let healthy = healthy.iter().filter_map(|sample| Some((sample.label("upstream")?.to_owned(), sample.value > 0.0))).collect();
        let started = samples(metrics, "process_start_time_seconds").first().map(|sample| sample.value);
        let build = samples(metrics, "go_build_info");
        // Built outside of its module it calls itself `(devel)`.
        let version = build.first().and_then(|sample| sample.label("version")).filter(|version| version.starts_with('v'));
        let version = version.map(|version| Text::clean_within(version, 60));
        Ok(Self { upstreams, healthy, started, version })
    }

    /// The process, as far as the metrics tell.
    pub(super) fn process(&self) -> RouterProcess {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970 in hundredths; a cast saturates")]
        let start_mark = self.started.map_or(0, |started| (started.max(0.0) * 100.0).round() as u64);
        let seconds = i64::try_from(start_mark / 100).ok().filter(|seconds| *seconds > 0);
        let started: Option<DateTime<Utc>> = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let version = self.version.clone().unwrap_or_else(|| Text::clean("of unknown version"));
        RouterProcess { version, pid: None, started, start_mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn example(weights: &Value) -> Value {
        json!({
            "handler": "reverse_proxy",
            "upstreams": [{ "@id": "v1", "dial": "10.0.0.1:80" }, { "dial": "v2.shop:8080" }],
            "load_balancing": { "selection_policy": { "policy": "weighted_round_robin", "weights": weights } },
            "health_checks": { "passive": { "fail_duration": "10s" } },
        })
    }

    #[test]
    fn an_upstream_is_called_by_its_id_or_by_where_it_is_dialled() {
        let handler = handler(&example(&json!([80, 20]))).unwrap();
        assert_eq!(handler.names().map(ServerName::as_str).collect::<Vec<_>>(), ["v1", "v2.shop-8080"]);
    }

    #[test]
    fn what_no_weights_go_by_is_no_pool() {
        for weights in [json!([80]), json!([80, 20, 5]), json!([]), json!([-1, 5]), json!("x"), json!(null)] {
            assert!(handler(&example(&weights)).is_err(), "{weights}");
        }
        let mut other = example(&json!([1, 1]));
        other["load_balancing"]["selection_policy"]["policy"] = "random".into();
        assert!(handler(&other).unwrap_err().contains("not weighted_round_robin"));
        let mut dynamic = example(&json!([1, 1]));
        dynamic["dynamic_upstreams"] = json!({ "source": "srv" });
        assert!(handler(&dynamic).unwrap_err().contains("dynamic"));
        let mut twins = example(&json!([1, 1]));
        twins["upstreams"][1] = json!({ "dial": "x:1", "@id": "v1" });
        assert!(handler(&twins).unwrap_err().contains("two of its upstreams"));
    }

    #[test]
    fn an_upstream_is_down_by_active_checks_or_by_failures_that_are_watched() {
        let handler = handler(&example(&json!([80, 20]))).unwrap();
        let metrics = "caddy_reverse_proxy_upstreams_healthy{upstream=\"10.0.0.1:80\"} 0\nprocess_start_time_seconds 1.79590552509e+09\n";
        let around = Around::of(&json!([{ "address": "v2.shop:8080", "num_requests": 3, "fails": 1 }]), Some(metrics)).unwrap();
        let pool = handler.pool(&PoolName::new("checkout").unwrap(), &around);
        assert!(pool.servers.iter().all(|server| server.state == ServerState::Down && server.effective_weight == 0));
        assert_eq!(pool.servers[1].current, 3);
        assert_eq!(around.process().start_mark, 179_590_552_509);
        let nothing = Around::of(&Value::Null, None).unwrap();
        assert!(handler.pool(&PoolName::new("checkout").unwrap(), &nothing).servers.iter().all(|server| server.state == ServerState::Up));
        assert_eq!(nothing.process().start_mark, 0);
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "\\PC{0,60}") {
            let value = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text.clone()));
            let _ = (handler(&value), Around::of(&value, Some(&text)).map(|around| around.process()));
        }
    }
}
