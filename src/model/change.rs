//! The type of a change: how much must be true before it may be carried out.

use serde::{Deserialize, Serialize};

/// The type of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeType {
    /// Pre-approved: small, reversible, with a proven way back.
    Standard,
    /// Assessed and approved one by one.
    Normal,
    /// Cannot wait; reviewed afterwards.
    Emergency,
}

impl ChangeType {
    /// Every type, the least strict first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Normal, Self::Emergency];

    /// The word in configuration, JSON and the Order.
    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Normal => "normal",
            Self::Emergency => "emergency",
        }
    }

    /// The type of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
