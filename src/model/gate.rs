//! Gates: what must be true before a change may go forward, and how a change's type is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::change::ChangeType;
use super::intent::Verb;
use super::name::RoleName;
use super::share::Percent;
use super::text::Text;

/// An automatic check. Its source may be one that this version cannot be given; then it says so and never counts as passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// The newest run that built this version ended well.
    Pipeline,
    /// Every source that the target's facts come from is fresh.
    Freshness,
    /// No signal of the new version is past its limit or worse than the old one's.
    Signals,
    /// No alert fires on the target.
    Alerts,
    /// The version was the stable one in the environment before for the soak time.
    Soak,
    /// A way back on this target was carried out and seen within the allowed days.
    WayBack,
    /// The change's authors are known, and none of them approves it.
    Authors,
    /// What is deployed is signed.
    Signature,
    /// What is deployed was built from this source by this builder.
    Provenance,
    /// Its tests were counted.
    Tests,
    /// Its scan has no open finding that forbids it.
    Scan,
    /// Those who depend on it can live with its interface.
    Contract,
    /// The error budget is not spent.
    Budget,
}

impl CheckKind {
    /// Every check, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Freshness,
        Self::Alerts,
        Self::Signals,
        Self::Pipeline,
        Self::Soak,
        Self::WayBack,
        Self::Authors,
        Self::Signature,
        Self::Provenance,
        Self::Tests,
        Self::Scan,
        Self::Contract,
        Self::Budget,
    ];

    /// The word in configuration, JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline",
            Self::Freshness => "freshness",
            Self::Signals => "signals",
            Self::Alerts => "alerts",
            Self::Soak => "soak",
            Self::WayBack => "way_back",
            Self::Authors => "authors",
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Tests => "tests",
            Self::Scan => "scan",
            Self::Contract => "contract",
            Self::Budget => "budget",
        }
    }
}

/// How a check that does not hold counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counts {
    /// It stops a forward deed.
    Require,
    /// It is shown.
    Warn,
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It is so.
    Holds,
    /// It is not so.
    Fails,
    /// Its source did not say, or too long ago.
    NotKnown,
    /// No source is configured for it.
    NoSource,
}

impl Finding {
    /// The word in JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotKnown => "not known",
            Self::NoSource => "no source",
        }
    }
}

/// One check of a plan, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub kind: CheckKind,
    /// How it counts when it does not hold.
    pub counts: Counts,
    /// What was found.
    pub finding: Finding,
    /// The evidence in words, with its figures.
    pub text: Text,
    /// What would change it; empty when it holds.
    pub fix: Text,
    /// The backend, or `store`; empty when there is none.
    pub source: String,
    /// The age of the evidence in whole seconds; none when it was never read.
    pub age_s: Option<u64>,
}

/// Which plans are standard changes: pre-approved because they are small, can be undone, and their way back is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandardModel {
    /// Verbs that it covers.
    pub verbs: Vec<Verb>,
    /// The greatest share that the new version has afterwards; none: any.
    pub max_percent: Option<Percent>,
    /// A way back must have been seen to work within this time; none: not asked for.
    pub way_back_proven_within: Option<Duration>,
    /// Approvals that it still needs.
    pub approvals: u32,
}

/// When a plan is an emergency change, and what it then needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyRule {
    /// An alert of one of these severities fires on the target.
    pub severities: Vec<String>,
    /// Approvals that it needs.
    pub approvals: u32,
    /// Roles that may approve it; empty: those of the protection.
    pub approver_roles: Vec<RoleName>,
    /// How long afterwards its review is due.
    pub review_within: Duration,
}

/// The gates of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gates {
    /// Checks that are made, and how they count.
    pub checks: Vec<(CheckKind, Counts)>,
    /// How long a version must have been the stable one in the environment before.
    pub soak_time: Option<Duration>,
    /// How long a way back that was seen to work counts as proof.
    pub way_back_proven_within: Option<Duration>,
    /// Standard changes; none: there are none.
    pub standard: Option<StandardModel>,
    /// Emergency changes; none: there are none.
    pub emergency: Option<EmergencyRule>,
    /// How authors are told.
    #[serde(default, skip_serializing_if = "AuthorRule::is_usual")]
    pub authors: AuthorRule,
    /// Whether what goes forward must name its ticket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_ticket: bool,
}

/// How an author who is no configured person counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unmapped {
    /// As authors who are not known: a configured person may be behind the identity.
    #[default]
    Refuse,
    /// As somebody else.
    Warn,
}

/// How authors are told in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuthorRule {
    /// How an author who is no configured person counts.
    pub unmapped: Unmapped,
    /// Accounts and addresses of which it is known that no configured person is behind them, in lower case.
    pub outsiders: Vec<String>,
}

impl AuthorRule {
    /// Whether nothing is configured.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The type of a change and the written rule that made it so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The type.
    pub change: ChangeType,
    /// Why, in words.
    pub because: Text,
}
