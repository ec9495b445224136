//! The timeline: what happens is a line of it and of the journal, told once.

use std::sync::Arc;

use super::Room;
use crate::control::task::Task;
use crate::model::name::Target;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timeline::{Happening, HappeningKind};

/// Lines that are kept at most.
const TIMELINE: usize = 2_000;

impl Room {
    /// Writes a line into the timeline and the journal.
    pub(super) fn say(&mut self, now: &Moment, kind: HappeningKind, target: Option<Target>, text: &str, source: &str) -> Vec<Task> {
        self.record(
            now,
            Happening { at: now.wall, kind, target, text: Text::clean(text), source: source.to_owned(), deed: None, links: Vec::new() },
        )
    }

    /// Puts a line into the timeline and the journal.
    pub(super) fn record(&mut self, now: &Moment, happening: Happening) -> Vec<Task> {
        if !self.hears {
            self.keep_line(happening.clone());
        }
        self.touch(now);
        vec![Task::Journal { happenings: vec![happening], elsewhere: false }]
    }

    /// From now on lines of the timeline are those of [`Room::hear`] alone: this room begins in the middle of another's story, and would
    /// take for new what that one told long before.
    pub fn hears(&mut self) {
        self.hears = true;
    }

    /// A line that the room of the recording told.
    pub fn hear(&mut self, line: Happening) {
        if self.hears {
            self.world.generation += 1;
            self.keep_line(line);
        }
    }

    fn keep_line(&mut self, line: Happening) {
        let timeline = Arc::make_mut(&mut self.world.timeline);
        timeline.push_back(line);
        while timeline.len() > TIMELINE {
            timeline.pop_front();
        }
    }
}
