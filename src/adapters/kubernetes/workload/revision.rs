//! Revisions of a workload: replica sets of a deployment, controller revisions of the others.

use serde_json::Value;

use super::{Images, Workload, WorkloadKind, images};
use crate::adapters::kubernetes::Kind;

/// The labels that the controllers of deployments and of rollouts add to the pods of each revision.
const HASHES: [&str; 2] = ["pod-template-hash", "rollouts-pod-template-hash"];

/// A revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Its number; the greatest is the newest.
    pub number: u64,
    /// The object that keeps it.
    pub name: String,
    /// What it runs.
    pub images: Images,
    /// What goes back to it: a deployment's template, or the patch that a controller revision is.
    pub(super) holds: Value,
}

impl WorkloadKind {
    /// The kind of objects that keep its revisions.
    pub fn revisions(self) -> Kind {
        match self {
            Self::Deployment | Self::Rollout | Self::Canary => Kind::ReplicaSet,
            Self::StatefulSet | Self::DaemonSet => Kind::ControllerRevision,
        }
    }
}

impl Workload {
    /// Its revisions out of what lies around it, the newest first. What another one controls is left out, whatever its labels.
    pub fn revisions(&self, around: &[Value]) -> Vec<Revision> {
        let mut all: Vec<Revision> =
            around.iter().filter(|one| controls(&self.meta.uid, one)).filter_map(|one| self.revision_of(one)).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.number));
        all
    }

    fn revision_of(&self, object: &Value) -> Option<Revision> {
        let name = object.pointer("/metadata/name")?.as_str()?.to_owned();
        match self.kind {
            WorkloadKind::Deployment | WorkloadKind::Rollout | WorkloadKind::Canary => {
                let noted = if self.kind == WorkloadKind::Rollout { "rollout.argoproj.io" } else { "deployment.kubernetes.io" };
                let number = object.pointer(&format!("/metadata/annotations/{noted}~1revision"))?.as_str()?.parse().ok()?;
                let mut template = object.pointer("/spec/template")?.clone();
                if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
                    labels.retain(|label, _| !HASHES.contains(&label.as_str()));
                }
                Some(Revision { number, name, images: images(&template), holds: template })
            }
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                let number = object.get("revision")?.as_u64()?;
                let data = object.get("data")?.clone();
                Some(Revision { number, name, images: images(data.pointer("/spec/template")?), holds: data })
            }
        }
    }
}

fn controls(uid: &str, object: &Value) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    owners.iter().any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid) && owner.get("controller") == Some(&Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deployment, read};
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_it_controls_is_a_revision_of_it() {
        let workload = read(WorkloadKind::Deployment, &deployment(&json!({}), &json!({})));
        let set = |name: &str, uid: &str, revision: &str, image: &str| {
            json!({
                "metadata": { "name": name, "annotations": { "deployment.kubernetes.io/revision": revision },
                    "ownerReferences": [{ "uid": uid, "controller": true }] },
                "spec": { "template": { "metadata": { "labels": { "app": "web", "pod-template-hash": "x" } },
                    "spec": { "containers": [{ "name": "main", "image": image }] } } },
            })
        };
        let around = [set("web-1", "u1", "4", "shop:0"), set("web-2", "u1", "5", "shop:1"), set("web-3", "u2", "9", "evil:1"), json!({})];
        let all = workload.revisions(&around);
        assert_eq!(all.iter().map(|one| one.number).collect::<Vec<_>>(), [5, 4]);
        assert_eq!(all[1].images["main"], "shop:0");
        assert_eq!(all[1].holds["metadata"]["labels"], json!({ "app": "web" }));
    }
}
