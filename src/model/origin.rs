//! The origin of a change: who made it, who looked at it, and what protects the place that it goes to.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::text::Text;

/// A person as a source tells one: by account, by e-mail, or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The account there, in lower case.
    pub login: Option<Text>,
    /// The e-mail, in lower case.
    pub email: Option<Text>,
}

/// In words: the account, with the e-mail behind it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.login, &self.email) {
            (Some(login), Some(email)) => write!(f, "{login} <{email}>"),
            (Some(login), None) => write!(f, "{login}"),
            (None, Some(email)) => write!(f, "<{email}>"),
            (None, None) => f.write_str("an identity without a name"),
        }
    }
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authors {
    /// Everybody: authors, committers and co-authors of every commit between two versions, and of the reviews' commits behind them.
    Known(BTreeSet<Identity>),
    /// Not everybody, and why; nobody can be said to be no author.
    Unknown(Text),
}

/// What lies between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The commit of the version that runs, as it was resolved; empty when it could not be.
    pub from: Text,
    /// The commit of the candidate, as it was resolved; empty when it could not be.
    pub to: Text,
    /// Commits between them, as far as they were told.
    pub commits: u64,
    /// Who made them.
    pub authors: Authors,
}

/// What a reviewer last said of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opinion {
    /// Agreed.
    Approved,
    /// Wants something changed.
    ChangesRequested,
    /// Said something.
    Commented,
    /// Was set aside.
    Dismissed,
    /// Something that this version does not know.
    Other,
}

/// A review of a proposed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The proposal's number.
    pub proposal: u64,
    /// The reviewer's account; empty when it is gone.
    pub by: Text,
    /// What was said.
    pub opinion: Opinion,
    /// The commit that the reviewer saw.
    pub revision: Text,
    /// Whether that is the newest commit of the proposal: else it is a review of something older.
    pub is_current: bool,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// What protects an environment at the backend itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The backend's identity of the environment.
    pub id: u64,
    /// Its name there.
    pub name: Text,
    /// Minutes that a run waits before it goes on.
    pub wait_minutes: Option<u64>,
    /// Accounts and teams of whom one must agree.
    pub reviewers: Vec<Text>,
    /// Whether who asked for the run may not answer for it. It names that account only, never the authors.
    pub prevents_self_review: bool,
    /// Whether only some branches may go there.
    pub limits_branches: bool,
    /// Rules that this version does not know.
    pub other_rules: Vec<Text>,
}

/// What an environment was told to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The backend's identity.
    pub id: u64,
    /// The commit.
    pub revision: Text,
    /// The branch or tag that was asked for.
    pub branch: Text,
    /// The environment.
    pub environment: Text,
    /// The account that asked.
    pub by: Text,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The backend's newest word on it; empty when there is none.
    pub state: Text,
}
