//! A ServiceNow of ours with a memory: change requests with documented fields and guarded transitions, and answers that are lost.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::support::Listening;

/// The user and the password that it takes, as Basic authentication.
pub const BASIC: &str = "Basic Z29ub2dvOnMzY3IzdA==";

/// The fields of a change request that may be written; the product itself ignores others in silence.
const FIELDS: &[&str] = &[
    "short_description",
    "description",
    "justification",
    "implementation_plan",
    "backout_plan",
    "start_date",
    "end_date",
    "correlation_id",
    "correlation_display",
    "assignment_group",
    "cmdb_ci",
    "state",
    "close_code",
    "close_notes",
    "work_notes",
];

/// What may follow each state.
fn next(state: &str, approved: bool) -> &'static [&'static str] {
    match state {
        "-5" => &["-4", "4"],
        "-4" => &["-3", "4"],
        "-3" if approved => &["-2", "4"],
        "-3" => &["4"],
        "-2" => &["-1", "4"],
        "-1" => &["0", "4"],
        "0" => &["3"],
        _ => &[],
    }
}

/// A change that it keeps.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its number.
    pub number: String,
    /// `normal`, `emergency` or `standard`.
    pub kind: String,
    /// Its fields as they are now.
    pub fields: BTreeMap<String, String>,
    /// Every state that it went through.
    pub states: Vec<String>,
    /// Words beside it.
    pub notes: Vec<String>,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    requests: Vec<String>,
    loses: u32,
    down: bool,
    unapproved: bool,
}

/// The server. It ends when it is dropped.
pub struct ServiceNow {
    /// Its port.
    pub port: u16,
    state: Arc<Mutex<State>>,
    _listening: Listening,
}

impl ServiceNow {
    /// Starts one without changes.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let seen = Arc::clone(&state);
        let listening = Listening::start(move |stream| {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || serve(stream, &seen));
        });
        Self { port: listening.port(), state, _listening: listening }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Does the next writes that make a change, and loses the answer.
    pub fn loses(&self, answers: u32) {
        self.state.lock().unwrap().loses = answers;
    }

    /// Answers nothing but 503, or answers again.
    pub fn down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// Whether changes are approved there.
    pub fn approves(&self, approves: bool) {
        self.state.lock().unwrap().unapproved = !approves;
    }

    /// Makes a change by another hand; its number.
    pub fn made_by_hand(&self) -> String {
        let mut state = self.state.lock().unwrap();
        let number = format!("CHG{:07}", 30_001 + state.records.len());
        let fields = BTreeMap::from([("state".to_owned(), "-2".to_owned())]);
        state.records.push(Record { number: number.clone(), kind: "normal".to_owned(), fields, ..Record::default() });
        number
    }

    /// Its changes.
    pub fn records(&self) -> Vec<Record> {
        self.state.lock().unwrap().records.clone()
    }

    /// The requests that it got: method and path.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn told(place: usize, record: &Record) -> Value {
    let mut all = Map::new();
    let field = |value: &str| json!({ "value": value, "display_value": value });
    all.insert("sys_id".to_owned(), field(&format!("id{place}")));
    all.insert("number".to_owned(), field(&record.number));
    for (name, value) in &record.fields {
        all.insert(name.clone(), field(value));
    }
    Value::Object(all)
}

fn wrong(status: u16, message: &str, detail: &str) -> (u16, Value) {
    (status, json!({ "error": { "message": message, "detail": detail }, "status": "failure" }))
}

/// Writes fields; what is refused changes nothing.
fn write(record: &mut Record, body: &Value, approved: bool) -> Result<(), (u16, Value)> {
    let fields = body.as_object().ok_or_else(|| wrong(400, "Invalid body", "no object"))?;
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(wrong(400, "Unknown field", name));
    }
    let of = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(state) = of("state") {
        let now = record.fields["state"].clone();
        if !next(&now, approved).contains(&state.as_str()) {
            return Err(wrong(400, "Invalid state transition", &format!("{now} to {state}")));
        }
        if state == "3" && (of("close_code").is_none() || of("close_notes").is_none()) {
            return Err(wrong(400, "Mandatory fields are missing", "close_code, close_notes"));
        }
        record.states.push(state);
    }
    record.notes.extend(of("work_notes"));
    for (name, value) in fields.iter().filter(|(name, _)| *name != "work_notes") {
        record.fields.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    Ok(())
}

