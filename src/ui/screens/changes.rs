//! Changes: which plans wait, what blocks each, who has agreed, who still could, and what the reader can do now.

mod board_pack;
mod booking;
mod calendar;
mod day;
mod ended;
mod grants;
mod queue;
mod said;
mod whole;

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::control::world::World;
use crate::model::approval::Waiting;
use crate::model::name::PlanId;
use crate::model::time::Moment;
use crate::ui::command::Command;
use crate::ui::lines::{Lines, Pressed};
use crate::ui::plans::{self, Queued, asked, queue};
use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::Role;

/// From this width on the marked plan stands in two columns.
const TWO_COLUMNS: u16 = 150;
/// Below this height the calendar stands in words beside a marked plan.
const SHORT: usize = 28;

/// What fills the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shows {
    /// Everything.
    #[default]
    All,
    /// The marked plan.
    Plan,
    /// The calendar.
    Calendar,
    /// The advisory board's pack.
    Pack,
}

/// What the screen remembers for its operator.
#[derive(Debug, Default)]
pub struct ChangesScreen {
    /// The marked plan; none: the first.
    cursor: Option<PlanId>,
    /// Where the mark was drawn last: a plan that has gone leaves it to whoever stands there now.
    place: Cell<usize>,
    shows: Shows,
    calendar: calendar::Calendar,
    scroll: usize,
    furthest: Cell<usize>,
    page: Cell<usize>,
    /// The plans that stand on the glass.
    drawn: Lines<PlanId>,
}

impl ChangesScreen {
    fn here(&self, listed: &[&Waiting]) -> usize {
        let found = self.cursor.and_then(|plan| listed.iter().position(|one| one.plan.id == plan));
        found.unwrap_or_else(|| self.place.get()).min(listed.len().saturating_sub(1))
    }

