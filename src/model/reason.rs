//! A reason: why something may not or cannot be done, and what would change it.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// One reason of a denial or a wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule: `read-only`, `role`, `hold`, `stale`, `changed`, `approvals`, `unreachable-share`, `no-server-up`, ..
    pub rule: String,
    /// What is so.
    pub text: Text,
    /// What would change it.
    pub fix: Text,
}

impl Reason {
    /// Puts a reason together.
    pub fn new(rule: &str, text: &str, fix: &str) -> Self {
        Self { rule: rule.to_owned(), text: Text::clean(text), fix: Text::clean(fix) }
    }
}
