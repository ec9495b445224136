//! HTTPRoutes of the Gateway API: the contract, with a real Traefik as the gateway that takes the routes over.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use gonogo::adapters::traffic::cluster::ClusterRoutes;
use gonogo::model::catalog::{BackendKind, TrafficEntry};
use gonogo::model::error::PortErrorKind;
use gonogo::model::name::ServerName;
use gonogo::model::plan::StepEffect;
use gonogo::ports::traffic::Traffic;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contract::{Bench, keeps, not_done, now, read, shift, weights};
use crate::plane::{ADMIN, plane};
use crate::routes::{backs, fell, pool, slot, stage};
use crate::servers::named::{Named, request, request_with};
use crate::servers::support::{Server, free_port, get, installed, wait_for};

/// A Traefik that serves the Gateway API of a namespace.
pub struct Gateway {
    _process: Server,
    folder: TempDir,
    port: u16,
    api: u16,
}

impl Gateway {
    /// Starts one with a gateway `edge` in a namespace.
    pub fn start(namespace: &str) -> Self {
        let (port, api) = (free_port(), free_port());
        let class = format!("class-{namespace}");
        let controller = "traefik.io/gateway-controller";
        let listener = json!({ "name": "web", "protocol": "HTTP", "port": port });
        plane().apply(&[
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
                "metadata": { "name": class }, "spec": { "controllerName": controller },
            }),
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                "metadata": { "name": "edge", "namespace": namespace },
                "spec": { "gatewayClassName": class, "listeners": [listener] },
            }),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(installed().join("venv/bin/traefik"));
        let provider = |name: &str, value: &str| format!("--providers.kubernetesgateway.{name}={value}");
        command.args([
            format!("--entrypoints.web.address=127.0.0.1:{port}"),
            format!("--entrypoints.traefik.address=127.0.0.1:{api}"),
            "--api.insecure=true".to_owned(),
            "--global.checknewversion=false".to_owned(),
            "--global.sendanonymoususage=false".to_owned(),
            "--providers.providersthrottleduration=100ms".to_owned(),
            provider("endpoint", &plane().url()),
            provider("token", ADMIN),
            provider("certauthfilepath", &plane().authority().display().to_string()),
            provider("namespaces", namespace),
        ]);
        let process = Server::start(&mut command, &folder.path().join("log"));
        Self { _process: process, folder, port, api }
    }

    /// What it said.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends requests once it routes by these weights: it says that it accepted a route a moment before it does.
    fn requests(&self, count: u32, wished: &[u64]) -> BTreeMap<String, u32> {
        wait_for("the gateway's own weights", Duration::from_secs(20), || {
            let said = get(self.api, "/api/http/services?per_page=1000")?;
            let all: Value = serde_json::from_str(said.split("\r\n\r\n").nth(1)?).ok()?;
            let weighted = all.as_array()?.iter().filter_map(|one| one.pointer("/weighted/services")?.as_array());
            let mut lists = weighted.map(|list| list.iter().filter_map(|one| one.get("weight")?.as_u64()).collect::<Vec<_>>());
            lists.any(|list| list == wished).then_some(())
        });
        let mut by = BTreeMap::new();
        for _ in 0..count {
            *by.entry(request(self.port, "checkout").unwrap_or_else(|error| panic!("{error}: {}", self.log()))).or_default() += 1;
        }
        by
    }
}

/// A route that splits between `v1` and `v2`, with all at `v1`; its second weight is not written, so it is set to 0.
pub fn route(namespace: &str, parent: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": "checkout", "namespace": namespace },
        "spec": {
            "parentRefs": [{ "name": parent }],
            "rules": [{ "backendRefs": [{ "name": "v1", "port": 80, "weight": 100 }, { "name": "v2", "port": 80, "weight": 0 }] }],
        },
    })
}

/// The weights in the object.
pub fn written(namespace: &str) -> Vec<u64> {
    let object = plane().get(namespace, "httproute", "checkout");
    let list = object.pointer("/spec/rules/0/backendRefs").unwrap().as_array().unwrap().clone();
    list.iter().map(|one| one["weight"].as_u64().unwrap_or(1)).collect()
}

/// Waits until a controller accepted the route's newest form.
pub fn accepted(namespace: &str) {
    wait_for("the route to be accepted", Duration::from_secs(30), || {
        let object = plane().get(namespace, "httproute", "checkout");
        let generation = object.pointer("/metadata/generation")?.clone();
        let conditions = object.pointer("/status/parents/0/conditions")?.as_array()?.clone();
        conditions
            .iter()
            .find(|one| one["type"] == "Accepted" && one["status"] == "True" && one["observedGeneration"] == generation)
            .map(drop)
    });
}

struct Real {
    namespace: &'static str,
    backs: [Named; 2],
    gateway: Gateway,
    adapter: ClusterRoutes,
}

impl Real {
    fn start(namespace: &'static str) -> Self {
        let backs = backs();
        stage(namespace, &backs);
        let gateway = Gateway::start(namespace);
        plane().apply(&[route(namespace, "edge")]);
        accepted(namespace);
        let adapter = ClusterRoutes::gateway_api(plane().cluster(BackendKind::GatewayApi, namespace, false));
        Self { namespace, backs, gateway, adapter }
    }
}

impl Bench for Real {
    fn traffic(&self) -> &dyn Traffic {
        &self.adapter
    }

