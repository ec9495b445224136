//! A plan: an Order, whose hash names it, with the preconditions, the evidence and the cost that go beside it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::authorship::Authorship;
use super::both::LeftOut;
use super::change::ChangeType;
pub use super::effect::StepEffect;
use super::flag::{FlagMark, FlagRef};
use super::gate::{Check, Typed};
use super::intent::{Direction, Intent, Verb};
use super::name::{BackendName, PlanId, PoolName, ServerName, Target};
use super::part::PartOf;
use super::reason::Reason;
use super::released::Released;
use super::run_gate::{AskedBy, GateRef};
use super::share::{Percent, Share};
use super::slot::Slot;
use super::spec::Spec;
use super::text::Text;
use super::ticket::Ticket;
use super::timetable::Span;
use super::traffic::{ServerState, Weights};
use super::workload::{WorkloadForm, WorkloadName};

/// The format number of an Order.
pub const ORDER_FORMAT: u32 = 1;

/// A target with the identities that bind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTarget {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The slot whose share is set.
    pub slot: Option<Slot>,
    /// The digest of what runs in that slot, when it is known.
    pub digest: Option<Text>,
    /// The run, `backend/number`.
    pub run: Option<String>,
    /// The run's attempt, where the backend counts attempts.
    pub attempt: Option<u64>,
}

/// What will be done, and nothing that a poll could change. Its canonical bytes are what is hashed, signed and recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What is taken back of the steps before one that surely did not come about: absolute, one for each step but the last, numbered
    /// after the steps; not there in an Order that moves one router at most, and in a way back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub back: Vec<StepEffect>,
    /// When its booking begins, RFC 3339 with milliseconds: not earlier may it be carried out, and `expires` ends the booking; not there
    /// in an Order that is not scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<String>,
    /// When the time box of break glass ends, RFC 3339 with milliseconds; not there in an Order that does not break the glass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// The type of change by the rules, or stricter.
    pub change_type: ChangeType,
    /// Steps in order.
    pub effects: Vec<StepEffect>,
    /// Once it is effective the rollout ends and this is the stable slot; null when no rollout ends.
    pub ends: Option<Slot>,
    /// When the plan ends, RFC 3339 with milliseconds.
    pub expires: String,
    /// [`ORDER_FORMAT`].
    pub format: u32,
    /// The installation whose ledger records it.
    pub installation: String,
    /// The routers that a way back leaves out because they do not answer; not there when it reaches all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftOut>,
    /// What makes two equal wishes two plans.
    pub nonce: String,
    /// The rollout of which it is a part, ordered by its rules and not by a person; not there in an Order of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<PartOf>,
    /// The wished share, for a deed that sets one.
    pub percent: Option<Percent>,
    /// Who asks: a person, or `os:NAME`.
    pub requester: String,
    /// What the rollout does that it starts; not there in an Order that starts none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Spec>,
    /// SHA-256 of the rules and roles that the verdict reads.
    pub rules: String,
    /// The targets.
    pub targets: Vec<OrderTarget>,
    /// A note's text; null otherwise.
    pub text: Option<Text>,
    /// The ticket under which the change is known elsewhere; not there in an Order without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// The train whose departure `begins` is; not there in an Order that goes with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<String>,
    /// The verb.
    pub verb: Verb,
}

impl Order {
    /// The effect of a step: those that the Order wants, and after them those by which it takes them back.
    pub fn step(&self, step: usize) -> Option<&StepEffect> {
        self.effects.get(step).or_else(|| self.back.get(step.checked_sub(self.effects.len())?))
    }

    /// Whether a step takes an earlier one back.
    pub fn is_back(&self, step: usize) -> bool {
        step >= self.effects.len()
    }

    /// What is taken back when a step does not come about, in the order of the steps that it takes back; they are taken back from the
    /// last to the first.
    pub fn taken_back(&self, failed: usize) -> &[StepEffect] {
        self.back.get(..failed.min(self.back.len())).unwrap_or_default()
    }

    /// When it may be carried out at the earliest; none when it is not scheduled. A text that is no time never comes.
    pub fn begin(&self) -> Option<DateTime<Utc>> {
        let read = |text: &String| DateTime::parse_from_rfc3339(text).map_or(DateTime::<Utc>::MAX_UTC, |at| at.to_utc());
        self.begins.as_ref().map(read)
    }

