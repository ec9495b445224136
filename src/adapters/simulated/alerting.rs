//! The simulated alerting system: alerts that the rules fire, grouped by target, muted by silences.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::number::hex;
use super::rules::RuleState;
use super::state::State;
use super::world::SimulatedWorld;
use crate::model::alert::{Alert, AlertGroup, AlertReading, Silence};
use crate::model::capability::Capability;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::name::{BackendName, Target};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::alerts::Alerts;

/// The alerting system of a simulated world.
pub struct Alerting {
    world: Arc<SimulatedWorld>,
    name: BackendName,
}

impl Alerting {
    /// The alerting system under the name that the catalog gives it.
    pub fn new(world: &Arc<SimulatedWorld>, name: BackendName) -> Self {
        Self { world: Arc::clone(world), name }
    }

    fn read_now(&self) -> Result<AlertReading, PortError> {
        let doing = "read alerts";
        self.world.read(&self.name, doing, |state, partial| {
            if partial {
                return Err(PortError::new(PortErrorKind::Malformed, &self.name, doing, "the answer ended early"));
            }
            let silences = silences(state);
            let mut alerts: Vec<Alert> = state.rules.iter().filter_map(|rule| alert(state, rule, &silences)).collect();
            alerts.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
            let mut groups: BTreeMap<Vec<(Text, Text)>, Vec<Text>> = BTreeMap::new();
            for alert in &alerts {
                let by = alert.labels.iter().filter(|(name, _)| matches!(name.as_str(), "environment" | "service"));
                groups.entry(by.cloned().collect()).or_default().push(alert.fingerprint.clone());
            }
            let groups = groups.into_iter().map(|(labels, fingerprints)| AlertGroup { labels, fingerprints }).collect();
            let silences = silences.into_iter().map(|(_, silence)| silence).collect();
            Ok(AlertReading { alerts, groups, silences, backend_clock: Some(state.now()) })
        })
    }
}

/// `checkout-api` as `CheckoutApi`.
fn camel(service: &str) -> String {
    let parts = service.split(['-', '_', '.']);
    parts
        .flat_map(|part| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

fn filled(template: &str, target: &Target) -> String {
    template
        .replace("$Service", &camel(target.service.as_str()))
        .replace("$service", target.service.as_str())
        .replace("$environment", target.environment.as_str())
}

/// The name of a rule for its site.
pub(super) fn name(state: &State, rule: &RuleState) -> String {
    match (state.scenario.alert.get(rule.rule), state.sites.get(rule.site)) {
        (Some(known), Some(site)) => filled(&known.name, &site.target),
        _ => String::new(),
    }
}

fn alert(state: &State, rule: &RuleState, silences: &[(Target, Silence)]) -> Option<Alert> {
    let since = rule.firing?;
    let known = state.scenario.alert.get(rule.rule)?;
    let target = &state.sites.get(rule.site)?.target;
    let team = state.scenario.service(&target.service).map(|service| service.team.as_str()).unwrap_or_default();
    let name = name(state, rule);
    let labels = [
        ("alertname", name.as_str()),
        ("environment", target.environment.as_str()),
        ("service", target.service.as_str()),
        ("severity", known.severity.as_str()),
        ("team", team),
    ];
    let digest = Sha256::digest(format!("{labels:?}"));
    let fingerprint = hex(digest.get(..8).unwrap_or_default());
    let silenced = silences.iter().filter(|(muted, _)| muted == target).map(|(_, silence)| silence.id.clone());
    Some(Alert {
        fingerprint: Text::clean(&fingerprint),
        severity: Text::clean(&known.severity),
        labels: labels.iter().map(|(label, value)| (Text::clean(label), Text::clean(value))).collect(),
        annotations: vec![(Text::clean("summary"), Text::clean(&filled(&known.summary, target)))],
        since: state.wall(since),
        silenced_by: silenced.collect(),
        inhibited_by: Vec::new(),
        source_url: Text::clean(&format!("simulated/rules/{name}")),
        name: Text::clean(&name),
    })
}

fn silences(state: &State) -> Vec<(Target, Silence)> {
    let all = state.scenario.silence.iter().enumerate();
    let all = all.filter(|(_, known)| i64::try_from(known.ends.as_secs()).is_ok_and(|ends| state.tick < ends));
    all.map(|(n, known)| {
        let ends = TimeDelta::from_std(known.ends).unwrap_or_default();
        let silence = Silence {
            id: Text::clean(&format!("silence-{}", n + 1)),
            matchers: vec![
                Text::clean(&format!("service=\"{}\"", known.target.service)),
                Text::clean(&format!("environment=\"{}\"", known.target.environment)),
            ],
            by: Text::clean(known.by.as_str()),
            comment: Text::clean(&known.comment),
            ends: state.wall(0).checked_add_signed(ends).unwrap_or_else(|| state.now()),
        };
        (known.target.clone(), silence)
    })
    .collect()
}

impl Alerts for Alerting {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadAlerts]
    }

    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>> {
        Box::pin(async move { self.read_now() })
    }
}
