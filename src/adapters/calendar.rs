//! iCalendar (RFC 5545) from a file or an address, behind the calendar port.

mod event;
mod lines;
mod rule;
mod stamp;
mod zone;

pub mod file;
pub mod web;

use crate::model::ical::CalendarReading;
use lines::Component;

/// The longest calendar, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// The most events of one calendar.
const MOST_EVENTS: usize = 5_000;

/// Reads the text of an iCalendar.
///
/// # Errors
/// Says why the whole is no calendar: no `VCALENDAR`, cut off, too long, too many events. One event that cannot be understood is
/// no error, but part of the reading.
pub fn parse(text: &str) -> Result<CalendarReading, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("the calendar is longer than {MOST_BYTES} bytes"));
    }
    let root = lines::read(text)?;
    let of = |name: &'static str| root.components.iter().filter(move |component| component.name == name);
    let events: Vec<&Component<'_>> = of("VEVENT").collect();
    if events.len() > MOST_EVENTS {
        return Err(format!("the calendar holds {} events, over the allowed {MOST_EVENTS}", events.len()));
    }
    let zones = zone::zones(of("VTIMEZONE"));
    let (events, broken) = event::events(&events, &zones);
    Ok(CalendarReading { events, broken, zones })
}
