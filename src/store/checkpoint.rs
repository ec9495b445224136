//! Checkpoints: size and root of the ledger as a C2SP signed note, kept beside the database.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};

use super::fault::file;
use super::sign::{ProcessKey, open_note};
use super::tree::{Hash, Range};
use crate::ports::ledger::LedgerError;

/// What a checkpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The signed note of a tree.
    pub fn sign(key: &ProcessKey, tree: &Range) -> Result<String, LedgerError> {
        key.note(&format!("{}\n{}\n{}\n", key.origin(), tree.size(), Base64::encode_string(&tree.root())))
    }

    /// Reads a note; none when its signature, origin or form is not right.
    pub fn read(note: &str, origin: &str, public: &[u8; 32]) -> Option<Self> {
        let text = open_note(note, origin, public)?;
        let mut lines = text.split('\n');
        let (name, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok()?;
        let root = Hash::try_from(Base64::decode_vec(root).ok()?).ok()?;
        (name == origin && number.to_string() == size && lines.next() == Some("") && lines.next().is_none())
            .then_some(Self { size: number, root })
    }
}

/// The file beside the database.
pub fn path(dir: &Path) -> PathBuf {
    dir.join("checkpoint")
}

/// A note that is synchronised to disk under a temporary name and waits for the commit.
pub struct Prepared {
    from: PathBuf,
    to: PathBuf,
    done: bool,
}

impl Prepared {
    /// Writes the temporary file, named after its writer; it is not yet on the disk.
    pub fn write(dir: &Path, writer: &str, note: &str, mode: u32) -> Result<(Self, File), LedgerError> {
        let from = dir.join(format!(".checkpoint.{writer}.tmp"));
        let prepared = Self { from, to: path(dir), done: false };
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(mode).open(&prepared.from);
        let written = opened.and_then(|mut out| out.write_all(note.as_bytes()).map(|()| out));
        Ok((prepared, written.map_err(|error| file("checkpoint", &error))?))
    }

    /// Puts what was written on the disk.
    pub fn synced(self, out: &File) -> Result<Self, LedgerError> {
        out.sync_data().map_err(|error| file("checkpoint", &error))?;
        Ok(self)
    }

    /// Puts it in the place of the former one.
    pub fn publish(mut self) -> Result<(), LedgerError> {
        std::fs::rename(&self.from, &self.to).map_err(|error| file("checkpoint", &error))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.done {
            // Nothing depends on it: a later writer of that name begins anew.
            let _ = std::fs::remove_file(&self.from);
        }
    }
}
