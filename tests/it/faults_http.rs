//! Faults of HTTP backends: each has its kind of failure, a message to act on, and an end in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gonogo::adapters::http::{Credential, HttpClient};
use gonogo::adapters::signals::prometheus::Prometheus;
use gonogo::config::secret::Secret;
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::{PortError, PortErrorKind, SendError};
use gonogo::model::signal::SignalReading;
use gonogo::ports::metrics::Metrics;
use tokio::io::AsyncWriteExt;

use crate::servers::fault::{Fault, answer, gzip_of_spaces, json};
use crate::servers::http::{RealClock, client_with, settings};
use crate::servers::support::free_port;

const DEADLINE: Duration = Duration::from_millis(1_500);

fn prometheus_client(url: &str) -> HttpClient {
    client_with(BackendKind::Prometheus, url, DEADLINE, &Credential::Bearer(Secret::new("hunter2".to_owned())))
}

/// How many requests of this file's clients it got: a client of another test may still poll a server that had its port before.
fn asked(server: &Fault) -> usize {
    server.requests().iter().filter(|request| request.contains("hunter2")).count()
}

/// Reads in bounded time.
async fn read(url: &str) -> Result<SignalReading, PortError> {
    let port = Prometheus::new(prometheus_client(url));
    tokio::time::timeout(DEADLINE * 4, port.read(&[])).await.expect("an end in time")
}

