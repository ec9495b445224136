//! Signals: what a monitoring system is asked about a service, and what it answered.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::error::PortError;
use super::name::{SignalName, Target};
use super::slot::Slot;
use super::text::Text;

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Smaller is better.
    Lower,
    /// Larger is better.
    Higher,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The counter of bad events of a ratio signal.
    Bad(SignalName),
    /// The counter of all events of a ratio signal.
    Total(SignalName),
    /// The buckets of a histogram signal.
    Buckets(SignalName),
    /// A plain value.
    Value(SignalName),
    /// The version that runs in a slot.
    Version,
}

/// How a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Raw counter samples of the last `window_s` seconds, as a range selector, each with its own time.
    Counters {
        /// Seconds looked back.
        window_s: u32,
    },
    /// The newest value now, with the time of its sample.
    Instant,
}

impl Form {
    /// What is asked in this form of a query whose placeholders are filled in.
    pub fn of(self, filled: String) -> String {
        match self {
            Self::Counters { window_s } => format!("{filled}[{window_s}s]"),
            Self::Instant => filled,
        }
    }
}

/// A limit in its unit as it was configured, every digit of it: a limit that is cut is another one. Ratios are told in per cent.
pub fn limit_in_words(limit: f64, unit: &str) -> String {
    let (value, unit) = if unit == "ratio" { (limit * 100.0, "%") } else { (limit, unit) };
    let digits = format!("{value:.6}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if unit.is_empty() { digits.to_owned() } else { format!("{digits} {unit}") }
}

/// A number with its thousands apart.
pub fn count_in_words(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What placeholders stand for, by name without `$`. Of thousands of targets every one keeps it: names are shared.
pub type Values = Arc<[(Arc<str>, Arc<str>)]>;

/// One question to a monitoring system, ready to be sent: placeholders are filled in, except that `matchers` says which were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Whose.
    pub target: Target,
    /// Of which slot; none when the question is about the whole service.
    pub slot: Option<Slot>,
    /// About what.
    pub subject: Subject,
    /// The query with its placeholders (`$service`, `$track`, `$slot`, ..), as configured.
    pub template: Arc<str>,
    /// What each placeholder stands for in this question, by name without `$`.
    pub values: Values,
    /// How.
    pub form: Form,
}

/// One sample with its own time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The time that the backend gave it, in milliseconds since 1970.
    pub at_ms: i64,
    /// A finite number.
    pub value: f64,
}

/// One series: its labels and samples in rising time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Labels, sorted by name; shared with other readings of the same series.
    pub labels: Arc<[(Text, Text)]>,
    /// Samples, oldest first. Values that are no finite number were refused and counted in [`Answer::refused`].
    pub samples: Vec<Sample>,
}

impl Series {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&Text> {
        self.labels.iter().find(|(label, _)| label.as_str() == name).map(|(_, value)| value)
    }
}

/// The answer to one [`Ask`]. No series is "no data", never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked.
    pub ask: Ask,
    /// The query of this question alone, as it can be asked anywhere. It may have been sent in one with those of others.
    #[serde(rename = "sent")]
    pub query: Text,
    /// The series, or why this question failed, which is told once for all that failed together.
    pub series: Result<Vec<Series>, Arc<PortError>>,
    /// Samples that were no finite number, or stood out of order.
    pub refused: u32,
}

/// A rule of the monitoring system, and whether its silence means anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHealth {
    /// The rule's name.
    pub name: Text,
    /// Whether its last evaluation worked.
    pub healthy: bool,
    /// Its last error.
    pub error: Text,
    /// Its last evaluation.
    pub evaluated: Option<DateTime<Utc>>,
}

/// Everything that one poll of a monitoring system brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalReading {
    /// One answer a question, in the order of the questions.
    pub answers: Vec<Answer>,
    /// Warnings: the data is partial.
    pub warnings: Vec<Text>,
    /// Alerting rules and their health.
    pub rules: Vec<RuleHealth>,
    /// Scrape targets that are up, and all of them.
    pub targets_up: u32,
    /// All scrape targets.
    pub targets: u32,
    /// The backend's clock as its `Date` header told it, for the skew.
    pub backend_clock: Option<DateTime<Utc>>,
}
