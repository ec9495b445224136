//! What a room tells of itself as long as it is open: its log, and its metrics in a file.

use std::sync::Arc;

use tracing_appender::non_blocking::WorkerGuard;

use super::textfile::Metrics;
use crate::cli::log;
use crate::config::settings::HealthSettings;
use crate::control::driver::Handle;
use crate::ports::clock::Clock;

/// Log and metrics of one room.
pub struct Living {
    metrics: Metrics,
    /// Dropped last: what is on its way into the log is written then.
    _log: Option<WorkerGuard>,
}

impl Living {
    /// Begins both, where they are wished. Must be called within a runtime.
    pub fn of(handle: &Handle, clock: &Arc<dyn Clock>, settings: Option<Arc<HealthSettings>>) -> Self {
        let log = settings.as_ref().and_then(|settings| log::begin(&settings.log));
        Self { metrics: Metrics::of(handle, clock, settings.and_then(|settings| settings.metrics.clone())), _log: log }
    }

    /// Ends both, with the last word of the room.
    pub async fn end(self) {
        self.metrics.end().await;
        tracing::info!("the room is closed");
    }
}
