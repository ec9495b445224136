//! Blue and green whose instances are workloads of a real cluster, behind a real gateway: brought up, given the traffic, watched, and the
//! old one brought down.

use std::path::Path;

use serde_json::{Value, json};

use crate::gateway::{Gateway, accepted, route, written};
use crate::plane::plane;
use crate::rollouts::{Stage, TARGET, WHOLE};
use crate::routes;
use crate::servers::named::Named;
use crate::servers::support::wait_for;

/// Two deployments behind one route, all traffic at the first.
struct Slots {
    stage: Stage,
    _gateway: Gateway,
    _backs: [Named; 2],
}

fn deployment(namespace: &str, name: &str, image: &str, replicas: u32) -> Value {
    let labels = json!({ "app": name });
    let containers = json!([{ "name": "main", "image": image }, { "name": "side", "image": "mesh:9" }]);
    // A new one counts only after a while, so that coming up can be seen.
    let fresh = if name == "web-green" { 4 } else { 0 };
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "replicas": replicas, "minReadySeconds": fresh, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "nodeName": "n1", "containers": containers } },
        },
    })
}

impl Slots {
    /// Blue serves version 1 with two instances; green ran version 0 and has none.
    fn new(namespace: &'static str, bake: &str) -> Self {
        let backs = routes::backs();
        routes::stage(namespace, &backs);
        plane().apply(&[deployment(namespace, "web-blue", "shop:1", 2), deployment(namespace, "web-green", "shop:0", 0)]);
        let gateway = Gateway::start(namespace);
        plane().apply(&[route(namespace, "edge")]);
        accepted(namespace);
        let stage = Stage::bare(namespace, |home| configuration(home, namespace, bake));
        let slots = Self { stage, _gateway: gateway, _backs: backs };
        slots.until("blue", "to be ready", |blue| blue["status"]["availableReplicas"] == 2);
        slots
    }

    fn of(&self, slot: &str) -> Value {
        plane().alive();
        plane().get(self.stage.namespace, "deployment", &format!("web-{slot}"))
    }

    fn until(&self, slot: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(&format!("{slot} {what}"), WHOLE, || Some(self.of(slot)).filter(|now| fits(now)))
    }

