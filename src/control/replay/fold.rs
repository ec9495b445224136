//! The fold: lines of the table of events in, the world as it stood out, by the update of the live room.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, Utc};

use super::words;
use crate::control::event::Event;
use crate::control::record::{Entry, Opened, PlayError, Player};
use crate::control::update::{Opening, Room, Seat};
use crate::control::world::{ByHand, RulesView, World};
use crate::model::capability;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};

/// How often time is let pass between two lines, at most: a recording cannot make a reader wait.
const MOST_WAKES: usize = 4_000;
/// Of a longer time without a line, only its end is lived through.
const LONGEST_GAP: Duration = Duration::from_mins(30);

/// Why a line cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// It cannot be read.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// Something else stands where a room should begin.
    #[error("reading cannot begin here: it is no line `opened`")]
    NotOpened,
    /// Its clock is behind that of the line before.
    #[error("its clock goes back: `boot` {0} after {1}")]
    Back(u64, u64),
    /// Its time is none that people count.
    #[error("its time is out of bounds: expected a year from 1970 to 9999")]
    Time,
}

/// Whether a line of that moment may follow another.
///
/// # Errors
/// [`FoldError::Back`], [`FoldError::Time`].
pub fn follows(last: Boot, now: &Moment) -> Result<(), FoldError> {
    if !(1970..=9999).contains(&now.wall.year()) {
        return Err(FoldError::Time);
    }
    if now.boot < last { Err(FoldError::Back(now.boot.0, last.0)) } else { Ok(()) }
}

/// A room as it stood after a line. A clone shares what does not change.
#[derive(Debug, Clone)]
pub struct Fold {
    room: Room,
    player: Player,
    last: Moment,
    id: i64,
    says: Text,
    known_since: Option<DateTime<Utc>>,
}

impl Fold {
    /// Begins with the line of a room's opening.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn begin(id: i64, line: &str) -> Result<Self, FoldError> {
        let mut player = Player::default();
        let (at, entry) = player.read(line)?;
        follows(Boot(0), &at)?;
        let Entry::Opened(opened) = entry else { return Err(FoldError::NotOpened) };
        let (again, told) = (opened.again, opened.told.clone());
        let mut room = Room::open(opening(*opened), at);
        room.update(&at, Event::Woke);
        if again {
            room.hears();
            room.update(&at, Event::JournalRead { happenings: told.into(), trials: Ok(Vec::new()) });
        }
        let says = if again { "reading begins here" } else { "the room was opened" };
        Ok(Self { room, player, last: at, id, says: Text::clean(says), known_since: again.then_some(at.wall) })
    }

    /// Takes in the next line.
    ///
    /// # Errors
    /// [`FoldError`]; the room stands as before.
    pub fn take(&mut self, id: i64, line: &str) -> Result<(), FoldError> {
        let (at, entry) = self.player.read(line)?;
        match entry {
            Entry::Event(event) => {
                follows(self.last.boot, &at)?;
                pass(&mut self.room, &mut self.last, &at);
                self.last = at;
                if super::reel::head(line).1 == super::reel::Sort::Tells {
                    self.says = words::of(&event);
                }
                self.room.update(&at, *event);
            }
            // From its opening on a room tells the lines itself, as they follow from the events.
            Entry::Happening(line) => {
                self.says.clone_from(&line.text);
                self.room.hear(line);
            }
            Entry::Opened(opened) => {
                follows(self.last.boot, &at)?;
                self.room.is_able(opening(*opened).abilities);
            }
            Entry::Hole(lost) => self.says = Text::clean(&format!("{lost} events were lost here")),
        }
        self.id = id;
        Ok(())
    }

    /// The number of the last line.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The moment of the last line.
    pub fn last(&self) -> Moment {
        self.last
    }

    /// What the last line that tells something says.
    pub fn says(&self) -> &Text {
        &self.says
    }

    /// Since when it was followed, when it was not from the room's opening.
    pub fn known_since(&self) -> Option<DateTime<Utc>> {
        self.known_since
    }

    /// The moment that lies so far after the last line as the wall clock says.
    pub fn moment(&self, wall: &DateTime<Utc>) -> Moment {
        self.last.plus((*wall - self.last.wall).to_std().unwrap_or_default())
    }

    /// The world at a moment after the last line and before the next. The fold itself stays where it is, so that wherever one came
    /// from the same is shown.
    pub fn world_at(&self, at: &Moment) -> World {
        let (mut room, mut last) = (self.room.clone(), self.last);
        pass(&mut room, &mut last, at);
        room.world().clone()
    }
}

/// What a room was opened with, as far as a replay needs it: it reads no backend, writes nothing, and does no task.
fn opening(opened: Opened) -> Opening {
    let Opened { catalog, actor, read_only, installation, tends, conducts, able, can, again: _, told: _ } = opened;
    let able = able.into_iter().map(|name| {
        let can = can.get(&name).map_or(&[][..], capability::as_named);
        (name, (can, ByHand::new(|_| Vec::new())))
    });
    Opening {
        abilities: able.collect(),
        catalog,
        actor,
        read_only,
        installation,
        record_trouble: None,
        has_second_place: false,
        seed: 0,
        tends,
        conducts,
        rules: RulesView::default(),
        seat: Seat::None,
    }
}

/// Lets time pass in a room as the driver does: whenever something is due.
fn pass(room: &mut Room, last: &mut Moment, until: &Moment) {
    let gap = until.since(last);
    if gap > LONGEST_GAP {
        *last = last.plus(gap.saturating_sub(LONGEST_GAP));
        room.update(last, Event::Woke);
    }
    let mut wakes = 0;
    while last.boot < until.boot {
        let soonest = last.plus(Duration::from_millis(1));
        let next = room.wake().map_or(until.boot, |wake| wake.max(soonest.boot)).min(until.boot);
        let next = if wakes < MOST_WAKES { next } else { until.boot };
        wakes += 1;
        *last = last.plus(next.since(last.boot));
        room.update(last, Event::Woke);
    }
}
