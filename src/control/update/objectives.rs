//! Objectives: each is measured once over its whole period, coarse, then over the last hours, fine, and from then on stretch by stretch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Room;
use super::reading::pause_asked_for;
use crate::analysis::burn::history::History;
use crate::analysis::zone::Zone;
use crate::control::objectives::{self, COARSE_S, FINE_S};
use crate::control::task::Task;
use crate::control::world::{ObjectiveState, ObjectiveView};
use crate::model::error::PortError;
use crate::model::objective::{HistoryReading, Objective, ObjectiveKey, Stretch};
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;

/// How long a read may take.
const WITHIN: Duration = Duration::from_mins(1);
/// The pause after a failed read, longer with each.
const AFTER_FAILURE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Objectives of one backend that are read at once.
const AT_ONCE: usize = 2;
/// After such a gap everything is read again: it would be more stretches than the beginning.
const LOST_S: i64 = FINE_S;

/// How far the reading of an objective has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Its whole period comes first.
    #[default]
    Coarse,
    /// Then the last hours.
    Fine,
    /// Then what ended since.
    Following,
}

/// One objective that is measured.
#[derive(Debug, Clone, Default)]
struct Reader {
    phase: Phase,
    step_s: u32,
    history: History,
    due: Boot,
    in_flight: Option<Stretch>,
    failures: u32,
}

/// Everything that is measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Measuring {
    readers: BTreeMap<ObjectiveKey, Reader>,
}

impl Measuring {
    /// The next moment at which something is due.
    pub(super) fn wake(&self) -> Option<Boot> {
        self.readers.values().filter(|reader| reader.in_flight.is_none()).map(|reader| reader.due).min()
    }

    /// Everything is due at once: the machine slept.
    pub(super) fn all_due(&mut self) {
        self.readers.values_mut().for_each(|reader| reader.due = Boot(0));
    }
}

impl Room {
    /// Takes the configured objectives over: what did not change goes on being measured.
    pub(super) fn objectives_anew(&mut self) {
        let catalog = self.world.catalog.clone();
        let mut known = std::mem::take(&mut self.measuring.readers);
        let mut views = rpds::RedBlackTreeMapSync::new_sync();
        for objective in &catalog.objectives {
            let shared = Arc::new(objective.clone());
            for target in objective.targets() {
                let key = ObjectiveKey { target, name: objective.name.clone() };
                let old = self.world.objectives.get(&key).filter(|view| *view.objective == *objective).cloned();
                let reader = known.remove(&key).filter(|_| old.is_some()).unwrap_or_default();
                let view = old.unwrap_or_else(|| Arc::new(ObjectiveView::new(key.clone(), shared.clone())));
                views.insert_mut(key.clone(), view);
                self.measuring.readers.insert(key, reader);
            }
        }
        self.world.objectives = views;
    }

    /// Reads the objectives that are due.
    pub(super) fn objectives(&mut self, now: &Moment) -> Vec<Task> {
        let zone = Zone::named(&self.world.catalog.room.timezone);
        let now_s = now.wall.timestamp();
        let mut busy: BTreeMap<_, usize> = BTreeMap::new();
        for (key, reader) in &self.measuring.readers {
            if let (Some(_), Some(view)) = (reader.in_flight, self.world.objectives.get(key)) {
                *busy.entry(view.objective.backend.clone()).or_default() += 1;
            }
        }
        let mut tasks = Vec::new();
        for (key, reader) in &mut self.measuring.readers {
            let Some(view) = self.world.objectives.get(key) else { continue };
            let able = self.abilities.contains_key(&view.objective.backend);
            if reader.in_flight.is_some() || now.boot < reader.due || !able {
                continue;
            }
            let busy = busy.entry(view.objective.backend.clone()).or_default();
            if *busy >= AT_ONCE {
                continue;
            }
            let Some(stretch) = reader.next(&view.objective, &zone, now_s) else {
                reader.due = reader.next_end(now, now_s);
                continue;
            };
            *busy += 1;
            reader.in_flight = Some(stretch);
            let ask = objectives::ask(&view.objective, key, stretch);
            tasks.push(Task::ReadObjective { backend: view.objective.backend.clone(), ask: Box::new(ask), deadline: WITHIN });
        }
        tasks
    }

