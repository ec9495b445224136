//! Approvals: what a person says about a stored plan, bound to the plan's hash.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::authorship::Authorship;
use super::deed::EntryKind;
use super::name::{PlanId, Target};
use super::plan::Plan;
use super::reason::Reason;
use super::text::Text;

/// The format number of a statement.
pub const STATEMENT_FORMAT: u32 = 1;

/// What is said about a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It may be done, as far as this person goes.
    Approve,
    /// It must not be done; the plan ends.
    Reject,
    /// An approver takes the approval back, or the requester the plan; until the deed begins.
    Withdraw,
}

impl Decision {
    /// The word on the command line and in the statement.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }

    /// The kind of its entry in the ledger.
    pub fn kind(self) -> EntryKind {
        match self {
            Self::Approve => EntryKind::Approval,
            Self::Reject => EntryKind::Rejection,
            Self::Withdraw => EntryKind::Withdrawal,
        }
    }
}

/// What a person signs. Its canonical bytes are the body of the entry (CONTRACTS.md, "Ledger").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What is said.
    pub decision: Decision,
    /// The digest of the evidence that the person saw, see [`Plan::evidence_digest`].
    pub evidence: String,
    /// [`STATEMENT_FORMAT`].
    pub format: u32,
    /// The installation whose ledger records it.
    pub installation: String,
    /// Who says it: a person, or `os:NAME`.
    pub person: String,
    /// The plan that it is about.
    pub plan: PlanId,
}

impl Statement {
    /// The RFC 8785 bytes that are signed.
    ///
    /// # Errors
    /// When serialisation fails, which it cannot for a statement that [`serde_json`] can write.
    pub fn canonical(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(self)
    }
}

/// What a person says about a stored plan, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The plan.
    pub plan: PlanId,
    /// The plan's target.
    pub target: Target,
    /// What is said.
    pub decision: Decision,
    /// Who says it: a person, or `os:NAME`.
    pub person: String,
    /// The digest of the evidence that the person saw.
    pub evidence: String,
    /// Who made what the plan brings, as the person saw it: part of that evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<Box<Authorship>>,
    /// In the person's own words; may be empty.
    pub words: Text,
    /// When an approval ends at the latest; none: with its plan.
    pub expires: Option<DateTime<Utc>>,
}

/// An approval as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who approved.
    pub person: String,
    /// When, by the ledger's clock.
    pub at: DateTime<Utc>,
    /// When it ends, at the latest with its plan.
    pub expires: DateTime<Utc>,
    /// The digest of the evidence that the person saw.
    pub evidence: String,
    /// Whether the person's own key signed it (T1), or the process (T0).
    pub is_own_key: bool,
    /// The person's words; may be empty.
    pub words: Text,
    /// The digest of who made what the plan brings, as the person saw it ([`Authorship::digest`]); none where it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<String>,
}

impl Ruling {
    /// What `person` says about a plan, having seen its evidence as it stands in the plan; an approval then ends with the plan.
    ///
    /// # Errors
    /// As [`Plan::evidence_digest`].
    pub fn about(plan: &Plan, decision: Decision, person: &str, words: Text) -> Result<Self, serde_json::Error> {
        Ok(Self {
            plan: plan.id,
            target: plan.target().clone(),
            decision,
            person: person.to_owned(),
            evidence: plan.evidence_digest()?,
            authors: plan.authors.clone().map(Box::new),
            words,
            expires: None,
        })
    }

    /// What is signed, for the ledger of an installation.
    pub fn statement(&self, installation: &str) -> Statement {
        Statement {
            decision: self.decision,
            evidence: self.evidence.clone(),
            format: STATEMENT_FORMAT,
            installation: installation.to_owned(),
            person: self.person.clone(),
            plan: self.plan,
        }
    }
}

impl Approval {
    /// Whether it still counts at `at`.
    pub fn counts(&self, at: &DateTime<Utc>) -> bool {
        *at < self.expires
    }
}

/// What somebody wanted with a stored plan that cannot be, because of the plan itself: it is spent or over, it is another one, or its
/// digits name several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What was wanted: `execute`, `approve`.
    pub what: &'static str,
    /// The digits by which the plan was named.
    pub digits: Text,
    /// Who wanted it: a person, or `os:NAME`.
    pub person: String,
    /// Why it cannot be.
    pub reasons: Vec<Reason>,
}

/// A plan that waits for other persons, and who has agreed so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The plan.
    pub plan: Plan,
    /// Approvals that were given and not withdrawn, the oldest first.
    pub approvals: Vec<Approval>,
}

impl Waiting {
    /// The approvals that still count.
    pub fn counting(&self, at: &DateTime<Utc>) -> impl Iterator<Item = &Approval> {
        let at = *at;
        self.approvals.iter().filter(move |approval| approval.counts(&at))
    }
}
