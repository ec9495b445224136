//! Rolling releases through the binary, on real controllers: done, stuck, held, taken back, and with another hand in between.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::plane::plane;
use crate::servers::between::{Between, Pass};
use crate::servers::support::{Server, wait_for};

/// Longer than any of it takes on a busy machine.
pub const WHOLE: Duration = Duration::from_mins(3);
/// What is released.
pub const TARGET: &str = "web@prod";

/// A namespace with one workload, and a gonogo that releases it.
pub struct Stage {
    pub namespace: &'static str,
    kind: &'static str,
    home: tempfile::TempDir,
    config: PathBuf,
}

/// A process that is killed when the test ends.
pub struct Conductor(pub Child);

impl Drop for Conductor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A conductor that was killed, and the way to the cluster that those go who come after it.
pub struct Killed {
    changes: Arc<AtomicUsize>,
    _between: Between,
    _proxy: Server,
}

impl Killed {
    /// How many changes were sent to the cluster so far, before and after.
    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }
}

impl Stage {
    /// A workload that is ready, and a configuration for it.
    pub fn new(namespace: &'static str, kind: &'static str, more: &Value, deploy: &str) -> Self {
        plane().namespace(namespace);
        let labels = json!({ "app": "web" });
        let mut spec = json!({
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "nodeName": "n1", "containers": [
                { "name": "main", "image": "shop:1" }, { "name": "side", "image": "mesh:9" },
            ] } },
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        plane().apply(&[
            json!({ "apiVersion": if kind == "Rollout" { "argoproj.io/v1alpha1" } else { "apps/v1" }, "kind": kind, "metadata": { "name": "web", "namespace": namespace }, "spec": spec }),
        ]);
        let stage = Self::for_one(namespace, kind, deploy);
        let wished = if kind == "DaemonSet" { 1 } else { more["replicas"].as_u64().unwrap() };
        stage.until("the workload to be ready", |now| {
            let counts = ["availableReplicas", "numberAvailable"];
            let argo = kind != "Rollout" || now["status"]["phase"] == "Healthy";
            argo && counts.iter().any(|count| now["status"][count].as_u64() == Some(wished))
        });
        stage
    }

    /// A configuration, for whatever is in the namespace already.
    pub fn bare(namespace: &'static str, configuration: impl FnOnce(&Path) -> String) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("gonogo.toml");
        std::fs::write(&config, configuration(home.path())).unwrap();
        Self { namespace, kind: "Deployment", home, config }
    }

