//! How one service stands on the map: its change, how long that takes, and what of its own stops it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::control::gate;
use crate::control::standing::{self, Standing};
use crate::control::world::{SignalState, TargetView, World, told};
use crate::model::approval::Waiting;
use crate::model::change::ChangeType;
use crate::model::intent::Direction;
use crate::model::link::Flow;
use crate::model::name::Target;
use crate::model::reading::Freshness;
use crate::model::share::{Percent, Share};
use crate::model::spec::{Course, Ending, Spec};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::policy::calendar::{Access, Asked, standing as at_calendar};
use crate::policy::map::{Node, Stage, WayBack, Window};
use crate::policy::rollout::Next;

/// A change that ended so lately still counts as one of those that move together.
const LATELY: TimeDelta = TimeDelta::hours(24);

/// A service on the map.
#[derive(Debug, Clone)]
pub struct MapService {
    /// The service in the environment of the map.
    pub target: Target,
    /// Its team.
    pub team: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// The version that it comes from, or the one that runs where nothing changes.
    pub from: Option<Text>,
    /// The version that it goes to.
    pub to: Option<Text>,
    /// How its change stands, in words from long to short; empty where nothing is to be said.
    pub state: Vec<String>,
    /// How long what is left of its change takes at least, in seconds; none where none is left, or nobody knows.
    pub left_s: Option<u64>,
    /// What of its own stops its change, the gravest first, in few words.
    pub stops: Vec<String>,
    /// Places of the services whose change goes first, for it uses them.
    pub waits_for: Vec<usize>,
    /// How it goes back.
    pub way_back: WayBack,
    /// What it gets from all its users together, as it was seen last.
    pub got: Option<Flow>,
}

impl MapService {
    /// Its team in words.
    pub fn team_name(&self) -> String {
        self.team.clone().unwrap_or_else(|| "no team".to_owned())
    }
}

/// What is known of a service before the others are looked at.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    target: Target,
    team: Option<String>,
    standing: Standing,
    versions: (Option<Text>, Option<Text>),
    stage: Stage,
    state: Vec<String>,
    left_s: Option<u64>,
    stops: Vec<String>,
    /// Until when it may go forward and what ends that; none: nothing does.
    until: Option<(String, DateTime<Utc>)>,
    /// Whether it may not go forward now by windows and freezes.
    shut: bool,
}

impl Facts {
    pub(super) fn of(world: &World, target: &Target, standing: Option<Standing>, now: &Moment) -> Self {
        let standing = standing.unwrap_or(Standing::Unknown);
        let team = world.catalog.services.get(&target.service).and_then(|service| service.team.clone());
        let mut facts = Self {
            target: target.clone(),
            team,
            standing,
            versions: (None, None),
            stage: Stage::Quiet,
            state: Vec::new(),
            left_s: None,
            stops: Vec::new(),
            until: None,
            shut: false,
        };
        let Some(view) = world.target(target) else { return facts };
        let plan = waits(world, target, now);
        let booked = plan.and_then(|one| one.plan.booking()).map(|span| span.begin).filter(|begin| *begin > now.wall);
        facts.stage = stage(view, plan.filter(|_| booked.is_none()), now);
        facts.versions = versions(view, facts.stage);
        facts.left_s = left(world, view, plan, facts.stage, now);
        facts.look_at_calendar(world, view, plan, now);
        facts.state = state(world, view, facts.stage, standing, booked);
        if facts.stage.is_left() {
            facts.stops = facts.stops(world, view, plan, now);
        }
        facts
    }

    pub(super) fn node(&self) -> Node {
        let abnormal = matches!(self.standing, Standing::Abnormal | Standing::Failed);
        Node { stage: self.stage, left_s: self.left_s, abnormal, stopped: !self.stops.is_empty() }
    }

    pub(super) fn service(self, waits_for: Vec<usize>, way_back: WayBack, got: Option<Flow>) -> MapService {
        let (from, to) = self.versions;
        let Self { target, team, standing, state, left_s, stops, .. } = self;
        MapService { target, team, standing, from, to, state, left_s, stops, waits_for, way_back, got }
    }

    /// Until when it may go forward, and whether it may now.
    fn look_at_calendar(&mut self, world: &World, view: &TargetView, plan: Option<&Waiting>, now: &Moment) {
        let rollout = view.state.rollout.as_ref();
        let requester = plan.map_or(&world.actor, |one| &one.plan.intent.requester);
        let stands = at_calendar(
            &world.calendars.spans,
            &Asked {
                target: &self.target,
                kind: plan.map_or(ChangeType::Normal, |one| one.plan.order.change_type),
                direction: Direction::Forward,
                at: now.wall,
                now: *now,
                plan: plan.map(|one| one.plan.id),
                requester,
                began: rollout.map(|rollout| rollout.begun),
            },
        );
        self.shut = !stands.reasons.is_empty();
        let freeze = stands.next_freeze.clone().map(|(name, at)| (format!("freeze {name}"), at));
        let window = match &stands.access {
            Access::Open { window, until: Some(until) } => Some((format!("window {window}"), *until)),
            Access::Open { until: None, .. } | Access::Always | Access::Unbound | Access::Running { .. } | Access::Shut { .. } => None,
        };
        self.until = [freeze, window].into_iter().flatten().min_by_key(|(_, at)| *at);
        if self.shut && self.stage.is_left() {
            let frozen = stands.freezes.iter().find(|frost| frost.exempt.is_none());
            self.stops.push(frozen.map_or_else(|| "window shut".to_owned(), |frost| format!("freeze {}", frost.freeze)));
        }
    }

