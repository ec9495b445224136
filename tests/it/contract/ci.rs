//! The contract of `ports::ci`, and what only a real Buildbot can show.
// long because: the whole contract of one port, asked of every adapter.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gonogo::adapters::ci::buildbot::Buildbot;
use gonogo::adapters::http::{Credential, HttpClient};
use gonogo::config::settings::BackendSettings;
use gonogo::model::capability::Capability;
use gonogo::model::catalog::BackendKind;
use gonogo::model::deed::{Effect, EffectKey, Permit, Recorded};
use gonogo::model::error::{PortErrorKind, SendError};
use gonogo::model::intent::Verb;
use gonogo::model::name::BackendName;
use gonogo::model::pipeline::{LogPart, Run, RunReading, RunState};
use gonogo::model::plan::{ORDER_FORMAT, Order, StepEffect};
use gonogo::model::text::Text;
use gonogo::ports::ci::{Ci, Found, RunReceipt};

use crate::servers::buildbot::Buildbot as Master;
use crate::servers::http::{RealClock, settings};
use crate::servers::support::wait_for;

const LONG: Duration = Duration::from_mins(1);

/// The adapter for a Buildbot at an address, with the configured name `ci`.
pub fn buildbot_at(url: &str, deadline: Duration) -> Buildbot {
    let name = BackendName::new("ci").unwrap();
    let settings = BackendSettings { name: name.clone(), ..settings(BackendKind::Buildbot, url, deadline) };
    Buildbot::new(name, HttpClient::new(&settings, &Credential::Nothing, RealClock::start()).unwrap())
}

/// An effect that policy and record are taken to have let through; each has another key.
pub fn effect(what: StepEffect) -> Effect {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: gonogo::model::change::ChangeType::Normal,
        effects: vec![what],
        ends: None,
        expires: "2026-11-23T00:00:00.000Z".into(),
        format: ORDER_FORMAT,
        installation: "test".into(),
        nonce: format!("{}-{}", std::process::id(), NONCE.fetch_add(1, Ordering::Relaxed)),
        of: None,
        rollout: None,
        percent: None,
        requester: "os:test".into(),
        rules: String::new(),
        targets: Vec::new(),
        text: None,
        ticket: None,
        verb: Verb::Start,
    };
    let plan = order.id().unwrap();
    Effect::join(&Permit::grant(plan), Recorded::attest(plan, 0, 1), &order, None).unwrap()
}

/// Runs a future to its end.
pub fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A CI system under the contract, with one builder of its own.
pub trait Lab {
    /// Its adapter.
    fn ci(&self) -> &dyn Ci;
    /// The builder.
    fn builder(&self) -> &str;
    /// A start whose run goes on until [`Lab::release`], or ends by itself.
    fn start(&self, held: bool, failing: bool) -> StepEffect;
    /// Lets held runs end.
    fn release(&self);

    /// The backend's configured name.
    fn backend(&self) -> BackendName {
        BackendName::new("ci").unwrap()
    }

    /// Sends an effect.
    fn send(&self, effect: &Effect) -> Result<RunReceipt, SendError> {
        block(self.ci().send(effect))
    }

    /// Looks for what an effect made.
    fn find(&self, effect: &StepEffect, key: EffectKey, after: Option<u64>) -> Option<Found> {
        block(self.ci().find(effect, key, after)).unwrap()
    }

    /// Reads the builder.
    fn read(&self, detail: &[u64]) -> RunReading {
        block(self.ci().read(&[self.builder().to_owned()], detail)).unwrap()
    }

    /// Sends an effect, waits until it is found as a run for which `seen` is true.
    fn run_until(&self, what: &str, effect: &Effect, after: Option<u64>, seen: impl Fn(&Run) -> bool) -> Run
    where
        Self: Sized,
    {
        wait_for(what, LONG, || match self.find(effect.what(), effect.key(), after) {
            Some(Found::Run(run)) if seen(&run) => Some(*run),
            Some(Found::Run(_) | Found::Queued(_) | Found::Closed { .. } | Found::Other { .. }) | None => None,
        })
    }

