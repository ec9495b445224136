//! The board: does anything need me, and what happens next?

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::standing::Standing;
use crate::control::world::World;
use crate::model::name::{EnvironmentName, Target};
use crate::model::reading::Freshness;
use crate::model::time::Moment;

use crate::ui::needs::{self, NeedRow};
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role, of_standing};
use crate::ui::widgets::estate::{self, Line};
use crate::ui::words;

/// What the board remembers for its operator.
#[derive(Debug, Default)]
pub struct Board {
    made_of: Option<(u64, Vec<Freshness>, usize)>,
    lines: Vec<Line>,
    needs: Vec<NeedRow>,
    newer: usize,
    cursor: Option<Target>,
    offset: usize,
    page: usize,
    touched: bool,
    in_hand: bool,
    filter: String,
}

impl Board {
    /// Looks at the world again when it changed; the list keeps its order while it is in somebody's hand.
    pub fn refresh(&mut self, world: &World, now: &Moment) {
        let sources = world.sources.values().map(|source| source.freshness(now)).collect();
        let waiting = world.waiting_at(now).count();
        let made_of = Some((world.generation, sources, waiting));
        if made_of == self.made_of && !self.lines.is_empty() {
            return;
        }
        self.made_of = made_of;
        let standings = needs::standings(world, now);
        self.needs = needs::needs(world, now, &standings);
        let mut fresh = lines(world, &standings);
        fresh.sort_by(|a, b| (a.standing, &a.service).cmp(&(b.standing, &b.service)));
        if self.in_hand && fresh.len() == self.lines.len() {
            self.newer = fresh.iter().zip(&self.lines).filter(|(new, old)| new.service != old.service).count();
            let by_name: std::collections::BTreeMap<_, _> = fresh.iter().map(|line| (&line.service, line)).collect();
            for line in &mut self.lines {
                if let Some(new) = by_name.get(&line.service) {
                    line.standing = new.standing;
                    line.environment.clone_from(&new.environment);
                }
            }
        } else {
            self.lines = fresh;
            self.newer = 0;
        }
        if !self.touched || self.cursor.as_ref().is_none_or(|target| !self.lines.iter().any(|line| line.service == target.service)) {
            self.cursor = self.lines.first().map(target_of);
        }
    }

    /// The one target.
    pub fn target(&self) -> Option<&Target> {
        self.cursor.as_ref()
    }

    /// Puts the cursor on a target.
    pub fn mark(&mut self, target: &Target) {
        self.touched = true;
        self.cursor = Some(target.clone());
    }

    /// From now on the cursor stays where it is, whatever the list does.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Lets go of the list: it sorts itself again.
    pub fn let_go(&mut self) {
        self.in_hand = false;
        self.made_of = None;
    }

    /// Whether the list is held still under the operator's cursor.
    pub fn in_hand(&self) -> bool {
        self.in_hand
    }

    /// The words by which the list is filtered.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Filters the list.
    pub fn set_filter(&mut self, typed: &str) {
        typed.clone_into(&mut self.filter);
        self.touched = true;
        let shown = self.shown();
        if let Some(first) = shown.first()
            && !shown.iter().any(|line| self.cursor.as_ref().is_some_and(|target| target.service == line.service))
        {
            self.cursor = Some(target_of(first));
        }
    }

    fn shown(&self) -> Vec<Line> {
        if self.filter.is_empty() { self.lines.clone() } else { self.matching().cloned().collect() }
    }

