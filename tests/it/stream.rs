//! The stream of bytes itself: after a kill and a new start the terminal is as it was found, and whatever backends say, nothing outside the grammar is written.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::pty::grammar::{self, Also};
use crate::pty::{Home, SOON, Term};
use crate::servers::between;
use crate::servers::support::wait_for;

/// What takes a title, the screen, colours, the order of letters, and the clipboard, where a terminal lets it.
pub const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}gnp\u{200b}\u{1b}]52;c;b3duZWQ=\u{1b}\\\u{8}\u{7f}\r\n\t";
/// What of it HTTP lets into the reason of a status: no control character, but what the others become in UTF-8. A client refuses an answer
/// with more in that line, and never reads its body.
pub const REASON: &str = "no \u{9b}31m\u{202e}gnp\u{200b}";
/// How its beginning is shown.
const SHOWN: &str = "␛]0;owned␇";
/// What the faults of the stand-in say before their attack.
const FAULT: &str = "fault-says";
/// Every screen and what lies over them, with the way out of each; none of these runs a deed.
pub const EVERYWHERE: [&str; 27] = [
    "2", "l", "<esc>", "3", "z", "<left>", "<esc>", "<esc>", "i", "<esc>", "4", "m", "<esc>", "5", "i", "<esc>", "6", "c", "<esc>", "0",
    "<ret>", "<esc>", "?", "<esc>", "R", "<esc>", "1",
];

/// The process that a shell started last.
pub(crate) fn child_of(shell: u32) -> Option<Pid> {
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok()?;
    children.split_whitespace().last()?.parse().ok().and_then(Pid::from_raw)
}

#[test]
fn killed_and_started_again_in_the_same_terminal_it_gives_back_what_was_there_before_both() {
    // A person at a shell, which is what remains after a kill.
    let home = Home::new();
    let term = Term::run(&home, "bash", &["--norc", "--noprofile", "-i"], (120, 40), &[("PS1", "shell> ")]);
    term.sees("shell>", SOON).types("echo what stood $((40+2)) before\r").sees("what stood 42 before", SOON);
    let room = format!("{} demo calm --speed 0\r", env!("CARGO_BIN_EXE_gonogo"));
    term.types(&room).sees("SIMULATED", SOON).sees("prom 0s", SOON);
    let killed = wait_for("the room", SOON, || child_of(term.pid()));
    kill_process(killed, Signal::KILL).unwrap();
    // Nothing tidied up: the shell speaks on the room's screen.
    term.sees("Killed", SOON);
    assert!(term.screen().contains("deed: none under way"), "{}", term.screen());
    term.types(&room);
    wait_for("another room", SOON, || child_of(term.pid()).filter(|child| *child != killed));
    term.until("for the second room", SOON, |screen| !screen.contains("Killed") && screen.contains("prom 0s"));
    term.press("q").sees("what stood 42 before", SOON);
    term.types("stty -a | tr ' ' '\\n' | grep -xE -- '-?(icanon;?|echo;?|isig;?|opost;?|icrnl;?)' | sort | tr '\\n' ' '; echo\r");
    term.sees("echo icanon icrnl isig opost", SOON);
    assert!(!term.screen().contains("SIMULATED"), "{}", term.screen());
    term.types("exit\r");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
}

/// Goes everywhere, and holds every byte against the grammar.
fn goes_everywhere(term: &Term, more: &[&str], also: Also) -> grammar::Read {
    for keys in EVERYWHERE.iter().chain(more) {
        term.press(keys);
    }
    term.press("<c-l>").press("q");
    assert_eq!(term.exit_code(SOON), 0);
    term.gave_the_terminal_back();
    grammar::read(&term.raw(), also).unwrap_or_else(|why| panic!("{why}\n{}", term.screen()))
}

#[test]
fn whatever_the_train_says_every_byte_is_of_the_grammar() {
    let home = Home::new();
    let hostile = HOSTILE.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<Vec<_>>().concat();
    home.write("hostile.toml", &SCENARIO.replace("HOSTILE", &hostile));
    let term = Term::start_in(&home, &["demo", "hostile.toml", "--speed", "0"], (160, 50), &[]);
    term.sees("SIMULATED", SOON).sees("prom 0s", SOON);
    let mut shown = Vec::new();
    for (key, screen) in [("1", "board"), ("2", "pipeline"), ("3", "rollout"), ("5", "incident")] {
        term.press(key);
        term.until("for the screen", SOON, |text| screen == "board" || text.contains(screen));
        term.until("for what the train says", SOON, |text| text.contains(SHOWN));
        shown.push(screen);
    }
    let read = goes_everywhere(&term, &[], Also::default());
    assert!(read.printed > 5_000 && read.sequences > 500 && shown.len() == 4, "{read:?}");
}

#[test]
fn whatever_backends_answer_every_byte_is_of_the_grammar() {
    let server = stand_in();
    let home = Home::new();
    home.write("gonogo.toml", &CONFIG.replace("SERVER", &server));
    let term = Term::start_in(&home, &["--config", "gonogo.toml"], (160, 50), &[]);
    term.sees("checkout", SOON);
    term.until("for what backends say", SOON, |screen| screen.contains(SHOWN));
    // The steps of the run that is looked at are a fault, whose body is read.
    term.press("2").until("for what a fault says", SOON, |screen| screen.contains(FAULT));
    let linked = format!("{server}/");
    let linked: &'static str = Box::leak(linked.into_boxed_str());
    let also = Also { links: Some(linked), calls: Some("gonogo proof"), copies: false, mouse: true };
    let read = goes_everywhere(&term, &["3", ":", "l i n k s <ret>", "<esc>", "<esc>"], also);
    assert!(read.printed > 3_000 && read.sequences > 300, "{read:?}");
    assert!(read.links > 0 && read.calls > 0, "no link or no title was ever written: {read:?}");
}

