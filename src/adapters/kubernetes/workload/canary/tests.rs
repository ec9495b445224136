//! Canaries as they are read, by examples, and what is written to them.

use rstest::rstest;

use super::super::tests::{deployment, said};
use super::*;

/// When the images of the target were written.
const WRITTEN: &str = "2026-01-01T00:00:10Z";

fn of_image(image: &str, replicas: u32, spec: &Value) -> Value {
    let all = json!({ "observedGeneration": 2, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
        "availableReplicas": replicas });
    let mut object = deployment(spec, &all);
    object["spec"]["replicas"] = json!(replicas);
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    object["metadata"]["resourceVersion"] = json!("40");
    let owned = json!({ "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"main\"}": { "f:image": {} } } } } } });
    object["metadata"]["managedFields"] = json!([
        { "manager": "gonogo", "time": WRITTEN, "fieldsV1": owned },
        { "manager": "flagger", "time": "2026-01-01T09:00:00Z", "fieldsV1": { "f:spec": { "f:replicas": {} } } },
    ]);
    object
}

/// A canary of three whose target was set to `shop:2`, with so many of it up.
fn canary_with(spec: &Value, status: &Value, (up, primary): (u32, &str), events: &[Value]) -> Workload {
    let mut object = json!({
        "metadata": { "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "17", "generation": 2 },
        "spec": { "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "analysis": { "interval": "30s", "threshold": 3, "maxWeight": 50, "stepWeight": 10 } },
        "status": { "phase": "Progressing", "canaryWeight": 20, "failedChecks": 1, "iterations": 0 },
    });
    for (part, changes) in [("spec", spec), ("status", status)] {
        for (key, value) in changes.as_object().unwrap() {
            object[part][key] = value.clone();
        }
    }
    let place = Place { namespace: "shop".to_owned(), name: "web".to_owned() };
    let (target, primary) = (of_image("shop:2", up, &json!({})), of_image(primary, 3, &json!({})));
    Canary::of(&place, &object).unwrap().with((Some(&target), Some(&primary)), events).unwrap()
}

fn canary(spec: &Value, status: &Value, at: (u32, &str)) -> Workload {
    canary_with(spec, status, at, &[])
}

fn failed(since: &str) -> Value {
    let message = "Canary analysis failed, Deployment scaled to zero.";
    json!({ "phase": "Failed", "canaryWeight": 0, "failedChecks": 0,
        "conditions": [{ "type": "Promoted", "status": "False", "reason": "Failed", "message": message, "lastTransitionTime": since }] })
}

#[rstest]
#[case::progresses(json!({}), "Moving(Progressing: step 2 of 5; weight 20 %; failed checks 1 of 3; 1 of 3 are new)")]
#[case::begins(json!({ "canaryWeight": 0, "failedChecks": 0 }), "Moving(Progressing: step 1 of 5; weight 0 %; failed checks 0 of 3; 1 of 3 are new)")]
#[case::promotes(json!({ "phase": "Promoting", "canaryWeight": 50 }), "Moving(Promoting: all 5 steps walked; weight 50 %; 1 of 3 are new)")]
#[case::gate(
    json!({ "phase": "WaitingPromotion", "canaryWeight": 0, "conditions": [{ "type": "Promoted", "message": "Waiting for approval." }] }),
    "Waits(WaitingPromotion: step 5 of 5; failed checks 1 of 3; Waiting for approval; 1 of 3 are new)"
)]
#[case::initializes(json!({ "phase": "Initializing" }), "Moving(Initializing: Flagger makes its primary)")]
#[case::ends(json!({ "phase": "Terminating" }), "Stuck(Terminating: it is being deleted)")]
#[case::hostile(json!({ "phase": "Odd\u{1b}" }), "Moving(Odd␛: step 1 of 5; failed checks 1 of 3; 1 of 3 are new)")]
fn a_canary_comes_so_far(#[case] status: Value, #[case] wanted: &str) {
    assert_eq!(said(canary(&json!({}), &status, (1, "shop:1")).progress), wanted);
}

