//! The pipeline: where is this change, what is it waiting for, and what does its log say?

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use chrono::{DateTime, Utc};

use crate::control::world::World;
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::{Run, RunId, RunState, RunStep};

use crate::ui::command::Command;
use crate::ui::lines::{Lines, Pressed};
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::builders::{self, Line};
use crate::ui::widgets::log::LogPane;
use crate::ui::widgets::{gates, steps};
use crate::ui::words;

/// Which pane Up and Down move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pane {
    #[default]
    Runs,
    Log,
}

/// What the screen remembers for its operator, of one target.
#[derive(Debug, Default)]
pub struct Pipeline {
    of: Option<Target>,
    pane: Pane,
    /// The marked run; none: the newest, whichever that is.
    run: Option<RunId>,
    /// The runs that are listed while the list is in somebody's hand.
    listed: Option<BTreeSet<RunId>>,
    /// The marked step; none: the one that tells most.
    step: Option<u32>,
    log: Option<LogPane>,
    /// The runs that stand on the glass, and steps of one of them.
    drawn: Lines<(RunId, Option<u32>)>,
}

/// The runs of a target's builders, newest first.
fn runs<'a>(lines: &[Line<'a>]) -> Vec<&'a Run> {
    let mut runs: Vec<&Run> = lines.iter().filter_map(|line| line.known).flat_map(|builder| &builder.runs).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.started.or(run.asked), run.id.number)));
    runs.dedup_by_key(|run| &run.id);
    runs
}

/// The step that tells most: the first that failed, else the one under way, else the last.
fn telling(run: &Run) -> Option<&RunStep> {
    let failed = run.steps.iter().find(|step| matches!(step.state, RunState::Failed | RunState::Broken));
    failed.or_else(|| run.steps.iter().find(|step| step.state == RunState::Running)).or_else(|| run.steps.last())
}

impl Pipeline {
    /// What is remembered of this target; of another one nothing is.
    fn heed(&mut self, target: &Target) -> &mut Self {
        if self.of.as_ref() != Some(target) {
            *self = Self { of: Some(target.clone()), ..Self::default() };
        }
        self
    }

    fn is_of(&self, target: &Target) -> bool {
        self.of.as_ref() == Some(target)
    }