/// A monitoring, an alerting and a CI system in one that put the hostile text into everything that they say, faults included.
fn stand_in() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

fn answer(mut stream: TcpStream) {
    let Some(request) = between::request(&mut stream) else { return };
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    let said = |what: &str| format!("{what} {HOSTILE}");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
    let alert = json!({
        "annotations": {"summary": said("summary"), "description": said("description")},
        "labels": {"alertname": said("name"), "severity": said("severity"), "service": "checkout"},
        "startsAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "endsAt": "2099-01-01T00:00:00.000Z",
        "fingerprint": said("print"), "generatorURL": said("http://there/"), "receivers": [{"name": said("receiver")}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
    });
    let version = json!({"metric": {"__name__": "app_info", "service": "checkout", "version": said("2.4.1")}, "value": [now, "1"]});
    let build = json!({
        "buildid": 7, "builderid": 1, "number": 3, "complete": true, "results": 2, "started_at": now - 60, "complete_at": now - 5,
        "buildrequestid": 5, "state_string": said("words"), "properties": {"owner": [said("actor"), "x"], "reason": [said("reason"), "x"],
        "revision": [said("revision"), "x"], "branch": [said("branch"), "x"], "version": [said("2.5.0"), "x"]},
    });
    let body = match path.split('?').next().unwrap_or_default() {
        "/api/v1/query" if request.contains("count_values") => json!({"status": "success", "data": {"resultType": "vector", "result": []}}),
        "/api/v1/query" => {
            json!({"status": "success", "warnings": [said("warning")], "data": {"resultType": "vector", "result": [version]}})
        }
        "/api/v1/rules" => json!({"status": "success", "data": {"groups": []}}),
        "/api/v2/alerts" => json!([alert]),
        "/api/v2/alerts/groups" | "/api/v2/silences" => json!([]),
        "/api/v2/builders" => json!({"builders": [{"builderid": 1, "name": "checkout"}], "meta": {"total": null}}),
        "/api/v2/builders/1/builds" => json!({"builds": [build]}),
        "/api/v2/builders/1/buildrequests" | "/api/v2/buildrequests" => json!({"buildrequests": []}),
        "/api/v2/buildsets" => json!({"buildsets": []}),
        _ => json!({"status": "error", "errorType": said("kind"), "error": said(FAULT), "message": said("message")}),
    };
    let status = if body.get("error").is_some() { format!("500 {REASON}") } else { "200 OK".to_owned() };
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

const CONFIG: &str = r#"
[room]
name = "proof"
bell = true
notify = true
title = true
mouse = true

[[backend]]
name = "prom"
kind = "prometheus"
url = "SERVER"
every = "1s"

[[backend]]
name = "alerts"
kind = "alertmanager"
url = "SERVER"
every = "1s"

[[backend]]
name = "ci"
kind = "buildbot"
url = "SERVER"
every = "1s"

[[link]]
name = "board"
url = "SERVER/d/rollout?service=$service&version=$version&stable=$stable"

[[environment]]
name = "prod"
order = 1

[[service]]
name = "checkout"
alerts = { backend = "alerts", match = { service = "$service" } }
pipeline = { backend = "ci", builder = "checkout", scheduler = "force" }

[service.deploy.prod]
strategy = "canary"
version = { backend = "prom", query = 'app_info{service="$service"}', label = "version" }

[[service.signal]]
name = "load"
kind = "value"
backend = "prom"
query = 'load{service="$service"}'
better = "lower"
limit = 0.5
"#;

/// A train on which every text that can be chosen is an attack on the terminal that shows it.
const SCENARIO: &str = r#"name = "hostile"
title = "Text that attacks. HOSTILE"

[[person]]
name = "ana"
operator = true
teams = ["shop HOSTILE"]
roles = [{ role = "release-captain" }]

[[environment]]
name = "prod"
order = 1
hold_time = "60s"
effective_within = "20s"
min_requests = 50

[[service]]
name = "checkout"
team = "shop HOSTILE"
tier = 1
requests = 60.0
latency = "45ms"
version = "2.4.1 HOSTILE"

[[alert]]
name = "CheckoutErrors HOSTILE"
environment = "prod"
measure = "errors"
above = 0.0
over = "20s"
for = "1s"
severity = "page HOSTILE"
summary = "summary HOSTILE"

[[silence]]
target = "checkout@prod"
by = "ana"
comment = "comment HOSTILE"
ends = "1h"

[[event]]
kind = "push"
at = "-25s"
by = "ana"
service = "checkout"
message = "message HOSTILE"

[[event]]
kind = "deploy"
at = "-20s"
by = "ana"
target = "checkout@prod"
slot = "second"
version = "2.5.0 HOSTILE"

[[event]]
kind = "errors"
at = "-10m"
target = "checkout@prod"
ratio = 0.2
"#;
