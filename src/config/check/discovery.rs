//! `[[discovery]]`: telemetry in which it is seen who uses whom in an environment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::file::{Fields, OneOf};
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::problem::{At, Findings};
use super::known::Known;
use crate::model::catalog::{BackendKind, Service};
use crate::model::link::{Discovery, LinkAsk, Telemetry};
use crate::model::name::BackendName;

pub(super) const KEYS: &[&str] =
    &["name", "backend", "environment", "kind", "user_label", "used_label", "match", "names", "window", "every", "stale_after"];

/// The discoveries in order of their names.
pub(super) fn discoveries(nodes: &[Node], known: &Known<'_>, services: &[Service], found: &mut Findings) -> Vec<Discovery> {
    let mut all: Vec<Discovery> = Vec::new();
    for node in nodes {
        let Some(discovery) = discovery(node, known, services, found) else { continue };
        if known.is_backend(discovery.name.as_str()) {
            let what = format!("a backend and a discovery are named `{}`", discovery.name);
            found.problem(node.at, &what, "a name of its own: its age is shown beside those of backends");
        }
        all.push(discovery);
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

fn discovery(node: &Node, known: &Known<'_>, services: &[Service], found: &mut Findings) -> Option<Discovery> {
    let what = super::label("discovery", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(BackendName::new, found);
    let backend = known.backend(&fields, &[BackendKind::Prometheus], found).map(|(name, _)| name);
    let environment = fields
        .required("environment", "the name of the environment whose links it sees", found)
        .and_then(|node| Some((node.at, node.text("environment", found)?)))
        .and_then(|(at, text)| known.environment(at, text, found));
    let kind = kind(&fields, found);
    let (user, used) = kind.map_or((None, ""), Telemetry::labels);
    let user = label(&fields, "user_label", found).or_else(|| user.map(str::to_owned));
    if let (None, Some(kind)) = (&user, kind)
        && fields.get("user_label").is_none()
    {
        let why = format!("{} has no label that names the user, and {what} names none", kind.word());
        found.problem(node.at, &why, "user_label = \"..\", the label by which your scrape configuration tells whose proxy it is");
    }
    let used = label(&fields, "used_label", found).unwrap_or_else(|| used.to_owned());
    let mut matching = BTreeMap::new();
    for (key, node) in fields.table("match", found) {
        refuse_label(key.at, &key.name, found);
        matching.extend(node.text(&key.name, found).map(|text| (key.name.to_string(), text.to_owned())));
    }
    let mut names = BTreeMap::new();
    for (key, node) in fields.table("names", found) {
        let Some(service) = node.text(&key.name, found).and_then(|text| known.service(node.at, text, found)) else { continue };
        let is_there = |service: &Service| environment.as_ref().is_none_or(|environment| service.deploy.contains_key(environment));
        let known = services.iter().find(|known| known.name == service);
        if let (Some(known), Some(environment)) = (known, &environment)
            && !is_there(known)
        {
            found.problem(node.at, &format!("`{service}` is not deployed to {environment}"), "a service of that environment");
        }
        names.insert(key.name.to_string(), service);
    }
    let window = fields.duration("window", Duration::from_secs(10), found).unwrap_or(Duration::from_mins(10));
    let every = fields.duration("every", Duration::from_secs(1), found).unwrap_or(Duration::from_secs(15));
    let stale_after = fields.duration("stale_after", Duration::from_secs(1), found).unwrap_or((every * 4).max(Duration::from_mins(1)));
    if let Some(node) = fields.get("stale_after").filter(|_| stale_after < every) {
        found.problem(node.at, "it is stale before it is read again", "`stale_after` of at least `every`");
    }
    let ask = LinkAsk { kind: kind?, user: user?, used, matching, window_s: window.as_secs() };
    Some(Discovery { name: name?, backend: backend?, environment: environment?, ask, names, every, stale_after })
}

fn kind(fields: &Fields<'_>, found: &mut Findings) -> Option<Telemetry> {
    let words = Telemetry::ALL.map(Telemetry::word);
    let node = fields.required("kind", OneOf(&words), found)?;
    let text = node.text("kind", found)?;
    let known = Telemetry::ALL.into_iter().find(|kind| kind.word() == text);
    if known.is_none() {
        found.problem(node.at, &format!("no telemetry is called `{text}`"), &instead(text, words));
    }
    known
}

/// A label that is named in place of the usual one.
fn label(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<String> {
    let (at, text) = fields.get(key).and_then(|node| Some((node.at, node.text(key, found)?)))?;
    refuse_label(at, text, found);
    Some(text.to_owned())
}

/// Notes what is no name of a label: it becomes a part of a query.
fn refuse_label(at: At, text: &str, found: &mut Findings) {
    let mut letters = text.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if !begins || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        found.problem(at, &format!("`{text}` is no name of a label"), "letters, digits and `_`, the first no digit");
    }
}
