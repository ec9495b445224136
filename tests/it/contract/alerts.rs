//! The contract of `ports::alerts`, and the real Alertmanager under it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gonogo::adapters::alerts::alertmanager::Alertmanager as Adapter;
use gonogo::model::alert::AlertReading;
use gonogo::model::capability::Capability;
use gonogo::model::catalog::BackendKind;
use gonogo::model::time::rfc3339;
use gonogo::ports::alerts::Alerts;

use crate::servers::alertmanager::Alertmanager;
use crate::servers::http::client;

/// What the contract needs from the world behind a port.
pub trait World {
    /// Fires an alert for this time, or ends it when its end is over.
    fn alert(&self, service: &str, name: &str, severity: &str, summary: &str, span: [DateTime<Utc>; 2]);
    /// Silences a service until then; the silence's identity.
    fn silence(&self, service: &str, comment: &str, until: DateTime<Utc>) -> String;
}

impl World for Alertmanager {
    fn alert(&self, service: &str, name: &str, severity: &str, summary: &str, span: [DateTime<Utc>; 2]) {
        let alert = serde_json::json!([{
            "labels": {"alertname": name, "service": service, "severity": severity},
            "annotations": {"summary": summary},
            "startsAt": rfc3339(&span[0]),
            "endsAt": rfc3339(&span[1]),
            "generatorURL": "http://127.0.0.1/graph",
        }]);
        self.post("/api/v2/alerts", &alert.to_string());
    }

    fn silence(&self, service: &str, comment: &str, until: DateTime<Utc>) -> String {
        let silence = serde_json::json!({
            "matchers": [{"name": "service", "value": service, "isRegex": false}, {"name": "severity", "value": "none", "isRegex": false, "isEqual": false}],
            "startsAt": rfc3339(&(until - TimeDelta::hours(2))),
            "endsAt": rfc3339(&until),
            "createdBy": "ana",
            "comment": comment,
        });
        let answer = self.post("/api/v2/silences", &silence.to_string());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<serde_json::Value>(body).unwrap()["silenceID"].as_str().unwrap().to_owned()
    }
}

async fn until(port: &dyn Alerts, what: &str, holds: impl Fn(&AlertReading) -> bool) -> AlertReading {
    let reading = async {
        loop {
            let reading = port.read().await.unwrap();
            if holds(&reading) {
                return reading;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

/// Everything that any alerting system behind the port must do.
pub async fn contract(port: &dyn Alerts, world: &dyn World, now: DateTime<Utc>) {
    assert!(port.capabilities().contains(&Capability::ReadAlerts));
    let empty = port.read().await.unwrap();
    assert_eq!((empty.alerts.len(), empty.groups.len(), empty.silences.len()), (0, 0, 0));
    assert!((empty.backend_clock.unwrap() - now).abs() < TimeDelta::seconds(60));

    let (before, later) = (now - TimeDelta::seconds(30), now + TimeDelta::hours(1));
    world.alert("checkout", "Errors", "critical", "error rate \u{1b}[31m5 %\u{202e}", [before, later]);
    world.alert("checkout", "Slow", "warning", "slow", [before, later]);
    world.alert("ledger", "Errors", "critical", "errors", [before, later]);
    let silence = world.silence("ledger", "a known fault", later);
    let settled = |reading: &AlertReading| {
        let state = |name: &str, service: &str| {
            reading.alerts.iter().find(|alert| alert.name.as_str() == name && alert.label("service").unwrap().as_str() == service)
        };
        state("Slow", "checkout").is_some_and(|alert| !alert.inhibited_by.is_empty())
            && state("Errors", "ledger").is_some_and(|alert| !alert.silenced_by.is_empty())
            && reading.groups.len() == 2
    };
    let reading = until(port, "three alerts, one silenced, one inhibited", settled).await;
    assert_eq!(reading.alerts.len(), 3, "silenced and inhibited ones are shown");
    let find = |name: &str, service: &str| {
        reading.alerts.iter().find(|alert| alert.name.as_str() == name && alert.label("service").unwrap().as_str() == service).unwrap()
    };
    let errors = find("Errors", "checkout");
    assert_eq!(errors.severity.as_str(), "critical");
    assert_eq!(errors.annotation("summary").unwrap().as_str(), "error rate ␛[31m5 %<U+202E>", "text from outside is cleaned");
    assert!((errors.since - before).abs() < TimeDelta::seconds(1));
    assert!(errors.silenced_by.is_empty() && errors.inhibited_by.is_empty());
    assert_eq!(errors.source_url.as_str(), "http://127.0.0.1/graph");
    assert_eq!(find("Slow", "checkout").inhibited_by, std::slice::from_ref(&errors.fingerprint));
    assert_eq!(find("Errors", "ledger").silenced_by.iter().map(gonogo::model::text::Text::as_str).collect::<Vec<_>>(), [silence.as_str()]);

    let group = reading.groups.iter().find(|group| group.labels.iter().any(|(_, value)| value.as_str() == "checkout")).unwrap();
    let mut members = vec![errors.fingerprint.clone(), find("Slow", "checkout").fingerprint.clone()];
    members.sort();
    assert_eq!(group.fingerprints, members);

    let [active] = reading.silences.as_slice() else { panic!("one silence: {:?}", reading.silences) };
    assert_eq!(active.id.as_str(), silence);
    assert_eq!(
        active.matchers.iter().map(gonogo::model::text::Text::as_str).collect::<Vec<_>>(),
        [r#"service="ledger""#, r#"severity!="none""#]
    );
    assert_eq!((active.by.as_str(), active.comment.as_str()), ("ana", "a known fault"));
    assert!((active.ends - later).abs() < TimeDelta::seconds(1));

    world.alert("checkout", "Errors", "critical", "over", [before, now - TimeDelta::seconds(1)]);
    let over = until(port, "the alert to end", |reading| reading.alerts.len() == 2).await;
    assert!(over.alerts.iter().all(|alert| alert.fingerprint != errors.fingerprint));
    assert_eq!(port.read().await.unwrap().alerts, over.alerts, "equal readings are equal");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a real server lives in real time")]
async fn alertmanager_keeps_the_contract() {
    let server = Alertmanager::start();
    contract(&Adapter::new(client(BackendKind::Alertmanager, &server.url())), &server, Utc::now()).await;
}
