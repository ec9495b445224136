//! A GitHub of ours with a memory: runs that wait in line, attempts, gates, ranges of commits, pages, `ETag`, rate limits and faults.
// long because: one server is one machine of states.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::history::History;
use super::support::installed;

/// The repository that it keeps.
pub const REPOSITORY: &str = "acme/shop";
/// The workflow that it runs.
pub const WORKFLOW: &str = "acme/shop/release.yml";
/// The number of its first run.
const FIRST: u64 = 30_433_642_000;
/// The commit that its runs build.
pub const REVISION: &str = "1111111111111111111111111111111111111111";
/// The gate at which a run may wait.
pub const GATE: u64 = 161_171_787;
/// Another gate: the environment `staging`.
pub const STAGING: u64 = GATE + 1;
/// The token that it takes.
pub const TOKEN: &str = "ghp_a-secret-of-the-tests";

/// A request that it got.
#[derive(Debug, Clone)]
pub struct Got {
    /// Method and path with query: `GET /repos/..`.
    pub line: String,
    /// The credential.
    pub authorization: Option<String>,
    /// The tag of what the caller has already.
    pub if_none_match: Option<String>,
    /// The version of the API that was asked for.
    pub version: Option<String>,
}

/// An answer that is given in place of the right one.
#[derive(Debug, Clone)]
pub struct Wrong {
    /// The status.
    pub status: u16,
    /// Further heads.
    pub heads: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Whether the right thing is done all the same, before the wrong answer.
    pub does: bool,
}

impl Wrong {
    /// A refusal as GitHub words it.
    pub fn says(status: u16, message: &str) -> Self {
        Self { status, heads: Vec::new(), body: json!({ "message": message }).to_string(), does: false }
    }

    /// The same with a further head.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.heads.push((name, value.to_owned()));
        self
    }
}

#[derive(Debug, Clone)]
struct Run {
    id: u64,
    attempt: u64,
    status: &'static str,
    conclusion: Option<&'static str>,
    title: String,
    inputs: BTreeMap<String, String>,
    held: bool,
    sha: String,
    /// Questions for a list that it is not in yet: GitHub shows a dispatched run seconds later.
    hidden: u32,
    waiting: Vec<u64>,
    approvals: Vec<Value>,
    actor: &'static str,
    /// Who asked for this attempt.
    triggering: &'static str,
    asked: i64,
    began: i64,
    ended: i64,
}

impl Run {
    fn asked(at: i64) -> Self {
        Self {
            id: FIRST,
            attempt: 1,
            status: "queued",
            conclusion: None,
            title: "release".to_owned(),
            inputs: BTreeMap::new(),
            held: false,
            sha: REVISION.to_owned(),
            hidden: 0,
            waiting: Vec::new(),
            approvals: Vec::new(),
            actor: "ana-gh",
            triggering: "ana-gh",
            asked: at,
            began: at,
            ended: at,
        }
    }

    /// Answers for gates at which it waits.
    fn answer(&mut self, gates: &[u64], by: &str, state: &str, comment: &str) {
        self.waiting.retain(|id| !gates.contains(id));
        let environments: Vec<Value> = gates.iter().map(|id| json!({"id": id, "name": name_of(*id)})).collect();
        self.approvals.push(json!({"environments": environments, "state": state, "comment": comment, "user": {"login": by}}));
        if state == "rejected" {
            (self.status, self.conclusion, self.waiting) = ("completed", Some("failure"), Vec::new());
        } else if self.waiting.is_empty() {
            self.status = "in_progress";
        }
    }
}

