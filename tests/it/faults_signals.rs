//! Faults in the data of monitoring and alerting systems: each spoils what it must and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gonogo::adapters::alerts::alertmanager::Alertmanager;
use gonogo::adapters::http::Credential;
use gonogo::adapters::signals::prometheus::Prometheus;
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::{PortError, PortErrorKind};
use gonogo::model::signal::{Ask, Form, SignalReading, Subject};
use gonogo::ports::alerts::Alerts;
use gonogo::ports::metrics::Metrics;
use tokio::io::AsyncWriteExt;

use crate::servers::fault::{Fault, answer, json};
use crate::servers::http::client_with;

const DEADLINE: Duration = Duration::from_millis(1_500);

fn ask(service: &str) -> Ask {
    Ask {
        target: format!("{service}@prod").parse().unwrap(),
        slot: None,
        subject: Subject::Version,
        template: r#"m{service="$service"}"#.into(),
        values: [("service".into(), service.into())].into(),
        form: Form::Counters { window_s: 60 },
    }
}

/// Reads in bounded time.
async fn read(url: &str, asks: &[Ask]) -> Result<SignalReading, PortError> {
    let port = Prometheus::new(client_with(BackendKind::Prometheus, url, DEADLINE, &Credential::Nothing));
    tokio::time::timeout(DEADLINE * 4, port.read(asks)).await.expect("an end in time")
}

