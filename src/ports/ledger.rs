//! The port to the ledger and to what must change together with it: plans, holds, leases, slot roles.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::pending::Pending;
use super::signer::Signed;
use crate::model::approval::{Approval, Attempt, Ruling, Waiting};
use crate::model::catalog::Catalog;
use crate::model::course::PastChange;
use crate::model::deed::{Deed, EntryKind, Facts, Permit, Recorded};
use crate::model::error::PortError;
use crate::model::name::{PlanId, Target};
use crate::model::operator::Person;
use crate::model::plan::Plan;
use crate::model::presence::Presence;
use crate::model::reason::Reason;
use crate::model::review::{Finding, Review};
use crate::model::rollout::{StateChange, TargetState};
use crate::model::rules::{Naming, RuleStanding};
use crate::model::self_service::{Saying, SelfGrant};
use crate::model::text::Text;
use crate::model::verdict::Verdict;

/// Why the ledger refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be written: disk full, directory read-only, file gone. Deeds are refused (exit 9).
    #[error("failed to write the record: {0}")]
    Unwritable(Text),
    /// It cannot be read or does not hold together (exit 11).
    #[error("failed to read the record: {0}")]
    Broken(Text),
    /// No plan of that identity, or several begin with those digits.
    #[error("no stored plan `{0}`; it was never made, has ended, or its digits are ambiguous")]
    NoPlan(Text),
    /// Several plans begin with those digits, live or over.
    #[error("`{0}` names several stored plans; give more of its digits")]
    Ambiguous(Text),
    /// No grant of that identity, or several begin with those digits.
    #[error("no grant `{0}`; it was never taken, was over long ago, or its digits are ambiguous; `gonogo grants` lists them")]
    NoGrant(Text),
    /// The plan has ended.
    #[error("the plan ended at {0}; plan again")]
    Expired(DateTime<Utc>),
    /// The plan was already carried out or withdrawn.
    #[error("the plan was already {0}; plan again")]
    Spent(Text),
    /// Another deed is under way on the target.
    #[error("another deed is under way on {target}: {deed} by {by}")]
    Busy {
        /// The target.
        target: Target,
        /// The deed.
        deed: String,
        /// Its requester.
        by: String,
    },
    /// The lease was lost: a higher epoch exists.
    #[error("the lease on {0} was lost to a later owner")]
    LostLease(Target),
    /// A hold forbids the step.
    #[error("{target} is held by {by}")]
    HeldBy {
        /// The target.
        target: Target,
        /// Who holds.
        by: String,
    },
    /// This effect's key was already sent and nothing showed that it did not happen.
    #[error("step {0} was already sent; it is not sent again unless an observation shows that it did not happen")]
    AlreadySent(u32),
    /// Policy said no when it was looked at again.
    #[error("policy no longer permits it: {0}")]
    Denied(Text),
    /// Policy refused what a person said, or a plan when it was to begin; the refusal is recorded.
    #[error("refused: {}", .0.iter().map(|reason| format!("{}; {}", reason.text, reason.fix)).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Reason>),
}

/// How a plan was spent that became a deed.
pub const CARRIED_OUT: &str = "carried out";

impl LedgerError {
    /// Whether it says that a plan has become a deed: what a person says about it comes too late.
    pub fn is_too_late(&self) -> bool {
        matches!(self, Self::Spent(how) if how.as_str() == CARRIED_OUT)
    }
}

/// What [`Ledger::begin`] found inside its transaction, for the judge.
#[derive(Debug, Clone)]
pub struct AtCommit {
    /// The target's state.
    pub state: TargetState,
    /// The time by the ledger's clock, which never runs backwards.
    pub at: DateTime<Utc>,
    /// Approvals of the plan that were given and not withdrawn; some may have ended.
    pub approvals: Vec<Approval>,
    /// All plans that wait, this one included where it does: bookings that may be in its way.
    pub waiting: Vec<Plan>,
    /// Reviews that are owed on the target's service.
    pub owed: Vec<Review>,
    /// Roles that people took in the target's environment: those that count now, and lately over ones, which tell why they do not.
    pub grants: Vec<SelfGrant>,
    /// Whether the person's own key signed what is being recorded, and the signature holds.
    pub is_own_key: bool,
    /// How the rules of this process stand to those that were accepted.
    pub rules: RuleStanding,
}

