//! What follows from a trial now: for each measure, and for the canary as a whole.

use serde::{Deserialize, Serialize};

use super::beyond::PastLimit;
use super::process::Ground;
use super::side::Counted;
use crate::analysis::judge::Lack;
use crate::model::name::SignalName;

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The upper bound of harm is under the margin.
    Pass,
    /// The lower bound of harm is over the margin.
    Fail,
    /// The margin lies between them.
    Early,
    /// There is no evidence, or none any more.
    Nodata,
}

impl Outcome {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Early => "early",
            Self::Nodata => "nodata",
        }
    }
}

/// By how much the canary is worse than the baseline in the same time: a share for ratios and histograms, else in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Harm {
    /// As it was seen.
    pub estimate: f64,
    /// The lower bound, at all looks together; none where nothing is excluded.
    pub low: Option<f64>,
    /// The upper bound, likewise.
    pub high: Option<f64>,
}

/// How much more it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct More {
    /// Intervals.
    pub intervals: u64,
    /// How long that is, in seconds, by the median interval.
    pub seconds: u64,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureStanding {
    /// The signal.
    pub name: SignalName,
    /// What follows.
    pub outcome: Outcome,
    /// Of whom there is no data.
    pub lack: Option<Lack>,
    /// What convicted it; none unless it fails.
    pub ground: Option<Ground>,
    /// By how much the canary is worse.
    pub harm: Option<Harm>,
    /// What it may be worse by.
    pub margin: f64,
    /// Whether the canary is past its own limit beyond doubt; none where it has no limit, or is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_limit: Option<PastLimit>,
    /// The canary's events in all intervals, of measures that are counted.
    pub canary: Option<Counted>,
    /// The baseline's.
    pub baseline: Option<Counted>,
    /// The bound beyond which events of a histogram are bad.
    pub bound: Option<f64>,
    /// How many intervals were compared.
    pub pairs: u64,
    /// How much more it takes if it goes on like this; none when it is decided, or nobody can say.
    pub more: Option<More>,
    /// Whether it alone makes the score 0.
    pub critical: bool,
    /// What it weighs; with 0 it decides nothing.
    pub weight: f64,
    /// How often counters began again at 0: of the baseline, of the canary.
    pub resets: [u32; 2],
    /// How many intervals were left out because too little was seen of them.
    pub gaps: u32,
    /// Why, in one sentence.
    pub reason: String,
}

/// The score as its sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// What those weigh that pass.
    pub passed: f64,
    /// What those weigh that have data.
    pub of: f64,
    /// What those weigh that have none.
    pub without: f64,
}

/// The canary as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialStanding {
    /// What follows: fail where one measure fails, else nodata where one has none, else early where one is; pass where all do.
    pub outcome: Outcome,
    /// The score as its sum.
    pub score: Score,
    /// Why, in one sentence.
    pub reason: String,
    /// The measures, in the order of the rules.
    pub measures: Vec<MeasureStanding>,
}
