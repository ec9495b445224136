//! Trials as a rollout gives them: scraped every fifteen seconds, asked every five with a window of two minutes.

use chrono::DateTime;
use rstest::rstest;

use super::*;
use crate::analysis::judge::Lack;
use crate::analysis::judge::figure::span;
use crate::model::signal::{Better, Sample, Series};
use crate::model::text::Text;
use crate::model::trial::{MeasureKind, MeasureRules};

const SCRAPE: i64 = 15;
const WINDOW: i64 = 120;

fn name(name: &str) -> SignalName {
    SignalName::new(name).unwrap()
}

fn rules(signal: &str, kind: MeasureKind) -> MeasureRules {
    MeasureRules {
        name: name(signal),
        better: Better::Lower,
        kind,
        margin: 0.005,
        limit: None,
        critical: false,
        weight: 1.0,
        unit: String::new(),
        stale_after_s: 120,
    }
}

fn trial(measures: Vec<MeasureRules>) -> Trial {
    Trial::new(TrialRules { alpha: 0.05, power: 0.8, measures })
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// A series as it is asked for at a second: the last two minutes of `value`, scraped at an offset.
fn series(labels: &[(&str, &str)], now: i64, offset: i64, value: impl Fn(i64) -> f64) -> Series {
    let labels = labels.iter().map(|(name, value)| (Text::clean(name), Text::clean(value))).collect();
    let scrapes = (0..=now / SCRAPE).map(|n| n * SCRAPE + offset).filter(|at| *at <= now && *at > now - WINDOW);
    Series { labels, samples: scrapes.map(|at| Sample { at_ms: at * 1000, value: value(at) }).collect() }
}

/// Counters of a side with three instances: `rate` requests a second each, of which every `one_in`-th fails.
fn ratio(now: i64, rate: f64, one_in: f64) -> [Vec<Series>; 2] {
    let pods = [("a", 1), ("b", 6), ("c", 11)];
    let of = |value: &dyn Fn(i64) -> f64| pods.iter().map(|(pod, offset)| series(&[("instance", pod)], now, *offset, value)).collect();
    let total = |at: i64| (f64::from(i32::try_from(at).unwrap()) * rate).floor();
    [of(&|at| (total(at) / one_in).floor()), of(&total)]
}

fn raw(side: &[Vec<Series>; 2]) -> Raw<'_> {
    Raw::Ratio { bad: &side[0], total: &side[1] }
}

/// Polls every five seconds; the canary has a twentieth of the traffic.
fn errors_after(until: i64, canary_one_in: f64, margin: f64) -> Trial {
    let mut trial = trial(vec![MeasureRules { margin, critical: true, ..rules("errors", MeasureKind::Ratio) }]);
    for now in (600..=until).step_by(5) {
        let (stable, canary) = (ratio(now, 19.0, 200.0), ratio(now, 1.0, canary_one_in));
        trial.take(&name("errors"), raw(&stable), raw(&canary));
    }
    trial
}

#[test]
fn each_scrape_is_one_pair_however_often_it_is_asked() {
    let trial = errors_after(600 + 40 * SCRAPE, 200.0, 0.02);
    let standing = trial.standing(at(1200));
    let measure = &standing.measures[0];
    assert_eq!(measure.pairs, 40);
    let (canary, baseline) = (measure.canary.unwrap(), measure.baseline.unwrap());
    // Three instances over the same six hundred seconds, whatever the answers overlapped.
    assert!((canary.total - 1800.0).abs() <= 45.0 && (baseline.total - 34_200.0).abs() <= 855.0, "{canary:?} {baseline:?}");
    assert!((canary.bad - 9.0).abs() <= 3.0 && (baseline.bad - 171.0).abs() <= 5.0, "{canary:?} {baseline:?}");
}

