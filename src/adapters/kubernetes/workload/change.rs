//! What changes a workload: the exact patches, each for the very object that was read, and whether an object is as a deed wished it.

use serde_json::{Value, json};

use super::{Next, Revision, Workload, WorkloadKind};
use crate::adapters::kubernetes::Change;
use crate::adapters::kubernetes::workloads::Deed;
use crate::model::workload::WorkloadForm;

impl Workload {
    /// The patch that carries out a deed; `back` is the revision that an undo goes to.
    ///
    /// # Errors
    /// Why it cannot be had of this workload.
    pub fn change(&self, deed: &Deed, back: Option<&Revision>) -> Result<Change, String> {
        let exact = |spec: Value| json!({ "metadata": { "resourceVersion": self.meta.resource_version }, "spec": spec });
        let word = self.kind.kind().word();
        let merged = |spec: Value| Ok(Change::Merge(exact(spec)));
        match (deed, self.kind) {
            (Deed::Form(form), WorkloadKind::Rollout | WorkloadKind::Canary) => {
                let next = self.next_write(form).map_err(|(_, why)| why)?;
                next.and_then(Next::change).ok_or_else(|| "nothing is to be written now".to_owned())
            }
            (_, WorkloadKind::Canary) => {
                Err("a Canary is changed by its form alone: the images of its target, and its suspension".to_owned())
            }
            (Deed::Pause, WorkloadKind::Rollout) => merged(json!({ "paused": true })),
            (Deed::Resume, WorkloadKind::Rollout) => merged(json!({ "paused": false })),
            (Deed::Scale(replicas), WorkloadKind::Rollout) => merged(json!({ "replicas": replicas })),
            (Deed::Restart(_), WorkloadKind::Rollout) => {
                Err("a Rollout is restarted by its own plugin (kubectl argo rollouts restart)".to_owned())
            }
            (Deed::Images(images), WorkloadKind::Rollout) => {
                let form = WorkloadForm { images: images.clone(), ..WorkloadForm::default() };
                Ok(self.spec_to(&form)?.unwrap_or_else(|| Change::Merge(exact(json!({})))))
            }
            (Deed::Pause, WorkloadKind::Deployment) => Ok(Change::Strategic(exact(json!({ "paused": true })))),
            (Deed::Resume, WorkloadKind::Deployment) => Ok(Change::Strategic(exact(json!({ "paused": false })))),
            (Deed::Pause | Deed::Resume, WorkloadKind::StatefulSet | WorkloadKind::DaemonSet) => {
                Err(format!("a {word} cannot be paused; a StatefulSet is held by its partition"))
            }
            (Deed::Images(images), _) => {
                let form = WorkloadForm { images: images.clone(), ..WorkloadForm::default() };
                self.formed(&form).map(|spec| Change::Strategic(exact(spec)))
            }
            (Deed::Scale(replicas), WorkloadKind::Deployment | WorkloadKind::StatefulSet) => {
                Ok(Change::Strategic(exact(json!({ "replicas": replicas }))))
            }
            (Deed::Scale(_), WorkloadKind::DaemonSet) => Err("a DaemonSet has one pod on each node and no scale".to_owned()),
            (Deed::Partition(first), WorkloadKind::StatefulSet) => {
                Ok(Change::Strategic(exact(json!({ "updateStrategy": { "rollingUpdate": { "partition": first } } }))))
            }
            (Deed::Partition(_), WorkloadKind::Deployment | WorkloadKind::DaemonSet | WorkloadKind::Rollout) => {
                Err(format!("a {word} has no partition"))
            }
            (Deed::Form(form), _) => self.to_form(form),
            (Deed::Restart(at), _) => {
                let annotations = json!({ "kubectl.kubernetes.io/restartedAt": at });
                Ok(Change::Strategic(exact(json!({ "template": { "metadata": { "annotations": annotations } } }))))
            }
            (Deed::Undo(_), WorkloadKind::Deployment) if self.paused => Err("it is paused; resume it first".to_owned()),
            (Deed::Undo(number), _) => {
                let back = back.ok_or_else(|| format!("it has no revision {number}"))?;
                Ok(self.back_to(back))
            }
        }
    }

    /// The patch to a form, for the object that was read.
    pub(super) fn to_form(&self, form: &WorkloadForm) -> Result<Change, String> {
        let version = json!({ "resourceVersion": self.meta.resource_version });
        self.formed(form).map(|spec| Change::Strategic(json!({ "metadata": version, "spec": spec })))
    }

