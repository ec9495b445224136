//! The contract of `ports::calendar`: a file, and an address on a real web server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gonogo::adapters::calendar::file::CalendarFile;
use gonogo::adapters::calendar::web::CalendarAddress;
use gonogo::model::error::PortErrorKind;
use gonogo::ports::calendar::Calendar;

use crate::servers::calendar::CalendarServer;
use crate::servers::fault::{Fault, answer};
use crate::servers::http::RealClock;

/// What the contract needs from the world behind a port: puts a text in the calendar's place, or takes it away.
trait World {
    fn put(&self, text: Option<&str>);
}

impl World for CalendarServer {
    fn put(&self, text: Option<&str>) {
        Self::put(self, text);
    }
}

impl World for PathBuf {
    fn put(&self, text: Option<&str>) {
        match text {
            Some(text) => std::fs::write(self, text).unwrap(),
            None => std::fs::remove_file(self).unwrap(),
        }
    }
}

fn calendar(summary: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{summary}\r\nDTSTART:20260401T100000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// Everything that any calendar behind the port must do.
async fn contract(port: &dyn Calendar, world: &dyn World) {
    world.put(Some(&calendar("Freeze \u{1b}[31m")));
    let first = port.read().await.unwrap();
    assert_eq!(first.events[0].summary.as_str(), "Freeze ␛[31m", "text from outside is cleaned");
    assert_eq!(port.read().await.unwrap(), first, "equal calendars are equal");
    world.put(Some(&calendar("Another")));
    assert_eq!(port.read().await.unwrap().events[0].summary.as_str(), "Another");
    let cut = calendar("Another").replace("END:VCALENDAR\r\n", "");
    let long = calendar(&"x".repeat(2_000_000));
    for (wrong, why) in [(cut.as_str(), "cut off"), ("", "cut off"), ("<html>", ""), (long.as_str(), "longer than")] {
        world.put(Some(wrong));
        for _ in 0..2 {
            let error = port.read().await.unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Malformed, "{error}");
            assert!(
                error.to_string().starts_with("failed to read the calendar at freezes.ics: ") && error.to_string().contains(why),
                "{error}"
            );
        }
    }
    world.put(None);
    let error = port.read().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::NotFound, "what is gone is no empty calendar: {error}");
    assert!(!error.to_string().contains("private-abc"), "the path of an address may be a secret: {error}");
    world.put(Some(&calendar("Back")));
    assert_eq!(port.read().await.unwrap().events[0].summary.as_str(), "Back");
}

fn at(url: &str) -> CalendarAddress {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    CalendarAddress::new(&"freezes.ics".parse().unwrap(), url, Duration::from_secs(2), RealClock::start()).unwrap()
}

#[tokio::test]
async fn a_file_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("freezes.ics");
    contract(&CalendarFile::new("freezes.ics".parse().unwrap(), path.clone()), &path).await;
}

#[tokio::test]
async fn an_address_keeps_the_contract() {
    let server = CalendarServer::start().await;
    contract(&at(&server.url()), &server).await;
}

#[tokio::test]
async fn an_unchanged_calendar_travels_once() {
    let server = CalendarServer::start().await;
    server.put(Some(&calendar("Freeze")));
    let port = at(&server.url());
    let (first, second) = (port.read().await.unwrap(), port.read().await.unwrap());
    assert!(Arc::ptr_eq(&first, &second), "it is not even parsed again");
    assert_eq!(server.answers(), [200, 304]);
    server.put(Some("BEGIN:VCALENDAR\r\n"));
    assert!(port.read().await.is_err() && port.read().await.is_err(), "an unchanged wrong calendar is not the good one before it");
    assert_eq!(server.answers(), [200, 304]);
}

#[tokio::test]
async fn what_a_web_server_says_instead_is_no_empty_calendar() {
    let cases = [
        (answer("401 Unauthorized", "", ""), PortErrorKind::Unauthorised, "401"),
        (
            answer("302 Found", "Location: http://elsewhere.example/private/a.ics\r\n", ""),
            PortErrorKind::Refused,
            "a redirect to elsewhere.example",
        ),
        (answer("200 OK", "Content-Type: text/html\r\n", "<p>log in"), PortErrorKind::Malformed, "HTML"),
        (answer("200 OK", "Content-Type: application/json\r\n", "{}"), PortErrorKind::Malformed, "application/json"),
        (answer("200 OK", "", b"BEGIN:VCALENDAR\xff"), PortErrorKind::Malformed, "no UTF-8"),
        (answer("204 No Content", "", ""), PortErrorKind::Malformed, "cut off"),
    ];
    for (bytes, kind, why) in cases {
        let server = Fault::sending(bytes).await;
        let error = at(&format!("{}/a.ics", server.url())).read().await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(server.requests()[0].contains("accept: text/calendar"), "{:?}", server.requests());
    }
}

#[tokio::test]
async fn a_directory_and_a_pipe_are_no_calendars_and_keep_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [directory.path().to_owned(), pipe] {
        let port = CalendarFile::new("freezes.ics".parse().unwrap(), path);
        let error = tokio::time::timeout(Duration::from_secs(5), port.read()).await.expect("an answer").unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Malformed, "{error}");
    }
}
