//! Rollouts that go on by themselves: what each does next is looked at with every event; the process that conducts them does it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Room;
use super::probes::Probing;
use super::trials::{Kept, Trying};
use super::workloads::Rolling;
use crate::analysis::trial::TrialStanding;
use crate::control::engine::Machine;
use crate::control::rollouts;
use crate::control::task::Task;
use crate::control::world::{Ahead, CheckView};
use crate::control::{gate, planner};
use crate::model::kept::Anew;
use crate::model::name::{PlanId, Target};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::rollout::StateChange;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::model::verdict::Verdict;
use crate::policy::rollout::{self, Checks, Facts, Harm, Next, Says};

/// How long the store may take to tell what a deed wrote before it is no longer waited for.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);
/// How long a way back may be kept from beginning before a person is called: readings that are missed once come again within that.
const CALLS_AFTER: Duration = Duration::from_secs(30);

/// What is known here of each rollout that goes on by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Walks {
    of: BTreeMap<Target, Walk>,
    /// What was kept of judgements when this process began.
    pub(super) kept: Kept,
    /// When the first of them has something to do.
    due: Option<Boot>,
}

impl Walks {
    /// The judgement of a target's rollout.
    pub(super) fn trying_at(&mut self, target: &Target) -> Option<&mut Trying> {
        self.of.get_mut(target).map(|walk| &mut walk.trying)
    }
}

/// What is known here of one, beside what the store remembers.
#[derive(Debug, Clone, Default)]
struct Walk {
    /// Since when the store has more to tell of it.
    unsettled: Option<Boot>,
    /// A reason to go back that stands.
    harm: Option<Harm>,
    /// Its judgement.
    trying: Trying,
    /// Its checks.
    probing: Probing,
    /// Since when its way back may not begin, and whether that was put on record.
    barred: Option<(Boot, bool)>,
    /// How far its orchestrator has come.
    rolling: Rolling,
    /// When it reached its step, when that was first seen here, and what the wall clock said then.
    clocked: Option<(DateTime<Utc>, Boot, DateTime<Utc>)>,
}

/// What one rollout would do next if it were alone, and on what.
struct Outlook {
    plan: PlanId,
    at: DateTime<Utc>,
    next: Next,
    says: Says,
    trial: Option<Arc<TrialStanding>>,
    anew: Option<Anew>,
    checks: Arc<[CheckView]>,
    /// What is to be remembered of how far its orchestrator has come.
    rolled: Option<StateChange>,
}

impl Room {
    /// A deed on a target wrote or tried to: until the store is read again nothing is concluded from what it said before.
    pub(super) fn unsettle(&mut self, now: &Moment, plan: PlanId) {
        let target = self.machines.get(&plan).map(|machine| machine.plan().target());
        if let Some(walk) = target.and_then(|target| self.walks.of.get_mut(target)) {
            walk.unsettled = Some(now.boot);
        }
    }

    /// The store was read: these targets have a rollout that goes on by itself.
    pub(super) fn settle(&mut self, walked: BTreeSet<Target>) {
        self.walks.of.retain(|target, _| walked.contains(target));
        if self.world.ahead.keys().any(|target| !walked.contains(target)) {
            Arc::make_mut(&mut self.world.ahead).retain(|target, _| walked.contains(target));
        }
        for target in walked {
            self.walks.of.entry(target).or_default().unsettled = None;
        }
    }

    /// When a rollout has something to do even if nothing comes in.
    pub(super) fn rollouts_wake(&self) -> Option<Boot> {
        self.walks.due
    }

    pub(super) fn look_at_rollouts(&mut self, now: &Moment) -> Vec<Task> {
        self.walks.due = None;
        let targets: Vec<_> = self.walks.of.keys().cloned().collect();
        let outlooks: Vec<_> = targets.iter().filter_map(|target| Some((target, self.outlook(now, target)?))).collect();
        // Each for itself first: those of a set go on only where all of them would.
        let alone: BTreeMap<Target, Next> = outlooks.iter().map(|(target, outlook)| ((*target).clone(), outlook.next.clone())).collect();
        let mut tasks = Vec::new();
        for (target, outlook) in outlooks {
            tasks.extend(self.probes(now, target, outlook.plan));
            tasks.extend(self.go_on(now, target, outlook, &alone));
        }
        tasks
    }

