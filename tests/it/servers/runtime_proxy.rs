//! A proxy before a real HAProxy's stats socket that breaks connections where a test wants them broken, and a fake stats socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::config::settings::Address;

/// What the proxy does with one line of commands.
pub enum Treat {
    /// Passes it on and its answer back.
    Forward,
    /// Passes on another line in its place.
    Rewrite(String),
    /// Resets the connection; HAProxy never sees the line.
    Reset,
    /// Passes it on and resets the connection instead of answering.
    ForwardReset,
    /// Passes on and answers nothing.
    ForwardHang,
    /// Answers nothing; HAProxy never sees the line.
    Hang,
    /// Answers these bytes and closes.
    Say(Vec<u8>),
}

/// A running proxy.
pub struct Proxy {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one before the TCP port of a stats socket; `treat` decides by the line.
    pub fn start(to: u16, treat: impl Fn(&str) -> Treat + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (seen, treat) = (Arc::clone(&lines), Arc::new(treat));
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let Some(line) = peek_line(&stream) else { continue };
                seen.lock().unwrap().push(line.clone());
                match treat(&line) {
                    Treat::Forward => answer(&mut stream, &forward(to, &line)),
                    Treat::Rewrite(line) => answer(&mut stream, &forward(to, &line)),
                    Treat::Say(bytes) => answer(&mut stream, &bytes),
                    // Closing a socket with unread bytes resets the connection.
                    Treat::Reset => {}
                    Treat::ForwardReset => {
                        forward(to, &line);
                    }
                    Treat::ForwardHang => {
                        forward(to, &line);
                        hanging.push(stream);
                    }
                    Treat::Hang => hanging.push(stream),
                }
            }
        });
        Self { port, lines }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Address::Tcp(format!("127.0.0.1:{}", self.port))
    }

    /// Every line that holds a write, in order.
    pub fn writes(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().filter(|line| line.contains("set server")).cloned().collect()
    }
}

fn peek_line(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut bytes = vec![0_u8; 16 * 1024];
    loop {
        let count = stream.peek(&mut bytes).ok().filter(|count| *count > 0)?;
        if let Some(end) = bytes[..count].iter().position(|byte| *byte == b'\n') {
            return Some(String::from_utf8_lossy(&bytes[..end]).into_owned());
        }
    }
}

fn forward(to: u16, line: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", to)).unwrap();
    writeln!(stream, "{line}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn answer(stream: &mut TcpStream, bytes: &[u8]) {
    let mut line = [0_u8; 16 * 1024];
    let _ = stream.read(&mut line);
    let _ = stream.write_all(bytes);
}