    fn stops(&self, world: &World, view: &TargetView, plan: Option<&Waiting>, now: &Moment) -> Vec<String> {
        let mut stops = Vec::new();
        let next = world.ahead.get(&self.target).map(|ahead| &ahead.next);
        match next {
            Some(Next::Back { .. } | Next::BackAt { .. }) => stops.push("goes back".to_owned()),
            Some(Next::Holds(words)) => stops.push(format!("holds: {words}")),
            Some(Next::Person(words)) => stops.push(format!("waits for a person: {words}")),
            Some(
                Next::Moving(_)
                | Next::Rolls(_)
                | Next::Step { .. }
                | Next::StepAt { .. }
                | Next::Evidence { .. }
                | Next::Bakes { .. }
                | Next::End
                | Next::Checking(_)
                | Next::Together(_)
                | Next::Held(_),
            )
            | None => {}
        }
        if self.standing == Standing::Abnormal {
            stops.push(harm(world, view, now));
        }
        if self.standing == Standing::Failed {
            stops.push("its last deed failed".to_owned());
        }
        if let Some(hold) = &view.state.hold {
            stops.push(format!("held by {}", hold.by));
        }
        if let Some(word) = not_fresh(world, view, now) {
            stops.push(word);
        }
        stops.extend(self.stops.iter().cloned());
        if let (Some((Some(needs), given)), Stage::Planned) = (plan.map(|one| gate::agreed(world, one)), self.stage)
            && given < needs
        {
            stops.push(format!("{given} of {needs} agreed"));
        }
        stops
    }
}

/// The first plan that waits on a target and would move it forward.
fn waits<'a>(world: &'a World, target: &Target, now: &Moment) -> Option<&'a Waiting> {
    world.waiting_at(now).find(|one| one.plan.target() == target && one.plan.direction == Direction::Forward)
}

fn stage(view: &TargetView, plan: Option<&Waiting>, now: &Moment) -> Stage {
    if let Some(rollout) = &view.state.rollout {
        let moved = view.wished().is_some_and(|share| share.nearest() != Percent::NONE) || view.workload.is_some();
        return Stage::Moving(moved.then_some(rollout.begun));
    }
    if plan.is_some() {
        return Stage::Planned;
    }
    let last = view.state.last.as_deref().filter(|last| last.how == Ending::Promoted && now.wall - last.at < LATELY);
    last.map_or(Stage::Quiet, |last| {
        let seen = view.version(view.state.stable).map_or(last.at, |seen| seen.since);
        Stage::Done { from: seen.min(last.at), by: last.at }
    })
}

fn versions(view: &TargetView, stage: Stage) -> (Option<Text>, Option<Text>) {
    let runs = |slot| view.version(slot).map(|seen| seen.version.clone());
    let (stable, trial) = (runs(view.state.stable), runs(view.canary_slot()));
    match (stage, &view.state.rollout, &view.state.last) {
        (Stage::Moving(_), Some(rollout), _) => (rollout.from.clone().or(stable), rollout.to.clone().or(trial)),
        (Stage::Done { .. }, _, Some(last)) => (last.from.clone(), last.to.clone().or(stable)),
        (Stage::Planned, ..) => (stable.clone(), trial.filter(|trial| stable.as_ref() != Some(trial))),
        (Stage::Quiet | Stage::Moving(_) | Stage::Done { .. }, ..) => (stable, None),
    }
}

/// How long what is left of its change takes at least.
fn left(world: &World, view: &TargetView, plan: Option<&Waiting>, stage: Stage, now: &Moment) -> Option<u64> {
    match stage {
        Stage::Quiet | Stage::Done { .. } => None,
        Stage::Moving(_) => view.state.rollout.as_ref()?.course.as_deref().map(|course| of_course(course, now)),
        Stage::Planned => {
            let order = &plan?.plan.order;
            let watched = || world.catalog.environment(&view.target.environment).map(|environment| environment.hold_time.as_secs());
            order.rollout.as_ref().map(|spec| of_spec(spec, None)).or_else(watched)
        }
    }
}

/// Seconds from a step on: its own time and that of those after it, and the time for which the last one is watched.
fn of_spec(spec: &Spec, from: Option<u32>) -> u64 {
    let steps = u32::try_from(spec.steps.len()).unwrap_or(u32::MAX);
    let waits = (from.unwrap_or(0)..steps).filter(|step| !spec.is_last(*step)).map(|step| spec.lasts_s(step));
    waits.fold(spec.bake_s, u64::saturating_add)
}

