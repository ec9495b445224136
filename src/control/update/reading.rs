//! Readings: an older one is dropped, a good one replaces, a bad one keeps the last good value and says why.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{LOG_EVERY, Room};
use crate::control::derive;
use crate::control::event::Reading;
use crate::control::task::Task;
use crate::control::world::{LogView, SourceFact, TargetView};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::flag::FlagReading;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::{LogPart, Run, RunReading, RunStep};
use crate::model::reading::Fact;
use crate::model::rollout::{Proven, Rollout, StateChange};
use crate::model::signal::{Answer, SignalReading};
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;

/// Lines that a followed log keeps.
const LOG_LINES: usize = 5000;

impl Room {
    pub(super) fn on_polled(
        &mut self,
        now: &Moment,
        backend: &BackendName,
        seq: u64,
        asked: Moment,
        result: Result<Reading, PortError>,
    ) -> Vec<Task> {
        if let Some(tasks) = self.on_links(now, backend, seq, asked, &result) {
            return tasks;
        }
        let Some(configured) = self.world.catalog.backends.get(backend).cloned() else { return Vec::new() };
        let not_before = result.as_ref().err().and_then(|error| pause_asked_for(error, now));
        self.schedule.returned(now.boot, &configured, seq, result.is_ok(), not_before);
        let Some(source) = self.world.sources.get_mut(backend) else { return Vec::new() };
        let source = Arc::make_mut(source);
        let was_lost = source.trouble().is_some();
        let clock = match &result {
            Ok(Reading::Signals(reading)) => reading.backend_clock,
            Ok(Reading::Alerts(reading)) => reading.backend_clock,
            Ok(Reading::Runs(reading)) => reading.backend_clock,
            Ok(Reading::Flags(reading)) => reading.backend_clock,
            Ok(Reading::Traffic(_) | Reading::Workloads(_) | Reading::Links(_)) | Err(_) => None,
        };
        if let Some(clock) = clock {
            source.skew_ms = Some((clock - now.wall).num_milliseconds());
        }
        let failed = result.as_ref().err().cloned();
        // What the answers said goes into the targets below; kept beside them they would be the largest part of the world.
        let (result, said) = split(result);
        let answers: &[Answer] = said.as_ref().map_or(&[], |whole| &whole.answers);
        let mut before: Option<Arc<FlagReading>> = None;
        let taken = match (&mut source.fact, result) {
            (SourceFact::Traffic(fact), Ok(Reading::Traffic(reading))) => take(fact, seq, asked, Ok(reading)),
            (SourceFact::Metrics(fact), Ok(Reading::Signals(reading))) => take(fact, seq, asked, Ok(reading)),
            (SourceFact::Alerts(fact), Ok(Reading::Alerts(reading))) => take(fact, seq, asked, Ok(reading)),
            (SourceFact::Ci(fact), Ok(Reading::Runs(reading))) => {
                let kept = keep_steps(fact.value.as_deref(), reading);
                take(fact, seq, asked, Ok(kept))
            }
            (SourceFact::Workloads(fact), Ok(Reading::Workloads(reading))) => take(fact, seq, asked, Ok(reading)),
            (SourceFact::Workloads(fact), Err(error)) => take(fact, seq, asked, Err(error)),
            (SourceFact::Flags(fact), Ok(Reading::Flags(reading))) => {
                before.clone_from(&fact.value);
                take(fact, seq, asked, Ok(reading))
            }
            (SourceFact::Flags(fact), Err(error)) => take(fact, seq, asked, Err(error)),
            (SourceFact::Traffic(fact), Err(error)) => take(fact, seq, asked, Err(error)),
            (SourceFact::Metrics(fact), Err(error)) => take(fact, seq, asked, Err(error)),
            (SourceFact::Alerts(fact), Err(error)) => take(fact, seq, asked, Err(error)),
            (SourceFact::Ci(fact), Err(error)) => take(fact, seq, asked, Err(error)),
            (
                SourceFact::Traffic(_)
                | SourceFact::Metrics(_)
                | SourceFact::Alerts(_)
                | SourceFact::Ci(_)
                | SourceFact::Workloads(_)
                | SourceFact::Flags(_)
                | SourceFact::Unsupported,
                _,
            ) => false,
        };
        if !taken {
            return Vec::new();
        }
        if failed.is_none() && source.reached.is_none() {
            source.reached = Some(now.wall);
        }
        self.touch(now);
        let mut tasks = match (&failed, was_lost) {
            (Some(error), false) => self.say(now, HappeningKind::Source, None, &format!("{backend} lost: {error}"), backend.as_str()),
            (None, true) => self.say(now, HappeningKind::Source, None, &format!("{backend} is back"), backend.as_str()),
            (Some(_), true) | (None, false) => Vec::new(),
        };
        if failed.is_none() {
            tasks.extend(self.derive(now, backend, answers));
            tasks.extend(before.map(|before| self.flags_changed(now, backend, &before)).unwrap_or_default());
        }
        tasks
    }

