//! Kayenta's ScorerSuite.scala, test by test, and the edges that it leaves out.

use rstest::rstest;

use super::*;
use crate::analysis::judge::Classification::{High, Low, Nodata, NodataFail, Pass};

/// A metric: its group, what was found, whether it is critical.
type Metric = (&'static str, Classification, bool);

fn of(weights: &[(&str, f64)], metrics: &[Metric]) -> Score {
    let weights = weights.iter().map(|(group, weight)| ((*group).to_owned(), *weight)).collect();
    let part = |(group, classification, critical): &Metric| Part {
        name: "m".to_owned(),
        groups: vec![(*group).to_owned()],
        classification: *classification,
        critical: *critical,
    };
    let parts: Vec<Part> = metrics.iter().map(part).collect();
    score(&weights, &parts)
}

#[rstest]
#[case::single_metric_pass(&[], &[("g", Pass, false)], 100.0)]
#[case::single_metric_fail(&[], &[("g", High, false)], 0.0)]
#[case::single_group_nodata(&[], &[("g", Nodata, false)], 0.0)]
#[case::two_groups_one_pass_one_nodata(&[], &[("a", Pass, false), ("a", Pass, false), ("b", Nodata, false)], 100.0)]
#[case::one_group_two_metrics(&[], &[("g", Pass, false), ("g", High, false)], 50.0)]
#[case::one_group_three_metrics(&[], &[("g", Pass, false), ("g", High, false), ("g", Low, false)], 33.33)]
#[case::two_groups_three_metrics(&[("1", 75.0), ("2", 25.0)], &[("1", Pass, false), ("1", Pass, false), ("2", High, false)], 75.0)]
#[case::equal_weight(&[("1", 50.0), ("2", 50.0)], &[("1", Pass, false), ("1", High, false), ("2", High, false)], 25.0)]
#[case::equal_weight_one_nodata(&[("1", 50.0), ("2", 50.0)], &[("1", Pass, false), ("1", Nodata, false), ("2", High, false)], 50.0)]
#[case::one_good_one_fail_critical(&[], &[("g", Pass, false), ("g", High, true)], 0.0)]
#[case::one_low_one_good_critical(&[], &[("g", Low, false), ("g", Pass, true)], 50.0)]
#[case::one_good_one_nodata_critical(&[], &[("g", Pass, false), ("g", Nodata, true)], 0.0)]
#[case::unequal_weight_four_metrics(&[("1", 15.0), ("2", 85.0)], &[("1", High, false), ("1", Low, false), ("1", Pass, false), ("2", High, false)], 5.0)]
fn kayenta_scorer_suite(#[case] weights: &[(&str, f64)], #[case] metrics: &[Metric], #[case] expected: f64) {
    let found = of(weights, metrics).number();
    assert!((found - expected).abs() < 1e-12, "{found}");
}

#[test]
fn groups_without_a_weight_share_what_is_left() {
    let found = of(&[("w", 60.0)], &[("w", High, false), ("a", Pass, false), ("b", High, false)]);
    assert_eq!(found, Score::Sum(20.0));
}

#[test]
fn an_empty_group_counts_as_100() {
    let found = of(&[], &[("a", Pass, false), ("a", Pass, false), ("b", Nodata, false)]);
    assert_eq!(found, Score::Sum(100.0));
}

#[test]
fn what_must_have_data_fails_and_is_not_among_those_without() {
    assert_eq!(of(&[], &[("a", NodataFail, false), ("a", Pass, false)]), Score::Sum(50.0));
    assert_eq!(of(&[], &[("a", Nodata, false), ("a", Pass, false)]), Score::TooFew(1));
    assert_eq!(of(&[], &[("a", Nodata, true), ("a", Nodata, false)]), Score::Critical("m".to_owned()));
}

#[test]
fn a_metric_in_two_groups_counts_in_both_and_one_in_none_in_none() {
    let both = ["a".to_owned(), "b".to_owned()];
    let part = |groups: &[String], classification| Part { name: "m".to_owned(), groups: groups.to_vec(), classification, critical: false };
    let found = score(&BTreeMap::new(), &[part(&both, High), part(&both[..1], Pass)]);
    assert_eq!(found, Score::Sum(25.0));
    assert_eq!(score(&BTreeMap::new(), &[part(&[], Pass)]), Score::Sum(0.0));
}

#[test]
fn halves_are_rounded_as_they_are_written() {
    for (value, expected) in
        [(1.005, 1.01), (66.666_666_666_666_66, 66.67), (0.0, 0.0), (99.995, 100.0), (33.333_333, 33.33), (-1.005, -1.01), (5.0, 5.0)]
    {
        assert!((rounded(value) - expected).abs() < 1e-12, "{value}: {}", rounded(value));
    }
}
