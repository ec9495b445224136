//! Objectives: what share of a service's events or of its time must be good over a period, and what was counted of it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::burn_rule::{BurnRule, Severity, span_word};
use super::name::{BackendName, EnvironmentName, ObjectiveName, ServiceName, Target};
use super::text::Text;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Fewer bad events than this are one: a count that is drawn out to the ends of its window is no whole number.
pub const LONE: f64 = 1.5;

/// How a query counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counting {
    /// A plain selector of counters.
    Counter,
    /// An expression with `$window` that gives events a second.
    Rate,
    /// An expression with `$window` that gives events.
    Increase,
}

/// A query that counts events; its placeholders are not filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The query.
    pub text: String,
    /// How it counts.
    pub counting: Counting,
}

/// On which side of its bound a value is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// At the bound or under it.
    Under,
    /// At the bound or over it.
    Over,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Indicator {
    /// Bad events of all events.
    Bad {
        /// Bad events.
        bad: Count,
        /// All events.
        total: Count,
    },
    /// Good events of all events.
    Good {
        /// Good events.
        good: Count,
        /// All events.
        total: Count,
    },
    /// Events of a histogram that took no longer than a bound.
    Histogram {
        /// The buckets, a plain selector.
        buckets: String,
        /// The bound, in the histogram's unit; a bucket must end there.
        under: f64,
    },
    /// The share of the time in which a value is on the good side of a bound.
    Value {
        /// The query.
        query: String,
        /// The good side.
        side: Side,
        /// The bound, in the value's unit.
        bound: f64,
    },
    /// The share of bad events as the backend computes it, which says nothing of their number: an expression with `$window`.
    Share {
        /// The query.
        query: String,
    },
}

impl Indicator {
    /// Whether events are counted; else it is time, in seconds.
    pub fn counts_events(&self) -> bool {
        match self {
            Self::Bad { .. } | Self::Good { .. } | Self::Histogram { .. } => true,
            Self::Value { .. } | Self::Share { .. } => false,
        }
    }

    /// The kind's word in configuration and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Bad { .. } | Self::Good { .. } => "ratio",
            Self::Histogram { .. } => "histogram",
            Self::Value { .. } => "value",
            Self::Share { .. } => "share",
        }
    }
}

/// The time over which an objective is to be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// The time of this length that ends now.
    Rolling(Duration),
    /// The month of the calendar by the clock of the room.
    Month,
    /// The quarter of the calendar by the clock of the room.
    Quarter,
}

impl Period {
    /// Its length; of a calendar's period the usual one, by which alarms are scaled.
    pub fn nominal(self) -> Duration {
        match self {
            Self::Rolling(span) => span,
            Self::Month => Duration::from_secs(30 * DAY),
            Self::Quarter => Duration::from_secs(90 * DAY),
        }
    }

    /// The longest that it can be.
    pub fn longest(self) -> Duration {
        match self {
            Self::Rolling(span) => span,
            Self::Month => Duration::from_secs(31 * DAY + HOUR),
            Self::Quarter => Duration::from_secs(92 * DAY + HOUR),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(span) => f.pad(&span_word(*span)),
            Self::Month => f.pad("month"),
            Self::Quarter => f.pad("quarter"),
        }
    }
}

/// An objective of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Its name, one of its own within the service.
    pub name: ObjectiveName,
    /// The service.
    pub service: ServiceName,
    /// The environments in which it is to be met.
    pub environments: Vec<EnvironmentName>,
    /// Where it is measured.
    pub backend: BackendName,
    /// What is measured.
    pub indicator: Indicator,
    /// The share that must be good, over 0 and under 1.
    pub goal: f64,
    /// Over what time.
    pub period: Period,
    /// What raises an alarm.
    pub rules: Vec<BurnRule>,
    /// Events that the long window must have seen before a rule fires; of no importance where time is measured.
    pub min_events: f64,
    /// The share of each window that must have been measured before a rule fires.
    pub min_coverage: f64,
    /// What it means to a user of the service; may be empty.
    pub description: String,
}

impl Objective {
    /// The share that may be bad.
    pub fn allowed(&self) -> f64 {
        1.0 - self.goal
    }

    /// Whether a window saw too few events for a rule to be believed: fewer than the least, or one bad one alone.
    pub fn wants_more(&self, bad: f64, total: f64) -> bool {
        self.indicator.counts_events() && self.min_events > 0.0 && (total < self.min_events || bad < LONE)
    }

