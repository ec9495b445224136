//! A running judgement written down, and taken up again where its rollout, its rules and its judge are the same.

use chrono::{DateTime, TimeDelta, Utc};

use crate::analysis::trial::Trial;
use crate::model::kept::KeptTrial;
use crate::model::name::{PlanId, Target};
use crate::model::trial::TrialRules;

/// No judgement is kept that is longer, in bytes.
const LONGEST: usize = 4 << 20;
/// By how much two clocks may differ.
const APART: TimeDelta = TimeDelta::minutes(1);
/// By how much the newest sample may be younger than all clocks say: those of exporters go wrong more than our own.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What is kept of a judgement; none where it cannot be written down.
pub fn of(target: &Target, rollout: PlanId, trial: &Trial, at: DateTime<Utc>) -> Option<KeptTrial> {
    let written = serde_json::to_string(trial).ok().filter(|written| written.len() <= LONGEST)?;
    let rules = trial.rules().digest();
    Some(KeptTrial { target: target.clone(), rollout, judge: Trial::judge(), rules, at, pairs: trial.pairs(), trial: written })
}

/// The judgement to go on with. Answers look back further than a poll takes, and each sample is counted once by its time, so what came
/// while nobody judged is counted as far as it is there, and what lies in a longer gap is in no interval.
///
/// # Errors
/// Why it is not gone on with, in words.
pub fn restored(kept: &KeptTrial, rules: &TrialRules, now: DateTime<Utc>) -> Result<Trial, &'static str> {
    if kept.judge != Trial::judge() {
        return Err("another gonogo judged it");
    }
    if kept.rules != rules.digest() {
        return Err("its rules changed");
    }
    if kept.at > now + APART {
        return Err("what was kept of it is of a time to come");
    }
    let trial: Trial = serde_json::from_str(&kept.trial).map_err(|_| "what was kept of it cannot be read")?;
    // What stands in the text counts, not what is said about it.
    if trial.rules() != *rules || trial.pairs() != kept.pairs {
        return Err("what was kept of it cannot be read");
    }
    let newest = trial.newest_ms().and_then(DateTime::from_timestamp_millis);
    if newest.is_some_and(|newest| newest > kept.at.max(now) + AHEAD) {
        return Err("what was kept of it has samples of a time to come");
    }
    Ok(trial)
}

#[cfg(test)]
mod tests;
