//! Alerts that belong to a target: the labels that the service names must be equal.

use std::sync::Arc;

use crate::model::alert::{Alert, AlertReading};
use crate::model::catalog::AlertMatch;
use crate::model::name::Target;

/// The alerts of a target. A label `environment` on the alert must be the target's, whether or not the configuration names it.
pub fn of(target: &Target, matching: &AlertMatch, reading: &AlertReading) -> Vec<Arc<Alert>> {
    let fill = |value: &str| value.replace("$service", target.service.as_str()).replace("$environment", target.environment.as_str());
    let belongs = |alert: &&Alert| {
        matching.labels.iter().all(|(name, value)| alert.label(name).is_some_and(|label| label.as_str() == fill(value)))
            && alert.label("environment").is_none_or(|label| label.as_str() == target.environment.as_str())
    };
    reading.alerts.iter().filter(belongs).cloned().map(Arc::new).collect()
}
