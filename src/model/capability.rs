//! What a backend's adapter can do, so that screens offer only keys that can work.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One ability of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Reads weights, states and counters of servers.
    ReadTraffic,
    /// Sets weights.
    Shift,
    /// Drains servers, and makes them ready.
    Drain,
    /// Silences alerts, and ends silences.
    Silence,
    /// Has copies of requests made, and their answers thrown away.
    Mirror,
    /// Reads signals.
    ReadSignals,
    /// Reads alerts.
    ReadAlerts,
    /// Reads runs.
    ReadRuns,
    /// Reads the logs of a run's steps.
    Logs,
    /// Starts a run.
    Start,
    /// Runs a run again.
    Retry,
    /// Stops a run.
    Cancel,
    /// Answers for runs at gates.
    Answer,
    /// Knows where changes come from.
    ReadSource,
    /// Reads workloads and how far a change of them has come.
    ReadWorkloads,
    /// Sets the images of workloads.
    Replace,
    /// Reads feature flags.
    ReadFlags,
    /// Sets feature flags.
    SetFlags,
    /// Pauses a rollout with the backend's own means.
    Pause,
}

/// Sets that were read from recordings. There are only as many as subsets of the abilities, and few ever occur.
static READ: Mutex<BTreeSet<&'static [Capability]>> = Mutex::new(BTreeSet::new());

/// Abilities as an adapter itself would name them, of a set that a recording tells.
pub fn as_named(set: &BTreeSet<Capability>) -> &'static [Capability] {
    let list: Vec<Capability> = set.iter().copied().collect();
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = read.get(list.as_slice()) {
        return known;
    }
    let kept: &'static [Capability] = list.leak();
    read.insert(kept);
    kept
}