    /// Runs it again.
    fn retry(&self, run: &Run) -> StepEffect {
        match run.attempt {
            Some(attempt) => {
                let (backend, builder, run) = (self.backend(), self.builder().into(), run.id.number);
                StepEffect::Repeat { backend, builder, run, attempt, failed_only: false }
            }
            None => StepEffect::Retry { backend: self.backend(), builder: self.builder().into(), run: run.id.number },
        }
    }

    /// Stops it.
    fn cancel(&self, run: u64) -> StepEffect {
        StepEffect::Cancel { backend: self.backend(), builder: self.builder().into(), run }
    }
}

/// The kind and words of a sending that surely did not happen.
pub fn not_done(result: Result<RunReceipt, SendError>) -> (PortErrorKind, String) {
    match result {
        Err(SendError::NotDone(error)) => (error.kind.clone(), error.to_string()),
        Err(SendError::Unknown(_)) | Ok(_) => panic!("{result:?} is not `not done`"),
    }
}

fn is_over(run: &Run) -> bool {
    run.state.is_over()
}

/// What every CI system must do with a start: queued, running and done are all found by the key, and by no other.
pub fn a_start_is_found_by_its_key(lab: &impl Lab) {
    let first = effect(lab.start(true, false));
    assert_eq!(lab.find(first.what(), first.key(), None), None, "nothing was sent yet");
    lab.send(&first).unwrap();
    let running = lab.run_until("the first to run", &first, None, |run| run.state == RunState::Running);
    let second = effect(lab.start(false, false));
    let receipt = lab.send(&second).unwrap();
    let key = second.key().to_string();
    match lab.find(second.what(), second.key(), None) {
        Some(Found::Queued(request)) => {
            assert_eq!(receipt.request.unwrap_or(request), request);
            let reading = lab.read(&[]);
            let builder = &reading.builders[lab.builder()];
            assert_eq!(builder.runs[0].id, running.id);
            assert_eq!(builder.queued.iter().map(|queued| queued.request).collect::<Vec<_>>(), [request]);
            assert!(builder.queued[0].properties.values().any(|value| value.as_str() == key), "{:?}", builder.queued[0]);
            assert!(builder.queued[0].reason.as_str().contains(&key), "{:?}", builder.queued[0]);
        }
        // Where what waits is a run already, it is among the runs, and bears its key there.
        Some(Found::Run(queued)) if queued.state == RunState::Queued => {
            let reading = lab.read(&[]);
            let builder = &reading.builders[lab.builder()];
            assert_eq!((&builder.runs[0].id, &builder.runs[1].id), (&queued.id, &running.id));
            assert!(builder.queued.is_empty() && queued.started.is_none());
            assert!(queued.properties.values().any(|value| value.as_str() == key), "{queued:?}");
            assert!(queued.reason.as_str().contains(&key), "{queued:?}");
        }
        found @ (Some(Found::Run(_) | Found::Closed { .. } | Found::Other { .. }) | None) => {
            panic!("the second waits behind the first: {found:?}")
        }
    }
    lab.release();
    let first_done = lab.run_until("the first to end", &first, None, is_over);
    let second_done = lab.run_until("the second to end", &second, None, is_over);
    assert_eq!((first_done.id.clone(), first_done.state), (running.id, RunState::Passed));
    assert_eq!(second_done.state, RunState::Passed);
    assert!(second_done.id.number > first_done.id.number);
    assert!(second_done.asked <= second_done.started && second_done.started <= second_done.ended);
    let reading = lab.read(&[]);
    assert!(reading.builders[lab.builder()].queued.is_empty());
    assert_eq!(reading.builders[lab.builder()].runs[0], second_done);
}

