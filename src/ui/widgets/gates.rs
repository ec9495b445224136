//! The gates at which a run waits: since when, what follows, who may answer there and here, and why the reader may not.

use crate::control::gate;
use crate::control::gated::{self, AtGate};
use crate::model::approval::Decision;
use crate::model::name::Target;
use crate::model::operator::Actor;
use crate::model::pipeline::{Run, RunState};
use crate::model::reason::Reason;
use crate::model::run_gate::{RunGate, WAITS};
use crate::model::text::Text;

use crate::ui::command::Command;
use crate::ui::plans;
use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// The rows of a run's gates as a target sees them; none when it waits at none.
pub fn rows(scene: &Scene<'_>, target: &Target, run: &Run, width: usize) -> Vec<Row> {
    let Some((pipeline, run)) = gated::run(scene.world, target, &run.id) else { return Vec::new() };
    let at = gated::seen(scene.world, target, pipeline, run);
    let mut rows = Vec::new();
    if at.own.is_empty() {
        for gate in &at.others {
            rows.push(elsewhere(scene, target, &at, gate));
        }
        return rows;
    }
    let against = gate::against_answer(scene.world, target, &at, true, &scene.world.actor);
    let may_close = gate::against_answer(scene.world, target, &at, false, &scene.world.actor).is_empty();
    let deeds = !scene.world.read_only;
    rows.push(heading(scene, &at, [deeds && against.is_empty(), deeds && may_close]));
    for text in [there(&at), here(scene, target, &at, &against)] {
        let lines = wrap(&text, width.saturating_sub(4)).into_iter().take(2);
        rows.extend(lines.map(|line| Row::of(Role::Plain, format!("   {line}"))));
    }
    rows.extend(at.others.iter().map(|gate| elsewhere(scene, target, &at, gate)));
    rows
}

/// Which gate, since when, what follows, and the keys where the reader may answer.
fn heading(scene: &Scene<'_>, at: &AtGate<'_>, may: [bool; 2]) -> Row {
    let fresh = scene.freshness(&at.run.id.backend).is_fresh();
    let role = if fresh { Role::Waits } else { Role::Stale };
    let mut row = Row::new();
    row.add(role, format!(" {} ", scene.glyph(if fresh { Mark::Waits } else { Mark::Unknown })));
    row.add(Role::Strong, format!("gate {}", at.names()));
    row.add(role, at.since().map_or_else(|| " waits".to_owned(), |since| format!(" waits {}", scene.ago(&since))));
    let until = at.own.iter().filter_map(|gate| gate.until).filter(|until| *until > scene.now.wall).max();
    if let Some(until) = until {
        row.add(Role::Plain, format!(", opens no earlier than {}", scene.zone.minute(&until, &scene.now.wall)));
    }
    let held = |step: &&crate::model::pipeline::RunStep| step.state == RunState::Queued || step.words.as_str().contains(WAITS);
    let next: Vec<&str> = at.run.steps.iter().filter(held).map(|step| step.name.as_str()).collect();
    if !next.is_empty() {
        row.add(Role::Plain, format!(", then {}", next.join(", ")));
    }
    if let Some(plan) = plans::about(scene.world, at.run, scene.now) {
        let plan = &plan.plan;
        row.add(Role::Waits, format!("; plan {} of {} to {} it waits", plan.id.short(), plan.intent.requester, plan.intent.verb.word()));
    }
    let keys = [(Decision::Approve, " approve", may[0]), (Decision::Reject, " reject", may[1])];
    for (decision, word, _) in keys.iter().filter(|(.., may)| *may) {
        row.end(Role::Key, format!("  {}", scene.keymap.shown(Command::Rule(*decision)))).end(Role::Plain, *word);
    }
    row.end(Role::Plain, " ");
    row
}

/// Whose answer the backend takes.
fn there(at: &AtGate<'_>) -> String {
    let mut names: Vec<&str> = at.own.iter().flat_map(|gate| &gate.reviewers).map(Text::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let backend = &at.run.id.backend;
    let who = if names.is_empty() { "names no reviewers".to_owned() } else { format!("asks one of {}", names.join(", ")) };
    let shut: Vec<&RunGate> = at.own.iter().copied().filter(|gate| !gate.may_answer).collect();
    let ours = if shut.is_empty() {
        "and takes our account's answer".to_owned()
    } else {
        format!("and takes no answer at {} from our account", gated::names(&shut))
    };
    format!("there: {backend} {who} {ours}")
}

/// Who may answer here, and why the reader may not.
fn here(scene: &Scene<'_>, target: &Target, at: &AtGate<'_>, against: &[Reason]) -> String {
    let people = &scene.world.catalog.people;
    let of_backend = |reason: &Reason| reason.rule == "not-a-reviewer";
    let may = |actor: &Actor| gate::against_answer(scene.world, target, at, true, actor).iter().all(of_backend);
    let names: Vec<String> =
        people.iter().map(|person| Actor::Person(person.name.clone())).filter(may).map(|actor| actor.to_string()).collect();
    let who = match (people.is_empty(), names.is_empty()) {
        (true, _) => "whoever is at these keys, since nobody is configured".to_owned(),
        (false, true) => "nobody who is configured".to_owned(),
        (false, false) => names.join(" or "),
    };
    let you = match against.first() {
        Some(reason) => format!("; you may not: {}", reason.text),
        None if people.is_empty() => String::new(),
        None => "; you may".to_owned(),
    };
    format!("here: {who} may open it{you}")
}

/// A gate that is none of this target.
fn elsewhere(scene: &Scene<'_>, target: &Target, at: &AtGate<'_>, gate: &RunGate) -> Row {
    let of = gated::sharers(scene.world, target, at.pipeline, gate.name.as_str());
    let whose = match of.first() {
        Some(other) => format!("the gate of {other}: answer for it there"),
        None => format!("no gate of a configured target: answer it at {}", at.run.id.backend),
    };
    let mut row = Row::new();
    row.add(Role::Quiet, format!(" {} ", scene.glyph(Mark::Waits)))
        .add(Role::Plain, format!("waits at {}, ", gate.name))
        .add(Role::Quiet, whose);
    row
}
