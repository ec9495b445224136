//! Advice by examples, and what must hold of all of it.

use proptest::prelude::*;

use super::*;

fn usual() -> Facts {
    Facts {
        slots: true,
        instances: None,
        stateful: Some(false),
        rate: Some(60.0),
        measures: vec![
            Measured { name: "errors".to_owned(), usual: Some(0.002), margin: 0.005, limit: Some(0.01) },
            Measured { name: "latency".to_owned(), usual: Some(0.01), margin: 0.005, limit: Some(0.01) },
        ],
        alpha: 0.05,
        power: 0.8,
        objectives: 1,
        alerts: true,
        steps: [5, 20, 50, 100].into_iter().filter_map(Percent::new).collect(),
        wait_s: 300,
        deadline_s: 900,
        bake_s: 1_800,
        back: Back { proven_days: Some(3), failed: 0 },
        risk: Some(40),
    }
}

fn choice(facts: &Facts) -> (Advised, Option<u8>, bool) {
    let choice = advise(facts).choice;
    (choice.strategy, choice.first.map(Percent::get), choice.asks)
}

#[test]
fn a_busy_service_begins_at_its_first_step_and_a_quieter_one_where_it_can_tell() {
    assert_eq!(choice(&Facts { rate: Some(2_000.0), ..usual() }), (Advised::Canary, Some(5), false));
    let quiet = advise(&usual());
    assert_eq!((quiet.choice.words().as_str(), quiet.unknown.len()), ("canary, first step 50 %", 0), "{quiet:?}");
    assert_eq!(
        quiet.reasons,
        [
            "at 5 % it shows 900 requests in 5 min; 1.5 % of latency in place of 1 % would need 9,651: 54 min until it is told",
            "50 % tells of latency in 11 min, within a step's deadline of 15 min",
        ]
    );
}

#[test]
fn what_no_share_can_tell_goes_at_once_only_where_going_back_is_sure() {
    let quiet = Facts { rate: Some(1.0), bake_s: 36_000, deadline_s: 3_600, ..usual() };
    assert_eq!(choice(&quiet), (Advised::BlueGreen, None, false), "{:?}", advise(&quiet));
    for (less, why) in [
        (Facts { stateful: None, ..quiet.clone() }, "it is not said whether it keeps state"),
        (Facts { risk: Some(60), ..quiet.clone() }, "its risk is high (60 of 100)"),
        (Facts { risk: None, ..quiet.clone() }, "its risk is not known"),
        (Facts { back: Back { proven_days: Some(31), failed: 0 }, ..quiet.clone() }, "going back was not seen to work within 30 days"),
        (Facts { objectives: 0, alerts: false, ..quiet.clone() }, "neither an objective nor an alert watches it"),
        (Facts { bake_s: 60, ..quiet.clone() }, "in the 60 s for which it is watched even that would not tell"),
    ] {
        let advice = advise(&less);
        assert_eq!(advice.choice.words(), "not by itself: a person must watch");
        assert_eq!(advice.because, "even 50 % would take 11 h to tell");
        assert_eq!(advice.reasons.last().unwrap(), &format!("all at once is not advised either: {why}"));
    }
}

#[test]
fn state_is_never_split_between_two_versions() {
    let kept = Facts { stateful: Some(true), rate: Some(1e6), ..usual() };
    assert_eq!(choice(&kept), (Advised::Person, None, false));
    assert_eq!(choice(&Facts { instances: Some(3), ..kept.clone() }), (Advised::Rolling, None, false));
    assert_eq!(choice(&Facts { instances: Some(1), ..kept.clone() }), (Advised::Recreate, None, false));
    assert_eq!(choice(&Facts { instances: Some(3), objectives: 0, alerts: false, ..kept }), (Advised::Person, None, false));
}

#[test]
fn what_is_not_known_is_said_and_asks_a_person() {
    let busy = Facts { rate: Some(2_000.0), ..usual() };
    for (less, said) in [
        (Facts { stateful: None, ..busy.clone() }, "whether it keeps state"),
        (Facts { risk: None, ..busy.clone() }, "its risk"),
        (Facts { back: Back { proven_days: None, failed: 0 }, ..busy.clone() }, "whether going back works: it was never seen to"),
    ] {
        let advice = advise(&less);
        assert_eq!(choice(&less), (Advised::Canary, Some(5), true));
        assert!(advice.unknown.iter().any(|one| one.starts_with(said)), "{:?}", advice.unknown);
    }
    let unread = advise(&Facts { rate: None, ..busy.clone() });
    assert_eq!((unread.choice.strategy, unread.unknown), (Advised::Person, vec!["how many requests it has".to_owned()]));
    let mut mute = busy;
    mute.measures[0].usual = None;
    assert_eq!(advise(&mute).reasons, ["what is usual of errors is not known now: a rollout would hold on it"]);
    let blind = Facts { measures: Vec::new(), objectives: 0, alerts: false, ..usual() };
    assert_eq!(choice(&blind), (Advised::Person, None, false));
}

