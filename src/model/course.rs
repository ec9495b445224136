//! The states of a change from its plan to its end, and what is kept of one that waits no more.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change::ChangeType;
use super::intent::Verb;
use super::name::{PlanId, Target};
use super::share::Percent;
use super::text::Text;

/// The state of a change, from its plan to its end. `policy::course` says which it is, and how one leads to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeState {
    /// Drawn up; nobody was asked to agree.
    Draft,
    /// Judged and put before those who must agree.
    Assessed,
    /// The same, and its time is fixed.
    Scheduled,
    /// Everybody who must agree has agreed.
    Approved,
    /// Being carried out, or watched; or carried out while its review is owed.
    Implementing,
    /// Carried out, and its owed review was made while it is still watched.
    Reviewed,
    /// Carried out; nothing of it is owed.
    Closed,
    /// It was begun and did not come about, or did not last.
    Failed,
    /// Taken back, rejected, or ended before it began.
    Withdrawn,
}

impl ChangeState {
    /// Every state in its order.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::Assessed,
        Self::Scheduled,
        Self::Approved,
        Self::Implementing,
        Self::Reviewed,
        Self::Closed,
        Self::Failed,
        Self::Withdrawn,
    ];

    /// The word in JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Assessed => "assessed",
            Self::Scheduled => "scheduled",
            Self::Approved => "approved",
            Self::Implementing => "implementing",
            Self::Reviewed => "reviewed",
            Self::Closed => "closed",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing more will come of it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Closed | Self::Failed | Self::Withdrawn => true,
            Self::Draft | Self::Assessed | Self::Scheduled | Self::Approved | Self::Implementing | Self::Reviewed => false,
        }
    }
}

/// What the store keeps of a plan that waits no more, for some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastChange {
    /// The plan.
    pub plan: PlanId,
    /// Its verb.
    pub verb: Verb,
    /// Its target.
    pub target: Target,
    /// The share that it sets, for one that sets one.
    pub percent: Option<Percent>,
    /// Who asked.
    pub requester: String,
    /// Its type.
    pub change: ChangeType,
    /// When it was planned.
    pub made: DateTime<Utc>,
    /// When its booking began; none when it was not scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<DateTime<Utc>>,
    /// When the plan ends.
    pub expires: DateTime<Utc>,
    /// The train with which it was to leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<String>,
    /// Who took it back or rejected it, in words; none when it was carried out, or ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<Text>,
    /// Whether it became a deed.
    pub carried_out: bool,
    /// When it was carried out, taken back, rejected, or ended.
    pub at: DateTime<Utc>,
}
