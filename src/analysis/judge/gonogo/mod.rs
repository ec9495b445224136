//! Our own way of judging a canary from two files: margins, exact intervals, tails, counts as counts; and never a pass without evidence.
//!
//! A metric passes when the upper bound of its harm is under its margin, and what is rare is excluded too; it fails when the lower bound is
//! over it; else it is too early. One metric that fails fails the canary. The level is divided over the scored metrics.

mod counts;
mod values;

use super::figure::figure;
use super::ranks::{Ranks, count, sorted};
use super::{CanaryVerdict, Classification, Judged, Judgement, Lack, Measured, Point, Samples};
use crate::model::judging::{JudgeRules, Measure, MetricRules};

/// What was found of one metric, before it is written down.
struct Found {
    classification: Classification,
    shift: Option<super::Shift>,
    reason: String,
}

/// The level and power that one metric is judged with.
#[derive(Clone, Copy)]
struct At {
    alpha: f64,
    power: f64,
}

/// Judges every metric by itself, then all together.
pub(super) fn judge(rules: &JudgeRules, pairs: &[(MetricRules, Samples)]) -> Judgement {
    let scored = pairs.iter().filter(|(metric, _)| !metric.muted).count();
    #[expect(clippy::cast_precision_loss, reason = "metrics are few")]
    let at = At { alpha: rules.alpha / scored.max(1) as f64, power: rules.power };
    let metrics: Vec<Judged> = pairs.iter().map(|(metric, samples)| of_metric(metric, samples, at)).collect();
    let weighed: Vec<(f64, &Judged)> = pairs
        .iter()
        .zip(&metrics)
        .filter(|(_, judged)| !judged.muted)
        .map(|((metric, _), judged)| (weight(metric, rules, pairs), judged))
        .collect();
    let (score, verdict, reason) = verdict(&weighed);
    Judgement { score, verdict, reason, metrics, also: None }
}

fn of_metric(rules: &MetricRules, samples: &Samples, at: At) -> Judged {
    let numbers = |side: &[Point]| side.iter().filter_map(|point| point.value?.number()).collect::<Vec<f64>>();
    let (baseline, canary) = (numbers(&samples.baseline), numbers(&samples.canary));
    let lack = match (baseline.is_empty(), canary.is_empty()) {
        (false, false) => None,
        (true, false) => Some(Lack::Baseline),
        (false, true) => Some(Lack::Canary),
        (true, true) => Some(Lack::Both),
    };
    let mut judged = Judged {
        name: samples.name.clone(),
        classification: if rules.must_have_data { Classification::NodataFail } else { Classification::Nodata },
        critical: false,
        muted: rules.muted,
        u: None,
        p: None,
        shift: None,
        effect: None,
        lack,
        reason: String::new(),
    };
    if let Some(lack) = lack {
        let whose = match lack {
            Lack::Baseline => "the baseline has no data",
            Lack::Canary => "the canary has no data",
            Lack::Both => "neither side has data",
        };
        whose.clone_into(&mut judged.reason);
        judged.critical = rules.critical.is_some();
    } else {
        let in_order = [sorted(&canary), sorted(&baseline)];
        let ranks = Ranks::of(&in_order[0], &in_order[1], 0.0);
        let significance = ranks.significance();
        (judged.u, judged.p) = (Some(significance.u), Some(significance.p));
        judged.effect = match rules.measure {
            Measure::CommonLanguage => Some(ranks.common_language()),
            Measure::MeanRatio => mean_ratio(&canary, &baseline),
        };
        let is_counted = |side: &[Point]| side.iter().filter_map(|point| point.value).all(|value| matches!(value, Measured::Counts { .. }));
        let found = if is_counted(&samples.baseline) && is_counted(&samples.canary) {
            counts::compare(rules, samples, at)
        } else {
            values::compare(rules, samples, in_order, at)
        };
        judged.classification = found.classification;
        judged.shift = found.shift;
        judged.reason = found.reason;
        judged.lack = matches!(found.classification, Classification::Nodata | Classification::NodataFail).then_some(Lack::Both);
        judged.critical = rules.critical.is_some_and(|bounds| match found.classification {
            Classification::High => judged.effect.is_none_or(|effect| effect >= bounds.high),
            Classification::Low => judged.effect.is_none_or(|effect| effect <= bounds.low),
            Classification::Nodata | Classification::NodataFail => true,
            Classification::Pass | Classification::Early => false,
        });
    }
    if rules.muted {
        judged.reason.push_str("; muted, so it is not scored");
    }
    judged
}