    /// Derives what hangs on one source, after a good reading of it.
    fn derive(&mut self, now: &Moment, backend: &BackendName, answers: &[Answer]) -> Vec<Task> {
        let Some(source) = self.world.sources.get(backend).cloned() else { return Vec::new() };
        match &source.fact {
            SourceFact::Traffic(fact) => match (&fact.value, fact.seen) {
                (Some(reading), Some(seen)) => self.derive_traffic(now, backend, &reading.clone(), seen),
                _ => Vec::new(),
            },
            SourceFact::Metrics(_) => self.derive_signals(now, backend, answers),
            SourceFact::Alerts(fact) => fact.value.clone().map(|reading| self.derive_alerts(now, backend, &reading)).unwrap_or_default(),
            SourceFact::Workloads(fact) => {
                fact.value.clone().map(|reading| self.derive_workloads(now, backend, &reading)).unwrap_or_default()
            }
            SourceFact::Ci(_) | SourceFact::Flags(_) | SourceFact::Unsupported => Vec::new(),
        }
    }

    fn derive_traffic(
        &mut self,
        now: &Moment,
        backend: &BackendName,
        reading: &Arc<crate::model::traffic::TrafficReading>,
        seen: Moment,
    ) -> Vec<Task> {
        let before = self.previous.insert(backend.clone(), (reading.clone(), seen));
        let reloaded = before.as_ref().is_some_and(|(earlier, _)| earlier.process != reading.process);
        let mut tasks = Vec::new();
        if reloaded {
            tasks.extend(self.say(
                now,
                HappeningKind::Change,
                None,
                &format!("{backend} was reloaded: another process answers, weights are read anew"),
                backend.as_str(),
            ));
        }
        for target in self.targets_of(backend) {
            let Some(deploy) = self.world.catalog.deploy(&target).cloned() else { continue };
            let Some(old) = self.world.targets.get(&target).cloned() else { continue };
            let mut view = (*old).clone();
            let previous = before.as_ref().map(|(earlier, at)| (&**earlier, seen.since(at)));
            let fresh = deploy
                .traffic
                .iter()
                .filter(|entry| &entry.backend == backend)
                .map(|entry| derive::traffic::entry(entry, reading, previous));
            for entry in fresh {
                match view.traffic.iter_mut().find(|one| one.backend == entry.backend && one.pool == entry.pool) {
                    Some(place) => *place = entry,
                    None => view.traffic.push(entry),
                }
            }
            let (was, is) = (old.wished().map(crate::model::share::Share::nearest), view.wished().map(crate::model::share::Share::nearest));
            if was != is {
                view.since = was.and(Some(now.wall));
                if let (Some(was), Some(is)) = (was, is) {
                    let since = before.as_ref().map(|(_, at)| at.wall);
                    tasks.extend(self.share_changed(now, &view, (was, is), since));
                }
            }
            tasks.extend(self.watch_hold(now, &view));
            tasks.extend(self.follow_rollout(now, &view));
            self.world.targets.insert_mut(target, Arc::new(view));
        }
        tasks
    }

