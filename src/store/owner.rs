//! Owners: each process locks a file of its own, so that the others can tell whether it is really dead.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::fault::{file, unwritable};
use crate::ports::ledger::LedgerError;

/// This process as the owner of deeds. The lock ends with the process, however it ends.
pub struct Owner {
    name: String,
    dir: Option<PathBuf>,
    lock: Option<File>,
}

impl Owner {
    /// An owner whose store nobody else can open.
    pub fn alone() -> Self {
        Self { name: "alone".to_owned(), dir: None, lock: None }
    }

    /// One who only looks and owns nothing.
    pub fn observer(store: &Path) -> Self {
        Self { name: String::new(), dir: Some(store.join("owners")), lock: None }
    }

    /// Makes and locks a file of its own under `owners/`.
    pub fn register(store: &Path, mode: u32) -> Result<Self, LedgerError> {
        let dir = store.join("owners");
        if !dir.is_dir() {
            let made = DirBuilder::new().recursive(true).mode(if mode & 0o070 == 0 { 0o700 } else { 0o2770 }).create(&dir);
            made.map_err(|error| file("owners", &error))?;
        }
        for _ in 0..8 {
            let mut random = [0_u8; 8];
            getrandom::fill(&mut random).map_err(|error| unwritable(format!("no random numbers: {error}")))?;
            let name = format!("{:016x}", u64::from_be_bytes(random));
            let path = dir.join(&name);
            let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
            let lock = match made {
                Ok(made) => made,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(file("owners", &error)),
            };
            // A sweeper may have taken the file between its making and its locking: then begin anew.
            let ours = lock.try_lock().is_ok() && inode_of(&path) == lock.metadata().ok().map(|meta| meta.ino());
            if ours {
                return Ok(Self { name, dir: Some(dir), lock: Some(lock) });
            }
        }
        Err(unwritable("no owner's file could be locked under owners/; check the store's disk"))
    }

    /// Its name in the rows of the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its own file, whose lock it holds; none for one who owns nothing.
    pub fn lock(&self) -> Option<&File> {
        self.lock.as_ref()
    }

    /// Where the files lie.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Whether the process of that name is alive. When it cannot be known it counts as alive, so that nobody is robbed.
    pub fn alive(&self, name: &str) -> bool {
        if name == self.name {
            return true;
        }
        let Some(dir) = &self.dir else { return false };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        match File::open(dir.join(name)) {
            // Shared, so that two who look at the same time do not see each other.
            Ok(lock) => lock.try_lock_shared().is_err(),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    }

    /// Removes checkpoints that a dead owner had written and not yet put in their place.
    pub fn sweep_checkpoints(&self, store: &Path) {
        let Ok(found) = std::fs::read_dir(store) else { return };
        for entry in found.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let left = name.strip_prefix(".checkpoint.").and_then(|name| name.strip_suffix(".tmp"));
            if left.and_then(|left| left.split('.').next()).is_some_and(|writer| !self.alive(writer)) {
                // Left behind when it cannot be removed; the next start tries again.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Removes the files of dead owners to which nothing in the store refers.
    pub fn sweep(&self, referred: &[String]) {
        let Some(dir) = &self.dir else { return };
        let Ok(found) = std::fs::read_dir(dir) else { return };
        for entry in found.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == self.name || referred.contains(&name) {
                continue;
            }
            let Ok(lock) = File::open(entry.path()) else { continue };
            match lock.try_lock() {
                // Left behind when it cannot be removed; the next start tries again.
                Ok(()) => drop(std::fs::remove_file(entry.path())),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            }
        }
    }
}

fn inode_of(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|meta| meta.ino())
}
