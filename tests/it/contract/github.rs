//! The contracts of `ports::ci`, `ports::gates` and `ports::source` at GitHub: over a server with a memory, and the same again through a
//! mock that holds every request and every answer against GitHub's own description.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use gonogo::adapters::ci::github::Github;
use gonogo::adapters::http::{Credential, HttpClient};
use gonogo::config::secret::Secret;
use gonogo::config::settings::BackendSettings;
use gonogo::model::capability::Capability;
use gonogo::model::catalog::BackendKind;
use gonogo::model::deed::Effect;
use gonogo::model::error::PortErrorKind;
use gonogo::model::name::BackendName;
use gonogo::model::origin::Authors;
use gonogo::model::pipeline::{Run, RunState};
use gonogo::model::plan::StepEffect;
use gonogo::model::run_gate::{GateRef, RunGate};
use gonogo::model::text::Text;
use gonogo::ports::ci::{Ci, Found};

use super::ci::{self, Lab as _, block, effect, not_done};
use crate::servers::github::{GATE, Lab, REVISION, TOKEN, WORKFLOW, description};
use crate::servers::http::{RealClock, settings};
use crate::servers::support::{Server, free_port, get, installed, wait_for};

const LONG: Duration = Duration::from_mins(1);

/// The adapter for a GitHub at an address, with the configured name `ci`.
pub fn github_at(url: &str, deadline: Duration) -> Github {
    let name = BackendName::new("ci").unwrap();
    let settings = BackendSettings { name: name.clone(), ..settings(BackendKind::Github, url, deadline) };
    let credential = Credential::Bearer(Secret::new(TOKEN.to_owned()));
    Github::new(name, HttpClient::new(&settings, &credential, RealClock::start()).unwrap())
}

/// A GitHub under the contract.
pub struct Hub {
    /// The server.
    pub lab: Lab,
    /// The adapter.
    pub ci: Github,
    proxy: Option<(Server, tempfile::TempDir)>,
}

#[expect(clippy::print_stderr, reason = "a failed test shows what the mock found wrong")]
impl Drop for Hub {
    fn drop(&mut self) {
        if let Some((_, place)) = self.proxy.as_ref().filter(|_| std::thread::panicking()) {
            let log = std::fs::read_to_string(place.path().join("log")).unwrap_or_default();
            let told: Vec<&str> = log.lines().filter(|line| !line.contains("[CLI]")).collect();
            eprintln!("the mock said last:\n{}", told[told.len().saturating_sub(30)..].join("\n"));
        }
    }
}

impl Hub {
    /// Over the server alone.
    pub fn new() -> Self {
        let lab = Lab::start(false);
        let ci = github_at(&lab.url(), Duration::from_secs(20));
        Self { lab, ci, proxy: None }
    }

    /// Through the mock, which answers a wrong request with 422 and a wrong answer with 500.
    fn described() -> Self {
        let (lab, port) = (Lab::start(true), free_port());
        let place = tempfile::tempdir().unwrap();
        let mut prism = Command::new("node");
        prism.arg(installed().join("node/node_modules/@stoplight/prism-cli/dist/index.js"));
        prism.args(["proxy", "--errors", "-h", "127.0.0.1", "-p", &port.to_string()]).arg(description()).arg(lab.url());
        let server = Server::start(&mut prism, &place.path().join("log"));
        wait_for("the mock to be ready", Duration::from_mins(4), || get(port, "/versions").filter(|said| said.starts_with("HTTP/1.1")));
        let ci = github_at(&format!("http://127.0.0.1:{port}"), Duration::from_secs(30));
        Self { lab, ci, proxy: Some((server, place)) }
    }

    /// A start whose inputs are these.
    pub fn start_with(&self, inputs: &[(&str, &str)], branch: &str) -> Effect {
        let properties = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        effect(StepEffect::Start { backend: self.backend(), builder: WORKFLOW.into(), scheduler: branch.into(), properties })
    }

    /// Starts a run and waits until it is seen so.
    pub fn run(&self, held: bool, seen: impl Fn(&Run) -> bool) -> Run {
        let start = effect(self.start(held, false));
        self.send(&start).unwrap();
        self.run_until("the run", &start, None, seen)
    }

