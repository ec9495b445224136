//! [`SqliteStore`]: one directory with the ledger, the journal, the process key and the owners' locks.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::{Mutex, OnceCell};

use super::checkpoint::{self, Checkpoint};
use super::fault::{broken, file, unwritable};
use super::glance::Glance;
use super::head::{Entry, FileGuard, Head};
use super::owner::Owner;
use super::record::{Header, to_line};
use super::schema::{self, Part};
use super::second::SecondPlace;
use super::sign::{ProcessKey, verifier};
use super::tree::{Hash, Range, leaf};
use super::witness::Witness;
use crate::model::rules::RuleSet;
use crate::ports::clock::Clock;
use crate::ports::ledger::LedgerError;

/// Who the installation is, when that is given and not drawn by lot: the same identity and orders give the same bytes.
#[derive(Clone)]
pub struct Identity {
    /// The installation's name.
    pub installation: String,
    /// The seed of the process key.
    pub seed: [u8; 32],
}

/// The journal and the ledger on SQLite.
///
/// Several processes may open one directory. Every write is one transaction under a lock that they share.
pub struct SqliteStore {
    pub(super) dir: Option<PathBuf>,
    pub(super) mode: u32,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: Option<ProcessKey>,
    pub(super) owner: Owner,
    pub(super) conn: Mutex<SqliteConnection>,
    pub(super) journal: OnceCell<Mutex<SqliteConnection>>,
    /// The most entries that this process has seen.
    pub(super) seen: AtomicU64,
    /// Whether the published checkpoint is behind a commit of ours.
    pub(super) lagging: AtomicBool,
    /// Numbers the temporary checkpoints of this process.
    pub(super) turn: AtomicU64,
    pub(super) read_only: AtomicBool,
    pub(super) header: OnceLock<Header>,
    pub(super) gate: Mutex<Option<File>>,
    pub(super) inode: Option<u64>,
    pub(super) witnesses: OnceLock<Vec<Arc<Witness>>>,
    /// How the write-ahead log looked when the number of commits was read last.
    pub(super) known: std::sync::Mutex<Option<(Glance, i64)>>,
    /// Where break glass is recorded too.
    pub(super) second: OnceLock<SecondPlace>,
    /// The persons' part of the allowed-signers file.
    pub(super) people: RwLock<String>,
    /// The rules by which this process judges, with their digest.
    pub(super) rules: RwLock<Option<Arc<(String, RuleSet)>>>,
    /// The rules that were the accepted ones at a number of commits: as long as it stands nobody has accepted others.
    pub(super) accepted_at: std::sync::Mutex<Option<(i64, String)>>,
    refusal: RwLock<Option<LedgerError>>,
}

impl SqliteStore {
    /// Opens the store of a directory, which is made with mode 0700 when it is not there.
    ///
    /// A store that can be read but not written, or whose checkpoint shows that entries were lost, opens all the same:
    /// [`SqliteStore::condition`] says why, and every write is refused with that error.
    ///
    /// # Errors
    /// [`LedgerError::Unwritable`] when it is not there and cannot be made; [`LedgerError::Broken`] when it cannot be read or was
    /// written by a newer gonogo.
    pub async fn open(dir: &Path, clock: Arc<dyn Clock>, identity: Option<Identity>) -> Result<Self, LedgerError> {
        match Self::open_writable(dir, Arc::clone(&clock), identity).await {
            Err(LedgerError::Unwritable(why)) if dir.join(Part::Ledger.file()).exists() => {
                Self::open_read_only(dir, clock, LedgerError::Unwritable(why)).await
            }
            other => other,
        }
    }

    /// A store in memory, for the simulated release train: no files, no locks, no checkpoint.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the installation's name is none or SQLite cannot be started.
    pub async fn memory(clock: Arc<dyn Clock>, identity: Identity) -> Result<Self, LedgerError> {
        let key = ProcessKey::from_seed(&identity.seed, Some(&identity.installation))?;
        let mut conn = schema::connect(Part::Ledger, None, 0).await?;
        schema::migrate(Part::Ledger, &mut conn).await?;
        let store = Self::put_together(None, 0, clock, Some(key), Owner::alone(), conn, None, None);
        store.found().await?;
        store.look(None).await?;
        Ok(store)
    }

