//! The lock on the ledger, where it stands, and what is appended to it.

use std::fs::{File, TryLockError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::MutexGuard;

use super::fault::{broken, file, unwritable};
use super::tree::{Hash, Range};
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::PlanId;
use crate::ports::ledger::LedgerError;

/// The lock on the ledger's file, given back when it is dropped.
pub struct FileGuard<'a>(MutexGuard<'a, Option<File>>);

impl<'a> FileGuard<'a> {
    /// Waits for the lock that all processes of the store share.
    pub async fn wait(gate: MutexGuard<'a, Option<File>>) -> Result<Self, LedgerError> {
        let Some(lock) = &*gate else { return Ok(Self(gate)) };
        for _ in 0..5_000 {
            match lock.try_lock() {
                Ok(()) => return Ok(Self(gate)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(2)).await,
                Err(TryLockError::Error(error)) => return Err(file("ledger.lock", &error)),
            }
        }
        Err(unwritable("another process has held the ledger's lock for ten seconds; find it and end it"))
    }
}

impl Drop for FileGuard<'_> {
    fn drop(&mut self) {
        if let Some(lock) = &*self.0 {
            // Closing the file gives it back as well; there is nothing better to do about an error here.
            let _ = lock.unlock();
        }
    }
}

/// Where the ledger stands.
pub struct Head {
    /// The tree.
    pub tree: Range,
    /// The leaf hash of the last line.
    pub last: Hash,
    /// The time of the last commit.
    pub at: DateTime<Utc>,
    /// The number of commits.
    pub generation: i64,
}

impl Head {
    /// Reads the one row.
    pub async fn read(conn: &mut SqliteConnection) -> Result<Self, LedgerError> {
        let row = sqlx::query("SELECT size, roots, last, at, generation FROM head").fetch_optional(conn).await?;
        let row = row.ok_or_else(|| broken("the ledger has no head; restore the store from a copy"))?;
        let size = u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?;
        let wrong = || broken("the ledger's head is damaged; restore the store from a copy");
        Ok(Self {
            tree: Range::from_bytes(size, row.try_get(1)?).ok_or_else(wrong)?,
            last: Hash::try_from(row.try_get::<&[u8], _>(2)?).map_err(|_| wrong())?,
            at: DateTime::from_timestamp_millis(row.try_get(3)?).ok_or_else(wrong)?,
            generation: row.try_get(4)?,
        })
    }
}

/// One entry to append.
pub struct Entry {
    /// Its kind.
    pub kind: EntryKind,
    /// The bytes that are signed.
    pub body: Vec<u8>,
    /// The deed.
    pub deed: Option<PlanId>,
    /// The verb.
    pub verb: Option<&'static str>,
    /// The target.
    pub target: Option<String>,
    /// Who asked.
    pub requester: Option<String>,
    /// The verdict.
    pub verdict: Option<&'static str>,
    /// The deed's facts as of this entry.
    pub facts: Facts,
    /// In words.
    pub words: String,
}
