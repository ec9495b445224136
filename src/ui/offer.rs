//! Which deeds and keys can work here and now, and why the others cannot.

use crate::control::gate;
use crate::control::gated::{self, AtGate};
use crate::control::rules::Asking;
use crate::control::world::{TargetView, World};
use crate::model::approval::{Decision, Waiting};
use crate::model::capability::Capability;
use crate::model::catalog::{Deploy, TrafficEntry};
use crate::model::intent::Verb;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::{Run, RunState};
use crate::model::scrub::Scrub;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::time::Moment;
use crate::model::traffic::ServerState;
use crate::model::workload::WorkloadEntry;

use super::command::{Command, Entry, Where};
use super::plans::{self, Part};
use super::screen::Screen;

/// Where the operator stands.
#[derive(Debug, Clone, Copy)]
pub struct Standpoint<'a> {
    /// The world.
    pub world: &'a World,
    /// The screen.
    pub screen: Screen,
    /// The one target.
    pub target: Option<&'a Target>,
    /// The marked run.
    pub run: Option<&'a Run>,
    /// The plan that is marked on the screen of changes; none elsewhere.
    pub marked: Option<&'a Waiting>,
    /// Now.
    pub now: &'a Moment,
}

impl<'a> Standpoint<'a> {
    /// The plan that waits and that a ruling or an execution here is about: the marked one, else the only one on the target.
    ///
    /// # Errors
    /// Why there is none.
    pub fn plan(&self) -> Result<&'a Waiting, Hindrance> {
        if self.screen == Screen::Changes {
            return self.marked.ok_or_else(|| because("no plan waits", ""));
        }
        let target = self.target.ok_or_else(unmarked)?;
        let mut on = self.world.waiting_at(self.now).filter(|one| one.plan.target() == target);
        match (on.next(), on.count()) {
            (Some(one), 0) => Ok(one),
            (Some(_), more) => Err(because(format!("{} plans wait on {target}", more + 1), "mark one on the screen of changes")),
            (None, _) => Err(because(format!("no plan waits on {target}"), "")),
        }
    }

    /// What an approval or a rejection here is about. On the pipeline screen the marked run, or the plan that is about it; elsewhere
    /// the plan that waits, and where none does the only run of the target that waits at a gate.
    ///
    /// # Errors
    /// Why there is nothing.
    pub fn waits(&self) -> Result<Waits<'a>, Hindrance> {
        if let (Screen::Pipeline, Some(run), Some(target)) = (self.screen, self.run, self.target) {
            if let Some(plan) = plans::about(self.world, run, self.now) {
                return Ok(Waits::Plan(plan));
            }
            let seen = gated::run(self.world, target, &run.id).map(|(pipeline, run)| gated::seen(self.world, target, pipeline, run));
            if let Some(seen) = seen.filter(|seen| !seen.own.is_empty()) {
                return Ok(Waits::Run(seen));
            }
        }
        let no_plan = match self.plan() {
            Ok(plan) => return Ok(Waits::Plan(plan)),
            Err(no_plan) => no_plan,
        };
        let Some(target) = self.target.filter(|_| self.screen != Screen::Changes) else { return Err(no_plan) };
        if self.world.waiting_at(self.now).any(|one| one.plan.target() == target) {
            return Err(no_plan);
        }
        if let (Screen::Pipeline, Some(run)) = (self.screen, self.run) {
            // What is marked is meant, never another run.
            let why = format!("no plan waits on {target}, and run {} at no gate of it", run.id);
            return Err(because(why, "mark a run that waits"));
        }
        let mut runs = gated::waiting(self.world, target);
        match (runs.pop(), runs.len()) {
            (Some(one), 0) => Ok(Waits::Run(one)),
            (Some(_), more) => Err(because(format!("{} runs of {target} wait at gates", more + 1), "mark one on the pipeline screen")),
            (None, _) => Err(because(format!("no plan waits on {target}, and no run of it at a gate"), "")),
        }
    }
}

/// What an approval or a rejection here is about.
#[derive(Debug, Clone)]
pub enum Waits<'a> {
    /// A plan.
    Plan(&'a Waiting),
    /// A run at its gates.
    Run(AtGate<'a>),
}

/// Why a command cannot work here and now, and what would change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hindrance {
    /// Why not.
    pub why: String,
    /// What would change it; empty where nothing needs to.
    pub fix: String,
}

/// The one sentence of a refused key and of help.
impl std::fmt::Display for Hindrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, "; {}", self.fix) }
    }
}

