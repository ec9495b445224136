//! Why, in one sentence: counts before shares, the population named, interval, margin, and what it takes yet.

use super::process::Ground;
use super::standing::{MeasureStanding, More, Outcome, Score};
use crate::analysis::judge::Lack;
use crate::analysis::judge::figure::{figure, grouped, span};
use crate::model::signal::Better;
use crate::model::trial::{MeasureKind, MeasureRules};

fn intervals(count: u64) -> String {
    if count == 1 { "1 interval".to_owned() } else { format!("{count} intervals") }
}

/// A measure with data.
pub fn of(standing: &MeasureStanding, rules: &MeasureRules, turned: bool) -> String {
    let name = &standing.name;
    let found = found(standing, rules);
    let margin = amount(standing.margin, rules);
    let after = intervals(standing.pairs);
    match (standing.outcome, standing.ground) {
        (Outcome::Pass, _) => format!("{name} no worse: {found}, under the margin of {margin}, {after}"),
        (Outcome::Fail, Some(Ground::Extremes)) => {
            format!("{name} worse at times: its greatest differences are mostly for the worse; {found}, margin {margin}, {after}")
        }
        (Outcome::Fail, Some(Ground::Lately)) => format!("{name} worse lately: over the margin of {margin}; in all {found}, {after}"),
        (Outcome::Fail, _) => format!("{name} worse: {found}, over the margin of {margin}, {after}"),
        (Outcome::Early | Outcome::Nodata, _) if turned => {
            format!("{name} not settled: no worse in all, and lately it may be; {found}, margin {margin}, {after}")
        }
        (Outcome::Early | Outcome::Nodata, _) => {
            let more = match (&standing.more, standing.margin > 0.0) {
                (Some(more), _) => wait(more),
                (None, true) => "nobody can say how many more intervals".to_owned(),
                (None, false) => "without a margin an equal canary is never shown to be no worse".to_owned(),
            };
            format!("{name} too early to tell: {found}, margin {margin}, {after}; {more}")
        }
    }
}

/// A measure without data now; `found` is what would follow from what was seen before.
pub fn without(standing: &MeasureStanding, rules: &MeasureRules, why: &str, before: Outcome) -> String {
    let who = match standing.lack {
        Some(Lack::Canary) => "the canary",
        Some(Lack::Baseline) => "the old version",
        Some(Lack::Both) | None => "either version",
    };
    let was = match before {
        Outcome::Pass => "no worse until then: ",
        Outcome::Fail => "worse until then: ",
        Outcome::Early | Outcome::Nodata => "until then ",
    };
    let seen = if standing.pairs > 0 { format!("; {was}{}", found(standing, rules)) } else { String::new() };
    format!("{} has no data of {who}: {why}{seen}", standing.name)
}

/// The canary as a whole.
pub fn of_all(outcome: Outcome, score: &Score, measures: &[MeasureStanding]) -> String {
    let scored = || measures.iter().filter(|measure| measure.weight > 0.0);
    let of = || scored().filter(|measure| measure.outcome == outcome);
    let first = of().find(|measure| measure.critical).or(of().next());
    let others = match of().count().saturating_sub(1) {
        0 => String::new(),
        1 => ", and 1 measure more".to_owned(),
        others => format!(", and {others} measures more"),
    };
    let score = written(score);
    match (outcome, first) {
        (_, None) if measures.is_empty() => "nothing is measured: there is no evidence".to_owned(),
        (_, None) => "nothing that is measured decides: there is no evidence".to_owned(),
        (Outcome::Pass, _) => format!("no worse in {} of {} measures, score {score}", of().count(), scored().count()),
        (Outcome::Fail, Some(first)) => {
            let critical = if first.critical { " (critical)" } else { "" };
            format!("{}{critical}{others}; score {score}", first.reason)
        }
        (Outcome::Nodata, Some(first)) => format!("{}{others}; score {score}", first.reason),
        (Outcome::Early, Some(first)) => {
            let longest = of().filter_map(|measure| measure.more.as_ref().map(|more| (more, measure))).max_by_key(|(more, _)| more.seconds);
            let more = longest.map_or_else(|| first.reason.clone(), |(more, measure)| format!("{}: {}", measure.name, wait(more)));
            format!("too early to tell: {} of {} measures not settled, {more}; score {score}", of().count(), scored().count())
        }
    }
}

