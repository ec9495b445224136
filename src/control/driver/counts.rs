//! What a living room counts of itself: numbers that only grow, taken down as things happen, for whoever reads them now and then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::control::event::Event;
use crate::model::error::SendError;
use crate::model::name::BackendName;
use crate::model::time::Moment;

/// Nothing is ordered by a count, so none waits for another.
const LOOSE: Ordering = Ordering::Relaxed;

/// The upper ends of the classes of a spread, in microseconds.
pub const ENDS: [u64; 9] = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000];

/// How long something took, over all times: how often, how long together, the longest, and how many were within each end.
#[derive(Debug, Default)]
pub struct Spread {
    classes: [AtomicU64; ENDS.len()],
    count: AtomicU64,
    sum: AtomicU64,
    longest: AtomicU64,
}

/// A spread as it was read at one moment, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpreadSeen {
    /// How many were within each end of [`ENDS`], those within an earlier one among them.
    pub within: [u64; ENDS.len()],
    /// All.
    pub count: u64,
    /// All together.
    pub sum: u64,
    /// The longest.
    pub longest: u64,
}

impl Spread {
    /// Takes down one.
    pub fn took(&self, micros: u64) {
        if let Some(class) = ENDS.iter().position(|end| micros <= *end).and_then(|class| self.classes.get(class)) {
            class.fetch_add(1, LOOSE);
        }
        self.count.fetch_add(1, LOOSE);
        self.sum.fetch_add(micros, LOOSE);
        self.longest.fetch_max(micros, LOOSE);
    }

    /// What was taken down so far. The total is read first, and is never less than a class.
    pub fn seen(&self) -> SpreadSeen {
        let (count, sum, longest) = (self.count.load(LOOSE), self.sum.load(LOOSE), self.longest.load(LOOSE));
        let mut total = 0_u64;
        let within = self.classes.each_ref().map(|class| {
            total = total.saturating_add(class.load(LOOSE));
            total
        });
        SpreadSeen { within, count: count.max(total), sum, longest }
    }
}

/// How often one backend was asked, by what came of it, and how long that took together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Polls {
    /// How often, by result: `ok`, or the kind of the error.
    pub results: BTreeMap<&'static str, u64>,
    /// All together, from the question until the room took the answer in.
    pub took: Duration,
}

/// What is counted by a name, once for each event and never for a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// Polls, by backend.
    pub polls: BTreeMap<BackendName, Polls>,
    /// Reads of calendars, by result.
    pub calendars: BTreeMap<&'static str, u64>,
    /// Effects that were sent, by what became of it: `accepted`, `unknown`, or the kind of the error.
    pub sent: BTreeMap<&'static str, u64>,
    /// Entries of deeds that this room recorded, by their kind.
    pub entries: BTreeMap<&'static str, u64>,
    /// Readings of a changed configuration: `ok` or `refused`.
    pub reloads: BTreeMap<&'static str, u64>,
}

/// Everything that a room counts.
#[derive(Debug, Default)]
pub struct Counts {
    /// How long frames took to draw.
    pub frames: Spread,
    /// How long the terminal took to take them.
    pub writes: Spread,
    bytes: AtomicU64,
    inputs: AtomicU64,
    events: AtomicU64,
    waiting: AtomicU64,
    most_waiting: AtomicU64,
    named: Mutex<Named>,
}

