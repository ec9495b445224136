//! Text behind one redirect: the address that the backend signed is asked once, without our credential.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Url};

use super::answer;
use super::client::{Failed, HttpClient, never_sent};
use super::pace;
use crate::model::error::{PortError, PortErrorKind};

impl HttpClient {
    /// Reads text of at most `most` bytes which the backend gives itself or by one redirect. The credential goes to the backend alone, and
    /// from an encrypted address no redirect leads to a plain one.
    ///
    /// # Errors
    /// As [`Self::get_json`]; `Refused` for a second redirect or one to nowhere.
    pub async fn get_text(&self, doing: &str, path: &str, most: usize) -> Result<String, PortError> {
        let begun = AtomicBool::new(false);
        let result = match tokio::time::timeout(self.deadline(), self.text(path, most, &begun)).await {
            Ok(result) => result,
            Err(_) => Err(Failed::late(self.deadline(), begun.load(Ordering::Relaxed))),
        };
        result.map_err(|failed| self.failure(doing, &failed))
    }

    async fn text(&self, path: &str, most: usize, begun: &AtomicBool) -> Result<String, Failed> {
        let url = self.url(path)?;
        let response = self.ask(&url, begun).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let signed = if status.is_redirection() {
            let to = target(&url, &headers).ok_or_else(|| refused(answer::redirect_words(status, &headers, &url)))?;
            let request = self.client().await?.request(Method::GET, to).build().map_err(|error| unsent(answer::transport(error)))?;
            self.client().await?.execute(request).await.map_err(|error| unsent(answer::transport(error)))?
        } else {
            response
        };
        let (status, headers) = (signed.status(), signed.headers().clone());
        if status.is_redirection() {
            return Err(refused(answer::redirect_words(status, &headers, &url)));
        }
        if !status.is_success() {
            let now = self.clock().now();
            let bytes = answer::body(signed, 64 * 1024).await.unwrap_or_default();
            let mut kind = answer::status_kind(status);
            if let Some(pause) = pace::asked(self.is_github(), status, &headers, &bytes, now.wall) {
                kind = PortErrorKind::RateLimited { until: Some(self.pause(&now, pause)) };
            }
            return Err(never_sent(kind, answer::status_words(status, &headers, &bytes, self.withheld())));
        }
        let bytes = answer::body(signed, most).await.map_err(unsent)?;
        Ok(self.withheld().words(&String::from_utf8_lossy(&bytes)))
    }
}

/// Where a redirect leads, when it may be followed.
fn target(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let plain = to.scheme() == "http" && from.scheme() == "http";
    (to.scheme() == "https" || plain).then_some(to)
}

fn unsent((kind, detail): answer::Fault) -> Failed {
    never_sent(kind, detail)
}

fn refused(detail: String) -> Failed {
    never_sent(PortErrorKind::Refused, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_never_leads_from_encrypted_to_plain_or_to_another_scheme() {
        let leads = |from: &str, to: &str| {
            let headers = [(LOCATION, to.parse().unwrap())].into_iter().collect();
            target(&Url::parse(from).unwrap(), &headers).map(String::from)
        };
        assert_eq!(leads("https://a/x", "https://b/y?sig=1").as_deref(), Some("https://b/y?sig=1"));
        assert_eq!(leads("https://a/x", "/y").as_deref(), Some("https://a/y"));
        assert_eq!(leads("http://a/x", "http://b/y").as_deref(), Some("http://b/y"));
        assert_eq!(leads("https://a/x", "http://b/y"), None);
        assert_eq!(leads("https://a/x", "file:///etc/passwd"), None);
    }
}