    /// An answer at the gate.
    pub fn answer(&self, run: &Run, opens: bool) -> StepEffect {
        StepEffect::Answer {
            backend: self.backend(),
            builder: WORKFLOW.into(),
            run: run.id.number,
            attempt: run.attempt.unwrap(),
            revision: run.revision.as_str().to_owned(),
            gates: vec![GateRef { id: GATE, name: "production".into() }],
            opens,
        }
    }
}

impl ci::Lab for Hub {
    fn ci(&self) -> &dyn Ci {
        &self.ci
    }

    fn builder(&self) -> &str {
        WORKFLOW
    }

    fn start(&self, held: bool, failing: bool) -> StepEffect {
        let mut properties = BTreeMap::from([("gonogo_key".to_owned(), "$key".to_owned())]);
        properties.extend(held.then(|| ("held".to_owned(), "yes".to_owned())));
        properties.extend(failing.then(|| ("fail".to_owned(), "yes".to_owned())));
        StepEffect::Start { backend: self.backend(), builder: WORKFLOW.into(), scheduler: "main".into(), properties }
    }

    fn release(&self) {
        self.lab.release();
    }
}

/// What every CI system with gates must do: a run waits, an answer is bound to its run, attempt and commit, and is found by its key.
fn a_gate_opens_for_an_answer(hub: &Hub) {
    hub.lab.state().gated = true;
    let run = hub.run(false, |run| !run.gates.is_empty() || run.state == RunState::Running);
    let reading = hub.read(&[]);
    let shown = &reading.builders[WORKFLOW].runs[0];
    assert_eq!(
        shown.gates.iter().map(|gate| (gate.id, gate.name.as_str(), gate.may_answer)).collect::<Vec<_>>(),
        [(GATE, "production", true)]
    );
    assert!(hub.ci.capabilities().contains(&Capability::Answer));
    let gates = block(hub.ci.gates().unwrap().gates(WORKFLOW, run.id.number)).unwrap();
    assert_eq!((gates.attempt, gates.revision.as_str(), gates.answered.len()), (1, REVISION, 0));
    assert_eq!(gates.asked_by.iter().map(Text::as_str).collect::<Vec<_>>(), ["ana-gh"]);
    assert!(shown.gates[0].since.is_some_and(|since| Some(since) >= run.asked), "{shown:?}");
    let waiting: Vec<_> = shown.gates.iter().map(|gate| RunGate { since: None, ..gate.clone() }).collect();
    assert_eq!((gates.waiting, shown.asked_by.clone()), (waiting, gates.asked_by));
    let approve = effect(hub.answer(&run, true));
    assert_eq!(hub.find(approve.what(), approve.key(), None), None, "nothing was sent yet");
    hub.send(&approve).unwrap();
    let opened = hub.run_until("the answer", &approve, None, is_any);
    assert_eq!(opened.id, run.id);
    let gates = block(hub.ci.gates().unwrap().gates(WORKFLOW, run.id.number)).unwrap();
    assert!(gates.waiting.is_empty());
    let [given] = gates.answered.as_slice() else { panic!("{gates:?}") };
    assert_eq!((given.gates.as_slice(), given.opened, given.by.as_str()), ([GATE].as_slice(), Some(true), "cy-gh"));
    assert!(given.words.as_str().contains(&approve.key().to_string()), "{given:?}");
    let again = effect(hub.answer(&run, true));
    let (kind, words) = not_done(hub.send(&again));
    assert!(kind == PortErrorKind::Conflict, "{words}");
    let Some(Found::Other { why }) = hub.find(again.what(), again.key(), None) else { panic!("the first answer is not the second") };
    assert_eq!(why.as_str(), "it does not wait at production any more; cy-gh opened it");
    hub.lab.state().gated = true;
    let second = hub.run(false, |run| run.state == RunState::Running);
    let reject = effect(hub.answer(&second, false));
    hub.send(&reject).unwrap();
    let closed = hub.run_until("the refusal", &reject, None, is_any);
    assert_eq!((closed.id, closed.state), (second.id, RunState::Failed));
}

fn is_any(_: &Run) -> bool {
    true
}

#[test]
fn github_finds_a_start_by_its_key() {
    ci::a_start_is_found_by_its_key(&Hub::new());
}

#[test]
fn github_binds_a_retry_to_its_run() {
    ci::a_retry_is_bound_to_its_run(&Hub::new());
}

#[test]
fn github_shows_a_cancel() {
    ci::a_cancel_is_seen(&Hub::new());
}

