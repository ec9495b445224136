//! The contract of `ports::metrics`, and the real Prometheus under it.

use std::time::Duration;

use gonogo::adapters::signals::prometheus::Prometheus as Adapter;
use gonogo::model::capability::Capability;
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::PortErrorKind;
use gonogo::model::signal::{Answer, Ask, Form, Series, SignalReading, Subject};
use gonogo::ports::metrics::Metrics;

use crate::servers::http::client;
use crate::servers::prometheus::{Exporter, Prometheus};
use crate::servers::support::free_port;

/// What the contract needs from the world behind a port: counters that the suite may set.
pub trait World {
    /// Sets a series from now on.
    fn set(&self, series: &str, value: f64);
    /// Takes a series away.
    fn remove(&self, series: &str);
}

impl World for Exporter {
    fn set(&self, series: &str, value: f64) {
        Self::set(self, series, value);
    }

    fn remove(&self, series: &str) {
        Self::remove(self, series);
    }
}

fn ask(service: &str, template: &str, form: Form) -> Ask {
    Ask {
        target: format!("{service}@prod").parse().unwrap(),
        slot: None,
        subject: Subject::Version,
        template: template.into(),
        values: [("service".into(), service.into()), ("track".into(), "stable".into())].into(),
        form,
    }
}

const TOTAL: &str = r#"requests_total{service="$service",track="$track"}"#;

fn series(answer: &Answer) -> &[Series] {
    answer.series.as_ref().unwrap_or_else(|error| panic!("{error}, asked: {}", answer.query))
}

