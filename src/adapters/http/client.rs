//! The client that an adapter holds: built on first use, one origin, one deadline for a whole answer.
// long because: what a client keeps is private to it, and each way to make one belongs to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Client, Method, Request, StatusCode, Url};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::answer::{self, Answer, MOST_BYTES};
use super::build::{self, Trust};
use super::cache::Cache;
use super::credential::Credential;
use super::pace::{self, Pace};
use super::tls;
use crate::config::settings::{Address, BackendSettings, DeskSettings};
use crate::config::withheld::Withheld;
use crate::model::catalog::BackendKind;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::BackendName;
use crate::model::time::Moment;
use crate::ports::clock::Clock;

/// A source of chance between 0 and 1, for the time between two tries.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Further tries of a read after a broken connection or a 503.
const FURTHER_TRIES: u32 = 2;
/// What a client that cannot be built is mended by.
const CA_FILE: &str = "mend `ca_file`: it must be readable and hold certificates in PEM";

/// An HTTP client for one configured backend. It speaks to that backend's origin and to no other.
pub struct HttpClient {
    backend: BackendName,
    expects: Expects,
    base: String,
    authorization: Option<HeaderValue>,
    withheld: Withheld,
    trust: Trust,
    deadline: Duration,
    most_bytes: usize,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    client: OnceCell<Client>,
    pace: Pace,
    cache: Cache,
}

/// What an answer must be.
#[derive(Debug, Clone, Copy)]
enum Expects {
    /// JSON, from a product of this kind.
    Json(BackendKind),
    /// JSON, from a desk.
    Desk,
    /// An iCalendar.
    Calendar,
}

impl Expects {
    fn media(self) -> &'static str {
        match self {
            Self::Json(_) | Self::Desk => "application/json",
            Self::Calendar => "text/calendar",
        }
    }
}

/// A failure, and what may have become of the request.
pub(super) struct Failed {
    pub(super) kind: PortErrorKind,
    pub(super) detail: String,
    /// Bytes may have left and no answer settles what became of them.
    pub(super) left: bool,
    /// A read may be tried again.
    pub(super) again: bool,
    /// What to do, where the kind alone does not say it.
    pub(super) fix: Option<&'static str>,
}

impl Failed {
    /// No whole answer came in time.
    pub(super) fn late(within: Duration, left: bool) -> Self {
        let detail = format!("no whole answer within {} ms", within.as_millis());
        Self { left, ..never_sent(PortErrorKind::TimedOut, detail) }
    }
}

