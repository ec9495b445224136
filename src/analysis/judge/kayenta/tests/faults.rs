//! Where an answer hangs on a known fault of Kayenta's, the reason says so.

use super::{classified, suite, vector};
use crate::analysis::judge::Classification::{High, Low, Pass};
use crate::model::judging::Direction::{Decrease, Either, Increase};
use crate::model::judging::MetricRules;

#[test]
fn a_verdict_that_changes_with_the_unit_says_so() {
    let (old, new) = vector("cles-low");
    let large = classified(&suite(Either), &old, &new);
    assert_eq!(large.classification, Low);
    assert!(!large.reason.contains("unit"), "{}", large.reason);
    let tiny = |values: &[f64]| values.iter().map(|value| value * 1e-6).collect::<Vec<_>>();
    let small = classified(&suite(Either), &tiny(&old), &tiny(&new));
    assert_eq!(small.classification, Pass, "Kayenta's own fault, kept: {}", small.reason);
    assert!(small.reason.contains("in a smaller unit the same data would be Low"), "{}", small.reason);
    assert_eq!((large.u, large.p), (small.u, small.p));
}

#[test]
fn constants_are_compared_by_value_and_always_alike() {
    let found = classified(&suite(Either), &[1.0; 5], &[1.000_01; 5]);
    assert_eq!(found.classification, High);
    assert!(found.reason.contains("where Kayenta adds random noise"), "{}", found.reason);
    assert_eq!(found, classified(&suite(Either), &[1.0; 5], &[1.000_01; 5]));
    assert_eq!(classified(&suite(Increase), &[1.0; 5], &[0.5; 5]).classification, Pass);
    assert_eq!(classified(&suite(Decrease), &[1.0; 5], &[0.5; 3]).classification, Low);
    let one = classified(&suite(Either), &[1.0], &[2.0]);
    assert_eq!(one.classification, High);
    assert!(one.reason.contains("Kayenta ends in an error"), "{}", one.reason);
}

#[test]
fn a_mean_that_ranks_do_not_see_is_told() {
    // spinnaker#6278: of ten values seven at a hundred times pass, eight do not.
    let with = |wild: usize, more: f64| {
        let mut new = [1.0; 10];
        new.iter_mut().take(wild).for_each(|value| *value *= more);
        classified(&MetricRules { direction: Increase, ..MetricRules::named("m") }, &[1.0; 10], &new)
    };
    assert_eq!((with(7, 100.0).classification, with(8, 100.0).classification), (Pass, High));
    for (wild, more) in [(7, 100.0), (7, 1e6), (1, 1e6)] {
        let found = with(wild, more);
        assert_eq!(found.classification, Pass);
        assert!(found.reason.contains("times the baseline's, which ranks do not weigh"), "{}", found.reason);
    }
    assert!(!with(1, 1.5).reason.contains("weigh"));
}
