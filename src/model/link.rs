//! Links between services: who uses whom, as it is declared and as discoveries see it in telemetry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{BackendName, EnvironmentName, ServiceName};
use super::text::Text;

/// One service uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Who uses.
    pub user: ServiceName,
    /// Who is used.
    pub used: ServiceName,
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} > {}", self.user, self.used)
    }
}

/// Whose counters tell who uses whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Telemetry {
    /// The standard metrics of Istio, as the proxy of the user reports them.
    Istio,
    /// The proxies of Linkerd, outbound, with the labels of its own Prometheus configuration.
    Linkerd,
    /// The clusters of Envoy. Which service a proxy belongs to is in a label of the scrape.
    Envoy,
    /// The service graph that the OpenTelemetry Collector or Tempo makes of traces.
    Otel,
}

impl Telemetry {
    /// Every kind, in the order in which documents list them.
    pub const ALL: [Self; 4] = [Self::Istio, Self::Linkerd, Self::Envoy, Self::Otel];

    /// The word in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Istio => "istio",
            Self::Linkerd => "linkerd",
            Self::Envoy => "envoy",
            Self::Otel => "otel",
        }
    }

    /// The labels that name the user and the one that is used; none where telemetry of this kind has no such label.
    pub fn labels(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::Istio => (Some("source_canonical_service"), "destination_canonical_service"),
            Self::Linkerd => (Some("deployment"), "dst_deployment"),
            Self::Envoy => (None, "envoy_cluster_name"),
            Self::Otel => (Some("client"), "server"),
        }
    }
}

/// What is asked of a monitoring system about links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkAsk {
    /// Whose counters.
    pub kind: Telemetry,
    /// The label that names the user.
    pub user: String,
    /// The label that names the one that is used.
    pub used: String,
    /// Labels that series must bear beside those.
    pub matching: BTreeMap<String, String>,
    /// The time over which requests are counted, in seconds.
    pub window_s: u64,
}

/// A discovery: telemetry in which links of one environment are seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Its name.
    pub name: BackendName,
    /// The monitoring system.
    pub backend: BackendName,
    /// The environment whose links it sees.
    pub environment: EnvironmentName,
    /// What is asked.
    pub ask: LinkAsk,
    /// Services by the names that telemetry has for them, where those differ.
    pub names: BTreeMap<String, ServiceName>,
    /// The time between two polls.
    pub every: Duration,
    /// The greatest age of a reading that counts as fresh.
    pub stale_after: Duration,
}

/// What goes over a link. Both are rounded to two digits: they say how much it is, and what does not change much stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Requests a second, above 0.
    pub rate: f64,
    /// Requests a second that failed.
    pub failed: f64,
}

impl Flow {
    /// A flow; none where nothing flows, or what was told is no number of requests.
    pub fn new(rate: f64, failed: f64) -> Option<Self> {
        let sound = rate.is_finite() && rate > 0.0 && failed.is_finite() && failed >= 0.0;
        sound.then(|| Self { rate: two_digits(rate), failed: two_digits(failed.min(rate)) })
    }

    /// The share of requests that failed, 0 to 1.
    pub fn failing(&self) -> f64 {
        (self.failed / self.rate).clamp(0.0, 1.0)
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { rate: two_digits(self.rate + other.rate), failed: two_digits(self.failed + other.failed) }
    }
}

fn two_digits(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let step = 10_f64.powf(value.abs().log10().floor() - 1.0);
    let rounded = (value / step).round() * step;
    // A step below one is no exact number, so what is left over of it is cut off.
    format!("{rounded:.9}").parse().unwrap_or(rounded)
}

/// One answer of a discovery: what flows from whom to whom, by the names that telemetry has for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkReading {
    /// By user, then by who is used.
    pub flows: BTreeMap<Text, BTreeMap<Text, Flow>>,
    /// The query as it was sent.
    pub sent: Text,
    /// The backend's own clock.
    pub backend_clock: Option<DateTime<Utc>>,
}

