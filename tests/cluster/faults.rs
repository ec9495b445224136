//! What can go wrong between us and a cluster: another hand in between, refusals, pauses, answers that are cut, lost or hostile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use gonogo::adapters::kubernetes::Kind;
use gonogo::adapters::traffic::cluster::ClusterRoutes;
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::{PortError, PortErrorKind, SendError};
use gonogo::model::traffic::Weights;
use gonogo::ports::traffic::Traffic;
use serde_json::json;

use crate::contract::{not_done, now, shift, weights};
use crate::gateway::{Gateway, accepted, route, written};
use crate::plane::{over, plane};
use crate::routes::{backs, pool, stage};
use crate::servers::between::{Between, Pass};
use crate::servers::support::Server;

/// A route with a gateway, and the API in plain text.
struct Stage {
    namespace: &'static str,
    _gateway: Gateway,
    _proxy: Server,
    port: u16,
}

impl Stage {
    fn new(namespace: &'static str) -> Self {
        stage(namespace, &backs());
        let gateway = Gateway::start(namespace);
        plane().apply(&[route(namespace, "edge")]);
        accepted(namespace);
        let (proxy, port) = plane().plain();
        Self { namespace, _gateway: gateway, _proxy: proxy, port }
    }

    /// The adapter behind a go-between.
    fn through(&self, decide: impl Fn(&str) -> Pass + Send + Sync + 'static) -> (Between, ClusterRoutes) {
        let between = Between::start(self.port, decide);
        let adapter = ClusterRoutes::gateway_api(over(BackendKind::GatewayApi, &between.url(), self.namespace, Duration::from_secs(5)));
        (between, adapter)
    }
}

async fn to(adapter: &dyn Traffic, one: u32, two: u32, expect: Option<Weights>) -> Result<(), SendError> {
    let wished = weights(&[("v1", one), ("v2", two)]);
    adapter.set_weights(&shift(&"gateway-api".parse().unwrap(), &pool("checkout"), wished, expect)).await
}

fn unknown(result: Result<(), SendError>) -> PortError {
    match result {
        Err(SendError::Unknown(error)) => error,
        other => panic!("expected Unknown, got {other:?}"),
    }
}

fn is_write(request: &str) -> bool {
    request.starts_with("PATCH ") && !request.lines().next().unwrap_or_default().contains("dryRun")
}