/// A repetition is bound to the run it repeats, a start is not confused with it, and it is not repeated while it goes on.
pub fn a_retry_is_bound_to_its_run(lab: &impl Lab) {
    let start = effect(lab.start(true, true));
    lab.send(&start).unwrap();
    let running = lab.run_until("the run", &start, None, |run| run.state == RunState::Running);
    let early = effect(lab.retry(&running));
    assert_eq!(not_done(lab.send(&early)).0, PortErrorKind::Conflict, "it has not ended");
    lab.release();
    let failed = lab.run_until("its end", &start, None, is_over);
    assert_eq!(failed.state, RunState::Failed);
    let mut last = failed.clone();
    for _ in 0..2 {
        let retry = effect(lab.retry(&last));
        assert_eq!(lab.find(retry.what(), retry.key(), Some(last.id.number)), None, "nothing was sent yet");
        lab.send(&retry).unwrap();
        let again = lab.run_until("the repetition", &retry, Some(last.id.number), is_over);
        assert_eq!(again.state, RunState::Failed);
        assert!(again.retry_of == Some(failed.id.number) || again.attempt > failed.attempt, "{again:?}");
        assert!((again.id.number, again.attempt) > (last.id.number, last.attempt));
        let Some(Found::Run(found)) = lab.find(start.what(), start.key(), None) else { panic!("the start is gone") };
        assert_eq!(found.id, failed.id, "a repetition bears the key of the start and is not what the start made");
        last = again;
    }
    last.id.number = 999_999;
    let missing = effect(lab.retry(&last));
    assert_eq!(not_done(lab.send(&missing)).0, PortErrorKind::NotFound);
}

/// A run under way ends as cancelled; one that has ended stays as it is.
pub fn a_cancel_is_seen(lab: &impl Lab) {
    let start = effect(lab.start(true, false));
    lab.send(&start).unwrap();
    let running = lab.run_until("the run", &start, None, |run| run.state == RunState::Running);
    let cancel = effect(lab.cancel(running.id.number));
    lab.send(&cancel).unwrap();
    let cancelled = lab.run_until("its end", &cancel, None, is_over);
    assert_eq!((cancelled.id.clone(), cancelled.state), (running.id, RunState::Cancelled));
    let late = effect(lab.cancel(cancelled.id.number));
    let (kind, words) = not_done(lab.send(&late));
    assert_eq!(kind, PortErrorKind::Conflict);
    assert!(words.ends_with("it has ended already: cancelled"), "{words}");
    assert_eq!(not_done(lab.send(&effect(lab.cancel(999_999)))).0, PortErrorKind::NotFound);
    lab.release();
}

/// What is asked for and not there is missing, and no error of what is there.
pub fn a_missing_builder_is_missing(lab: &impl Lab) {
    let asked = [lab.builder().to_owned(), "no such builder".to_owned(), "1".to_owned()];
    let reading = block(lab.ci().read(&asked, &[])).unwrap();
    assert_eq!(reading.builders.keys().collect::<Vec<_>>(), [lab.builder()]);
    assert_eq!(reading.missing.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>(), ["1", "no such builder"]);
    assert!(reading.backend_clock.is_some());
    assert!(lab.ci().capabilities().contains(&Capability::ReadRuns));
}

/// A log grows while its run goes on, and is read from any line.
fn a_log_is_followed(lab: &impl Lab) {
    let start = effect(lab.start(true, false));
    lab.send(&start).unwrap();
    let run = lab.run_until("the run", &start, None, |run| run.state == RunState::Running).id.number;
    let log = wait_for("a log under way", LONG, || {
        let reading = lab.read(&[run]);
        let run = reading.builders[lab.builder()].runs[0].clone();
        let step = run.steps.into_iter().find(|step| step.name.as_str() == "test")?;
        assert!(!step.state.is_over(), "{step:?}");
        step.logs.first().map(|log| log.id)
    });
    let part = |first: u64, limit: u32| -> LogPart { block(lab.ci().log(log, first, limit)).unwrap() };
    let seen = wait_for("two ticks", LONG, || {
        let part = part(0, 1000);
        (part.lines.iter().filter(|line| line.as_str().starts_with("tick")).count() >= 2).then_some(part)
    });
    assert!(!seen.complete);
    let total = seen.total;
    let more = wait_for("more lines", LONG, || Some(part(total, 1000)).filter(|part| !part.lines.is_empty()));
    assert_eq!(more.first, total);
    assert!(more.lines[0].as_str().starts_with("tick"), "{:?}", more.lines);
    lab.release();
    lab.run_until("the end", &start, None, is_over);
    let whole = part(0, 1000);
    assert!(whole.complete);
    assert_eq!(whole.lines.len() as u64, whole.total);
    assert!(whole.lines.iter().any(|line| line.as_str() == "tested"));
    assert_eq!(part(2, 3).lines, whole.lines[2..5]);
    let beyond = part(whole.total + 10, 100);
    assert_eq!((beyond.lines.len(), beyond.total, beyond.complete), (0, whole.total, true));
    assert_eq!(block(lab.ci().log(999_999, 0, 10)).unwrap_err().kind, PortErrorKind::NotFound);
}