/// An old success is never taken for the new version's, nor an old failure.
#[rstest]
#[case::succeeded(json!({ "phase": "Succeeded" }), "shop:1", "Moving(Flagger has not taken it up yet; it looks every 30s)")]
#[case::initialized(json!({ "phase": "Initialized" }), "shop:1", "Moving(Flagger has not taken it up yet; it looks every 30s)")]
#[case::failed_before(failed("2026-01-01T00:00:09Z"), "shop:1", "Moving(Flagger has not taken it up yet; it looks every 30s)")]
#[case::failed_at_once(failed(WRITTEN), "shop:1", "Moving(Flagger has not taken it up yet; it looks every 30s)")]
#[case::failed(
    failed("2026-01-01T00:01:10Z"),
    "shop:1",
    "Stuck(Flagger took it back: Canary analysis failed, Deployment scaled to zero. Its primary runs main shop:1, side mesh:9)"
)]
#[case::promoted(json!({ "phase": "Succeeded" }), "shop:2", "Done")]
#[case::taken_back(failed("2026-01-01T00:01:10Z"), "shop:2", "Done")]
#[case::taken_back_under_way(json!({}), "shop:2", "Done")]
#[case::finalises(json!({ "phase": "Finalising" }), "shop:2", "Moving(Finalising: all 5 steps walked; 3 of 3 are new)")]
fn what_its_phase_is_about_is_told_by_its_deployments(#[case] status: Value, #[case] primary: &str, #[case] wanted: &str) {
    assert_eq!(said(canary(&json!({}), &status, (1, primary)).progress), wanted);
}

#[test]
fn a_failed_promotion_is_stuck_although_its_primary_wishes_the_same() {
    let mut status = failed("2026-01-01T00:01:10Z");
    status["canaryWeight"] = json!(100);
    let told = said(canary(&json!({}), &status, (1, "shop:2")).progress);
    assert!(told.starts_with("Stuck(Failed: its primary does not get ready"), "{told}");
    // Nor does its way back, written after that, come to its primary by itself.
    status["conditions"] = failed("2026-01-01T00:00:09Z")["conditions"].clone();
    let told = said(canary(&json!({}), &status, (1, "shop:1")).progress);
    assert!(told.contains("its primary runs main shop:1, side mesh:9; Flagger takes nothing up before a new version comes"), "{told}");
}

#[rstest]
#[case::weights(json!({ "threshold": 2, "stepWeights": [5, 20, 60] }), json!({ "canaryWeight": 20 }), (1, 3, Some(20)))]
#[case::iterations(json!({ "iterations": 10 }), json!({ "canaryWeight": 0, "iterations": 4 }), (3, 10, None))]
#[case::nothing_said(json!({}), json!({ "canaryWeight": 7 }), (6, 100, Some(7)))]
fn its_steps_are_weights_or_iterations(#[case] analysis: Value, #[case] status: Value, #[case] wanted: (u32, u32, Option<u32>)) {
    let walk = canary(&json!({ "analysis": analysis }), &status, (1, "shop:1")).seen().walk.unwrap();
    assert_eq!((walk.step, walk.steps, walk.weight), wanted);
}

