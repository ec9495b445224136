//! The tour of the simulated room: five steps, each done by doing it, skipped by one key, left by another.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::intent::Verb;

use super::command::Command;
use super::input::{Chord, Key};
use super::row::{Row, wrap};
use super::scene::Scene;
use super::screen::Screen;
use super::theme::Role;

/// The rows that it takes at the foot of a screen.
const ROWS: u16 = 4;
/// Below so many rows of a screen it is not shown.
const LEAST: u16 = 14;

/// What the operator sees, as far as a step asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The screen.
    pub screen: Screen,
    /// A chart has a crosshair, or the screen.
    pub charting: bool,
    /// A plan lies over it.
    pub plan: bool,
    /// All keys lie over it.
    pub help: bool,
}

/// A step.
struct Step {
    /// What it shows; each `%` is a key, in the order of `keys`.
    says: &'static str,
    keys: &'static [Command],
    /// Whether it has been done.
    done: fn(Sight) -> bool,
}

const STEPS: [Step; 5] = [
    Step {
        says: "The board: what needs you stands on top, with the key that helps. Below, every service. % looks at the marked one.",
        keys: &[Command::Look],
        done: |sight| sight.screen == Screen::Rollout,
    },
    Step {
        says: "The rollout: is the new version as good as the old one? % gives its chart the screen; on it % % read values, % goes back.",
        keys: &[Command::Chart, Command::Left, Command::Right, Command::Leave],
        done: |sight| sight.charting,
    },
    Step {
        says: "Nothing happens without a plan. % opens the way back: what, how, at what cost, and who may. Enter would run it, Esc leaves.",
        keys: &[Command::Deed(Verb::Rollback)],
        done: |sight| sight.plan,
    },
    Step {
        says: "The incident: how bad, what happens by itself, who did what. Esc leaves a plan, then % goes there.",
        keys: &[Command::Go(Screen::Incident)],
        done: |sight| sight.screen == Screen::Incident && !sight.plan,
    },
    Step {
        says: "% shows every key, and why some do nothing now; % finds anything by typing. Here nothing is real: try what you like.",
        keys: &[Command::Help, Command::Palette],
        done: |sight| sight.help,
    },
];

/// What a key did to the tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The key is not for it.
    Other,
    /// It was taken.
    Taken,
    /// The tour is over.
    Over,
}

/// A tour under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tour {
    step: usize,
}

impl Tour {
    /// Takes a key that is bound to nothing.
    pub fn on(&mut self, chord: Chord) -> Reply {
        match chord.key {
            Key::Backspace => Reply::Over,
            Key::Char(' ') => self.next(),
            Key::Char(_)
            | Key::Enter
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::Delete
            | Key::Up
            | Key::Down
            | Key::Left
            | Key::Right
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
            | Key::F(_) => Reply::Other,
        }
    }

    fn next(&mut self) -> Reply {
        self.step += 1;
        if self.step >= STEPS.len() { Reply::Over } else { Reply::Taken }
    }

    /// Looks whether the step has been done; whether the tour is over by that.
    pub fn saw(&mut self, sight: Sight) -> bool {
        STEPS.get(self.step).is_some_and(|step| (step.done)(sight)) && self.next() == Reply::Over
    }

    /// Draws it at the foot of a body; what is left of the body.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, body: Rect) -> Rect {
        let Some(step) = STEPS.get(self.step).filter(|_| body.height >= LEAST) else { return body };
        let top = body.height - ROWS;
        let mut rule = Row::rule(scene.theme, &format!("tour, step {} of {}", self.step + 1, STEPS.len()));
        rule.end(Role::Key, " Space").end(Role::Quiet, " next ").end(Role::Key, " Backspace").end(Role::Quiet, " leaves ");
        rule.draw(buffer, body, top, scene.theme);
        let mut keys = step.keys.iter().map(|command| scene.keymap.shown(*command));
        let words = step.says.split('%').enumerate().fold(String::new(), |words, (n, piece)| {
            let key = if n == 0 { String::new() } else { keys.next().unwrap_or_default() };
            format!("{words}{key}{piece}")
        });
        let lines = wrap(&words, usize::from(body.width).saturating_sub(4));
        for (y, line) in (top + 1..body.height).zip(lines) {
            Row::of(Role::Plain, format!("   {line}")).draw(buffer, body, y, scene.theme);
        }
        Rect { height: top, ..body }
    }
}
