//! Releases of a rollout of Argo Rollouts, walked by its real controller: promoted, held, skipped, taken back, aborted by Argo itself.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::adapters::kubernetes::{Deed, Expect, Images, Place, Progress, WorkloadKind, Workloads};
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::PortErrorKind;
use gonogo::model::workload::{WorkloadChange, WorkloadForm, WorkloadName};
use serde_json::{Value, json};

use crate::contract::not_done;
use crate::plane::{over, plane};
use crate::rollouts::{ROLLING, Stage, TARGET};
use crate::servers::between::{Between, Pass};

/// Four replicas that go by these steps.
fn stage(namespace: &'static str, steps: &Value, deploy: &str) -> Stage {
    plane().argo();
    let strategy = json!({ "canary": { "steps": steps, "maxSurge": 1, "maxUnavailable": 0 } });
    Stage::new(namespace, "Rollout", &json!({ "replicas": 4, "strategy": strategy }), deploy)
}

/// A quarter, then a pause that only a person ends.
fn quarter() -> Value {
    json!([{ "setWeight": 25 }, { "pause": {} }])
}

/// Waits until it stands at a pause of its own, with a quarter of it new.
fn at_pause(stage: &Stage) -> Value {
    stage.until_status("its own pause", |status| {
        let words = status["next"]["words"].as_str().unwrap_or_default();
        status["next"]["kind"] == "person" && words.contains("at a pause of its own")
    })
}

#[test]
fn a_release_is_walked_held_resumed_and_sent_past_its_pause() {
    let stage = stage("argo-walked", &quarter(), ROLLING);
    stage.start("2");
    let conductor = stage.watch();
    let waits = at_pause(&stage);
    let own = &waits["workload"]["own_steps"];
    assert_eq!((own["step"].as_u64(), own["of"].as_u64(), own["weight"].as_u64()), (Some(1), Some(2), Some(25)), "{waits}");
    assert_eq!(own["pauses"], json!(["CanaryPauseStep"]));
    let words = waits["next"]["words"].as_str().unwrap();
    assert!(words.contains("step 2 of 2 (pause)") && words.contains("gonogo promote web@prod sends it on"), "{words}");
    assert_eq!((stage.pods("shop:2"), stage.pods("shop:1")), (1, 3));
    // Held by a person, Argo stands still, too, and nothing goes forward.
    stage.json(&["hold", TARGET, "--reason", "look first"]);
    let held = stage.until_next("held");
    assert_eq!((held["workload"]["paused"].as_bool(), stage.object()["spec"]["paused"].as_bool()), (Some(true), Some(true)));
    let (code, refused) = stage.told(&["promote", TARGET, "--yes"]);
    assert!(code != 0 && refused["reasons"].to_string().contains("held"), "{refused}");
    drop(conductor);
    let _conductor = stage.watch();
    stage.json(&["resume", TARGET, "--yes", "--reason", "looked"]);
    assert_ne!(stage.object()["spec"]["paused"].as_bool(), Some(true));
    at_pause(&stage);
    assert_eq!(stage.pods("shop:2"), 1, "a resume alone goes past no pause of Argo");
    // What a person would paste is in the plan.
    let plan = stage.json(&["promote", TARGET, "--dry-run"]);
    let commands = plan["commands"].to_string();
    assert!(commands.contains("--subresource=status --type=merge") && commands.contains("pauseConditions"), "{plan}");
    stage.json(&["promote", TARGET, "--yes", "--reason", "the quarter is well"]);
    let over = stage.ended("promoted");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    assert_eq!((stage.pods("shop:2"), stage.pods("shop:1"), stage.sendings("shift"), stage.sendings("promote")), (4, 0, 1, 1));
    assert_eq!(stage.json(&["ledger", "verify"])["intact"], true);
}

#[test]
fn promoted_in_full_every_further_step_is_skipped_and_a_way_back_from_there_waits_at_none() {
    let steps = json!([{ "setWeight": 25 }, { "pause": {} }, { "setWeight": 50 }, { "pause": {} }]);
    let stage = stage("argo-full", &steps, &ROLLING.replace("bake = \"3s\"", "bake = \"10m\""));
    stage.start("2");
    let _conductor = stage.watch();
    at_pause(&stage);
    stage.json(&["rollout", "promote", TARGET, "--full", "--yes", "--reason", "it is urgent"]);
    let bakes = stage.until_next("bakes");
    assert_eq!((bakes["workload"]["progress"].as_str(), stage.pods("shop:2"), stage.pods("shop:1")), (Some("done"), 4, 0));
    // All of it is new and stable: the old version would be walked in by the same steps, from pause to pause.
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    assert_eq!((stage.image(), stage.pods("shop:1"), stage.pods("shop:2")), ("shop:1".to_owned(), 4, 0));
    assert_eq!(stage.object()["status"]["phase"], "Healthy");
}