#[test]
fn it_says_from_which_traffic_on_it_would_advise_otherwise() {
    let advice = advise(&usual());
    let turn =
        |words: &str| advice.turns.iter().find(|turn| turn.when.contains(words)).unwrap_or_else(|| panic!("{words}: {:?}", advice.turns));
    assert_eq!(turn("requests an hour (5 % tells").when, "it has from 2,316,240 requests an hour (5 % tells within 5 min)");
    assert_eq!(turn("requests an hour (5 % tells").then.first.map(Percent::get), Some(5));
    assert_eq!(turn("requests an hour (50 % tells").then.strategy, Advised::BlueGreen);
    assert_eq!(turn("its risk is 60 of 100 or more (now 40)").then.words(), "canary, first step 50 %, begun when a person says so");
    assert_eq!(turn("errors loses its data").then.strategy, Advised::Person);
}

fn facts() -> impl Strategy<Value = Facts> {
    let measure = (prop::option::weighted(0.9, 0.0001_f64..0.05), 0.001_f64..0.02, prop::option::of(0.005_f64..0.1));
    let measures = prop::collection::vec(measure, 0..4);
    let one = (any::<bool>(), prop::option::of(0_u32..6), prop::option::of(any::<bool>()), prop::option::weighted(0.9, 0.01_f64..5_000.0));
    let other = (0_usize..3, any::<bool>(), prop::option::weighted(0.8, 0_i64..200), 0_usize..2, prop::option::weighted(0.9, 0_u32..=100));
    (one, measures, other, 60_u64..40_000).prop_map(|(one, measures, other, bake_s)| Facts {
        slots: one.0,
        instances: one.1,
        stateful: one.2,
        rate: one.3,
        measures: measures
            .into_iter()
            .enumerate()
            .map(|(n, (usual, margin, limit))| Measured { name: format!("m{n}"), usual, margin, limit })
            .collect(),
        objectives: other.0,
        alerts: other.1,
        back: Back { proven_days: other.2, failed: other.3 },
        risk: other.4,
        bake_s,
        ..usual()
    })
}

proptest! {
    #[test]
    fn more_traffic_never_makes_a_canary_less_advised(facts in facts(), more in 1.0_f64..100.0) {
        let (now, then) = (choose(&facts).0, choose(&Facts { rate: facts.rate.map(|rate| rate * more), ..facts.clone() }).0);
        if now.strategy == Advised::Canary {
            prop_assert_eq!((then.strategy, then.asks), (Advised::Canary, now.asks));
            prop_assert!(then.first <= now.first || facts.tells(now.first.unwrap()).unwrap() > 300.0);
        }
    }

    #[test]
    fn less_coverage_and_less_knowledge_never_make_it_bolder(facts in facts(), n in 0_usize..4) {
        let now = choose(&facts).0.boldness();
        let mut mute = facts.clone();
        if let Some(measure) = mute.measures.get_mut(n) {
            measure.usual = None;
        }
        let stateful = if facts.stateful == Some(true) { facts.stateful } else { None };
        for less in [
            mute,
            Facts { measures: Vec::new(), ..facts.clone() },
            Facts { objectives: 0, ..facts.clone() },
            Facts { alerts: false, ..facts.clone() },
            Facts { rate: None, ..facts.clone() },
            Facts { risk: None, ..facts.clone() },
            Facts { instances: None, ..facts.clone() },
            Facts { stateful, ..facts.clone() },
            Facts { back: Back { proven_days: None, ..facts.back }, ..facts.clone() },
            Facts { back: Back { failed: facts.back.failed + 1, ..facts.back }, ..facts.clone() },
            Facts { risk: facts.risk.map(|points| (points + 30).min(100)), ..facts.clone() },
        ] {
            prop_assert!(choose(&less).0.boldness() <= now, "{less:?} is bolder than {facts:?}");
        }
    }

    #[test]
    fn each_turn_changes_the_advice_and_each_advice_says_why(facts in facts()) {
        let advice = advise(&facts);
        prop_assert!(!advice.reasons.is_empty());
        prop_assert!(advice.turns.iter().all(|turn| turn.then != advice.choice));
    }
}
