//! No evidence is never a pass (promise 13): what a judgement says where something was not measured.

use super::{points, samples};
use crate::analysis::judge::{CanaryVerdict, Classification, Judgement, Lack, Measured, Point, Samples, judge};
use crate::model::judging::{Bounds, JudgeRules, Measure, MetricRules, Missing, Outliers};

const OLD: [f64; 6] = [10.0, 11.0, 9.0, 10.5, 9.5, 10.0];

fn rules(metrics: Vec<MetricRules>) -> JudgeRules {
    JudgeRules { metrics, ..JudgeRules::default() }
}

fn grouped(name: &str, group: &str) -> MetricRules {
    MetricRules { groups: vec![group.to_owned()], ..MetricRules::named(name) }
}

fn said(found: &Judgement) -> (Option<f64>, CanaryVerdict) {
    (found.score, found.verdict)
}

#[test]
fn nothing_at_all_is_no_data() {
    let found = judge(&JudgeRules::default(), &[]);
    assert_eq!(said(&found), (None, CanaryVerdict::Nodata));
    let muted = MetricRules { muted: true, ..MetricRules::named("a") };
    let found = judge(&rules(vec![muted]), &[samples("a", &OLD, &OLD)]);
    assert_eq!(said(&found), (None, CanaryVerdict::Nodata));
    assert_eq!(found.metrics.len(), 1, "a muted metric is judged and shown");
}

#[test]
fn a_run_that_ended_before_its_first_sample_is_no_data_whatever_the_rules_are() {
    for missing in [Missing::Remove, Missing::Replace] {
        for (critical, must_have_data) in [(None, false), (None, true), (Some(Bounds::of(Measure::MeanRatio)), false)] {
            let metric = MetricRules { missing, critical, must_have_data, ..MetricRules::named("a") };
            for pairs in [vec![], vec![samples("a", &[], &[])], vec![samples("a", &[f64::NAN; 3], &[f64::NAN; 2])]] {
                let found = judge(&rules(vec![metric.clone()]), &pairs);
                assert_eq!(said(&found), (None, CanaryVerdict::Nodata), "{metric:?}");
                assert_eq!(found.lacking().count(), 1);
            }
        }
    }
}

#[test]
fn one_side_without_data_is_no_data_with_a_verdict_for_each_rule() {
    let of = |metric: MetricRules| judge(&rules(vec![metric]), &[samples("a", &OLD, &[])]);
    let found = of(MetricRules::named("a"));
    assert_eq!((said(&found), found.metrics[0].classification), ((None, CanaryVerdict::Nodata), Classification::Nodata));
    assert_eq!(found.metrics[0].lack, Some(Lack::Canary));
    let must = of(MetricRules { must_have_data: true, ..MetricRules::named("a") });
    assert_eq!((said(&must), must.metrics[0].classification), ((None, CanaryVerdict::Nodata), Classification::NodataFail));
}

#[test]
fn a_replaced_empty_side_keeps_kayentas_answer_and_is_said_to_lack() {
    let metric = MetricRules { missing: Missing::Replace, ..MetricRules::named("a") };
    let found = judge(&rules(vec![metric]), &[samples("a", &OLD, &[])]);
    assert_eq!(said(&found), (Some(100.0), CanaryVerdict::Pass));
    assert_eq!(found.metrics[0].classification, Classification::Pass);
    assert!(found.metrics[0].reason.contains("no data, replaced by 0"), "{}", found.metrics[0].reason);
    assert!(found.reason.ends_with("without data of a side: a, and a rollout holds on that"), "{}", found.reason);
    assert_eq!(found.lacking().count(), 1);
}

#[test]
fn values_that_are_all_missing_and_replaced_are_zeros_and_said_to_lack() {
    let metric = MetricRules { missing: Missing::Replace, ..MetricRules::named("a") };
    let found = judge(&rules(vec![metric]), &[samples("a", &OLD, &[f64::NAN; 6])]);
    assert_eq!(found.metrics[0].classification, Classification::Low, "as in Kayenta, where they are zeros by then");
    assert_eq!(found.lacking().count(), 1);
}

