//! Kayenta's score: the share of a group's metrics that pass, weighed over the groups, rounded to hundredths.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::judge::Classification;

/// The share of metrics without data from which on nothing counts.
const TOO_MANY: f64 = 50.0;

/// What the score takes of one metric; muted ones are not among them.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
    pub(super) classification: Classification,
    pub(super) critical: bool,
}

/// How the score came about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Score {
    /// A critical metric did not pass: 0.
    Critical(String),
    /// So many metrics without data that nothing counts: 0.
    TooFew(usize),
    /// The weighed sum, in which a group without data counts as 100.
    Sum(f64),
}

impl Score {
    /// The number.
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Critical(_) | Self::TooFew(_) => 0.0,
            Self::Sum(number) => *number,
        }
    }
}

/// The score of metrics, of which there is at least one.
pub(super) fn score(weights: &BTreeMap<String, f64>, parts: &[Part]) -> Score {
    if let Some(part) = parts.iter().find(|part| part.critical && part.classification != Classification::Pass) {
        return Score::Critical(part.name.clone());
    }
    let without = parts.iter().filter(|part| part.classification == Classification::Nodata).count();
    if number(without) / number(parts.len()) * 100.0 >= TOO_MANY {
        return Score::TooFew(without);
    }
    let groups: BTreeSet<&str> = parts.iter().flat_map(|part| &part.groups).map(String::as_str).collect();
    let unweighted = groups.iter().filter(|group| !weights.contains_key(**group)).count();
    let rest = if unweighted == 0 { 0.0 } else { (100.0 - weights.values().sum::<f64>()) / number(unweighted) };
    let mut sum = 0.0;
    for group in groups {
        let share = passed(group, parts).unwrap_or(100.0);
        sum += share * (weights.get(group).copied().unwrap_or(rest) / 100.0);
    }
    Score::Sum(rounded(sum))
}

/// How many of a hundred metrics of a group pass; none when none of them has data.
fn passed(group: &str, parts: &[Part]) -> Option<f64> {
    let (mut passed, mut all) = (0.0, 0.0);
    let members = parts.iter().flat_map(|part| part.groups.iter().filter(|name| *name == group).map(|_| part.classification));
    for classification in members {
        match classification {
            Classification::Pass => (passed, all) = (passed + 1.0, all + 1.0),
            Classification::High | Classification::Low | Classification::NodataFail => all += 1.0,
            Classification::Nodata | Classification::Early => {}
        }
    }
    (all > 0.0).then(|| passed / all * 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 metrics")]
fn number(many: usize) -> f64 {
    many as f64
}

/// To hundredths, halves away from zero, of the number as it is written in decimals: 1.005, which lies a little below, becomes 1.01.
fn rounded(value: f64) -> f64 {
    let written = value.abs().to_string();
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let mut digits = fraction.chars().map(|digit| f64::from(digit.to_digit(10).unwrap_or(0))).chain(std::iter::repeat(0.0));
    let mut next = || digits.next().unwrap_or(0.0);
    let (tenths, hundredths, after) = (next(), next(), next());
    let up = if after >= 5.0 { 1.0 } else { 0.0 };
    let hundreds = whole.parse::<f64>().unwrap_or(0.0) * 100.0 + tenths * 10.0 + hundredths + up;
    (hundreds / 100.0).copysign(value)
}

#[cfg(test)]
mod tests;