/// What a test may set.
#[derive(Default)]
pub struct State {
    runs: Vec<Run>,
    clock: i64,
    wrong: VecDeque<(String, Wrong)>,
    got: Vec<Got>,
    /// Questions for a list in which a new run is not seen yet.
    pub hidden: u32,
    /// Whether the token's account may answer at gates.
    pub may_not_answer: bool,
    /// Whether runs wait at the gate.
    pub gated: bool,
    /// Somebody who answers right before our next answer, and how.
    pub rival: Option<(&'static str, &'static str)>,
    /// The `run-name` of the workflow.
    pub run_name: Option<String>,
    /// Answers to plain reads, by the path behind the repository.
    pub fixed: BTreeMap<String, Vec<Value>>,
    /// Its commits; none: there are only fixed answers.
    pub history: History,
    /// Requests that are left before the limit.
    pub left: Option<u64>,
    /// Tokens with other scopes.
    pub scopes: Option<String>,
    /// Fill in what GitHub's description asks for.
    in_full: bool,
    log_at: String,
}

/// The server; it ends with the test.
pub struct Lab {
    /// Its port.
    pub port: u16,
    state: Arc<Mutex<State>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Lab {
    /// Starts one. `in_full`: each answer is filled up from the examples of GitHub's own description, which must be installed.
    pub fn start(in_full: bool) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state =
            State { in_full, clock: 1_795_000_000, log_at: format!("http://localhost:{port}/signed/log?sig=1"), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let app = axum::Router::new().fallback(move |request: Request| answer(Arc::clone(&shared), request));
                let _ = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) }).await;
            });
        });
        Self { port, state, stop: Some(stop) }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it holds.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets held runs go on.
    pub fn release(&self) {
        self.state().runs.iter_mut().for_each(|run| run.held = false);
    }

    /// Answers wrongly, once, the next request whose line holds this.
    pub fn answer_wrongly(&self, line: &str, wrong: Wrong) {
        self.state().wrong.push_back((line.to_owned(), wrong));
    }

    /// What it was asked.
    pub fn got(&self) -> Vec<Got> {
        self.state().got.clone()
    }

    /// The lines of requests that write.
    pub fn writes(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.line).filter(|line| line.starts_with("POST")).collect()
    }

    /// A run that somebody else made stand so.
    pub fn change(&self, run: u64, change: impl FnOnce(&mut u64, &mut String)) {
        let mut state = self.state();
        let run = state.runs.iter_mut().find(|one| one.id == run).unwrap();
        change(&mut run.attempt, &mut run.sha);
    }

    /// A run that an account asked for and that waits at these gates; an empty name is one that is not told.
    pub fn waiting(&self, actor: &'static str, gates: &[u64]) -> u64 {
        let mut state = self.state();
        let asked = state.now();
        let (id, waiting) = (FIRST + state.runs.len() as u64, gates.to_vec());
        state.runs.push(Run { id, actor, triggering: actor, status: "waiting", waiting, ..Run::asked(asked) });
        id
    }

    fn on(&self, run: u64, change: impl FnOnce(&mut Run)) {
        change(self.state().runs.iter_mut().find(|one| one.id == run).unwrap());
    }

    /// Somebody asks for the next attempt of a run, and it comes to its gates again.
    pub fn asked_again(&self, run: u64, by: &'static str) {
        self.on(run, |run| (run.attempt, run.triggering) = (run.attempt + 1, by));
    }

    /// From now on a run waits at these gates.
    pub fn waits_at(&self, run: u64, gates: &[u64]) {
        self.on(run, |run| run.waiting = gates.to_vec());
    }

    /// Somebody answers on the web page, for all gates of a run.
    pub fn answer_by_hand(&self, run: u64, by: &str, state: &str) {
        self.on(run, |run| run.answer(&run.waiting.clone(), by, state, "by hand"));
    }

    /// What was answered for a run.
    pub fn answered(&self, run: u64) -> Vec<Value> {
        self.state().runs.iter().find(|one| one.id == run).unwrap().approvals.clone()
    }

    /// The gates at which a run waits.
    pub fn gates_of(&self, run: u64) -> Vec<u64> {
        self.state().runs.iter().find(|one| one.id == run).unwrap().waiting.clone()
    }

    /// A run ends, waiting for nothing any more.
    pub fn end(&self, run: u64) {
        self.on(run, |run| (run.status, run.conclusion, run.waiting) = ("completed", Some("cancelled"), Vec::new()));
    }

    /// A run ends badly.
    pub fn fail(&self, run: u64) {
        self.on(run, |run| (run.status, run.conclusion) = ("completed", Some("failure")));
    }

    /// A run ends well.
    pub fn pass(&self, run: u64) {
        self.on(run, |run| (run.status, run.conclusion) = ("completed", Some("success")));
    }

    /// A run goes on until it is let go.
    pub fn hold(&self, run: u64) {
        self.on(run, |run| (run.status, run.conclusion, run.held) = ("in_progress", None, true));
    }

    /// The newest run.
    pub fn newest(&self) -> u64 {
        self.state().runs.last().unwrap().id
    }

    /// Answers reads of this path behind the repository; each value a page.
    pub fn fix(&self, path: &str, pages: Vec<Value>) {
        self.state().fixed.insert(path.to_owned(), pages);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// What is answered: status, heads, body.
struct Said(u16, Vec<(&'static str, String)>, String);

impl Said {
    fn json(status: u16, value: &Value) -> Self {
        Self(status, vec![("content-type", "application/json; charset=utf-8".to_owned())], value.to_string())
    }

    fn not_found() -> Self {
        Self::json(404, &json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}))
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let line = format!("{} {}", head.method, head.uri);
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let got = Got {
        line: line.clone(),
        authorization: text("authorization"),
        if_none_match: text("if-none-match"),
        version: text("x-github-api-version"),
    };
    let tags;
    let (said, date, wait) = {
        let mut state = state.lock().unwrap();
        state.got.push(got.clone());
        let wrong = state.wrong.iter().position(|(part, _)| line.contains(part.as_str())).and_then(|at| state.wrong.remove(at));
        let said = match wrong {
            Some((_, wrong)) => {
                if wrong.does {
                    state.route(&got, &body);
                }
                if let (Some((by, how)), true) = (state.rival, line.contains("/pending_deployments")) {
                    state.rival = None;
                    let run = state.runs.iter_mut().find(|run| line.contains(&run.id.to_string())).unwrap();
                    run.answer(&run.waiting.clone(), by, how, "by hand");
                }
                let mut heads = wrong.heads;
                if heads.iter().all(|(name, _)| *name != "content-type") {
                    heads.push(("content-type", "application/json".to_owned()));
                }
                Said(wrong.status, heads, wrong.body)
            }
            None => state.route(&got, &body),
        };
        let hangs = said.0 == 0;
        // The mock in between takes an empty answer of 304 for broken JSON.
        tags = !state.in_full;
        (said, state.clock, hangs)
    };
    if wait {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    let Said(status, heads, body) = said;
    let date = chrono::DateTime::from_timestamp(date, 0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut response = Response::builder().status(status).header("date", date);
    let is_read = head.method == "GET" && status == 200 && tags;
    let tag = Sha256::digest(body.as_bytes()).iter().take(8).fold("W/\"".to_owned(), |text, byte| format!("{text}{byte:02x}")) + "\"";
    if is_read {
        response = response.header("etag", &tag);
    }
    for (name, value) in heads {
        response = response.header(name, value);
    }
    if is_read && got.if_none_match.as_deref() == Some(&tag) {
        return response.status(304).body(Body::empty()).unwrap();
    }
    response.body(Body::from(body)).unwrap()
}

impl State {
    fn now(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    fn route(&mut self, got: &Got, body: &Value) -> Said {
        let (method, target) = got.line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == "/signed/log" {
            return Said(
                200,
                vec![("content-type", "text/plain".to_owned())],
                "\u{feff}2026-11-23T10:00:00Z compiled\n\u{1b}[32mtested\n".into(),
            );
        }
        if got.authorization.as_deref() != Some(&format!("Bearer {TOKEN}")) {
            return Said::json(401, &json!({"message": "Bad credentials", "status": "401"}));
        }
        let Some(rest) = path.strip_prefix("/repos/acme/shop/") else { return Said::not_found() };
        let parts: Vec<&str> = rest.split('/').collect();
        let mut said = self.repository(method, &parts, rest, query, body);
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
            said.1.push(("x-ratelimit-remaining", left.to_string()));
            said.1.push(("x-ratelimit-limit", "5000".to_owned()));
            said.1.push(("x-ratelimit-reset", (self.clock + 90).to_string()));
            said.1.push(("x-ratelimit-resource", "core".to_owned()));
        }
        if let Some(scopes) = &self.scopes {
            said.1.push(("x-oauth-scopes", scopes.clone()));
        }
        said
    }

    fn repository(&mut self, method: &str, parts: &[&str], rest: &str, query: &str, body: &Value) -> Said {
        if let Some(pages) = self.fixed.get(rest) {
            let page = query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse::<usize>().ok()).unwrap_or(1);
            let Some(value) = pages.get(page - 1) else { return Said::json(200, &json!([])) };
            let mut said = Said::json(200, value);
            if page < pages.len() {
                let link = format!("<http://x/repos/{REPOSITORY}/{rest}?page={}>; rel=\"next\", <http://x/>; rel=\"last\"", page + 1);
                said.1.push(("link", link));
            }
            return said;
        }
        let number = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')?.parse::<usize>().ok());
        let of_history = match (method, parts) {
            ("GET", ["compare", spec]) => self.history.compare(spec, number("page").unwrap_or(1), number("per_page").unwrap_or(100)),
            ("GET", ["commits", commit, "pulls"]) => self.history.pulls_of(commit),
            ("GET", ["pulls", pull, "commits"]) => pull.parse().ok().and_then(|pull| self.history.of_pull(pull)),
            _ => None,
        };
        if let Some(told) = of_history {
            return Said::json(200, &told);
        }
        match (method, parts) {
            ("GET", ["actions", "workflows", "release.yml", "runs"]) => {
                self.advance();
                let only = query.contains("event=");
                let shown: Vec<Value> = self.runs.iter().rev().filter(|run| run.hidden == 0).map(|run| self.run(run)).collect();
                for run in self.runs.iter_mut().filter(|_| only) {
                    run.hidden = run.hidden.saturating_sub(1);
                }
                Said::json(200, &json!({"total_count": shown.len(), "workflow_runs": shown}))
            }
            ("POST", ["actions", "workflows", "release.yml", "dispatches"]) => self.dispatch(body),
            ("GET", ["contents", ".github%2Fworkflows%2Frelease.yml"] | ["contents", ".github", "workflows", "release.yml"]) => {
                let name = self.run_name.clone().unwrap_or_else(|| "release ${{ inputs.gonogo_key }}".to_owned());
                let file = format!("name: release\nrun-name: {name}\non: workflow_dispatch\n");
                let content = json!({"encoding": "base64", "content": Base64::encode_string(file.as_bytes()), "name": "release.yml"});
                Said::json(200, &self.filled("content-file", content))
            }
            ("GET", ["actions", "jobs", job]) => match self.find(job).map(|run| self.job(run)) {
                Some(job) => Said::json(200, &job),
                None => Said::not_found(),
            },
            ("GET", ["actions", "jobs", _, "logs"]) => Said(302, vec![("location", self.log_at.clone())], String::new()),
            (_, ["actions", "runs", run, behind @ ..]) => {
                let Some(at) = run.parse().ok().and_then(|id: u64| self.runs.iter().position(|run| run.id == id)) else {
                    return Said::not_found();
                };
                self.advance();
                self.on_run(method, at, behind, body)
            }
            _ => Said::not_found(),
        }
    }

    fn find(&self, job: &str) -> Option<&Run> {
        let job: u64 = job.parse().ok()?;
        self.runs.iter().find(|run| job_id(run) == job)
    }

    fn dispatch(&mut self, body: &Value) -> Said {
        if body["ref"] != "main" {
            return Said::json(422, &json!({"message": format!("No ref found for: {}", body["ref"].as_str().unwrap_or_default())}));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let inputs: BTreeMap<String, String> =
            body["inputs"].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect();
        if inputs.keys().any(|name| !matches!(name.as_str(), "gonogo_key" | "held" | "fail" | "version")) {
            return Said::json(422, &json!({"message": "Unexpected inputs provided: [\"slot\"]"}));
        }
        let asked = self.now();
        let id = FIRST + self.runs.len() as u64;
        self.runs.push(Run {
            id,
            title: format!("release {}", inputs.get("gonogo_key").map_or("", String::as_str)),
            held: inputs.contains_key("held"),
            inputs,
            hidden: self.hidden,
            ..Run::asked(asked)
        });
        Said(204, Vec::new(), String::new())
    }

    /// One run at a time: it begins when it is first asked about, waits at a gate where there is one, and ends when nothing holds it.
    fn advance(&mut self) {
        let (now, gated) = (self.now(), self.gated);
        let Some(run) = self.runs.iter_mut().find(|run| run.status != "completed" && run.hidden == 0) else { return };
        match run.status {
            "queued" => {
                (run.status, run.began) = ("in_progress", now);
                if gated {
                    (run.status, run.waiting) = ("waiting", vec![GATE]);
                }
            }
            "waiting" => {}
            _ if run.held => {}
            _ => {
                let failed = run.inputs.contains_key("fail");
                (run.status, run.conclusion, run.ended) = ("completed", Some(if failed { "failure" } else { "success" }), now);
            }
        }
    }

    fn on_run(&mut self, method: &str, at: usize, behind: &[&str], body: &Value) -> Said {
        let (now, may, in_full) = (self.now(), !self.may_not_answer, self.in_full);
        let run = &mut self.runs[at];
        match (method, behind) {
            ("GET", []) => Said::json(200, &self.run(&self.runs[at])),
            ("GET", ["jobs"]) => Said::json(200, &json!({"total_count": 1, "jobs": [self.job(&self.runs[at])]})),
            ("GET", ["pending_deployments"]) => {
                let pending = |id: &u64| {
                    let mut told = json!({"environment": {"id": id, "name": name_of(*id)}, "wait_timer": 0, "wait_timer_started_at": null,
                        "current_user_can_approve": may, "reviewers": [{"type": "User", "reviewer": {"login": "cy-gh"}}]});
                    if in_full {
                        // The description asks for more of a team than its own example has.
                        told["reviewers"] = json!([]);
                    }
                    told
                };
                let pending: Vec<Value> = run.waiting.iter().map(pending).collect();
                let pending = pending.into_iter().map(|one| self.filled_item("pending-deployment-items", one)).collect();
                Said::json(200, &Value::Array(pending))
            }
            ("POST", ["pending_deployments"]) => {
                let ids: Vec<u64> = body["environment_ids"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
                if !may || ids.is_empty() || !ids.iter().all(|id| run.waiting.contains(id)) {
                    return Said::json(422, &json!({"message": "There are no pending deployment requests to approve or reject."}));
                }
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                run.answer(&ids, "cy-gh", &text(&body["state"]), &text(&body["comment"]));
                run.ended = now;
                Said::json(200, &json!([]))
            }
            ("GET", ["approvals"]) => {
                let told: Vec<Value> = self.runs[at].approvals.clone();
                let told = told.into_iter().map(|one| self.filled_item("environment-approvals-items", one)).collect();
                Said::json(200, &Value::Array(told))
            }
            ("POST", ["cancel"]) if run.status == "completed" => {
                Said::json(409, &json!({"message": "Cannot cancel a workflow run that is completed."}))
            }
            ("POST", ["cancel"]) => {
                (run.status, run.conclusion, run.ended) = ("completed", Some("cancelled"), now);
                Said::json(202, &json!({}))
            }
            ("POST", ["rerun" | "rerun-failed-jobs"]) if run.status != "completed" => {
                Said::json(403, &json!({"message": "This workflow is already running"}))
            }
            ("POST", ["rerun" | "rerun-failed-jobs"]) => {
                run.attempt += 1;
                (run.status, run.conclusion, run.held, run.began) = ("queued", None, false, now);
                Said::json(201, &json!({}))
            }
            _ => Said::not_found(),
        }
    }

    fn run(&self, run: &Run) -> Value {
        let user = |login: &str| if login.is_empty() { Value::Null } else { json!({ "login": login }) };
        let told = json!({"id": run.id, "run_number": run.id - FIRST + 1, "run_attempt": run.attempt, "workflow_id": 159_038,
            "display_title": run.title, "path": ".github/workflows/release.yml", "event": "workflow_dispatch", "status": run.status,
            "conclusion": run.conclusion, "head_branch": "main", "head_sha": run.sha, "created_at": date(run.asked),
            "run_started_at": date(run.began), "updated_at": date(run.ended), "actor": user(run.actor), "triggering_actor": user(run.triggering)});
        self.filled("workflow-run", told)
    }

    fn job(&self, run: &Run) -> Value {
        let over = run.conclusion.is_some();
        let step = json!({"name": "test", "number": 1, "status": if over { "completed" } else { "in_progress" },
            "conclusion": run.conclusion, "started_at": date(run.began), "completed_at": over.then(|| date(run.ended))});
        let status = if run.status == "waiting" { "waiting" } else { run.status };
        // GitHub's description forgets that a job under way has no conclusion, and the mock holds it to that.
        let conclusion = run.conclusion.or(self.in_full.then_some("neutral"));
        let told = json!({"id": job_id(run), "run_id": run.id, "name": "build", "status": status, "conclusion": conclusion, "created_at": date(run.asked),
            "started_at": date(run.began), "completed_at": over.then(|| date(run.ended)), "runner_name": "r1", "steps": [step]});
        self.filled("job", told)
    }

    /// The example of GitHub's description with our fields over it.
    fn filled(&self, example: &str, over: Value) -> Value {
        if !self.in_full {
            return over;
        }
        let examples = examples();
        merged(examples["components"]["examples"][example]["value"].clone(), over)
    }

    fn filled_item(&self, example: &str, over: Value) -> Value {
        if !self.in_full {
            return over;
        }
        merged(examples()["components"]["examples"][example]["value"][0].clone(), over)
    }
}

fn merged(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (key, value) in over {
                let below = under.remove(&key).unwrap_or(Value::Null);
                under.insert(key, merged(below, value));
            }
            Value::Object(under)
        }
        (_, over) => over,
    }
}

/// GitHub's own description.
pub fn description() -> std::path::PathBuf {
    installed().join("node/node_modules/@octokit/openapi/generated/api.github.com.json")
}

fn examples() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| {
        let file = description();
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}; run tests/servers first", file.display()));
        serde_json::from_slice(&text).unwrap()
    })
}

fn name_of(gate: u64) -> &'static str {
    if gate == STAGING { "staging" } else { "production" }
}

fn job_id(run: &Run) -> u64 {
    run.id * 100 + run.attempt
}

fn date(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A commit as a comparison lists it: its number is its name.
pub fn commit(number: u64, author: &str, message: &str) -> Value {
    let user = if author.is_empty() { Value::Null } else { json!({ "login": author }) };
    let git = json!({"name": author, "email": format!("{author}@shop.example"), "date": "2026-11-23T10:00:00Z"});
    json!({"sha": sha(number), "author": user, "committer": user, "commit": {"author": git, "committer": git, "message": message}})
}

/// The name of a commit.
pub fn sha(number: u64) -> String {
    let mut name = String::new();
    write!(name, "{number:040x}").unwrap();
    name
}

/// A comparison of these commits, of `total` in all.
pub fn comparison(status: &str, total: usize, commits: &[Value]) -> Value {
    json!({"status": status, "total_commits": total, "commits": commits, "base_commit": {"sha": sha(1)}, "merge_base_commit": {"sha": sha(1)}})
}