/// Which check failed is told by the newest event of it, and by none of the version before.
#[test]
fn the_check_that_failed_last_is_told() {
    let event = |at: &str, message: &str| json!({ "message": message, "lastTimestamp": at });
    let events = [
        event("2026-01-01T00:00:40Z", "Halt web.shop advancement errors 0.20 > 0.05"),
        event("2026-01-01T00:00:30Z", "Halt web.shop advancement latency 0.90 > 0.50"),
        event("2026-01-01T00:01:00Z", "Rolling back web.shop failed checks threshold reached 3"),
    ];
    let told = |status: &Value, events: &[Value]| said(canary_with(&json!({}), status, (1, "shop:1"), events).progress);
    let failing = told(&json!({}), &events);
    assert!(failing.contains("failed checks 1 of 3; Halt web.shop advancement errors 0.20 > 0.05; 1 of 3"), "{failing}");
    let failed = told(&failed("2026-01-01T00:01:10Z"), &events);
    assert!(failed.contains("Flagger took it back: Halt web.shop advancement errors 0.20 > 0.05. Canary analysis failed"), "{failed}");
    let before = told(&json!({}), &[event("2026-01-01T00:00:09Z", "Halt web.shop advancement errors 0.20 > 0.05")]);
    assert!(!before.contains("Halt"), "{before}");
    let (place, meta) = (Place { namespace: "shop".to_owned(), name: "web".to_owned() }, json!({ "uid": "u1", "resourceVersion": "1" }));
    let asks = |phase: &str, checks: u32, primary: &str| {
        let status = json!({ "phase": phase, "failedChecks": checks });
        let object = json!({ "metadata": meta, "spec": { "targetRef": { "name": "web" } }, "status": status });
        let (target, primary) = (of_image("shop:2", 1, &json!({})), of_image(primary, 3, &json!({})));
        Canary::of(&place, &object).unwrap().fails((Some(&target), Some(&primary)))
    };
    let all = [("Failed", 0, "shop:1"), ("Failed", 0, "shop:2"), ("Progressing", 1, "shop:1"), ("Progressing", 0, "shop:1")];
    assert_eq!(all.map(|(phase, checks, primary)| asks(phase, checks, primary)), [true, false, true, false]);
}

#[test]
fn a_suspended_one_is_paused_where_it_stands() {
    let held = canary(&json!({ "suspend": true }), &json!({}), (1, "shop:1"));
    assert!(held.seen().paused && said(held.progress).starts_with("Paused(Progressing: step 2 of 5"));
    assert_eq!(said(canary(&json!({ "suspend": true }), &json!({}), (1, "shop:2")).progress), "Done");
}

/// P8: the image goes to the Deployment, the suspension to the Canary, each for the object that was read.
#[test]
fn p8_a_way_back_is_the_old_images_of_its_target_and_then_no_suspension() {
    let form =
        |image: &str, paused| WorkloadForm { images: [("main".to_owned(), image.to_owned())].into(), paused, ..WorkloadForm::default() };
    let now = canary(&json!({ "suspend": true }), &json!({}), (1, "shop:1"));
    let back = form("shop:1", Some(false));
    let Some(Next::Write(What::Spec, Part::Whole, Change::Strategic(patch))) = now.next_write(&back).unwrap() else { panic!("an image") };
    assert_eq!((&patch["metadata"]["resourceVersion"], now.object_of(What::Spec).0), (&json!("40"), Kind::Deployment));
    let went = form("shop:2", Some(false));
    let Some(Next::Write(What::Suspend, Part::Whole, Change::Merge(patch))) = now.next_write(&went).unwrap() else { panic!("a pause") };
    assert_eq!(patch, json!({ "metadata": { "resourceVersion": "17" }, "spec": { "suspend": false } }));
    assert_eq!(now.object_of(What::Suspend).0, Kind::Canary);
    let lines = now.walked_by_hand(&back);
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("patch deployments.apps/web --type=strategic") && lines[1].contains("canaries.flagger.app/web"),
        "{lines:?}"
    );
    assert!(now.next_write(&WorkloadForm { full: Some(true), ..went }).unwrap_err().1.contains("Flagger alone"));
}

#[test]
fn what_is_no_deployment_or_not_there_is_told_with_words() {
    let place = Place { namespace: "shop".to_owned(), name: "web".to_owned() };
    let of = |kind: &str, name: &str| json!({ "metadata": { "uid": "u1", "resourceVersion": "1" }, "spec": { "targetRef": { "kind": kind, "name": name } } });
    let (daemons, gone, odd) = (of("DaemonSet", "web"), of("Deployment", "web"), of("Deployment", "../web"));
    let daemons = Canary::of(&place, &daemons).unwrap().with((None, None), &[]).unwrap();
    assert_eq!((daemons.strategy.as_str(), daemons.images.len()), ("targetRef", 0));
    assert!(said(Canary::of(&place, &gone).unwrap().with((None, None), &[]).unwrap().progress).contains("is not there"));
    assert_eq!(Canary::of(&place, &odd).unwrap().target(), None);
}
