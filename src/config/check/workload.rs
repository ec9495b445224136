//! `workload` and `batches` of a deploy table: the workload of an orchestrator whose instances a rollout replaces; `workloads`: those whose
//! instances two slots are.

use super::super::file::{Fields, OneOf};
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::placeholder;
use super::super::problem::Findings;
use super::known::Known;
use super::steps;
use crate::model::catalog::BackendKind;
use crate::model::share::Percent;
use crate::model::strategy::Strategy;
use crate::model::workload::{SlotWorkloads, WorkloadEntry, WorkloadKind, WorkloadName};

pub(super) const KEYS: &[&str] = &["backend", "kind", "namespace", "name", "container", "image"];
const FORM: &str =
    "{ backend = \"..\", kind = \"Deployment\", namespace = \"..\", name = \"..\", container = \"..\", image = \"registry/app:$version\" }";
pub(super) const SLOTS: &[&str] = &["backend", "kind", "namespace", "container", "image", "stable", "canary", "replicas", "after"];
const IMAGE: &str = "`image = \"registry/app:$version\"`";
/// What belongs to two slots alone, and what stands in its place.
const OF_SLOTS: [(&str, &str); 7] = [
    ("workloads", "`workload`, which is one"),
    ("steps", "`batches`, of a StatefulSet"),
    ("traffic", "no such key here: a workload is one slot"),
    ("testers", "no such key here: a workload is one slot"),
    ("mirror", "no such key here: a workload is one slot"),
    ("version", "no such key here: the version is read from the image"),
    ("deploy", "no such key here: gonogo sets the image itself"),
];

/// The workload and its steps; none where traffic moves between two slots, or something is wrong.
pub(super) fn of_deploy(
    fields: &Fields<'_>,
    strategy: Option<Strategy>,
    known: &Known<'_>,
    found: &mut Findings,
) -> Option<(WorkloadEntry, Vec<Percent>)> {
    let strategy = strategy?;
    if !strategy.is_of_workload() {
        for key in ["workload", "batches"] {
            if let Some(node) = fields.get(key) {
                let text = format!("`{key}` has no use with the strategy {}", strategy.word());
                found.problem(node.at, &text, "strategy = \"rolling\" or \"recreate\", or no such key here");
            }
        }
        return None;
    }
    for (key, right) in OF_SLOTS {
        if let Some(node) = fields.get(key) {
            found.problem(node.at, &format!("`{key}` has no use with the strategy {}", strategy.word()), right);
        }
    }
    let node = fields.required("workload", FORM, found)?;
    let entry = entry(node, strategy, known, found);
    let kind = entry.as_ref().map(|entry| entry.workload.kind);
    let batches = batches(fields, kind, found);
    Some((entry?, batches))
}

fn entry(node: &Node, strategy: Strategy, known: &Known<'_>, found: &mut Findings) -> Option<WorkloadEntry> {
    let fields = Fields::open(node, "`workload`", KEYS, found)?;
    let backend = known.backend(&fields, &[BackendKind::Kubernetes], found);
    let kind = kind(&fields, &WorkloadKind::ALL, found).map(|(node, kind)| {
        if !matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet) && strategy == Strategy::Recreate {
            let text = format!("a {} is never recreated as a whole", kind.word());
            found.problem(node.at, &text, "a Deployment or StatefulSet, or strategy = \"rolling\"");
        }
        kind
    });
    let (namespace, name, container) =
        (named(&fields, "namespace", found), named(&fields, "name", found), named(&fields, "container", found));
    let image = image(&fields, found);
    let workload = WorkloadName { kind: kind?, namespace: namespace?, name: name? };
    Some(WorkloadEntry { backend: backend?.0, workload, container: container?, image: image? })
}

