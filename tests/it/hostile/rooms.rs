//! The rooms over the stand-ins: which backends they have, and where these are asked.

/// A room over some of the stand-ins.
pub struct Room {
    /// Its configuration.
    pub config: &'static str,
    /// What each backend says beside its attack.
    pub honest: &'static [&'static str],
    /// Those of them that its screens show.
    pub on_screens: &'static [&'static str],
    /// What is said or shown only where an answer was read to its end.
    pub read: &'static [&'static str],
    /// Its targets, and with that its services, one below the other on the board.
    pub targets: &'static [&'static str],
    /// What the command line is asked beside what it is asked of every room.
    pub takes: &'static [&'static [&'static str]],
}

/// Routers, CI, a cluster and a flag service.
pub const FIRST: Room = Room {
    config: FIRST_CONFIG,
    honest: &["haproxy-says", "envoy-says", "traefik-says", "github-says", "kubernetes-says", "unleash-says"],
    // How a router calls itself stands in `doctor` alone, and whose strategies a flag has in `flag show`.
    on_screens: &["haproxy-says", "github-says", "kubernetes-says"],
    read: &["v1 80, v2 20"],
    targets: &["checkout@prod", "search@prod", "cart@prod", "web@prod"],
    takes: &[
        &["flag", "show", "checkout/new@prod"],
        &["flag", "set", "checkout/new@prod", "30", "--yes"],
        &["start", "checkout@prod", "--yes"],
    ],
};

/// What stands in a cluster, orchestrators, a flag service of files, alerting, monitoring, and another CI.
pub const SECOND: Room = Room {
    config: SECOND_CONFIG,
    honest: &[
        "gateway-says",
        "istio-says",
        "argo-says",
        "flagger-says",
        "flagd-says",
        "caddy-says",
        "prometheus-says",
        "alertmanager-says",
        "buildbot-says",
    ],
    on_screens: &["argo-says", "flagger-says", "prometheus-says", "alertmanager-says", "buildbot-says"],
    read: &[
        "gw gives trial requests with header gateway-says",
        "mesh gives trial requests with header a ~ istio-says",
        "weights of cart are as planned on: v1 80, v2 20",
        "analysis argo-says",
        "Halt site.shop advancement flagger-says",
        "flagd fails to evaluate it: flagd-says",
        "used prometheus-says",
    ],
    targets: &["checkout@prod", "search@prod", "cart@prod", "web@prod", "site@prod"],
    takes: &[
        &["flag", "show", "checkout/new@prod"],
        &["flag", "show", "checkout/odd@prod"],
        &["show", "map"],
        &["show", "map", "--json"],
        &["flag", "set", "checkout/new@prod", "30", "--yes"],
        &["start", "checkout@prod", "--yes"],
        &["silence", "checkout@prod", "--alert", "Errors", "--for", "2h", "--reason", "x", "--yes"],
        &["rollout", "start", "checkout@prod", "--dry-run"],
        &["rollout", "start", "search@prod", "--dry-run"],
        &["rollout", "start", "site@prod", "--version", "3.0", "--yes", "--wait", "accepted"],
    ],
};

const FIRST_CONFIG: &str = r#"
[room]
name = "proof"

[[backend]]
name = "edge"
kind = "haproxy"
socket = "SOCKET"
every = "1s"

[[backend]]
name = "mesh"
kind = "envoy"
url = "HTTP/envoy"
every = "1s"

[[backend]]
name = "proxy"
kind = "traefik"
url = "HTTP/traefik"
file = "FILE"
every = "1s"

[[backend]]
name = "hub"
kind = "github"
url = "HTTP/github"
token = { file = "TOKEN" }
every = "1s"

[[backend]]
name = "k8s"
kind = "kubernetes"
url = "HTTP/kubernetes"
token = { file = "TOKEN" }
every = "1s"

