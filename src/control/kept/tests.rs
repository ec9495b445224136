//! What is kept of a judgement goes on as if nothing had been; what is not of the same rollout's rules and judge is not gone on with.

use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::analysis::trial::{Outcome, Raw};
use crate::model::name::SignalName;
use crate::model::signal::{Better, Sample, Series};
use crate::model::text::Text;
use crate::model::trial::{MeasureKind, MeasureRules};

fn rules() -> TrialRules {
    let measure = |name: &str, kind, limit| MeasureRules {
        name: SignalName::new(name).unwrap(),
        better: Better::Lower,
        kind,
        margin: 0.01,
        limit: Some(limit),
        critical: true,
        weight: 1.0,
        unit: String::new(),
        stale_after_s: 120,
    };
    let measures = vec![
        measure("errors", MeasureKind::Ratio, 0.01),
        measure("latency", MeasureKind::Histogram { quantile: 0.99 }, 0.5),
        measure("queue", MeasureKind::Value { apart_s: 15 }, 5.0),
    ];
    TrialRules { alpha: 0.05, power: 0.8, measures }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_790_000_000 + second)
}

/// A counter that grows by so much each fifteen seconds, as answers show it that look back two minutes.
fn counter(labels: &[(&str, &str)], steps: &[u32], upto: usize) -> Series {
    let labels = labels.iter().map(|(name, value)| (Text::clean(name), Text::clean(value))).collect();
    let mut sum = 0.0;
    let all = (0_i64..).zip(&steps[..upto]).map(|(n, step)| {
        sum += f64::from(*step);
        Sample { at_ms: at(n * 15).timestamp_millis(), value: sum }
    });
    let all: Vec<Sample> = all.collect();
    Series { labels, samples: all[all.len().saturating_sub(8)..].to_vec() }
}

/// One poll: what the counters of both sides show by then.
fn poll(trial: &mut Trial, steps: &[u32], upto: usize) {
    let name = |name: &str| SignalName::new(name).unwrap();
    let side = |add: u32| {
        let all: Vec<u32> = steps.iter().map(|step| 100 + step + add).collect();
        let bad: Vec<u32> = steps.iter().map(|step| step % 4 + add).collect();
        let within: Vec<u32> = all.iter().zip(&bad).map(|(all, bad)| all - bad).collect();
        let buckets = vec![counter(&[("le", "0.5")], &within, upto), counter(&[("le", "+Inf")], &all, upto)];
        let (all, bad) = (vec![counter(&[], &all, upto)], vec![counter(&[("code", "500")], &bad, upto)]);
        let value = Sample { at_ms: at(15 * i64::try_from(upto).unwrap()).timestamp_millis(), value: f64::from(steps[upto - 1]) };
        (all, bad, buckets, vec![Series { labels: [].into(), samples: vec![value] }])
    };
    let (old, new) = (side(0), side(1));
    let ratio = |side: &'_ (Vec<Series>, Vec<Series>, Vec<Series>, Vec<Series>)| (side.1.clone(), side.0.clone());
    let ((old_bad, old_all), (new_bad, new_all)) = (ratio(&old), ratio(&new));
    trial.take(&name("errors"), Raw::Ratio { bad: &old_bad, total: &old_all }, Raw::Ratio { bad: &new_bad, total: &new_all });
    trial.take(&name("latency"), Raw::Buckets(&old.2), Raw::Buckets(&new.2));
    trial.take(&name("queue"), Raw::Value(&old.3), Raw::Value(&new.3));
}

fn kept(trial: &Trial, second: i64) -> KeptTrial {
    of(&"shop@prod".parse().unwrap(), PlanId([7; 32]), trial, at(second)).unwrap()
}

