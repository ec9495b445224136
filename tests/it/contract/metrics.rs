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

/// What the contract needs from the world behind a port: counters that the suite may set.
trait World {
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
        template: template.to_owned(),
        values: vec![("service".to_owned(), service.to_owned()), ("track".to_owned(), "stable".to_owned())],
        form,
    }
}

const TOTAL: &str = r#"requests_total{service="$service",track="$track"}"#;

fn series(answer: &Answer) -> &[Series] {
    answer.series.as_ref().unwrap_or_else(|error| panic!("{error}, asked: {}", answer.sent))
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
async fn contract(port: &dyn Metrics, world: &dyn World) {
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

    let version = series(&reading.answers[3]);
    assert_eq!(version[0].label("version").unwrap().as_str(), "1.4.2");
    assert_eq!(version[0].samples.len(), 1);
    let sum = |at: usize| series(&reading.answers[at])[0].samples[0].value;
    assert!((sum(4) - 1_000.0).abs() < f64::EPSILON && (sum(5) - 10.0).abs() < f64::EPSILON, "a lost label is never folded");

    let kind = |at: usize| reading.answers[at].series.as_ref().unwrap_err().kind.clone();
    assert_eq!(kind(6), PortErrorKind::Refused, "one bad question fails alone");
    assert_eq!(kind(7), PortErrorKind::Unsupported, "a rate hides the times of its samples");
    assert_eq!(kind(8), PortErrorKind::Refused, "nothing stands for a misspelt placeholder");

    world.set(r#"requests_total{service="checkout",track="stable",code="200"}"#, 130.0);
    let grown = |reading: &SignalReading| series(&reading.answers[0])[0].samples.last().is_some_and(|last| last.value > 129.0);
    let reading = until(port, &asks[..1], "the counter to grow", grown).await;
    let values: Vec<_> = series(&reading.answers[0])[0].samples.iter().map(|sample| sample.value).collect();
    assert!((values[0] - 100.0).abs() < f64::EPSILON, "raw counters, not rates: {values:?}");

    world.remove(r#"app_info{service="checkout",version="1.4.2"}"#);
    let gone = |reading: &SignalReading| series(&reading.answers[0]).is_empty();
    until(port, &asks[3..4], "a series that ended to go stale", gone).await;
}

#[tokio::test]
async fn prometheus_keeps_the_contract() {
    let exporter = Exporter::start();
    let server = Prometheus::start(&[exporter.port], "", "");
    contract(&Adapter::new(client(BackendKind::Prometheus, &server.url())), &exporter).await;
}
