//! A receiver of webhooks that remembers what it got, and refuses, breaks off or keeps silent when it is told to.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use serde_json::Value;

use super::support::Listening;

/// A request that it got.
#[derive(Debug, Clone)]
pub struct Got {
    /// The first line.
    pub line: String,
    /// The heads, their names in lower case.
    pub heads: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When.
    pub at: Instant,
    /// The status that it was answered with; none: broken off.
    pub status: Option<u16>,
}

impl Got {
    /// A head.
    pub fn head(&self, name: &str) -> Option<&str> {
        self.heads.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The notice's id.
    pub fn id(&self) -> &str {
        self.head("webhook-id").unwrap()
    }
}

/// How it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With a status and further heads.
    Status(u16, &'static str),
    /// Not: the connection is closed.
    Reset,
    /// Not: the connection stays open until the receiver ends.
    Silent,
}

/// Answers a request with a status and a body.
type Handler = dyn Fn(&Got) -> (u16, String) + Send;

#[derive(Default)]
struct State {
    handler: Option<Box<Handler>>,
    got: Vec<Got>,
    next: VecDeque<Answer>,
    refused: Option<&'static str>,
    dead: bool,
}

/// The receiver. It ends when it is dropped.
pub struct Receiver {
    /// Its port.
    pub port: u16,
    state: Arc<Mutex<State>>,
    /// Ends what never answers.
    over: Arc<AtomicBool>,
    _listening: Listening,
}

impl Receiver {
    /// Starts one that takes everything with 204.
    pub fn start() -> Self {
        let (state, over) = (Arc::new(Mutex::new(State::default())), Arc::new(AtomicBool::new(false)));
        let (seen, ended) = (Arc::clone(&state), Arc::clone(&over));
        let listening = Listening::start(move |stream| {
            let (seen, ended) = (Arc::clone(&seen), Arc::clone(&ended));
            std::thread::spawn(move || serve(stream, &seen, &ended));
        });
        Self { port: listening.port(), state, over, _listening: listening }
    }

    /// From now on what is not answered otherwise is answered so.
    pub fn answers_by(&self, handler: impl Fn(&Got) -> (u16, String) + Send + 'static) {
        self.state.lock().unwrap().handler = Some(Box::new(handler));
    }

    /// Its address without a path.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks/gonogo", self.port)
    }

    /// Answers the next requests so.
    pub fn answers(&self, next: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().next.extend(next);
    }

    /// Refuses every body in which this stands with 422, or none.
    pub fn refuses(&self, what: Option<&'static str>) {
        self.state.lock().unwrap().refused = what;
    }

    /// Keeps silent from now on.
    pub fn dies(&self) {
        self.state.lock().unwrap().dead = true;
    }

    /// What it got, the oldest first.
    pub fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }

    /// The ids that it took, the oldest first.
    pub fn taken(&self) -> Vec<String> {
        let good = |got: &&Got| got.status.is_some_and(|status| (200..300).contains(&status));
        self.state.lock().unwrap().got.iter().filter(good).map(|got| got.id().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, over: &AtomicBool) {
    let Some(mut got) = read(&mut stream) else { return };
    let mut body = String::new();
    let answer = {
        let mut state = state.lock().unwrap();
        let refused = state.refused.is_some_and(|what| String::from_utf8_lossy(&got.body).contains(what));
        let usual = if refused { Answer::Status(422, "") } else { Answer::Status(204, "") };
        let handled = |state: &State, got: &Got, body: &mut String| match &state.handler {
            Some(handler) => {
                let (status, said) = handler(got);
                *body = said;
                Answer::Status(status, "Content-Type: application/json\r\n")
            }
            None => usual,
        };
        let next = state.next.pop_front();
        let answer = if state.dead { Answer::Silent } else { next.unwrap_or_else(|| handled(&state, &got, &mut body)) };
        got.status = if let Answer::Status(status, _) = answer { Some(status) } else { None };
        state.got.push(got);
        answer
    };
    match answer {
        Answer::Status(status, heads) => {
            let _ = write!(stream, "HTTP/1.1 {status} x\r\nConnection: close\r\n{heads}Content-Length: {}\r\n\r\n{body}", body.len());
        }
        Answer::Reset => {}
        Answer::Silent => {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let mut byte = [0_u8; 1];
            while !over.load(Ordering::SeqCst) {
                if let Ok(0) = stream.read(&mut byte) {
                    return;
                }
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Got> {
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
        let mut lines = head.split("\r\n");
        let line = lines.next()?.to_owned();
        let heads: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length =
            heads.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(0);
        let body = &bytes[end + 4..];
        if body.len() >= length {
            return Some(Got { line, heads, body: body.to_vec(), at: Instant::now(), status: None });
        }
    }
}