#[test]
fn an_equal_canary_passes_and_a_worse_one_fails() {
    let pass = errors_after(2400, 200.0, 0.012).standing(at(2400));
    assert_eq!((pass.outcome, pass.measures[0].outcome, pass.measures[0].more), (Outcome::Pass, Outcome::Pass, None));
    assert_eq!(pass.reason, "no worse in 1 of 1 measures, score 1 of 1");
    assert!(pass.measures[0].reason.starts_with("errors no worse: 27 of 5,400, old 513 of 102,600; harm 0.0 points ("), "{pass:#?}");
    assert!(pass.measures[0].reason.ends_with("), under the margin of 1.2 points, 120 intervals"), "{pass:#?}");
    let fail = errors_after(1500, 10.0, 0.01).standing(at(1500));
    assert_eq!((fail.outcome, fail.score.passed, fail.score.of), (Outcome::Fail, 0.0, 1.0));
    assert!(fail.reason.starts_with("errors worse: 270 of 2,700, old 257 of 51,300; harm 9.5 points ("), "{fail:#?}");
    assert!(fail.reason.ends_with("over the margin of 1.0 points, 60 intervals (critical); score 0 of 1"), "{fail:#?}");
    let harm = fail.measures[0].harm.unwrap();
    assert!(harm.low.unwrap() > 0.01 && harm.low.unwrap() < harm.estimate && harm.estimate < harm.high.unwrap_or(1.0), "{harm:?}");
}

#[test]
fn early_says_how_many_more_intervals_and_how_long_they_are() {
    let early = errors_after(600 + 8 * SCRAPE, 200.0, 0.01).standing(at(720));
    let more = early.measures[0].more.expect("it will be decided");
    assert_eq!(early.outcome, Outcome::Early);
    assert!((20..300).contains(&more.intervals) && more.seconds == more.intervals * 15, "{more:?}");
    let wanted = format!("{} more intervals, about {}", more.intervals, span(i64::try_from(more.seconds).unwrap()));
    assert!(early.measures[0].reason.ends_with(&format!("8 intervals; {wanted}")), "{early:#?}");
    assert_eq!(early.reason, format!("too early to tell: 1 of 1 measures not settled, errors: {wanted}; score 0 of 1"));
    let never = errors_after(2400, 200.0, 0.0).standing(at(2400));
    assert!(never.reason.contains("without a margin an equal canary is never shown to be no worse"), "{never:#?}");
}

#[test]
fn no_evidence_is_never_a_pass() {
    let nothing = trial(Vec::new()).standing(at(0));
    assert_eq!((nothing.outcome, nothing.reason.as_str()), (Outcome::Nodata, "nothing is measured: there is no evidence"));
    let muted = trial(vec![MeasureRules { weight: 0.0, ..rules("errors", MeasureKind::Ratio) }]).standing(at(0));
    assert_eq!((muted.outcome, muted.reason.as_str()), (Outcome::Nodata, "nothing that is measured decides: there is no evidence"));
    let mut one = trial(vec![rules("errors", MeasureKind::Ratio)]);
    let unasked = one.standing(at(0)).measures.remove(0);
    assert_eq!((unasked.outcome, unasked.lack), (Outcome::Nodata, Some(Lack::Both)));
    assert_eq!(unasked.reason, "errors has no data of either version: nothing was asked yet");
    let side = ratio(600, 1.0, 9.0);
    one.take(&name("errors"), raw(&side), Raw::Nothing("connection refused"));
    let canary = one.standing(at(600)).measures.remove(0);
    assert_eq!((canary.outcome, canary.lack), (Outcome::Nodata, Some(Lack::Canary)));
    assert_eq!(canary.reason, "errors has no data of the canary: connection refused");
    one.take(&name("errors"), Raw::Ratio { bad: &[], total: &[] }, raw(&side));
    let old = one.standing(at(600)).measures.remove(0);
    assert_eq!((old.lack, old.reason.as_str()), (Some(Lack::Baseline), "errors has no data of the old version: no series"));
    one.take(&name("errors"), raw(&side), raw(&side));
    let first = one.standing(at(600)).measures.remove(0);
    assert_eq!((first.outcome, first.lack), (Outcome::Nodata, Some(Lack::Both)));
    assert!(first.reason.ends_with("no events since the trial began"), "{}", first.reason);
    assert_eq!(trial(vec![MeasureRules { margin: 1.0, ..rules("errors", MeasureKind::Ratio) }]).standing(at(0)).outcome, Outcome::Nodata);
}