    /// Everything of a form in one `spec`, so that no controller ever sees half of it.
    fn formed(&self, form: &WorkloadForm) -> Result<Value, String> {
        let word = self.kind.kind().word();
        let mut spec = serde_json::Map::new();
        if let Some(name) = form.images.keys().find(|name| !self.images.contains_key(*name)) {
            return Err(format!("it has no container {name}; it has {}", self.images.keys().cloned().collect::<Vec<_>>().join(", ")));
        }
        if !form.images.is_empty() {
            let containers: Vec<Value> = form.images.iter().map(|(name, image)| json!({ "name": name, "image": image })).collect();
            spec.insert("template".to_owned(), json!({ "spec": { "containers": containers } }));
        }
        match (form.replicas, self.kind) {
            (None, _) => {}
            (Some(replicas), WorkloadKind::Deployment | WorkloadKind::StatefulSet) => {
                spec.insert("replicas".to_owned(), Value::from(replicas));
            }
            (Some(_), WorkloadKind::DaemonSet | WorkloadKind::Rollout | WorkloadKind::Canary) => {
                return Err(format!("gonogo sets no replicas of a {word}"));
            }
        }
        match (form.partition, self.kind) {
            (None, _) => {}
            (Some(first), WorkloadKind::StatefulSet) => {
                spec.insert("updateStrategy".to_owned(), json!({ "rollingUpdate": { "partition": first } }));
            }
            (Some(_), WorkloadKind::Deployment | WorkloadKind::DaemonSet | WorkloadKind::Rollout | WorkloadKind::Canary) => {
                return Err(format!("a {word} has no partition"));
            }
        }
        match (form.paused, self.kind) {
            (None, _) => {}
            (Some(paused), WorkloadKind::Deployment | WorkloadKind::Rollout) => {
                spec.insert("paused".to_owned(), Value::Bool(paused));
            }
            (Some(_), WorkloadKind::StatefulSet | WorkloadKind::DaemonSet | WorkloadKind::Canary) => {
                return Err(format!("a {word} cannot be paused"));
            }
        }
        Ok(Value::Object(spec))
    }