#[test]
fn aborted_by_a_person_it_stands_at_the_old_version_and_not_degraded() {
    let stage = stage("argo-aborted", &quarter(), ROLLING);
    stage.start("2");
    let _conductor = stage.watch();
    at_pause(&stage);
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    let now = stage.object();
    assert_eq!((stage.image(), stage.pods("shop:2"), stage.pods("shop:1")), ("shop:1".to_owned(), 0, 4));
    assert_eq!((&now["status"]["phase"], now["status"]["abort"].as_bool().unwrap_or_default()), (&json!("Healthy"), false));
    // It can be released again at once.
    stage.start("3");
    let _conductor = stage.watch();
    at_pause(&stage);
    assert_eq!(stage.pods("shop:3"), 1);
}

#[test]
fn blue_and_green_are_switched_by_a_person_and_back() {
    let namespace = "argo-green";
    let stage = stage(namespace, &quarter(), &ROLLING.replace("bake = \"3s\"", "bake = \"10m\""));
    let service = |name: &str| {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": namespace },
            "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] } })
    };
    plane().apply(&[service("active"), service("preview")]);
    let green = json!({ "activeService": "active", "previewService": "preview", "autoPromotionEnabled": false });
    let patch = json!({ "spec": { "strategy": { "canary": null, "blueGreen": green } } }).to_string();
    plane().run(&["-n", namespace, "patch", "rollout", "web", "--type=merge", "-p", &patch]);
    stage.until("its new strategy to be seen", |now| {
        let status = &now["status"];
        let observed = status["observedGeneration"] == now["metadata"]["generation"].to_string().as_str();
        observed && status["phase"] == "Healthy" && status["blueGreen"]["activeSelector"].is_string()
    });
    let active = || plane().get(namespace, "service", "active")["spec"]["selector"].clone();
    let blue = active();
    stage.start("2");
    let _conductor = stage.watch();
    let waits = at_pause(&stage);
    assert_eq!(waits["workload"]["own_steps"]["pauses"], json!(["BlueGreenPause"]), "{waits}");
    assert_eq!((active(), stage.pods("shop:2"), stage.pods("shop:1")), (blue.clone(), 4, 4));
    stage.json(&["promote", TARGET, "--yes", "--reason", "the preview is well"]);
    stage.until_next("bakes");
    assert_ne!(active(), blue);
    // Back from there, it waits for nobody before its switch.
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    assert_eq!((active(), stage.image()), (blue, "shop:1".to_owned()));
}

/// A server that measures the new version, and finds it bad.
fn bad_measure() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{\"errors\": 0.2}",
            );
        }
    });
    port
}

#[test]
fn a_failing_analysis_of_argo_takes_it_back_by_itself_once_with_the_reason_on_record() {
    let port = bad_measure();
    let namespace = "argo-analysis";
    let stage = stage(namespace, &quarter(), ROLLING);
    let web = json!({ "url": format!("http://127.0.0.1:{port}/"), "jsonPath": "{$.errors}" });
    let metric = json!({ "name": "errors", "successCondition": "result < 0.05", "provider": { "web": web } });
    plane().apply(&[json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": { "name": "errors", "namespace": namespace }, "spec": { "metrics": [metric] },
    })]);
    let steps = json!([{ "setWeight": 25 }, { "analysis": { "templates": [{ "templateName": "errors" }] } }, { "pause": {} }]);
    let patch = json!({ "spec": { "strategy": { "canary": { "steps": steps } } } }).to_string();
    plane().run(&["-n", namespace, "patch", "rollout", "web", "--type=merge", "-p", &patch]);
    stage.until("its new steps to be seen", |now| {
        let observed = now["status"]["observedGeneration"] == now["metadata"]["generation"].to_string().as_str();
        observed && now["status"]["phase"] == "Healthy"
    });
    stage.start("2");
    let _conductor = stage.watch();
    let over = stage.ended("went-back");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    assert_eq!((stage.image(), stage.pods("shop:1"), stage.pods("shop:2")), ("shop:1".to_owned(), 4, 0));
    assert_eq!((stage.sendings("shift"), stage.sendings("abort")), (1, 1));
    assert_eq!(stage.object()["status"]["phase"], "Healthy", "no new template is left that would be walked again");
    let entries = stage.json(&["ledger", "list"])["entries"].as_array().unwrap().clone();
    let intent = entries.iter().find(|entry| entry["verb"] == "abort" && entry["kind"] == "intent").expect("the way back is on record");
    let shown = stage.json(&["ledger", "show", &intent["n"].to_string()]).to_string();
    assert!(shown.contains("aborted: RolloutAborted") && shown.contains("assessed Failed"), "the evidence is written first: {shown}");
    stage.gonogo(&["rollout", "watch", TARGET]);
    assert_eq!(stage.sendings("abort"), 1);
}

