//! The rooms over the stand-ins: which backends they have, and where these are asked.

/// A room over some of the stand-ins.
pub struct Room {
    /// Its configuration.
    pub config: &'static str,
    /// What each backend says beside its attack, as far as its answer is read.
    pub honest: &'static [&'static str],
    /// What each says beside its attack when it refuses.
    pub refusals: &'static [&'static str],
    /// Those of them that its screens show.
    pub refusals_on_screens: &'static [&'static str],
    /// Those of them that its screens show.
    pub on_screens: &'static [&'static str],
    /// What is said or shown only where an answer was read to its end.
    pub read: &'static [&'static str],
    /// Its targets, and with that its services, one below the other on the board.
    pub targets: &'static [&'static str],
    /// What the command line is asked beside what it is asked of every room.
    pub takes: &'static [&'static [&'static str]],
}

const FIRST_SAYS: &[&str] = &["haproxy-says", "envoy-says", "traefik-says", "github-says", "kubernetes-says", "unleash-says"];

/// Routers, CI, a cluster and a flag service.
pub const FIRST: Room = Room {
    config: FIRST_CONFIG,
    honest: FIRST_SAYS,
    refusals: FIRST_SAYS,
    refusals_on_screens: FIRST_SAYS,
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

const SECOND_SAYS: &[&str] = &[
    "gateway-says",
    "istio-says",
    "argo-says",
    "flagger-says",
    "flagd-says",
    "caddy-says",
    "prometheus-says",
    "alertmanager-says",
    "buildbot-says",
];

/// What stands in a cluster, orchestrators, a flag service of files, alerting, monitoring, and another CI.
pub const SECOND: Room = Room {
    config: SECOND_CONFIG,
    honest: SECOND_SAYS,
    refusals: SECOND_SAYS,
    refusals_on_screens: SECOND_SAYS,
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

/// Desks, calendars and receivers of notices, around routers that answer.
pub const THIRD: Room = Room {
    config: THIRD_CONFIG,
    // Of what receivers answer where they take a notice nothing is read but OTLP's rejection, and of an event that is understood no word.
    honest: &["servicenow-says", "stuck-says", "calendar-says", "page-says", "media-says", "otlp-says"],
    refusals: &[
        "servicenow-says",
        "stuck-says",
        "calendar-says",
        "page-says",
        "media-says",
        "grafana-says",
        "otlp-says",
        "pushgateway-says",
        "structured-says",
        "binary-says",
        "text-says",
    ],
    // There is room for the first receivers and the first calendar: `read board` and `read changes` say all.
    refusals_on_screens: &["binary-says", "calendar-says"],
    on_screens: &["servicenow-says", "stuck-says", "calendar-says", "otlp-says"],
    read: &[
        "change servicenow-says",
        "is in Authorize there and may not go on to Implement",
        "(calendar-says",
        "is no IANA name",
        "END:page-says",
        "ends what did not begin",
        "answered media-says/<U+009B>31m",
        "the record was rejected: otlp-says",
    ],
    targets: &["checkout@prod", "web@guarded"],
    takes: &[
        &["shift", "checkout@prod", "30", "--yes", "--wait", "accepted"],
        &["shift", "web@guarded", "30", "--yes", "--wait", "accepted"],
        // Until each was tried in vain so often that a room says so.
        &["outbox", "deliver", "--within", "8s"],
        &["outbox", "deliver", "--within", "1s", "--json"],
        &["outbox", "list"],
        &["outbox", "list", "--json"],
        &["outbox", "retry", "stuck"],
        &["status"],
        &["doctor"],
        &["doctor", "--json"],
        &["explain", "shift", "web@guarded", "30"],
        &["show", "changes"],
        &["show", "changes", "--json"],
        &["read", "board"],
        &["read", "changes"],
        &["changes", "pack", "--out", "-"],
        &["trace", "checkout"],
        &["metrics"],
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

const THIRD_CONFIG: &str = r#"
[room]
name = "proof"

[[person]]
name = "ana"
os_user = "USER"
roles = [{ role = "captain" }]

[[person]]
name = "cy"
os_user = "nobody-else"
roles = [{ role = "captain" }]

[[backend]]
name = "edge"
kind = "haproxy"
socket = "ROUTER"
every = "1s"

[[backend]]
name = "rim"
kind = "haproxy"
socket = "ROUTER"
every = "1s"

[[backend]]
name = "itsm"
kind = "servicenow"
url = "HTTP/servicenow"
token = { file = "TOKEN" }

[[backend]]
name = "board"
kind = "servicenow"
url = "HTTP/stuck"
token = { file = "TOKEN" }

[[webhook]]
name = "grafana"
url = "HTTP/grafana/in"
format = "grafana"

[[webhook]]
name = "otlp"
url = "HTTP/otlp/in"
format = "otlp"

[[webhook]]
name = "pushgateway"
url = "HTTP/pushgateway/in"
format = "pushgateway"

[[webhook]]
name = "structured"
url = "HTTP/structured/in"
format = "structured"

[[webhook]]
name = "binary"
url = "HTTP/binary/in"
format = "binary"

[[webhook]]
name = "text"
url = "HTTP/text/in"
format = "text"

[[freeze]]
name = "by-calendar"
reason = "closed"
calendar = "HTTP/calendar/freezes.ics"
unreadable = "warn"

[[freeze]]
name = "by-page"
reason = "closed"
calendar = "HTTP/page/freezes.ics"
unreadable = "warn"

[[freeze]]
name = "by-media"
reason = "closed"
calendar = "HTTP/media/freezes.ics"
unreadable = "warn"

[[environment]]
name = "prod"
order = 1
effective_within = "2s"

[[environment]]
name = "guarded"
order = 2
effective_within = "2s"
protection = { approvals = 1 }

[[service]]
name = "checkout"
[service.deploy.prod]
strategy = "canary"
traffic = [{ backend = "edge", pool = "be", stable = ["v1"], canary = ["v2"] }]

[[service]]
name = "web"
[service.deploy.guarded]
strategy = "canary"
traffic = [{ backend = "rim", pool = "be", stable = ["v1"], canary = ["v2"] }]
"#;
