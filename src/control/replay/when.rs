//! A moment of the past as people say it.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::config::duration;

/// A moment of what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// RFC 3339.
    At(DateTime<Utc>),
    /// A time of day in UTC: the last one that lies within.
    Clock(NaiveTime),
    /// So long before the end.
    Before(Duration),
    /// So long after the beginning.
    After(Duration),
}

impl std::str::FromStr for When {
    type Err = String;

    /// `2026-11-20T13:59:10Z`, `13:59:10Z`, `13:59`, `-10m` before the end, `10m` after the beginning.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no moment; expected such as 2026-11-20T13:59:10Z, 13:59:10Z, -10m before the end, 10m after the beginning")
        };
        if let Some(before) = text.strip_prefix('-') {
            return duration::parse(before).map(Self::Before).ok_or_else(wrong);
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let clock = text.strip_suffix('Z').unwrap_or(text);
        let clock = NaiveTime::parse_from_str(clock, "%H:%M:%S%.f").or_else(|_| NaiveTime::parse_from_str(clock, "%H:%M"));
        clock.map(Self::Clock).ok().or_else(|| duration::parse(text).map(Self::After)).ok_or_else(wrong)
    }
}

impl When {
    /// The moment between the first and the last that there are.
    pub fn within(self, from: &DateTime<Utc>, to: &DateTime<Utc>) -> DateTime<Utc> {
        let span = |span: Duration| TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        match self {
            Self::At(at) => at,
            Self::Clock(time) => {
                let today = to.date_naive().and_time(time).and_utc();
                if today <= *to { today } else { today.checked_sub_signed(TimeDelta::days(1)).unwrap_or(today) }
            }
            Self::Before(before) => to.checked_sub_signed(span(before)).unwrap_or(*from),
            Self::After(after) => from.checked_add_signed(span(after)).unwrap_or(*to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_people_write_it() {
        let clock = |text: &str| When::Clock(text.parse().unwrap());
        for (text, when) in [
            ("13:59:10Z", clock("13:59:10")),
            ("13:59:10", clock("13:59:10")),
            ("13:59", clock("13:59:00")),
            ("-10m", When::Before(Duration::from_mins(10))),
            ("1h30m", When::After(Duration::from_mins(90))),
            ("2026-11-20T15:59:10+02:00", When::At("2026-11-20T13:59:10Z".parse().unwrap())),
        ] {
            assert_eq!(text.parse(), Ok(when), "{text}");
        }
        for text in ["", "-", "25:00", "yesterday", "--10m", "10"] {
            assert!(text.parse::<When>().unwrap_err().contains("is no moment; expected such as"), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_last_one_before_the_end() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (from, to) = (at("2026-11-20T10:00:00Z"), at("2026-11-21T09:00:00Z"));
        let clock = |text: &str| When::Clock(text.parse().unwrap()).within(&from, &to);
        assert_eq!(clock("08:30:00"), at("2026-11-21T08:30:00Z"));
        assert_eq!(clock("13:00:00"), at("2026-11-20T13:00:00Z"));
        assert_eq!(When::Before(Duration::from_mins(10)).within(&from, &to), at("2026-11-21T08:50:00Z"));
        assert_eq!(When::After(Duration::from_mins(10)).within(&from, &to), at("2026-11-20T10:10:00Z"));
        assert_eq!(When::Before(Duration::MAX).within(&from, &to), from);
    }
}
