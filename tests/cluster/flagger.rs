//! Releases of a canary of Flagger, analysed and promoted by its real controller: held, aborted, failed by its own analysis, waiting at a gate.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::plane::plane;
use crate::rollouts::{ROLLING, Stage, TARGET, WHOLE};
use crate::servers::prometheus::Prometheus;
use crate::servers::support::wait_for;

/// A Deployment of two that Flagger releases: without a router by iterations (`kubernetes`), or by weights of an `HTTPRoute` (`gatewayapi:v1`).
fn stage(namespace: &'static str, provider: &str, analysis: &Value, deploy: &str) -> Stage {
    plane().flagger();
    plane().namespace(namespace);
    let labels = json!({ "app": "web" });
    let pod = json!({ "nodeName": "n1", "containers": [{ "name": "main", "image": "shop:1" }, { "name": "side", "image": "mesh:9" }] });
    let template = json!({ "metadata": { "labels": labels }, "spec": pod });
    let mut whole = json!({ "interval": "10s", "threshold": 2 });
    for (key, value) in analysis.as_object().unwrap() {
        whole[key] = value.clone();
    }
    plane().apply(&[
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": namespace },
            "spec": { "replicas": 2, "selector": { "matchLabels": labels }, "template": template } }),
        json!({ "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": { "name": "web", "namespace": namespace },
            "spec": { "provider": provider, "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
                "service": { "port": 80, "gatewayRefs": [{ "name": "edge", "namespace": namespace }] }, "analysis": whole } }),
    ]);
    let stage = Stage::for_one(namespace, "Canary", deploy);
    stage.until("Flagger to take it over", |now| now["status"]["phase"] == "Initialized");
    stage
}

