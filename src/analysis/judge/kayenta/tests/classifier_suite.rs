//! Kayenta's ClassifierSuite.scala and the effect sizes of its StatisticSuite.scala, test by test.

use rstest::rstest;

use super::{classified, suite, vector};
use crate::analysis::judge::Classification::{self, High, Low, Nodata, Pass};
use crate::model::judging::Direction::{self, Decrease, Either, Increase};
use crate::model::judging::{Bounds, Measure, MetricRules, Missing};

const ONES: [f64; 5] = [1.0; 5];
const TENS: [f64; 5] = [10.0; 5];
const ZEROS: [f64; 5] = [0.0; 5];
const RISING: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
const FALLING: [f64; 5] = [5.0, 4.0, 3.0, 2.0, 1.0];
const LEADING: [f64; 5] = [0.0, 1.0, 1.0, 1.0, 1.0];
const MAJORITY: [f64; 5] = [1.0, 1.0, 1.0, 1.0, 10.0];
const TWENTIES: [f64; 5] = [20.0, 22.0, 21.0, 25.0, 30.0];
const SMALL: [f64; 5] = [1.0, 2.2, 1.1, 2.5, 3.0];
const FIFTIES: [f64; 5] = [54.9, 54.5, 55.1, 55.6, 57.4];

fn bounds(low: f64, high: f64) -> Bounds {
    Bounds { low, high }
}

#[rstest]
#[case::pass_metric("near", Either, Pass)]
#[case::high_metric("higher", Either, High)]
#[case::low_metric("lower", Either, Low)]
#[case::directional_increase("lower", Increase, Pass)]
#[case::directional_decrease("higher", Decrease, Pass)]
#[case::directional_high_metric("higher", Increase, High)]
#[case::directional_low_metric("lower", Decrease, Low)]
#[case::high_metric_large_input("large", Either, High)]
fn directions(#[case] name: &str, #[case] direction: Direction, #[case] expected: Classification) {
    let (baseline, canary) = vector(name);
    let found = classified(&suite(direction), &baseline, &canary);
    assert_eq!((found.classification, found.critical), (expected, false), "{}", found.reason);
}

#[test]
fn mean_ratio_effect_size() {
    let with = |allowed, direction| MetricRules { allowed, ..suite(direction) };
    assert_eq!(classified(&with(bounds(0.8, 1.2), Either), &SMALL, &TWENTIES).classification, High);
    let (baseline, canary) = vector("lower");
    assert_eq!(classified(&with(bounds(0.8, 1.2), Decrease), &baseline, &canary).classification, Low);
    let pass = classified(&with(bounds(0.5, 1.0), Either), &TWENTIES, &[10.0, 12.2, 10.1, 12.5, 23.0]);
    assert_eq!(pass.classification, Pass);
    let (baseline, canary) = vector("large");
    let pass = classified(&with(bounds(1.0, 5.0), Either), &baseline, &canary);
    assert_eq!(pass.classification, Pass);
    assert!(pass.reason.contains("is under the allowed 5"), "{}", pass.reason);
}

#[rstest]
#[case::pass("cles-pass", bounds(0.5, 0.8), Pass)]
#[case::high("cles-high", bounds(0.2, 0.8), High)]
#[case::low("cles-low", bounds(0.2, 0.8), Low)]
fn cles_effect_size(#[case] name: &str, #[case] allowed: Bounds, #[case] expected: Classification) {
    let (baseline, canary) = vector(name);
    let rules = MetricRules { tolerance: 0.20, confidence: 0.98, allowed, measure: Measure::CommonLanguage, ..suite(Either) };
    assert_eq!(classified(&rules, &baseline, &canary).classification, expected);
}

#[test]
fn critical_effect_size() {
    let with = |allowed, critical| MetricRules { allowed, critical: Some(critical), ..suite(Either) };
    let usual = bounds(1.0, 1.0);
    let found = |rules: &MetricRules, baseline: &[f64], canary: &[f64]| {
        let found = classified(rules, baseline, canary);
        (found.classification, found.critical)
    };
    assert_eq!(found(&with(usual, bounds(1.0, 1.2)), &SMALL, &TWENTIES), (High, true));
    assert_eq!(found(&with(usual, bounds(1.2, 1.0)), &[10.0, 20.2, 10.1, 20.5, 30.0], &[2.0, 2.0, 2.0, 2.0, 3.0]), (Low, true));
    assert_eq!(found(&with(bounds(1.0, 5.0), bounds(1.0, 13.0)), &SMALL, &TWENTIES), (High, false));
    assert_eq!(found(&with(bounds(1.0, 13.0), bounds(1.0, 15.0)), &SMALL, &TWENTIES), (Pass, false));
    assert_eq!(found(&with(usual, usual), &SMALL, &TWENTIES), (High, true));
}

