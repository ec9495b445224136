//! Caddy alone: the compare-and-set by `If-Match`, handlers that are no pool, a refused configuration.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use gonogo::model::catalog::BackendKind;
use gonogo::model::error::PortErrorKind;
use gonogo::model::name::PoolName;
use serde_json::json;

use super::{Real, name, pool, refused};
use crate::contract::traffic::{now, shift, weights};
use crate::servers::between::{Between, Pass};
use crate::servers::caddy::{self, patch};
use crate::servers::router::Router;
use crate::servers::support::{get, wait_for};

const KIND: BackendKind = BackendKind::Caddy;
const WEIGHTS: &str = "/id/checkout/load_balancing/selection_policy/weights";

/// Gives an upstream another weight.
pub(super) fn foreign(router: &Router, server: &str, weight: u32) {
    let mut all: Vec<u32> = serde_json::from_str(&caddy::weights(router)).unwrap();
    all[usize::from(server == "v2")] = weight;
    patch(router.api, WEIGHTS, &json!(all));
}

/// Waits until Caddy's metrics show an upstream down; they are written every ten seconds.
pub(super) fn fell(router: &Router) {
    wait_for("the upstream down", Duration::from_secs(30), || {
        let metrics = get(router.api, "/metrics")?;
        metrics.lines().any(|line| line.starts_with("caddy_reverse_proxy_upstreams_healthy") && line.ends_with(" 0")).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_changed_between_reading_and_writing_is_a_conflict_by_its_etag() {
    let real = Real::start(KIND);
    let api = real.router.api;
    // Whatever of the handler is changed, also what is no weight.
    let between = Between::start(api, move |request| {
        if request.starts_with("PATCH ") {
            patch(api, "/id/checkout/health_checks/active", &json!({ "uri": "/health", "interval": "150ms" }));
        }
        Pass::On
    });
    let error = refused(real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    assert!(error.detail.as_str().contains("412"), "{error}");
    assert_eq!(real.now().await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_exchange_changes_all_weights() {
    let real = Real::start(KIND);
    let between = Between::start(real.router.api, |_| Pass::On);
    real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await.unwrap();
    let writes = between.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].ends_with("[80,20]") && writes[0].to_ascii_lowercase().contains("if-match: \"/config/"), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_caddy_refuses_is_read_back_as_not_done() {
    let real = Real::start(KIND);
    // Its own check refuses with 500 what it cannot load, and keeps what it had.
    let between = Between::start(real.router.api, |request| {
        if request.starts_with("PATCH ") { Pass::Changed(request.replace("[80,20]", "[\"x\"]")) } else { Pass::On }
    });
    let error = refused(real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await);
    assert!(error.detail.as_str().contains("500"), "{error}");
    assert_eq!(real.now().await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_after_the_write_is_no_silent_success_and_no_silent_failure() {
    let real = Real::start(KIND);
    let (told, hear) = mpsc::channel();
    let (restarted, wait) = mpsc::channel::<()>();
    let (told, wait) = (Mutex::new(told), Mutex::new(wait));
    let written = AtomicBool::new(false);
    // The first look after the write waits until the process is another one.
    let between = Between::start(real.router.api, move |request| {
        if request.starts_with("PATCH ") {
            written.store(true, Ordering::Relaxed);
        } else if written.swap(false, Ordering::Relaxed) {
            told.lock().unwrap().send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        Pass::On
    });
    let through = real.through(&between.url(), Duration::from_secs(30));
    let effect = shift(&name(KIND), &pool(KIND), weights(&[("v1", 80), ("v2", 20)]), None);
    let sending = tokio::spawn(async move { through.set_weights(&effect).await });
    let mut router = real.router;
    let _router = tokio::task::spawn_blocking(move || {
        hear.recv().unwrap();
        router.restart();
        restarted.send(()).unwrap();
        router
    })
    .await
    .unwrap();
    let error = super::unknown(sending.await.unwrap());
    assert!(error.kind == PortErrorKind::Conflict && error.detail.as_str().contains("restarted in between"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hand_on_the_way_is_seen_when_read_back() {
    let real = Real::start(KIND);
    let (api, once) = (real.router.api, Arc::new(AtomicBool::new(false)));
    let between = Between::start(api, move |request| {
        if request.starts_with("PATCH ") {
            once.store(true, Ordering::Relaxed);
        } else if once.swap(false, Ordering::Relaxed) {
            patch(api, WEIGHTS, &json!([33, 44]));
        }
        Pass::On
    });
    let error = super::unknown(real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    assert!(error.detail.as_str().contains("another hand was there"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_pool_is_missing_and_a_handler_is_found_by_its_path_too() {
    let real = Real::start(KIND);
    let by_path = PoolName::new("apps.http.servers.front.routes.1.handle.0").unwrap();
    let asked =
        ["files", "nobody", "apps.http.nothing", "apps.http.servers.front.routes.9.handle.0"].map(|name| PoolName::new(name).unwrap());
    let all: Vec<PoolName> = asked.iter().cloned().chain([by_path.clone(), pool(KIND)]).collect();
    let reading = real.adapter.read(&all).await.unwrap();
    assert_eq!(reading.missing.len(), 4, "{reading:?}");
    assert_eq!(reading.pools.len(), 2);
    let effect = shift(&name(KIND), &by_path, weights(&[("v1", 80), ("v2", 20)]), Some(weights(&[("v1", 100), ("v2", 0)])));
    real.adapter.set_weights(&effect).await.unwrap();
    assert_eq!(now(real.adapter.as_ref(), &by_path).await, weights(&[("v1", 80), ("v2", 20)]));
    // Weights that are not one for each upstream would be counted past their end.
    patch(real.router.api, WEIGHTS, &json!([80, 20, 5]));
    assert_eq!(real.adapter.read(&[pool(KIND)]).await.unwrap().missing, [pool(KIND)]);
    let effect = shift(&name(KIND), &pool(KIND), weights(&[("v1", 50), ("v2", 50)]), None);
    let error = refused(real.adapter.set_weights(&effect).await);
    assert!(error.kind == PortErrorKind::NotFound && error.detail.as_str().contains("3 weights for 2 upstreams"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_is_asked_by_another_name_than_its_own_says_what_to_do() {
    let real = Real::start(KIND);
    let between = Between::start(real.router.api, |request| Pass::Changed(request.replace("ost: 127.0.0.1", "ost: edge.example")));
    let error = real.through(&between.url(), Duration::from_secs(5)).read(&[pool(KIND)]).await.unwrap_err();
    assert!(error.kind == PortErrorKind::Forbidden && error.remedy().contains("`origins`"), "{error}: {}", error.remedy());
}