/// What comes of putting a name under changed rules, asked inside its transaction; pure, quick, without I/O: whether they are accepted
/// by it, else one stands for them; the reasons when it may not.
pub type MayName<'a> = &'a (dyn Fn(&RuleStanding, bool) -> Result<bool, Vec<Reason>> + Send + Sync);

/// What [`Ledger::review`] found inside its transaction.
#[derive(Debug, Clone, Copy)]
pub struct ReviewAt<'a> {
    /// The review.
    pub review: &'a Review,
    /// How the rules of this process stand to those that were accepted.
    pub rules: &'a RuleStanding,
    /// Whether the reviewer's own key signed what is being recorded, and the signature holds.
    pub is_own_key: bool,
}

/// Whether a review may be closed, asked inside its transaction; pure, quick, without I/O. The reasons when it may not.
pub type MayReview<'a> = &'a (dyn Fn(&ReviewAt<'_>) -> Vec<Reason> + Send + Sync);

/// What [`Ledger::grant`] found inside its transaction.
#[derive(Debug, Clone, Copy)]
pub struct GrantAt<'a> {
    /// The grant that is spoken of; none: it is to be taken.
    pub grant: Option<&'a SelfGrant>,
    /// What people took in that environment before, those that were over long ago left out.
    pub grants: &'a [SelfGrant],
    /// How the rules of this process stand to those that were accepted.
    pub rules: &'a RuleStanding,
    /// The time by the ledger's clock, which never runs backwards.
    pub at: DateTime<Utc>,
    /// Whether the person's own key signed what is being recorded, and the signature holds.
    pub is_own_key: bool,
}

/// Whether a grant may be taken, agreed to or taken back, asked inside its transaction; pure, quick, without I/O. The reasons when not.
pub type MayGrant<'a> = &'a (dyn Fn(&GrantAt<'_>) -> Vec<Reason> + Send + Sync);

/// Whether a ruling may be made, asked inside its transaction; pure, quick, without I/O. The reasons when it may not.
pub type MayRule<'a> = &'a (dyn Fn(&Plan, &AtCommit) -> Vec<Reason> + Send + Sync);

/// A deed that has begun: its intent is durable. Kept by the process that carries it out.
#[derive(Debug)]
pub struct Begun {
    /// The proof of the verdict.
    pub permit: Permit,
    /// The plan.
    pub plan: Plan,
    /// The epoch of the lease.
    pub epoch: u64,
    /// When the intent was committed.
    pub at: DateTime<Utc>,
}

/// What became of an attempt to take over a deed whose process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Adoption {
    /// Its owner lives, or nothing of it is open.
    NotOurs,
    /// It is ours now, to be settled by observing alone: the lease ended with it, or a later deed has it.
    Observed,
    /// It is ours now, with the lease on its target under this epoch, which must be renewed while it is under way.
    Leased(u64),
}

/// One thing that happened to a deed, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The kind of entry: sending is not among them, [`Ledger::sending`] writes it.
    pub kind: EntryKind,
    /// The step; none when it is about the whole deed.
    pub step: Option<u32>,
    /// In words, for people: `measured 0 of 214 requests`, the error.
    pub words: Text,
    /// What stood in the way at the backend, for `failed` and `unknown`; none when the step met no error there.
    pub error: Option<PortError>,
    /// What is remembered with it, in the same transaction.
    pub changes: Vec<StateChange>,
    /// Whether the lease on the target ends with it.
    pub releases: bool,
    /// When the hold time is over, for an `effective` of the whole deed: the watch is stored with it.
    pub held_due: Option<DateTime<Utc>>,
    /// Whether an automatic way back came about and did not help, so that a person is called.
    pub no_help: bool,
}

/// A deed found in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenDeed {
    /// The deed as far as it is recorded.
    pub deed: Deed,
    /// Its plan.
    pub plan: Plan,
    /// Whether the process that carries it out is alive.
    pub owner_alive: bool,
    /// Whether it is this process.
    pub ours: bool,
}

