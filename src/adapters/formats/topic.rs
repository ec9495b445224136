//! What an assessment looks at: five topics, each with what one deed says for or against it.

use chrono::{DateTime, Utc};

use crate::config::settings::OscalSettings;
use crate::model::deed::{DeedState, EntryKind};
use crate::model::dossier::Dossier;
use crate::model::intent::Verb;
use crate::model::time::rfc3339;

/// A topic, to which the configuration names controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Deeds began as the rules allow, with the approvals that they ask for.
    Approvals,
    /// Nobody approved a change of his own.
    Segregation,
    /// What a person said is signed by that person's key.
    Audit,
    /// The way back was gone when it was ordered.
    Rollback,
    /// Deeds past the rules were looked at afterwards, in time.
    Reviews,
}

impl Topic {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Approvals, Self::Segregation, Self::Audit, Self::Rollback, Self::Reviews];

    /// The word in configuration and in properties.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approvals => "approvals",
            Self::Segregation => "segregation",
            Self::Audit => "audit",
            Self::Rollback => "rollback",
            Self::Reviews => "reviews",
        }
    }

    /// What a finding about it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Approvals => "Changes began with the approvals that the rules ask for",
            Self::Segregation => "Nobody approved a change of their own",
            Self::Audit => "Orders and approvals are signed by the keys of the persons themselves",
            Self::Rollback => "The way back took effect when it was ordered",
            Self::Reviews => "Emergency changes were reviewed in time",
        }
    }

    /// The controls that it speaks to.
    pub fn controls(self, settings: &OscalSettings) -> &[String] {
        match self {
            Self::Approvals => &settings.approvals,
            Self::Segregation => &settings.segregation,
            Self::Audit => &settings.audit,
            Self::Rollback => &settings.rollback,
            Self::Reviews => &settings.reviews,
        }
    }

    /// What a deed says on it by `at`. None: nothing; else why it speaks against, or `None` when it does not.
    pub fn judge(self, dossier: &Dossier, at: DateTime<Utc>) -> Option<Option<String>> {
        if !dossier.has_begun() {
            return None;
        }
        let broken = dossier.break_glass().map(|until| format!("the glass was broken until {until}: approvals and checks were waived"));
        match self {
            Self::Approvals => Some(broken),
            Self::Segregation => {
                let own = dossier.approvals().find(|said| said.person == dossier.requester);
                let own = own.map(|said| format!("{} approved a change of their own, entry {}", said.person, said.entry.n));
                (dossier.approvals().next().is_some() || broken.is_some()).then(|| own.or(broken))
            }
            Self::Audit => Some(not_signed(dossier)),
            Self::Rollback => {
                let deed = dossier.deed.as_ref().filter(|deed| matches!(deed.verb, Verb::Abort | Verb::Rollback))?;
                Some(not_back(deed.state))
            }
            Self::Reviews => {
                let review = dossier.review.as_ref().filter(|review| review.due.is_some())?;
                Some(match (&review.closed, review.due) {
                    (Some(closed), Some(due)) if closed.at > due => {
                        Some(format!("reviewed by {} at {}, after it was due", closed.by, rfc3339(&closed.at)))
                    }
                    (None, Some(due)) if due <= at => Some(format!("its review was due at {} and is not made", rfc3339(&due))),
                    (Some(_) | None, _) => None,
                })
            }
        }
    }
}

/// What the process signed for a person: evident to others when it was tampered with, no proof of who held the key.
fn not_signed(dossier: &Dossier) -> Option<String> {
    let process = |what: &str, n: u64, who: &str| format!("T0: the process signed the {what} of {who}, entry {n}");
    let intent = dossier.first(EntryKind::Intent).filter(|entry| !entry.is_own_key());
    let intent = intent.map(|entry| process("order", entry.n, &dossier.requester));
    intent.or_else(|| {
        let said = dossier.approvals().find(|said| !said.entry.is_own_key())?;
        Some(process("approval", said.entry.n, said.person))
    })
}

fn not_back(state: DeedState) -> Option<String> {
    match state {
        DeedState::Failed | DeedState::Unknown | DeedState::Slipped => Some(format!("a way back ended {}", state.word())),
        DeedState::Waiting
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Effective
        | DeedState::Held
        | DeedState::Unwatched
        | DeedState::Superseded => None,
    }
}
