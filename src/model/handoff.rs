//! A hand-off: the address, as a template, at which another tool shows the same target, version and time.

use serde::{Deserialize, Serialize};

use super::name::BackendName;

/// What may stand in a template, without its `$`.
pub const PLACEHOLDERS: &[&str] = &["service", "environment", "version", "stable", "signal", "query", "from", "to", "from_iso", "to_iso"];

/// One configured hand-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOff {
    /// What it leads to: `grafana`, `logs`.
    pub name: BackendName,
    /// Its address with placeholders.
    pub url: String,
}
