//! The canary judge: samples of baseline and canary in, a judgement with its reasons out.

pub mod figure;
mod gonogo;
mod kayenta;
pub mod normal;
pub mod ranks;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::judging::{JudgeRules, Method, MetricRules};
use crate::model::text::Text;

/// What was measured in one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// A number.
    Value(f64),
    /// So many bad ones of so many.
    Counts {
        /// The bad ones.
        bad: f64,
        /// All.
        total: f64,
    },
}

impl Measured {
    /// As one number; counts are their ratio. None for what is none: NaN, or nothing counted.
    pub fn number(self) -> Option<f64> {
        let number = match self {
            Self::Value(value) => value,
            Self::Counts { bad, total } => bad / total,
        };
        // Zero has one sign from here on.
        (!number.is_nan()).then_some(number + 0.0)
    }
}

/// One interval of one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When the interval was; points of both sides with the same time are of the same interval.
    pub at: DateTime<Utc>,
    /// What was measured; none: it is missing.
    pub value: Option<Measured>,
}

/// The two samples of one metric, each in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The metric.
    pub name: Text,
    /// The old version.
    pub baseline: Vec<Point>,
    /// The new version.
    pub canary: Vec<Point>,
}

/// What was found about one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classification {
    /// No harm was found.
    Pass,
    /// The canary is higher, and that is harm.
    High,
    /// The canary is lower, and that is harm.
    Low,
    /// A side has no data.
    Nodata,
    /// A side has no data, and the metric must have some.
    NodataFail,
    /// It cannot be told yet.
    Early,
}

impl Classification {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::High => "High",
            Self::Low => "Low",
            Self::Nodata => "Nodata",
            Self::NodataFail => "NodataFail",
            Self::Early => "Early",
        }
    }
}

/// Where nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lack {
    /// In the old version.
    Baseline,
    /// In the new version.
    Canary,
    /// In both.
    Both,
}

/// How far the canary is from the baseline, in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The estimate.
    pub estimate: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One metric, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The metric.
    pub name: Text,
    /// What was found.
    pub classification: Classification,
    /// It alone makes the score 0.
    pub critical: bool,
    /// It is not scored.
    pub muted: bool,
    /// Mann and Whitney's U of the canary.
    pub u: Option<f64>,
    /// The two-sided level of U: asymptotic, with corrections for ties and continuity.
    pub p: Option<f64>,
    /// How far the canary is away.
    pub shift: Option<Shift>,
    /// How large the change is, by the measure of the rules; none where it is not defined.
    pub effect: Option<f64>,
    /// Where nothing was measured, whatever the classification makes of it. A rollout holds on it.
    pub lack: Option<Lack>,
    /// Why, in one sentence.
    pub reason: String,
}

/// What a judge says of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanaryVerdict {
    /// It may go on.
    Pass,
    /// It may not go on, and need not go back.
    Marginal,
    /// It is worse.
    Fail,
    /// It cannot be told yet.
    Early,
    /// There is no evidence.
    Nodata,
}

impl CanaryVerdict {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Marginal => "marginal",
            Self::Fail => "fail",
            Self::Early => "early",
            Self::Nodata => "nodata",
        }
    }
}

/// The judgement of a canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// From 0 to 100; none without evidence.
    pub score: Option<f64>,
    /// What follows.
    pub verdict: CanaryVerdict,
    /// Why, in one sentence.
    pub reason: String,
    /// The metrics, in the order of the rules.
    pub metrics: Vec<Judged>,
    /// What the other method says, where it says something else.
    pub also: Option<Also>,
}

/// What another method says of the same samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Also {
    /// Which.
    pub method: Method,
    /// What follows by it.
    pub verdict: CanaryVerdict,
    /// Why, in one sentence.
    pub reason: String,
}

impl Judgement {
    /// The scored metrics of which nothing was measured on a side. A rollout holds while there is one, whatever the verdict is.
    pub fn lacking(&self) -> impl Iterator<Item = &Judged> {
        self.metrics.iter().filter(|metric| metric.lack.is_some() && !metric.muted)
    }

    /// The scored metrics in which harm was seen. A fail without one is missing data alone: nothing to go back on.
    pub fn harmed(&self) -> impl Iterator<Item = &Judged> {
        let seen = |metric: &&Judged| matches!(metric.classification, Classification::High | Classification::Low);
        self.metrics.iter().filter(|metric| !metric.muted && metric.lack.is_none()).filter(seen)
    }
}

/// Judges a canary by its samples. A metric of the rules without samples has no data; samples of a metric that the rules do not
/// name are judged only where the rules name none. Both methods judge; what the other one says is told where it is another verdict.
pub fn judge(rules: &JudgeRules, samples: &[Samples]) -> Judgement {
    let pairs = pairs(rules, samples);
    let (kayenta, gonogo) = (kayenta::judge(rules, &pairs), gonogo::judge(rules, &pairs));
    let (mut judgement, other, method) = match rules.method {
        Method::Kayenta => (kayenta, gonogo, Method::Gonogo),
        Method::Gonogo => (gonogo, kayenta, Method::Kayenta),
    };
    judgement.also = (judgement.verdict != other.verdict).then_some(Also { method, verdict: other.verdict, reason: other.reason });
    judgement
}

/// Judges a canary by one method alone.
pub fn by(method: Method, rules: &JudgeRules, samples: &[Samples]) -> Judgement {
    let pairs = pairs(rules, samples);
    match method {
        Method::Kayenta => kayenta::judge(rules, &pairs),
        Method::Gonogo => gonogo::judge(rules, &pairs),
    }
}

/// Each metric that is to be judged with its samples.
fn pairs(rules: &JudgeRules, samples: &[Samples]) -> Vec<(MetricRules, Samples)> {
    if rules.metrics.is_empty() {
        return samples.iter().map(|pair| (MetricRules::named(pair.name.as_str()), pair.clone())).collect();
    }
    let of = |metric: &MetricRules| {
        let found = samples.iter().find(|pair| pair.name.as_str() == metric.name);
        found.cloned().unwrap_or_else(|| Samples { name: Text::clean(&metric.name), baseline: Vec::new(), canary: Vec::new() })
    };
    rules.metrics.iter().map(|metric| (metric.clone(), of(metric))).collect()
}
