//! The nouns: everything that the room speaks of, with units in the types and states as enums; no I/O, no clock.

pub mod alert;
pub mod approval;
pub mod capability;
pub mod catalog;
pub mod change;
pub mod deed;
pub mod error;
pub mod gate;
pub mod ical;
pub mod intent;
pub mod name;
pub mod operator;
pub mod pipeline;
pub mod plan;
pub mod reading;
pub mod reason;
pub mod rollout;
pub mod share;
pub mod signal;
pub mod slot;
pub mod text;
pub mod time;
pub mod timeline;
pub mod timetable;
pub mod traffic;
pub mod verdict;
