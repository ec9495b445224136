//! A calendar in a file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::{MOST_BYTES, parse};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::ical::CalendarReading;
use crate::model::name::BackendName;
use crate::ports::Pending;
use crate::ports::calendar::Calendar;

const DOING: &str = "read the calendar";

/// A calendar in a file, read anew each time.
#[derive(Debug, Clone)]
pub struct CalendarFile {
    name: BackendName,
    path: PathBuf,
}

impl CalendarFile {
    /// The calendar at a path, under the name by which failures call it.
    pub fn new(name: BackendName, path: PathBuf) -> Self {
        Self { name, path }
    }

    fn read_now(&self) -> Result<CalendarReading, PortError> {
        let fail = |kind, detail: &str| PortError::new(kind, &self.name, DOING, detail);
        let path = self.path.display();
        let unreadable = |error: std::io::Error| {
            let kinds = [(ErrorKind::NotFound, PortErrorKind::NotFound), (ErrorKind::PermissionDenied, PortErrorKind::Forbidden)];
            let kind = kinds.into_iter().find(|(why, _)| *why == error.kind()).map_or(PortErrorKind::Unreachable, |(_, kind)| kind);
            fail(kind, &format!("{path}: {error}"))
        };
        // To open a pipe could take for ever, and a device has no end.
        let without_waiting = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        let mut file = OpenOptions::new().read(true).custom_flags(without_waiting).open(&self.path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(fail(PortErrorKind::Malformed, &format!("{path} is no file")));
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
        file.by_ref().take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|_| fail(PortErrorKind::Malformed, &format!("{path} is no UTF-8")))?;
        parse(&text).map_err(|why| fail(PortErrorKind::Malformed, &format!("{path}: {why}")))
    }
}

impl Calendar for CalendarFile {
    fn read(&self) -> Pending<'_, Result<Arc<CalendarReading>, PortError>> {
        Box::pin(async move {
            let this = self.clone();
            let read = tokio::task::spawn_blocking(move || this.read_now()).await;
            let ended = |_| PortError::new(PortErrorKind::Unreachable, &self.name, DOING, "the reader ended before its time");
            read.map_err(ended)?.map(Arc::new)
        })
    }
}
