//! The walk over a history, and how its alarms are judged.

use super::super::backtest::{Alarm, Manner, walk};
use super::super::score::{Incident, Load, Score};
use super::*;
use crate::model::burn_rule::Severity;

const STEP: Duration = Duration::from_mins(1);

fn incident(from_s: i64, to_s: i64) -> Incident {
    Incident { service: "checkout".parse().unwrap(), from_s, to_s }
}

fn walked(of: impl Fn(i64) -> f64, manner: Manner) -> Vec<Alarm> {
    let history = history(4 * DAY, 60, |at| whole(600.0, of(at)));
    walk(&objective(0.999, days(30)), &history, (3 * DAY, 4 * DAY), STEP, manner).alarms
}

#[test]
fn one_outage_is_one_page_that_ends_with_it_and_a_ticket() {
    let (begun, ended) = (3 * DAY + 6 * HOUR, 3 * DAY + 7 * HOUR);
    let alarms = walked(|at| if (begun..ended).contains(&at) { 0.1 } else { 0.0001 }, Manner::default());
    let pages: Vec<_> = alarms.iter().filter(|alarm| alarm.severity == Severity::Page).collect();
    assert_eq!(pages.len(), 1, "{alarms:?}");
    assert!((begun..begun + 11 * MINUTE).contains(&pages[0].from_s), "14.4 of 100 of an hour: {pages:?}");
    assert!((0.0199..0.022).contains(&pages[0].budget), "{pages:?}");
    assert!(pages[0].to_s < ended + 31 * MINUTE, "the short windows end it: {pages:?}");
    let score = Score::of(
        &alarms.into_iter().map(|alarm| ("checkout".parse().unwrap(), alarm)).collect::<Vec<_>>(),
        &[incident(begun, ended), incident(3 * DAY, 3 * DAY + HOUR)],
        Some(Severity::Page),
    );
    assert_eq!((score.precision(), score.recall()), (Some(1.0), Some(0.5)));
    assert_eq!(score.detected[1], None);
    assert!(score.median_detection().unwrap() <= Duration::from_mins(11));
}

#[test]
fn a_flapping_rule_is_one_alarm_when_it_is_kept_and_none_when_it_must_last() {
    let flaps = |at: i64| if (3 * DAY + 6 * HOUR..3 * DAY + 9 * HOUR).contains(&at) && at % (20 * MINUTE) < 3 * MINUTE { 0.2 } else { 0.0 };
    let pages = |manner: Manner| {
        walked(flaps, manner)
            .into_iter()
            .filter(|alarm| alarm.severity == Severity::Page && alarm.rule.long == Duration::from_hours(1))
            .count()
    };
    let plain = pages(Manner::default());
    assert!(plain > 1, "{plain}");
    assert_eq!(pages(Manner { keep: Duration::from_mins(30), ..Manner::default() }), 1);
    let lasting = walked(flaps, Manner { after: Duration::from_hours(5), ..Manner::default() });
    assert!(lasting.iter().all(|alarm| alarm.severity == Severity::Ticket), "{lasting:?}");
}

#[test]
fn a_gap_is_counted_as_what_nobody_knows() {
    let history = history(4 * DAY, 60, |at| (at < 3 * DAY + 6 * HOUR).then_some(()).and(whole(10.0, 0.0)));
    let walked = walk(&objective(0.999, days(30)), &history, (3 * DAY, 4 * DAY), STEP, Manner::default());
    assert_eq!(walked.alarms, []);
    assert!((walked.coverage - 0.25).abs() < 1e-6 && walked.unknown > walked.looks / 2, "{walked:?}");
}

#[test]
fn an_alarm_after_the_end_belongs_to_the_incident_while_its_short_window_saw_it() {
    let rule = objective(0.999, days(30)).rules[0];
    let alarm = |from_s: i64| {
        vec![("checkout".parse().unwrap(), Alarm { severity: Severity::Page, rule, from_s, to_s: from_s + MINUTE, budget: 0.02 })]
    };
    let score = |from_s: i64| Score::of(&alarm(from_s), &[incident(1_000, 2_000)], None);
    assert_eq!((score(2_000 + 5 * MINUTE).found, score(2_001 + 5 * MINUTE).found, score(0).found), (1, 0, 0));
    let other = Score::of(&alarm(1_500), &[Incident { service: "ledger".parse().unwrap(), ..incident(1_000, 2_000) }], None);
    assert_eq!((other.right, other.precision(), other.recall()), (0, Some(0.0), Some(0.0)));
    assert_eq!(Score::of(&[], &[], None).precision(), None);
}

#[test]
fn the_load_on_a_person_is_held_against_eemua_191() {
    let calm = Load::of(&[0, 3_600], (0, 7_200), 1);
    assert!((calm.per_hour - 1.0).abs() < 1e-9 && calm.is_acceptable && !calm.is_flood);
    let burst: Vec<i64> = (0..11).map(|n| n * 50).collect();
    let flood = Load::of(&burst, (0, DAY), 1);
    assert!(flood.is_flood && flood.is_acceptable && flood.worst_10_min == 11, "a flood is one even on a calm day: {flood:?}");
    assert!(!Load::of(&burst, (0, DAY), 2).is_flood, "two share it");
    assert!(!Load::of(&burst, (0, 3_600), 1).is_acceptable, "eleven in an hour are more than one in ten minutes");
}
