//! The ports in force: what each backend can do, and the calendars beside them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::control::event::Event;
use crate::control::world::ByHand;
use crate::model::capability::Capability;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::ical::CalendarReading;
use crate::model::name::BackendName;
use crate::model::objective::HistoryAsk;
use crate::ports::calendar::CalendarPorts;
use crate::ports::clock::Clock;
use crate::ports::{Port, Ports};

/// The ports in force: a reload of the configuration replaces them all at once.
#[derive(Default)]
pub struct Switchboard(RwLock<Ports>, RwLock<CalendarPorts>);

impl Switchboard {
    /// These ports.
    pub fn new(ports: Ports) -> Self {
        Self(RwLock::new(ports), RwLock::default())
    }

    /// From now on these; what is under way on an old one goes on there.
    pub fn replace(&self, ports: Ports) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ports;
    }

    /// From now on these calendars.
    pub fn replace_calendars(&self, calendars: CalendarPorts) {
        *self.1.write().unwrap_or_else(PoisonError::into_inner) = calendars;
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
            Some(Port::Traffic(_) | Port::Alerts(_) | Port::Ci(_)) | None => Err(unsupported(backend, DOING)),
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

/// What each backend can do, and how a person would do it by hand.
pub fn abilities(ports: &Ports) -> BTreeMap<BackendName, (&'static [Capability], ByHand)> {
    ports
        .iter()
        .map(|(name, port)| {
            let by_hand = match port.clone() {
                Port::Traffic(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Ci(port) => ByHand::new(move |effect| port.commands(effect)),
                Port::Metrics(_) | Port::Alerts(_) => ByHand::new(|_| Vec::new()),
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
