//! The words in which windows and freezes are told: instants in UTC and by the clock of their zone, and spans.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::analysis::zone::Zone;

/// An instant as `2026-12-24 06:00Z (Thu 07:00 Europe/Berlin)`.
pub(super) fn instant(at: DateTime<Utc>, zone: &Zone, timezone: &str) -> String {
    let utc = at.format("%Y-%m-%d %H:%MZ");
    if zone.offset(at) == 0 { utc.to_string() } else { format!("{utc} ({} {timezone})", zone.local(at).format("%a %H:%M")) }
}

/// A span as its two greatest units: `3 d 4 h`, `56 min`, `40 s`.
pub(super) fn span(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// An age.
pub(super) fn age(age: Duration) -> String {
    span(TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX))
}