/// A patch of its status, by another hand.
fn status_by_hand(namespace: &str, status: &Value) {
    let patch = json!({ "status": status }).to_string();
    plane().run(&["-n", namespace, "patch", "rollout", "web", "--subresource=status", "--type=merge", "-p", &patch]);
}

#[test]
fn what_another_hand_aborted_begins_anew_by_a_retry() {
    let stage = stage("argo-retry", &quarter(), &ROLLING.replace("bake =", "way_back = [], bake ="));
    stage.start("2");
    let _conductor = stage.watch();
    at_pause(&stage);
    status_by_hand(stage.namespace, &json!({ "abort": true }));
    let stuck = stage.until_status("the abort", |status| status["workload"]["progress"] == "stuck" && status["next"]["kind"] == "person");
    assert!(stuck["next"]["words"].as_str().unwrap().contains("aborted"), "{stuck}");
    assert_eq!(stuck["workload"]["own_steps"]["aborted"], true);
    let (code, refused) = stage.told(&["promote", TARGET, "--yes"]);
    assert!(code != 0 && refused["reasons"].to_string().contains("gonogo retry web@prod begins it anew"), "{refused}");
    stage.json(&["retry", TARGET, "--yes", "--reason", "it was the wrong one"]);
    at_pause(&stage);
    assert_eq!((stage.image(), stage.sendings("retry"), stage.sendings("abort")), ("shop:2".to_owned(), 1, 0));
}

#[test]
fn another_hand_stops_the_release_and_nothing_is_overwritten() {
    let stage = stage("argo-another", &quarter(), ROLLING);
    stage.start("2");
    let _conductor = stage.watch();
    at_pause(&stage);
    let patch = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "shop:hotfix" }]).to_string();
    plane().run(&["-n", stage.namespace, "patch", "rollout", "web", "--type=json", "-p", &patch]);
    let stopped =
        stage.until_status("the other hand", |status| status["next"]["words"].as_str().is_some_and(|words| words.contains("another hand")));
    assert_eq!(stopped["next"]["kind"], "person");
    let (code, refused) = stage.told(&["promote", TARGET, "--yes"]);
    assert!(code != 0 && refused["reasons"].to_string().contains("another hand"), "{refused}");
    assert_eq!((stage.image(), stage.sendings("promote"), stage.sendings("abort")), ("shop:hotfix".to_owned(), 0, 0));
}

#[test]
fn what_cannot_be_walked_is_refused_with_words() {
    let stage = stage("argo-refused", &quarter(), ROLLING);
    let why = |stage: &Stage| {
        let (code, refused) = stage.told(&["rollout", "start", TARGET, "--version", "2", "--yes"]);
        assert_ne!(code, 0);
        refused["reasons"].to_string()
    };
    let patch = |what: &Value| plane().run(&["-n", stage.namespace, "patch", "rollout", "web", "--type=merge", "-p", &what.to_string()]);
    patch(&json!({ "spec": { "paused": true } }));
    assert!(why(&stage).contains("paused by another hand"), "{}", why(&stage));
    patch(
        &json!({ "spec": { "paused": false, "template": null, "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" } } }),
    );
    assert!(why(&stage).contains("takes its template from another object (spec.workloadRef)"), "{}", why(&stage));
    assert_eq!(stage.sendings("shift"), 0);
}

