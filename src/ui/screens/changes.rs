//! Changes: which plans wait, what blocks each, who has agreed, who still could, and what the reader can do now.

mod booking;
mod ended;
mod queue;
mod said;
mod whole;

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::approval::Waiting;
use crate::model::name::PlanId;
use crate::model::time::Moment;
use crate::ui::command::Command;
use crate::ui::plans::{self, Queued, asked, queue};
use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::Role;

/// From this width on the marked plan stands in two columns.
const TWO_COLUMNS: u16 = 150;

/// What the screen remembers for its operator.
#[derive(Debug, Default)]
pub struct ChangesScreen {
    /// The marked plan; none: the first.
    cursor: Option<PlanId>,
    /// Where the mark was drawn last: a plan that has gone leaves it to whoever stands there now.
    place: Cell<usize>,
    open: bool,
    scroll: usize,
    furthest: Cell<usize>,
    page: Cell<usize>,
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
        if self.open {
            return self.scroll_by(by);
        }
        let listed = queue(world, now);
        let there = self.here(&listed).saturating_add_signed(by).min(listed.len().saturating_sub(1));
        let plan = listed.get(there).map(|one| one.plan.id);
        if plan != self.cursor {
            self.scroll = 0;
        }
        self.cursor = plan;
        self.place.set(there);
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
        self.step(world, now, 0);
        (self.open, self.scroll) = (self.marked(world, now).is_some(), 0);
    }

    /// Leaves the open plan; false when none was open.
    pub fn close(&mut self) -> bool {
        self.scroll = 0;
        std::mem::take(&mut self.open)
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        let listed = queue(scene.world, scene.now);
        let here = self.here(&listed);
        self.place.set(here);
        let marked = listed.get(here).map(|one| plans::queued(scene.world, one, scene.now));
        if let (true, Some(marked)) = (self.open, &marked) {
            self.draw_plan(scene, marked, buffer, area);
            return;
        }
        let height = usize::from(area.height);
        let mut rows = queue::rows(scene, &listed, here, (height / 3).max(2), usize::from(area.width));
        let ended = if height < 30 { Vec::new() } else { ended::rows(scene, 3) };
        let said = [ended, said::rows(scene, if height < 30 { 2 } else { 6 })].concat();
        let place = rows.len();
        if marked.is_none() {
            rows.extend(
                queue::empty(scene)
                    .iter()
                    .flat_map(|text| wrap(text, usize::from(area.width).saturating_sub(4)))
                    .map(|line| Row::of(Role::Plain, format!("   {line}"))),
            );
        }
        for (y, row) in (0..area.height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
        let from = height.saturating_sub(said.len()).max(place);
        if let Some(marked) = &marked {
            let (top, tall) = (u16::try_from(place).unwrap_or(0), u16::try_from(from - place).unwrap_or(0));
            self.draw_plan(scene, marked, buffer, Rect { y: area.y + top, height: tall, ..area });
        }
        for (y, row) in (u16::try_from(from).unwrap_or(0)..area.height).zip(&said) {
            row.draw(buffer, area, y, scene.theme);
        }
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
            let key = if self.open { keys.shown(Command::Down) } else { keys.shown(Command::PageDown) };
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
