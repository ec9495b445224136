//! The method gonogo on samples.

use chrono::{DateTime, TimeDelta};

use super::*;
use crate::analysis::judge::judge;
use crate::model::judging::{Direction, Method};
use crate::model::text::Text;

fn points(values: impl Iterator<Item = Measured>) -> Vec<Point> {
    (0..).zip(values).map(|(n, value)| Point { at: DateTime::UNIX_EPOCH + TimeDelta::seconds(n * 15), value: Some(value) }).collect()
}

fn values(of: impl Fn(u32) -> f64, n: u32) -> Vec<Point> {
    points((0..n).map(|n| Measured::Value(of(n))))
}

fn counts(of: impl Fn(u32) -> (f64, f64), n: u32) -> Vec<Point> {
    points((0..n).map(of).map(|(bad, total)| Measured::Counts { bad, total }))
}

fn rules(metrics: Vec<MetricRules>) -> JudgeRules {
    JudgeRules { method: Method::Gonogo, metrics, ..JudgeRules::default() }
}

fn metric(name: &str, margin: f64) -> MetricRules {
    MetricRules { direction: Direction::Increase, margin, ..MetricRules::named(name) }
}

fn samples(name: &str, baseline: Vec<Point>, canary: Vec<Point>) -> Samples {
    Samples { name: Text::clean(name), baseline, canary }
}

fn steady(n: u32) -> f64 {
    100.0 + f64::from(n * 31 % 97) / 10.0
}

fn one(canary: impl Fn(u32) -> f64, n: u32, of: MetricRules) -> Judgement {
    judge(&rules(vec![of]), &[samples("m", values(|n| steady(n + 13), n), values(canary, n))])
}

#[test]
fn a_pass_needs_the_bound_under_the_margin_and_what_is_rare_excluded() {
    let classes = [(steady as fn(u32) -> f64, 400, Classification::Pass), (steady, 20, Classification::Early)];
    for (canary, n, class) in classes {
        assert_eq!(one(canary, n, metric("m", 3.0)).metrics[0].classification, class, "{n}");
    }
    let shifted = one(|n| steady(n) + 1.0, 400, metric("m", 3.0)).metrics.remove(0);
    assert_eq!(shifted.classification, Classification::Pass, "{shifted:?}");
    let worse = one(|n| steady(n) + 6.0, 400, metric("m", 3.0));
    assert_eq!((worse.verdict, worse.metrics[0].classification), (CanaryVerdict::Fail, Classification::High));
    let shift = worse.metrics[0].shift.unwrap();
    assert!(
        shift.low > 3.0 && shift.low <= shift.estimate && shift.estimate <= shift.high && (shift.estimate - 6.0).abs() < 0.3,
        "{shift:?}"
    );
    let equal = one(steady, 400, metric("m", 0.0)).metrics.remove(0);
    assert_eq!(equal.classification, Classification::Early);
    assert!(equal.reason.ends_with("without a margin an equal canary is never shown to be no worse"), "{}", equal.reason);
}

#[test]
fn a_tail_fails_although_the_middle_is_the_same() {
    let rare = |n: u32| steady(n) * if n % 20 == 7 { 100.0 } else { 1.0 };
    let judgement = one(rare, 400, metric("m", 3.0));
    assert_eq!((judgement.verdict, judgement.also.as_ref().map(|also| also.verdict)), (CanaryVerdict::Fail, Some(CanaryVerdict::Pass)));
    assert!(judgement.metrics[0].reason.starts_with("its worst values are worse: 20 of 400 lie beyond"), "{}", judgement.metrics[0].reason);
    assert_ne!(one(rare, 60, metric("m", 3.0)).verdict, CanaryVerdict::Pass);
    let faster = MetricRules { direction: Direction::Decrease, ..metric("m", 3.0) };
    assert_eq!(one(rare, 400, faster).verdict, CanaryVerdict::Pass, "more is no harm there");
}

#[test]
fn directions_turn_and_units_change_nothing() {
    let less = MetricRules { direction: Direction::Decrease, ..metric("m", 3.0) };
    assert_eq!(one(|n| steady(n) - 6.0, 400, less.clone()).metrics[0].classification, Classification::Low);
    assert_eq!(one(|n| steady(n) + 6.0, 400, less).metrics[0].classification, Classification::Pass);
    let either = MetricRules { direction: Direction::Either, ..metric("m", 3.0) };
    assert_eq!(one(|n| steady(n) - 6.0, 400, either.clone()).metrics[0].classification, Classification::Low);
    assert_eq!(one(|n| steady(n) + 6.0, 400, either).metrics[0].classification, Classification::High);
    for scale in [1e-9, 1e9] {
        let pair = samples("m", values(|n| steady(n + 13) * scale, 400), values(|n| (steady(n) + 6.0) * scale, 400));
        assert_eq!(judge(&rules(vec![metric("m", 3.0 * scale)]), &[pair]).metrics[0].classification, Classification::High);
    }
}