/// The image of one of its Deployments.
fn image(stage: &Stage, deployment: &str) -> String {
    let now = plane().get(stage.namespace, "deployment", deployment);
    now["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

/// Whether Flagger said so of it.
fn said(stage: &Stage, words: &str) -> bool {
    let all: Value = serde_json::from_str(&plane().run(&["-n", stage.namespace, "get", "events", "-o", "json"])).unwrap();
    all["items"].as_array().unwrap().iter().any(|event| event["message"].as_str().is_some_and(|message| message.contains(words)))
}

/// Waits until its analysis has come so far.
fn analysed(stage: &Stage, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    stage.until_status(what, |status| {
        let own = &status["workload"]["own_steps"];
        own["phase"] == "Progressing" && fits(own)
    })
}

/// A webhook of Flagger's: it says no until it is told otherwise.
fn gate() -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, open) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
    let opened = open.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let status = if opened.load(Ordering::SeqCst) { "200 OK" } else { "403 Forbidden" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (port, open)
}

fn route(stage: &Stage) -> Vec<u64> {
    let route = plane().get(stage.namespace, "httproute", "web");
    route["spec"]["rules"][0]["backendRefs"].as_array().unwrap().iter().filter_map(|one| one["weight"].as_u64()).collect()
}

#[test]
fn a_release_goes_by_flaggers_own_weights_is_held_resumed_and_promoted_by_it_alone() {
    let namespace = "flagger-walked";
    let stage = stage(namespace, "gatewayapi:v1", &json!({ "maxWeight": 40, "stepWeight": 20 }), ROLLING);
    let _gateway = Gateway::start(namespace);
    stage.start("2");
    assert_eq!(image(&stage, "web"), "shop:1", "the start alone sets nothing");
    let conductor = stage.watch();
    let first = analysed(&stage, "the first weight", |own| own["weight"] == 20);
    let own = &first["workload"]["own_steps"];
    assert_eq!(
        (own["step"].as_u64(), own["of"].as_u64(), own["threshold"].as_u64(), own["failed_checks"].as_u64()),
        (Some(0), Some(2), Some(2), Some(0))
    );
    assert_eq!((first["workload"]["progress"].as_str(), first["next"]["kind"].as_str()), (Some("moving"), Some("rolls")), "{first}");
    assert!(first["next"]["words"].as_str().unwrap().contains("weight 20 %; failed checks 0 of 2"), "{first}");
    // Held by a person, Flagger leaves the weights where they are.
    let plan = stage.json(&["hold", TARGET, "--dry-run"]);
    let words = String::from_utf8(stage.gonogo(&["hold", TARGET, "--dry-run"]).stdout).unwrap();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Flagger neither goes on with it nor takes it back by itself"), "{words}");
    assert!(plan["commands"].to_string().contains("canaries.flagger.app/web"), "{plan}");
    stage.json(&["hold", TARGET, "--reason", "look first"]);
    let held = stage.until_next("held");
    assert_eq!((held["workload"]["paused"].as_bool(), stage.object()["spec"]["suspend"].as_bool()), (Some(true), Some(true)));
    let at = stage.object()["status"]["canaryWeight"].clone();
    wait_for("Flagger to pass it over", WHOLE, || said(&stage, "skipping canary run as object is suspended").then_some(()));
    assert_eq!(stage.object()["status"]["canaryWeight"], at);
    assert_eq!(route(&stage), [100 - at.as_u64().unwrap(), at.as_u64().unwrap()], "the route stands as Flagger left it");
    // Killed while it is held: the next one looks first.
    drop(conductor);
    let _conductor = stage.watch();
    stage.json(&["resume", TARGET, "--yes", "--reason", "looked"]);
    assert_ne!(stage.object()["spec"]["suspend"].as_bool(), Some(true));
    let (code, refused) = stage.told(&["promote", TARGET, "--yes"]);
    assert!(code != 0 && refused["reasons"].to_string().contains("Flagger alone promotes Canary"), "{refused}");
    assert!(refused["reasons"].to_string().contains("spec.skipAnalysis"), "{refused}");
    let over = stage.ended("promoted");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    assert_eq!((image(&stage, "web-primary"), stage.pods("shop:2"), stage.pods("shop:1")), ("shop:2".to_owned(), 2, 0));
    assert_eq!((route(&stage), stage.object()["status"]["phase"].as_str()), (vec![100, 0], Some("Succeeded")));
    assert_eq!((stage.sendings("shift"), stage.sendings("promote"), stage.sendings("abort")), (1, 0, 0));
    assert_eq!(stage.json(&["ledger", "verify"])["intact"], true);
    assert_eq!(stage.json(&["status"])["services"][0]["environments"][0]["version"], "2");
}

#[test]
fn a_failing_metric_of_flagger_takes_it_back_once_and_its_old_failure_is_not_the_next_versions() {
    let prometheus = Prometheus::start(&[], "", "");
    let template = |query: &str| {
        let provider = json!({ "type": "prometheus", "address": format!("http://127.0.0.1:{}", prometheus.port) });
        plane().apply(&[json!({ "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
            "metadata": { "name": "errors", "namespace": "flagger-metric" }, "spec": { "provider": provider, "query": query } })]);
    };
    let metric = json!({ "name": "errors", "templateRef": { "name": "errors" }, "thresholdRange": { "max": 0.05 }, "interval": "30s" });
    let stage = stage("flagger-metric", "kubernetes", &json!({ "iterations": 2, "metrics": [metric] }), ROLLING);
    template("vector(0.2)");
    stage.start("2");
    let conductor = stage.watch();
    let failing = analysed(&stage, "a failed check", |own| own["failed_checks"] == 1);
    assert!(failing["workload"]["words"].as_str().unwrap().contains("failed checks 1 of 2"), "{failing}");
    let over = stage.ended("went-back");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    assert_eq!((image(&stage, "web"), image(&stage, "web-primary"), stage.pods("shop:2")), ("shop:1".to_owned(), "shop:1".to_owned(), 0));
    assert_eq!((stage.sendings("shift"), stage.sendings("abort")), (1, 1));
    let entries = stage.json(&["ledger", "list"])["entries"].as_array().unwrap().clone();
    let intent = entries.iter().find(|entry| entry["verb"] == "abort" && entry["kind"] == "intent").expect("the way back is on record");
    let shown = stage.json(&["ledger", "show", &intent["n"].to_string()]).to_string();
    assert!(
        shown.contains("Flagger took it back: Halt web.flagger-metric advancement errors 0.20 > 0.05")
            && shown.contains("Canary analysis failed"),
        "the evidence is written first: {shown}"
    );
    // The next version starts while that failure still stands in its status, and is judged by its own analysis.
    assert_eq!(stage.object()["status"]["phase"], "Failed");
    template("vector(0)");
    drop(conductor);
    stage.start("3");
    let _conductor = stage.watch();
    let over = stage.ended("promoted");
    assert_eq!((over["last"]["to"].as_str(), image(&stage, "web-primary"), stage.sendings("abort")), (Some("3"), "shop:3".to_owned(), 1));
}

#[test]
fn aborted_while_it_is_held_the_old_version_stands_again_and_another_one_may_start_at_once() {
    let stage = stage("flagger-aborted", "kubernetes", &json!({ "iterations": 4 }), ROLLING);
    stage.start("2");
    let conductor = stage.watch();
    analysed(&stage, "its analysis", |own| own["step"] == 1);
    stage.json(&["hold", TARGET, "--reason", "look first"]);
    stage.until_next("held");
    let plan = stage.json(&["abort", TARGET, "--dry-run"]);
    assert!(plan.to_string().contains("its weights stay as they are until Flagger ends its analysis"), "{plan}");
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    assert_eq!((image(&stage, "web"), stage.object()["spec"]["suspend"].as_bool()), ("shop:1".to_owned(), Some(false)));
    assert_eq!((stage.pods("shop:2"), image(&stage, "web-primary")), (0, "shop:1".to_owned()));
    assert_eq!(stage.json(&["status"])["services"][0]["environments"][0]["version"], "1");
    drop(conductor);
    stage.json(&["resume", TARGET, "--yes", "--reason", "another one"]);
    stage.start("3");
    let _conductor = stage.watch();
    stage.ended("promoted");
    assert_eq!((image(&stage, "web-primary"), stage.pods("shop:3"), stage.sendings("shift")), ("shop:3".to_owned(), 2, 2));
}

#[test]
fn taken_back_after_its_promotion_the_old_version_is_analysed_as_a_new_one() {
    let stage = stage("flagger-bake", "kubernetes", &json!({ "iterations": 1 }), &ROLLING.replace("bake = \"3s\"", "bake = \"10m\""));
    stage.start("2");
    let _conductor = stage.watch();
    stage.until_next("bakes");
    assert_eq!(image(&stage, "web-primary"), "shop:2");
    let plan = stage.json(&["abort", TARGET, "--dry-run"]);
    assert!(plan.to_string().contains("goes through the whole analysis before its primary runs it again"), "{plan}");
    stage.command(&["abort", TARGET, "--yes", "--reason", "not this one"]).output().unwrap();
    stage.ended("aborted");
    assert_eq!((image(&stage, "web-primary"), stage.pods("shop:1"), stage.pods("shop:2")), ("shop:1".to_owned(), 2, 0));
}

#[test]
fn at_a_gate_of_its_own_it_waits_for_whoever_opens_it() {
    let (port, open) = gate();
    let hook = json!({ "name": "sign-off", "type": "confirm-promotion", "url": format!("http://127.0.0.1:{port}/") });
    let stage = stage("flagger-gate", "kubernetes", &json!({ "iterations": 1, "webhooks": [hook] }), ROLLING);
    stage.start("2");
    let _conductor = stage.watch();
    let waits = stage.until_status("the gate", |status| {
        let words = status["next"]["words"].as_str().unwrap_or_default();
        words.contains("at a pause of its own: WaitingPromotion") && words.contains("the gate that its webhook asks")
    });
    assert_eq!(waits["next"]["kind"], "person", "{waits}");
    assert_eq!(waits["workload"]["own_steps"]["pauses"], json!(["WaitingPromotion"]));
    let (code, refused) = stage.told(&["promote", TARGET, "--full", "--yes"]);
    assert!(code != 0 && refused["reasons"].to_string().contains("open the gate that its webhook asks"), "{refused}");
    open.store(true, Ordering::SeqCst);
    stage.ended("promoted");
    assert_eq!((image(&stage, "web-primary"), stage.sendings("abort")), ("shop:2".to_owned(), 0));
}

#[test]
fn another_hand_stops_the_release_and_what_cannot_be_released_is_refused() {
    let stage = stage("flagger-another", "kubernetes", &json!({ "iterations": 9 }), ROLLING);
    let patch = |what: &Value| plane().run(&["-n", stage.namespace, "patch", "canary", "web", "--type=merge", "-p", &what.to_string()]);
    let why = || {
        let (code, refused) = stage.told(&["rollout", "start", TARGET, "--version", "2", "--yes"]);
        assert_ne!(code, 0);
        refused["reasons"].to_string()
    };
    patch(&json!({ "spec": { "suspend": true } }));
    assert!(why().contains("paused by another hand"), "{}", why());
    patch(&json!({ "spec": { "suspend": false } }));
    stage.start("2");
    let _conductor = stage.watch();
    analysed(&stage, "its analysis", |_| true);
    plane().run(&["-n", stage.namespace, "set", "image", "deployment/web", "main=shop:hotfix"]);
    let stopped =
        stage.until_status("the other hand", |status| status["next"]["words"].as_str().is_some_and(|words| words.contains("another hand")));
    assert_eq!(stopped["next"]["kind"], "person");
    assert_eq!((image(&stage, "web"), stage.sendings("shift"), stage.sendings("abort")), ("shop:hotfix".to_owned(), 1, 0));
}

/// P24: killed while the change was on its way, the next process looks first, and sends nothing again.
#[test]
fn p24_killed_between_the_change_of_its_target_and_the_answer_the_next_one_goes_on() {
    let stage = stage("flagger-killed", "kubernetes", &json!({ "iterations": 1 }), ROLLING);
    let killed = stage.killed_at_its_change(Stage::through);
    wait_for("the change to be taken", WHOLE, || (image(&stage, "web") == "shop:2").then_some(()));
    let _next = stage.watch();
    stage.ended("promoted");
    assert_eq!((killed.changes(), stage.sendings("shift"), image(&stage, "web-primary")), (1, 1, "shop:2".to_owned()));
}
