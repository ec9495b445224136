//! Runs that wait at the gates of a target: which gates are its own, and who asked for the run.

use chrono::{DateTime, Utc};

use super::world::World;
use crate::model::capability::Capability;
use crate::model::catalog::{Catalog, PipelineRef};
use crate::model::name::Target;
use crate::model::pipeline::{Run, RunId};
use crate::model::run_gate::{AskedBy, RunGate};

/// A run that waits at gates, as one target sees it.
#[derive(Debug, Clone)]
pub struct AtGate<'a> {
    /// The pipeline that it is a run of.
    pub pipeline: &'a PipelineRef,
    /// The run.
    pub run: &'a Run,
    /// The gates of this target.
    pub own: Vec<&'a RunGate>,
    /// Gates at which it waits too, and that are of other targets or of none.
    pub others: Vec<&'a RunGate>,
}

impl AtGate<'_> {
    /// Since when it waits, as far as the backend tells.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.own.iter().filter_map(|gate| gate.since).min()
    }

    /// The names of its gates in a sentence.
    pub fn names(&self) -> String {
        names(&self.own)
    }
}

/// Names of gates in a sentence.
pub fn names(gates: &[&RunGate]) -> String {
    gates.iter().map(|gate| gate.name.as_str()).collect::<Vec<_>>().join(" and ")
}

/// Whether a gate is one of a target: it bears the name that the target's environment has at the backend. Names there are the same
/// in upper and lower case.
pub fn is_of(catalog: &Catalog, target: &Target, gate: &str) -> bool {
    let Some(deploy) = catalog.deploy(target) else { return false };
    let name = deploy.github_environment.as_deref().unwrap_or(target.environment.as_str());
    name.eq_ignore_ascii_case(gate)
}

/// The pipelines of a target: what builds it, what deploys it; each builder once.
pub fn pipelines<'a>(catalog: &'a Catalog, target: &Target) -> impl Iterator<Item = &'a PipelineRef> + use<'a> {
    let builds = catalog.services.get(&target.service).and_then(|service| service.pipeline.as_ref());
    let deploys = catalog.deploy(target).and_then(|deploy| deploy.deploy.as_ref());
    let same = |one: &PipelineRef, other: &PipelineRef| one.backend == other.backend && one.builder == other.builder;
    let deploys = deploys.filter(|deploys| builds.is_none_or(|builds| !same(builds, deploys)));
    builds.into_iter().chain(deploys)
}

/// The newest runs of a target's pipelines.
pub fn runs<'a>(world: &'a World, target: &Target) -> impl Iterator<Item = (&'a PipelineRef, &'a Run)> + use<'a> {
    pipelines(&world.catalog, target).flat_map(|pipeline| {
        let reading = world.runs(&pipeline.backend).and_then(|fact| fact.value.as_deref());
        let builder = reading.and_then(|reading| reading.builders.get(&pipeline.builder));
        builder.into_iter().flat_map(|builder| &builder.runs).map(move |run| (pipeline, run))
    })
}

/// A run of a target's pipelines.
pub fn run<'a>(world: &'a World, target: &Target, id: &RunId) -> Option<(&'a PipelineRef, &'a Run)> {
    runs(world, target).find(|(_, run)| &run.id == id)
}

/// A run as a target sees it, whether or not it waits.
pub fn seen<'a>(world: &World, target: &Target, pipeline: &'a PipelineRef, run: &'a Run) -> AtGate<'a> {
    let waits = run.gates.iter().filter(|_| !run.state.is_over());
    let (own, others) = waits.partition(|gate| is_of(&world.catalog, target, gate.name.as_str()));
    AtGate { pipeline, run, own, others }
}

/// The runs that wait at gates of a target, the newest first.
pub fn waiting<'a>(world: &'a World, target: &Target) -> Vec<AtGate<'a>> {
    let mut waiting: Vec<_> = runs(world, target)
        .filter(|(_, run)| !run.gates.is_empty())
        .map(|(pipeline, run)| seen(world, target, pipeline, run))
        .filter(|one| !one.own.is_empty())
        .collect();
    waiting.sort_by_key(|one| std::cmp::Reverse(one.run.id.number));
    waiting
}

/// Whether a run of any pipeline waits at gates: where none does, nobody need ask for those of each target.
pub fn some_wait(world: &World) -> bool {
    let readings = world.catalog.backends.keys().filter_map(|backend| world.runs(backend)?.value.as_deref());
    readings.flat_map(|reading| reading.builders.values()).any(|builder| builder.runs.iter().any(|run| !run.gates.is_empty()))
}

/// Other targets whose gate this is too: opened for one, it is open for all of them.
pub fn sharers(world: &World, target: &Target, pipeline: &PipelineRef, gate: &str) -> Vec<Target> {
    let shares = |other: &Target| {
        other != target
            && is_of(&world.catalog, other, gate)
            && pipelines(&world.catalog, other).any(|one| one.backend == pipeline.backend && one.builder == pipeline.builder)
    };
    world.catalog.targets().filter(shares).collect()
}

/// Whether runs of a target could wait at gates at all.
pub fn has_gates(world: &World, target: &Target) -> bool {
    let able = |pipeline: &PipelineRef| {
        world.sources.get(&pipeline.backend).is_some_and(|source| source.capabilities.contains(&Capability::Answer))
    };
    pipelines(&world.catalog, target).any(able)
}

/// Who asked for a run.
pub fn asked_by(world: &World, run: &Run) -> AskedBy {
    let kind = world.catalog.backends.get(&run.id.backend).map(|backend| backend.kind.word().to_owned()).unwrap_or_default();
    AskedBy { kind, accounts: run.asked_by.clone() }
}