/// Reads until a condition holds.
async fn until(port: &dyn Metrics, asks: &[Ask], what: &str, holds: impl Fn(&SignalReading) -> bool) -> SignalReading {
    let reading = async {
        loop {
            let reading = port.read(asks).await.unwrap();
            if holds(&reading) {
                return reading;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

/// Everything that any monitoring system behind the port must do.
pub async fn contract(port: &dyn Metrics, world: &dyn World) {
    assert!(port.capabilities().contains(&Capability::ReadSignals));
    let counters = Form::Counters { window_s: 60 };
    world.set(r#"requests_total{service="checkout",track="stable",code="200"}"#, 100.0);
    world.set(r#"requests_total{service="checkout",track="canary",code="200"}"#, 900.0);
    world.set(r#"requests_total{service="ledger",track="stable",code="200"}"#, 7.0);
    world.set(r#"requests_total{service="ledger",track="stable",code="500"}"#, 3.0);
    world.set(r#"app_info{service="checkout",version="1.4.2"}"#, 1.0);
    let asks = [
        ask("checkout", TOTAL, counters),
        ask("ledger", TOTAL, counters),
        ask("mail", TOTAL, counters),
        ask("checkout", r#"app_info{service="$service"}"#, Form::Instant),
        ask("checkout", r#"sum(requests_total{service="$service"})"#, Form::Instant),
        ask("ledger", r#"sum(requests_total{service="$service"})"#, Form::Instant),
        ask("checkout", r#"sum(requests_total{service="$service"}"#, Form::Instant),
        ask("checkout", r#"rate(requests_total{service="$service"}[1m])"#, counters),
        ask("checkout", r#"requests_total{service="$servcie"}"#, counters),
    ];
    let two = |reading: &SignalReading| {
        reading.answers[..2].iter().all(|answer| series(answer).first().is_some_and(|series| series.samples.len() >= 2))
    };
    let reading = until(port, &asks, "two samples", two).await;
    assert_eq!(reading.answers.iter().map(|answer| &answer.ask).collect::<Vec<_>>(), asks.iter().collect::<Vec<_>>(), "in order");

    let checkout = series(&reading.answers[0]);
    assert_eq!(checkout.len(), 1, "the canary is not the stable track: {checkout:?}");
    assert!(checkout[0].samples.iter().all(|sample| sample.value.to_bits() == 100_f64.to_bits()));
    assert!(checkout[0].samples.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms), "rising times");
    let ledger = series(&reading.answers[1]);
    let codes: Vec<_> = ledger.iter().map(|series| series.label("code").unwrap().as_str()).collect();
    assert_eq!(codes.len(), 2, "{ledger:?}");
    assert!(ledger.iter().all(|series| series.label("service").unwrap().as_str() == "ledger"));
    assert_eq!(series(&reading.answers[2]), [], "no series is no data, never zero");

    let queries: Vec<_> = reading.answers[..2].iter().map(|answer| answer.query.as_str()).collect();
    let whole = |service: &str| format!(r#"requests_total{{service="{service}",track="stable"}}[60s]"#);
    assert_eq!(queries, [whole("checkout"), whole("ledger")], "each is told as it can be asked alone");
    let version = series(&reading.answers[3]);
    assert_eq!(version[0].label("version").unwrap().as_str(), "1.4.2");
    assert_eq!(version[0].samples.len(), 1);
    let sum = |at: usize| series(&reading.answers[at])[0].samples[0].value;
    assert!((sum(4) - 1_000.0).abs() < f64::EPSILON && (sum(5) - 10.0).abs() < f64::EPSILON, "a lost label is never folded");

    let kind = |at: usize| reading.answers[at].series.as_ref().unwrap_err().kind.clone();
    assert_eq!(kind(6), PortErrorKind::Refused, "one bad question fails alone");
    assert_eq!(kind(7), PortErrorKind::Unsupported, "a rate hides the times of its samples");
    assert_eq!(kind(8), PortErrorKind::Refused, "nothing stands for a misspelt placeholder");

    let aged = [ask("checkout", TOTAL, Form::Instant), ask("checkout", TOTAL, counters)];
    let reading = port.read(&aged).await.unwrap();
    let newest = series(&reading.answers[0])[0].samples.clone();
    assert_eq!(newest.len(), 1);
    let raw = &series(&reading.answers[1])[0].samples;
    assert!(raw.contains(&newest[0]), "the newest value bears the time of its sample: {newest:?} {raw:?}");

    world.set(r#"requests_total{service="checkout",track="stable",code="200"}"#, 130.0);
    let grown = |reading: &SignalReading| series(&reading.answers[0])[0].samples.last().is_some_and(|last| last.value > 129.0);
    let reading = until(port, &asks[..1], "the counter to grow", grown).await;
    let values: Vec<_> = series(&reading.answers[0])[0].samples.iter().map(|sample| sample.value).collect();
    assert!((values[0] - 100.0).abs() < f64::EPSILON, "raw counters, not rates: {values:?}");

    world.remove(r#"app_info{service="checkout",version="1.4.2"}"#);
    let gone = |reading: &SignalReading| series(&reading.answers[0]).is_empty();
    until(port, &asks[3..4], "a series that ended to go stale", gone).await;
}

const RULES: &str = r#"- name: test
  rules:
  - {alert: Fires, expr: "dead == 1"}
  - {alert: Broken, expr: "pair * on (side) pair"}
  - {record: kept, expr: "vector(1)"}
"#;

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a real server lives in real time")]
async fn prometheus_tells_its_targets_its_clock_and_which_rules_can_be_believed() {
    let exporter = Exporter::start();
    exporter.set(r#"pair{side="a",n="1"}"#, 1.0);
    exporter.set(r#"pair{side="a",n="2"}"#, 1.0);
    let server = Prometheus::start(&[exporter.port, free_port()], RULES, "");
    let port = Adapter::new(client(BackendKind::Prometheus, &server.url()));
    let settled = |reading: &SignalReading| {
        reading.targets == 2 && reading.targets_up == 1 && reading.rules.iter().any(|rule| !rule.error.is_empty())
    };
    let reading = until(&port, &[], "a target, a dead target and a broken rule", settled).await;
    let rules: Vec<_> = reading.rules.iter().map(|rule| (rule.name.as_str(), rule.healthy, rule.evaluated.is_some())).collect();
    assert_eq!(rules, [("Fires", true, true), ("Broken", false, true)], "recording rules are no alerts");
    assert!(reading.rules[1].error.as_str().contains("many-to-many"), "{}", reading.rules[1].error);
    assert!((reading.backend_clock.unwrap() - chrono::Utc::now()).abs() < chrono::TimeDelta::seconds(10));
    assert_eq!(reading.answers, []);
}

#[tokio::test]
async fn a_value_that_would_break_out_of_its_query_finds_nothing() {
    let exporter = Exporter::start();
    exporter.set(r#"m{service="a.b"}"#, 1.0);
    exporter.set(r#"m{service="axb"}"#, 2.0);
    let server = Prometheus::start(&[exporter.port], "", "");
    let port = Adapter::new(client(BackendKind::Prometheus, &server.url()));
    let template = r#"m{service="$service"}"#;
    let mut asks = vec![ask("a.b", template, Form::Instant), ask("axb", template, Form::Instant)];
    let mut hostile = ask("hostile", template, Form::Instant);
    hostile.values = [("service".into(), r#"x"} or m{service=~".*"#.into())].into();
    asks.push(hostile);
    let reading = until(&port, &asks, "both series", |reading| reading.answers[..2].iter().all(|answer| series(answer).len() == 1)).await;
    let values: Vec<_> = reading.answers[..2].iter().map(|answer| series(answer)[0].samples[0].value).collect();
    assert_eq!(values, [1.0, 2.0], "a dot is a dot");
    assert_eq!(series(&reading.answers[2]), []);
    assert_eq!(reading.answers[2].query.as_str(), r#"m{service="x\"} or m{service=~\".*"}"#, "nor does what it is told as");
}

#[tokio::test]
async fn prometheus_keeps_the_contract() {
    let exporter = Exporter::start();
    let server = Prometheus::start(&[exporter.port], "", "");
    contract(&Adapter::new(client(BackendKind::Prometheus, &server.url())), &exporter).await;
}
