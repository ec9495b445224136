//! Where in the past a world stands: what the scrubber shows.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::text::Text;
use super::time::Moment;
use super::timeline::HappeningKind;

/// How fast the past is played, in seconds of it for each second.
pub const SPEEDS: [u32; 8] = [1, 2, 5, 10, 30, 60, 300, 1000];

/// What the scrubber marks, and what one jumps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether a deed changed its state there; else an alert or alarm.
    pub is_deed: bool,
}

impl Mark {
    /// The mark that a line of the timeline is; none for lines that are none.
    pub fn of(at: DateTime<Utc>, kind: HappeningKind) -> Option<Self> {
        match kind {
            HappeningKind::Deed => Some(Self { at, is_deed: true }),
            HappeningKind::Alert | HappeningKind::Alarm => Some(Self { at, is_deed: false }),
            HappeningKind::Change | HappeningKind::Link | HappeningKind::Run | HappeningKind::Source | HappeningKind::Note => None,
        }
    }
}

/// Where in the past a world stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrub {
    /// The first moment of what one room saw without a break.
    pub from: DateTime<Utc>,
    /// Its last moment.
    pub to: DateTime<Utc>,
    /// The moment that is shown.
    pub at: Moment,
    /// What the event at hand is.
    pub says: Text,
    /// Deeds and alerts, the oldest first.
    pub marks: Arc<[Mark]>,
    /// How fast it is played: one of [`SPEEDS`].
    pub speed: u32,
    /// Whether it is played.
    pub plays: bool,
    /// Since when what is shown was followed, when that is later than `from`: what was only said before it is not known.
    pub known_since: Option<DateTime<Utc>>,
    /// Whether there is a room of now to go back to.
    pub has_now: bool,
}

impl Scrub {
    /// How far between the first and the last moment `at` lies, from 0 to `cells - 1`.
    pub fn cell(&self, at: &DateTime<Utc>, cells: usize) -> usize {
        let most = i64::try_from(cells.saturating_sub(1)).unwrap_or(0);
        let span = (self.to - self.from).num_milliseconds().max(1);
        let past = (*at - self.from).num_milliseconds().clamp(0, span);
        let cell = i128::from(past) * i128::from(most) / i128::from(span);
        usize::try_from(cell).unwrap_or(0)
    }
}

/// The next speed above, or below.
pub fn other_speed(speed: u32, faster: bool) -> u32 {
    let above = || SPEEDS.into_iter().find(|other| *other > speed);
    let below = || SPEEDS.into_iter().rev().find(|other| *other < speed);
    if faster { above() } else { below() }.unwrap_or(speed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Boot;

    #[test]
    fn the_ends_have_the_outermost_cells() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let moment = Moment { wall: at(100), boot: Boot(1) };
        let scrub = Scrub {
            from: at(100),
            to: at(200),
            at: moment,
            says: Text::empty(),
            marks: Arc::new([]),
            speed: 1,
            plays: false,
            known_since: None,
            has_now: true,
        };
        assert_eq!([0, 100, 150, 199, 200, 900].map(|second| scrub.cell(&at(second), 11)), [0, 0, 5, 9, 10, 10]);
        let one = Scrub { to: at(100), ..scrub };
        assert_eq!((one.cell(&at(100), 11), one.cell(&at(100), 0)), (0, 0));
    }

    #[test]
    fn speeds_end_at_both_ends() {
        assert_eq!((other_speed(1, false), other_speed(1, true), other_speed(60, false), other_speed(1000, true)), (1, 2, 30, 1000));
    }
}
