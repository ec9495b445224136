//! Reads the table of events back: every event as it was when it entered the world.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Change, Folded, Opened, SCHEMA, clock, patch, timeless};
use crate::control::event::{Event, Reading, StorePicture};
use crate::model::name::BackendName;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::Happening;

/// Why a line could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// It is no line of this table.
    #[error("failed to read a line of the recording: {0}")]
    Malformed(String),
    /// It is of another table.
    #[error("failed to read a line of the recording: it has schema {0}, this gonogo reads {SCHEMA}; read it with the gonogo that wrote it")]
    Schema(u64),
    /// It builds on a line that was not read.
    #[error("failed to read a line of the recording: it changes what was not read before; begin at an earlier line")]
    Baseless,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A room began.
    Opened(Box<Opened>),
    /// An event entered the world.
    Event(Box<Event>),
    /// A line went into the timeline.
    Happening(Happening),
    /// So many could not be kept.
    Hole(u64),
}

/// Reads lines in their order.
#[derive(Debug, Clone, Default)]
pub struct Player {
    readings: BTreeMap<BackendName, Reading>,
    picture: Option<Arc<StorePicture>>,
}

impl Player {
    /// The moment and the content of the next line.
    ///
    /// # Errors
    /// [`PlayError`]: what is wrong with the line. The lines after it may still be read, up to those that build on it.
    pub fn read(&mut self, line: &str) -> Result<(Moment, Entry), PlayError> {
        let value: Value = serde_json::from_str(line).map_err(malformed)?;
        match value.get("schema").and_then(Value::as_u64) {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(schema) => return Err(PlayError::Schema(schema)),
            None => return Err(PlayError::Malformed("it has no schema".to_owned())),
        }
        let wall: DateTime<Utc> = part(&value, "at")?;
        let boot: Boot = part(&value, "boot")?;
        let now = Moment { wall, boot };
        let entry = match value.get("event").and_then(Value::as_str) {
            Some("opened" | "changed" | "still" | "store-changed" | "happening" | "hole") => {
                self.folded(wall, serde_json::from_value(value).map_err(malformed)?)?
            }
            _ => Entry::Event(Box::new(serde_json::from_value(value).map_err(malformed)?)),
        };
        if let Entry::Event(event) = &entry {
            self.keep(event);
        }
        Ok((now, entry))
    }

    fn keep(&mut self, event: &Event) {
        if let Event::Polled { backend, result: Ok(reading), .. } = event {
            self.readings.insert(backend.clone(), reading.clone());
        }
        if let Event::StoreRead { result: Ok(picture) } = event {
            self.picture = Some(Arc::new((**picture).clone()));
        }
    }

    fn folded(&mut self, wall: DateTime<Utc>, folded: Folded) -> Result<Entry, PlayError> {
        let (backend, seq, asked, clock, change) = match folded {
            // Everything is whole again from here on.
            Folded::Opened(opened) => {
                *self = Self::default();
                return Ok(Entry::Opened(opened));
            }
            Folded::Happening { kind, target, text, source, deed, links } => {
                return Ok(Entry::Happening(Happening { at: wall, kind, target, text, source, deed, links }));
            }
            Folded::Hole { lost } => {
                *self = Self::default();
                return Ok(Entry::Hole(lost));
            }
            Folded::StoreChanged { change } => {
                let last = self.picture.as_ref().ok_or(PlayError::Baseless)?;
                let picture = onto(&**last, &change)?;
                return Ok(Entry::Event(Box::new(Event::StoreRead { result: Ok(Box::new(picture)) })));
            }
            Folded::Changed { backend, seq, asked, clock, change } => (backend, seq, asked, clock, Some(change)),
            Folded::Still { backend, seq, asked, clock } => (backend, seq, asked, clock, None),
        };
        let last = self.readings.get(&backend).ok_or(PlayError::Baseless)?;
        let reading = match (last, change) {
            (last, None) => last.clone(),
            (Reading::Signals(last), Some(Change::Signals(change))) => {
                Reading::Signals(Arc::new(change.onto(last).ok_or(PlayError::Baseless)?))
            }
            (Reading::Traffic(last), Some(Change::Traffic(change))) => Reading::Traffic(Arc::new(onto(&**last, &change)?)),
            (Reading::Alerts(last), Some(Change::Alerts(change))) => Reading::Alerts(Arc::new(onto(&**last, &change)?)),
            (Reading::Runs(last), Some(Change::Runs(change))) => Reading::Runs(Arc::new(onto(&**last, &change)?)),
            (Reading::Workloads(last), Some(Change::Workloads(change))) => Reading::Workloads(Arc::new(onto(&**last, &change)?)),
            (Reading::Flags(last), Some(Change::Flags(change))) => Reading::Flags(Arc::new(onto(&**last, &change)?)),
            (Reading::Links(last), Some(Change::Links(change))) => Reading::Links(Arc::new(onto(&**last, &change)?)),
            (
                Reading::Signals(_)
                | Reading::Traffic(_)
                | Reading::Alerts(_)
                | Reading::Runs(_)
                | Reading::Workloads(_)
                | Reading::Flags(_)
                | Reading::Links(_),
                Some(_),
            ) => {
                return Err(PlayError::Baseless);
            }
        };
        let result = Ok(told_at(reading, clock));
        Ok(Entry::Event(Box::new(Event::Polled { backend, seq, asked, result })))
    }
}

fn malformed(error: impl std::fmt::Display) -> PlayError {
    PlayError::Malformed(error.to_string())
}

fn part<T: DeserializeOwned>(value: &Value, name: &str) -> Result<T, PlayError> {
    let part = value.get(name).cloned().ok_or_else(|| PlayError::Malformed(format!("it has no {name}")))?;
    serde_json::from_value(part).map_err(malformed)
}

/// The value after a patch.
fn onto<T: Serialize + DeserializeOwned>(last: &T, change: &Value) -> Result<T, PlayError> {
    let patched = timeless(last).and_then(|last| patch::patched(last, change)).ok_or(PlayError::Baseless)?;
    serde_json::from_value(patched).map_err(malformed)
}

/// The reading with the backend's clock as it was told with it.
fn told_at(mut reading: Reading, at: Option<DateTime<Utc>>) -> Reading {
    if clock(&reading) == at {
        return reading;
    }
    match &mut reading {
        Reading::Signals(reading) => Arc::make_mut(reading).backend_clock = at,
        Reading::Alerts(reading) => Arc::make_mut(reading).backend_clock = at,
        Reading::Runs(reading) => Arc::make_mut(reading).backend_clock = at,
        Reading::Flags(reading) => Arc::make_mut(reading).backend_clock = at,
        Reading::Links(reading) => Arc::make_mut(reading).backend_clock = at,
        Reading::Traffic(_) | Reading::Workloads(_) => {}
    }
    reading
}
