//! A Prometheus that always answers: for every service that a query names it has one series, and counters grow.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Outcome;

/// Seconds between two samples of a counter.
const SCRAPE: u64 = 15;

/// Starts it on a port of this machine; it lives as long as this process.
pub(crate) fn start() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream).is_ok());
        }
    });
    Ok(port)
}

fn serve(stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = answer(&query(&String::from_utf8_lossy(&body)))?;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        writer.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    }
}

/// The query of a form.
fn query(form: &str) -> String {
    let coded = form.split('&').find_map(|field| field.strip_prefix("query=")).unwrap_or_default();
    let (mut out, mut bytes) = (Vec::new(), coded.bytes());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0);
                u8::try_from(digit() * 16 + digit()).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn answer(query: &str) -> Outcome<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let newest = now.as_secs() - now.as_secs() % SCRAPE;
    let metric = query.split('{').next().unwrap_or_default();
    let mut labels = labels(query);
    let services = labels.remove("service").unwrap_or_default();
    let mut rows = Vec::new();
    for service in services {
        let mut row = format!("{{\"metric\":{{\"__name__\":\"{metric}\",\"service\":\"{service}\",\"version\":\"1.4.0\"");
        for (name, values) in &labels {
            write!(row, ",\"{name}\":\"{}\"", values.first().map_or("", String::as_str))?;
        }
        let each = if metric.contains("errors") { 1 } else { 400 };
        if query.ends_with(']') {
            let sample = |n: u64| format!("[{},\"{}\"]", newest - n * SCRAPE, (newest / SCRAPE - n) * each);
            let samples: Vec<_> = (0..8).rev().map(sample).collect();
            write!(row, "}},\"values\":[{}]}}", samples.join(","))?;
        } else {
            write!(row, "}},\"value\":[{},\"1\"]}}", now.as_secs())?;
        }
        rows.push(row);
        if query.contains("gonogo_sample") {
            // The times of samples are asked for beside the samples.
            let labels = format!("\"service\":\"{service}\",\"version\":\"1.4.0\",\"gonogo_sample\":\"time\"");
            rows.push(format!("{{\"metric\":{{{labels}}},\"value\":[{},\"{newest}\"]}}", now.as_secs()));
        }
    }
    let kind = if query.ends_with(']') { "matrix" } else { "vector" };
    Ok(format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"groups\":[],\"result\":[{}]}}}}", rows.join(",")))
}

/// The labels that the first selector of a query asks for, and the values of each.
fn labels(query: &str) -> BTreeMap<String, Vec<String>> {
    let selector = query.split(['{', '}']).nth(1).unwrap_or_default();
    let one = |matcher: &str| {
        let (name, value) = matcher.split_once('=')?;
        let value = value.trim_start_matches('~').trim_matches('"');
        Some((name.to_owned(), value.split('|').map(str::to_owned).collect()))
    };
    selector.split(',').filter_map(one).collect()
}