fn because(why: impl Into<String>, fix: impl Into<String>) -> Hindrance {
    Hindrance { why: why.into(), fix: fix.into() }
}

fn unmarked() -> Hindrance {
    because("no service is marked", "mark one on the board")
}

/// Why a command cannot work here and now; nothing when it can.
pub fn hindrance(entry: &Entry, at: &Standpoint<'_>) -> Option<Hindrance> {
    if let Where::On(screens) = entry.place
        && !screens.contains(&at.screen)
    {
        let names = screens.iter().map(|screen| screen.word()).collect::<Vec<_>>().join(" or ");
        return Some(because(format!("it works only on {names}"), "go there first"));
    }
    if let Some(why) = against_time(entry.command, at.world) {
        return Some(why);
    }
    if let Some(verb) = entry.command.verb() {
        return against_deed(verb, at);
    }
    if let Command::Rule(decision) = entry.command {
        return against_ruling(decision, at);
    }
    if entry.command == Command::Execute {
        return against_execution(at);
    }
    if entry.command == Command::RetryFailed {
        return against_part(at);
    }
    if entry.command == Command::Policy {
        return against_naming(at.world);
    }
    let looks = entry.command == Command::Look && !matches!(at.screen, Screen::Ledger | Screen::Changes);
    let needs_target = looks || entry.command == Command::Links || matches!(entry.command, Command::Go(screen) if screen.has_target());
    (needs_target && at.target.is_none()).then(unmarked)
}

/// Why a deed that can be planned here is not offered: it would begin a rollout of nothing. Its key works all the same.
pub fn idle(entry: &Entry, at: &Standpoint<'_>) -> Option<Hindrance> {
    let view = at.target.and_then(|target| at.world.target(target))?;
    let other = view.version(view.canary_slot()).map(|seen| &seen.version);
    let waits = other.is_some() && other != view.version(view.state.stable).map(|seen| &seen.version);
    let begins = matches!(entry.command, Command::Deed(Verb::Shift | Verb::Promote));
    (begins && !waits && !is_rolling(view))
        .then(|| because("no rollout is under way, and no other version is seen in the other slot", "deploy one there first"))
}

/// Why no deed at all can be done in this room; nothing when deeds can.
pub fn against_all_deeds(world: &World) -> Option<Hindrance> {
    if let Some(scrub) = &world.scrub {
        return Some(past(scrub));
    }
    if world.read_only {
        return Some(because("this room is read-only: no deed key is bound", "start gonogo without read-only"));
    }
    if let Some(asking) = &world.asking {
        return Some(because(
            format!("it is not known yet who is at the keys: {asking}"),
            "it begins to work once your SSH agent has answered",
        ));
    }
    if world.ledger.installation.is_empty() {
        return Some(because("the store is still being opened", "wait until it is read"));
    }
    let trouble = world.ledger.trouble.as_ref()?;
    Some(because(format!("the record cannot be written: {trouble}"), "make the store writable again"))
}

/// Why nothing can be done in the past.
fn past(scrub: &Scrub) -> Hindrance {
    let fix = if scrub.has_now { "go back to now first" } else { "a recording is only looked at" };
    because(format!("this is the past, {}: what was done stays", scrub.at.wall.format("%H:%M:%SZ")), fix)
}

/// What moves in time works in the past alone; what changes anything, or asks a backend, works now alone.
fn against_time(command: Command, world: &World) -> Option<Hindrance> {
    let moves = matches!(
        command,
        Command::Event(_) | Command::Mark(_) | Command::Play | Command::Speed(_) | Command::Oldest | Command::Newest | Command::Moment
    );
    let acts = matches!(command, Command::Verify | Command::Follow | Command::Logs | Command::Roles | Command::Policy);
    match &world.scrub {
        None => moves.then(|| because("it works in the past alone", "go there first")),
        Some(scrub) if acts => Some(past(scrub)),
        Some(scrub) => {
            (command == Command::Past && !scrub.has_now).then(|| because("there is no room of now behind a recording", "q ends"))
        }
    }
}

fn against_ruling(decision: Decision, at: &Standpoint<'_>) -> Option<Hindrance> {
    if let Some(all) = against_all_deeds(at.world) {
        return Some(all);
    }
    let waits = if decision == Decision::Withdraw { at.plan().map(Waits::Plan) } else { at.waits() };
    let reasons = match (waits, at.target) {
        (Err(none), _) => return Some(none),
        (Ok(Waits::Plan(waiting)), _) => plans::against(at.world, waiting, decision, at.now),
        (Ok(Waits::Run(run)), Some(target)) => gate::against_answer(at.world, target, &run, decision == Decision::Approve, &at.world.actor),
        (Ok(Waits::Run(_)), None) => return Some(unmarked()),
    };
    let first = reasons.into_iter().next()?;
    Some(because(first.text.as_str(), first.fix.as_str()))
}

