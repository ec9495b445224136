//! The names by which configured things and remembered things are called, each in a type of its own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It was empty.
    #[error("a name is empty; expected letters, digits, `.`, `_`, `-`")]
    Empty,
    /// It was longer than 128 characters.
    #[error("the name is longer than 128 characters")]
    Long,
    /// It held a character that a name may not hold.
    #[error("`{0}` may not stand in a name; expected letters, digits, `.`, `_`, `-`")]
    Character(Text),
    /// A target was not `service@environment`.
    #[error("`{0}` is no target; expected service@environment")]
    Target(Text),
    /// A plan's identity was not 8 to 64 hexadecimal digits.
    #[error("`{0}` is no plan; expected 8 to 64 lower-case hexadecimal digits")]
    Plan(Text),
}

/// Checks one configured name: 1 to 128 of `[A-Za-z0-9._-]`.
///
/// # Errors
/// Says which rule the name breaks.
pub fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > 128 {
        return Err(NameError::Long);
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        Some(bad) => Err(NameError::Character(Text::clean(&bad.to_string()))),
        None => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Makes the name after [`check`].
            ///
            /// # Errors
            /// Says which rule the name breaks.
            pub fn new(name: &str) -> Result<Self, NameError> {
                check(name)?;
                Ok(Self(Arc::from(name)))
            }

            /// The name's characters.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same, to be kept elsewhere without a copy.
            pub fn shared(&self) -> &Arc<str> {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// A configured service.
    ServiceName,
    /// A configured environment.
    EnvironmentName,
    /// A configured backend: one CI, monitoring or deployment system at one address.
    BackendName,
    /// A configured person, or `os:NAME` written without its colon as [`super::operator::Actor`] says.
    PersonName,
    /// A load balancer's pool of servers (HAProxy calls it a backend).
    PoolName,
    /// One server of a pool.
    ServerName,
    /// A signal of a service: errors, latency, saturation.
    SignalName,
    /// An objective of a service.
    ObjectiveName,
    /// A check of a rollout.
    CheckName,
    /// A set of targets whose rollouts move together.
    SetName,
    /// A role that a person may hold.
    RoleName,
}

/// `service@environment`: what a deed is done to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    /// The service.
    pub service: ServiceName,
    /// The environment in which it runs.
    pub environment: EnvironmentName,
}

impl Target {
    /// Puts a target together.
    pub fn new(service: ServiceName, environment: EnvironmentName) -> Self {
        Self { service, environment }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}@{}", self.service, self.environment))
    }
}

impl FromStr for Target {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::Target(Text::clean_within(text, 80));
        let (service, environment) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self { service: service.parse().map_err(|_| wrong())?, environment: environment.parse().map_err(|_| wrong())? })
    }
}

impl TryFrom<String> for Target {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

/// A plan's identity: the SHA-256 of its Order's canonical bytes. A deed bears the identity of the plan it carries out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanId(pub [u8; 32]);

impl PlanId {
    /// The first 8 hexadecimal digits, as screens show it.
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanId({})", self.short())
    }
}

impl FromStr for PlanId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::Plan(Text::clean_within(text, 80));
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut id = [0_u8; 32];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(id))
    }
}

impl TryFrom<String> for PlanId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<PlanId> for String {
    fn from(id: PlanId) -> Self {
        id.to_string()
    }
}