/// An entry as `ledger list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Its number, from 0.
    pub n: u64,
    /// Its time.
    pub at: DateTime<Utc>,
    /// Its kind.
    pub kind: EntryKind,
    /// Who signed.
    pub signer: String,
    /// The deed, when it is about one.
    pub deed: Option<PlanId>,
    /// The verb, when it is about a deed.
    pub verb: Option<String>,
    /// The target, when it is about one.
    pub target: Option<String>,
    /// Who asked.
    pub requester: Option<String>,
    /// The verdict, for intents and denials.
    pub verdict: Option<String>,
    /// The deed's facts as of this entry.
    pub facts: Facts,
    /// The entry's own words.
    pub words: Text,
}

impl EntryRow {
    /// Who gave an approval that this entry records; none of another entry. At tier T0 the process signs, and only the words name the person.
    pub fn agreed_by(&self) -> Option<&str> {
        let named = self.words.as_str().strip_prefix("approve by ").and_then(|rest| rest.split(':').next());
        (self.kind == EntryKind::Approval).then(|| named.unwrap_or(&self.signer))
    }
}

/// What [`Ledger::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Whether everything holds together.
    pub intact: bool,
    /// Entries read.
    pub entries: u64,
    /// The lowest entry that fails.
    pub first_bad: Option<u64>,
    /// Why.
    pub reason: Option<Text>,
}

/// The judge that is asked again inside the transaction; pure, quick, without I/O.
pub type JudgeAgain<'a> = &'a (dyn Fn(&AtCommit) -> Verdict + Send + Sync);

/// The ledger and its store.
///
/// Every method is one transaction; a method that returns an error has changed nothing. All times that it writes never run backwards.
pub trait Ledger: Send + Sync {
    /// The installation's name, part of every Order.
    fn installation(&self) -> String;

    /// Says whose signatures count from the next entry on that a person can sign; the change is an entry of its own.
    fn name_people(&self, people: &[Person]);

    /// Says by which rules this process judges. The first are taken as accepted; changed ones are an entry of their own, and while a
    /// policy-owner guards those that were accepted, these stay so until [`Ledger::accept_rules`] says otherwise.
    fn name_rules(&self, catalog: &Arc<Catalog>);

    /// How the rules of this process stand to those that were accepted.
    fn rules(&self) -> Pending<'_, Result<RuleStanding, LedgerError>>;