#[test]
fn a_canary_without_requests_has_no_data() {
    let mut one = trial(vec![rules("errors", MeasureKind::Ratio)]);
    for now in (600..1200).step_by(5) {
        one.take(&name("errors"), raw(&ratio(now, 19.0, 200.0)), raw(&ratio(now, 0.0, 200.0)));
    }
    let standing = one.standing(at(1200)).measures.remove(0);
    assert_eq!((standing.outcome, standing.lack, standing.pairs), (Outcome::Nodata, Some(Lack::Canary), 0));
    assert_eq!(standing.reason, "errors has no data of the canary: no events since the trial began");
}

#[test]
fn evidence_that_no_sample_keeps_fresh_decides_nothing() {
    let mut one = errors_after(2400, 200.0, 0.012);
    // Its samples come every 15 s: four of them missing is no data.
    assert_eq!(one.standing(at(2455)).outcome, Outcome::Pass);
    let gone = one.standing(at(2460));
    assert_eq!((gone.outcome, gone.measures[0].lack), (Outcome::Nodata, Some(Lack::Both)));
    assert!(gone.reason.contains("no sample for 64 s; no worse until then: 27 of 5,400"), "{gone:#?}");
    assert_eq!(sentence::written(&gone.score), "0 of 0, 1 without data");
    one.take(&name("errors"), raw(&ratio(2405, 19.0, 200.0)), Raw::Nothing("no answer in time"));
    assert_eq!(one.standing(at(2405)).outcome, Outcome::Nodata, "what vanished holds at once");
    let worse = errors_after(1500, 10.0, 0.01).standing(at(1700));
    assert_eq!((worse.outcome, worse.measures[0].ground), (Outcome::Nodata, None), "and nothing fires on data that vanished");
}

#[test]
fn a_measure_without_data_keeps_the_whole_from_passing() {
    let mut two = errors_after(2400, 200.0, 0.03);
    let mut rules = two.rules();
    rules.measures.push(super::tests::rules("latency", MeasureKind::Histogram { quantile: 0.99 }));
    two.measures.push(Measure::new(rules.measures[1].clone()));
    let standing = two.standing(at(2400));
    assert_eq!((standing.outcome, written(&standing.score).as_str()), (Outcome::Nodata, "1 of 1, 1 without data"));
    assert_eq!(standing.reason, "latency has no data of either version: nothing was asked yet; score 1 of 1, 1 without data");
}

#[test]
fn written_down_and_read_again_it_goes_on_the_same() {
    let (mut kept, mut again) = (errors_after(1200, 50.0, 0.01), errors_after(600, 50.0, 0.01));
    for now in (605..=1200).step_by(5) {
        let json = serde_json::to_string(&again).unwrap();
        again = serde_json::from_str(&json).unwrap();
        let (stable, canary) = (ratio(now, 19.0, 200.0), ratio(now, 1.0, 50.0));
        again.take(&name("errors"), raw(&stable), raw(&canary));
    }
    assert_eq!(again, kept);
    let standing = kept.standing(at(1200));
    assert_eq!(serde_json::from_str::<TrialStanding>(&serde_json::to_string(&standing).unwrap()).unwrap(), standing);
    let fewer = kept.standing(at(1200)).measures[0].pairs;
    kept.take(&name("strange"), Raw::Nothing(""), Raw::Nothing(""));
    assert_eq!(kept.standing(at(1200)).measures[0].pairs, fewer);
}

