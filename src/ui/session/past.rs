//! A session in the past: the same screens over a world of then, in which no deed key is bound.

use ratatui::buffer::Buffer;

use crate::control::replay::traveller::{Ask, Shown};
use crate::control::world::World;
use crate::model::text::Text;
use crate::model::time::Moment;

use super::super::command::Command;
use super::super::input::Input;
use super::super::keymap::Keymap;
use super::super::theme::Theme;
use super::{Act, Journey, Over, Said, Session, SessionOptions};

/// How often what needs a person now is looked at while somebody is in the past.
const LOOKS_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// The past, as it is looked at: a session of its own, so that the one of now stays as it was.
pub(super) struct Past {
    inner: Session,
    shown: Shown,
}

/// What a command wishes of the past; nothing for those that are no journey.
pub(super) fn journey(command: Command, world: &World) -> Option<Journey> {
    let ask = if let Command::Event(way) = command {
        Ask::Step(way)
    } else if let Command::Mark(way) = command {
        Ask::Jump(way)
    } else if let Command::Speed(way) = command {
        Ask::Speed(way)
    } else if command == Command::Play {
        Ask::Play
    } else if command == Command::Oldest {
        Ask::Oldest
    } else if command == Command::Newest {
        Ask::Newest
    } else {
        let there = if world.scrub.is_some() { Journey::Leave } else { Journey::Open };
        return (command == Command::Past).then_some(there);
    };
    Some(Journey::Ask(ask))
}

/// The past changes nothing, so nothing but this leaves a session in it.
fn leaves_the_past(act: &Act) -> bool {
    match act {
        Act::Quit | Act::Copy(_) | Act::Past(_) | Act::Redraw | Act::Suspend => true,
        Act::Execute(_)
        | Act::Refuse(..)
        | Act::Rule(_)
        | Act::Speak(_)
        | Act::NameRules(_)
        | Act::Look { .. }
        | Act::FollowLog { .. }
        | Act::Unfollow
        | Act::VerifyLedger => false,
    }
}

impl Session {
    /// Whether the past is looked at.
    pub fn is_past(&self) -> bool {
        self.past.is_some()
    }

    /// Shows a world of the past; the first one on the screen and the target where one stands.
    pub fn show_past(&mut self, shown: Shown) {
        if let Some(past) = &mut self.past {
            past.shown = shown;
            return;
        }
        // Whoever began something meanwhile is not taken away from it.
        if !matches!(self.over, Over::Nothing | Over::Help | Over::Detail) {
            return;
        }
        let mut inner = Self::new(SessionOptions {
            theme: self.theme.clone(),
            keymap: self.keymap.clone(),
            size: self.size,
            nonce: Box::new(String::new),
            screen: self.screen,
            target: self.target(),
        });
        (inner.line, inner.limits) = (self.line, self.limits);
        self.over = Over::Nothing;
        self.said = None;
        self.opening = false;
        self.forget_begun();
        self.past = Some(Box::new(Past { inner, shown }));
    }

    /// The past is looked at over the same line, on the same terminal.
    pub(super) fn past_over_line(&mut self) {
        if let Some(past) = &mut self.past {
            (past.inner.line, past.inner.limits, past.inner.theme.unicode) = (self.line, self.limits, self.theme.unicode);
        }
    }

    /// Back to now, as it was left.
    pub fn leave_past(&mut self) {
        self.past = None;
        self.opening = false;
    }

    /// A command while the past is being read: it may be meant for the past, so nothing of now takes it.
    pub(super) fn opening_key(&mut self, command: Command, keys: &str) -> Option<Vec<Act>> {
        if !self.opening || command == Command::Quit {
            return None;
        }
        if matches!(command, Command::Past | Command::Leave) {
            self.opening = false;
            self.said = Some(Said::News("this is now".to_owned()));
            return Some(vec![Act::Past(Journey::Leave)]);
        }
        self.drop_while_opening(keys);
        Some(Vec::new())
    }

    /// Says that keys were dropped.
    pub(super) fn drop_while_opening(&mut self, keys: &str) {
        let leave = self.keymap.on(self.screen).shown(Command::Leave);
        self.said = Some(Said::Refusal(format!("still reading the journal, {keys} was dropped; {leave} stays in the now")));
    }

    /// What could not be done, in the past or on the way to it.
    pub fn refuse(&mut self, why: &Text) {
        self.opening = false;
        self.tell(Said::Refusal(why.to_string()));
    }

    /// Says something where the operator looks: in the past or in the now.
    pub(super) fn tell(&mut self, said: Said) {
        match &mut self.past {
            Some(past) => past.inner.said = Some(said),
            None => self.said = Some(said),
        }
    }

    /// Other looks and keys hold in the past, too.
    pub(super) fn dress_past(&mut self, theme: &Theme, keymap: &Keymap) {
        if let Some(past) = &mut self.past {
            past.inner.dress(theme.clone(), keymap.clone());
        }
    }

    pub(super) fn past_on(&mut self, input: Input) -> Vec<Act> {
        let Some(past) = &mut self.past else { return Vec::new() };
        if let Input::Resize(width, height) = input {
            self.size = (width, height);
        }
        if let Input::Key(chord) = &input
            && matches!(past.inner.over, Over::Nothing)
            && past.inner.would_leave(*chord)
            && !past.inner.close()
            && past.shown.world.scrub.as_ref().is_some_and(|scrub| scrub.has_now)
        {
            return vec![Act::Past(Journey::Leave)];
        }
        let mut acts = past.inner.take(input, &past.shown.world, &past.shown.now);
        acts.retain(leaves_the_past);
        if self.theme != past.inner.theme {
            self.theme = past.inner.theme.clone();
        }
        acts
    }

    /// Draws the past, with what needs a person now; false where nobody is in it.
    pub(super) fn draw_past(&self, world: &World, now: &Moment, buffer: &mut Buffer) -> bool {
        let Some(past) = &self.past else { return false };
        let has_now = past.shown.world.scrub.as_ref().is_some_and(|scrub| scrub.has_now);
        self.board.borrow_mut().refresh(world, now);
        past.inner.now_needs.set(has_now.then(|| self.board.borrow().needs().len()));
        past.inner.draw(&past.shown.world, &past.shown.now, buffer);
        self.hyperlinks.replace(past.inner.hyperlinks.take());
        self.due.set(Some(now.boot.plus(LOOKS_EVERY)));
        true
    }
}