/// Weights are none of a CI system's business.
pub fn another_effect_is_unsupported(lab: &impl Lab) {
    let weights = StepEffect::Weights { backend: lab.backend(), pool: "be".parse().unwrap(), weights: BTreeMap::new() };
    assert_eq!(not_done(lab.send(&effect(weights.clone()))).0, PortErrorKind::Unsupported);
    assert!(lab.ci().commands(&weights).is_empty());
}

/// One lane of the real master.
struct Lane {
    master: &'static Master,
    ci: Buildbot,
    builder: String,
}

impl Lane {
    fn new(number: usize) -> Self {
        let master = Master::shared();
        Self { master, ci: buildbot_at(&master.url(), Duration::from_secs(20)), builder: format!("lane-{number}") }
    }

    fn start_with(&self, scheduler: &str, builder: &str, properties: &[(&str, &str)]) -> Effect {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        effect(StepEffect::Start { backend: self.backend(), builder: builder.into(), scheduler: scheduler.into(), properties })
    }
}

impl Lab for Lane {
    fn ci(&self) -> &dyn Ci {
        &self.ci
    }

    fn builder(&self) -> &str {
        &self.builder
    }

    fn start(&self, held: bool, failing: bool) -> StepEffect {
        let text = |text: &str| text.to_owned();
        let mut properties = BTreeMap::from([(text("gonogo_key"), text("$key"))]);
        if held {
            properties.insert(text("gate"), self.builder.clone());
        }
        if failing {
            properties.insert(text("fail"), text("yes"));
        }
        StepEffect::Start { backend: self.backend(), builder: self.builder.clone(), scheduler: text("force"), properties }
    }

    fn release(&self) {
        self.master.open(&self.builder);
    }
}

#[test]
fn buildbot_finds_a_start_by_its_key() {
    a_start_is_found_by_its_key(&Lane::new(0));
}

#[test]
fn buildbot_binds_a_retry_to_its_run() {
    a_retry_is_bound_to_its_run(&Lane::new(1));
}

#[test]
fn buildbot_shows_a_cancel() {
    a_cancel_is_seen(&Lane::new(2));
}

#[test]
fn buildbot_follows_a_log() {
    a_log_is_followed(&Lane::new(3));
}

#[test]
fn buildbot_names_what_is_missing() {
    let lane = Lane::new(4);
    a_missing_builder_is_missing(&lane);
    another_effect_is_unsupported(&lane);
}

#[test]
fn buildbot_would_drop_an_undeclared_key_so_it_is_refused() {
    let lane = Lane::new(5);
    let send =
        |scheduler: &str, builder: &str, properties: &[(&str, &str)]| not_done(lane.send(&lane.start_with(scheduler, builder, properties)));
    let key = ("gonogo_key", "$key");
    let (kind, words) = send("keyless", "checkout", &[key]);
    assert_eq!(kind, PortErrorKind::Refused);
    assert!(words.contains("the property `gonogo_key` is not declared by the force scheduler `keyless`"), "{words}");
    assert!(send("fixed", "checkout", &[key]).1.contains("is fixed by the force scheduler"));
    assert!(send("force", "lane-5", &[("slot", "v1")]).1.contains("no property takes `$key`"));
    let (kind, words) = send("nowhere", "lane-5", &[key]);
    assert_eq!((kind, words.as_str()), (PortErrorKind::NotFound, "failed to start lane-5 at ci: there is no force scheduler `nowhere`"));
    let (kind, words) = send("../builders", "lane-5", &[key]);
    assert!(matches!(kind, PortErrorKind::NotFound | PortErrorKind::Malformed), "{words}");
    // Buildbot itself would build a builder that is none of the scheduler's, when it is told by number.
    assert!(send("keyless", "lane-5", &[key]).1.contains("is not one of the builder `lane-5`"));
    assert!(send("force", "no such builder", &[key]).1.contains("is not one of the builder"));
    assert!(lane.read(&[]).builders["lane-5"].runs.is_empty(), "nothing was started");
    // What is refused would really be dropped.
    let params = serde_json::json!({"builderNames": ["checkout"], "gonogo_key": "lost"});
    let (status, answer) = lane.master.call("forceschedulers/keyless", "force", &params);
    let request = answer["result"][1].as_object().unwrap().values().next().unwrap().as_u64().unwrap();
    assert_eq!(status, 200);
    let read = lane.master.get(&format!("buildrequests/{request}?property=*"));
    assert_eq!(read["buildrequests"][0]["properties"]["gonogo_key"], serde_json::Value::Null, "{read}");
}

