//! The workloads of a cluster behind the port: read one by one, changed for exactly the object that was read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::cluster::Cluster;
use super::object::Place;
use super::workload::Workload;
use super::workloads::{Deed, Expect, Workloads};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::plan::StepEffect;
use crate::model::workload::{WorkloadAsk, WorkloadName, WorkloadReading};
use crate::ports::Pending;
use crate::ports::orchestrator::Orchestrator;

/// The workloads of one cluster.
pub struct ClusterWorkloads {
    workloads: Workloads,
    /// Each as it was read last, for commands.
    seen: Mutex<BTreeMap<WorkloadName, Workload>>,
}

impl ClusterWorkloads {
    /// Those of a cluster.
    pub fn new(cluster: Cluster) -> Self {
        Self { workloads: Workloads::new(cluster), seen: Mutex::default() }
    }

    async fn read_all(&self, asks: &[WorkloadAsk]) -> Result<WorkloadReading, PortError> {
        let mut reading = WorkloadReading::default();
        // Once for each namespace in which numbers of replicas are set.
        let mut minding: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for WorkloadAsk { name, scaled } in asks {
            match self.workloads.read(&format!("read {name}"), name.kind, &place(name)).await? {
                Some(mut workload) => {
                    if *scaled && !minding.contains_key(name.namespace.as_str()) {
                        let doing = format!("read the autoscalers of {}", name.namespace);
                        minding.insert(&name.namespace, self.workloads.autoscalers(&doing, &name.namespace).await?);
                    }
                    let autoscalers = minding.get(name.namespace.as_str()).filter(|_| *scaled);
                    workload.autoscaler = autoscalers.and_then(|all| workload.minded_by(all));
                    reading.workloads.push(workload.seen());
                    self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), workload);
                }
                None => reading.missing.push(name.clone()),
            }
        }
        Ok(reading)
    }

    async fn carry_out(&self, what: &StepEffect) -> Result<(), SendError> {
        let cluster = self.workloads.cluster();
        let not_done = |why: &str| SendError::NotDone(cluster.fault(PortErrorKind::Unsupported, "carry out an effect", why));
        let change = match what {
            StepEffect::Workload { backend, change } if backend == cluster.backend() => change,
            StepEffect::Workload { backend, .. } => return Err(not_done(&format!("the effect is for {backend}"))),
            StepEffect::Weights { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. }
            | StepEffect::Start { .. }
            | StepEffect::Retry { .. }
            | StepEffect::Repeat { .. }
            | StepEffect::Answer { .. }
            | StepEffect::Cancel { .. } => return Err(not_done("it only changes workloads")),
        };
        let deed = Deed::Form(change.wish.clone());
        self.workloads.carry_out(change.workload.kind, &place(&change.workload), &deed, Expect::From(change)).await
    }
}

fn place(name: &WorkloadName) -> Place {
    Place { namespace: name.namespace.clone(), name: name.name.clone() }
}

impl Orchestrator for ClusterWorkloads {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadWorkloads, Capability::Replace]
    }

    fn read<'a>(&'a self, workloads: &'a [WorkloadAsk]) -> Pending<'a, Result<WorkloadReading, PortError>> {
        Box::pin(self.read_all(workloads))
    }

    fn change<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(self.carry_out(effect.what()))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        let StepEffect::Workload { change, .. } = effect else { return Vec::new() };
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.get(&change.workload);
        known.map(|workload| self.workloads.commands(workload, &change.wish)).unwrap_or_default()
    }
}
