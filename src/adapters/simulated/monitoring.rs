//! The simulated monitoring system: scraped counters, buckets and values of every server, answered by subject instead of by query.

use std::sync::Arc;

use super::number::real;
use super::site::{BOUNDS, Machine, Scrape, Side, Site};
use super::state::State;
use super::world::SimulatedWorld;
use super::{history, mesh};
use crate::model::capability::Capability;
use crate::model::error::PortError;
use crate::model::link::{LinkAsk, LinkReading};
use crate::model::name::BackendName;
use crate::model::objective::{HistoryAsk, HistoryReading};
use crate::model::signal::{Answer, Ask, Form, RuleHealth, Sample, Series, SignalReading, Subject};
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::traffic::ServerState;
use crate::ports::Pending;
use crate::ports::metrics::Metrics;

/// How far back the newest sample of an instant question may lie.
const LOOKBACK_S: i64 = 300;

/// The monitoring system of a simulated world.
pub struct Monitoring {
    world: Arc<SimulatedWorld>,
    name: BackendName,
}

impl Monitoring {
    /// The monitoring system under the name that the catalog gives it.
    pub fn new(world: &Arc<SimulatedWorld>, name: BackendName) -> Self {
        Self { world: Arc::clone(world), name }
    }

    fn read_now(&self, asks: &[Ask]) -> Result<SignalReading, PortError> {
        self.world.read(&self.name, "read signals", |state, partial| {
            let answers = asks.iter().enumerate().map(|(n, ask)| answer(state, ask, partial && n % 2 == 1)).collect();
            let machines = || state.sites.iter().flat_map(Site::machines);
            let up = machines().filter(|machine| machine.state != ServerState::Down).count();
            let warnings = if partial { vec![Text::clean("partial data: a store did not answer")] } else { Vec::new() };
            Ok(SignalReading {
                answers,
                warnings,
                rules: rules(state),
                targets_up: u32::try_from(up).unwrap_or(u32::MAX),
                targets: u32::try_from(machines().count()).unwrap_or(u32::MAX),
                backend_clock: Some(state.now()),
            })
        })
    }
}

fn rules(state: &State) -> Vec<RuleHealth> {
    let mut names: Vec<Text> = state.rules.iter().map(|rule| Text::clean(&super::alerting::name(state, rule))).collect();
    names.sort();
    names.into_iter().map(|name| RuleHealth { name, healthy: true, error: Text::empty(), evaluated: Some(state.now()) }).collect()
}

fn answer(state: &State, ask: &Ask, missing: bool) -> Answer {
    let site = state.site(&ask.target).filter(|_| !missing);
    let series = site.map(|site| series(state, site, ask)).unwrap_or_default();
    Answer { ask: ask.clone(), query: query(ask), series: Ok(series), refused: 0 }
}

/// The template with its placeholders filled in, the longest names first.
fn query(ask: &Ask) -> Text {
    let mut values: Vec<_> = ask.values.iter().collect();
    values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let query = values.into_iter().fold(ask.template.to_string(), |query, (name, value)| query.replace(&format!("${name}"), value));
    Text::clean(&ask.form.of(query))
}

fn series(state: &State, site: &Site, ask: &Ask) -> Vec<Series> {
    let mut all = Vec::new();
    for slot in Slot::BOTH.into_iter().filter(|slot| ask.slot.is_none_or(|wanted| wanted == *slot)) {
        let side = site.side(slot);
        for machine in &side.machines {
            of_machine(state, site, side, machine, ask, &mut all);
        }
    }
    all
}

fn of_machine(state: &State, site: &Site, side: &Side, machine: &Machine, ask: &Ask, all: &mut Vec<Series>) {
    let slot = side.machines.first().map_or("", |first| first.name.as_str());
    let labels = |metric: &str, more: &[(&str, &str)]| {
        let mut labels = vec![
            ("__name__", metric),
            ("environment", site.target.environment.as_str()),
            ("instance", machine.name.as_str()),
            ("service", site.target.service.as_str()),
            ("slot", slot),
        ];
        labels.extend_from_slice(more);
        labels.sort_unstable();
        labels.into_iter().map(|(name, value)| (Text::clean(name), Text::clean(value))).collect::<Vec<_>>()
    };
    let mut push = |metric: &str, more: &[(&str, &str)], of: &dyn Fn(&Scrape) -> f64| {
        let samples = samples(state, machine, ask.form, of);
        if !samples.is_empty() {
            all.push(Series { labels: labels(metric, more).into(), samples });
        }
    };
    match &ask.subject {
        Subject::Bad(name) if name.as_str() == "errors" => {
            push("http_requests_total", &[("code", "500")], &|scrape| real(scrape.errors));
        }
        Subject::Total(name) if name.as_str() == "errors" => {
            push("http_requests_total", &[("code", "200")], &|scrape| real(scrape.requests - scrape.errors));
            push("http_requests_total", &[("code", "500")], &|scrape| real(scrape.errors));
        }
        Subject::Buckets(name) if name.as_str() == "latency" => {
            for (n, (_, bound)) in BOUNDS.iter().enumerate() {
                let bucket = |scrape: &Scrape| real(scrape.buckets.get(n).copied().unwrap_or(0));
                push("http_request_duration_seconds_bucket", &[("le", bound)], &bucket);
            }
            push("http_request_duration_seconds_bucket", &[("le", "+Inf")], &|scrape| real(scrape.requests));
        }
        Subject::Value(name) if name.as_str() == "saturation" => push("saturation", &[], &|scrape| scrape.load),
        Subject::Version => push("app_info", &[("version", &side.version), ("digest", &side.digest)], &|_| 1.0),
        Subject::Bad(_) | Subject::Total(_) | Subject::Buckets(_) | Subject::Value(_) => {}
    }
}

fn samples(state: &State, machine: &Machine, form: Form, of: &dyn Fn(&Scrape) -> f64) -> Vec<Sample> {
    let sample = |scrape: &Scrape| Sample { at_ms: state.wall(scrape.tick).timestamp_millis(), value: of(scrape) };
    match form {
        Form::Counters { window_s } => {
            let oldest = state.tick - i64::from(window_s);
            machine.scrapes.iter().filter(|scrape| scrape.tick >= oldest).map(sample).collect()
        }
        Form::Instant => {
            let newest = machine.scrapes.back().filter(|scrape| scrape.tick >= state.tick - LOOKBACK_S);
            newest.map(sample).into_iter().collect()
        }
    }
}

impl Metrics for Monitoring {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadSignals]
    }

    fn read<'a>(&'a self, asks: &'a [Ask]) -> Pending<'a, Result<SignalReading, PortError>> {
        Box::pin(async move { self.read_now(asks) })
    }

    fn history<'a>(&'a self, ask: &'a HistoryAsk) -> Pending<'a, Result<HistoryReading, PortError>> {
        Box::pin(
            async move { self.world.read(&self.name, "read the history of an objective", |state, _| Ok(history::reading(state, ask))) },
        )
    }

    fn links<'a>(&'a self, ask: &'a LinkAsk) -> Pending<'a, Result<LinkReading, PortError>> {
        Box::pin(async move { self.world.read(&self.name, "read who uses whom", |state, _| Ok(mesh::reading(state, ask))) })
    }
}
