//! What follows from what was seen: measure by measure, then for the canary as a whole.

use super::bucket::Bound;
use super::measure::Measure;
use super::process::Follows;
use super::sentence;
use super::standing::{Harm, MeasureStanding, More, Outcome, Score, TrialStanding};
use crate::analysis::evidence::power;
use crate::analysis::evidence::sequential::Look;
use crate::analysis::judge::Lack;
use crate::analysis::judge::figure::span;
use crate::model::trial::MeasureKind;

/// A side has no data after so many intervals without a sample.
const MISSED: i64 = 4;
/// And not sooner than this, in milliseconds: polls and scrapes do not keep step.
const SHORTEST_MS: i64 = 15_000;

/// What follows from one measure at a level, without bounds and words.
pub fn outcome_of(measure: &Measure, alpha: f64, now_ms: i64) -> Outcome {
    if lacking(measure, now_ms).is_some() {
        return Outcome::Nodata;
    }
    match measure.process.as_ref().map(|process| process.follows(alpha)) {
        Some(Follows::Worse(_)) => Outcome::Fail,
        Some(Follows::NoWorse) => Outcome::Pass,
        Some(Follows::Open { .. }) => Outcome::Early,
        None => Outcome::Nodata,
    }
}

/// What follows for the canary as a whole from the outcomes of the measures that decide.
pub fn outcome_of_all(outcomes: &[Outcome]) -> Outcome {
    let any = |outcome: Outcome| outcomes.contains(&outcome);
    if any(Outcome::Fail) {
        Outcome::Fail
    } else if outcomes.is_empty() || any(Outcome::Nodata) {
        Outcome::Nodata
    } else if any(Outcome::Early) {
        Outcome::Early
    } else {
        Outcome::Pass
    }
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
        past_limit: None,
        canary: counted.then_some(canary),
        baseline: counted.then_some(baseline),
        bound: measure.bound.as_ref().map(Bound::at),
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
    // Where samples are known to come often, a few of them missing is no data already.
    let missed_ms = measure.interval_ms().map_or(i64::MAX, |each| each.saturating_mul(MISSED).max(SHORTEST_MS));
    let stale_ms = (i64::from(measure.rules.stale_after_s) * 1000).min(missed_ms);
    let why = |at: usize| {
        let newest = measure.newest_ms().get(at).copied().flatten();
        match (measure.missing.get(at).cloned().flatten(), newest) {
            (Some(why), _) => Some(why.to_string()),
            (None, Some(newest)) => {
                let age_ms = now_ms.saturating_sub(newest);
                (age_ms > stale_ms).then(|| format!("no sample for {}", span(age_ms / 1000)))
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
    let outcome = outcome_of_all(&scored().map(|measure| measure.outcome).collect::<Vec<Outcome>>());
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