    /// What one rollout would do next if it were alone.
    fn outlook(&mut self, now: &Moment, target: &Target) -> Option<Outlook> {
        let view = self.world.targets.get(target).cloned()?;
        let rollout = view.state.rollout.as_ref()?;
        let (plan, course) = (rollout.plan?, rollout.course.as_deref()?);
        let at = self.time_of(now, target, course.since);
        let rolled = self.rolled(now, &view, course, at);
        let walk = self.walks.of.get(target);
        let (trial, anew) = walk.map(|walk| walk.trying.stands(plan)).unwrap_or_default();
        let since = walk.and_then(|walk| walk.clocked).map_or(now.boot, |(_, first, _)| first);
        let probing = walk.map(|walk| &walk.probing);
        let seen = rollouts::harm(&self.world, &view, course, trial.as_deref(), now);
        let seen = seen.or_else(|| probing.and_then(|probing| probing.harm(course, &self.world.opened)));
        let stand = probing.map(|probing| (probing.stand(course, since, now), probing.views(course, since, now)));
        let (stand, checks) = stand.unwrap_or_else(|| (Checks::default(), Arc::from([])));
        let seen = seen.or(rolled.harm);
        let unseen = rollouts::unseen(&self.world, &view, now);
        let before = walk.and_then(|walk| walk.harm.as_ref());
        // What was seen and is not any more for want of data has not passed.
        let seen = seen.or_else(|| before.filter(|_| unseen.is_some()).cloned());
        let harm = rollouts::lasting(before, seen);
        if let Some(walk) = self.walks.of.get_mut(target) {
            walk.harm.clone_from(&harm);
        }
        let says = rollouts::says(trial.as_deref());
        let facts = Facts {
            course,
            hold: view.state.hold.as_ref(),
            under_way: self.moves(now, target),
            stands: rollouts::stands(&self.world, &view, course, now),
            rolled: rolled.stands,
            says: says.clone(),
            harm,
            unseen,
            checks: stand,
            at,
        };
        let next = rollout::next(&facts);
        Some(Outlook { plan, at, next, says, trial, anew, checks, rolled: rolled.told })
    }

