//! A rollout of Argo Rollouts as it is: its own steps, why it pauses, what its analyses say, and how far it has come.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Images, Progress, Replicas, Workload, WorkloadKind, images};
use crate::adapters::kubernetes::object::{Meta, Place, condition};
use crate::model::text::Text;
use crate::model::walk::{Analysis, Walk};

/// What is read of a rollout beside its steps, for what is written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Notes {
    /// Whether its controller has seen the newest form of it.
    pub(super) observed: bool,
    /// Whether what it wishes is the stable version already.
    pub(super) promoted: bool,
    /// Whether it stands at an analysis that did not say yes or no.
    pub(super) inconclusive: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    replicas: Option<u32>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    selector: super::Selector,
    #[serde(default)]
    strategy: Strategy,
    /// Of another object, whose template it takes.
    workload_ref: Option<Value>,
    #[serde(default)]
    template: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    canary: Option<Canary>,
    blue_green: Option<BlueGreen>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Canary {
    steps: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct BlueGreen {
    auto_promotion_seconds: u64,
}

impl Strategy {
    /// The steps of a canary; of blue and green there is one, the switch.
    fn steps(&self) -> Vec<Value> {
        match (&self.blue_green, &self.canary) {
            (Some(_), _) => vec![json!({ "switch": {} })],
            (None, canary) => canary.as_ref().map(|canary| canary.steps.clone()).unwrap_or_default(),
        }
    }

    /// Whether a pause of that step ends by itself.
    fn goes_on(&self, step: Option<&Value>) -> bool {
        let lasts = step.and_then(|step| step.pointer("/pause/duration")).is_some_and(|duration| !duration.is_null());
        lasts || self.blue_green.as_ref().is_some_and(|blue_green| blue_green.auto_promotion_seconds > 0)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    /// A text, other than at the kinds of Kubernetes itself.
    observed_generation: String,
    phase: String,
    message: String,
    #[serde(rename = "stableRS")]
    stable: String,
    current_pod_hash: String,
    current_step_index: Option<u32>,
    pause_conditions: Option<Vec<Pause>>,
    controller_pause: bool,
    abort: bool,
    promote_full: bool,
    replicas: u32,
    updated_replicas: u32,
    ready_replicas: u32,
    available_replicas: u32,
    canary: CanaryStatus,
    blue_green: BlueGreenStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Pause {
    reason: String,
    start_time: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CanaryStatus {
    current_step_analysis_run_status: Option<Run>,
    current_background_analysis_run_status: Option<Run>,
    weights: Option<Weights>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct BlueGreenStatus {
    active_selector: String,
    pre_promotion_analysis_run_status: Option<Run>,
    post_promotion_analysis_run_status: Option<Run>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Run {
    name: String,
    status: String,
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Weights {
    canary: Weight,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Weight {
    weight: u32,
}

/// Reads a rollout.
///
/// # Errors
/// Why it is not what it should be.
pub(super) fn read(place: &Place, object: &Value) -> Result<Workload, String> {
    let meta = Meta::of(object)?;
    let other = |error: serde_json::Error| format!("the Rollout is another than expected: {error}");
    let spec = Spec::deserialize(object.get("spec").unwrap_or(&Value::Null)).map_err(other)?;
    let status = object.get("status").map(Status::deserialize).transpose().map_err(other)?.unwrap_or_default();
    let steps = spec.strategy.steps();
    let observed = status.observed_generation.parse() == Ok(meta.generation);
    let promoted = !status.stable.is_empty() && status.stable == status.current_pod_hash;
    let step_run = status.canary.current_step_analysis_run_status.as_ref();
    let notes = Notes { observed, promoted, inconclusive: step_run.is_some_and(|run| run.status == "Inconclusive") };
    let walk = walk(&steps, (&spec.strategy, &status), notes);
    let replicas = Replicas {
        // What is not written is 1.
        wished: spec.replicas.unwrap_or(1),
        present: status.replicas,
        updated: status.updated_replicas,
        ready: status.ready_replicas,
        available: status.available_replicas,
    };
    let images = if spec.workload_ref.is_some() { Images::new() } else { images(&spec.template) };
    let strategy = match (&spec.workload_ref, &spec.strategy.blue_green) {
        (Some(_), _) => "workloadRef",
        (None, Some(_)) => "BlueGreen",
        (None, None) => "Canary",
    };
    let progress = progress(object, (&spec, &status), (&steps, &walk), notes, replicas);
    let revision = object.pointer("/metadata/annotations/rollout.argoproj.io~1revision").and_then(Value::as_str);
    Ok(Workload {
        kind: WorkloadKind::Rollout,
        place: place.clone(),
        paused: spec.paused,
        partition: None,
        strategy: strategy.to_owned(),
        replicas,
        progress,
        images,
        revision: revision.and_then(|revision| revision.parse().ok()),
        selector: spec.selector.words(),
        template: spec.template,
        autoscaler: None,
        walk: Some((walk, notes)),
        target: None,
        meta,
    })
}

fn walk(steps: &[Value], (strategy, status): (&Strategy, &Status), notes: Notes) -> Walk {
    let many = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    // Where no steps are, none is under way; where it says nothing, the first one is.
    let switched = status.blue_green.active_selector == status.current_pod_hash;
    let step = strategy.blue_green.as_ref().map(|_| u32::from(switched)).or(status.current_step_index).unwrap_or(0).min(many);
    let pauses: Vec<Text> = status.pause_conditions.iter().flatten().map(|pause| Text::clean_within(&pause.reason, 100)).collect();
    let walked = steps.get(..=usize::try_from(step).unwrap_or(usize::MAX)).unwrap_or(steps);
    let by_steps = walked.iter().rev().find_map(|step| step.get("setWeight")?.as_u64()).and_then(|weight| u32::try_from(weight).ok());
    let by_router = status.canary.weights.as_ref().map(|weights| weights.canary.weight);
    let runs = [
        &status.canary.current_step_analysis_run_status,
        &status.canary.current_background_analysis_run_status,
        &status.blue_green.pre_promotion_analysis_run_status,
        &status.blue_green.post_promotion_analysis_run_status,
    ];
    let text = |text: &str| Text::clean_within(text, 300);
    Walk {
        step,
        steps: many,
        weight: if notes.promoted { None } else { by_router.or(by_steps) },
        released: status.controller_pause && pauses.is_empty(),
        pauses,
        aborted: status.abort,
        full: notes.observed && (status.promote_full || notes.promoted),
        analyses: runs
            .into_iter()
            .flatten()
            .map(|run| Analysis { name: text(&run.name), phase: text(&run.status), message: text(&run.message) })
            .collect(),
        phase: None,
        failed: None,
    }
}

/// A step by its own word: `setWeight 20`, `pause 10m`, `analysis`.
fn named(step: &Value) -> String {
    let Some((word, what)) = step.as_object().and_then(|step| step.iter().next()) else { return "a step".to_owned() };
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match scalar(what).or_else(|| what.get("duration").and_then(scalar)) {
        Some(value) => format!("{word} {value}"),
        None => word.clone(),
    }
}

fn progress(object: &Value, (spec, status): (&Spec, &Status), (steps, walk): (&[Value], &Walk), notes: Notes, at: Replicas) -> Progress {
    let text = |words: String| Text::clean_within(&words, 400);
    if !notes.observed {
        return Progress::Unseen;
    }
    let message = if status.message.is_empty() { "its controller says no more" } else { &status.message };
    if walk.aborted {
        return Progress::Stuck(text(format!("aborted: {message}")));
    }
    if status.phase == "Degraded" {
        return Progress::Stuck(text(message.to_owned()));
    }
    if let Some(failure) = condition(object.pointer("/status/conditions"), "ReplicaFailure").filter(|one| one.status == "True") {
        return Progress::Stuck(text(format!("its replicas cannot be made: {}: {}", failure.reason, failure.message)));
    }
    let new = at.updated >= at.wished && at.available >= at.updated;
    if notes.promoted && new && (status.phase == "Healthy" || spec.paused) {
        return Progress::Done;
    }
    let step = steps.get(usize::try_from(walk.step).unwrap_or(usize::MAX));
    let since = status.pause_conditions.iter().flatten().map(|pause| format!("{} since {}", pause.reason, pause.start_time));
    let told: Vec<String> = walk
        .told()
        .map(|told| step.map_or_else(|| told.clone(), |step| format!("{told} ({})", named(step))))
        .into_iter()
        .chain(walk.weight.map(|weight| format!("weight {weight} %")))
        .chain(since)
        .chain((!walk.pauses()).then(|| if walk.released { "told to go on".to_owned() } else { message.to_owned() }))
        .chain([format!("{} of {} are new", at.updated, at.wished)])
        .chain(walk.analyses.iter().map(|run| {
            let more = if run.message.as_str().is_empty() { String::new() } else { format!(": {}", run.message) };
            format!("analysis {} {}{more}", run.name, run.phase)
        }))
        .collect();
    let told = text(told.join("; "));
    if spec.paused {
        return Progress::Paused(told);
    }
    // A pause with a duration ends by itself; any other one, and an analysis that did not decide, waits for a person.
    let own = walk.pauses.iter().all(|reason| matches!(reason.as_str(), "CanaryPauseStep" | "BlueGreenPause"));
    if walk.pauses() && !(own && spec.strategy.goes_on(step)) { Progress::Waits(told) } else { Progress::Moving(told) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::said;
    use super::*;
    use rstest::rstest;

    /// A rollout of three, at the pause that is the second of its four steps.
    pub(in super::super) fn rollout(spec: &Value, status: &Value) -> Value {
        let template = json!({ "spec": { "containers": [{ "name": "side", "image": "mesh:9" }, { "name": "main", "image": "shop:2" }] } });
        let steps = json!([{ "setWeight": 20 }, { "pause": {} }, { "setWeight": 50 }, { "pause": { "duration": "10m" } }]);
        let mut object = json!({
            "metadata": { "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "17", "generation": 2 },
            "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "web" } }, "template": template,
                "strategy": { "canary": { "steps": steps } } },
            "status": { "observedGeneration": "2", "phase": "Paused", "message": "CanaryPauseStep", "stableRS": "a", "currentPodHash": "b",
                "currentStepIndex": 1, "controllerPause": true,
                "pauseConditions": [{ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" }],
                "replicas": 4, "updatedReplicas": 1, "readyReplicas": 4, "availableReplicas": 4 },
        });
        for (part, changes) in [("spec", spec), ("status", status)] {
            for (key, value) in changes.as_object().unwrap() {
                object[part][key] = value.clone();
            }
        }
        object
    }

    pub(in super::super) fn of(spec: &Value, status: &Value) -> Workload {
        read(&Place { namespace: "shop".to_owned(), name: "web".to_owned() }, &rollout(spec, status)).unwrap()
    }

    #[rstest]
    #[case::open(json!({}), json!({}), "Waits(step 2 of 4 (pause); weight 20 %; CanaryPauseStep since 2026-01-01T00:00:00Z; 1 of 3 are new)")]
    #[case::released(json!({}), json!({ "pauseConditions": null }), "Moving(step 2 of 4 (pause); weight 20 %; told to go on; 1 of 3 are new)")]
    #[case::timed(
        json!({}),
        json!({ "currentStepIndex": 3 }),
        "Moving(step 4 of 4 (pause 10m); weight 50 %; CanaryPauseStep since 2026-01-01T00:00:00Z; 1 of 3 are new)"
    )]
    #[case::held(json!({ "paused": true }), json!({ "message": "manually paused", "pauseConditions": null, "controllerPause": false }),
        "Paused(step 2 of 4 (pause); weight 20 %; manually paused; 1 of 3 are new)")]
    #[case::aborted(json!({}), json!({ "abort": true, "phase": "Degraded", "message": "RolloutAborted: m\u{1b}" }), "Stuck(aborted: RolloutAborted: m␛)")]
    #[case::late(json!({}), json!({ "phase": "Degraded", "message": "ProgressDeadlineExceeded: m" }), "Stuck(ProgressDeadlineExceeded: m)")]
    #[case::undecided(
        json!({}),
        json!({ "currentStepIndex": 3, "pauseConditions": [{ "reason": "InconclusiveAnalysisRun", "startTime": "t" }],
            "canary": { "currentStepAnalysisRunStatus": { "name": "web-1", "status": "Inconclusive", "message": "m" } } }),
        "Waits(step 4 of 4 (pause 10m); weight 50 %; InconclusiveAnalysisRun since t; 1 of 3 are new; analysis web-1 Inconclusive: m)"
    )]
    #[case::routed(
        json!({}),
        json!({ "phase": "Progressing", "message": "more", "pauseConditions": null, "controllerPause": false, "currentStepIndex": 2,
            "canary": { "weights": { "canary": { "weight": 33 } } } }),
        "Moving(step 3 of 4 (setWeight 50); weight 33 %; more; 1 of 3 are new)"
    )]
    #[case::done(
        json!({}),
        json!({ "phase": "Healthy", "message": "", "stableRS": "b", "currentStepIndex": 4, "pauseConditions": null, "controllerPause": false,
            "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3 }),
        "Done"
    )]
    fn a_rollout_comes_so_far(#[case] spec: Value, #[case] status: Value, #[case] wanted: &str) {
        assert_eq!(said(of(&spec, &status).progress), wanted);
    }

    #[test]
    fn blue_and_green_have_one_step_the_switch() {
        let at = |strategy: Value, active: &str| {
            let pause = json!([{ "reason": "BlueGreenPause", "startTime": "t" }]);
            let spec = json!({ "strategy": { "blueGreen": strategy } });
            of(&spec, &json!({ "pauseConditions": pause, "blueGreen": { "activeSelector": active } }))
        };
        let waits = at(json!({}), "a");
        assert!(matches!(&waits.progress, Progress::Waits(told) if told.as_str().starts_with("step 1 of 1 (switch)")), "{waits:?}");
        assert!(matches!(at(json!({ "autoPromotionSeconds": 30 }), "a").progress, Progress::Moving(_)));
        assert_eq!(at(json!({}), "b").seen().walk.unwrap().step, 1);
    }

    #[test]
    fn notes_of_the_generation_before_tell_nothing() {
        for observed in ["1", "", "a-hash"] {
            assert_eq!(of(&json!({}), &json!({ "observedGeneration": observed })).progress, Progress::Unseen, "{observed}");
        }
    }

    #[test]
    fn a_template_of_another_object_is_said_and_has_no_images() {
        let of = of(&json!({ "workloadRef": { "kind": "Deployment", "name": "web" }, "template": null }), &json!({}));
        assert_eq!((of.strategy.as_str(), of.images.len()), ("workloadRef", 0));
    }
}
