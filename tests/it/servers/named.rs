//! A small HTTP server that answers every request with its name, and says at `/health` what a test wants it to say.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A running one; it ends with the test's process.
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// Where it listens.
    pub port: u16,
    sick: Arc<AtomicBool>,
    work: Arc<Work>,
}

/// What a server is asked for beside its health.
#[derive(Default)]
struct Work {
    asked: AtomicU32,
    fails: AtomicBool,
}

impl Named {
    /// Starts it; it answers when this returns.
    pub fn start(name: &'static str) -> Self {
        Self::start_at("127.0.0.1", name)
    }

    /// Starts it on an address of this machine.
    pub fn start_at(address: &str, name: &'static str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let sick = Arc::new(AtomicBool::new(false));
        let work = Arc::<Work>::default();
        let (shared, seen) = (Arc::clone(&sick), Arc::clone(&work));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sick, work) = (Arc::clone(&shared), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, name, &sick, &work));
            }
        });
        Self { name, port, sick, work }
    }

    /// Another server, which runs already, under this name.
    pub fn at(name: &'static str, port: u16) -> Self {
        Self { name, port, sick: Arc::default(), work: Arc::default() }
    }

    /// How many requests have come, those for its health aside.
    pub fn asked(&self) -> u32 {
        self.work.asked.load(Ordering::Relaxed)
    }

    /// Answers with 500 from now on, its checks aside.
    pub fn fail(&self) {
        self.work.fails.store(true, Ordering::Relaxed);
    }

    /// Fails its checks from now on.
    pub fn sicken(&self) {
        self.sick.store(true, Ordering::Relaxed);
    }
}

/// Sends one request without keep-alive.
pub fn request(port: u16, pool: &str) -> Result<String, String> {
    request_at(&([127, 0, 0, 1], port).into(), pool)
}

/// The same to an address.
pub fn request_at(address: &std::net::SocketAddr, pool: &str) -> Result<String, String> {
    request_with(address, pool, "")
}

/// The same with these header lines, each with its end.
pub fn request_with(address: &std::net::SocketAddr, pool: &str, headers: &str) -> Result<String, String> {
    let talk = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("GET /{pool} HTTP/1.1\r\nHost: test\r\n{headers}Connection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = talk().map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no HTTP: {answer}"))?;
    if head.starts_with("HTTP/1.1 200") { Ok(body.to_owned()) } else { Err(answer) }
}

fn serve(mut stream: TcpStream, name: &str, sick: &AtomicBool, work: &Work) {
    let mut head = Vec::new();
    let mut piece = [0_u8; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&piece[..count]),
        }
    }
    let health = head.starts_with(b"GET /health ");
    if !health {
        work.asked.fetch_add(1, Ordering::Relaxed);
    }
    let status = match health {
        true if sick.load(Ordering::Relaxed) => "503 Service Unavailable",
        false if work.fails.load(Ordering::Relaxed) => "500 Internal Server Error",
        true | false => "200 OK",
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{name}", name.len());
    let _ = stream.write_all(answer.as_bytes());
}
