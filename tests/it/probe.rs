//! Checks of rollouts against a real address and real programs: what holds, what fails, and what is not known.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use gonogo::adapters::probe::Outer;
use gonogo::model::probe::{Held, Probe, ProbeAnswer};
use gonogo::ports::probe::Prober as _;
use rstest::rstest;

use crate::servers::support::wait_for;

async fn asked(probe: Probe) -> ProbeAnswer {
    Outer.probe(&probe, Duration::from_secs(2)).await
}

async fn ran(words: &[&str]) -> ProbeAnswer {
    asked(Probe::Command { words: words.iter().map(|word| (*word).to_owned()).collect() }).await
}

/// Answers one request with these bytes, then closes; none: says nothing.
fn answering(bytes: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        match bytes {
            Some(bytes) => drop(stream.write_all(bytes.as_bytes())),
            // Until the other end gives up.
            None => drop(stream.read(&mut request)),
        }
    });
    format!("http://{address}/health")
}

#[rstest]
#[case::good("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall is ok", None, Some("is ok"), Held::Holds, "answered 200 with `is ok`")]
#[case::other_text(
    "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall is \u{1b}[31mlost",
    None,
    Some("is ok"),
    Held::Fails,
    "without `is ok`: all is"
)]
#[case::bad("HTTP/1.1 503 No\r\nconnection: close\r\n\r\n", None, None, Held::Fails, "answered 503, expected 2xx")]
#[case::wished("HTTP/1.1 404 No\r\nconnection: close\r\n\r\n", Some(404), None, Held::Holds, "answered 404")]
#[case::redirect(
    "HTTP/1.1 302 Go\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n",
    None,
    None,
    Held::Fails,
    "answered 302, expected 2xx"
)]
#[case::cut("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nall", None, Some("is ok"), Held::NotKnown, "GET ")]
#[tokio::test]
async fn an_address_is_held_against_what_is_expected(
    #[case] bytes: &'static str,
    #[case] status: Option<u16>,
    #[case] contains: Option<&str>,
    #[case] held: Held,
    #[case] words: &str,
) {
    let url = answering(Some(bytes));
    let answer = asked(Probe::Http { url, status, contains: contains.map(str::to_owned) }).await;
    assert_eq!(answer.held, held, "{}", answer.words);
    assert!(answer.words.as_str().contains(words) && !answer.words.as_str().contains('\u{1b}'), "{}", answer.words);
}

#[tokio::test]
async fn an_address_that_says_nothing_or_is_not_there_is_not_known() {
    let silent = asked(Probe::Http { url: answering(None), status: None, contains: None }).await;
    assert_eq!((silent.held, silent.words.as_str().ends_with("no whole answer within 2 s")), (Held::NotKnown, true), "{}", silent.words);
    let closed = asked(Probe::Http { url: "http://127.0.0.1:1/".to_owned(), status: None, contains: None }).await;
    assert_eq!((closed.held, closed.words.as_str().contains("refused")), (Held::NotKnown, true), "{}", closed.words);
}

#[tokio::test]
async fn a_program_is_held_against_its_end_and_its_last_line_is_the_evidence() {
    let good = ran(&["/bin/echo", "12 of 12"]).await;
    assert_eq!((good.held, good.words.as_str()), (Held::Holds, "/bin/echo ended with 0: 12 of 12"));
    let bad = ran(&["/bin/sh", "-c", "echo fine; printf 'a\\033[31m lock\\n' >&2; exit 3"]).await;
    assert_eq!(bad.held, Held::Fails, "{}", bad.words);
    assert!(bad.words.as_str().starts_with("/bin/sh ended with 3: a") && !bad.words.as_str().contains('\u{1b}'), "{}", bad.words);
    let killed = ran(&["/bin/sh", "-c", "kill -9 $$"]).await;
    assert_eq!((killed.held, killed.words.as_str()), (Held::NotKnown, "/bin/sh was killed"));
    let absent = ran(&["/no/such/program"]).await;
    assert_eq!(absent.held, Held::NotKnown, "{}", absent.words);
    // No shell reads what is given to a program.
    let plain = ran(&["/bin/echo", "$(id); `id` && x"]).await;
    assert_eq!(plain.words.as_str(), "/bin/echo ended with 0: $(id); `id` && x");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let slow = ran(&["/bin/sh", "-c", &script]).await;
    assert_eq!((slow.held, slow.words.as_str()), (Held::NotKnown, "/bin/sh took longer than 2 s and was ended"));
    let pid = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let gone = || {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(" Z ")).then_some(())
    };
    wait_for("its child to be gone", Duration::from_secs(10), gone);
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_read_up_to_a_bound() {
    let loud = ran(&["/bin/sh", "-c", "yes | head -c 10000000; exit 0"]).await;
    assert_ne!(loud.held, Held::Fails, "{}", loud.words);
}