#[test]
fn a_gap_is_left_out_on_both_sides_and_a_restart_is_no_fall() {
    let mut one = errors_after(1200, 200.0, 0.01);
    let before = one.standing(at(1200)).measures.remove(0);
    for now in (1800..=1845).step_by(5) {
        one.take(&name("errors"), raw(&ratio(now, 19.0, 200.0)), raw(&ratio(now, 1.0, 200.0)));
    }
    let after = one.standing(at(1845)).measures.remove(0);
    assert_eq!((after.gaps, after.pairs), (1, before.pairs + 3));
    let (then, now) = (before.baseline.unwrap().total, after.baseline.unwrap().total);
    assert!(now - then < 19.0 * 3.0 * 60.0, "the ten minutes that nobody saw are not counted: {then} {now}");
    let restarted = |now: i64| {
        let mut side = ratio(now, 1.0, 200.0);
        side.iter_mut().flatten().flat_map(|series| &mut series.samples).filter(|sample| sample.at_ms > 1_848_000).for_each(|sample| {
            sample.value = (sample.value - 1848.0).max(0.0);
        });
        side
    };
    for now in (1850..=1905).step_by(5) {
        one.take(&name("errors"), raw(&ratio(now, 19.0, 200.0)), raw(&restarted(now)));
    }
    let end = one.standing(at(1905)).measures.remove(0);
    assert!(end.resets[1] >= 1 && end.resets[0] == 0 && end.canary.unwrap().total > after.canary.unwrap().total, "{end:#?}");
    assert!(end.canary.unwrap().total - after.canary.unwrap().total <= 180.0, "{end:#?}");
}

#[test]
fn harm_that_comes_late_is_found_although_all_was_good_before() {
    let canary = |now: i64| {
        let mut side = ratio(now, 1.0, 200.0);
        let late = ratio(now, 1.0, 10.0);
        for (series, late) in side[0].iter_mut().zip(&late[0]) {
            for (sample, late) in series.samples.iter_mut().zip(&late.samples) {
                // From 6000 s on one in ten fails.
                sample.value = if sample.at_ms > 6_000_000 { 30.0 + late.value - 600.0 } else { sample.value };
            }
        }
        side
    };
    let mut one = trial(vec![MeasureRules { margin: 0.01, ..rules("errors", MeasureKind::Ratio) }]);
    let mut found = None;
    for now in (600..=9000).step_by(15) {
        one.take(&name("errors"), raw(&ratio(now, 19.0, 200.0)), raw(&canary(now)));
        let outcome = one.standing(at(now)).outcome;
        if now == 6000 {
            assert_eq!(outcome, Outcome::Pass);
        }
        if outcome == Outcome::Fail && found.is_none() {
            found = Some(now);
        }
    }
    let found = found.expect("it fails");
    assert!((6060..=7500).contains(&found), "after {} s", found - 6000);
}

fn histogram(now: i64, slow: f64) -> Vec<Series> {
    let buckets = [("0.1", 0.9), ("0.5", 1.0 - slow), ("2.5", 1.0), ("+Inf", 1.0)];
    let of = |(le, share): &(&str, f64)| series(&[("le", le)], now, 3, |at| (f64::from(i32::try_from(at).unwrap()) * 40.0 * share).floor());
    buckets.iter().map(of).collect()
}

