//! People, their roles, and who is at the keys.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{EnvironmentName, PersonName, RoleName, ServiceName};

/// A role that a person holds, everywhere or only in some environments and services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: RoleName,
    /// Where it holds; empty means everywhere.
    pub environments: Vec<EnvironmentName>,
    /// For which services; empty means all.
    pub services: Vec<ServiceName>,
}

/// A configured person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name by which the room calls the person.
    pub name: PersonName,
    /// The system user of the person, when the room runs on their machine.
    pub os_user: Option<String>,
    /// Public SSH keys in the OpenSSH form.
    pub keys: Vec<String>,
    /// E-mail addresses that commits bear.
    pub emails: Vec<String>,
    /// Logins at backends, as `(kind, login)`.
    pub logins: Vec<(String, String)>,
    /// Accounts of programs that act for the person.
    pub bots: Vec<String>,
    /// Teams.
    pub teams: Vec<String>,
    /// Roles.
    pub roles: Vec<Grant>,
}

/// Who is at the keys, and how we know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A configured person, recognised by the system user.
    Person(PersonName),
    /// Nobody is configured: the system user has every role, and the screen says so.
    Unverified(String),
    /// People are configured and this system user is none of them: no role at all.
    Stranger(String),
}

impl Actor {
    /// Finds who `os_user` is among the configured people.
    pub fn recognise(os_user: &str, people: &[Person]) -> Self {
        if people.is_empty() {
            return Self::Unverified(os_user.to_owned());
        }
        match people.iter().find(|person| person.os_user.as_deref() == Some(os_user)) {
            Some(person) => Self::Person(person.name.clone()),
            None => Self::Stranger(os_user.to_owned()),
        }
    }
}

/// The requester as ledger and JSON write it: `ana`, or `os:NAME` where no person is known.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.pad(name.as_str()),
            Self::Unverified(user) | Self::Stranger(user) => f.pad(&format!("os:{user}")),
        }
    }
}