fn against_naming(world: &World) -> Option<Hindrance> {
    let first = || Asking::of(world).may(&world.rules.standing, None).err()?.into_iter().next();
    against_all_deeds(world).or_else(|| first().map(|first| because(first.text.as_str(), first.fix.as_str())))
}

fn against_execution(at: &Standpoint<'_>) -> Option<Hindrance> {
    let waiting = match (against_all_deeds(at.world), at.plan()) {
        (Some(all), _) => return Some(all),
        (None, Err(none)) => return Some(none),
        (None, Ok(waiting)) => waiting,
    };
    let by = &waiting.plan.intent.requester;
    (by != &at.world.actor).then(|| because(format!("plan {} was made by {by}, who alone may carry it out", waiting.plan.id.short()), ""))
}

fn against_part(at: &Standpoint<'_>) -> Option<Hindrance> {
    let run = match (against_deed(Verb::Retry, at), at.run) {
        (Some(why), _) => return Some(why),
        (None, None) => return Some(because("no run is marked", "mark one on the pipeline screen")),
        (None, Some(run)) => run,
    };
    if run.state.is_good() {
        return Some(because(format!("nothing of {} went wrong", run.id), ""));
    }
    run.attempt.is_none().then(|| because(format!("{} repeats runs only as a whole", run.id.backend), "retry repeats all of it"))
}

fn against_deed(verb: Verb, at: &Standpoint<'_>) -> Option<Hindrance> {
    let world = at.world;
    if let Some(all) = against_all_deeds(world) {
        return Some(all);
    }
    let (Some(target), Some(view)) = (at.target, at.target.and_then(|target| world.target(target))) else {
        return Some(unmarked());
    };
    let entry = world.catalog.deploy(target).and_then(|deploy| deploy.workload.as_ref());
    if let (Some(entry), Verb::Shift | Verb::Rollout | Verb::Promote | Verb::Abort | Verb::Rollback) = (entry, verb) {
        return against_workload(world, verb, view, entry);
    }
    match verb {
        Verb::Note => None,
        Verb::Flag => against_flag(world, target),
        Verb::Drain => against_drain(world, target),
        Verb::Ready => against_drain(world, target).or_else(|| nothing_out(world, target)),
        Verb::Silence | Verb::Unsilence => against_silence(world, target, view, verb),
        Verb::Rollout => against_shift(world, target).or_else(|| {
            let walked = view.state.rollout.as_ref().is_some_and(|rollout| rollout.course.is_some());
            let walked = walked.then(|| because("a rollout goes on already", "promote sends it on, abort ends it"));
            let version = |slot| view.version(slot).map(|seen| &seen.version);
            // Where the rollout sets the image, the version is asked for.
            let waits = !world.catalog.deploy(target).is_some_and(Deploy::takes_version);
            let same = waits && version(view.state.stable) == version(view.canary_slot());
            walked.or_else(|| same.then(|| because("no other version waits in the other slot", "deploy one there")))
        }),
        Verb::Hold => view.state.hold.as_ref().map(|hold| because(format!("already held by {}", hold.by), "resume ends the hold")),
        Verb::Resume => view.state.hold.is_none().then(|| because("nothing holds it", "")),
        Verb::Shift => against_shift(world, target),
        Verb::Promote => against_shift(world, target).or_else(|| {
            let held = view.state.hold.as_ref().map(|hold| because(format!("held by {}", hold.by), "resume first"));
            let done = view.state.rollout.is_none() && view.wished().is_some_and(|share| share.nearest() == Percent::ALL);
            held.or_else(|| done.then(|| because("all steps are done", "")))
        }),
        Verb::Abort => {
            let idle = !is_rolling(view);
            against_shift(world, target).or_else(|| idle.then(|| because("no rollout is under way", "shift or promote begins one")))
        }
        Verb::Rollback => against_rollback(world, target, view),
        Verb::Start => against_start(world, target),
        Verb::Retry => match at.run.filter(|run| run.state.is_over()) {
            Some(run) => cannot(world, &run.id.backend, Capability::Retry),
            None => Some(because("no run that is over is marked", "mark one on the pipeline screen")),
        },
        // They are asked for as rulings: what waits decides whether it is a plan or a run.
        Verb::Approve => against_ruling(Decision::Approve, at),
        Verb::Reject => against_ruling(Decision::Reject, at),
        Verb::Cancel => match at.run.filter(|run| matches!(run.state, RunState::Running | RunState::Queued)) {
            Some(run) => cannot(world, &run.id.backend, Capability::Cancel),
            None => Some(because("no run that is under way is marked", "mark one on the pipeline screen")),
        },
    }
}