    fn listed<'a>(&self, runs: &[&'a Run]) -> Vec<&'a Run> {
        let keeps = |run: &Run| self.listed.as_ref().is_none_or(|listed| listed.contains(&run.id));
        runs.iter().copied().filter(|run| keeps(run)).collect()
    }

    /// The marked run.
    pub fn run<'a>(&self, world: &'a World, target: &Target) -> Option<&'a Run> {
        let runs = runs(&builders::of(world, target));
        let wanted = self.run.as_ref().filter(|_| self.is_of(target));
        wanted.and_then(|wanted| runs.iter().find(|run| &run.id == wanted)).or_else(|| runs.first()).copied()
    }

    fn marked_step<'a>(&self, run: &'a Run) -> Option<&'a RunStep> {
        self.step.and_then(|number| run.steps.iter().find(|step| step.number == number)).or_else(|| telling(run))
    }

    /// Moves the mark, or the text, in the pane that has the keys.
    pub fn step(&mut self, world: &World, target: &Target, by: isize) {
        let this = self.heed(target);
        if let (Pane::Log, Some(log)) = (this.pane, &mut this.log) {
            log.scroll(world, by);
            return;
        }
        let all = runs(&builders::of(world, target));
        let listed = this.listed(&all);
        let here = listed.iter().position(|run| Some(&run.id) == this.run.as_ref()).unwrap_or(0);
        let there = listed.get(here.saturating_add_signed(by).min(listed.len().saturating_sub(1))).map(|run| run.id.clone());
        this.listed = Some(listed.iter().map(|run| run.id.clone()).collect());
        if this.run != there {
            this.step = None;
        }
        this.run = there;
    }

    /// Marks the run or the step that is shown there.
    pub fn press(&mut self, world: &World, target: &Target, there: Position) -> Pressed {
        let Some((id, step)) = self.drawn.at(there) else { return Pressed::Nothing };
        let this = self.heed(target);
        let all = runs(&builders::of(world, target));
        let Some(run) = all.iter().copied().find(|run| run.id == id) else { return Pressed::Nothing };
        let is_marked = this.run(world, target).is_some_and(|marked| marked.id == id);
        let is_step = step.is_none_or(|step| this.marked_step(run).is_some_and(|marked| marked.number == step));
        if is_marked && is_step {
            return Pressed::Again;
        }
        this.listed = Some(this.listed(&all).into_iter().map(|run| run.id.clone()).collect());
        (this.run, this.step) = (Some(id), step);
        Pressed::Marked
    }

    /// Moves by pages.
    pub fn page(&mut self, world: &World, target: &Target, by: isize) {
        let page = match (self.pane, &self.log) {
            (Pane::Log, Some(log)) if self.is_of(target) => log.page(),
            (Pane::Log | Pane::Runs, _) => 5,
        };
        self.step(world, target, by.saturating_mul(page));
    }

    /// Moves the mark along the steps of the marked run.
    pub fn turn(&mut self, world: &World, target: &Target, by: isize) {
        let Some(run) = self.heed(target).run(world, target) else { return };
        let here = self.marked_step(run).and_then(|marked| run.steps.iter().position(|step| step.number == marked.number)).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(run.steps.len().saturating_sub(1));
        self.step = run.steps.get(there).map(|step| step.number);
        self.run = Some(run.id.clone());
    }

    /// Gives Up and Down to the other pane.
    pub fn next_pane(&mut self) {
        self.pane = if self.pane == Pane::Runs && self.log.is_some() { Pane::Log } else { Pane::Runs };
    }

    /// Lets go of the list: the mark is on the newest run again and stays there.
    pub fn let_go(&mut self) {
        (self.listed, self.run, self.step) = (None, None, None);
    }

    /// Opens the log of the marked step; pressed again its next log, then none.
    ///
    /// # Errors
    /// Why there is nothing to open, in words.
    pub fn open_log(&mut self, world: &World, target: &Target) -> Result<(), String> {
        let run = self.heed(target).run(world, target).ok_or("no run is marked")?;
        let step = self.marked_step(run).ok_or_else(|| format!("the steps of {} are not known yet", run.id))?;
        let shown = |log: &LogPane| step.logs.iter().position(|one| log.is(&run.id.backend, one.id));
        let next = self.log.as_ref().and_then(shown).map_or(0, |place| place + 1);
        if next == 0 && step.logs.is_empty() {
            return Err(format!("{} has no log", step.name));
        }
        self.log = step.logs.get(next).map(|log| LogPane::new(&run.id, step, log));
        self.pane = if self.log.is_some() { Pane::Log } else { Pane::Runs };
        Ok(())
    }

    /// Lets the open log run on, or stand still.
    ///
    /// # Errors
    /// When no log is open.
    pub fn follow(&mut self, target: &Target) -> Result<(), String> {
        self.heed(target).log.as_mut().map(LogPane::toggle).ok_or_else(|| "no log is open".to_owned())
    }

    /// Leaves the log; false when none was open.
    pub fn close_log(&mut self) -> bool {
        self.pane = Pane::Runs;
        self.log.take().is_some()
    }

    /// The log that must be read.
    pub fn reads(&self, target: &Target) -> Option<(BackendName, u64)> {
        self.log.as_ref().filter(|_| self.is_of(target)).map(LogPane::key)
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, target: &Target, buffer: &mut Buffer, area: Rect) {
        self.drawn.forget();
        let fresh = Self::default();
        let this = if self.is_of(target) { self } else { &fresh };
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let lines = builders::of(scene.world, target);
        let mut rows = builders::troubles(scene, target, &lines, width);
        let all = runs(&lines);
        let marked = this.run(scene.world, target);
        let most = if height > 30 { 5 } else { 3 };
        let (parts, places) = marked.map(|run| this.run_in_full(scene, target, run, (width, most))).unwrap_or_default();
        let queue = builders::queue(scene, &lines, if height > 30 { 6 } else { 2 });
        if !lines.is_empty() {
            let fixed = rows.len() + queue.len() + parts.len() + 2;
            let room =
                if this.log.is_some() { (height / 5).max(3).min(height.saturating_sub(fixed + 6)) } else { height.saturating_sub(fixed) };
            for (line, run) in this.list(scene, &all, marked, (width, room.max(1)), &mut rows) {
                self.drawn.show(area, line, (run.id.clone(), None));
            }
            rows.extend(queue);
        }
        if let Some(run) = marked {
            for (line, columns, step) in places {
                self.drawn.show_part(area, rows.len() + line, columns, (run.id.clone(), Some(step)));
            }
        }
        rows.extend(parts);
        if let Some(log) = &this.log {
            let left = height.saturating_sub(rows.len());
            rows.extend(log.rows(scene, this.pane == Pane::Log, width, left));
        }
        for (y, row) in (0..area.height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
    }

    /// Adds the list; which line of all rows shows which run.
    fn list<'r>(
        &self,
        scene: &Scene<'_>,
        all: &[&'r Run],
        marked: Option<&Run>,
        (width, room): (usize, usize),
        rows: &mut Vec<Row>,
    ) -> Vec<(usize, &'r Run)> {
        let listed = self.listed(all);
        let mut rule = Row::rule(scene.theme, &format!("{}, newest first", words::counted(listed.len(), "run", "runs")));
        if listed.len() < all.len() {
            rule.end(Role::Watched, format!("{} newer, {} to update ", all.len() - listed.len(), scene.keymap.shown(Command::Update)));
        }
        if self.log.is_some() {
            let tab = scene.keymap.shown(Command::NextPane);
            rule.end(Role::Quiet, if self.pane == Pane::Runs { "keys here ".to_owned() } else { format!("{tab} to here ") });
        }
        rows.push(rule);
        if listed.is_empty() {
            return Vec::new();
        }
        let columns = Columns::of(scene, &listed, width);
        rows.push(columns.heading());
        let here = listed.iter().position(|run| marked.is_some_and(|marked| marked.id == run.id)).unwrap_or(0);
        let skip = (here + 1).saturating_sub(room);
        let in_sight = (rows.len()..).zip(listed.iter().skip(skip).take(room).copied()).collect::<Vec<_>>();
        rows.extend(in_sight.iter().map(|(_, run)| columns.row(scene, run, marked.is_some_and(|marked| marked.id == run.id))));
        in_sight
    }

    /// The marked run: why, from what, its times, its steps as a line, and the marked step; and where each step stands.
    fn run_in_full(&self, scene: &Scene<'_>, target: &Target, run: &Run, (width, most): (usize, usize)) -> (Vec<Row>, Vec<steps::Place>) {
        let step = self.marked_step(run);
        let mut rule = Row::rule(scene.theme, &format!("steps of {}", run.id));
        if let Some(place) = step.and_then(|marked| run.steps.iter().position(|step| step.number == marked.number)) {
            let keys = format!("{} {}", scene.keymap.shown(Command::Left), scene.keymap.shown(Command::Right));
            rule.end(Role::Quiet, format!("{} of {}, {keys} ", place + 1, run.steps.len()));
        }
        let mut rows = vec![rule];
        rows.extend(gates::rows(scene, target, run, width));
        rows.push(times(scene, run));
        if let Some(origin) = origin(run) {
            rows.extend(wrap(&origin, width.saturating_sub(4)).into_iter().take(2).map(|line| Row::of(Role::Quiet, format!("   {line}"))));
        }
        if run.steps.is_empty() {
            let text = if run.state == RunState::Queued { "it has not begun: no worker has taken it" } else { "the steps are being read" };
            rows.push(Row::of(Role::Quiet, format!("   {text}")));
            return (rows, Vec::new());
        }
        let (lines, mut places) = steps::lines(scene, run, step, width, most);
        for (line, ..) in &mut places {
            *line += rows.len();
        }
        rows.extend(lines);
        if let Some(step) = step {
            rows.push(marked(scene, run, step));
        }
        (rows, places)
    }
}

