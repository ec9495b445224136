//! The last readings of backends, by the kind of what they read.

use super::{SourceFact, World};
use crate::model::alert::AlertReading;
use crate::model::flag::FlagReading;
use crate::model::name::BackendName;
use crate::model::pipeline::RunReading;
use crate::model::reading::Fact;
use crate::model::traffic::TrafficReading;
use crate::model::workload::WorkloadReading;

impl World {
    /// What an alerting system said last.
    pub fn alerts(&self, backend: &BackendName) -> Option<&Fact<AlertReading>> {
        match &self.sources.get(backend)?.fact {
            SourceFact::Alerts(fact) => Some(fact),
            SourceFact::Traffic(_)
            | SourceFact::Metrics(_)
            | SourceFact::Ci(_)
            | SourceFact::Workloads(_)
            | SourceFact::Flags(_)
            | SourceFact::Unsupported => None,
        }
    }

    /// The last reading of a router.
    pub fn traffic(&self, backend: &BackendName) -> Option<&Fact<TrafficReading>> {
        match &self.sources.get(backend)?.fact {
            SourceFact::Traffic(fact) => Some(fact),
            SourceFact::Metrics(_)
            | SourceFact::Alerts(_)
            | SourceFact::Ci(_)
            | SourceFact::Workloads(_)
            | SourceFact::Flags(_)
            | SourceFact::Unsupported => None,
        }
    }

    /// The last reading of a CI system.
    pub fn runs(&self, backend: &BackendName) -> Option<&Fact<RunReading>> {
        match &self.sources.get(backend)?.fact {
            SourceFact::Ci(fact) => Some(fact),
            SourceFact::Traffic(_)
            | SourceFact::Metrics(_)
            | SourceFact::Alerts(_)
            | SourceFact::Workloads(_)
            | SourceFact::Flags(_)
            | SourceFact::Unsupported => None,
        }
    }

    /// The last reading of a flag service.
    pub fn flags(&self, backend: &BackendName) -> Option<&Fact<FlagReading>> {
        match &self.sources.get(backend)?.fact {
            SourceFact::Flags(fact) => Some(fact),
            SourceFact::Traffic(_)
            | SourceFact::Metrics(_)
            | SourceFact::Alerts(_)
            | SourceFact::Ci(_)
            | SourceFact::Workloads(_)
            | SourceFact::Unsupported => None,
        }
    }

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