fn of_course(course: &Course, now: &Moment) -> u64 {
    let passed = u64::try_from((now.wall - course.since).num_seconds()).unwrap_or(0);
    let Some(step) = course.step else { return of_spec(&course.spec, None) };
    let here = if course.spec.is_last(step) { course.spec.bake_s } else { course.spec.lasts_s(step) };
    of_spec(&course.spec, Some(step)).saturating_sub(passed.min(here))
}

/// How its change stands, from long to short.
fn state(world: &World, view: &TargetView, stage: Stage, standing: Standing, booked: Option<DateTime<Utc>>) -> Vec<String> {
    let minute = |at: &DateTime<Utc>| at.format("%H:%MZ").to_string();
    match stage {
        Stage::Done { by, .. } => vec![format!("done {}", minute(&by))],
        Stage::Planned => vec!["not begun".to_owned()],
        Stage::Moving(_) => {
            let share = view.wished().map(Share::nearest).map_or_else(|| "under way".to_owned(), |share| format!("{share} %"));
            let next = world.ahead.get(&view.target).map(|ahead| &ahead.next);
            let hold = view.state.hold.as_ref().map(|hold| format!("{share}, held by {}", hold.by));
            let after = match next {
                Some(Next::BackAt { at, .. }) => Some(format!("{share}, back {}", at.format("%H:%M:%SZ"))),
                Some(Next::Back { .. }) => Some(format!("{share}, goes back")),
                Some(Next::StepAt { percent, at, .. }) => Some(format!("{share}, {percent} at {}", at.format("%H:%M:%SZ"))),
                Some(Next::Bakes { until }) => Some(format!("{share}, watched to {}", minute(until))),
                Some(Next::Evidence { .. }) => Some(format!("{share}, being judged")),
                Some(
                    next @ (Next::Moving(_)
                    | Next::Rolls(_)
                    | Next::Step { .. }
                    | Next::End
                    | Next::Holds(_)
                    | Next::Checking(_)
                    | Next::Together(_)
                    | Next::Person(_)
                    | Next::Held(_)),
                ) => Some(format!("{share}, {}", short(told(next).0))),
                None => None,
            };
            hold.into_iter().chain(after).chain([share]).collect()
        }
        Stage::Quiet => match (booked, standing, view.state.last.as_deref()) {
            (Some(begin), ..) => vec![format!("booked {}", begin.format("%a %d %b %H:%MZ")), format!("booked {}", minute(&begin))],
            (None, Standing::Quiet, Some(last)) if last.how != Ending::Promoted => vec![format!("went back {}", minute(&last.at))],
            (None, Standing::Quiet, _) => Vec::new(),
            (None, other, _) => vec![other.word().to_owned()],
        },
    }
}

/// The word for what comes next, where a row has room for one.
fn short(word: &str) -> &str {
    match word {
        "moving" => "being moved",
        "rolls" => "rolls out",
        "step" => "steps now",
        "end" => "ends now",
        "checking" => "being checked",
        "together" => "waits for its set",
        "person" => "waits for a person",
        other => other,
    }
}

/// What is wrong with it, in few words.
fn harm(world: &World, view: &TargetView, now: &Moment) -> String {
    let past = |state: SignalState| matches!(state, SignalState::Past | SignalState::Worse);
    let signal = view.signals.iter().find(|signal| past(signal.state) && world.freshness(&signal.backend, now).is_fresh());
    let alert = view.alerts.iter().find(|alert| alert.silenced_by.is_empty() && alert.inhibited_by.is_empty());
    match (signal, alert) {
        (Some(signal), _) => format!("{} past its limit", signal.name),
        (None, Some(alert)) => format!("alert {}", alert.name),
        (None, None) => "abnormal".to_owned(),
    }
}

/// That what it is read from is not fresh.
fn not_fresh(world: &World, view: &TargetView, now: &Moment) -> Option<String> {
    let freshness = standing::freshness(world, view, now);
    (freshness != Freshness::Fresh).then(|| format!("sources {}", freshness.word()))
}

/// How the time stands in which the changes that are left may go forward, and what ends it; without any, for a service that had one.
pub(super) fn window(facts: &[Facts], now: &Moment) -> (Window, Option<(String, DateTime<Utc>)>) {
    let left: Vec<&Facts> = facts.iter().filter(|facts| facts.stage.is_left()).collect();
    let asked = if left.is_empty() { facts.iter().collect() } else { left };
    if !asked.is_empty() && asked.iter().all(|facts| facts.shut) {
        return (Window::Shut, None);
    }
    let until = asked.iter().filter(|facts| !facts.shut).filter_map(|facts| facts.until.clone()).min_by_key(|(_, at)| *at);
    let window = until.as_ref().map_or(Window::Open, |(_, at)| Window::Left(u64::try_from((*at - now.wall).num_seconds()).unwrap_or(0)));
    (window, until)
}