#[test]
fn an_empty_group_is_no_pass_though_kayenta_counts_it_as_100() {
    let metrics = vec![grouped("a", "x"), grouped("b", "x"), grouped("c", "y")];
    let pairs = [samples("a", &OLD, &OLD), samples("b", &OLD, &OLD), samples("c", &OLD, &[])];
    let found = judge(&rules(metrics.clone()), &pairs);
    assert_eq!(said(&found), (Some(100.0), CanaryVerdict::Nodata));
    assert!(found.reason.contains("the group `y` has no data"), "{}", found.reason);
    let must = MetricRules { must_have_data: true, ..grouped("c", "y") };
    let weights = [("y".to_owned(), 5.0)].into();
    let found = judge(&JudgeRules { weights, ..rules(vec![grouped("a", "x"), must]) }, &[pairs[0].clone(), pairs[2].clone()]);
    assert_eq!(said(&found), (Some(95.0), CanaryVerdict::Nodata), "a group that failed for want of data is empty all the same");
    let replaced = MetricRules { missing: Missing::Replace, ..grouped("c", "y") };
    let found = judge(&rules(vec![grouped("a", "x"), replaced]), &[pairs[0].clone(), samples("c", &[], &[])]);
    assert_eq!(said(&found), (Some(100.0), CanaryVerdict::Nodata), "and one that was replaced on both sides");
    let worse: Vec<f64> = OLD.iter().map(|value| value * 9.0).collect();
    let pairs = [samples("a", &OLD, &worse), samples("b", &OLD, &worse), samples("c", &OLD, &[])];
    let strict = JudgeRules { marginal: 60.0, ..rules(metrics) };
    assert_eq!(said(&judge(&strict, &pairs)), (Some(50.0), CanaryVerdict::Fail), "harm that was seen stays a Fail");
}

#[test]
fn half_of_the_metrics_without_data_is_0_and_so_is_a_critical_one() {
    let metrics = vec![MetricRules::named("a"), MetricRules::named("b")];
    let pairs = [samples("a", &OLD, &OLD), samples("b", &[], &OLD)];
    let found = judge(&rules(metrics), &pairs);
    assert_eq!(said(&found), (Some(0.0), CanaryVerdict::Fail));
    assert!(found.reason.contains("1 of 2 scored metrics have no data"), "{}", found.reason);
    assert_eq!(found.harmed().count(), 0, "no harm was seen: nothing that a rollout may go back on");
    let critical = MetricRules { critical: Some(Bounds::of(Measure::MeanRatio)), ..MetricRules::named("b") };
    let metrics = vec![MetricRules::named("a"), MetricRules::named("c"), critical];
    let pairs = [samples("a", &OLD, &OLD), samples("c", &OLD, &OLD), samples("b", &[], &OLD)];
    let found = judge(&rules(metrics), &pairs);
    assert_eq!((said(&found), found.metrics[2].critical), ((Some(0.0), CanaryVerdict::Fail), true));
}

#[test]
fn thresholds_are_inclusive_and_the_edge_of_marginal_is_told() {
    let worse: Vec<f64> = OLD.iter().map(|value| value * 9.0).collect();
    let pairs = [samples("a", &OLD, &worse), samples("b", &OLD, &OLD)];
    let at = |pass, marginal| judge(&JudgeRules { pass, marginal, ..JudgeRules::default() }, &pairs);
    assert_eq!(at(50.0, 40.0).verdict, CanaryVerdict::Pass);
    let edge = at(75.0, 50.0);
    assert_eq!(said(&edge), (Some(50.0), CanaryVerdict::Marginal));
    assert!(edge.reason.contains("just marginal"), "{}", edge.reason);
    assert_eq!(at(75.0, 50.01).verdict, CanaryVerdict::Fail);
    assert_eq!(edge.harmed().count(), 1);
}

#[test]
fn counts_are_judged_as_their_ratio_and_nothing_counted_is_missing() {
    let side = |bad: f64, total: f64| -> Vec<Point> {
        let counts = points(&[0.0; 12]).into_iter().zip(0_u8..);
        counts.map(|(point, n)| Point { value: Some(Measured::Counts { bad: bad + f64::from(n % 3), total }), ..point }).collect()
    };
    let of = |canary| Samples { name: crate::model::text::Text::clean("errors"), baseline: side(1.0, 1000.0), canary };
    let found = judge(&JudgeRules::default(), &[of(side(50.0, 1000.0))]);
    assert_eq!(found.metrics[0].classification, Classification::High);
    let found = judge(&JudgeRules::default(), &[of(side(-2.0, 0.0))]);
    assert_ne!(found.verdict, CanaryVerdict::Pass);
}

#[test]
fn outliers_and_infinite_values() {
    let mut wild = [10.0; 30];
    for (place, value) in wild.iter_mut().enumerate() {
        *value += f64::from(u8::try_from(place % 5).unwrap());
    }
    let mut hit = wild;
    hit[7] = 1e6;
    let metric = MetricRules { outliers: Outliers::Remove, ..MetricRules::named("a") };
    let found = judge(&rules(vec![metric]), &[samples("a", &wild, &hit)]);
    assert!(found.metrics[0].effect.unwrap() < 1.1, "{:?}", found.metrics[0]);
    let found = judge(&JudgeRules::default(), &[samples("a", &wild, &[f64::INFINITY, 1.0])]);
    assert_eq!((found.metrics[0].classification, found.verdict), (Classification::NodataFail, CanaryVerdict::Nodata));
}
