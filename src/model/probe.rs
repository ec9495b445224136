//! Checks of a rollout: what must be so before it begins, before each step, and before it ends, asked of the world outside.

use serde::{Deserialize, Serialize};

use super::name::{BackendName, CheckName};
use super::text::Text;

/// Before what a check must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before the first step.
    Before,
    /// Before each step, and before the end.
    Each,
    /// Before the end: at the last step, while it is watched.
    After,
}

impl When {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Before, Self::Each, Self::After];

    /// The word in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Each => "each",
            Self::After => "after",
        }
    }
}

/// What is asked, and what the answer must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Probe {
    /// `GET` of an address; no redirect is followed and no credential is sent.
    Http {
        /// The address.
        url: String,
        /// The status that it must answer with; none: any from 200 to 299.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// What its body must contain; none: anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    /// A program with its arguments, without a shell: it must end with 0.
    Command {
        /// The program and its arguments.
        words: Vec<String>,
    },
    /// A query of a monitoring system: each of its values must be within the bound, and there must be one.
    Query {
        /// The monitoring system.
        backend: BackendName,
        /// The query, with placeholders.
        query: String,
        /// Whether the bound is the greatest value, else it is the least.
        at_most: bool,
        /// The bound, a decimal number.
        bound: String,
    },
}

impl Probe {
    /// What is asked, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Http { url, status, contains } => {
                let status = status.map_or_else(|| "2xx".to_owned(), |status| status.to_string());
                let contains = contains.as_ref().map(|text| format!(" with `{text}`")).unwrap_or_default();
                format!("GET {url} answers {status}{contains}")
            }
            Self::Command { words } => format!("`{}` ends with 0", words.join(" ")),
            Self::Query { backend, query, at_most, bound } => {
                format!("{backend}: {query} is at {} {bound}", if *at_most { "most" } else { "least" })
            }
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCheck {
    /// How often it is made while it counts, in seconds.
    pub every_s: u64,
    /// Its name, one of its own within the rollout.
    pub name: CheckName,
    /// What is asked.
    pub probe: Probe,
    /// Before what it must hold.
    pub when: When,
    /// How long the answer may take, in seconds.
    pub within_s: u64,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// It is so.
    Holds,
    /// It is not so.
    Fails,
    /// It could not be found out.
    NotKnown,
}

impl Held {
    /// The word in JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotKnown => "not known",
        }
    }
}

/// The answer to a check, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeAnswer {
    /// What was found.
    pub held: Held,
    /// The evidence in words.
    pub words: Text,
}

impl ProbeAnswer {
    /// An answer; its words may come from outside.
    pub fn new(held: Held, words: &str) -> Self {
        Self { held, words: Text::clean_within(words, 300) }
    }
}
