//! A time as a person types it: a whole one with its offset, one by the clock of the room, or the next time of day.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};

use super::zone::Zone;

/// Days that are looked through for a time of day that is still to come: the clock may skip it on one of them.
const DAYS: u64 = 3;

/// A time as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This instant: RFC 3339, whose seconds may be left out.
    At(DateTime<Utc>),
    /// What the clock of the room shows: `2026-11-30 14:00`.
    Local(NaiveDateTime),
    /// The next time that the clock of the room shows this: `15:30`.
    Next(NaiveTime),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let typed = text.trim().replacen(' ', "T", 1);
        let whole = DateTime::parse_from_rfc3339(&typed).ok();
        // People write no seconds.
        let whole = whole.or_else(|| DateTime::parse_from_str(&typed.replacen('Z', "+00:00", 1), "%Y-%m-%dT%H:%M%:z").ok());
        let local = || ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"].iter().find_map(|form| NaiveDateTime::parse_from_str(&typed, form).ok());
        let next = || ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(&typed, form).ok());
        let found = whole.map(|at| Self::At(at.to_utc())).or_else(|| local().map(Self::Local)).or_else(|| next().map(Self::Next));
        found.ok_or_else(|| {
            let text = text.chars().filter(|c| !c.is_control()).take(60).collect::<String>();
            format!("`{text}` is no time; expected such as 15:30, 2026-11-30 14:00, or RFC 3339 with its offset: 2026-11-30T14:00Z")
        })
    }
}

impl When {
    /// The instant that is meant where the clock of `zone` hangs.
    ///
    /// # Errors
    /// The clock never shows it, or shows it twice.
    pub fn instant(self, zone: &Zone, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
        match self {
            Self::At(at) => Ok(at),
            Self::Local(local) => {
                let (shown, told) = (zone.shown(local), local.format("%Y-%m-%d %H:%M"));
                if shown.skipped {
                    return Err(format!("the clock is set forward over {told} and never shows it"));
                }
                if shown.first != shown.last {
                    return Err(format!("the clock shows {told} twice; say which with its offset, as in 2026-10-25T02:30+02:00"));
                }
                Ok(shown.first)
            }
            Self::Next(time) => {
                let today = zone.local(now).date();
                let days = (0..DAYS).filter_map(|days| today.checked_add_days(chrono::Days::new(days)));
                let shown = days.map(|day| zone.shown(day.and_time(time))).filter(|shown| !shown.skipped);
                let found = shown.flat_map(|shown| [shown.first, shown.last]).find(|at| *at > now);
                found.ok_or_else(|| format!("the clock does not show {} within {DAYS} days", time.format("%H:%M")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("15:30", "2026-11-20T14:30:00Z")]
    #[case(" 14:00 ", "2026-11-20T13:00:00Z")]
    #[case("12:59", "2026-11-21T11:59:00Z")]
    #[case("13:00", "2026-11-21T12:00:00Z")]
    #[case("2026-11-30 14:00", "2026-11-30T13:00:00Z")]
    #[case("2026-11-30T14:00:20", "2026-11-30T13:00:20Z")]
    #[case("2026-11-30T14:00Z", "2026-11-30T14:00:00Z")]
    #[case("2026-11-30 14:00+02:00", "2026-11-30T12:00:00Z")]
    #[case("2026-11-30T14:00:00.250Z", "2026-11-30T14:00:00.250Z")]
    fn a_time_is_read_by_the_clock_of_the_room(#[case] typed: &str, #[case] meant: &str) {
        let (zone, now) = (Zone::named("Europe/Berlin"), utc("2026-11-20T12:00:00Z"));
        assert_eq!(typed.parse::<When>().unwrap().instant(&zone, now), Ok(utc(meant)));
    }

    #[rstest]
    #[case("2026-03-29 02:30", "never shows it")]
    #[case("2026-10-25 02:30", "twice")]
    fn a_time_that_the_clock_skips_or_shows_twice_is_asked_about(#[case] typed: &str, #[case] says: &str) {
        let (zone, now) = (Zone::named("Europe/Berlin"), utc("2026-03-28T20:00:00Z"));
        let why = typed.parse::<When>().unwrap().instant(&zone, now).unwrap_err();
        assert!(why.contains(says), "{why}");
        // A time of day is the next one that there is.
        assert_eq!("02:30".parse::<When>().unwrap().instant(&zone, now), Ok(utc("2026-03-30T00:30:00Z")));
    }

    #[rstest]
    #[case("")]
    #[case("tomorrow")]
    #[case("25:00")]
    #[case("2026-13-01 10:00")]
    #[case("express")]
    fn what_is_no_time_is_told_with_what_is(#[case] typed: &str) {
        assert!(typed.parse::<When>().unwrap_err().contains("expected such as 15:30"));
    }
}
