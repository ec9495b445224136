//! Effects on backends: what the steps of an Order are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::flag::{FlagMark, FlagRef};
use super::name::{BackendName, PoolName, ServerName};
use super::run_gate::GateRef;
use super::share::Percent;
use super::silence::SilenceChange;
use super::traffic::{ServerState, Weights};
use super::workload::WorkloadChange;

/// One absolute effect on a backend. Its place in the Order is its step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum StepEffect {
    /// Sets the weights of a pool's servers: those that rise first, then those that fall.
    Weights {
        /// The router.
        backend: BackendName,
        /// The pool.
        pool: PoolName,
        /// Absolute weights for every server of both slots.
        weights: Weights,
    },
    /// Turns a feature flag on or off in one environment, and sets its percentage.
    Flag {
        /// The flag service.
        backend: BackendName,
        /// The flag there.
        flag: FlagRef,
        /// Whether it is on afterwards.
        on: bool,
        /// Its percentage afterwards; none: it stays as it is.
        percent: Option<Percent>,
        /// How it stood when it was planned: when it stands otherwise by now, nothing is sent.
        was: FlagMark,
    },
    /// Starts a run; the effect's key travels as a property.
    Start {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The force scheduler.
        scheduler: String,
        /// Properties; the value `$key` is replaced by the effect's key when it is sent.
        properties: BTreeMap<String, String>,
    },
    /// Runs a run again.
    Retry {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
    },
    /// Runs a run again under its own number, as its next attempt.
    Repeat {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
        /// The attempt that is repeated: when there is a newer one, nothing is sent.
        attempt: u64,
        /// Only the parts that went wrong, and what depends on them.
        failed_only: bool,
    },
    /// Answers for a run at gates where it waits.
    Answer {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
        /// Its attempt: no other one is answered for.
        attempt: u64,
        /// The commit that it builds: no other one is answered for.
        revision: String,
        /// The gates: all of them must wait.
        gates: Vec<GateRef>,
        /// Whether they open; else they close, which ends the run.
        opens: bool,
    },
    /// Stops a run.
    Cancel {
        /// The CI backend.
        backend: BackendName,
        /// The builder.
        builder: String,
        /// The run's global number.
        run: u64,
    },
    /// Has a server of a pool finish what it has and take nothing new, or take requests again.
    Drain {
        /// The router.
        backend: BackendName,
        /// The pool.
        pool: PoolName,
        /// The server.
        server: ServerName,
        /// Whether it drains afterwards; else it takes requests as soon as its checks let it.
        drains: bool,
        /// What an operator had said of it when it was planned: when it is another word by now, nothing is sent.
        was: ServerState,
    },
    /// Silences an alert until a time, or ends its silences.
    Silence {
        /// The alerting system.
        backend: BackendName,
        /// The alert's name.
        alert: String,
        /// Labels that must be equal: the alert's name and those of its target.
        matchers: BTreeMap<String, String>,
        /// What becomes of it.
        change: SilenceChange,
    },
    /// Sets what a workload wishes, so that its orchestrator replaces its instances.
    Workload {
        /// The orchestrator.
        backend: BackendName,
        /// The workload, what must stand there, and what is wished.
        change: Box<WorkloadChange>,
    },
}

impl StepEffect {
    /// The backend on which it acts.
    pub fn backend(&self) -> &BackendName {
        match self {
            Self::Weights { backend, .. }
            | Self::Flag { backend, .. }
            | Self::Start { backend, .. }
            | Self::Retry { backend, .. }
            | Self::Repeat { backend, .. }
            | Self::Answer { backend, .. }
            | Self::Cancel { backend, .. }
            | Self::Drain { backend, .. }
            | Self::Silence { backend, .. }
            | Self::Workload { backend, .. } => backend,
        }
    }

    /// What it changes of a workload, and at which orchestrator; none when it is about none.
    pub fn workload(&self) -> Option<(&BackendName, &WorkloadChange)> {
        let Self::Workload { backend, change } = self else { return None };
        Some((backend, change))
    }

    /// The flag that it sets, and at which flag service; none when it is about none.
    pub fn flag(&self) -> Option<(&BackendName, &FlagRef)> {
        let Self::Flag { backend, flag, .. } = self else { return None };
        Some((backend, flag))
    }

    /// Whether it is one that was agreed to: how a flag stood is not part of that as far as it decides nothing.
    pub fn is_as_agreed(&self, agreed: &Self) -> bool {
        let (Self::Flag { was, .. }, Self::Flag { was: agreed_was, .. }) = (self, agreed) else { return self == agreed };
        let mut same = self.clone();
        if let Self::Flag { was, .. } = &mut same {
            was.clone_from(agreed_was);
        }
        was.gives_as(agreed_was) && same == *agreed
    }

    /// Whether it creates something, so that it may never be sent twice.
    pub fn creates(&self) -> bool {
        match self {
            Self::Start { .. } | Self::Retry { .. } | Self::Repeat { .. } => true,
            Self::Weights { .. }
            | Self::Flag { .. }
            | Self::Answer { .. }
            | Self::Cancel { .. }
            | Self::Drain { .. }
            | Self::Silence { .. }
            | Self::Workload { .. } => false,
        }
    }
}
