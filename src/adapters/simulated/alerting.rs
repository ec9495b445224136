//! The simulated alerting system: alerts that the rules fire, grouped by target, muted by silences that people and deeds make.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::number::hex;
use super::rules::RuleState;
use super::state::State;
use super::world::{Course, SimulatedWorld};
use crate::model::alert::{Alert, AlertGroup, AlertReading, Silence};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, Target};
use crate::model::plan::StepEffect;
use crate::model::silence::{SilenceChange, comment, is_it, matcher};
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
            let silences = active(state);
            let mut alerts: Vec<Alert> = state.rules.iter().filter_map(|rule| alert(state, rule, &silences)).collect();
            alerts.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
            let mut groups: BTreeMap<Vec<(Text, Text)>, Vec<Text>> = BTreeMap::new();
            for alert in &alerts {
                let by = alert.labels.iter().filter(|(name, _)| matches!(name.as_str(), "environment" | "service"));
                groups.entry(by.cloned().collect()).or_default().push(alert.fingerprint.clone());
            }
            let groups = groups.into_iter().map(|(labels, fingerprints)| AlertGroup { labels, fingerprints }).collect();
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

fn alert(state: &State, rule: &RuleState, silences: &[Silence]) -> Option<Alert> {
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
    let told = labels.map(|(label, value)| matcher(label, value));
    let silenced = silences.iter().filter(|silence| silence.matchers.iter().all(|wanted| told.contains(wanted)));
    Some(Alert {
        fingerprint: Text::clean(&fingerprint),
        severity: Text::clean(&known.severity),
        labels: labels.iter().map(|(label, value)| (Text::clean(label), Text::clean(value))).collect(),
        annotations: vec![(Text::clean("summary"), Text::clean(&filled(&known.summary, target)))],
        since: state.wall(since),
        silenced_by: silenced.map(|silence| silence.id.clone()).collect(),
        inhibited_by: Vec::new(),
        source_url: Text::clean(&format!("simulated/rules/{name}")),
        name: Text::clean(&name),
    })
}

/// Those that mute now.
fn active(state: &State) -> Vec<Silence> {
    let now = state.now();
    state.silences.iter().filter(|silence| now < silence.ends).cloned().collect()
}

/// Takes an effect over.
fn silence(state: &mut State, effect: &Effect, doing: &str) -> Result<(), SendError> {
    let fail = |kind, detail: &str| SendError::NotDone(PortError::new(kind, effect.what().backend(), doing, detail));
    let StepEffect::Silence { matchers, change, .. } = effect.what() else {
        return Err(fail(PortErrorKind::Unsupported, "an alerting system only silences"));
    };
    match change {
        SilenceChange::Until { ends, comment: reason } => {
            let Ok(until) = DateTime::parse_from_rfc3339(ends).map(|ends| ends.with_timezone(&Utc)) else {
                return Err(fail(PortErrorKind::Malformed, "its end is no time"));
            };
            if until <= state.now() {
                return Err(fail(PortErrorKind::Conflict, "its end is over already"));
            }
            if !state.silences.iter().any(|silence| is_it(silence, matchers, ends, reason)) {
                let key = effect.key().to_string();
                let id = Sha256::digest(key.as_bytes());
                state.silences.push(Silence {
                    id: Text::clean(&hex(id.get(..8).unwrap_or_default())),
                    matchers: matchers.iter().map(|(name, value)| matcher(name, value)).collect(),
                    by: Text::clean(effect.requester()),
                    comment: Text::clean(&comment(reason, &key)),
                    ends: until,
                });
            }
        }
        SilenceChange::Over { ids } => state.silences.retain(|silence| !ids.iter().any(|id| id == silence.id.as_str())),
    }
    Ok(())
}

impl Alerts for Alerting {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadAlerts, Capability::Silence]
    }

    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>> {
        Box::pin(async move { self.read_now() })
    }

    fn silence<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let doing = "silence an alert";
        Box::pin(async move {
            if effect.what().backend() != &self.name {
                let why = format!("the effect is for {}", effect.what().backend());
                return Err(SendError::NotDone(PortError::new(PortErrorKind::Unsupported, &self.name, doing, &why)));
            }
            self.world.write(&self.name, doing, |state, _: &Course| silence(state, effect, doing))
        })
    }
}
