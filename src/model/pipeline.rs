//! Runs of pipelines: what a CI system builds, step by step, with logs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{BackendName, NameError};
use super::run_gate::{GateAnswer, RunGate};
use super::text::Text;

/// A run as people name it: `backend/number`, where the number is the backend's global identity of the run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId {
    /// The CI backend.
    pub backend: BackendName,
    /// The backend's global number (Buildbot's `buildid`).
    pub number: u64,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.backend, self.number))
    }
}

impl FromStr for RunId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::Target(Text::clean_within(text, 80));
        let (backend, number) = text.split_once('/').ok_or_else(wrong)?;
        Ok(Self { backend: backend.parse().map_err(|_| wrong())?, number: number.parse().map_err(|_| wrong())? })
    }
}

impl TryFrom<String> for RunId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

/// How a run or a step of it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Asked for, not begun.
    Queued,
    /// Under way.
    Running,
    /// Ended well.
    Passed,
    /// Ended well with warnings.
    Warned,
    /// Ended badly.
    Failed,
    /// Not run.
    Skipped,
    /// The CI system itself broke.
    Broken,
    /// Will be run again by the CI system itself.
    Retrying,
    /// Stopped.
    Cancelled,
}

impl RunState {
    /// Whether nothing more will come of it.
    pub fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Passed | Self::Warned | Self::Failed | Self::Skipped | Self::Broken | Self::Retrying | Self::Cancelled => true,
        }
    }

    /// Whether it ended as wished.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Warned | Self::Skipped)
    }

    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Broken => "broken",
            Self::Retrying => "retrying",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A log of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRef {
    /// The backend's identity of the log.
    pub id: u64,
    /// Its name: `stdio`.
    pub name: Text,
    /// Lines so far.
    pub lines: u64,
    /// Whether it will grow no more.
    pub complete: bool,
}

/// One step of a run: a stage of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// Its place, from 0.
    pub number: u32,
    /// Its name.
    pub name: Text,
    /// Its state.
    pub state: RunState,
    /// What the CI system says of it in words.
    pub words: Text,
    /// When it began.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// Its logs.
    pub logs: Vec<LogRef>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// The number within its builder, where the backend counts so.
    pub number: u64,
    /// The builder (Buildbot) or workflow that it is a run of.
    pub builder: Text,
    /// Its state.
    pub state: RunState,
    /// What the CI system says of it in words.
    pub words: Text,
    /// Why it was started.
    pub reason: Text,
    /// The commit that it builds, empty when unknown.
    pub revision: Text,
    /// The branch.
    pub branch: Text,
    /// Who made the change, or asked for the run.
    pub by: Text,
    /// Accounts that asked for the run or for this attempt of it, where the backend tells them apart from who made the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_by: Vec<Text>,
    /// When it was asked for.
    pub asked: Option<DateTime<Utc>>,
    /// When it began.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// Properties that were set on it, by name: `gonogo_key` is ours.
    pub properties: BTreeMap<String, Text>,
    /// The run of which it is a repetition (Buildbot's `rebuilt_buildid`).
    pub retry_of: Option<u64>,
    /// Its attempt, from 1, where the backend repeats a run under its own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// Gates at which it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<RunGate>,
    /// Its steps, when they were read.
    pub steps: Vec<RunStep>,
}

/// A run at its gates: what an answer binds to, and what was answered so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunGates {
    /// The run.
    pub run: RunId,
    /// Its attempt: an answer counts for this one alone.
    pub attempt: u64,
    /// The commit that it builds.
    pub revision: Text,
    /// Its state.
    pub state: RunState,
    /// Accounts that asked for the run or for this attempt of it.
    pub asked_by: Vec<Text>,
    /// Gates at which it waits.
    pub waiting: Vec<RunGate>,
    /// Answers so far, of every attempt; the backend tells no times.
    pub answered: Vec<GateAnswer>,
}

/// A run that was asked for and has not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRun {
    /// The backend's identity of the request.
    pub request: u64,
    /// The builder that it waits for.
    pub builder: Text,
    /// When it was asked for.
    pub asked: Option<DateTime<Utc>>,
    /// Why.
    pub reason: Text,
    /// Properties, where the backend tells them.
    pub properties: BTreeMap<String, Text>,
}

/// One builder with its newest runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// Its name.
    pub name: Text,
    /// The backend's number of it.
    pub id: u64,
    /// The newest runs first, at most 20.
    pub runs: Vec<Run>,
    /// What waits.
    pub queued: Vec<QueuedRun>,
}

/// Everything that one poll of a CI system brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReading {
    /// The builders that were asked for and exist, by name.
    pub builders: BTreeMap<String, Builder>,
    /// Builders that were asked for and do not exist.
    pub missing: Vec<Text>,
    /// The backend's clock as its `Date` header told it.
    pub backend_clock: Option<DateTime<Utc>>,
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPart {
    /// The number of its first line, from 0.
    pub first: u64,
    /// Lines, each cleaned.
    pub lines: Vec<Text>,
    /// All lines that the log has now.
    pub total: u64,
    /// Whether it will grow no more.
    pub complete: bool,
}
