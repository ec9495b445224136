//! The objectives of a scenario: each service of the last environment has one for its errors.

use super::{METRICS, Scenario, ScenarioService};
use crate::model::burn_rule::usual;
use crate::model::name::{BackendName, EnvironmentName, NameError, ObjectiveName};
use crate::model::objective::{Count, Counting, Indicator, Objective, Period};

/// Shares that may be bad, of which a service has the first that is twice what usually fails.
const ALLOWED: [f64; 4] = [0.001, 0.002, 0.005, 0.01];

/// All of them, in order of the service's name.
pub(super) fn objectives(scenario: &Scenario) -> Result<Vec<Objective>, NameError> {
    let last = scenario.environment.iter().max_by_key(|environment| environment.order).map(|environment| environment.name.clone());
    let mut all = Vec::new();
    for service in &scenario.service {
        let there = |name: &EnvironmentName| service.environments.is_empty() || service.environments.contains(name);
        if let Some(environment) = last.clone().filter(|name| there(name)) {
            all.push(availability(service, environment)?);
        }
    }
    all.sort_by(|a, b| a.service.cmp(&b.service));
    Ok(all)
}

fn availability(service: &ScenarioService, environment: EnvironmentName) -> Result<Objective, NameError> {
    let period = Period::Rolling(std::time::Duration::from_hours(30 * 24));
    let allowed = ALLOWED.into_iter().find(|allowed| *allowed >= service.errors * 2.0).unwrap_or(0.02);
    let of = "service=\"$service\",environment=\"$environment\"";
    let count = |text: String| Count { text, counting: Counting::Counter };
    Ok(Objective {
        name: ObjectiveName::new("availability")?,
        service: service.name.clone(),
        environments: vec![environment],
        backend: BackendName::new(METRICS)?,
        indicator: Indicator::Bad {
            bad: count(format!("http_requests_total{{{of},code=~\"5..\"}}")),
            total: count(format!("http_requests_total{{{of}}}")),
        },
        goal: 1.0 - allowed,
        period,
        rules: usual(period.nominal()),
        min_events: 100.0,
        min_coverage: 0.5,
        description: "requests that are answered without an error of ours".to_owned(),
    })
}
