//! The story of the bad canary, and that it is the same story each time.

use gonogo::config::scenario::Scenario;
use gonogo::model::signal::Form;
use gonogo::model::slot::Slot;
use proptest::prelude::*;

use super::{Train, ask, bad, buckets, newest, target, total, value, weights};

/// The share of a slot's requests that fail over the next `seconds`, and of all requests of the target.
fn harm(train: &Train, seconds: u64) -> (f64, f64) {
    let count = || Slot::BOTH.map(|slot| train.world.counted(&target("checkout@prod"), slot).unwrap());
    let [stable_before, canary_before] = count();
    train.pass(seconds);
    let [stable, canary] = count();
    let difference = |now: (u64, u64), then: (u64, u64)| ((now.0 - then.0) as f64, (now.1 - then.1) as f64);
    let (stable, canary) = (difference(stable, stable_before), difference(canary, canary_before));
    (canary.0 / (stable.0 + canary.0), (stable.1 + canary.1) / (stable.0 + canary.0))
}

#[test]
fn a_newcomer_sees_the_canary_step_up_fail_and_set_off_the_alert() {
    let train = Train::new(Scenario::DEFAULT);
    assert_eq!(train.weights_now("be_checkout_prod")["b1"], 5);
    assert!(train.firing().is_empty(), "nothing fires at the beginning");
    train.pass(20);
    assert_eq!(train.weights_now("be_checkout_prod")["b1"], 20);
    assert!(train.firing().is_empty(), "the rule waits");
    train.pass(25);
    assert_eq!(train.firing(), ["CheckoutErrors"]);
    let alert = train.alerts().alerts.remove(0);
    assert_eq!(alert.label("service").unwrap().as_str(), "checkout");
    assert_eq!(alert.label("environment").unwrap().as_str(), "prod");
    let after = (alert.since - chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap()).num_seconds();
    assert!((25..45).contains(&after), "fired {after} s after the beginning");
}

#[test]
fn the_story_is_the_same_for_every_seed() {
    for seed in 0..10 {
        let train = Train::with(Scenario::named(Scenario::DEFAULT).unwrap(), seed);
        for _ in 0..12 {
            assert_eq!(train.firing(), Vec::<String>::new(), "seed {seed} after {:?}", train.world.age());
            train.pass(2);
        }
        train.pass(26);
        assert_eq!(train.firing(), ["CheckoutErrors"], "seed {seed}");
        train.pass(100);
        assert_eq!(train.firing(), ["CheckoutErrors"], "seed {seed}, nobody did anything");
    }
}

#[test]
fn after_the_shift_to_0_no_request_reaches_the_canary_and_the_alert_resolves() {
    let train = Train::new(Scenario::DEFAULT);
    train.pass(50);
    assert_eq!(train.firing(), ["CheckoutErrors"]);
    train.shift("back", "be_checkout_prod", &[("a1", 100), ("b1", 0)], Some(weights(&[("a1", 80), ("b1", 20)]))).unwrap();
    let (share, failing) = harm(&train, 40);
    assert!(share == 0.0, "the canary still got {share}");
    assert!(failing < 0.006, "{failing} still fails");
    assert!(train.firing().is_empty());
}

#[test]
fn a_share_of_the_traffic_shows_that_share_of_the_harm() {
    let mut seen = Vec::new();
    for percent in [20, 40, 80] {
        let train = Train::new(Scenario::DEFAULT);
        train.pass(13);
        train.shift("on", "be_checkout_prod", &[("a1", 100 - percent), ("b1", percent)], None).unwrap();
        train.pass(40);
        let (share, failing) = harm(&train, 60);
        assert!((share - f64::from(percent) / 100.0).abs() < 0.003, "{share}");
        seen.push((failing - 0.002 - 0.0005) / share);
    }
    for harm in &seen {
        assert!((0.23..0.27).contains(harm), "harm for a whole share: {seen:?}");
    }
}

#[test]
fn harm_reaches_who_calls_the_service_and_nobody_else() {
    let train = Train::new(Scenario::DEFAULT);
    train.pass(13);
    train.shift("all", "be_checkout_prod", &[("a1", 0), ("b1", 100)], None).unwrap();
    train.pass(90);
    let firing = train.firing();
    assert!(firing.contains(&"CheckoutErrors".to_owned()) && firing.contains(&"WebErrors".to_owned()), "{firing:?}");
    assert!(!firing.contains(&"LedgerErrors".to_owned()), "{firing:?}");
}

#[test]
fn a_quiet_day_stays_quiet_for_an_hour() {
    let train = Train::new("calm");
    for _ in 0..360 {
        train.pass(10);
        assert_eq!(train.firing(), Vec::<String>::new(), "after {:?}", train.world.age());
    }
}

#[test]
fn the_monitoring_system_counts_what_the_router_counts() {
    let train = Train::new(Scenario::DEFAULT);
    train.pass(40);
    for slot in Slot::BOTH {
        let reading = train.signals(&[ask("checkout@prod", Some(slot), total(), Form::Instant)]).unwrap();
        let (requests, _) = train.world.counted(&target("checkout@prod"), slot).unwrap();
        assert_eq!(newest(&reading), requests as f64);
    }
    let servers = train.pool("be_checkout_prod").pools.into_values().flat_map(|pool| pool.servers);
    let routed: u64 = servers.map(|server| server.requests.unwrap()).sum();
    let all = train.signals(&[ask("checkout@prod", None, total(), Form::Instant)]).unwrap();
    assert_eq!(newest(&all), routed as f64);
    assert!(routed > 60_000, "the world has lived before: {routed}");
    let failed = train.signals(&[ask("checkout@prod", None, bad(), Form::Instant)]).unwrap();
    assert!(newest(&failed) > 0.0);
}