fn is_dry(request: &str) -> bool {
    request.starts_with("PATCH ") && request.lines().next().unwrap_or_default().contains("dryRun=All")
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hand_between_reading_and_writing_is_a_conflict_and_is_not_overwritten() {
    let stage = Stage::new("faults-conflict");
    for dry in [true, false] {
        plane().apply(&[route(stage.namespace, "edge")]);
        accepted(stage.namespace);
        let (namespace, was) = (stage.namespace, AtomicBool::new(false));
        let (between, adapter) = stage.through(move |request| {
            let mine = if dry { is_dry(request) } else { is_write(request) };
            if mine && !was.swap(true, Ordering::Relaxed) {
                let patch = r#"[{"op":"add","path":"/spec/rules/0/backendRefs/1/weight","value":7}]"#;
                plane().run(&["-n", namespace, "patch", "httproute", "checkout", "--type=json", "-p", patch]);
            }
            Pass::On
        });
        assert_eq!(not_done(to(&adapter, 80, 20, None).await), PortErrorKind::Conflict, "dry: {dry}");
        assert_eq!(written(stage.namespace), [100, 7]);
        assert_eq!(between.writes().len(), if dry { 1 } else { 2 }, "nothing is tried again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_controllers_note_in_a_route_is_not_in_the_way() {
    let stage = Stage::new("faults-notes");
    let (namespace, left) = (stage.namespace, AtomicU32::new(3));
    let (_between, adapter) = stage.through(move |request| {
        if request.starts_with("PATCH ")
            && let Ok(more) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        {
            plane().run(&["-n", namespace, "annotate", "--overwrite", "httproute", "checkout", &format!("note={more}")]);
        }
        Pass::On
    });
    to(&adapter, 80, 20, None).await.unwrap();
    assert_eq!(written(stage.namespace), [80, 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_nothing_is_told_so_and_nothing_is_written() {
    let namespace = "faults-forbidden";
    stage(namespace, &backs());
    plane().apply(&[route(namespace, "edge")]);
    let adapter = ClusterRoutes::gateway_api(plane().cluster(BackendKind::GatewayApi, namespace, true));
    let error = adapter.read(&[pool("checkout")]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Forbidden);
    assert!(error.to_string().contains("cannot get resource"), "{error}");
    assert!(!error.to_string().contains(crate::plane::NOBODY), "{error}");
    assert_eq!(not_done(to(&adapter, 80, 20, None).await), PortErrorKind::Forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_the_cluster_does_not_know_is_told_from_an_object_that_is_not_there() {
    let stage = Stage::new("faults-absent");
    let missing = |status: &'static str, message: &'static str| {
        let body =
            json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": "NotFound" }).to_string();
        move |request: &str| if request.contains("/httproutes/") { Pass::Say(crate::faults::answer(status, "", &body)) } else { Pass::On }
    };
    let (_between, adapter) = stage.through(missing("404 Not Found", "the server could not find the requested resource"));
    let error = adapter.read(&[pool("checkout")]).await.unwrap_err();
    assert_eq!(
        (error.kind.clone(), error.detail.as_str()),
        (PortErrorKind::Unsupported, "this cluster has no httproutes.gateway.networking.k8s.io")
    );
    let (_between, adapter) = stage.through(|_| Pass::On);
    assert_eq!(adapter.read(&[pool("nothing")]).await.unwrap().missing, [pool("nothing")]);
    // A page of somebody who stands before the API is no word about the object.
    let (_between, adapter) = stage.through(missing("404 Not Found", "no such page"));
    assert_eq!(adapter.read(&[pool("checkout")]).await.unwrap_err().kind, PortErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_asks_for_patience_gets_it() {
    let stage = Stage::new("faults-patience");
    let (between, adapter) = stage.through(|request| {
        let busy = json!({ "kind": "Status", "code": 429, "message": "too many requests, please try again later" }).to_string();
        if is_dry(request) { Pass::Say(answer("429 Too Many Requests", "Retry-After: 60\r\n", &busy)) } else { Pass::On }
    });
    let error = match to(&adapter, 80, 20, None).await {
        Err(SendError::NotDone(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(error.kind, PortErrorKind::RateLimited { until: Some(_) }), "{error:?}");
    let sent = between.writes().len();
    assert!(matches!(not_done(to(&adapter, 80, 20, None).await), PortErrorKind::RateLimited { .. }));
    assert_eq!(between.writes().len(), sent, "nothing is sent while it lasts");
    assert_eq!(written(stage.namespace), [100, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_settled_by_reading_back() {
    let stage = Stage::new("faults-lost");
    // It happened, and the answer never came: what reads back says so.
    let (_between, adapter) = stage.through(|request| if is_write(request) { Pass::OnThenCut } else { Pass::On });
    to(&adapter, 80, 20, None).await.unwrap();
    assert_eq!(written(stage.namespace), [80, 20]);
    // It never arrived: what reads back says that too.
    let (_between, adapter) = stage.through(|request| if is_write(request) { Pass::Cut } else { Pass::On });
    assert_eq!(not_done(to(&adapter, 50, 50, None).await), PortErrorKind::Unreachable);
    assert_eq!(written(stage.namespace), [80, 20]);
    // It happened, and from then on nobody answers.
    let gone = AtomicBool::new(false);
    let (_between, adapter) = stage.through(move |request| match is_write(request) {
        true => {
            gone.store(true, Ordering::Relaxed);
            Pass::OnThenCut
        }
        false if gone.load(Ordering::Relaxed) => Pass::Cut,
        false => Pass::On,
    });
    let error = unknown(to(&adapter, 60, 40, None).await);
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert_eq!(written(stage.namespace), [60, 40]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hostile_cut_or_another_object_is_no_answer() {
    let stage = Stage::new("faults-hostile");
    let say = |bytes: Vec<u8>| move |request: &str| if request.contains("/httproutes/") { Pass::Say(bytes.clone()) } else { Pass::On };
    let ok = |body: &str| answer("200 OK", "", body);
    let cut = {
        let mut bytes = ok(r#"{"metadata":{"resourceVersion":"1","#);
        let head = String::from_utf8(bytes.clone()).unwrap().replace("Content-Length: ", "Content-Length: 9");
        bytes = head.into_bytes();
        bytes
    };
    for (bytes, kind) in [
        (ok("<html>sign in</html>"), PortErrorKind::Malformed),
        (ok(r#"{"kind":"Status"}"#), PortErrorKind::Malformed),
        (ok(&"[".repeat(10_000)), PortErrorKind::Malformed),
        (cut, PortErrorKind::Unreachable),
    ] {
        let (_between, adapter) = stage.through(say(bytes));
        assert_eq!(adapter.read(&[pool("checkout")]).await.unwrap_err().kind, kind);
    }
    // What it says reaches no terminal as it is.
    let evil = json!({ "kind": "Status", "message": "\u{1b}[2J\u{202e}gone" }).to_string();
    let (_between, adapter) = stage.through(say(answer("500 Internal Server Error", "", &evil)));
    let error = adapter.read(&[pool("checkout")]).await.unwrap_err();
    assert!(!error.to_string().contains(['\u{1b}', '\u{202e}']), "{error:?}");
    assert_eq!(now(&stage.through(|_| Pass::On).1, &pool("checkout")).await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_no_controller_took_over_are_not_called_done() {
    let namespace = "faults-controller";
    stage(namespace, &backs());
    let gateway = Gateway::start(namespace);
    plane().apply(&[route(namespace, "edge")]);
    accepted(namespace);
    let (_proxy, port) = plane().plain();
    let adapter =
        ClusterRoutes::gateway_api(over(BackendKind::GatewayApi, &format!("http://127.0.0.1:{port}"), namespace, Duration::from_secs(2)));
    drop(gateway);
    let error = unknown(to(&adapter, 80, 20, None).await);
    assert_eq!(error.kind, PortErrorKind::TimedOut);
    assert!(error.to_string().contains("has not taken the weights over"), "{error}");
    assert_eq!(written(namespace), [80, 20]);
    // Nor are they read as what the traffic goes by.
    assert_eq!(adapter.read(&[pool("checkout")]).await.unwrap().missing, [pool("checkout")]);
}

/// A list that ends in the middle, since what it goes on from is no longer known, is read anew, once: all of it, and nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_grew_too_old_between_its_pages_is_read_anew_once() {
    let namespace = "faults-gone";
    plane().namespace(namespace);
    let names = ["one", "two", "three"];
    let each = |name: &str| {
        json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": { "name": name, "namespace": namespace },
            "addressType": "IPv4", "endpoints": [] })
    };
    plane().apply(&names.map(each));
    let (_proxy, port) = plane().plain();
    for (ends, lists) in [(0, 1), (1, 2), (2, 2)] {
        let (left, begun) = (Arc::new(AtomicU32::new(ends)), Arc::new(AtomicU32::new(0)));
        let counted = begun.clone();
        let between = Between::start(port, move |request| {
            let first = request.lines().next().unwrap_or_default();
            if !first.contains("/endpointslices?") {
                return Pass::On;
            }
            if !first.contains("continue=") {
                counted.fetch_add(1, Ordering::SeqCst);
            } else if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                let gone = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410,
                    "message": "The provided continue parameter is too old to display a consistent list result." });
                return Pass::Say(answer("410 Gone", "", &gone.to_string()));
            }
            Pass::Changed(request.replacen("limit=500", "limit=1", 1))
        });
        let cluster = over(BackendKind::Kubernetes, &between.url(), namespace, Duration::from_secs(5));
        let read = cluster.list("look", Kind::EndpointSlice, namespace, "").await;
        assert_eq!(begun.load(Ordering::SeqCst), lists, "so often it is begun when it ends early {ends} times");
        match read {
            Ok(all) => {
                let mut found: Vec<&str> = all.iter().filter_map(|one| one.pointer("/metadata/name")?.as_str()).collect();
                found.sort_unstable();
                assert_eq!((found, ends < 2), (vec!["one", "three", "two"], true));
            }
            Err(error) => assert!(ends == 2 && error.to_string().contains("410"), "{error}"),
        }
    }
}

/// An answer with a status, further heads and JSON.
pub fn answer(status: &str, heads: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n{heads}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
