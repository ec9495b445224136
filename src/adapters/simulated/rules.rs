//! Alerting rules: true for long enough is firing, no longer true is resolved.

use super::site::Site;
use crate::config::scenario::{AlertRule, Scenario};

/// One rule for one site.
#[derive(Debug, Clone)]
pub(super) struct RuleState {
    /// Its place in the scenario.
    pub(super) rule: usize,
    /// The place of its site.
    pub(super) site: usize,
    pending: Option<i64>,
    /// Since when it fires.
    pub(super) firing: Option<i64>,
}

/// Every rule for every site that it is about.
pub(super) fn instances(scenario: &Scenario, sites: &[Site]) -> Vec<RuleState> {
    let mut all = Vec::new();
    for (rule, known) in scenario.alert.iter().enumerate() {
        for (site, here) in sites.iter().enumerate() {
            let meant = known.services.is_empty() || known.services.contains(&here.target.service);
            if meant && here.target.environment == known.environment {
                all.push(RuleState { rule, site, pending: None, firing: None });
            }
        }
    }
    all
}

impl RuleState {
    /// Evaluates the rule at a tick.
    pub(super) fn evaluate(&mut self, rule: &AlertRule, site: &Site, tick: i64) {
        let over = usize::try_from(rule.over.as_secs()).unwrap_or(1);
        if site.average(rule.measure, over).is_some_and(|value| value > rule.above) {
            let since = *self.pending.get_or_insert(tick);
            let wait = i64::try_from(rule.for_time.as_secs()).unwrap_or(i64::MAX);
            if self.firing.is_none() && tick - since >= wait {
                self.firing = Some(tick);
            }
        } else {
            self.pending = None;
            self.firing = None;
        }
    }
}
