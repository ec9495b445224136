//! A flagd of ours: serves by OFREP what it took in of a flag file, as flagd does: disabled flags are left out, metadata is told.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A running one; it ends with the test's process.
pub struct Flagd {
    /// Its port.
    pub port: u16,
    blind: Arc<AtomicBool>,
}

impl Flagd {
    /// Starts one that watches a file.
    pub fn start(file: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let blind = Arc::new(AtomicBool::new(false));
        let (file, closed, taken) = (file.to_owned(), Arc::clone(&blind), Arc::new(Mutex::new(Value::Null)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !closed.load(Ordering::SeqCst) {
                    take_in(&file, &taken);
                }
                let flags = taken.lock().unwrap().clone();
                answer(stream, &flags);
            }
        });
        Self { port, blind }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it sees changes of its file no more.
    pub fn blind(&self, is: bool) {
        self.blind.store(is, Ordering::SeqCst);
    }
}

/// What is no flag file leaves what was taken in before.
fn take_in(file: &PathBuf, taken: &Mutex<Value>) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    if let Ok(new) = serde_json::from_str(&text) {
        *taken.lock().unwrap() = new;
    }
}

fn answer(mut stream: TcpStream, taken: &Value) {
    let mut bytes = Vec::new();
    let mut piece = [0_u8; 4096];
    let request = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                break text;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    };
    let body: Value = request.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or(Value::Null);
    let right = request.starts_with("POST /ofrep/v1/evaluate/flags HTTP/1.1") && body["context"]["targetingKey"].is_string();
    let (status, said) = if right {
        ("200 OK", json!({ "flags": evaluated(taken) }))
    } else {
        ("400 Bad Request", json!({ "errorCode": "INVALID_CONTEXT", "errorDetails": "Provider context is not valid" }))
    };
    let said = said.to_string();
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", said.len());
    let _ = stream.write_all(format!("{head}{said}").as_bytes());
}

fn evaluated(taken: &Value) -> Vec<Value> {
    let enabled = |(_, flag): &(&String, &Value)| flag["state"] == "ENABLED";
    let flags = taken["flags"].as_object().into_iter().flatten();
    let evaluate = |(key, flag): (&String, &Value)| {
        let variant = flag["defaultVariant"].as_str().unwrap_or_default();
        json!({ "key": key, "value": flag["variants"][variant], "variant": variant, "reason": "STATIC", "metadata": flag["metadata"] })
    };
    flags.filter(enabled).map(evaluate).collect()
}
