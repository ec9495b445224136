//! When a forward change is to be carried out: a time that is typed, or one that is chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::planner::{self, Choice, Wished};
use crate::control::world::World;
use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::ui::field::Field;
use crate::ui::input::{Chord, Key};
use crate::ui::plans::asked;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

use super::plan::page::Page;

/// The input of a time before its operator.
#[derive(Debug, Default)]
pub struct ScheduleDialog {
    when: Field,
    /// What was chosen last.
    chosen: Option<usize>,
    wrong: Option<String>,
}

/// What a key did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// Plan for this time.
    Wish(Wished),
}

impl ScheduleDialog {
    /// Says why it could not be planned so.
    pub fn refuse(&mut self, why: String) {
        self.wrong = Some(why);
    }

    /// Takes a key; `plan` is what is to be scheduled.
    pub fn on(&mut self, chord: Chord, world: &World, plan: &Plan, now: &Moment) -> Reply {
        if chord.key == Key::Esc {
            return Reply::Left;
        }
        self.wrong = None;
        match chord.key {
            Key::Up => self.choose(-1, world, plan, now),
            Key::Down => self.choose(1, world, plan, now),
            Key::Enter => match planner::wished(world, self.when.text(), now) {
                Ok(wished) => return Reply::Wish(wished),
                Err(why) => self.wrong = Some(why.to_string()),
            },
            Key::Char(_)
            | Key::Backspace
            | Key::Delete
            | Key::Left
            | Key::Right
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::F(_) => {
                self.when.on(chord);
            }
        }
        Reply::Open
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.when.paste(text);
    }

    /// Writes the next choice into the field, so that what stands there is what counts.
    fn choose(&mut self, by: isize, world: &World, plan: &Plan, now: &Moment) {
        let choices = planner::choices(world, plan, now);
        let last = choices.len().saturating_sub(1);
        let there = self.chosen.map_or(0, |chosen| chosen.saturating_add_signed(by).min(last));
        if let Some(choice) = choices.get(there) {
            (self.chosen, self.when) = (Some(there), Field::with(&choice.typed(world)));
        }
    }

    /// Line 1 of the frame.
    pub fn title(plan: &Plan) -> Vec<(Role, String)> {
        vec![(Role::Strong, format!("SCHEDULE {} {}", asked(plan), plan.target()))]
    }

    /// The row of keys.
    pub fn keys() -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ").add(Role::Key, "Enter").add(Role::Plain, " shows the plan for that time   ");
        row.add(Role::Key, "Up Down").add(Role::Plain, " choose   ").add(Role::Key, "Esc").add(Role::Plain, " back to the plan");
        row
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, plan: &Plan, buffer: &mut Buffer, area: Rect) {
        let rows = self.rows(scene, plan, usize::from(area.width));
        let height = area.height.saturating_sub(2);
        for (y, row) in (0..height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
        Row::rule(scene.theme, "").draw(buffer, area, height, scene.theme);
        let place = Rect { y: area.y + height + 1, height: 1, ..area };
        self.when.draw_row(buffer, place, scene.theme, ("when   ", "a time or a train"), true);
    }

    fn rows(&self, scene: &Scene<'_>, plan: &Plan, width: usize) -> Vec<Row> {
        let mut page = Page { scene, width, rows: Vec::new() };
        if let Some(wrong) = &self.wrong {
            page.mark(Mark::Failed, Role::Watched, wrong);
        }
        page.rows.push(Row::rule(scene.theme, "when is it to be carried out"));
        let zone = &scene.world.catalog.room.timezone;
        page.say(Role::Quiet, "type", Role::Plain, &format!("15:30 (the next one, by the clock of {zone}), 2026-11-30 14:00,"));
        page.say(Role::Quiet, "", Role::Plain, "2026-11-30T14:00Z, the name of a train, or now");
        page.say(Role::Quiet, "then", Role::Plain, "the plan is shown with the verdict for that time, and Enter there schedules it");
        page.say(Role::Quiet, "", Role::Plain, "nothing begins by itself: at its time you execute it on screen 6");
        page.rows.push(Row::rule(scene.theme, "or choose"));
        let choices = planner::choices(scene.world, plan, scene.now);
        for (place, choice) in choices.iter().enumerate() {
            let mark = if self.chosen == Some(place) { Mark::Cursor } else { Mark::None };
            page.mark(mark, Role::Plain, &in_words(scene, choice));
        }
        if choices.is_empty() {
            page.text(3, Role::Quiet, "no train takes it along, and no window or freeze makes it wait");
        }
        page.rows
    }
}

fn in_words(scene: &Scene<'_>, choice: &Choice) -> String {
    let time = |at| scene.zone.stamp(at);
    match choice {
        Choice::Train(name, departure) => format!(
            "train {name} leaves {} (in {}), agreed to by {}",
            time(&departure.at),
            scene.left(&departure.at),
            scene.zone.minute(&departure.cut_off, &departure.at)
        ),
        Choice::Free(span) => {
            format!("the next free time: {} to {} (in {})", time(&span.begin), time(&span.end), scene.left(&span.begin))
        }
    }
}
