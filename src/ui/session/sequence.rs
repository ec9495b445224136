//! How a session takes keys that are typed one after the other: what was begun, when it is dropped, and what is said of it.

use crate::control::world::World;
use crate::model::time::Moment;

use super::super::command::Command;
use super::super::frame::Message;
use super::super::input::{Chord, Input};
use super::super::keymap::Meaning;
use super::super::scene::Scene;
use super::super::sequence::{Begun, Typed};
use super::{Act, Over, Said, Session};

impl Session {
    /// Takes a key.
    pub(super) fn on_key(&mut self, chord: Chord, world: &World, now: &Moment) -> Vec<Act> {
        if chord == Chord::ctrl('c') {
            return vec![Act::Quit];
        }
        if let Some(acts) = self.over_key(chord, world, now) {
            return acts;
        }
        // Whoever is shown around goes on by its keys, whatever they mean afterwards.
        if !self.opening && !self.begun.is_one() && self.tour_key(chord) {
            return Vec::new();
        }
        let Some((command, keys)) = self.typed(chord) else { return Vec::new() };
        if let Some(acts) = self.opening_key(command, &keys) {
            return acts;
        }
        self.board.get_mut().touch();
        self.obey(command, world, now)
    }

    /// The command that a key means after what was begun, with all keys of it as they are shown. None where more must follow, where
    /// it leaves what was begun, and where it means nothing: that is said, and nothing is done.
    fn typed(&mut self, chord: Chord) -> Option<(Command, String)> {
        let keys = self.keymap.on(self.screen);
        let (all, typed) = self.begun.take(chord, keys);
        match typed {
            Typed::Means(Meaning::Command(command)) => return Some((command, all.shown())),
            // What the other keys are about was decided with the first.
            Typed::Means(Meaning::Begins) if !self.opening => self.board.get_mut().touch(),
            Typed::Means(Meaning::Begins) | Typed::Leaves => {}
            Typed::Means(Meaning::Nothing) if self.opening => self.drop_while_opening(&all.shown()),
            Typed::Means(Meaning::Nothing) => {
                let help = keys.shown(Command::Help);
                self.said = Some(Said::Refusal(format!("{} is bound to nothing; {help} shows all keys", all.shown())));
            }
        }
        None
    }

    /// Whether a key leaves the screen, without taking it.
    pub(super) fn would_leave(&self, chord: Chord) -> bool {
        self.begun.with(chord, self.keymap.on(self.screen)) == Typed::Means(Meaning::Command(Command::Leave))
    }

    /// What was begun: on the sheet of roles, or on the screen; the other sheets have keys of their own.
    pub(super) fn begun(&self) -> &Begun {
        if let Over::Roles(sheet, _) = &self.over { sheet.begun() } else { &self.begun }
    }

    /// Forgets what was begun, for anything but a key: what follows would be meant for something else than the glass shows by then.
    /// A terminal's new size shows the same.
    pub(super) fn forget_begun_for(&mut self, input: &Input) {
        if !matches!(input, Input::Key(_) | Input::Resize(..)) {
            self.forget_begun();
        }
    }

    /// Forgets what was begun, on the screen and on the sheet over it.
    pub(super) fn forget_begun(&mut self) {
        self.begun.forget();
        if let Over::Roles(sheet, _) = &mut self.over {
            sheet.forget_begun();
        }
    }

    /// What was begun and how it goes on; it stands before whatever else is said, which stays for afterwards.
    pub(super) fn begun_message(&self, scene: &Scene<'_>) -> Option<Message> {
        self.begun().next(scene.keymap).map(|(begun, next)| Message::Begun(begun, next))
    }
}
