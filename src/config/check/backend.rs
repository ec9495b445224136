//! `[[backend]]`: an address, how it is polled, and secrets by reference only.

use std::path::PathBuf;
use std::time::Duration;

use super::super::address::{self, Wrong};
use super::super::file::{Fields, OneOf};
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::super::secret::SecretRef;
use super::super::settings::{Address, BackendSettings};
use super::{cluster, known, label};
use crate::model::catalog::{Backend, BackendKind};
use crate::model::name::BackendName;

pub(super) const KEYS: &[&str] = &[
    "name",
    "kind",
    "url",
    "socket",
    "file",
    "token",
    "user",
    "password",
    "ca_file",
    "insecure",
    "kubeconfig",
    "context",
    "in_cluster",
    "namespace",
    "every",
    "stale_after",
    "lookup_within",
    "deadline",
];
pub(super) const SECRET: &[&str] = &["env", "file", "command"];
const SECRET_FORM: &str = "{ env = \"NAME\" }, { file = \"/path\" } or { command = [\"..\"] }";
const GITHUB: &str = "https://api.github.com";

/// One backend.
pub(super) fn backend(node: &Node, found: &mut Findings) -> Option<(Backend, BackendSettings)> {
    let what = label("backend", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(BackendName::new, found);
    let kind = kind(&fields, found);
    let insecure = fields.flag("insecure", found).unwrap_or(false);
    let token = fields.get("token").and_then(|node| secret("token", node, found));
    let user = fields.text("user", found).map(str::to_owned);
    let password = fields.get("password").and_then(|node| secret("password", node, found));
    if fields.get("token").is_some() && (fields.get("user").is_some() || fields.get("password").is_some()) {
        found.problem(fields.at, &format!("{what} has a token and a user or password"), "one of the two ways");
    } else if let (Some(node), None) = (fields.get("password"), fields.get("user")) {
        found.problem(node.at, &format!("{what} has a `password` without `user`"), "`user = \"..\"` beside it");
    }
    if kind == Some(BackendKind::Github) {
        if let Some(node) = fields.get("user").or(fields.get("password")) {
            found.problem(node.at, "GitHub takes no user and password", "`token = { env = \"GITHUB_TOKEN\" }`");
        } else if fields.get("token").is_none() {
            found.warning(
                fields.at,
                &format!("{what} has no token: GitHub answers 60 requests an hour"),
                "`token = { env = \"GITHUB_TOKEN\" }`",
            );
        }
    }
    let address = kind.and_then(|kind| address(kind, &fields, insecure, found));
    let every = fields.duration("every", Duration::from_millis(100), found).unwrap_or(Duration::from_secs(5));
    let stale_after = fields.duration("stale_after", Duration::from_millis(100), found);
    if let (Some(stale), Some(node)) = (stale_after, fields.get("stale_after"))
        && stale < every
    {
        found.warning(node.at, "facts are stale before the next poll", "`stale_after` longer than `every`");
    }
    let stale_after = stale_after.unwrap_or_else(|| every.saturating_mul(3).max(Duration::from_secs(5)));
    let lookup_within = fields.duration("lookup_within", Duration::from_secs(1), found).unwrap_or(Duration::from_mins(1));
    let deadline = fields.duration("deadline", Duration::from_millis(100), found).unwrap_or(Duration::from_secs(10));
    let ca_file = fields.path("ca_file", found);
    let file = kind.and_then(|kind| file(kind, &fields, found));
    let namespace = cluster::namespace(kind, &fields, found);
    let (name, kind, (address, remote_plain)) = (name?, kind?, address?);
    let shown = match &address {
        Address::Http(url) => url.clone(),
        Address::Unix(path) => path.display().to_string(),
        Address::Tcp(host) => format!("tcp://{host}"),
        Address::Kubeconfig { file, context } => cluster::shown(file.as_deref(), context.as_deref()),
        Address::InCluster => "the cluster that gonogo runs in".to_owned(),
    };

    let backend = Backend { name: name.clone(), kind, address: shown, every, stale_after, lookup_within, insecure: remote_plain };
    Some((backend, BackendSettings { name, kind, address, token, user, password, ca_file, insecure, deadline, file, namespace }))
}

fn kind(fields: &Fields<'_>, found: &mut Findings) -> Option<BackendKind> {
    let words: Vec<&str> = BackendKind::ALL.into_iter().map(BackendKind::word).chain([known::DESK]).collect();
    let node = fields.required("kind", OneOf(&words), found)?;
    let word = node.text("kind", found)?;
    let kind = known::kind(word);
    if kind.is_none() {
        found.problem(node.at, &format!("no kind of backend is called `{word}`"), &instead(word, words.iter().copied()));
    }
    kind
}

/// The file in which a backend's weights or flags are set: Traefik's and flagd's, and nobody else's.
fn file(kind: BackendKind, fields: &Fields<'_>, found: &mut Findings) -> Option<PathBuf> {
    const FORM: &str = "the file of its file provider that holds the weighted services: a path that ends in .yml, .yaml or .toml";
    const FLAGS: &str = "the file that it watches: a path that ends in .json";
    if kind == BackendKind::Flagd {
        let node = fields.required("file", FLAGS, found)?;
        let path = fields.path("file", found)?;
        if path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("json")) {
            found.problem(node.at, "flags are changed in files of JSON alone", FLAGS);
        }
        return Some(path);
    }
    if kind != BackendKind::Traefik {
        if let Some(node) = fields.get("file") {
            found.problem(node.at, &format!("`file` has no use at a backend of the kind {}", kind.word()), "no such key here");
        }
        return None;
    }
    let node = fields.required("file", FORM, found)?;
    let path = fields.path("file", found)?;
    let end = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    if !matches!(end.as_deref(), Some("yml" | "yaml" | "toml")) {
        found.problem(node.at, "Traefik takes no file of this name in", FORM);
    }
    Some(path)
}

