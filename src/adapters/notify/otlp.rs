//! OpenTelemetry: each notice is a log record with an event's name, sent by OTLP over HTTP in its JSON encoding.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::deployment::{Deployment, Stage};
use super::event;
use super::line::line;
use super::webhook::{Resolved, client};
use crate::adapters::http::{Announcement, HttpClient, Patience};
use crate::config::settings::WebhookSettings;
use crate::model::deed::EntryKind;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::outbox::{Notice, NoticeKind, Severity};
use crate::ports::Pending;
use crate::ports::clock::Clock;
use crate::ports::notify::{Notify, NotifyError};

const DOING: &str = "send a log record";
/// Where logs go, behind the endpoint.
const PATH: &str = "/v1/logs";

/// One OTLP endpoint.
pub struct Otlp {
    http: HttpClient,
    path: String,
    room: String,
}

impl Otlp {
    /// An endpoint that is told of a room; `/v1/logs` is put behind its path where it is not there.
    ///
    /// # Errors
    /// As [`client`].
    pub fn new(settings: &WebhookSettings, resolved: &Resolved, room: &str, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let (http, path) = client(settings, resolved, clock)?;
        let path = path.trim_end_matches('/');
        let path = if path.ends_with(PATH) { path.to_owned() } else { format!("{path}{PATH}") };
        Ok(Self { http, path, room: room.to_owned() })
    }

    async fn send(&self, notice: &Notice) -> Result<(), NotifyError> {
        let body = request(&self.room, notice, self.http.clock().now().wall).to_string().into_bytes();
        let what = Announcement { media: "application/json", heads: Vec::new(), body: &body };
        let answer = self.http.exchange(DOING, Method::POST, &self.path, &what, patience).await?;
        // An endpoint that took only a part says so with 200; the protocol forbids to send that part again.
        let said: Value = serde_json::from_slice(&answer).unwrap_or(Value::Null);
        let rejected = said.pointer("/partialSuccess/rejectedLogRecords");
        let rejected = rejected.is_some_and(|count| count.as_u64().or(count.as_str().and_then(|text| text.parse().ok())).unwrap_or(0) > 0);
        if rejected {
            let why = said.pointer("/partialSuccess/errorMessage").and_then(Value::as_str).unwrap_or("it says no reason");
            let why = format!("the record was rejected: {}", self.http.without_secrets(why));
            return Err(NotifyError::Final(self.http.fault(PortErrorKind::Refused, DOING, &why)));
        }
        Ok(())
    }
}

/// Which answers the protocol lets be tried again: 429, 502, 503 and 504. All others are final.
fn patience(status: StatusCode) -> Patience {
    match status.as_u16() {
        429 | 502 | 503 | 504 => Patience::Later,
        _ => Patience::Final,
    }
}

/// Number and word of a severity, as the log data model has them.
fn severity(notice: &Notice) -> (u8, &'static str) {
    match notice.kind {
        kind if kind.severity() == Severity::Critical => (21, "FATAL"),
        NoticeKind::Entry(EntryKind::Failed | EntryKind::Unknown | EntryKind::Slipped) => (17, "ERROR"),
        NoticeKind::Entry(EntryKind::Denied | EntryKind::Unwatched | EntryKind::NotBegun | EntryKind::BreakGlass) => (13, "WARN"),
        NoticeKind::Entry(_) | NoticeKind::Planned | NoticeKind::Waiting | NoticeKind::WayBackFailed => (9, "INFO"),
    }
}

fn attribute(key: &str, value: impl Into<String>) -> Value {
    json!({ "key": key, "value": { "stringValue": value.into() } })
}

/// The body of one request: one record.
fn request(room: &str, notice: &Notice, now: chrono::DateTime<chrono::Utc>) -> Value {
    let deployment = Deployment::of(notice);
    let nanos = |at: &chrono::DateTime<chrono::Utc>| at.timestamp_nanos_opt().unwrap_or_default().to_string();
    // Whose telemetry it is: the service that is deployed, so that it stands beside its own.
    let service = notice.target.as_ref().map_or_else(|| "gonogo".to_owned(), |target| target.service.to_string());
    let mut resource = vec![attribute("service.name", service)];
    resource.extend(notice.target.as_ref().map(|target| attribute("deployment.environment.name", target.environment.to_string())));
    let mut attributes = vec![
        attribute("gonogo.notice.id", notice.id.as_str()),
        attribute("gonogo.room", room),
        attribute("gonogo.kind", notice.kind.word()),
    ];
    attributes.extend(notice.state.as_deref().map(|state| attribute("gonogo.state", state)));
    attributes.extend(notice.verb.as_deref().map(|verb| attribute("gonogo.verb", verb)));
    attributes.extend(notice.requester.as_deref().map(|by| attribute("gonogo.requester", by)));
    attributes.extend(notice.deed.map(|deed| attribute("deployment.id", deed.to_string())));
    if let Some(deployment) = deployment {
        attributes.extend(deployment.version().map(|version| attribute("gonogo.version", version)));
        attributes.extend(
            deployment.plan.order.percent.map(|share| json!({ "key": "gonogo.share", "value": { "intValue": share.get().to_string() } })),
        );
        let status = match deployment.stage {
            Stage::Begun => None,
            Stage::Done => Some("succeeded"),
            Stage::Failed(_) => Some("failed"),
        };
        attributes.extend(status.map(|status| attribute("deployment.status", status)));
    }
    let name = event::kind(notice);
    let name = name.strip_prefix("dev.").and_then(|name| name.strip_suffix(".v1")).unwrap_or(name);
    let (number, word) = severity(notice);
    json!({
        "resourceLogs": [{
            "resource": { "attributes": resource },
            "scopeLogs": [{
                "scope": { "name": "gonogo", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": [{
                    "timeUnixNano": nanos(&notice.at),
                    "observedTimeUnixNano": nanos(&now),
                    "severityNumber": number,
                    "severityText": word,
                    "eventName": name,
                    "body": { "stringValue": line(room, notice) },
                    "attributes": attributes,
                }],
            }],
        }],
    })
}

impl Notify for Otlp {
    fn tell<'a>(&'a self, notice: &'a Notice) -> Pending<'a, Result<(), NotifyError>> {
        Box::pin(self.send(notice))
    }
}
