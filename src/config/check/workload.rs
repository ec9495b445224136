//! `workload` and `batches` of a deploy table: the workload of an orchestrator whose instances a rollout replaces.

use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::placeholder;
use super::super::problem::Findings;
use super::known::Known;
use super::steps;
use crate::model::catalog::BackendKind;
use crate::model::share::Percent;
use crate::model::strategy::Strategy;
use crate::model::workload::{WorkloadEntry, WorkloadKind, WorkloadName};

const KEYS: &[&str] = &["backend", "kind", "namespace", "name", "container", "image"];
const FORM: &str =
    "{ backend = \"..\", kind = \"Deployment\", namespace = \"..\", name = \"..\", container = \"..\", image = \"registry/app:$version\" }";
/// What belongs to two slots alone, and what stands in its place.
const OF_SLOTS: [(&str, &str); 6] = [
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
    let words = WorkloadKind::ALL.map(WorkloadKind::word);
    let kind = fields.required("kind", &format!("one of {}", words.join(", ")), found).and_then(|node| {
        let text = node.text("kind", found)?;
        let kind = WorkloadKind::ALL.into_iter().find(|kind| kind.word() == text);
        if kind.is_none() {
            found.problem(node.at, &format!("no kind of workload is called `{text}`"), &instead(text, words));
        }
        if kind.is_some_and(|kind| kind != WorkloadKind::Deployment) && strategy == Strategy::Recreate {
            found.problem(node.at, &format!("a {text} is never recreated as a whole"), "a Deployment, or strategy = \"rolling\"");
        }
        kind
    });
    let named = |key: &str, found: &mut Findings| {
        let node = fields.required(key, &format!("`{key} = \"..\"`, as the cluster names it"), found)?;
        let text = node.text(key, found)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.' && key == "name";
        if text.is_empty() || text.len() > 253 || !text.chars().all(plain) || text.starts_with(['-', '.']) || text.ends_with(['-', '.']) {
            found.problem(node.at, &format!("`{key}` is no name in a cluster"), "a to z, 0 to 9 and `-`, no `-` at either end");
            return None;
        }
        Some(text.to_owned())
    };
    let (namespace, name, container) = (named("namespace", found), named("name", found), named("container", found));
    let image = fields.required("image", "`image = \"registry/app:$version\"`", found).and_then(|node| {
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
    });
    let workload = WorkloadName { kind: kind?, namespace: namespace?, name: name? };
    Some(WorkloadEntry { backend: backend?.0, workload, container: container?, image: image? })
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
