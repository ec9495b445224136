//! Answers: bodies bounded while they stream, JSON and nothing else, statuses as kinds of failure.

use std::error::Error as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode, Url};
use serde_json::Value;

use crate::config::withheld::Withheld;
use crate::model::catalog::BackendKind;
use crate::model::error::PortErrorKind;
use crate::model::text::Text;

/// The most bytes of an answer that are taken in, counted after decompression.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes of a refusal that are taken in: of a longer one nothing is said but its status.
pub(super) const MOST_OF_REFUSAL: usize = 64 * 1024;

/// A JSON answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it says; `Null` for the empty answer to a write.
    pub value: Arc<Value>,
    /// The backend's clock as its `Date` header told it.
    pub date: Option<DateTime<Utc>>,
    /// The backend said that nothing changed since the last answer to the same question, so that is repeated here.
    pub not_modified: bool,
    /// Whether the backend said that there is a further page (`Link`, RFC 8288).
    pub more: bool,
    /// What it said in heads that tell of our access.
    pub heads: HeaderMap,
}

/// Whether a `Link` head names a next page.
pub(super) fn has_next(headers: &HeaderMap) -> bool {
    let links = headers.get_all(reqwest::header::LINK).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    links.flat_map(|link| link.split(';').skip(1)).any(|part| matches!(part.trim(), "rel=\"next\"" | "rel=next"))
}

/// A kind of failure with what came back.
pub(super) type Fault = (PortErrorKind, String);

/// Reads a body of at most `most` bytes.
pub(super) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, Fault> {
    let too_long = || (PortErrorKind::Malformed, format!("the answer is longer than {most} bytes"));
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > most => return Err(too_long()),
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(transport(error)),
        }
    }
}

/// What stands in a failure of the transport, never with an address in it.
pub(super) fn transport(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    if error.is_timeout() {
        return (PortErrorKind::TimedOut, if error.is_connect() { "no connection in time" } else { "no whole answer in time" }.to_owned());
    }
    let words = chain(&error);
    if error.is_connect() {
        return (PortErrorKind::Unreachable, words);
    }
    if is_compression(&error) {
        return (PortErrorKind::Malformed, format!("the answer's compression is broken: {words}"));
    }
    if is_no_http(&error) {
        return (PortErrorKind::Malformed, format!("answered what is no HTTP: {words}"));
    }
    if error.is_builder() {
        return (PortErrorKind::Malformed, words);
    }
    (PortErrorKind::Unreachable, format!("the connection broke before the whole answer came: {words}"))
}

/// Whether the transport failed in a manner that a second try of a read may mend.
pub(super) fn is_reset(error: &reqwest::Error) -> bool {
    !error.is_connect() && !error.is_timeout() && !error.is_builder() && !is_compression(error) && !is_no_http(error)
}

/// Whether a head could not be understood; the library tells it in words only.
fn is_no_http(error: &reqwest::Error) -> bool {
    let words = chain(error);
    ["invalid HTTP", "message head is too large", "unsupported HTTP version"].iter().any(|sign| words.contains(sign))
}

/// Whether a decoder failed, rather than the connection under it: the connection's own failures have a source beneath them.
fn is_compression(error: &reqwest::Error) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    error.is_decode() && io.is_some_and(|io| io.get_ref().is_none_or(|below| below.source().is_none()))
}

fn chain(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        source = inner.source();
    }
    words
}