    /// Begins what a rollout does next, where it may, and tells what comes.
    fn go_on(&mut self, now: &Moment, target: &Target, outlook: Outlook, alone: &BTreeMap<Target, Next>) -> Vec<Task> {
        let Outlook { plan, at, next, says, trial, anew, checks, rolled } = outlook;
        let Some(view) = self.world.targets.get(target).cloned() else { return Vec::new() };
        let Some(course) = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref()) else { return Vec::new() };
        let mut next = rollout::together(next, course, &rollouts::others(&self.world, course, alone));
        let mut tasks: Vec<Task> = rolled.map(|change| Task::Remember { changes: vec![change] }).into_iter().collect();
        // A deed under way on the target says nothing about it.
        let mut barred = matches!(next, Next::Moving(_));
        match rollouts::deed(&self.world, &view, &next, &checks, now) {
            Some(Ok(deed)) => match gate::judge(&self.world, &planner::recheck(&self.world, &deed, now), now) {
                Verdict::Permit(_) if self.conducts && !self.world.read_only => tasks.extend(self.begin(now, deed)),
                Verdict::Permit(_) => {}
                verdict @ (Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_)) => {
                    let why = verdict.reasons().first().map_or_else(|| "it may not".to_owned(), |reason| reason.text.to_string());
                    barred = matches!(next, Next::Back { .. });
                    if barred && self.conducts && !self.world.read_only {
                        tasks.extend(self.bars(now, target, deed, verdict.reasons()));
                    }
                    next = Next::Holds(format!("would {}, but {why}", does(&next)));
                }
            },
            Some(Err(error)) => next = Next::Holds(format!("would {}, but {error}", does(&next))),
            None => {}
        }
        if let Some(walk) = self.walks.of.get_mut(target).filter(|_| !barred) {
            walk.barred = None;
        }
        self.due_at((now, at), &next, course.since + chrono::TimeDelta::seconds(i64::try_from(course.spec.deadline_s).unwrap_or(0)));
        tasks.extend(self.foretell(now, target, Ahead { plan, next, says, trial, anew, checks }));
        tasks
    }

    /// A way back that harm asks for may not begin: when that lasts, it is put on record, and a person is called.
    fn bars(&mut self, now: &Moment, target: &Target, deed: Plan, reasons: &[Reason]) -> Option<Task> {
        let walk = self.walks.of.get_mut(target)?;
        let (since, told) = walk.barred.unwrap_or((now.boot, false));
        let due = now.boot.since(since) >= CALLS_AFTER;
        walk.barred = Some((since, told || due));
        if !due {
            self.rollouts_due(Some(since.plus(CALLS_AFTER)));
        }
        (due && !told).then(|| Task::Deny { plan: Box::new(deed), reasons: reasons.to_vec() })
    }

    /// The time by which its steps are counted: from when it was first seen at its step on by the machine's clock, which no hand sets and
    /// which counts on while the machine sleeps.
    fn time_of(&mut self, now: &Moment, target: &Target, since: DateTime<Utc>) -> DateTime<Utc> {
        // Reached before this process looked: as long ago as the wall clocks of both say.
        let fresh = (since, now.boot, now.wall.max(since));
        let walk = self.walks.of.entry(target.clone()).or_default();
        let (_, first, from) = *walk.clocked.insert(walk.clocked.filter(|(at, ..)| *at == since).unwrap_or(fresh));
        from + now.boot.since(first)
    }

    /// Begins a part of a rollout like any deed: its sources are read anew, it is judged again, and the store lets each part begin once.
    fn begin(&mut self, now: &Moment, plan: Plan) -> Vec<Task> {
        let id = plan.id;
        self.machines.insert(id, Machine::confirmed(&self.world, plan, now));
        self.unsettle(now, id);
        self.picture(now, id)
    }

    /// What is known of how far a target's orchestrator has come.
    pub(super) fn rolling_at(&mut self, target: &Target) -> &mut Rolling {
        &mut self.walks.of.entry(target.clone()).or_default().rolling
    }

    /// What is known of the checks of a target's rollout.
    pub(super) fn probing_at(&mut self, target: &Target) -> &mut Probing {
        &mut self.walks.of.entry(target.clone()).or_default().probing
    }

    /// Some rollout has something to do then.
    pub(super) fn rollouts_due(&mut self, at: Option<Boot>) {
        self.walks.due = self.walks.due.into_iter().chain(at).min();
    }

    /// What is under way on a target, in words.
    fn moves(&self, now: &Moment, target: &Target) -> Option<String> {
        if let Some(deed) = self.world.under_way(target) {
            return Some(format!("{} by {} is under way", deed.verb.word(), deed.requester));
        }
        let unsettled = self.walks.of.get(target)?.unsettled?;
        (now.boot.since(unsettled) < SETTLES_WITHIN).then(|| "its last deed is being read back".to_owned())
    }

    /// Remembers when to look again.
    fn due_at(&mut self, (now, time): (&Moment, DateTime<Utc>), next: &Next, deadline: DateTime<Utc>) {
        let at = match next {
            Next::StepAt { at, .. } => Some(*at),
            Next::Bakes { until } => Some(*until),
            Next::Evidence { .. } => Some(deadline),
            // Of harm what is read decides, not what the clock says.
            Next::BackAt { .. }
            | Next::Moving(_)
            | Next::Rolls(_)
            | Next::Step { .. }
            | Next::End
            | Next::Back { .. }
            | Next::Holds(_)
            | Next::Checking(_)
            | Next::Together(_)
            | Next::Held(_)
            | Next::Person(_) => None,
        };
        self.rollouts_due(at.map(|at| now.boot.plus((at - time).to_std().unwrap_or_default())));
    }

    /// Puts what comes into the world, and into the timeline when it is another kind of thing than before.
    fn foretell(&mut self, now: &Moment, target: &Target, ahead: Ahead) -> Vec<Task> {
        let before = self.world.ahead.get(target);
        if before == Some(&ahead) {
            return Vec::new();
        }
        let same = before.is_some_and(|before| std::mem::discriminant(&before.next) == std::mem::discriminant(&ahead.next));
        let told = match &ahead.next {
            Next::Holds(words) => Some((HappeningKind::Alarm, format!("rollout holds: {words}"))),
            Next::Person(words) => Some((HappeningKind::Alarm, format!("rollout waits for a person: {words}"))),
            Next::BackAt { words, at, .. } => {
                Some((HappeningKind::Alarm, format!("goes back by itself at {}: {words}", at.format("%H:%M:%SZ"))))
            }
            Next::Bakes { until } => {
                Some((HappeningKind::Change, format!("at its last step, watched until {}", until.format("%H:%M:%SZ"))))
            }
            Next::Moving(_)
            | Next::Rolls(_)
            | Next::Step { .. }
            | Next::StepAt { .. }
            | Next::Evidence { .. }
            | Next::End
            | Next::Back { .. }
            | Next::Checking(_)
            | Next::Together(_)
            | Next::Held(_) => None,
        };
        let source = format!("rollout {}", ahead.plan.short());
        Arc::make_mut(&mut self.world.ahead).insert(target.clone(), ahead);
        self.touch(now);
        match told.filter(|_| !same) {
            Some((kind, text)) => self.say(now, kind, Some(target.clone()), &text, &source),
            None => Vec::new(),
        }
    }
}

/// What it would do, in words.
fn does(next: &Next) -> String {
    match next {
        Next::Step { percent, .. } | Next::StepAt { percent, .. } | Next::Evidence { percent, .. } => format!("go to {percent} %"),
        Next::Back { .. } | Next::BackAt { .. } => "go back".to_owned(),
        Next::End | Next::Bakes { .. } => "end".to_owned(),
        Next::Rolls(_) | Next::Moving(_) | Next::Checking(_) | Next::Holds(_) | Next::Together(_) | Next::Held(_) | Next::Person(_) => {
            "go on".to_owned()
        }
    }
}
