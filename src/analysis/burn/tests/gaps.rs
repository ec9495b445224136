//! What is not known: it never fires, and is never called quiet.

use proptest::prelude::*;

use super::super::budget::Budget;
use super::super::rules::{RuleState, Verdict};
use super::*;

fn state(history: &History, at: i64) -> RuleState {
    let objective = objective(0.999, days(30));
    RuleState::at(&objective, &objective.rules[0], history, at)
}

#[test]
fn nothing_measured_neither_fires_nor_is_quiet() {
    let nothing = history(DAY, 60, |_| None);
    let found = state(&nothing, DAY);
    assert_eq!(found.verdict, Verdict::Unknown);
    assert_eq!((found.long.coverage(), found.long.rate), (0.0, None));
    assert_eq!(state(&History::default(), DAY).verdict, Verdict::Unknown);
    let budget = Budget::at(&objective(0.999, days(30)), &nothing, (0, DAY), DAY);
    assert_eq!((budget.left(), budget.coverage), (None, 0.0));
}

#[test]
fn no_traffic_that_was_measured_is_quiet() {
    let idle = history(DAY, 60, |_| whole(0.0, 0.0));
    assert_eq!(state(&idle, DAY).verdict, Verdict::Quiet);
}

#[test]
fn data_that_ended_is_unknown_once_the_short_window_is_empty_and_not_a_recovery() {
    let ended = history(DAY, 60, |at| (at < 23 * HOUR).then_some(()).and(whole(100.0, 0.5)));
    assert!(state(&ended, 23 * HOUR).verdict.fires());
    assert_eq!(state(&ended, 23 * HOUR + 10 * MINUTE).verdict, Verdict::Unknown);
}

#[test]
fn a_window_with_a_gap_fires_by_what_was_measured_in_it_alone() {
    // Twenty times the allowed rate in the half hour that was measured: were the other half good, it would be ten times.
    let gap = |share: f64| history(DAY, 60, move |at| (at >= 23 * HOUR + 28 * MINUTE).then_some(()).and(whole(100.0, share)));
    let found = state(&gap(0.02), DAY);
    assert!(found.long.rate.unwrap() > 14.4 && found.long.coverage() < 0.6, "{found:?}");
    assert_eq!(found.verdict, Verdict::Unknown);
    assert!(state(&gap(0.04), DAY).verdict.fires(), "forty times is over it even so");
    let most = history(DAY, 60, |at| (at >= 23 * HOUR + 40 * MINUTE).then_some(()).and(whole(100.0, 1.0)));
    assert_eq!(state(&most, DAY).verdict, Verdict::Unknown, "less than half of the window was measured");
}

#[test]
fn more_bad_events_than_events_and_numbers_that_are_none_are_not_believed() {
    let odd = history(HOUR, 60, |_| Some(Tally { bad: 7.0, total: 5.0, covered: 1.0 }));
    assert!((odd.between(0, HOUR).bad - 300.0).abs() < 1e-9);
    let negative = history(HOUR, 60, |_| Some(Tally { bad: -7.0, total: f64::NAN, covered: 1.0 }));
    assert!(negative.between(0, HOUR).coverage() <= 0.0);
}

#[test]
fn what_is_spent_is_said_with_the_part_that_was_measured() {
    let half = history(30 * DAY, 1800, |at| (at >= 15 * DAY).then_some(()).and(whole(100.0, 0.0005)));
    let budget = Budget::at(&objective(0.999, days(30)), &half, (0, 30 * DAY), 30 * DAY);
    assert!((budget.coverage - 0.5).abs() < 1e-9);
    assert!((budget.spent.unwrap() - 0.25).abs() < 1e-9 && (budget.spent_if_alike.unwrap() - 0.5).abs() < 1e-9, "{budget:?}");
}

#[test]
fn late_samples_replace_what_was_read_before() {
    let mut all = history(HOUR, 60, |_| whole(10.0, 0.0));
    let stretch = Stretch { from_s: HOUR - 2 * MINUTE, to_s: HOUR + MINUTE, step_s: 60 };
    let tallies = vec![whole(10.0, 1.0), whole(10.0, 1.0), None];
    all.take(&HistoryReading { stretch, tallies, interval_s: None, sent: Text::empty(), doubt: None });
    let sum = all.between(0, HOUR + MINUTE);
    assert_eq!((sum.bad, sum.total, all.newest()), (20.0, 600.0, Some(HOUR + MINUTE)));
    assert!((sum.coverage() - 60.0 / 61.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn no_gap_makes_a_rule_fire_that_the_whole_would_not(
        rates in prop::collection::vec(0.0..0.03_f64, 72),
        gaps in prop::collection::vec(any::<bool>(), 72),
    ) {
        let objective = objective(0.999, days(30));
        let share = |at: i64| rates[usize::try_from(at / HOUR).unwrap()];
        let lost = |at: i64| gaps[usize::try_from(at / HOUR).unwrap()];
        // What was lost was good: if that does not fire, what was measured must not either.
        let good = history(72 * HOUR, 300, |at| whole(100.0, if lost(at) { 0.0 } else { share(at) }));
        let seen = history(72 * HOUR, 300, |at| if lost(at) { None } else { whole(100.0, share(at)) });
        for rule in &objective.rules {
            let (of_seen, of_good) = (RuleState::at(&objective, rule, &seen, 72 * HOUR), RuleState::at(&objective, rule, &good, 72 * HOUR));
            prop_assert!(!of_seen.verdict.fires() || of_good.verdict.fires(), "{of_seen:?}");
            let known = of_seen.long.coverage() >= 0.9 || of_seen.short.coverage() >= 0.9;
            prop_assert!(of_seen.verdict != Verdict::Quiet || known, "a gap is never called quiet: {of_seen:?}");
        }
    }
}
