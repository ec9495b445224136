//! From when on the keys of what lies over a screen count: once it was seen, as far as the line can tell.

use std::cell::Cell;
use std::time::Duration;

use crate::model::time::Boot;

use super::line::{Arms, Line};
use super::row::Row;
use super::scene::Scene;
use super::theme::Role;
use super::words;

/// The time without keys after which a plan counts as seen where nobody answers for its frame.
const QUIET: Duration = Duration::from_secs(1);

/// What does not count yet, where Enter does nothing.
pub const KEYS: &str = "keys";

/// Whether the keys of one thing count, and how many did not.
#[derive(Debug, Default)]
pub struct Arming {
    /// It was drawn, whole enough to be read.
    drawn: Cell<bool>,
    /// The terminal was asked to answer for a frame that shows it.
    asked: Cell<bool>,
    armed: Cell<bool>,
    /// Since when it is shown and no key came.
    still: Cell<Option<Boot>>,
    dropped: u32,
}

impl Arming {
    /// It was drawn; `whole` when what decides can be read.
    pub fn draw(&self, whole: bool) {
        self.drawn.set(whole);
    }

    /// The frame that was drawn last is on its way.
    pub fn shown(&self, line: &Line) {
        if !self.drawn.get() {
            return;
        }
        if line.arms() == Arms::Shown {
            self.armed.set(true);
        }
        if self.still.get().is_none() {
            self.still.set(Some(line.now()));
        }
    }

    /// Whether the terminal must be asked for a frame that shows it.
    pub fn wants(&self) -> bool {
        self.drawn.get() && !self.asked.get() && !self.armed.get()
    }

    /// The terminal is asked with the frame that was drawn last.
    pub fn ask(&self) {
        self.asked.set(self.drawn.get());
    }

    /// The terminal answered what it was asked last.
    pub fn answer(&self) {
        if self.asked.get() {
            self.armed.set(true);
        }
    }

    /// A key came, before it is given to what is armed by this.
    pub fn key(&self, line: &Line) {
        let quiet = self.still.get().is_some_and(|since| line.now().since(since) >= QUIET);
        if line.arms() == Arms::Quiet && self.drawn.get() && quiet {
            self.armed.set(true);
        }
        if !self.armed.get() && self.still.get().is_some() {
            self.still.set(Some(line.now()));
        }
    }

    /// Why its keys do not count yet, for the row of keys; none once they do.
    pub fn waits(&self, scene: &Scene<'_>) -> Option<&'static str> {
        if self.armed.get() {
            return None;
        }
        match scene.line.arms() {
            Arms::Shown => None,
            Arms::Answered => Some("not yet: the terminal has not answered for this"),
            Arms::Quiet => {
                let quiet = self.still.get().map_or(Duration::ZERO, |since| scene.line.now().since(since));
                let left = QUIET.checked_sub(quiet).filter(|left| !left.is_zero())?;
                scene.changes_in(left);
                Some("not yet: after a second without keys")
            }
        }
    }

    /// Adds to a row of keys what Enter does, where it does anything; before keys count, why they do not yet.
    pub fn enter(&self, scene: &Scene<'_>, row: &mut Row, does: Option<&str>) {
        let (key, role, words) = match (self.waits(scene), does) {
            (Some(why), Some(_)) => ("Enter", Role::Quiet, why),
            (Some(why), None) => (KEYS, Role::Quiet, why),
            (None, Some(does)) => ("Enter", Role::Strong, does),
            (None, None) => return,
        };
        row.add(Role::Key, key).add(role, format!(" {words}   "));
    }

    /// Whether its keys count.
    pub fn armed(&self) -> bool {
        self.armed.get()
    }

    /// Drops a key that came too early, and counts it.
    pub fn drop_key(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// How many keys were dropped; none when none was.
    pub fn dropped(&self) -> Option<String> {
        let dropped = usize::try_from(self.dropped).unwrap_or(usize::MAX);
        (dropped > 0).then(|| words::counted(dropped, "key", "keys") + " typed before this was seen: dropped")
    }

    /// Forgets the keys that were dropped.
    pub fn forget(&mut self) {
        self.dropped = 0;
    }

    /// As it stands, shown again after something lay over it: it must be seen again.
    pub fn again(&mut self) {
        *self = Self { dropped: self.dropped, ..Self::default() };
    }
}
