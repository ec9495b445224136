//! A server that answers wrongly on purpose, and remembers who asked what.

use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A faulty server; it ends when it is dropped.
pub struct Fault {
    /// Its port.
    pub port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Fault {
    /// Starts one: each connection's first request is read whole, then `behave` has the connection and the request.
    pub async fn start<B, F>(behave: B) -> Self
    where
        B: Fn(TcpStream, String) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, behave) = (Arc::clone(&requests), Arc::new(behave));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, behave) = (Arc::clone(&seen), Arc::clone(&behave));
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut stream).await else { return };
                    seen.lock().unwrap().push(request.clone());
                    behave(stream, request).await;
                });
            }
        });
        Self { port, requests, task }
    }

    /// Starts one that sends these bytes and closes.
    pub async fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Arc<Vec<u8>> = Arc::new(bytes.into());
        Self::start(move |mut stream, _| {
            let bytes = Arc::clone(&bytes);
            async move {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Starts one that answers as a Prometheus would: no targets, no rules, and to any other query with `result`.
    pub async fn prometheus(result: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::start(move |mut stream, request| {
            let body = if request.contains("count_values") {
                r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#.to_owned()
            } else if request.contains("/api/v1/rules") {
                r#"{"status":"success","data":{"groups":[]}}"#.to_owned()
            } else {
                result(&request)
            };
            async move {
                let _ = stream.write_all(&json(&body)).await;
            }
        })
        .await
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests that it got, heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A good answer with JSON.
pub fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}

/// An answer with a status and further heads.
pub fn answer(status: &str, heads: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{heads}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A gzip stream of spaces that unpacks to about `bytes` bytes and never ends properly: one block of fixed codes, a literal and
/// then copies of length 258 from distance 1.
pub fn gzip_of_spaces(bytes: usize) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut hold, mut held) = (0_u32, 0_u32);
    let mut bit = |bit: u32, out: &mut Vec<u8>| {
        hold |= bit << held;
        held += 1;
        if held == 8 {
            out.push(u8::try_from(hold).unwrap());
            (hold, held) = (0, 0);
        }
    };
    // Last block, fixed codes (01, low bit first); codes go high bit first.
    let mut bits = vec![1, 1, 0];
    let code = |value: u32, length: u32| (0..length).rev().map(move |at| value >> at & 1);
    bits.extend(code(0x30 + 0x20, 8));
    for _ in 0..bytes / 258 {
        bits.extend(code(0b1100_0101, 8));
        bits.extend(code(0, 5));
    }
    for value in bits {
        bit(value, &mut out);
    }
    out
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return Some(text);
            }
        }
        let mut part = [0_u8; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}
