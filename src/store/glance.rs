//! A glance at the write-ahead log from outside: whether anybody can have committed since, without asking SQLite.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::schema::Part;

/// How long ago the log must have been written before its time tells it from a later one; file systems count in ticks of up to 10 ms,
/// the coarsest in seconds.
const SETTLED_MS: i64 = 2_000;

/// What the write-ahead log of the ledger looks like. Every commit of any process writes to it, and no glance opens it: to close a
/// file of SQLite would give up the locks that this process has on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glance {
    inode: u64,
    bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Glance {
    /// Looks at the log beneath a store's directory; none when there is no log.
    pub(super) fn at(dir: &Path) -> Option<Self> {
        let data = std::fs::metadata(dir.join(format!("{}-wal", Part::Ledger.file()))).ok()?;
        Some(Self { inode: data.ino(), bytes: data.len(), seconds: data.mtime(), nanoseconds: data.mtime_nsec() })
    }

    /// Whether a commit after `now` would look different.
    pub(super) fn is_settled(&self, now: DateTime<Utc>) -> bool {
        now.timestamp_millis().saturating_sub(self.seconds.saturating_mul(1000) + self.nanoseconds / 1_000_000) >= SETTLED_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_written_just_now_or_tomorrow_is_not_settled() {
        let glance = Glance { inode: 1, bytes: 0, seconds: 1_000, nanoseconds: 500_000_000 };
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        assert!(!glance.is_settled(at(1_000_600)));
        assert!(!glance.is_settled(at(0)));
        assert!(glance.is_settled(at(1_002_500)));
    }
}
