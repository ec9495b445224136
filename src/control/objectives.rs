//! What is asked about an objective and when, and what its history comes to; pure.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::analysis::burn::budget::{Budget, outlook};
use crate::analysis::burn::history::History;
use crate::analysis::burn::period;
use crate::analysis::burn::rate::Burn;
use crate::analysis::burn::rules::RuleState;
use crate::analysis::zone::Zone;
use crate::control::world::Measured;
use crate::model::burn_rule::BurnRule;
use crate::model::objective::{HistoryAsk, HistoryReading, Objective, ObjectiveKey, Stretch};
use crate::model::time::Moment;

/// The length of a coarse stretch in seconds: a quarter has 4,416 of them.
pub const COARSE_S: u32 = 1_800;
/// How far back stretches are fine: the longest window of a page.
pub const FINE_S: i64 = 6 * 3_600;
/// Samples come late by so much: a stretch that ended less than this ago is not asked for.
pub const LAG_S: i64 = 10;
/// Stretches that are read again each time, as samples may come late.
const AGAIN: i64 = 3;
/// The lengths of fine stretches in seconds; the first that holds four samples is taken.
const STEPS_S: [u32; 3] = [60, 120, 300];
const SAMPLES: f64 = 4.0;

/// The length of fine stretches for a pause between two samples; the longest where it is not known.
pub fn fine_step(interval_s: Option<f64>) -> u32 {
    let [.., longest] = STEPS_S;
    let Some(interval) = interval_s else { return longest };
    STEPS_S.into_iter().find(|step| f64::from(*step) >= interval * SAMPLES).unwrap_or(longest)
}

/// The end of the last whole stretch at a moment.
pub fn last_end(now_s: i64, step_s: u32) -> i64 {
    let step = i64::from(step_s.max(1));
    (now_s - LAG_S).div_euclid(step) * step
}

/// The first question: the whole period, coarse.
pub fn coarse(objective: &Objective, zone: &Zone, now_s: i64) -> Stretch {
    let step = i64::from(COARSE_S);
    let (begin, _) = period::bounds(objective.period, zone, now_s);
    let longest = objective.rules.iter().map(|rule| i64::try_from(rule.long.as_secs()).unwrap_or(0)).max().unwrap_or(0);
    let to_s = last_end(now_s, COARSE_S);
    Stretch { from_s: begin.min(now_s - longest).div_euclid(step) * step, to_s, step_s: COARSE_S }
}

/// The second: the last hours, fine, up to now.
pub fn fine(now_s: i64, step_s: u32) -> Stretch {
    let coarse = i64::from(COARSE_S);
    let to_s = last_end(now_s, step_s);
    Stretch { from_s: (to_s - FINE_S).div_euclid(coarse) * coarse, to_s, step_s }
}

/// What follows: what ended since, and the newest that are known once more. None where nothing ended.
pub fn following(newest_s: i64, now_s: i64, step_s: u32) -> Option<Stretch> {
    let step = i64::from(step_s);
    let to_s = last_end(now_s, step_s);
    (to_s > newest_s).then_some(Stretch { from_s: (newest_s - AGAIN * step).div_euclid(step) * step, to_s, step_s })
}

/// The question about a stretch.
pub fn ask(objective: &Objective, key: &ObjectiveKey, stretch: Stretch) -> HistoryAsk {
    HistoryAsk { key: key.clone(), indicator: objective.indicator.clone(), values: objective.values(&key.target), stretch }
}

/// What a history comes to at the end of its newest stretch; none while it is empty.
pub fn measured(objective: &Objective, history: &History, zone: &Zone, asked: Moment, reading: &Arc<HistoryReading>) -> Option<Measured> {
    let until_s = history.newest()?;
    let bounds = period::bounds(objective.period, zone, until_s);
    let budget = Budget::at(objective, history, bounds, until_s);
    let today = budget.spent_between(history, period::day(zone, until_s).max(bounds.0), until_s);
    let rules = objective.rules.iter().map(|rule| RuleState::at(objective, rule, history, until_s)).collect();
    let burns: Vec<Burn> = windows(&objective.rules).into_iter().map(|window| Burn::over(objective, history, window, until_s)).collect();
    let hour = Burn::over(objective, history, std::time::Duration::from_hours(1), until_s);
    let outlook = outlook(&budget, objective.period, hour.rate, until_s);
    let (doubt, sent) = (reading.doubt.clone(), reading.sent.clone());
    Some(Measured { until_s, seen: asked, step_s: reading.stretch.step_s, budget, today, rules, burns, outlook, doubt, sent })
}

/// The windows of rules, the shortest first, each once.
pub fn windows(rules: &[BurnRule]) -> Vec<std::time::Duration> {
    let mut windows: Vec<_> = rules.iter().flat_map(|rule| [rule.long, rule.short]).collect();
    windows.sort_unstable();
    windows.dedup();
    windows
}

/// Seconds since 1970 as a time.
pub fn time(at_s: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at_s, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some(1.0), 60)]
    #[case(Some(15.0), 60)]
    #[case(Some(30.0), 120)]
    #[case(Some(60.0), 300)]
    #[case(Some(600.0), 300)]
    #[case(None, 300)]
    fn a_fine_stretch_holds_four_samples(#[case] interval: Option<f64>, #[case] step: u32) {
        assert_eq!(fine_step(interval), step);
    }

    #[test]
    fn stretches_are_whole_and_meet() {
        let now = 1_000_000_123;
        let fine = fine(now, 60);
        assert_eq!((fine.from_s % 1_800, fine.to_s % 60, fine.to_s <= now - LAG_S), (0, 0, true));
        assert!((361..=391).contains(&fine.count()), "{fine:?}");
        assert_eq!(following(fine.to_s, fine.to_s + 60 + LAG_S - 1, 60), None, "the next stretch has not ended");
        let next = following(fine.to_s, fine.to_s + 60 + LAG_S, 60).unwrap();
        assert_eq!((next.from_s, next.to_s, next.count()), (fine.to_s - 180, fine.to_s + 60, 4));
    }
}