    /// Changes its configuration.
    pub fn rewrite(&self, change: impl FnOnce(&str) -> String) {
        let config = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, change(&config)).unwrap();
    }

    /// A configuration for a workload that somebody else makes.
    pub fn for_one(namespace: &'static str, kind: &'static str, deploy: &str) -> Self {
        Self { kind, ..Self::bare(namespace, |home| configuration(home, namespace, kind, deploy)) }
    }

    /// Goes to the cluster by another address from now on.
    pub fn through(&self, url: &str) {
        let kubeconfig = format!("kubeconfig = \"{}\"", plane().kubeconfig(false).display());
        self.rewrite(|config| config.replace(&kubeconfig, &format!("url = \"{url}\"")));
    }

    /// Starts version 2 and kills who conducts it between its first change of the cluster and the answer; `through` puts an address of the
    /// cluster into the configuration.
    pub fn killed_at_its_change(&self, through: impl FnOnce(&Self, &str)) -> Killed {
        let (proxy, port) = plane().plain();
        let conductor: Arc<Mutex<Option<Conductor>>> = Arc::default();
        let (victim, changes) = (conductor.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = changes.clone();
        let between = Between::start(port, move |request| {
            let first = request.lines().next().unwrap_or_default();
            if first.starts_with("PATCH ") && !first.contains("dryRun") && counted.fetch_add(1, Ordering::SeqCst) == 0 {
                // The cluster takes it, and nobody is there to hear so.
                drop(victim.lock().unwrap().take());
                return Pass::OnThenCut;
            }
            Pass::On
        });
        through(self, &between.url());
        self.start("2");
        // Held for as long as it takes to be put where it is killed.
        let mut held = conductor.lock().unwrap();
        *held = Some(self.watch());
        drop(held);
        wait_for("the conductor to be killed", WHOLE, || {
            (changes.load(Ordering::SeqCst) > 0 && conductor.lock().unwrap().is_none()).then_some(())
        });
        Killed { changes, _between: between, _proxy: proxy }
    }

    /// It as it is now.
    pub fn object(&self) -> Value {
        plane().alive();
        plane().get(self.namespace, self.kind, "web")
    }

    /// Waits until it is so.
    pub fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, WHOLE, || Some(self.object()).filter(|now| fits(now)))
    }

    /// What its first container wishes.
    pub fn image(&self) -> String {
        self.object()["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    }

    /// How many pods run each image of the first container.
    pub fn pods(&self, image: &str) -> usize {
        let all: Value = serde_json::from_str(&plane().run(&["-n", self.namespace, "get", "pods", "-o", "json"])).unwrap();
        let runs = |pod: &&Value| pod["spec"]["containers"][0]["image"] == image && pod["metadata"]["deletionTimestamp"].is_null();
        all["items"].as_array().unwrap().iter().filter(runs).count()
    }

    /// A call of gonogo.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
        let home = self.home.path();
        command.arg("--config").arg(&self.config).args(args).env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("XDG_DATA_HOME", home.join("data")).env("XDG_RUNTIME_DIR", home).current_dir(home).stdin(Stdio::null());
        command
    }

    /// What a call printed.
    pub fn gonogo(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// A verb, its exit and its JSON.
    pub fn told(&self, args: &[&str]) -> (i32, Value) {
        let output = self.command(args).arg("--json").output().unwrap();
        let (out, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?} printed no JSON: {error}\n{out}\n{words}"));
        (output.status.code().unwrap(), value)
    }

    /// The JSON of a verb that is done.
    pub fn json(&self, args: &[&str]) -> Value {
        let (code, value) = self.told(args);
        assert_eq!(code, 0, "{args:?}: {value}");
        value
    }

    /// Starts a rollout of a version.
    pub fn start(&self, version: &str) -> Value {
        self.json(&["rollout", "start", TARGET, "--version", version, "--yes", "--reason", "it is due"])
    }

    /// Conducts it from a process of its own.
    pub fn watch(&self) -> Conductor {
        let child = self.command(&["rollout", "watch", TARGET, "--json"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Conductor(child)
    }

    /// How the rollout stands.
    pub fn status(&self) -> Value {
        self.json(&["rollout", "status", TARGET])["rollouts"][0].clone()
    }

    /// Waits until it stands so.
    pub fn until_status(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, WHOLE, || {
                last = self.status();
                fits(&last).then(|| last.clone())
            })
        }));
        found.unwrap_or_else(|_| panic!("waited for {what}: {last:#}"))
    }

    /// Waits until this comes next.
    pub fn until_next(&self, kind: &str) -> Value {
        self.until_status(kind, |status| status["next"]["kind"] == kind)
    }

    /// Waits until it ended so.
    pub fn ended(&self, how: &str) -> Value {
        self.until_status(how, |status| status["last"]["how"] == how)
    }

    /// How often something was sent by deeds of this verb.
    pub fn sendings(&self, verb: &str) -> usize {
        let entries = self.json(&["ledger", "list"])["entries"].as_array().unwrap().clone();
        entries.iter().filter(|entry| entry["verb"] == verb && entry["kind"] == "sending").count()
    }
}

fn configuration(home: &Path, namespace: &str, kind: &str, deploy: &str) -> String {
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
[[environment]]
name = "prod"
hold_time = "2s"
effective_within = "20s"
[[service]]
name = "web"
[service.deploy.prod]
workload = {{ backend = "k8s", kind = "{kind}", namespace = "{namespace}", name = "web", container = "main", image = "shop:$version" }}
{deploy}
"#,
        store = home.join("store").display(),
        kubeconfig = plane().kubeconfig(false).display(),
    )
}

/// A rolling release, in short times.
pub const ROLLING: &str = "strategy = \"rolling\"\nrollout = { wait = \"1s\", deadline = \"2m\", bake = \"3s\", after = \"1s\" }";