#[test]
fn github_names_what_is_missing() {
    let hub = Hub::new();
    ci::a_missing_builder_is_missing(&hub);
    ci::another_effect_is_unsupported(&hub);
}

#[test]
fn github_opens_a_gate_for_an_answer() {
    a_gate_opens_for_an_answer(&Hub::new());
}

/// The suite again, with every request and every answer held against GitHub's own description. One mock for all of it: it takes long
/// to read that.
#[test]
fn github_as_its_own_description_has_it() {
    let hub = Hub::described();
    ci::a_missing_builder_is_missing(&hub);
    ci::a_start_is_found_by_its_key(&hub);
    ci::a_retry_is_bound_to_its_run(&hub);
    ci::a_cancel_is_seen(&hub);
    ci::another_effect_is_unsupported(&hub);
    a_gate_opens_for_an_answer(&hub);
    let read = hub.read(&[hub.read(&[]).builders[WORKFLOW].runs[0].id.number]);
    assert!(!read.builders[WORKFLOW].runs[0].steps.is_empty());
}

/// A mock that answers out of the examples of GitHub's description.
fn examples() -> &'static (Github, Server, tempfile::TempDir) {
    static STARTED: OnceLock<(Github, Server, tempfile::TempDir)> = OnceLock::new();
    STARTED.get_or_init(|| {
        let (place, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut prism = Command::new("node");
        prism.arg(installed().join("node/node_modules/@stoplight/prism-cli/dist/index.js"));
        prism.args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()]).arg(description());
        let server = Server::start(&mut prism, &place.path().join("log"));
        wait_for("the mock to be ready", Duration::from_mins(4), || get(port, "/versions").filter(|said| said.starts_with("HTTP/1.1")));
        (github_at(&format!("http://127.0.0.1:{port}"), Duration::from_secs(30)), server, place)
    })
}

#[test]
fn githubs_own_examples_are_understood() {
    let (ci, ..) = examples();
    let reading = block(ci.read(&["octo-org/octo-repo/build.yml".to_owned()], &[30_433_642])).unwrap();
    let run = &reading.builders["octo-org/octo-repo/build.yml"].runs[0];
    assert_eq!((run.id.number, run.number, run.attempt, run.branch.as_str()), (30_433_642, 562, Some(1), "master"));
    assert_eq!((run.state, run.by.as_str(), run.reason.as_str()), (RunState::Queued, "octocat", "Update README.md"));
    assert!(!run.steps.is_empty() && run.steps[0].name.as_str() == "build", "{:?}", run.steps);
    let source = ci.source().unwrap();
    let guard = block(source.guard("github/hello-world", "staging")).unwrap().unwrap();
    assert_eq!((guard.name.as_str(), guard.wait_minutes, guard.limits_branches), ("staging", Some(30), true));
    assert_eq!(guard.reviewers.iter().map(Text::as_str).collect::<Vec<_>>(), ["octocat", "justice-league"]);
    let deployed = block(source.deployments("octocat/example", "production", 5)).unwrap();
    assert_eq!((deployed[0].id, deployed[0].by.as_str(), deployed[0].state.as_str()), (1, "octocat", "success"));
    let range = block(source.authors("octocat/Hello-World", "v1.0", "v1.1")).unwrap();
    assert!(matches!(range.authors, Authors::Unknown(_) | Authors::Known(_)), "{range:?}");
    let gates = block(ci.gates().unwrap().gates("octo-org/octo-repo/build.yml", 30_433_642)).unwrap();
    assert_eq!(gates.waiting[0].name.as_str(), "staging");
}

#[test]
fn a_start_that_shows_seconds_later_is_found_then() {
    let hub = Hub::new();
    hub.lab.state().hidden = 3;
    let start = effect(hub.start(false, false));
    hub.send(&start).unwrap();
    assert_eq!(hub.find(start.what(), start.key(), None), None, "not shown yet");
    let run = wait_for("the run", LONG, || match hub.find(start.what(), start.key(), None) {
        Some(Found::Run(run)) => Some(run),
        Some(Found::Queued(_) | Found::Closed { .. } | Found::Other { .. }) | None => None,
    });
    assert!(run.reason.as_str().ends_with(&start.key().to_string()));
    assert_eq!(hub.lab.writes().len(), 1);
}
