//! What leaves the room by itself: notices that come from the record, who wants which, and how far each receiver got.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::deed::{EntryKind, Facts};
use super::name::{BackendName, EnvironmentName, PlanId, Target};
use super::plan::Plan;
use super::text::Text;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeKind {
    /// An entry of the ledger.
    Entry(EntryKind),
    /// A plan was stored.
    Planned,
    /// A plan waits for other persons from now on.
    Waiting,
    /// The automatic way back of a rollout did not come about: a person is called.
    WayBackFailed,
}

/// How grave it is that a notice comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Somebody must act now.
    Critical,
    /// It is told, nobody is called.
    Told,
}

impl NoticeKind {
    /// Every kind, in the order in which a deed meets them.
    pub const ALL: [Self; 24] = [
        Self::Planned,
        Self::Waiting,
        Self::Entry(EntryKind::Approval),
        Self::Entry(EntryKind::Rejection),
        Self::Entry(EntryKind::Withdrawal),
        Self::Entry(EntryKind::Denied),
        Self::Entry(EntryKind::Intent),
        Self::Entry(EntryKind::Sending),
        Self::Entry(EntryKind::Accepted),
        Self::Entry(EntryKind::Effective),
        Self::Entry(EntryKind::Held),
        Self::Entry(EntryKind::Slipped),
        Self::Entry(EntryKind::Unwatched),
        Self::Entry(EntryKind::Superseded),
        Self::Entry(EntryKind::Failed),
        Self::Entry(EntryKind::Unknown),
        Self::Entry(EntryKind::NotBegun),
        Self::Entry(EntryKind::Hold),
        Self::Entry(EntryKind::Resume),
        Self::Entry(EntryKind::Note),
        Self::Entry(EntryKind::Policy),
        Self::Entry(EntryKind::BreakGlass),
        Self::Entry(EntryKind::Imported),
        Self::WayBackFailed,
    ];

    /// The word in the configuration and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Entry(kind) => kind.word(),
            Self::Planned => "planned",
            Self::Waiting => "waiting",
            Self::WayBackFailed => "rollout.way-back-failed",
        }
    }

    /// How grave it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::WayBackFailed => Severity::Critical,
            Self::Entry(_) | Self::Planned | Self::Waiting => Severity::Told,
        }
    }

    /// The kind of that word; `signers` is told to nobody.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Which notices a receiver wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wants {
    /// The kinds; empty: every one but `planned`.
    pub kinds: Vec<NoticeKind>,
    /// The environments; empty: all. What is about no target is told to everybody.
    pub environments: Vec<EnvironmentName>,
}

impl Wants {
    /// Whether it wants a notice of this kind about this target.
    pub fn takes(&self, kind: Option<NoticeKind>, target: Option<&str>) -> bool {
        let Some(kind) = kind else { return false };
        let kinds = if self.kinds.is_empty() { kind != NoticeKind::Planned } else { self.kinds.contains(&kind) };
        let within = |target: &str| {
            let environment = target.split_once('@').map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
            self.environments.iter().any(|one| one.as_str() == environment)
        };
        kinds && (self.environments.is_empty() || target.is_none_or(within))
    }
}

/// A line of the outbox, as far as it is needed to decide who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the outbox, which only grows.
    pub seq: u64,
    /// Its kind; none: one that this version does not know.
    pub kind: Option<NoticeKind>,
    /// The target, when it is about one.
    pub target: Option<String>,
    /// Whether it was set aside before and a person wants it tried again.
    pub again: bool,
}

/// What is told to a receiver. It says what the record says and holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its place in the outbox.
    pub seq: u64,
    /// The installation.
    pub installation: String,
    /// The same for every try and every receiver: installation and number of the entry, or what happened to which plan.
    pub id: String,
    /// When it happened, by the ledger's time.
    pub at: DateTime<Utc>,
    /// Its kind.
    pub kind: NoticeKind,
    /// The number of the entry; none when it is about a plan that no entry tells of.
    pub n: Option<u64>,
    /// The state within the kind, for break glass and the rules.
    pub state: Option<String>,
    /// The deed, or the plan before it.
    pub deed: Option<PlanId>,
    /// Its verb.
    pub verb: Option<String>,
    /// Its target.
    pub target: Option<Target>,
    /// Who asked.
    pub requester: Option<String>,
    /// The verdict, for intents and denials.
    pub verdict: Option<String>,
    /// The deed's facts as of this entry.
    pub facts: Facts,
    /// In words.
    pub words: Text,
    /// The entry's own members; null for what is no entry.
    pub body: serde_json::Value,
    /// The plan, when the store still has it.
    pub plan: Option<Box<Plan>>,
    /// Whether a way back took the deed's place, for `superseded`.
    pub turned_back: bool,
}

impl Notice {
    /// A text of the entry's own members.
    pub fn said(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(serde_json::Value::as_str)
    }
}

/// How far a receiver got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Its name.
    pub name: BackendName,
    /// Notices after the one that it got last, wanted or not.
    pub behind: u64,
    /// When it got one last.
    pub delivered: Option<DateTime<Utc>>,
    /// Tries of the next one that failed.
    pub tries: u32,
    /// Why the last of them failed.
    pub trouble: Option<Text>,
    /// Not before then is it tried again.
    pub again_at: Option<DateTime<Utc>>,
    /// Notices that it refused and that were set aside.
    pub parked: Vec<Parked>,
}

/// After so many failed tries a receiver's trouble is shown to everybody.
pub const TROUBLE_AFTER: u32 = 3;

impl Progress {
    /// Whether a person should look at it.
    pub fn needs_a_person(&self) -> bool {
        !self.parked.is_empty() || self.tries >= TROUBLE_AFTER
    }
}

/// A notice that a receiver refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Its place in the outbox.
    pub seq: u64,
    /// Its kind, in a word.
    pub kind: String,
    /// The target.
    pub target: Option<String>,
    /// When it was set aside.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: Text,
    /// Whether it will be tried again.
    pub again: bool,
}

/// From when on a desk has a change for a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opens {
    /// As soon as it is stored.
    Planned,
    /// When it begins to wait for other persons; when it begins where it never waited.
    #[default]
    Waiting,
    /// When it begins.
    Begun,
}

/// The change at a desk that goes with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskChange {
    /// The plan.
    pub plan: PlanId,
    /// The desk.
    pub desk: BackendName,
    /// Its number, as people call it.
    pub number: Text,
    /// Its identity there.
    pub id: String,
    /// Its state there when we wrote last, in words.
    pub state: Text,
    /// Whether we made it.
    pub ours: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_read_back() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::of_word(kind.word()), Some(kind), "{}", kind.word());
        }
        assert_eq!(NoticeKind::of_word("signers"), None);
    }

    #[test]
    fn all_is_everything_but_stored_plans_and_a_filter_of_environments_lets_what_has_none_pass() {
        let all = Wants::default();
        assert!(all.takes(Some(NoticeKind::Waiting), Some("a@prod")));
        assert!(!all.takes(Some(NoticeKind::Planned), Some("a@prod")));
        assert!(!all.takes(None, None));
        let prod = Wants { kinds: vec![NoticeKind::Planned], environments: vec!["prod".parse().unwrap()] };
        assert!(prod.takes(Some(NoticeKind::Planned), Some("a@prod")));
        assert!(prod.takes(Some(NoticeKind::Planned), Some("a@prod/eu")));
        assert!(!prod.takes(Some(NoticeKind::Planned), Some("a@preprod")));
        assert!(prod.takes(Some(NoticeKind::Planned), None));
        assert!(!prod.takes(Some(NoticeKind::Waiting), Some("a@prod")));
    }
}