/// The canary's mean over the baseline's; none when either is zero.
fn mean_ratio(canary: &[f64], baseline: &[f64]) -> Option<f64> {
    let mean = |side: &[f64]| side.iter().sum::<f64>() / count(side);
    let (canary, baseline) = (mean(canary), mean(baseline));
    (canary.abs() > 0.0 && baseline.abs() > 0.0).then(|| canary / baseline)
}

/// What a metric weighs, of 100: its part of each of its groups.
fn weight(metric: &MetricRules, rules: &JudgeRules, pairs: &[(MetricRules, Samples)]) -> f64 {
    let scored = || pairs.iter().map(|(metric, _)| metric).filter(|metric| !metric.muted);
    let groups: std::collections::BTreeSet<&String> = scored().flat_map(|metric| &metric.groups).collect();
    let light = groups.iter().filter(|group| !rules.weights.contains_key(**group)).fold(0.0, |light, _| light + 1.0);
    let given: f64 = groups.iter().filter_map(|group| rules.weights.get(*group)).sum();
    let of = |group: &String| {
        let whole = rules.weights.get(group).copied().unwrap_or_else(|| (100.0 - given).max(0.0) / light);
        whole / scored().filter(|other| other.groups.contains(group)).fold(0.0, |members, _| members + 1.0)
    };
    metric.groups.iter().map(of).fold(0.0, |sum, part| sum + part)
}

fn verdict(scored: &[(f64, &Judged)]) -> (Option<f64>, CanaryVerdict, String) {
    let is = |judged: &Judged, of: &[Classification]| of.contains(&judged.classification);
    let named = |of: &[Classification]| {
        scored.iter().filter(|(_, judged)| is(judged, of)).map(|(_, judged)| judged.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let weigh = |of: &[Classification]| scored.iter().filter(|(_, judged)| is(judged, of)).fold(0.0, |sum, (weight, _)| sum + weight);
    let without = [Classification::Nodata, Classification::NodataFail];
    if scored.iter().all(|(_, judged)| is(judged, &without)) {
        let why = if scored.is_empty() { "no metric is scored" } else { "no scored metric has data of both sides" };
        return (None, CanaryVerdict::Nodata, format!("{why}, so there is no evidence"));
    }
    let harm = [Classification::High, Classification::Low];
    let lost = scored.iter().any(|(_, judged)| judged.critical && is(judged, &harm));
    let passed = if lost { 0.0 } else { weigh(&[Classification::Pass]) };
    let of = weigh(&[Classification::Pass, Classification::High, Classification::Low, Classification::Early]);
    let lacking = weigh(&without);
    let rest = if lacking > 0.0 { format!(", {} without data", figure(lacking)) } else { String::new() };
    let sum = format!("score {} of {}{rest}", figure(passed), figure(of));
    let (verdict, reason) = match (named(&harm), named(&without), named(&[Classification::Early])) {
        (worse, _, _) if !worse.is_empty() => (CanaryVerdict::Fail, format!("worse beyond the margin: {worse}; {sum}")),
        (_, lacking, _) if !lacking.is_empty() => (CanaryVerdict::Nodata, format!("without data of a side: {lacking}; {sum}")),
        (_, _, early) if !early.is_empty() => (CanaryVerdict::Early, format!("too early to tell: {early}; {sum}")),
        (_, _, _) => (CanaryVerdict::Pass, format!("no metric of {} is worse beyond its margin; {sum}", scored.len())),
    };
    (Some((passed * 100.0).round() / 100.0), verdict, reason)
}

/// The canary's points, and the baseline's, of the intervals that both have.
fn common(samples: &Samples) -> Vec<(&Point, &Point)> {
    let mut theirs = samples.baseline.iter().peekable();
    let of = |point: &'_ Point, theirs: &mut std::iter::Peekable<std::slice::Iter<'_, Point>>| {
        while theirs.next_if(|other| other.at < point.at).is_some() {}
        theirs.peek().is_some_and(|other| other.at == point.at)
    };
    let mut pairs = Vec::new();
    for point in &samples.canary {
        if of(point, &mut theirs)
            && let Some(other) = theirs.next()
        {
            pairs.push((point, other));
        }
    }
    pairs
}

/// How long so many more intervals are, by the median time between two of the canary's points.
fn lasts(samples: &Samples, intervals: u64) -> String {
    let mut steps: Vec<i64> =
        samples.canary.iter().zip(samples.canary.iter().skip(1)).map(|(one, next)| (next.at - one.at).num_seconds()).collect();
    let middle = steps.len() / 2;
    if steps.is_empty() {
        return String::new();
    }
    let step = *steps.select_nth_unstable(middle).1;
    let seconds = i64::try_from(intervals).unwrap_or(i64::MAX).saturating_mul(step);
    format!(", about {}", super::figure::span(seconds))
}

#[cfg(test)]
mod tests;
