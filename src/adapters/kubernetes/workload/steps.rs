//! What brings a rollout of Argo Rollouts to a form: the patches of its own plugin, one at a time, each for the very object that was read.

use serde_json::{Value, json};

use super::{Workload, WorkloadKind};
use crate::adapters::kubernetes::request::{Change, Part};
use crate::model::error::PortErrorKind;
use crate::model::workload::WorkloadForm;

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The old version takes everything again.
    Abort,
    /// Images, and whether it is paused.
    Spec,
    /// What was given up begins anew.
    Retry,
    /// No further step is walked.
    Full,
    /// It goes past the step under way.
    Step,
    /// A canary is suspended, or goes on.
    Suspend,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// This is written.
    Write(What, Part, Change),
    /// Its controller must see the newest form of it first: by its notes of the one before, nothing can be told.
    Unobserved,
}

impl Next {
    /// What is written.
    pub fn change(self) -> Option<Change> {
        match self {
            Self::Write(_, _, change) => Some(change),
            Self::Unobserved => None,
        }
    }
}

impl Workload {
    /// The next write on the way to a form; none once it is so.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn next_write(&self, form: &WorkloadForm) -> Result<Option<Next>, (PortErrorKind, String)> {
        let refused = |why: &str| Err((PortErrorKind::Refused, why.to_owned()));
        let Some((walk, notes)) = &self.walk else { return refused("it has no steps of its own") };
        let seen = self.seen();
        if seen.is_as(form) {
            return Ok(None);
        }
        if self.kind == WorkloadKind::Canary {
            return self.next_of_canary(form);
        }
        let write = |what, change| Ok(Some(Next::Write(what, Part::Status, change)));
        let images = WorkloadForm { images: form.images.clone(), ..WorkloadForm::default() };
        if !seen.is_as(&images) && form.full == Some(true) && notes.observed && !notes.promoted && !walk.aborted {
            // On the way back the old version takes everything at once; its template follows, since otherwise what was given up stays wished.
            return write(What::Abort, self.status(&json!({ "abort": true })));
        }
        if let Some(change) = self.spec_to(form).map_err(|why| (PortErrorKind::Refused, why))? {
            return Ok(Some(Next::Write(What::Spec, Part::Whole, change)));
        }
        if !notes.observed {
            return Ok(Some(Next::Unobserved));
        }
        match (form.aborted, form.full, form.step) {
            (Some(false), _, _) if walk.aborted => write(What::Retry, self.status(&json!({ "abort": false }))),
            // Without a new version its controller would forget this at once.
            (_, Some(true), _) if !notes.promoted => write(What::Full, self.status(&json!({ "promoteFull": true }))),
            (_, _, Some(_)) if walk.aborted => refused("it was aborted, so it walks no steps"),
            (_, _, Some(1)) if self.strategy == "BlueGreen" && !walk.pauses() => refused("it does not pause before its switch"),
            (_, _, Some(past)) if walk.reached().saturating_add(1) == past => {
                let status = match (walk.pauses(), notes.inconclusive) {
                    (true, true) => json!({ "pauseConditions": null, "controllerPause": false, "currentStepIndex": past }),
                    (true, false) => json!({ "pauseConditions": null }),
                    (false, _) => json!({ "pauseConditions": null, "currentStepIndex": past }),
                };
                write(What::Step, self.status(&status))
            }
            (_, _, Some(past)) => {
                let why = format!("another hand: {} of its steps are behind it, and {} were to be", walk.reached(), past.saturating_sub(1));
                Err((PortErrorKind::Conflict, why))
            }
            _ => refused("it cannot be had of a Rollout"),
        }
    }

    /// A patch of the status, for the object that was read.
    fn status(&self, status: &Value) -> Change {
        Change::Merge(json!({ "metadata": { "resourceVersion": self.meta.resource_version }, "status": status }))
    }

    /// Images and pause in one patch, where they are not as a form says. A list has no keys in a custom resource, so each container is
    /// named by its place, and its name is tested.
    pub(super) fn spec_to(&self, form: &WorkloadForm) -> Result<Option<Change>, String> {
        let mut ops = vec![json!({ "op": "add", "path": "/metadata/resourceVersion", "value": self.meta.resource_version })];
        if self.strategy == "workloadRef" && !form.images.is_empty() {
            return Err("its template is another object's (spec.workloadRef); that one is to be changed".to_owned());
        }
        if form.partition.is_some() {
            return Err("a Rollout has no partition".to_owned());
        }
        if form.replicas.is_some() {
            return Err("gonogo sets no replicas of a Rollout".to_owned());
        }
        let containers = self.template.pointer("/spec/containers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (name, image) in &form.images {
            let at = containers.iter().position(|one| one.get("name").and_then(Value::as_str) == Some(name));
            let Some(at) = at else {
                let all = self.images.keys().cloned().collect::<Vec<_>>().join(", ");
                return Err(format!("it has no container {name}; it has {all}"));
            };
            if self.images.get(name) != Some(image) {
                ops.push(json!({ "op": "test", "path": format!("/spec/template/spec/containers/{at}/name"), "value": name }));
                ops.push(json!({ "op": "replace", "path": format!("/spec/template/spec/containers/{at}/image"), "value": image }));
            }
        }
        if let Some(paused) = form.paused.filter(|paused| self.paused != *paused) {
            ops.push(json!({ "op": "add", "path": "/spec/paused", "value": paused }));
        }
        Ok((ops.len() > 1).then(|| Change::Json(Value::Array(ops))))
    }

    /// The calls by which a person would bring it to a form from how it stands, without the words that name the cluster.
    pub fn walked_by_hand(&self, form: &WorkloadForm) -> Vec<String> {
        if self.kind == WorkloadKind::Canary {
            return self.canary_by_hand(form);
        }
        let quoted = crate::adapters::shell::quoted;
        let object = quoted(&format!("{}/{}", self.kind.kind().full(), self.place.name));
        let mut lines = Vec::new();
        let mut say = |part: Part, change: &Change| {
            let (_, body) = change.body();
            let status = if part == Part::Status { " --subresource=status" } else { "" };
            lines.push(format!("patch {object}{status} --type={} -p {}", change.word(), quoted(&stripped(body).to_string())));
        };
        let first = self.next_write(form).ok().flatten();
        if let Some(Next::Write(what, part, change)) = &first {
            say(*part, change);
            if *what == What::Abort
                && let Ok(Some(change)) = self.spec_to(form)
            {
                say(Part::Whole, &change);
            }
        }
        lines
    }
}

