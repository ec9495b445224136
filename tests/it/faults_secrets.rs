//! A backend that repeats our own secret in what it says: in every form, in every kind of answer, it comes no further than the adapter.

use std::time::Duration;

use base64ct::{Base64, Base64Unpadded, Base64UrlUnpadded, Encoding as _};
use gonogo::adapters::ci::buildbot::Buildbot;
use gonogo::adapters::http::{Credential, HttpClient};
use gonogo::adapters::signals::prometheus::Prometheus;
use gonogo::config::secret::Secret;
use gonogo::model::catalog::BackendKind;
use gonogo::ports::ci::Ci as _;
use gonogo::ports::metrics::Metrics as _;
use tokio::io::AsyncWriteExt as _;

use crate::servers::fault::{Fault, answer, json};
use crate::servers::http::client_with;

const USER: &str = "ana";

/// Secrets of every kind: a long token, a word, a short one, one with characters that every encoding changes.
const SECRETS: [&str; 5] = ["ghp_0123456789abcdefABCDEF", "s3cr3t-t0k3n-4711", "hunter2", "ab1", "p\"ä ss&<w>/'+%1"];

fn credentials(secret: &str) -> Vec<Credential> {
    let mut all = vec![Credential::Basic(USER.to_owned(), Secret::new(secret.to_owned()))];
    if secret.is_ascii() {
        all.push(Credential::Bearer(Secret::new(secret.to_owned())));
    }
    all
}

/// The forms in which a secret would betray itself.
fn forms(secret: &str) -> Vec<String> {
    let both = format!("{USER}:{secret}");
    let mut forms = vec![secret.to_owned(), serde_json::to_string(secret).unwrap().trim_matches('"').to_owned()];
    for text in [secret, &both] {
        let bytes = text.as_bytes();
        forms.extend([Base64::encode_string(bytes), Base64Unpadded::encode_string(bytes), Base64UrlUnpadded::encode_string(bytes)]);
    }
    forms
}

/// Every character by its number, as JSON allows it.
fn escaped(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
}

fn bodies(secret: &str) -> Vec<String> {
    let both = format!("{USER}:{secret}");
    let header = format!("Basic {}", Base64::encode_string(both.as_bytes()));
    let mut bodies = Vec::new();
    for said in [secret, &both, &header, &format!("Bearer {secret}"), &Base64::encode_string(secret.as_bytes())] {
        bodies.push(said.to_owned());
        bodies.push(format!("{} {said}", "x".repeat(390)));
        bodies.push(serde_json::json!({"status": "error", "errorType": "bad", "error": format!("do not know {said}")}).to_string());
        bodies.push(serde_json::json!({"headers": {"authorization": said}}).to_string());
        bodies.push(format!("{{\"message\":\"{}\"}}", escaped(said)));
        bodies.push(format!("[\"{}\"]", escaped(said)));
    }
    bodies
}

fn keeps(told: &str, secret: &str, why: &str) {
    for form in forms(secret) {
        assert!(!told.contains(&form), "{why}: {told}");
    }
    // Not a part of it either: what was cut off in the middle of a secret.
    if secret.len() > 8 {
        let part: String = secret.chars().take(8).collect();
        assert!(!told.contains(&part), "{why}: {told}");
    }
}

fn client(kind: BackendKind, url: &str, credential: &Credential) -> HttpClient {
    client_with(kind, url, Duration::from_secs(5), credential)
}

#[tokio::test]
async fn a_refusal_that_repeats_the_secret_is_told_without_it() {
    for secret in SECRETS {
        for body in bodies(secret) {
            let server = Fault::sending(answer("403 Forbidden", "", &body)).await;
            let basic = Base64::encode_string(format!("{USER}:{secret}").as_bytes());
            for credential in credentials(secret) {
                // Who sends a token knows no user, and sends no such header that could be repeated.
                if matches!(credential, Credential::Bearer(_)) && (body.contains(&basic) || body.contains(&escaped(&basic))) {
                    continue;
                }
                let client = client(BackendKind::Alertmanager, &server.url(), &credential);
                let read = client.get_json("read it", "/", &[]).await.unwrap_err();
                keeps(&format!("{read} {read:?} {}", read.remedy()), secret, &body);
                let write = client.post_json("start it", "/", &serde_json::Value::Null).await.unwrap_err();
                keeps(&format!("{write} {write:?}"), secret, &body);
                assert!(read.to_string().contains("answered 403 (forbidden)"), "{read}");
            }
        }
    }
}

#[tokio::test]
async fn every_kind_of_answer_is_told_without_the_secret() {
    let secret = "s3cr3t-t0k3n-4711";
    let host = format!("Location: https://{secret}.example/?{secret}\r\n");
    let typed = format!("Content-Type: {secret}\r\n");
    for bytes in [
        answer("302 Found", &host, ""),
        answer("200 OK", &typed, "{}"),
        answer(
            "200 OK",
            "Content-Type: application/json\r\n",
            format!("{{\"status\":\"error\",\"errorType\":\"x\",\"error\":\"{secret}\"}}"),
        ),
        json(format!("{{\"status\":\"{secret}\"}}")),
        json(format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"{secret}\",\"result\":[]}}}}")),
        json(format!("{{\"builders\":\"{secret}\"}}")),
        json(format!("{{\"builders\":[{{\"builderid\":\"{secret}\",\"name\":1}}]}}")),
        format!("HTTP/1.1 {secret}\r\n\r\n").into_bytes(),
    ] {
        let server = Fault::sending(bytes.clone()).await;
        for credential in credentials(secret) {
            let why = String::from_utf8_lossy(&bytes).into_owned();
            let port = Prometheus::new(client(BackendKind::Prometheus, &server.url(), &credential));
            let told = format!("{:?}", port.read(&[]).await);
            keeps(&told, secret, &why);
            let port = Buildbot::new("ci".parse().unwrap(), client(BackendKind::Buildbot, &server.url(), &credential));
            let told = format!("{:?}", port.read(&["shop".to_owned()], &[]).await);
            keeps(&told, secret, &why);
        }
    }
}

#[tokio::test]
async fn a_log_that_prints_the_token_is_shown_without_it() {
    let token = "ghp_0123456789abcdefABCDEF";
    let server = Fault::start(move |mut stream, request| async move {
        let body = if request.contains("/contents") {
            serde_json::json!({"logchunks": [{"firstline": 0, "content": format!("ofetch --header 'Authorization: Bearer {token}'\nodone\n")}]})
        } else {
            serde_json::json!({"logs": [{"logid": 7, "name": "stdio", "num_lines": 2, "complete": true, "type": "s"}]})
        };
        let _ = stream.write_all(&json(body.to_string())).await;
    })
    .await;
    let credential = Credential::Bearer(Secret::new(token.to_owned()));
    let port = Buildbot::new("ci".parse().unwrap(), client(BackendKind::Buildbot, &server.url(), &credential));
    let lines: Vec<String> = port.log(7, 0, 10).await.unwrap().lines.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["fetch --header 'Authorization: Bearer (secret)'", "done"]);
}