    /// A share above the one that was held, without a deed of ours: somebody moved it forward, perhaps while no room was open.
    pub(super) fn watch_hold(&mut self, now: &Moment, view: &TargetView) -> Vec<Task> {
        let held = view.state.hold.as_ref().and_then(|hold| Some((hold.by.clone(), hold.share?, hold.since)));
        let is = view.wished().map(crate::model::share::Share::nearest);
        let (Some((by, share, since)), Some(is)) = (held, is) else {
            self.broken_holds.remove(&view.target);
            return Vec::new();
        };
        // What was already on its way when the hold was set goes on to its end and is no other hand.
        let on_its_way = |deed: &crate::model::deed::Deed| {
            deed.target == view.target && deed.facts.sent.is_some_and(|at| at <= since) && deed.facts.effective.is_none_or(|at| at >= since)
        };
        let explained = self.world.deeds.values().any(|deed| on_its_way(deed));
        // The resume and the move of another process may not have been read yet.
        if is <= share || explained || self.world.under_way(&view.target).is_some() || self.wonders_about(&view.target) {
            self.broken_holds.remove(&view.target);
            return Vec::new();
        }
        if !self.broken_holds.insert(view.target.clone()) {
            return Vec::new();
        }
        let text = format!("stands at {is} % although {by} holds it at {share} %: another hand moved it forward");
        self.say(now, HappeningKind::Alarm, Some(view.target.clone()), &text, "traffic")
    }

