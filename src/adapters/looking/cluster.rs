//! Asks the cluster of a kubeconfig's current context for its version and the Deployments of its namespace.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::adapters::kubernetes::{Cluster, Kind};
use crate::config::init::found::{Cluster as Seen, Deployment};
use crate::config::settings::{Address, BackendSettings};
use crate::config::surroundings::Surroundings;
use crate::model::catalog::BackendKind;
use crate::model::error::PortError;
use crate::model::name::BackendName;
use crate::model::text::Text;
use crate::ports::clock::Clock;

/// The longest wait for all of it; a program that gives the credential may take a while.
const WITHIN: Duration = Duration::from_secs(8);
/// The longest wait for one answer.
const DEADLINE: Duration = Duration::from_secs(3);

/// Asks it; why it does not answer, in words.
pub(super) async fn ask(context: &str, around: &Surroundings, clock: Arc<dyn Clock>) -> Result<Seen, String> {
    let settings = BackendSettings {
        name: BackendName::new("k8s").map_err(|error| error.to_string())?,
        kind: BackendKind::Kubernetes,
        address: Address::Kubeconfig { file: None, context: Some(context.to_owned()) },
        token: None,
        user: None,
        password: None,
        ca_file: None,
        insecure: false,
        deadline: DEADLINE,
        file: None,
        namespace: None,
    };
    let cluster = Cluster::new(settings, around.clone(), clock);
    let late = |_| Err("no whole answer within 8 s".to_owned());
    tokio::time::timeout(WITHIN, seen(&cluster)).await.unwrap_or_else(late)
}

async fn seen(cluster: &Cluster) -> Result<Seen, String> {
    let words = |error: PortError| error.detail.to_string();
    let version = cluster.version("find out its version").await.map_err(words)?;
    let namespace = cluster.namespace().await.map_err(words)?;
    // Who may not list them may still be let read one that is named.
    let list = cluster.list("list its Deployments", Kind::Deployment, &namespace, "").await.unwrap_or_default();
    let deployments = list.iter().filter_map(deployment).collect();
    Ok(Seen { version: Text::clean_within(&version, 100).to_string(), namespace, deployments })
}

fn deployment(object: &Value) -> Option<Deployment> {
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array)?;
    let first = containers.first()?;
    let (name, container, image) = (text(object, "/metadata/name")?, text(first, "/name")?, text(first, "/image")?);
    Some(Deployment { name, container, image, containers: containers.len() })
}
