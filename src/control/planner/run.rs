//! Plans on runs of pipelines: start, retry, cancel, and the deploy run of a rollback.

use std::collections::BTreeMap;

use super::{Draft, PlanError, Scene, cost};
use crate::model::capability::Capability;
use crate::model::catalog::PipelineRef;
use crate::model::intent::Direction;
use crate::model::name::BackendName;
use crate::model::pipeline::{Run, RunId};
use crate::model::plan::{Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::text::Text;

/// Runs the service's pipeline.
pub(super) fn start(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let mut draft = Draft {
        direction: Some(Direction::Forward),
        costs: cost::of_run(scene),
        evidence: cost::evidence(scene),
        undo: Some(format!("cancel {target}")),
        ..Draft::default()
    };
    let Some(pipeline) = scene.service.pipeline.as_ref() else {
        draft.impossible.push(Reason::new(
            "unsupported",
            &format!("{} has no pipeline", scene.service.name),
            "add pipeline = { backend, builder, scheduler } to the service",
        ));
        return draft;
    };
    draft.now = last_run(scene, pipeline);
    draft.after = format!("one more run of {} at {}", pipeline.builder, pipeline.backend);
    add_start(scene, pipeline, &[], &mut draft);
    draft
}

/// Adds the effect and the preconditions of starting a run; `more` are values of placeholders beside the usual ones.
pub(super) fn add_start(scene: &Scene<'_>, pipeline: &PipelineRef, more: &[(&str, &str)], draft: &mut Draft) {
    needs(scene, &pipeline.backend, Capability::Start, draft);
    let Some(scheduler) = pipeline.scheduler.clone() else {
        draft.impossible.push(Reason::new(
            "unsupported",
            &format!("no scheduler is configured to start {}", pipeline.builder),
            "add scheduler = \"..\" (a force scheduler) to it",
        ));
        return;
    };
    draft.preconditions.push(Precondition::Fresh { backend: pipeline.backend.clone() });
    if let Some(reading) = scene.world.runs(&pipeline.backend).and_then(|fact| fact.value.as_ref())
        && reading.missing.iter().any(|name| name.as_str() == pipeline.builder)
    {
        draft.impossible.push(Reason::new(
            "missing",
            &format!("{} has no builder {}", pipeline.backend, pipeline.builder),
            "compare the builder's name with the CI system's",
        ));
    }
    let properties: BTreeMap<_, _> = pipeline.properties.iter().map(|(name, value)| (name.clone(), fill(scene, value, more))).collect();
    if !properties.values().any(|value| value == "$key") {
        draft.impossible.push(Reason::new(
            "no-key",
            &format!("no property of {} carries the effect's key, so a lost answer could never be settled", pipeline.builder),
            "add a property with the value \"$key\", such as gonogo_key = \"$key\"",
        ));
    }
    draft.effects.push(StepEffect::Start { backend: pipeline.backend.clone(), builder: pipeline.builder.clone(), scheduler, properties });
}

/// Fills placeholders, except `$key`, which is filled when the effect is sent.
fn fill(scene: &Scene<'_>, value: &str, more: &[(&str, &str)]) -> String {
    let target = &scene.intent.target;
    let mut filled = value.replace("$service", target.service.as_str()).replace("$environment", target.environment.as_str());
    for (name, with) in more {
        filled = filled.replace(&format!("${name}"), with);
    }
    filled
}

/// Runs a run again.
pub(super) fn retry(scene: &Scene<'_>) -> Result<Draft, PlanError> {
    on_run(scene, true)
}

/// Stops a run.
pub(super) fn cancel(scene: &Scene<'_>) -> Result<Draft, PlanError> {
    on_run(scene, false)
}

/// The pipelines of a target: what builds it, what deploys it.
pub(super) fn pipelines<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a PipelineRef> {
    scene.service.pipeline.iter().chain(scene.deploy.deploy.iter())
}

fn on_run(scene: &Scene<'_>, again: bool) -> Result<Draft, PlanError> {
    let target = &scene.intent.target;
    let wanted = scene.intent.args.run.as_ref();
    let found = find(scene, wanted, again);
    let Some((pipeline, run)) = found else {
        let text = match wanted {
            Some(run) => format!("run {run} is not among the newest runs of {target}"),
            None => format!("{target} has no run that could be {}", if again { "retried" } else { "cancelled" }),
        };
        return Err(PlanError::Arguments(Text::clean(&text)));
    };
    let (backend, builder, number) = (pipeline.backend.clone(), pipeline.builder.clone(), run.id.number);
    let mut draft = Draft {
        direction: Some(if again { Direction::Forward } else { Direction::Back }),
        now: format!("run {} is {}: {}", run.id, run.state.word(), run.words),
        after: if again { repeated(run, scene.intent.args.failed_only) } else { format!("run {} is cancelled", run.id) },
        costs: cost::of_run(scene),
        run: Some(run.id.to_string()),
        attempt: run.attempt,
        preconditions: vec![
            Precondition::Fresh { backend: backend.clone() },
            Precondition::RunState { backend: backend.clone(), builder: builder.clone(), run: number, over: again },
        ],
        ..Draft::default()
    };
    if again {
        needs(scene, &backend, Capability::Retry, &mut draft);
        let failed_only = scene.intent.args.failed_only;
        if failed_only && run.state.is_over() && run.state.is_good() {
            let text = format!("nothing of run {} went wrong: it is {}", run.id, run.state.word());
            draft.impossible.push(Reason::new("nothing-failed", &text, "leave --failed away to run all of it again"));
        }
        if failed_only && run.attempt.is_none() {
            let text = format!("{backend} repeats runs only as a whole");
            draft.impossible.push(Reason::new("unsupported", &text, "leave --failed away"));
        }
        draft.effects.push(match run.attempt {
            Some(attempt) => StepEffect::Repeat { backend, builder, run: number, attempt, failed_only },
            None => StepEffect::Retry { backend, builder, run: number },
        });
    } else {
        needs(scene, &backend, Capability::Cancel, &mut draft);
        draft.undo = Some(format!("retry {target} --run {}", run.id));
        draft.effects.push(StepEffect::Cancel { backend, builder, run: number });
    }
    Ok(draft)
}

/// What a repetition will be.
fn repeated(run: &Run, failed_only: bool) -> String {
    match run.attempt {
        Some(attempt) if failed_only => format!("attempt {} of what failed in {}", attempt.saturating_add(1), run.id),
        Some(attempt) => format!("attempt {} of {}", attempt.saturating_add(1), run.id),
        None => format!("a new run that repeats {}", run.id),
    }
}

/// The run that was named, or the newest one that can be retried (over) or cancelled (under way).
fn find<'a>(scene: &Scene<'a>, wanted: Option<&RunId>, over: bool) -> Option<(&'a PipelineRef, &'a Run)> {
    pipelines(scene).find_map(|pipeline| {
        let reading = scene.world.runs(&pipeline.backend)?.value.as_ref()?;
        let runs = &reading.builders.get(&pipeline.builder)?.runs;
        let run = match wanted {
            Some(id) => runs.iter().find(|run| &run.id == id),
            None => runs.iter().find(|run| run.state.is_over() == over),
        };
        run.map(|run| (pipeline, run))
    })
}

fn last_run(scene: &Scene<'_>, pipeline: &PipelineRef) -> String {
    let reading = scene.world.runs(&pipeline.backend).and_then(|fact| fact.value.as_ref());
    match reading.and_then(|reading| reading.builders.get(&pipeline.builder)).map(|builder| builder.runs.first()) {
        Some(Some(run)) => format!("last run {} is {}", run.id, run.state.word()),
        Some(None) => format!("{} never ran", pipeline.builder),
        None => format!("runs of {} are not known", pipeline.builder),
    }
}

/// Refuses what the backend's adapter cannot do.
pub(super) fn needs(scene: &Scene<'_>, backend: &BackendName, capability: Capability, draft: &mut Draft) {
    let able = scene.world.sources.get(backend).is_some_and(|source| source.capabilities.contains(&capability));
    if !able {
        draft.impossible.push(Reason::new("unsupported", &format!("{backend} cannot do that"), "do it by hand at the backend"));
    }
}