#[rstest]
#[case::tied_observations(&[1.0, 1.0], &[1.0, 1.0, 1.0], Decrease, Pass)]
#[case::identical_populations(&FALLING, &RISING, Decrease, Pass)]
#[case::leading_zero_identical_population(&ONES, &LEADING, Decrease, Pass)]
#[case::missing_experiment_data(&RISING, &[], Decrease, Nodata)]
#[case::majority_tied_observations(&ONES, &MAJORITY, Either, Pass)]
#[case::tied_ranks(&ONES, &TENS, Either, High)]
#[case::tied_ranks_with_zeros(&ZEROS, &TENS, Either, High)]
fn ties_and_missing_data(#[case] baseline: &[f64], #[case] canary: &[f64], #[case] direction: Direction, #[case] expected: Classification) {
    assert_eq!(classified(&suite(direction), baseline, canary).classification, expected);
}

#[test]
fn missing_data_of_a_critical_metric_and_replaced() {
    let critical = MetricRules { critical: Some(bounds(1.0, 1.0)), ..suite(Decrease) };
    let found = classified(&critical, &RISING, &[]);
    assert_eq!((found.classification, found.critical), (Nodata, true));
    assert!(!classified(&critical, &[], &[]).reason.is_empty());
    let replaced = MetricRules { missing: Missing::Replace, ..suite(Decrease) };
    let found = classified(&replaced, &RISING, &[]);
    assert_eq!((found.classification, found.critical), (Pass, false));
    assert!(found.reason.starts_with("no data, replaced by 0"), "{}", found.reason);
}

#[test]
fn zero_mean() {
    let with = MetricRules { allowed: bounds(0.8, 1.2), ..suite(Either) };
    for (baseline, canary, expected) in [(&ZEROS, &FIFTIES, High), (&FIFTIES, &ZEROS, Low)] {
        let found = classified(&with, baseline, canary);
        assert_eq!((found.classification, found.effect), (expected, None));
        assert!(found.reason.contains("a mean is 0"), "{}", found.reason);
    }
    assert_eq!(classified(&with, &ZEROS, &ZEROS).classification, Pass);
    let canary = [
        0.050_000_000_745_058_06,
        0.050_000_000_745_058_06,
        0.016_666_667_535_901_07,
        0.016_666_667_535_901_07,
        0.016_666_667_535_901_07,
        0.050_000_000_745_058_06,
        0.033_333_335_071_802_14,
        0.050_000_002_607_703_21,
        0.050_000_002_607_703_21,
        0.133_333_336_561_918_26,
    ];
    let critical = MetricRules { critical: Some(bounds(0.8, 1.2)), missing: Missing::Replace, ..suite(Either) };
    let found = classified(&critical, &[0.0; 10], &canary);
    assert_eq!((found.classification, found.critical), (High, true), "{}", found.reason);
}

#[test]
fn effect_sizes_of_the_statistic_suite() {
    let ratio = |baseline: &[f64], canary: &[f64]| classified(&suite(Either), baseline, canary).effect;
    assert_eq!(ratio(&ONES, &ONES), Some(1.0));
    assert_eq!(ratio(&ONES, &TENS), Some(10.0));
    assert_eq!(ratio(&[100.0; 5], &TENS), Some(0.1));
    assert_eq!(ratio(&ZEROS, &TENS), None);
    let cles = |baseline: &[f64], canary: &[f64]| {
        classified(&MetricRules { measure: Measure::CommonLanguage, ..suite(Either) }, baseline, canary).effect.unwrap()
    };
    assert!((cles(&RISING, &RISING) - 0.5).abs() < 1e-12);
    for (name, expected, near) in [("cles-none", 0.0, 1e-12), ("cles-0771", 0.771, 0.001), ("cles-0120", 0.12, 1e-12)] {
        let (baseline, canary) = vector(name);
        let found = cles(&baseline, &canary);
        assert!((found - expected).abs() <= near, "{name}: {found}");
    }
}
