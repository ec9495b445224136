//! How a session moves: between screens, along lists, through what lies over a screen.

use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;

use super::super::screen::Screen;
use super::{Over, Session};

impl Session {
    pub(super) fn open(&mut self, over: Over) {
        self.scroll = 0;
        self.over = over;
    }

    pub(super) fn toggle_help(&mut self) {
        let over = if matches!(self.over, Over::Help) { Over::Nothing } else { Over::Help };
        self.open(over);
    }

    pub(super) fn go(&mut self, screen: Screen, world: &World, now: &Moment) {
        self.open(Over::Nothing);
        if let (Screen::Changes, Some(target)) = (screen, self.target()) {
            self.changes.mark(world, now, &target);
        }
        if screen != self.screen {
            self.before.retain(|before| *before != screen);
            self.before.push(self.screen);
            self.screen = screen;
        }
    }

    /// The map of the marked target's environment, when it is on the glass.
    pub(super) fn refresh_map(&self, world: &World, now: &Moment) {
        if self.screen == Screen::Map {
            self.map.borrow_mut().refresh(world, now, self.target().as_ref());
        }
    }

    /// Shows only what holds the typed words, on the board or on the map.
    pub(super) fn find(&mut self, typed: &str) {
        if self.screen != Screen::Map {
            return self.board.get_mut().set_filter(typed);
        }
        let target = self.target();
        if let Some(found) = self.map.get_mut().find(typed, target.as_ref()) {
            self.board.get_mut().mark(&found);
        }
    }

    pub(super) fn leave(&mut self) {
        match self.over {
            Over::Help | Over::Detail => self.open(Over::Nothing),
            Over::Nothing
            | Over::Plan(_)
            | Over::Prompt(_)
            | Over::Palette(_)
            | Over::Links(_)
            | Over::Ruling(_)
            | Over::Schedule(..)
            | Over::Many(_)
            | Over::Roles(..) => {
                let mut lens = self.lens();
                if self.screen == Screen::Rollout && lens.close() {
                    self.lens = lens;
                    return;
                }
                if self.close() {
                    return;
                }
                if self.marks().is_some() {
                    self.chosen.clear();
                    return;
                }
                if self.screen == Screen::Board {
                    let board = self.board.get_mut();
                    if board.filter().is_empty() { board.let_go() } else { board.set_filter("") }
                } else {
                    self.scroll = 0;
                    self.screen = self.before.pop().unwrap_or(Screen::Board);
                }
            }
        }
    }

    /// Closes what is open within the screen; false when nothing is.
    pub(super) fn close(&mut self) -> bool {
        (self.screen == Screen::Pipeline && self.pipeline.close_log())
            || (self.screen == Screen::Ledger && self.ledger.close())
            || (self.screen == Screen::Changes && self.changes.close())
            || (self.screen == Screen::Map && self.map.get_mut().close())
    }

    pub(super) fn scrolls(&self) -> bool {
        matches!(self.over, Over::Help | Over::Detail) || self.screen != Screen::Board
    }

    /// Lets go of the list of this screen.
    pub(super) fn let_go(&mut self) {
        match self.screen {
            Screen::Ledger => self.ledger.let_go(),
            Screen::Pipeline => self.pipeline.let_go(),
            Screen::Board | Screen::Rollout | Screen::Map | Screen::Incident | Screen::Changes => self.board.get_mut().let_go(),
        }
    }

    pub(super) fn turn(&mut self, world: &World, by: isize) {
        if self.screen == Screen::Changes {
            return self.changes.walk(world, by);
        }
        match self.target().filter(|_| self.screen == Screen::Pipeline) {
            Some(target) => self.pipeline.turn(world, &target, by),
            None => self.board.get_mut().turn(world, by),
        }
    }

    pub(super) fn step(&mut self, by: isize, world: &World, now: &Moment) {
        if self.is_charting() {
            return match by {
                -1 | 1 => self.turn_measure(world, by),
                isize::MAX => self.go_live(),
                by => self.cross(world, by),
            };
        }
        if self.screen == Screen::Changes && matches!(self.over, Over::Nothing) {
            return self.changes.step(world, now, by);
        }
        if self.screen == Screen::Ledger && matches!(self.over, Over::Nothing) {
            return self.ledger.step(world, by);
        }
        if self.screen == Screen::Map && matches!(self.over, Over::Nothing) {
            let there = self.map.borrow().step(self.target().as_ref(), by);
            return self.stand_on(there);
        }
        if self.screen == Screen::Pipeline && matches!(self.over, Over::Nothing) {
            if let Some(target) = self.target() {
                self.pipeline.step(world, &target, by);
            }
        } else if self.scrolls() {
            self.scroll = self.scroll.min(self.furthest.get()).saturating_add_signed(by).min(self.furthest.get());
        } else {
            self.board.get_mut().step(by);
        }
    }

    pub(super) fn stand_on(&mut self, target: Option<Target>) {
        if let Some(target) = target {
            self.board.get_mut().mark(&target);
        }
    }

    pub(super) fn page(&mut self, by: isize, world: &World, now: &Moment) {
        if self.is_charting() {
            return self.cross(world, by * 10);
        }
        if self.screen == Screen::Changes && matches!(self.over, Over::Nothing) {
            return self.changes.turn_page(by);
        }
        if self.screen == Screen::Ledger && matches!(self.over, Over::Nothing) {
            return self.ledger.page(world, by);
        }
        if self.screen == Screen::Map && matches!(self.over, Over::Nothing) {
            let there = self.map.borrow().page(self.target().as_ref(), by);
            return self.stand_on(there);
        }
        if let (Screen::Pipeline, Over::Nothing, Some(target)) = (self.screen, &self.over, self.target()) {
            return self.pipeline.page(world, &target, by);
        }
        if self.scrolls() {
            let page = isize::try_from(self.size.1.saturating_sub(6)).unwrap_or(10);
            self.step(by * page.max(1), world, now);
        } else {
            self.board.get_mut().page(by);
        }
    }
}