#[test]
fn only_intervals_that_both_have_are_compared() {
    // The baseline's first half is another time of day.
    let baseline = values(|n| steady(n) + if n < 200 { 50.0 } else { 0.0 }, 400);
    let canary = values(steady, 400).split_off(200);
    let judged = judge(&rules(vec![metric("m", 3.0)]), &[samples("m", baseline, canary)]).metrics.remove(0);
    assert!(judged.reason.contains("200 values against 200") || judged.reason.contains("200 against 200"), "{}", judged.reason);
    assert_eq!(judged.classification, Classification::Pass);
}

#[test]
fn constants_are_compared_by_value() {
    let of = |canary: f64, margin: f64| one(|_| canary, 9, metric("m", margin)).metrics.remove(0).classification;
    assert_eq!(of(1e6, 1.0), Classification::High, "against values that vary");
    let both = |canary: f64| {
        judge(&rules(vec![metric("m", 1.0)]), &[samples("m", values(|_| 5.0, 9), values(|_| canary, 9))]).metrics[0].classification
    };
    assert_eq!(
        (both(5.0), both(5.5), both(6.5), both(3.0)),
        (Classification::Pass, Classification::Pass, Classification::High, Classification::Pass)
    );
}

#[test]
fn counts_are_counts_and_one_burst_convicts_nobody() {
    let of = |canary: fn(u32) -> (f64, f64), n: u32, margin: f64| {
        judge(&rules(vec![metric("m", margin)]), &[samples("m", counts(|n| (f64::from(5 + n % 3), 1000.0), n), counts(canary, n))])
    };
    let pass = of(|n| (f64::from(5 + n % 3), 1000.0), 100, 0.01);
    assert_eq!((pass.verdict, pass.score), (CanaryVerdict::Pass, Some(100.0)));
    assert!(pass.metrics[0].reason.starts_with("no worse: 599 of 100,000, old 599 of 100,000; 0 points ("), "{}", pass.metrics[0].reason);
    assert_eq!(of(|n| (f64::from(35 + n % 3), 1000.0), 100, 0.01).metrics[0].classification, Classification::High);
    let burst = of(|n| if n == 17 { (900.0, 1000.0) } else { (f64::from(5 + n % 3), 1000.0) }, 60, 0.0);
    assert_eq!(burst.verdict, CanaryVerdict::Early);
    let early = of(|n| (f64::from(5 + n % 3), 1000.0), 8, 0.01).metrics.remove(0);
    assert!(early.classification == Classification::Early && early.reason.contains(" more intervals, about "), "{}", early.reason);
    let none = of(|_| (0.0, 0.0), 9, 0.01);
    assert_eq!(none.verdict, CanaryVerdict::Nodata);
}

#[test]
fn no_evidence_is_never_a_pass() {
    let lacking = |baseline: u32, canary: u32, of: MetricRules| {
        judge(
            &rules(vec![metric("m", 3.0), of]),
            &[
                samples("m", values(steady, 400), values(|n| steady(n + 13), 400)),
                samples("x", values(steady, baseline), values(steady, canary)),
            ],
        )
    };
    for (baseline, canary, lack) in [(0, 0, Lack::Both), (9, 0, Lack::Canary), (0, 9, Lack::Baseline)] {
        let found = lacking(baseline, canary, metric("x", 3.0));
        assert_eq!((found.verdict, found.metrics[1].lack, found.score), (CanaryVerdict::Nodata, Some(lack), Some(50.0)));
        assert_eq!(found.reason, "without data of a side: x; score 50 of 50, 50 without data");
        assert_eq!(lacking(baseline, canary, MetricRules { must_have_data: true, ..metric("x", 3.0) }).verdict, CanaryVerdict::Nodata);
    }
    assert_eq!(lacking(0, 0, MetricRules { muted: true, ..metric("x", 3.0) }).verdict, CanaryVerdict::Pass);
    let nothing = judge(&rules(Vec::new()), &[]);
    assert_eq!((nothing.verdict, nothing.score), (CanaryVerdict::Nodata, None));
}

#[test]
fn a_critical_metric_makes_the_score_nothing_and_weights_are_of_groups() {
    let pairs = |canary: fn(u32) -> f64| {
        [
            samples("a", values(steady, 400), values(canary, 400)),
            samples("b", values(steady, 400), values(|n| steady(n + 13), 400)),
            samples("c", values(steady, 400), values(|n| steady(n + 29), 400)),
        ]
    };
    let grouped = |name: &str, group: &str| MetricRules { groups: vec![group.to_owned()], ..metric(name, 3.0) };
    let mut of = rules(vec![grouped("a", "x"), grouped("b", "x"), grouped("c", "y")]);
    of.weights.insert("x".to_owned(), 60.0);
    let found = judge(&of, &pairs(|n| steady(n) + 9.0));
    assert_eq!((found.verdict, found.score), (CanaryVerdict::Fail, Some(70.0)));
    assert_eq!(found.reason, "worse beyond the margin: a; score 70 of 100");
    of.metrics[0].critical = Some(crate::model::judging::Bounds { low: 1.0, high: 1.01 });
    assert_eq!(judge(&of, &pairs(|n| steady(n) + 9.0)).score, Some(0.0));
    assert_eq!(judge(&of, &pairs(|n| steady(n + 7))).score, Some(100.0));
}
