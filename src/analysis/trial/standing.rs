//! What follows from a trial now: for each measure, and for the canary as a whole.

use serde::{Deserialize, Serialize};

use super::measure::Measure;
use super::process::{Follows, Ground};
use super::sentence;
use super::side::Counted;
use crate::analysis::evidence::power;
use crate::analysis::evidence::sequential::Look;
use crate::analysis::judge::Lack;
use crate::model::name::SignalName;
use crate::model::signal::Better;
use crate::model::trial::MeasureKind;

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

/// What follows from one measure at a level and a power, at a time in milliseconds since 1970.
pub fn of_measure(measure: &Measure, alpha: f64, power: f64, now_ms: i64) -> MeasureStanding {
    let rules = &measure.rules;
    let counted = !matches!(rules.kind, MeasureKind::Value { .. });
    let [baseline, canary] = measure.sums;
    let mut standing = MeasureStanding {
        name: rules.name.clone(),
        outcome: Outcome::Early,
        lack: None,
        ground: None,
        harm: None,
        margin: rules.margin,
        canary: counted.then_some(canary),
        baseline: counted.then_some(baseline),
        bound: measure.bound,
        pairs: measure.pairs(),
        more: None,
        critical: rules.critical,
        weight: rules.weight,
        resets: measure.resets(),
        gaps: measure.gaps,
        reason: String::new(),
    };
    let mut turned = false;
    if let Some(process) = &measure.process {
        let look = process.look(alpha);
        standing.harm = process.estimate().map(|estimate| harm(estimate, &look, counted));
        match process.follows(alpha) {
            Follows::Worse(ground) => (standing.outcome, standing.ground) = (Outcome::Fail, Some(ground)),
            Follows::NoWorse => standing.outcome = Outcome::Pass,
            Follows::Open { turned: found } => turned = found,
        }
        if standing.outcome == Outcome::Early && !turned {
            standing.more = more(measure, process.more(alpha), alpha, power);
        }
    }
    let found = standing.outcome;
    if let Some((lack, why)) = lacking(measure, now_ms) {
        (standing.outcome, standing.lack, standing.ground, standing.more) = (Outcome::Nodata, Some(lack), None, None);
        standing.reason = sentence::without(&standing, rules, &why, found);
    } else {
        standing.reason = sentence::of(&standing, rules, turned);
    }
    standing
}

fn harm(estimate: f64, look: &Look, counted: bool) -> Harm {
    let within = |bound: f64| bound.is_finite() && !(counted && bound.abs() >= 1.0);
    Harm { estimate, low: Some(look.low).filter(|low| within(*low)), high: Some(look.high).filter(|high| within(*high)) }
}

/// Of whom there is no data now, and why.
fn lacking(measure: &Measure, now_ms: i64) -> Option<(Lack, String)> {
    if measure.process.is_none() {
        return Some((Lack::Both, format!("{} is no margin for it", measure.rules.margin)));
    }
    let stale_ms = i64::from(measure.rules.stale_after_s) * 1000;
    let why = |at: usize| {
        let newest = measure.newest_ms().get(at).copied().flatten();
        match (measure.missing.get(at).cloned().flatten(), newest) {
            (Some(why), _) => Some(why.to_string()),
            (None, Some(newest)) => {
                let age_ms = now_ms.saturating_sub(newest);
                (age_ms > stale_ms).then(|| format!("no sample for {}", sentence::span(age_ms / 1000)))
            }
            (None, None) => None,
        }
    };
    let found = match (why(0), why(1)) {
        (Some(old), Some(new)) if old == new => Some((Lack::Both, old)),
        (Some(old), Some(new)) => Some((Lack::Both, format!("{new}; old: {old}"))),
        (Some(old), None) => Some((Lack::Baseline, old)),
        (None, Some(new)) => Some((Lack::Canary, new)),
        (None, None) => None,
    };
    let never = measure.newest_ms() == [None, None];
    found.or_else(|| match measure.pairs() {
        0 if never => Some((Lack::Both, "nothing was asked yet".to_owned())),
        0 => Some(measure.idle().map_or_else(
            || (Lack::Both, "its first interval is not over".to_owned()),
            |idle| (idle, "no events since the trial began".to_owned()),
        )),
        _ => None,
    })
}

/// How many more intervals: as many as decide if they are as those so far were; else those that a wished power needs.
fn more(measure: &Measure, found: Option<u64>, alpha: f64, power: f64) -> Option<More> {
    let planned = || {
        let [baseline, canary] = measure.sums;
        let rate = baseline.bad / baseline.total;
        let margin = measure.rules.margin;
        let requests = power::requests(rate + margin, rate, canary.total / baseline.total, alpha, power)?;
        let left = real(requests) - canary.total;
        (left > 0.0).then(|| whole(left * real(measure.pairs()) / canary.total))
    };
    let intervals = found.or_else(planned).filter(|intervals| *intervals > 0)?;
    let each_ms = u64::try_from(measure.interval_ms()?).ok()?;
    Some(More { intervals, seconds: intervals.saturating_mul(each_ms).div_ceil(1000) })
}

#[expect(clippy::cast_precision_loss, reason = "requests stay far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; a cast stops at the end")]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}

/// The canary as a whole.
pub fn of_all(measures: Vec<MeasureStanding>) -> TrialStanding {
    let scored = || measures.iter().filter(|measure| measure.weight > 0.0);
    let any = |outcome: Outcome| scored().any(|measure| measure.outcome == outcome);
    let outcome = if any(Outcome::Fail) {
        Outcome::Fail
    } else if scored().next().is_none() || any(Outcome::Nodata) {
        Outcome::Nodata
    } else if any(Outcome::Early) {
        Outcome::Early
    } else {
        Outcome::Pass
    };
    let weigh = |of: fn(Outcome) -> bool| scored().filter(|measure| of(measure.outcome)).fold(0.0, |sum, measure| sum + measure.weight);
    let lost = scored().any(|measure| measure.critical && measure.outcome == Outcome::Fail);
    let score = Score {
        passed: if lost { 0.0 } else { weigh(|outcome| outcome == Outcome::Pass) },
        of: weigh(|outcome| outcome != Outcome::Nodata),
        without: weigh(|outcome| outcome == Outcome::Nodata),
    };
    let reason = sentence::of_all(outcome, &score, &measures);
    TrialStanding { outcome, score, reason, measures }
}

/// What a direction of harm is called in a sentence.
pub(super) fn beyond(better: Better) -> &'static str {
    match better {
        Better::Lower => "over",
        Better::Higher => "at or under",
    }
}