    async fn open_writable(dir: &Path, clock: Arc<dyn Clock>, identity: Option<Identity>) -> Result<Self, LedgerError> {
        let mode = make_directory(dir)?;
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(mode).open(dir.join("ledger.lock"));
        let gate = Mutex::new(Some(lock.map_err(|error| file("ledger.lock", &error))?));
        let locked = FileGuard::wait(gate.lock().await).await?;
        let key = read_or_make_key(dir, mode, identity)?;
        let owner = Owner::register(dir, mode)?;
        let mut conn = schema::connect(Part::Ledger, Some(dir), mode).await?;
        schema::migrate(Part::Ledger, &mut conn).await?;
        drop(locked);
        let inode = std::fs::metadata(dir.join(Part::Ledger.file())).map_err(|error| file("ledger.db", &error))?.ino();
        let lock = gate.into_inner();
        let store = Self::put_together(Some(dir.to_owned()), mode, clock, key, owner, conn, lock, Some(inode));
        if store.key.is_some() {
            store.found().await?;
        } else {
            store.refuse(broken("process.key is missing; restore it from a copy, deeds are refused until then"));
        }
        store.look(Some(dir)).await?;
        Ok(store)
    }

    async fn open_read_only(dir: &Path, clock: Arc<dyn Clock>, why: LedgerError) -> Result<Self, LedgerError> {
        let conn = schema::connect_read_only(Part::Ledger, dir).await?;
        let store = Self::put_together(Some(dir.to_owned()), 0, clock, None, Owner::observer(dir), conn, None, None);
        store.refuse(why);
        store.look(Some(dir)).await?;
        Ok(store)
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where the fields come together")]
    fn put_together(
        dir: Option<PathBuf>,
        mode: u32,
        clock: Arc<dyn Clock>,
        key: Option<ProcessKey>,
        owner: Owner,
        conn: SqliteConnection,
        gate: Option<File>,
        inode: Option<u64>,
    ) -> Self {
        Self {
            dir,
            mode,
            clock,
            key,
            owner,
            conn: Mutex::new(conn),
            journal: OnceCell::new(),
            seen: AtomicU64::new(0),
            lagging: AtomicBool::new(false),
            turn: AtomicU64::new(0),
            read_only: AtomicBool::new(false),
            header: OnceLock::new(),
            gate: Mutex::new(gate),
            inode,
            witnesses: OnceLock::new(),
            known: std::sync::Mutex::new(None),
            second: OnceLock::new(),
            people: RwLock::new(String::new()),
            rules: RwLock::new(None),
            accepted_at: std::sync::Mutex::new(None),
            refusal: RwLock::new(None),
        }
    }

    /// Closes the store in good order. A store that is dropped instead loses nothing, but its files are let go a little later.
    pub async fn close(self) {
        // What was committed is durable already; a failure here leaves only a longer write-ahead log.
        let _ledger = self.conn.into_inner().close().await;
        if let Some(journal) = self.journal.into_inner() {
            let _journal = journal.into_inner().close().await;
        }
    }

    /// Why deeds are refused; none when they are not.
    pub fn condition(&self) -> Option<LedgerError> {
        self.refusal.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses every deed of this process from now on, or no longer: the `read_only` of the room.
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, std::sync::atomic::Ordering::SeqCst);
    }

    /// Records break glass in a second place too, a file of lines; the first one named stays.
    pub fn name_second_place(&self, path: &Path) {
        let _ = self.second.set(SecondPlace::at(path));
    }

