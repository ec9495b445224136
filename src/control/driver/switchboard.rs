//! The ports in force: what each backend can do, and the calendars beside them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use crate::control::event::Event;
use crate::control::world::ByHand;
use crate::model::capability::Capability;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::ical::CalendarReading;
use crate::model::name::{BackendName, SignalName, Target};
use crate::model::objective::HistoryAsk;
use crate::model::probe::{Held, Probe, ProbeAnswer, StepCheck};
use crate::model::signal::{Ask, Form, Sample, Series, Subject, Values};
use crate::model::slot::Slot;
use crate::model::time::Moment;
use crate::ports::calendar::CalendarPorts;
use crate::ports::clock::Clock;
use crate::ports::probe::Prober;
use crate::ports::{Port, Ports};

/// The greatest age of a sample that answers a check, in milliseconds.
const OLDEST_MS: i64 = 60_000;

/// The ports in force: a reload of the configuration replaces them all at once.
#[derive(Default)]
pub struct Switchboard(RwLock<Ports>, RwLock<CalendarPorts>, OnceLock<Arc<dyn Prober>>);

impl Switchboard {
    /// These ports.
    pub fn new(ports: Ports) -> Self {
        Self(RwLock::new(ports), RwLock::default(), OnceLock::new())
    }

    /// From now on these; what is under way on an old one goes on there.
    pub fn replace(&self, ports: Ports) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ports;
    }

    /// From now on these calendars.
    pub fn replace_calendars(&self, calendars: CalendarPorts) {
        *self.1.write().unwrap_or_else(PoisonError::into_inner) = calendars;
    }

    /// Checks of rollouts are made by this one; the first one named stays.
    pub fn probing(&self, prober: Arc<dyn Prober>) {
        let _ = self.2.set(prober);
    }

    /// Makes a check of a rollout.
    pub(super) async fn probe(&self, asked: &Moment, target: &Target, slot: Slot, check: &StepCheck, values: Values) -> ProbeAnswer {
        let within = Duration::from_secs(check.within_s);
        let Probe::Query { backend, query, at_most, bound } = &check.probe else {
            return match self.2.get() {
                Some(prober) => prober.probe(&check.probe, within).await,
                None => ProbeAnswer::new(Held::NotKnown, "nothing here can ask it"),
            };
        };
        let Some(Port::Metrics(port)) = self.get(backend) else {
            return ProbeAnswer::new(Held::NotKnown, &unsupported(backend, "ask a query").to_string());
        };
        // Its name is one that a signal could have: names of checks are held to the same letters.
        let Ok(name) = SignalName::new(check.name.as_str()) else {
            return ProbeAnswer::new(Held::NotKnown, "its name cannot be asked for");
        };
        let subject = Subject::Value(name);
        let ask = Ask { target: target.clone(), slot: Some(slot), subject, template: query.as_str().into(), values, form: Form::Instant };
        let read = tokio::time::timeout(within, port.read(std::slice::from_ref(&ask))).await;
        let reading = read.unwrap_or_else(|_| Err(timed_out(backend, "ask a query", within)));
        match reading {
            Err(error) => ProbeAnswer::new(Held::NotKnown, &error.to_string()),
            Ok(reading) => match reading.answers.first().map(|answer| &answer.series) {
                Some(Ok(series)) => held(series, *at_most, bound, asked.wall.timestamp_millis()),
                Some(Err(error)) => ProbeAnswer::new(Held::NotKnown, &error.to_string()),
                None => ProbeAnswer::new(Held::NotKnown, &format!("{backend} did not answer it")),
            },
        }
    }

    /// Reads a calendar.
    pub(super) async fn calendar(&self, name: &BackendName) -> Result<Arc<CalendarReading>, PortError> {
        let port = self.1.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        match port {
            Some(port) => port.read().await,
            None => Err(unsupported(name, "read the calendar")),
        }
    }

    /// Reads the history of an objective.
    pub(super) async fn history(&self, clock: &Arc<dyn Clock>, backend: &BackendName, ask: &HistoryAsk, within: Duration) -> Event {
        const DOING: &str = "read the history of an objective";
        let asked = clock.now();
        let result = match self.get(backend) {
            Some(Port::Metrics(port)) => {
                let read = tokio::time::timeout(within, port.history(ask)).await;
                read.unwrap_or_else(|_| Err(timed_out(backend, DOING, within))).map(Arc::new)
            }
            Some(Port::Traffic(_) | Port::Alerts(_) | Port::Flags(_) | Port::Ci(_) | Port::Orchestrator(_)) | None => {
                Err(unsupported(backend, DOING))
            }
        };
        Event::ObjectiveRead { key: ask.key.clone(), stretch: ask.stretch, asked, result }
    }

    /// What each backend can do, and how a person would do it by hand.
    pub fn abilities(&self) -> BTreeMap<BackendName, (&'static [Capability], ByHand)> {
        abilities(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The port of a backend.
    pub fn get(&self, backend: &BackendName) -> Option<Port> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(backend).cloned()
    }
}

/// Whether every value is within the bound; none, or an old one, is no answer.
fn held(series: &[Series], at_most: bool, bound: &str, now_ms: i64) -> ProbeAnswer {
    let not_known = |words: &str| ProbeAnswer::new(Held::NotKnown, words);
    let Some(limit) = bound.parse::<f64>().ok().filter(|limit| limit.is_finite()) else { return not_known("its bound is no number") };
    let newest: Vec<Sample> = series.iter().filter_map(|one| one.samples.last().copied()).collect();
    if newest.is_empty() || newest.len() < series.len() {
        return not_known("the query has no value");
    }
    if let Some(old) = newest.iter().map(|sample| now_ms.saturating_sub(sample.at_ms)).max().filter(|old| *old > OLDEST_MS) {
        return not_known(&format!("its newest sample is {} s old", old / 1000));
    }
    let least = newest.iter().map(|sample| sample.value).fold(f64::INFINITY, f64::min);
    let most = newest.iter().map(|sample| sample.value).fold(f64::NEG_INFINITY, f64::max);
    let (holds, worst, word) = if at_most { (most <= limit, most, "most") } else { (least >= limit, least, "least") };
    ProbeAnswer::new(if holds { Held::Holds } else { Held::Fails }, &format!("the query gave {worst}, at {word} {bound} is asked for"))
}

/// What each backend can do, and how a person would do it by hand.
pub fn abilities(ports: &Ports) -> BTreeMap<BackendName, (&'static [Capability], ByHand)> {
    ports
        .iter()
        .map(|(name, port)| {
            let by_hand = match port.clone() {
                Port::Traffic(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Ci(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Orchestrator(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Flags(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Alerts(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Metrics(_) => ByHand::new(|_| Vec::new()),
            };
            (name.clone(), (port.capabilities(), by_hand))
        })
        .collect()
}

/// What did not answer in time.
pub(super) fn timed_out(backend: &BackendName, doing: &str, within: Duration) -> PortError {
    PortError::new(PortErrorKind::TimedOut, backend, doing, &format!("no whole answer within {} s", within.as_secs()))
}

/// What this version cannot ask of a backend.
pub(super) fn unsupported(backend: &BackendName, doing: &str) -> PortError {
    PortError::new(PortErrorKind::Unsupported, backend, doing, "this version cannot speak to it")
}
