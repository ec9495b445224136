//! Workloads with their real controllers: what is read of them while they change, and each deed, on pods that kwok pretends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gonogo::adapters::kubernetes::{Deed, Expect, Images, Place, Progress, Workload, WorkloadKind, Workloads};
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::PortErrorKind;
use serde_json::{Value, json};

use crate::contract::not_done;
use crate::plane::{over, plane};
use crate::servers::between::{Between, Pass};

/// Longer than any of it takes on a busy machine.
const WITHIN: Duration = Duration::from_secs(90);

struct Stage {
    namespace: &'static str,
    kind: WorkloadKind,
    workloads: Workloads,
}

impl Stage {
    /// A namespace with one workload `web`, whose template names the node, so that no scheduler is waited for.
    fn new(namespace: &'static str, kind: WorkloadKind, more: &Value) -> Self {
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
        let word = kind.kind().word();
        plane().apply(&[
            json!({ "apiVersion": "apps/v1", "kind": word, "metadata": { "name": "web", "namespace": namespace }, "spec": spec }),
        ]);
        Self { namespace, kind, workloads: Workloads::new(plane().cluster(BackendKind::GatewayApi, namespace, false)) }
    }

    fn place(&self) -> Place {
        Place { namespace: self.namespace.to_owned(), name: "web".to_owned() }
    }

    async fn read(&self) -> Workload {
        self.workloads.read("look", self.kind, &self.place()).await.unwrap().unwrap()
    }

