//! One webhook: notices as CloudEvents in either mode, or as lines of text, signed where there is a secret.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::event;
use super::line::line;
use super::signature::Key;
use crate::adapters::http::{Announcement, Credential, HttpClient};
use crate::config::secret::Secret;
use crate::config::settings::{Format, WebhookSettings};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::outbox::Notice;
use crate::ports::Pending;
use crate::ports::clock::Clock;
use crate::ports::notify::{Notify, NotifyError};

const DOING: &str = "announce";

/// What its settings refer to, resolved.
pub struct Resolved {
    /// Its address with its path and its query.
    pub url: String,
    /// What notices are signed with.
    pub secret: Option<Secret>,
    /// A bearer token.
    pub token: Option<Secret>,
}

/// A client for a receiver, and the path of its address with its query, which may be a secret.
///
/// # Errors
/// When the address is none, or would be written to in plain text over a network without `insecure`.
pub(super) fn client(settings: &WebhookSettings, resolved: &Resolved, clock: Arc<dyn Clock>) -> Result<(HttpClient, String), PortError> {
    let url = resolved.url.trim();
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let begin = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?'])).map_or(url.len(), |at| at + after_scheme);
    let (origin, path) = url.split_at_checked(begin).unwrap_or((url, ""));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let path = path.split('#').next().unwrap_or_default().to_owned();
    let hidden: Vec<&str> = resolved.secret.as_ref().map(Secret::expose).into_iter().collect();
    let credential = Credential::of(resolved.token.clone(), None);
    let http = HttpClient::for_webhook(settings, (origin, &path), &credential, &hidden, clock)?;
    Ok((http, path))
}

/// One webhook.
pub struct Webhook {
    http: HttpClient,
    path: String,
    format: Format,
    key: Option<Key>,
    room: String,
}

impl Webhook {
    /// A webhook of a room.
    ///
    /// # Errors
    /// When the address is none, would be written to in plain text over a network without `insecure`, or the secret is none.
    pub fn new(settings: &WebhookSettings, resolved: &Resolved, room: &str, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let key = resolved.secret.as_ref().map(Key::read).transpose();
        let key = key.map_err(|why| PortError::new(PortErrorKind::Unauthorised, &settings.name, DOING, why))?;
        let (http, path) = client(settings, resolved, clock)?;
        Ok(Self { http, path, format: settings.format.clone(), key, room: room.to_owned() })
    }

    async fn post(&self, notice: &Notice) -> Result<(), NotifyError> {
        let (media, mut heads, body) = match &self.format {
            Format::Structured => ("application/cloudevents+json; charset=utf-8", Vec::new(), event::structured(notice)),
            Format::Binary => {
                let (heads, body) = event::binary(notice);
                ("application/json", heads, body)
            }
            Format::Text { member } => {
                let text = Map::from_iter([(member.clone(), Value::from(line(&self.room, notice)))]);
                ("application/json", Vec::new(), Value::Object(text).to_string().into_bytes())
            }
            // These have adapters of their own; one that came here all the same is told the event.
            Format::Grafana | Format::Otlp | Format::Pushgateway => {
                ("application/cloudevents+json; charset=utf-8", Vec::new(), event::structured(notice))
            }
        };
        let seconds = self.http.clock().now().wall.timestamp();
        heads.push(("webhook-id".to_owned(), notice.id.clone()));
        heads.push(("webhook-timestamp".to_owned(), seconds.to_string()));
        if let Some(key) = &self.key {
            heads.push(("webhook-signature".to_owned(), key.sign(&notice.id, seconds, &body)));
        }
        self.http.announce(DOING, &self.path, &Announcement { media, heads, body: &body }).await
    }
}

impl Notify for Webhook {
    fn tell<'a>(&'a self, notice: &'a Notice) -> Pending<'a, Result<(), NotifyError>> {
        Box::pin(self.post(notice))
    }
}
