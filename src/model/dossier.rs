//! A dossier: everything that the ledger says about one plan, in its order. What every way out as a file is made from.

use chrono::{DateTime, Utc};

use super::approval::Decision;
use super::deed::{Deed, EntryKind, Facts};
use super::name::{EnvironmentName, PlanId, ServiceName, Target};
use super::plan::Order;
use super::released::Released;
use super::review::Review;
use super::text::Text;

/// One entry about the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its number.
    pub n: u64,
    /// Its time.
    pub at: DateTime<Utc>,
    /// Its kind.
    pub kind: EntryKind,
    /// Who signed.
    pub signer: String,
    /// Its leaf hash in the ledger's tree.
    pub leaf: [u8; 32],
    /// The bytes that were signed.
    pub body: Vec<u8>,
    /// The SSHSIG blob, in base64.
    pub sig: String,
    /// In words; not part of what was signed.
    pub words: Text,
    /// The digest of what was seen, when the entry has evidence.
    pub evidence: Option<String>,
    /// The person whom the body names: who approved, rejected, withdrew, reviewed.
    pub person: Option<String>,
    /// The body's `state`, where its kind has several.
    pub state: Option<String>,
}

impl Noted {
    /// Whether a person's own key signed it; else the process did, which shows what gonogo was told, not who held a key.
    pub fn is_own_key(&self) -> bool {
        !self.signer.starts_with("process:")
    }
}

/// What one person said about the plan last.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Who.
    pub person: &'a str,
    /// What: approve or reject.
    pub decision: Decision,
    /// Its entry.
    pub entry: &'a Noted,
}

/// Everything that the ledger says about one plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// The plan, which names its deed too.
    pub plan: PlanId,
    /// The verb.
    pub verb: Option<String>,
    /// The target.
    pub target: Option<Target>,
    /// Who asked.
    pub requester: String,
    /// The Order that was signed with the intent; before it began, the stored plan's while that is kept.
    pub order: Option<Order>,
    /// Why; not part of what was signed, save for break glass.
    pub reason: Text,
    /// What was released from what, as it was known when it was planned.
    pub released: Released,
    /// The deed as its entries add up to; none when it never began.
    pub deed: Option<Deed>,
    /// The review that it left owed.
    pub review: Option<Review>,
    /// Its entries, the oldest first.
    pub entries: Vec<Noted>,
}

impl Dossier {
    /// Its first entry of a kind.
    pub fn first(&self, kind: EntryKind) -> Option<&Noted> {
        self.entries.iter().find(|entry| entry.kind == kind)
    }

    /// When it began, or its first entry where it never did.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        self.first(EntryKind::Intent).or_else(|| self.entries.first()).map(|entry| entry.at)
    }

    /// Whether it began: the point of no return was passed.
    pub fn has_begun(&self) -> bool {
        self.first(EntryKind::Intent).is_some()
    }

    /// The five facts.
    pub fn facts(&self) -> Facts {
        self.deed.as_ref().map(|deed| deed.facts).unwrap_or_default()
    }

    /// What each person said about it last, in the order of their entries; what was withdrawn is left out.
    pub fn said(&self) -> Vec<Said<'_>> {
        let mut all: Vec<Said<'_>> = Vec::new();
        for entry in &self.entries {
            let Some(person) = entry.person.as_deref() else { continue };
            let decision = match entry.kind {
                EntryKind::Approval => Decision::Approve,
                EntryKind::Rejection => Decision::Reject,
                EntryKind::Withdrawal => Decision::Withdraw,
                EntryKind::Signers
                | EntryKind::Intent
                | EntryKind::Denied
                | EntryKind::Sending
                | EntryKind::Accepted
                | EntryKind::Effective
                | EntryKind::Held
                | EntryKind::Slipped
                | EntryKind::Unwatched
                | EntryKind::Superseded
                | EntryKind::Failed
                | EntryKind::Unknown
                | EntryKind::NotBegun
                | EntryKind::Hold
                | EntryKind::Resume
                | EntryKind::Note
                | EntryKind::Policy
                | EntryKind::BreakGlass
                | EntryKind::Imported => continue,
            };
            all.retain(|said| said.person != person);
            if decision != Decision::Withdraw {
                all.push(Said { person, decision, entry });
            }
        }
        all
    }

    /// Those whose approval stands, in the order in which they gave it.
    pub fn approvals(&self) -> impl Iterator<Item = Said<'_>> {
        self.said().into_iter().filter(|said| said.decision == Decision::Approve)
    }

    /// How it stands, in a word: a deed's state, or what became of a plan that never began.
    pub fn state(&self) -> &'static str {
        if let Some(deed) = &self.deed {
            return deed.state.word();
        }
        let is_there = |kind: EntryKind| self.first(kind).is_some();
        let taken_back = |entry: &&Noted| entry.kind == EntryKind::Withdrawal && entry.person.as_deref() == Some(self.requester.as_str());
        // A refused approval names its person; what was refused then is not the plan.
        let refused = |entry: &&Noted| entry.kind == EntryKind::Denied && entry.person.is_none();
        if is_there(EntryKind::Rejection) {
            "rejected"
        } else if self.entries.iter().any(|entry| taken_back(&entry)) {
            "withdrawn"
        } else if is_there(EntryKind::Imported) {
            "imported"
        } else if self.entries.iter().any(|entry| refused(&entry)) && !is_there(EntryKind::Approval) {
            "denied"
        } else {
            "waiting"
        }
    }

    /// When the time box of break glass ended; none when the glass was not broken.
    pub fn break_glass(&self) -> Option<&str> {
        self.order.as_ref()?.break_glass.as_deref()
    }

    /// The ticket.
    pub fn ticket(&self) -> Option<&str> {
        self.order.as_ref()?.ticket.as_ref().map(super::ticket::Ticket::as_str)
    }

    /// The digest of what its verdict saw: the intent's, else the first that an entry has.
    pub fn evidence(&self) -> Option<&str> {
        let intent = self.first(EntryKind::Intent).and_then(|entry| entry.evidence.as_deref());
        intent.or_else(|| self.entries.iter().find_map(|entry| entry.evidence.as_deref()))
    }
}

/// Which dossiers are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those that began at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that began before this time.
    pub to: Option<DateTime<Utc>>,
    /// Those on this environment.
    pub environment: Option<EnvironmentName>,
    /// Those on this service.
    pub service: Option<ServiceName>,
}

impl Selection {
    /// Whether one is wanted.
    pub fn takes(&self, dossier: &Dossier) -> bool {
        let at = dossier.at();
        let target = dossier.target.as_ref();
        self.from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && self.to.is_none_or(|to| at.is_some_and(|at| at < to))
            && self.environment.as_ref().is_none_or(|wanted| target.is_some_and(|target| target.environment == *wanted))
            && self.service.as_ref().is_none_or(|wanted| target.is_some_and(|target| target.service == *wanted))
    }
}
