//! What a deed released from what: versions, their digests, the commits and the runs that they were built by, as known at its time.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// What runs or ran in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Build {
    /// The version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// Its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Text>,
    /// The commit that it was built from, as the run that built it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Text>,
    /// The run that built it, `backend/number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The backend that said which version it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Build {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// From what to what, whichever way the deed goes: the stable slot's and the other one's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Released {
    /// What the stable slot ran.
    #[serde(default, skip_serializing_if = "Build::is_empty")]
    pub from: Build,
    /// What the other slot ran, or what the deed brings there.
    #[serde(default, skip_serializing_if = "Build::is_empty")]
    pub to: Build,
}

impl Released {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.from.is_empty() && self.to.is_empty()
    }
}