    pub(super) fn on_objective(
        &mut self,
        now: &Moment,
        key: &ObjectiveKey,
        stretch: Stretch,
        asked: Moment,
        result: Result<Arc<HistoryReading>, PortError>,
    ) -> Vec<Task> {
        let Some(old) = self.world.objectives.get(key).cloned() else { return Vec::new() };
        let Some(reader) = self.measuring.readers.get_mut(key) else { return Vec::new() };
        // Of an answer to an older question nothing is taken: the configuration changed meanwhile.
        if reader.in_flight != Some(stretch) {
            return Vec::new();
        }
        reader.in_flight = None;
        let mut view = (*old).clone();
        view.tried = Some(asked);
        match result {
            Err(error) => {
                reader.failures = reader.failures.saturating_add(1);
                let usual = now.boot.plus((AFTER_FAILURE * reader.failures).min(LONGEST_PAUSE));
                reader.due = pause_asked_for(&error, now).map_or(usual, |until| until.max(usual));
                view.trouble = Some(error);
            }
            Ok(reading) => {
                reader.failures = 0;
                view.trouble = None;
                let zone = Zone::named(&self.world.catalog.room.timezone);
                reader.take(&view.objective, &zone, &reading, now);
                if reader.phase == Phase::Following {
                    view.measured = objectives::measured(&view.objective, &reader.history, &zone, asked, &reading);
                }
            }
        }
        let (was, is) = (old.state(now), view.state(now));
        let tasks = self.tell_of_objective(now, &view, was, is);
        self.world.objectives.insert_mut(key.clone(), Arc::new(view));
        self.touch(now);
        tasks
    }

    /// Writes into the timeline that an alarm of an objective began or ended.
    fn tell_of_objective(&mut self, now: &Moment, view: &ObjectiveView, was: ObjectiveState, is: ObjectiveState) -> Vec<Task> {
        let calls = |state: ObjectiveState| matches!(state, ObjectiveState::Page | ObjectiveState::Ticket);
        if was == is || !(calls(was) || calls(is)) {
            return Vec::new();
        }
        let name = &view.key.name;
        let words = match view.firing(now) {
            Some((state, since_s)) => {
                let burn = state.long.rate.map_or_else(String::new, |rate| format!("burns {rate:.1}x, "));
                let since = objectives::time(since_s).format("%H:%M:%SZ");
                format!("objective {name} {burn}{} fires since {since}", state.rule.words())
            }
            None if is == ObjectiveState::Unknown => format!("objective {name}: whether it still burns is not known"),
            None => format!("objective {name}: no rule fires any more"),
        };
        self.say(now, HappeningKind::Alert, Some(view.key.target.clone()), &words, view.objective.backend.as_str())
    }
}

impl Reader {
    /// What is asked next; none while no new stretch has ended.
    fn next(&mut self, objective: &Objective, zone: &Zone, now_s: i64) -> Option<Stretch> {
        let newest = self.history.newest();
        if self.phase == Phase::Following && newest.is_none_or(|newest| now_s - newest > LOST_S) {
            *self = Self { due: self.due, ..Self::default() };
        }
        match self.phase {
            Phase::Coarse => Some(objectives::coarse(objective, zone, now_s)),
            Phase::Fine => Some(objectives::fine(now_s, self.step_s)),
            Phase::Following => objectives::following(newest?, now_s, self.step_s),
        }
    }

    /// When the next stretch will have ended.
    fn next_end(&self, now: &Moment, now_s: i64) -> Boot {
        let step = i64::from(self.step_s.max(1));
        let end = self.history.newest().unwrap_or(now_s) + step + objectives::LAG_S;
        now.boot.plus(Duration::from_secs(u64::try_from((end - now_s).clamp(1, step)).unwrap_or(1)))
    }

    fn take(&mut self, objective: &Objective, zone: &Zone, reading: &HistoryReading, now: &Moment) {
        let now_s = now.wall.timestamp();
        self.history.take(reading);
        match self.phase {
            Phase::Coarse => {
                self.phase = Phase::Fine;
                self.step_s = objectives::fine_step(reading.interval_s);
                self.due = now.boot;
            }
            Phase::Fine | Phase::Following => {
                self.phase = Phase::Following;
                let coarse = i64::from(COARSE_S);
                let forget = objectives::coarse(objective, zone, now_s).from_s;
                self.history.thin((now_s - FINE_S - coarse).div_euclid(coarse) * coarse, COARSE_S, forget);
                self.due = self.next_end(now, now_s);
            }
        }
    }
}