    /// The marked plan.
    pub fn marked<'a>(&self, world: &'a World, now: &Moment) -> Option<&'a Waiting> {
        let listed = queue(world, now);
        listed.get(self.here(&listed)).copied()
    }

    /// Marks the oldest plan of a target, where one waits.
    pub fn mark(&mut self, world: &World, now: &Moment, target: &crate::model::name::Target) {
        if self.marked(world, now).is_some_and(|one| one.plan.target() == target) {
            return;
        }
        if let Some(one) = queue(world, now).iter().find(|one| one.plan.target() == target) {
            (self.cursor, self.scroll) = (Some(one.plan.id), 0);
        }
    }

    /// Moves the mark, or scrolls the open plan.
    pub fn step(&mut self, world: &World, now: &Moment, by: isize) {
        if self.shows != Shows::All {
            return self.scroll_by(by);
        }
        let listed = queue(world, now);
        let there = self.here(&listed).saturating_add_signed(by).min(listed.len().saturating_sub(1));
        self.stand(&listed, there);
    }

    fn stand(&mut self, listed: &[&Waiting], there: usize) {
        let plan = listed.get(there).map(|one| one.plan.id);
        if plan != self.cursor {
            self.scroll = 0;
            self.calendar.follow();
        }
        self.cursor = plan;
        self.place.set(there);
    }

    /// Marks the plan that is shown there.
    pub fn press(&mut self, world: &World, now: &Moment, at: Position) -> Pressed {
        let listed = queue(world, now);
        let plan = self.drawn.at(at);
        let Some(there) = plan.and_then(|plan| listed.iter().position(|one| one.plan.id == plan)) else { return Pressed::Nothing };
        let is_marked = self.here(&listed) == there;
        self.stand(&listed, there);
        if is_marked { Pressed::Again } else { Pressed::Marked }
    }

    /// Scrolls the marked plan by pages.
    pub fn turn_page(&mut self, by: isize) {
        let page = isize::try_from(self.page.get().max(2) - 1).unwrap_or(1);
        self.scroll_by(by.saturating_mul(page));
    }

    fn scroll_by(&mut self, by: isize) {
        self.scroll = self.scroll.min(self.furthest.get()).saturating_add_signed(by).min(self.furthest.get());
    }

    /// Shows the marked plan alone.
    pub fn look(&mut self, world: &World, now: &Moment) {
        self.shows = Shows::All;
        self.step(world, now, 0);
        let shows = if self.marked(world, now).is_some() { Shows::Plan } else { Shows::All };
        (self.shows, self.scroll) = (shows, 0);
    }

    /// Shows the calendar alone, or no more.
    pub fn show_calendar(&mut self) {
        self.toggle(Shows::Calendar);
    }

    /// Shows the advisory board's pack, or no more.
    pub fn show_pack(&mut self) {
        self.toggle(Shows::Pack);
    }

    fn toggle(&mut self, what: Shows) {
        let shows = if self.shows == what { Shows::All } else { what };
        (self.shows, self.scroll) = (shows, 0);
    }

    /// Chooses another environment for the calendar.
    pub fn turn(&mut self, world: &World, now: &Moment, by: isize) {
        let marked = self.marked(world, now).map(|one| one.plan.target().environment.clone());
        self.calendar.turn(world, marked.as_ref(), by);
    }

    /// Chooses another day of the calendar.
    pub fn walk(&mut self, world: &World, by: isize) {
        self.calendar.walk(world, by);
    }

    /// Leaves what is shown alone, or the chosen day; false when there was neither.
    pub fn close(&mut self) -> bool {
        self.scroll = 0;
        std::mem::take(&mut self.shows) != Shows::All || self.calendar.let_go()
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        self.drawn.forget();
        let listed = queue(scene.world, scene.now);
        let here = self.here(&listed);
        self.place.set(here);
        let marked = listed.get(here).map(|one| plans::queued(scene.world, one, scene.now));
        match (self.shows, &marked) {
            (Shows::Plan, Some(marked)) => return self.draw_plan(scene, marked, buffer, area),
            (Shows::Calendar, _) => {
                let environment = marked.as_ref().map(|one| &one.waiting.plan.target().environment);
                let rows = self.calendar.rows(scene, environment, usize::from(area.width), None);
                return self.draw_alone(scene, &rows, buffer, area);
            }
            (Shows::Pack, _) => {
                let rows = board_pack::rows(scene, usize::from(area.width));
                return self.draw_alone(scene, &rows, buffer, area);
            }
            (Shows::All, _) | (Shows::Plan, None) => {}
        }
        let height = usize::from(area.height);
        let environment = marked.as_ref().map(|one| &one.waiting.plan.target().environment);
        // On a wide glass the calendar stands beside the queue, else below it.
        let beside = area.width >= TWO_COLUMNS;
        let left = if beside { Rect { width: area.width / 2 - 1, ..area } } else { area };
        let (mut rows, first) = queue::rows(scene, &listed, here, (height / 3).max(2), usize::from(left.width));
        for (line, one) in (1..rows.len()).zip(listed.iter().skip(first).flat_map(|one| [one, one])) {
            self.drawn.show(left, line, one.plan.id);
        }
        let ended = if height < 30 { Vec::new() } else { ended::rows(scene, 3) };
        let grants = grants::rows(scene, if height < 30 { 1 } else { 3 });
        let said = [ended, grants, said::rows(scene, if height < 30 { 1 } else { 6 })].concat();
        if marked.is_none() {
            let lines = queue::empty(scene);
            let lines = lines.iter().flat_map(|text| wrap(text, usize::from(left.width).saturating_sub(4)));
            rows.extend(lines.map(|line| Row::of(Role::Plain, format!("   {line}"))));
        }
        // The next window and freeze in words, and a line a kind, fit on the smallest glass.
        let most = (height / 3).max(10);
        let right = Rect { x: area.x + area.width / 2, width: area.width - area.width / 2, ..area };
        let below = Rect { y: area.y + u16::try_from(rows.len()).unwrap_or(0), ..area };
        let place = if beside { right } else { below };
        // On a short glass what blocks the marked plan needs the room more than the two weeks do.
        let brief = height < SHORT && !beside && marked.is_some() && !self.calendar.has_day();
        let calendar = if brief {
            self.calendar.brief(scene, environment, usize::from(place.width))
        } else {
            self.calendar.rows(scene, environment, usize::from(place.width), Some(most))
        };
        draw_rows(&rows, scene, buffer, left);
        let tall = Rect { height: area.height.saturating_sub(place.y - area.y), ..place };
        draw_rows(&calendar, scene, buffer, tall);
        let taken = if beside { rows.len().max(calendar.len()) } else { rows.len() + calendar.len() };
        let from = height.saturating_sub(said.len()).max(taken);
        if let Some(marked) = &marked {
            let (top, tall) = (u16::try_from(taken).unwrap_or(0), u16::try_from(from - taken).unwrap_or(0));
            self.draw_plan(scene, marked, buffer, Rect { y: area.y + top, height: tall, ..area });
        }
        for (y, row) in (u16::try_from(from).unwrap_or(0)..area.height).zip(&said) {
            row.draw(buffer, area, y, scene.theme);
        }
    }

    /// Rows that fill the body, from where they were scrolled to.
    fn draw_alone(&self, scene: &Scene<'_>, rows: &[Row], buffer: &mut Buffer, area: Rect) {
        let room = usize::from(area.height);
        self.furthest.set(rows.len().saturating_sub(room));
        self.page.set(room);
        let first = self.scroll.min(self.furthest.get());
        draw_rows(rows.get(first..).unwrap_or_default(), scene, buffer, area);
    }

    /// The marked plan in full, as far as there is room from where it was scrolled to.
    fn draw_plan(&self, scene: &Scene<'_>, marked: &Queued<'_>, buffer: &mut Buffer, area: Rect) {
        let plan = &marked.waiting.plan;
        let room = usize::from(area.height.saturating_sub(1));
        let two = area.width >= TWO_COLUMNS;
        let left = Rect { width: if two { area.width / 2 } else { area.width }, ..area };
        let right = Rect { x: area.x + left.width, width: area.width - left.width, ..area };
        let columns: Vec<(Rect, Vec<Row>)> = if two {
            let wide = |area: Rect| usize::from(area.width.saturating_sub(1));
            vec![(left, whole::verdict_rows(scene, marked, wide(left))), (right, whole::plan_rows(scene, marked, wide(right)))]
        } else {
            let wide = usize::from(area.width);
            vec![(left, [whole::verdict_rows(scene, marked, wide), whole::plan_rows(scene, marked, wide)].concat())]
        };
        let long = columns.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
        self.furthest.set(long.saturating_sub(room));
        self.page.set(room);
        let first = self.scroll.min(self.furthest.get());
        let mut rule = Row::rule(scene.theme, &format!("plan {}: {} {}", plan.id.short(), asked(plan), plan.target()));
        if long > room {
            let keys = scene.keymap;
            let key = if self.shows == Shows::Plan { keys.shown(Command::Down) } else { keys.shown(Command::PageDown) };
            rule.end(Role::Quiet, format!("{} to {} of {long}, {key} the rest ", first + 1, (first + room).min(long)));
        }
        rule.draw(buffer, area, 0, scene.theme);
        for (place, rows) in &columns {
            for (y, row) in (1..area.height).zip(rows.iter().skip(first)) {
                row.draw(buffer, *place, y, scene.theme);
            }
        }
    }
}

fn draw_rows(rows: &[Row], scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
    for (y, row) in (0..area.height).zip(rows) {
        row.draw(buffer, area, y, scene.theme);
    }
}
