//! Self-service: roles that people may take for a while, the grants that they took, and what they say about them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{EnvironmentName, NameError, PersonName, RoleName, ServiceName, Target};
use super::review::{Finding, Review};
use super::text::Text;

/// The role that accepts changed rules: nobody can take it, whatever is configured.
pub const NEVER: &str = "policy-owner";
/// The shortest grant.
pub const SHORTEST: Duration = Duration::from_mins(1);
/// The longest `at_most` and the longest `pause`.
pub const LONGEST: Duration = Duration::from_hours(24);
/// The pause after which a role may be taken anew when none is configured.
pub const USUAL_PAUSE: Duration = Duration::from_hours(1);
/// How long a role is taken for when nothing is said, and never longer than its `at_most`.
pub const USUAL: Duration = Duration::from_hours(1);

/// A role that people may take in an environment, for whom and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfService {
    /// The role.
    pub role: RoleName,
    /// Teams, of one of which the person must be; empty means any configured person.
    pub teams: Vec<String>,
    /// Services for which it may be taken; empty means all, and the whole environment at once.
    pub services: Vec<ServiceName>,
    /// The longest time without a pause.
    pub at_most: Duration,
    /// After so long without it the time begins anew.
    pub pause: Duration,
    /// How many others who hold the role by configuration must agree before it counts.
    pub approvals: u32,
}

impl SelfService {
    /// Whether it may be taken for this place.
    pub fn covers(&self, place: &Place) -> bool {
        self.services.is_empty() || place.service.as_ref().is_some_and(|service| self.services.contains(service))
    }
}

/// Where a grant holds: `service@environment`, or `@environment` for every service of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place {
    /// The environment.
    pub environment: EnvironmentName,
    /// The one service; none: all of them.
    pub service: Option<ServiceName>,
}

impl Place {
    /// Whether a target lies in it.
    pub fn covers(&self, target: &Target) -> bool {
        self.environment == target.environment && self.service.as_ref().is_none_or(|service| service == &target.service)
    }
}

impl From<&Target> for Place {
    fn from(target: &Target) -> Self {
        Self { environment: target.environment.clone(), service: Some(target.service.clone()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}@{}", self.service.as_ref().map(ToString::to_string).unwrap_or_default(), self.environment))
    }
}

impl FromStr for Place {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix('@') {
            Some(environment) => Ok(Self { environment: environment.parse()?, service: None }),
            None => Ok(Self::from(&text.parse::<Target>()?)),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

/// Somebody else agreed to a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Who.
    pub person: String,
    /// When, by the ledger's clock.
    pub at: DateTime<Utc>,
}

/// A grant was taken back before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// By whom.
    pub person: String,
    /// When, by the ledger's clock.
    pub at: DateTime<Utc>,
    /// Why; may be empty.
    pub words: Text,
}

/// How a grant stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantState {
    /// Others must agree before it counts.
    Asked,
    /// It counts, as far as the rules of the moment still allow it.
    Granted,
    /// Its time is over.
    Ended,
    /// It was taken back.
    Revoked,
}

impl GrantState {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Granted => "granted",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
        }
    }
}

/// A role that a person took for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfGrant {
    /// SHA-256 of the body that was recorded, in lower-case hexadecimal.
    pub id: String,
    /// Who took it.
    pub person: PersonName,
    /// The role.
    pub role: RoleName,
    /// Where it holds.
    pub place: Place,
    /// Why.
    pub reason: Text,
    /// When it was taken, by the ledger's clock.
    pub at: DateTime<Utc>,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
    /// How many others had to agree when it was taken.
    pub needs: u32,
    /// Who agreed, the first first.
    pub agreed: Vec<Agreement>,
    /// How it was taken back; none while it was not.
    pub revoked: Option<Revocation>,
}

impl SelfGrant {
    /// The first 8 digits of its identity, as screens show it.
    pub fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    /// When it began to count; none when nobody agreed who had to.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        match usize::try_from(self.needs).ok()?.checked_sub(1) {
            None => Some(self.at),
            Some(last) => self.agreed.get(last).map(|agreement| agreement.at),
        }
    }

    /// When it ends or ended.
    pub fn end(&self) -> DateTime<Utc> {
        self.revoked.as_ref().map_or(self.until, |revoked| revoked.at.min(self.until))
    }

    /// How it stands at `at`.
    pub fn state(&self, at: &DateTime<Utc>) -> GrantState {
        match (&self.revoked, self.began()) {
            (Some(_), _) => GrantState::Revoked,
            (None, _) if *at >= self.until => GrantState::Ended,
            (None, None) => GrantState::Asked,
            (None, Some(_)) => GrantState::Granted,
        }
    }
}

/// A role that somebody wants for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantWish {
    /// Who: a person, or `os:NAME`.
    pub person: String,
    /// The role.
    pub role: RoleName,
    /// Where.
    pub place: Place,
    /// When it is to end.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: Text,
    /// How many others must agree, by the rules as the person saw them.
    pub needs: u32,
    /// What makes two equal wishes two grants.
    pub nonce: String,
}

/// What a person says beside plans; each is an entry of the ledger, signed as an approval is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saying {
    /// Takes a role for a while.
    Grant(GrantWish),
    /// Agrees to the grant of somebody else.
    Agree(OnGrant),
    /// Takes a grant back.
    Revoke(OnGrant),
    /// Closes a review.
    Review(Finding),
}

/// What is said of a grant that there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnGrant {
    /// The grant, 8 or more of its digits.
    pub grant: String,
    /// Who says it: a person, or `os:NAME`.
    pub person: String,
    /// In the person's own words; may be empty.
    pub words: Text,
}

impl Saying {
    /// Who says it.
    pub fn person(&self) -> &str {
        match self {
            Self::Grant(wish) => &wish.person,
            Self::Agree(on) | Self::Revoke(on) => &on.person,
            Self::Review(finding) => &finding.person,
        }
    }

    /// What it is, for the ledger and for sentences.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Grant(_) => "grant",
            Self::Agree(_) => "agree",
            Self::Revoke(_) => "revoke",
            Self::Review(_) => "review",
        }
    }
}

/// What a saying made of its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spoken {
    /// The grant as it is now.
    Grant(SelfGrant),
    /// The review as it is now.
    Review(Review),
}
