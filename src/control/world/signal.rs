//! The signals of a target as they stand.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::name::{BackendName, SignalName};
use crate::model::signal::Better;
use crate::model::text::Text;

/// Counts, or a value, of one signal in one slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The value in the signal's own unit: a fraction for ratios.
    pub value: Option<f64>,
    /// Bad events, for ratios.
    pub bad: Option<f64>,
    /// All events, for ratios and histograms.
    pub total: Option<f64>,
    /// Why there is no value: `no data`, `needs two samples`, an error.
    pub missing: Option<Text>,
    /// The time of the newest sample, by the backend's clock.
    pub newest: Option<DateTime<Utc>>,
}

/// How a signal stands against its limit and against the other slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalState {
    /// Within its limit.
    Within,
    /// Past its limit.
    Past,
    /// The new version is worse than the old one beyond doubt, and past its limit.
    Worse,
    /// Nothing can be said.
    NoData,
}

/// One signal of a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalView {
    /// Its name.
    pub name: SignalName,
    /// Where it comes from.
    pub backend: BackendName,
    /// Which way is good.
    pub better: Better,
    /// Its limit.
    pub limit: Option<f64>,
    /// Its unit, `ratio` for ratios (shown in per cent).
    pub unit: String,
    /// Whether it alone decides.
    pub critical: bool,
    /// In the stable slot.
    pub stable: Measure,
    /// In the other slot.
    pub canary: Measure,
    /// Both slots together, for ratios.
    pub whole: Measure,
    /// Canary minus stable with its 95 % interval, for ratios.
    pub difference: Option<(f64, f64, f64)>,
    /// How it stands.
    pub state: SignalState,
    /// In one sentence with the counts.
    pub sentence: Text,
    /// The queries of this signal alone, as they can be asked anywhere.
    pub queries: Vec<Text>,
    /// Over how many seconds it was counted, as it was asked; none where it is the newest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
}
