//! Silences that deeds make and end: what an operator asks for, what the effect is, and how a reading shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::alert::Silence;
use super::text::Text;

/// The shortest time.
pub const SHORTEST: Duration = Duration::from_mins(1);
/// The longest time: who still wants silence then asks again.
pub const LONGEST: Duration = Duration::from_hours(8);
/// Stands in the comment of every silence that a deed made.
const MARK: &str = "[gonogo ";

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceWish {
    /// The alert's name.
    pub alert: String,
    /// For how long; none: its silences end.
    pub lasts: Option<Duration>,
}

/// What becomes of the silence of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "silence", rename_all = "kebab-case")]
pub enum SilenceChange {
    /// There is one.
    Until {
        /// Its end, in RFC 3339.
        ends: String,
        /// Why.
        comment: String,
    },
    /// These are over.
    Over {
        /// The backend's identities of them.
        ids: Vec<String>,
    },
}

/// A matcher of equality as a reading writes it.
pub fn matcher(name: &str, value: &str) -> Text {
    let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
    Text::clean_within(&format!("{name}=\"{quoted}\""), 1_000)
}

/// The comment that a backend is given: the reason, and the key by which the deed is found in the ledger.
pub fn comment(reason: &str, key: &str) -> String {
    format!("{reason} {MARK}{key}]")
}

/// Whether a deed made it.
pub fn is_of_a_deed(silence: &Silence) -> bool {
    silence.comment.as_str().contains(MARK)
}

/// Whether a silence is the one of an effect: the same matchers, end and reason.
pub fn is_it(silence: &Silence, matchers: &BTreeMap<String, String>, ends: &str, reason: &str) -> bool {
    let Ok(ends) = DateTime::parse_from_rfc3339(ends) else { return false };
    let mut wished: Vec<Text> = matchers.iter().map(|(name, value)| matcher(name, value)).collect();
    let mut found = silence.matchers.clone();
    wished.sort();
    found.sort();
    let apart: TimeDelta = silence.ends - ends.with_timezone(&Utc);
    found == wished && apart.abs() < TimeDelta::seconds(1) && silence.comment.as_str().starts_with(reason) && is_of_a_deed(silence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(ends: &str, comment: &str) -> Silence {
        Silence {
            id: Text::clean("1"),
            matchers: vec![matcher("service", "check\"out"), matcher("alertname", "Errors")],
            by: Text::clean("ana"),
            comment: Text::clean(comment),
            ends: ends.parse().unwrap(),
        }
    }

    #[test]
    fn a_silence_is_known_by_what_it_mutes_until_when_and_why() {
        let matchers = BTreeMap::from([("alertname".to_owned(), "Errors".to_owned()), ("service".to_owned(), "check\"out".to_owned())]);
        let ours = comment("we know", "7c7c-0");
        let is_it = |silence: &Silence| is_it(silence, &matchers, "2026-11-20T16:03:00.000Z", "we know");
        assert!(is_it(&silence("2026-11-20T16:03:00.4Z", &ours)));
        assert!(!is_it(&silence("2026-11-20T16:05:00Z", &ours)), "another end");
        assert!(!is_it(&silence("2026-11-20T16:03:00Z", "we know")), "made by another hand");
        let mut wider = silence("2026-11-20T16:03:00Z", &ours);
        wider.matchers.pop();
        assert!(!is_it(&wider), "it mutes more");
    }
}
