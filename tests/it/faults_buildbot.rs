//! What the Buildbot adapter makes of a backend that fails, lies or is hostile.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::adapters::ci::buildbot::Buildbot;
use gonogo::model::error::{PortError, PortErrorKind, SendError};
use gonogo::model::name::BackendName;
use gonogo::model::pipeline::{Builder, RunState};
use gonogo::model::plan::StepEffect;
use gonogo::ports::ci::{Ci, Found, RunReceipt};
use rstest::rstest;
use serde_json::{Value, json};

use crate::contract::ci::{block, buildbot_at, effect};
use crate::servers::support::Listening;

/// What the false Buildbot does with a request.
#[derive(Clone)]
enum Reply {
    /// An answer of this status, type and body.
    Says(u16, &'static str, Vec<u8>),
    /// Reads all but the last byte, then resets the connection.
    Resets,
    /// Accepts and never answers.
    Hangs,
    /// The first once, then the second.
    Once(Arc<AtomicBool>, Box<Reply>, Box<Reply>),
}

fn says(value: &Value) -> Reply {
    Reply::Says(200, "application/json", value.to_string().into_bytes())
}

type Asked = Arc<Mutex<Vec<String>>>;

/// A false Buildbot: the first route whose beginning fits `METHOD path` answers.
struct Fake {
    ci: Buildbot,
    asked: Asked,
    _listening: Listening,
}

impl Fake {
    fn new(routes: Vec<(&'static str, Reply)>) -> Self {
        let asked = Asked::default();
        let (routes, seen) = (Arc::new(routes), asked.clone());
        let listening = Listening::start(move |line| {
            let (routes, seen) = (routes.clone(), seen.clone());
            std::thread::spawn(move || serve(line, &routes, &seen));
        });
        let url = format!("http://127.0.0.1:{}", listening.port());
        Self { ci: buildbot_at(&url, Duration::from_millis(1500)), asked, _listening: listening }
    }

    /// A Buildbot with a builder, a scheduler and nothing else, after `routes`.
    fn usual(mut routes: Vec<(&'static str, Reply)>) -> Self {
        let field = json!({"fullName": "gonogo_key", "type": "text"});
        let scheduler = json!({"name": "force", "builder_names": ["checkout"], "enabled": true, "all_fields": [field]});
        let build = json!({"buildid": 7, "builderid": 1, "number": 3, "complete": false, "buildrequestid": 5});
        routes.extend([
            ("GET /api/v2/builders?", says(&json!({"builders": [{"builderid": 1, "name": "checkout"}], "meta": {"total": null}}))),
            ("GET /api/v2/builders/1/builds?", says(&json!({"builds": []}))),
            ("GET /api/v2/builders/1/buildrequests?", says(&json!({"buildrequests": []}))),
            ("GET /api/v2/buildrequests?", says(&json!({"buildrequests": []}))),
            ("GET /api/v2/buildsets?", says(&json!({"buildsets": []}))),
            ("GET /api/v2/builds/7?", says(&json!({"builds": [build]}))),
            ("GET /api/v2/forceschedulers/force", says(&json!({"forceschedulers": [scheduler]}))),
            ("POST /", says(&json!({"jsonrpc": "2.0", "id": 1, "result": [4, {"1": 9}]}))),
        ]);
        Self::new(routes)
    }

    fn read(&self) -> Result<Builder, PortError> {
        Ok(block(self.ci.read(&["checkout".to_owned()], &[]))?.builders.remove("checkout").expect("checkout is there"))
    }

    fn start(&self) -> Result<RunReceipt, SendError> {
        block(self.ci.send(&effect(start())))
    }

    fn posts(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|line| line.starts_with("POST ")).count()
    }
}

fn backend() -> BackendName {
    BackendName::new("ci").unwrap()
}

fn start() -> StepEffect {
    let properties = BTreeMap::from([("gonogo_key".to_owned(), "$key".to_owned())]);
    StepEffect::Start { backend: backend(), builder: "checkout".into(), scheduler: "force".into(), properties }
}

fn serve(mut line: TcpStream, routes: &[(&'static str, Reply)], asked: &Asked) {
    let mut pending = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
                break String::from_utf8_lossy(&pending.drain(..end + 4).collect::<Vec<_>>()).into_owned();
            }
            let mut bytes = [0; 4096];
            match line.read(&mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(count) => pending.extend_from_slice(&bytes[..count]),
            }
        };
        let first = head.lines().next().unwrap().to_owned();
        asked.lock().unwrap().push(first.clone());
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let length = length.map_or(0, |length| length.parse::<usize>().unwrap());
        let reply = routes.iter().find(|(route, _)| first.starts_with(route)).map(|(_, reply)| reply.clone());
        let spare = usize::from(matches!(reply, Some(Reply::Resets)));
        while pending.len() + spare < length {
            let mut bytes = vec![0; length - spare - pending.len()];
            let count = line.read(&mut bytes).unwrap();
            pending.extend_from_slice(&bytes[..count]);
        }
        pending.clear();
        let reply = match reply {
            Some(Reply::Once(done, first, then)) => Some(if done.swap(true, Ordering::Relaxed) { *then } else { *first }),
            other => other,
        };
        match reply.unwrap_or(Reply::Says(404, "text/plain", br#"{"error": "not found"}"#.to_vec())) {
            Reply::Says(status, media, body) => {
                let head = format!("HTTP/1.1 {status} Said\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
                if line.write_all(head.as_bytes()).and_then(|()| line.write_all(&body)).is_err() {
                    return;
                }
            }
            Reply::Resets => return,
            Reply::Hangs => {
                let _ = line.read(&mut [0; 1]);
                return;
            }
            Reply::Once(..) => panic!("one within another"),
        }
    }
}

fn html(status: u16) -> Reply {
    Reply::Says(status, "text/html", b"<html><body><h1>\x1b[31mForbidden by the proxy</h1></body></html>".to_vec())
}

#[rstest]
#[case(html(403), PortErrorKind::Forbidden)]
#[case(html(500), PortErrorKind::Unreachable)]
#[case(html(200), PortErrorKind::Malformed)]
#[case(html(302), PortErrorKind::Refused)]
#[case(Reply::Resets, PortErrorKind::Unreachable)]
#[case(Reply::Hangs, PortErrorKind::TimedOut)]
#[case(Reply::Says(200, "application/json", b"{\"builders\": [{\"builderid\": 1, \"name\": \"check".to_vec()), PortErrorKind::Malformed)]
#[case(Reply::Says(200, "application/json", b"{\"builders\": [{\"builderid\": 1, \"name\": \"\xff\xfe\"}]}".to_vec()), PortErrorKind::Malformed)]
#[case(Reply::Says(200, "application/json", b"{\"builders\": [{\"name\": \"checkout\"}]}".to_vec()), PortErrorKind::Malformed)]
#[case(Reply::Says(200, "application/json", b"[]".to_vec()), PortErrorKind::Malformed)]
#[case(Reply::Says(200, "application/json", vec![b'['; 9_000_000]), PortErrorKind::Malformed)]
fn a_broken_answer_to_a_read_has_its_kind(#[case] reply: Reply, #[case] kind: PortErrorKind) {
    let error = Fake::usual(vec![("GET /api/v2/builders?", reply)]).read().unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.to_string().starts_with("failed to read builders at ci: "), "{error}");
    assert!(!error.to_string().contains(['<', '\u{1b}']), "{error}");
}

#[test]
fn a_read_that_came_in_pieces_is_tried_again_and_a_write_is_not() {
    let torn = || Box::new(Reply::Says(200, "application/json", b"lders\": []}".to_vec()));
    let once = |then: &Value| Reply::Once(Arc::default(), torn(), Box::new(says(then)));
    let builders = json!({"builders": [{"builderid": 1, "name": "checkout"}]});
    assert!(Fake::usual(vec![("GET /api/v2/builders?", once(&builders))]).read().is_ok());
    let fake = Fake::usual(vec![("POST /", once(&json!({"jsonrpc": "2.0", "id": 1, "result": [4, {"1": 9}]})))]);
    let error = fake.start().unwrap_err();
    assert!(matches!(&error, SendError::Unknown(error) if error.kind == PortErrorKind::Malformed), "{error:?}");
    assert_eq!(fake.posts(), 1);
}

/// Whether the sending surely had no effect.
#[rstest]
#[case(html(403), true, PortErrorKind::Forbidden)]
#[case(html(500), false, PortErrorKind::Unreachable)]
#[case(Reply::Resets, false, PortErrorKind::Unreachable)]
#[case(Reply::Hangs, false, PortErrorKind::TimedOut)]
#[case(html(200), false, PortErrorKind::Malformed)]
#[case(says(&json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no \u{1b}[31mway"}})), true, PortErrorKind::Refused)]
#[case(Reply::Says(400, "application/json", br#"{"jsonrpc": "2.0", "error": {"code": -32602, "message": "bad"}}"#.to_vec()), true, PortErrorKind::Refused)]
#[case(says(&json!({"jsonrpc": "2.0", "id": 1, "result": null})), false, PortErrorKind::Malformed)]
#[case(says(&json!({"jsonrpc": "2.0", "id": 1, "result": [4, {}]})), false, PortErrorKind::Malformed)]
#[case(says(&json!(null)), false, PortErrorKind::Malformed)]
fn a_start_that_went_wrong_is_sent_once_and_told_truly(#[case] reply: Reply, #[case] surely_not: bool, #[case] kind: PortErrorKind) {
    let fake = Fake::usual(vec![("POST /", reply)]);
    let error = fake.start().unwrap_err();
    assert_eq!(matches!(error, SendError::NotDone(_)), surely_not, "{error:?}");
    assert_eq!(error.port().kind, kind, "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    assert_eq!(fake.posts(), 1);
}

#[test]
fn a_start_goes_out_once_with_its_key() {
    let fake = Fake::usual(Vec::new());
    assert_eq!(fake.start(), Ok(RunReceipt { request: Some(9) }));
    assert_eq!(fake.posts(), 1);
}

#[test]
fn nothing_is_sent_when_the_scheduler_cannot_be_looked_at() {
    for reply in [html(500), Reply::Hangs, html(403), Reply::Says(404, "text/plain", Vec::new()), says(&json!({"forceschedulers": [{}]}))] {
        let fake = Fake::usual(vec![("GET /api/v2/forceschedulers/", reply)]);
        let error = fake.start().unwrap_err();
        assert!(matches!(error, SendError::NotDone(_)), "{error:?}");
        assert_eq!(fake.posts(), 0);
    }
}

#[test]
fn a_number_that_now_means_another_builders_run_is_left_alone() {
    let other = json!({"builds": [{"buildid": 7, "builderid": 2, "complete": false}]});
    let fake = Fake::usual(vec![("GET /api/v2/builds/7?", says(&other))]);
    let cancel = StepEffect::Cancel { backend: backend(), builder: "checkout".into(), run: 7 };
    let retry = StepEffect::Retry { backend: backend(), builder: "checkout".into(), run: 7 };
    for what in [cancel, retry] {
        let error = block(fake.ci.send(&effect(what))).unwrap_err();
        assert!(matches!(&error, SendError::NotDone(error) if error.kind == PortErrorKind::Conflict), "{error:?}");
        assert!(error.to_string().ends_with("build 7 is none of the builder `checkout`"), "{error}");
    }
    assert_eq!(fake.posts(), 0);
}

#[test]
fn a_run_that_is_being_repeated_is_not_repeated_again() {
    let done = json!({"builds": [{"buildid": 7, "builderid": 1, "complete": true, "results": 2}]});
    let sets = json!({"buildsets": [{"bsid": 8, "rebuilt_buildid": 7, "complete": false}]});
    let fake = Fake::usual(vec![("GET /api/v2/builds/7?", says(&done)), ("GET /api/v2/buildsets?", says(&sets))]);
    let retry = StepEffect::Retry { backend: backend(), builder: "checkout".into(), run: 7 };
    let error = block(fake.ci.send(&effect(retry))).unwrap_err();
    assert!(error.to_string().ends_with("it is being repeated already, by build set 8"), "{error}");
    assert_eq!(fake.posts(), 0);
}

#[test]
fn hostile_text_is_made_visible_everywhere() {
    let evil = "\u{1b}]0;x\u{7}\u{202e}";
    let build = json!({"buildid": 7, "number": 3, "complete": true, "results": 2, "buildrequestid": 5, "state_string": evil,
        "properties": {evil: [evil, "x"], "branch": [evil, "x"], "revision": [evil, "x"], "owner": [evil, "x"]}});
    let request = json!({"buildrequestid": 5, "buildsetid": 6, "properties": {"reason": [evil, "x"]}});
    let set = json!({"bsid": 6, "reason": evil});
    let fake = Fake::usual(vec![
        ("GET /api/v2/builders/1/builds?", says(&json!({"builds": [build]}))),
        ("GET /api/v2/builders/1/buildrequests?", says(&json!({"buildrequests": [request]}))),
        ("GET /api/v2/buildrequests?", says(&json!({"buildrequests": [request]}))),
        ("GET /api/v2/buildsets?", says(&json!({"buildsets": [set]}))),
        (
            "GET /api/v2/logs/4/contents?",
            says(&json!({"logchunks": [{"firstline": 0, "content": format!("o{evil}\ne{}\n", "x".repeat(500_000))}]})),
        ),
        ("GET /api/v2/logs/4", says(&json!({"logs": [{"logid": 4, "type": "s", "num_lines": 2, "complete": true}]}))),
        ("GET /api/v2/logs/5", says(&json!({"logs": [{"logid": 6, "type": "s"}]}))),
    ]);
    let builder = fake.read().unwrap();
    let run = &builder.runs[0];
    let clean = "␛]0;x␇<U+202E>";
    for text in [&run.words, &run.reason, &run.branch, &run.revision, &run.by, &builder.queued[0].reason] {
        assert_eq!(text.as_str(), clean);
    }
    assert_eq!(run.properties[clean].as_str(), clean);
    let part = block(fake.ci.log(4, 0, 10)).unwrap();
    assert_eq!(part.lines[0].as_str(), clean);
    assert!(part.lines[1].as_str().chars().count() < 5000);
    assert_eq!(block(fake.ci.log(5, 0, 10)).unwrap_err().kind, PortErrorKind::Malformed, "it is about another log");
}

#[test]
fn odd_builds_are_shown_for_what_they_are() {
    let builds = json!([
        {"buildid": 9, "number": 5, "complete": true, "results": 77, "state_string": "new"},
        {"buildid": 8, "number": 4},
        {"buildid": 7, "number": 3, "complete": true, "results": 0, "started_at": 1_795_476_087, "complete_at": 1_795_476_000},
        {"buildid": 7, "number": 3, "complete": true, "results": 0},
        {"buildid": 6, "number": 2, "complete": true, "results": 0, "started_at": -3, "complete_at": "soon", "buildrequestid": {}},
    ]);
    let fake = Fake::usual(vec![
        ("GET /api/v2/builders/1/builds?", says(&json!({"builds": builds, "meta": {"total": null}}))),
        ("GET /api/v2/builds/8/steps?", says(&json!({"steps": [{"stepid": 3}, {"stepid": 4, "results": "x", "complete": true}]}))),
        ("GET /api/v2/steps/", says(&json!({"logs": []}))),
    ]);
    let runs = fake.read().unwrap().runs;
    let seen: Vec<_> = runs.iter().map(|run| (run.id.number, run.state, run.ended.is_some(), run.words.as_str())).collect();
    let wished = [
        (9, RunState::Broken, false, "new (results 77 is not known)"),
        (8, RunState::Running, false, ""),
        (7, RunState::Passed, false, "ended at 2026-11-23T23:20:00Z, before it began"),
        (6, RunState::Passed, false, "began at -3, which is no date; ended at \"soon\", which is no date"),
    ];
    assert_eq!(seen, wished);
    let steps: Vec<_> = runs[1].steps.iter().map(|step| (step.number, step.state)).collect();
    assert_eq!(steps, [(0, RunState::Queued), (1, RunState::Broken)]);
}

#[test]
fn a_hundred_thousand_builds_cost_no_more_than_twenty() {
    let builds: Vec<Value> =
        (1..=5_000).map(|n| json!({"buildid": n, "number": n, "complete": true, "results": 0, "buildrequestid": n})).collect();
    let requests: Vec<Value> =
        (1..=5_000).map(|n| json!({"buildrequestid": n, "buildsetid": n, "complete": false, "claimed": false})).collect();
    let fake = Fake::usual(vec![
        ("GET /api/v2/builders/1/builds?", says(&json!({"builds": builds, "meta": {"total": 100_000}}))),
        ("GET /api/v2/builders/1/buildrequests?", says(&json!({"buildrequests": requests, "meta": {"total": 100_000}}))),
    ]);
    let builder = fake.read().unwrap();
    assert_eq!((builder.runs.len(), builder.queued.len()), (20, 50));
    assert_eq!((builder.runs[0].id.number, builder.runs[19].id.number), (5_000, 4_981), "the newest");
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked.len(), 5, "{asked:?}");
    let lists = asked.iter().filter(|line| line.contains("/builders/1/"));
    assert!(lists.clone().all(|line| line.contains("limit=")), "{asked:?}");
    assert!(asked.iter().all(|line| !line.starts_with("GET /api/v2/builds?") && line.len() < 1_500), "{asked:?}");
}

#[test]
fn an_older_run_is_read_when_somebody_looks_at_it() {
    let fake = Fake::usual(vec![("GET /api/v2/builds/7/steps?", says(&json!({"steps": [{"stepid": 3, "name": "compile"}]})))]);
    let reading = block(fake.ci.read(&["checkout".to_owned()], &[7, 999])).unwrap();
    let runs = &reading.builders["checkout"].runs;
    assert_eq!((runs.len(), runs[0].id.number, runs[0].steps.len()), (1, 7, 1));
}

#[test]
fn the_key_of_another_builder_or_a_rebuild_is_not_ours() {
    let what = effect(start());
    let key = what.key().to_string();
    let request =
        |id: u64, key: &str| json!({"buildrequestid": id, "buildsetid": id, "complete": false, "properties": {"gonogo_key": [key, "x"]}});
    let requests = json!({"buildrequests": [request(9, &key), request(8, &format!("{key}0")), request(7, &key)]});
    let sets = json!({"buildsets": [{"bsid": 9, "rebuilt_buildid": 3}, {"bsid": 7}]});
    let fake = Fake::usual(vec![
        ("GET /api/v2/builders/1/buildrequests?", says(&requests)),
        ("GET /api/v2/buildsets?", says(&sets)),
        ("GET /api/v2/buildrequests/7/builds?", says(&json!({"builds": []}))),
    ]);
    assert_eq!(block(fake.ci.find(what.what(), what.key(), None)).unwrap(), Some(Found::Queued(7)));
    let elsewhere =
        StepEffect::Start { backend: backend(), builder: "gone".into(), scheduler: "force".into(), properties: BTreeMap::new() };
    assert_eq!(block(fake.ci.find(&elsewhere, what.key(), None)).unwrap_err().kind, PortErrorKind::NotFound);
}
