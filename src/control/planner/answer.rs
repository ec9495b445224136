//! Plans that answer for a run at the gates of a target: approve opens them, reject closes them and so ends the run.

use super::{Draft, PlanError, Scene, cost, run};
use crate::control::gated::{self, AtGate};
use crate::model::capability::Capability;
use crate::model::catalog::PipelineRef;
use crate::model::intent::Direction;
use crate::model::pipeline::{Run, RunState, RunStep};
use crate::model::plan::{Evidence, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::run_gate::{RunGate, WAITS};
use crate::model::text::Text;

/// Answers for a run at the gates of the target, and at no others.
pub(super) fn answer(scene: &Scene<'_>, opens: bool) -> Result<Draft, PlanError> {
    let target = &scene.intent.target;
    let (pipeline, run) = chosen(scene)?;
    let at = gated::seen(scene.world, target, pipeline, run);
    let (backend, builder, number) = (pipeline.backend.clone(), pipeline.builder.clone(), run.id.number);
    let gates: Vec<_> = at.own.iter().map(|gate| gate.named()).collect();
    let mut draft = Draft {
        direction: Some(if opens { Direction::Forward } else { Direction::Back }),
        now: now(scene, &at),
        after: after(&at, opens),
        costs: cost::of_run(scene),
        evidence: evidence(scene, &at, opens),
        run: Some(run.id.to_string()),
        attempt: run.attempt,
        asked_by: opens.then(|| gated::asked_by(scene.world, run)),
        undo: Some(format!("{} {target} --run {}", if opens { "cancel" } else { "retry" }, run.id)),
        preconditions: vec![Precondition::Fresh { backend: backend.clone() }],
        ..Draft::default()
    };
    run::needs(scene, &backend, Capability::Answer, &mut draft);
    if gates.is_empty() {
        draft.impossible.push(elsewhere(scene, &at));
        return Ok(draft);
    }
    let (attempt, revision) = (run.attempt.unwrap_or(1), run.revision.to_string());
    draft.preconditions.push(Precondition::AtGates {
        backend: backend.clone(),
        builder: builder.clone(),
        run: number,
        attempt,
        revision: revision.clone(),
        gates: run.gates.iter().map(RunGate::named).collect(),
    });
    draft.preconditions.push(Precondition::MayAnswer {
        backend: backend.clone(),
        builder: builder.clone(),
        run: number,
        gates: gates.clone(),
    });
    draft.effects.push(StepEffect::Answer { backend, builder, run: number, attempt, revision, gates, opens });
    Ok(draft)
}

/// The run that was named, or the only one that waits at gates of the target.
fn chosen<'a>(scene: &Scene<'a>) -> Result<(&'a PipelineRef, &'a Run), PlanError> {
    let target = &scene.intent.target;
    if let Some(wanted) = &scene.intent.args.run {
        let missing = || PlanError::Arguments(Text::clean(&format!("run {wanted} is not among the newest runs of {target}")));
        return gated::run(scene.world, target, wanted).ok_or_else(missing);
    }
    let waiting = gated::waiting(scene.world, target);
    match waiting.as_slice() {
        [one] => Ok((one.pipeline, one.run)),
        [] => Err(PlanError::WhichRun { text: Text::clean(&format!("no run of {target} waits at a gate")), waiting: Vec::new() }),
        several => Err(PlanError::WhichRun {
            text: Text::clean(&format!("{} runs wait at gates of {target}; name one with --run:", several.len())),
            waiting: several.iter().map(|one| Text::clean(&waits_in_a_line(one))).collect(),
        }),
    }
}

/// A run that waits, in a line.
pub fn waits_in_a_line(at: &AtGate<'_>) -> String {
    let by = if at.run.by.is_empty() { String::new() } else { format!(", asked for by {}", at.run.by) };
    format!("{}  waits at {}{by}", at.run.id, at.names())
}