/// The marked step in words, and its logs.
fn marked(scene: &Scene<'_>, run: &Run, step: &RunStep) -> Row {
    let (mark, role, word) = steps::of_step(scene, run, step);
    let mut row = Row::new();
    row.at(3).add(role, format!("{} ", scene.glyph(mark))).add(Role::Strong, step.name.as_str()).add(role, format!(" {word}"));
    row.add(Role::Plain, format!(" {}", steps::lasted(scene, step.started.as_ref(), step.ended.as_ref())));
    if !step.words.is_empty() {
        row.add(Role::Quiet, format!("  {}", step.words));
    }
    let key = scene.keymap.shown(Command::Logs);
    match step.logs.as_slice() {
        [] => row.end(Role::Quiet, " no log "),
        [log] => row.end(Role::Key, format!("  {key} ")).end(
            Role::Quiet,
            format!("{}, {} ", log.name, words::counted(usize::try_from(log.lines).unwrap_or(usize::MAX), "line", "lines")),
        ),
        logs => row.end(Role::Key, format!("  {key} ")).end(Role::Quiet, format!("{} logs ", logs.len())),
    };
    row
}

fn origin(run: &Run) -> Option<String> {
    let mut said = Vec::new();
    if !run.revision.is_empty() {
        let on = if run.branch.is_empty() { String::new() } else { format!(" on {}", run.branch) };
        said.push(format!("{}{on}", short(run.revision.as_str())));
    }
    if let Some(of) = run.retry_of {
        said.push(format!("again {}/{of}", run.id.backend));
    }
    if let Some(attempt) = run.attempt.filter(|attempt| *attempt > 1) {
        said.push(format!("attempt {attempt}"));
    }
    said.extend([&run.reason, &run.words].into_iter().filter(|text| !text.is_empty()).map(ToString::to_string));
    (!said.is_empty()).then(|| said.join(", "))
}

