//! The pipeline: where is this change, what is it waiting for, and what does its log say?

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::{Builder, Run, RunState, RunStep};

use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pane {
    #[default]
    Runs,
    Steps,
}

/// What the screen remembers for its operator.
#[derive(Debug, Default)]
pub struct Pipeline {
    pane: Pane,
    run: Option<u64>,
    step: usize,
    log: Option<(BackendName, u64)>,
}

/// The builders of a target: what builds it and what deploys it, with the CI backend of each.
fn builders<'a>(world: &'a World, target: &Target) -> Vec<(&'a BackendName, &'a str, Option<&'a Builder>)> {
    let service = world.catalog.services.get(&target.service).and_then(|service| service.pipeline.as_ref());
    let deploy = world.catalog.deploy(target).and_then(|deploy| deploy.deploy.as_ref());
    let all = service.into_iter().chain(deploy);
    all.map(|pipeline| {
        let reading = world.runs(&pipeline.backend).and_then(|fact| fact.value.as_deref());
        (&pipeline.backend, pipeline.builder.as_str(), reading.and_then(|reading| reading.builders.get(&pipeline.builder)))
    })
    .collect()
}

/// The runs of a target's builders, newest first.
fn runs<'a>(world: &'a World, target: &Target) -> Vec<&'a Run> {
    let mut runs: Vec<&Run> = builders(world, target).into_iter().filter_map(|(_, _, builder)| builder).flat_map(|builder| &builder.runs).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.started.or(run.asked), run.id.number)));
    runs
}

impl Pipeline {
    /// The marked run.
    pub fn run<'a>(&self, world: &'a World, target: &Target) -> Option<&'a Run> {
        let runs = runs(world, target);
        runs.iter().find(|run| Some(run.id.number) == self.run).or_else(|| runs.first()).copied()
    }

    fn marked_step<'a>(&self, run: &'a Run) -> Option<&'a RunStep> {
        run.steps.get(self.step.min(run.steps.len().saturating_sub(1)))
    }

    /// Moves the mark in the pane that has the keys.
    pub fn step(&mut self, world: &World, target: &Target, by: isize) {
        let runs = runs(world, target);
        match self.pane {
            Pane::Runs => {
                let here = runs.iter().position(|run| Some(run.id.number) == self.run).unwrap_or(0);
                let there = here.saturating_add_signed(by).min(runs.len().saturating_sub(1));
                self.run = runs.get(there).map(|run| run.id.number);
                self.step = 0;
            }
            Pane::Steps => {
                let count = self.run(world, target).map_or(0, |run| run.steps.len());
                self.step = self.step.saturating_add_signed(by).min(count.saturating_sub(1));
            }
        }
    }

    /// Gives the keys to the other pane.
    pub fn next_pane(&mut self) {
        self.pane = match self.pane {
            Pane::Runs => Pane::Steps,
            Pane::Steps => Pane::Runs,
        };
    }

    /// Chooses the log of the marked step; none when it has none. Chosen again, it is left.
    pub fn follow(&mut self, world: &World, target: &Target) -> Option<(BackendName, u64)> {
        let run = self.run(world, target)?;
        let log = self.marked_step(run)?.logs.first()?;
        let wanted = Some((run.id.backend.clone(), log.id));
        self.log = if self.log == wanted { None } else { wanted };
        self.log.clone()
    }

    /// Leaves the log; true when one was followed.
    pub fn unfollow(&mut self) -> bool {
        self.log.take().is_some()
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, target: &Target, buffer: &mut Buffer, area: Rect) {
        let mut rows = Vec::new();
        let builders = builders(scene.world, target);
        if builders.is_empty() {
            rows.push(Row::rule(scene.theme, "nothing configured"));
            rows.push(Row::of(Role::Plain, format!("  {} has no `pipeline` and its deploy no `deploy` in the configuration", target.service)));
        }
        let list = runs(scene.world, target);
        let marked = self.run(scene.world, target);
        let waiting: usize = builders.iter().filter_map(|(_, _, builder)| *builder).map(|builder| builder.queued.len()).sum();
        for (backend, builder, reading) in &builders {
            if reading.is_none() {
                let why = if scene.freshness(backend).is_fresh() { "does not know it" } else { scene.freshness(backend).word() };
                rows.push(Row::of(Role::Watched, format!(" {} builder {builder}: {backend} {why}", scene.glyph(Mark::Unknown))));
            }
        }
        let half = usize::from(area.height) / 3;
        rows.push(self.rule(scene, &format!("runs {}, {waiting} waiting", list.len()), Pane::Runs));
        let here = list.iter().position(|run| marked.is_some_and(|marked| marked.id == run.id)).unwrap_or(0);
        for run in list.iter().skip(here.saturating_sub(half.saturating_sub(2))).take(half.max(3)) {
            rows.push(run_row(scene, run, marked.is_some_and(|marked| marked.id == run.id)));
        }
        if list.is_empty() && !builders.is_empty() {
            rows.push(Row::of(Role::Quiet, "   nothing there: no run of its builders is known"));
        }
        if let Some(run) = marked {
            rows.push(self.rule(scene, &format!("steps of {}", run.id), Pane::Steps));
            if run.steps.is_empty() {
                rows.push(Row::of(Role::Quiet, "   loading, or it has not begun"));
            }
            let step = self.marked_step(run).map(|step| step.number);
            let skip = self.step.saturating_sub(half.saturating_sub(2));
            for part in run.steps.iter().skip(skip).take(half.max(3)) {
                rows.push(step_row(scene, part, self.pane == Pane::Steps && Some(part.number) == step));
            }
        }
        if let Some(log) = &self.log {
            let left = usize::from(area.height).saturating_sub(rows.len() + 1);
            rows.extend(log_rows(scene, log, left));
        }
        for (y, row) in (0..area.height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
    }

    fn rule(&self, scene: &Scene<'_>, heading: &str, pane: Pane) -> Row {
        let mut rule = Row::rule(scene.theme, heading);
        if self.pane == pane {
            rule.end(Role::Key, " Up, Down here ");
        }
        rule
    }
}