/// What is said against moving a target whose instances are replaced.
fn against_workload(world: &World, verb: Verb, view: &TargetView, entry: &WorkloadEntry) -> Option<Hindrance> {
    if verb == Verb::Shift {
        return Some(because("its instances are replaced; there are no two slots", "roll out starts a rollout of a version"));
    }
    let cannot = cannot(world, &entry.backend, Capability::Replace);
    let walked = view.state.rollout.as_ref().is_some_and(|rollout| rollout.course.is_some());
    if verb == Verb::Rollout {
        return cannot.or_else(|| walked.then(|| because("a rollout goes on already", "promote sends it on, abort ends it")));
    }
    let held = view.state.hold.as_ref().filter(|_| verb == Verb::Promote);
    let idle = (!walked).then(|| because("no rollout is under way", "roll out starts one"));
    cannot.or(idle).or_else(|| held.map(|hold| because(format!("held by {}", hold.by), "resume first")))
}

fn against_start(world: &World, target: &Target) -> Option<Hindrance> {
    let Some(pipeline) = world.catalog.services.get(&target.service).and_then(|service| service.pipeline.as_ref()) else {
        return Some(because(format!("{} has no pipeline", target.service), "write `pipeline` into that service"));
    };
    if pipeline.scheduler.is_none() {
        return Some(because("its pipeline has no scheduler by which runs are started", "write `scheduler` into its pipeline"));
    }
    cannot(world, &pipeline.backend, Capability::Start)
}

/// Whether the other slot takes traffic or a rollout is remembered.
pub fn is_rolling(view: &TargetView) -> bool {
    view.state.rollout.is_some() || view.wished().is_some_and(|share| share.nearest() != Percent::NONE)
}

fn against_rollback(world: &World, target: &Target, view: &TargetView) -> Option<Hindrance> {
    if is_rolling(view) {
        return against_shift(world, target);
    }
    let slots = world.catalog.deploy(target).is_some_and(|deploy| deploy.workloads.is_some());
    let deploy = world.catalog.deploy(target).and_then(|deploy| deploy.deploy.as_ref());
    match (deploy, view.state.proven.len()) {
        (None, 2..) if slots => against_shift(world, target),
        (Some(pipeline), 2..) => cannot(world, &pipeline.backend, Capability::Start),
        (Some(_), _) => {
            Some(because("no earlier proven version is known", "one is proven after it alone took all traffic for the hold time"))
        }
        (None, _) => Some(because("no rollout is under way, and nothing is configured that deploys", "write `deploy` into its deploy")),
    }
}

fn against_shift(world: &World, target: &Target) -> Option<Hindrance> {
    let Some(deploy) = world.catalog.deploy(target) else {
        return Some(because(format!("{target} is not deployed"), format!("write a deploy of {} into the configuration", target.service)));
    };
    if deploy.traffic.is_empty() {
        return Some(because(format!("{target} has no router in the configuration"), "write `traffic` into its deploy"));
    }
    deploy.traffic.iter().find_map(|entry| cannot(world, &entry.backend, Capability::Shift))
}

fn against_flag(world: &World, target: &Target) -> Option<Hindrance> {
    let Some(first) = world.catalog.deploy(target).and_then(|deploy| deploy.flags.first()) else {
        return Some(because(format!("{target} has no flags in the configuration"), "write `flags` into its deploy"));
    };
    cannot(world, &first.backend, Capability::SetFlags)
}

fn against_silence(world: &World, target: &Target, view: &TargetView, verb: Verb) -> Option<Hindrance> {
    let Some(matched) = world.catalog.services.get(&target.service).and_then(|service| service.alerts.as_ref()) else {
        return Some(because(format!("no alerts are configured for {}", target.service), "add `alerts` to its service"));
    };
    let begins = verb == Verb::Silence;
    let any = view.alerts.iter().any(|alert| alert.silenced_by.is_empty() == begins);
    let none = if begins { "no alert fires for it that is not silenced" } else { "no alert of it is silenced" };
    cannot(world, &matched.backend, Capability::Silence).or_else(|| (!any).then(|| because(none, "")))
}

