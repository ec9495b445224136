//! What can go wrong at a port, in kinds that the room decides by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::BackendName;
use super::text::Text;

/// The kind of a port's failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortErrorKind {
    /// No connection: refused, no such host, no such socket, TLS refused.
    Unreachable,
    /// A connection, but no whole answer in time.
    TimedOut,
    /// The backend does not know us (401, or a secret that could not be read).
    Unauthorised,
    /// The backend knows us and says no (403, a socket without permission).
    Forbidden,
    /// The object is not there.
    NotFound,
    /// The object is not as it was (409, a weight changed by another hand).
    Conflict,
    /// Too many requests; wait until then, when the backend said so.
    RateLimited {
        /// The end of the pause by the backend's word.
        until: Option<DateTime<Utc>>,
    },
    /// This backend cannot do that.
    Unsupported,
    /// The answer could not be understood, or broke a bound on size, depth or time.
    Malformed,
    /// The backend understood and refused (422, an error text).
    Refused,
}

impl PortErrorKind {
    /// One or two words for a screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Conflict => "changed",
            Self::RateLimited { .. } => "rate limited",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
        }
    }

    /// The name in the ledger and in recordings: in kebab-case, the same for ever.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::RateLimited { .. } => "rate-limited",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
        }
    }
}

/// A port's failure: what was being done, to what, what came back, and what an operator can do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("failed to {doing} at {backend}: {detail}")]
pub struct PortError {
    /// The kind, for decisions.
    pub kind: PortErrorKind,
    /// The configured name of the backend.
    pub backend: BackendName,
    /// What was being done, as the end of "failed to ..".
    pub doing: Text,
    /// What came back; never a secret.
    pub detail: Text,
    /// What the operator can do now, where the kind alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fix: Option<Text>,
}

impl PortError {
    /// Puts a failure together; `doing` finishes "failed to ..".
    pub fn new(kind: PortErrorKind, backend: &BackendName, doing: &str, detail: &str) -> Self {
        Self { kind, backend: backend.clone(), doing: Text::clean_within(doing, 200), detail: Text::clean_within(detail, 600), fix: None }
    }

    /// With words of its own for what the operator can do now.
    #[must_use]
    pub fn mended_by(self, fix: &str) -> Self {
        Self { fix: Some(Text::clean_within(fix, 200)), ..self }
    }

    /// What the operator can do now.
    pub fn remedy(&self) -> &str {
        if let Some(fix) = &self.fix {
            return fix.as_str();
        }
        match self.kind {
            PortErrorKind::Unreachable => "check that it runs and that its address in the configuration is right",
            PortErrorKind::TimedOut => "it accepts but does not answer; look at its load",
            PortErrorKind::Unauthorised => "check the token, user or password that the configuration refers to",
            PortErrorKind::Forbidden => "give this user or token the right to do it there",
            PortErrorKind::NotFound => "compare the names in the configuration with the backend's own",
            PortErrorKind::Conflict => "look at what changed, then plan again",
            PortErrorKind::RateLimited { .. } => "wait; polls slow down by themselves",
            PortErrorKind::Unsupported => "do it by hand with the commands of the plan",
            PortErrorKind::Malformed => "check that the address belongs to this kind of backend",
            PortErrorKind::Refused => "read its answer, then plan again",
        }
    }
}

/// How the sending of an effect failed: surely without effect, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SendError {
    /// It surely did not happen, or the backend refused it.
    #[error("{0}")]
    NotDone(PortError),
    /// Bytes left and no answer settles it: only an observation can.
    #[error("{0}; whether it happened is not known")]
    Unknown(PortError),
}

impl SendError {
    /// The failure itself.
    pub fn port(&self) -> &PortError {
        match self {
            Self::NotDone(error) | Self::Unknown(error) => error,
        }
    }
}
