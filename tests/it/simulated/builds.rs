//! The simulated CI system starts, repeats, stops and finds runs.

use std::collections::BTreeMap;

use gonogo::adapters::simulated::Injection;
use gonogo::model::deed::Effect;
use gonogo::model::error::{PortErrorKind, SendError};
use gonogo::model::pipeline::{Run, RunState};
use gonogo::model::plan::StepEffect;
use gonogo::model::signal::{Form, Subject};
use gonogo::model::slot::Slot;
use gonogo::ports::ci::Found;

use super::{Train, ask, effect, now};

fn start(nonce: &str, builder: &str, properties: &[(&str, &str)]) -> Effect {
    let mut all: BTreeMap<String, String> = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.insert("gonogo_key".to_owned(), "$key".to_owned());
    let (backend, scheduler) = ("ci".parse().unwrap(), "force".to_owned());
    effect(nonce, StepEffect::Start { backend, builder: builder.to_owned(), scheduler, properties: all }, None)
}

fn find(train: &Train, effect: &Effect, after: Option<u64>) -> Option<Found> {
    now(train.ci.find(effect.what(), effect.key(), after)).unwrap()
}

fn found_run(train: &Train, effect: &Effect, after: Option<u64>) -> Run {
    match find(train, effect, after).unwrap() {
        Found::Run(run) => *run,
        Found::Queued(request) => panic!("request {request} still waits"),
        Found::Closed { request, why } => panic!("request {request} never runs: {why}"),
        Found::Other { why } => panic!("another hand: {why}"),
    }
}

#[test]
fn a_started_run_waits_runs_and_bears_its_key() {
    let train = Train::new("calm");
    let start = start("1", "ledger", &[]);
    assert_eq!(find(&train, &start, None), None);
    let receipt = train.order(&start).unwrap();
    assert_eq!(find(&train, &start, None), receipt.request.map(Found::Queued));
    let queued = &train.runs("ledger").builders["ledger"].queued;
    assert!(queued.iter().any(|request| Some(request.request) == receipt.request));
    train.pass(120);
    let run = found_run(&train, &start, None);
    assert!(run.state.is_over());
    assert_eq!(run.properties["gonogo_key"].as_str(), start.key().to_string());
    assert!(run.reason.as_str().contains(&start.key().to_string()));
}

#[test]
fn an_order_whose_answer_is_lost_is_found_by_its_key() {
    let train = Train::new("calm");
    train.world.inject(&"ci".parse().unwrap(), Injection::DropAnswerOfNextWrite);
    let start = start("1", "ledger", &[]);
    assert!(matches!(train.order(&start), Err(SendError::Unknown(_))));
    train.pass(200);
    assert!(matches!(find(&train, &start, None), Some(Found::Run(_))));
}

#[test]
fn a_deploy_run_changes_the_version_in_the_slot() {
    let train = Train::new("calm");
    let start = start("1", "checkout-deploy", &[("environment", "prod"), ("slot", "b1"), ("version", "2.4.2")]);
    train.order(&start).unwrap();
    train.pass(60);
    assert_eq!(found_run(&train, &start, None).state, RunState::Passed);
    let version = |slot| {
        let reading = train.signals(&[ask("checkout@prod", Some(slot), Subject::Version, Form::Instant)]).unwrap();
        reading.answers[0].series.as_ref().unwrap()[0].label("version").unwrap().to_string()
    };
    assert_eq!((version(Slot::First).as_str(), version(Slot::Second).as_str()), ("2.4.1", "2.4.2"));
}

#[test]
fn a_deploy_of_nothing_fails() {
    let train = Train::new("calm");
    let start = start("1", "checkout-deploy", &[("environment", "moon"), ("slot", "b1"), ("version", "2.4.2")]);
    train.order(&start).unwrap();
    train.pass(60);
    let run = found_run(&train, &start, None);
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.steps.last().unwrap().name.as_str(), "fetch");
}

#[test]
fn a_cancelled_deploy_changes_no_version() {
    let train = Train::new("calm");
    let start = start("1", "checkout-deploy", &[("environment", "prod"), ("slot", "b1"), ("version", "2.4.2")]);
    train.order(&start).unwrap();
    train.pass(2);
    let run = found_run(&train, &start, None);
    assert_eq!(run.state, RunState::Running);
    let cancel = StepEffect::Cancel { backend: "ci".parse().unwrap(), builder: "checkout-deploy".to_owned(), run: run.id.number };
    let cancel = effect("2", cancel, None);
    train.order(&cancel).unwrap();
    train.pass(60);
    assert_eq!(found_run(&train, &cancel, None).state, RunState::Cancelled);
    let reading = train.signals(&[ask("checkout@prod", Some(Slot::Second), Subject::Version, Form::Instant)]).unwrap();
    assert_eq!(reading.answers[0].series.as_ref().unwrap()[0].label("version").unwrap().as_str(), "2.4.1");
    // As at Buildbot, stopping what is over is accepted and changes nothing.
    train.order(&effect("3", cancel.what().clone(), None)).unwrap();
    assert_eq!(found_run(&train, &cancel, None).state, RunState::Cancelled);
}

