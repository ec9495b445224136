//! Backends break as the scenario says, each in its own way, and none of it takes real time.

use gonogo::adapters::simulated::Injection;
use gonogo::config::scenario::Scenario;
use gonogo::model::error::{PortErrorKind, SendError};
use gonogo::model::signal::Form;

use super::{Train, ask, now, total};

#[test]
fn monitoring_dies_and_comes_back() {
    let train = Train::new("broken-backend");
    let asks = [ask("checkout@prod", None, total(), Form::Instant)];
    assert!(train.signals(&asks).is_ok());
    train.pass(60);
    assert_eq!(train.signals(&asks).unwrap_err().kind, PortErrorKind::Unreachable);
    train.pass(119);
    assert!(train.signals(&asks).is_err());
    train.pass(1);
    assert!(train.signals(&asks).is_ok());
}

#[test]
fn late_alerting_tells_old_news_with_an_old_clock() {
    let train = Train::new("broken-backend");
    let lag = || {
        let clock = train.alerts().backend_clock.unwrap();
        (train.pool("be_web_prod").process.started.unwrap() + chrono::TimeDelta::hours(3), clock)
    };
    let (origin, start) = lag();
    assert_eq!(start, origin);
    train.pass(59);
    assert_eq!((lag().1 - start).num_seconds(), 59);
    // The copy of 60 s stands still until the next one of 120 s; the canary goes bad at 70 s.
    train.pass(60);
    assert_eq!((lag().1 - start).num_seconds(), 60);
    assert!(train.firing().is_empty());
    train.pass(31);
    assert_eq!((lag().1 - start).num_seconds(), 120);
    train.pass(95);
    assert_eq!((lag().1 - start).num_seconds(), 245);
    assert_eq!(train.firing(), ["CheckoutErrors"]);
}

#[test]
fn a_black_hole_answers_at_once_that_nothing_came() {
    let train = Train::new("broken-backend");
    train.pass(125);
    let error = now(train.ci.read(&["web".to_owned()], &[])).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::TimedOut);
}

fn with_fault(kind: &str) -> Train {
    let source = format!(
        "name = \"x\"\ntitle = \"x\"\nbased_on = \"calm\"\n[[fault]]\nbackend = \"edge\"\nfrom = \"10s\"\nto = \"20s\"\nkind = \"{kind}\"\n"
    );
    let train = Train::with(Scenario::parse(&source).unwrap(), 7);
    train.pass(10);
    train
}

#[test]
fn a_write_into_a_fault_is_not_done_or_unknown_as_it_should_be() {
    let shift = |train: &Train| train.shift("1", "be_web_prod", &[("a1", 80), ("b1", 20)], None);
    let refused = with_fault("refused");
    assert!(matches!(shift(&refused), Err(SendError::NotDone(error)) if error.kind == PortErrorKind::Unreachable));
    let silent = with_fault("black-hole");
    assert!(matches!(shift(&silent), Err(SendError::Unknown(error)) if error.kind == PortErrorKind::TimedOut));
    let cut = with_fault("partial");
    assert!(matches!(shift(&cut), Err(SendError::Unknown(error)) if error.kind == PortErrorKind::Malformed));
    for (train, weight) in [(&refused, 0), (&silent, 0), (&cut, 20)] {
        train.pass(10);
        assert_eq!(train.weights_now("be_web_prod")["b1"], weight);
    }
}

#[test]
fn one_injected_read_fails_and_the_next_does_not() {
    let train = Train::new("calm");
    train.world.inject(&"alerts".parse().unwrap(), Injection::FailNextRead(PortErrorKind::Unauthorised));
    assert_eq!(now(train.alerts.read()).unwrap_err().kind, PortErrorKind::Unauthorised);
    assert!(now(train.alerts.read()).is_ok());
}

#[test]
fn a_world_that_slept_for_a_month_wakes_at_once_on_the_right_day() {
    let train = Train::new("calm");
    let before = train.alerts().backend_clock.unwrap();
    train.pass(30 * 24 * 3600);
    assert_eq!((train.alerts().backend_clock.unwrap() - before).num_days(), 30);
    assert!(train.world.age().as_secs() <= 3 * 3600);
}

#[test]
fn a_partial_answer_warns_and_leaves_out_instead_of_telling_0() {
    let source = "name = \"x\"\ntitle = \"x\"\nbased_on = \"calm\"\n[[fault]]\nbackend = \"prom\"\nfrom = \"0s\"\nto = \"20s\"\nkind = \"partial\"\n";
    let train = Train::with(Scenario::parse(source).unwrap(), 7);
    let asks = [ask("web@prod", None, total(), Form::Instant), ask("checkout@prod", None, total(), Form::Instant)];
    let reading = train.signals(&asks).unwrap();
    let series = |n: usize| reading.answers[n].series.as_ref().unwrap().len();
    assert_eq!((reading.warnings.len(), series(0) > 0, series(1)), (1, true, 0));
    train.pass(20);
    assert!(train.signals(&asks).unwrap().warnings.is_empty());
}