fn some() -> (Trial, i64) {
    let mut trial = Trial::new(rules());
    let steps: Vec<u32> = (0..60).map(|n| n * 7 % 11).collect();
    (2..=60).for_each(|upto| poll(&mut trial, &steps, upto));
    (trial, 60 * 15)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Polls that fall away while nobody judged change nothing as long as answers look back so far: each event counts once.
    #[test]
    fn a_judgement_that_was_kept_and_gone_on_with_is_the_same(
        steps in prop::collection::vec(0_u32..40, 40..90), cuts in prop::collection::vec((3_usize..90, 0_usize..4), 1..4),
    ) {
        let (mut whole, mut cut) = (Trial::new(rules()), Trial::new(rules()));
        let mut missed = 0;
        for upto in 2..=steps.len() {
            poll(&mut whole, &steps, upto);
            if let Some((_, away)) = cuts.iter().find(|(at, _)| *at == upto) {
                let second = 15 * i64::try_from(upto).unwrap();
                cut = restored(&kept(&cut, second), &rules(), at(second + 20)).unwrap();
                missed = missed.max(*away);
            }
            if missed > 0 && upto < steps.len() {
                missed -= 1;
                continue;
            }
            poll(&mut cut, &steps, upto);
        }
        let end = at(15 * i64::try_from(steps.len()).unwrap());
        let (whole, cut) = (whole.standing(end), cut.standing(end));
        for (whole, cut) in whole.measures.iter().zip(&cut.measures).take(2) {
            prop_assert_eq!((whole.canary, whole.baseline), (cut.canary, cut.baseline), "{}", whole.name);
        }
    }
}

#[test]
fn nothing_is_lost_of_numbers_and_words() {
    let (trial, second) = some();
    let again = restored(&kept(&trial, second), &rules(), at(second)).unwrap();
    assert_eq!(again, trial);
    assert_eq!(again.standing(at(second)), trial.standing(at(second)));
}

#[test]
fn what_lies_in_a_gap_is_in_no_interval_and_is_not_counted() {
    let (trial, second) = some();
    let before = trial.standing(at(second)).measures.remove(0);
    let steps: Vec<u32> = (0..200).map(|n| n * 7 % 11).collect();
    let mut again = restored(&kept(&trial, second), &rules(), at(second)).unwrap();
    // Half an hour nobody looked.
    poll(&mut again, &steps, 180);
    let after = again.standing(at(180 * 15)).measures.remove(0);
    assert_eq!((after.canary, after.baseline, after.gaps), (before.canary, before.baseline, before.gaps + 1));
    poll(&mut again, &steps, 181);
    let last = again.standing(at(181 * 15)).measures.remove(0);
    assert_eq!(last.pairs, before.pairs + 1, "and from there on it is judged again");
}

#[test]
fn p13_it_is_not_gone_on_with_by_other_rules_another_judge_or_of_a_time_to_come() {
    let (trial, second) = some();
    let (good, now) = (kept(&trial, second), at(second));
    let why = |change: &dyn Fn(&mut KeptTrial)| {
        let mut kept = good.clone();
        change(&mut kept);
        restored(&kept, &rules(), now).map(|_| ()).unwrap_err()
    };
    assert_eq!(why(&|kept| kept.judge = "0.0.9 1".to_owned()), "another gonogo judged it");
    assert_eq!(why(&|kept| kept.rules = "00".to_owned()), "its rules changed");
    let cannot = "what was kept of it cannot be read";
    assert_eq!(why(&|kept| kept.trial.truncate(100)), cannot);
    assert_eq!(why(&|kept| kept.trial = "{}".to_owned()), cannot);
    assert_eq!(why(&|kept| kept.trial.clear()), cannot);
    assert_eq!(why(&|kept| kept.trial = kept.trial.replace("\"alpha\":0.05", "\"alpha\":0.5")), cannot, "other rules within");
    assert_eq!(why(&|kept| kept.pairs += 1), cannot);
    assert_eq!(why(&|kept| kept.at = now + TimeDelta::hours(1)), "what was kept of it is of a time to come");
    let early = restored(&good, &rules(), at(second - 3600)).map(|_| ());
    assert_eq!(early, Err("what was kept of it is of a time to come"));
    let ahead = KeptTrial { at: at(second - 1800), ..good.clone() };
    assert_eq!(restored(&ahead, &rules(), at(second - 1800)).map(|_| ()), Err("what was kept of it has samples of a time to come"));
    let mut changed = rules();
    changed.measures[0].margin = 0.02;
    assert_eq!(restored(&good, &changed, now).map(|_| ()), Err("its rules changed"));
    assert!(restored(&good, &rules(), now).is_ok());
    assert_eq!(
        restored(&good, &rules(), at(second + 86_400)).unwrap().outcome(at(second + 86_400)),
        Outcome::Nodata,
        "old evidence is no pass"
    );
}

