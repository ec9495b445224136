//! Changes: which plans wait, what blocks each, who has agreed, who still could, and what the reader can do now.

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::approval::{Decision, Waiting};
use crate::model::name::PlanId;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;

use crate::ui::command::Command;
use crate::ui::plans::{self, Part, Queued, asked, queue};
use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::screens::plan::{gate, sections};
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

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
        let mut rows = queue_rows(scene, &listed, here, (height / 3).max(2), usize::from(area.width));
        let said = said_rows(scene, if height < 30 { 2 } else { 6 });
        let place = rows.len();
        if marked.is_none() {
            rows.extend(
                empty(scene)
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
            vec![(left, verdict_rows(scene, marked, wide(left))), (right, plan_rows(scene, marked, wide(right)))]
        } else {
            let wide = usize::from(area.width);
            vec![(left, [verdict_rows(scene, marked, wide), plan_rows(scene, marked, wide)].concat())]
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

/// The plans that wait, two rows each: what is asked for, of which type, by whom, until when; and what blocks it or is to be done.
fn queue_rows(scene: &Scene<'_>, listed: &[&Waiting], here: usize, room: usize, width: usize) -> Vec<Row> {
    let all: Vec<Queued<'_>> = listed.iter().map(|one| plans::queued(scene.world, one, scene.now)).collect();
    let yours = all.iter().filter(|one| matches!(one.part, Part::MayAgree | Part::MayGo)).count();
    let heading = match all.len() {
        0 => "plans that wait 0".to_owned(),
        n => format!("plans that wait {n}: {yours} for you"),
    };
    let mut rule = Row::rule(scene.theme, &heading);
    let most = (room.saturating_sub(1) / 2).max(1);
    let first = (here + 1).saturating_sub(most).min(all.len().saturating_sub(most));
    if all.len() > most {
        rule.end(Role::Watched, format!("{} to {} of {} ", first + 1, (first + most).min(all.len()), all.len()));
    }
    let mut rows = vec![rule];
    for (place, one) in all.iter().enumerate().skip(first).take(most) {
        rows.extend(queued_rows(scene, one, place == here, width));
    }
    rows
}

fn queued_rows(scene: &Scene<'_>, one: &Queued<'_>, here: bool, width: usize) -> [Row; 2] {
    let plan = &one.waiting.plan;
    let (mark, role) = match one.part {
        Part::MayAgree | Part::MayGo => (Mark::Waits, Role::Waits),
        Part::Blocked => (Mark::Failed, Role::Watched),
        Part::MineWaits | Part::Agreed | Part::Others => (Mark::Held, Role::Plain),
    };
    let mut row = Row::of(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
    row.add(role, format!("{} ", scene.glyph(mark))).add(Role::Strong, format!("{} {}", plan.target(), asked(plan)));
    let until = format!(" ends {} ({}) ", scene.zone.time(&plan.expires), scene.left(&plan.expires));
    let tail = [
        format!(
            "  {} change  asked {} ago by {}  plan {}",
            plan.order.change_type.word(),
            scene.ago(&plan.made),
            plan.intent.requester,
            plan.id.short()
        ),
        format!("  {}  asked {} ago by {}", plan.order.change_type.word(), scene.ago(&plan.made), plan.intent.requester),
        format!("  {}  by {}", plan.order.change_type.word(), plan.intent.requester),
        format!("  by {}", plan.intent.requester),
    ];
    let room = width.saturating_sub(row.width() + cells(&until) + 1);
    row.add(Role::Plain, fit(&tail, room)).end(Role::Quiet, until);
    let mut second = Row::new();
    second.at(3).add(role, fit(&one.forms(), width.saturating_sub(4)));
    [row, second]
}

/// The verdict over the marked plan, what its reader can do, its approvals and its checks.
fn verdict_rows(scene: &Scene<'_>, marked: &Queued<'_>, width: usize) -> Vec<Row> {
    let plan = &marked.waiting.plan;
    let mut page = Page { scene, width, rows: Vec::new() };
    match &marked.verdict {
        Verdict::Permit(_) => page.mark(Mark::Proven, Role::Strong, &format!("may go: {} executes it", plan.intent.requester)),
        Verdict::SecondPerson { .. } => {}
        Verdict::Deny(reasons) => {
            page.mark(Mark::Failed, Role::Watched, &format!("blocked, for {}", words::counted(reasons.len(), "reason", "reasons")));
        }
    }
    for reason in marked.verdict.reasons() {
        page.reason(reason);
    }
    mine(&mut page, marked);
    gate::approvals(&mut page, marked);
    gate::change_type(&mut page, plan);
    gate::checks(&mut page, plan, &marked.fresh.checks);
    page.rows
}

/// What the reader can do to it now, with its keys.
fn mine(page: &mut Page<'_, '_>, marked: &Queued<'_>) {
    let world = page.scene.world;
    let mut can: Vec<String> = Vec::new();
    for decision in [Decision::Approve, Decision::Reject, Decision::Withdraw] {
        if plans::against(world, marked.waiting, decision, page.scene.now).is_empty() {
            can.push(format!("{} {}", page.scene.keymap.shown(Command::Rule(decision)), decision.word()));
        }
    }
    if marked.waiting.plan.intent.requester == world.actor {
        let does = if marked.part == Part::MayGo { "execute" } else { "look at it as a deed" };
        can.push(format!("{} {does}", page.scene.keymap.shown(Command::Execute)));
    }
    let text = if can.is_empty() { "nothing: it is for others".to_owned() } else { can.join(", ") };
    page.say(Role::Quiet, "you can", Role::Plain, &text);
}

/// What the marked plan does, and what was looked at when it was made.
fn plan_rows(scene: &Scene<'_>, marked: &Queued<'_>, width: usize) -> Vec<Row> {
    let plan = &marked.waiting.plan;
    let mut page = Page { scene, width, rows: Vec::new() };
    sections::what(&mut page, plan, false);
    page.say(Role::Quiet, "asked by", Role::Plain, &format!("{}, {} ago", plan.intent.requester, scene.ago(&plan.made)));
    if !plan.intent.reason.is_empty() {
        page.say(Role::Quiet, "reason", Role::Plain, plan.intent.reason.as_str());
    }
    sections::how(&mut page, plan);
    sections::cost(&mut page, plan);
    sections::evidence(&mut page, plan);
    page.rows
}

/// What was said last about plans, and what was denied.
fn said_rows(scene: &Scene<'_>, most: usize) -> Vec<Row> {
    let mut rows = vec![Row::rule(scene.theme, "said and denied last")];
    for entry in plans::said(scene.world).take(most) {
        let of = entry.requester.as_deref().unwrap_or(&entry.signer);
        let mut row = Row::new();
        row.at(3).add(Role::Quiet, scene.zone.minute(&entry.at, &scene.now.wall));
        row.at(10).add(super::entry::looks(entry.kind), entry.kind.word());
        let plan = entry.deed.map(|plan| format!(" {}", plan.short())).unwrap_or_default();
        let (verb, target) = (entry.verb.as_deref().unwrap_or_default(), entry.target.as_deref().unwrap_or_default());
        row.at(22).add(Role::Plain, format!("{verb} {target} of {of}{plan}"));
        if !entry.words.is_empty() {
            row.add(Role::Quiet, format!("  {}", entry.words));
        }
        rows.push(row);
    }
    if rows.len() == 1 {
        rows.push(Row::of(Role::Quiet, "   nothing yet: approvals, rejections, withdrawals and denials stand here"));
    }
    rows
}

/// Why no plan is listed, and what would come here.
fn empty(scene: &Scene<'_>) -> Vec<String> {
    let world = scene.world;
    let persons = |needed: u32| words::counted(usize::try_from(needed).unwrap_or(usize::MAX), "person", "persons");
    let of_environments = world.catalog.environments.iter().map(|environment| (environment.name.to_string(), &environment.protection));
    let targets: Vec<_> = world.catalog.targets().collect();
    // A deploy may have a protection of its own.
    let own = targets.iter().filter_map(|target| Some((target.to_string(), world.catalog.deploy(target)?.protection.as_ref()?)));
    let asks: Vec<String> = of_environments
        .chain(own)
        .filter(|(_, protection)| protection.approvals > 0)
        .map(|(name, protection)| format!("{name} ({})", persons(protection.approvals)))
        .collect();
    match (&world.ledger.trouble, world.ledger.read) {
        (Some(trouble), _) => vec![format!("unreachable: the store cannot be read: {trouble}. What waits is not known.")],
        (None, false) => vec!["loading: the store is still being read".to_owned()],
        (None, true) if asks.is_empty() => vec![
            "nothing configured: no environment asks for the agreement of another person.".to_owned(),
            "`protection = { approvals = 1 }` in an [[environment]] makes forward deeds there wait here.".to_owned(),
        ],
        (None, true) => vec![
            "nothing there: no plan waits for a person.".to_owned(),
            format!(
                "A forward deed where others must agree comes here when it is asked for: {}. It stays until they agreed and its requester executes it, until one rejects it, or until it ends.",
                asks.join(", ")
            ),
        ],
    }
}