#[test]
fn counters_only_grow_and_buckets_rise_with_their_bounds() {
    let train = Train::new(Scenario::DEFAULT);
    train.pass(120);
    let window = Form::Counters { window_s: 120 };
    let asks = [ask("checkout@prod", Some(Slot::Second), total(), window), ask("checkout@prod", Some(Slot::Second), buckets(), window)];
    let reading = train.signals(&asks).unwrap();
    for series in reading.answers.iter().flat_map(|answer| answer.series.as_ref().unwrap()) {
        assert_eq!(series.samples.len(), 25);
        assert!(series.samples.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms && pair[0].value <= pair[1].value));
    }
    let bounds = reading.answers[1].series.as_ref().unwrap();
    assert_eq!(bounds.len(), 10);
    let last: Vec<f64> = bounds.iter().map(|series| series.samples.last().unwrap().value).collect();
    assert!(last.is_sorted(), "{last:?}");
    assert_eq!(bounds.last().unwrap().label("le").unwrap().as_str(), "+Inf");
}

#[test]
fn load_takes_time() {
    let quiet = Train::new("calm");
    let busy = Train::new("calm");
    // All requests of a pool of two servers fall on one of them.
    let mut by_hand = weights(&[("a2", 0)]);
    assert!(busy.world.set_weights_by_hand(&target("web@prod"), &by_hand));
    by_hand.clear();
    quiet.pass(120);
    busy.pass(120);
    let fast = |train: &Train| {
        let reading = train.signals(&[ask("web@prod", None, buckets(), Form::Counters { window_s: 60 })]).unwrap();
        let series = reading.answers[0].series.as_ref().unwrap();
        let grown = |le: &str| {
            let these = series.iter().filter(|series| series.label("le").unwrap().as_str() == le);
            these.map(|series| series.samples.last().unwrap().value - series.samples[0].value).sum::<f64>()
        };
        grown("0.1") / grown("+Inf")
    };
    assert!(fast(&busy) < fast(&quiet) - 0.2, "{} and {}", fast(&busy), fast(&quiet));
    let saturation = busy.signals(&[ask("web@prod", None, value(), Form::Instant)]).unwrap();
    assert!(newest(&saturation) > 0.9);
}

#[test]
fn versions_are_told_with_their_digests() {
    let train = Train::new(Scenario::DEFAULT);
    let version = |slot| {
        let reading = train.signals(&[ask("checkout@prod", Some(slot), gonogo::model::signal::Subject::Version, Form::Instant)]).unwrap();
        let series = reading.answers[0].series.as_ref().unwrap()[0].clone();
        (series.label("version").unwrap().to_string(), series.label("digest").unwrap().to_string())
    };
    let (stable, canary) = (version(Slot::First), version(Slot::Second));
    assert_eq!((stable.0.as_str(), canary.0.as_str()), ("2.4.1", "2.5.0"));
    assert!(canary.1.starts_with("sha256:") && canary.1 != stable.1);
}

#[test]
fn what_is_not_there_is_no_data_and_no_zero() {
    let train = Train::new("calm");
    let asks = [ask("nobody@prod", None, total(), Form::Instant)];
    let reading = train.signals(&asks).unwrap();
    assert_eq!(reading.answers[0].series.as_ref().unwrap().len(), 0);
    assert_eq!(reading.answers[0].query.as_str(), "m{service=\"checkout\",slot=\"b1\"}");
}

/// Everything that a world can be asked at once.
fn everything(train: &Train) -> String {
    let window = Form::Counters { window_s: 60 };
    let asks = [
        ask("checkout@prod", None, total(), window),
        ask("web@prod", None, buckets(), window),
        ask("ledger@staging", Some(Slot::First), value(), Form::Instant),
    ];
    let signals = train.signals(&asks).unwrap();
    let builders: Vec<String> = ["checkout", "search", "ledger-deploy", "web"].map(str::to_owned).into();
    let runs = gonogo::ports::ci::Ci::read(&*train.ci, &builders, &[]);
    format!("{:?}\n{:?}\n{signals:?}\n{:?}", train.pool("be_checkout_prod"), train.alerts(), super::now(runs).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_pattern_of_polls_changes_nothing(seed in any::<u64>(), steps in prop::collection::vec(1_u64..9_000, 1..20), at in 0_u64..60) {
        let polled = Train::with(Scenario::named(Scenario::DEFAULT).unwrap(), seed);
        let left = Train::with(Scenario::named(Scenario::DEFAULT).unwrap(), seed);
        polled.pass(at);
        left.pass(at);
        for train in [&polled, &left] {
            train.shift("same", "be_checkout_prod", &[("a1", 60), ("b1", 40)], None).unwrap();
        }
        for step in &steps {
            polled.clock.advance(std::time::Duration::from_millis(*step));
            drop(everything(&polled));
        }
        left.clock.advance(std::time::Duration::from_millis(steps.iter().sum()));
        prop_assert_eq!(everything(&polled), everything(&left));
    }
}

#[test]
fn another_seed_is_another_day() {
    let (one, other) = (Train::with(Scenario::named("calm").unwrap(), 1), Train::with(Scenario::named("calm").unwrap(), 2));
    assert_ne!(everything(&one), everything(&other));
}
