//! Checks of rollouts: made by the process that conducts, again and again while they count, and what they were answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Room;
use crate::control::asks;
use crate::control::task::Task;
use crate::control::world::CheckView;
use crate::model::name::{CheckName, PlanId, Target};
use crate::model::probe::{Held, ProbeAnswer, StepCheck, When};
use crate::model::spec::Course;
use crate::model::strategy::Trigger;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::policy::rollout::{Checks, Harm};

/// How much older than its pause an answer may be.
const SLACK: Duration = Duration::from_secs(5);

/// What is known of the checks of one rollout.
#[derive(Debug, Clone, Default)]
pub(super) struct Probing {
    plan: Option<PlanId>,
    of: BTreeMap<CheckName, One>,
}

#[derive(Debug, Clone, Default)]
struct One {
    in_flight: bool,
    due: Boot,
    /// When it was asked last, and what was answered.
    answer: Option<(Moment, ProbeAnswer)>,
    /// Since when it fails without a break.
    fails: Option<Moment>,
}

/// Whether a check counts at the step that was reached. A version that is not brought up yet answers nothing, nor does one that was
/// brought down for another one.
fn counts(check: &StepCheck, course: &Course) -> bool {
    let scaling = course.spec.scaling();
    let (first, mute) = match (scaling, &course.spec.back) {
        (None, _) => (None, false),
        (Some(_), None) => (scaling, course.step.is_none()),
        (Some(_), Some(_)) => (None, course.step == scaling),
    };
    match check.when {
        When::Before => course.step == first,
        When::Each => !mute,
        When::After => course.step.is_some_and(|step| course.spec.is_last(step)),
    }
}

impl Probing {
    /// The answer to a check that counts: asked for since the step was reached, and not too old.
    fn answer<'a>(&'a self, check: &StepCheck, since: Boot, now: &Moment) -> Option<&'a (Moment, ProbeAnswer)> {
        let allowed = Duration::from_secs(check.every_s.saturating_add(check.within_s)) + SLACK;
        let answer = self.of.get(&check.name)?.answer.as_ref()?;
        (answer.0.boot >= since && now.since(&answer.0) <= allowed).then_some(answer)
    }

    /// How the checks stand that count before the coming step; `since`: when the step before was first seen to be reached.
    pub(super) fn stand(&self, course: &Course, since: Boot, now: &Moment) -> Checks {
        let mut asked = None;
        for check in course.spec.checks.iter().filter(|check| counts(check, course)) {
            match self.answer(check, since, now) {
                None => asked = asked.or_else(|| Some(format!("check {} is not answered yet: {}", check.name, check.probe.words()))),
                Some((_, ProbeAnswer { held: Held::Holds, .. })) => {}
                Some((_, ProbeAnswer { held, words })) => {
                    return Checks::Against(format!(
                        "check {} {}: {words}",
                        check.name,
                        if *held == Held::Fails { "fails" } else { "is not known" }
                    ));
                }
            }
        }
        asked.map_or(Checks::Hold, Checks::Asked)
    }

    /// A check that counts and fails, since when, and when that was asked last; by the machine's clock, which no hand sets.
    pub(super) fn harm(&self, course: &Course, opened: &Moment) -> Option<Harm> {
        if !course.spec.way_back.contains(&Trigger::Check) || course.step.is_none() {
            return None;
        }
        let wall = |at: &Moment| -> DateTime<Utc> { opened.wall + at.boot.since(opened.boot) };
        course.spec.checks.iter().filter(|check| counts(check, course)).find_map(|check| {
            let one = self.of.get(&check.name)?;
            let (asked, answer) = one.answer.as_ref()?;
            let words = format!("check {} fails: {}", check.name, answer.words);
            Some(Harm { trigger: Trigger::Check, since: wall(one.fails.as_ref()?), seen: wall(asked), words })
        })
    }

    /// The checks as screens and verbs show them.
    pub(super) fn views(&self, course: &Course, since: Boot, now: &Moment) -> Arc<[CheckView]> {
        let view = |check: &StepCheck| {
            let counts = counts(check, course);
            let answer = self.answer(check, since, now).filter(|_| counts);
            CheckView {
                name: check.name.clone(),
                when: check.when,
                asks: check.probe.words(),
                counts,
                answer: answer.map(|(asked, answer)| (asked.wall, answer.clone())),
            }
        };
        course.spec.checks.iter().map(view).collect()
    }

    /// When the next one is due, of those that are not under way.
    fn due(&self, course: &Course) -> Option<Boot> {
        let meant = course.spec.checks.iter().filter(|check| counts(check, course));
        meant.filter_map(|check| self.of.get(&check.name)).filter(|one| !one.in_flight).map(|one| one.due).min()
    }
}

