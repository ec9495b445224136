//! What Buildbot's data API answers, field by field: all but identities may be missing or of another type than documented.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A field that is taken when it has the expected type, and is as if missing when it has another.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

/// `/builders`.
#[derive(Debug, Deserialize)]
pub struct Builders {
    pub builders: Vec<Builder>,
}

#[derive(Debug, Deserialize)]
pub struct Builder {
    pub builderid: u64,
    pub name: String,
}

/// `/builds`, `/builds/{id}`, `/builders/{id}/builds`, `/buildrequests/{id}/builds`.
#[derive(Debug, Deserialize)]
pub struct Builds {
    pub builds: Vec<Build>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Build {
    pub buildid: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub number: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub builderid: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub buildrequestid: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub complete: Option<bool>,
    #[serde(default)]
    pub results: Value,
    #[serde(default)]
    pub started_at: Value,
    #[serde(default)]
    pub complete_at: Value,
    #[serde(default, deserialize_with = "lenient")]
    pub state_string: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub properties: Option<Properties>,
}

/// Properties by name, each with its source: `["value", "Force Build Form"]`.
pub type Properties = BTreeMap<String, Value>;

/// `/builds/{id}/steps`.
#[derive(Debug, Deserialize)]
pub struct Steps {
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub struct Step {
    pub stepid: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub number: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub complete: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub hidden: Option<bool>,
    #[serde(default)]
    pub results: Value,
    #[serde(default)]
    pub started_at: Value,
    #[serde(default)]
    pub complete_at: Value,
    #[serde(default, deserialize_with = "lenient")]
    pub state_string: Option<String>,
}

/// `/steps/{id}/logs`, `/logs/{id}`.
#[derive(Debug, Deserialize)]
pub struct Logs {
    pub logs: Vec<Log>,
}

#[derive(Debug, Deserialize)]
pub struct Log {
    pub logid: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub num_lines: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub complete: Option<bool>,
    /// `s`: each line begins with the letter of its stream.
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
}

/// `/logs/{id}/contents`.
#[derive(Debug, Deserialize)]
pub struct LogChunks {
    pub logchunks: Vec<LogChunk>,
}

#[derive(Debug, Deserialize)]
pub struct LogChunk {
    #[serde(default, deserialize_with = "lenient")]
    pub firstline: Option<u64>,
    pub content: String,
}

/// `/buildrequests`, `/builders/{id}/buildrequests`.
#[derive(Debug, Deserialize)]
pub struct BuildRequests {
    pub buildrequests: Vec<BuildRequest>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct BuildRequest {
    pub buildrequestid: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub buildsetid: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub claimed: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub complete: Option<bool>,
    #[serde(default)]
    pub results: Value,
    #[serde(default)]
    pub submitted_at: Value,
    #[serde(default, deserialize_with = "lenient")]
    pub properties: Option<Properties>,
}

/// `/buildsets`.
#[derive(Debug, Deserialize)]
pub struct BuildSets {
    pub buildsets: Vec<BuildSet>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct BuildSet {
    pub bsid: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub complete: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub reason: Option<String>,
    #[serde(default)]
    pub submitted_at: Value,
    #[serde(default, deserialize_with = "lenient")]
    pub rebuilt_buildid: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub sourcestamps: Option<Vec<SourceStamp>>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SourceStamp {
    #[serde(default, deserialize_with = "lenient")]
    pub branch: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub revision: Option<String>,
}

/// `/forceschedulers/{name}`.
#[derive(Debug, Deserialize)]
pub struct ForceSchedulers {
    pub forceschedulers: Vec<ForceScheduler>,
}

#[derive(Debug, Deserialize)]
pub struct ForceScheduler {
    #[serde(default, deserialize_with = "lenient")]
    pub enabled: Option<bool>,
    pub builder_names: Vec<String>,
    pub all_fields: Vec<Field>,
}

/// A parameter of a force scheduler; groups hold others.
#[derive(Debug, Deserialize)]
pub struct Field {
    #[serde(default, rename = "fullName", deserialize_with = "lenient")]
    pub full_name: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub fields: Option<Vec<Field>>,
}

/// The answer to a JSON-RPC call.
#[derive(Debug, Deserialize)]
pub struct RpcReply {
    #[serde(default)]
    pub error: Option<RpcError>,
    #[serde(default)]
    pub result: Value,
}

#[derive(Debug, Deserialize)]
pub struct RpcError {
    #[serde(default)]
    pub message: Value,
}