    /// Remembers a rollout that was found running, and a version that served long enough to be proven.
    fn follow_rollout(&mut self, now: &Moment, view: &TargetView) -> Vec<Task> {
        let under_way = self.world.under_way(&view.target).is_some();
        let Some(share) = view.wished() else { return Vec::new() };
        if !self.tends || under_way || !self.world.ledger.read {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let stable = view.state.stable;
        if share.fraction() > 0.0 && view.state.rollout.is_none() {
            let moved = |deed: &&Arc<crate::model::deed::Deed>| {
                deed.target == view.target && deed.verb != crate::model::intent::Verb::Flag && deed.facts.effective.is_some()
            };
            let deed = self.world.newest_deeds().into_iter().find(moved).cloned();
            let caused = deed.filter(|deed| deed.facts.effective.is_some_and(|at| now.wall - at < chrono::TimeDelta::seconds(60)));
            let version = |slot| view.version(slot).map(|seen| seen.version.clone());
            changes.push(StateChange::Begin {
                target: view.target.clone(),
                ended: view.state.ended,
                rollout: Rollout {
                    begun: now.wall,
                    by: caused.as_ref().map_or_else(|| "unknown".to_owned(), |deed| deed.requester.clone()),
                    plan: caused.as_ref().map(|deed| deed.plan),
                    from: version(stable),
                    to: version(stable.other()),
                    course: None,
                },
            });
        }
        if share.fraction() <= 0.0 {
            changes.extend(self.prove(now, view));
        } else {
            self.steady.remove(&view.target);
        }
        if changes.is_empty() { Vec::new() } else { vec![Task::Remember { changes }] }
    }

    /// The stable version is proven when it alone took all traffic for the hold time.
    pub(super) fn prove(&mut self, now: &Moment, view: &TargetView) -> Option<StateChange> {
        let seen = view.version(view.state.stable)?;
        let steady = self.steady.entry(view.target.clone()).or_insert_with(|| (seen.version.clone(), now.boot));
        if steady.0 != seen.version {
            *steady = (seen.version.clone(), now.boot);
        }
        let hold_time = self.world.catalog.environment(&view.target.environment)?.hold_time;
        let known = view.state.proven.first().is_some_and(|proven| proven.version == seen.version && proven.slot == view.state.stable);
        if known || now.boot.since(steady.1) < hold_time {
            return None;
        }
        // Asked again only after another hold time if the store does not take it.
        steady.1 = now.boot;
        let proven = Proven { version: seen.version.clone(), digest: seen.digest.clone(), slot: view.state.stable, at: now.wall };
        Some(StateChange::Prove { target: view.target.clone(), proven })
    }

    fn derive_signals(&mut self, now: &Moment, backend: &BackendName, answers: &[Answer]) -> Vec<Task> {
        let mut by_target: std::collections::BTreeMap<&Target, Vec<_>> = std::collections::BTreeMap::new();
        for answer in answers {
            by_target.entry(&answer.ask.target).or_default().push(answer);
        }
        let mut tasks = Vec::new();
        for (target, answers) in by_target {
            let catalog = self.world.catalog.clone();
            let (Some(service), Some(deploy)) = (catalog.services.get(&target.service), catalog.deploy(target)) else { continue };
            let Some(old) = self.world.targets.get(target).cloned() else { continue };
            let mut view = (*old).clone();
            derive::signals::take_in(&mut view, service, deploy, backend, &answers, now);
            if view.versions != old.versions {
                self.asking.look_now();
            }
            for slot in crate::model::slot::Slot::BOTH {
                if let (Some(before), Some(after)) = (old.version(slot), view.version(slot))
                    && before.version != after.version
                {
                    tasks.extend(self.say(
                        now,
                        HappeningKind::Change,
                        Some(target.clone()),
                        &format!("version {} to {}", before.version, after.version),
                        backend.as_str(),
                    ));
                }
            }
            self.world.targets.insert_mut(target.clone(), Arc::new(view));
            tasks.extend(self.try_canary(now, target, backend, &answers));
        }
        tasks
    }

    fn derive_alerts(&mut self, now: &Moment, backend: &BackendName, reading: &crate::model::alert::AlertReading) -> Vec<Task> {
        let mut tasks = Vec::new();
        for target in self.targets_of(backend) {
            let catalog = self.world.catalog.clone();
            let matching = catalog
                .services
                .get(&target.service)
                .and_then(|service| service.alerts.as_ref())
                .filter(|alerts| &alerts.backend == backend);
            let (Some(matching), Some(old)) = (matching, self.world.targets.get(&target).cloned()) else { continue };
            let alerts = derive::alerts::of(&target, matching, reading);
            let known: BTreeSet<_> = old.alerts.iter().map(|alert| alert.fingerprint.clone()).collect();
            let fresh: BTreeSet<_> = alerts.iter().map(|alert| alert.fingerprint.clone()).collect();
            for alert in alerts.iter().filter(|alert| !known.contains(&alert.fingerprint)) {
                let words = format!("alert {} fires since {}", alert.name, alert.since.format("%H:%M:%SZ"));
                tasks.extend(self.say(now, HappeningKind::Alert, Some(target.clone()), &words, backend.as_str()));
            }
            for alert in old.alerts.iter().filter(|alert| !fresh.contains(&alert.fingerprint)) {
                tasks.extend(self.say(
                    now,
                    HappeningKind::Alert,
                    Some(target.clone()),
                    &format!("alert {} ended", alert.name),
                    backend.as_str(),
                ));
            }
            let mut view = (*old).clone();
            view.alerts = alerts;
            self.world.targets.insert_mut(target, Arc::new(view));
        }
        tasks
    }

    /// The targets of which a backend says something.
    pub(super) fn targets_of(&self, backend: &BackendName) -> Vec<Target> {
        self.world.targets.keys().filter(|target| self.world.catalog.says(backend, target)).cloned().collect()
    }

    pub(super) fn on_log(&mut self, now: &Moment, backend: BackendName, log: u64, result: Result<LogPart, PortError>) {
        let key = (backend, log);
        let Some(one) = self.following.get_mut(&key) else { return };
        one.in_flight = false;
        let Some(view) = self.world.logs.get(&key) else { return };
        let mut view: LogView = (**view).clone();
        match result {
            Ok(part) => {
                let more =
                    view.part.first + view.part.lines.len() as u64 + (part.lines.len() as u64) < part.total && !part.lines.is_empty();
                one.due = if more { now.boot } else { now.boot.plus(LOG_EVERY) };
                if part.complete && !more {
                    one.due = Boot(u64::MAX);
                }
                view.part.lines.extend(part.lines);
                let surplus = view.part.lines.len().saturating_sub(LOG_LINES);
                view.part.lines.drain(..surplus);
                view.part.first += surplus as u64;
                view.part.total = part.total;
                view.part.complete = part.complete;
                view.trouble = None;
            }
            Err(error) => {
                one.due = now.boot.plus(LOG_EVERY);
                view.trouble = Some(Text::clean(&error.to_string()));
            }
        }
        if self.world.logs.get(&key).is_some_and(|old| **old != view) {
            self.world.logs.insert(key, Arc::new(view));
            self.touch(now);
        }
    }
}

/// A run that is over changes no more: the steps that were read of it once are kept, so that they need not be read again.
fn keep_steps(before: Option<&RunReading>, mut reading: Arc<RunReading>) -> Arc<RunReading> {
    let known = |builder: &str, run: &Run| -> Option<Vec<RunStep>> {
        let old = before?.builders.get(builder)?.runs.iter().find(|old| old.id == run.id && old.state == run.state)?;
        (!old.steps.is_empty()).then(|| old.steps.clone())
    };
    let lacks = |run: &Run| run.state.is_over() && run.steps.is_empty();
    if before.is_none() || !reading.builders.values().any(|builder| builder.runs.iter().any(lacks)) {
        return reading;
    }
    for (name, builder) in &mut Arc::make_mut(&mut reading).builders {
        for run in builder.runs.iter_mut().filter(|run| lacks(run)) {
            run.steps = known(name, run).unwrap_or_default();
        }
    }
    reading
}

/// Parts the answers of a monitoring system from the rest of its reading. The journal writes the same reading meanwhile: of tens of
/// thousands of answers no second copy is made.
fn split(result: Result<Reading, PortError>) -> (Result<Reading, PortError>, Option<Arc<SignalReading>>) {
    match result {
        Ok(Reading::Signals(whole)) => {
            let SignalReading { answers: _, warnings, rules, targets_up, targets, backend_clock } = &*whole;
            let rest = SignalReading {
                answers: Vec::new(),
                warnings: warnings.clone(),
                rules: rules.clone(),
                targets_up: *targets_up,
                targets: *targets,
                backend_clock: *backend_clock,
            };
            (Ok(Reading::Signals(Arc::new(rest))), Some(whole))
        }
        Ok(
            other @ (Reading::Traffic(_)
            | Reading::Alerts(_)
            | Reading::Runs(_)
            | Reading::Workloads(_)
            | Reading::Flags(_)
            | Reading::Links(_)),
        ) => (Ok(other), None),
        Err(error) => (Err(error), None),
    }
}

/// Takes a reading into a fact; false when it is older than what is known.
pub(super) fn take<T>(fact: &mut Fact<T>, seq: u64, asked: Moment, result: Result<Arc<T>, PortError>) -> bool {
    if seq <= fact.seq {
        return false;
    }
    fact.seq = seq;
    fact.tried = Some(asked);
    match result {
        Ok(value) => {
            fact.value = Some(value);
            fact.seen = Some(asked);
            fact.trouble = None;
            fact.failures = 0;
        }
        Err(error) => {
            fact.trouble = Some(error);
            fact.failures = fact.failures.saturating_add(1);
        }
    }
    true
}

/// The end of the pause that a backend asked for.
pub(super) fn pause_asked_for(error: &PortError, now: &Moment) -> Option<Boot> {
    match &error.kind {
        PortErrorKind::RateLimited { until } => {
            let pause = until.and_then(|until| (until - now.wall).to_std().ok()).unwrap_or(std::time::Duration::from_secs(30));
            Some(now.boot.plus(pause))
        }
        PortErrorKind::Unreachable
        | PortErrorKind::TimedOut
        | PortErrorKind::Unauthorised
        | PortErrorKind::Forbidden
        | PortErrorKind::NotFound
        | PortErrorKind::Conflict
        | PortErrorKind::Unsupported
        | PortErrorKind::Malformed
        | PortErrorKind::Refused => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::{Ask, Form, Subject};

    #[test]
    fn of_the_answers_of_a_reading_no_copy_is_made_and_the_world_keeps_the_rest() {
        let target = "checkout@prod".parse().unwrap();
        let ask = Ask { target, slot: None, subject: Subject::Version, template: "up".into(), values: [].into(), form: Form::Instant };
        let answers = vec![Answer { ask, query: Text::clean("up"), series: Ok(Vec::new()), refused: 0 }];
        let warnings = vec![Text::clean("slow")];
        let whole = Arc::new(SignalReading { answers, warnings, rules: Vec::new(), targets_up: 3, targets: 4, backend_clock: None });
        // The journal has it, too.
        let (rest, said) = split(Ok(Reading::Signals(Arc::clone(&whole))));
        assert!(said.is_some_and(|said| Arc::ptr_eq(&said, &whole)));
        let Ok(Reading::Signals(rest)) = rest else { panic!("another reading") };
        assert_eq!(*rest, SignalReading { answers: Vec::new(), ..(*whole).clone() });
    }
}
