//! A real Envoy with weighted clusters `v1` and `v2` under the prefix `routing.checkout`.

use std::path::Path;

use super::named::Named;
use super::router::Router;
use super::support::post;

/// The prefix of the runtime keys, which is the pool.
pub const POOL: &str = "routing.checkout";
/// The prefix of those for requests with the header `x-canary: yes`.
pub const TESTERS: &str = "routing.testers";
/// The prefix of those for copies.
pub const MIRROR: &str = "mirror.checkout";

/// Starts one with these configured weights, and with an admin layer unless told otherwise.
pub fn start_with(weights: [u32; 2], admin_layer: bool) -> Router {
    start_before(Router::two(), weights, admin_layer)
}

/// The same before these servers.
pub fn start_before(backs: [Named; 2], weights: [u32; 2], admin_layer: bool) -> Router {
    let prepare = move |folder: &Path, ports: [u16; 2], backs: &[Named; 2]| {
        std::fs::write(folder.join("envoy.yaml"), configuration(ports, backs, weights, admin_layer)).unwrap();
    };
    Router::start("/ready", backs, prepare, |folder| {
        let mut command = Router::program("envoy");
        command.arg("-c").arg(folder.join("envoy.yaml")).args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]);
        command
    })
}

/// Starts one with everything at `v1`.
pub fn start() -> Router {
    start_with([100, 0], true)
}

/// Sets a runtime value, as another hand would.
pub fn set(router: &Router, key: &str, value: &str) {
    let answer = post(router.api, &format!("/runtime_modify?{key}={value}"), "").unwrap();
    assert!(answer.contains("OK"), "{answer}");
}

fn copied(cluster: &str) -> String {
    format!(
        "{{cluster: {cluster}, runtime_fraction: {{default_value: {{numerator: 0, denominator: HUNDRED}}, runtime_key: {MIRROR}.{cluster}}}}}"
    )
}

fn configuration([port, api]: [u16; 2], backs: &[Named; 2], weights: [u32; 2], admin_layer: bool) -> String {
    let admin = if admin_layer { ", {name: admin, admin_layer: {}}" } else { "" };
    let clusters: Vec<String> = backs
        .iter()
        .map(|Named { name, port, .. }| {
            format!(
                "  - name: {name}\n    type: STATIC\n    connect_timeout: 1s\n    load_assignment: {{cluster_name: {name}, endpoints: \
                 [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}\n    \
                 health_checks: [{{timeout: 1s, interval: 0.1s, no_traffic_interval: 0.1s, unhealthy_threshold: 1, healthy_threshold: 1, \
                 http_health_check: {{path: /health}}}}]\n"
            )
        })
        .collect();
    format!(
        "admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {api}}}}}}}\n\
         layered_runtime: {{layers: [{{name: base, static_layer: {{}}}}{admin}]}}\n\
         static_resources:\n  listeners:\n  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}\n    filter_chains:\n    - filters:\n\
         \x20     - name: envoy.filters.network.http_connection_manager\n        typed_config:\n\
         \x20         \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n\
         \x20         stat_prefix: front\n          route_config:\n            name: local\n            virtual_hosts:\n            - name: all\n\
         \x20             domains: [\"*\"]\n              routes:\n\
         \x20             - match: {{prefix: /, headers: [{{name: x-canary, string_match: {{exact: \"yes\"}}}}]}}\n                route:\n\
         \x20                 weighted_clusters: {{runtime_key_prefix: {TESTERS}, clusters: [{{name: v1, weight: 100}}, {{name: v2, weight: 0}}]}}\n\
         \x20             - match: {{prefix: /}}\n                route:\n\
         \x20                 request_mirror_policies: [{}, {}]\n\
         \x20                 weighted_clusters:\n                    runtime_key_prefix: {POOL}\n\
         \x20                   clusters: [{{name: v1, weight: {}}}, {{name: v2, weight: {}}}]\n\
         \x20         http_filters:\n          - name: envoy.filters.http.router\n\
         \x20           typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}\n\
         \x20 clusters:\n{}",
        copied("v1"),
        copied("v2"),
        weights[0],
        weights[1],
        clusters.concat()
    )
}