#[test]
fn a_rolling_release_replaces_every_instance_and_becomes_the_stable_version() {
    let stage = Stage::new("rolling", "Deployment", &json!({ "replicas": 3 }), ROLLING);
    // What makes no sense is refused with words.
    let without = stage.gonogo(&["rollout", "start", TARGET, "--yes"]);
    assert!(String::from_utf8_lossy(&without.stderr).contains("--version"), "{without:?}");
    let (code, shift) = stage.told(&["shift", TARGET, "20", "--yes"]);
    assert!(code != 0 && shift["reasons"][0]["text"].as_str().unwrap().contains("no two slots"), "{shift}");
    let (code, same) = stage.told(&["rollout", "start", TARGET, "--version", "1", "--yes"]);
    assert!(code != 0 && same["reasons"][0]["rule"] == "no-change", "{same}");
    assert_eq!(stage.image(), "shop:1");

    stage.start("2");
    assert_eq!(stage.image(), "shop:1", "the start alone sets nothing");
    let mut conductor = stage.watch();
    let over = stage.ended("promoted");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    assert_eq!((stage.image(), stage.pods("shop:2"), stage.pods("shop:1")), ("shop:2".to_owned(), 3, 0));
    assert!(wait_for("the conductor to end", WHOLE, || conductor.0.try_wait().unwrap()).success());
    assert_eq!(stage.sendings("shift"), 1);
    assert_eq!(stage.json(&["ledger", "verify"])["intact"], true);
    let workload = &over["workload"];
    assert_eq!(
        (workload["updated"].as_u64(), workload["wished"].as_u64(), workload["progress"].as_str()),
        (Some(3), Some(3), Some("done"))
    );
    let services = stage.json(&["status"]);
    assert_eq!(services["services"][0]["environments"][0]["version"], "2");
}

/// No further pod may be made there, so that a change gets no further.
fn full(namespace: &str, pods: u32) {
    plane().run(&["-n", namespace, "create", "quota", "full", &format!("--hard=pods={pods}")]);
    wait_for("the quota to count", WHOLE, || {
        let quota = plane().get(namespace, "quota", "full");
        (quota["status"]["used"]["pods"] == pods.to_string().as_str()).then_some(())
    });
}

#[test]
fn a_release_that_gets_no_further_goes_back_by_itself_once_with_the_reason_on_record() {
    let stage = Stage::new("stuck", "Deployment", &json!({ "replicas": 3 }), ROLLING);
    full(stage.namespace, 3);
    stage.start("2");
    let _conductor = stage.watch();
    let over = stage.ended("went-back");
    assert_eq!((over["last"]["from"].as_str(), over["last"]["to"].as_str()), (Some("1"), Some("2")));
    assert_eq!((stage.image(), stage.pods("shop:1")), ("shop:1".to_owned(), 3));
    assert_eq!((stage.sendings("shift"), stage.sendings("abort")), (1, 1));
    let entries = stage.json(&["ledger", "list"])["entries"].as_array().unwrap().clone();
    let intent = entries.iter().find(|entry| entry["verb"] == "abort" && entry["kind"] == "intent").expect("the way back is on record");
    let shown = stage.json(&["ledger", "show", &intent["n"].to_string()]).to_string();
    assert!(shown.contains("its replicas cannot be made") && shown.contains("exceeded quota"), "the evidence is written first: {shown}");
    // It is over: nothing is sent again.
    stage.gonogo(&["rollout", "watch", TARGET]);
    assert_eq!(stage.sendings("abort"), 1);
}

#[test]
fn another_hand_in_between_stops_the_rollout_and_nothing_is_overwritten() {
    let deploy = ROLLING.replace("bake = \"3s\"", "bake = \"10m\"");
    let stage = Stage::new("another-hand", "Deployment", &json!({ "replicas": 2 }), &deploy);
    stage.start("2");
    let conductor = stage.watch();
    stage.until_next("bakes");
    plane().run(&["-n", stage.namespace, "set", "image", "deployment/web", "main=shop:hotfix"]);
    let stopped = stage.until_next("person");
    let words = stopped["next"]["words"].as_str().unwrap();
    assert!(words.contains("another hand") && words.contains("shop:hotfix") && words.contains("nothing is overwritten"), "{words}");
    drop(conductor);
    // The next one that conducts looks first, and overwrites nothing either.
    let _conductor = stage.watch();
    stage.until_next("person");
    assert_eq!((stage.image(), stage.sendings("shift")), ("shop:hotfix".to_owned(), 1));
    // A person sees what is overwritten, and decides.
    let plan = stage.json(&["abort", TARGET, "--dry-run"]);
    assert!(plan.to_string().contains("it is overwritten"), "{plan}");
    stage.json(&["abort", TARGET, "--yes"]);
    assert_eq!(stage.image(), "shop:1");
}