#[test]
fn a_retry_repeats_a_run_that_is_over_with_its_properties() {
    let train = Train::new("calm");
    let old = train.runs("checkout").builders["checkout"].runs.iter().find(|run| run.state.is_over()).unwrap().clone();
    let retry = StepEffect::Retry { backend: "ci".parse().unwrap(), builder: "checkout".to_owned(), run: old.id.number };
    let retry = effect("1", retry, None);
    let newest = train.runs("checkout").builders["checkout"].runs[0].id.number;
    assert_eq!(find(&train, &retry, Some(newest)), None);
    train.order(&retry).unwrap();
    train.pass(200);
    let run = found_run(&train, &retry, Some(newest));
    assert_eq!(run.retry_of, Some(old.id.number));
    assert_eq!(run.properties, old.properties);
    assert!(run.id.number > newest);
}

#[test]
fn what_is_not_there_is_not_started() {
    let train = Train::new("calm");
    let kind = |result: Result<_, SendError>| match result.map(|_: gonogo::ports::ci::RunReceipt| ()).unwrap_err() {
        SendError::NotDone(error) => error.kind,
        SendError::Unknown(error) => panic!("unknown: {error}"),
    };
    assert_eq!(kind(train.order(&start("1", "nothing", &[]))), PortErrorKind::NotFound);
    let retry = StepEffect::Retry { backend: "ci".parse().unwrap(), builder: "checkout".to_owned(), run: 1 };
    assert_eq!(kind(train.order(&effect("2", retry, None))), PortErrorKind::NotFound);
    assert_eq!(train.runs("nothing").missing.len(), 1);
}

#[test]
fn logs_grow_while_a_run_goes_on_and_are_read_in_parts() {
    let train = Train::new("calm");
    let start = start("1", "ledger", &[]);
    train.order(&start).unwrap();
    train.pass(8);
    let log = |train: &Train| found_run(train, &start, None).steps[1].logs[0].clone();
    let early = log(&train);
    assert!(!early.complete && early.lines > 0, "{early:?}");
    train.pass(4);
    let later = log(&train);
    assert!(later.lines > early.lines);
    let part = now(train.ci.log(later.id, 2, 3)).unwrap();
    let again = now(train.ci.log(later.id, 0, 100)).unwrap();
    assert_eq!((part.first, part.lines.len(), part.total), (2, 3, later.lines));
    assert_eq!(part.lines[..], again.lines[2..5]);
    train.pass(200);
    assert!(log(&train).complete);
    assert!(now(train.ci.log(1, 0, 10)).is_err());
}

#[test]
fn people_push_and_the_ci_system_carries_it_as_far_as_staging() {
    let train = Train::new("calm");
    let before = train.runs("search").builders["search"].runs[0].id.number;
    train.pass(1800);
    let reading = now(train.ci.read(&["search".to_owned(), "search-deploy".to_owned()], &[])).unwrap();
    assert!(reading.builders["search"].runs[0].id.number > before);
    let deploys = &reading.builders["search-deploy"].runs;
    let by_itself = deploys.iter().filter(|run| run.by.as_str() == "ci");
    let places: Vec<&str> = by_itself.map(|run| run.properties["environment"].as_str()).collect();
    assert!(places.contains(&"dev") && places.contains(&"staging") && !places.contains(&"prod"), "{places:?}");
}

#[test]
fn the_past_has_runs_newest_first_and_some_failed() {
    let train = Train::new("calm");
    let services = ["checkout", "web", "search", "ledger", "mail", "catalog", "pricing", "identity"];
    let mut failed = 0;
    for service in services {
        let runs = train.runs(service).builders[service].runs.clone();
        assert!(runs.len() >= 6 && runs.len() <= 20);
        assert!(runs.is_sorted_by_key(|run| std::cmp::Reverse(run.id.number)));
        assert!(runs.is_sorted_by_key(|run| std::cmp::Reverse(run.started)));
        failed += runs.iter().filter(|run| run.state == RunState::Failed).count();
    }
    assert!(failed > 0);
}
