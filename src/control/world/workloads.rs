//! What the world knows of orchestrators.

use super::{SourceFact, World};
use crate::model::name::BackendName;
use crate::model::reading::Fact;
use crate::model::workload::WorkloadReading;

impl World {
    /// The last reading of an orchestrator.
    pub fn workloads(&self, backend: &BackendName) -> Option<&Fact<WorkloadReading>> {
        match &self.sources.get(backend)?.fact {
            SourceFact::Workloads(fact) => Some(fact),
            SourceFact::Traffic(_)
            | SourceFact::Metrics(_)
            | SourceFact::Alerts(_)
            | SourceFact::Ci(_)
            | SourceFact::Flags(_)
            | SourceFact::Unsupported => None,
        }
    }
}
