//! The occurrences of a calendar's events as spans of time, bounded by a horizon and by the work that they may cost.

use crate::analysis::zone::Zone;
use crate::model::ical::CalendarReading;
use crate::model::timetable::{CalendarTimes, Span};

/// What a calendar comes to within a horizon.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expansion {
    /// The spans, not yet in order.
    pub spans: Vec<Span>,
    /// What could not be understood of the events that count, in words.
    pub broken: Vec<String>,
}

/// The occurrences that meet `range`, of the events that `times` lets count. Floating and all-day times are meant in `home`.
pub fn expand(_reading: &CalendarReading, _times: &CalendarTimes, _home: &Zone, _range: Span) -> Expansion {
    Expansion::default()
}
