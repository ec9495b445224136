//! When the period of an objective began and when it ends.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Utc};

use crate::analysis::zone::Zone;
use crate::model::objective::Period;

/// The beginning and the end of the period in which an instant lies, in seconds since 1970. A rolling one ends at the instant.
pub fn bounds(period: Period, zone: &Zone, at_s: i64) -> (i64, i64) {
    match period {
        Period::Rolling(span) => (at_s.saturating_sub(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)), at_s),
        Period::Month => months(zone, at_s, 1),
        Period::Quarter => months(zone, at_s, 3),
    }
}

/// When the day of an instant began in a zone, in seconds since 1970.
pub fn day(zone: &Zone, at_s: i64) -> i64 {
    let local = zone.local(DateTime::<Utc>::from_timestamp(at_s, 0).unwrap_or_default());
    zone.shown(local.date().and_time(NaiveTime::MIN)).first.timestamp()
}

fn months(zone: &Zone, at_s: i64, count: u32) -> (i64, i64) {
    let local = zone.local(DateTime::<Utc>::from_timestamp(at_s, 0).unwrap_or_default());
    let month = local.month0() / count * count;
    let first = |year: i32, month0: u32| {
        let (year, month0) = (year + i32::try_from(month0 / 12).unwrap_or(0), month0 % 12);
        let date = NaiveDate::from_ymd_opt(year, month0 + 1, 1).unwrap_or_default();
        zone.shown(date.and_time(NaiveTime::MIN)).first.timestamp()
    };
    (first(local.year(), month), first(local.year(), month + count))
}
