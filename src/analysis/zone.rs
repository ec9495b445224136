//! From what a clock on the wall shows to the instant that is meant, over days on which it jumps.

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// A change of a defined zone's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Seconds east of UTC before it.
    pub before: i32,
    /// Seconds east of UTC from it on.
    pub after: i32,
}

/// A zone: one of the IANA database, or one that a calendar defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// A zone of the IANA database as this program was built with.
    Named(Tz),
    /// A zone whose jumps are known, in order of time.
    Defined(Vec<Jump>),
}

/// The instants at which a clock shows a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The first.
    pub first: DateTime<Utc>,
    /// The last; another than the first when the clock is set back over the time.
    pub last: DateTime<Utc>,
    /// The clock is set forward over the time and never shows it; `first` and `last` are then the instant of the jump.
    pub skipped: bool,
}

/// No clock was ever set by more than this: the date line, and a zone that defines its offsets itself.
const FARTHEST: i64 = 50 * 3600;

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self::Named(Tz::UTC);

    /// The zone of that IANA name, UTC when there is none.
    pub fn named(name: &str) -> Self {
        name.parse().map_or(Self::UTC, Self::Named)
    }

    /// Seconds east of UTC at an instant.
    pub fn offset(&self, at: DateTime<Utc>) -> i32 {
        match self {
            Self::Named(zone) => zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc(),
            Self::Defined(jumps) => {
                let past = jumps.partition_point(|jump| jump.at <= at);
                let before = past.checked_sub(1).and_then(|last| jumps.get(last)).map(|jump| jump.after);
                before.or_else(|| jumps.first().map(|jump| jump.before)).unwrap_or(0)
            }
        }
    }

    /// What the clock shows at an instant.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let utc = at.naive_utc();
        utc.checked_add_signed(TimeDelta::seconds(self.offset(at).into())).unwrap_or(utc)
    }

    /// The instants at which the clock shows a time.
    pub fn shown(&self, local: NaiveDateTime) -> Shown {
        let as_utc = local.and_utc();
        let apart = |seconds: i64| as_utc.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(as_utc);
        let (early, late) = (apart(-FARTHEST), apart(FARTHEST));
        let (before, after) = (self.offset(early), self.offset(late));
        let found = |offset: i32| Some(apart(-i64::from(offset))).filter(|at| self.offset(*at) == offset);
        let single = |at| Shown { first: at, last: at, skipped: false };
        match (found(before), found(after)) {
            (Some(one), Some(other)) => Shown { first: one.min(other), last: one.max(other), skipped: false },
            (Some(at), None) | (None, Some(at)) => single(at),
            (None, None) => self.search(local, early, late),
        }
    }

    /// Finds the first second at which the clock is at `local` or later: after a jump forward, or between two close jumps.
    fn search(&self, local: NaiveDateTime, early: DateTime<Utc>, late: DateTime<Utc>) -> Shown {
        let (mut low, mut high) = (early.timestamp(), late.timestamp());
        let instant = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap_or(early);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.local(instant(middle)) >= local { high = middle } else { low = middle + 1 }
        }
        let at = instant(high);
        Shown { first: at, last: at, skipped: self.local(at) != local }
    }

    /// The instant that a calendar means by a local time: the first of two, and for one that is skipped, the one by the offset
    /// before the jump (RFC 5545, 3.3.5).
    pub fn meant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let shown = self.shown(local);
        if !shown.skipped {
            return shown.first;
        }
        let before = shown.first.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(shown.first);
        let offset = TimeDelta::seconds(self.offset(before).into());
        local.and_utc().checked_sub_signed(offset).unwrap_or(shown.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn zone(name: &str) -> Zone {
        Zone::Named(name.parse().unwrap())
    }

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        local(text).and_utc()
    }

    #[rstest]
    #[case("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00", "2026-03-29 01:00", true)]
    #[case("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30", "2026-10-25 01:30", false)]
    #[case("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00", "2026-03-29 01:00", false)]
    #[case("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00", "2026-03-08 07:00", true)]
    #[case("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", "2026-11-01 06:30", false)]
    #[case("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30", "2026-10-03 15:30", true)]
    #[case("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", "2026-04-04 15:15", false)]
    #[case("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", "2011-12-30 10:00", true)]
    #[case("Asia/Kolkata", "2026-06-01 12:00", "2026-06-01 06:30", "2026-06-01 06:30", false)]
    fn a_clock_shows_a_time_once_twice_or_never(
        #[case] name: &str,
        #[case] time: &str,
        #[case] first: &str,
        #[case] last: &str,
        #[case] skipped: bool,
    ) {
        assert_eq!(zone(name).shown(local(time)), Shown { first: utc(first), last: utc(last), skipped });
    }

    #[test]
    fn a_calendar_means_the_first_of_two_and_counts_on_over_a_jump() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(berlin.meant(local("2026-10-25 02:30")), utc("2026-10-25 00:30"));
        assert_eq!(berlin.meant(local("2026-03-29 02:30")), utc("2026-03-29 01:30"));
    }

    #[test]
    fn a_defined_zone_jumps_where_it_says() {
        let jump = Jump { at: utc("2026-03-29 01:00"), before: 3600, after: 7200 };
        let zone = Zone::Defined(vec![jump]);
        assert_eq!((zone.offset(utc("2020-01-01 00:00")), zone.offset(jump.at)), (3600, 7200));
        assert_eq!(zone.shown(local("2026-03-29 02:30")), Shown { first: jump.at, last: jump.at, skipped: true });
        assert_eq!(Zone::Defined(Vec::new()).offset(jump.at), 0);
    }
}
