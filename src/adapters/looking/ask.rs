//! Asks an address whether a product answers there: by the shape of its answer, never by its port.

use std::time::Duration;

use serde_json::Value;

use crate::adapters::http::bare_client;
use crate::config::init::found::Seen;
use crate::config::init::places::Asked;
use crate::model::catalog::BackendKind;
use crate::model::text::Text;

/// The longest wait for one answer.
const WITHIN: Duration = Duration::from_secs(2);
/// The most bytes of an answer that are read.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The most names that are taken from one answer.
const MOST_NAMES: usize = 500;

/// Asks one product; why it is not there, in words.
pub(super) async fn ask(asked: &Asked) -> Result<Seen, String> {
    tokio::time::timeout(WITHIN, recognised(asked)).await.unwrap_or_else(|_| Err("no whole answer within 2 s".to_owned()))
}

async fn recognised(asked: &Asked) -> Result<Seen, String> {
    let client = bare_client(asked.place.starts_with("http://"), WITHIN).await?;
    let base = asked.place.trim_end_matches('/');
    let get = |path: &'static str| {
        let (client, url) = (&client, format!("{base}{path}"));
        async move { get(client.get(url)).await }
    };
    let seen = |says: String| Seen::new(asked.kind, &asked.place, &asked.from, says);
    let other = |product: &str| format!("something answers, and it is no {product}");
    match asked.kind {
        BackendKind::Prometheus => {
            let answer = get("/api/v1/status/buildinfo").await?;
            let version = text(&answer, "/data/version").filter(|_| text(&answer, "/status").as_deref() == Some("success"));
            let version = version.ok_or_else(|| other("Prometheus"))?;
            let services = get("/api/v1/label/service/values").await.map(|answer| names(answer.pointer("/data"))).unwrap_or_default();
            Ok(Seen { services, ..seen(format!("Prometheus {version}")) })
        }
        BackendKind::Alertmanager => {
            let answer = get("/api/v2/status").await?;
            let version = text(&answer, "/versionInfo/version").filter(|_| answer.pointer("/cluster/status").is_some());
            Ok(seen(format!("Alertmanager {}", version.ok_or_else(|| other("Alertmanager"))?)))
        }
        BackendKind::Buildbot => {
            let answer = get("/api/v2/builders").await?;
            let builders = answer.pointer("/builders").filter(|_| answer.pointer("/meta").is_some()).and_then(Value::as_array);
            let builders = builders.ok_or_else(|| other("Buildbot"))?;
            let names = builders.iter().filter_map(|one| text(one, "/name")).take(MOST_NAMES).collect();
            Ok(Seen { builders: names, ..seen("Buildbot".to_owned()) })
        }
        BackendKind::Envoy => {
            let answer = get("/server_info").await?;
            let version = text(&answer, "/version").filter(|_| answer.pointer("/command_line_options").is_some());
            Ok(seen(format!("Envoy {}", version.ok_or_else(|| other("Envoy"))?)))
        }
        BackendKind::Traefik => {
            let answer = get("/api/version").await?;
            let version = text(&answer, "/Version").filter(|_| answer.pointer("/Codename").is_some());
            Ok(seen(format!("Traefik {}", version.ok_or_else(|| other("Traefik"))?)))
        }
        BackendKind::Caddy => {
            let answer = get("/config/").await?;
            let fits = answer.pointer("/apps").or(answer.pointer("/admin")).is_some();
            if fits { Ok(seen("Caddy".to_owned())) } else { Err(other("Caddy with a configuration")) }
        }
        BackendKind::Unleash => {
            let answer = get("/health").await?;
            if text(&answer, "/health").as_deref() == Some("GOOD") { Ok(seen("Unleash".to_owned())) } else { Err(other("Unleash")) }
        }
        BackendKind::Flagd => {
            let question = client.post(format!("{base}/ofrep/v1/evaluate/flags"));
            let question = question.header("content-type", "application/json").body("{\"context\":{\"targetingKey\":\"gonogo\"}}");
            let answer = self::get(question).await?;
            if answer.pointer("/flags").is_some_and(Value::is_array) { Ok(seen("flagd".to_owned())) } else { Err(other("flagd")) }
        }
        BackendKind::Haproxy | BackendKind::GatewayApi | BackendKind::Istio | BackendKind::Kubernetes | BackendKind::Github => {
            Err("it is not looked for at an address".to_owned())
        }
    }
}

/// Sends one request and reads its answer as JSON, up to a bound.
async fn get(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let mut answer = request
        .send()
        .await
        .map_err(|error| if error.is_connect() { "nothing listens there".to_owned() } else { "it does not answer".to_owned() })?;
    let code = answer.status();
    if code == reqwest::StatusCode::UNAUTHORIZED || code == reqwest::StatusCode::FORBIDDEN {
        return Err(format!(
            "it answers {} and asks for a credential: write it yourself, with `token` or `user` and `password`",
            code.as_u16()
        ));
    }
    if !code.is_success() {
        return Err(format!("something answers {} there", code.as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| "the answer broke off".to_owned())? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err("its answer is longer than 4 MiB".to_owned());
        }
    }
    serde_json::from_slice(&body).map_err(|_| "something answers there, and not in JSON".to_owned())
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(|text| Text::clean_within(text, 100).to_string())
}

fn names(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).take(MOST_NAMES).collect()
}
