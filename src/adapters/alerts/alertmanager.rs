//! Alertmanager v2: what fires, how it is grouped, what silences it.

use chrono::{DateTime, Utc};
use futures_util::future::try_join3;
use serde_json::Value;

use super::silencing;
use crate::adapters::http::HttpClient;
use crate::model::alert::{Alert, AlertGroup, AlertReading, Silence};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::alerts::Alerts;

/// Labels and annotations kept of one alert.
const MOST_LABELS: usize = 64;
/// Characters kept of a label's value.
const LONGEST_LABEL: usize = 1_000;
/// Silences, inhibiting alerts, matchers named for one alert or silence.
const MOST_NAMED: usize = 100;

/// An Alertmanager behind the alerts port.
pub struct Alertmanager {
    http: HttpClient,
}

impl Alertmanager {
    /// Puts the port on a client.
    pub fn new(http: HttpClient) -> Self {
        Self { http }
    }

    async fn silence_now(&self, effect: &Effect) -> Result<(), SendError> {
        let answer = self.http.get_json("read silences", "/api/v2/silences", &[]).await.map_err(SendError::NotDone)?;
        let before = self.each("read silences", &answer.value, silence, |silence| &silence.id).map_err(SendError::NotDone)?;
        silencing::carry_out(&self.http, effect, &before).await
    }

    async fn read_all(&self) -> Result<AlertReading, PortError> {
        // Alertmanager's own defaults are said in full, so that a changed default hides nothing.
        let all = [("active", "true"), ("silenced", "true"), ("inhibited", "true")];
        let unprocessed = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
        let (alerts, groups, silences) = try_join3(
            self.http.get_json("read alerts", "/api/v2/alerts", &unprocessed),
            self.http.get_json("read alert groups", "/api/v2/alerts/groups", &all),
            self.http.get_json("read silences", "/api/v2/silences", &[]),
        )
        .await?;
        Ok(AlertReading {
            alerts: self.each("read alerts", &alerts.value, alert, |alert| &alert.fingerprint)?,
            groups: self.each("read alert groups", &groups.value, group, |group| &group.labels)?,
            silences: self.each("read silences", &silences.value, silence, |silence| &silence.id)?,
            backend_clock: alerts.date,
        })
    }

    /// Reads a list, each entry by `read` (`Ok(None)` leaves one out), in an order of its own so that equal lists are equal.
    fn each<T, K: Ord>(
        &self,
        doing: &str,
        list: &Value,
        read: impl Fn(&Value) -> Result<Option<T>, String>,
        key: impl Fn(&T) -> &K,
    ) -> Result<Vec<T>, PortError> {
        let malformed = |why: &str| self.http.fault(PortErrorKind::Malformed, doing, why);
        let list = list.as_array().ok_or_else(|| malformed("answered no list: is this the address of an Alertmanager?"))?;
        let read: Result<Vec<Option<T>>, String> = list.iter().map(read).collect();
        let mut read: Vec<T> = read.map_err(|why| malformed(&why))?.into_iter().flatten().collect();
        read.sort_by(|a, b| key(a).cmp(key(b)));
        Ok(read)
    }
}

impl Alerts for Alertmanager {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadAlerts, Capability::Silence]
    }

    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>> {
        Box::pin(self.read_all())
    }

    fn silence<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(self.silence_now(effect))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        silencing::by_hand(&self.http, effect)
    }
}

fn text(value: &Value, name: &str) -> Text {
    Text::clean(value.get(name).and_then(Value::as_str).unwrap_or_default())
}

fn pairs(value: &Value, name: &str) -> Vec<(Text, Text)> {
    let object = value.get(name).and_then(Value::as_object).into_iter().flatten();
    let clean = |(name, value): (&String, &Value)| {
        (Text::clean_within(name, 256), Text::clean_within(value.as_str().unwrap_or_default(), LONGEST_LABEL))
    };
    let mut pairs: Vec<_> = object.map(clean).collect();
    pairs.sort();
    pairs.truncate(MOST_LABELS);
    pairs
}

/// A list of texts; absent (as `mutedBy` is in 0.25) or null is empty.
fn texts(value: Option<&Value>) -> Vec<Text> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).take(MOST_NAMED).map(|text| Text::clean_within(text, 256)).collect()
}

fn moment(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(value.get(name)?.as_str()?).ok()?.to_utc();
    (0..253_402_300_800).contains(&at.timestamp()).then_some(at)
}

