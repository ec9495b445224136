//! Routers that a way back leaves out because they do not answer.

use serde::{Deserialize, Serialize};

use super::name::{BackendName, PoolName};
use super::traffic::Weights;

/// A router that a way back does not wait for, because it does not answer. It is sent there by a deed of its own once it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The router.
    pub backend: BackendName,
    /// Its pool.
    pub pool: PoolName,
    /// The weights that were seen there last; none when nobody here saw any.
    pub seen: Option<Weights>,
    /// When, RFC 3339 with milliseconds.
    pub seen_at: Option<String>,
}

impl LeftOut {
    /// `inside stands at v1 80, v2 20 as last seen 2026-11-29T03:00:00.000Z`.
    pub fn told(&self) -> String {
        let at = self.seen_at.as_deref().map(|at| format!(" as last seen {at}")).unwrap_or_default();
        match &self.seen {
            Some(seen) => format!("{} stands at {}{at}", self.backend, shown(seen)),
            None => format!("what stands at {} was not seen", self.backend),
        }
    }
}

/// `v1 80, v2 20`.
pub fn shown(weights: &Weights) -> String {
    weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect::<Vec<_>>().join(", ")
}
