//! The table of events: what journal, recording and `watch --jsonl` hold, one JSON object a line, written by one function.
//!
//! Every line has `schema` ([`SCHEMA`]), `at` (RFC 3339, UTC, milliseconds), `boot` (the same moment on the clock that ages are measured
//! with, in milliseconds) and `event`:
//!
//! | `event` | members beside those | meaning |
//! |---|---|---|
//! | `opened` | `catalog` `actor` `read_only` `installation` `tends` `conducts` `able` `can` `again` `told` | a room began; what it was opened with. With `again` it goes on, and everything is whole again from here: reading may begin there too |
//! | `polled` | `backend` `seq` `asked` `result` | a reading whole (`Ok`), or why there is none (`Err`) |
//! | `changed` | `backend` `seq` `asked` `clock` `change` | a reading, as what it says more than the last good one of its backend |
//! | `still` | `backend` `seq` `asked` `clock` | a reading that says what the last good one said; `clock` is the backend's own |
//! | `store-read` | `result` | what the store holds, whole |
//! | `store-changed` | `change` | the same as a patch of the last |
//! | `authors-read` | `span` `asked` `result` | who made what lies between two versions, whole |
//! | `happening` | `kind` `target` `text` `source` `deed` `links` | a line of the timeline: what follows from the other events, in words; `at` is its own time, which may lie before `boot` |
//! | `hole` | `lost` | so many events could not be kept; what follows does not build on what was before |
//! | others | those of [`Event`] | deeds, logs, sessions, time, configuration |
//!
//! `change` is `{"signals": ..}` with newer samples ([`samples`]), or a patch ([`patch`]) of `{"traffic": ..}`, `{"alerts": ..}`,
//! `{"runs": ..}`, `{"workloads": ..}`, `{"flags": ..}`, `{"links": ..}` (of the discovery that `backend` names). That time passed (`woke`) is no line. [`Player`] gives back every event as it was.

mod again;
pub mod patch;
pub mod play;
pub mod samples;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::again::Again;
pub use self::play::{Entry, PlayError, Player};
use self::samples::SignalChange;
use super::event::{Event, Reading, StorePicture};
use super::update::Room;
use crate::model::capability::Capability;
use crate::model::catalog::Catalog;
use crate::model::deed::DeedState;
use crate::model::intent::Verb;
use crate::model::link::LinkTold;
use crate::model::long_text::LongText;
use crate::model::name::{BackendName, Target};
use crate::model::operator::Actor;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment, rfc3339};
use crate::model::timeline::{Happening, HappeningKind};
pub use crate::ports::journal::Line;

/// The number of the table of events; a reader of this number reads every line that has it.
pub const SCHEMA: u32 = 1;

/// What a room was opened with, as far as a replay needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// What is configured.
    pub catalog: Arc<Catalog>,
    /// Who is at the keys.
    pub actor: Actor,
    /// Whether deeds are impossible.
    pub read_only: bool,
    /// The installation.
    pub installation: String,
    /// Whether it settles what dead processes left.
    pub tends: bool,
    /// Whether rollouts go on by themselves in it.
    #[serde(default)]
    pub conducts: bool,
    /// The backends that it can speak to.
    pub able: Vec<BackendName>,
    /// What each of them can do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub can: BTreeMap<BackendName, BTreeSet<Capability>>,
    /// The room did not begin here but goes on: whoever reads from its beginning knows all this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Of one that goes on, the newest lines of the timeline.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub told: VecDeque<Happening>,
}

impl Opened {
    /// As a room stands now.
    pub fn of(room: &Room) -> Self {
        let world = room.world();
        Self {
            catalog: world.catalog.clone(),
            actor: world.actor.clone(),
            read_only: world.read_only,
            installation: world.ledger.installation.clone(),
            tends: room.tends(),
            conducts: room.conducts(),
            able: room.abilities().keys().cloned().collect(),
            can: room.abilities().iter().map(|(name, (can, _))| (name.clone(), can.iter().copied().collect())).collect(),
            again: false,
            told: VecDeque::new(),
        }
    }

    /// The same room as it goes on with other backends.
    pub fn goes_on(room: &Room) -> Self {
        Self { again: true, ..Self::of(room) }
    }
}

/// What there is to write down.
#[derive(Debug, Clone)]
pub enum Told {
    /// A room began.
    Opened(Box<Opened>),
    /// An event entered the world.
    Event(Event),
    /// A line went into the timeline.
    Happening(Happening),
    /// So many could not be kept.
    Hole(u64),
}