/// A commit in 8 digits; anything else whole.
fn short(revision: &str) -> &str {
    let commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit { revision.get(..8).unwrap_or(revision) } else { revision }
}

fn times(scene: &Scene<'_>, run: &Run) -> Row {
    let mut row = Row::new();
    row.at(3);
    let mut said = Vec::new();
    if let Some(asked) = &run.asked {
        said.push(format!("asked {}", scene.zone.minute(asked, &scene.now.wall)));
    }
    match (&run.asked, &run.started) {
        (Some(asked), Some(started)) => said.push(format!("waited {}", words::span(words::ago(asked, started).as_secs()))),
        (None, Some(started)) => said.push(format!("begun {}", scene.zone.minute(started, &scene.now.wall))),
        (Some(asked), None) => said.push(format!("waits {}", scene.ago(asked))),
        (None, None) => said.push("not begun".to_owned()),
    }
    if run.started.is_some() {
        said.push(format!("works {}", steps::lasted(scene, run.started.as_ref(), run.ended.as_ref())));
    }
    if !run.by.is_empty() {
        said.push(format!("by {}", run.by));
    }
    row.add(Role::Plain, said.join(", "));
    row
}

fn began(run: &Run) -> Option<&DateTime<Utc>> {
    run.started.as_ref().or(run.asked.as_ref())
}

/// What a run builds or deploys, as far as it is known: the version, else the digest, else the commit; and where to.
fn builds(scene: &Scene<'_>, run: &Run) -> String {
    let said = |what: &str, placeholder: &str| {
        let mut names = properties_with(scene, run, placeholder);
        names.push(what);
        names.into_iter().find_map(|name| run.properties.get(name)).filter(|text| !text.is_empty()).map(ToString::to_string)
    };
    let digest = || said("digest", "$digest").map(|digest| digest8(&digest).to_owned());
    let commit = || (!run.revision.is_empty()).then(|| short(run.revision.as_str()).to_owned());
    let what = said("version", "$version").or_else(digest).or_else(commit).unwrap_or_else(|| "-".to_owned());
    match said("environment", "$environment") {
        Some(environment) => format!("{what} {environment}"),
        None => what,
    }
}