/// The score as its sum.
pub fn written(score: &Score) -> String {
    let without = if score.without > 0.0 { format!(", {} without data", figure(score.without)) } else { String::new() };
    format!("{} of {}{without}", figure(score.passed), figure(score.of))
}

/// Counts, harm and its interval.
fn found(standing: &MeasureStanding, rules: &MeasureRules) -> String {
    let mut parts = Vec::new();
    if let Some((canary, baseline)) = standing.canary.zip(standing.baseline) {
        let bound = standing.bound.map(|bound| format!(" {} {} {}", beyond(rules.better), figure(bound), rules.unit)).unwrap_or_default();
        let of = |bad: f64, total: f64| format!("{} of {}", grouped(bad), grouped(total));
        parts.push(format!("{}{}, old {}", of(canary.bad, canary.total), bound.trim_end(), of(baseline.bad, baseline.total)));
    }
    if let Some(harm) = standing.harm {
        let number = |value: f64| amount_of(value, standing.margin, rules);
        let interval = match (harm.low, harm.high) {
            (Some(low), Some(high)) => format!(" ({} to {})", number(low), number(high)),
            (Some(low), None) => format!(" ({} or more)", number(low)),
            (None, Some(high)) => format!(" ({} or less)", number(high)),
            (None, None) => String::new(),
        };
        parts.push(format!("harm {}{interval}", with_unit(&number(harm.estimate), rules)));
    }
    if parts.is_empty() { "nothing compared".to_owned() } else { parts.join("; ") }
}

/// What a direction of harm is called in a sentence.
fn beyond(better: Better) -> &'static str {
    match better {
        Better::Lower => "over",
        Better::Higher => "at or under",
    }
}

fn is_share(rules: &MeasureRules) -> bool {
    !matches!(rules.kind, MeasureKind::Value { .. })
}

fn with_unit(number: &str, rules: &MeasureRules) -> String {
    let unit = if is_share(rules) { "points" } else { rules.unit.as_str() };
    format!("{number} {unit}").trim_end().to_owned()
}

fn amount(value: f64, rules: &MeasureRules) -> String {
    with_unit(&amount_of(value, value, rules), rules)
}

/// A harm with the decimals that its margin asks for; shares in points, hundredths.
fn amount_of(value: f64, margin: f64, rules: &MeasureRules) -> String {
    let factor = if is_share(rules) { 100.0 } else { 1.0 };
    let (value, margin) = (value * factor, (margin * factor).abs());
    if !(is_share(rules) || margin > 0.0) {
        return figure(value);
    }
    let magnitude = if margin > 0.0 { margin.log10().floor() } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 6")]
    let decimals = (1.0 - magnitude).clamp(0.0, 6.0) as usize;
    let written = format!("{value:.decimals$}");
    if written.chars().all(|c| matches!(c, '-' | '0' | '.')) { format!("{:.decimals$}", 0.0) } else { written }
}

fn wait(more: &More) -> String {
    let more_of = if more.intervals == 1 { "more interval" } else { "more intervals" };
    format!("{} {more_of}, about {}", more.intervals, span(i64::try_from(more.seconds).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_and_times_are_as_people_write_them() {
        for (count, written) in [(0.0, "0"), (999.0, "999"), (1281.0, "1,281"), (1_234_567.4, "1,234,567")] {
            assert_eq!(grouped(count), written);
        }
        for (seconds, written) in [(0, "0 s"), (90, "90 s"), (91, "2 min"), (360, "6 min"), (7200, "2 h"), (259_200, "3 days")] {
            assert_eq!(span(seconds), written);
        }
    }

    #[test]
    fn the_score_is_its_sum() {
        assert_eq!(written(&Score { passed: 50.0, of: 90.0, without: 10.0 }), "50 of 90, 10 without data");
        assert_eq!(written(&Score { passed: 0.0, of: 1.5, without: 0.0 }), "0 of 1.5");
    }
}