fn matrix(rows: &str) -> String {
    format!(r#"{{"status":"success","warnings":["partial \u001b[2J"],"data":{{"resultType":"matrix","result":[{rows}]}}}}"#)
}

#[tokio::test]
async fn a_megabyte_of_labels_spoils_one_answer_and_the_rest_lives() {
    let good = r#"{"metric":{"service":"good"},"values":[[1,"1"]]}"#;
    let bad = format!(r#"{{"metric":{{"service":"bad","x":"{}"}},"values":[[1,"1"]]}}"#, "y".repeat(1_000_000));
    let server = Fault::prometheus(move |_| matrix(&format!("{good},{bad}"))).await;
    let reading = read(&server.url(), &[ask("good"), ask("bad")]).await.unwrap();
    assert_eq!(reading.answers[0].series.as_ref().unwrap().len(), 1);
    let error = reading.answers[1].series.as_ref().unwrap_err();
    assert!(error.kind == PortErrorKind::Malformed && error.to_string().contains("label `x`"), "{error}");
    assert_eq!(reading.answers[0].query.as_str(), r#"m{service="good"}[60s]"#, "it can be asked alone");
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "targets, rules and one query");
    let together = |request: &String| request.contains("query=m%7Bservice%3D%7E%22bad%7Cgood%22%7D%5B60s%5D");
    assert!(requests.iter().any(together), "two questions go as one: {requests:?}");
}

#[tokio::test]
async fn the_same_series_twice_spoils_one_answer() {
    let row = |service: &str| format!(r#"{{"metric":{{"service":"{service}"}},"values":[[1,"1"]]}}"#);
    let server = Fault::prometheus(move |_| matrix(&[row("a"), row("b"), row("b")].join(","))).await;
    let reading = read(&server.url(), &[ask("a"), ask("b")]).await.unwrap();
    assert!(reading.answers[0].series.is_ok());
    assert!(reading.answers[1].series.as_ref().unwrap_err().to_string().contains("the same series came twice"));
}

#[tokio::test]
async fn hostile_numbers_and_texts_come_clean_or_not_at_all() {
    let rows = r#"{"metric":{"service":"a","v":"1\u001b]0;x\u0007\u202e"},"values":[[1,"NaN"],[2,"+Inf"],[3,"3"],[3,"4"],[2,"5"],[99999999999,"6"]]}"#;
    let server = Fault::prometheus(move |_| matrix(rows)).await;
    let reading = read(&server.url(), &[ask("a")]).await.unwrap();
    let series = reading.answers[0].series.as_ref().unwrap();
    assert_eq!(series[0].samples.len(), 1);
    assert_eq!(reading.answers[0].refused, 5);
    assert_eq!(series[0].label("v").unwrap().as_str(), "1␛]0;x␇<U+202E>");
    assert_eq!(
        reading.warnings.iter().map(gonogo::model::text::Text::as_str).collect::<Vec<_>>(),
        ["partial ␛[2J"],
        "partial data says so"
    );
}

#[tokio::test]
async fn a_query_that_is_refused_as_a_whole_is_asked_one_by_one() {
    let server = Fault::prometheus(|request| {
        if request.contains("bad") {
            r#"{"status":"error","errorType":"execution","error":"too many samples"}"#.to_owned()
        } else {
            matrix(r#"{"metric":{"service":"good"},"values":[[1,"1"]]}"#)
        }
    })
    .await;
    let reading = read(&server.url(), &[ask("good"), ask("bad")]).await.unwrap();
    assert_eq!(reading.answers[0].series.as_ref().unwrap().len(), 1);
    let error = reading.answers[1].series.as_ref().unwrap_err();
    assert!(error.kind == PortErrorKind::Refused && error.to_string().contains("execution: too many samples"), "{error}");
}

#[tokio::test]
async fn an_answer_for_another_object_is_malformed() {
    let server = Fault::prometheus(|_| matrix(r#"{"metric":{"service":"b"},"values":[[1,"1"]]}"#)).await;
    let reading = read(&server.url(), &[ask("a")]).await.unwrap();
    let error = reading.answers[0].series.as_ref().unwrap_err();
    assert!(error.kind == PortErrorKind::Malformed && error.to_string().contains("not asked for"), "{error}");
}

#[tokio::test]
async fn a_hundred_questions_go_as_two_queries() {
    let server = Fault::prometheus(|_| matrix("")).await;
    let asks: Vec<Ask> = (0..100).map(|n| ask(&format!("s{n}"))).collect();
    let reading = read(&server.url(), &asks).await.unwrap();
    assert_eq!(reading.answers.len(), 100);
    assert_eq!(server.requests().len(), 2 + 2, "targets, rules and two queries");
}

#[tokio::test]
async fn no_more_than_four_queries_are_under_way_at_once_and_a_slow_one_fails_alone() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = Fault::start(move |mut stream, request| {
        let (now, most) = (Arc::clone(&counted), Arc::clone(&highest));
        async move {
            let query = !request.contains("count_values") && !request.contains("/rules");
            if query {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(if request.contains("slow") { 3_000 } else { 50 })).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
            let body = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
            let _ = stream.write_all(&json(body)).await;
        }
    })
    .await;
    let asks: Vec<Ask> = (0..12)
        .map(|n| Ask { template: format!("sum({}{n})", if n == 3 { "slow" } else { "m" }).into(), form: Form::Instant, ..ask("a") })
        .collect();
    let reading = read(&server.url(), &asks).await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 4);
    for (n, answer) in reading.answers.iter().enumerate() {
        assert_eq!(answer.series.as_ref().err().map(|error| error.kind.clone()), (n == 3).then_some(PortErrorKind::TimedOut), "{n}");
    }
}

#[tokio::test]
async fn alertmanager_faults_are_named_and_a_long_label_is_cut() {
    let read = async |body: String| {
        let server = Fault::start(move |mut stream, request| {
            let bytes = if request.contains("/api/v2/alerts?") { json(&body) } else { json("[]") };
            async move {
                let _ = stream.write_all(&bytes).await;
            }
        })
        .await;
        Alertmanager::new(client_with(BackendKind::Alertmanager, &server.url(), DEADLINE, &Credential::Nothing)).read().await
    };
    let alert = |labels: &str, starts: &str| {
        format!(
            r#"[{{"fingerprint":"f","labels":{{"alertname":"A"{labels}}},"startsAt":"{starts}","status":{{"mutedBy":["night"]}},"later":1}}]"#
        )
    };
    let error = read("{}".to_owned()).await.unwrap_err();
    assert!(error.kind == PortErrorKind::Malformed && error.to_string().contains("is this the address of an Alertmanager?"), "{error}");
    let error = read(alert("", "yesterday")).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to read alerts at alertmanager: the alert `A` has no time at which it began");
    let long = read(alert(&format!(r#","x":"{}""#, "y".repeat(1_000_000)), "2026-11-23T10:00:00Z")).await.unwrap();
    assert_eq!(long.alerts[0].label("x").unwrap().as_str().chars().count(), 1_001);
    let server = Fault::sending(answer("401 Unauthorized", "", "")).await;
    let port = Alertmanager::new(client_with(BackendKind::Alertmanager, &server.url(), DEADLINE, &Credential::Nothing));
    assert_eq!(port.read().await.unwrap_err().kind, PortErrorKind::Unauthorised);
}