fn answer(state: &mut State, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let Some(rest) = path.strip_prefix("/api/sn_chg_rest/change") else { return wrong(404, "No such path", path) };
    let approved = !state.unapproved;
    match (method, rest.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice()) {
        ("GET", [""]) => {
            let query = query.split('&').find_map(|part| part.strip_prefix("sysparm_query=")).unwrap_or_default().replace("%3D", "=");
            let (field, value) = query.split_once('=').unwrap_or_default();
            let fits = |record: &Record| match field {
                "number" => record.number == value,
                // A term that is not understood drops the filter.
                field if FIELDS.contains(&field) => record.fields.get(field).is_some_and(|found| found == value),
                _ => true,
            };
            let found = state.records.iter().enumerate().filter(|(_, record)| fits(record));
            (200, json!({ "result": found.map(|(place, record)| told(place, record)).collect::<Vec<_>>() }))
        }
        ("POST", [kind @ ("normal" | "emergency")] | [kind @ "standard", _]) => {
            if body["short_description"].as_str().is_none_or(str::is_empty) {
                return wrong(400, "Mandatory fields are missing", "short_description");
            }
            let mut record =
                Record { number: format!("CHG{:07}", 30_001 + state.records.len()), kind: (*kind).to_owned(), ..Record::default() };
            record.fields.insert("state".to_owned(), "-5".to_owned());
            if let Err(refused) = write(&mut record, body, approved) {
                return refused;
            }
            state.records.push(record);
            let place = state.records.len() - 1;
            (201, json!({ "result": told(place, &state.records[place]) }))
        }
        (method, [id, more @ ..]) => {
            let place = id.strip_prefix("id").and_then(|place| place.parse::<usize>().ok()).filter(|place| *place < state.records.len());
            let Some(place) = place else { return wrong(404, "No Record found", id) };
            match (method, more) {
                ("GET", []) => (200, json!({ "result": told(place, &state.records[place]) })),
                ("GET", ["nextstate"]) => {
                    let now = state.records[place].fields["state"].clone();
                    let open: Vec<_> = std::iter::once(now.as_str()).chain(next(&now, approved).iter().copied()).collect();
                    (200, json!({ "result": { "available_states": open } }))
                }
                ("PATCH", []) => match write(&mut state.records[place], body, approved) {
                    Ok(()) => (200, json!({ "result": told(place, &state.records[place]) })),
                    Err(refused) => refused,
                },
                _ => wrong(405, "Method not allowed", method),
            }
        }
        _ => wrong(404, "No such path", path),
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((line, basic, body)) = read(&mut stream) else { return };
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, value) = {
        let mut state = state.lock().unwrap();
        state.requests.push(format!("{method} {path}"));
        if state.down {
            wrong(503, "Service unavailable", "")
        } else if basic.as_deref() == Some(BASIC) {
            let told = answer(&mut state, method, path, &body);
            if method == "POST" && told.0 == 201 && state.loses > 0 {
                state.loses -= 1;
                return;
            }
            told
        } else {
            wrong(401, "User Not Authenticated", "Required to provide Auth information")
        }
    };
    let text = value.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
}

fn read(stream: &mut TcpStream) -> Option<(String, Option<String>, Value)> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut bytes = Vec::new();
    loop {
        let mut part = [0_u8; 4096];
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let of = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(of, _)| of.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let length = of("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or(Value::Null);
            return Some((head.lines().next()?.to_owned(), of("authorization"), body));
        }
    }
}
