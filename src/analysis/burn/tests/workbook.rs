//! What the Site Reliability Workbook prints, and the properties that its arithmetic has.

use proptest::prelude::*;
use rstest::rstest;

use super::super::backtest::detection;
use super::super::budget::{Budget, Outlook, outlook};
use super::super::period;
use super::super::rate::{Burn, burn, spent};
use super::super::rules::{RuleState, Verdict};
use super::*;
use crate::analysis::zone::Zone;
use crate::model::burn_rule::{BurnRule, Severity, can_fire, factor, usual};

#[rstest]
#[case(days(30), [14.4, 6.0, 3.0, 1.0])]
#[case(Period::Month, [14.4, 6.0, 3.0, 1.0])]
#[case(days(28), [13.44, 5.6, 2.8, 0.933])]
#[case(Period::Quarter, [43.2, 18.0, 9.0, 3.0])]
#[case(days(7), [13.44, 3.5, 1.4, 0.98])]
fn the_burns_of_a_period_spend_the_same_budget(#[case] period: Period, #[case] burns: [f64; 4]) {
    let rules = usual(period.nominal());
    let found: Vec<_> = rules.iter().map(|rule| factor(rule.burn)).collect();
    assert_eq!(found, burns.map(factor));
    let windows: Vec<_> = rules.iter().map(BurnRule::words).collect();
    assert!(windows[0].ends_with("over 1h and 5m") && windows[1].ends_with("over 6h and 30m"), "{windows:?}");
    assert!(windows[2].ends_with("over 1d and 2h") && windows[3].ends_with("over 3d and 6h"), "{windows:?}");
    assert_eq!(
        rules.iter().map(|rule| rule.severity).collect::<Vec<_>>(),
        [Severity::Page, Severity::Page, Severity::Ticket, Severity::Ticket]
    );
}

#[test]
fn a_rule_that_fires_has_seen_two_five_and_ten_per_cent_of_the_budget_spent() {
    let found: Vec<_> =
        usual(days(30).nominal()).iter().map(|rule| (spent(rule.burn, rule.long, Duration::from_hours(720)) * 100.0).round()).collect();
    assert_eq!(found, [2.0, 5.0, 10.0, 10.0].map(f64::round));
}

/// The workbook: detection time = (1 - SLO) / error ratio x window x burn rate.
#[rstest]
#[case(1.0, 52)]
#[case(0.1, 518)]
#[case(0.02, 2592)]
fn the_time_to_detect_an_error_rate_is_the_workbooks(#[case] share: f64, #[case] seconds: u64) {
    let objective = objective(0.999, days(30));
    let found = detection(&objective, share);
    let (after, budget) = found[0].1.unwrap();
    assert_eq!((after + Duration::from_millis(500)).as_secs(), seconds);
    assert!((budget - 0.02).abs() < 1e-9, "2 % of the budget whatever the error rate is: {budget}");
}

#[test]
fn an_error_rate_under_fourteen_times_the_allowed_calls_later_by_a_longer_window() {
    let found = detection(&objective(0.999, days(30)), 0.01);
    let all: Vec<_> =
        found.iter().map(|(_, after)| after.map(|(after, budget)| (after.as_secs() / 60, (budget * 100.0).round()))).collect();
    assert_eq!(all, [None, Some((216, 5.0)), Some((432, 10.0)), Some((432, 10.0))]);
}

#[test]
fn a_whole_outage_calls_by_the_walk_as_fast_as_by_the_formula() {
    let objective = objective(0.999, days(30));
    let begun = 10 * DAY;
    let history = history(11 * DAY, 60, |at| whole(1_000.0, if at >= begun { 1.0 } else { 0.0 }));
    let first =
        (0..120).map(|n| begun + n * MINUTE).find(|at| RuleState::at(&objective, &objective.rules[0], &history, *at).verdict.fires());
    assert_eq!(first, Some(begun + MINUTE), "0.86 minutes, seen at the first whole minute");
}

#[test]
fn the_short_window_ends_the_alarm_soon_after_the_errors() {
    let objective = objective(0.999, days(30));
    let history = history(DAY, 60, |at| whole(1_000.0, if (12 * HOUR..12 * HOUR + 30 * MINUTE).contains(&at) { 0.2 } else { 0.0 }));
    let state = |at: i64| RuleState::at(&objective, &objective.rules[0], &history, at);
    assert!(state(12 * HOUR + 30 * MINUTE).verdict.fires());
    assert_eq!(state(12 * HOUR + 36 * MINUTE).verdict, Verdict::Quiet);
    let long = state(12 * HOUR + 36 * MINUTE).long;
    assert!(long.rate.unwrap() > 14.4, "the long window alone would call for an hour: {long:?}");
}

