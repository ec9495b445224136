//! The steps of a run as a line: each with its mark and how long it took, in their order.

use chrono::{DateTime, Utc};

use crate::model::name::BackendName;
use crate::model::pipeline::{Run, RunState, RunStep};
use crate::model::run_gate::WAITS;

use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// The word of a run or step that stands before a gate.
const WAITING: &str = "waits";

/// How the state of a run or step looks: what its backend said too long ago has no colour.
pub fn looks(scene: &Scene<'_>, backend: &BackendName, state: RunState) -> (Mark, Role) {
    let (mark, role) = match state {
        RunState::Queued => (Mark::Waits, Role::Quiet),
        RunState::Running => (Mark::Moving, Role::Moving),
        RunState::Passed => (Mark::Proven, Role::Plain),
        RunState::Warned => (Mark::Abnormal, Role::Watched),
        RunState::Failed | RunState::Broken => (Mark::Failed, Role::Abnormal),
        RunState::Skipped => (Mark::None, Role::Quiet),
        RunState::Retrying => (Mark::Back, Role::Watched),
        RunState::Cancelled => (Mark::Failed, Role::Quiet),
    };
    match (scene.freshness(backend).is_fresh(), state.is_over()) {
        (true, _) => (mark, role),
        (false, true) => (mark, Role::Stale),
        (false, false) => (Mark::Unknown, Role::Stale),
    }
}

/// How a run looks, with its word: one that waits at a gate waits for a person.
pub fn of_run(scene: &Scene<'_>, run: &Run) -> (Mark, Role, &'static str) {
    let waits = !run.gates.is_empty() && !run.state.is_over();
    if waits && scene.freshness(&run.id.backend).is_fresh() {
        return (Mark::Waits, Role::Waits, WAITING);
    }
    let (mark, role) = looks(scene, &run.id.backend, run.state);
    (mark, role, if waits { WAITING } else { run.state.word() })
}

/// How a step looks, with its word.
pub fn of_step(scene: &Scene<'_>, run: &Run, step: &RunStep) -> (Mark, Role, &'static str) {
    let waits = !run.gates.is_empty() && !step.state.is_over() && step.words.as_str().contains(WAITS);
    if waits && scene.freshness(&run.id.backend).is_fresh() {
        return (Mark::Waits, Role::Waits, WAITING);
    }
    let (mark, role) = looks(scene, &run.id.backend, step.state);
    (mark, role, step.state.word())
}

/// How long it took, or takes by now; nothing when it has not begun.
pub fn lasted(scene: &Scene<'_>, started: Option<&DateTime<Utc>>, ended: Option<&DateTime<Utc>>) -> String {
    match (started, ended) {
        (Some(started), Some(ended)) => words::span(words::ago(started, ended).as_secs()),
        (Some(started), None) => scene.ago(started),
        (None, _) => String::new(),
    }
}

/// Where a step stands in the line: its row, its columns and its number.
pub type Place = (usize, (usize, usize), u32);

/// The line, broken between steps into at most `most` rows, among them the row of the marked step; and where each step stands in them.
pub fn lines(scene: &Scene<'_>, run: &Run, marked: Option<&RunStep>, width: usize, most: usize) -> (Vec<Row>, Vec<Place>) {
    let join = format!(" {}", scene.glyph(Mark::Rule).repeat(2));
    let mut rows: Vec<Row> = Vec::new();
    let mut row = Row::of(Role::Plain, "  ");
    let mut places: Vec<Place> = Vec::new();
    let mut with_mark = 0;
    for (place, step) in run.steps.iter().enumerate() {
        let here = marked.is_some_and(|marked| marked.number == step.number);
        let (mark, role, _) = of_step(scene, run, step);
        let took = lasted(scene, step.started.as_ref(), step.ended.as_ref());
        let mut took = if took.is_empty() { took } else { format!(" {took}") };
        if matches!(step.state, RunState::Broken | RunState::Skipped | RunState::Retrying | RunState::Cancelled) {
            // These share a mark with others: the word tells them apart.
            took = format!(" {}{took}", step.state.word());
        }
        let long = cells(step.name.as_str()) + cells(&took) + 3;
        let first = row.width() <= 2;
        if !first && row.width() + cells(&join) + long + 3 > width {
            row.add(Role::Rule, join.clone());
            rows.push(std::mem::replace(&mut row, Row::of(Role::Plain, "  ")));
        } else if place > 0 && !first {
            row.add(Role::Rule, join.clone());
        }
        let from = row.width();
        row.add(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
        row.add(if here { Role::Strong } else { Role::Plain }, step.name.as_str()).add(role, format!(" {}", scene.glyph(mark)));
        row.add(Role::Quiet, took);
        places.push((rows.len(), (from, row.width()), step.number));
        if here {
            with_mark = rows.len();
        }
    }
    rows.push(row);
    let skip = (with_mark + 1).saturating_sub(most);
    let in_sight = places.into_iter().filter_map(|(line, columns, step)| Some((line.checked_sub(skip)?, columns, step)));
    let in_sight = in_sight.filter(|(line, ..)| *line < most).collect();
    (rows.into_iter().skip(skip).take(most).collect(), in_sight)
}
