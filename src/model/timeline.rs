//! The timeline: what happened to whom, in the order in which it was seen.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::deed::DeedState;
use super::intent::Verb;
use super::link::LinkTold;
use super::name::Target;
use super::text::Text;

/// What a line of the timeline is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HappeningKind {
    /// An alert began or ended.
    Alert,
    /// A deed changed its state.
    Deed,
    /// Traffic or a version changed, by us or by another hand.
    Change,
    /// A link between services is seen for the first time, or not any more.
    Link,
    /// A run began or ended.
    Run,
    /// A source was lost or came back.
    Source,
    /// Someone wrote a note.
    Note,
    /// Something that a person must look at: a slip, a foreign hand, a forward move under hold.
    Alarm,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// When it was so at its source, or when we saw it.
    pub at: DateTime<Utc>,
    /// What kind.
    pub kind: HappeningKind,
    /// Whom it concerns; none for a source.
    pub target: Option<Target>,
    /// In words.
    pub text: Text,
    /// The backend or person that it comes from.
    pub source: String,
    /// Of a line about a deed, what was asked for and how it stands with it; none in older journals.
    #[serde(default)]
    pub deed: Option<(Verb, DeedState)>,
    /// Of a line about links, which of them, and whether each is seen from then on; none in older journals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkTold>,
}

/// What the source of a line about a departure begins with, before the train's name.
pub const TRAIN: &str = "train ";

impl Happening {
    /// Whether it tells who left with a train, or missed it: that is told once for each departure and target.
    pub fn is_of_departure(&self) -> bool {
        self.kind == HappeningKind::Deed && self.source.starts_with(TRAIN)
    }
}
