//! Announcements: a body that is posted once to an address which may be a secret, and whose answer counts by its status alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};

use super::answer;
use super::client::{Failed, HttpClient, never_sent};
use super::credential::Credential;
use super::pace;
use super::tls;
use crate::config::settings::{Address, BackendSettings, WebhookSettings};
use crate::config::withheld::Withheld;
use crate::model::catalog::BackendKind;
use crate::model::error::{PortError, PortErrorKind};
use crate::ports::clock::Clock;
use crate::ports::notify::NotifyError;

/// What is posted.
pub struct Announcement<'a> {
    /// Its media type.
    pub media: &'static str,
    /// Further heads.
    pub heads: Vec<(String, String)>,
    /// The body.
    pub body: &'a [u8],
}

/// What becomes of an announcement that was answered with something else than 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It may be taken later.
    Later,
    /// It was refused, and a few more tries are made.
    Refused,
    /// It was refused, and the protocol forbids another try.
    Final,
}

/// As most receivers mean it: 4xx without 408, 425 and 429 is a refusal.
pub fn usual(status: StatusCode) -> Patience {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Patience::Later,
        status if status.is_client_error() => Patience::Refused,
        _ => Patience::Later,
    }
}

/// The most bytes of an answer that are read.
const MOST: usize = 256 * 1024;

/// One request: how, what, and what its failing answers mean.
struct Call<'a> {
    method: Method,
    path: &'a str,
    what: &'a Announcement<'a>,
    patience: fn(StatusCode) -> Patience,
    reads: bool,
}

impl HttpClient {
    /// A client for a webhook: its origin is what it speaks to. The path is kept by the caller, for it may be a secret; so may be
    /// `hidden`, and both are taken out of whatever the receiver says.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn for_webhook(
        settings: &WebhookSettings,
        (origin, path): (&str, &str),
        credential: &Credential,
        hidden: &[&str],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let like = BackendSettings {
            name: settings.name.clone(),
            // Of no kind of backend: the answer's body is not read.
            kind: BackendKind::Buildbot,
            address: Address::Http(origin.to_owned()),
            token: None,
            user: None,
            password: None,
            ca_file: settings.ca_file.clone(),
            insecure: settings.insecure,
            deadline: settings.deadline,
            file: None,
            namespace: None,
        };
        let parts = path.split(['/', '?', '&']).filter(|part| part.len() >= 16);
        let hidden = hidden.iter().copied().chain([path].into_iter().filter(|path| path.len() >= 8)).chain(parts);
        Ok(Self::new(&like, credential, clock)?.withholding(hidden.fold(Withheld::default(), |all, one| all.and(Withheld::token(one)))))
    }

    /// Posts once, never tried again by itself; `path` with its query. The answer's body is not waited for.
    ///
    /// # Errors
    /// [`NotifyError::Refused`] when the receiver refused what it was told (4xx without 408, 425 and 429, or a redirect, which is not
    /// followed); [`NotifyError::Later`] for everything else that is no 2xx.
    pub async fn announce(&self, doing: &str, path: &str, what: &Announcement<'_>) -> Result<(), NotifyError> {
        self.told(doing, &Call { method: Method::POST, path, what, patience: usual, reads: false }).await.map(drop)
    }

    /// The same by any method, with the answer's body, and with a protocol's own say of what may be tried again.
    ///
    /// # Errors
    /// As `patience` says of the status; a redirect is a refusal, everything without a status is for later.
    pub async fn exchange(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        what: &Announcement<'_>,
        patience: fn(StatusCode) -> Patience,
    ) -> Result<Vec<u8>, NotifyError> {
        self.told(doing, &Call { method, path, what, patience, reads: true }).await
    }

    async fn told(&self, doing: &str, call: &Call<'_>) -> Result<Vec<u8>, NotifyError> {
        let begun = AtomicBool::new(false);
        let said = match tokio::time::timeout(self.deadline(), self.post(call, &begun)).await {
            Ok(said) => said,
            Err(_) => Err((Patience::Later, Failed::late(self.deadline(), begun.load(Ordering::Relaxed)))),
        };
        said.map_err(|(patience, failed)| {
            let error = self.failure(doing, &failed);
            match patience {
                Patience::Later => NotifyError::Later(error),
                Patience::Refused => NotifyError::Refused(error),
                Patience::Final => NotifyError::Final(error),
            }
        })
    }

    async fn post(&self, call: &Call<'_>, begun: &AtomicBool) -> Result<Vec<u8>, (Patience, Failed)> {
        let Call { method, path, what, patience, reads } = call;
        let later = |failed: Failed| (Patience::Later, failed);
        self.heed_pause().map_err(later)?;
        let url = self.whole(path).map_err(later)?;
        let mut request = self.client().await.map_err(later)?.request(method.clone(), url.clone());
        if !what.body.is_empty() {
            request = request.header(CONTENT_TYPE, what.media);
        }
        for (name, value) in &what.heads {
            let name = HeaderName::from_bytes(name.as_bytes());
            let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else {
                return Err(later(never_sent(PortErrorKind::Malformed, "a head cannot be written".to_owned())));
            };
            request = request.header(name, value);
        }
        let request = self.authorized(request.body(what.body.to_vec())).build();
        let request = request.map_err(|error| later(unsent(answer::transport(error))))?;
        begun.store(true, Ordering::Relaxed);
        let response = self.client().await.map_err(later)?.execute(request).await.map_err(|error| {
            if let Some((detail, fix)) = tls::refusal(&error, self.ca_file()) {
                return later(Failed { fix: Some(fix), ..never_sent(PortErrorKind::Unreachable, detail) });
            }
            later(unsent(answer::transport(error)))
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            let body = if *reads { answer::body(response, MOST).await } else { Ok(Vec::new()) };
            return body.map_err(|fault| later(unsent(fault)));
        }
        if status.is_redirection() {
            return Err((Patience::Refused, never_sent(PortErrorKind::Refused, answer::redirect_words(status, &headers, &url))));
        }
        let now = self.clock().now();
        let mut kind = answer::status_kind(status);
        let bytes = answer::body(response, answer::MOST_OF_REFUSAL).await.unwrap_or_default();
        if let Some(pause) = pace::asked(false, status, &headers, &bytes, now.wall) {
            kind = PortErrorKind::RateLimited { until: Some(self.pause(&now, pause)) };
        }
        Err((patience(status), never_sent(kind, answer::status_words(status, &headers, &bytes, self.withheld()))))
    }

    /// A text from outside, without any secret of ours that it repeats.
    pub fn without_secrets(&self, text: &str) -> String {
        self.withheld().words(text)
    }

    /// The address with a path that may have a query.
    fn whole(&self, path: &str) -> Result<Url, Failed> {
        let (bare, query) = path.split_once('?').map_or((path, None), |(bare, query)| (bare, Some(query)));
        let mut url = self.url(bare)?;
        url.set_query(query);
        Ok(url)
    }
}

fn unsent((kind, detail): answer::Fault) -> Failed {
    never_sent(kind, detail)
}