fn looks(state: RunState) -> (Mark, Role) {
    match state {
        RunState::Queued => (Mark::Waits, Role::Quiet),
        RunState::Running => (Mark::Moving, Role::Moving),
        RunState::Passed => (Mark::Proven, Role::Plain),
        RunState::Warned => (Mark::Proven, Role::Watched),
        RunState::Failed | RunState::Broken => (Mark::Failed, Role::Abnormal),
        RunState::Skipped => (Mark::None, Role::Quiet),
        RunState::Retrying => (Mark::Back, Role::Watched),
        RunState::Cancelled => (Mark::Failed, Role::Quiet),
    }
}

fn lasted(scene: &Scene<'_>, started: Option<chrono::DateTime<chrono::Utc>>, ended: Option<chrono::DateTime<chrono::Utc>>) -> String {
    match (started, ended) {
        (Some(started), Some(ended)) => words::span(words::ago(&started, &ended).as_secs()),
        (Some(started), None) => format!("for {}", scene.ago(&started)),
        (None, _) => "not begun".to_owned(),
    }
}

fn run_row(scene: &Scene<'_>, run: &Run, here: bool) -> Row {
    let (mark, role) = looks(run.state);
    let mut row = Row::of(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
    row.add(role, format!("{} ", scene.glyph(mark))).add(if here { Role::Strong } else { Role::Plain }, run.id.to_string());
    row.at(14).add(Role::Plain, run.builder.as_str()).at(34).add(role, run.state.word());
    row.at(45).add(Role::Quiet, lasted(scene, run.started, run.ended));
    let revision: String = run.revision.as_str().chars().take(8).collect();
    row.at(56).add(Role::Plain, revision).at(66).add(Role::Plain, run.by.as_str()).add(Role::Quiet, format!("  {}", run.reason));
    row
}

fn step_row(scene: &Scene<'_>, step: &RunStep, here: bool) -> Row {
    let (mark, role) = looks(step.state);
    let mut row = Row::of(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
    row.add(role, format!("{} ", scene.glyph(mark))).add(Role::Plain, step.name.as_str()).at(34).add(role, step.state.word());
    row.at(45).add(Role::Quiet, lasted(scene, step.started, step.ended)).at(56).add(Role::Plain, step.words.as_str());
    row
}

/// The newest lines of a followed log.
fn log_rows(scene: &Scene<'_>, key: &(BackendName, u64), height: usize) -> Vec<Row> {
    let Some(log) = scene.world.logs.get(key) else { return vec![Row::rule(scene.theme, "log: loading")] };
    let mut rule = Row::rule(scene.theme, &format!("log, {} lines", words::count(log.part.total)));
    rule.end(Role::Quiet, if log.part.complete { " complete " } else { " grows, followed " });
    let mut rows = vec![rule];
    if let Some(trouble) = &log.trouble {
        rows.push(Row::of(Role::Watched, format!(" {} {trouble}", scene.glyph(Mark::Unknown))));
    }
    let skip = log.part.lines.len().saturating_sub(height);
    rows.extend(log.part.lines.iter().skip(skip).map(|line| Row::of(Role::Plain, format!(" {line}"))));
    rows
}
