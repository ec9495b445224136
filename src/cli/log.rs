//! Logs to files that rotate by day, never to the terminal.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};

/// Days that are kept.
const DAYS: usize = 7;

/// Writes logs below the store's directory. Without a writable place there are no logs; the room opens all the same.
pub fn to_files(store: &Path) -> Option<WorkerGuard> {
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("gonogo")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(store.join("log"))
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).json().with_max_level(tracing::Level::INFO).finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(guard)
}