#[test]
fn buildbot_forces_through_a_scheduler_that_is_off_so_it_is_refused() {
    let lane = Lane::new(11);
    let schedulers = lane.master.get("schedulers?name=switched-off");
    let id = schedulers["schedulers"][0]["schedulerid"].as_u64().unwrap();
    assert_eq!(lane.master.call(&format!("schedulers/{id}"), "enable", &serde_json::json!({"enabled": false})).0, 200);
    wait_for("the scheduler to be off", LONG, || {
        let read = lane.master.get("forceschedulers/switched-off");
        (read["forceschedulers"][0]["enabled"] == serde_json::json!(false)).then_some(())
    });
    let (kind, words) = not_done(lane.send(&lane.start_with("switched-off", "checkout", &[("gonogo_key", "$key")])));
    assert_eq!(kind, PortErrorKind::Refused);
    assert!(words.ends_with("the force scheduler `switched-off` is switched off"), "{words}");
    let params = serde_json::json!({"builderNames": ["checkout"], "gonogo_key": "by hand"});
    let (status, answer) = lane.master.call("forceschedulers/switched-off", "force", &params);
    assert!(status == 200 && answer["result"].is_array(), "{answer}");
}

#[test]
fn buildbot_takes_a_stop_of_an_ended_run_in_silence() {
    let lane = Lane::new(6);
    let start = effect(lane.start(false, false));
    lane.send(&start).unwrap();
    let run = lane.run_until("the end", &start, None, is_over);
    for number in [run.id.number, 999_999] {
        let (status, answer) = lane.master.call(&format!("builds/{number}"), "stop", &serde_json::json!({"reason": "late"}));
        assert_eq!((status, &answer["result"]), (200, &serde_json::Value::Null), "{answer}");
    }
    let cancel = lane.cancel(run.id.number);
    let Some(Found::Run(seen)) = lane.find(&cancel, start.key(), None) else { panic!("the run is gone") };
    assert_eq!(seen.state, RunState::Passed, "only an observation tells that it was not cancelled");
}

#[test]
fn buildbot_merges_waiting_requests_and_that_is_said() {
    let lane = Lane::new(7);
    let start = |gate: &str| lane.start_with("force", "merging", &[("gonogo_key", "$key"), ("gate", gate)]);
    let (running, merged, kept) = (start("merging"), start(""), start(""));
    lane.send(&running).unwrap();
    lane.run_until("the first to run", &running, None, |run| run.state == RunState::Running);
    lane.send(&merged).unwrap();
    assert!(matches!(lane.find(merged.what(), merged.key(), None), Some(Found::Queued(_))));
    lane.send(&kept).unwrap();
    let why = wait_for("the merge", LONG, || closed(&lane, &merged));
    assert_eq!(why, "Buildbot merged it into a newer request; the builder needs collapseRequests=False");
    lane.master.open("merging");
    assert_eq!(lane.run_until("the end", &kept, None, is_over).state, RunState::Passed);
}

/// Why a start never ran and never will, once that is so.
fn closed(lane: &Lane, start: &Effect) -> Option<String> {
    match lane.find(start.what(), start.key(), None) {
        Some(Found::Closed { why, .. }) => Some(why.to_string()),
        Some(Found::Queued(_) | Found::Run(_) | Found::Other { .. }) | None => None,
    }
}

