//! A real Traefik with a weighted service `checkout` over `v1` and `v2` in a file of its own, as YAML or as TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::named::Named;
use super::router::Router;
use super::support::{get, wait_for};

/// The weighted service, which is the pool.
pub const POOL: &str = "checkout";
/// The one for requests with the cookie `canary=yes`.
pub const TESTERS: &str = "checkout-testers";
/// The mirroring service before the pool.
pub const MIRROR: &str = "checkout-copied";

/// Starts one that reads `shop.yml` or `shop.toml`; with metrics unless told otherwise.
pub fn start_with(file: &'static str, metrics: bool) -> Router {
    start_before(Router::two(), file, metrics)
}

/// The same before these servers.
pub fn start_before(backs: [Named; 2], file: &'static str, metrics: bool) -> Router {
    start_so(backs, file, metrics, POOL)
}

/// Starts one whose requests go through the mirroring service.
pub fn start_copying(file: &'static str) -> Router {
    start_so(Router::two(), file, true, MIRROR)
}

fn start_so(backs: [Named; 2], file: &'static str, metrics: bool, first: &'static str) -> Router {
    let prepare = move |folder: &Path, [port, api]: [u16; 2], backs: &[Named; 2]| {
        let watched = folder.join("watched");
        std::fs::create_dir(&watched).unwrap();
        let counting = if metrics { "metrics: {prometheus: {}}\n" } else { "" };
        let text = format!(
            "entryPoints:\n  web: {{address: \"127.0.0.1:{port}\"}}\n  traefik: {{address: \"127.0.0.1:{api}\"}}\napi: {{insecure: true}}\n{counting}\
             ping: {{}}\nproviders: {{providersThrottleDuration: 100ms, file: {{directory: \"{}\", watch: true}}}}\n\
             global: {{checkNewVersion: false, sendAnonymousUsage: false}}\n",
            watched.display()
        );
        std::fs::write(folder.join("traefik.yml"), text).unwrap();
        let services = if file.ends_with("toml") { toml(backs, first) } else { yaml(backs, first) };
        std::fs::write(watched.join(file), services).unwrap();
    };
    Router::start("/api/http/services/checkout@file", backs, prepare, |folder| {
        let mut command = Router::program("traefik");
        command.arg(format!("--configFile={}", folder.join("traefik.yml").display())).current_dir(folder);
        command
    })
}

/// Starts one that reads `shop.yml`.
pub fn start() -> Router {
    start_with("shop.yml", true)
}

/// The file with its services.
pub fn file(router: &Router) -> PathBuf {
    std::fs::read_dir(router.folder().join("watched")).unwrap().next().unwrap().unwrap().path()
}

/// What it shows of the pool.
pub fn shown(router: &Router) -> String {
    get(router.api, "/api/http/services/checkout@file").unwrap_or_default()
}

/// Writes the file as another hand would, and waits until Traefik shows `sign`.
pub fn edit(router: &Router, sign: &str, change: impl Fn(&str) -> String) {
    let file = file(router);
    let text = std::fs::read_to_string(&file).unwrap();
    let beside = file.with_extension("new");
    std::fs::write(&beside, change(&text)).unwrap();
    std::fs::rename(&beside, &file).unwrap();
    wait_for("Traefik to take the file in", Duration::from_secs(10), || shown(router).contains(sign).then_some(()));
}

const COOKIE: &str = "PathPrefix(`/`) && HeaderRegexp(`Cookie`, `(^|; )canary=yes(;|$)`)";

fn yaml(backs: &[Named; 2], first: &str) -> String {
    let one = |Named { name, port, .. }: &Named| {
        format!(
            "    {name}: {{loadBalancer: {{servers: [{{url: \"http://127.0.0.1:{port}\"}}], healthCheck: {{path: /health, interval: 100ms, timeout: 1s}}}}}}\n"
        )
    };
    format!(
        "# Whoever changes weights here: the room does too.\nhttp:\n  routers:\n    checkout: {{rule: \"PathPrefix(`/`)\", service: {first}, entryPoints: [web]}}\n    \
         testers: {{rule: \"{COOKIE}\", service: {TESTERS}, entryPoints: [web]}}\n  services:\n    checkout:\n      weighted:\n        services:\n          - name: v1\n            weight: 100   # the old one\n          - name: v2\n            \
         weight: 0     # the new one\n    {TESTERS}:\n      weighted: {{services: \
         [{{name: v1, weight: 100}}, {{name: v2, weight: 0}}]}}\n    {MIRROR}:\n      mirroring:\n        service: checkout\n        mirrors:\n        \
         - {{name: v1, percent: 0}}\n        - name: v2\n          percent: 0\n{}{}",
        one(&backs[0]),
        one(&backs[1])
    )
}

fn toml(backs: &[Named; 2], first: &str) -> String {
    let one = |Named { name, port, .. }: &Named| {
        format!(
            "[http.services.{name}.loadBalancer.healthCheck]\npath = \"/health\"\ninterval = \"100ms\"\ntimeout = \"1s\"\n[[http.services.{name}.loadBalancer.servers]]\n\
             url = \"http://127.0.0.1:{port}\"\n"
        )
    };
    format!(
        "[http.routers.checkout]\nrule = \"PathPrefix(`/`)\"\nservice = \"{first}\"\nentryPoints = [\"web\"]\n\
         [http.routers.testers]\nrule = \"{COOKIE}\"\nservice = \"{TESTERS}\"\nentryPoints = [\"web\"]\n\
         [[http.services.checkout.weighted.services]] # the old one\nname = \"v1\"\nweight = 100\n[[http.services.checkout.weighted.services]]\nname = \"v2\"\nweight = 0\n\
         [http.services.{TESTERS}.weighted]\nservices = [{{ name = \"v1\", weight = 100 }}, {{ name = \"v2\", weight = 0 }}]\n\
         [http.services.{MIRROR}.mirroring]\nservice = \"checkout\"\n[[http.services.{MIRROR}.mirroring.mirrors]]\nname = \"v1\"\npercent = 0\n\
         [[http.services.{MIRROR}.mirroring.mirrors]]\nname = \"v2\"\npercent = 0\n\
         {}{}",
        one(&backs[0]),
        one(&backs[1])
    )
}
