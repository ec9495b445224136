//! Alerts and silences as an alerting system tells them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::text::Text;

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The backend's identity of it.
    pub fingerprint: Text,
    /// The label `alertname`.
    pub name: Text,
    /// The label `severity`, empty when it has none.
    pub severity: Text,
    /// All labels, sorted by name.
    pub labels: Vec<(Text, Text)>,
    /// Annotations, sorted by name: summary, description.
    pub annotations: Vec<(Text, Text)>,
    /// When it began to fire.
    pub since: DateTime<Utc>,
    /// Silences that mute it.
    pub silenced_by: Vec<Text>,
    /// Alerts that inhibit it.
    pub inhibited_by: Vec<Text>,
    /// Where it came from.
    pub source_url: Text,
}

impl Alert {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&Text> {
        self.labels.iter().find(|(label, _)| label.as_str() == name).map(|(_, value)| value)
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&Text> {
        self.annotations.iter().find(|(label, _)| label.as_str() == name).map(|(_, value)| value)
    }
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The backend's identity of it.
    pub id: Text,
    /// Its matchers, written as `name="value"`.
    pub matchers: Vec<Text>,
    /// Who made it.
    pub by: Text,
    /// Why.
    pub comment: Text,
    /// Its end.
    pub ends: DateTime<Utc>,
}

/// Everything that one poll of an alerting system brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertReading {
    /// Alerts that fire, silenced and inhibited ones included.
    pub alerts: Vec<Alert>,
    /// Groups: how many there are, by the backend's grouping, each with its labels and its alerts' fingerprints.
    pub groups: Vec<AlertGroup>,
    /// Silences that are active or pending.
    pub silences: Vec<Silence>,
    /// The backend's clock as its `Date` header told it.
    pub backend_clock: Option<DateTime<Utc>>,
}

/// A group of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGroup {
    /// The labels by which it is grouped.
    pub labels: Vec<(Text, Text)>,
    /// The fingerprints of its alerts.
    pub fingerprints: Vec<Text>,
}
