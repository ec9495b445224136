//! Moments, lengths and periods of an iCalendar (RFC 5545, 3.3.4 to 3.3.9).

use chrono::{Datelike as _, NaiveDate, NaiveDateTime};

use super::lines::Property;
use crate::model::ical::{DefinedZone, Length};
use crate::model::text::Text;
use crate::model::timetable::Stamp;

/// The longest length that is believed.
const LONGEST_DAYS: i64 = 3_660;

/// The moments of a property, which commas part.
pub(super) fn stamps(property: &Property<'_>, zones: &[DefinedZone]) -> Result<Vec<(Stamp, Option<Length>)>, String> {
    property
        .value
        .split(',')
        .map(|text| match text.split_once('/') {
            None => Ok((stamp(text, property, zones)?, None)),
            Some((begin, end)) if end.trim_start().starts_with(['P', '+', '-']) => Ok((stamp(begin, property, zones)?, Some(length(end)?))),
            Some((begin, end)) => Ok((stamp(begin, property, zones)?, Some(Length::Until(stamp(end, property, zones)?)))),
        })
        .collect()
}

/// The one moment of a property.
pub(super) fn one(property: &Property<'_>, zones: &[DefinedZone]) -> Result<Stamp, String> {
    stamp(&property.value, property, zones)
}

fn stamp(text: &str, property: &Property<'_>, zones: &[DefinedZone]) -> Result<Stamp, String> {
    let text = text.trim();
    let wrong = || format!("{} is no moment: `{text}`", property.name);
    if let Some(day) = day(text) {
        return (1970..=2200).contains(&day.year()).then_some(Stamp::Day(day)).ok_or_else(wrong);
    }
    let local = local(text.strip_suffix('Z').unwrap_or(text)).filter(|local| (1970..=2200).contains(&local.year())).ok_or_else(wrong)?;
    if text.ends_with('Z') {
        return Ok(Stamp::Utc(local.and_utc()));
    }
    let Some(zone) = property.parameter("TZID") else { return Ok(Stamp::Floating(local)) };
    if zone.parse::<chrono_tz::Tz>().is_ok() || zones.iter().any(|defined| defined.name == zone) {
        return Ok(Stamp::Zoned(local, zone.to_owned()));
    }
    let zone = Text::clean_within(zone, 80);
    Err(format!("its time zone `{zone}` is no IANA name, and the calendar does not define it in a way that can be understood"))
}

/// A day such as `20261224`.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())?
}

/// A day and a time such as `20261224T180000`. A leap second counts as the one before.
pub(super) fn local(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once('T')?;
    let number = |at: usize| -> Option<u32> {
        let digits = time.get(at..at + 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    if time.len() != 6 {
        return None;
    }
    day(date)?.and_hms_opt(number(0)?, number(2)?, number(4)?.min(59))
}

/// A length such as `P1DT2H`.
pub(super) fn length(text: &str) -> Result<Length, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no length");
    if text.starts_with('-') {
        return Err(format!("its length is negative: `{text}`"));
    }
    let rest = text.strip_prefix('+').unwrap_or(text).strip_prefix('P').ok_or_else(wrong)?;
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    let units = |text: &str, units: &[(char, i64)]| -> Option<i64> {
        let (mut rest, mut total, mut left) = (text, 0_i64, units.iter());
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, behind) = rest.split_at_checked(end)?;
            let unit = behind.chars().next()?;
            let (_, size) = left.by_ref().find(|(name, _)| *name == unit)?;
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*size)?)?;
            rest = behind.get(1..)?;
        }
        Some(total)
    };
    let days = units(date, &[('W', 7), ('D', 1)]).ok_or_else(wrong)?;
    let seconds = time.map_or(Some(0), |time| units(time, &[('H', 3600), ('M', 60), ('S', 1)]).filter(|_| !time.is_empty()));
    let seconds = seconds.ok_or_else(wrong)?;
    if rest.is_empty() {
        return Err(wrong());
    }
    if days > LONGEST_DAYS || seconds > LONGEST_DAYS * 86_400 {
        return Err(format!("its length is over ten years: `{text}`"));
    }
    Ok(Length::Lasting { days, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("P1D", 1, 0)]
    #[case("P2W", 14, 0)]
    #[case("PT1H30M", 0, 5400)]
    #[case("+P1DT12H", 1, 43_200)]
    #[case("PT0S", 0, 0)]
    fn a_length_is_days_and_seconds(#[case] text: &str, #[case] days: i64, #[case] seconds: i64) {
        assert_eq!(length(text), Ok(Length::Lasting { days, seconds }));
    }

    #[rstest]
    #[case("", "`` is no length")]
    #[case("P", "`P` is no length")]
    #[case("P1DT", "`P1DT` is no length")]
    #[case("1D", "`1D` is no length")]
    #[case("PT1M1H", "`PT1M1H` is no length")]
    #[case("P99999999999999999999D", "`P99999999999999999999D` is no length")]
    #[case("-PT15M", "its length is negative: `-PT15M`")]
    #[case("P9999D", "its length is over ten years: `P9999D`")]
    #[case("P1é", "`P1é` is no length")]
    fn what_is_no_length_is_refused(#[case] text: &str, #[case] why: &str) {
        assert_eq!(length(text), Err(why.to_owned()));
    }

    #[test]
    fn a_zone_that_nobody_knows_is_named_in_short() {
        let text = format!("BEGIN:VCALENDAR\nDTSTART;TZID={}:20260401T100000\nEND:VCALENDAR\n", "x".repeat(5_000));
        let root = super::super::lines::read(&text).unwrap();
        let why = one(root.one("DTSTART").unwrap().unwrap(), &[]).unwrap_err();
        assert!(why.starts_with(&format!("its time zone `{}…` is no IANA name", "x".repeat(80))), "{why}");
    }

    #[test]
    fn a_local_time_has_six_digits_and_a_leap_second_is_the_one_before() {
        assert_eq!(local("20261231T235960").map(|local| local.to_string()), Some("2026-12-31 23:59:59".to_owned()));
        for wrong in ["20261231T2359", "20261231T235961Z", "2026-12-31T23:59:00", "20260230T000000", "20261231T240000", "x"] {
            assert_eq!(local(wrong), None, "{wrong}");
        }
    }
}
