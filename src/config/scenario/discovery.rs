//! The discoveries of a scenario: its monitoring system sees who calls whom in each environment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{METRICS, Scenario};
use crate::model::link::{Discovery, LinkAsk, Telemetry};
use crate::model::name::{BackendName, NameError};

/// One for each environment.
pub(super) fn discoveries(scenario: &Scenario) -> Result<Vec<Discovery>, NameError> {
    let of = |environment: &super::ScenarioEnvironment| {
        Ok(Discovery {
            name: BackendName::new(&format!("mesh-{}", environment.name))?,
            backend: BackendName::new(METRICS)?,
            environment: environment.name.clone(),
            ask: LinkAsk {
                kind: Telemetry::Otel,
                user: "client".to_owned(),
                used: "server".to_owned(),
                matching: BTreeMap::from([("environment".to_owned(), environment.name.to_string())]),
                window_s: 120,
            },
            names: BTreeMap::new(),
            every: Duration::from_secs(10).max(scenario.every),
            stale_after: Duration::from_secs(45).max(scenario.every * 3),
        })
    };
    let mut all = scenario.environment.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}
