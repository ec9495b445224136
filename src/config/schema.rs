//! A JSON Schema of the configuration, for editors; made from the keys that `config check` knows.

use super::check;

/// The schema, draft 2020-12.
pub fn schema() -> serde_json::Value {
    check::schema()
}