    /// Puts a person's name under the changed rules of this process, one transaction: a `policy` entry of state `named`, and when
    /// `may` says that they are accepted by it, one of state `accepted`. What `may` refuses is recorded as `denied` and returned as
    /// [`LedgerError::Refused`]. `signed`: the person's own signature over [`Naming::body`]; none: the process signs.
    fn accept_rules<'a>(
        &'a self,
        naming: &'a Naming,
        signed: Option<&'a Signed>,
        may: MayName<'a>,
    ) -> Pending<'a, Result<RuleStanding, LedgerError>>;

    /// Stores a plan until it expires.
    fn store_plan<'a>(&'a self, plan: &'a Plan) -> Pending<'a, Result<(), LedgerError>>;

    /// Finds a stored plan that is neither expired nor spent by a prefix of 8 or more hexadecimal digits, which no other plan of the last
    /// day has.
    fn plan<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Plan, LedgerError>>;

    /// Plans that wait for other persons, with their approvals: stored with `waiting`, unexpired, unspent.
    fn waiting(&self) -> Pending<'_, Result<Vec<Waiting>, LedgerError>>;

    /// Plans that wait no more and were carried out, taken back, rejected, or ended within the last days; the newest first.
    fn past(&self) -> Pending<'_, Result<Vec<PastChange>, LedgerError>>;

    /// Records what a person says about a stored plan, one transaction: the plan is neither expired nor spent, `may` has no reason
    /// against it as things stand in the store now; then `approval`, `rejection` or `withdrawal` is appended. An approval is kept
    /// until it ends, is withdrawn, or is spent with its plan; a rejection, or the requester's withdrawal, ends the plan. What `may`
    /// refuses is recorded as `denied`, with the reasons, and returned as [`LedgerError::Refused`].
    /// `signed`: the person's own signature over the statement; none: the process signs.
    fn rule<'a>(
        &'a self,
        ruling: &'a Ruling,
        signed: Option<&'a Signed>,
        may: MayRule<'a>,
    ) -> Pending<'a, Result<DateTime<Utc>, LedgerError>>;

    /// Break glass and reviews: those that are owed, whose time box is open, and the newest that are over; the oldest first.
    fn reviews(&self) -> Pending<'_, Result<Vec<Review>, LedgerError>>;

    /// Closes a review, one transaction: it is owed, `may` has no reason against it; then a `break-glass` entry whose state is
    /// `reviewed` is appended. What `may` refuses is recorded as `denied` and returned as [`LedgerError::Refused`].
    /// `signed`: the reviewer's own signature over [`Ledger::said_body`]; none: the process signs.
    fn review<'a>(
        &'a self,
        finding: &'a Finding,
        signed: Option<&'a Signed>,
        may: MayReview<'a>,
    ) -> Pending<'a, Result<Review, LedgerError>>;

    /// Says to the other processes of the store who is at the keys of this room. It cannot fail: nothing hangs on it.
    fn appear(&self, _presence: &Presence) {}

    /// The rooms of the store that are open now and who is at their keys, the oldest first; dead ones are not among them.
    fn here(&self) -> Vec<Presence> {
        Vec::new()
    }

    /// Roles that people took: those that are not over, and the newest that are; the oldest first.
    fn grants(&self) -> Pending<'_, Result<Vec<SelfGrant>, LedgerError>>;

    /// Records that a role is taken for a while, that somebody agrees to it, or that it is taken back, one transaction: `may` has no
    /// reason against it as things stand in the store now; then a `policy` entry is appended. What `may` refuses is recorded as `denied`
    /// and returned as [`LedgerError::Refused`]. A review is not for here: see [`Ledger::review`].
    /// `signed`: the person's own signature over [`Ledger::said_body`]; none: the process signs.
    fn grant<'a>(
        &'a self,
        saying: &'a Saying,
        signed: Option<&'a Signed>,
        may: MayGrant<'a>,
    ) -> Pending<'a, Result<SelfGrant, LedgerError>>;

    /// What the person's own key signs of a saying from tier T1 on: the entry's kind and body.
    fn said_body<'a>(&'a self, saying: &'a Saying) -> Pending<'a, Result<(EntryKind, Vec<u8>), LedgerError>>;

    /// Marks a stored plan as waiting for other persons.
    fn wait_for(&self, plan: PlanId) -> Pending<'_, Result<(), LedgerError>>;

    /// Records that somebody wanted something of a stored plan that cannot be, because of the plan itself.
    fn refuse<'a>(&'a self, attempt: &'a Attempt) -> Pending<'a, Result<(), LedgerError>>;

    /// Records that a plan was denied, with the reasons in words.
    fn deny<'a>(&'a self, plan: &'a Plan, reasons: &'a [crate::model::reason::Reason]) -> Pending<'a, Result<(), LedgerError>>;

    /// The point of no return, one transaction: the plan is neither expired nor spent, no other deed is under way on the target
    /// (a way back may take an expired lease of a living owner with a higher epoch), the judge says yes again to what stands in the
    /// store now (what it refuses is recorded as `denied` and returned as [`LedgerError::Refused`]); then the lease is taken, an earlier hold watch on the target is closed as `superseded` when the plan has effects,
    /// and `intent` is appended, its body the Order's canonical bytes; above it `break-glass` when the Order breaks the glass, whose line
    /// is synchronised to the second place first, and a review is owed from then on. For hold, resume and note the entry of that kind, its state change
    /// and `effective` follow in the same transaction and the lease is given back. A plan without effects (the last promote) is
    /// also effective at once.
    fn begin<'a>(&'a self, plan: &'a Plan, judge: JudgeAgain<'a>) -> Pending<'a, Result<Begun, LedgerError>> {
        self.begin_signed(plan, &[], judge)
    }

    /// As [`Ledger::begin`], with the requester's own signatures over [`Ledger::personal_bodies`], in their order; none: the process
    /// signs. A signature that does not hold for the requester by the newest signers is [`LedgerError::Denied`].
    fn begin_signed<'a>(&'a self, plan: &'a Plan, signed: &'a [Signed], judge: JudgeAgain<'a>) -> Pending<'a, Result<Begun, LedgerError>>;

    /// What the requester's own key signs of a plan from tier T1 on: each entry's kind and body.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when a body cannot be written in canonical form.
    fn personal_bodies(&self, plan: &Plan) -> Result<Vec<(EntryKind, Vec<u8>)>, LedgerError>;

    /// Looks again at hold (forward steps only), epoch and read-only, appends `sending` for the step, renews the lease.
    fn sending<'a>(&'a self, begun: &'a Begun, step: u32) -> Pending<'a, Result<Recorded, LedgerError>>;

    /// Appends an outcome of a deed.
    fn record<'a>(&'a self, plan: PlanId, outcome: &'a Outcome) -> Pending<'a, Result<DateTime<Utc>, LedgerError>>;

    /// Renews the lease of a deed under way.
    fn renew(&self, plan: PlanId, epoch: u64) -> Pending<'_, Result<(), LedgerError>>;

    /// Deeds whose state is not final: under way, watched, or unknown and not looked at by a person.
    fn open_deeds(&self) -> Pending<'_, Result<Vec<OpenDeed>, LedgerError>>;

    /// One deed by a unique prefix of its identity.
    fn deed<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Deed, LedgerError>>;

    /// The newest deeds, newest first.
    fn recent_deeds(&self, most: u32) -> Pending<'_, Result<Vec<Deed>, LedgerError>>;

    /// Tries to take over a deed under way whose owner is really dead (its lock can be taken), or the hold watch of one.
    fn adopt(&self, plan: PlanId) -> Pending<'_, Result<Adoption, LedgerError>>;

    /// What is remembered of every target that was ever written.
    fn states(&self) -> Pending<'_, Result<Vec<TargetState>, LedgerError>>;

    /// Remembers changes that no deed of ours caused: a rollout found running, a version proven.
    fn remember<'a>(&'a self, changes: &'a [StateChange]) -> Pending<'a, Result<(), LedgerError>>;

    /// A number that grows with every commit of any process, cheap to read.
    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>>;

    /// Entries from `from` on, at most `most`.
    fn entries(&self, from: u64, most: u32) -> Pending<'_, Result<Vec<EntryRow>, LedgerError>>;

    /// The number of entries.
    fn size(&self) -> Pending<'_, Result<u64, LedgerError>>;

    /// What is wrong with the second places of checkpoints, in words; empty when nothing is. It stops no deed.
    fn witnesses(&self) -> Vec<Text>;

    /// Checks every entry: bytes, number, time, body, signature, namespace, chain, tree, and the checkpoint beside the store.
    fn verify(&self) -> Pending<'_, Result<Verification, LedgerError>>;
}
