//! Annotations as Grafana's page on them describes them, in memory: who sends a field that it does not know, or a time in seconds, is refused.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::receiver::{Got, Receiver};

/// Who may write.
pub const TOKEN: &str = "glsa_0123456789abcdefghij";

/// A Grafana that ends with the test.
pub struct Grafana {
    /// What it is behind.
    pub receiver: Receiver,
    kept: Arc<Mutex<Vec<Value>>>,
}

impl Grafana {
    /// Starts one without annotations.
    pub fn start() -> Self {
        let (receiver, kept) = (Receiver::start(), Arc::new(Mutex::new(Vec::new())));
        let own = Arc::clone(&kept);
        receiver.answers_by(move |got| {
            let (status, body) = answer(&mut own.lock().unwrap(), got);
            (status, body.to_string())
        });
        Self { receiver, kept }
    }

    /// The annotations, the oldest first.
    pub fn annotations(&self) -> Vec<Value> {
        self.kept.lock().unwrap().clone()
    }
}

fn refused(status: u16, message: &str) -> (u16, Value) {
    (status, json!({ "message": message }))
}

fn answer(kept: &mut Vec<Value>, got: &Got) -> (u16, Value) {
    if got.head("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refused(401, &format!("Unauthorized: {}", got.head("authorization").unwrap_or_default()));
    }
    let mut words = got.line.split(' ');
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let Some(rest) = path.strip_prefix("/grafana/api/annotations") else { return refused(404, "Not found") };
    match (method, rest) {
        ("GET", "") => {
            let decode = |text: &str| text.replace("%3A", ":").replace("%2F", "/").replace("%40", "@");
            let tags: Vec<String> = query.split('&').filter_map(|pair| pair.strip_prefix("tags=")).map(decode).collect();
            let has = |one: &&Value| tags.iter().all(|tag| one["tags"].as_array().unwrap().iter().any(|own| own == tag));
            (200, Value::from(kept.iter().filter(has).cloned().collect::<Vec<_>>()))
        }
        ("POST", "") => match checked(got, true) {
            Ok(mut body) => {
                let id = kept.len() + 1;
                body["id"] = json!(id);
                kept.push(body);
                (200, json!({ "message": "Annotation added", "id": id }))
            }
            Err(why) => refused(400, &why),
        },
        ("PATCH", id) => {
            let id: u64 = id.trim_start_matches('/').parse().unwrap();
            let Some(one) = kept.iter_mut().find(|one| one["id"] == id) else { return refused(404, "Annotation not found") };
            match checked(got, false) {
                Ok(body) => {
                    body.as_object().unwrap().iter().for_each(|(name, value)| one[name] = value.clone());
                    (200, json!({ "message": "Annotation patched" }))
                }
                Err(why) => refused(400, &why),
            }
        }
        _ => refused(404, "Not found"),
    }
}

/// A body with the documented fields alone, in their types.
fn checked(got: &Got, whole: bool) -> Result<Value, String> {
    if got.head("content-type") != Some("application/json") {
        return Err("not JSON".to_owned());
    }
    let body = got.json();
    for (name, value) in body.as_object().ok_or("no object")? {
        let right = match name.as_str() {
            "text" => value.is_string(),
            "tags" => value.as_array().is_some_and(|tags| tags.iter().all(|tag| tag.as_str().is_some_and(|tag| tag.len() <= 100))),
            // Milliseconds: a time in seconds would lie in 1970.
            "time" | "timeEnd" => value.as_i64().is_some_and(|ms| ms > 1_000_000_000_000),
            _ => false,
        };
        if !right {
            return Err(format!("bad field {name}: {value}"));
        }
    }
    if whole && body["text"].as_str().is_none_or(str::is_empty) {
        return Err("text is required".to_owned());
    }
    Ok(body)
}