/// Asserts that reading fails with this kind, in words that hold these, and never the credential.
async fn fails(url: &str, kind: &PortErrorKind, words: &str) -> PortError {
    let error = read(url).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(&error.kind, kind, "{text}");
    assert!(text.starts_with("failed to read scrape targets at prometheus: ") && text.contains(words), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    error
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    fails(&format!("http://127.0.0.1:{}", free_port()), &PortErrorKind::Unreachable, "refused").await;
}

#[tokio::test]
async fn a_host_without_an_address_is_unreachable() {
    let mut settings = settings(BackendKind::Prometheus, "http://nowhere.invalid", DEADLINE);
    let refused = HttpClient::new(&settings, &Credential::Nothing, RealClock::start()).err().unwrap();
    assert_eq!((refused.kind.clone(), refused.to_string().contains("insecure = true")), (PortErrorKind::Refused, true));
    settings.insecure = true;
    let client = HttpClient::new(&settings, &Credential::Nothing, RealClock::start()).unwrap();
    let error = client.get_json("read it", "/", &[]).await.unwrap_err();
    assert!(matches!(error.kind, PortErrorKind::Unreachable | PortErrorKind::TimedOut), "{error}");
}

#[tokio::test]
async fn a_reset_in_mid_body_is_tried_again_twice_and_then_unreachable() {
    let server = Fault::start(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\"").await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    fails(&server.url(), &PortErrorKind::Unreachable, "broke").await;
    assert_eq!(asked(&server), 3);
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_unreachable() {
    let server = Fault::sending("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\"").await;
    fails(&server.url(), &PortErrorKind::Unreachable, "broke").await;
}

#[tokio::test]
async fn silence_is_timed_out() {
    let server = Fault::start(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    fails(&server.url(), &PortErrorKind::TimedOut, "within 1500 ms").await;
    assert_eq!(asked(&server), 1, "a slow backend is not asked again");
}

#[tokio::test]
async fn one_byte_a_second_is_timed_out() {
    let server = Fault::start(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    fails(&server.url(), &PortErrorKind::TimedOut, "within 1500 ms").await;
}

#[tokio::test]
async fn html_is_malformed() {
    let server = Fault::sending(answer("200 OK", "Content-Type: text/html\r\n", "<html>Sign in</html>")).await;
    fails(&server.url(), &PortErrorKind::Malformed, "answered HTML instead of JSON: is this the address of a Prometheus?").await;
}

#[tokio::test]
async fn json_of_another_product_is_malformed() {
    let server = Fault::sending(json(r#"{"hello":"world"}"#)).await;
    fails(&server.url(), &PortErrorKind::Malformed, "is this the address of a Prometheus?").await;
}

#[tokio::test]
async fn a_truncated_gzip_is_malformed() {
    let heads = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let server = Fault::sending(answer("200 OK", heads, gzip_of_spaces(10_000))).await;
    fails(&server.url(), &PortErrorKind::Malformed, "compression").await;
    let server = Fault::sending(answer("200 OK", heads, "no gzip at all")).await;
    fails(&server.url(), &PortErrorKind::Malformed, "compression").await;
}

#[tokio::test]
async fn a_gzip_bomb_is_malformed_before_it_is_unpacked() {
    let heads = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let bomb = gzip_of_spaces(200 * 1024 * 1024);
    assert!(bomb.len() < 3 * 1024 * 1024);
    let server = Fault::sending(answer("200 OK", heads, bomb)).await;
    fails(&server.url(), &PortErrorKind::Malformed, "longer than 8388608 bytes").await;
}

#[tokio::test]
async fn endless_chunks_are_malformed() {
    let server = Fault::start(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    })
    .await;
    fails(&server.url(), &PortErrorKind::Malformed, "longer than 8388608 bytes").await;
}

#[tokio::test]
async fn a_length_beyond_the_bound_is_not_even_read() {
    let server = Fault::sending("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n").await;
    fails(&server.url(), &PortErrorKind::Malformed, "longer than").await;
}

#[tokio::test]
async fn invalid_utf8_and_deep_nesting_are_malformed() {
    let server = Fault::sending(json(b"{\"status\":\"\xff\xfe\"}")).await;
    fails(&server.url(), &PortErrorKind::Malformed, "no JSON").await;
    let server = Fault::sending(json("[".repeat(10_000))).await;
    fails(&server.url(), &PortErrorKind::Malformed, "recursion limit").await;
}

#[tokio::test]
async fn statuses_have_their_kinds() {
    for (status, kind) in [
        ("401 Unauthorized", PortErrorKind::Unauthorised),
        ("403 Forbidden", PortErrorKind::Forbidden),
        ("404 Not Found", PortErrorKind::NotFound),
        ("409 Conflict", PortErrorKind::Conflict),
        ("422 Unprocessable Entity", PortErrorKind::Refused),
        ("429 Too Many Requests", PortErrorKind::RateLimited { until: None }),
        ("500 Internal Server Error", PortErrorKind::Unreachable),
        ("503 Service Unavailable", PortErrorKind::Unreachable),
    ] {
        let server = Fault::sending(answer(status, "", "{\"error\":\"why \\u001b[31mnot\"}")).await;
        fails(&server.url(), &kind, &status[..3]).await;
        let error = fails(&server.url(), &kind, "why ␛[31mnot").await;
        assert!(!error.to_string().contains('\u{1b}'));
        assert_eq!(asked(&server), if status.starts_with("503") { 6 } else { 2 }, "only 503 is tried again");
    }
}

#[tokio::test]
async fn retry_after_is_kept_without_a_request() {
    let server = Fault::sending(answer("429 Too Many Requests", "Retry-After: 120\r\n", "")).await;
    let client = prometheus_client(&server.url());
    let mut untils = Vec::new();
    for _ in 0..3 {
        let error = client.get_json("read it", "/", &[]).await.unwrap_err();
        let PortErrorKind::RateLimited { until: Some(until) } = error.kind else { panic!("{error}") };
        untils.push(until);
    }
    assert_eq!(asked(&server), 1, "no request before the pause is over");
    assert_eq!(untils[0], untils[2]);
    let error = client.post_json("write it", "/", &serde_json::Value::Null).await.unwrap_err();
    assert!(matches!(error, SendError::NotDone(_)), "{error}");
    assert_eq!(asked(&server), 1);
}

#[tokio::test]
async fn a_used_up_quota_pauses_after_a_good_answer() {
    let heads = "Content-Type: application/json\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 60\r\n";
    let server = Fault::sending(answer("200 OK", heads, "{}")).await;
    let client = prometheus_client(&server.url());
    assert!(client.get_json("read it", "/", &[]).await.is_ok());
    let error = client.get_json("read it", "/", &[]).await.unwrap_err();
    assert!(matches!(error.kind, PortErrorKind::RateLimited { until: Some(_) }), "{error}");
    assert_eq!(asked(&server), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_carries_nothing_away() {
    let elsewhere = Fault::sending(json("{}")).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let to = format!("Location: http://localhost:{}/steal?token=abc\r\n", elsewhere.port);
        let server = Fault::sending(answer(status, &to, "")).await;
        let error = fails(&server.url(), &PortErrorKind::Refused, "with a redirect to localhost; redirects are not followed").await;
        assert!(!error.to_string().contains("steal"), "{error}");
        assert!(server.requests()[0].contains("authorization: Bearer hunter2"), "the credential goes to the configured origin");
    }
    assert_eq!(elsewhere.requests(), [] as [String; 0]);
}

#[tokio::test]
async fn a_path_cannot_lead_away() {
    let server = Fault::sending(json("{}")).await;
    let client = prometheus_client(&format!("{}/base", server.url()));
    for path in ["/../x", "x", "@elsewhere/", "/a/../../x"] {
        assert_eq!(client.get_json("read it", path, &[]).await.unwrap_err().kind, PortErrorKind::Malformed, "{path}");
    }
    assert_eq!(asked(&server), 0);
    client.get_json("read it", "/x", &[("q", "a b&c")]).await.unwrap();
    assert!(server.requests()[0].starts_with("GET /base/x?q=a+b%26c HTTP/1.1"), "{}", server.requests()[0]);
    assert!(server.requests()[0].contains(concat!("user-agent: gonogo/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn an_unchanged_answer_need_not_travel_again() {
    let server = Fault::start(|mut stream, request| async move {
        let bytes = if request.contains("if-none-match: \"v1\"") {
            answer("304 Not Modified", "", "")
        } else {
            answer("200 OK", "Content-Type: application/json\r\nETag: \"v1\"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "[7]")
        };
        let _ = stream.write_all(&bytes).await;
    })
    .await;
    let client = prometheus_client(&server.url());
    let first = client.get_json("read it", "/a", &[]).await.unwrap();
    assert_eq!((first.not_modified, first.date.unwrap().timestamp()), (false, 784_111_777));
    let second = client.get_json("read it", "/a", &[]).await.unwrap();
    assert!(second.not_modified && Arc::ptr_eq(&first.value, &second.value));
    assert!(!client.get_json("read it", "/b", &[]).await.unwrap().not_modified, "another address is another answer");
}

#[tokio::test]
async fn a_write_says_whether_it_may_have_happened() {
    async fn write(url: &str) -> SendError {
        let (client, body) = (prometheus_client(url), serde_json::json!({"a": 1}));
        tokio::time::timeout(DEADLINE * 4, client.post_json("start it", "/", &body)).await.expect("an end in time").unwrap_err()
    }
    let refused = write(&format!("http://127.0.0.1:{}", free_port())).await;
    assert!(matches!(&refused, SendError::NotDone(error) if error.kind == PortErrorKind::Unreachable), "{refused}");
    for (status, unknown) in
        [("400 Bad Request", false), ("409 Conflict", false), ("500 Oops", true), ("503 No", true), ("302 Found", true)]
    {
        let server = Fault::sending(answer(status, "", "")).await;
        let error = write(&server.url()).await;
        assert_eq!(matches!(error, SendError::Unknown(_)), unknown, "{status}: {error}");
        assert_eq!(asked(&server), 1, "a write is never sent twice");
    }
    let silent = Fault::start(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    assert!(matches!(write(&silent.url()).await, SendError::Unknown(error) if error.kind == PortErrorKind::TimedOut));
    let reset = Fault::start(|stream, _| async move { stream.set_zero_linger().unwrap() }).await;
    assert!(matches!(write(&reset.url()).await, SendError::Unknown(error) if error.kind == PortErrorKind::Unreachable));
    assert_eq!(asked(&reset), 1);
    let cut = Fault::sending("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{").await;
    assert!(matches!(write(&cut.url()).await, SendError::Unknown(_)));
}

#[tokio::test]
async fn what_speaks_no_http_is_malformed() {
    let server = Fault::sending("SSH-2.0-OpenSSH_9.2\r\n").await;
    fails(&server.url(), &PortErrorKind::Malformed, "no HTTP").await;
    let server = Fault::sending(answer("200 OK", &"X: y\r\n".repeat(10_000), "{}")).await;
    fails(&server.url(), &PortErrorKind::Malformed, "no HTTP").await;
    assert_eq!(asked(&server), 1);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let app = axum::Router::new().fallback(|| async { axum::Json(7) });
    let serving = tokio::spawn(async move {
        let counting = axum::serve::ListenerExt::tap_io(listener, move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        axum::serve(counting, app).await.unwrap();
    });
    let client = prometheus_client(&format!("http://127.0.0.1:{port}"));
    for _ in 0..5 {
        assert_eq!(*client.get_json("read it", "/x", &[]).await.unwrap().value, 7);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    serving.abort();
}