    async fn until(&self, what: &str, fits: impl Fn(&Workload) -> bool) -> Workload {
        let end = tokio::time::Instant::now() + WITHIN;
        loop {
            plane().alive();
            let now = self.read().await;
            if fits(&now) {
                return now;
            }
            assert!(tokio::time::Instant::now() < end, "waited for {what}: {now:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn done(&self) -> Workload {
        self.until("the end of the change", |now| now.progress == Progress::Done).await
    }

    async fn does(&self, deed: &Deed) {
        self.workloads.carry_out(self.kind, &self.place(), deed, Expect::Any).await.unwrap();
    }
}

fn main(image: &str) -> Images {
    [("main".to_owned(), image.to_owned())].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_changed_held_and_taken_back() {
    let stage = Stage::new("deployment", WorkloadKind::Deployment, &json!({ "replicas": 3 }));
    let first = stage.done().await;
    assert_eq!((first.replicas.available, first.revision), (3, Some(1)));
    // A paused one takes the new image and replaces nothing.
    stage.does(&Deed::Pause).await;
    stage.does(&Deed::Images(main("shop:2"))).await;
    let held = stage.until("its controller to see it", |now| matches!(now.progress, Progress::Paused(_))).await;
    assert_eq!((held.images["main"].as_str(), held.images["side"].as_str(), held.replicas.updated), ("shop:2", "mesh:9", 0));
    stage.does(&Deed::Resume).await;
    let second = stage.until("the second revision", |now| now.progress == Progress::Done && now.revision == Some(2)).await;
    assert_eq!(second.replicas.updated, 3);
    let revisions = stage.workloads.revisions("look", &second).await.unwrap();
    let known: Vec<(u64, &str)> = revisions.iter().map(|one| (one.number, one.images["main"].as_str())).collect();
    assert_eq!(known, [(2, "shop:2"), (1, "shop:1")]);
    // Back by the template of the revision: what was becomes the newest.
    stage.does(&Deed::Undo(1)).await;
    let back = stage.until("the way back", |now| now.progress == Progress::Done && now.revision == Some(3)).await;
    assert_eq!(back.images["main"], "shop:1");
    assert_eq!(back.template, first.template);
    stage.does(&Deed::Scale(5)).await;
    assert_eq!(stage.done().await.replicas.available, 5);
    stage.does(&Deed::Restart("2026-01-01T00:00:00Z".to_owned())).await;
    let again = stage.until("the restart", |now| now.progress == Progress::Done && now.revision == Some(4)).await;
    assert_eq!(again.images, back.images);
    // What is as wished is not written. Its version would not tell: the controller may still note how it went.
    let written = Arc::new(AtomicUsize::new(0));
    let (_proxy, port) = plane().plain();
    let counted = written.clone();
    let between = Between::start(port, move |request| {
        counted.fetch_add(usize::from(request.starts_with("PATCH ")), Ordering::SeqCst);
        Pass::On
    });
    let through = Workloads::new(over(BackendKind::Kubernetes, &between.url(), stage.namespace, Duration::from_secs(10)));
    through.carry_out(stage.kind, &stage.place(), &Deed::Scale(5), Expect::Any).await.unwrap();
    assert_eq!(written.load(Ordering::SeqCst), 0);
    through.carry_out(stage.kind, &stage.place(), &Deed::Scale(4), Expect::Any).await.unwrap();
    assert!(written.load(Ordering::SeqCst) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_it_was_planned_is_not_written() {
    let stage = Stage::new("deployment-conflict", WorkloadKind::Deployment, &json!({ "replicas": 1 }));
    let planned = stage.done().await.meta;
    plane().run(&["-n", stage.namespace, "scale", "deployment", "web", "--replicas=2"]);
    let deed = Deed::Images(main("shop:2"));
    let sent = stage.workloads.carry_out(stage.kind, &stage.place(), &deed, Expect::Wishes(&planned)).await;
    assert_eq!(not_done(sent), PortErrorKind::Conflict);
    // The same when the other hand comes after the look.
    let (_proxy, port) = plane().plain();
    let namespace = stage.namespace;
    let between = Between::start(port, move |request| {
        if request.starts_with("PATCH ") && !request.lines().next().unwrap_or_default().contains("dryRun") {
            plane().run(&["-n", namespace, "scale", "deployment", "web", "--replicas=3"]);
        }
        Pass::On
    });
    let through = Workloads::new(over(BackendKind::GatewayApi, &between.url(), namespace, Duration::from_secs(10)));
    assert_eq!(not_done(through.carry_out(stage.kind, &stage.place(), &deed, Expect::Any).await), PortErrorKind::Conflict);
    assert_eq!(stage.read().await.images["main"], "shop:1");
    // A lost answer is settled by reading back; at rest, so that nobody's notes refuse what was sent.
    stage.done().await;
    let lost = Between::start(port, |request| {
        let first = request.lines().next().unwrap_or_default();
        if first.starts_with("PATCH ") && !first.contains("dryRun") { Pass::OnThenCut } else { Pass::On }
    });
    let through = Workloads::new(over(BackendKind::GatewayApi, &lost.url(), namespace, Duration::from_secs(10)));
    through.carry_out(stage.kind, &stage.place(), &deed, Expect::Any).await.unwrap();
    assert_eq!(stage.read().await.images["main"], "shop:2");
    let gone = Place { namespace: namespace.to_owned(), name: "nothing".to_owned() };
    assert_eq!(not_done(stage.workloads.carry_out(stage.kind, &gone, &deed, Expect::Any).await), PortErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_gets_no_further_is_stuck_with_its_reason() {
    let stage = Stage::new("deployment-stuck", WorkloadKind::Deployment, &json!({ "replicas": 1, "progressDeadlineSeconds": 2 }));
    stage.done().await;
    let patch = json!({ "spec": { "template": { "spec": { "nodeName": "nowhere" } } } }).to_string();
    plane().run(&["-n", stage.namespace, "patch", "deployment", "web", "-p", &patch]);
    let stuck = stage.until("the deadline", |now| matches!(now.progress, Progress::Stuck(_))).await;
    let Progress::Stuck(why) = stuck.progress else { panic!("{stuck:?}") };
    assert!(why.as_str().contains("exceeded its progress deadline"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateful_set_goes_as_far_as_its_partition_and_back() {
    let more = json!({ "replicas": 3, "serviceName": "web", "podManagementPolicy": "Parallel" });
    let stage = Stage::new("stateful", WorkloadKind::StatefulSet, &more);
    stage.done().await;
    stage.does(&Deed::Partition(2)).await;
    stage.does(&Deed::Images(main("shop:2"))).await;
    let part = stage.until("the one above the partition", |now| now.progress == Progress::Done && now.replicas.updated == 1).await;
    assert_eq!(part.partition, Some(2));
    let revisions = stage.workloads.revisions("look", &part).await.unwrap();
    assert_eq!(revisions.iter().map(|one| one.images["main"].as_str()).collect::<Vec<_>>(), ["shop:2", "shop:1"]);
    stage.does(&Deed::Undo(revisions[1].number)).await;
    assert_eq!(stage.done().await.images["main"], "shop:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_set_goes_on_and_back() {
    let stage = Stage::new("daemons", WorkloadKind::DaemonSet, &json!({}));
    stage.until("its pod", |now| now.progress == Progress::Done && now.replicas.wished == 1).await;
    stage.does(&Deed::Images(main("shop:2"))).await;
    let second = stage.done().await;
    let revisions = stage.workloads.revisions("look", &second).await.unwrap();
    stage.does(&Deed::Undo(revisions[1].number)).await;
    assert_eq!(stage.done().await.images["main"], "shop:1");
    // What a person would paste does the same.
    let line = stage.workloads.command(&stage.read().await, &Deed::Images(main("shop:3")));
    crate::gateway::paste(&line);
    assert_eq!(stage.done().await.images["main"], "shop:3");
}