impl Counts {
    /// Bytes for the terminal.
    pub fn wrote(&self, bytes: usize) {
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), LOOSE);
    }

    /// A key, or another input.
    pub fn heard(&self) {
        self.inputs.fetch_add(1, LOOSE);
    }

    /// Events that wait for the room.
    pub(super) fn waits(&self, events: usize) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        self.waiting.store(events, LOOSE);
        self.most_waiting.fetch_max(events, LOOSE);
    }

    /// An event that the room takes in.
    pub(super) fn takes(&self, event: &Event, now: &Moment) {
        if matches!(event, Event::Woke) {
            return;
        }
        self.events.fetch_add(1, LOOSE);
        if let Event::Polled { backend, asked, result, .. } = event {
            let mut named = self.lock();
            let polls = named.polls.entry(backend.clone()).or_default();
            add(&mut polls.results, result.as_ref().err().map_or("ok", |error| error.kind.name()));
            polls.took = polls.took.saturating_add(now.since(asked));
        } else if let Event::CalendarRead { result, .. } = event {
            add(&mut self.lock().calendars, result.as_ref().err().map_or("ok", |error| error.kind.name()));
        } else if let Event::Answered { result, .. } = event {
            add(&mut self.lock().sent, sent(result));
        } else if let Event::Began { result: Ok(_), .. } = event {
            add(&mut self.lock().entries, "intent");
        } else if let Event::Sending { result: Ok(_), .. } = event {
            add(&mut self.lock().entries, "sending");
        } else if let Event::Recorded { kind, result: Ok(_), .. } = event {
            add(&mut self.lock().entries, kind.word());
        } else if let Event::Reloaded { result, .. } = event {
            add(&mut self.lock().reloads, if result.is_ok() { "ok" } else { "refused" });
        }
    }

    /// Bytes that were written to the terminal.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(LOOSE)
    }

    /// Keys and other inputs.
    pub fn inputs(&self) -> u64 {
        self.inputs.load(LOOSE)
    }

    /// Events that were taken in.
    pub fn events(&self) -> u64 {
        self.events.load(LOOSE)
    }

    /// How many events waited when the room looked last, and the most that ever did.
    pub fn waiting(&self) -> (u64, u64) {
        (self.waiting.load(LOOSE), self.most_waiting.load(LOOSE))
    }

    /// What is counted by a name.
    pub fn named(&self) -> Named {
        self.lock().clone()
    }

    /// Whoever panicked while it counted left counts that are still the best there are.
    fn lock(&self) -> MutexGuard<'_, Named> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(counts: &mut BTreeMap<&'static str, u64>, what: &'static str) {
    let count = counts.entry(what).or_default();
    *count = count.saturating_add(1);
}

/// What became of an effect that was sent.
fn sent(result: &Result<(), SendError>) -> &'static str {
    match result {
        Ok(()) => "accepted",
        Err(SendError::Unknown(_)) => "unknown",
        Err(SendError::NotDone(error)) => error.kind.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::{PortError, PortErrorKind};
    use crate::model::time::Boot;

    #[test]
    fn a_spread_knows_how_many_were_within_each_end() {
        let spread = Spread::default();
        for micros in [0, 500, 501, 7_000, 900_000] {
            spread.took(micros);
        }
        let seen = spread.seen();
        assert_eq!(seen.within, [2, 3, 3, 3, 4, 4, 4, 4, 4]);
        assert_eq!((seen.count, seen.sum, seen.longest), (5, 908_001, 900_000));
    }

    #[test]
    fn polls_are_counted_by_backend_and_by_what_came_of_them() {
        let counts = Counts::default();
        let at = |ms| Moment { wall: chrono::DateTime::UNIX_EPOCH, boot: Boot(ms) };
        let backend: BackendName = "prom".parse().unwrap();
        for (took, kind) in [(20, PortErrorKind::TimedOut), (30, PortErrorKind::TimedOut), (5, PortErrorKind::Refused)] {
            let result = Err(PortError::new(kind, &backend, "read it", "no"));
            counts.takes(&Event::Polled { backend: backend.clone(), seq: 1, asked: at(1000), result }, &at(1000 + took));
        }
        let named = counts.named();
        let polls = &named.polls[&backend];
        assert_eq!(polls.results, BTreeMap::from([("refused", 1), ("timed-out", 2)]));
        assert_eq!((polls.took, counts.events()), (Duration::from_millis(55), 3));
    }

    #[test]
    fn the_longest_queue_is_remembered() {
        let counts = Counts::default();
        for events in [3, 9, 1] {
            counts.waits(events);
        }
        assert_eq!(counts.waiting(), (1, 9));
    }
}