/// A patch for any state of the object: by hand nobody knows its version.
pub(super) fn stripped(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(whole) = body.as_object_mut() {
        whole.remove("metadata");
    }
    if let Some(ops) = body.as_array_mut() {
        ops.retain(|op| op.get("path").and_then(Value::as_str) != Some("/metadata/resourceVersion"));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::rollout::tests::of;
    use super::*;

    fn form(image: &str) -> WorkloadForm {
        WorkloadForm { images: [("main".to_owned(), image.to_owned())].into(), ..WorkloadForm::default() }
    }

    fn next(status: &Value, form: &WorkloadForm) -> Option<(What, Value)> {
        match of(&json!({}), status).next_write(form).unwrap() {
            Some(Next::Write(what, _, Change::Merge(body) | Change::Json(body))) => Some((what, body)),
            Some(Next::Write(_, _, Change::Strategic(body))) => panic!("no custom resource takes {body}"),
            Some(Next::Unobserved) => panic!("not observed"),
            None => None,
        }
    }

    /// P8: each patch names the object that was read, and is the one that Argo's own plugin sends.
    #[test]
    fn each_write_is_the_plugins_and_for_the_object_that_was_read() {
        let at = |status: Value| json!({ "metadata": { "resourceVersion": "17" }, "status": status });
        let past = |step| WorkloadForm { step: Some(step), ..form("shop:2") };
        let full = WorkloadForm { full: Some(true), ..form("shop:2") };
        let none = json!({});
        assert_eq!(next(&none, &past(2)), Some((What::Step, at(json!({ "pauseConditions": null })))));
        let running = json!({ "pauseConditions": null, "controllerPause": false });
        assert_eq!(next(&running, &past(2)), Some((What::Step, at(json!({ "pauseConditions": null, "currentStepIndex": 2 })))));
        let undecided = json!({ "pauseConditions": [{ "reason": "InconclusiveAnalysisRun" }],
            "canary": { "currentStepAnalysisRunStatus": { "status": "Inconclusive" } } });
        let decided = json!({ "pauseConditions": null, "controllerPause": false, "currentStepIndex": 2 });
        assert_eq!(next(&undecided, &past(2)), Some((What::Step, at(decided))));
        assert_eq!(next(&none, &full), Some((What::Full, at(json!({ "promoteFull": true })))));
        let again = WorkloadForm { aborted: Some(false), ..form("shop:2") };
        assert_eq!(next(&json!({ "abort": true }), &again), Some((What::Retry, at(json!({ "abort": false })))));
        let (what, patch) = next(&none, &form("shop:3")).unwrap();
        assert_eq!((what, &patch[0]["value"]), (What::Spec, &json!("17")));
        assert_eq!(patch[1], json!({ "op": "test", "path": "/spec/template/spec/containers/1/name", "value": "main" }));
        assert_eq!(patch[2], json!({ "op": "replace", "path": "/spec/template/spec/containers/1/image", "value": "shop:3" }));
    }

    /// A step is gone past once: what was released is behind it, and what stands elsewhere is not moved.
    #[test]
    fn a_step_is_gone_past_once_and_only_from_where_it_was_planned() {
        let past = |step| WorkloadForm { step: Some(step), ..form("shop:2") };
        assert_eq!(next(&json!({ "pauseConditions": null }), &past(2)), None);
        assert_eq!(next(&json!({ "currentStepIndex": 3 }), &past(2)), None);
        let (kind, why) = of(&json!({}), &json!({ "currentStepIndex": 0 })).next_write(&past(2)).unwrap_err();
        assert_eq!(kind, PortErrorKind::Conflict);
        assert!(why.contains("0 of its steps are behind it, and 1 were to be"), "{why}");
        let (kind, _) = of(&json!({}), &json!({ "abort": true })).next_write(&past(2)).unwrap_err();
        assert_eq!(kind, PortErrorKind::Refused);
    }

    /// On the way back it is aborted first, then its template is the old one again; what was stable already is not aborted, and skips its
    /// steps once its controller has seen it.
    #[test]
    fn a_way_back_is_an_abort_then_the_old_template_then_no_further_step() {
        let back = WorkloadForm { full: Some(true), paused: Some(false), ..form("shop:1") };
        assert_eq!(next(&json!({}), &back).unwrap().0, What::Abort);
        assert_eq!(next(&json!({ "abort": true }), &back).unwrap().0, What::Spec);
        let stable = json!({ "stableRS": "b", "pauseConditions": null, "controllerPause": false });
        assert_eq!(next(&stable, &back).unwrap().0, What::Spec);
        let again = WorkloadForm { paused: Some(false), full: Some(true), ..form("shop:2") };
        let unobserved = of(&json!({}), &json!({ "observedGeneration": "1", "stableRS": "b" }));
        assert_eq!(unobserved.next_write(&again).unwrap(), Some(Next::Unobserved));
        assert_eq!(next(&json!({}), &again).unwrap().0, What::Full);
        assert_eq!(next(&stable, &again), None);
    }

    #[test]
    fn what_cannot_be_had_is_refused_with_words() {
        let of_other = of(&json!({ "workloadRef": { "name": "web" } }), &json!({}));
        assert!(of_other.next_write(&form("shop:3")).unwrap_err().1.contains("spec.workloadRef"));
        let typo = WorkloadForm { images: [("mian".to_owned(), "shop:3".to_owned())].into(), ..WorkloadForm::default() };
        assert!(of(&json!({}), &json!({})).next_write(&typo).unwrap_err().1.contains("no container mian; it has main, side"));
    }
}