    /// Refuses every write from now on; the first reason stays.
    pub(super) fn refuse(&self, why: LedgerError) {
        self.refusal.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// Writes the header and the first entry of a ledger that has none.
    async fn found(&self) -> Result<(), LedgerError> {
        let Some(key) = &self.key else { return Ok(()) };
        let header = to_line(&Header::new(key))?;
        let mut conn = self.conn.lock().await;
        let made =
            sqlx::query("INSERT OR IGNORE INTO head (one, header, size, roots, last, at, generation) VALUES (1, ?, 0, x'', ?, 0, 0)")
                .bind(&header)
                .bind(leaf(&header).to_vec())
                .execute(&mut *conn)
                .await?;
        let first = made.rows_affected() == 1 || Head::read(&mut conn).await?.tree.size() == 0;
        drop(conn);
        // A checkpoint without a ledger: everything was lost, and the look that follows says so.
        if !first || self.dir.as_ref().is_some_and(|dir| checkpoint::path(dir).exists()) {
            return Ok(());
        }
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        if write.next() == 0 {
            write.put(Entry::signers(key.allowed_signers()?)).await?;
            write.commit().await?;
            if let Some(dir) = &self.dir {
                // The name of the first checkpoint must outlive a power cut; later ones only take its place.
                File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| file("store", &error))?;
            }
        }
        Ok(())
    }

    /// Looks whether the ledger still is what its checkpoint says, and brings the checkpoint up to the ledger.
    async fn look(&self, dir: Option<&Path>) -> Result<(), LedgerError> {
        let (header, behind) = {
            let file = FileGuard::wait(self.gate.lock().await).await?;
            let mut conn = self.conn.lock().await;
            let bytes: Vec<u8> = match sqlx::query("SELECT header FROM head").fetch_optional(&mut *conn).await? {
                Some(row) => row.try_get(0)?,
                None => return Err(broken("the ledger has no head; restore the store from a copy")),
            };
            let header: Header = serde_json::from_slice(&bytes).map_err(|error| broken(format!("header: {error}")))?;
            let behind = match dir {
                Some(dir) => self.compare(dir, &header, &mut conn).await?,
                None => false,
            };
            drop(file);
            (header, behind)
        };
        if self.key.as_ref().is_some_and(|key| key.vkey() != header.vkey) {
            self.refuse(broken("process.key is not the key of this ledger; restore it from a copy"));
        }
        let _first = self.header.set(header);
        if self.condition().is_none() {
            if behind {
                let mut gate = self.lock().await?;
                self.lagging.store(true, std::sync::atomic::Ordering::SeqCst);
                gate.begin().await?;
            }
            self.sweep().await?;
        }
        Ok(())
    }

    /// Compares head, entries and checkpoint without hashing everything; tells whether the checkpoint is behind.
    async fn compare(&self, dir: &Path, header: &Header, conn: &mut SqliteConnection) -> Result<bool, LedgerError> {
        let head = Head::read(conn).await?;
        let size = head.tree.size();
        self.seen.store(size, std::sync::atomic::Ordering::SeqCst);
        let row = sqlx::query("SELECT n, leaf FROM entry ORDER BY n DESC LIMIT 1").fetch_optional(&mut *conn).await?;
        let last = row.map(|row| Ok::<_, sqlx::Error>((row.try_get::<i64, _>(0)?, row.try_get::<Vec<u8>, _>(1)?))).transpose()?;
        let whole = last.as_ref().map_or(size == 0, |(n, leaf)| u64::try_from(*n).is_ok_and(|n| n + 1 == size) && leaf == &head.last);
        if !whole {
            self.refuse(broken("the entries do not end where the ledger's head says; restore the store from a copy"));
        }
        let note = match std::fs::read_to_string(checkpoint::path(dir)) {
            Ok(note) => note,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if size > 1 {
                    self.refuse(broken("the checkpoint beside the ledger is missing; restore it from a copy or a witness"));
                }
                return Ok(size > 0);
            }
            Err(error) => {
                self.refuse(broken(format!("checkpoint: {error}; restore it from a copy or a witness")));
                return Ok(false);
            }
        };
        let Some(said) = verifier(&header.vkey).and_then(|public| Checkpoint::read(&note, &header.origin, &public)) else {
            self.refuse(broken("the checkpoint beside the ledger is not signed by this installation; restore it from a copy or a witness"));
            return Ok(false);
        };
        if said.size > size {
            self.refuse(broken(format!(
                "the ledger has {size} entries but its checkpoint says {}: entries {size} to {} are lost; restore the store from a copy",
                said.size,
                said.size - 1
            )));
            return Ok(false);
        }
        let root = if said.size == size { head.tree.root() } else { root_at(conn, said.size).await? };
        if root != said.root {
            self.refuse(broken(format!("the first {} entries are not those of the checkpoint; run `gonogo ledger verify`", said.size)));
        }
        Ok(said.size < size)
    }

    async fn sweep(&self) -> Result<(), LedgerError> {
        let mut conn = self.conn.lock().await;
        let rows = sqlx::query("SELECT owner FROM deed WHERE open = 1 UNION SELECT owner FROM lease WHERE deed IS NOT NULL");
        let rows = rows.fetch_all(&mut *conn).await?;
        let referred: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        self.owner.sweep(&referred);
        if let Some(dir) = &self.dir {
            self.owner.sweep_checkpoints(dir);
        }
        Ok(())
    }
}

