//! A verdict: may this be done, who else must agree, or why not and what would change it.

use super::deed::Permit;
use super::reason::Reason;

/// The verdict over a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Go. The permit is proof that policy said so.
    Permit(Permit),
    /// Waits for other persons.
    SecondPerson {
        /// Approvals needed.
        needs: u32,
        /// Approvals given.
        given: u32,
        /// Who may approve, by name.
        may: Vec<String>,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// Nothing but its time stands in its way: it is scheduled, and that time has not come. The reason says when.
    Early(Reason),
    /// No. Every reason, the first to fix first.
    Deny(Vec<Reason>),
}

impl Verdict {
    /// The word in JSON: permit, second-person, scheduled, deny.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Permit(_) => "permit",
            Self::SecondPerson { .. } => "second-person",
            Self::Early(_) => "scheduled",
            Self::Deny(_) => "deny",
        }
    }

    /// The reasons, empty for a permit.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Permit(_) => &[],
            Self::Early(reason) => std::slice::from_ref(reason),
            Self::SecondPerson { reasons, .. } | Self::Deny(reasons) => reasons,
        }
    }
}