    fn matching(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| self.filter.is_empty() || words::found(&target_of(line), &self.filter))
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        self.in_hand = true;
        self.touched = true;
        let count = self.matching().count();
        let Some(last) = count.checked_sub(1) else { return };
        let here = self.place().unwrap_or(0);
        let there = here.saturating_add_signed(by).min(last);
        if there != here || self.place().is_none() {
            let found = self.matching().nth(there).map(target_of);
            self.cursor = found;
        }
    }

    /// Moves the cursor by pages.
    pub fn page(&mut self, by: isize) {
        let page = isize::try_from(self.page.max(2) - 1).unwrap_or(1);
        self.step(by.saturating_mul(page));
    }

    /// Moves the cursor to another environment of its service.
    pub fn turn(&mut self, world: &World, by: isize) {
        self.touched = true;
        let Some(target) = &self.cursor else { return };
        let Some(service) = world.catalog.services.get(&target.service) else { return };
        let names: Vec<_> =
            world.catalog.environments.iter().map(|env| &env.name).filter(|name| service.deploy.contains_key(*name)).collect();
        let here = names.iter().position(|name| **name == target.environment).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(names.len().saturating_sub(1));
        if let Some(name) = names.get(there) {
            self.cursor = Some(Target::new(target.service.clone(), (*name).clone()));
        }
    }

    fn place(&self) -> Option<usize> {
        let target = self.cursor.as_ref()?;
        self.matching().position(|line| line.service == target.service)
    }

    /// Draws the board's body.
    pub fn draw(&mut self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        if scene.world.catalog.services.is_empty() {
            nothing_configured(scene, buffer, area);
            return;
        }
        let height = usize::from(area.height);
        let next = needs::by_itself(scene.world, scene.now);
        let next_rows = if height < 10 { 1 } else { next.len().clamp(1, 4) + 1 };
        let room = height.saturating_sub(next_rows + 2);
        let most = (room / 4).clamp(1, 5);
        let mut rows = self.need_rows(scene, most, usize::from(area.width));
        rows.truncate(room.saturating_sub(2).max(1));
        let list_height = height.saturating_sub(rows.len() + 1 + next_rows);
        self.list_rows(scene, usize::from(area.width), list_height, &mut rows);
        while rows.len() < height.saturating_sub(next_rows) {
            rows.push(Row::new());
        }
        rows.push(Row::rule(scene.theme, "next by itself"));
        if next.is_empty() {
            rows.push(Row::of(Role::Quiet, " gonogo moves nothing by itself; other hands can"));
        }
        for event in next.iter().take(4) {
            rows.push(by_itself_row(scene, event));
        }
        for (y, row) in (0..area.height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
    }

    fn need_rows(&self, scene: &Scene<'_>, most: usize, width: usize) -> Vec<Row> {
        let counts = counted(self.needs.iter().map(|need| need.standing));
        let heading = if self.needs.is_empty() {
            "needs you 0: nothing waits for a person".to_owned()
        } else {
            format!("needs you {}: {counts}", self.needs.len())
        };
        let mut rule = Row::rule(scene.theme, &heading);
        if self.needs.len() > most {
            rule.end(Role::Watched, format!("{} not shown ", self.needs.len() - most));
        }
        let mut rows = vec![rule];
        let subject = self.needs.iter().take(most).map(|need| cells(&need.subject)).max().unwrap_or(0).min(width / 3);
        for need in self.needs.iter().take(most) {
            rows.extend(self.need(scene, need, subject));
        }
        rows
    }

    fn need(&self, scene: &Scene<'_>, need: &NeedRow, subject: usize) -> [Row; 2] {
        let (mark, role) = of_standing(need.standing);
        let here = need.target.is_some() && need.target.as_ref() == self.cursor.as_ref();
        let mut row = Row::new();
        row.add(Role::Strong, if here { scene.glyph(Mark::Cursor) } else { " " });
        row.add(role, format!("{} {}", scene.glyph(mark), need.subject)).at(subject + 4).add(Role::Plain, need.what.clone());
        let mut second = Row::new();
        second.at(3);
        if let Some(by) = &need.by {
            second.add(Role::Strong, format!("{} ({}) ", scene.zone.time(by), scene.left(by))).add(Role::Plain, need.otherwise.clone());
        } else {
            if let Some(since) = &need.since {
                second.add(Role::Quiet, format!("{} for {}; ", need.standing.word(), scene.ago(since)));
            }
            second.add(Role::Quiet, need.otherwise.clone());
        }
        if let (Some(since), true) = (&need.since, need.by.is_some()) {
            second.add(Role::Quiet, format!("; asked {} ago", scene.ago(since)));
        }
        // The first row belongs to what is wrong, with its counts; who has it stands beside what to press.
        match &need.holder {
            Some(holder) => second.end(Role::Quiet, format!(" {holder} has it  ")),
            None => second.end(Role::Watched, " nobody has it  "),
        };
        let key = scene.keymap.shown(need.command);
        if let (Some(entry), false) = (need.command.entry(), key.is_empty()) {
            second.end(Role::Key, format!(" {key} "));
            second.end(Role::Plain, format!("{} ", entry.label));
        }
        [row, second]
    }

    fn list_rows(&mut self, scene: &Scene<'_>, width: usize, height: usize, rows: &mut Vec<Row>) {
        let count = self.matching().count();
        let counts = counted(self.lines.iter().map(|line| line.standing));
        let heading = if self.filter.is_empty() {
            format!("services {}: {counts}", self.lines.len())
        } else {
            format!("services {count} of {} found by `{}`", self.lines.len(), self.filter)
        };
        let mut rule = Row::rule(scene.theme, &heading);
        let body = height.saturating_sub(1);
        self.page = body;
        let here = self.place().unwrap_or(0);
        self.offset = self.offset.min(count.saturating_sub(body)).min(here);
        if here >= self.offset + body {
            self.offset = (here + 1).saturating_sub(body);
        }
        if self.newer > 0 {
            let key = scene.keymap.shown(crate::ui::command::Command::Update);
            rule.end(Role::Watched, format!("{} newer, {key} to update ", self.newer));
        }
        if count > body {
            rule.end(Role::Quiet, format!("{} to {} of {count} ", self.offset + 1, (self.offset + body).min(count)));
        }
        rows.push(rule);
        if count == 0 {
            rows.push(Row::of(Role::Quiet, "   nothing is found by that; Esc shows all again"));
            return;
        }
        let visible: Vec<Line> = self.matching().skip(self.offset).take(body).cloned().collect();
        let columns = estate::Columns::of(scene, &visible, width);
        rows.push(columns.heading(scene));
        for line in &visible {
            rows.push(columns.row(scene, line, self.cursor.as_ref()));
        }
    }
}

