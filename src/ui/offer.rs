//! Which deeds and keys can work here and now, and why the others cannot.

use crate::control::world::{SignalState, TargetView, World};
use crate::model::capability::Capability;
use crate::model::intent::Verb;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::{Run, RunState};
use crate::model::share::Percent;

use super::command::{Command, Entry, Where};
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
}

/// Why a command cannot work here and now; nothing when it can.
pub fn hindrance(entry: &Entry, at: &Standpoint<'_>) -> Option<String> {
    if let Where::On(screens) = entry.place
        && !screens.contains(&at.screen)
    {
        return Some(format!("only on {}", screens.iter().map(|screen| screen.word()).collect::<Vec<_>>().join(", ")));
    }
    if let Some(verb) = entry.command.verb() {
        return against_deed(verb, at);
    }
    let needs_target = match entry.command {
        Command::Go(screen) => screen.has_target(),
        command => command == Command::Look && at.screen != Screen::Ledger,
    };
    (needs_target && at.target.is_none()).then(|| "no service is marked".to_owned())
}

fn against_deed(verb: Verb, at: &Standpoint<'_>) -> Option<String> {
    let world = at.world;
    if world.read_only {
        return Some("this room is read-only: no deed key is bound".to_owned());
    }
    if world.ledger.installation.is_empty() {
        return Some("the store is still being opened".to_owned());
    }
    if let Some(trouble) = &world.ledger.trouble {
        return Some(format!("the record cannot be written: {trouble}"));
    }
    let (Some(target), Some(view)) = (at.target, at.target.and_then(|target| world.target(target))) else {
        return Some("no service is marked".to_owned());
    };
    match verb {
        Verb::Note => None,
        Verb::Hold => view.state.hold.as_ref().map(|hold| format!("already held by {}", hold.by)),
        Verb::Resume => view.state.hold.is_none().then(|| "nothing holds it".to_owned()),
        Verb::Shift => against_shift(world, target),
        Verb::Promote => against_shift(world, target).or_else(|| {
            let held = view.state.hold.as_ref().map(|hold| format!("held by {}: resume first", hold.by));
            let done = view.state.rollout.is_none() && view.wished().is_some_and(|share| share.nearest() == Percent::ALL);
            held.or_else(|| done.then(|| "all steps are done".to_owned()))
        }),
        Verb::Abort => against_shift(world, target).or_else(|| (!is_rolling(view)).then(|| "no rollout is under way".to_owned())),
        Verb::Rollback => against_rollback(world, target, view),
        Verb::Start => {
            let Some(pipeline) = world.catalog.services.get(&target.service).and_then(|service| service.pipeline.as_ref()) else {
                return Some(format!("{} has no pipeline", target.service));
            };
            if pipeline.scheduler.is_none() {
                return Some("its pipeline has no scheduler by which runs are started".to_owned());
            }
            cannot(world, &pipeline.backend, Capability::Start)
        }
        Verb::Retry => match at.run.filter(|run| run.state.is_over()) {
            Some(run) => cannot(world, &run.id.backend, Capability::Retry),
            None => Some("no run that is over is marked".to_owned()),
        },
        Verb::Cancel => match at.run.filter(|run| matches!(run.state, RunState::Running | RunState::Queued)) {
            Some(run) => cannot(world, &run.id.backend, Capability::Cancel),
            None => Some("no run that is under way is marked".to_owned()),
        },
    }
}

/// Whether the other slot takes traffic or a rollout is remembered.
pub fn is_rolling(view: &TargetView) -> bool {
    view.state.rollout.is_some() || view.wished().is_some_and(|share| share.nearest() != Percent::NONE)
}

fn against_rollback(world: &World, target: &Target, view: &TargetView) -> Option<String> {
    if is_rolling(view) {
        return against_shift(world, target);
    }
    let deploy = world.catalog.deploy(target).and_then(|deploy| deploy.deploy.as_ref());
    match (deploy, view.state.proven.len()) {
        (Some(pipeline), 2..) => cannot(world, &pipeline.backend, Capability::Start),
        (Some(_), _) => Some("no earlier proven version is known".to_owned()),
        (None, _) => Some("no rollout is under way, and nothing is configured that deploys".to_owned()),
    }
}

fn against_shift(world: &World, target: &Target) -> Option<String> {
    let Some(deploy) = world.catalog.deploy(target) else { return Some(format!("{target} is not deployed")) };
    if deploy.traffic.is_empty() {
        return Some(format!("{target} has no router in the configuration"));
    }
    deploy.traffic.iter().find_map(|entry| cannot(world, &entry.backend, Capability::Shift))
}

fn cannot(world: &World, backend: &BackendName, need: Capability) -> Option<String> {
    let has = world.sources.get(backend).is_some_and(|source| source.capabilities.contains(&need));
    (!has).then(|| match need {
        Capability::Shift => format!("{backend} cannot set weights"),
        Capability::Start => format!("{backend} cannot start runs"),
        Capability::Retry => format!("{backend} cannot run again"),
        Capability::Cancel => format!("{backend} cannot stop runs"),
        Capability::Logs => format!("{backend} has no logs"),
        Capability::ReadTraffic | Capability::ReadSignals | Capability::ReadAlerts | Capability::ReadRuns | Capability::Pause => {
            format!("{backend} cannot do that")
        }
    })
}

/// The deeds to offer in the key row: those that can work, and of those that would do the same only one.
pub fn deeds(at: &Standpoint<'_>) -> Vec<&'static Entry> {
    let can: Vec<_> =
        super::command::TABLE.iter().filter(|entry| matches!(entry.command, Command::Deed(_)) && hindrance(entry, at).is_none()).collect();
    let rollback = can.iter().any(|entry| entry.command == Command::Deed(Verb::Rollback));
    let worse = at
        .target
        .and_then(|target| at.world.target(target))
        .is_some_and(|view| view.signals.iter().any(|signal| matches!(signal.state, SignalState::Past | SignalState::Worse)));
    can.into_iter()
        .filter(|entry| !(rollback && entry.command == Command::Deed(Verb::Abort)))
        .filter(|entry| !(worse && entry.command == Command::Deed(Verb::Promote)))
        .filter(|entry| at.screen == Screen::Pipeline || !is_of_runs(entry.command))
        .collect()
}

/// Whether a command acts on runs: it is offered where runs are seen.
pub fn is_of_runs(command: Command) -> bool {
    matches!(command, Command::Deed(Verb::Start | Verb::Retry | Verb::Cancel))
}