/// A line as it is written.
#[derive(Serialize)]
struct Row<'a, T> {
    schema: u32,
    at: String,
    boot: Boot,
    #[serde(flatten)]
    body: &'a T,
}

/// The lines that are not an [`Event`] as it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Folded {
    Opened(Box<Opened>),
    Changed {
        backend: BackendName,
        seq: u64,
        asked: Moment,
        clock: Option<DateTime<Utc>>,
        change: Change,
    },
    Still {
        backend: BackendName,
        seq: u64,
        asked: Moment,
        clock: Option<DateTime<Utc>>,
    },
    StoreChanged {
        change: Value,
    },
    Happening {
        kind: HappeningKind,
        target: Option<Target>,
        text: Text,
        source: String,
        #[serde(default)]
        deed: Option<(Verb, DeedState)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Vec<LinkTold>,
    },
    Hole {
        lost: u64,
    },
}

/// What a reading says more than the one before.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Signals(Box<SignalChange>),
    Traffic(Value),
    Alerts(Value),
    Runs(Value),
    Workloads(Value),
    Flags(Value),
    Links(Value),
}

/// Writes events down: equal readings fold, and of a changed one only what changed is written.
#[derive(Debug, Default)]
pub struct Recorder {
    readings: BTreeMap<BackendName, (Reading, Boot)>,
    picture: Option<(StorePicture, Boot)>,
    whole_every: Option<Duration>,
    again: Again,
}

impl Recorder {
    /// A recorder that writes every source whole again after this time, so that the beginning may be dropped.
    pub fn whole_every(span: Duration) -> Self {
        Self { whole_every: Some(span), ..Self::default() }
    }

    /// Whether at `now` everything is due to be written whole again.
    pub fn is_due(&self, now: &Moment) -> bool {
        self.whole_every.is_some_and(|span| self.again.is_due(now, span))
    }

    /// What is written over again, before what was told at `now`, so that reading may begin here: nothing most of the time.
    pub fn again(&mut self, now: &Moment) -> Vec<Line> {
        let Some(opened) = self.whole_every.and_then(|span| self.again.due(now, span)) else { return Vec::new() };
        let mut lines: Vec<Line> = self.line(now, &Told::Opened(Box::new(opened))).into_iter().collect();
        let known: Vec<Event> = self.again.known().cloned().collect();
        lines.extend(known.iter().filter_map(|event| self.event(now, event)));
        lines
    }

    /// What comes next builds on nothing that was written before.
    pub fn forget(&mut self) {
        self.readings.clear();
        self.picture = None;
    }

    /// The line for what was told at `now`; none when there is nothing to say. A hole makes it forget.
    pub fn line(&mut self, now: &Moment, told: &Told) -> Option<Line> {
        match told {
            Told::Opened(opened) => {
                self.forget();
                self.again.opened(now, opened);
                let line = row(now, "opened", &Folded::Opened(opened.clone()))?;
                Some(Line { again: opened.again, ..line })
            }
            Told::Event(event) => {
                if self.whole_every.is_some() {
                    self.again.keep(event);
                }
                self.event(now, event)
            }
            Told::Happening(happening) => {
                if self.whole_every.is_some() {
                    self.again.tell(happening);
                }
                self::happening(now, happening)
            }
            Told::Hole(lost) => {
                self.forget();
                row(now, "hole", &Folded::Hole { lost: *lost })
            }
        }
    }

    /// The line for an event; none when time only passed.
    pub fn event(&mut self, now: &Moment, event: &Event) -> Option<Line> {
        if let Event::Woke = event {
            return None;
        }
        let folded = if let Event::Polled { backend, seq, asked, result: Ok(reading) } = event {
            self.reading(now, (backend, *seq, *asked), reading)
        } else if let Event::StoreRead { result: Ok(picture) } = event {
            self.store(now, picture)
        } else {
            None
        };
        match folded {
            Some(folded) => row(now, event.family(), &folded),
            None => row(now, event.family(), event),
        }
    }

    fn is_old(&self, now: &Moment, whole: Boot) -> bool {
        self.whole_every.is_some_and(|span| now.boot.since(whole) >= span)
    }

    /// A reading as what it says more than the last; none when it is to be written whole.
    fn reading(&mut self, now: &Moment, poll: (&BackendName, u64, Moment), reading: &Reading) -> Option<Folded> {
        let (backend, seq, asked) = (poll.0.clone(), poll.1, poll.2);
        let said = self.fold(now, &backend, reading);
        let whole = match (&said, self.readings.get(&backend)) {
            (Said::Whole, _) | (_, None) => now.boot,
            (Said::Same | Said::More(_), Some((_, whole))) => *whole,
        };
        self.readings.insert(backend.clone(), (reading.clone(), whole));
        let clock = clock(reading);
        match said {
            Said::Whole => None,
            Said::Same => Some(Folded::Still { backend, seq, asked, clock }),
            Said::More(change) => Some(Folded::Changed { backend, seq, asked, clock, change }),
        }
    }

