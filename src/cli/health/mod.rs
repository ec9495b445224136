//! gonogo's own health: what is told of this terminal, the store, secrets and the configuration, each with what to do.

pub mod families;
pub mod living;
pub mod metrics;
pub mod places;
pub mod secrets;
pub mod store;
pub mod terminal;
pub mod textfile;

use serde_json::{Value, json};

/// One thing that is told, and what to do about it where there is something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of what.
    pub about: String,
    /// What was found.
    pub told: String,
    /// What to do, in one sentence.
    pub fix: String,
}

impl Finding {
    /// A finding.
    pub fn new(about: impl Into<String>, told: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about: about.into(), told: told.into(), fix: fix.into() }
    }

    /// As JSON.
    pub fn object(&self) -> Value {
        json!({ "about": self.about, "told": self.told, "fix": self.fix })
    }
}
