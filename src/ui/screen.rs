//! The screens by name, and which sources each of them reads.

use std::collections::BTreeSet;

use crate::control::world::World;
use crate::model::name::{BackendName, Target};

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Screen {
    /// Does anything need me, what happens next?
    Board,
    /// Where is this change, and what is it waiting for?
    Pipeline,
    /// Is the new version as good as the old one, and what happens next?
    Rollout,
    /// What moves together, what stops it, how do we go back?
    Map,
    /// How bad, what happens by itself, what do I do?
    Incident,
    /// Which plans wait, what blocks them, who could unblock them?
    Changes,
    /// Who did what, and is the record intact?
    Ledger,
}

impl Screen {
    /// Every screen.
    pub const ALL: [Self; 7] = [Self::Board, Self::Pipeline, Self::Rollout, Self::Map, Self::Incident, Self::Changes, Self::Ledger];

    /// The name on the command line and on the glass.
    pub fn word(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Pipeline => "pipeline",
            Self::Rollout => "rollout",
            Self::Map => "map",
            Self::Incident => "incident",
            Self::Changes => "changes",
            Self::Ledger => "ledger",
        }
    }

    /// The screen of that name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|screen| screen.word() == word)
    }

    /// Whether it is about one target.
    pub fn has_target(self) -> bool {
        match self {
            Self::Pipeline | Self::Rollout | Self::Incident => true,
            Self::Board | Self::Map | Self::Changes | Self::Ledger => false,
        }
    }

    /// The sources that it reads, exactly these.
    pub fn reads(self, world: &World, target: Option<&Target>) -> Vec<BackendName> {
        match (self, target) {
            (Self::Board, _) => world.sources.keys().cloned().collect(),
            (Self::Map, target) => of_environment(world, target),
            (Self::Ledger, _) | (_, None) => Vec::new(),
            (Self::Pipeline, Some(target)) => pipelines_of(world, target).into_iter().collect(),
            (Self::Rollout, Some(target)) => of_target(world, target, false),
            (Self::Incident | Self::Changes, Some(target)) => of_target(world, target, true),
        }
    }
}

/// The discoveries of the environment that the map shows, and what its targets are read from.
fn of_environment(world: &World, target: Option<&Target>) -> Vec<BackendName> {
    let last = world.catalog.environments.last().map(|environment| &environment.name);
    let Some(environment) = target.map(|target| &target.environment).or(last) else { return Vec::new() };
    let discoveries = world.discoveries_of(environment).map(|view| view.discovery.name.clone());
    let targets = world.targets.keys().filter(|target| &target.environment == environment);
    let sources: BTreeSet<_> = targets.flat_map(|target| of_target(world, target, false)).collect();
    discoveries.chain(sources).collect()
}

fn pipelines_of(world: &World, target: &Target) -> BTreeSet<BackendName> {
    let service = world.catalog.services.get(&target.service);
    let deploy = world.catalog.deploy(target).and_then(|deploy| deploy.deploy.as_ref());
    service.and_then(|service| service.pipeline.as_ref()).into_iter().chain(deploy).map(|pipeline| pipeline.backend.clone()).collect()
}

fn of_target(world: &World, target: &Target, all: bool) -> Vec<BackendName> {
    let mut names = BTreeSet::new();
    if let Some(deploy) = world.catalog.deploy(target) {
        names.extend(deploy.traffic.iter().map(|entry| entry.backend.clone()));
        names.extend(deploy.all_workloads().map(|entry| entry.backend.clone()));
        names.extend(deploy.version.iter().map(|version| version.backend.clone()));
    }
    if let Some(service) = world.catalog.services.get(&target.service) {
        names.extend(service.signals.iter().map(|signal| signal.backend.clone()));
        names.extend(service.alerts.iter().map(|alerts| alerts.backend.clone()));
    }
    if all {
        names.extend(pipelines_of(world, target));
    }
    names.into_iter().collect()
}
