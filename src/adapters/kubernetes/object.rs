//! What all objects have: a place, versions, conditions.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::text::Text;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The part of an object's metadata that is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Its name.
    pub name: String,
    /// Its identity: another object of the same name has another.
    pub uid: String,
    /// What changes with each write of it; compared for equality only.
    pub resource_version: String,
    /// What changes with each write of its `spec`.
    pub generation: i64,
}

impl Meta {
    /// Whether both are of one object whose wishes are the same: its controller's notes (status, annotations) may differ.
    pub fn same_wish(&self, other: &Self) -> bool {
        self.uid == other.uid && self.generation == other.generation
    }

    /// Of an object.
    ///
    /// # Errors
    /// When it has no metadata, or none that can make a write one of what was read.
    pub fn of(object: &Value) -> Result<Self, String> {
        let meta = object.get("metadata").ok_or("it has no metadata")?;
        let mut meta = Self::deserialize(meta).map_err(|error| format!("its metadata are others than expected: {error}"))?;
        // Both are shown and recorded; those that a cluster makes have no character that is cleaned.
        for told in [&mut meta.name, &mut meta.uid] {
            *told = Text::clean(told).to_string();
        }
        if meta.resource_version.is_empty() { Err("it has no resourceVersion".to_owned()) } else { Ok(meta) }
    }
}

/// A condition of an object: its status (`True`, `False`, `Unknown`), the generation that it speaks of, reason and message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it is about.
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The generation that it speaks of; 0 when it does not say. Istio's is an integer or a text (`x-kubernetes-int-or-string`).
    #[serde(deserialize_with = "number_or_text")]
    pub observed_generation: i64,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let told = Value::deserialize(from)?;
    let number = told.as_i64().or_else(|| told.as_str()?.parse().ok());
    number.ok_or_else(|| serde::de::Error::custom("it is no generation"))
}

/// The condition of a type out of a list of conditions.
pub fn condition(list: Option<&Value>, kind: &str) -> Option<Condition> {
    let all = list?.as_array()?;
    all.iter().filter_map(|one| Condition::deserialize(one).ok()).find(|one| one.r#type == kind)
}