#[test]
fn since_when_it_fires_is_the_first_of_the_unbroken_ends() {
    let objective = objective(0.999, days(30));
    let history = history(DAY, 60, |at| whole(1_000.0, if at >= 12 * HOUR { 0.02 } else { 0.0 }));
    let Verdict::Fires { since_s } = RuleState::at(&objective, &objective.rules[0], &history, 13 * HOUR).verdict else { panic!("fires") };
    assert_eq!(since_s, 12 * HOUR + 44 * MINUTE, "14.4 of 20 of an hour, 43.2 minutes");
}

#[test]
fn few_events_hold_a_rule_and_say_so() {
    let objective = Objective { min_events: 100.0, ..objective(0.999, days(30)) };
    let night = |failed: [i64; 2]| {
        history(DAY, 60, move |at| match (at % 180 == 0, failed.contains(&at)) {
            (true, true) => whole(1.0, 1.0),
            (true, false) => whole(1.0, 0.0),
            (false, _) => whole(0.0, 0.0),
        })
    };
    let (one, two) = (night([0, 23 * HOUR + 57 * MINUTE]), night([23 * HOUR + 54 * MINUTE, 23 * HOUR + 57 * MINUTE]));
    let state = RuleState::at(&objective, &objective.rules[0], &two, DAY);
    assert!(state.long.rate.unwrap() > 14.4, "two errors in twenty requests: {state:?}");
    assert_eq!(state.verdict, Verdict::TooFew);
    let lone = Objective { min_events: 10.0, ..objective.clone() };
    assert_eq!(RuleState::at(&lone, &lone.rules[0], &one, DAY).verdict, Verdict::TooFew, "one event alone calls nobody");
    assert!(RuleState::at(&lone, &lone.rules[0], &two, DAY).verdict.fires());
    let brave = Objective { min_events: 0.0, ..objective };
    assert!(RuleState::at(&brave, &brave.rules[0], &one, DAY).verdict.fires());
}

#[test]
fn a_rule_that_no_error_rate_can_reach_is_known() {
    let rules = usual(days(30).nominal());
    assert!(!can_fire(&rules[0], 0.9), "all requests failing burn 10 times, 14.4 is never reached");
    assert!(can_fire(&rules[0], 0.95) && can_fire(&rules[1], 0.9) && !can_fire(&BurnRule { burn: 10.0, ..rules[0] }, 0.9));
}

#[test]
fn a_budget_ends_when_its_burn_says() {
    let objective = objective(0.99, days(30));
    let half = history(30 * DAY, 1800, |_| whole(100.0, 0.005));
    let budget = Budget::at(&objective, &half, (0, 30 * DAY), 30 * DAY);
    assert!((budget.left().unwrap() - 0.5).abs() < 1e-9);
    let after = |burn| outlook(&budget, objective.period, burn, 30 * DAY);
    assert_eq!(after(Some(5.0)), Outlook::In(Duration::from_hours(72)));
    assert_eq!((after(Some(1.0)), after(None)), (Outlook::Lasts, Outlook::Unknown));
    let gone = history(30 * DAY, 1800, |_| whole(100.0, 0.02));
    let budget = Budget::at(&objective, &gone, (0, 30 * DAY), 30 * DAY);
    assert_eq!(outlook(&budget, objective.period, Some(0.0), 30 * DAY), Outlook::Gone);
}

#[test]
fn a_month_has_its_whole_budget_at_its_beginning_and_ends_by_the_clock_of_the_room() {
    let objective = objective(0.99, Period::Month);
    // 2026-11-10T23:30:00Z is the 11th in Berlin; the month began at 2026-10-31T23:00:00Z there.
    let zone = Zone::named("Europe/Berlin");
    let (from, to) = period::bounds(Period::Month, &zone, 1_794_353_400);
    assert_eq!((from, to), (1_793_487_600, 1_796_079_600));
    assert_eq!(to - from, 30 * DAY);
    assert_eq!(period::bounds(Period::Quarter, &zone, 1_794_353_400), (1_790_805_600, 1_798_758_000));
    let even = history(3 * DAY, 1800, |_| whole(100.0, 0.01));
    let budget = Budget::at(&objective, &even, (0, 30 * DAY), 3 * DAY);
    assert!((budget.left().unwrap() - 0.9).abs() < 1e-9, "a tenth of the month at a burn of 1 leaves nine tenths");
    assert_eq!(outlook(&budget, Period::Month, Some(1.0), 3 * DAY), Outlook::Lasts);
    assert_eq!(outlook(&budget, Period::Month, Some(9.0), 3 * DAY), Outlook::In(Duration::from_hours(72)));
}

