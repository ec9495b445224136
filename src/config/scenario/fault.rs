//! Backends of a scenario that break for a while.

use std::time::Duration;

use serde::Deserialize;

use super::span;
use crate::model::name::BackendName;

/// How a backend breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It refuses connections.
    Refused,
    /// It accepts and never answers.
    BlackHole,
    /// It answers from a copy that is up to [`Fault::by`] old, with the stamps of then.
    Late,
    /// A part of the answer is missing.
    Partial,
}

/// A backend that breaks for a while.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The backend.
    pub backend: BackendName,
    /// When it begins, in seconds after the beginning.
    #[serde(deserialize_with = "span::signed")]
    pub from: i64,
    /// When it is over.
    #[serde(deserialize_with = "span::signed")]
    pub to: i64,
    /// How.
    pub kind: FaultKind,
    /// How late a late one is at most.
    #[serde(default = "span::late", deserialize_with = "span::long")]
    pub by: Duration,
}
