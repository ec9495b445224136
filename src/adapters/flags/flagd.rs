//! flagd: read by OFREP, changed in the file that it watches.

use std::path::Path;

use crate::adapters::http::HttpClient;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::flag::{FlagReading, FlagRef};
use crate::model::plan::StepEffect;
use crate::ports::Pending;
use crate::ports::flags::Flags;

/// A flagd.
pub struct Flagd {
    http: HttpClient,
}

impl Flagd {
    /// A flagd behind a client for its OFREP service.
    ///
    /// # Errors
    /// None yet.
    pub fn new(http: HttpClient, _: Option<&Path>) -> Result<Self, PortError> {
        Ok(Self { http })
    }
}

impl Flags for Flagd {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read<'a>(&'a self, _: &'a [FlagRef]) -> Pending<'a, Result<FlagReading, PortError>> {
        Box::pin(std::future::ready(Err(self.http.fault(PortErrorKind::Unsupported, "read flags", "not yet"))))
    }
    fn set<'a>(&'a self, _: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(std::future::ready(Err(SendError::NotDone(self.http.fault(PortErrorKind::Unsupported, "set a flag", "not yet")))))
    }
    fn commands(&self, _: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}
