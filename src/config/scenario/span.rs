//! Spans of time and defaults as scenarios write them: `250ms`, `20s`, `5m`, `1h`, and `-30s` for what lies before the beginning.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

use crate::model::share::Percent;
use crate::model::text::Text;

/// The longest span, a week.
const LONGEST_MS: u64 = 7 * 24 * 3600 * 1000;

fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|all| *all <= LONGEST_MS)
}

fn wrong<E: Error>(text: &str) -> E {
    E::custom(format!("`{}` is no span of time; expected a number with ms, s, m or h, at most a week", Text::clean_within(text, 40)))
}

/// A span that is not negative.
pub(super) fn long<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    milliseconds(&text).map(Duration::from_millis).ok_or_else(|| wrong(&text))
}

/// A whole number of seconds, perhaps negative.
pub(super) fn signed<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let text = String::deserialize(from)?;
    let (sign, span) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let seconds = milliseconds(span).and_then(|all| i64::try_from(all / 1000).ok()).ok_or_else(|| wrong(&text))?;
    Ok(sign * seconds)
}

pub(super) fn warm_up() -> Duration {
    Duration::from_mins(20)
}

pub(super) fn scrape() -> Duration {
    Duration::from_secs(5)
}

pub(super) fn history() -> Duration {
    Duration::from_mins(10)
}

pub(super) fn every() -> Duration {
    Duration::from_secs(2)
}

pub(super) fn build() -> Duration {
    Duration::from_secs(50)
}

pub(super) fn late() -> Duration {
    Duration::from_mins(1)
}

pub(super) fn workers() -> usize {
    6
}

pub(super) fn servers() -> u32 {
    1
}

pub(super) fn one() -> f64 {
    1.0
}

pub(super) fn errors() -> f64 {
    0.001
}

pub(super) fn coupling() -> f64 {
    0.15
}

pub(super) fn pushes() -> f64 {
    4.0
}

pub(super) fn failing() -> f64 {
    0.1
}

pub(super) fn steps() -> Vec<Percent> {
    [5, 10, 20, 50, 80, 100].into_iter().filter_map(Percent::new).collect()
}
