//! The log of a living room: JSON lines in a file that rotates by size, never on the terminal, and without secrets.

mod line;
mod rotating;

use std::io::Write as _;

use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use self::rotating::Rotating;
use crate::adapters::clock::SystemClock;
use crate::config::settings::{LogLevel, LogSettings};
use crate::ports::clock::Clock as _;

/// Lines that wait for the disk at most; room for all of them is taken at once, 32 bytes each. What does not fit is dropped: nothing waits
/// for a log.
const LINES: usize = 4096;

/// Writes each event as a line.
struct Lines(NonBlocking);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = line::line(&SystemClock.now().wall, event);
        text.push('\n');
        let _ = self.0.clone().write_all(text.as_bytes());
    }
}

/// Logs from now on until the guard is dropped; not at all where the configuration says so. A file that cannot be written stops nothing:
/// it is tried again with each line.
pub fn begin(settings: &LogSettings) -> Option<WorkerGuard> {
    let level = match settings.level {
        LogLevel::Off => return None,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Of libraries warnings at most: below that they write what goes over the line, headers among it.
    let wanted = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("gonogo", level);
    let file = Rotating::new(&settings.file, settings.bytes, settings.keep);
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(LINES).finish(file);
    let subscriber = tracing_subscriber::registry().with(Lines(writer).with_filter(wanted));
    tracing::subscriber::set_global_default(subscriber).ok()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "the log of a room begins");
    Some(guard)
}
