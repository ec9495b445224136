//! The schedule: which backend is polled when. Pure: jitter comes from a seed, time from the caller.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::catalog::Backend;
use crate::model::name::BackendName;
use crate::model::time::Boot;

/// The pause between two polls of a backend that an operator looks at or that something is under way on.
const QUICK: Duration = Duration::from_secs(1);
/// The pause while a deed waits for the backend.
const HASTY: Duration = Duration::from_millis(250);
/// The longest pause after failures.
const LONGEST: Duration = Duration::from_mins(1);

/// How urgently a backend is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// At its configured interval.
    #[default]
    Usual,
    /// An operator looks at it.
    Looked,
    /// A deed waits for it.
    Deed,
}

/// One backend's place in the schedule.
#[derive(Debug, Clone, Default)]
struct Slot {
    due: Boot,
    last: Option<Boot>,
    in_flight: Option<u64>,
    seq: u64,
    failures: u32,
    not_before: Boot,
    urgency: Urgency,
}

/// When each backend is polled next.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    slots: BTreeMap<BackendName, Slot>,
    seed: u64,
}

impl Schedule {
    /// A schedule in which everything is due at once.
    pub fn new(seed: u64) -> Self {
        Self { slots: BTreeMap::new(), seed }
    }

    /// Sets how urgently a backend is read; a rise makes it due at once, unless it was read a moment ago.
    pub fn urge(&mut self, backend: &BackendName, urgency: Urgency) {
        let slot = self.slots.entry(backend.clone()).or_default();
        if urgency > slot.urgency
            && let Some(last) = slot.last
        {
            slot.due = slot.due.min(last.plus(pause(urgency))).max(slot.not_before);
        }
        slot.urgency = urgency;
    }

    /// Backends to poll now, each with the number of its poll. A backend with a poll in flight is not asked again.
    pub fn due<'a>(&mut self, now: Boot, backends: impl Iterator<Item = &'a Backend>) -> Vec<(BackendName, u64)> {
        let mut due = Vec::new();
        for backend in backends {
            let slot = self.slots.entry(backend.name.clone()).or_default();
            if slot.in_flight.is_some() || now < slot.due {
                continue;
            }
            slot.seq += 1;
            slot.in_flight = Some(slot.seq);
            slot.last = Some(now);
            due.push((backend.name.clone(), slot.seq));
        }
        due
    }

    /// A poll came back: plans the next one. After failures the pause doubles, up to a minute; `not_before` is the backend's own word.
    pub fn returned(&mut self, now: Boot, backend: &Backend, seq: u64, good: bool, not_before: Option<Boot>) {
        let seed = self.seed;
        let Some(slot) = self.slots.get_mut(&backend.name) else { return };
        if slot.in_flight != Some(seq) {
            return;
        }
        slot.in_flight = None;
        slot.failures = if good { 0 } else { slot.failures.saturating_add(1) };
        slot.not_before = not_before.unwrap_or_default();
        let usual = match slot.urgency {
            Urgency::Usual => backend.every,
            Urgency::Looked | Urgency::Deed => pause(slot.urgency).min(backend.every),
        };
        let pause = if slot.failures == 0 { usual } else { backed_off(usual.max(QUICK), slot.failures, backend.every) };
        let from = slot.last.unwrap_or(now);
        slot.due = from.plus(jittered(pause, seed, &backend.name, seq)).max(slot.not_before).max(now);
    }

    /// The next moment at which something is due, none while everything is in flight.
    pub fn wake(&self) -> Option<Boot> {
        self.slots.values().filter(|slot| slot.in_flight.is_none()).map(|slot| slot.due).min()
    }

    /// Everything is due at once: the machine slept.
    pub fn all_due(&mut self) {
        for slot in self.slots.values_mut() {
            slot.due = Boot(0);
        }
    }
}

fn pause(urgency: Urgency) -> Duration {
    match urgency {
        Urgency::Usual => LONGEST,
        Urgency::Looked => QUICK,
        Urgency::Deed => HASTY,
    }
}

/// Doubles with each failure; never longer than a minute, never so long that a source's return shows more than one poll late.
fn backed_off(pause: Duration, failures: u32, every: Duration) -> Duration {
    let doubled = pause.saturating_mul(1 << failures.min(6));
    doubled.min(LONGEST).min(every.max(QUICK))
}

/// Up to a tenth shorter, the same for the same seed, backend and poll, so that polls do not march in step.
fn jittered(pause: Duration, seed: u64, backend: &BackendName, seq: u64) -> Duration {
    let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
    for byte in backend.as_str().bytes().chain(seq.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let thousandths = u32::try_from(hash >> 32).unwrap_or(0) % 100;
    pause.saturating_sub(pause.saturating_mul(thousandths) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::BackendKind;

    fn backend(name: &str) -> Backend {
        Backend {
            name: name.parse().unwrap(),
            kind: BackendKind::Prometheus,
            address: String::new(),
            every: Duration::from_secs(5),
            stale_after: Duration::from_secs(15),
            lookup_within: Duration::from_mins(1),
            insecure: false,
        }
    }

    #[test]
    fn a_poll_in_flight_is_not_asked_again() {
        let (mut schedule, prom) = (Schedule::new(7), backend("prom"));
        assert_eq!(schedule.due(Boot(0), [&prom].into_iter()).len(), 1);
        assert_eq!(schedule.due(Boot(60_000), [&prom].into_iter()).len(), 0);
        schedule.returned(Boot(60_000), &prom, 1, true, None);
        assert_eq!(schedule.due(Boot(60_000), [&prom].into_iter()), [(prom.name.clone(), 2)]);
    }

    #[test]
    fn the_next_poll_comes_within_a_tenth_before_its_interval() {
        let (mut schedule, prom) = (Schedule::new(7), backend("prom"));
        schedule.due(Boot(0), [&prom].into_iter());
        schedule.returned(Boot(30), &prom, 1, true, None);
        let next = schedule.wake().unwrap();
        assert!((4_500..=5_000).contains(&next.0), "{next:?}");
    }

    #[test]
    fn a_black_hole_does_not_move_its_neighbour() {
        let (mut schedule, hole, prom) = (Schedule::new(7), backend("hole"), backend("prom"));
        schedule.due(Boot(0), [&hole, &prom].into_iter());
        schedule.returned(Boot(30), &prom, 1, true, None);
        let next = schedule.wake().unwrap();
        assert_eq!(schedule.due(next, [&hole, &prom].into_iter()), [(prom.name.clone(), 2)]);
    }

    #[test]
    fn a_deed_makes_its_backend_due_soon() {
        let (mut schedule, prom) = (Schedule::new(7), backend("prom"));
        schedule.due(Boot(0), [&prom].into_iter());
        schedule.returned(Boot(30), &prom, 1, true, None);
        schedule.urge(&prom.name, Urgency::Deed);
        assert!(schedule.wake().unwrap().0 <= 250);
    }

    #[test]
    fn the_backends_own_pause_is_kept_even_for_a_deed() {
        let (mut schedule, prom) = (Schedule::new(7), backend("prom"));
        schedule.due(Boot(0), [&prom].into_iter());
        schedule.returned(Boot(30), &prom, 1, false, Some(Boot(40_000)));
        schedule.urge(&prom.name, Urgency::Deed);
        assert!(schedule.wake().unwrap().0 >= 40_000);
    }
}