fn against_drain(world: &World, target: &Target) -> Option<Hindrance> {
    let traffic = world.catalog.deploy(target).map(|deploy| deploy.traffic.as_slice()).unwrap_or_default();
    let Some(first) = traffic.first() else {
        return Some(because(format!("{target} has no traffic entry"), "nothing routes to it from here"));
    };
    let mut hindrances = traffic.iter().map(|entry| cannot(world, &entry.backend, Capability::Drain));
    if hindrances.any(|one| one.is_none()) { None } else { cannot(world, &first.backend, Capability::Drain) }
}

/// Why no server has to be made ready: what was read says that none drains or is in maintenance.
fn nothing_out(world: &World, target: &Target) -> Option<Hindrance> {
    let traffic = world.catalog.deploy(target).map(|deploy| deploy.traffic.as_slice()).unwrap_or_default();
    let is_out = |entry: &TrafficEntry| {
        let reading = world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref());
        let servers = Slot::BOTH.into_iter().flat_map(|slot| entry.servers(slot));
        let states = servers.filter_map(|name| reading?.server(&entry.pool, name)).map(|server| server.state.by_word());
        reading.is_none() || states.into_iter().any(|state| state != ServerState::Up)
    };
    (!traffic.iter().any(is_out)).then(|| because("no server of it drains or is in maintenance", "drain takes one out"))
}

fn cannot(world: &World, backend: &BackendName, need: Capability) -> Option<Hindrance> {
    let has = world.sources.get(backend).is_some_and(|source| source.capabilities.contains(&need));
    let what = match need {
        Capability::Shift => "cannot set weights",
        Capability::Drain => "cannot drain servers",
        Capability::Silence => "cannot silence alerts",
        Capability::Mirror => "cannot copy requests",
        Capability::Start => "cannot start runs",
        Capability::Retry => "cannot run again",
        Capability::Cancel => "cannot stop runs",
        Capability::Logs => "has no logs",
        Capability::Answer => "has no gates",
        Capability::Replace => "cannot set images",
        Capability::SetFlags => "cannot set flags",
        Capability::ReadTraffic
        | Capability::ReadWorkloads
        | Capability::ReadSignals
        | Capability::ReadAlerts
        | Capability::ReadRuns
        | Capability::ReadSource
        | Capability::ReadFlags
        | Capability::Pause => "cannot do that",
    };
    (!has).then(|| because(format!("{backend} {what}"), "do it there by hand; `gonogo doctor` says what it can"))
}

/// The deeds to offer in the key row: those that can work, and of those that would do the same only one.
pub fn deeds(at: &Standpoint<'_>) -> Vec<&'static Entry> {
    let can: Vec<_> =
        super::command::TABLE.iter().filter(|entry| matches!(entry.command, Command::Deed(_)) && hindrance(entry, at).is_none()).collect();
    let rollback = can.iter().any(|entry| entry.command == Command::Deed(Verb::Rollback));
    let worse = at
        .target
        .and_then(|target| at.world.target(target))
        .is_some_and(|view| view.signals.iter().any(|signal| super::signal::is_past(signal)));
    can.into_iter()
        .filter(|entry| !(rollback && entry.command == Command::Deed(Verb::Abort)))
        .filter(|entry| idle(entry, at).is_none())
        // It is for a machine, not for a release: help and the palette have it.
        .filter(|entry| entry.command != Command::Deed(Verb::Drain))
        // Who is called is asked on the screen that shows the alerts.
        .filter(|entry| at.screen == Screen::Incident || !matches!(entry.command, Command::Deed(Verb::Silence | Verb::Unsilence)))
        .filter(|entry| !(worse && entry.command == Command::Deed(Verb::Promote)))
        .filter(|entry| at.screen == Screen::Pipeline || !is_of_runs(entry.command))
        .collect()
}

/// What can be said about the plan that waits here, and whether it can be executed, to offer in the key row.
pub fn said(at: &Standpoint<'_>) -> Vec<&'static Entry> {
    let of_plans = |entry: &&Entry| matches!(entry.command, Command::Rule(_) | Command::Execute);
    let may_go = at.plan().is_ok_and(|waiting| plans::queued(at.world, waiting, at.now).part == Part::MayGo);
    let can = super::command::TABLE.iter().filter(of_plans).filter(|entry| hindrance(entry, at).is_none());
    can.filter(|entry| may_go || entry.command != Command::Execute).collect()
}

/// Whether a command acts on runs: it is offered where runs are seen.
pub fn is_of_runs(command: Command) -> bool {
    matches!(command, Command::Deed(Verb::Start | Verb::Retry | Verb::Cancel))
}
