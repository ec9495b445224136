//! What tests of both kinds of routes need: services `v1` and `v2` with endpoints of this machine, and a namespace of their own.

use std::net::UdpSocket;

use gonogo::model::name::{PoolName, ServerName};
use serde_json::{Value, json};

use crate::plane::plane;
use crate::servers::named::Named;

/// An address of this machine besides loopback: no endpoint of a cluster may be on loopback. Nothing is sent.
pub fn address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("192.0.2.1:9").expect("this machine has an address besides loopback");
    socket.local_addr().unwrap().ip().to_string()
}

/// Two named servers on that address.
pub fn backs() -> [Named; 2] {
    ["v1", "v2"].map(|name| Named::start_at(&address(), name))
}

/// A service without a selector, and a slice with one endpoint that is ready or not.
pub fn service(namespace: &str, name: &str, port: u16, ready: bool) -> [Value; 2] {
    let ports = json!([{ "name": "http", "port": port, "protocol": "TCP" }]);
    [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": namespace },
            "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": port }] },
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": { "name": format!("{name}-1"), "namespace": namespace, "labels": { "kubernetes.io/service-name": name } },
            "addressType": "IPv4", "ports": ports,
            "endpoints": [{ "addresses": [address()], "conditions": { "ready": ready } }],
        }),
    ]
}

/// A namespace with both services.
pub fn stage(namespace: &str, backs: &[Named; 2]) {
    plane().namespace(namespace);
    let objects: Vec<Value> = backs.iter().flat_map(|back| service(namespace, back.name, back.port, true)).collect();
    plane().apply(&objects);
}

/// The endpoint of a service fails its checks.
pub fn fell(namespace: &str, name: &str) {
    let patch = r#"[{"op":"replace","path":"/endpoints/0/conditions/ready","value":false}]"#;
    plane().run(&["-n", namespace, "patch", "endpointslice", &format!("{name}-1"), "--type=json", "-p", patch]);
}

/// A pool's name.
pub fn pool(name: &str) -> PoolName {
    PoolName::new(name).unwrap()
}

/// A slot of one server.
pub fn slot(name: &str) -> Vec<ServerName> {
    vec![ServerName::new(name).unwrap()]
}
