//! Envoy alone: keys that mean nothing, values that are none, no admin layer, another layer above, a restart in the middle.

use std::sync::mpsc;
use std::time::Duration;

use gonogo::model::catalog::BackendKind;
use gonogo::model::error::PortErrorKind;
use gonogo::model::traffic::ServerState;

use super::{Real, name, pool, refused, unknown};
use crate::contract::traffic::{read, shift, weights};
use crate::servers::between::{Between, Pass};
use crate::servers::envoy::{POOL, set, start_with};
use crate::servers::router::Router;
use crate::servers::support::{get, wait_for};

const KIND: BackendKind = BackendKind::Envoy;

/// Waits until Envoy itself says that a cluster has no healthy host.
pub(super) fn fell(router: &Router, cluster: &str) {
    wait_for("the cluster down", Duration::from_secs(10), || {
        let stats = get(router.api, &format!("/stats?filter=cluster.{cluster}.membership_healthy"))?;
        stats.contains("membership_healthy: 0").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gains_is_raised_and_read_back_before_who_loses_is_lowered() {
    let real = Real::start(KIND);
    let between = Between::start(real.router.api, |_| Pass::On);
    real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await.unwrap();
    let writes = between.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes[0].starts_with("POST /runtime_modify?routing.checkout.v2=20 "), "{writes:?}");
    assert!(writes[1].starts_with("POST /runtime_modify?routing.checkout.v1=80 "), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_key_is_answered_with_ok_and_is_no_success() {
    let real = Real::start(KIND);
    // By another hand: nothing reads otherwise.
    set(&real.router, "routing.chekout.v2", "50");
    assert_eq!(real.now().await, weights(&[("v1", 100), ("v2", 0)]));
    // On the way of our own write.
    let between = Between::start(real.router.api, |request| {
        if request.starts_with("POST ") { Pass::Changed(request.replace("routing.checkout", "routing.chekout")) } else { Pass::On }
    });
    let error = refused(real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Refused);
    assert!(error.detail.as_str().contains("the weights did not change"), "{error}");
    assert_eq!(between.writes().len(), 1, "and nothing is lowered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lowering_that_is_lost_says_where_the_weights_stand() {
    let real = Real::start(KIND);
    let between = Between::start(real.router.api, |request| {
        if request.contains("checkout.v1=") { Pass::Changed(request.replace("checkout.v1=", "checkout.nobody=")) } else { Pass::On }
    });
    let error = unknown(real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await);
    assert!(error.detail.as_str().contains("v1 100, wished 80") && error.detail.as_str().contains("v2 20 as wished"), "{error}");
    assert_eq!(real.now().await, weights(&[("v1", 100), ("v2", 20)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_no_number_reads_as_the_weight_that_envoy_uses() {
    let real = Real::start(KIND);
    real.shift(real.adapter.as_ref(), 0, 100).await.unwrap();
    set(&real.router, "routing.checkout.v1", "lots");
    set(&real.router, "routing.checkout.v2", "0");
    assert_eq!(real.now().await, weights(&[("v1", 100), ("v2", 0)]));
    assert_eq!(real.router.requests(20).get("v1"), Some(&20), "and Envoy does so");
    set(&real.router, "routing.checkout.v1", "0.9");
    set(&real.router, "routing.checkout.v2", "1.9");
    assert_eq!(real.now().await, weights(&[("v1", 0), ("v2", 1)]));
    assert_eq!(real.router.requests(20).get("v2"), Some(&20), "and Envoy cuts them to whole ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_admin_layer_it_says_so_and_what_to_do() {
    let real = Real::over(KIND, start_with([100, 0], false));
    let error = refused(real.shift(real.adapter.as_ref(), 80, 20).await);
    assert!(error.detail.as_str().contains("admin layer") && error.remedy().contains("`admin_layer`"), "{error}: {}", error.remedy());
    assert_eq!(real.now().await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_raising_and_lowering_is_no_silent_success() {
    // The weights before are the configured ones, so that after the restart each reads as before or as wished.
    let real = Real::over(KIND, start_with([100, 0], true));
    let (told, hear) = mpsc::channel();
    let (restarted, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let between = Between::start(real.router.api, move |request| {
        if request.contains("checkout.v1=") {
            told.send(()).unwrap();
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
    let error = unknown(sending.await.unwrap());
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    assert!(error.detail.as_str().contains("restarted in between"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_tells_of_itself_is_read() {
    let real = Real::start(KIND);
    let reading = real.adapter.read(&[pool(KIND)]).await.unwrap();
    assert_eq!(reading.process.version.as_str(), "1.40.0");
    let before = reading.pools[&pool(KIND)].servers[0].requests.unwrap();
    real.router.requests(5);
    let found = read(real.adapter.as_ref(), &pool(KIND)).await;
    assert_eq!(found.name.as_str(), POOL);
    assert_eq!(found.servers[0].requests, Some(before + 5), "{found:?}");
    assert_eq!((found.servers[0].errors, found.servers[0].state), (Some(0), ServerState::Up));
}
