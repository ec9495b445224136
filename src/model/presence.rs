//! Presence: who is at the keys of a room that is open now.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One room that is open, and who is at its keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Presence {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who: a person, or `os:NAME` where nobody is configured.
    pub person: String,
    /// Whether it is this process.
    #[serde(default)]
    pub ours: bool,
}

/// Who is here, each once, by name.
pub fn persons(here: &[Presence]) -> Vec<&str> {
    let mut names: Vec<&str> = here.iter().map(|one| one.person.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Those of `names` who are here, in a sentence: `cy is here`, `nobody of them is here`.
pub fn of_them(here: &[Presence], names: &[String]) -> String {
    let there: Vec<&str> = persons(here).into_iter().filter(|name| names.iter().any(|one| one == name)).collect();
    match there.as_slice() {
        [] => "none of them is here".to_owned(),
        [one] => format!("{one} is here"),
        several => format!("{} are here", several.join(", ")),
    }
}