    /// The RFC 8785 bytes of the Order.
    ///
    /// # Errors
    /// When serialisation fails, which it cannot for an Order that [`serde_json`] can write.
    pub fn canonical(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(self)
    }

    /// The plan's identity.
    ///
    /// # Errors
    /// As [`Order::canonical`].
    pub fn id(&self) -> Result<PlanId, serde_json::Error> {
        Ok(PlanId(Sha256::digest(self.canonical()?).into()))
    }
}

/// What must still be so when a plan is carried out. A poll does not void a plan; a broken precondition stops it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "precondition", rename_all = "kebab-case")]
pub enum Precondition {
    /// The pool's weights are as they were when it was planned.
    WeightsUnchanged {
        /// The router.
        backend: BackendName,
        /// The pool.
        pool: PoolName,
        /// What they were.
        weights: Weights,
    },
    /// The slot that gains has a server that takes traffic.
    ServerUp {
        /// The router.
        backend: BackendName,
        /// The pool.
        pool: PoolName,
        /// The slot.
        slot: Slot,
        /// Its servers.
        servers: Vec<ServerName>,
    },
    /// An operator's word on a server is what it was when it was planned; where it is to drain, another server takes requests.
    ServerStands {
        /// The router.
        backend: BackendName,
        /// The pool.
        pool: PoolName,
        /// The server.
        server: ServerName,
        /// What had been said of it.
        was: ServerState,
        /// Whether another server of the pool must take requests.
        others: bool,
    },
    /// A flag stands as it did when it was planned.
    FlagUnchanged {
        /// The flag service.
        backend: BackendName,
        /// The flag there.
        flag: FlagRef,
        /// How it stood.
        was: FlagMark,
    },
    /// A run is still as it was.
    RunState {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
        /// Whether it must be over (retry) or under way (cancel).
        over: bool,
    },
    /// A run still waits at exactly these gates, in the same attempt, with the same commit.
    AtGates {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
        /// Its attempt.
        attempt: u64,
        /// The commit that it builds.
        revision: String,
        /// Every gate at which it waits, also those that are not answered.
        gates: Vec<GateRef>,
    },
    /// The backend would take our answer at these gates of a run.
    MayAnswer {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
        /// The gates that are answered.
        gates: Vec<GateRef>,
    },
    /// A workload is the object that was read, and stands as it did, so far as it would be changed.
    WorkloadAs {
        /// The orchestrator.
        backend: BackendName,
        /// Which.
        workload: WorkloadName,
        /// The identity of the object.
        uid: String,
        /// How it stood.
        form: WorkloadForm,
    },
    /// The target is not held.
    NotHeld,
    /// The facts of a backend are fresh.
    Fresh {
        /// The backend.
        backend: BackendName,
    },
    /// Which slot is the stable one is as it was.
    Stable {
        /// The slot.
        slot: Slot,
    },
    /// What runs in a slot is what was planned on, as far as it is told.
    Version {
        /// The slot.
        slot: Slot,
        /// The version.
        version: Text,
        /// Its digest.
        digest: Option<Text>,
    },
}

impl Precondition {
    /// Whether it may be broken now and hold by another time without anybody's doing to the plan's own effects.
    pub fn passes(&self) -> bool {
        match self {
            Self::Fresh { .. } | Self::ServerUp { .. } | Self::NotHeld => true,
            Self::WeightsUnchanged { .. }
            | Self::FlagUnchanged { .. }
            | Self::ServerStands { .. }
            | Self::RunState { .. }
            | Self::AtGates { .. }
            | Self::MayAnswer { .. }
            | Self::WorkloadAs { .. }
            | Self::Stable { .. }
            | Self::Version { .. } => false,
        }
    }
}

/// A precondition and whether it held when last looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What must be so.
    pub must: Precondition,
    /// In words.
    pub text: Text,
    /// Whether it is so.
    pub holds: bool,
    /// What stands in the way, when it is not.
    pub broken: Option<Reason>,
}

/// A fact that was looked at and does not bind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// In words.
    pub text: Text,
    /// The backend, or `store`.
    pub source: String,
    /// Age in whole seconds; none when it was never read.
    pub age_s: Option<u64>,
    /// Whether it warns.
    pub warns: bool,
}

/// One row of what a plan costs; `None` is "not known", which is an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The row: `if I do nothing`, `takes`, `users`, `load`, `data`, `undo`, `told`, `if it fails`.
    pub name: String,
    /// The answer.
    pub text: Option<Text>,
}