    /// Whether a rule of it calls a person at once.
    pub fn pages(&self) -> bool {
        self.rules.iter().any(|rule| rule.severity == Severity::Page)
    }

    /// SHA-256 in lower-case hexadecimal over its RFC 8785 form: what a plan that reads it was agreed to with.
    pub fn digest(&self) -> String {
        // Serialising texts and finite numbers cannot fail; an empty text would still be a stable digest.
        let bytes = serde_json_canonicalizer::to_vec(self).unwrap_or_default();
        Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Every target for which it is to be met.
    pub fn targets(&self) -> impl Iterator<Item = Target> + '_ {
        self.environments.iter().map(|environment| Target::new(self.service.clone(), environment.clone()))
    }

    /// What the placeholders of its queries stand for.
    pub fn values(&self, target: &Target) -> Vec<(String, String)> {
        vec![("service".to_owned(), target.service.to_string()), ("environment".to_owned(), target.environment.to_string())]
    }
}

/// One objective of one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectiveKey {
    /// The target.
    pub target: Target,
    /// The objective.
    pub name: ObjectiveName,
}

impl ObjectiveKey {
    /// The key that no objective of a service comes before, or of its target in one environment. None never: the name is one.
    pub fn first_of(service: &ServiceName, environment: Option<&EnvironmentName>) -> Option<Self> {
        // The least of the letters that a name may have.
        const LEAST: &str = "-";
        let environment = environment.map_or_else(|| EnvironmentName::new(LEAST).ok(), |environment| Some(environment.clone()))?;
        Some(Self { target: Target::new(service.clone(), environment), name: ObjectiveName::new(LEAST).ok()? })
    }
}

impl fmt::Display for ObjectiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.target, self.name))
    }
}

/// What was counted in one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Bad events, or bad seconds.
    pub bad: f64,
    /// All events, or the seconds that were looked at.
    pub total: f64,
    /// The share of the stretch of which anything is known, 0 to 1.
    pub covered: f64,
}

/// Which stretches are asked for: the last ends at `to_s`, each is `step_s` long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The beginning of the first, in seconds since 1970; a multiple of the step.
    pub from_s: i64,
    /// The end of the last, likewise.
    pub to_s: i64,
    /// The length of each in seconds.
    pub step_s: u32,
}

impl Stretch {
    /// How many there are.
    pub fn count(&self) -> usize {
        usize::try_from(self.to_s.saturating_sub(self.from_s) / i64::from(self.step_s.max(1))).unwrap_or(0)
    }
}

/// What is asked of a monitoring system about an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryAsk {
    /// Of what.
    pub key: ObjectiveKey,
    /// What is measured.
    pub indicator: Indicator,
    /// What each placeholder stands for, by name without `$`.
    pub values: Vec<(String, String)>,
    /// When.
    pub stretch: Stretch,
}

/// What a monitoring system answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryReading {
    /// When.
    pub stretch: Stretch,
    /// What was counted in each stretch, in order; none where nothing is known.
    pub tallies: Vec<Option<Tally>>,
    /// The pause between two samples in seconds, as the answer shows it.
    pub interval_s: Option<f64>,
    /// The query as it was sent.
    pub sent: Text,
    /// What is doubtful about the answer: a part of the query that found nothing.
    pub doubt: Option<Text>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_a_service_comes_before_the_first_one() {
        let key = |target: &str, name: &str| ObjectiveKey { target: target.parse().unwrap(), name: name.parse().unwrap() };
        let service: ServiceName = "b".parse().unwrap();
        let first = ObjectiveKey::first_of(&service, None).unwrap();
        for (target, name) in [("b@-", "-"), ("b@-", "."), ("b@.", "-"), ("b@0", "0"), ("b@Z", "A"), ("b@prod", "x")] {
            assert!(first <= key(target, name), "{target} {name}");
        }
        assert!(key("a@z", "z") < first && key("a-@z", "z") < first && first < key("b-@-", "-"));
        let of_prod = ObjectiveKey::first_of(&service, Some(&"prod".parse().unwrap())).unwrap();
        assert!(key("b@pro", "z") < of_prod && of_prod <= key("b@prod", "-") && of_prod < key("b@prod", "a"));
    }
}
