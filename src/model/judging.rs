//! The rules of a canary judge: how each metric is compared, and what its groups weigh.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The group of a metric that names none.
pub const ALL: &str = "all";

/// How a judge decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// As Kayenta's judge does: a location test per metric, a score of groups.
    #[default]
    Kayenta,
    /// Our own: exact intervals, tails, sequences.
    Gonogo,
}

impl Method {
    /// Its word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kayenta => "kayenta",
            Self::Gonogo => "gonogo",
        }
    }
}

/// Which change of a metric is harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// More is worse.
    Increase,
    /// Less is worse.
    Decrease,
    /// Any change is.
    #[default]
    Either,
}

impl Direction {
    /// Whether more is worse.
    pub fn minds_more(self) -> bool {
        match self {
            Self::Increase | Self::Either => true,
            Self::Decrease => false,
        }
    }

    /// Whether less is worse.
    pub fn minds_less(self) -> bool {
        match self {
            Self::Decrease | Self::Either => true,
            Self::Increase => false,
        }
    }
}

/// What becomes of a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// It is left out.
    #[default]
    Remove,
    /// It counts as 0.
    Replace,
}

/// What becomes of a value far from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outliers {
    /// It stays.
    #[default]
    Keep,
    /// It is left out.
    Remove,
}

/// What a metric's samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SampleKind {
    /// One number each.
    #[default]
    Values,
    /// So many bad ones of so many.
    Counts,
}

/// How large a change is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// The canary's mean over the baseline's; without change 1.
    #[default]
    MeanRatio,
    /// How likely a value of the canary is above one of the baseline; without change 0.5.
    CommonLanguage,
}

impl Measure {
    /// What it is when nothing changed.
    pub fn neutral(self) -> f64 {
        match self {
            Self::MeanRatio => 1.0,
            Self::CommonLanguage => 0.5,
        }
    }
}

/// From where on a change of the effect counts: at `low` or below it, at `high` or above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// For a metric that went down.
    pub low: f64,
    /// For a metric that went up.
    pub high: f64,
}

impl Bounds {
    /// Both at what the measure is without change: every change counts.
    pub fn of(measure: Measure) -> Self {
        Self { low: measure.neutral(), high: measure.neutral() }
    }
}

/// How one metric is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRules {
    /// Its name in the samples.
    pub name: String,
    /// Which change is harm.
    pub direction: Direction,
    /// The share of the estimated shift that the interval must be away from zero.
    pub tolerance: f64,
    /// The level of the interval.
    pub confidence: f64,
    /// What becomes of a missing value.
    pub missing: Missing,
    /// What becomes of outliers.
    pub outliers: Outliers,
    /// How many interquartile ranges beyond a quartile an outlier is.
    pub outlier_factor: f64,
    /// How large a change is said to be.
    pub measure: Measure,
    /// From where on a change counts.
    pub allowed: Bounds,
    /// From where on a change alone makes the score 0; none: the metric is not critical.
    pub critical: Option<Bounds>,
    /// Whether it fails without data.
    pub must_have_data: bool,
    /// Whether it is judged and shown, and not scored.
    pub muted: bool,
    /// Harm that is tolerated, in the metric's own unit (method gonogo).
    pub margin: f64,
    /// The groups that it counts in; in none, it bears on the score only as a critical metric or as one without data.
    pub groups: Vec<String>,
    /// What its samples are.
    pub kind: SampleKind,
}

impl MetricRules {
    /// The rules of a metric of which only the name is said.
    pub fn named(name: &str) -> Self {
        let measure = Measure::default();
        Self {
            name: name.to_owned(),
            direction: Direction::default(),
            tolerance: 0.25,
            confidence: 0.98,
            missing: Missing::default(),
            outliers: Outliers::default(),
            outlier_factor: 3.0,
            measure,
            allowed: Bounds::of(measure),
            critical: None,
            must_have_data: false,
            muted: false,
            margin: 0.0,
            groups: vec![ALL.to_owned()],
            kind: SampleKind::default(),
        }
    }
}

/// How a canary is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeRules {
    /// How it is decided.
    pub method: Method,
    /// The score from which on it passes.
    pub pass: f64,
    /// The score from which on it is marginal.
    pub marginal: f64,
    /// How often two equal streams may be called different (method gonogo).
    pub alpha: f64,
    /// How often harm of the size of the margin is to be found (method gonogo).
    pub power: f64,
    /// What groups weigh, of 100; those without a weight share the rest.
    pub weights: BTreeMap<String, f64>,
    /// The metrics that are judged; none: all that there are, each by [`MetricRules::named`].
    pub metrics: Vec<MetricRules>,
}

impl Default for JudgeRules {
    fn default() -> Self {
        Self {
            method: Method::default(),
            pass: 75.0,
            marginal: 50.0,
            alpha: 0.05,
            power: 0.8,
            weights: BTreeMap::new(),
            metrics: Vec::new(),
        }
    }
}

/// How the canaries of a service are judged while a rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServiceJudge {
    /// How often an equal canary may be called worse, or a worse one no worse, over all looks and measures.
    pub alpha: f64,
    /// How often harm of the margin's size is to be found.
    pub power: f64,
}

impl Default for ServiceJudge {
    fn default() -> Self {
        Self { alpha: 0.05, power: 0.8 }
    }
}
