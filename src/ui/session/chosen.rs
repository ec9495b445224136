//! What becomes of a row that was chosen in the palette.

use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;

use super::super::command::Command;
use super::super::input::Chord;
use super::super::offer::{self, Standpoint};
use super::super::palette::{Choice, Palette, Reply};
use super::super::screen::Screen;
use super::super::theme::Theme;
use super::{Act, Over, Said, Session};

impl Session {
    pub(super) fn palette_key(&mut self, mut palette: Box<Palette>, chord: Chord, world: &World, now: &Moment) -> Vec<Act> {
        match palette.on(chord, world) {
            Reply::Open | Reply::Nothing => self.over = Over::Palette(palette),
            Reply::Left => self.open(Over::Nothing),
            Reply::Chosen(choice) => {
                self.open(Over::Nothing);
                return self.chosen(choice, world, now);
            }
        }
        Vec::new()
    }

    fn chosen(&mut self, choice: Choice, world: &World, now: &Moment) -> Vec<Act> {
        match choice {
            Choice::Command(command) => {
                self.board.get_mut().touch();
                return self.obey(command, world, now);
            }
            Choice::Deed(verb, target) => {
                let at = Standpoint { world, screen: self.screen, target: Some(&target), run: None, marked: None, now };
                let entry = Command::Deed(verb).entry();
                if let Some(why) = entry.and_then(|entry| offer::hindrance(entry, &at)) {
                    self.said = Some(Said::Refusal(format!("no {} {target}: {why}", verb.word())));
                    return Vec::new();
                }
                self.mark(&target);
                self.begin(verb, target, world, now);
            }
            Choice::Target(target) => {
                self.mark(&target);
                self.go(Screen::Rollout, world, now);
            }
            Choice::Past(plan) => {
                self.go(Screen::Ledger, world, now);
                if !self.ledger.show(world, plan) {
                    let words = format!("deed {} is older than the entries that are shown; gonogo trace {0} has it", plan.short());
                    self.said = Some(Said::Refusal(words));
                }
            }
            Choice::Theme(name) => {
                if let Some(theme) = Theme::builtin(name) {
                    self.theme = theme.within(self.limits);
                    return vec![Act::Redraw];
                }
            }
        }
        Vec::new()
    }

    /// The one target from now on, wherever it was typed.
    fn mark(&mut self, target: &Target) {
        let board = self.board.get_mut();
        board.set_filter("");
        board.mark(target);
        board.touch();
    }
}
