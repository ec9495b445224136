//! What a store is like from outside: its files, how much room is left, which schema it has, and whether SQLite finds it whole.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use sqlx::Row as _;

use super::schema::{self, Part};

/// What was seen of a store. None: it could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The mode of its directory.
    pub mode: Option<u32>,
    /// The mode of the process key.
    pub key_mode: Option<u32>,
    /// The bytes of the ledger, with its log.
    pub ledger_bytes: Option<u64>,
    /// The bytes of the journal, with its log.
    pub journal_bytes: Option<u64>,
    /// The bytes that are free to this user on its file system.
    pub free_bytes: Option<u64>,
    /// The file system that it lies on.
    pub device: Option<u64>,
    /// The schema of the ledger.
    pub schema: Option<i64>,
    /// Whether SQLite finds the pages of the ledger whole; the chain of entries is `ledger verify`'s.
    pub whole: Option<bool>,
}

/// Looks at the store of a directory; nothing is made or written.
pub async fn facts(dir: &Path) -> Facts {
    let data = |name: &str| std::fs::metadata(dir.join(name)).ok();
    let bytes = |part: Part| {
        let main = data(part.file())?.len();
        Some(main.saturating_add(data(&format!("{}-wal", part.file())).map_or(0, |log| log.len())))
    };
    let folder = std::fs::metadata(dir).ok();
    let mut facts = Facts {
        mode: folder.as_ref().map(|folder| folder.permissions().mode() & 0o7777),
        key_mode: data("process.key").map(|key| key.permissions().mode() & 0o7777),
        ledger_bytes: bytes(Part::Ledger),
        journal_bytes: bytes(Part::Journal),
        free_bytes: rustix::fs::statvfs(dir).ok().map(|free| free.f_bavail.saturating_mul(free.f_frsize)),
        device: folder.map(|folder| folder.dev()),
        schema: None,
        whole: None,
    };
    if facts.ledger_bytes.is_some()
        && let Ok(mut conn) = schema::connect_read_only(Part::Ledger, dir).await
    {
        facts.schema = sqlx::query("PRAGMA user_version").fetch_one(&mut conn).await.ok().and_then(|row| row.try_get(0).ok());
        let said = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut conn).await;
        facts.whole = Some(said.is_ok_and(|row| row.try_get::<String, _>(0).is_ok_and(|said| said == "ok")));
    }
    facts
}
