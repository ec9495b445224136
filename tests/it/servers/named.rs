//! A small HTTP server that answers every request with its name, and says at `/health` what a test wants it to say.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A running one; it ends with the test's process.
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// Where it listens.
    pub port: u16,
    sick: Arc<AtomicBool>,
}

impl Named {
    /// Starts it; it answers when this returns.
    pub fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sick = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&sick);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sick = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, name, &sick));
            }
        });
        Self { name, port, sick }
    }

    /// Another server, which runs already, under this name.
    pub fn at(name: &'static str, port: u16) -> Self {
        Self { name, port, sick: Arc::default() }
    }

    /// Fails its checks from now on.
    pub fn sicken(&self) {
        self.sick.store(true, Ordering::Relaxed);
    }
}

fn serve(mut stream: TcpStream, name: &str, sick: &AtomicBool) {
    let mut head = Vec::new();
    let mut piece = [0_u8; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&piece[..count]),
        }
    }
    let health = head.starts_with(b"GET /health ");
    let status = if health && sick.load(Ordering::Relaxed) { "503 Service Unavailable" } else { "200 OK" };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{name}", name.len());
    let _ = stream.write_all(answer.as_bytes());
}
