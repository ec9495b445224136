//! Windows and freezes at an instant: what is open, what is frozen, until when, and why not.
//!
//! [`Calendars::of`] turns the timetable and what its calendars said into spans of time, once; [`standing`] then answers for one
//! change, and does no more than look things up. The rules:
//!
//! - An environment for which no window is configured is always open. In any other, a forward deed may begin inside a window that
//!   admits its target and its type of change, and nowhere else. What began inside a window may go on when it shuts.
//! - A freeze beats every window. A named exception beats the freeze for one plan, or for one target on one day, if it was given
//!   by another person than the one who asks.
//! - The way back needs no window, and stops in a freeze only when that says `way_back = "frozen"`.
//! - A calendar that cannot be believed never counts as open, nor as not frozen.

mod ahead;
mod compiled;
mod slot;
mod standing;
#[cfg(test)]
mod tests;
mod train;
mod words;

pub use ahead::{Agenda, Ahead, Belief, Day, Exempted, Kind, Leaving, Line};
pub use compiled::{AHEAD, BACK, Calendars, Feeds};
pub use slot::next_slot;
pub use standing::{Access, Asked, Exemption, Frost, Standing, standing};
pub use train::{Departure, Manifest, Readiness, board, departures, left_behind};
