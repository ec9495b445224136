//! What the tests of Kayenta's method share: its published samples, and metrics made of numbers.

mod classifier_suite;
mod evidence;
mod faults;
mod properties;

use chrono::{DateTime, TimeDelta};

use super::classify;
use crate::analysis::judge::{Judged, Measured, Point, Samples};
use crate::model::judging::{Direction, MetricRules};
use crate::model::text::Text;

/// Baseline and canary of a vector of fixtures/judge/kayenta.json.
pub(super) fn vector(name: &str) -> (Vec<f64>, Vec<f64>) {
    let all: serde_json::Value = serde_json::from_str(include_str!("../../../../fixtures/judge/kayenta.json")).unwrap();
    let side = |side: &str| all[name][side].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    (side("baseline"), side("canary"))
}

pub(super) fn points(values: &[f64]) -> Vec<Point> {
    let point = |(second, value): (i64, &f64)| Point {
        at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
        value: Some(Measured::Value(*value)),
    };
    (0..).zip(values).map(point).collect()
}

pub(super) fn samples(name: &str, baseline: &[f64], canary: &[f64]) -> Samples {
    Samples { name: Text::clean(name), baseline: points(baseline), canary: points(canary) }
}

/// The rules of most tests of Kayenta's suite.
pub(super) fn suite(direction: Direction) -> MetricRules {
    MetricRules { direction, tolerance: 0.10, confidence: 0.95, ..MetricRules::named("m") }
}

pub(super) fn classified(rules: &MetricRules, baseline: &[f64], canary: &[f64]) -> Judged {
    classify::metric(rules, &samples("m", baseline, canary))
}
