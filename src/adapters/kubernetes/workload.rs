//! A workload of a cluster as it is: its replicas, how far a change of it has come, what it runs, and its revisions.

mod canary;
mod change;
mod revision;
mod rollout;
mod steps;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::kind::Kind;
use super::object::{Meta, Place, condition};
use crate::model::text::Text;
use crate::model::walk::Walk;
use crate::model::workload::{WorkloadName, WorkloadSeen};

pub use crate::model::workload::{Images, Progress, Replicas, WorkloadKind};
pub(super) use canary::Canary;
pub use revision::Revision;
pub(super) use steps::Next;

impl WorkloadKind {
    /// As an object.
    pub fn kind(self) -> Kind {
        match self {
            Self::Deployment => Kind::Deployment,
            Self::StatefulSet => Kind::StatefulSet,
            Self::DaemonSet => Kind::DaemonSet,
            Self::Rollout => Kind::Rollout,
            Self::Canary => Kind::Canary,
        }
    }
}

/// A workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// What it is.
    pub kind: WorkloadKind,
    /// Where it is.
    pub place: Place,
    /// Its versions.
    pub meta: Meta,
    /// Whether a deployment is paused, or a canary suspended.
    pub paused: bool,
    /// The first ordinal of a stateful set that is replaced; those below it stay.
    pub partition: Option<u32>,
    /// How it replaces its pods by its own rule; empty where it says nothing.
    pub strategy: String,
    /// Its replicas.
    pub replicas: Replicas,
    /// How far it has come.
    pub progress: Progress,
    /// The images that it wishes.
    pub images: Images,
    /// The number of a deployment's newest revision, as its controller wrote it.
    pub revision: Option<u64>,
    /// The labels of its pods, as a selector.
    pub selector: String,
    /// What pods are made after.
    pub template: Value,
    /// The autoscaler that sets its number of replicas, where it was asked for.
    pub autoscaler: Option<String>,
    /// The own steps of a rollout, and what its next write depends on.
    walk: Option<(Walk, rollout::Notes)>,
    /// The Deployment that holds a canary's template.
    target: Option<Box<Workload>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    replicas: Option<u32>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    selector: Selector,
    /// Of a deployment.
    #[serde(default)]
    strategy: Strategy,
    /// Of the others.
    #[serde(default)]
    update_strategy: Strategy,
    template: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