/// The root over the first `size` entries, by their stored leaves.
pub(super) async fn root_at(conn: &mut SqliteConnection, size: u64) -> Result<Hash, LedgerError> {
    let rows = sqlx::query("SELECT leaf FROM entry WHERE n < ? ORDER BY n").bind(i64::try_from(size).map_err(broken)?);
    let leaves = rows.fetch_all(conn).await?;
    let leaves = leaves.iter().map(|row| Hash::try_from(row.try_get::<Vec<u8>, _>(0)?).map_err(|_| broken("a leaf is damaged")));
    Ok(leaves.collect::<Result<Vec<_>, LedgerError>>()?.into_iter().collect::<Range>().root())
}

/// Makes the directory and tells the mode of the files in it: 0600, or 0660 where it is shared with its group.
fn make_directory(dir: &Path) -> Result<u32, LedgerError> {
    if !dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| file("store", &error))?;
    }
    let mode = std::fs::metadata(dir).map_err(|error| file("store", &error))?.mode();
    Ok(if mode & 0o2070 == 0o2070 { 0o660 } else { 0o600 })
}

/// Reads the process key, or makes it at the first start; none when a ledger is there and its key is not.
fn read_or_make_key(dir: &Path, mode: u32, identity: Option<Identity>) -> Result<Option<ProcessKey>, LedgerError> {
    let path = dir.join("process.key");
    match std::fs::read_to_string(&path) {
        Ok(pem) => {
            let open = std::fs::metadata(&path).map_err(|error| file("process.key", &error))?.mode() & 0o027;
            if open != 0 {
                return Err(unwritable(
                    "process.key may be read by others or written by its group; give it mode 0600 (0640 in a shared store)",
                ));
            }
            return ProcessKey::from_openssh(&pem).map(Some);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(file("process.key", &error)),
    }
    if std::fs::metadata(dir.join(Part::Ledger.file())).is_ok_and(|meta| meta.len() > 0) {
        return Ok(None);
    }
    let key = if let Some(identity) = identity {
        ProcessKey::from_seed(&identity.seed, Some(&identity.installation))?
    } else {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|error| unwritable(format!("no random numbers: {error}")))?;
        ProcessKey::from_seed(&seed, None)?
    };
    let mode = if mode == 0o660 { 0o640 } else { 0o600 };
    let temporary = dir.join(".process.key.tmp");
    let written = key.to_openssh().and_then(|pem| {
        let out = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary);
        let written = out.and_then(|mut out| {
            std::io::Write::write_all(&mut out, &pem)?;
            out.sync_all()
        });
        written.and_then(|()| std::fs::rename(&temporary, &path)).map_err(|error| file("process.key", &error))
    });
    written.map(|()| Some(key))
}