    fn entry(&self) -> TrafficEntry {
        TrafficEntry {
            backend: "gateway-api".parse().unwrap(),
            pool: pool("checkout"),
            first: slot("v1"),
            second: slot("v2"),
            testers: None,
            mirror: None,
        }
    }

    fn requests(&self, count: u32) -> BTreeMap<ServerName, u32> {
        let by = self.gateway.requests(count, &written(self.namespace));
        by.into_iter().map(|(name, count)| (ServerName::new(&name).unwrap(), count)).collect()
    }

    fn counts(&self) -> bool {
        false
    }

    fn foreign(&self, server: &ServerName, weight: u32) {
        let place = self.backs.iter().position(|back| back.name == server.as_str()).unwrap();
        let patch = format!(r#"[{{"op":"add","path":"/spec/rules/0/backendRefs/{place}/weight","value":{weight}}}]"#);
        plane().run(&["-n", self.namespace, "patch", "httproute", "checkout", "--type=json", "-p", &patch]);
        accepted(self.namespace);
    }

    fn fell(&self, server: &ServerName) {
        fell(self.namespace, server.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_behind_a_real_gateway() {
    keeps(&Real::start("gateway-contract")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_for_a_person_do_what_the_adapter_would() {
    let real = Real::start("gateway-commands");
    read(&real.adapter, &pool("checkout")).await;
    let effect = |one, two| StepEffect::Weights {
        backend: "gateway-api".parse().unwrap(),
        pool: pool("checkout"),
        weights: weights(&[("v1", one), ("v2", two)]),
    };
    for (one, two) in [(80, 20), (0, 100)] {
        for line in real.adapter.commands(&effect(one, two)) {
            paste(&line);
        }
        assert_eq!(written(real.namespace), [u64::from(one), u64::from(two)]);
    }
    // Where the servers stand in another order by now, the line does nothing.
    let mut other = route(real.namespace, "edge");
    other["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap().reverse();
    plane().apply(&[other]);
    let lines = real.adapter.commands(&effect(50, 50));
    assert!(!said(&lines[0]).status.success());
    assert_eq!(written(real.namespace), [0, 100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_nobody_serves_is_down_and_is_not_shifted() {
    let namespace = "gateway-nobody";
    stage(namespace, &backs());
    plane().apply(&[route(namespace, "nowhere")]);
    let adapter = ClusterRoutes::gateway_api(plane().cluster(BackendKind::GatewayApi, namespace, false));
    assert_eq!(now(&adapter, &pool("checkout")).await, weights(&[("v1", 100), ("v2", 0)]));
    assert!(read(&adapter, &pool("checkout")).await.servers.iter().all(|server| server.effective_weight == 0));
    let effect = shift(&"gateway-api".parse().unwrap(), &pool("checkout"), weights(&[("v1", 80), ("v2", 20)]), None);
    assert_eq!(not_done(adapter.set_weights(&effect).await), PortErrorKind::Refused);
    assert_eq!(written(namespace), [100, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn testers_reach_the_new_version_behind_a_real_gateway_and_nobody_else_does() {
    let namespace = "gateway-testers";
    let backs = backs();
    stage(namespace, &backs);
    let gateway = Gateway::start(namespace);
    let mut object = route(namespace, "edge");
    let mut theirs = object["spec"]["rules"][0].clone();
    theirs["name"] = json!("testers");
    theirs["matches"] = json!([{ "headers": [{ "name": "x-canary", "value": "yes" }] }]);
    object["spec"]["rules"].as_array_mut().unwrap().push(theirs);
    plane().apply(&[object]);
    accepted(namespace);
    let adapter = ClusterRoutes::gateway_api(plane().cluster(BackendKind::GatewayApi, namespace, false));
    let (shares, testers) = (pool("checkout_0"), pool("checkout_testers"));
    let conditions = [[gonogo::model::testers::header("x-canary", "yes")]];
    assert_eq!(read(&adapter, &testers).await.ways.unwrap(), conditions);
    assert_eq!(read(&adapter, &shares).await.ways.unwrap(), [Vec::new()]);
    let address = ([127, 0, 0, 1], gateway.port).into();
    let ask = |headers: &str| request_with(&address, "checkout", headers);
    for (one, two, served) in [(0, 100, "v2"), (100, 0, "v1")] {
        let effect = shift(&"gateway-api".parse().unwrap(), &testers, weights(&[("v1", one), ("v2", two)]), None);
        adapter.set_weights(&effect).await.unwrap();
        wait_for("testers at the other version", Duration::from_secs(20), || (ask("X-Canary: yes\r\n").ok()? == served).then_some(()));
        for _ in 0..20 {
            assert_eq!((ask("X-Canary: yes\r\n").as_deref(), ask("").as_deref()), (Ok(served), Ok("v1")));
        }
        assert_eq!(now(&adapter, &shares).await, weights(&[("v1", 100), ("v2", 0)]));
    }
}

/// Runs a line as a person would, with the `kubectl` of the tests first on the path.
pub fn said(line: &str) -> std::process::Output {
    let path = format!("{}:{}", installed().join("cluster/bin").display(), std::env::var_os("PATH").unwrap().display());
    Command::new("sh").args(["-c", line]).env("PATH", path).output().unwrap()
}

/// Pastes a line.
pub fn paste(line: &str) {
    let said = said(line);
    assert!(said.status.success(), "{line}: {}", String::from_utf8_lossy(&said.stderr));
}