impl Selector {
    /// As a selector of lists.
    fn words(&self) -> String {
        self.match_labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    r#type: String,
    rolling_update: Option<Rolling>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rolling {
    partition: Option<u32>,
}

/// The counts of all three kinds; what a kind does not have is 0 there.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: u32,
    updated_replicas: u32,
    ready_replicas: u32,
    available_replicas: u32,
    /// Of a deployment: those that were told to end and have not yet.
    terminating_replicas: u32,
    desired_number_scheduled: u32,
    current_number_scheduled: u32,
    updated_number_scheduled: u32,
    number_ready: u32,
    number_available: u32,
    current_revision: String,
    update_revision: String,
}

impl Workload {
    /// Reads an object.
    ///
    /// # Errors
    /// Why it is not what it should be.
    pub fn of(kind: WorkloadKind, place: &Place, object: &Value) -> Result<Self, String> {
        match kind {
            WorkloadKind::Rollout => return rollout::read(place, object),
            // Its Deployments are read beside it.
            WorkloadKind::Canary => return Err("a Canary is read with its Deployments".to_owned()),
            WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {}
        }
        let meta = Meta::of(object)?;
        let other = |error: serde_json::Error| format!("the {} is another than expected: {error}", kind.kind().word());
        let spec = Spec::deserialize(object.get("spec").unwrap_or(&Value::Null)).map_err(other)?;
        let status = object.get("status").map(Status::deserialize).transpose().map_err(other)?.unwrap_or_default();
        let replicas = replicas(kind, &spec, &status);
        let progress = progress(kind, (object, &meta), &spec, &status, replicas);
        let revision = object.pointer("/metadata/annotations/deployment.kubernetes.io~1revision").and_then(Value::as_str);
        Ok(Self {
            kind,
            place: place.clone(),
            paused: spec.paused,
            partition: spec.update_strategy.rolling_update.as_ref().and_then(|rolling| rolling.partition),
            strategy: if kind == WorkloadKind::Deployment { spec.strategy.r#type } else { spec.update_strategy.r#type },
            replicas,
            progress,
            images: images(&spec.template),
            revision: revision.and_then(|revision| revision.parse().ok()),
            selector: spec.selector.words(),
            template: spec.template,
            autoscaler: None,
            walk: None,
            target: None,
            meta,
        })
    }

    /// As everybody above the adapters knows it.
    pub fn seen(&self) -> WorkloadSeen {
        let strategy = if self.strategy.is_empty() { "RollingUpdate" } else { &self.strategy };
        WorkloadSeen {
            name: WorkloadName { kind: self.kind, namespace: self.place.namespace.clone(), name: self.place.name.clone() },
            uid: self.meta.uid.clone(),
            images: self.images.clone(),
            // What is not written is 0.
            partition: (self.kind == WorkloadKind::StatefulSet).then(|| self.partition.unwrap_or(0)),
            paused: self.paused,
            strategy: Text::clean_within(strategy, 40),
            replicas: self.replicas,
            progress: self.progress.clone(),
            walk: self.walk.as_ref().map(|(walk, _)| walk.clone()),
            autoscaler: self.autoscaler.as_deref().map(|name| Text::clean_within(name, 253)),
        }
    }

    /// The name of the autoscaler that minds it, among those of its namespace.
    pub(super) fn minded_by(&self, autoscalers: &[Value]) -> Option<String> {
        let text = |one: &Value, at: &str| one.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let minds = |one: &&Value| {
            let of = |key: &str| text(one, &format!("/spec/scaleTargetRef/{key}"));
            of("kind").as_deref() == Some(self.kind.word()) && of("name").as_deref() == Some(self.place.name.as_str())
        };
        text(autoscalers.iter().find(minds)?, "/metadata/name")
    }
}

/// The images of a template's containers. No image that can be pulled and no container that can be made has a character that is cleaned.
pub(super) fn images(template: &Value) -> Images {
    let containers = template.pointer("/spec/containers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(|told| Text::clean(told).to_string());
    containers.iter().filter_map(|one| Some((text(one, "name")?, text(one, "image")?))).collect()
}

fn replicas(kind: WorkloadKind, spec: &Spec, status: &Status) -> Replicas {
    match kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::Rollout | WorkloadKind::Canary => Replicas {
            // What is not written is 1.
            wished: spec.replicas.unwrap_or(1),
            // Of none there is none only once the last one has ended.
            present: status.replicas + if spec.replicas == Some(0) { status.terminating_replicas } else { 0 },
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
        },
        WorkloadKind::DaemonSet => Replicas {
            wished: status.desired_number_scheduled,
            present: status.current_number_scheduled,
            updated: status.updated_number_scheduled,
            ready: status.number_ready,
            available: status.number_available,
        },
    }
}

fn progress(kind: WorkloadKind, (object, meta): (&Value, &Meta), spec: &Spec, status: &Status, at: Replicas) -> Progress {
    if status.observed_generation == 0 || meta.generation > status.observed_generation {
        return Progress::Unseen;
    }
    let text = |words: String| Text::clean_within(&words, 300);
    if kind != WorkloadKind::Deployment && spec.update_strategy.r#type == "OnDelete" {
        let fresh = text(format!("{} of {} are new; others become so when they are deleted", at.updated, at.wished));
        return if at.updated < at.wished { Progress::ByHand(fresh) } else { Progress::Done };
    }
    let said = |kind: &str| condition(object.pointer("/status/conditions"), kind);
    if let Some(progressing) = said("Progressing").filter(|one| one.reason == "ProgressDeadlineExceeded") {
        return Progress::Stuck(text(format!("it exceeded its progress deadline: {}", progressing.message)));
    }
    if let Some(failure) = said("ReplicaFailure").filter(|one| one.status == "True") {
        return Progress::Stuck(text(format!("its replicas cannot be made: {}: {}", failure.reason, failure.message)));
    }
    let waiting = match kind {
        WorkloadKind::Deployment | WorkloadKind::DaemonSet if at.updated < at.wished => {
            format!("{} of {} are new", at.updated, at.wished)
        }
        WorkloadKind::Deployment if at.present > at.updated => format!("{} old ones are on their way out", at.present - at.updated),
        WorkloadKind::Deployment if at.available < at.updated => format!("{} of {} new ones are available", at.available, at.updated),
        WorkloadKind::DaemonSet if at.available < at.wished => format!("{} of {} are available", at.available, at.wished),
        WorkloadKind::StatefulSet => {
            let partition = spec.update_strategy.rolling_update.as_ref().and_then(|rolling| rolling.partition).unwrap_or(0);
            let due = at.wished.saturating_sub(partition);
            let other = status.update_revision != status.current_revision;
            if at.ready < at.wished {
                format!("{} of {} are ready", at.ready, at.wished)
            } else if at.updated < due && other {
                format!("{} of {due} are new", at.updated)
            } else {
                return Progress::Done;
            }
        }
        WorkloadKind::Deployment | WorkloadKind::DaemonSet | WorkloadKind::Rollout | WorkloadKind::Canary => return Progress::Done,
    };
    if spec.paused { Progress::Paused(text(waiting)) } else { Progress::Moving(text(waiting)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// A deployment of three whose controller saw generation 2.
    pub(super) fn deployment(spec: &Value, status: &Value) -> Value {
        let template = json!({ "spec": { "containers": [{ "name": "main", "image": "shop:1" }, { "name": "side", "image": "mesh:9" }] } });
        let mut object = json!({
            "metadata": { "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "17", "generation": 2,
                "annotations": { "deployment.kubernetes.io/revision": "5" } },
            "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "web" } }, "template": template },
            "status": { "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3 },
        });
        for (part, changes) in [("spec", spec), ("status", status)] {
            for (key, value) in changes.as_object().unwrap() {
                object[part][key] = value.clone();
            }
        }
        object
    }

    pub(super) fn said(progress: Progress) -> String {
        match progress {
            Progress::Unseen => "Unseen".to_owned(),
            Progress::Done => "Done".to_owned(),
            Progress::Paused(text) => format!("Paused({text})"),
            Progress::Waits(text) => format!("Waits({text})"),
            Progress::Moving(text) => format!("Moving({text})"),
            Progress::Stuck(text) => format!("Stuck({text})"),
            Progress::ByHand(text) => format!("ByHand({text})"),
        }
    }

    pub(super) fn read(kind: WorkloadKind, object: &Value) -> Workload {
        let place = Place { namespace: "shop".to_owned(), name: "web".to_owned() };
        Workload::of(kind, &place, object).unwrap()
    }

    #[rstest]
    #[case::done(json!({}), json!({}), "Done")]
    #[case::unseen(json!({}), json!({ "observedGeneration": 1 }), "Unseen")]
    #[case::updating(json!({}), json!({ "updatedReplicas": 1 }), "Moving(1 of 3 are new)")]
    #[case::old(json!({}), json!({ "replicas": 4 }), "Moving(1 old ones are on their way out)")]
    #[case::available(json!({}), json!({ "availableReplicas": 2 }), "Moving(2 of 3 new ones are available)")]
    #[case::paused(json!({ "paused": true }), json!({ "updatedReplicas": 1 }), "Paused(1 of 3 are new)")]
    #[case::late(
        json!({}),
        json!({ "updatedReplicas": 1, "conditions": [{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "m\u{1b}" }] }),
        "Stuck(it exceeded its progress deadline: m␛)"
    )]
    fn a_deployment_comes_so_far(#[case] spec: Value, #[case] status: Value, #[case] wanted: &str) {
        assert_eq!(said(read(WorkloadKind::Deployment, &deployment(&spec, &status)).progress), wanted);
    }

    #[test]
    fn a_deployment_tells_what_it_runs() {
        let workload = read(WorkloadKind::Deployment, &deployment(&json!({}), &json!({})));
        assert_eq!((workload.revision, workload.selector.as_str(), workload.paused), (Some(5), "app=web", false));
        assert_eq!(workload.images["side"], "mesh:9");
    }

    #[test]
    fn a_stateful_set_is_done_up_to_its_partition() {
        let strategy = json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } });
        let revisions = |updated: u32| json!({ "updatedReplicas": updated, "currentRevision": "a", "updateRevision": "b" });
        let at = |spec: Value, updated: u32| read(WorkloadKind::StatefulSet, &deployment(&spec, &revisions(updated))).progress;
        assert_eq!(at(json!({ "updateStrategy": strategy }), 1), Progress::Done);
        assert!(matches!(at(json!({ "updateStrategy": strategy }), 0), Progress::Moving(_)));
        assert!(matches!(at(json!({ "updateStrategy": { "type": "RollingUpdate" } }), 1), Progress::Moving(_)));
        assert!(matches!(at(json!({ "updateStrategy": { "type": "OnDelete" } }), 1), Progress::ByHand(_)));
    }
}
