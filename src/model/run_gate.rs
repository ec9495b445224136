//! Gates of runs: where a run waits for a person or a condition, who may answer, and who did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::text::Text;

/// What the words of a step say that stands before a gate.
pub const WAITS: &str = "waits at a gate";

/// A gate at which a run waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunGate {
    /// The backend's identity of the gate; the same for every run that comes to it.
    pub id: u64,
    /// Its name there: the environment behind it.
    pub name: Text,
    /// Whether the backend would take an answer from the account that we read with.
    pub may_answer: bool,
    /// Accounts and teams whose answer it takes, as the backend names them; one is enough.
    pub reviewers: Vec<Text>,
    /// It opens by itself no earlier than this.
    pub until: Option<DateTime<Utc>>,
    /// Since when the run waits there, as far as the backend tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}

impl RunGate {
    /// The gate as an Order names it.
    pub fn named(&self) -> GateRef {
        GateRef { id: self.id, name: self.name.to_string() }
    }
}

/// What was answered at a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateAnswer {
    /// The gates, by the backend's identities.
    pub gates: Vec<u64>,
    /// Whether they were opened; closed ends the run. None: an answer that this version does not know.
    pub opened: Option<bool>,
    /// The account that answered.
    pub by: Text,
    /// Its words.
    pub words: Text,
}

/// A gate as an Order names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GateRef {
    /// The backend's identity.
    pub id: u64,
    /// Its name there.
    pub name: String,
}

/// Who asked for a run, by the accounts of its backend: whoever asked for it may not also open its gates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    /// The kind of the backend, as `logins` of a person name it.
    pub kind: String,
    /// The accounts that asked for the run, and for this attempt of it; empty where the backend told none.
    pub accounts: Vec<Text>,
}