#[rstest]
#[case::a_limit(Some(0.5), Some(0.5))]
#[case::between_two_bounds(Some(0.45), Some(0.45))]
#[case::its_own_quantile(None, Some(0.5))]
#[case::beyond_all(Some(3.0), None)]
fn every_twentieth_request_a_hundred_times_slower_fails(#[case] limit: Option<f64>, #[case] bound: Option<f64>) {
    let kind = MeasureKind::Histogram { quantile: 0.99 };
    let mut one = trial(vec![MeasureRules { limit, unit: "s".to_owned(), ..rules("latency", kind) }]);
    let mut equal = one.clone();
    for now in (6000..=7800).step_by(5) {
        let stable = histogram(now, 0.002);
        one.take(&name("latency"), Raw::Buckets(&stable), Raw::Buckets(&histogram(now, 0.05)));
        equal.take(&name("latency"), Raw::Buckets(&stable), Raw::Buckets(&stable));
    }
    let (found, same) = (one.standing(at(7800)), equal.standing(at(7800)));
    assert_eq!(found.measures[0].bound, bound);
    if bound.is_none() {
        assert_eq!((found.outcome, found.measures[0].lack), (Outcome::Nodata, Some(Lack::Baseline)));
        assert!(found.reason.contains("its histogram has no bound at its limit or above"), "{found:#?}");
        return;
    }
    assert_eq!((found.outcome, same.outcome), (Outcome::Fail, Outcome::Pass), "{found:#?} {same:#?}");
    if limit == Some(0.5) || limit.is_none() {
        assert!(found.reason.starts_with("latency worse: 3,600 of 72,000 over 0.5 s, old 144 of 72,000; harm 4.80 points ("), "{found:#?}");
    }
}

/// What lies between the limit and the end of its bucket is past the limit too.
#[rstest]
#[case::every_one(1.0)]
#[case::every_twentieth(0.05)]
fn what_is_slower_than_the_limit_by_less_than_a_bucket_fails(#[case] slow: f64) {
    let kind = MeasureKind::Histogram { quantile: 0.99 };
    let mut one = trial(vec![MeasureRules { limit: Some(0.3), unit: "s".to_owned(), ..rules("latency", kind) }]);
    let within = |now: i64, slow: f64| -> Vec<Series> {
        let buckets = [("0.25", 1.0 - slow), ("1", 1.0), ("+Inf", 1.0)];
        let of =
            |(le, share): &(&str, f64)| series(&[("le", le)], now, 3, |at| (f64::from(i32::try_from(at).unwrap()) * 40.0 * share).floor());
        buckets.iter().map(of).collect()
    };
    for now in (6000..=6600).step_by(5) {
        one.take(&name("latency"), Raw::Buckets(&within(now, 0.0)), Raw::Buckets(&within(now, slow)));
    }
    let found = one.standing(at(6600));
    assert_eq!(found.outcome, Outcome::Fail, "{found:#?}");
}

#[test]
fn a_canary_with_other_buckets_has_no_data() {
    let mut one = trial(vec![MeasureRules { limit: Some(0.5), ..rules("latency", MeasureKind::Histogram { quantile: 0.99 }) }]);
    let other: Vec<Series> = histogram(900, 0.0).into_iter().filter(|series| bucket::bound(series) != Some(0.5)).collect();
    one.take(&name("latency"), Raw::Buckets(&histogram(900, 0.0)), Raw::Buckets(&other));
    let standing = one.standing(at(900)).measures.remove(0);
    assert_eq!((standing.outcome, standing.lack), (Outcome::Nodata, Some(Lack::Canary)));
    assert_eq!(standing.reason, "latency has no data of the canary: its histogram has no bucket with the bound 0.5");
}

fn value(at: i64, value: f64) -> Vec<Series> {
    vec![Series { labels: [].into(), samples: vec![Sample { at_ms: at * 1000, value }] }]
}

fn values(canary: impl Fn(u32) -> f64, pairs: u32, better: Better) -> Trial {
    let kind = MeasureKind::Value { apart_s: 60 };
    let mut one = trial(vec![MeasureRules { margin: 1.0, better, unit: "jobs".to_owned(), ..rules("queue", kind) }]);
    // Asked every fifteen seconds for a mean over a minute: three of four answers are made of what was in the one before.
    for n in 0..=pairs * 4 {
        let now = i64::from(n) * 15;
        let baseline = f64::from(n / 4 * 29 % 17) / 17.0;
        one.take(&name("queue"), Raw::Value(&value(now, baseline)), Raw::Value(&value(now, canary(n / 4))));
    }
    one
}

