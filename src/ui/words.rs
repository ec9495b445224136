//! How times, ages, shares and states are written, each in one way everywhere.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::model::name::{BackendName, Target};
use crate::model::share::Share;
pub use crate::model::signal::{count_in_words as count, limit_in_words as limit};

/// An age in the steps in which it is shown: each second under 10 s, then 10 s, 30 s, one minute, and how long this form stays true.
pub fn age(age: Duration) -> (String, Duration) {
    let seconds = age.as_secs();
    let step = match seconds {
        0..10 => 1,
        10..60 => 10,
        60..600 => 30,
        600..86_400 => 60,
        _ => 3600,
    };
    let shown = seconds - seconds % step;
    let left = Duration::from_secs(shown + step).saturating_sub(age);
    (span(shown), left)
}

/// A span of whole seconds in at most two units: `40s`, `4m30`, `1h22`, `6d`.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, 0) => format!("{minutes}m"),
        (0, 0, minutes, seconds) => format!("{minutes}m{seconds:02}"),
        (0, hours, 0, _) => format!("{hours}h"),
        (0, hours, minutes, _) => format!("{hours}h{minutes:02}"),
        (days, ..) => format!("{days}d"),
    }
}

/// What remains: `0:42`, `12:05`, `1h56`.
pub fn remainder(left: Duration) -> String {
    let seconds = left.as_secs();
    if seconds < 3600 { format!("{}:{:02}", seconds / 60, seconds % 60) } else { span(seconds - seconds % 60) }
}

/// A share in per cent: whole where it is whole, else with one decimal.
pub fn share(share: Share) -> String {
    let percent = share.percent();
    if (percent - percent.round()).abs() < 0.05 { format!("{percent:.0}") } else { format!("{percent:.1}") }
}

/// A measured value in its unit: ratios in per cent, others with the fewest decimals that say it.
pub fn value(value: f64, unit: &str) -> String {
    if unit == "ratio" {
        return format!("{} %", short(value * 100.0));
    }
    if unit.is_empty() { short(value) } else { format!("{} {unit}", short(value)) }
}

fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || (value - value.round()).abs() < 1e-9 {
        format!("{value:.0}")
    } else if size >= 0.095 {
        // What rounds to a tenth says no more of itself than a tenth.
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The zone in which times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// The zone of that IANA name, UTC when there is none.
    pub fn named(name: &str) -> Self {
        Self(name.parse().unwrap_or(Tz::UTC))
    }

    /// The day and time for line 1, with the zone's name: `Fri 14:03:22Z`.
    pub fn clock(self, at: &DateTime<Utc>) -> String {
        if self.0 == Tz::UTC {
            return at.format("%a %H:%M:%SZ").to_string();
        }
        at.with_timezone(&self.0).format("%a %H:%M:%S %Z").to_string()
    }

    /// The time of day with seconds.
    pub fn time(self, at: &DateTime<Utc>) -> String {
        at.with_timezone(&self.0).format("%H:%M:%S").to_string()
    }

    /// The time of day without seconds, with the date when it is not today's.
    pub fn minute(self, at: &DateTime<Utc>, now: &DateTime<Utc>) -> String {
        let (at, now) = (at.with_timezone(&self.0), now.with_timezone(&self.0));
        if at.date_naive() == now.date_naive() { at.format("%H:%M").to_string() } else { at.format("%d %b %H:%M").to_string() }
    }

    /// The day and the time of day: `Sat 28 Nov 18:00`.
    pub fn stamp(self, at: &DateTime<Utc>) -> String {
        at.with_timezone(&self.0).format("%a %d %b %H:%M").to_string()
    }

    /// The name of the zone.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The whole time for a detail.
    pub fn absolute(self, at: &DateTime<Utc>) -> String {
        if self.0 == Tz::UTC {
            return at.format("%Y-%m-%d %H:%M:%SZ").to_string();
        }
        at.with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }
}

/// The time from an earlier moment of the wall clock to `now`, zero when it lies ahead.
pub fn ago(at: &DateTime<Utc>, now: &DateTime<Utc>) -> Duration {
    (*now - *at).to_std().unwrap_or_default()
}

/// `1 run`, `2 runs`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(u64::try_from(n).unwrap_or(u64::MAX)), if n == 1 { one } else { many })
}

/// Names in one sentence.
pub fn names(backends: &[BackendName]) -> String {
    backends.iter().map(BackendName::as_str).collect::<Vec<_>>().join(", ")
}

/// Long words and the shorter ones that stand for them where the long one does not fit.
const SHORTER: [(&str, &str); 11] = [
    (" in the configuration", ""),
    ("that the configuration refers to", "configured"),
    ("belongs to this kind of backend", "is of this kind"),
    ("unauthorised", "refused"),
    ("unreachable", "lost"),
    ("UNAUTHORISED", "REFUSED"),
    ("UNREACHABLE", "LOST"),
    ("seconds", "s"),
    ("requests", "req"),
    ("configuration", "config"),
    ("environment", "env"),
];

/// The same sentence in shorter words.
pub fn shorter(sentence: &str) -> String {
    SHORTER.iter().fold(sentence.to_owned(), |text, (long, short)| text.replace(long, short))
}

/// Whether a target is found by what was typed: every word of it stands in the target.
pub fn found(target: &Target, typed: &str) -> bool {
    let name = target.to_string().to_lowercase();
    typed.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_tick_in_steps_and_say_how_long_they_stay_true() {
        let of = |ms| age(Duration::from_millis(ms));
        assert_eq!(of(4_300), ("4s".to_owned(), Duration::from_millis(700)));
        assert_eq!(of(47_000), ("40s".to_owned(), Duration::from_secs(3)));
        assert_eq!(of(285_000), ("4m30".to_owned(), Duration::from_secs(15)));
        assert_eq!(of(4_980_000), ("1h23".to_owned(), Duration::from_mins(1)));
        assert_eq!(of(520_000_000).0, "6d");
    }

    #[test]
    fn numbers_are_written_in_one_way() {
        assert_eq!((count(1_281_004), count(12)), ("1,281,004".to_owned(), "12".to_owned()));
        assert_eq!((value(0.0211, "ratio"), value(0.0004, "ratio")), ("2.1 %".to_owned(), "0.04 %".to_owned()));
        assert_eq!((value(0.000_996, "ratio"), value(0.000_949, "ratio")), ("0.1 %".to_owned(), "0.09 %".to_owned()));
        assert_eq!(value(224.4, "ms"), "224 ms");
        assert_eq!(remainder(Duration::from_secs(42)), "0:42");
    }
}
