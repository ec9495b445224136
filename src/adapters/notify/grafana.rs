//! Grafana annotations: each deployment is a mark, each rollout a region from its beginning to its end, on every dashboard that asks by tags.
//!
//! Annotations have no key of their own for what is told twice, so the notice's id is a tag, and is looked for first.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::deployment::Deployment;
use super::line::line;
use super::webhook::{Resolved, client};
use crate::adapters::http::{Announcement, HttpClient, segment, usual};
use crate::config::settings::WebhookSettings;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::outbox::{Notice, NoticeKind, Severity};
use crate::ports::Pending;
use crate::ports::clock::Clock;
use crate::ports::notify::{Notify, NotifyError};

const DOING: &str = "annotate";
/// Regions that are closed at once: more were left open by hands that nobody knows.
const MOST: u32 = 20;

/// One Grafana.
pub struct Grafana {
    http: HttpClient,
    base: String,
    room: String,
}

impl Grafana {
    /// A Grafana that is told of a room; its address may have a path before `/api`.
    ///
    /// # Errors
    /// As [`client`].
    pub fn new(settings: &WebhookSettings, resolved: &Resolved, room: &str, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let (http, path) = client(settings, resolved, clock)?;
        Ok(Self { http, base: format!("{}/api/annotations", path.trim_end_matches('/')), room: room.to_owned() })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, NotifyError> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let heads = vec![("accept".to_owned(), "application/json".to_owned())];
        let what = Announcement { media: "application/json", heads, body: &bytes };
        let answer = self.http.exchange(DOING, method, path, &what, usual).await?;
        serde_json::from_slice(&answer).map_err(|_| {
            let why = "the answer is no JSON: is this address a Grafana?";
            NotifyError::Later(self.http.fault(PortErrorKind::Malformed, DOING, why))
        })
    }

    /// The annotations that have all of these tags.
    async fn with(&self, tags: &[String]) -> Result<Vec<u64>, NotifyError> {
        let tags = tags.iter().fold(String::new(), |all, tag| format!("{all}&tags={}", segment(tag)));
        let found = self.ask(Method::GET, &format!("{}?type=annotation&limit={MOST}{tags}", self.base), None).await?;
        let Some(found) = found.as_array() else {
            let why = "the answer is no list of annotations";
            return Err(NotifyError::Later(self.http.fault(PortErrorKind::Malformed, DOING, why)));
        };
        Ok(found.iter().filter_map(|one| one.get("id")?.as_u64()).collect())
    }

    async fn annotate(&self, notice: &Notice) -> Result<(), NotifyError> {
        let Some(deployment) = Deployment::of(notice).filter(|one| one.stage != super::deployment::Stage::Begun) else { return Ok(()) };
        let known = known(notice);
        if !self.with(std::slice::from_ref(&known)).await?.is_empty() {
            return Ok(());
        }
        let at = notice.at.timestamp_millis();
        let mut tags = vec![
            "gonogo".to_owned(),
            format!("service:{}", deployment.target.service),
            format!("environment:{}", deployment.target.environment),
        ];
        let open = "gonogo-rollout:open".to_owned();
        if let Some(ended) = deployment.ends_rollout() {
            let mut closing = tags.clone();
            closing.push(open.clone());
            for id in self.with(&closing).await? {
                let mut closed = tags.clone();
                closed.push(format!("gonogo-rollout:{ended}"));
                let body = json!({ "timeEnd": at, "tags": closed });
                match self.ask(Method::PATCH, &format!("{}/{id}", self.base), Some(&body)).await {
                    // Somebody took it away meanwhile.
                    Err(NotifyError::Refused(error)) if error.kind == PortErrorKind::NotFound => {}
                    other => drop(other?),
                }
            }
        }
        tags.push(format!("verb:{}", deployment.plan.order.verb.word()));
        tags.push(format!("state:{}", deployment.stage.word()));
        tags.extend(deployment.version().map(|version| format!("version:{version}")));
        tags.extend((notice.kind.severity() == Severity::Critical).then(|| "severity:critical".to_owned()));
        tags.extend(deployment.begins_rollout().then_some(open));
        tags.push(known);
        let mut body = json!({ "text": line(&self.room, notice), "tags": tags, "time": at });
        // What calls a person is a moment, and so is where a rollout begins until its end is known.
        let begun = deployment.begun.filter(|_| !deployment.begins_rollout() && notice.kind != NoticeKind::WayBackFailed);
        if let (Some(begun), Some(body)) = (begun, body.as_object_mut()) {
            body.insert("time".to_owned(), begun.timestamp_millis().min(at).into());
            body.insert("timeEnd".to_owned(), at.into());
        }
        self.ask(Method::POST, &self.base, Some(&body)).await.map(drop)
    }
}

/// The tag by which an annotation is found again. A tag is kept in at most 100 characters.
fn known(notice: &Notice) -> String {
    const ROOM: usize = 80;
    let id: Vec<char> = notice.id.chars().collect();
    if id.len() <= ROOM {
        return format!("gonogo-notice:{}", notice.id);
    }
    // The end of a long id is a part of the plan's hash, which is enough of it beside the kind.
    let end: String = id.iter().skip(id.len().saturating_sub(ROOM / 2)).collect();
    format!("gonogo-notice:{}-{end}", notice.kind.word())
}

impl Notify for Grafana {
    fn tell<'a>(&'a self, notice: &'a Notice) -> Pending<'a, Result<(), NotifyError>> {
        Box::pin(self.annotate(notice))
    }
}