/// The workloads whose instances two slots are; none where there are none, or something is wrong.
pub(super) fn of_slots(fields: &Fields<'_>, known: &Known<'_>, found: &mut Findings) -> Option<Box<SlotWorkloads>> {
    let node = fields.get("workloads")?;
    for key in ["version", "deploy"] {
        if let (Some(node), Some((_, right))) = (fields.get(key), OF_SLOTS.iter().find(|(of, _)| *of == key)) {
            found.problem(node.at, &format!("`{key}` has no use with `workloads`"), right);
        }
    }
    if fields.get("traffic").is_none() {
        found.problem(
            node.at,
            "`workloads` are slots between which no router moves traffic",
            "`traffic` with it, or `workload`, which is one",
        );
    }
    let fields = Fields::open(node, "`workloads`", SLOTS, found)?;
    let backend = known.backend(&fields, &[BackendKind::Kubernetes], found);
    let kind = kind(&fields, &[WorkloadKind::Deployment, WorkloadKind::StatefulSet], found);
    let (namespace, container, image) = (named(&fields, "namespace", found), named(&fields, "container", found), image(&fields, found));
    let (stable, canary) = (named(&fields, "stable", found), named(&fields, "canary", found));
    if let (Some(stable), Some(canary), Some(node)) = (&stable, &canary, fields.get("canary"))
        && stable == canary
    {
        found.problem(node.at, &format!("`{canary}` is both slots"), "another workload for each slot");
    }
    let count =
        |key: &str, least: u64, found: &mut Findings| fields.count(key, least, 100_000, found).and_then(|count| u32::try_from(count).ok());
    let (replicas, after) = (count("replicas", 1, found), count("after", 0, found));
    if let (Some(replicas), Some(after), Some(node)) = (replicas, after, fields.get("after"))
        && after >= replicas
    {
        found.problem(node.at, &format!("with `replicas` {replicas} nothing would be brought down to {after}"), "a smaller `after`");
    }
    let ((_, kind), backend) = (kind?, backend?.0);
    let (namespace, container, image) = (namespace?, container?, image?);
    let entry = |name: String| WorkloadEntry {
        backend: backend.clone(),
        workload: WorkloadName { kind, namespace: namespace.clone(), name },
        container: container.clone(),
        image: image.clone(),
    };
    Some(Box::new(SlotWorkloads { first: entry(stable?), second: entry(canary?), replicas, after }))
}

fn kind<'a>(fields: &Fields<'a>, allowed: &[WorkloadKind], found: &mut Findings) -> Option<(&'a Node<'a>, WorkloadKind)> {
    let words: Vec<&str> = allowed.iter().map(|kind| kind.word()).collect();
    let node = fields.required("kind", OneOf(&words), found)?;
    let text = node.text("kind", found)?;
    let kind = WorkloadKind::ALL.into_iter().find(|kind| kind.word() == text);
    match kind {
        Some(kind) if !allowed.contains(&kind) => {
            found.problem(node.at, &format!("gonogo sets no number of instances of a {text}"), &instead(text, words));
        }
        None => found.problem(node.at, &format!("no kind of workload is called `{text}`"), &instead(text, words)),
        Some(_) => {}
    }
    kind.map(|kind| (node, kind))
}

/// A name as the cluster takes it.
fn named(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<String> {
    let node = fields.required(key, format_args!("`{key} = \"..\"`, as the cluster names it"), found)?;
    let text = node.text(key, found)?;
    let dots = matches!(key, "name" | "stable" | "canary");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.' && dots;
    if text.is_empty() || text.len() > 253 || !text.chars().all(plain) || text.starts_with(['-', '.']) || text.ends_with(['-', '.']) {
        found.problem(node.at, &format!("`{key}` is no name in a cluster"), "a to z, 0 to 9 and `-`, no `-` at either end");
        return None;
    }
    Some(text.to_owned())
}

fn image(fields: &Fields<'_>, found: &mut Findings) -> Option<String> {
    let node = fields.required("image", IMAGE, found)?;
    let text = node.text("image", found)?;
    if let Some((wrong, right)) = placeholder::unknown(text, &["version"]) {
        found.problem(node.at, &format!("unknown placeholder `{wrong}`"), &right);
        return None;
    }
    if text.matches("$version").count() != 1 || text.contains(char::is_whitespace) {
        found.problem(node.at, "`image` does not say where its version stands", "a template such as \"registry/app:$version\"");
        return None;
    }
    Some(text.to_owned())
}

/// Per cents that rise to 100; one step where its own rule alone says how its instances are replaced.
fn batches(fields: &Fields<'_>, kind: Option<WorkloadKind>, found: &mut Findings) -> Vec<Percent> {
    let whole = vec![Percent::ALL];
    let Some(node) = fields.get("batches") else { return whole };
    if let Some(kind) = kind.filter(|kind| *kind != WorkloadKind::StatefulSet) {
        let rule = match kind {
            WorkloadKind::Deployment | WorkloadKind::StatefulSet => "its own maxUnavailable and maxSurge",
            WorkloadKind::DaemonSet => "its own maxUnavailable",
            WorkloadKind::Rollout => "the steps of its own strategy",
            WorkloadKind::Canary => "the analysis of its own",
        };
        let text = format!("a {} has one step: it replaces its instances by {rule}", kind.word());
        found.problem(node.at, &text, "no `batches`, or a StatefulSet");
        return whole;
    }
    let batches = steps::rising(fields, "batches", 1, None, found);
    if batches.is_empty() { whole } else { batches }
}
