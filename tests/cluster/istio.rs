//! VirtualServices of Istio: the contract, on the real API server with Istio's own schemas. What stands in for the sidecars reads the object
//! as they would get it and splits by it in turn; Istio's own control plane is no Go module that can be built here.

use std::collections::BTreeMap;

use gonogo::adapters::traffic::cluster::ClusterRoutes;
use gonogo::model::catalog::{BackendKind, TrafficEntry};
use gonogo::model::name::ServerName;
use gonogo::model::traffic::ServerState;
use gonogo::ports::traffic::Traffic;
use serde_json::{Value, json};

use crate::contract::{Bench, keeps, read, shift, weights};
use crate::plane::plane;
use crate::routes::{address, backs, fell, pool, slot, stage};
use crate::servers::named::{Named, request_at};

fn virtual_service(namespace: &str, routes: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": { "name": "checkout", "namespace": namespace },
        "spec": { "hosts": ["checkout.example"], "http": [{ "name": "main", "route": routes }] },
    })
}

fn destinations(namespace: &str) -> Vec<(String, u64)> {
    let object = plane().get(namespace, "virtualservices.networking.istio.io", "checkout");
    let list = object.pointer("/spec/http/0/route").unwrap().as_array().unwrap().clone();
    let host = |one: &Value| one["destination"]["host"].as_str().unwrap().to_owned();
    list.iter().map(|one| (host(one), one["weight"].as_u64().unwrap_or(0))).collect()
}

struct Real {
    namespace: &'static str,
    backs: [Named; 2],
    adapter: ClusterRoutes,
}

impl Bench for Real {
    fn traffic(&self) -> &dyn Traffic {
        &self.adapter
    }

    fn entry(&self) -> TrafficEntry {
        TrafficEntry {
            backend: "istio".parse().unwrap(),
            pool: pool("checkout_main"),
            first: slot("v1"),
            second: slot("v2"),
            testers: None,
            mirror: None,
        }
    }

    fn requests(&self, count: u32) -> BTreeMap<ServerName, u32> {
        let destinations = destinations(self.namespace);
        let all: u64 = destinations.iter().map(|(_, weight)| weight).sum();
        let mut by = BTreeMap::new();
        for turn in 0..u64::from(count) {
            let mut at = turn * all / u64::from(count);
            let (host, _) = destinations
                .iter()
                .find(|(_, weight)| {
                    at < *weight || {
                        at -= weight;
                        false
                    }
                })
                .unwrap();
            let back = self.backs.iter().find(|back| back.name == host).unwrap();
            *by.entry(
                ServerName::new(&request_at(&format!("{}:{}", address(), back.port).parse().unwrap(), "checkout").unwrap()).unwrap(),
            )
            .or_default() += 1;
        }
        by
    }

    fn counts(&self) -> bool {
        false
    }

    fn foreign(&self, server: &ServerName, weight: u32) {
        let place = self.backs.iter().position(|back| back.name == server.as_str()).unwrap();
        let patch = format!(r#"[{{"op":"add","path":"/spec/http/0/route/{place}/weight","value":{weight}}}]"#);
        plane().run(&["-n", self.namespace, "patch", "virtualservices.networking.istio.io", "checkout", "--type=json", "-p", &patch]);
    }

    fn fell(&self, server: &ServerName) {
        fell(self.namespace, server.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_by_hosts() {
    let namespace = "istio-contract";
    let backs = backs();
    stage(namespace, &backs);
    let routes = json!([{ "destination": { "host": "v1" }, "weight": 100 }, { "destination": { "host": "v2" } }]);
    plane().apply(&[virtual_service(namespace, &routes)]);
    let adapter = ClusterRoutes::istio(plane().cluster(BackendKind::Istio, namespace, false));
    keeps(&Real { namespace, backs, adapter }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subset_is_up_when_a_pod_with_its_labels_is_ready() {
    let namespace = "istio-subsets";
    plane().namespace(namespace);
    let pod = |name: &str, version: &str, ready: bool| {
        let status = if ready { "True" } else { "False" };
        plane().apply(&[json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "namespace": namespace, "labels": { "app": "checkout", "version": version } },
            // Nobody schedules it, so nobody but this test says how it is.
            "spec": { "schedulerName": "nobody", "containers": [{ "name": "main", "image": "none" }] },
        })]);
        let patch = json!({ "status": { "conditions": [{ "type": "Ready", "status": status }] } }).to_string();
        plane().run(&["-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", "-p", &patch]);
    };
    pod("one", "1", true);
    pod("two", "2", false);
    let endpoint = |name: &str, last: u8, ready: bool| json!({ "addresses": [format!("10.9.0.{last}")], "conditions": { "ready": ready }, "targetRef": { "kind": "Pod", "name": name, "namespace": namespace } });
    let subset = |name: &str, version: &str| json!({ "name": name, "labels": { "version": version } });
    plane().apply(&[
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "checkout", "namespace": namespace },
            "spec": { "ports": [{ "port": 80 }] },
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": [{ "name": "", "port": 80 }],
            "metadata": { "name": "checkout-1", "namespace": namespace, "labels": { "kubernetes.io/service-name": "checkout" } },
            "endpoints": [endpoint("one", 1, true), endpoint("two", 2, false)],
        }),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": { "name": "checkout", "namespace": namespace },
            "spec": { "host": "checkout", "subsets": [subset("v1", "1"), subset("v2", "2")] },
        }),
        virtual_service(
            namespace,
            &json!([
                { "destination": { "host": "checkout", "subset": "v1" }, "weight": 100 },
                { "destination": { "host": "checkout", "subset": "v2" }, "weight": 0 },
            ]),
        ),
    ]);
    let adapter = ClusterRoutes::istio(plane().cluster(BackendKind::Istio, namespace, false));
    let states = |read: gonogo::model::traffic::Pool| read.servers.iter().map(|server| server.state).collect::<Vec<_>>();
    let up = [ServerState::Up, ServerState::Down];
    assert_eq!(states(read(&adapter, &pool("checkout")).await), up);
    pod("two", "2", true);
    let patch = r#"[{"op":"replace","path":"/endpoints/1/conditions/ready","value":true}]"#;
    plane().run(&["-n", namespace, "patch", "endpointslice", "checkout-1", "--type=json", "-p", patch]);
    assert_eq!(states(read(&adapter, &pool("checkout")).await), [ServerState::Up; 2]);
    let wished = weights(&[("checkout_v1", 80), ("checkout_v2", 20)]);
    adapter.set_weights(&shift(&"istio".parse().unwrap(), &pool("checkout"), wished.clone(), None)).await.unwrap();
    assert_eq!(crate::contract::now(&adapter, &pool("checkout")).await, wished);
}