#[test]
fn a_deployment_is_paused_by_a_hold_goes_on_when_resumed_and_back_when_aborted() {
    // One at a time, so that there is something to hold.
    let slow = json!({ "replicas": 6, "minReadySeconds": 4, "strategy": { "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } } });
    let stage = Stage::new("held", "Deployment", &slow, ROLLING);
    stage.start("2");
    let conductor = stage.watch();
    stage.until("the first new one", |now| now["status"]["updatedReplicas"].as_u64().is_some_and(|new| (1..6).contains(&new)));
    // Should its step still be on its way, the hold waits for it.
    stage.json(&["hold", TARGET, "--reason", "look first"]);
    let held = stage.until_next("held");
    assert_eq!((held["workload"]["paused"].as_bool(), stage.object()["spec"]["paused"].as_bool()), (Some(true), Some(true)));
    let at = stage.object()["status"]["updatedReplicas"].clone();
    // With every instance available its controller would replace the next one at once.
    let all = stage.until("every instance available", |now| {
        let status = &now["status"];
        status["replicas"].is_u64()
            && status["availableReplicas"] == status["replicas"]
            && status["observedGeneration"] == now["metadata"]["generation"]
    });
    assert_eq!(all["status"]["updatedReplicas"], at, "nothing is replaced while it is held");
    // Killed while it is held: the next one looks first.
    drop(conductor);
    let _conductor = stage.watch();
    stage.json(&["resume", TARGET, "--yes", "--reason", "looked"]);
    assert_ne!(stage.object()["spec"]["paused"].as_bool(), Some(true));
    stage.until_next("rolls");
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    assert_eq!((stage.image(), stage.pods("shop:2"), stage.pods("shop:1")), ("shop:1".to_owned(), 0, 6));
    assert_eq!(stage.sendings("shift"), 1);
}

#[test]
fn a_stateful_set_goes_by_batches_is_held_resumed_and_taken_back() {
    let deploy = "strategy = \"rolling\"\nbatches = [30, 60, 100]\n\
                  rollout = { wait = \"2s\", deadline = \"2m\", bake = \"3s\", after = \"1s\", pause_before = [60] }";
    let more = json!({ "replicas": 3, "serviceName": "web", "podManagementPolicy": "Parallel" });
    let stage = Stage::new("batches", "StatefulSet", &more, deploy);
    stage.start("2");
    let conductor = stage.watch();
    // The first batch, and no further before a person says so.
    let first =
        stage.until_status("the first batch", |status| status["next"]["kind"] == "person" && status["workload"]["progress"] == "done");
    assert_eq!((first["workload"]["partition"].as_u64(), first["workload"]["updated"].as_u64()), (Some(2), Some(1)));
    assert_eq!((stage.pods("shop:2"), stage.pods("shop:1")), (1, 2));
    stage.json(&["hold", TARGET, "--reason", "look first"]);
    stage.until_next("held");
    let (code, refused) = stage.told(&["promote", TARGET, "--yes"]);
    assert!(code != 0 && refused["reasons"].to_string().contains("held"), "{refused}");
    stage.json(&["resume", TARGET, "--yes", "--reason", "looked"]);
    stage.json(&["promote", TARGET, "--yes", "--reason", "the next batch"]);
    // The last one comes by itself: three of three.
    let last = stage.until_status("the last batch", |status| status["next"]["kind"] == "bakes" || status["last"]["how"] == "promoted");
    assert_eq!(last["workload"]["partition"].as_u64(), Some(0));
    stage.ended("promoted");
    assert_eq!((stage.pods("shop:2"), stage.sendings("shift"), stage.sendings("promote")), (3, 2, 1));
    drop(conductor);
    // Another release is taken back after its first batch.
    stage.start("3");
    let _conductor = stage.watch();
    stage.until_status("the first batch", |status| status["next"]["kind"] == "person" && status["workload"]["progress"] == "done");
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    assert_eq!((stage.pods("shop:2"), stage.pods("shop:3"), stage.image()), (3, 0, "shop:2".to_owned()));
}

#[test]
fn a_recreated_deployment_ends_its_old_instances_first_by_its_own_rule_or_by_its_number() {
    let deploy = ROLLING.replace("rolling", "recreate");
    let stage = Stage::new("recreate", "Deployment", &json!({ "replicas": 2 }), &deploy);
    // Its own rule would keep some: gonogo brings it down to none, and then up with the new image.
    stage.start("2");
    let conductor = stage.watch();
    stage.ended("promoted");
    assert_eq!((stage.pods("shop:2"), stage.pods("shop:1"), stage.sendings("shift")), (2, 0, 2));
    assert_eq!(revisions_beside_each_other(&stage), 0, "none of the new one was made while one of the old one was there");
    drop(conductor);
    let own = json!({ "spec": { "strategy": { "type": "Recreate", "rollingUpdate": null } } }).to_string();
    plane().run(&["-n", stage.namespace, "patch", "deployment", "web", "-p", &own]);
    stage.until("its controller to see it", |now| now["metadata"]["generation"] == now["status"]["observedGeneration"]);
    stage.start("3");
    let _conductor = stage.watch();
    stage.until_status("the next version", |status| status["last"]["to"] == "3");
    assert_eq!((stage.pods("shop:3"), stage.pods("shop:2"), stage.sendings("shift")), (2, 0, 3));
}

/// How many pods of a newer revision its controller made before it had ended all of the older one: by the order of its own events.
fn revisions_beside_each_other(stage: &Stage) -> usize {
    let all: Value = serde_json::from_str(&plane().run(&["-n", stage.namespace, "get", "events", "-o", "json"])).unwrap();
    let mut told: Vec<(u64, String, String)> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["involvedObject"]["kind"] == "ReplicaSet")
        .map(|event| {
            let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap().to_owned();
            (text("/metadata/resourceVersion").parse().unwrap(), text("/reason"), text("/involvedObject/name"))
        })
        .collect();
    told.sort();
    let first = told.iter().find(|(_, reason, _)| reason == "SuccessfulCreate").map(|(.., set)| set.clone()).unwrap();
    let made = told.iter().filter(|(_, reason, set)| reason == "SuccessfulCreate" && *set != first).map(|(at, ..)| *at).min().unwrap();
    let ended = told.iter().filter(|(_, reason, set)| reason == "SuccessfulDelete" && *set == first);
    ended.filter(|(at, ..)| *at > made).count()
}

#[test]
fn a_stateful_set_is_recreated_by_its_number_and_taken_back() {
    let deploy = ROLLING.replace("rolling", "recreate").replace("bake = \"3s\"", "bake = \"10m\"");
    let more = json!({ "replicas": 2, "serviceName": "web", "podManagementPolicy": "Parallel" });
    let stage = Stage::new("recreate-set", "StatefulSet", &more, &deploy);
    stage.start("2");
    let _conductor = stage.watch();
    stage.until_next("bakes");
    assert_eq!((stage.pods("shop:2"), stage.pods("shop:1"), stage.sendings("shift")), (2, 0, 2));
    stage.json(&["abort", TARGET, "--yes", "--reason", "not this one"]);
    stage.ended("aborted");
    assert_eq!((stage.pods("shop:1"), stage.pods("shop:2"), stage.image()), (2, 0, "shop:1".to_owned()));
}

#[test]
fn a_daemon_set_is_released_in_one_step() {
    let stage = Stage::new("daemon-release", "DaemonSet", &json!({}), ROLLING);
    stage.start("2");
    let _conductor = stage.watch();
    stage.ended("promoted");
    assert_eq!((stage.pods("shop:2"), stage.sendings("shift")), (1, 1));
}

/// P24: killed while a change was on its way, the next process looks first, and sends nothing again.
#[test]
fn p24_killed_between_the_change_and_its_answer_the_next_one_looks_first_and_goes_on() {
    let stage = Stage::new("killed", "Deployment", &json!({ "replicas": 2 }), ROLLING);
    let killed = stage.killed_at_its_change(Stage::through);
    stage.until("the change to be taken", |now| now["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2");
    let _next = stage.watch();
    stage.ended("promoted");
    assert_eq!((killed.changes(), stage.sendings("shift"), stage.pods("shop:2")), (1, 1, 2));
}