/// A rollout that no controller minds, so that its status is what a test says.
fn unminded(namespace: &'static str) -> (Workloads, Place) {
    plane().namespace(namespace);
    let labels = json!({ "app": "web" });
    let other = json!({ "argo-rollouts.argoproj.io/controller-instance-id": "none" });
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "main", "image": "shop:2" }] } });
    let spec = json!({ "replicas": 1, "selector": { "matchLabels": labels }, "template": template,
        "strategy": { "canary": { "steps": [{ "setWeight": 25 }, { "pause": {} }, { "setWeight": 50 }, { "pause": {} }] } } });
    plane().apply(&[json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "web", "namespace": namespace, "labels": other }, "spec": spec,
    })]);
    let place = Place { namespace: namespace.to_owned(), name: "web".to_owned() };
    (Workloads::new(plane().cluster(BackendKind::Kubernetes, namespace, false)), place)
}

fn at_second_step() -> Value {
    json!({ "observedGeneration": "1", "phase": "Paused", "message": "CanaryPauseStep", "stableRS": "a", "currentPodHash": "b",
        "currentStepIndex": 1, "controllerPause": true,
        "pauseConditions": [{ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" }] })
}

/// Past the second step.
fn past_second(uid: &str, place: &Place) -> WorkloadChange {
    let images: Images = [("main".to_owned(), "shop:2".to_owned())].into();
    let at = |step| WorkloadForm { images: images.clone(), step: Some(step), ..WorkloadForm::default() };
    let workload = WorkloadName { kind: WorkloadKind::Rollout, namespace: place.namespace.clone(), name: place.name.clone() };
    WorkloadChange { workload, uid: uid.to_owned(), from: at(1), wish: at(2) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_controller_has_not_seen_is_not_told_and_what_is_gone_is_missing() {
    let namespace = "argo-unseen";
    let (workloads, place) = unminded(namespace);
    let read = workloads.read("look", WorkloadKind::Rollout, &place).await.unwrap().unwrap();
    assert_eq!(read.progress, Progress::Unseen);
    status_by_hand(namespace, &at_second_step());
    let read = workloads.read("look", WorkloadKind::Rollout, &place).await.unwrap().unwrap();
    assert!(matches!(&read.progress, Progress::Waits(words) if words.as_str().contains("step 2 of 4 (pause)")), "{read:?}");
    plane().run(&["-n", namespace, "patch", "rollout", "web", "--type=merge", "-p", "{\"spec\":{\"paused\":true}}"]);
    let read = workloads.read("look", WorkloadKind::Rollout, &place).await.unwrap().unwrap();
    assert_eq!(read.progress, Progress::Unseen, "its notes are of the generation before");
    let gone = Place { name: "nothing".to_owned(), ..place };
    assert_eq!(workloads.read("look", WorkloadKind::Rollout, &gone).await.unwrap(), None);
}

/// P8, P24: a step is gone past once, whatever becomes of the answer and whoever comes in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_gone_past_once_whatever_becomes_of_the_answer() {
    let namespace = "argo-faults";
    let (direct, place) = unminded(namespace);
    status_by_hand(namespace, &at_second_step());
    let uid = direct.read("look", WorkloadKind::Rollout, &place).await.unwrap().unwrap().meta.uid;
    let (_proxy, port) = plane().plain();
    let change = past_second(&uid, &place);
    let deed = Deed::Form(change.wish.clone());
    let sent = async |through: &Workloads| through.carry_out(WorkloadKind::Rollout, &place, &deed, Expect::From(&change)).await;
    let written = |request: &str| {
        let first = request.lines().next().unwrap_or_default().to_owned();
        first.starts_with("PATCH ") && !first.contains("dryRun")
    };
    let step = || plane().get(namespace, "rollout", "web")["status"].clone();

    // Another hand goes past it right before: its notes came first, and nothing is sent again.
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let other = Between::start(port, move |request| {
        if written(request) && counted.fetch_add(1, Ordering::SeqCst) == 0 {
            status_by_hand(namespace, &json!({ "pauseConditions": null, "currentStepIndex": 2, "controllerPause": false }));
        }
        Pass::On
    });
    sent(&Workloads::new(over(BackendKind::Kubernetes, &other.url(), namespace, Duration::from_secs(10)))).await.unwrap();
    assert_eq!((count.load(Ordering::SeqCst), step()["currentStepIndex"].as_u64()), (1, Some(2)));

    // A lost answer is settled by reading back, and what is sent again writes nothing.
    status_by_hand(namespace, &at_second_step());
    let lost = Between::start(port, move |request| if written(request) { Pass::OnThenCut } else { Pass::On });
    let through = Workloads::new(over(BackendKind::Kubernetes, &lost.url(), namespace, Duration::from_secs(10)));
    sent(&through).await.unwrap();
    assert!(step()["pauseConditions"].is_null());
    let version = plane().get(namespace, "rollout", "web")["metadata"]["resourceVersion"].clone();
    sent(&through).await.unwrap();
    assert_eq!(plane().get(namespace, "rollout", "web")["metadata"]["resourceVersion"], version);

    // Begun anew by another hand it stands at its first step: that one is not skipped.
    status_by_hand(namespace, &json!({ "currentStepIndex": 0, "controllerPause": false }));
    assert_eq!(not_done(sent(&direct).await), PortErrorKind::Conflict);
    // Neither is one of another object of that name, nor one that is at another image.
    let stranger = past_second("another", &place);
    let result = direct.carry_out(WorkloadKind::Rollout, &place, &Deed::Form(stranger.wish.clone()), Expect::From(&stranger)).await;
    assert_eq!(not_done(result), PortErrorKind::Conflict);
    assert_eq!(step()["currentStepIndex"].as_u64(), Some(0));
}

/// A way back that was cut off after its abort goes on from there when it is sent again, and what its controller never takes up is not
/// called done.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_goes_on_where_it_was_cut_off_and_is_not_done_before_its_controller_says_so() {
    let namespace = "argo-back";
    let (direct, place) = unminded(namespace);
    status_by_hand(namespace, &at_second_step());
    let uid = direct.read("look", WorkloadKind::Rollout, &place).await.unwrap().unwrap().meta.uid;
    let (_proxy, port) = plane().plain();
    let images = |image: &str| -> Images { [("main".to_owned(), image.to_owned())].into() };
    let wish = WorkloadForm { images: images("shop:1"), paused: Some(false), full: Some(true), ..WorkloadForm::default() };
    let from = WorkloadForm { images: images("shop:2"), ..WorkloadForm::default() };
    let back = WorkloadChange { wish, from, ..past_second(&uid, &place) };
    let deed = Deed::Form(back.wish.clone());
    let first = Arc::new(Mutex::new(Vec::new()));
    let seen = first.clone();
    let cut = Between::start(port, move |request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        if !line.starts_with("PATCH ") || line.contains("dryRun") {
            return Pass::On;
        }
        let mut seen = seen.lock().unwrap();
        seen.push(line.contains("/status"));
        if seen.len() == 1 { Pass::On } else { Pass::Cut }
    });
    let through = Workloads::new(over(BackendKind::Kubernetes, &cut.url(), namespace, Duration::from_secs(3)));
    let sent = through.carry_out(WorkloadKind::Rollout, &place, &deed, Expect::From(&back)).await;
    assert!(matches!(sent, Err(gonogo::model::error::SendError::Unknown(_))), "half of it is not nothing: {sent:?}");
    assert_eq!(*first.lock().unwrap(), [true, false], "first the abort, then the template");
    let now = plane().get(namespace, "rollout", "web");
    assert_eq!(
        (now["status"]["abort"].as_bool(), &now["spec"]["template"]["spec"]["containers"][0]["image"]),
        (Some(true), &json!("shop:2"))
    );
    // Sent again it writes what is lacking; by the notes of the generation before nothing is called done.
    let short = Workloads::new(over(BackendKind::Kubernetes, &format!("http://127.0.0.1:{port}"), namespace, Duration::from_secs(2)));
    let sent = short.carry_out(WorkloadKind::Rollout, &place, &deed, Expect::From(&back)).await;
    assert!(matches!(sent, Err(gonogo::model::error::SendError::Unknown(_))), "{sent:?}");
    let now = plane().get(namespace, "rollout", "web");
    assert_eq!(now["spec"]["template"]["spec"]["containers"][0]["image"], "shop:1");
    let generation = now["metadata"]["generation"].to_string();
    status_by_hand(namespace, &json!({ "abort": false, "observedGeneration": generation, "currentPodHash": "a" }));
    short.carry_out(WorkloadKind::Rollout, &place, &deed, Expect::From(&back)).await.unwrap();
}
