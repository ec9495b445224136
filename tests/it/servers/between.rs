//! A go-between before a real server's HTTP port that changes, cuts or makes up what passes, where a test wants it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of one request.
pub enum Pass {
    /// Goes on, and its answer back.
    On,
    /// Another request goes on in its place.
    Changed(String),
    /// The connection ends; the server never sees it.
    Cut,
    /// Goes on; the connection ends in place of an answer.
    OnThenCut,
    /// These bytes are the answer; the server never sees it.
    Say(Vec<u8>),
}

/// A running one; it ends with the test's process.
pub struct Between {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Between {
    /// Starts one before a port of this machine; `decide` is asked with each request, head and body.
    pub fn start(to: u16, decide: impl Fn(&str) -> Pass + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, decide) = (Arc::new(Mutex::new(Vec::new())), Arc::new(decide));
        let requests = Arc::clone(&seen);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (requests, decide) = (Arc::clone(&requests), Arc::clone(&decide));
                std::thread::spawn(move || {
                    let Some(request) = request(&mut stream) else { return };
                    requests.lock().unwrap().push(request.clone());
                    // Caddy wants to be asked by its own address.
                    let request = request.replace(&format!("ost: 127.0.0.1:{port}\r\n"), &format!("ost: 127.0.0.1:{to}\r\n"));
                    let answer = match decide(&request) {
                        Pass::On => forward(to, &request),
                        Pass::Changed(other) => forward(to, &other),
                        Pass::Cut => return,
                        Pass::OnThenCut => {
                            forward(to, &request);
                            return;
                        }
                        Pass::Say(bytes) => bytes,
                    };
                    let _ = stream.write_all(&answer);
                });
            }
        });
        Self { port, seen }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests that came and were no GET.
    pub fn writes(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().filter(|request| !request.starts_with("GET ")).cloned().collect()
    }
}

/// One request, head and body; none where the connection ends before its end.
pub fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return Some(text);
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// One request on a connection of its own, which ends with its answer.
fn forward(to: u16, request: &str) -> Vec<u8> {
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let talk = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", to))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = talk().unwrap_or_default();
    // The client is told as well that nothing more comes here.
    let head = answer.windows(2).position(|end| end == b"\r\n").unwrap_or(0);
    if head == 0 {
        return answer;
    }
    [&answer[..head], b"\r\nConnection: close", &answer[head..]].concat()
}