/// The properties that the configuration fills with a placeholder, of every pipeline of that builder.
fn properties_with<'a>(scene: &'a Scene<'_>, run: &Run, placeholder: &str) -> Vec<&'a str> {
    let services = scene.world.catalog.services.values();
    let pipelines =
        services.flat_map(|service| service.pipeline.iter().chain(service.deploy.values().filter_map(|deploy| deploy.deploy.as_ref())));
    let of_it = pipelines.filter(|pipeline| pipeline.backend == run.id.backend && pipeline.builder == run.builder.as_str());
    of_it
        .flat_map(|pipeline| &pipeline.properties)
        .filter(|(_, value)| value.as_str() == placeholder)
        .map(|(name, _)| name.as_str())
        .collect()
}

/// A digest in 8 digits behind its algorithm.
fn digest8(digest: &str) -> &str {
    let digits = digest.find(':').map_or(0, |colon| colon + 1);
    digest.get(..digits + 8).unwrap_or(digest)
}

/// The cells under which a reason is only shown with its run in full.
const LEAST_REASON: usize = 16;

/// Where the columns of the list of runs begin.
struct Columns {
    builder: usize,
    state: usize,
    begun: usize,
    took: usize,
    version: usize,
    by: usize,
    /// None where there is no room for words.
    reason: Option<usize>,
}

impl Columns {
    fn of(scene: &Scene<'_>, runs: &[&Run], width: usize) -> Self {
        let widest = |least: usize, of: &dyn Fn(&Run) -> usize| runs.iter().map(|run| of(run)).max().unwrap_or(0).max(least) + 2;
        let builder = 3 + widest(3, &|run| cells(&run.id.to_string()));
        let state = builder + widest(7, &|run| cells(run.builder.as_str()));
        let begun = state + widest(5, &|run| run.state.word().len());
        // An age in two units takes five cells: this many beside the time of day.
        let took = begun + widest(5, &|run| began(run).map_or(0, |began| cells(&scene.zone.minute(began, &scene.now.wall)) + 6));
        let version = took + 7;
        let by = version + widest(7, &|run| cells(&builds(scene, run)));
        let reason = by + widest(2, &|run| cells(run.by.as_str()));
        Self { builder, state, begun, took, version, by, reason: Some(reason).filter(|reason| reason + LEAST_REASON <= width) }
    }

    fn heading(&self) -> Row {
        let mut row = Row::new();
        let names = [
            (3, "run"),
            (self.builder, "builder"),
            (self.state, "state"),
            (self.begun, "begun, ago"),
            (self.took, "took"),
            (self.version, "version"),
            (self.by, "by"),
        ];
        for (column, name) in names.into_iter().chain(self.reason.map(|column| (column, "reason"))) {
            row.at(column).add(Role::Quiet, name);
        }
        row
    }

    fn row(&self, scene: &Scene<'_>, run: &Run, here: bool) -> Row {
        let (mark, role, word) = steps::of_run(scene, run);
        let name = if here { Role::Strong } else { Role::Plain };
        let mut row = Row::of(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
        row.add(role, scene.glyph(mark)).at(3).add(name, run.id.to_string()).at(self.builder).add(Role::Plain, run.builder.as_str());
        row.at(self.state).add(role, word).at(self.begun);
        if let Some(began) = began(run) {
            row.add(Role::Plain, scene.zone.minute(began, &scene.now.wall)).add(Role::Quiet, format!(" {}", scene.ago(began)));
        }
        row.at(self.took).add(Role::Plain, steps::lasted(scene, run.started.as_ref(), run.ended.as_ref()));
        row.at(self.version).add(Role::Plain, builds(scene, run));
        row.at(self.by).add(Role::Plain, run.by.as_str());
        if let Some(column) = self.reason {
            row.at(column).add(Role::Quiet, run.reason.as_str());
        }
        row
    }
}