#[test]
fn overlapping_readings_of_a_value_are_one_pair() {
    let steady = |n: u32| f64::from(n * 31 % 17) / 17.0;
    let trial = values(steady, 50, Better::Lower);
    let standing = trial.standing(at(3000)).measures.remove(0);
    assert_eq!((standing.pairs, standing.canary), (50, None));
    assert_eq!(trial.measures[0].interval_ms(), Some(60_000));
}

#[test]
fn a_value_passes_only_when_what_is_rare_is_excluded_too() {
    let steady = |n: u32| f64::from(n * 31 % 17) / 17.0;
    let standing = |canary: &dyn Fn(u32) -> f64, pairs: u32, better| {
        let end = i64::from(pairs) * 60;
        values(canary, pairs, better).standing(at(end)).measures.remove(0)
    };
    // Its middle is no worse long before anything rare is excluded.
    assert_eq!(standing(&steady, 150, Better::Lower).outcome, Outcome::Early);
    assert_eq!(standing(&steady, 400, Better::Lower).outcome, Outcome::Pass);
    let spikes = |n: u32| steady(n) * if n % 20 == 7 { 100.0 } else { 1.0 };
    let spiked = standing(&spikes, 400, Better::Lower);
    assert_ne!(spiked.outcome, Outcome::Pass, "{spiked:#?}");
    let spiked = standing(&spikes, 900, Better::Lower);
    assert_eq!((spiked.outcome, spiked.ground), (Outcome::Fail, Some(process::Ground::Extremes)), "{spiked:#?}");
    assert!(spiked.reason.contains("queue worse at times: its greatest differences are mostly for the worse; harm"), "{spiked:#?}");
    let worse = standing(&|n| steady(n) + 3.0, 60, Better::Lower);
    assert!(worse.outcome == Outcome::Fail && worse.reason.starts_with("queue worse: harm 3.0 jobs ("), "{worse:#?}");
    assert_eq!(standing(&|n| steady(n) + 3.0, 400, Better::Higher).outcome, Outcome::Pass, "more is better there");
    assert_eq!(standing(&|n| steady(n) - 3.0, 60, Better::Higher).outcome, Outcome::Fail);
}

#[test]
fn several_series_of_a_value_and_readings_of_different_times_are_no_pair() {
    let mut one = trial(vec![rules("queue", MeasureKind::Value { apart_s: 15 })]);
    let two: Vec<Series> = [value(0, 1.0), value(0, 2.0)].concat();
    one.take(&name("queue"), Raw::Value(&value(0, 1.0)), Raw::Value(&two));
    let standing = one.standing(at(0)).measures.remove(0);
    assert_eq!(standing.reason, "queue has no data of the canary: the query gives several series, one is expected");
    for now in (15..300).step_by(15) {
        one.take(&name("queue"), Raw::Value(&value(now, 1.0)), Raw::Value(&value(now - 61, 1.0)));
    }
    assert_eq!(one.standing(at(300)).measures[0].pairs, 0);
    one.take(&name("queue"), Raw::Buckets(&[]), Raw::Buckets(&two));
    let standing = one.standing(at(300)).measures.remove(0);
    assert!(standing.reason.contains("the answer has another form than the measure"), "{}", standing.reason);
}

#[test]
fn the_level_is_divided_over_the_measures_that_decide() {
    let one = errors_after(1200, 40.0, 0.0);
    let with = |weight: f64| {
        let mut many = one.clone();
        for _ in 0..9 {
            let mut measure = many.measures[0].clone();
            measure.rules.weight = weight;
            many.measures.push(measure);
        }
        many.standing(at(1200)).measures[0].harm.unwrap()
    };
    let alone = one.standing(at(1200)).measures[0].harm.unwrap();
    assert!(with(1.0).low.unwrap_or(-1.0) < alone.low.unwrap(), "{:?} {alone:?}", with(1.0));
    assert_eq!(with(0.0), alone);
}