/// A thing that happens by itself, clock time before remainder.
pub fn by_itself_row(scene: &Scene<'_>, event: &crate::control::standing::ByItself) -> Row {
    let mut row = Row::new();
    row.add(Role::Plain, " ");
    match &event.due {
        Some(due) => row.add(Role::Strong, scene.zone.time(due)).add(Role::Plain, format!(" ({})", scene.left(due))),
        None => row.add(Role::Quiet, "not foretold"),
    };
    row.at(20).add(Role::Plain, event.target.to_string());
    row.at(40).add(Role::Plain, event.text.clone());
    row
}

fn target_of(line: &Line) -> Target {
    Target::new(line.service.clone(), line.environment.clone())
}

/// The worst standing of each service; between equals the environment that is nearest to production.
fn lines(world: &World, standings: &[(Target, Standing)]) -> Vec<Line> {
    let order = |name: &EnvironmentName| world.catalog.environment(name).map_or(0, |environment| environment.order);
    let mut lines: Vec<Line> = Vec::new();
    for (target, standing) in standings {
        let line = Line { service: target.service.clone(), standing: *standing, environment: target.environment.clone() };
        match lines.last_mut().filter(|last| last.service == target.service) {
            Some(last) => {
                if (*standing, std::cmp::Reverse(order(&target.environment))) < (last.standing, std::cmp::Reverse(order(&last.environment)))
                {
                    *last = line;
                }
            }
            None => lines.push(line),
        }
    }
    lines
}

/// `1 abnormal, 2 unknown`, the worst first.
fn counted(standings: impl Iterator<Item = Standing>) -> String {
    let mut counts: std::collections::BTreeMap<Standing, usize> = std::collections::BTreeMap::new();
    for standing in standings {
        *counts.entry(standing).or_default() += 1;
    }
    counts.iter().map(|(standing, count)| format!("{count} {}", standing.word())).collect::<Vec<_>>().join(", ")
}

fn nothing_configured(scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
    Row::rule(scene.theme, "nothing is configured").draw(buffer, area, 0, scene.theme);
    let text = "No service is configured. Write gonogo.toml (`gonogo config example` prints one), check it with `gonogo config check`; this screen follows by itself.";
    for (y, line) in (2..area.height).zip(wrap(text, usize::from(area.width).saturating_sub(4))) {
        Row::of(Role::Plain, format!("  {line}")).draw(buffer, area, y, scene.theme);
    }
}
