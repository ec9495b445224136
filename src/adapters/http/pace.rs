//! Pacing: when a backend said how long to wait, nothing is sent before.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::model::time::Moment;

/// The longest pause that a backend can ask for, so that a wrong header does not blind the room for a year.
const LONGEST: Duration = Duration::from_hours(1);

/// The pause that a backend asked for, if any.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<Moment>>);

impl Pace {
    /// The end of the pause, when `now` is still within it.
    pub(super) fn closed_until(&self, now: &Moment) -> Option<DateTime<Utc>> {
        let mut until = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match *until {
            Some(end) if now.boot < end.boot => Some(end.wall),
            _ => {
                *until = None;
                None
            }
        }
    }

    /// Closes for `pause` from `now`; a longer pause that is already known stays.
    pub(super) fn close(&self, now: &Moment, pause: Duration) -> DateTime<Utc> {
        let end = now.plus(pause.min(LONGEST));
        let mut until = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match *until {
            Some(known) if known.boot > end.boot => known.wall,
            _ => {
                *until = Some(end);
                end.wall
            }
        }
    }
}

/// How long `Retry-After` asks to wait: seconds, or a date, which is measured against the backend's own clock where it told one.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => until(http_date(text)?, date(headers).unwrap_or(now)),
    }
}

/// How long to wait because an answer said that no request is left (`RateLimit-*`, `X-RateLimit-*`).
pub(super) fn exhausted(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    [("ratelimit-remaining", "ratelimit-reset"), ("x-ratelimit-remaining", "x-ratelimit-reset")].into_iter().find_map(|(left, reset)| {
        if number(left)? > 0 {
            return None;
        }
        let reset = number(reset)?;
        // Some vendors tell seconds from now, others seconds since 1970: no pause lasts 30 years.
        if reset > 1_000_000_000 {
            until(DateTime::from_timestamp(reset, 0)?, date(headers).unwrap_or(now))
        } else {
            u64::try_from(reset).ok().map(Duration::from_secs)
        }
    })
}

/// The pause that a refusal asks for. GitHub refuses with 403 as often as with 429, and its secondary limit may tell no time at all:
/// then it is a minute (APIS, A1).
pub(super) fn asked(github: bool, status: StatusCode, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Option<Duration> {
    match (github, status.as_u16()) {
        (true, 403 | 429) => {
            let said = String::from_utf8_lossy(body).to_ascii_lowercase();
            let told = retry_after(headers, now).or_else(|| exhausted(headers, now));
            told.or_else(|| (status.as_u16() == 429 || said.contains("rate limit")).then_some(Duration::from_mins(1)))
        }
        (false, 429 | 503) | (true, 503) => retry_after(headers, now),
        (_, _) => None,
    }
}

/// The backend's clock as its `Date` header told it.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    http_date(headers.get(reqwest::header::DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc();
    (0..253_402_300_800).contains(&date.timestamp()).then_some(date)
}

fn until(end: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    (end - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Boot;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_backends_clock() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")]), at(0)), Some(Duration::from_secs(7)));
        let dated = headers(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]);
        assert_eq!(retry_after(&dated, at(0)), Some(Duration::from_mins(1)));
        assert_eq!(retry_after(&headers(&[("retry-after", "soon")]), at(0)), None);
        assert_eq!(retry_after(&headers(&[("retry-after", "-3")]), at(0)), None);
    }

    #[test]
    fn a_used_up_quota_pauses_by_either_way_of_telling() {
        let delta = headers(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "30")]);
        assert_eq!(exhausted(&delta, at(0)), Some(Duration::from_secs(30)));
        let epoch = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000060")]);
        assert_eq!(exhausted(&epoch, at(1_700_000_000)), Some(Duration::from_mins(1)));
        let left = headers(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1700000060")]);
        assert_eq!(exhausted(&left, at(1_700_000_000)), None);
    }

    #[test]
    fn githubs_403_is_a_pause_only_when_it_says_so() {
        let asked = |status: u16, pairs: &[(&'static str, &str)], body: &str| {
            super::asked(true, StatusCode::from_u16(status).unwrap(), &headers(pairs), body.as_bytes(), at(1_700_000_000))
        };
        assert_eq!(asked(403, &[], "Resource not accessible by integration"), None);
        assert_eq!(asked(403, &[("retry-after", "7")], ""), Some(Duration::from_secs(7)));
        assert_eq!(asked(403, &[], "You have exceeded a secondary rate limit."), Some(Duration::from_mins(1)));
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000090")];
        assert_eq!(asked(403, &spent, "API rate limit exceeded"), Some(Duration::from_secs(90)));
        assert_eq!(asked(429, &[], ""), Some(Duration::from_mins(1)));
        assert_eq!(asked(422, &[("retry-after", "7")], "rate limit"), None);
    }

    #[test]
    fn a_pause_is_bounded_and_ends_by_the_clock_that_counts_on() {
        let now = Moment { wall: at(1_000), boot: Boot(5_000) };
        let pace = Pace::default();
        assert_eq!(pace.close(&now, Duration::from_secs(u64::MAX)), at(1_000 + 3_600));
        assert_eq!(pace.close(&now, Duration::from_secs(1)), at(1_000 + 3_600), "the longer pause stays");
        let set_forward = Moment { wall: at(1_000_000), ..now };
        assert!(pace.closed_until(&set_forward).is_some(), "the wall clock ends no pause");
        assert_eq!(pace.closed_until(&now.plus(LONGEST)), None);
        assert_eq!(pace.closed_until(&now), None, "an ended pause is forgotten");
    }
}
