//! Kayenta's way of judging a canary, rule by rule, with a word wherever its answer hangs on one of its known faults.

mod classify;
mod interval;
mod root;
mod score;
mod side;

use std::cmp::Ordering;

use super::{CanaryVerdict, Classification, Judged, Judgement, Lack, Samples};
use crate::model::judging::{JudgeRules, MetricRules};
use score::{Part, Score};

/// Judges every metric and scores those that are not muted.
pub(super) fn judge(rules: &JudgeRules, pairs: &[(MetricRules, Samples)]) -> Judgement {
    let metrics: Vec<Judged> = pairs.iter().map(|(metric, samples)| classify::metric(metric, samples)).collect();
    let scored: Vec<(&MetricRules, &Judged)> =
        pairs.iter().map(|(metric, _)| metric).zip(&metrics).filter(|(_, judged)| !judged.muted).collect();
    let (score, verdict, reason) = verdict(rules, &scored);
    Judgement { score, verdict, reason, metrics, also: None }
}

fn verdict(rules: &JudgeRules, scored: &[(&MetricRules, &Judged)]) -> (Option<f64>, CanaryVerdict, String) {
    let nothing = |why: &str| (None, CanaryVerdict::Nodata, why.to_owned());
    if scored.is_empty() {
        return nothing("no metric is scored, so there is no evidence");
    }
    // What was measured on neither side is no evidence even where it was replaced by 0.
    let is_evidence = |judged: &Judged| {
        judged.lack != Some(Lack::Both) && !matches!(judged.classification, Classification::Nodata | Classification::NodataFail)
    };
    if !scored.iter().any(|(_, judged)| is_evidence(judged)) {
        if scored.iter().all(|(_, judged)| judged.lack == Some(Lack::Both)) {
            return nothing("nothing was measured yet, neither of the baseline nor of the canary");
        }
        return nothing("no scored metric has data of both sides, so nothing could be compared (Kayenta would say 0 and Fail)");
    }
    let part = |(metric, judged): &(&MetricRules, &Judged)| Part {
        name: metric.name.clone(),
        groups: metric.groups.clone(),
        classification: judged.classification,
        critical: judged.critical,
    };
    let parts: Vec<Part> = scored.iter().map(part).collect();
    let found = score::score(&rules.weights, &parts);
    let number = found.number();
    let mut verdict = if number >= rules.pass {
        CanaryVerdict::Pass
    } else if number >= rules.marginal {
        CanaryVerdict::Marginal
    } else {
        CanaryVerdict::Fail
    };
    let mut reason = words(&found, scored, rules);
    let groups = scored.iter().flat_map(|(metric, _)| &metric.groups);
    let is_empty = |group: &String| !scored.iter().any(|(metric, judged)| metric.groups.contains(group) && is_evidence(judged));
    if verdict != CanaryVerdict::Fail
        && let Some(group) = groups.filter(|group| is_empty(group)).min()
    {
        reason.push_str(&format!("; the group `{group}` has no data, so this is no evidence (Kayenta would say {})", verdict.word()));
        verdict = CanaryVerdict::Nodata;
    }
    let lacking: Vec<&str> = scored.iter().filter(|(_, judged)| judged.lack.is_some()).map(|(metric, _)| metric.name.as_str()).collect();
    if !lacking.is_empty() {
        reason.push_str(&format!("; without data of a side: {}, and a rollout holds on that", lacking.join(", ")));
    }
    (Some(number), verdict, reason)
}

/// How the score came about.
fn words(found: &Score, scored: &[(&MetricRules, &Judged)], rules: &JudgeRules) -> String {
    match found {
        Score::Critical(name) => format!("score 0: `{name}` is critical and did not pass"),
        Score::TooFew(without) => {
            format!("score 0: {without} of {} scored metrics have no data, and from half on nothing counts", scored.len())
        }
        Score::Sum(number) => {
            let bad = |judged: &Judged| match judged.classification {
                Classification::High | Classification::Low | Classification::NodataFail => true,
                Classification::Pass | Classification::Nodata | Classification::Early => false,
            };
            let worse: Vec<&str> = scored.iter().filter(|(_, judged)| bad(judged)).map(|(metric, _)| metric.name.as_str()).collect();
            let all = scored.len();
            let counted = match worse.as_slice() {
                [] => format!("none of {all} scored metrics is worse"),
                names => format!("{} of {all} scored metrics failed: {}", names.len(), names.join(", ")),
            };
            let edge = if number.partial_cmp(&rules.marginal).is_some_and(Ordering::is_eq) {
                "; it is just marginal, and the stage around Kayenta's judge would end the canary here"
            } else {
                ""
            };
            format!("score {number} (pass from {}, marginal from {}): {counted}{edge}", rules.pass, rules.marginal)
        }
    }
}

#[cfg(test)]
mod tests;
