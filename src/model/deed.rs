//! A deed: a plan on its way from intended to held, and the capabilities without which no adapter writes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::error::SendError;
use super::intent::Verb;
use super::name::{PlanId, Target};
use super::plan::{Order, StepEffect};
use super::reason::Reason;
use super::text::Text;
use super::ticket::Ticket;
use super::traffic::Weights;

/// Proof that policy permitted a plan. Only `policy/judge.rs` may call [`Permit::grant`]; the floors test enforces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    plan: PlanId,
    waived: Vec<Reason>,
    review_within: Option<Duration>,
    back_only: bool,
}

impl Permit {
    /// Grants a plan.
    pub fn grant(plan: PlanId) -> Self {
        Self { plan, waived: Vec::new(), review_within: None, back_only: false }
    }

    /// The same permit, for nothing but the steps by which the plan takes back what it moved.
    #[must_use]
    pub fn back_only(self) -> Self {
        Self { back_only: true, ..self }
    }

    /// Whether it permits a step of an Order.
    pub fn covers(&self, order: &Order, step: usize) -> bool {
        !self.back_only || order.is_back(step)
    }

    /// The same permit, given over reasons that break glass waived.
    #[must_use]
    pub fn over(self, waived: Vec<Reason>) -> Self {
        Self { waived, ..self }
    }

    /// The same permit, for a deed whose review is due this long afterwards.
    #[must_use]
    pub fn owing(self, review_within: Duration) -> Self {
        Self { review_within: Some(review_within), ..self }
    }

    /// What break glass waived.
    pub fn waived(&self) -> &[Reason] {
        &self.waived
    }

    /// How long afterwards a review of the deed is due; none when none is owed.
    pub fn review_within(&self) -> Option<Duration> {
        self.review_within
    }

    /// The plan that was permitted.
    pub fn plan(&self) -> PlanId {
        self.plan
    }
}

/// Proof that the sending of one step is durably recorded. Only `store` may call [`Recorded::attest`]; the floors test enforces it.
#[derive(Debug, PartialEq, Eq)]
pub struct Recorded {
    plan: PlanId,
    step: u32,
    epoch: u64,
}

impl Recorded {
    /// Attests that `sending` of this step was committed under this epoch.
    pub fn attest(plan: PlanId, step: u32, epoch: u64) -> Self {
        Self { plan, step, epoch }
    }
}

/// The key of an effect: plan and step, the same in every epoch, and the same in the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EffectKey {
    /// The plan.
    pub plan: PlanId,
    /// The step, from 0.
    pub step: u32,
}

impl std::fmt::Display for EffectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.plan, self.step)
    }
}

/// An effect that may be sent: permitted, recorded, with its key. Every write method of a port takes one.
#[derive(Debug)]
pub struct Effect {
    key: EffectKey,
    epoch: u64,
    what: StepEffect,
    expect: Option<Weights>,
    requester: String,
}

impl Effect {
    /// Joins the two proofs; none when they are not about the same plan or the Order has no such step.
    #[expect(clippy::needless_pass_by_value, reason = "the proof of one sending is spent by it")]
    pub fn join(permit: &Permit, recorded: Recorded, order: &Order, expect: Option<Weights>) -> Option<Self> {
        let Recorded { plan, step, epoch } = recorded;
        let at = usize::try_from(step).ok()?;
        let what = order.step(at)?.clone();
        let same = permit.plan == plan && permit.covers(order, at) && order.id().ok() == Some(plan);
        same.then(|| Self { key: EffectKey { plan, step }, epoch, what, expect, requester: order.requester.clone() })
    }

    /// Its key.
    pub fn key(&self) -> EffectKey {
        self.key
    }

    /// Who asked for it, as the Order names them: a backend that knows only our account is told.
    pub fn requester(&self) -> &str {
        &self.requester
    }

    /// The epoch of the writer.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What to do.
    pub fn what(&self) -> &StepEffect {
        &self.what
    }

    /// The weights that must still be there right before the first write.
    pub fn expect(&self) -> Option<&Weights> {
        self.expect.as_ref()
    }
}

/// The namespace in which approvals, rejections and withdrawals are signed.
pub const APPROVAL: &str = "gonogo-approval@v1";
/// The namespace in which all other entries are signed.
pub const DEED: &str = "gonogo-deed@v1";

/// The kinds of ledger entries (CONTRACTS.md, "Ledger").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The people whose signatures count.
    Signers,
    /// A plan begins: the point of no return.
    Intent,
    /// A plan was denied.
    Denied,
    /// A person approved.
    Approval,
    /// A person rejected.
    Rejection,
    /// A plan or an approval was withdrawn.
    Withdrawal,
    /// A step is about to be sent.
    Sending,
    /// The backend said yes.
    Accepted,
    /// A later reading shows it.
    Effective,
    /// Still so after the hold time.
    Held,
    /// No longer so within the hold time.
    Slipped,
    /// The hold time could not be watched without a gap.
    Unwatched,
    /// A later deed on the target took over.
    Superseded,
    /// It failed.
    Failed,
    /// Nobody knows.
    Unknown,
    /// An observation showed that it did not happen.
    NotBegun,
    /// A hold was set.
    Hold,
    /// A hold was lifted.
    Resume,
    /// A note.
    Note,
    /// The rules changed.
    Policy,
    /// Break glass.
    BreakGlass,
    /// Taken over from an older store.
    Imported,
}