fn now(scene: &Scene<'_>, at: &AtGate<'_>) -> String {
    let run = at.run;
    if at.own.is_empty() {
        return format!("run {} is {}", run.id, run.state.word());
    }
    let since = at.since().map(|since| format!(" since {}", since.format("%H:%M:%SZ"))).unwrap_or_default();
    let by: Vec<&str> = run.asked_by.iter().map(Text::as_str).collect();
    let by = if by.is_empty() { "nobody tells who asked for it".to_owned() } else { format!("asked for by {}", by.join(" and ")) };
    let age = scene.world.sources.get(&run.id.backend).and_then(|source| source.age(scene.now));
    let read = age.map(|age| format!(", read {} s ago", age.as_secs())).unwrap_or_default();
    format!("run {} waits at {}{since}, {by}{read}", run.id, at.names())
}

fn after(at: &AtGate<'_>, opens: bool) -> String {
    if !opens {
        return format!("{} closes, and run {} ends as failed", at.names(), at.run.id);
    }
    let held = |step: &&RunStep| step.state == RunState::Queued || !step.state.is_over() && step.words.as_str().contains(WAITS);
    let next: Vec<&str> = at.run.steps.iter().filter(held).map(|step| step.name.as_str()).collect();
    let goes = if next.is_empty() { "goes on".to_owned() } else { format!("goes on with {}", next.join(", ")) };
    format!("{} opens, and run {} {goes}", at.names(), at.run.id)
}

/// Whose gate it is, when it is none of this target.
fn elsewhere(scene: &Scene<'_>, at: &AtGate<'_>) -> Reason {
    let target = &scene.intent.target;
    if at.others.is_empty() {
        let text = format!("run {} waits at no gate: it is {}", at.run.id, at.run.state.word());
        return Reason::new("changed", &text, "look at the pipeline; perhaps somebody answered already");
    }
    let text = format!("run {} waits at {}, which is no gate of {target}", at.run.id, gated::names(&at.others));
    let of = |gate: &&RunGate| {
        let targets = gated::sharers(scene.world, target, at.pipeline, gate.name.as_str());
        targets.first().map(|other| format!("answer for {other}, whose gate {} is", gate.name))
    };
    let fix = at.others.iter().find_map(of);
    let fix = fix.unwrap_or_else(|| "name it as github_environment in the deploy of the target whose gate it is".to_owned());
    Reason::new("other-gate", &text, &fix)
}

fn evidence(scene: &Scene<'_>, at: &AtGate<'_>, opens: bool) -> Vec<Evidence> {
    let backend = &at.run.id.backend;
    let age_s = scene.world.sources.get(backend).and_then(|source| source.age(scene.now)).map(|age| age.as_secs());
    let row = |text: String, warns: bool| Evidence { text: Text::clean(&text), source: backend.to_string(), age_s, warns };
    let mut rows = Vec::new();
    for gate in &at.own {
        let who: Vec<&str> = gate.reviewers.iter().map(Text::as_str).collect();
        let who =
            if who.is_empty() { "names no reviewers".to_owned() } else { format!("takes an answer of {}, one is enough", who.join(", ")) };
        rows.push(row(format!("at {} {backend} {who}", gate.name), false));
        if let Some(until) = gate.until.filter(|until| *until > scene.now.wall && opens) {
            rows.push(row(format!("{} opens no earlier than {}, also when it is answered", gate.name, until.format("%H:%M:%SZ")), true));
        }
        let shared = gated::sharers(scene.world, &scene.intent.target, at.pipeline, gate.name.as_str());
        if opens && !shared.is_empty() {
            let shared: Vec<_> = shared.iter().take(5).map(ToString::to_string).collect();
            rows.push(row(format!("{} is the gate of {} too: their rules are not asked here", gate.name, shared.join(", ")), true));
        }
    }
    if opens && !at.others.is_empty() {
        rows.push(row(format!("it also waits at {}, which this does not open", gated::names(&at.others)), true));
    }
    if opens && scene.world.catalog.people.is_empty() {
        rows.push(row("nobody is configured, so who asked for the run cannot be told from who approves it".to_owned(), true));
    }
    if opens {
        rows.extend(cost::evidence(scene));
    }
    rows
}
