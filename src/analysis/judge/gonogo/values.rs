//! Values: the exact shift with its interval against the margin, and what is rare beside it.

use super::{At, Found, common, lasts};
use crate::analysis::evidence::{Worse, location, power, tail};
use crate::analysis::judge::figure::figure;
use crate::analysis::judge::ranks::{Ranks, count, sorted};
use crate::analysis::judge::{Classification, Point, Samples, Shift};
use crate::model::judging::MetricRules;

/// The share of the canary's values beyond all of the baseline's that a pass excludes.
const RARE: f64 = 0.05;

/// Judges a metric of numbers. Where both files have the same times only those are compared; for one look at files that are complete.
/// `in_order`: all numbers of the canary and of the baseline, sorted.
pub(super) fn compare(rules: &MetricRules, samples: &Samples, in_order: [Vec<f64>; 2], at: At) -> Found {
    let number = |point: &Point| point.value.and_then(super::Measured::number).filter(|number| number.is_finite());
    let (mut canary, mut baseline): (Vec<f64>, Vec<f64>) =
        common(samples).into_iter().filter_map(|(canary, baseline)| number(canary).zip(number(baseline))).unzip();
    let shared = !canary.is_empty();
    if !shared {
        canary = samples.canary.iter().filter_map(number).collect();
        baseline = samples.baseline.iter().filter_map(number).collect();
    }
    // Nothing below asks for the order of time; what is sorted is sorted again at no cost.
    let [all_canary, all_baseline] = in_order;
    for (side, all) in [(&mut canary, all_canary), (&mut baseline, all_baseline)] {
        // Mostly these are all of them.
        if side.len() == all.len() {
            *side = all;
        } else {
            side.sort_unstable_by(f64::total_cmp);
        }
    }
    let n = canary.len();
    let (more, less) = (rules.direction.minds_more(), rules.direction.minds_less());
    // Two directions share the level, and in each the location and the tail do.
    let alpha = if more && less { at.alpha / 2.0 } else { at.alpha };
    let Some(shift) = location::shift(&canary, &baseline, 1.0 - alpha) else {
        let reason = "a side has no finite value".to_owned();
        return Found { classification: Classification::Nodata, shift: None, reason };
    };
    let margin = rules.margin;
    let told = Shift { estimate: shift.estimate, low: shift.low, high: shift.high };
    let found = |classification: Classification, reason: String| Found { classification, shift: Some(told), reason };
    let [estimate, low, high] = [shift.estimate, shift.low, shift.high].map(figure);
    let bounds = format!("shift {estimate} ({low} to {high}), margin {}, {n} values against {}", figure(margin), baseline.len());
    if is_same(&canary, &baseline) || is_one(&canary, &baseline) {
        return found(Classification::Pass, format!("both sides have the same values, {n} against {}", baseline.len()));
    }
    if let Some(difference) = constants(&canary, &baseline) {
        let told = format!("all {} values of the canary are {} from all of the baseline, margin {}", n, figure(difference), figure(margin));
        return if more && difference > margin {
            found(Classification::High, told)
        } else if less && difference < -margin {
            found(Classification::Low, told)
        } else {
            found(Classification::Pass, told)
        };
    }
    if more && shift.low > margin {
        return found(Classification::High, format!("the canary is higher: {bounds}"));
    }
    if less && shift.high < -margin {
        return found(Classification::Low, format!("the canary is lower: {bounds}"));
    }
    let mut rare: Vec<(usize, f64)> = Vec::new();
    for (worse, class) in [(Worse::Higher, Classification::High), (Worse::Lower, Classification::Low)] {
        if !(if worse == Worse::Higher { more } else { less }) {
            continue;
        }
        let moved: Vec<f64> = canary.iter().map(|value| value - worse.harm(margin)).collect();
        if tail::chance_alone(&moved, &baseline, worse).is_some_and(|chance| chance < alpha / 2.0)
            && let Some(tail) = tail::compare(&moved, &baseline, worse, 1.0 - alpha)
        {
            let beyond = tail.sharpest;
            let told = format!(
                "its worst values are worse: {} of {n} lie beyond {}, of the baseline {} of {} (chance {}); {bounds}",
                beyond.canary,
                figure(beyond.threshold + worse.harm(margin)),
                beyond.baseline,
                baseline.len(),
                figure(tail.p)
            );
            return found(class, told);
        }
        rare.extend(tail::beyond_worst(&canary, &baseline, worse, margin, 1.0 - alpha));
    }
    let settled = (!more || shift.high < margin) && (!less || shift.low > -margin);
    let excluded = rare.iter().all(|(_, high)| *high < RARE);
    if settled && excluded {
        let most = rare.iter().fold(0.0_f64, |most, (_, high)| most.max(*high));
        return found(
            Classification::Pass,
            format!("no worse: {bounds}; at most {} % lie beyond all of the baseline", figure(most * 100.0)),
        );
    }
    let location = if settled { Some(0) } else { needed(&baseline, margin, n, alpha, at.power) };
    let tail = rare.iter().map(|(beyond, _)| tail::enough(*beyond, RARE, 1.0 - alpha)).try_fold(0, |most, enough| Some(most.max(enough?)));
    let needs = match location.zip(tail.and_then(|tail| u64::try_from(tail).ok())) {
        Some((location, tail)) if location.max(tail) > as_u64(n) => {
            let more = location.max(tail) - as_u64(n);
            format!("{more} more values a side{}", lasts(samples, more))
        }
        Some(_) => "the harm lies at the margin".to_owned(),
        None if margin > 0.0 => "nobody can say how many more values".to_owned(),
        None => "without a margin an equal canary is never shown to be no worse".to_owned(),
    };
    let what = if settled { "too early to exclude that every twentieth value is far worse" } else { "too early to tell" };
    found(Classification::Early, format!("{what}: {bounds}; {needs}"))
}

/// How many values a side see a shift of the margin with the wished power; Noether's formula with the chance that a value of the baseline
/// moved by the margin is above another.
fn needed(baseline: &[f64], margin: f64, n: usize, alpha: f64, power: f64) -> Option<u64> {
    let sorted = sorted(baseline);
    let worse = Ranks::of(&sorted, &sorted, -margin).common_language();
    let share = count_of(n) / (count_of(n) + count(baseline));
    let all = power::values(worse, share, alpha / 2.0, power)?;
    whole(share * real(all))
}

/// Whether two sides hold the same values; their ends mostly tell, without sorting.
fn is_same(canary: &[f64], baseline: &[f64]) -> bool {
    let ends =
        |side: &[f64]| side.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let ((low, high), (least, most)) = (ends(canary), ends(baseline));
    canary.len() == baseline.len() && low.total_cmp(&least).is_eq() && high.total_cmp(&most).is_eq() && sorted(canary) == sorted(baseline)
}

fn is_one(canary: &[f64], baseline: &[f64]) -> bool {
    constants(canary, baseline).is_some_and(|difference| difference.abs() <= 0.0)
}

/// The difference of two sides that are constant each.
fn constants(canary: &[f64], baseline: &[f64]) -> Option<f64> {
    let constant = |side: &[f64]| {
        let first = *side.first()?;
        side.iter().all(|value| value.total_cmp(&first).is_eq()).then_some(first)
    };
    Some(constant(canary)? - constant(baseline)?)
}

#[expect(clippy::cast_precision_loss, reason = "samples stay far below 2^52")]
fn count_of(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "samples stay far below 2^52")]
fn real(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number, bounded before")]
fn whole(number: f64) -> Option<u64> {
    (number.is_finite() && number < 1e15).then(|| number.ceil() as u64)
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
