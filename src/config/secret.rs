//! Secrets: named in the configuration by reference only, resolved when needed, never printable.

use std::fmt;
use std::path::PathBuf;

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file that only its owner may read.
    File(PathBuf),
    /// On the standard output of a command.
    Command(Vec<String>),
}

/// A secret. It has no printable form, and serialises to nothing because it does not serialise at all.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
