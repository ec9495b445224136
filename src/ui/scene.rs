//! What a drawing needs to know beside its own screen: world, time, looks, keys; and it notes when time alone will change what was drawn.

use std::cell::Cell;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::control::world::{DiscoveryView, Source, World};
use crate::model::name::BackendName;
use crate::model::reading::Freshness;
use crate::model::time::Moment;

use super::keymap::Keys;
use super::line::Line;
use super::theme::{Mark, Theme};
use super::words::{self, Zone};

/// Over a slow line a remainder ticks this often, in seconds: what is seen of it is old anyway.
const SLOW_TICK: u64 = 10;

/// The surroundings of one drawing.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The world.
    pub world: &'a World,
    /// Now.
    pub now: &'a Moment,
    /// The looks.
    pub theme: &'a Theme,
    /// The keys of the screen.
    pub keymap: &'a Keys,
    /// The zone of times.
    pub zone: Zone,
    /// The line to the terminal.
    pub line: Line,
    due: Cell<Option<Duration>>,
}

impl<'a> Scene<'a> {
    /// The surroundings of a drawing at `now`.
    pub fn new(world: &'a World, now: &'a Moment, theme: &'a Theme, keymap: &'a Keys) -> Self {
        Self { world, now, theme, keymap, zone: Zone::named(&world.catalog.room.timezone), line: Line::default(), due: Cell::new(None) }
    }

    /// The same over this line.
    #[must_use]
    pub fn over(self, line: Line) -> Self {
        Self { line, ..self }
    }

    /// When time alone will change what was drawn so far.
    pub fn due(&self) -> Option<Duration> {
        self.due.get()
    }

    /// Notes that what is drawn will change after this time.
    pub fn changes_in(&self, time: Duration) {
        let time = time.max(Duration::from_millis(20));
        self.due.set(Some(self.due.get().map_or(time, |due| due.min(time))));
    }

    /// An age in words.
    pub fn age(&self, age: Duration) -> String {
        let (text, stays) = words::age(age);
        self.changes_in(stays);
        text
    }

    /// The age of a moment of the wall clock in words.
    pub fn ago(&self, at: &DateTime<Utc>) -> String {
        self.age(words::ago(at, &self.now.wall))
    }

    /// A countdown in words: `0:42`; it ticks each second, over a slow line in tens.
    pub fn left(&self, until: &DateTime<Utc>) -> String {
        let left = (*until - self.now.wall).to_std().unwrap_or_default();
        let past = left.as_secs() % if self.line.is_slow() { SLOW_TICK } else { 1 };
        self.changes_in(Duration::new(past, left.subsec_nanos()) + Duration::from_millis(1));
        words::remainder(left.saturating_sub(Duration::from_secs(past)))
    }

    /// How a backend stands; the drawing is due when a fresh fact becomes too old.
    pub fn freshness(&self, backend: &BackendName) -> Freshness {
        self.world.sources.get(backend).map_or(Freshness::Never, |source| self.standing_of(source))
    }

    /// How a source stands; the drawing is due when a fresh fact becomes too old.
    pub fn standing_of(&self, source: &Source) -> Freshness {
        let freshness = source.freshness(self.now);
        if let (Freshness::Fresh, Some(age)) = (freshness, source.age(self.now)) {
            self.changes_in(source.backend.stale_after.saturating_sub(age) + Duration::from_millis(1));
        }
        freshness
    }

    /// How a discovery stands; the drawing is due when what it said becomes too old.
    pub fn standing_of_links(&self, view: &DiscoveryView) -> Freshness {
        let freshness = view.freshness(self.now);
        if let (Freshness::Fresh, Some(age)) = (freshness, view.age(self.now)) {
            self.changes_in(view.discovery.stale_after.saturating_sub(age) + Duration::from_millis(1));
        }
        freshness
    }

    /// The glyph of a mark.
    pub fn glyph(&self, mark: Mark) -> &'static str {
        self.theme.glyph(mark)
    }
}