    /// The store as the patch of what it was last; none when it is to be written whole.
    fn store(&mut self, now: &Moment, picture: &StorePicture) -> Option<Folded> {
        let known = self.picture.take().filter(|(_, whole)| !self.is_old(now, *whole));
        let folded = known.as_ref().and_then(|(last, _)| {
            let (last, new) = (serde_json::to_value(last).ok()?, serde_json::to_value(picture).ok()?);
            let change = patch::difference(&last, &new).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            Some(Folded::StoreChanged { change })
        });
        let whole = known.filter(|_| folded.is_some()).map_or(now.boot, |(_, whole)| whole);
        self.picture = Some((picture.clone(), whole));
        folded
    }

    fn fold(&self, now: &Moment, backend: &BackendName, new: &Reading) -> Said {
        let Some((old, _)) = self.readings.get(backend).filter(|(_, whole)| !self.is_old(now, *whole)) else { return Said::Whole };
        match (old, new) {
            (Reading::Signals(old), Reading::Signals(new)) => match SignalChange::between(old, new) {
                None => Said::Whole,
                Some(change) if change.is_none() => Said::Same,
                Some(change) => Said::More(Change::Signals(Box::new(change))),
            },
            (Reading::Traffic(old), Reading::Traffic(new)) => between(old, new, Change::Traffic),
            (Reading::Alerts(old), Reading::Alerts(new)) => between(old, new, Change::Alerts),
            (Reading::Runs(old), Reading::Runs(new)) => between(old, new, Change::Runs),
            (Reading::Workloads(old), Reading::Workloads(new)) => between(old, new, Change::Workloads),
            (Reading::Flags(old), Reading::Flags(new)) => between(old, new, Change::Flags),
            (Reading::Links(old), Reading::Links(new)) => between(old, new, Change::Links),
            (
                Reading::Signals(_)
                | Reading::Traffic(_)
                | Reading::Alerts(_)
                | Reading::Runs(_)
                | Reading::Workloads(_)
                | Reading::Flags(_)
                | Reading::Links(_),
                _,
            ) => Said::Whole,
        }
    }
}

/// A reading beside the last one of its backend.
enum Said {
    /// The same.
    Same,
    /// Something more.
    More(Change),
    /// Too much else.
    Whole,
}

/// The line for a happening.
pub fn happening(now: &Moment, line: &Happening) -> Option<Line> {
    let Happening { at, kind, target, text, source, deed, links } = line.clone();
    row(&Moment { wall: at, boot: now.boot }, "happening", &Folded::Happening { kind, target, text, source, deed, links })
}

/// The patch between two readings without their clocks.
fn between<T: Serialize>(old: &Arc<T>, new: &Arc<T>, change: fn(Value) -> Change) -> Said {
    match (timeless(&**old), timeless(&**new)) {
        (Some(old), Some(new)) => patch::difference(&old, &new).map_or(Said::Same, |part| Said::More(change(part))),
        (None, _) | (_, None) => Said::Whole,
    }
}

/// A reading as JSON without the backend's clock.
fn timeless<T: Serialize>(reading: &T) -> Option<Value> {
    let mut value = serde_json::to_value(reading).ok()?;
    if let Some(clock) = value.get_mut("backend_clock") {
        *clock = Value::Null;
    }
    Some(value)
}

/// The backend's own clock.
fn clock(reading: &Reading) -> Option<DateTime<Utc>> {
    match reading {
        Reading::Signals(reading) => reading.backend_clock,
        Reading::Alerts(reading) => reading.backend_clock,
        Reading::Runs(reading) => reading.backend_clock,
        Reading::Flags(reading) => reading.backend_clock,
        Reading::Links(reading) => reading.backend_clock,
        Reading::Traffic(_) | Reading::Workloads(_) => None,
    }
}

fn row<T: Serialize>(now: &Moment, family: &'static str, body: &T) -> Option<Line> {
    let row = Row { schema: SCHEMA, at: rfc3339(&now.wall), boot: now.boot, body };
    Some(Line { at_ms: now.wall.timestamp_millis(), family, again: false, json: LongText::json(&row).ok()? })
}
