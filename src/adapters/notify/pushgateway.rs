//! Prometheus Pushgateway: of each service and environment a group of gauges that say when it was deployed last, to what, and how it went.
//!
//! Pushed by POST, which replaces only metrics of the same name: what this notice says nothing of stays as it was. Pushing twice is
//! pushing once. No sample bears a time: the gateway refuses such.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chrono::{DateTime, Utc};
use reqwest::Method;

use super::deployment::{Deployment, Stage};
use super::webhook::{Resolved, client};
use crate::adapters::http::{Announcement, HttpClient, segment, usual};
use crate::config::settings::WebhookSettings;
use crate::model::error::PortError;
use crate::model::outbox::{Notice, NoticeKind};
use crate::ports::Pending;
use crate::ports::clock::Clock;
use crate::ports::notify::{Notify, NotifyError};

const DOING: &str = "push metrics";
/// The text format that the gateway reads.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One gateway.
pub struct Pushgateway {
    http: HttpClient,
    base: String,
}

impl Pushgateway {
    /// A gateway; its address may have a path before `/metrics`.
    ///
    /// # Errors
    /// As [`client`].
    pub fn new(settings: &WebhookSettings, resolved: &Resolved, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let (http, path) = client(settings, resolved, clock)?;
        Ok(Self { http, base: path.trim_end_matches('/').to_owned() })
    }

    async fn push(&self, notice: &Notice) -> Result<(), NotifyError> {
        let Some(deployment) = Deployment::of(notice) else { return Ok(()) };
        let target = deployment.target;
        let (service, environment) = (label("service", target.service.as_str()), label("environment", target.environment.as_str()));
        let path = format!("{}/metrics/job/gonogo/{service}/{environment}", self.base);
        let body = metrics(notice, &deployment).into_bytes();
        let what = Announcement { media: MEDIA, heads: Vec::new(), body: &body };
        self.http.exchange(DOING, Method::POST, &path, &what, usual).await.map(drop)
    }
}

/// A label of the grouping key as two segments of a path; in base64 where the path could not hold it as it is.
fn label(name: &str, value: &str) -> String {
    if value.is_empty() || value.starts_with('.') || value.contains('/') {
        let encoded = Base64UrlUnpadded::encode_string(value.as_bytes());
        return format!("{name}@base64/{}", if encoded.is_empty() { "=" } else { &encoded });
    }
    format!("{name}/{}", segment(value))
}

/// A label's value inside quotes.
fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(at: &DateTime<Utc>) -> String {
    format!("{}.{:03}", at.timestamp(), at.timestamp_subsec_millis())
}

/// What is pushed of one notice.
fn metrics(notice: &Notice, deployment: &Deployment<'_>) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, labels: &str, value: &str| {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name}{labels} {value}\n"));
    };
    let at = seconds(&notice.at);
    match deployment.stage {
        Stage::Begun => {
            gauge("gonogo_deployment_begun_timestamp_seconds", "When a deployment began last.", "", &at);
        }
        Stage::Done => {
            let order = &deployment.plan.order;
            gauge("gonogo_deployment_timestamp_seconds", "When a deployment took effect last.", "", &at);
            let version = deployment.version().map(quoted).unwrap_or_default();
            let labels = format!("{{verb=\"{}\",version=\"{version}\"}}", order.verb.word());
            gauge("gonogo_deployment_info", "What was deployed last: the verb, and the version that it brought.", &labels, "1");
            if let Some(share) = order.percent {
                let share = format!("{:.2}", f64::from(share.get()) / 100.0);
                gauge("gonogo_deployment_share_ratio", "The share of the traffic that the version on trial was set to last.", "", &share);
            }
            if deployment.begins_rollout() || deployment.ends_rollout().is_some() {
                let running = if deployment.begins_rollout() { "1" } else { "0" };
                gauge("gonogo_rollout_running", "Whether a rollout goes on by itself.", "", running);
            }
        }
        Stage::Failed(_) if notice.kind == NoticeKind::WayBackFailed => {
            gauge("gonogo_way_back_failed_timestamp_seconds", "When an automatic way back did not come about last.", "", &at);
        }
        Stage::Failed(_) => {
            gauge("gonogo_deployment_failed_timestamp_seconds", "When a deployment failed last, slipped, or became unknown.", "", &at);
        }
    }
    text
}

impl Notify for Pushgateway {
    fn tell<'a>(&'a self, notice: &'a Notice) -> Pending<'a, Result<(), NotifyError>> {
        Box::pin(self.push(notice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_no_path_can_hold_is_told_in_base64() {
        assert_eq!(label("service", "checkout-api"), "service/checkout-api");
        // `/var/tmp` is the example of the gateway's own page.
        assert_eq!(label("path", "/var/tmp"), "path@base64/L3Zhci90bXA");
        assert_eq!((label("x", ""), label("x", "..")), ("x@base64/=".to_owned(), "x@base64/Li4".to_owned()));
        assert_eq!(quoted("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