impl Room {
    /// Makes the checks of a rollout that are due; only the process that conducts does.
    pub(super) fn probes(&mut self, now: &Moment, target: &Target, plan: PlanId) -> Vec<Task> {
        if !self.conducts || self.world.read_only {
            return Vec::new();
        }
        let Some(view) = self.world.targets.get(target).cloned() else { return Vec::new() };
        let Some(course) = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref()) else { return Vec::new() };
        if course.spec.checks.is_empty() {
            return Vec::new();
        }
        let probing = self.probing_of(target, plan);
        let mut checks = Vec::new();
        for check in course.spec.checks.iter().filter(|check| counts(check, course)) {
            let one = probing.of.entry(check.name.clone()).or_default();
            if !one.in_flight && now.boot >= one.due {
                one.in_flight = true;
                checks.push(check.clone());
            }
        }
        let due = probing.due(course);
        self.rollouts_due(due);
        if checks.is_empty() {
            return Vec::new();
        }
        let slot = course.spec.trial;
        let values = self.world.catalog.deploy(target).map(|deploy| asks::values(target, deploy, slot, view.state.stable));
        let version = view.version(slot).map(|seen| (Arc::from("version"), Arc::from(seen.version.as_str())));
        let values: Arc<[_]> = values.iter().flat_map(|values| values.iter().cloned()).chain(version).collect();
        let task = |check| Task::Probe { target: target.clone(), rollout: plan, slot, check: Box::new(check), values: values.clone() };
        checks.into_iter().map(task).collect()
    }

    /// A check was answered.
    pub(super) fn on_probed(
        &mut self,
        now: &Moment,
        target: &Target,
        rollout: PlanId,
        name: &CheckName,
        (asked, answer): (Moment, ProbeAnswer),
    ) -> Vec<Task> {
        let every = self.world.targets.get(target).and_then(|view| {
            let course = view.state.rollout.as_ref().filter(|of| of.plan == Some(rollout))?.course.as_deref()?;
            course.spec.checks.iter().find(|check| check.name == *name).map(|check| check.every_s)
        });
        let Some(every) = every else { return Vec::new() };
        let one = self.probing_of(target, rollout).of.entry(name.clone()).or_default();
        one.in_flight = false;
        one.due = now.boot.plus(Duration::from_secs(every));
        one.fails = (answer.held == Held::Fails).then(|| one.fails.unwrap_or(asked));
        let before = one.answer.replace((asked, answer.clone())).map(|(_, before)| before.held);
        if before == Some(answer.held) {
            return Vec::new();
        }
        let kind = if answer.held == Held::Holds { HappeningKind::Change } else { HappeningKind::Alarm };
        let text = format!("check {name} {}: {}", answer.held.word(), answer.words);
        self.say(now, kind, Some(target.clone()), &text, &format!("rollout {}", rollout.short()))
    }

    /// What is known of the checks of this rollout; of another one before it nothing counts.
    fn probing_of(&mut self, target: &Target, plan: PlanId) -> &mut Probing {
        let probing = self.probing_at(target);
        if probing.plan != Some(plan) {
            *probing = Probing { plan: Some(plan), of: BTreeMap::new() };
        }
        probing
    }
}