fn alert(value: &Value) -> Result<Option<Alert>, String> {
    let label = |name: &str| {
        Text::clean_within(
            value.get("labels").and_then(|labels| labels.get(name)).and_then(Value::as_str).unwrap_or_default(),
            LONGEST_LABEL,
        )
    };
    let (fingerprint, name) = (text(value, "fingerprint"), label("alertname"));
    if fingerprint.is_empty() {
        return Err(format!("the alert `{name}` has no fingerprint"));
    }
    let status = value.get("status").unwrap_or(&Value::Null);
    Ok(Some(Alert {
        since: moment(value, "startsAt").ok_or_else(|| format!("the alert `{name}` has no time at which it began"))?,
        fingerprint,
        severity: label("severity"),
        name,
        labels: pairs(value, "labels"),
        annotations: pairs(value, "annotations"),
        silenced_by: texts(status.get("silencedBy")),
        inhibited_by: texts(status.get("inhibitedBy")),
        source_url: text(value, "generatorURL"),
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "one of the readers that `each` takes")]
fn group(value: &Value) -> Result<Option<AlertGroup>, String> {
    let alerts = value.get("alerts").and_then(Value::as_array).into_iter().flatten();
    let mut fingerprints: Vec<Text> = alerts.map(|alert| text(alert, "fingerprint")).filter(|text| !text.is_empty()).collect();
    fingerprints.sort();
    Ok(Some(AlertGroup { labels: pairs(value, "labels"), fingerprints }))
}

fn silence(value: &Value) -> Result<Option<Silence>, String> {
    let id = text(value, "id");
    let state = value.pointer("/status/state").and_then(Value::as_str).unwrap_or_default();
    if !matches!(state, "active" | "pending") {
        return Ok(None);
    }
    let matchers = value.get("matchers").and_then(Value::as_array).into_iter().flatten();
    Ok(Some(Silence {
        ends: moment(value, "endsAt").ok_or_else(|| format!("the silence `{id}` has no end"))?,
        id,
        matchers: matchers.take(MOST_NAMED).map(matcher).collect(),
        by: Text::clean_within(value.get("createdBy").and_then(Value::as_str).unwrap_or_default(), 256),
        comment: text(value, "comment"),
    }))
}

fn matcher(value: &Value) -> Text {
    let flag = |name: &str, absent: bool| value.get(name).and_then(Value::as_bool).unwrap_or(absent);
    let sign = match (flag("isEqual", true), flag("isRegex", false)) {
        (true, false) => "=",
        (false, false) => "!=",
        (true, true) => "=~",
        (false, true) => "!~",
    };
    let said = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let quoted = said("value").replace('\\', "\\\\").replace('"', "\\\"");
    Text::clean_within(&format!("{}{sign}\"{quoted}\"", said("name")), LONGEST_LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_matcher_reads_as_a_person_would_write_it() {
        let written = |value: Value| matcher(&value).as_str().to_owned();
        assert_eq!(written(json!({"name": "a", "value": "b\"c", "isRegex": false})), r#"a="b\"c""#);
        assert_eq!(written(json!({"name": "a", "value": "b.*", "isRegex": true, "isEqual": false})), r#"a!~"b.*""#);
    }

    #[test]
    fn an_alert_without_mutedby_or_with_one_reads_alike() {
        let old = json!({"fingerprint": "f", "labels": {"alertname": "A"}, "startsAt": "2026-11-23T10:00:00.000Z",
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}});
        let mut new = old.clone();
        new["status"]["mutedBy"] = json!(["night"]);
        assert_eq!(alert(&old).unwrap(), alert(&new).unwrap());
    }

    #[test]
    fn a_time_that_no_calendar_knows_is_an_error_that_names_the_alert() {
        let bad = json!({"fingerprint": "f", "labels": {"alertname": "A\u{1b}"}, "startsAt": "0001-01-01T00:00:00Z", "status": {}});
        assert_eq!(alert(&bad).unwrap_err(), "the alert `A␛` has no time at which it began");
    }

    #[test]
    fn an_expired_silence_and_one_of_an_unknown_state_are_left_out() {
        let silence_in = |state: &str| {
            silence(&json!({"id": "1", "status": {"state": state}, "endsAt": "2026-11-23T10:00:00Z", "matchers": []})).unwrap()
        };
        assert!(silence_in("pending").is_some());
        assert!(silence_in("expired").is_none());
        assert!(silence_in("asleep").is_none());
    }
}
