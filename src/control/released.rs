//! What a deed would release from what: the versions in both slots, and the commits and runs behind them, as far as the world tells. Pure.

use crate::control::world::World;
use crate::model::catalog::Service;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::Run;
use crate::model::plan::{OrderTarget, StepEffect};
use crate::model::released::{Build, Released};
use crate::model::slot::Slot;
use crate::model::text::Text;

/// What is known of a plan's target. `brings`: the version and digest that the deed itself brings into the slot that is not stable.
pub fn of(world: &World, target: &Target, order: &OrderTarget, effects: &[StepEffect], brings: Option<&(Text, Option<Text>)>) -> Released {
    let (Some(service), Some(view)) = (world.catalog.services.get(&target.service), world.target(target)) else {
        return Released::default();
    };
    let source = service.deploy.get(&target.environment).and_then(|deploy| deploy.version.as_ref()).map(|version| &version.backend);
    let seen = |slot: Slot| {
        let seen = view.version(slot);
        seen.map_or_else(Build::default, |seen| build(world, service, (&seen.version, seen.digest.as_ref()), source))
    };
    let from = seen(view.state.stable);
    let to = match (brings, effects.iter().find_map(run_of)) {
        (Some((version, digest)), _) => build(world, service, (version, digest.as_ref()), source),
        (None, Some((backend, builder, number))) => of_run(world, backend, builder, number, order),
        (None, None) => seen(view.state.stable.other()),
    };
    Released { from, to }
}

/// The run that an effect repeats, answers for or stops.
fn run_of(effect: &StepEffect) -> Option<(&BackendName, &str, u64)> {
    match effect {
        StepEffect::Weights { .. }
        | StepEffect::Workload { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Start { .. } => None,
        StepEffect::Retry { backend, builder, run }
        | StepEffect::Repeat { backend, builder, run, .. }
        | StepEffect::Answer { backend, builder, run, .. }
        | StepEffect::Cancel { backend, builder, run } => Some((backend, builder, *run)),
    }
}

fn of_run(world: &World, backend: &BackendName, builder: &str, number: u64, order: &OrderTarget) -> Build {
    let found = runs(world, backend, builder).iter().find(|run| run.id.number == number);
    let said = |name: &str| found.and_then(|run| run.properties.get(name)).cloned();
    Build {
        version: said("version"),
        digest: order.digest.clone().or_else(|| said("digest")),
        revision: found.map(|run| run.revision.clone()).filter(|revision| !revision.is_empty()),
        run: Some(format!("{backend}/{number}")),
        source: Some(backend.to_string()),
    }
}

fn build(world: &World, service: &Service, (version, digest): (&Text, Option<&Text>), source: Option<&BackendName>) -> Build {
    let built = built_by(world, service, version, digest);
    Build {
        version: Some(version.clone()),
        digest: digest.cloned(),
        revision: built.map(|run| run.revision.clone()),
        run: built.map(|run| run.id.to_string()),
        source: source.map(ToString::to_string),
    }
}

/// The run that built a version: the one that says its digest; else the only commit of which runs say that they built that name, as long
/// as none says another digest of it.
pub fn built_by<'a>(world: &'a World, service: &Service, version: &Text, digest: Option<&Text>) -> Option<&'a Run> {
    let pipeline = service.pipeline.as_ref()?;
    let runs = runs(world, &pipeline.backend, &pipeline.builder);
    let says = |run: &Run, name: &str, value: &Text| run.properties.get(name) == Some(value);
    let whole = |run: &&Run| !run.revision.is_empty();
    if let Some(digest) = digest
        && let Some(run) = runs.iter().filter(whole).find(|run| says(run, "digest", digest))
    {
        return Some(run);
    }
    let mut named = runs.iter().filter(whole).filter(|run| says(run, "version", version));
    let first = named.next()?;
    let another = |run: &Run| digest.is_some() && run.properties.contains_key("digest");
    (!another(first) && named.all(|run| run.revision == first.revision && !another(run))).then_some(first)
}

/// The runs of a builder, as far as they were read.
pub fn runs<'a>(world: &'a World, backend: &BackendName, builder: &str) -> &'a [Run] {
    let reading = world.runs(backend).and_then(|fact| fact.value.as_ref());
    reading.and_then(|reading| reading.builders.get(builder)).map_or(&[], |builder| &builder.runs)
}