/// Reads JSON out of a good answer. `serde_json` stops at a nesting of 128.
pub(super) fn json(product: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Fault> {
    let media = media(headers);
    if media.contains("html") || bytes.trim_ascii_start().starts_with(b"<") {
        return Err((PortErrorKind::Malformed, format!("answered HTML instead of JSON: is this the address of {product}?")));
    }
    if !(media.is_empty() || matches!(media.as_str(), "text/plain" | "application/json") || media.ends_with("+json")) {
        return Err((PortErrorKind::Malformed, format!("answered {media} instead of JSON: is this the address of {product}?")));
    }
    serde_json::from_slice(bytes).map_err(|error| (PortErrorKind::Malformed, format!("answered what is no JSON: {error}")))
}

/// Reads plain text out of a good answer.
pub(super) fn text(product: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Fault> {
    let media = media(headers);
    if !(media.is_empty() || media == "text/plain") || bytes.trim_ascii_start().starts_with(b"<") {
        let what = if media.contains("html") || bytes.trim_ascii_start().starts_with(b"<") { "HTML" } else { media.as_str() };
        return Err((PortErrorKind::Malformed, format!("answered {what} instead of plain text: is this the address of {product}?")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| (PortErrorKind::Malformed, "answered what is no UTF-8".to_owned()))?;
    Ok(Value::String(text.to_owned()))
}

/// Reads the text of an iCalendar out of a good answer; whether it is one is for its reader to say.
pub(super) fn calendar(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Fault> {
    let media = media(headers);
    if media.contains("html") || bytes.trim_ascii_start().starts_with(b"<") {
        return Err((PortErrorKind::Malformed, "answered HTML instead of an iCalendar".to_owned()));
    }
    if !(media.is_empty() || matches!(media.as_str(), "text/calendar" | "text/plain" | "application/octet-stream")) {
        return Err((PortErrorKind::Malformed, format!("answered {media} instead of an iCalendar")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| (PortErrorKind::Malformed, "answered what is no UTF-8".to_owned()))?;
    Ok(Value::String(text.to_owned()))
}

fn media(headers: &HeaderMap) -> String {
    let media = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_owned()
}

/// A product in words.
pub(super) fn product(kind: BackendKind) -> &'static str {
    match kind {
        BackendKind::Prometheus => "a Prometheus",
        BackendKind::Alertmanager => "an Alertmanager",
        BackendKind::Haproxy => "an HAProxy",
        BackendKind::Envoy => "an Envoy's administration",
        BackendKind::Traefik => "a Traefik's API",
        BackendKind::Caddy => "a Caddy's administration",
        BackendKind::GatewayApi | BackendKind::Istio | BackendKind::Kubernetes => "a Kubernetes API",
        BackendKind::Buildbot => "a Buildbot",
        BackendKind::Github => "GitHub's API",
        BackendKind::Unleash => "an Unleash",
        BackendKind::Flagd => "a flagd",
    }
}

/// The kind of a status that is neither good nor a pause.
pub(super) fn status_kind(status: StatusCode) -> PortErrorKind {
    match status.as_u16() {
        401 => PortErrorKind::Unauthorised,
        403 | 407 => PortErrorKind::Forbidden,
        404 | 410 => PortErrorKind::NotFound,
        409 | 412 => PortErrorKind::Conflict,
        405 | 501 => PortErrorKind::Unsupported,
        408 | 504 => PortErrorKind::TimedOut,
        429 => PortErrorKind::RateLimited { until: None },
        500..=599 => PortErrorKind::Unreachable,
        300..=499 => PortErrorKind::Refused,
        _ => PortErrorKind::Malformed,
    }
}

/// A status in words, with the vendor's own text where it sent one.
pub(super) fn status_words(status: StatusCode, headers: &HeaderMap, bytes: &[u8], withheld: &Withheld) -> String {
    let html = headers.get(CONTENT_TYPE).is_some_and(|value| String::from_utf8_lossy(value.as_bytes()).contains("html"));
    let said = if html { String::new() } else { vendor_text(bytes, withheld) };
    let reason = status.canonical_reason().unwrap_or("no known status").to_ascii_lowercase();
    let status = format!("answered {} ({reason})", status.as_u16());
    if said.is_empty() { status } else { format!("{status}: {said}") }
}

fn vendor_text(bytes: &[u8], withheld: &Withheld) -> String {
    let words = |value: &Value| {
        value.as_str().map(str::to_owned).or_else(|| {
            ["error", "message", "detail"].iter().find_map(|key| match value.get(key) {
                Some(Value::String(text)) => Some(text.clone()),
                // Some say what they did not do in one member, and why in the other.
                Some(object) => {
                    let of = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
                    let both: Vec<&str> = ["message", "detail"].into_iter().filter_map(of).collect();
                    (!both.is_empty()).then(|| both.join(": "))
                }
                None => None,
            })
        })
    };
    // JSON is written anew, so that nothing hides behind its escapes.
    let value = serde_json::from_slice::<Value>(bytes).ok();
    let text = value.map(|value| words(&value).unwrap_or_else(|| value.to_string()));
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
    // Before anything is cut off: a part of a secret is one too.
    Text::clean_within(withheld.words(text.trim()).trim(), 400).as_str().to_owned()
}

/// The host that a redirect names, and nothing else of it.
pub(super) fn redirect_words(status: StatusCode, headers: &HeaderMap, from: &Url) -> String {
    let host = headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| from.join(text).ok())
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "nowhere".to_owned());
    format!("answered {} with a redirect to {host}; redirects are not followed", status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_page_is_told_by_its_relation_alone() {
        let link = |text: &str| [(reqwest::header::LINK, text.parse().unwrap())].into_iter().collect::<HeaderMap>();
        let both = "<https://x/a?page=1>; rel=\"prev\", <https://x/a?page=3>; rel=\"next\"";
        assert!(has_next(&link(both)));
        assert!(!has_next(&link("<https://x/rel=next?a>; rel=\"last\"")));
        assert!(!has_next(&HeaderMap::new()));
    }

    fn typed(media: &str) -> HeaderMap {
        [(CONTENT_TYPE, media.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn html_is_named_as_what_it_is() {
        for (media, body) in [("text/html; charset=utf-8", "x"), ("application/json", " \n<!DOCTYPE html>")] {
            let (kind, words) = json("a Prometheus", &typed(media), body.as_bytes()).unwrap_err();
            assert_eq!(kind, PortErrorKind::Malformed);
            assert_eq!(words, "answered HTML instead of JSON: is this the address of a Prometheus?");
        }
        assert!(json("a Buildbot", &typed("image/png"), b"{}").is_err());
        assert!(json("a Buildbot", &typed("application/problem+json"), b"{}").is_ok());
    }

    #[test]
    fn nesting_of_ten_thousand_is_refused_without_a_fall() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let (kind, words) = json("a Prometheus", &typed("application/json"), deep.as_bytes()).unwrap_err();
        assert_eq!(kind, PortErrorKind::Malformed);
        assert!(words.contains("recursion limit"), "{words}");
    }

    #[test]
    fn the_vendors_words_are_found_cleaned_and_bounded() {
        let words = |body: &str| status_words(StatusCode::BAD_REQUEST, &typed("application/json"), body.as_bytes(), &Withheld::default());
        assert_eq!(words(r#"{"status":"error","error":"parse \u001b[2J"}"#), "answered 400 (bad request): parse ␛[2J");
        assert_eq!(words(r#"{"error":{"code":4,"message":"no"}}"#), "answered 400 (bad request): no");
        let failed = r#"{"error":{"message":"Operation Failed","detail":"no right to \u001b[2Jwrite"},"status":"failure"}"#;
        assert_eq!(words(failed), "answered 400 (bad request): Operation Failed: no right to ␛[2Jwrite");
        assert_eq!(words(r#""bad matcher""#), "answered 400 (bad request): bad matcher");
        assert_eq!(words(""), "answered 400 (bad request)");
        assert!(words(&"x".repeat(100_000)).chars().count() < 450);
    }

    #[test]
    fn a_redirect_names_the_host_and_nothing_else() {
        let headers = [(LOCATION, "https://evil.example/?token=abc".parse().unwrap())].into_iter().collect();
        let words = redirect_words(StatusCode::FOUND, &headers, &Url::parse("http://here/").unwrap());
        assert_eq!(words, "answered 302 with a redirect to evil.example; redirects are not followed");
    }
}
