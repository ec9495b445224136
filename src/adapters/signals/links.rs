//! Who uses whom from Prometheus: the counters of meshes, proxies and traces that name both ends, in one query.
//!
//! Sources of the names: Istio, "Istio Standard Metrics"; Linkerd, "Proxy Metrics" with the labels of linkerd-viz's own scrape
//! configuration; Envoy, "Cluster manager statistics" with its well-known tags; the OpenTelemetry Collector's service graph connector,
//! whose names are those of Tempo.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::vector::{self, Raw};
use crate::adapters::http::HttpClient;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::link::{Flow, LinkAsk, LinkReading, Telemetry};
use crate::model::signal::Series;
use crate::model::text::Text;

const DOING: &str = "read who uses whom";
/// The label by which all requests and failed ones are told apart in one answer.
const PART_LABEL: &str = "gonogo_part";
/// Links of one answer at most.
const MOST_LINKS: usize = 10_000;

/// A counter and what its series must bear.
type Counter = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

/// The counters of all requests, and of those that failed.
fn counters(kind: Telemetry) -> [Counter; 2] {
    match kind {
        // The user's proxy counts what it sent, also what never arrived; the other end would count the same requests again.
        Telemetry::Istio => [
            ("istio_requests_total", &[("reporter", "=", "source")]),
            ("istio_requests_total", &[("reporter", "=", "source"), ("response_code", "=~", "5..")]),
        ],
        Telemetry::Linkerd => [
            ("response_total", &[("direction", "=", "outbound")]),
            ("response_total", &[("direction", "=", "outbound"), ("classification", "=", "failure")]),
        ],
        Telemetry::Envoy => {
            [("envoy_cluster_upstream_rq_total", &[]), ("envoy_cluster_upstream_rq_xx", &[("envoy_response_code_class", "=", "5")])]
        }
        Telemetry::Otel => [("traces_service_graph_request_total", &[]), ("traces_service_graph_request_failed_total", &[])],
    }
}

/// The query that a question becomes.
pub(super) fn query(ask: &LinkAsk) -> String {
    let [all, failed] = counters(ask.kind);
    format!("{} or {}", part(ask, all, "all"), part(ask, failed, "failed"))
}

fn part(ask: &LinkAsk, (metric, fixed): Counter, name: &str) -> String {
    let own = fixed.iter().map(|(label, sign, value)| ((*label).to_owned(), *sign, (*value).to_owned()));
    let configured = ask.matching.iter().map(|(label, value)| (label.clone(), "=", value.clone()));
    let mut matchers = String::new();
    for (label, sign, value) in own.chain(configured) {
        let gap = if matchers.is_empty() { "" } else { "," };
        let _ = write!(matchers, "{gap}{label}{sign}\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    }
    let (user, used, window) = (&ask.user, &ask.used, ask.window_s);
    format!(
        "label_replace(sum by ({user}, {used}) (rate({metric}{{{matchers}}}[{window}s])) > 0, \"{PART_LABEL}\", \"{name}\", \"\", \"\")"
    )
}

/// Reads it.
pub(super) async fn read(http: &HttpClient, ask: &LinkAsk) -> Result<LinkReading, PortError> {
    let query = query(ask);
    let answer = http.post_form(DOING, "/api/v1/query", &[("query", &query)]).await?;
    let (data, warnings) = vector::data(http, DOING, &answer.value)?;
    let malformed = |why: &str| http.fault(PortErrorKind::Malformed, DOING, why);
    if let Some(warning) = warnings.first().filter(|warning| is_partial(warning)) {
        // Of an answer with holes nobody could say which links are gone.
        return Err(malformed(&format!("the answer is partial: {warning}")));
    }
    let now = answer.date.unwrap_or_else(|| http.clock().now().wall);
    let raw = vector::read(data, now).map_err(|why| malformed(&why))?;
    let flows = flows(&raw, ask).map_err(|why| malformed(&why))?;
    Ok(LinkReading { flows, sent: Text::clean(&query), backend_clock: answer.date })
}

/// Prometheus warns of bad expressions, too, as `PromQL info` and `PromQL warning`; what else it says is about missing data.
fn is_partial(warning: &str) -> bool {
    !warning.starts_with("PromQL ")
}

fn flows(raw: &[Raw], ask: &LinkAsk) -> Result<BTreeMap<Text, BTreeMap<Text, Flow>>, String> {
    let of = |part: &str| -> Result<BTreeMap<(Text, Text), f64>, String> {
        let (series, refused) = vector::pick_alone(raw, |raw| raw.label(PART_LABEL) == part)?;
        if refused > 0 {
            return Err(format!("{refused} samples are no numbers of this time"));
        }
        let ends = |one: &Series| {
            let end = |name: &str| one.labels.iter().find(|(label, _)| label.as_str() == name).map(|(_, value)| value.clone());
            Some(((end(&ask.user)?, end(&ask.used)?), one.samples.last()?.value))
        };
        Ok(series.iter().filter_map(ends).collect())
    };
    let (all, failed) = (of("all")?, of("failed")?);
    if all.len() > MOST_LINKS {
        return Err(format!("more than {MOST_LINKS} links"));
    }
    let mut flows: BTreeMap<Text, BTreeMap<Text, Flow>> = BTreeMap::new();
    for (ends, rate) in all {
        let failed = failed.get(&ends).copied().unwrap_or(0.0);
        if let Some(flow) = Flow::new(rate, failed) {
            flows.entry(ends.0).or_default().insert(ends.1, flow);
        }
    }
    Ok(flows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::json;

    fn ask(kind: Telemetry) -> LinkAsk {
        let (user, used) = kind.labels();
        LinkAsk {
            kind,
            user: user.unwrap_or("app").to_owned(),
            used: used.to_owned(),
            matching: BTreeMap::from([("ns".to_owned(), "a\"b\\".to_owned())]),
            window_s: 300,
        }
    }

    #[test]
    fn each_kind_asks_for_its_own_counters() {
        insta::assert_snapshot!(Telemetry::ALL.map(|kind| query(&ask(kind))).join("\n"));
    }

    #[test]
    fn an_end_without_a_name_is_no_link_and_failed_ones_are_put_to_theirs() {
        let row = |part: &str, client: &str, server: Option<&str>, value: &str| {
            let mut metric = json!({"gonogo_part": part, "client": client});
            if let Some(server) = server {
                metric["server"] = json!(server);
            }
            json!({"metric": metric, "value": [100.0, value]})
        };
        let data = json!({"resultType": "vector", "result": [
            row("all", "web", Some("cart"), "12.34"), row("failed", "web", Some("cart"), "0.5"), row("all", "web", None, "3"),
            row("failed", "web", Some("mail"), "1"),
        ]});
        let raw = vector::read(&data, DateTime::from_timestamp(100, 0).unwrap()).unwrap();
        let flows = flows(&raw, &ask(Telemetry::Otel)).unwrap();
        let told: Vec<_> =
            flows.iter().flat_map(|(user, to)| to.iter().map(move |(used, flow)| format!("{user} {used} {flow:?}"))).collect();
        assert_eq!(told, ["web cart Flow { rate: 12.0, failed: 0.5 }"]);
    }

    #[test]
    fn a_value_that_is_no_number_spoils_the_answer_rather_than_losing_a_link() {
        let data = json!({"resultType": "vector", "result": [{"metric": {"gonogo_part": "all", "client": "a", "server": "b"}, "value": [100.0, "NaN"]}]});
        let raw = vector::read(&data, DateTime::from_timestamp(100, 0).unwrap()).unwrap();
        assert!(flows(&raw, &ask(Telemetry::Otel)).is_err());
    }
}