[[backend]]
name = "flags"
kind = "unleash"
url = "HTTP/unleash"
token = { file = "TOKEN" }
every = "1s"

[[environment]]
name = "prod"
order = 1
effective_within = "2s"

[[service]]
name = "checkout"
repository = { backend = "hub", name = "acme/shop" }
pipeline = { backend = "hub", workflow = "release.yml" }
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "edge", pool = "be", stable = ["v1"], canary = ["v2"] }]
flags = [{ backend = "flags", name = "new", environment = "production" }]

[[service]]
name = "search"
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "mesh", pool = "routing.checkout", stable = ["v1"], canary = ["v2"] }]

[[service]]
name = "cart"
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "proxy", pool = "shop", stable = ["v1"], canary = ["v2"] }]

[[service]]
name = "web"
[service.deploy.prod]
strategy = "rolling"
workload = { backend = "k8s", kind = "Deployment", namespace = "shop", name = "web", container = "main", image = "shop:$version" }
"#;

const SECOND_CONFIG: &str = r#"
[room]
name = "proof"

[[backend]]
name = "gw"
kind = "gateway-api"
url = "HTTP/gateway"
token = { file = "TOKEN" }
namespace = "shop"
every = "1s"

[[backend]]
name = "mesh"
kind = "istio"
url = "HTTP/istio"
token = { file = "TOKEN" }
namespace = "shop"
every = "1s"

[[backend]]
name = "argo"
kind = "kubernetes"
url = "HTTP/argo"
token = { file = "TOKEN" }
every = "1s"

[[backend]]
name = "flagger"
kind = "kubernetes"
url = "HTTP/flagger"
token = { file = "TOKEN" }
every = "1s"

[[backend]]
name = "flags"
kind = "flagd"
url = "HTTP/flagd"
file = "FLAGS"
every = "1s"

[[backend]]
name = "proxy"
kind = "caddy"
url = "HTTP/caddy"
every = "1s"

[[backend]]
name = "prom"
kind = "prometheus"
url = "HTTP/prometheus"
every = "1s"

[[backend]]
name = "alerts"
kind = "alertmanager"
url = "HTTP/alertmanager"
every = "1s"

[[backend]]
name = "ci"
kind = "buildbot"
url = "HTTP/buildbot"
every = "1s"

[[environment]]
name = "prod"
order = 1
effective_within = "2s"

[[discovery]]
name = "traces"
backend = "prom"
environment = "prod"
kind = "otel"
every = "1s"

[[service]]
name = "checkout"
pipeline = { backend = "ci", builder = "checkout", scheduler = "force" }
alerts = { backend = "alerts", match = { service = "$service" } }
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "gw", pool = "checkout", testers = "trial", stable = ["v1"], canary = ["v2"] }]
testers = { header = "x-canary", value = "yes" }
steps = [0, 50, 100]
version = { backend = "prom", query = 'app_info{service="$service"}', label = "version" }
flags = [{ backend = "flags", name = "new" }, { backend = "flags", name = "odd" }]
[[service.signal]]
name = "load"
kind = "value"
backend = "prom"
query = 'load{service="$service"}'
better = "lower"
limit = 0.5

[[service]]
name = "search"
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "mesh", pool = "search", testers = "trial", stable = ["search_v1"], canary = ["search_v2"] }]
testers = { header = "x-canary", value = "yes" }
steps = [0, 50, 100]

[[service]]
name = "cart"
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "proxy", pool = "cart", stable = ["v1"], canary = ["v2"] }]

[[service]]
name = "web"
[service.deploy.prod]
strategy = "rolling"
workload = { backend = "argo", kind = "Rollout", namespace = "shop", name = "web", container = "main", image = "shop:$version" }

[[service]]
name = "site"
[service.deploy.prod]
strategy = "rolling"
workload = { backend = "flagger", kind = "Canary", namespace = "shop", name = "site", container = "main", image = "shop:$version" }
"#;