/// The address, and whether plain text goes to it over a network.
fn address(kind: BackendKind, fields: &Fields<'_>, insecure: bool, found: &mut Findings) -> Option<(Address, bool)> {
    let (right, wrong) = match kind {
        BackendKind::Haproxy => ("socket", "url"),
        BackendKind::Envoy
        | BackendKind::Traefik
        | BackendKind::Caddy
        | BackendKind::GatewayApi
        | BackendKind::Istio
        | BackendKind::Kubernetes
        | BackendKind::Prometheus
        | BackendKind::Alertmanager
        | BackendKind::Unleash
        | BackendKind::Flagd
        | BackendKind::Buildbot
        | BackendKind::Github => ("url", "socket"),
    };
    if let Some(node) = fields.get(wrong) {
        found.problem(node.at, &format!("{} is reached by `{right}`, not by `{wrong}`", kind.word()), &format!("`{right}`"));
        return None;
    }
    if let Some(address) = cluster::address(kind, fields, found) {
        return Some((address, false));
    }
    if right == "socket" {
        for key in ["token", "user", "password", "ca_file"] {
            if let Some(node) = fields.get(key) {
                found.problem(node.at, &format!("`{key}` has no use at a socket"), "no such key here");
            }
        }
        return socket(fields, insecure, found);
    }
    if kind == BackendKind::Github && fields.get("url").is_none() {
        return Some((Address::Http(GITHUB.to_owned()), false));
    }
    let node = fields.required("url", "`url = \"https://..\"`", found)?;
    let text = node.text("url", found)?;
    let url = match address::url(text) {
        Ok(url) => url,
        Err(wrong) => {
            let (what, right) = match wrong {
                Wrong::NoUrl => ("`url` is no URL", "http:// or https://, a host, and a port where it is not the usual one"),
                Wrong::Credentials => {
                    ("`url` holds a user or a password", "`user = \"..\"` and `password = { env = \"..\" }` beside a plain URL")
                }
                Wrong::Query => ("`url` holds a query or a fragment", "a URL that ends before `?` and `#`"),
            };
            found.problem(node.at, what, right);
            return None;
        }
    };
    let remote_plain = !url.encrypted && !url.loopback;
    let secret = ["token", "password"].into_iter().find(|key| fields.get(key).is_some());
    match secret {
        Some(key) if remote_plain => {
            found.problem(node.at, &format!("the {key} would go to another host in plain text"), "https://, or a host that is this one");
        }
        Some(_) | None if remote_plain && !insecure => {
            found.problem(node.at, "plain http to a host that is not this one", "https://, or `insecure = true`");
        }
        Some(_) | None => {}
    }
    Some((Address::Http(url.text), remote_plain))
}

fn socket(fields: &Fields<'_>, insecure: bool, found: &mut Findings) -> Option<(Address, bool)> {
    const FORM: &str = "an absolute path, or tcp://HOST:PORT";
    let node = fields.required("socket", FORM, found)?;
    let text = node.text("socket", found)?;
    if text.starts_with('/') {
        return Some((Address::Unix(text.into()), false));
    }
    let tcp = text.strip_prefix("tcp://").and_then(|host| Some((host, address::tcp(host)?)));
    let Some((host, loopback)) = tcp else {
        found.problem(node.at, "`socket` is neither an absolute path nor tcp://", FORM);
        return None;
    };
    if !loopback && !insecure {
        found.problem(node.at, "plain text to a host that is not this one", "a socket on this host, or `insecure = true`");
    }
    Some((Address::Tcp(host.to_owned()), !loopback))
}

/// A secret's reference. Nothing that stands in its place is repeated: it may be the secret itself.
pub(super) fn secret(key: &str, node: &Node, found: &mut Findings) -> Option<SecretRef> {
    if let Value::Text(_) = &node.value {
        found.problem(node.at, &format!("`{key}` stands here in plain text"), &format!("a reference: {SECRET_FORM}"));
        return None;
    }
    let what = format!("`{key}`");
    let fields = Fields::open(node, &what, SECRET, found)?;
    let ways: Vec<&str> = SECRET.iter().copied().filter(|way| fields.get(way).is_some()).collect();
    match ways.as_slice() {
        ["env"] => {
            let name = fields.text("env", found)?;
            if name.contains(['=', '\0']) {
                found.problem(fields.get("env")?.at, "`env` is no name of a variable", "a name without `=`");
                return None;
            }
            Some(SecretRef::Env(name.to_owned()))
        }
        ["file"] => fields.path("file", found).map(SecretRef::File),
        ["command"] => {
            let words: Vec<String> = fields.texts("command", found).into_iter().map(|(_, word)| word.to_owned()).collect();
            if let Some(Node { at, value: Value::List(items) }) = fields.get("command")
                && items.is_empty()
            {
                found.problem(*at, "`command` is empty", "a program and its arguments");
            }
            Some(SecretRef::Command(words))
        }
        [] => {
            found.problem(node.at, &format!("`{key}` refers to nothing"), SECRET_FORM);
            None
        }
        many => {
            found.problem(node.at, &format!("`{key}` has {} ways: {}", many.len(), many.join(", ")), "one of env, file, command");
            None
        }
    }
}