    /// How many instances of which image it wishes.
    fn wishes(&self, slot: &str) -> (u64, String) {
        let now = self.of(slot);
        let image = now["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
        (now["spec"]["replicas"].as_u64().unwrap(), image)
    }

    fn weights(&self) -> Vec<u64> {
        written(self.stage.namespace)
    }
}

fn configuration(home: &Path, namespace: &str, bake: &str) -> String {
    format!(
        r#"
[store]
path = "{store}"
[[backend]]
name = "k8s"
kind = "kubernetes"
kubeconfig = "{kubeconfig}"
every = "500ms"
stale_after = "5s"
[[backend]]
name = "edge"
kind = "gateway-api"
namespace = "{namespace}"
kubeconfig = "{kubeconfig}"
every = "500ms"
stale_after = "5s"
[[environment]]
name = "prod"
hold_time = "2s"
effective_within = "20s"
[[service]]
name = "web"
[service.deploy.prod]
strategy = "blue-green"
traffic = [{{ backend = "edge", pool = "checkout", stable = ["v1"], canary = ["v2"] }}]
workloads = {{ backend = "k8s", kind = "Deployment", namespace = "{namespace}", container = "main", image = "shop:$version", stable = "web-blue", canary = "web-green", after = 0 }}
rollout = {{ wait = "1s", deadline = "2m", bake = "{bake}", judged = false, way_back = [], after = "1s" }}
"#,
        store = home.join("store").display(),
        kubeconfig = plane().kubeconfig(false).display(),
    )
}

fn word(value: &Value) -> String {
    value.to_string()
}

#[test]
fn a_version_is_ready_before_it_gets_traffic_and_the_old_one_goes_down_at_the_end_and_comes_up_again() {
    let slots = Slots::new("slots-whole", "4s");
    let stage = &slots.stage;
    // What makes no sense is refused with words: no version, the version that runs, and traffic for a slot without an instance.
    let without = stage.gonogo(&["rollout", "start", TARGET, "--yes"]);
    assert!(String::from_utf8_lossy(&without.stderr).contains("--version"), "{without:?}");
    let (code, same) = stage.told(&["rollout", "start", TARGET, "--version", "1", "--yes"]);
    assert!(code != 0 && same["reasons"][0]["rule"] == "no-change", "{same}");
    let (code, shift) = stage.told(&["shift", TARGET, "20", "--yes"]);
    assert!(code != 0 && word(&shift).contains("has no instance that takes requests"), "{shift}");
    assert_eq!((slots.weights(), slots.wishes("green")), (vec![100, 0], (0, "shop:0".to_owned())));

    let plan = stage.gonogo(&["rollout", "start", TARGET, "--version", "2", "--dry-run"]);
    let plan = String::from_utf8_lossy(&plan.stdout);
    assert!(plan.contains("web-green to 2 instances") && plan.contains("web-blue to no instance"), "{plan}");
    stage.start("2");
    assert_eq!(slots.wishes("green"), (0, "shop:0".to_owned()), "the start alone sets nothing");
    let blue = slots.of("blue")["metadata"]["generation"].clone();
    let conductor = stage.watch();
    // While it comes up nobody gets it.
    let rolls = stage.until_next("rolls");
    let words = rolls["next"]["words"].as_str().unwrap();
    assert!(words.contains("web-green to 2 instances of 2, ") && words.contains(" ready"), "{words}");
    assert_eq!((rolls["weight_wished"].as_f64(), rolls["steps"][0]["scales"]["replicas"].as_u64()), (Some(0.0), Some(2)));
    assert_eq!(rolls["workloads"]["stable"]["name"], "web-blue");
    // All of it, and blue is as it was.
    let bakes = stage.until_next("bakes");
    assert_eq!((bakes["weight_wished"].as_f64(), bakes["workloads"]["canary"]["available"].as_u64()), (Some(100.0), Some(2)));
    assert_eq!(slots.of("blue")["metadata"]["generation"], blue, "it is kept warm, untouched");
    let over = stage.ended("promoted");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    slots.until("blue", "to be gone", |blue| blue["status"]["replicas"].as_u64().unwrap_or(0) == 0);
    assert_eq!((slots.wishes("blue"), slots.wishes("green")), ((0, "shop:1".to_owned()), (2, "shop:2".to_owned())));
    assert_eq!((slots.weights(), stage.sendings("shift"), stage.sendings("promote")), (vec![0, 100], 2, 1));
    drop(conductor);

    // What is down takes no traffic by a shift; a rollout of it brings it up first, and the slots turn round.
    let (code, back) = stage.told(&["shift", TARGET, "100", "--yes"]);
    assert!(code != 0 && word(&back).contains("Deployment slots-whole/web-blue has no instance that takes requests"), "{back}");
    stage.start("1");
    let _conductor = stage.watch();
    stage.until_status("the second rollout", |status| status["last"]["to"] == "1");
    slots.until("green", "to be gone", |green| green["status"]["replicas"].as_u64().unwrap_or(0) == 0);
    assert_eq!((slots.weights(), slots.wishes("blue")), (vec![100, 0], (2, "shop:1".to_owned())));
    assert_eq!(stage.json(&["ledger", "verify"])["intact"], true);
}

#[test]
fn a_way_back_moves_the_traffic_alone_and_the_old_version_was_never_touched() {
    let slots = Slots::new("slots-back", "10m");
    let stage = &slots.stage;
    let blue = slots.of("blue")["metadata"]["generation"].clone();
    stage.start("2");
    let conductor = stage.watch();
    stage.until_next("bakes");
    let plan = stage.json(&["abort", TARGET, "--dry-run"]);
    assert!(word(&plan).contains("it keeps its 2 instances without traffic") && word(&plan).contains("kubectl"), "{plan}");
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    drop(conductor);
    assert_eq!((slots.weights(), slots.wishes("green")), (vec![100, 0], (2, "shop:2".to_owned())));
    assert_eq!(slots.of("blue")["metadata"]["generation"], blue);
    // Another version takes its place, while nobody gets what stands there.
    stage.start("3");
    let _conductor = stage.watch();
    stage.until_status("the next version", |status| status["next"]["kind"] == "bakes" && status["to"] == "3");
    assert_eq!((slots.weights(), slots.wishes("green")), (vec![0, 100], (2, "shop:3".to_owned())));
}

#[test]
fn what_an_autoscaler_minds_is_brought_up_from_none_and_then_left_to_it() {
    let slots = Slots::new("slots-minded", "10m");
    let stage = &slots.stage;
    plane().apply(&[json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "green", "namespace": stage.namespace },
        "spec": {
            "minReplicas": 1, "maxReplicas": 1,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web-green" },
            "metrics": [{ "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 } } }],
        },
    })]);
    let plan = stage.json(&["rollout", "start", TARGET, "--version", "2", "--dry-run"]);
    assert!(word(&plan).contains("HorizontalPodAutoscaler green sets how many instances it has"), "{plan}");
    stage.start("2");
    let _conductor = stage.watch();
    stage.until_status("its traffic", |status| status["weight_wished"] == 100.0);
    // Its autoscaler takes one away, and that is no other hand.
    slots.until("green", "to be as its autoscaler wants it", |green| green["status"]["replicas"] == 1);
    stage.until_status("one instance", |status| status["next"]["kind"] == "bakes" && status["workloads"]["canary"]["wished"] == 1);
    assert_eq!(slots.wishes("green"), (1, "shop:2".to_owned()));
}

/// P24: killed while the version on trial was brought up, the next process looks first, and sends nothing again.
#[test]
fn p24_killed_while_it_is_brought_up_the_next_one_looks_first_and_goes_on() {
    let slots = Slots::new("slots-killed", "2s");
    let stage = &slots.stage;
    // The workloads alone are spoken to through it.
    let killed = stage.killed_at_its_change(|stage, url| {
        let kubeconfig = format!("kubeconfig = \"{}\"", plane().kubeconfig(false).display());
        stage.rewrite(|config| config.replacen(&kubeconfig, &format!("url = \"{url}\""), 1));
    });
    slots.until("green", "to be brought up", |green| green["spec"]["replicas"] == 2);
    assert_eq!(slots.weights(), [100, 0]);
    let _next = stage.watch();
    stage.ended("promoted");
    slots.until("blue", "to be brought down", |blue| blue["spec"]["replicas"] == 0);
    // Up and down, each once.
    assert_eq!((killed.changes(), stage.sendings("shift"), stage.sendings("promote")), (2, 2, 1));
    assert_eq!(slots.weights(), [0, 100]);
}
