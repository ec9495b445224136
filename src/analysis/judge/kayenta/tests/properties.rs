//! What holds for all samples: units, directions, tolerances, order, and that nothing makes the judge fall over.

use proptest::prelude::*;

use super::{classified, samples, suite};
use crate::analysis::judge::Classification::{High, Low, Pass};
use crate::analysis::judge::{CanaryVerdict, judge};
use crate::model::judging::Direction::{Decrease, Either, Increase};
use crate::model::judging::{Bounds, JudgeRules, Measure, MetricRules, Missing, Outliers};

fn sample() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec((1_i32..2000).prop_map(|value| f64::from(value) / 8.0), 1..40)
}

/// Every kind of number, and what is none.
fn anything() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(1.0), Just(f64::NAN)], 0..12)
}

proptest! {
    #[test]
    fn a_larger_unit_by_a_power_of_two_moves_the_shift_alone(old in sample(), new in sample(), power in 1_i32..20) {
        let scale = f64::from(power).exp2();
        let scaled = |values: &[f64]| values.iter().map(|value| value * scale).collect::<Vec<_>>();
        let (plain, large) = (classified(&suite(Either), &old, &new), classified(&suite(Either), &scaled(&old), &scaled(&new)));
        prop_assert_eq!((plain.u, plain.p, plain.effect), (large.u, large.p, large.effect));
        // The solver's tolerance does not scale; where it decides, the reason says so.
        if !plain.reason.contains("unit") && !large.reason.contains("unit") {
            prop_assert_eq!(plain.classification, large.classification, "{} / {}", plain.reason, large.reason);
        }
    }

    #[test]
    fn what_is_high_one_way_is_low_the_other(old in sample(), new in sample()) {
        let rules = |direction| MetricRules { measure: Measure::CommonLanguage, allowed: Bounds { low: 0.5, high: 0.5 }, ..suite(direction) };
        let (there, back) = (classified(&rules(Either), &old, &new), classified(&rules(Either), &new, &old));
        prop_assert!((there.p.unwrap() - back.p.unwrap()).abs() < 1e-9);
        let unsure = |reason: &str| reason.contains("unit");
        // Where several shifts fit equally well the solver takes the one that it meets first, another one from the other side.
        let mirrors = there.shift.zip(back.shift).is_none_or(|(one, other)| (one.estimate + other.estimate).abs() <= 1e-3 * one.estimate.abs());
        if mirrors && !unsure(&there.reason) && !unsure(&back.reason) {
            let mirrored = if there.classification == High { Low } else if there.classification == Low { High } else { there.classification };
            prop_assert_eq!(mirrored, back.classification, "{} / {}", there.reason, back.reason);
        }
    }

    #[test]
    fn a_direction_only_hides_the_other(old in sample(), new in sample()) {
        let either = classified(&suite(Either), &old, &new).classification;
        let up = classified(&suite(Increase), &old, &new).classification;
        let down = classified(&suite(Decrease), &old, &new).classification;
        prop_assert_eq!(up, if either == High { High } else { Pass });
        prop_assert_eq!(down, if either == Low { Low } else { Pass });
    }

    #[test]
    fn more_tolerance_never_finds_more_harm(old in sample(), new in sample(), one in 0.0_f64..1.0, more in 0.0_f64..1.0) {
        let with = |tolerance| classified(&MetricRules { tolerance, ..suite(Either) }, &old, &new).classification;
        if with(one) == Pass {
            prop_assert_eq!(with(one + more), Pass);
        }
    }

    #[test]
    fn the_order_of_the_samples_does_not_matter(old in sample(), new in sample()) {
        let turned = |values: &[f64]| values.iter().rev().copied().collect::<Vec<_>>();
        let (plain, other) = (classified(&suite(Either), &old, &new), classified(&suite(Either), &turned(&old), &turned(&new)));
        prop_assert_eq!((plain.classification, plain.u, plain.p, plain.shift), (other.classification, other.u, other.p, other.shift));
    }

    #[test]
    fn no_samples_make_it_panic_or_pass_without_any(
        old in anything(), new in anything(), replace in any::<bool>(), remove in any::<bool>(), critical in any::<bool>(),
    ) {
        let metric = MetricRules {
            missing: if replace { Missing::Replace } else { Missing::Remove },
            outliers: if remove { Outliers::Remove } else { Outliers::Keep },
            critical: critical.then_some(Bounds { low: 1.0, high: 1.0 }),
            ..MetricRules::named("m")
        };
        let rules = JudgeRules { metrics: vec![metric], ..JudgeRules::default() };
        let found = judge(&rules, &[samples("m", &old, &new)]);
        let none = |values: &[f64]| values.iter().all(|value| value.is_nan());
        if none(&old) && none(&new) {
            prop_assert_eq!(found.verdict, CanaryVerdict::Nodata);
            prop_assert_eq!(found.score, None);
        }
        prop_assert_eq!(found.lacking().count() == 1, none(&old) || none(&new));
    }
}
