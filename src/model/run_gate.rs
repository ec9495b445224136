//! Gates of runs: where a run waits for a person or a condition, who may answer, and who did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::text::Text;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRef {
    /// The backend's identity.
    pub id: u64,
    /// Its name there.
    pub name: String,
}