/// After how many polls the errors of equals are passed, when the process dies before some polls and nobody polls for so many; where
/// nothing is kept each begins anew.
fn passed_at(seed: u64, deaths: &[(usize, usize)], keeps: bool) -> usize {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let errors = |rules: TrialRules| TrialRules { measures: rules.measures[..1].to_vec(), ..rules };
    let errors = errors(rules());
    let mut trial = Trial::new(errors.clone());
    let requests = vec![600_u32; 400];
    // One of six hundred fails, as independent requests do.
    let bad = [0, 1].map(|_| (0..400).map(|_| (0..12).map(|_| u32::from(chance.random::<f64>() < 0.1)).sum()).collect::<Vec<u32>>());
    let mut away = 0;
    for upto in 2..=400 {
        let second = 15 * i64::try_from(upto).unwrap();
        if let Some((_, polls)) = deaths.iter().find(|(before, _)| *before == upto) {
            away = *polls;
            trial = if keeps {
                restored(&of(&"shop@prod".parse().unwrap(), PlanId([7; 32]), &trial, at(second)).unwrap(), &errors, at(second)).unwrap()
            } else {
                Trial::new(errors.clone())
            };
        }
        if away > 0 {
            away -= 1;
            continue;
        }
        let all = vec![counter(&[], &requests, upto)];
        let [old, new] = [0, 1].map(|side| vec![counter(&[("code", "500")], &bad[side], upto)]);
        trial.take(&SignalName::new("errors").unwrap(), Raw::Ratio { bad: &old, total: &all }, Raw::Ratio { bad: &new, total: &all });
        if trial.outcome(at(second)) == Outcome::Pass {
            return upto;
        }
    }
    400
}

/// On the same streams: a verdict comes, the same one, no later than by what a death hides; begun anew it comes later.
#[test]
fn a_verdict_after_deaths_is_the_same_and_no_later_than_by_the_gaps() {
    let median = |deaths: &[(usize, usize)], keeps: bool| {
        let mut all: Vec<usize> = (0..15).map(|seed| passed_at(seed, deaths, keeps)).collect();
        assert!(all.iter().all(|at| *at < 400), "{all:?}");
        all.sort_unstable();
        all[7]
    };
    let whole = median(&[], true);
    // Short ones, which the answers after them cover; and one of ten minutes, of which nothing is known.
    for deaths in [&[(6, 0), (10, 0), (14, 0), (18, 0)][..], &[(8, 1), (16, 1)], &[(12, 40)]] {
        let hidden: usize = deaths.iter().map(|(_, polls)| polls).sum();
        let (cut, anew) = (median(deaths, true), median(deaths, false));
        // An interval that a death made longer is one reading where there were two.
        assert!(cut <= whole + hidden + 3, "{deaths:?}: {cut} polls against {whole}");
        assert!(anew > cut + 5, "{deaths:?}: kept {cut}, anew {anew}");
    }
}

/// What is kept, by the names of its parts: who changes them raises the number of the judge too.
#[test]
fn the_form_of_what_is_kept_is_that_of_its_number() {
    fn names(value: &serde_json::Value, all: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                all.insert(name.clone());
                names(value, all);
            }),
            serde_json::Value::Array(values) => values.iter().for_each(|value| names(value, all)),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::String(_) => {}
        }
    }
    let mut all = std::collections::BTreeSet::new();
    names(&serde_json::from_str(&kept(&some().0, 900).trial).unwrap(), &mut all);
    let all: Vec<String> = all.into_iter().collect();
    insta::assert_snapshot!(format!("form {}: {}", Trial::judge().rsplit(' ').next().unwrap(), all.join(" ")));
}
