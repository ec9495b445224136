//! `[[backend]]` within a Kubernetes cluster: by a kubeconfig, by the service account of the pod that gonogo runs in, or by an address.

use std::path::Path;

use super::super::file::Fields;
use super::super::problem::Findings;
use super::super::settings::Address;
use crate::model::catalog::BackendKind;

/// The keys that belong to such backends alone.
pub(super) const KEYS: [&str; 4] = ["kubeconfig", "context", "in_cluster", "namespace"];

/// Where the cluster's API is, unless `url` says it.
pub(super) fn address(kind: BackendKind, fields: &Fields<'_>, found: &mut Findings) -> Option<Address> {
    if !kind.in_cluster() {
        for key in KEYS {
            if let Some(node) = fields.get(key) {
                found.problem(node.at, &format!("`{key}` has no use at a backend of the kind {}", kind.word()), "no such key here");
            }
        }
        return None;
    }
    let inside = fields.flag("in_cluster", found).unwrap_or(false);
    let ways: Vec<&str> = ["url", "kubeconfig"].into_iter().filter(|key| fields.get(key).is_some()).collect();
    if ways.len() + usize::from(inside) > 1 {
        found.problem(fields.at, "the cluster is named in two ways", "one of `kubeconfig`, `in_cluster = true` and `url`");
    }
    if ways.contains(&"url") {
        return None;
    }
    for key in ["token", "user", "password", "ca_file"] {
        if let Some(node) = fields.get(key) {
            let right = "no such key here: the kubeconfig or the service account says it; or `url` with it";
            found.problem(node.at, &format!("`{key}` has no use without `url` at a cluster"), right);
        }
    }
    if inside {
        if let Some(node) = fields.get("context") {
            found.problem(node.at, "`context` has no use with `in_cluster`", "no such key here");
        }
        return Some(Address::InCluster);
    }
    let context = fields.text("context", found).map(str::to_owned);
    Some(Address::Kubeconfig { file: fields.path("kubeconfig", found), context })
}

/// The namespace of names without one.
pub(super) fn namespace(kind: Option<BackendKind>, fields: &Fields<'_>, found: &mut Findings) -> Option<String> {
    let node = fields.get("namespace").filter(|_| kind.is_some_and(BackendKind::in_cluster))?;
    let name = fields.text("namespace", found)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 63 || !name.chars().all(plain) || name.starts_with('-') || name.ends_with('-') {
        found.problem(node.at, "`namespace` is no name of a namespace", "at most 63 of a to z, 0 to 9 and `-`, no `-` at either end");
        return None;
    }
    Some(name.to_owned())
}

/// The address in words.
pub(super) fn shown(file: Option<&Path>, context: Option<&str>) -> String {
    let file = file.map_or_else(|| "the usual kubeconfig".to_owned(), |file| format!("kubeconfig {}", file.display()));
    context.map_or_else(|| file.clone(), |context| format!("{file}, context {context}"))
}
