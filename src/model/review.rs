//! Break glass and the reviews that it and emergency changes leave owed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::intent::Verb;
use super::name::{PlanId, Target};
use super::reason::Reason;
use super::text::Text;

/// How short a reason for breaking the glass may be, in characters.
pub const LEAST_REASON: usize = 10;
/// The time box when none is asked for.
pub const USUAL_BOX: Duration = Duration::from_mins(15);
/// The shortest time box.
pub const SHORTEST_BOX: Duration = Duration::from_mins(1);
/// The longest time box.
pub const LONGEST_BOX: Duration = Duration::from_hours(4);
/// How long afterwards a review is due, unless the configuration says otherwise.
pub const REVIEW_WITHIN: Duration = Duration::from_hours(72);

/// Why a review is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// The glass was broken.
    BreakGlass {
        /// When its time box ends.
        until: DateTime<Utc>,
        /// What was waived.
        waived: Vec<Reason>,
    },
    /// An emergency change took effect.
    Emergency,
}

impl Cause {
    /// The word in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::BreakGlass { .. } => "break-glass",
            Self::Emergency => "emergency",
        }
    }
}

/// How a review was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Who reviewed.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What was found.
    pub words: Text,
}

/// A deed that somebody else must look at afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The plan, which names the review too.
    pub plan: PlanId,
    /// Its target.
    pub target: Target,
    /// Its verb.
    pub verb: Verb,
    /// Who asked for the deed.
    pub by: String,
    /// Why.
    pub reason: Text,
    /// Why a review is owed.
    #[serde(flatten)]
    pub cause: Cause,
    /// When the deed began.
    pub at: DateTime<Utc>,
    /// How long after the deed it is due.
    pub within: Duration,
    /// When it is due; none while nothing is owed: an emergency change that has not taken effect.
    pub due: Option<DateTime<Utc>>,
    /// How it was closed; none while it is open.
    pub closed: Option<Closed>,
    /// Why it is not in the second place of the record; none when it is, or there is none.
    #[serde(default)]
    pub trouble: Option<Text>,
}

impl Review {
    /// Whether it is owed and was not made.
    pub fn is_owed(&self) -> bool {
        self.due.is_some() && self.closed.is_none()
    }

    /// Whether it should have been made by `at`.
    pub fn is_overdue(&self, at: &DateTime<Utc>) -> bool {
        self.closed.is_none() && self.due.is_some_and(|due| *at >= due)
    }

    /// When its time box ends, while that is still to come.
    pub fn open_until(&self, at: &DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.cause {
            Cause::BreakGlass { until, .. } if at < until => Some(*until),
            Cause::BreakGlass { .. } | Cause::Emergency => None,
        }
    }
}

/// Where the glass is broken at `at`, and until when, the first to end first.
pub fn broken_glass<'a>(reviews: &'a [Review], at: &DateTime<Utc>) -> Vec<(&'a Review, DateTime<Utc>)> {
    let mut open: Vec<_> = reviews.iter().filter_map(|review| Some((review, review.open_until(at)?))).collect();
    open.sort_by_key(|(_, until)| *until);
    open
}

/// What a reviewer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The plan whose deed was looked at, or 8 or more of its digits.
    pub plan: String,
    /// Who says it: a person, or `os:NAME`.
    pub person: String,
    /// What was found.
    pub words: Text,
}