proptest! {
    #[test]
    fn a_constant_error_rate_burns_by_its_share_of_what_is_allowed(share in 0.0..1.0_f64, nines in 1..5_i32, minutes in 1..600_i64) {
        let objective = objective(1.0 - 0.1_f64.powi(nines), days(30));
        let history = history(12 * HOUR, 60, |_| whole(60.0, share));
        let window = Duration::from_secs(u64::try_from(minutes * MINUTE).unwrap());
        let burnt = Burn::over(&objective, &history, window, 12 * HOUR).rate.unwrap();
        let wanted = share / (1.0 - objective.goal);
        prop_assert!((burnt - wanted).abs() <= 1e-6 * wanted.max(1.0), "{burnt} {wanted}");
    }

    #[test]
    fn what_parts_of_a_period_spend_adds_up(rates in prop::collection::vec(0.0..0.2_f64, 30), cut in 1..29_i64) {
        let objective = objective(0.99, days(30));
        let of = |at: i64| whole(50.0 + 10.0 * f64::from(u8::try_from(at % 7).unwrap()), rates[usize::try_from(at / DAY).unwrap()]);
        let history = history(30 * DAY, 1800, of);
        let whole = Budget::at(&objective, &history, (0, 30 * DAY), 30 * DAY);
        let bad = |from: i64, to: i64| history.between(from, to).bad / whole.bad.max(1e-9) * whole.spent.unwrap();
        let (one, other) = (bad(0, cut * DAY), bad(cut * DAY, 30 * DAY));
        prop_assert!((one + other - whole.spent.unwrap()).abs() < 1e-6);
        let last = whole.burn_down.last().unwrap().unwrap();
        prop_assert!((last - whole.left().unwrap()).abs() < 1e-9, "the burn-down ends at what is left");
        prop_assert!(whole.burn_down.windows(2).all(|pair| pair[1] <= pair[0].map(|left| left + 1e-9)), "and never rises");
    }

    #[test]
    fn a_rule_fires_exactly_when_both_windows_are_over(rates in prop::collection::vec(0.0..0.05_f64, 72)) {
        let objective = objective(0.999, days(30));
        let history = history(72 * HOUR, 300, |at| whole(100.0, rates[usize::try_from(at / HOUR).unwrap()]));
        for rule in &objective.rules {
            let state = RuleState::at(&objective, rule, &history, 72 * HOUR);
            let over = |window| burn_of(&history, window) > rule.burn;
            prop_assert_eq!(state.verdict.fires(), over(rule.long) && over(rule.short), "{:?}", state);
            prop_assert!(state.verdict.fires() || state.verdict == Verdict::Quiet);
        }
    }

    #[test]
    fn a_history_that_was_thinned_says_the_same_at_the_ends_of_its_stretches(rates in prop::collection::vec(0.0..0.1_f64, 48)) {
        let fine = history(48 * HOUR, 300, |at| whole(100.0, rates[usize::try_from(at / HOUR).unwrap()]));
        let mut thin = fine.clone();
        thin.thin(40 * HOUR, 1800, 0);
        prop_assert!(thin.len() < fine.len());
        for from in (0..48).map(|hour| hour * HOUR) {
            let (one, other) = (fine.between(from, 48 * HOUR), thin.between(from, 48 * HOUR));
            prop_assert!((one.bad - other.bad).abs() < 1e-6 && (one.total - other.total).abs() < 1e-6 && (one.covered_s - other.covered_s).abs() < 1e-6);
        }
    }
}

fn burn_of(history: &History, window: Duration) -> f64 {
    let sum = history.between(72 * HOUR - i64::try_from(window.as_secs()).unwrap(), 72 * HOUR);
    burn(sum.bad, sum.total, 0.001).unwrap()
}
