//! Silences that a scenario begins with, as Alertmanager would tell them.

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::scenario::Scenario;
use crate::model::alert::Silence;
use crate::model::silence::matcher;
use crate::model::text::Text;

/// The silences that are there from the beginning.
pub(super) fn begun(scenario: &Scenario, origin: DateTime<Utc>) -> Vec<Silence> {
    let all = scenario.silence.iter().enumerate();
    all.map(|(n, known)| Silence {
        id: Text::clean(&format!("silence-{}", n + 1)),
        matchers: vec![matcher("service", known.target.service.as_str()), matcher("environment", known.target.environment.as_str())],
        by: Text::clean(known.by.as_str()),
        comment: Text::clean(&known.comment),
        ends: TimeDelta::from_std(known.ends).ok().and_then(|ends| origin.checked_add_signed(ends)).unwrap_or(origin),
    })
    .collect()
}
