//! The port to calendars: the iCalendar files and addresses that windows and freezes are read from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pending::Pending;
use crate::model::error::PortError;
use crate::model::ical::CalendarReading;
use crate::model::name::BackendName;

/// One calendar. The contract suite is `tests/it/contract/calendar.rs`.
pub trait Calendar: Send + Sync {
    /// Reads the whole calendar. An event that cannot be understood is part of the answer, as [`CalendarReading::broken`]; what is
    /// no calendar, or not whole, is an error, so that nobody takes it for an empty one.
    fn read(&self) -> Pending<'_, Result<Arc<CalendarReading>, PortError>>;
}

/// All calendars of a configuration by their names.
pub type CalendarPorts = BTreeMap<BackendName, Arc<dyn Calendar>>;