/// What a request carries, and what its answer is read as.
pub(super) enum Body<'a> {
    None,
    /// Asks for plain text.
    Text,
    /// Says everything in its address, and is answered in plain text.
    Call,
    Json(&'a Value),
    Patch(&'a Value),
    /// Removes what its address names.
    Delete,
    /// Changes what still is as this `ETag` says.
    PatchIf(&'a Value, &'a str),
    /// Changes by a patch of this media type.
    PatchAs(&'a Value, &'static str),
    Form(&'a [(&'a str, &'a str)]),
}

impl HttpClient {
    /// Makes a client; nothing is opened, read or resolved before the first request.
    ///
    /// # Errors
    /// `Unsupported` when the address is no `http://` or `https://`, `Refused` when plain text would go to another host without
    /// `insecure`, `Unauthorised` when the secret cannot stand in a header.
    pub fn new(settings: &BackendSettings, credential: &Credential, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let fail = |kind, detail: &str| PortError::new(kind, &settings.name, "prepare requests", detail);
        let Address::Http(base) = &settings.address else {
            return Err(fail(PortErrorKind::Unsupported, "its address is neither http:// nor https://"));
        };
        let url = Url::parse(base).map_err(|error| fail(PortErrorKind::Unsupported, &format!("its address is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(fail(PortErrorKind::Unsupported, "its address is not a plain http:// or https:// address"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(fail(PortErrorKind::Unsupported, "its address holds a user or password; give them by reference"));
        }
        if url.scheme() == "http" && !settings.insecure && !is_this_machine(&url) {
            return Err(fail(PortErrorKind::Refused, "plain text to another host needs insecure = true"));
        }
        let authorization = credential.header().map_err(|why| fail(PortErrorKind::Unauthorised, why))?;
        Ok(Self {
            backend: settings.name.clone(),
            expects: Expects::Json(settings.kind),
            base: base.trim_end_matches('/').to_owned(),
            authorization,
            withheld: credential.withheld(),
            trust: Trust { ca_file: settings.ca_file.clone(), ..Trust::default() },
            deadline: settings.deadline,
            most_bytes: MOST_BYTES,
            clock,
            jitter: Arc::new(|| f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)),
            client: OnceCell::new(),
            pace: Pace::default(),
            cache: Cache::default(),
        })
    }

    /// A client for the iCalendar at an address: its origin is what it speaks to, without any credential.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn for_calendar(name: &BackendName, origin: &str, deadline: Duration, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let settings = BackendSettings {
            name: name.clone(),
            // Of no kind of backend; what it expects is said below.
            kind: BackendKind::Github,
            address: Address::Http(origin.to_owned()),
            token: None,
            user: None,
            password: None,
            ca_file: None,
            insecure: false,
            deadline,
            file: None,
            namespace: None,
        };
        Ok(Self { expects: Expects::Calendar, ..Self::new(&settings, &Credential::Nothing, clock)? })
    }

    /// A client for a desk, which is no backend that is polled.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn for_desk(settings: &DeskSettings, credential: &Credential, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let like = BackendSettings {
            name: settings.name.clone(),
            // Of no kind of backend; what it expects is said below.
            kind: BackendKind::Github,
            address: Address::Http(settings.url.clone()),
            token: None,
            user: None,
            password: None,
            ca_file: settings.ca_file.clone(),
            insecure: false,
            deadline: settings.deadline,
            file: None,
            namespace: None,
        };
        Ok(Self { expects: Expects::Desk, ..Self::new(&like, credential, clock)? })
    }

    /// With authorities and a certificate of our own beyond the settings'.
    #[must_use]
    pub fn trusting(mut self, trust: Trust) -> Self {
        if let Some(identity) = &trust.identity {
            self.withheld = self.withheld.and(Withheld::token(identity.expose()));
        }
        self.trust = trust;
        self
    }

    /// With another source of chance.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// With another bound on an answer's bytes.
    #[must_use]
    pub fn with_most_bytes(mut self, most: usize) -> Self {
        self.most_bytes = most;
        self
    }

    /// The configured name of the backend.
    pub fn backend(&self) -> &BackendName {
        &self.backend
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The longest wait for a whole answer.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The address of a path, as a person could call it.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A failure at this backend; `doing` finishes "failed to ..".
    /// The detail may hold what the backend said: our own secret is taken out of it.
    pub fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        PortError::new(kind, &self.backend, doing, &self.withheld.words(detail))
    }

    pub(super) fn failure(&self, doing: &str, failed: &Failed) -> PortError {
        let error = self.fault(failed.kind.clone(), doing, &failed.detail);
        match failed.fix {
            Some(fix) => error.mended_by(fix),
            None => error,
        }
    }

    /// Reads JSON: conditional where an earlier answer bore an `ETag`, tried again at most twice after a broken connection or a 503.
    /// `path` begins with a slash and is already encoded (see [`segment`](super::segment())); `doing` finishes "failed to ..".
    ///
    /// # Errors
    /// As the kinds of [`PortErrorKind`] say; `RateLimited` without a request while a pause lasts.
    pub async fn get_json(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<Answer, PortError> {
        let read = async |begun: &AtomicBool| {
            let mut url = self.url(path)?;
            if !query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            self.read(&url, &Body::None, begun).await
        };
        self.within(read).await.map_err(|failed| self.failure(doing, &failed))
    }

    /// Reads JSON by a form that is too long for an address. It must be a read: it is tried again like one.
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub async fn post_form(&self, doing: &str, path: &str, form: &[(&str, &str)]) -> Result<Answer, PortError> {
        let read = async |begun: &AtomicBool| self.read(&self.url(path)?, &Body::Form(form), begun).await;
        self.within(read).await.map_err(|failed| self.failure(doing, &failed))
    }

    /// Reads an iCalendar, as [`Self::get_json`] reads JSON; its text is a string.
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub async fn get_calendar(&self, doing: &str, path: &str) -> Result<Answer, PortError> {
        let read = async |begun: &AtomicBool| self.read(&self.url(path)?, &Body::None, begun).await;
        self.within(read).await.map_err(|failed| self.failure(doing, &failed))
    }

    /// Writes: sent once, never tried again. An empty good answer is `Null`, and so is an empty body.
    ///
    /// # Errors
    /// `NotDone` when nothing left or the backend answered 4xx; `Unknown` when bytes may have left and no good answer came whole.
    pub async fn post_json(&self, doing: &str, path: &str, body: &Value) -> Result<Answer, SendError> {
        let write = async |begun: &AtomicBool| self.once(&self.url(path)?, &Body::Json(body), begun).await;
        self.write(doing, write).await
    }

    pub(super) async fn within(&self, work: impl AsyncFnOnce(&AtomicBool) -> Result<Answer, Failed>) -> Result<Answer, Failed> {
        let begun = AtomicBool::new(false);
        match tokio::time::timeout(self.deadline, work(&begun)).await {
            Ok(result) => result,
            Err(_) => Err(Failed::late(self.deadline, begun.load(Ordering::Relaxed))),
        }
    }

    /// The file of authorities that are trusted instead of the system's.
    pub(super) fn ca_file(&self) -> Option<&std::path::Path> {
        self.trust.ca_file.as_deref()
    }

    /// With more that is taken out of what comes back.
    #[must_use]
    pub(super) fn withholding(mut self, more: Withheld) -> Self {
        self.withheld = self.withheld.and(more);
        self
    }

    /// The request with our credential.
    pub(super) fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    /// What keeps the secret out of words.
    pub(super) fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// Whether GitHub answers, which tells its limits in a manner of its own.
    pub(super) fn is_github(&self) -> bool {
        matches!(self.expects, Expects::Json(BackendKind::Github))
    }

    /// Closes for a pause; its end.
    pub(super) fn pause(&self, now: &Moment, pause: Duration) -> DateTime<Utc> {
        self.pace.close(now, pause)
    }

    /// The client below, built on first use.
    pub(super) async fn client(&self) -> Result<&Client, Failed> {
        self.client.get_or_try_init(|| build::client(self.trust.clone(), self.base.starts_with("http://"), self.deadline)).await.map_err(
            |(kind, detail)| {
                // What stands in the way of a client is what the file of its authorities holds, where there is one.
                Failed { fix: self.trust.ca_file.as_ref().map(|_| CA_FILE), ..never_sent(kind, detail) }
            },
        )
    }

    /// Refuses to send while a pause lasts.
    pub(super) fn heed_pause(&self) -> Result<(), Failed> {
        let Some(until) = self.pace.closed_until(&self.clock.now()) else { return Ok(()) };
        let detail = format!("it asked to wait until {}; no request was sent", until.format("%H:%M:%S UTC"));
        Err(never_sent(PortErrorKind::RateLimited { until: Some(until) }, detail))
    }

    /// Asks the backend itself once, unconditionally, and hands out the answer unread.
    pub(super) async fn ask(&self, url: &Url, begun: &AtomicBool) -> Result<reqwest::Response, Failed> {
        self.heed_pause()?;
        let client = self.client().await?;
        let request = self.request(client, url, &Body::None, None)?;
        begun.store(true, Ordering::Relaxed);
        client.execute(request).await.map_err(|error| {
            let (kind, detail) = answer::transport(error);
            never_sent(kind, detail)
        })
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, Failed> {
        let parse = |text: &str| Url::parse(text).map_err(|error| never_sent(PortErrorKind::Malformed, format!("no address: {error}")));
        let (base, url) = (parse(&self.base)?, parse(&self.address(path))?);
        if base.origin() == url.origin() && path.starts_with('/') && url.path().ends_with(path) {
            Ok(url)
        } else {
            Err(never_sent(PortErrorKind::Malformed, "the path leads away from the configured address".to_owned()))
        }
    }

    pub(super) async fn read(&self, url: &Url, body: &Body<'_>, begun: &AtomicBool) -> Result<Answer, Failed> {
        let mut tried = 0;
        loop {
            match self.once(url, body, begun).await {
                Err(failed) if failed.again && tried < FURTHER_TRIES => {
                    let pause = Duration::from_millis(100 << tried).mul_f64(0.5 + (self.jitter)().clamp(0.0, 1.0));
                    tokio::time::sleep(pause).await;
                    tried += 1;
                }
                done => return done,
            }
        }
    }

    pub(super) async fn once(&self, url: &Url, body: &Body<'_>, begun: &AtomicBool) -> Result<Answer, Failed> {
        self.heed_pause()?;
        let client = self.client().await?;
        let kept = if matches!(body, Body::None) { self.cache.find(url.as_str()) } else { None };
        let request = self.request(client, url, body, kept.as_ref().map(|(etag, ..)| etag.as_str()))?;
        begun.store(true, Ordering::Relaxed);
        let response = client.execute(request).await.map_err(|error| {
            let (left, again) = (!error.is_connect(), answer::is_reset(&error));
            if let Some((detail, fix)) = tls::refusal(&error, self.ca_file()) {
                return Failed { left, fix: Some(fix), ..never_sent(PortErrorKind::Unreachable, detail) };
            }
            let (kind, detail) = answer::transport(error);
            Failed { left, again, ..never_sent(kind, detail) }
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        tracing::trace!(backend = %self.backend, %url, status = status.as_u16(), "answered");
        let now = self.clock.now();
        if let Some(pause) = pace::exhausted(&headers, now.wall) {
            self.pace.close(&now, pause);
        }
        if let (StatusCode::NOT_MODIFIED, Some((_, value, more))) = (status, kept) {
            let more = more || answer::has_next(&headers);
            return Ok(Answer { value, date: pace::date(&headers), not_modified: true, more, heads: headers });
        }
        if status.is_redirection() {
            let detail = answer::redirect_words(status, &headers, url);
            return Err(Failed { left: true, ..never_sent(PortErrorKind::Refused, detail) });
        }
        if status.is_success() {
            let (bytes, value) = self.good(response, body).await.map_err(|(kind, detail)| {
                let again = kind == PortErrorKind::Unreachable;
                Failed { left: true, again, ..never_sent(kind, detail) }
            })?;
            let (value, more) = (Arc::new(value), answer::has_next(&headers));
            if matches!(body, Body::None) {
                let etag = headers.get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
                self.cache.keep(url.as_str(), etag, &value, more, bytes);
            }
            return Ok(Answer { value, date: pace::date(&headers), not_modified: false, more, heads: headers });
        }
        let bytes = answer::body(response, self.most_bytes.min(answer::MOST_OF_REFUSAL)).await.unwrap_or_default();
        let mut kind = answer::status_kind(status);
        let pause = pace::asked(self.is_github(), status, &headers, &bytes, now.wall);
        if let Some(pause) = pause {
            kind = PortErrorKind::RateLimited { until: Some(self.pace.close(&now, pause)) };
        } else if matches!(kind, PortErrorKind::RateLimited { .. }) {
            kind = PortErrorKind::RateLimited { until: self.pace.closed_until(&now) };
        }
        let again = status == StatusCode::SERVICE_UNAVAILABLE && pause.is_none();
        let detail = answer::status_words(status, &headers, &bytes, &self.withheld);
        Err(Failed { left: !status.is_client_error(), again, ..never_sent(kind, detail) })
    }

    async fn good(&self, response: reqwest::Response, body: &Body<'_>) -> Result<(usize, Value), answer::Fault> {
        let headers = response.headers().clone();
        let bytes = answer::body(response, self.most_bytes).await?;
        if bytes.is_empty() && matches!(body, Body::Json(_) | Body::PatchIf(..) | Body::Delete) {
            return Ok((0, Value::Null));
        }
        let mut value = match self.expects {
            Expects::Json(kind) if matches!(body, Body::Text | Body::Call) => answer::text(answer::product(kind), &headers, &bytes)?,
            Expects::Json(kind) => answer::json(answer::product(kind), &headers, &bytes)?,
            Expects::Desk => answer::json("a ServiceNow", &headers, &bytes)?,
            Expects::Calendar => answer::calendar(&headers, &bytes)?,
        };
        self.withheld.value(&mut value);
        Ok((bytes.len(), value))
    }

    fn request(&self, client: &Client, url: &Url, body: &Body<'_>, etag: Option<&str>) -> Result<Request, Failed> {
        let mut request = match body {
            Body::None | Body::Text => client.request(Method::GET, url.clone()),
            Body::Call | Body::Json(Value::Null) => client.request(Method::POST, url.clone()),
            Body::Json(value) => client.request(Method::POST, url.clone()).json(value),
            Body::Delete => client.request(Method::DELETE, url.clone()),
            Body::Patch(value) => client.request(Method::PATCH, url.clone()).json(value),
            Body::PatchIf(value, etag) => client.request(Method::PATCH, url.clone()).header(IF_MATCH, *etag).json(value),
            Body::PatchAs(value, media) => client.request(Method::PATCH, url.clone()).header(CONTENT_TYPE, *media).body(value.to_string()),
            Body::Form(form) => client.request(Method::POST, url.clone()).form(form),
        };
        request = match self.expects {
            // The version of the API that this adapter was written against.
            Expects::Json(BackendKind::Github) => {
                request.header(ACCEPT, "application/vnd.github+json, application/json").header("X-GitHub-Api-Version", "2022-11-28")
            }
            Expects::Json(_) if matches!(body, Body::Text | Body::Call) => request.header(ACCEPT, "text/plain"),
            Expects::Json(_) | Expects::Desk | Expects::Calendar => request.header(ACCEPT, self.expects.media()),
        };
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        request.build().map_err(|error| {
            let (kind, detail) = answer::transport(error);
            never_sent(kind, detail)
        })
    }
}

pub(super) fn never_sent(kind: PortErrorKind, detail: String) -> Failed {
    Failed { kind, detail, left: false, again: false, fix: None }
}

/// Whether an address leads to this machine.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_this_machine() {
        for (url, here) in [("http://127.8.0.1:9", true), ("http://[::1]/", true), ("http://localhost/", true), ("http://10.0.0.1/", false)]
        {
            assert_eq!(is_this_machine(&Url::parse(url).unwrap()), here, "{url}");
        }
    }
}
