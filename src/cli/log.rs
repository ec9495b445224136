//! Logs to files that rotate by day, never to the terminal.

use std::path::Path;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{Builder, Rotation};

/// Days that are kept.
const DAYS: usize = 7;
/// Lines that wait for the disk at most; room for all of them is taken at once, 32 bytes each.
const LINES: usize = 4096;

/// Writes logs below the store's directory. Without a writable place there are no logs; the room opens all the same.
pub fn to_files(store: &Path) -> Option<WorkerGuard> {
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("gonogo")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(store.join("log"))
        .ok()?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(LINES).finish(appender);
    let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).json().with_max_level(tracing::Level::INFO).finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(guard)
}