/// The share that a weights effect really reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// What was wished.
    pub wished: Percent,
    /// What whole weights reach.
    pub reached: Share,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The hash of the Order.
    pub id: PlanId,
    /// What was asked for.
    pub intent: Intent,
    /// Which way it goes.
    pub direction: Direction,
    /// What will be done.
    pub order: Order,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// What must still be so.
    pub preconditions: Vec<Checked>,
    /// The gate's checks.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The type of change as the rules say when last looked at, and why; none in plans of an older gonogo.
    #[serde(default)]
    pub typed: Option<Typed>,
    /// Who made what it brings; none when no source of changes is configured for it, and in plans of an older gonogo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<Authorship>,
    /// What was looked at.
    pub evidence: Vec<Evidence>,
    /// What it releases from what, as it was known; part of the evidence.
    #[serde(default, skip_serializing_if = "Released::is_empty")]
    pub released: Released,
    /// Now, in words.
    pub now: Text,
    /// Afterwards, in words.
    pub after: Text,
    /// What it costs.
    pub costs: Vec<Cost>,
    /// The shares that are really reached.
    pub reach: Vec<Reach>,
    /// How to get back, as a command line without `gonogo`; none when nothing can be undone.
    pub undo: Option<String>,
    /// The exact calls that a person could make by hand.
    pub commands: Vec<String>,
    /// Reasons why it cannot be done at all, whoever asks; empty when it can.
    pub impossible: Vec<Reason>,
    /// Who asked for the run whose gates it opens; none for a plan that opens none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<AskedBy>,
    /// What break glass waived when it was judged last; empty for a plan that does not break it.
    #[serde(default)]
    pub waived: Vec<Reason>,
}

impl Plan {
    /// The weights of a pool that a plan was made on.
    pub fn weights_found(preconditions: &[Checked], backend: &BackendName, pool: &PoolName) -> Option<Weights> {
        preconditions.iter().find_map(|checked| match &checked.must {
            Precondition::WeightsUnchanged { backend: at, pool: of, weights } if at == backend && of == pool => Some(weights.clone()),
            Precondition::WeightsUnchanged { .. }
            | Precondition::ServerUp { .. }
            | Precondition::FlagUnchanged { .. }
            | Precondition::ServerStands { .. }
            | Precondition::RunState { .. }
            | Precondition::AtGates { .. }
            | Precondition::MayAnswer { .. }
            | Precondition::WorkloadAs { .. }
            | Precondition::NotHeld
            | Precondition::Fresh { .. }
            | Precondition::Version { .. }
            | Precondition::Stable { .. } => None,
        })
    }

    /// The time in which it may be carried out; none when it is not scheduled.
    pub fn booking(&self) -> Option<Span> {
        Some(Span { begin: self.order.begin()?, end: self.expires })
    }

    /// The flag that it sets, and where.
    fn flag(&self) -> Option<(&BackendName, &FlagRef)> {
        self.order.effects.iter().find_map(StepEffect::flag)
    }

    /// Whether it takes over what an earlier deed on its target is watched for: a flag is apart from the traffic, and from other flags.
    pub fn takes_over(&self, earlier: &Self) -> bool {
        self.flag() == earlier.flag()
    }

    /// Its one target.
    pub fn target(&self) -> &Target {
        &self.intent.target
    }

    /// SHA-256 in lower-case hexadecimal over [`Plan::evidence_bytes`]: what an approval binds to beside the plan's hash.
    ///
    /// # Errors
    /// When serialisation fails, which it cannot for evidence that [`serde_json`] can write.
    pub fn evidence_digest(&self) -> Result<String, serde_json::Error> {
        let digest = Sha256::digest(self.evidence_bytes()?);
        Ok(digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
    }

    /// The RFC 8785 bytes of the checks, the evidence and, where they are known, what is released and who made it: what is kept beside the
    /// ledger under their digest.
    ///
    /// # Errors
    /// As [`Plan::evidence_digest`].
    pub fn evidence_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let released = (!self.released.is_empty()).then(|| json!({ "released": self.released }));
        let authors = self.authors.as_ref().map(|authors| json!({ "authors": authors }));
        let more: Vec<_> = released.into_iter().chain(authors).collect();
        if more.is_empty() {
            return serde_json_canonicalizer::to_vec(&(&self.checks, &self.evidence));
        }
        serde_json_canonicalizer::to_vec(&(&self.checks, &self.evidence, more))
    }
}