impl EntryKind {
    /// The namespace in which an entry of this kind is signed (SSHSIG).
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Approval | Self::Rejection | Self::Withdrawal => APPROVAL,
            Self::Signers
            | Self::Intent
            | Self::Denied
            | Self::Sending
            | Self::Accepted
            | Self::Effective
            | Self::Held
            | Self::Slipped
            | Self::Unwatched
            | Self::Superseded
            | Self::Failed
            | Self::Unknown
            | Self::NotBegun
            | Self::Hold
            | Self::Resume
            | Self::Note
            | Self::Policy
            | Self::BreakGlass
            | Self::Imported => DEED,
        }
    }

    /// Whether a person's own key may sign an entry of this kind.
    pub fn is_personal(self) -> bool {
        match self {
            Self::Intent | Self::Approval | Self::Rejection | Self::Withdrawal | Self::Note | Self::Policy | Self::BreakGlass => true,
            Self::Signers
            | Self::Denied
            | Self::Sending
            | Self::Accepted
            | Self::Effective
            | Self::Held
            | Self::Slipped
            | Self::Unwatched
            | Self::Superseded
            | Self::Failed
            | Self::Unknown
            | Self::NotBegun
            | Self::Hold
            | Self::Resume
            | Self::Imported => false,
        }
    }

    /// The word in the ledger and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Signers => "signers",
            Self::Intent => "intent",
            Self::Denied => "denied",
            Self::Approval => "approval",
            Self::Rejection => "rejection",
            Self::Withdrawal => "withdrawal",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Effective => "effective",
            Self::Held => "held",
            Self::Slipped => "slipped",
            Self::Unwatched => "unwatched",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::NotBegun => "not-begun",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Note => "note",
            Self::Policy => "policy",
            Self::BreakGlass => "break-glass",
            Self::Imported => "imported",
        }
    }
}

/// The state of a deed or of a step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeedState {
    /// Waits for another person.
    Waiting,
    /// Waits for its time; nothing else stands in its way.
    Scheduled,
    /// Refused.
    Denied,
    /// Recorded, nothing sent.
    Intended,
    /// Sent, no answer.
    Sent,
    /// The backend said yes.
    Accepted,
    /// Seen.
    Effective,
    /// Still so after the hold time.
    Held,
    /// Could not be watched without a gap.
    Unwatched,
    /// A later deed took over.
    Superseded,
    /// No longer so.
    Slipped,
    /// Nobody knows.
    Unknown,
    /// Failed.
    Failed,
}

impl DeedState {
    /// The word in JSON; screens write it in upper case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scheduled => "scheduled",
            Self::Denied => "denied",
            Self::Intended => "intended",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Effective => "effective",
            Self::Held => "held",
            Self::Unwatched => "unwatched",
            Self::Superseded => "superseded",
            Self::Slipped => "slipped",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }

    /// Whether the target is still being acted on, so that no other forward deed may begin.
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Intended | Self::Sent | Self::Accepted => true,
            Self::Waiting
            | Self::Scheduled
            | Self::Denied
            | Self::Effective
            | Self::Held
            | Self::Unwatched
            | Self::Superseded
            | Self::Slipped
            | Self::Unknown
            | Self::Failed => false,
        }
    }
}

/// The five facts, each the time at which it became one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Recorded, durable.
    pub intended: Option<DateTime<Utc>>,
    /// The first byte left.
    pub sent: Option<DateTime<Utc>>,
    /// The backend said yes.
    pub accepted: Option<DateTime<Utc>>,
    /// A later reading showed it.
    pub effective: Option<DateTime<Utc>>,
    /// Still so after the hold time.
    pub held: Option<DateTime<Utc>>,
}

/// One step of a deed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedStep {
    /// The effect.
    pub effect: StepEffect,
    /// The effect in words.
    pub words: Text,
    /// Its state.
    pub state: DeedState,
    /// Its facts.
    pub facts: Facts,
    /// What went wrong.
    pub error: Option<SendError>,
    /// How it was seen: `measured 19.6 % of 312 requests`, `by configuration, not measured`.
    pub seen: Option<Text>,
}

/// A deed as screens, JSON and the store tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The plan that it carries out, and its own identity.
    pub plan: PlanId,
    /// The verb.
    pub verb: Verb,
    /// The target.
    pub target: Target,
    /// Who asked.
    pub requester: String,
    /// Why.
    pub reason: Text,
    /// The ticket under which the change is known elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// Its state.
    pub state: DeedState,
    /// Its facts.
    pub facts: Facts,
    /// When held is due.
    pub held_due: Option<DateTime<Utc>>,
    /// Its steps.
    pub steps: Vec<DeedStep>,
    /// What happened last, in words.
    pub words: Text,
    /// Why it was refused or waits; empty otherwise.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Nothing more will come of it in this process: an UNKNOWN whose look-up is over, a denial or a wait that is durable, an outcome
    /// that could not be recorded.
    #[serde(default)]
    pub is_settled: bool,
    /// Whether another process carries it out.
    pub elsewhere: bool,
}