    /// As `kubectl rollout undo` does it: a deployment gets the template of the revision as a whole; of the others the revision itself is the
    /// patch.
    fn back_to(&self, back: &Revision) -> Change {
        let version = Value::String(self.meta.resource_version.clone());
        match self.kind {
            WorkloadKind::Deployment | WorkloadKind::Rollout | WorkloadKind::Canary => Change::Json(json!([
                { "op": "add", "path": "/metadata/resourceVersion", "value": version },
                { "op": "replace", "path": "/spec/template", "value": back.holds },
            ])),
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                let mut patch = back.holds.clone();
                if let Some(patch) = patch.as_object_mut() {
                    patch.insert("metadata".to_owned(), json!({ "resourceVersion": version }));
                }
                Change::Strategic(patch)
            }
        }
    }

    /// Whether it is already as a deed wishes it.
    pub fn is_as(&self, deed: &Deed, back: Option<&Revision>) -> bool {
        match deed {
            Deed::Pause => self.paused,
            Deed::Resume => !self.paused,
            Deed::Images(images) => images.iter().all(|(name, image)| self.images.get(name) == Some(image)),
            Deed::Scale(replicas) => self.kind != WorkloadKind::DaemonSet && self.replicas.wished == *replicas,
            Deed::Partition(first) => self.partition == Some(*first),
            Deed::Form(form) => self.seen().is_as(form),
            Deed::Restart(at) => {
                let noted = self.template.pointer("/metadata/annotations/kubectl.kubernetes.io~1restartedAt");
                noted.and_then(Value::as_str) == Some(at)
            }
            Deed::Undo(_) => back.is_some_and(|back| match self.kind {
                WorkloadKind::Deployment | WorkloadKind::Rollout | WorkloadKind::Canary => self.template == back.holds,
                WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                    let mut wished = back.holds.pointer("/spec/template").cloned().unwrap_or_default();
                    if let Some(wished) = wished.as_object_mut() {
                        wished.remove("$patch");
                    }
                    self.template == wished
                }
            }),
        }
    }

    /// The call by which a person would do it, without the words that name the cluster.
    pub fn words(&self, deed: &Deed) -> String {
        let quoted = crate::adapters::shell::quoted;
        let (kind, name) = (self.kind.kind().full(), &self.place.name);
        let object = quoted(&format!("{kind}/{name}"));
        match deed {
            Deed::Pause => format!("rollout pause {object}"),
            Deed::Resume => format!("rollout resume {object}"),
            Deed::Undo(number) => format!("rollout undo {object} --to-revision={number}"),
            Deed::Restart(_) => format!("rollout restart {object}"),
            Deed::Scale(replicas) => format!("scale {object} --replicas={replicas}"),
            Deed::Images(images) => {
                let pairs: Vec<String> = images.iter().map(|(name, image)| quoted(&format!("{name}={image}"))).collect();
                format!("set image {object} {}", pairs.join(" "))
            }
            Deed::Form(form) => {
                let patch = json!({ "spec": self.formed(form).unwrap_or_default() }).to_string();
                format!("patch {object} -p {}", quoted(&patch))
            }
            Deed::Partition(first) => {
                let patch = json!({ "spec": { "updateStrategy": { "rollingUpdate": { "partition": first } } } }).to_string();
                format!("patch {object} -p {}", quoted(&patch))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deployment, read};
    use super::*;
    use crate::adapters::kubernetes::workloads::Expect;
    use crate::model::workload::WorkloadChange;

    #[test]
    fn each_patch_is_for_the_object_that_was_read() {
        let workload = read(WorkloadKind::Deployment, &deployment(&json!({}), &json!({})));
        let images = [("main".to_owned(), "shop:2".to_owned())].into();
        for deed in [Deed::Pause, Deed::Resume, Deed::Images(images), Deed::Scale(4), Deed::Restart("t".to_owned())] {
            let Change::Strategic(patch) = workload.change(&deed, None).unwrap() else { panic!("{deed:?}") };
            assert_eq!(patch["metadata"]["resourceVersion"], "17", "{deed:?}");
        }
        let back = Revision { number: 4, name: "web-1".to_owned(), images: [].into(), holds: json!({ "spec": {} }) };
        let Change::Json(patch) = workload.change(&Deed::Undo(4), Some(&back)).unwrap() else { panic!("no JSON patch") };
        assert_eq!(patch[0]["value"], "17");
        let Change::Strategic(patch) =
            read(WorkloadKind::DaemonSet, &deployment(&json!({}), &json!({}))).change(&Deed::Undo(4), Some(&back)).unwrap()
        else {
            panic!("no strategic patch")
        };
        assert_eq!(patch["metadata"]["resourceVersion"], "17");
    }

    #[test]
    fn what_a_kind_cannot_do_is_refused_with_words() {
        let of = |kind| read(kind, &deployment(&json!({ "paused": true }), &json!({})));
        let no = |kind, deed: Deed| of(kind).change(&deed, None).unwrap_err();
        assert!(no(WorkloadKind::StatefulSet, Deed::Pause).contains("cannot be paused"));
        assert!(no(WorkloadKind::DaemonSet, Deed::Scale(2)).contains("no scale"));
        assert!(no(WorkloadKind::Deployment, Deed::Partition(1)).contains("no partition"));
        assert!(no(WorkloadKind::Deployment, Deed::Undo(3)).contains("resume it first"));
        assert!(no(WorkloadKind::DaemonSet, Deed::Undo(3)).contains("no revision 3"));
        let typo = [("mian".to_owned(), "shop:2".to_owned())].into();
        // A strategic patch would have added a container of that name.
        assert!(no(WorkloadKind::Deployment, Deed::Images(typo)).contains("no container mian; it has main, side"));
    }

    /// P8: everything that is wished goes at once, and only where it stands as it was planned on.
    #[test]
    fn a_form_is_one_patch_for_the_object_that_it_was_planned_on() {
        let form = |image: &str, partition| WorkloadForm {
            images: [("main".to_owned(), image.to_owned())].into(),
            partition,
            ..WorkloadForm::default()
        };
        let strategy = json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } } });
        let now = read(WorkloadKind::StatefulSet, &deployment(&strategy, &json!({})));
        let Change::Strategic(patch) = now.change(&Deed::Form(form("shop:2", Some(1))), None).unwrap() else { panic!("one patch") };
        assert_eq!(patch["metadata"]["resourceVersion"], "17");
        assert_eq!(patch["spec"]["updateStrategy"]["rollingUpdate"]["partition"], 1);
        assert_eq!(patch["spec"]["template"]["spec"]["containers"][0], json!({ "name": "main", "image": "shop:2" }));
        let expects = |uid: &str, from| {
            let wish = form("shop:2", Some(1));
            let change = WorkloadChange { workload: now.seen().name, uid: uid.to_owned(), from, wish };
            Expect::From(&change).against(&now)
        };
        assert_eq!(expects("u1", form("shop:1", Some(2))), None);
        assert!(expects("u0", form("shop:1", Some(2))).unwrap().contains("another object"));
        assert!(expects("u1", form("shop:0", Some(2))).unwrap().contains("another hand"));
        assert!(expects("u1", form("shop:1", Some(0))).unwrap().contains("another hand"));
        // Its replicas are an autoscaler's business.
        let scaled = json!({ "updateStrategy": strategy["updateStrategy"], "replicas": 9 });
        let scaled = read(WorkloadKind::StatefulSet, &deployment(&scaled, &json!({})));
        let change = WorkloadChange {
            workload: now.seen().name,
            uid: "u1".to_owned(),
            from: form("shop:1", Some(2)),
            wish: form("shop:2", Some(1)),
        };
        assert_eq!(Expect::From(&change).against(&scaled), None);
    }

    /// Image and number go in one patch, so that no controller makes an instance of the old image for the new number.
    #[test]
    fn an_image_and_a_number_are_one_patch_and_a_kind_without_a_number_is_refused() {
        let form = |replicas| WorkloadForm {
            images: [("main".to_owned(), "shop:2".to_owned())].into(),
            replicas: Some(replicas),
            ..WorkloadForm::default()
        };
        let now = read(WorkloadKind::Deployment, &deployment(&json!({}), &json!({})));
        let Change::Strategic(patch) = now.change(&Deed::Form(form(5)), None).unwrap() else { panic!("one patch") };
        assert_eq!((&patch["metadata"]["resourceVersion"], &patch["spec"]["replicas"]), (&json!("17"), &json!(5)));
        assert_eq!(patch["spec"]["template"]["spec"]["containers"][0], json!({ "name": "main", "image": "shop:2" }));
        let daemon = read(WorkloadKind::DaemonSet, &deployment(&json!({}), &json!({})));
        assert!(daemon.change(&Deed::Form(form(5)), None).unwrap_err().contains("sets no replicas of a DaemonSet"));
        // Another hand scaled it since it was planned.
        let change = WorkloadChange { workload: now.seen().name, uid: "u1".to_owned(), from: form(0), wish: form(5) };
        let of = |replicas| read(WorkloadKind::Deployment, &deployment(&json!({ "replicas": replicas }), &json!({})));
        let from = WorkloadForm { images: [("main".to_owned(), "shop:1".to_owned())].into(), ..form(0) };
        let change = WorkloadChange { from, ..change };
        assert_eq!(Expect::From(&change).against(&of(0)), None);
        assert!(Expect::From(&change).against(&of(2)).unwrap().contains("with 2 instances"));
    }

    #[test]
    fn its_autoscaler_is_the_one_that_names_it() {
        let of = |kind: &str, name: &str| json!({ "metadata": { "name": format!("of-{name}") }, "spec": { "scaleTargetRef": { "kind": kind, "name": name } } });
        let web = read(WorkloadKind::Deployment, &deployment(&json!({}), &json!({})));
        assert_eq!(web.minded_by(&[of("StatefulSet", "web"), of("Deployment", "db"), json!({})]), None);
        assert_eq!(web.minded_by(&[of("Deployment", "db"), of("Deployment", "web")]).as_deref(), Some("of-web"));
    }

    #[test]
    fn of_none_there_is_none_once_the_last_one_has_ended() {
        let down = |status: Value| read(WorkloadKind::Deployment, &deployment(&json!({ "replicas": 0 }), &status)).seen();
        let none = json!({ "replicas": 0, "updatedReplicas": 0, "readyReplicas": 0, "availableReplicas": 0 });
        let mut ending = none.clone();
        ending["terminatingReplicas"] = json!(2);
        assert!(!down(json!({})).is_done(), "its controller's word is of the number before");
        assert_eq!((down(ending.clone()).is_done(), down(ending).told().as_str()), (false, "2 old ones are on their way out"));
        assert!(down(none).is_done());
    }
}
