//! A real Caddy with a `reverse_proxy` handler `checkout` over the upstreams `v1` and `v2`.

use std::path::Path;

use serde_json::{Value, json};

use super::named::Named;
use super::router::Router;
use super::support::{exchange, get};

/// The handler's `@id`, which is the pool.
pub const POOL: &str = "checkout";

/// Starts one with everything at `v1`.
pub fn start() -> Router {
    let prepare = |folder: &Path, [port, api]: [u16; 2], backs: &[Named; 2]| {
        let upstreams: Vec<Value> =
            backs.iter().map(|back| json!({ "@id": back.name, "dial": format!("127.0.0.1:{}", back.port) })).collect();
        let handler = json!({
            "@id": POOL,
            "handler": "reverse_proxy",
            "upstreams": upstreams,
            "health_checks": { "active": { "uri": "/health", "interval": "100ms" } },
            "load_balancing": { "selection_policy": { "policy": "weighted_round_robin", "weights": [100, 0] } },
        });
        let other = json!({ "@id": "files", "handler": "static_response", "body": "no pool" });
        let routes = json!([{ "match": [{ "path": ["/files"] }], "handle": [other] }, { "handle": [handler] }]);
        let server = json!({ "listen": [format!("127.0.0.1:{port}")], "automatic_https": { "disable": true }, "routes": routes });
        let all = json!({ "admin": { "listen": format!("127.0.0.1:{api}") }, "apps": { "http": { "servers": { "front": server } } } });
        std::fs::write(folder.join("caddy.json"), all.to_string()).unwrap();
    };
    Router::start("/config/", Router::two(), prepare, |folder| {
        let mut command = Router::program("caddy");
        command.arg("run").arg("--config").arg(folder.join("caddy.json"));
        for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(variable, folder);
        }
        command
    })
}

/// The weights as it has them.
pub fn weights(router: &Router) -> String {
    let answer = get(router.api, "/id/checkout/load_balancing/selection_policy/weights").unwrap();
    answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim().to_owned()
}

/// Changes a part of its configuration, as another hand would.
pub fn patch(api: u16, path: &str, value: &Value) {
    let body = value.to_string();
    let head = format!("PATCH {path} HTTP/1.1\r\nHost: localhost:{api}\r\nConnection: close\r\nContent-Type: application/json\r\n");
    let answer = exchange(api, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