#[test]
fn buildbot_start_that_another_hand_cancelled_in_the_queue_is_closed() {
    let lane = Lane::new(17);
    let first = effect(lane.start(true, false));
    lane.send(&first).unwrap();
    lane.run_until("the first to run", &first, None, |run| run.state == RunState::Running);
    let second = effect(lane.start(false, false));
    lane.send(&second).unwrap();
    let Some(Found::Queued(request)) = lane.find(second.what(), second.key(), None) else { panic!("it waits behind the first") };
    let params = serde_json::json!({"reason": "not today"});
    let (status, answer) = lane.master.call(&format!("buildrequests/{request}"), "cancel", &params);
    assert_eq!(status, 200, "{answer}");
    let why = wait_for("the cancel", LONG, || closed(&lane, &second));
    assert_eq!(why, "it was cancelled while it waited");
    lane.release();
    lane.run_until("the first to end", &first, None, is_over);
    assert!(closed(&lane, &second).is_some(), "it stays closed when its turn has come");
}

#[test]
fn buildbot_deploys_what_it_was_told() {
    let lane = Lane::new(8);
    let told = [("environment", "prod"), ("slot", "v2"), ("version", "1.4.2"), ("gonogo_key", "$key")];
    let start = lane.start_with("force", "checkout-deploy", &told);
    lane.send(&start).unwrap();
    let run = lane.run_until("the deploy", &start, None, is_over);
    assert_eq!(run.state, RunState::Passed, "{run:?}");
    let file = lane.master.deploys().join(format!("build-{}", run.number));
    let written = std::fs::read_to_string(file).unwrap();
    assert_eq!(written, format!("environment=prod\nslot=v2\nversion=1.4.2\ngonogo_key={}\n", start.key()));
}

#[test]
fn buildbot_steps_and_logs_come_clean() {
    let lane = Lane::new(9);
    let start = effect(lane.start(false, true));
    lane.send(&start).unwrap();
    let run = lane.run_until("the end", &start, None, is_over);
    assert!(lane.read(&[]).builders["lane-9"].runs[0].steps.is_empty(), "steps of an ended run are read when asked for");
    let reading = lane.read(&[run.id.number]);
    let steps = &reading.builders["lane-9"].runs[0].steps;
    let told: Vec<_> = steps.iter().map(|step| (step.number, step.name.as_str(), step.state)).collect();
    let wished = [(0, "worker_preparation", RunState::Passed), (1, "compile", RunState::Passed), (2, "test", RunState::Failed)];
    assert_eq!(told, wished);
    let log = &steps[1].logs[0];
    let part = block(lane.ci.log(log.id, 0, 1000)).unwrap();
    assert_eq!((part.lines.len() as u64, part.complete), (log.lines, true));
    let lines: Vec<&str> = part.lines.iter().map(Text::as_str).collect();
    assert!(lines.contains(&"compiling"), "{lines:?}");
    assert!(lines.contains(&"careful"), "stderr too: {lines:?}");
    assert!(lines.contains(&"red ␛[31m bell ␇ <U+202E> end"), "{lines:?}");
}

#[test]
fn buildbot_can_be_told_by_hand() {
    let lane = Lane::new(10);
    let start = lane.start_with("force", "lane-10", &[("gonogo_key", "$key"), ("version", "it's; $(false)")]);
    for command in lane.ci.commands(start.what()) {
        let done = std::process::Command::new("sh").args(["-c", &format!("{command} -fsS")]).output().unwrap();
        assert!(done.status.success(), "{command}: {done:?}");
    }
    let run = wait_for("the run", LONG, || lane.read(&[]).builders["lane-10"].runs.first().cloned().filter(is_over));
    assert_eq!(run.properties["version"].as_str(), "it's; $(false)");
    let command = lane.ci.commands(&lane.cancel(7)).remove(0);
    let wished = format!("'{}/api/v2/builds/7'", lane.master.url());
    assert!(command.starts_with("curl -X POST -H 'Content-Type: application/json' --data '{") && command.ends_with(&wished), "{command}");
}
