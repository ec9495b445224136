//! The tables, their versions, and how connections to the two files are opened.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

use super::fault::{broken, file};
use crate::ports::ledger::LedgerError;

/// What each schema of the ledger adds to the one before; a landed one is never changed.
const LEDGER: &[&str] = &[LEDGER_1, LEDGER_2, LEDGER_3, LEDGER_4, LEDGER_5, LEDGER_6];
/// What each schema of the journal adds to the one before; a landed one is never changed.
const JOURNAL: &[&str] = &[JOURNAL_1, JOURNAL_2, JOURNAL_3, JOURNAL_4, JOURNAL_5];

const LEDGER_1: &str = "
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    header BLOB NOT NULL,
    size INTEGER NOT NULL,
    roots BLOB NOT NULL,
    last BLOB NOT NULL,
    at INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
CREATE TABLE entry (
    n INTEGER PRIMARY KEY,
    line BLOB NOT NULL,
    leaf BLOB NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    signer TEXT NOT NULL,
    deed TEXT,
    verb TEXT,
    target TEXT,
    requester TEXT,
    verdict TEXT,
    facts TEXT NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX entry_of_deed ON entry (deed, n);
CREATE TABLE plan (
    id TEXT PRIMARY KEY,
    expires INTEGER NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    spent TEXT,
    json TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE deed (
    id TEXT PRIMARY KEY,
    n INTEGER NOT NULL,
    target TEXT NOT NULL,
    owner TEXT NOT NULL,
    open INTEGER NOT NULL,
    json TEXT NOT NULL,
    plan TEXT NOT NULL
);
CREATE INDEX deed_by_age ON deed (n);
CREATE INDEX deed_open ON deed (target) WHERE open = 1;
CREATE TABLE sending (
    deed TEXT NOT NULL,
    step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (deed, step)
) WITHOUT ROWID;
CREATE TABLE lease (
    target TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    deed TEXT,
    owner TEXT NOT NULL,
    boot TEXT NOT NULL,
    ends INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE state (
    target TEXT PRIMARY KEY,
    json TEXT NOT NULL
) WITHOUT ROWID;
";

const LEDGER_2: &str = "
CREATE TABLE approval (
    plan TEXT NOT NULL,
    person TEXT NOT NULL,
    n INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (plan, person)
) WITHOUT ROWID;
CREATE INDEX entry_signers ON entry (n) WHERE kind = 'signers';
";

const LEDGER_3: &str = "
CREATE TABLE evidence (
    digest TEXT PRIMARY KEY,
    json BLOB NOT NULL
) WITHOUT ROWID;
ALTER TABLE entry ADD COLUMN evidence TEXT;
";

/// Reviews that break glass and emergency changes leave owed, and lines of the second place that were taken over.
const LEDGER_4: &str = "
CREATE TABLE review (
    plan TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    at INTEGER NOT NULL,
    open INTEGER NOT NULL,
    json TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX review_open ON review (service) WHERE open = 1;
CREATE INDEX review_by_age ON review (at);
CREATE TABLE taken_over (
    line TEXT PRIMARY KEY
) WITHOUT ROWID;
";

/// Rule sets that were seen, and which of them counts; what is to be told to whom, and how far each receiver got; roles that people took
/// for a while.
const LEDGER_5: &str = "
CREATE TABLE rules (
    digest TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    json TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    n INTEGER,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    target TEXT,
    plan TEXT,
    json TEXT
);
CREATE TABLE receiver (
    name TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    delivered INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    trouble TEXT,
    again_at INTEGER,
    owner TEXT NOT NULL DEFAULT '',
    boot TEXT NOT NULL DEFAULT '',
    ends INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE parked (
    receiver TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    why TEXT NOT NULL,
    again INTEGER NOT NULL DEFAULT 0,
    dropped TEXT,
    PRIMARY KEY (receiver, seq)
) WITHOUT ROWID;
CREATE TABLE told_by_time (
    plan TEXT NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (plan, what)
) WITHOUT ROWID;
CREATE TABLE ticket (
    plan TEXT NOT NULL,
    desk TEXT NOT NULL,
    at INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (plan, desk)
) WITHOUT ROWID;
CREATE TABLE self_grant (
    id TEXT PRIMARY KEY,
    environment TEXT NOT NULL,
    until INTEGER NOT NULL,
    json TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX self_grant_by_end ON self_grant (until);
";

/// Which parts of rollouts were begun, each as one deed.
const LEDGER_6: &str = "
CREATE TABLE part (
    rollout TEXT NOT NULL,
    part TEXT NOT NULL,
    deed TEXT NOT NULL,
    PRIMARY KEY (rollout, part)
) WITHOUT ROWID;
";

const JOURNAL_1: &str = "
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    family TEXT NOT NULL,
    json TEXT NOT NULL
);
CREATE INDEX event_by_family ON event (family, id);
CREATE INDEX event_by_age ON event (at);
";

/// Readings beside happenings, and which room's: a changed reading builds on those before it in the same room.
const JOURNAL_2: &str = "
ALTER TABLE event ADD COLUMN room TEXT NOT NULL DEFAULT '';
DROP INDEX event_by_family;
CREATE INDEX happening ON event (id) WHERE family = 'happening';
";

/// The running judgement of each target's rollout, as whoever conducts it wrote it down last.
const JOURNAL_3: &str = "
CREATE TABLE trial (
    target TEXT PRIMARY KEY,
    rollout TEXT NOT NULL,
    judge TEXT NOT NULL,
    rules TEXT NOT NULL,
    at INTEGER NOT NULL,
    pairs INTEGER NOT NULL,
    json TEXT NOT NULL
) WITHOUT ROWID;
";

/// The past is read by room, from where everything is whole.
const JOURNAL_4: &str = "
CREATE INDEX event_of_room ON event (room, id);
CREATE INDEX opening ON event (id) WHERE family = 'opened';
";

/// Long lines are kept deflated; what stands in `json` then is what they are looked for by.
const JOURNAL_5: &str = "
ALTER TABLE event ADD COLUMN deflated BLOB;
";

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `ledger.db`: every commit is synchronised.
    Ledger,
    /// `journal.db`: a power cut may lose the last events.
    Journal,
}

impl Part {
    /// What its schemas add, one after the other; their number is the version that this program writes.
    fn schemas(self) -> &'static [&'static str] {
        match self {
            Self::Ledger => LEDGER,
            Self::Journal => JOURNAL,
        }
    }

    /// Its name in the directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::Ledger => "ledger.db",
            Self::Journal => "journal.db",
        }
    }
}

/// The newest schema of the ledger.
#[cfg(test)]
pub fn newest() -> usize {
    LEDGER.len()
}

/// Opens a file for writing, made with this mode when it is not there, or a database in memory.
pub async fn connect(part: Part, dir: Option<&Path>, mode: u32) -> Result<SqliteConnection, LedgerError> {
    let options = SqliteConnectOptions::new().busy_timeout(Duration::from_secs(5)).disable_statement_logging();
    let options = match dir {
        None => options.in_memory(true),
        Some(dir) => {
            let path = dir.join(part.file());
            make(&path, mode)?;
            let options = options.filename(path).auto_vacuum(match part {
                Part::Ledger => SqliteAutoVacuum::None,
                Part::Journal => SqliteAutoVacuum::Incremental,
            });
            options.journal_mode(SqliteJournalMode::Wal).synchronous(match part {
                Part::Ledger => SqliteSynchronous::Full,
                Part::Journal => SqliteSynchronous::Normal,
            })
        }
    };
    Ok(options.connect().await?)
}

/// Opens a file that this process may not write.
pub async fn connect_read_only(part: Part, dir: &Path) -> Result<SqliteConnection, LedgerError> {
    let options = SqliteConnectOptions::new().busy_timeout(Duration::from_secs(5)).disable_statement_logging();
    let options = options.filename(dir.join(part.file())).read_only(true);
    let mut conn = options.clone().connect().await?;
    if version(&mut conn).await.is_ok() {
        return Ok(conn);
    }
    // Without the right to make the shared index of the write-ahead log, only the file itself can be read.
    Ok(options.immutable(true).connect().await?)
}

/// Makes the tables of an empty file, adds what an older file lacks, and refuses a schema that a newer program made.
pub async fn migrate(part: Part, conn: &mut SqliteConnection) -> Result<(), LedgerError> {
    let schemas = part.schemas();
    let known = i64::try_from(schemas.len()).unwrap_or(i64::MAX);
    let found = version(conn).await?;
    if found > known {
        return Err(broken(format!("{} has schema {found}, this gonogo knows {known}; run the newer gonogo", part.file())));
    }
    if found == known {
        return Ok(());
    }
    let mut tx = sqlx::Connection::begin_with(conn, "BEGIN IMMEDIATE").await?;
    // Another process may have done it meanwhile.
    let found = usize::try_from(version(&mut tx).await?).unwrap_or(schemas.len());
    for tables in schemas.get(found..).unwrap_or_default() {
        sqlx::raw_sql(*tables).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {known}"))).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn version(conn: &mut SqliteConnection) -> Result<i64, LedgerError> {
    Ok(sqlx::query("PRAGMA user_version").fetch_one(conn).await?.try_get(0)?)
}

/// Makes an empty file whose mode the write-ahead log and its index inherit.
fn make(path: &Path, mode: u32) -> Result<(), LedgerError> {
    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(made) => made.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(|error| file("store", &error)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file("store", &error)),
    }
}