impl Discovery {
    /// The service that telemetry has this name for; the same name where nothing else is configured. `known`: the services deployed to
    /// the environment.
    pub fn service(&self, name: &Text, known: &BTreeSet<ServiceName>) -> Option<ServiceName> {
        let named = self.names.get(name.as_str()).cloned();
        named.or_else(|| ServiceName::new(name.as_str()).ok()).filter(|service| known.contains(service))
    }

    /// The links of a reading between known services, and the names that belong to none of them. A service that uses itself is no link.
    pub fn links(&self, reading: &LinkReading, known: &BTreeSet<ServiceName>) -> (BTreeMap<Link, Flow>, BTreeSet<Text>) {
        let (mut links, mut strangers) = (BTreeMap::<Link, Flow>::new(), BTreeSet::new());
        for (user, used_by) in &reading.flows {
            let user_service = self.service(user, known);
            if user_service.is_none() {
                strangers.insert(user.clone());
            }
            for (used, flow) in used_by {
                let Some(used_service) = self.service(used, known) else {
                    strangers.insert(used.clone());
                    continue;
                };
                let Some(user) = user_service.clone().filter(|user| *user != used_service) else { continue };
                let link = Link { user, used: used_service };
                let sum = links.get(&link).map_or(*flow, |before| before.and(*flow));
                links.insert(link, sum);
            }
        }
        (links, strangers)
    }
}

/// What became of a link, as a line of the timeline tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTold {
    /// Which.
    pub link: Link,
    /// Whether it is seen from then on; else it is not any more.
    pub seen: bool,
}

/// A link as one discovery sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkSeen {
    /// Since when it is seen; none: since before anybody looked.
    pub since: Option<DateTime<Utc>>,
    /// What went over it when it was seen last; none where that was before this room was opened.
    pub flow: Option<Flow>,
    /// Since when it is not seen any more; none: the last reading has it.
    pub gone: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_told_in_two_digits() {
        let told = |rate: f64, failed: f64| Flow::new(rate, failed).map(|flow| (flow.rate, flow.failed));
        assert_eq!(told(1234.5, 0.056_78), Some((1200.0, 0.057)));
        assert_eq!(told(59.6, 0.0), Some((60.0, 0.0)));
        assert_eq!(told(3.0, 4.0), Some((3.0, 3.0)), "no more fail than come");
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(told(nothing, 0.0), None, "{nothing}");
        }
        assert_eq!(told(1.0, f64::NAN), None);
    }

    #[test]
    fn names_of_telemetry_become_services_and_strangers_are_told() {
        let discovery = Discovery {
            name: "mesh".parse().unwrap(),
            backend: "prom".parse().unwrap(),
            environment: "prod".parse().unwrap(),
            ask: LinkAsk {
                kind: Telemetry::Otel,
                user: "client".to_owned(),
                used: "server".to_owned(),
                matching: BTreeMap::new(),
                window_s: 60,
            },
            names: BTreeMap::from([("web-v2".to_owned(), "web".parse().unwrap()), ("web-v1".to_owned(), "web".parse().unwrap())]),
            every: Duration::from_secs(15),
            stale_after: Duration::from_mins(1),
        };
        let known = ["web", "cart"].map(|name| name.parse().unwrap()).into();
        let to = |used: &str, rate| (Text::clean(used), Flow::new(rate, 0.0).unwrap());
        let reading = LinkReading {
            flows: BTreeMap::from([
                (Text::clean("web-v1"), BTreeMap::from([to("cart", 1.0), to("web-v2", 9.0)])),
                (Text::clean("web-v2"), BTreeMap::from([to("cart", 2.0), to("a stranger\u{1b}[2J", 1.0)])),
                (Text::clean("cron"), BTreeMap::from([to("cart", 5.0)])),
            ]),
            sent: Text::empty(),
            backend_clock: None,
        };
        let (links, strangers) = discovery.links(&reading, &known);
        let links: Vec<_> = links.iter().map(|(link, flow)| (link.to_string(), flow.rate)).collect();
        assert_eq!(links, [("web > cart".to_owned(), 3.0)], "both names of web are one service, and it does not use itself");
        assert_eq!(strangers.len(), 2, "{strangers:?}");
    }
}
