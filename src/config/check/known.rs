//! The names that a configuration defines, for references to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use super::super::file::{Fields, named};
use super::super::nearest::{instead, nearest};
use super::super::node::Node;
use super::super::problem::{At, Findings};
use super::text_of;
use crate::model::catalog::BackendKind;
use crate::model::name::{BackendName, EnvironmentName, ServiceName};

/// The kind of a backend that is a desk.
pub(super) const DESK: &str = "servicenow";

/// All names, also of tables that are wrong elsewhere, so that one mistake is told once.
pub(super) struct Known<'a> {
    backends: BTreeMap<&'a str, Option<BackendKind>>,
    environments: BTreeSet<&'a str>,
    services: BTreeSet<&'a str>,
}

/// Kinds in words: `a`, `a or b`, `a, b or c`.
struct Kinds<'a>(&'a [BackendKind]);

impl Display for Kinds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|kind| kind.word()).collect();
        match words.as_slice() {
            [first @ .., last] if first.len() > 1 => write!(f, "{} or {last}", first.join(", ")),
            few => f.write_str(&few.join(" or ")),
        }
    }
}

/// The kind of that word.
pub(super) fn kind(word: &str) -> Option<BackendKind> {
    BackendKind::ALL.into_iter().find(|kind| kind.word() == word)
}

impl<'a> Known<'a> {
    pub(super) fn of(backends: &[&'a Node<'a>], environments: &'a [Node<'a>], services: &'a [Node<'a>]) -> Self {
        let names = |nodes: &'a [Node<'a>]| nodes.iter().filter_map(|node| text_of(node, "name")).collect();
        let backends = backends.iter().filter_map(|node| Some((text_of(node, "name")?, text_of(node, "kind").and_then(kind)))).collect();
        Self { backends, environments: names(environments), services: names(services) }
    }

    /// The backend that a table refers to, which must be of one of `kinds`.
    pub(super) fn backend(
        &self,
        fields: &Fields<'_>,
        kinds: &[BackendKind],
        found: &mut Findings,
    ) -> Option<(BackendName, Option<BackendKind>)> {
        let words = Kinds(kinds);
        let node = fields.required("backend", format_args!("the name of a backend of the kind {words}"), found)?;
        let text = node.text("backend", found)?;
        let suits = |kind: &Option<BackendKind>| kind.is_some_and(|kind| kinds.contains(&kind));
        let suitable = || self.backends.iter().filter(|(_, kind)| suits(kind)).map(|(name, _)| *name);
        match self.backends.get(text) {
            None => {
                let right =
                    nearest(text, self.backends.keys().copied()).map_or_else(|| instead("", suitable()), |near| format!("`{near}`"));
                found.problem(node.at, &format!("no backend is named `{text}`"), &right);
                None
            }
            Some(Some(kind)) if !kinds.contains(kind) => {
                let right = match suitable().collect::<Vec<_>>().as_slice() {
                    [] => format!("a backend of the kind {words}, of which none is configured"),
                    names => format!("a backend of the kind {words}: {}", names.join(", ")),
                };
                found.problem(node.at, &format!("`{text}` is of the kind {}, which cannot serve {}", kind.word(), fields.what), &right);
                None
            }
            Some(kind) => Some((named(node.at, "backend", text, BackendName::new, found)?, *kind)),
        }
    }

    /// Whether a backend has this name.
    pub(super) fn is_backend(&self, name: &str) -> bool {
        self.backends.contains_key(name)
    }

    /// The only backend of a kind; none when there is none, or more.
    pub(super) fn only(&self, kind: BackendKind) -> Option<&'a str> {
        let mut all = self.backends.iter().filter(|(_, other)| **other == Some(kind)).map(|(name, _)| *name);
        all.next().filter(|_| all.next().is_none())
    }

    /// An environment that is referred to.
    pub(super) fn environment(&self, at: At, text: &str, found: &mut Findings) -> Option<EnvironmentName> {
        if !self.environments.contains(text) {
            found.problem(at, &format!("no environment is named `{text}`"), &instead(text, self.environments.iter().copied()));
            return None;
        }
        EnvironmentName::new(text).ok()
    }

    /// A service that is referred to.
    pub(super) fn service(&self, at: At, text: &str, found: &mut Findings) -> Option<ServiceName> {
        if !self.services.contains(text) {
            let right = nearest(text, self.services.iter().copied())
                .map_or_else(|| format!("a configured service, or [[service]] with name = \"{text}\""), |near| format!("`{near}`"));
            found.problem(at, &format!("no service is named `{text}`"), &right);
            return None;
        }
        ServiceName::new(text).ok()
    }
}
