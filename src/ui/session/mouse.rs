//! What a mouse does: its wheel moves, its button marks what it points at. It orders nothing: whatever begins, confirms or agrees to a
//! deed is for keys.

use ratatui::layout::Position;

use crate::control::world::World;
use crate::model::time::Moment;

use super::super::command::Command;
use super::super::input::Mouse;
use super::super::lines::Pressed;
use super::super::screen::Screen;
use super::{Act, Over, Session};

/// The rows that a notch of the wheel moves.
const NOTCH: isize = 3;

impl Session {
    /// Takes what a mouse did.
    pub(super) fn on_mouse(&mut self, mouse: Mouse, world: &World, now: &Moment) -> Vec<Act> {
        // While the past is being read, nothing of now takes anything.
        if self.opening {
            return Vec::new();
        }
        match mouse {
            Mouse::WheelUp => self.turn_wheel(-1, world, now),
            Mouse::WheelDown => self.turn_wheel(1, world, now),
            Mouse::Press { column, row } => {
                let acts = self.press(Position { x: column, y: row }, world, now);
                self.tour_sees();
                return acts;
            }
        }
        Vec::new()
    }

    /// As Up and Down do there; but nothing that is typed is changed, and nothing is chosen for a deed.
    fn turn_wheel(&mut self, way: isize, world: &World, now: &Moment) {
        let by = way * NOTCH;
        match &mut self.over {
            Over::Palette(palette) => palette.step(world, by),
            Over::Links(dialog) => dialog.step(by),
            Over::Plan(dialog) => dialog.scroll(by),
            Over::Ruling(dialog) => dialog.scroll(by),
            Over::Many(dialog) => dialog.scroll(by),
            Over::Roles(sheet, _) => sheet.step(by, world, now),
            Over::Schedule(..) | Over::Prompt(_) => {}
            Over::Nothing | Over::Help | Over::Detail => {
                self.said = None;
                self.board.get_mut().touch();
                // Where Up and Down turn to another measure, a notch turns to the next one.
                let by = if self.is_charting() { way } else { by };
                self.step(by, world, now);
            }
        }
    }

    /// Marks what stands there; on what is marked already it goes deeper. Over a screen only the palette has rows that can be marked.
    fn press(&mut self, there: Position, world: &World, now: &Moment) -> Vec<Act> {
        if !self.pressable.get() {
            return Vec::new();
        }
        let pressed = match &mut self.over {
            Over::Nothing => self.press_row(there, world, now),
            Over::Palette(palette) => {
                palette.press(world, there);
                Pressed::Nothing
            }
            Over::Plan(_)
            | Over::Prompt(_)
            | Over::Ruling(_)
            | Over::Schedule(..)
            | Over::Roles(..)
            | Over::Many(_)
            | Over::Links(_)
            | Over::Help
            | Over::Detail => Pressed::Nothing,
        };
        if pressed != Pressed::Nothing {
            self.said = None;
            self.board.get_mut().touch();
        }
        if pressed != Pressed::Again {
            return Vec::new();
        }
        self.pressable.set(false);
        self.obey(Command::Look, world, now)
    }

    fn press_row(&mut self, there: Position, world: &World, now: &Moment) -> Pressed {
        match self.screen {
            Screen::Board => self.board.get_mut().press(there),
            Screen::Changes => self.changes.press(world, now, there),
            Screen::Ledger => self.ledger.press(world, there),
            Screen::Map => {
                let (pressed, marked) = (self.map.borrow().at(there), self.target());
                match pressed {
                    None => Pressed::Nothing,
                    pressed if pressed == marked => Pressed::Again,
                    pressed => {
                        self.stand_on(pressed);
                        Pressed::Marked
                    }
                }
            }
            Screen::Pipeline => match self.target() {
                Some(target) => self.pipeline.press(world, &target, there),
                None => Pressed::Nothing,
            },
            Screen::Rollout | Screen::Incident => Pressed::Nothing,
        }
    }
}
