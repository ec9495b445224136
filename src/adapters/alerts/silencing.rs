//! Silences made and ended at an Alertmanager, read before and after.

use serde_json::{Value, json};

use crate::adapters::http::HttpClient;
use crate::model::alert::Silence;
use crate::model::deed::Effect;
use crate::model::error::{PortErrorKind, SendError};
use crate::model::plan::StepEffect;
use crate::model::silence::{SilenceChange, comment, is_it};
use crate::model::time::rfc3339;

const DOING: &str = "silence an alert";

/// Carries out a `Silence` effect where these silences were read before.
pub(super) async fn carry_out(http: &HttpClient, effect: &Effect, before: &[Silence]) -> Result<(), SendError> {
    let not_done = |kind, why: &str| SendError::NotDone(http.fault(kind, DOING, why));
    let StepEffect::Silence { backend, matchers, change, .. } = effect.what() else {
        return Err(not_done(PortErrorKind::Unsupported, "an alerting system only silences"));
    };
    if backend != http.backend() {
        return Err(not_done(PortErrorKind::Unsupported, &format!("the effect is for {backend}")));
    }
    match change {
        SilenceChange::Until { ends, comment: reason } => {
            let now = http.clock().now().wall;
            if chrono::DateTime::parse_from_rfc3339(ends).is_ok_and(|ends| ends <= now) {
                return Err(not_done(PortErrorKind::Conflict, "its end is over already; nothing was sent"));
            }
            if before.iter().any(|silence| is_it(silence, matchers, ends, reason)) {
                return Ok(());
            }
            let all: Vec<Value> =
                matchers.iter().map(|(name, value)| json!({"name": name, "value": value, "isRegex": false, "isEqual": true})).collect();
            let body = json!({
                "matchers": all,
                "startsAt": rfc3339(&now),
                "endsAt": ends,
                "createdBy": effect.requester(),
                "comment": comment(reason, &effect.key().to_string()),
            });
            http.post_json(DOING, "/api/v2/silences", &body).await.map(|_| ())
        }
        SilenceChange::Over { ids } => end(http, before, ids).await,
    }
}

async fn end(http: &HttpClient, before: &[Silence], ids: &[String]) -> Result<(), SendError> {
    let mut ended = 0;
    for id in ids.iter().filter(|id| before.iter().any(|silence| silence.id.as_str() == id.as_str())) {
        // What could lead to another address is no identity of a silence.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(SendError::NotDone(http.fault(PortErrorKind::Malformed, DOING, "a silence has an identity that is none")));
        }
        match http.delete(DOING, &format!("/api/v2/silence/{id}")).await {
            Ok(_) => ended += 1,
            Err(SendError::NotDone(error)) if ended > 0 => return Err(SendError::Unknown(error)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The calls by which a person would do the same.
pub(super) fn by_hand(http: &HttpClient, effect: &StepEffect) -> Vec<String> {
    let StepEffect::Silence { matchers, change, .. } = effect else { return Vec::new() };
    let at = http.address("");
    match change {
        SilenceChange::Until { ends, comment } => {
            let all: Vec<String> = matchers.iter().map(|(name, value)| quoted(&format!("{name}=\"{value}\""))).collect();
            vec![format!("amtool --alertmanager.url={at} silence add --end={ends} --comment={} {}", quoted(comment), all.join(" "))]
        }
        SilenceChange::Over { ids } => vec![format!("amtool --alertmanager.url={at} silence expire {}", ids.join(" "))],
    }
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
