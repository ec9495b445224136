//! Authors: what lies between two versions is asked for when either changes, again when the answer is old, and always right before a
//! deed begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Room;
use super::reading::pause_asked_for;
use crate::control::authors;
use crate::control::engine::Machine;
use crate::control::task::Task;
use crate::model::authorship::Span;
use crate::model::error::PortError;
use crate::model::name::BackendName;
use crate::model::origin::Range;
use crate::model::reading::Fact;
use crate::model::time::{Boot, Moment};

/// How often the versions are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a range is read again that nobody waits for.
const AGAIN_EVERY: Duration = Duration::from_mins(5);
/// How often one is read again that a plan waits for, or a session looks at.
const SOON_EVERY: Duration = Duration::from_secs(15);
/// The pause after a failed read.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// Ranges of one backend that are read at once.
const AT_ONCE: usize = 2;
/// How long a range may take to be read: it may be hundreds of requests.
pub(super) const WITHIN: Duration = Duration::from_mins(1);

/// When ranges are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Asking {
    /// When the versions are looked at next.
    look: Boot,
    /// What is wanted, and how often.
    wanted: BTreeMap<Span, Duration>,
    /// What was asked for by name: until it is read once from then on.
    named: BTreeMap<Span, Boot>,
    in_flight: BTreeSet<Span>,
    not_before: BTreeMap<BackendName, Boot>,
}

impl Asking {
    /// The versions may have changed: they are looked at at once.
    pub(super) fn look_now(&mut self) {
        self.look = Boot(0);
    }

    /// Somebody waits for a range to be read from now on.
    pub(super) fn name(&mut self, now: &Moment, span: Span) {
        self.named.entry(span).or_insert(now.boot);
    }

    /// The next moment at which something is due.
    pub(super) fn wake(&self) -> Option<Boot> {
        (!self.wanted.is_empty()).then_some(self.look)
    }
}

impl Room {
    /// Reads the ranges that are due.
    pub(super) fn ranges(&mut self, now: &Moment) -> Vec<Task> {
        if now.boot >= self.asking.look {
            self.asking.look = now.boot.plus(LOOK_EVERY);
            self.asking.wanted = self.wanted_ranges(now);
            let wanted = |span: &Span| self.asking.wanted.contains_key(span) || self.asking.named.contains_key(span);
            let keep = |(span, fact): (&Span, &Fact<Range>)| {
                wanted(span) || fact.tried.is_some_and(|tried| now.since(&tried) <= authors::OLD_AFTER)
            };
            if !self.world.ranges.iter().all(keep) {
                let kept = self.world.ranges.iter().filter(|one| keep(*one));
                self.world.ranges = Arc::new(kept.map(|(span, fact)| (span.clone(), fact.clone())).collect());
            }
        }
        // Who confirmed a plan waits for what is read from then on.
        let rereading: BTreeMap<Span, Boot> =
            self.machines.values().filter_map(Machine::awaits_authors).map(|(span, since)| (span.clone(), since)).collect();
        let mut due: Vec<Span> = rereading
            .iter()
            .chain(&self.asking.named)
            .filter(|(span, since)| self.lacks(span, **since))
            .map(|(span, _)| span.clone())
            .collect();
        due.extend(self.asking.wanted.iter().filter(|(span, every)| self.is_due(span, **every, now)).map(|(span, _)| span.clone()));
        let mut tasks = Vec::new();
        for span in due {
            let busy = self.asking.in_flight.iter().filter(|other| other.backend == span.backend).count();
            let paused = self.asking.not_before.get(&span.backend).is_some_and(|until| now.boot < *until);
            if busy >= AT_ONCE || paused || self.asking.in_flight.contains(&span) {
                continue;
            }
            self.asking.in_flight.insert(span.clone());
            tasks.push(Task::ReadAuthors { span, deadline: WITHIN });
        }
        tasks
    }

    /// Whether a range was not read since a moment.
    fn lacks(&self, span: &Span, since: Boot) -> bool {
        self.world.ranges.get(span).and_then(|fact| fact.tried).is_none_or(|tried| tried.boot < since)
    }

    fn is_due(&self, span: &Span, every: Duration, now: &Moment) -> bool {
        let Some(fact) = self.world.ranges.get(span) else { return true };
        let pause = if fact.trouble.is_some() { AFTER_FAILURE.max(every.min(AFTER_FAILURE * fact.failures)) } else { every };
        fact.tried.is_none_or(|tried| now.boot >= tried.boot.plus(pause))
    }

    /// The ranges between what runs and what comes, of every target and of every plan that waits.
    fn wanted_ranges(&self, now: &Moment) -> BTreeMap<Span, Duration> {
        let mut wanted = BTreeMap::new();
        let mut add = |span: Span, every: Duration| {
            let known = wanted.entry(span).or_insert(every);
            *known = every.min(*known);
        };
        for view in self.world.targets.values() {
            let every = if self.looking.as_ref() == Some(&view.target) { SOON_EVERY } else { AGAIN_EVERY };
            if let Some(span) = authors::wanted(&self.world, view) {
                add(span, every);
            }
        }
        for waiting in self.world.waiting_at(now) {
            let authors = authors::of_plan(&self.world, &waiting.plan, now);
            if let Some(span) = authors.and_then(|(authors, _)| authors.span().cloned()) {
                add(span, SOON_EVERY);
            }
        }
        wanted
    }

    pub(super) fn on_range(&mut self, now: &Moment, span: Span, asked: Moment, result: Result<Arc<Range>, PortError>) {
        self.asking.in_flight.remove(&span);
        if self.asking.named.get(&span).is_some_and(|since| asked.boot >= *since) {
            self.asking.named.remove(&span);
        }
        let pause = result.as_ref().err().and_then(|error| pause_asked_for(error, now));
        self.asking.not_before.extend(pause.map(|until| (span.backend.clone(), until)));
        let fact = Arc::make_mut(&mut self.world.ranges).entry(span).or_default();
        if fact.tried.is_some_and(|tried| asked.boot < tried.boot) {
            return;
        }
        fact.seq += 1;
        fact.tried = Some(asked);
        match result {
            Ok(range) => {
                fact.value = Some(range);
                fact.seen = Some(asked);
                fact.trouble = None;
                fact.failures = 0;
            }
            Err(error) => {
                fact.trouble = Some(error);
                fact.failures = fact.failures.saturating_add(1);
            }
        }
        self.touch(now);
    }
}
